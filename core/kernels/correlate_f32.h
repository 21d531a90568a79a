/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* correlate_f32.h: the gradient of a convolution's weights.
 *
 * Included by each instruction set's file. Pixels are lanes here too; a tile of
 * CORRELATE_OC channels x CORRELATE_TAPS taps of vector sums stays in registers
 * over all pixels of all samples, and its lanes are added up once at the end. */

#ifndef CNN_KERNELS_CORRELATE_F32_H
#define CNN_KERNELS_CORRELATE_F32_H

#include "kernels/kernels.h"
#include "kernels/vector.h"

INLINE void
correlate_step (Vec acc[][CORRELATE_TAPS], const Vec *g, const float *x,
    const ptrdiff_t *taps, int i, int part, const int oc, const int n_taps)
{
  UNROLL
  for (int t = 0; t < n_taps; t++) {
    const float *p = x + taps[t] + i;
    Vec px = part ? load_part (p, part) : load (p);
    UNROLL
    for (int o = 0; o < oc; o++)
      acc[o][t] += g[o] * px;
  }
}

INLINE void
correlate_tile (const CnnCorrelateRun *run, int o0, int t0, const int oc,
    const int n_taps)
{
  Vec acc[CORRELATE_OC][CORRELATE_TAPS];
  ptrdiff_t taps[CORRELATE_TAPS];
  Vec g[CORRELATE_OC];
  const int whole = run->n / LANES * LANES, part = run->n - whole;

  UNROLL
  for (int t = 0; t < n_taps; t++) {
    taps[t] = run->taps[t0 + t];
    UNROLL
    for (int o = 0; o < oc; o++)
      acc[o][t] = (Vec){ 0 };
  }
  for (int s = 0; s < run->samples; s++) {
    const float *x = run->x + (size_t) s * run->x_sample;
    const float *gs =
        run->g + (size_t) s * run->g_sample + (size_t) o0 * run->g_plane;
    for (int i = 0; i < whole; i += LANES) {
      UNROLL
      for (int o = 0; o < oc; o++)
        g[o] = load (gs + (size_t) o * run->g_plane + i);
      correlate_step (acc, g, x, taps, i, 0, oc, n_taps);
    }
    if (part) {
      UNROLL
      for (int o = 0; o < oc; o++)
        g[o] = load_part (gs + (size_t) o * run->g_plane + whole, part);
      correlate_step (acc, g, x, taps, whole, part, oc, n_taps);
    }
  }
  UNROLL
  for (int o = 0; o < oc; o++) {
    UNROLL
    for (int t = 0; t < n_taps; t++)
      run->out[(size_t) (o0 + o) * run->out_pitch + (size_t) (t0 + t)] +=
          add_lanes (acc[o][t]);
  }
}

#define CORRELATE_TILE(oc, n_taps)                                             \
  static void correlate_tile_##oc##x##n_taps (const CnnCorrelateRun *run,      \
      int o, int t)                                                            \
  {                                                                            \
    correlate_tile (run, o, t, oc, n_taps);                                    \
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
#endif

static void (
        *const correlate_tiles[CORRELATE_OC]
                              [CORRELATE_TAPS]) (const CnnCorrelateRun *run,
    int o, int t) = {
  CORRELATE_TILE_ROW (1),
  CORRELATE_TILE_ROW (2),
#if CORRELATE_OC > 2
  CORRELATE_TILE_ROW (3),
  CORRELATE_TILE_ROW (4),
#endif
};

static void
KERNEL (cnn_correlate_f32) (const CnnCorrelateRun *run)
{
  for (int o = 0, oc; o < run->oc; o += oc) {
    oc = equal_part (run->oc - o, CORRELATE_OC);
    for (int t = 0, n_taps; t < run->n_taps; t += n_taps) {
      n_taps = equal_part (run->n_taps - t, CORRELATE_TAPS);
      correlate_tiles[oc - 1][n_taps - 1](run, o, t);
    }
  }
}

#endif
