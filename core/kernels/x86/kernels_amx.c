/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* kernels_amx.c: the convolution of bytes for AMX.
 *
 * A tile register holds 16 rows of 64 bytes. Lines of the input are rows as
 * they lie: 16 pixels of four channels each, up to 16 lines, which is the form
 * that the unit wants its second operand in. Weights are the first: up to 16
 * output channels, a word a line. Two of each make four tiles of sums, 32
 * channels x 32 pixels. Few words or channels are left to VNNI. */

#define ISA       amx
#define LANES     16
#define REGISTERS 32

#include "kernels/x86/bytes_avx512.h"

#include "kernels/conv_u8.h"

#define TILE_ROWS  16
#define TILE_BYTES (16 * 64)

/**
 * Tiling:
 * @pairs: of blocks of @rows output channels, of which a pair has one or two
 * @parts: of a segment's lines, @lines each; the last begins where it has to
 *   for that, and its weights are 0 for lines that another part has
 */
typedef struct
{
  int pairs, blocks, rows, parts, lines;
} Tiling;

/* Below this VNNI is faster. */
#define LEAST_LINES 6
#define LEAST_OC    12

static int
suits_tiles (int oc, int n_lines)
{
  return oc >= LEAST_OC && n_lines >= LEAST_LINES;
}

/* Rows of a pair are a multiple of 4, so that it ends with whole pixels. */
static Tiling
tiling_of (int oc, int n_lines)
{
  Tiling t = { .pairs = (oc + 31) / 32, .blocks = oc > 16 ? 2 : 1 };
  int all = t.pairs * t.blocks;
  t.rows = t.blocks > 1 ? ((oc + all - 1) / all + 1) / 2 * 2 : oc;
  t.parts = (n_lines + TILE_ROWS - 1) / TILE_ROWS;
  t.lines = (n_lines + t.parts - 1) / t.parts;
  return t;
}

static int
first_line (const Tiling *t, int part, int n_lines)
{
  int first = part * t->lines;
  return first + t->lines > n_lines ? n_lines - t->lines : first;
}

/* -- weights ------------------------------------------------------------ */

/* One block's tile: [TILE_ROWS][16] words, of channels o ... */
static void
pack_tile (const CnnConvU8Weights *w, const Tiling *t, int o, int segment,
    int part, uint32_t *to)
{
  int first = first_line (t, part, w->n_lines);
  for (int r = 0; r < TILE_ROWS; r++)
    for (int l = 0; l < 16; l++, to++) {
      int line = first + l;
      bool own = r < t->rows && o + r < w->oc && l < t->lines
          && line >= part * t->lines;
      *to = own ? w->words[((size_t) (o + r) * (size_t) w->n_segments
                               + (size_t) segment)
                    * (size_t) w->n_lines
                + (size_t) line]
                : 0;
    }
}

/* [pairs][segments][parts][blocks] tiles. */
static size_t
cnn_pack_u8_tiles_amx (const CnnConvU8Weights *w, void *packed)
{
  Tiling t = tiling_of (w->oc, w->n_lines);
  char *to = packed;
  for (int p = 0; p < t.pairs && to; p++)
    for (int s = 0; s < w->n_segments; s++)
      for (int part = 0; part < t.parts; part++)
        for (int b = 0; b < t.blocks; b++, to += TILE_BYTES)
          pack_tile (w, &t, (p * t.blocks + b) * t.rows, s, part,
              (uint32_t *) to);
  return (size_t) (t.pairs * w->n_segments * t.parts * t.blocks) * TILE_BYTES;
}

static size_t
pack (const CnnConvU8Weights *weights, void *packed)
{
  return suits_tiles (weights->oc, weights->n_lines)
      ? cnn_pack_u8_tiles_amx (weights, packed)
      : cnn_pack_u8_amx (weights, packed);
}

/* -- tiles -------------------------------------------------------------- */

/* Registers: 0 to 3 sums, 4 and 5 weights, 6 and 7 pixels. */
static void
configure (const Tiling *t)
{
  struct
  {
    uint8_t palette, start, zeros[14];
    uint16_t bytes[16];
    uint8_t rows[16];
  } __attribute__ ((aligned (64))) config = { .palette = 1 };
  for (int i = 0; i < 8; i++) {
    config.rows[i] = (uint8_t) (i < 6 ? t->rows : t->lines);
    config.bytes[i] = (uint16_t) (i == 4 || i == 5 ? 4 * t->lines : 64);
  }
  _tile_loadconfig (&config);
}

/* sums[channel of the pair][32 pixels] */
typedef struct
{
  int32_t sums[32][2 * LANES] __attribute__ ((aligned (64)));
} Block;

#define SUMS_BYTES            (2 * LANES * 4)

#define LOAD(tile, p, stride) _tile_loadd (tile, p, (long) (stride))

