/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* matrix.h (internal): the matrix product behind Gemm and MatMul. */

#ifndef CNN_OPS_MATRIX_H
#define CNN_OPS_MATRIX_H

#include <stddef.h>

#include <cnn/pool.h>

#include "kernels/kernels.h"

/** CnnMatrix: element (i, j) at data[i*row + j*column]; one of the two is 1. */
typedef struct
{
  const float *data;
  size_t row, column;
} CnnMatrix;

/**
 * cnn_matrix_multiply:
 * @c: m x n, dense
 * @spare: cnn_matrix_spare_bytes() for each thread of @pool
 *
 * c += alpha * a b, with a of m x k and b of k x n.
 */
void cnn_matrix_multiply (const CnnKernels *kernels, CnnPool *pool, CnnMatrix a,
    CnnMatrix b, float *c, int m, int n, int k, float alpha, void *spare);

/** cnn_matrix_spare_bytes: for sums over @k. */
size_t cnn_matrix_spare_bytes (size_t k);

/** cnn_matrix_turned: Returns: its transpose. */
static inline CnnMatrix
cnn_matrix_turned (CnnMatrix m)
{
  return (CnnMatrix){ m.data, m.column, m.row };
}

#endif
