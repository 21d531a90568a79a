/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* correlate_f32.h: the gradient of a convolution's weights.
 *
 * Included by each instruction set's file. Samples are lanes; a tile of
 * CORRELATE_OC channels x CORRELATE_TAPS taps of vector sums stays in registers
 * over all cells, and its lanes are added up once at the end, a vector of
 * results at a time. */

#ifndef CNN_KERNELS_CORRELATE_F32_H
#define CNN_KERNELS_CORRELATE_F32_H

#include "kernels/kernels.h"
#include "kernels/vector.h"

/* sums[i] = the lanes of v[i], added up. Each stage adds the halves of two
 * vectors, woven into one, so LANES of them end up in one in their order. */
INLINE void
add_lanes_of_all (Vec *v, const int n, float *sums)
{
  UNROLL
  for (int first = 0; first < n; first += LANES) {
    Vec part[LANES];
    UNROLL
    for (int i = 0; i < LANES; i++)
      part[i] = first + i < n ? v[first + i] : (Vec){ 0 };
    UNROLL
    for (int half = LANES / 2; half; half /= 2) {
      UNROLL
      for (int i = 0; i < half; i++)
        part[i] = FIRSTS (part[i], part[i + half])
            + SECONDS (part[i], part[i + half]);
    }
    store (sums + first, part[0]);
  }
}

INLINE void
correlate_tile (const CnnCorrelateRun *run, int o0, int c, int t0, const int oc,
    const int n_taps)
{
  Vec acc[CORRELATE_OC * CORRELATE_TAPS];
  float sums[CORRELATE_OC * CORRELATE_TAPS + LANES];
  ptrdiff_t taps[CORRELATE_TAPS];
  const float *g = run->g + (size_t) o0 * run->g_plane;
  const size_t g_plane = run->g_plane, step = run->x_step;

  UNROLL
  for (int t = 0; t < n_taps; t++) {
    taps[t] = run->taps[t0 + t];
    UNROLL
    for (int o = 0; o < oc; o++)
      acc[o * n_taps + t] = (Vec){ 0 };
  }
  for (int y = 0; y < run->rows; y++) {
    const float *x =
        run->x + (size_t) c * run->x_plane + (size_t) y * run->x_row;
    for (int i = 0; i < run->cols; i++, g += LANES, x += step) {
      Vec gv[CORRELATE_OC];
      UNROLL
      for (int o = 0; o < oc; o++)
        gv[o] = load (g + (size_t) o * g_plane);
      UNROLL
      for (int t = 0; t < n_taps; t++) {
        Vec px = load (x + taps[t]);
        UNROLL
        for (int o = 0; o < oc; o++)
          acc[o * n_taps + t] += gv[o] * px;
      }
    }
  }
  add_lanes_of_all (acc, oc * n_taps, sums);
  UNROLL
  for (int o = 0; o < oc; o++) {
    float *out = run->out + (size_t) (o0 + o) * run->out_pitch
        + (size_t) (c * run->n_taps + t0);
    UNROLL
    for (int t = 0; t < n_taps; t++)
      out[t] += sums[o * n_taps + t];
  }
}

#define CORRELATE_TILE(oc, n_taps)                                             \
  static void correlate_tile_##oc##x##n_taps (const CnnCorrelateRun *run,      \
      int o, int c, int t)                                                     \
  {                                                                            \
    correlate_tile (run, o, c, t, oc, n_taps);                                 \
  }
#define CORRELATE_TILE_ROW(oc)                                                 \
  {                                                                            \
    correlate_tile_##oc##x1, correlate_tile_##oc##x2, correlate_tile_##oc##x3, \
        correlate_tile_##oc##x4, correlate_tile_##oc##x5                       \
  }
#define CORRELATE_TILES(oc)                                                    \
  CORRELATE_TILE (oc, 1)                                                       \
  CORRELATE_TILE (oc, 2)                                                       \
  CORRELATE_TILE (oc, 3)                                                       \
  CORRELATE_TILE (oc, 4)                                                       \
  CORRELATE_TILE (oc, 5)

CORRELATE_TILES (1)
CORRELATE_TILES (2)
#if CORRELATE_OC > 2
CORRELATE_TILES (3)
CORRELATE_TILES (4)
CORRELATE_TILES (5)
#endif

static void (
        *const correlate_tiles[CORRELATE_OC]
                              [CORRELATE_TAPS]) (const CnnCorrelateRun *run,
    int o, int c, int t) = {
  CORRELATE_TILE_ROW (1),
  CORRELATE_TILE_ROW (2),
#if CORRELATE_OC > 2
  CORRELATE_TILE_ROW (3),
  CORRELATE_TILE_ROW (4),
  CORRELATE_TILE_ROW (5),
#endif
};

static void
KERNEL (cnn_correlate_f32) (const CnnCorrelateRun *run)
{
  for (int o = 0, oc; o < run->oc; o += oc) {
    oc = equal_part (run->oc - o, CORRELATE_OC);
    for (int c = 0; c < run->ic; c++)
      for (int t = 0, n_taps; t < run->n_taps; t += n_taps) {
        n_taps = equal_part (run->n_taps - t, CORRELATE_TAPS);
        correlate_tiles[oc - 1][n_taps - 1](run, o, c, t);
      }
  }
}

#endif
