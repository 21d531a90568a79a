/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* depthwise_f32.h: convolution of one channel by itself.
 *
 * Included by each instruction set's file. With one channel there is nothing
 * to share pixels among but rows: a tile is DEPTHWISE_ROWS rows of the result,
 * and a vector of pixels is loaded once for all of them that it is under. Small
 * kernels stay in registers. Each sum still takes its taps row by row. */

#ifndef CNN_KERNELS_DEPTHWISE_F32_H
#define CNN_KERNELS_DEPTHWISE_F32_H

#include "kernels/math_f32.h"

#define DEPTHWISE_ROWS 4
#define DEPTHWISE_VECS 2
/* Kernels of at least that many rows, whatever their size. */
#define DEPTHWISE_TALL (-DEPTHWISE_ROWS)
/* Columns and weights of forms that are unrolled; weights that stay in
 * registers. */
#define DEPTHWISE_COLUMNS 5
#define DEPTHWISE_TAPS    25
#define DEPTHWISE_HELD    9

/* A run, and what of it is read again and again: stores might change it as far
 * as the compiler knows. */
typedef struct
{
  CnnDepthwiseRun run;
  ptrdiff_t columns[DEPTHWISE_COLUMNS];
  float weights[DEPTHWISE_TAPS];
  Vec held[DEPTHWISE_HELD];
} Depthwise;

/* Constants wherever a tile is inlined: the kernel, 0 for any, or DEPTHWISE_TALL; rows
 * and vectors of the tile. */
typedef struct
{
  int kernel, stride, rows, vecs;
} DepthwiseForm;

/* Pixels x + v * LANES, the last vector from x + @last on. */
#define VEC_AT(v) ((v) == f.vecs - 1 ? last : (v) *LANES)

/* Line l is row l - r * stride of the kernel for row r of the tile. */
INLINE void
depthwise_lines (const Depthwise *d, const float *in, int last,
    Vec acc[][DEPTHWISE_VECS], const DepthwiseForm f)
{
  UNROLL
  for (int l = 0; l < (f.rows - 1) * f.stride + f.kernel; l++) {
    UNROLL
    for (int q = 0; q < f.kernel; q++) {
      Vec px[DEPTHWISE_VECS];
      UNROLL
      for (int v = 0; v < f.vecs; v++)
        px[v] = load_once (in + d->columns[q] + VEC_AT (v));
      UNROLL
      for (int r = 0; r < f.rows; r++) {
        int t = (l - r * f.stride) * f.kernel + q;
        if (l < r * f.stride || l >= r * f.stride + f.kernel)
          continue;
        Vec w = f.kernel * f.kernel <= DEPTHWISE_HELD ? d->held[t]
                                                      : splat (d->weights[t]);
        UNROLL
        for (int v = 0; v < f.vecs; v++)
          acc[r][v] += px[v] * w;
      }
    }
    in += d->run.in_pitch;
  }
}

/* One line of a tall kernel, for rows r0 ... r1 - 1 of the tile; @weights: for
 * row 0 of the tile. */
INLINE void
depthwise_line (const Depthwise *d, const float *in, int last,
    const float *weights, Vec acc[][DEPTHWISE_VECS], const int r0, const int r1,
    const DepthwiseForm f)
{
  const int kw = d->run.kw, step = d->run.w_step;
  for (int q = 0; q < kw; q++, weights += step) {
    const float *pixel = in + d->run.columns[q];
    Vec px[DEPTHWISE_VECS];
    UNROLL
    for (int v = 0; v < f.vecs; v++)
      px[v] = load_once (pixel + VEC_AT (v));
    UNROLL
    for (int r = r0; r < r1; r++) {
      Vec w = splat (weights[-r * kw * step]);
      UNROLL
      for (int v = 0; v < f.vecs; v++)
        acc[r][v] += px[v] * w;
    }
  }
}

/* Kernels of at least as many rows as the tile has: lines that the first rows
 * look at, then those that all do, then those that the last ones do. */
INLINE void
depthwise_tall (const Depthwise *d, const float *in, int last,
    Vec acc[][DEPTHWISE_VECS], const DepthwiseForm f)
{
  const size_t pitch = d->run.in_pitch;
  const int kw = d->run.kw * d->run.w_step;
  const float *weights = d->run.weights;
  UNROLL
  for (int l = 0; l < f.rows - 1; l++, in += pitch, weights += kw)
    depthwise_line (d, in, last, weights, acc, 0, l + 1, f);
  for (int l = f.rows - 1; l < d->run.kh; l++, in += pitch, weights += kw)
    depthwise_line (d, in, last, weights, acc, 0, f.rows, f);
  UNROLL
  for (int r = 1; r < f.rows; r++, in += pitch, weights += kw)
    depthwise_line (d, in, last, weights, acc, r, f.rows, f);
}

/* Any kernel. */
INLINE void
depthwise_taps (const Depthwise *d, const float *in, int last,
    Vec acc[][DEPTHWISE_VECS], const DepthwiseForm f)
{
  const float *weight = d->run.weights;
  size_t step = (size_t) d->run.stride * d->run.in_pitch;
  for (int p = 0; p < d->run.kh; p++) {
    for (int q = 0; q < d->run.kw; q++, weight += d->run.w_step) {
      const float *pixel = in + d->run.columns[q];
      Vec w = splat (*weight);
      UNROLL
      for (int r = 0; r < f.rows; r++) {
        UNROLL
        for (int v = 0; v < f.vecs; v++)
          acc[r][v] += load (pixel + (size_t) r * step + VEC_AT (v)) * w;
      }
    }
    in += (size_t) d->run.dilation * d->run.in_pitch;
  }
}

