/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* samples_f32.h: convolution and pools of many small pictures: samples are
 * lanes.
 *
 * Included by each instruction set's file. A tile of SAMPLE_OC channels x 2
 * pixels stays in registers over all input channels and taps; per tap it loads
 * 2 cells and SAMPLE_OC weights. Nothing is masked, nothing computed in vain. */

#ifndef CNN_KERNELS_SAMPLES_F32_H
#define CNN_KERNELS_SAMPLES_F32_H

#include "kernels/kernels.h"
#include "kernels/vector.h"

/* Rows to columns: log2 (LANES) times the first half is woven into the second.
 */
INLINE void
transpose (Vec *v)
{
  UNROLL
  for (int stage = 1; stage < LANES; stage *= 2) {
    Vec woven[LANES];
    UNROLL
    for (int i = 0; i < LANES / 2; i++) {
      woven[2 * i] = FIRSTS (v[i], v[i + LANES / 2]);
      woven[2 * i + 1] = SECONDS (v[i], v[i + LANES / 2]);
    }
    UNROLL
    for (int i = 0; i < LANES; i++)
      v[i] = woven[i];
  }
}

static void
KERNEL (cnn_interleave_f32) (const float *in, size_t pitch, int samples,
    float *out, size_t step, size_t n)
{
  for (size_t i = 0; i < n; i += LANES, out += LANES * step) {
    Vec v[LANES];
    UNROLL
    for (int s = 0; s < LANES; s++)
      v[s] = s < samples ? load (in + (size_t) s * pitch + i) : (Vec){ 0 };
    transpose (v);
    if (n - i >= LANES) {
      UNROLL
      for (int k = 0; k < LANES; k++)
        store (out + (size_t) k * step, v[k]);
    } else {
      for (size_t k = 0; k < n - i; k++)
        store (out + k * step, v[k]);
    }
  }
}

static void
KERNEL (cnn_deinterleave_f32) (const float *in, size_t step, float *out,
    size_t pitch, int samples, size_t n, int add)
{
  for (size_t i = 0; i < n; i += LANES, in += LANES * step) {
    int left = n - i < LANES ? (int) (n - i) : LANES;
    Vec v[LANES];
    UNROLL
    for (int k = 0; k < LANES; k++)
      v[k] = k < left ? load (in + (size_t) k * step) : (Vec){ 0 };
    transpose (v);
    for (int s = 0; s < samples; s++) {
      float *p = out + (size_t) s * pitch + i;
      if (left == LANES)
        store (p, add ? load (p) + v[s] : v[s]);
      else
        store_part (p, add ? load_exact (p, left) + v[s] : v[s], left);
    }
  }
}

INLINE void
sample_tile (const CnnSampleConvRun *run, int o, int x, const int oc,
    const int pixels)
{
  Vec acc[SAMPLE_OC][2];
  const float *in = run->in + (size_t) x * run->in_step;
  const float *weights = run->weights + o;
  float *out =
      run->out + (size_t) o * run->out_plane + (size_t) x * run->out_step;

  UNROLL
  for (int i = 0; i < oc; i++) {
    UNROLL
    for (int v = 0; v < pixels; v++)
      acc[i][v] = splat (run->bias ? run->bias[o + i] : 0);
  }
  for (int c = 0; c < run->ic; c++) {
    for (int r = 0; r < run->rows; r++) {
      const float *p = in + r * run->row_step;
      const float *w = weights + r * run->w_row;
      for (int q = 0; q < run->cols; q++) {
        Vec px[2];
        UNROLL
        for (int v = 0; v < pixels; v++)
          px[v] = load (p + (size_t) v * run->in_step);
        UNROLL
        for (int i = 0; i < oc; i++) {
          UNROLL
          for (int v = 0; v < pixels; v++)
            acc[i][v] += px[v] * w[i];
        }
        p += run->col_step;
        w += run->w_col;
      }
    }
    in += run->in_plane;
    weights += run->w_plane;
  }
  UNROLL
  for (int i = 0; i < oc; i++) {
    UNROLL
    for (int v = 0; v < pixels; v++)
      store (out + (size_t) i * run->out_plane + (size_t) v * run->out_step,
          acc[i][v]);
  }
}

#define SAMPLE_TILE(oc)                                                        \
  static void sample_tile_##oc##x1 (const CnnSampleConvRun *run, int o, int x) \
  {                                                                            \
    sample_tile (run, o, x, oc, 1);                                            \
  }                                                                            \
  static void sample_tile_##oc##x2 (const CnnSampleConvRun *run, int o, int x) \
  {                                                                            \
    sample_tile (run, o, x, oc, 2);                                            \
  }
