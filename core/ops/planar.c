/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* planar.c: cuts a planar convolution into runs of the convolution kernel.
 *
 * Row by row: each output row is cut into pieces whose input stays
 * in the first cache while all output channels are computed from it. Flat:
 * where rows are short against a vector, several rows are computed as one run
 * over the input's pitch, into spare memory, from which the true pixels are
 * copied. Dense: where there are no gaps between rows (1x1), all are one row.
 * Tasks are bands of rows, by channels where rows are few: they depend
 * on the sizes only, and a pixel's sum is always taken in the same order. */

#include "ops/planar.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/memory.h"

#define FLAT_PIXELS 1024
/* What is pooled at a time. */
#define POOLED_ROWS   2
#define POOLED_PIXELS 192
/* What goes through a tail at a time. */
#define TAIL_PIXELS  192
#define INPUT_BYTES  (24 * 1024)
#define TASK_MACS    ((size_t) 1 << 20)
#define WANTED_TASKS 8

typedef enum
{
  BY_ROW,
  FLAT,
  DENSE
} Way;

typedef struct
{
  const CnnPlanar *planar;
  Way way;
  int rows;   /* of a task */
  int bands;  /* tasks along y */
  int blocks; /* of a task */
} Cut;

int
cnn_planar_blocks (int oc)
{
  return (oc + CNN_CONV_BLOCK - 1) / CNN_CONV_BLOCK;
}

int
cnn_planar_block (int oc, int block)
{
  return (int) ((int64_t) oc * block / cnn_planar_blocks (oc));
}

void
cnn_planar_pack (const CnnPlanarWeights *w, float *packed)
{
  for (int b = 0; b < cnn_planar_blocks (w->oc); b++) {
    int first = cnn_planar_block (w->oc, b);
    int last = cnn_planar_block (w->oc, b + 1);
    for (int i = 0; i < w->ic; i++)
      for (int t = 0; t < w->n_taps; t++) {
        const float *from = w->data + (size_t) i * w->i_step + (size_t) t;
        for (int o = first; o < last; o++)
          *packed++ =
              from[(size_t) o * w->o_step] * (w->scale ? w->scale[o] : 1);
      }
  }
}

/* Rows that one flat run of @most pixels or a row more may have. */
static int
flat_rows (int ow, size_t row_step, int most)
{
  size_t rows = row_step ? ((size_t) most - 1) / row_step : 0;
  return ow <= most ? (int) rows + 1 : 1;
}

static int
flat_most (const CnnPlanar *p)
{
  return p->tail ? TAIL_PIXELS : FLAT_PIXELS;
}

/* All channels of a run, then the last stage's. */
size_t
cnn_planar_tail_bytes (int oc, int most_oc)
{
  size_t floats = 2 * TAIL_PIXELS * (size_t) (oc + most_oc);
  return cnn_align_up (
      (floats + cnn_conv_tail_floats (most_oc)) * sizeof (float));
}

/* The last of the rows begins before FLAT_PIXELS. */
size_t
cnn_planar_spare_bytes (int oh, int ow, size_t row_step)
{
  size_t most = FLAT_PIXELS + (size_t) (ow < FLAT_PIXELS ? ow : FLAT_PIXELS);
  size_t pixels = (size_t) (oh - 1) * row_step + (size_t) ow;
  if (pixels > most)
    pixels = most;
  if (pixels < POOLED_ROWS * POOLED_PIXELS)
    pixels = POOLED_ROWS * POOLED_PIXELS;
  return cnn_align_up (CNN_CONV_BLOCK * pixels * sizeof (float));
}

static int
round_up (int n, int step)
{
  return (n + step - 1) / step * step;
}

/* Estimates in half clock cycles an output channel. A vector alone does not
 * hide the latency of its sums; flat rows have to be copied out. */
static bool
prefers_flat (const CnnPlanar *p, int rows)
{
  int lanes = p->kernels->lanes;
  int64_t work = (int64_t) p->ic * p->n_taps;
  int64_t row_vecs = (p->ow + lanes - 1) / lanes;
  int64_t pixels = (int64_t) (rows - 1) * (int64_t) p->row_step + p->ow;
  int64_t by_row = rows * row_vecs * work;
  int64_t flat =
      (pixels + lanes - 1) / lanes * work + rows * (40 + 8 * row_vecs);
  return flat < (row_vecs == 1 ? by_row * 3 / 2 : by_row);
}