/* Rows y ..., pixels x ... of the result. */
INLINE void
depthwise_tile (const Depthwise *d, int y, int x, int last,
    const DepthwiseForm f)
{
  Vec acc[DEPTHWISE_ROWS][DEPTHWISE_VECS];
  const CnnDepthwiseRun *run = &d->run;
  const float *in = run->in + (size_t) (y * run->stride) * run->in_pitch + x;
  float *out = run->out + (size_t) y * run->out_pitch + x;
  UNROLL
  for (int r = 0; r < f.rows; r++) {
    UNROLL
    for (int v = 0; v < f.vecs; v++)
      acc[r][v] = splat (run->bias);
  }
  if (f.kernel == DEPTHWISE_TALL)
    depthwise_tall (d, in, last, acc, f);
  else if (f.kernel)
    depthwise_lines (d, in, last, acc, f);
  else
    depthwise_taps (d, in, last, acc, f);
  if (run->activation == CNN_ACTIVATION_RELU) {
    UNROLL
    for (int r = 0; r < f.rows; r++) {
      UNROLL
      for (int v = 0; v < f.vecs; v++)
        acc[r][v] = maximum (acc[r][v], (Vec){ 0 });
    }
  }
  if (run->n < LANES) {
    UNROLL
    for (int r = 0; r < f.rows; r++)
      store_part (out + (size_t) r * run->out_pitch, acc[r][0], run->n);
    return;
  }
  UNROLL
  for (int r = 0; r < f.rows; r++) {
    UNROLL
    for (int v = 0; v < f.vecs; v++)
      store (out + (size_t) r * run->out_pitch + VEC_AT (v), acc[r][v]);
  }
}
#undef VEC_AT

/* Whole rows. The last vector overlaps the one before, if there is one. */
INLINE void
depthwise_rows (const Depthwise *d, int y, DepthwiseForm f, const int rows)
{
  const int n = d->run.n;
  f.rows = rows;
  int x = 0;
  f.vecs = DEPTHWISE_VECS;
  for (int width; n - x > LANES; x += width) {
    width = n - x < 2 * LANES ? n - x : 2 * LANES;
    depthwise_tile (d, y, x, width - LANES, f);
  }
  f.vecs = 1;
  if (x < n)
    depthwise_tile (d, y, n >= LANES ? n - LANES : 0, 0, f);
  if (d->run.activation > CNN_ACTIVATION_RELU)
    for (int r = y; r < y + rows; r++) {
      float *out = d->run.out + (size_t) r * d->run.out_pitch;
      KERNEL (cnn_map_f32) (d->run.activation, out, out, (size_t) n);
    }
}

/* The last rows are computed together with some before them once more. */
INLINE void
depthwise_form (const CnnDepthwiseRun *run, const DepthwiseForm f)
{
  Depthwise d = { .run = *run };
  const int taps = f.kernel > 0 ? f.kernel * f.kernel : 0;
  UNROLL
  for (int q = 0; q < f.kernel; q++)
    d.columns[q] = run->columns[q];
  UNROLL
  for (int t = 0; t < taps; t++) {
    d.weights[t] = run->weights[t * run->w_step];
    if (taps <= DEPTHWISE_HELD)
      d.held[t] = splat (d.weights[t]);
  }
  int y = 0;
  for (; y + DEPTHWISE_ROWS <= run->rows; y += DEPTHWISE_ROWS)
    depthwise_rows (&d, y, f, DEPTHWISE_ROWS);
  if (y && y < run->rows) {
    depthwise_rows (&d, run->rows - DEPTHWISE_ROWS, f, DEPTHWISE_ROWS);
    return;
  }
  for (; y < run->rows; y++)
    depthwise_rows (&d, y, f, 1);
}

#define DEPTHWISE(name, kernel, stride)                                        \
  static void depthwise_run_##name (const CnnDepthwiseRun *run)                \
  {                                                                            \
    depthwise_form (run, (DepthwiseForm){ kernel, stride, 0, 0 });             \
  }

DEPTHWISE (3x3, 3, 1)
DEPTHWISE (3x3_by_2, 3, 2)
DEPTHWISE (5x5, 5, 1)
DEPTHWISE (tall, DEPTHWISE_TALL, 1)
DEPTHWISE (5x5_by_2, 5, 2)
DEPTHWISE (any, 0, 0)

static void
depthwise_one (const CnnDepthwiseRun *run)
{
  bool square = run->kh == run->kw && run->dilation == 1;
  if (square && run->kh == 3 && run->stride == 1)
    depthwise_run_3x3 (run);
  else if (square && run->kh == 3 && run->stride == 2)
    depthwise_run_3x3_by_2 (run);
  else if (square && run->kh == 5 && run->stride == 1)
    depthwise_run_5x5 (run);
  else if (square && run->kh == 5 && run->stride == 2)
    depthwise_run_5x5_by_2 (run);
  else if (run->kh >= DEPTHWISE_ROWS && run->dilation == 1 && run->stride == 1)
    depthwise_run_tall (run);
  else
    depthwise_run_any (run);
}

/* Every @dilation-th row of the result looks at rows that are as far apart: as
 * if the others were not there. */
static void
KERNEL (cnn_depthwise_f32) (const CnnDepthwiseRun *run)
{
  CnnDepthwiseRun own = *run;
  int apart = run->stride == 1 ? run->dilation : 1;
  own.in_pitch *= (size_t) apart;
  own.out_pitch *= (size_t) apart;
  own.dilation /= apart;
  for (int y = 0; y < apart && y < run->rows; y++) {
    own.in = run->in + (size_t) y * run->in_pitch;
    own.out = run->out + (size_t) y * run->out_pitch;
    own.rows = (run->rows - y + apart - 1) / apart;
    depthwise_one (&own);
  }
}

#endif
