/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* conv_u8.h: convolution of bytes, requantised, and floats to bytes.
 *
 * Included by each instruction set's file. Lanes are pixels of four channels,
 * so that a lane times a weight is a dot product of four bytes, in one part or,
 * where an instruction set can't do that, in several (U8_PARTS, PART, DOT). A tile of output channels x pixels stays in
 * registers over all words of the kernel; with a pool, pixels of two rows. Sums
 * then go through a small buffer, in which tails cost nothing, to be pooled and
 * rounded: integers throughout, so that all instruction sets agree. */

#ifndef CNN_KERNELS_CONV_U8_H
#define CNN_KERNELS_CONV_U8_H

#include "kernels/kernels.h"
#include "kernels/deal_f32.h"

/* Pixels are cut into U8_PARTS parts, PART (pixels, part); words, when they are
 * packed, with WORD_PART (word, part); DOT (sum, part of pixels, part of a word)
 * adds their products. */
#ifndef U8_PARTS
#define U8_PARTS        1
#define PART(x, p)      (x)
#define WORD_PART(w, p) (w)
#ifndef DOT
#define DOT(sum, x, w) dot4 (sum, x, w)
/* Exact: products of bytes as int32. */
INLINE VecInt
dot4 (VecInt sum, VecInt x, uint32_t w)
{
  sum += (x & 255) * (int8_t) w;
  sum += (x >> 8 & 255) * (int8_t) (w >> 8);
  sum += (x >> 16 & 255) * (int8_t) (w >> 16);
  sum += (x >> 24 & 255) * (int8_t) (w >> 24);
  return sum;
}
#endif
#endif

/* Even and odd bytes of a word as two int16 each. */
#if U8_PARTS == 2
#define WORD_PART(w, p)                                                        \
  ((uint32_t) (uint16_t) (int8_t) ((w) >> 8 * (p))                             \
      | (uint32_t) (uint16_t) (int8_t) ((w) >> (16 + 8 * (p))) << 16)
#endif

/* Of a tile without pool: groups of four output channels, vectors. With pool
 * one group, two rows. */
#if REGISTERS >= 32
#define U8_GROUPS    2
#define U8_VECS      3
#define U8_POOL_VECS 2
#else
#define U8_GROUPS    1
#define U8_VECS      (U8_PARTS > 1 ? 2 : 3)
#define U8_POOL_VECS 1
#endif

/* Of one word of a kernel for four output channels. */
#define WORDS (4 * U8_PARTS)

/* sums[o][row][vector] of one tile. */
#define U8_SUMS                 (8 * 3)
#define SUM_AT(o, rows, row, v) (((o) * (rows) + (row)) * 3 + (v))

#ifndef MAX_INT
#define MAX_INT(a, b) ((VecInt) choose ((a) > (b), (Vec) (a), (Vec) (b)))
#endif

INLINE VecInt
load_pixels (const uint8_t *p)
{
  VecInt v;
  memcpy (&v, p, sizeof v);
  return v;
}

INLINE void
store_pixels (uint8_t *p, VecInt v, int n)
{
  if (n >= LANES)
    memcpy (p, &v, sizeof v);
  else
    memcpy (p, &v, 4 * (size_t) n);
}

/* One tile: the sums of channels 4 * @group ..., pixels from x on, into @sums
 * from vector @first on. Sizes are constants wherever this is inlined. */