static Way
way_of (const CnnPlanar *p)
{
  int rows = flat_rows (p->ow, p->row_step, flat_most (p));
  if (rows > p->oh)
    rows = p->oh;
  if (!p->pooling && !p->tail
      && (p->oh == 1
          || (p->row_step == (size_t) p->ow && p->out_pitch == (size_t) p->ow)))
    return DENSE;
  if (rows < 2 || p->ow > flat_most (p) || !prefers_flat (p, rows))
    return BY_ROW;
  return FLAT;
}

/* One block of channels of rows y ... y + rows - 1, columns x ... x + n - 1;
 * @rows is 1 unless they are flattened. */
static CnnConvRun
block_run (const CnnPlanar *p, int block, int y, int x, int n)
{
  int first = cnn_planar_block (p->oc, block);
  int oc = cnn_planar_block (p->oc, block + 1) - first;
  size_t scale = p->pooling ? 2 : 1;
  return (CnnConvRun){
    .in = p->in + (size_t) y * p->row_step + x,
    .in_plane = p->in_plane,
    .ic = p->ic,
    .taps = p->taps,
    .n_taps = p->n_taps,
    .weights =
        p->weights + (size_t) first * (size_t) p->ic * (size_t) p->n_taps,
    .w_pitch = oc,
    .bias = p->bias ? p->bias + first : NULL,
    .out = p->out + (size_t) first * p->out_plane
        + (size_t) y / scale * p->out_pitch + (size_t) x / scale,
    .out_plane = p->out_plane,
    .oc = oc,
    .n = n,
    .activation = p->activation,
  };
}

/* Pixels of a row whose input, all channels and kernel rows, stays cached. */
static int
piece_pixels (const CnnPlanar *p)
{
  size_t lines = (size_t) p->ic * (size_t) p->lines;
  size_t room = INPUT_BYTES / sizeof (float) / lines;
  size_t step = 12 * (size_t) p->kernels->lanes;
  if (room < step)
    return 3 * p->kernels->lanes;
  return room / step * step > (size_t) p->ow ? p->ow
                                             : (int) (room / step * step);
}

/* Fetches what the rows below will read first: their last line of taps. */
static void
prefetch (const CnnPlanar *p, int y, int x, int n)
{
  const float *in =
      p->in + (size_t) y * p->row_step + x + p->taps[p->n_taps - 1];
  for (int i = 0; i < p->ic; i++, in += p->in_plane)
    for (int j = 0; j < n; j += 16)
      __builtin_prefetch (in + j, 0, 2);
}

/* Pixels of the next piece: the last two share what is left. */
static int
piece_of (const CnnPlanar *p, int left, int most)
{
  int lanes = p->kernels->lanes;
  if (left <= most)
    return left;
  return left < 2 * most ? round_up ((left + 1) / 2, lanes) : most;
}

/* @rows of @n cells in @from, @pitch apart, to where @run would write. */
static void
pool_rows (const CnnPlanar *p, const CnnConvRun *run, const float *from,
    size_t plane, size_t pitch, int rows, int n)
{
  CnnPoolKernel pool = p->pooling == CNN_FUSED_POOL_MAX
      ? p->kernels->max_pool_2x2
      : p->kernels->average_pool_2x2;
  for (int o = 0; o < run->oc; o++, from += plane)
    for (int y = 0; y < rows; y += 2) {
      const float *row = from + (size_t) y * pitch;
      pool (row, row + pitch,
          run->out + (size_t) o * run->out_plane
              + (size_t) (y / 2) * p->out_pitch,
          n / 2);
    }
}

static void
pooled_task (const CnnPlanar *p, int y0, int y1, int b0, int b1, float *spare)
{
  for (int y = y0; y < y1; y += 2)
    for (int x = 0, n; x < p->ow; x += n) {
      n = piece_of (p, p->ow - x, POOLED_PIXELS);
      for (int b = b0; b < b1; b++) {
        CnnConvRun run = block_run (p, b, y, x, n), to = run;
        run.out_plane = POOLED_ROWS * POOLED_PIXELS;
        for (int row = 0; row < POOLED_ROWS; row++, run.in += p->row_step) {
          run.out = spare + row * POOLED_PIXELS;
          p->kernels->conv (&run);
        }
        pool_rows (p, &to, spare, run.out_plane, POOLED_PIXELS, POOLED_ROWS, n);
      }
    }
}

