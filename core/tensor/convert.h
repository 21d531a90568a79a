/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* convert.h (internal): kinds of element types, and single elements from and
 * to the types that C has none for. */

#ifndef CNN_TENSOR_CONVERT_H
#define CNN_TENSOR_CONVERT_H

#include <stdbool.h>

#include <cnn/tensor.h>

/** cnn_type_is_integer: signed or not, 4 to 64 bits; not bool. */
bool cnn_type_is_integer (CnnType type);

/** cnn_type_is_signed: floats and signed integers. */
bool cnn_type_is_signed (CnnType type);

/** cnn_type_is_nibble: int4, uint4. */
bool cnn_type_is_nibble (CnnType type);

/** cnn_half_to_float: IEEE half precision, denormals, infinity and NaN
 * included. */
float cnn_half_to_float (uint16_t half);

/** cnn_half_from_float: rounds to nearest, ties to even; too large gives
 * infinity. cnn_half_from_double() rounds once, not twice. */
uint16_t cnn_half_from_float (float value);
uint16_t cnn_half_from_double (double value);

/** cnn_bfloat_to_float, cnn_bfloat_from_float: the lower half is cut off, as
 * ONNX's test cases have it. */
float cnn_bfloat_to_float (uint16_t bfloat);
uint16_t cnn_bfloat_from_float (float value);

/** cnn_all_finite: Returns: whether none of @n floats is infinite or NaN. */
bool cnn_all_finite (const float *x, size_t n);

#endif