INLINE void
u8_tile (const CnnConvU8Run *run, VecInt *sums, int group, int x, int first,
    const int groups, const int rows, const int vecs)
{
  VecInt acc[4 * U8_GROUPS][2][U8_VECS];
  const size_t words = (size_t) run->n_segments * (size_t) run->n_lines;
  const uint32_t *w =
      (const uint32_t *) run->weights + WORDS * (size_t) group * words;
  const size_t line = run->line_bytes, row = run->row_bytes;

  UNROLL
  for (int i = 0; i < 4 * groups; i++) {
    VecInt bias = splat_int (run->bias[4 * group + i]);
    UNROLL
    for (int r = 0; r < rows; r++) {
      UNROLL
      for (int v = 0; v < vecs; v++)
        acc[i][r][v] = bias;
    }
  }
  for (int s = 0; s < run->n_segments; s++) {
    const uint8_t *p = run->in + run->segments[s] + 4 * (ptrdiff_t) x;
    for (int l = 0; l < run->n_lines; l++, p += line, w += WORDS) {
      VecInt px[2][U8_VECS][U8_PARTS];
      UNROLL
      for (int r = 0; r < rows; r++) {
        UNROLL
        for (int v = 0; v < vecs; v++) {
          VecInt pixels = load_pixels (p + (size_t) r * row + 4 * LANES * v);
          UNROLL
          for (int k = 0; k < U8_PARTS; k++)
            px[r][v][k] = PART (pixels, k);
        }
      }
      UNROLL
      for (int i = 0; i < 4 * groups * U8_PARTS; i++) {
        const int o = i / U8_PARTS, k = i % U8_PARTS;
        uint32_t word = w[(size_t) (o / 4) * WORDS * words
            + (size_t) (o % 4 * U8_PARTS + k)];
        UNROLL
        for (int r = 0; r < rows; r++) {
          UNROLL
          for (int v = 0; v < vecs; v++)
            acc[o][r][v] = DOT (acc[o][r][v], px[r][v][k], word);
        }
      }
    }
  }
  UNROLL
  for (int i = 0; i < 4 * groups; i++) {
    UNROLL
    for (int r = 0; r < rows; r++) {
      UNROLL
      for (int v = 0; v < vecs; v++)
        sums[SUM_AT (i, rows, r, first + v)] = acc[i][r][v];
    }
  }
}

#define U8_TILE(groups, rows, vecs)                                            \
  static void u8_tile_##groups##x##rows##x##vecs (const CnnConvU8Run *run,     \
      VecInt *sums, int group, int x, int first)                               \
  {                                                                            \
    u8_tile (run, sums, group, x, first, groups, rows, vecs);                  \
  }

U8_TILE (1, 1, 1)
U8_TILE (1, 1, 2)
U8_TILE (1, 2, 1)
#if U8_VECS > 2
U8_TILE (1, 1, 3)
#endif
#if U8_GROUPS > 1
U8_TILE (1, 2, 2)
U8_TILE (2, 1, 1)
U8_TILE (2, 1, 2)
U8_TILE (2, 1, 3)
#endif

typedef void (*U8Tile) (const CnnConvU8Run *run, VecInt *sums, int group, int x,
    int first);

static const U8Tile u8_tiles[U8_GROUPS][U8_VECS] = {
#if U8_VECS > 2
  { u8_tile_1x1x1, u8_tile_1x1x2, u8_tile_1x1x3 },
#else
  { u8_tile_1x1x1, u8_tile_1x1x2 },
#endif
#if U8_GROUPS > 1
  { u8_tile_2x1x1, u8_tile_2x1x2, u8_tile_2x1x3 },
#endif
};

static const U8Tile u8_pool_tiles[U8_POOL_VECS] = {
  u8_tile_1x2x1,
#if U8_POOL_VECS > 1
  u8_tile_1x2x2,
#endif
};

/* Adding 1.5 * 2^23 leaves round (x) in the low bits of the sum. What is
 * clamped before it is added can't be contracted into a multiply-add. */
INLINE VecInt
rounded (Vec x, Vec low, Vec high, VecInt zero)
{
  const float shift = 0x1.8p+23f;
  x = maximum (x, low);
  x = choose (x > high, high, x);
  return (VecInt) (x + shift) + (zero - (VecInt) splat (shift));
}

INLINE VecInt
joined (const VecInt *c)
{
  return c[0] | c[1] << 8 | (c[2] << 16 | c[3] << 24);
}

#ifndef FOUR_BYTES
INLINE VecInt
four_bytes (const Vec *y, int zero, int low, int high)
{
  VecInt c[4];
  UNROLL
  for (int i = 0; i < 4; i++)
    c[i] = rounded (y[i], splat ((float) (low - zero)),
        splat ((float) (high - zero)), splat_int (zero));
  return joined (c);
}
#define FOUR_BYTES(y, zero, low, high) four_bytes (y, zero, low, high)
#endif

/* Writes @n pixels, from x on, of four channels whose sums are @sums. */
INLINE void
finish_bytes (const CnnConvU8Run *run, const VecInt *sums, int group, int x,
    int n)
{
  uint8_t *out = run->out + (size_t) group * run->out_group + 4 * (size_t) x;
  Vec y[4];
  UNROLL
  for (int i = 0; i < 4; i++)
    y[i] = __builtin_convertvector(sums[i], Vec) * run->scale[4 * group + i];
  store_pixels (out, FOUR_BYTES (y, run->zero, run->low, run->high), n);
}