/* Pixels of row @y from @x on, @n of them; or of @rows flat rows. All channels,
 * then all stages of the tail. */
static void
tail_piece (const CnnPlanar *p, int y, int x, int n, int rows, float *spare)
{
  float *last = spare + (size_t) p->oc * (size_t) n;
  const CnnConvTail *tail = p->tail;
  int last_oc = tail->stages[tail->count - 1].oc;
  float *out = p->out + (size_t) y * p->out_pitch + x;
  for (int b = 0; b < cnn_planar_blocks (p->oc); b++) {
    CnnConvRun run = block_run (p, b, y, x, n);
    run.out = spare + (size_t) (cnn_planar_block (p->oc, b) * n);
    run.out_plane = (size_t) n;
    p->kernels->conv (&run);
  }
  float *more = last + (size_t) last_oc * (size_t) n;
  if (rows == 1) {
    cnn_conv_tail_run (tail, spare, (size_t) n, n, out, p->out_plane, more);
    return;
  }
  cnn_conv_tail_run (tail, spare, (size_t) n, n, last, (size_t) n, more);
  for (int o = 0; o < last_oc; o++, out += p->out_plane)
    for (int r = 0; r < rows; r++)
      memcpy (out + (size_t) r * p->out_pitch,
          last + (size_t) (o * n) + (size_t) r * p->row_step,
          (size_t) p->ow * sizeof *out);
}

static void
tail_task (const CnnPlanar *p, Way way, int y0, int y1, float *spare)
{
  if (way == FLAT) {
    int n = (int) ((size_t) (y1 - y0 - 1) * p->row_step) + p->ow;
    tail_piece (p, y0, 0, n, y1 - y0, spare);
    return;
  }
  for (int y = y0; y < y1; y++)
    for (int x = 0, n; x < p->ow; x += n) {
      n = piece_of (p, p->ow - x, TAIL_PIXELS);
      tail_piece (p, y, x, n, 1, spare);
    }
}

static void
rows_task (const CnnPlanar *p, int y0, int y1, int b0, int b1)
{
  int most = piece_pixels (p);
  for (int y = y0; y < y1; y++)
    for (int x = 0, n; x < p->ow; x += n) {
      n = piece_of (p, p->ow - x, most);
      if (y + 1 < p->oh)
        prefetch (p, y + 1, x, n);
      for (int b = b0; b < b1; b++) {
        CnnConvRun run = block_run (p, b, y, x, n);
        p->kernels->conv (&run);
      }
    }
}

/* Copies @n floats as if they were a multiple of COPIED: the rest is garbage
 * that the next row overwrites. */
#define COPIED 16

static void
copy_loosely (float *to, const float *from, size_t n)
{
  for (size_t i = 0; i < n; i += COPIED)
    memcpy (to + i, from + i, COPIED * sizeof *to);
}

static void
take_rows (const CnnPlanar *p, const CnnConvRun *flat, float *out, int rows)
{
  size_t ow = (size_t) p->ow;
  bool dense = p->out_pitch == ow;
  for (int o = 0; o < flat->oc; o++, out += p->out_plane)
    for (int y = 0; y < rows; y++) {
      const float *from =
          flat->out + (size_t) o * flat->out_plane + (size_t) y * p->row_step;
      float *to = out + (size_t) y * p->out_pitch;
      if (dense && (size_t) (rows - y) * ow >= ow + COPIED)
        copy_loosely (to, from, ow);
      else
        memcpy (to, from, ow * sizeof *to);
    }
}

static void
flat_task (const CnnPlanar *p, int y0, int y1, int b0, int b1, float *spare)
{
  int n = (int) ((size_t) (y1 - y0 - 1) * p->row_step) + p->ow;
  for (int b = b0; b < b1; b++) {
    CnnConvRun run = block_run (p, b, y0, 0, n);
    const CnnConvRun to = run;
    run.out = spare;
    run.out_plane = (size_t) n;
    p->kernels->conv (&run);
    if (p->pooling)
      pool_rows (p, &to, spare, run.out_plane, p->row_step, y1 - y0, p->ow);
    else
      take_rows (p, &run, to.out, y1 - y0);
  }
}