#define SAMPLE_TILE_ROW(oc)                                                    \
  {                                                                            \
    sample_tile_##oc##x1, sample_tile_##oc##x2                                 \
  }

SAMPLE_TILE (1)
SAMPLE_TILE (2)
SAMPLE_TILE (3)
SAMPLE_TILE (4)
SAMPLE_TILE (5)
SAMPLE_TILE (6)
#if SAMPLE_OC > 6
SAMPLE_TILE (7)
SAMPLE_TILE (8)
SAMPLE_TILE (9)
SAMPLE_TILE (10)
SAMPLE_TILE (11)
SAMPLE_TILE (12)
#endif

static void (*const sample_tiles[SAMPLE_OC][2]) (const CnnSampleConvRun *run,
    int o, int x) = {
  SAMPLE_TILE_ROW (1),
  SAMPLE_TILE_ROW (2),
  SAMPLE_TILE_ROW (3),
  SAMPLE_TILE_ROW (4),
  SAMPLE_TILE_ROW (5),
  SAMPLE_TILE_ROW (6),
#if SAMPLE_OC > 6
  SAMPLE_TILE_ROW (7),
  SAMPLE_TILE_ROW (8),
  SAMPLE_TILE_ROW (9),
  SAMPLE_TILE_ROW (10),
  SAMPLE_TILE_ROW (11),
  SAMPLE_TILE_ROW (12),
#endif
};

static void
KERNEL (cnn_sample_conv_f32) (const CnnSampleConvRun *run)
{
  int x = 0;
  for (; x + 2 <= run->n; x += 2)
    sample_tiles[run->oc - 1][1](run, 0, x);
  if (x < run->n)
    sample_tiles[run->oc - 1][0](run, 0, x);
}

/* One byte a lane. */
typedef uint8_t VecByte __attribute__ ((vector_size (LANES)));
typedef uint8_t LooseVecByte
    __attribute__ ((vector_size (LANES), aligned (1), may_alias));

static void
KERNEL (cnn_sample_max_pool_f32) (const float *x0, const float *x1, float *y,
    uint8_t *which, int n)
{
  for (int i = 0; i < n; i++) {
    Vec a = load (x0), b = load (x0 + LANES);
    Vec c = load (x1), d = load (x1 + LANES);
    VecInt in_b = b > a, in_d = d > c;
    Vec ab = choose (in_b, b, a), cd = choose (in_d, d, c);
    VecInt below = cd > ab;
    VecInt upper = in_b & splat_int (1), lower = splat_int (2) - in_d;
    VecInt number = (below & lower) | (~below & upper);
    store (y, choose (below, cd, ab));
    *(LooseVecByte *) which = __builtin_convertvector(number, VecByte);
    x0 += 2 * LANES;
    x1 += 2 * LANES;
    y += LANES;
    which += LANES;
  }
}

static void
KERNEL (cnn_sample_average_pool_f32) (const float *x0, const float *x1,
    float *y, CNN_UNUSED uint8_t *which, int n)
{
  for (int i = 0; i < n; i++, x0 += 2 * LANES, x1 += 2 * LANES, y += LANES)
    store (y,
        0.25f
            * ((load (x0) + load (x0 + LANES))
                + (load (x1) + load (x1 + LANES))));
}

static void
KERNEL (cnn_sample_max_pool_gradient_f32) (const uint8_t *which, const float *g,
    float *d0, float *d1, int n)
{
  for (int i = 0; i < n; i++) {
    VecInt number =
        __builtin_convertvector(*(const LooseVecByte *) which, VecInt);
    VecInt v = (VecInt) load (g);
    store (d0, (Vec) (v & (number == splat_int (0))));
    store (d0 + LANES, (Vec) (v & (number == splat_int (1))));
    store (d1, (Vec) (v & (number == splat_int (2))));
    store (d1 + LANES, (Vec) (v & (number == splat_int (3))));
    which += LANES;
    g += LANES;
    d0 += 2 * LANES;
    d1 += 2 * LANES;
  }
}

static void
KERNEL (cnn_sample_average_pool_gradient_f32) (CNN_UNUSED const uint8_t *which,
    const float *g, float *d0, float *d1, int n)
{
  for (int i = 0; i < n; i++, g += LANES, d0 += 2 * LANES, d1 += 2 * LANES) {
    Vec quarter = 0.25f * load (g);
    store (d0, quarter);
    store (d0 + LANES, quarter);
    store (d1, quarter);
    store (d1 + LANES, quarter);
  }
}

#endif
