/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* product_f32.h: products of a block of weights with channels that lie close
 * together: 1x1 convolutions, and what is between Winograd's transforms.
 *
 * Included by each instruction set's file. As conv_f32.h, pixels are lanes and
 * a tile of channels x vectors stays in registers; without taps, the loop over
 * channels is all there is. */

#ifndef CNN_KERNELS_PRODUCT_F32_H
#define CNN_KERNELS_PRODUCT_F32_H

#include "kernels/kernels.h"
#include "kernels/math_f32.h"

#define PRODUCT_VECS 3
/* All weights of one product are read one after the other, perhaps from afar:
 * they are asked for so many before, those of so many channels at a time. */
#define WEIGHTS_AHEAD 512
#define CHANNELS      16

/* Pixels x ... of product @f, of which the first @n count. */
INLINE void
product_tile (const CnnProductRun *run, size_t f, int o, int x, int n,
    const int oc, const int vecs)
{
  Vec acc[CNN_CONV_BLOCK][PRODUCT_VECS];
  const float *w = run->weights + f * run->weights_step + o;
  const float *in = run->in + f * run->in_step + x;
  float *out = run->out + f * run->out_step + (size_t) o * run->out_plane + x;
  const size_t in_plane = run->in_plane;
  const int w_pitch = run->oc;
  const int ahead = run->products > 1 ? 0 : CHANNELS * oc;

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
        const float *at = out + (size_t) i * run->out_plane + v * LANES;
        int left = n - v * LANES;
        acc[i][v] += left >= LANES ? load (at) : load_exact (at, left);
      }
    }
  }
  for (int c = 0, end; c < run->ic; c = end) {
    end = run->ic - c < CHANNELS ? run->ic : c + CHANNELS;
    for (int i = 0; i < ahead; i += 16)
      __builtin_prefetch (w + WEIGHTS_AHEAD + i);
    for (int k = c; k < end; k++, in += in_plane, w += w_pitch) {
      Vec px[PRODUCT_VECS];
      UNROLL
      for (int v = 0; v < vecs; v++)
        px[v] = load (in + v * LANES);
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
    float *row = out + (size_t) i * run->out_plane;
    UNROLL
    for (int v = 0; v < vecs - 1; v++)
      store (row + v * LANES, acc[i][v]);
    if (n >= vecs * LANES)
      store (row + (vecs - 1) * LANES, acc[i][vecs - 1]);
    else
      store_part (row + (vecs - 1) * LANES, acc[i][vecs - 1],
          n - (vecs - 1) * LANES);
  }
  if (run->activation > CNN_ACTIVATION_RELU)
    for (int i = 0; i < oc; i++, out += run->out_plane)
      KERNEL (cnn_map_f32)
  (run->activation, out, out, (size_t) (n < vecs * LANES ? n : vecs * LANES));
}

#define PRODUCT_TILE(oc, vecs)                                                 \
  static void product_tile_##oc##x##vecs (const CnnProductRun *run, size_t f,  \
      int o, int x, int n)                                                     \
  {                                                                            \
    product_tile (run, f, o, x, n, oc, vecs);                                  \
  }
#define PRODUCT_TILES(oc)                                                      \
  PRODUCT_TILE (oc, 1)                                                         \
  PRODUCT_TILE (oc, 2)                                                         \
  PRODUCT_TILE (oc, 3)
#define PRODUCT_TILE_ROW(oc)                                                   \
  {                                                                            \
    product_tile_##oc##x1, product_tile_##oc##x2, product_tile_##oc##x3        \
  }

PRODUCT_TILES (1)
PRODUCT_TILES (2)
PRODUCT_TILES (3)
PRODUCT_TILES (4)
#if TILE_OC > 4
PRODUCT_TILES (5)
PRODUCT_TILES (6)
PRODUCT_TILES (7)
PRODUCT_TILES (8)
#endif

typedef void (
    *ProductTile) (const CnnProductRun *run, size_t f, int o, int x, int n);

static const ProductTile product_tiles[TILE_OC][PRODUCT_VECS] = {
  PRODUCT_TILE_ROW (1),
  PRODUCT_TILE_ROW (2),
  PRODUCT_TILE_ROW (3),
  PRODUCT_TILE_ROW (4),
#if TILE_OC > 4
  PRODUCT_TILE_ROW (5),
  PRODUCT_TILE_ROW (6),
  PRODUCT_TILE_ROW (7),
  PRODUCT_TILE_ROW (8),
#endif
};

static void
KERNEL (cnn_product_f32) (const CnnProductRun *run)
{
  for (size_t f = 0; f < (size_t) run->products; f++)
    for (int x = 0, vecs; x < run->n; x += vecs * LANES) {
      vecs = equal_part ((run->n - x + LANES - 1) / LANES, PRODUCT_VECS);
      for (int o = 0, oc; o < run->oc; o += oc) {
        oc = equal_part (run->oc - o, TILE_OC);
        product_tiles[oc - 1][vecs - 1](run, f, o, x, run->n - x);
      }
    }
}

static void
KERNEL (cnn_collect_f32) (const CnnCollectRun *run)
{
  const float *plane = run->in;
  float *out = run->out;
  for (int c = 0; c < run->ic; c++, plane += run->in_plane)
    for (int t = 0; t < run->n_taps; t++, out += run->out_step) {
      const float *in = plane + run->taps[t];
      float *to = out;
      for (int i = 0; i < run->n_pieces; i++) {
        const float *from = in + run->pieces[i].at;
        for (size_t x = 0; x < run->pieces[i].n; x += LANES)
          store (to + x, load (from + x));
        to += run->pieces[i].n;
      }
    }
}

#endif
