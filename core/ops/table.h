/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* table.h (internal): every operator that table.c lists. */

#ifndef CNN_OPS_TABLE_H
#define CNN_OPS_TABLE_H

#include "ops/op.h"

extern const CnnOp cnn_op_add;
extern const CnnOp cnn_op_average_pool;
extern const CnnOp cnn_op_batch_normalization;
extern const CnnOp cnn_op_constant;
extern const CnnOp cnn_op_conv;
extern const CnnOp cnn_op_div;
extern const CnnOp cnn_op_dropout;
extern const CnnOp cnn_op_flatten;
extern const CnnOp cnn_op_gemm;
extern const CnnOp cnn_op_identity;
extern const CnnOp cnn_op_log_softmax;
extern const CnnOp cnn_op_matmul;
extern const CnnOp cnn_op_max_pool;
extern const CnnOp cnn_op_mul;
extern const CnnOp cnn_op_relu;
extern const CnnOp cnn_op_reshape;
extern const CnnOp cnn_op_sigmoid;
extern const CnnOp cnn_op_softmax;
extern const CnnOp cnn_op_sub;
extern const CnnOp cnn_op_tanh;

#endif
