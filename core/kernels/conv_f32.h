/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* conv_f32.h: planar direct convolution, and the gradient of its weights.
 *
 * Included by each instruction set's file. Pixels of a row are lanes, so few
 * channels (1 -> 6 -> 16) waste nothing; a tile of TILE_OC output channels x
 * TILE_VECS vectors of pixels stays in registers over all input channels and
 * taps. Per tap it loads TILE_VECS vectors and TILE_OC weights for their
 * product of multiply-adds. */

#ifndef CNN_KERNELS_CONV_F32_H
#define CNN_KERNELS_CONV_F32_H

#include "kernels/math_f32.h"

#define MAX_VECS 4

/* One tile: pixels x ... x + vecs*LANES - 1 of channels o ... o + oc - 1, of
 * which the first @pixels are stored. @oc and @vecs are constants wherever
 * this is inlined. */
INLINE void
conv_tile (const CnnConvRun *run, int o, int x, int pixels, const int oc,
    const int vecs)
{
  Vec acc[CNN_CONV_BLOCK][MAX_VECS];
  float *out = run->out + (size_t) o * run->out_plane + x;
  const float *w = run->weights + o, *in = run->in + x;
  const int n_taps = run->n_taps, w_pitch = run->w_pitch;

  UNROLL
  for (int i = 0; i < oc; i++) {
    Vec first = splat (run->bias ? run->bias[o + i] : 0);
    UNROLL
    for (int v = 0; v < vecs; v++)
      acc[i][v] = first;
  }
  if (run->add) {
    UNROLL
    for (int i = 0; i < oc; i++) {
      UNROLL
      for (int v = 0; v < vecs; v++) {
        const float *p = out + (size_t) i * run->out_plane + v * LANES;
        int left = pixels - v * LANES;
        acc[i][v] += left >= LANES ? load (p) : load_part (p, left);
      }
    }
  }

  for (int c = 0; c < run->ic; c++, in += run->in_plane) {
    for (int t = 0; t < n_taps; t++, w += w_pitch) {
      const float *p = in + run->taps[t];
      Vec px[MAX_VECS];
      UNROLL
      for (int v = 0; v < vecs; v++)
        px[v] = load (p + v * LANES);
      UNROLL
      for (int i = 0; i < oc; i++) {
        UNROLL
        for (int v = 0; v < vecs; v++)
          acc[i][v] += px[v] * w[i];
      }
    }
  }

  if (run->activation == CNN_ACTIVATION_RELU) {
    UNROLL
    for (int i = 0; i < oc; i++) {
      UNROLL
      for (int v = 0; v < vecs; v++)
        acc[i][v] = maximum (acc[i][v], (Vec){ 0 });
    }
  }
  UNROLL
  for (int i = 0; i < oc; i++) {
    UNROLL
    for (int v = 0; v < vecs; v++) {
      float *p = out + (size_t) i * run->out_plane + v * LANES;
      int left = pixels - v * LANES;
      if (left >= LANES)
        store (p, acc[i][v]);
      else if (left > 0)
        store_part (p, acc[i][v], left);
    }
  }
  if (run->activation > CNN_ACTIVATION_RELU)
    for (int i = 0; i < oc; i++, out += run->out_plane)
      KERNEL (cnn_map_f32) (run->activation, out, out, (size_t) pixels);
}

#define CONV_TILE(oc, vecs)                                                    \
  static void conv_tile_##oc##x##vecs (const CnnConvRun *run, int o, int x,    \
      int pixels)                                                              \
  {                                                                            \
    conv_tile (run, o, x, pixels, oc, vecs);                                   \
  }
#define CONV_TILES(oc)                                                         \
  CONV_TILE (oc, 1)                                                            \
  CONV_TILE (oc, 2)                                                            \
  CONV_TILE (oc, 3)                                                            \
  CONV_TILE (oc, 4)
#define CONV_TILE_ROW(oc)                                                      \
  {                                                                            \
    conv_tile_##oc##x1, conv_tile_##oc##x2, conv_tile_##oc##x3,                \
        conv_tile_##oc##x4                                                     \
  }

CONV_TILES (1)
CONV_TILES (2)
CONV_TILES (3)
CONV_TILES (4)
#if TILE_OC > 4
CONV_TILES (5)
CONV_TILES (6)
CONV_TILES (7)
CONV_TILES (8)
#endif

static void (*const conv_tiles[TILE_OC][MAX_VECS]) (const CnnConvRun *run,
    int o, int x, int pixels) = {
  CONV_TILE_ROW (1),
  CONV_TILE_ROW (2),
  CONV_TILE_ROW (3),
  CONV_TILE_ROW (4),
#if TILE_OC > 4
  CONV_TILE_ROW (5),
  CONV_TILE_ROW (6),
  CONV_TILE_ROW (7),
  CONV_TILE_ROW (8),
#endif
};

/* Vectors of the next tile: as many as registers hold, but the last two tiles
 * share what is left. */
INLINE int
tile_vecs (int left, int oc)
{
  int most = (TILE_ACCUMULATORS) / oc;
  if (most > MAX_VECS)
    most = MAX_VECS;
  return left <= most ? left : left < 2 * most ? (left + 1) / 2 : most;
}

/* The last tile is moved left to end with the row, so that it can be stored
 * whole; pixels computed twice come out the same. */
static void
conv_channels (const CnnConvRun *run, int o, int oc)
{
  for (int x = 0; x < run->n;) {
    int vecs = tile_vecs ((run->n - x + LANES - 1) / LANES, oc);
    int pixels = run->n - x;
    if (pixels < vecs * LANES && run->n >= vecs * LANES && !run->add) {
      x = run->n - vecs * LANES;
      pixels = vecs * LANES;
    }
    if (pixels > vecs * LANES)
      pixels = vecs * LANES;
    conv_tiles[oc - 1][vecs - 1](run, o, x, pixels);
    x += pixels;
  }
}

static void
KERNEL (cnn_conv_f32) (const CnnConvRun *run)
{
  int blocks = (run->oc + TILE_OC - 1) / TILE_OC, o = 0;
  for (int b = 0; b < blocks; b++) {
    int oc = (run->oc - o + blocks - b - 1) / (blocks - b);
    conv_channels (run, o, oc);
    o += oc;
  }
}

#endif
