/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* batch_norm.h (internal): what Conv has to know of a normalisation behind it.
 */

#ifndef CNN_OPS_BATCH_NORM_H
#define CNN_OPS_BATCH_NORM_H

#include "ops/op.h"

/** cnn_batch_norm_fusable: Returns: whether @op with @params is a
 * BatchNormalization by known mean and variance; @epsilon: (out). */
bool
cnn_batch_norm_fusable (const CnnOp *op, const void *params, float *epsilon);

#endif
