/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* table.c: the one list of operators. */

#include "ops/table.h"

#include <string.h>

static const CnnOp *const ops[] = {
  &cnn_op_add,
  &cnn_op_average_pool,
  &cnn_op_batch_normalization,
  &cnn_op_constant,
  &cnn_op_conv,
  &cnn_op_div,
  &cnn_op_dropout,
  &cnn_op_flatten,
  &cnn_op_gemm,
  &cnn_op_identity,
  &cnn_op_log_softmax,
  &cnn_op_matmul,
  &cnn_op_max_pool,
  &cnn_op_mul,
  &cnn_op_relu,
  &cnn_op_reshape,
  &cnn_op_sigmoid,
  &cnn_op_softmax,
  &cnn_op_sub,
  &cnn_op_tanh,
};

#define N_OPS ((int) (sizeof ops / sizeof *ops))

const CnnOp *
cnn_op_at (int i)
{
  return i >= 0 && i < N_OPS ? ops[i] : NULL;
}

const CnnOp *
cnn_op_find (const char *name)
{
  for (int i = 0; i < N_OPS; i++)
    if (!strcmp (ops[i]->name, name))
      return ops[i];
  return NULL;
}

bool
cnn_op_geometry_pointwise (CNN_UNUSED const void *params,
    CNN_UNUSED const CnnTensor *const *in, CnnOpGeometry *geometry)
{
  *geometry = (CnnOpGeometry){ .window = { 1, 1 }, .stride = { 1, 1 } };
  return true;
}