/* Where rows follow each other without a gap, in and out, they are one. */
static void
dense_task (const CnnPlanar *p, int y0, int y1, int b0, int b1)
{
  int all = (y1 - y0) * p->ow, most = piece_pixels (p);
  for (int x = 0, n; x < all; x += n) {
    n = piece_of (p, all - x, most);
    if (x + n < all)
      prefetch (p, y0, x + n, all - x - n < n ? all - x - n : n);
    for (int b = b0; b < b1; b++) {
      CnnConvRun run = block_run (p, b, y0, x, n);
      p->kernels->conv (&run);
    }
  }
}

static size_t
tail_bytes (const CnnConvTail *tail, int oc)
{
  int most = oc;
  for (int k = 0; k < tail->count; k++)
    most = tail->stages[k].oc > most ? tail->stages[k].oc : most;
  return cnn_planar_tail_bytes (oc, most);
}

static void
task (void *data, int number, int worker)
{
  const Cut *cut = data;
  const CnnPlanar *p = cut->planar;
  int y0 = number % cut->bands * cut->rows;
  int y1 = y0 + cut->rows < p->oh ? y0 + cut->rows : p->oh;
  int blocks = cnn_planar_blocks (p->oc);
  int b0 = number / cut->bands * cut->blocks;
  int b1 = b0 + cut->blocks < blocks ? b0 + cut->blocks : blocks;

  size_t bytes = cnn_planar_spare_bytes (p->oh, p->ow, p->row_step);
  if (p->tail)
    bytes += tail_bytes (p->tail, p->oc);
  float *spare = (float *) ((char *) p->spare + (size_t) worker * bytes);

  if (p->tail)
    tail_task (p, cut->way, y0, y1, spare);
  else if (cut->way == BY_ROW && p->pooling)
    pooled_task (p, y0, y1, b0, b1, spare);
  else if (cut->way == BY_ROW)
    rows_task (p, y0, y1, b0, b1);
  else if (cut->way == DENSE)
    dense_task (p, y0, y1, b0, b1);
  else
    flat_task (p, y0, y1, b0, b1, spare);
}

/* Rows of a task: about TASK_MACS, but whole flat runs. */
static int
rows_of_task (const CnnPlanar *p, Way way, size_t row_macs)
{
  size_t rows = TASK_MACS / (row_macs + 1) + 1, oh = (size_t) p->oh;
  if (way == FLAT)
    rows = (size_t) flat_rows (p->ow, p->row_step, flat_most (p));
  if (rows > oh)
    rows = oh;
  size_t bands = (oh + rows - 1) / rows;
  rows = (oh + bands - 1) / bands;
  return (int) (p->pooling ? rows / 2 * 2 + (rows < 2) * 2 : rows);
}

void
cnn_planar_run (const CnnPlanar *planar)
{
  CnnPlanar with = *planar;
  const CnnPlanar *p = &with;
  int scale = with.pooling ? 2 : 1;
  if (!with.out_pitch)
    with.out_pitch = (size_t) (with.ow / scale);
  if (!with.out_plane)
    with.out_plane = (size_t) (with.oh / scale) * with.out_pitch;
  Cut cut = { .planar = p, .way = way_of (p) };
  int blocks = cnn_planar_blocks (p->oc), parts = 1;
  size_t row_macs =
      (size_t) p->ow * (size_t) p->oc * (size_t) p->ic * (size_t) p->n_taps;

  cut.rows = rows_of_task (p, cut.way, row_macs);
  cut.bands = (p->oh + cut.rows - 1) / cut.rows;
  if (!p->tail && cut.bands < WANTED_TASKS
      && row_macs * (size_t) p->oh > TASK_MACS)
    parts = (WANTED_TASKS + cut.bands - 1) / cut.bands;
  if (parts > blocks)
    parts = blocks;
  cut.blocks = (blocks + parts - 1) / parts;
  parts = (blocks + cut.blocks - 1) / cut.blocks;
  cnn_pool_run (p->pool, cut.bands * parts, task, &cut);
}
