/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gemm_f32.h: matrix products without packing.
 *
 * Included by each instruction set's file. Meant for the dense layers of small
 * networks (batch 8, some hundred rows and columns): the operands are read
 * where they lie, which is fast while they fit the second cache.
 *
 * gemm_nn: columns of b are lanes. gemm_nt: the sum's index is lanes. */

#ifndef CNN_KERNELS_GEMM_F32_H
#define CNN_KERNELS_GEMM_F32_H

#include <stdbool.h>

#include "kernels/kernels.h"
#include "kernels/vector.h"

/* Rows i ... i + m - 1, columns j ... of which the first @columns count. */
INLINE void
gemm_nn_tile (const CnnGemmRun *run, int i, int j, int columns, const int m,
    const int vecs)
{
  Vec acc[GEMM_ROWS][GEMM_VECS];
  const float *a = run->a + (size_t) i * run->a_row, *b = run->b + j;
  float *c = run->c + (size_t) i * run->c_row + j;

  UNROLL
  for (int r = 0; r < m; r++) {
    UNROLL
    for (int v = 0; v < vecs; v++)
      acc[r][v] = (Vec){ 0 };
  }
  for (int l = 0; l < run->k; l++, a += run->a_k, b += run->b_row) {
    Vec bv[GEMM_VECS];
    UNROLL
    for (int v = 0; v < vecs; v++)
      bv[v] = load (b + v * LANES);
    UNROLL
    for (int r = 0; r < m; r++) {
      UNROLL
      for (int v = 0; v < vecs; v++)
        acc[r][v] += bv[v] * a[(size_t) r * run->a_row];
    }
  }
  UNROLL
  for (int r = 0; r < m; r++, c += run->c_row) {
    UNROLL
    for (int v = 0; v < vecs; v++) {
      float *p = c + v * LANES;
      int left = columns - v * LANES;
      Vec product = acc[r][v] * run->alpha;
      if (left >= LANES)
        store (p, run->fresh ? product : load (p) + product);
      else if (left > 0)
        store_part (p, run->fresh ? product : load_exact (p, left) + product,
            left);
    }
  }
}

#define GEMM_NN_TILE(m, vecs)                                                  \
  static void gemm_nn_tile_##m##x##vecs (const CnnGemmRun *run, int i, int j,  \
      int columns)                                                             \
  {                                                                            \
    gemm_nn_tile (run, i, j, columns, m, vecs);                                \
  }
#define GEMM_NN_TILES(m)                                                       \
  GEMM_NN_TILE (m, 1)                                                          \
  GEMM_NN_TILE (m, 2)                                                          \
  GEMM_NN_TILE (m, 3)
#define GEMM_NN_TILE_ROW(m)                                                    \
  gemm_nn_tile_##m##x1, gemm_nn_tile_##m##x2, gemm_nn_tile_##m##x3

GEMM_NN_TILES (1)
GEMM_NN_TILES (2)
GEMM_NN_TILES (3)
GEMM_NN_TILES (4)
#if GEMM_ROWS > 4
GEMM_NN_TILES (5)
GEMM_NN_TILES (6)
GEMM_NN_TILES (7)
GEMM_NN_TILES (8)
GEMM_NN_TILE (1, 4)
GEMM_NN_TILE (2, 4)
GEMM_NN_TILE (3, 4)
GEMM_NN_TILE (4, 4)
GEMM_NN_TILE (5, 4)
GEMM_NN_TILE (6, 4)
#endif

static void (*const gemm_nn_tiles[GEMM_ROWS][GEMM_VECS]) (const CnnGemmRun *run,
    int i, int j, int columns) = {
#if GEMM_ROWS > 4
  { GEMM_NN_TILE_ROW (1), gemm_nn_tile_1x4 },
  { GEMM_NN_TILE_ROW (2), gemm_nn_tile_2x4 },
  { GEMM_NN_TILE_ROW (3), gemm_nn_tile_3x4 },
  { GEMM_NN_TILE_ROW (4), gemm_nn_tile_4x4 },
  { GEMM_NN_TILE_ROW (5), gemm_nn_tile_5x4 },
  { GEMM_NN_TILE_ROW (6), gemm_nn_tile_6x4 },
  { GEMM_NN_TILE_ROW (7) },
  { GEMM_NN_TILE_ROW (8) },
#else
  { GEMM_NN_TILE_ROW (1) },
  { GEMM_NN_TILE_ROW (2) },
  { GEMM_NN_TILE_ROW (3) },
  { GEMM_NN_TILE_ROW (4) },
#endif
};