/* Sums of one pair, 16 or 32 pixels from @in on. */
INLINE void
multiply (const CnnConvU8Run *run, const Tiling *t, const char *w,
    const uint8_t *in, Block *block, const int blocks, const int wide)
{
  size_t line = run->line_bytes;
  _tile_zero (0);
  _tile_zero (1);
  _tile_zero (2);
  _tile_zero (3);
  for (int s = 0; s < run->n_segments; s++)
    for (int part = 0; part < t->parts; part++) {
      const uint8_t *p = in + run->segments[s]
          + (size_t) first_line (t, part, run->n_lines) * line;
      LOAD (6, p, line);
      LOAD (4, w, 64);
      _tile_dpbsud (0, 4, 6);
      if (wide) {
        LOAD (7, p + 64, line);
        _tile_dpbsud (1, 4, 7);
      }
      w += TILE_BYTES;
      if (blocks > 1) {
        LOAD (5, w, 64);
        _tile_dpbsud (2, 5, 6);
        if (wide)
          _tile_dpbsud (3, 5, 7);
        w += TILE_BYTES;
      }
    }
  _tile_stored (0, &block->sums[0][0], SUMS_BYTES);
  if (wide)
    _tile_stored (1, &block->sums[0][LANES], SUMS_BYTES);
  if (blocks > 1) {
    _tile_stored (2, &block->sums[t->rows][0], SUMS_BYTES);
    if (wide)
      _tile_stored (3, &block->sums[t->rows][LANES], SUMS_BYTES);
  }
}

static void
multiply_any (const CnnConvU8Run *run, const Tiling *t, const char *w,
    const uint8_t *in, Block *block, int wide)
{
  if (t->blocks > 1 && wide)
    multiply (run, t, w, in, block, 2, 1);
  else if (t->blocks > 1)
    multiply (run, t, w, in, block, 2, 0);
  else if (wide)
    multiply (run, t, w, in, block, 1, 1);
  else
    multiply (run, t, w, in, block, 1, 0);
}

INLINE VecInt
sums_of (const Block *block, int channel, int v)
{
  VecInt sums;
  memcpy (&sums, &block->sums[channel][v * LANES], sizeof sums);
  return sums;
}

/* Group @g of the pair, whose channels begin with group @first. */
static void
finish_block (const CnnConvU8Run *run, const Block *block, int first, int g,
    int x, int n)
{
  const int32_t *bias = run->bias + 4 * (first + g);
  for (int v = 0; v * LANES < n; v++) {
    VecInt c[4];
    UNROLL
    for (int i = 0; i < 4; i++)
      c[i] = sums_of (block, 4 * g + i, v) + bias[i];
    finish (run, c, first + g, x + v * LANES, n - v * LANES);
  }
}

static void
finish_pooled (const CnnConvU8Run *run, const Block *rows, int first, int g,
    int x, int n)
{
  const int32_t *bias = run->bias + 4 * (first + g);
  VecInt c[4];
  UNROLL
  for (int i = 0; i < 4; i++) {
    int o = 4 * g + i;
    VecInt a = MAX_INT (sums_of (&rows[0], o, 0), sums_of (&rows[1], o, 0));
    VecInt b = MAX_INT (sums_of (&rows[0], o, 1), sums_of (&rows[1], o, 1));
    c[i] = MAX_INT (EVENS (a, b), ODDS (a, b)) + bias[i];
  }
  finish (run, c, first + g, x, n);
}

static void
pair_row (const CnnConvU8Run *run, const Tiling *t, int pair, Block *rows)
{
  const char *w = (const char *) run->weights
      + (size_t) (pair * run->n_segments * t->parts * t->blocks) * TILE_BYTES;
  int first = pair * t->blocks * t->rows / 4, step = run->pool ? 2 : 1;
  int groups = run->oc / 4 - first;
  groups = groups < t->blocks * t->rows / 4 ? groups : t->blocks * t->rows / 4;
  for (int x = 0, width = 2 * LANES / step; x < run->n; x += width) {
    int n = run->n - x < width ? run->n - x : width;
    for (int r = 0; r < step; r++)
      multiply_any (run, t, w,
          run->in + (size_t) r * run->row_bytes + 4 * (size_t) (x * step),
          &rows[r], n * step > LANES);
    for (int g = 0; g < groups; g++)
      (run->pool ? finish_pooled : finish_block) (run, rows, first, g, x, n);
  }
}

static void
conv (const CnnConvU8Run *run)
{
  if (!suits_tiles (run->oc, run->n_lines)) {
    cnn_conv_u8_amx (run);
    return;
  }
  Block rows[2];
  Tiling t = tiling_of (run->oc, run->n_lines);
  configure (&t);
  for (int pair = 0; pair < t.pairs; pair++)
    pair_row (run, &t, pair, rows);
  _tile_release ();
}

void
cnn_kernels_init_amx (CnnKernels *kernels)
{
  kernels->name = "amx";
  kernels->conv_u8 = conv;
  kernels->pack_u8 = pack;
}
