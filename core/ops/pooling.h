/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pooling.h (internal): what Conv has to know of a pool behind it. */

#ifndef CNN_OPS_POOLING_H
#define CNN_OPS_POOLING_H

#include "kernels/activation.h"
#include "ops/op.h"

/** cnn_pool_fusable: Returns: which pool of 2x2 with stride 2 and no padding
 * @op with @params is; CNN_FUSED_POOL_NONE if it is another operator. */
CnnFusedPool cnn_pool_fusable (const CnnOp *op, const void *params);

#endif
