/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* table.c: the one list of operators. */

#include "ops/table.h"

#include <string.h>

static const CnnOp *const ops[] = {
  &cnn_op_abs,
  &cnn_op_acos,
  &cnn_op_acosh,
  &cnn_op_add,
  &cnn_op_and,
  &cnn_op_argmax,
  &cnn_op_argmin,
  &cnn_op_asin,
  &cnn_op_asinh,
  &cnn_op_atan,
  &cnn_op_atanh,
  &cnn_op_average_pool,
  &cnn_op_batch_normalization,
  &cnn_op_bit_shift,
  &cnn_op_bitwise_and,
  &cnn_op_bitwise_not,
  &cnn_op_bitwise_or,
  &cnn_op_bitwise_xor,
  &cnn_op_cast,
  &cnn_op_cast_like,
  &cnn_op_ceil,
  &cnn_op_celu,
  &cnn_op_clip,
  &cnn_op_concat,
  &cnn_op_constant,
  &cnn_op_constant_of_shape,
  &cnn_op_conv,
  &cnn_op_conv_integer,
  &cnn_op_conv_transpose,
  &cnn_op_cos,
  &cnn_op_cosh,
  &cnn_op_depth_to_space,
  &cnn_op_dequantize_linear,
  &cnn_op_div,
  &cnn_op_dropout,
  &cnn_op_dynamic_quantize_linear,
  &cnn_op_elu,
  &cnn_op_equal,
  &cnn_op_erf,
  &cnn_op_exp,
  &cnn_op_expand,
  &cnn_op_flatten,
  &cnn_op_floor,
  &cnn_op_gather,
  &cnn_op_gather_elements,
  &cnn_op_gelu,
  &cnn_op_gemm,
  &cnn_op_global_average_pool,
  &cnn_op_global_lp_pool,
  &cnn_op_global_max_pool,
  &cnn_op_greater,
  &cnn_op_greater_or_equal,
  &cnn_op_group_normalization,
  &cnn_op_hard_sigmoid,
  &cnn_op_hard_swish,
  &cnn_op_hardmax,
  &cnn_op_identity,
  &cnn_op_instance_normalization,
  &cnn_op_is_inf,
  &cnn_op_is_nan,
  &cnn_op_layer_normalization,
  &cnn_op_leaky_relu,
  &cnn_op_less,
  &cnn_op_less_or_equal,
  &cnn_op_log,
  &cnn_op_log_softmax,
  &cnn_op_lp_normalization,
  &cnn_op_lp_pool,
  &cnn_op_lrn,
  &cnn_op_matmul,
  &cnn_op_matmul_integer,
  &cnn_op_max,
  &cnn_op_max_pool,
  &cnn_op_mean,
  &cnn_op_mean_variance_normalization,
  &cnn_op_min,
  &cnn_op_mish,
  &cnn_op_mod,
  &cnn_op_mul,
  &cnn_op_neg,
  &cnn_op_not,
  &cnn_op_or,
  &cnn_op_pad,
  &cnn_op_pow,
  &cnn_op_prelu,
  &cnn_op_qlinear_conv,
  &cnn_op_qlinear_matmul,
  &cnn_op_quantize_linear,
  &cnn_op_range,
  &cnn_op_reciprocal,
  &cnn_op_reduce_l1,
  &cnn_op_reduce_l2,
  &cnn_op_reduce_log_sum,
  &cnn_op_reduce_log_sum_exp,
  &cnn_op_reduce_max,
  &cnn_op_reduce_mean,
  &cnn_op_reduce_min,
  &cnn_op_reduce_prod,
  &cnn_op_reduce_sum,
  &cnn_op_reduce_sum_square,
  &cnn_op_relu,
  &cnn_op_reshape,
  &cnn_op_resize,
  &cnn_op_round,
  &cnn_op_selu,
  &cnn_op_shape,
  &cnn_op_shrink,
  &cnn_op_sigmoid,
  &cnn_op_sign,
  &cnn_op_sin,
  &cnn_op_sinh,
  &cnn_op_size,
  &cnn_op_slice,
  &cnn_op_softmax,
  &cnn_op_softplus,
  &cnn_op_softsign,
  &cnn_op_space_to_depth,
  &cnn_op_split,
  &cnn_op_sqrt,
  &cnn_op_squeeze,
  &cnn_op_sub,
  &cnn_op_sum,
  &cnn_op_swish,
  &cnn_op_tan,
  &cnn_op_tanh,
  &cnn_op_thresholded_relu,
  &cnn_op_tile,
  &cnn_op_transpose,
  &cnn_op_unsqueeze,
  &cnn_op_upsample,
  &cnn_op_where,
  &cnn_op_xor,
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

bool
cnn_op_cellwise (CNN_UNUSED const void *params,
    CNN_UNUSED const CnnTensor *const *in)
{
  return true;
}

CnnSamples
cnn_op_samples_apart (CNN_UNUSED const void *params)
{
  return CNN_SAMPLES_APART;
}
