/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* quantized.h (internal): what the operators on quantised numbers share. */

#ifndef CNN_OPS_QUANTIZED_H
#define CNN_OPS_QUANTIZED_H

#include "ops/op.h"

/** cnn_quantized_saturate: the nearest whole number that @type holds; NaN is
 * 0. */
int64_t cnn_quantized_saturate (CnnType type, double value);

#endif
