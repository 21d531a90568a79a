/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* matrix_int.c: Gemm and MatMul of integers. */

#include "base/error.h"
#include "ops/matrix.h"
#include "tensor/scalar.h"

/* @factor times @value, of the type's kind. */
static uint64_t
scaled (CnnType type, float factor, uint64_t value)
{
  if (factor == 1)
    return value;
  double v =
      type == CNN_TYPE_UINT64 ? (double) value : (double) (int64_t) value;
  return (uint64_t) cnn_int_of_double (type, (double) factor * v);
}

void
cnn_matrix_multiply_ints (const CnnIntProduct *p)
{
  for (size_t i = 0; i < p->m; i++)
    for (size_t j = 0; j < p->n; j++) {
      uint64_t sum = 0;
      size_t a = p->a_offset + i * p->a_row, b = p->b_offset + j * p->b_column;
      for (size_t l = 0; l < p->k; l++)
        sum += (uint64_t) cnn_read_int (p->type, p->a, a + l * p->a_k)
            * (uint64_t) cnn_read_int (p->type, p->b, b + l * p->b_k);
      sum = scaled (p->type, p->alpha, sum);
      if (p->c)
        sum += scaled (p->type, p->beta,
            (uint64_t) cnn_read_int (p->type, p->c,
                i * p->c_row + j * p->c_column));
      cnn_write_int (p->type, p->y, p->y_offset + i * p->n + j, (int64_t) sum);
    }
}

CnnStatus
cnn_matrix_check_types (const CnnTensor *const *in, int n_in, CnnError *error)
{
  CnnType type = in[0]->type;
  if (type != CNN_TYPE_FLOAT32 && type != CNN_TYPE_INT32
      && type != CNN_TYPE_UINT32 && type != CNN_TYPE_INT64
      && type != CNN_TYPE_UINT64)
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "input 0 is %s; floats and integers of 32 and 64 bits are expected",
        cnn_type_name (type));
  for (int i = 1; i < n_in; i++)
    if (in[i] && in[i]->type != type)
      return cnn_error_set (error, CNN_ERROR_SHAPE,
          "input %d is %s, input 0 is %s", i, cnn_type_name (in[i]->type),
          cnn_type_name (type));
  return CNN_OK;
}
