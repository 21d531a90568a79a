/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* onnx.h: models from and to the bytes of ONNX files. */

#ifndef CNN_ONNX_H
#define CNN_ONNX_H

#include <cnn/model.h>

CNN_BEGIN_DECLS

/** CNN_ONNX_MAX_BYTES: a longer file is refused before it is parsed. */
#define CNN_ONNX_MAX_BYTES ((size_t) 1 << 30)

/**
 * cnn_onnx_read:
 * @bytes: @size bytes of an ONNX file, untrusted; not kept
 * @model: (out) (transfer full): release with cnn_model_unref()
 *
 * Reads opsets 6 to 25, and older ones as far as their operators did not
 * change, with initialisers inline; see docs/onnx-subset.md.
 * Metadata keys are those of docs/formats.md.
 *
 * Errors: CNN_ERROR_FORMAT for bytes that are no ONNX model, one sentence;
 * CNN_ERROR_UNSUPPORTED for an operator, type or opset we don't know;
 * CNN_ERROR_SHAPE and CNN_ERROR_MEMORY as cnn_model_new().
 *
 * Source: the ONNX specification, IR versions 3 to 13.
 */
CNN_API CnnStatus cnn_onnx_read (const void *bytes, size_t size,
    CnnModel **model, CnnError *error);

/**
 * cnn_onnx_read_tensor_file:
 * @bytes: @size bytes of a file with one TensorProto (`input_0.pb` of a test
 *   case), untrusted; not kept
 * @tensor: (out): its data (transfer full): release with free()
 *
 * Errors: CNN_ERROR_FORMAT for bytes that are none; CNN_ERROR_UNSUPPORTED for
 * a type we don't know; CNN_ERROR_MEMORY.
 */
CNN_API CnnStatus cnn_onnx_read_tensor_file (const void *bytes, size_t size,
    CnnTensor *tensor, CnnError *error);

/**
 * cnn_onnx_write:
 * @bytes: (out) (transfer full): IR version 8, the model's opset (17 unless
 *   it was read from a file with another); release with free()
 * @size: (out): its length in bytes
 *
 * The same model gives the same bytes. What cnn_onnx_read() makes of them is
 * the same model.
 *
 * Errors: CNN_ERROR_UNSUPPORTED beyond CNN_ONNX_MAX_BYTES, and for a map
 * network made of one before opset 13, if a node has no newer equivalent.
 */
CNN_API CnnStatus cnn_onnx_write (const CnnModel *model, void **bytes,
    size_t *size, CnnError *error);

CNN_END_DECLS

#endif
