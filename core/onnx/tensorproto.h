/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tensorproto.h: TensorProto and our CnnTensor. */

#ifndef CNN_ONNX_TENSORPROTO_H
#define CNN_ONNX_TENSORPROTO_H

#include <cnn/tensor.h>

#include "onnx.pb-c.h"

/**
 * cnn_onnx_check_type:
 * @data_type: a TensorProto.DataType from a file
 *
 * Errors: CNN_ERROR_UNSUPPORTED, with the type's name, for what is no CnnType;
 * CNN_ERROR_FORMAT for a number that ONNX does not define.
 */
CnnStatus cnn_onnx_check_type (int data_type, CnnError *error);

/**
 * cnn_onnx_read_tensor:
 * @proto: untrusted; its raw_data may be put into this machine's byte order
 * @tensor: (out): its data belongs to @proto, or to @owned
 * @owned: (out) (transfer full) (nullable): elements that the file holds in
 *   another form (packed, or as int32); free()
 *
 * Errors: CNN_ERROR_UNSUPPORTED for types that are no CnnType, for
 * external data and for segments; CNN_ERROR_FORMAT where sizes don't agree.
 */
CnnStatus cnn_onnx_read_tensor (Onnx__TensorProto *proto, CnnTensor *tensor,
    void **owned, CnnError *error);

/** cnn_onnx_raw_bytes: Returns: size of raw_data for so many elements: int4 and
 * uint4 come two a byte. */
size_t cnn_onnx_raw_bytes (CnnType type, size_t elements);

/**
 * cnn_onnx_swap_bytes:
 * Turns @count elements of @element_bytes between little-endian and this
 * machine's order, in place.
 */
void cnn_onnx_swap_bytes (void *data, size_t count, size_t element_bytes);

#endif
