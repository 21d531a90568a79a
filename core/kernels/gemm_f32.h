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
      if (left >= LANES)
        store (p, load (p) + acc[r][v] * run->alpha);
      else if (left > 0)
        store_part (p, load_part (p, left) + acc[r][v] * run->alpha, left);
    }
  }
}

static void
gemm_nn_whole (const CnnGemmRun *run, int i, int j, int columns)
{
  gemm_nn_tile (run, i, j, columns, GEMM_ROWS, GEMM_VECS);
}

static void
gemm_nn_row (const CnnGemmRun *run, int i, int j, int columns)
{
  gemm_nn_tile (run, i, j, columns, 1, GEMM_VECS);
}

static void
gemm_nn_column (const CnnGemmRun *run, int i, int j, int columns)
{
  gemm_nn_tile (run, i, j, columns, GEMM_ROWS, 1);
}

static void
gemm_nn_one (const CnnGemmRun *run, int i, int j, int columns)
{
  gemm_nn_tile (run, i, j, columns, 1, 1);
}

static void
KERNEL (cnn_gemm_nn_f32) (const CnnGemmRun *run)
{
  for (int j = 0; j < run->n;) {
    bool wide = run->n - j > (GEMM_VECS - 1) * LANES;
    int most = wide ? GEMM_VECS * LANES : LANES;
    int columns = run->n - j < most ? run->n - j : most;
    for (int i = 0; i < run->m;) {
      bool tall = run->m - i >= GEMM_ROWS;
      (tall          ? wide ? gemm_nn_whole : gemm_nn_column
              : wide ? gemm_nn_row
                     : gemm_nn_one) (run, i, j, columns);
      i += tall ? GEMM_ROWS : 1;
    }
    j += columns;
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
    for (int q = 0; q < n; q++)
      run->c[(size_t) (i + r) * run->c_row + (size_t) (j + q)] +=
          run->alpha * add_lanes (acc[r][q]);
  }
}

static void
gemm_nt_whole (const CnnGemmRun *run, int i, int j)
{
  gemm_nt_tile (run, i, j, DOT_ROWS, DOT_COLUMNS);
}

static void
gemm_nt_row (const CnnGemmRun *run, int i, int j)
{
  gemm_nt_tile (run, i, j, 1, DOT_COLUMNS);
}

static void
gemm_nt_column (const CnnGemmRun *run, int i, int j)
{
  gemm_nt_tile (run, i, j, DOT_ROWS, 1);
}

static void
gemm_nt_one (const CnnGemmRun *run, int i, int j)
{
  gemm_nt_tile (run, i, j, 1, 1);
}

static void
KERNEL (cnn_gemm_nt_f32) (const CnnGemmRun *run)
{
  for (int j = 0; j < run->n;) {
    bool wide = run->n - j >= DOT_COLUMNS;
    for (int i = 0; i < run->m;) {
      bool tall = run->m - i >= DOT_ROWS;
      (tall          ? wide ? gemm_nt_whole : gemm_nt_column
              : wide ? gemm_nt_row
                     : gemm_nt_one) (run, i, j);
      i += tall ? DOT_ROWS : 1;
    }
    j += wide ? DOT_COLUMNS : 1;
  }
}

#endif