INLINE void
finish_floats (const CnnConvU8Run *run, const VecInt *sums, int group, int x,
    int n)
{
  for (int i = 0, o = 4 * group; i < 4 && o < run->n_floats; i++, o++) {
    float *out = run->floats + (size_t) o * run->float_plane + x;
    Vec y = __builtin_convertvector(sums[i], Vec) * run->scale[o];
    if (n >= LANES)
      store (out, y);
    else
      store_part (out, y, n);
  }
}

INLINE void
finish (const CnnConvU8Run *run, const VecInt *sums, int group, int x, int n)
{
  if (run->out)
    finish_bytes (run, sums, group, x, n);
  else
    finish_floats (run, sums, group, x, n);
}

/* Sums of two rows of 2 * LANES pixels. */
INLINE VecInt
pooled (const VecInt *sums, int channel)
{
  VecInt a = MAX_INT (sums[SUM_AT (channel, 2, 0, 0)],
      sums[SUM_AT (channel, 2, 1, 0)]);
  VecInt b = MAX_INT (sums[SUM_AT (channel, 2, 0, 1)],
      sums[SUM_AT (channel, 2, 1, 1)]);
  return MAX_INT (EVENS (a, b), ODDS (a, b));
}

static void
u8_pooled_pixels (const CnnConvU8Run *run, VecInt *sums, int x, int n)
{
  int vecs = 2 * n > LANES ? 2 : 1;
  for (int g = 0; g < run->oc / 4; g++) {
    VecInt c[4];
    if (U8_POOL_VECS > 1) {
      u8_pool_tiles[vecs - 1](run, sums, g, 2 * x, 0);
    } else {
      for (int v = 0; v < vecs; v++)
        u8_pool_tiles[0](run, sums, g, 2 * x + v * LANES, v);
    }
    UNROLL
    for (int i = 0; i < 4; i++)
      c[i] = pooled (sums, i);
    finish (run, c, g, x, n);
  }
}

static void
u8_pixels (const CnnConvU8Run *run, VecInt *sums, int x, int n, int vecs)
{
  int all = run->oc / 4;
  for (int g = 0, groups; g < all; g += groups) {
    groups = all - g < U8_GROUPS ? all - g : U8_GROUPS;
    u8_tiles[groups - 1][vecs - 1](run, sums, g, x, 0);
    for (int k = 0; k < groups; k++)
      for (int v = 0; v < vecs; v++) {
        VecInt c[4];
        UNROLL
        for (int i = 0; i < 4; i++)
          c[i] = sums[SUM_AT (4 * k + i, 1, 0, v)];
        finish (run, c, g + k, x + v * LANES, n - v * LANES);
      }
  }
}

static void
KERNEL (cnn_conv_u8) (const CnnConvU8Run *run)
{
  VecInt sums[U8_SUMS] = { 0 };
  for (int x = 0, width; x < run->n; x += width) {
    int left = (run->n - x + LANES - 1) / LANES;
    int vecs = left <= U8_VECS ? left
        : left < 2 * U8_VECS   ? (left + 1) / 2
                               : U8_VECS;
    width = run->pool ? LANES : vecs * LANES;
    if (run->pool)
      u8_pooled_pixels (run, sums, x, run->n - x);
    else
      u8_pixels (run, sums, x, run->n - x, vecs);
  }
}

/* [oc / 4][words][4][parts] */
static size_t
KERNEL (cnn_pack_u8) (const CnnConvU8Weights *weights, void *packed)
{
  size_t words = (size_t) weights->n_segments * (size_t) weights->n_lines;
  size_t oc = (size_t) weights->oc;
  uint32_t *to = packed;
  for (size_t o = 0; o < oc && to; o += 4)
    for (size_t k = 0; k < words; k++)
      for (size_t i = 0; i < WORDS; i++)
        *to++ = WORD_PART (weights->words[(o + i / U8_PARTS) * words + k],
            (i % U8_PARTS));
  return (oc * words * U8_PARTS * sizeof *to + 63) / 64 * 64;
}

#endif
