/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* matrix.h (internal): the matrix product behind Gemm and MatMul. */

#ifndef CNN_OPS_MATRIX_H
#define CNN_OPS_MATRIX_H

#include <stddef.h>

#include <cnn/pool.h>
#include <cnn/tensor.h>

#include "kernels/kernels.h"

/** CnnMatrix: element (i, j) at data[i*row + j*column]; one of the two is 1. */
typedef struct
{
  const float *data;
  size_t row, column;
} CnnMatrix;

/**
 * CnnProduct:
 * @a, @b: m x k and k x n
 * @c: m x n, dense
 * @fresh: c holds nothing yet
 * @spare: cnn_matrix_spare_bytes() of memory
 *
 * c += alpha * a b, or = where @fresh.
 */
typedef struct
{
  const CnnKernels *kernels;
  CnnMatrix a, b;
  float *c;
  int m, n, k;
  float alpha;
  int fresh;
  void *spare;
} CnnProduct;

void cnn_matrix_multiply (const CnnProduct *product, CnnPool *pool);

/** cnn_matrix_spare_bytes: goes by the sizes and how a and b lie only. */
size_t cnn_matrix_spare_bytes (const CnnProduct *product, const CnnPool *pool);

/**
 * CnnIntProduct:
 * @type: int32, uint32, int64 or uint64
 * @a, @b: data, of which the matrices begin at @a_offset and @b_offset
 * @a_row, @a_k, @b_k, @b_column: steps along m x k and k x n
 * @c: (nullable): first element, @c_row and @c_column steps, 0 where stretched
 * @y: data; m x n, dense, from @y_offset on
 *
 * y = alpha a b + beta c, modulo the type's size; what alpha and beta other
 * than 1 leave over is cut off. Shapes and their arithmetic, not images: one
 * element after the other.
 */
typedef struct
{
  CnnType type;
  const void *a, *b, *c;
  size_t a_offset, b_offset, y_offset;
  size_t a_row, a_k, b_k, b_column, c_row, c_column;
  void *y;
  size_t m, n, k;
  float alpha, beta;
} CnnIntProduct;

void cnn_matrix_multiply_ints (const CnnIntProduct *product);

/** cnn_matrix_check_types: float32, int32, uint32, int64 or uint64, the same
 * for all inputs. Errors: CNN_ERROR_SHAPE naming the input. */
CnnStatus
cnn_matrix_check_types (const CnnTensor *const *in, int n_in, CnnError *error);

/** cnn_matrix_at: first element of the matrix, the last two dimensions of
 * @operand, that batch @i of @batches meets; its other dimensions stretch to
 * @batches. */
size_t
cnn_matrix_at (const CnnShape *operand, const CnnShape *batches, size_t i);

/** cnn_matrix_turned: Returns: its transpose. */
static inline CnnMatrix
cnn_matrix_turned (CnnMatrix m)
{
  return (CnnMatrix){ m.data, m.column, m.row };
}

#endif
