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

/* Where a tile goes: into the output, or into a buffer. */
typedef struct
{
  float *out;
  size_t plane;
} Target;

/* One tile: channels o ... o + oc - 1, pixels from x on. Its last vector begins
 * at x + @last, which may overlap the one before: so a row of any length from
 * LANES on is covered without a remainder. @oc and @vecs are constants wherever
 * this is inlined. */
INLINE void
conv_tile (const CnnConvRun *run, const Target *target, int o, int x, int last,
    const int oc, const int vecs)
{
  Vec acc[CNN_CONV_BLOCK][MAX_VECS];
  float *out = target->out;
  const float *w = run->weights + o, *in = run->in + x;
  const int n_taps = run->n_taps, w_pitch = run->w_pitch;
#define VEC_AT(v) ((v) == vecs - 1 ? last : (v) *LANES)

  UNROLL
  for (int i = 0; i < oc; i++) {
    Vec first = splat (run->bias ? run->bias[o + i] : 0);
    UNROLL
    for (int v = 0; v < vecs; v++) {
      acc[i][v] = first;
      /* So that the line is here when it is written. */
      __builtin_prefetch (out + (size_t) i * target->plane + v * LANES, 1);
    }
  }
  if (run->add) {
    UNROLL
    for (int i = 0; i < oc; i++) {
      UNROLL
      for (int v = 0; v < vecs; v++)
        acc[i][v] += load (out + (size_t) i * target->plane + VEC_AT (v));
    }
  }

  for (int c = 0; c < run->ic; c++, in += run->in_plane) {
    for (int t = 0; t < n_taps; t++, w += w_pitch) {
      const float *p = in + run->taps[t];
      Vec px[MAX_VECS];
      UNROLL
      for (int v = 0; v < vecs; v++)
        px[v] = load (p + VEC_AT (v));
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
    for (int v = 0; v < vecs; v++)
      store (out + (size_t) i * target->plane + VEC_AT (v), acc[i][v]);
  }
  if (run->activation > CNN_ACTIVATION_RELU)
    for (int i = 0; i < oc; i++, out += target->plane)
      KERNEL (cnn_map_f32) (run->activation, out, out, (size_t) (last + LANES));
#undef VEC_AT
}

#define CONV_TILE(oc, vecs)                                                    \
  static void conv_tile_##oc##x##vecs (const CnnConvRun *run,                  \
      const Target *target, int o, int x, int last)                            \
  {                                                                            \
    conv_tile (run, target, o, x, last, oc, vecs);                             \
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

typedef void (*ConvTile) (const CnnConvRun *run, const Target *target, int o,
    int x, int last);

static const ConvTile conv_tiles[TILE_OC][MAX_VECS] = {
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

/* A row of fewer pixels than a vector has: through a buffer. */
static void
conv_short (const CnnConvRun *run, int o, int oc)
{
  float buffer[CNN_CONV_BLOCK * LANES];
  float *out = run->out + (size_t) o * run->out_plane;
  if (run->add)
    for (int i = 0; i < oc; i++)
      store (buffer + i * LANES,
          load_exact (out + (size_t) i * run->out_plane, run->n));
  conv_tiles[oc - 1][0](run, &(Target){ buffer, LANES }, o, 0, 0);
  for (int i = 0; i < oc; i++)
    store_part (out + (size_t) i * run->out_plane, load (buffer + i * LANES),
        run->n);
}

/* Vectors of the next tile: as many as registers hold, but the last two tiles
 * share what is left, so that the last has two at least: it may have to overlap
 * within itself. */
INLINE int
tile_vecs (int left, int oc)
{
  int most = TILE_ACCUMULATORS / oc;
  if (most > MAX_VECS)
    most = MAX_VECS;
  return left <= most ? left : left < 2 * most ? (left + 1) / 2 : most;
}

static void
conv_channels (const CnnConvRun *run, int o, int oc)
{
  float *out = run->out + (size_t) o * run->out_plane;
  for (int x = 0, width; x < run->n; x += width) {
    int left = run->n - x;
    int vecs = tile_vecs ((left + LANES - 1) / LANES, oc);
    width = left < vecs * LANES ? left : vecs * LANES;
    conv_tiles[oc - 1][vecs - 1](run, &(Target){ out + x, run->out_plane }, o,
        x, width - LANES);
  }
}

static void
KERNEL (cnn_conv_f32) (const CnnConvRun *run)
{
  for (int o = 0, oc; o < run->oc && run->n > 0; o += oc) {
    oc = equal_part (run->oc - o, TILE_OC);
    (run->n < LANES ? conv_short : conv_channels) (run, o, oc);
  }
}

#endif