/* Rows of a tile that leaves registers for its operands. */
#define GEMM_MOST_ROWS(vecs) ((vecs) > 3 ? 6 : GEMM_ROWS)

static void
KERNEL (cnn_gemm_nn_f32) (const CnnGemmRun *run)
{
  for (int j = 0, vecs; j < run->n; j += vecs * LANES) {
    int left = run->n - j;
    vecs = equal_part ((left + LANES - 1) / LANES, GEMM_VECS);
    for (int i = 0, m; i < run->m; i += m) {
      m = equal_part (run->m - i, GEMM_MOST_ROWS (vecs));
      gemm_nn_tiles[m - 1][vecs - 1](run, i, j,
          left < vecs * LANES ? left : vecs * LANES);
    }
  }
}

INLINE void
gemm_nt_tile (const CnnGemmRun *run, int i, int j, const int m, const int n)
{
  Vec acc[DOT_ROWS][DOT_COLUMNS];
  const float *a = run->a + (size_t) i * run->a_row;
  const float *b = run->b + (size_t) j * run->b_row;
  const int whole = run->k / LANES * LANES, part = run->k - whole;

  UNROLL
  for (int r = 0; r < m; r++) {
    UNROLL
    for (int q = 0; q < n; q++)
      acc[r][q] = (Vec){ 0 };
  }
  for (int l = 0; l < whole; l += LANES) {
    Vec bv[DOT_COLUMNS];
    UNROLL
    for (int q = 0; q < n; q++)
      bv[q] = load (b + (size_t) q * run->b_row + l);
    UNROLL
    for (int r = 0; r < m; r++) {
      Vec av = load (a + (size_t) r * run->a_row + l);
      UNROLL
      for (int q = 0; q < n; q++)
        acc[r][q] += av * bv[q];
    }
  }
  if (part) {
    UNROLL
    for (int r = 0; r < m; r++) {
      Vec av = load_part (a + (size_t) r * run->a_row + whole, part);
      UNROLL
      for (int q = 0; q < n; q++)
        acc[r][q] += av * load_part (b + (size_t) q * run->b_row + whole, part);
    }
  }
  UNROLL
  for (int r = 0; r < m; r++) {
    UNROLL
    for (int q = 0; q < n; q++) {
      float *p = run->c + (size_t) (i + r) * run->c_row + (size_t) (j + q);
      float product = run->alpha * add_lanes (acc[r][q]);
      *p = run->fresh ? product : *p + product;
    }
  }
}

#define GEMM_NT_TILE(m, n)                                                     \
  static void gemm_nt_tile_##m##x##n (const CnnGemmRun *run, int i, int j)     \
  {                                                                            \
    gemm_nt_tile (run, i, j, m, n);                                            \
  }

GEMM_NT_TILE (1, 1)
GEMM_NT_TILE (1, 4)
GEMM_NT_TILE (2, 1)
GEMM_NT_TILE (2, 4)
GEMM_NT_TILE (4, 1)
GEMM_NT_TILE (4, 2)
#if DOT_ROWS > 4
GEMM_NT_TILE (8, 1)
GEMM_NT_TILE (8, 2)
#endif

/* Tiles for at least that many rows: of one column, and of more. */
static const struct
{
  int rows, columns;
  void (*one) (const CnnGemmRun *run, int i, int j);
  void (*more) (const CnnGemmRun *run, int i, int j);
} gemm_nt_tiles[] = {
#if DOT_ROWS > 4
  { 8, 2, gemm_nt_tile_8x1, gemm_nt_tile_8x2 },
#endif
  { 4, 2, gemm_nt_tile_4x1, gemm_nt_tile_4x2 },
  { 2, 4, gemm_nt_tile_2x1, gemm_nt_tile_2x4 },
  { 1, 4, gemm_nt_tile_1x1, gemm_nt_tile_1x4 },
};

static void
KERNEL (cnn_gemm_nt_f32) (const CnnGemmRun *run)
{
  for (int i = 0, kind = 0; i < run->m; i += gemm_nt_tiles[kind].rows) {
    while (run->m - i < gemm_nt_tiles[kind].rows)
      kind++;
    for (int j = 0; j < run->n;) {
      bool more = run->n - j >= gemm_nt_tiles[kind].columns;
      (more ? gemm_nt_tiles[kind].more : gemm_nt_tiles[kind].one) (run, i, j);
      j += more ? gemm_nt_tiles[kind].columns : 1;
    }
  }
}

#endif
