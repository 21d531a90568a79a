/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reader.h (internal): the reader's parts that tests look at. */

#ifndef CNN_ONNX_READER_H
#define CNN_ONNX_READER_H

#include <cnn/onnx.h>

/** Versions of the standard operators and of the file format that we read. */
#define CNN_ONNX_MIN_OPSET 1
#define CNN_ONNX_MAX_OPSET 25
#define CNN_ONNX_MIN_IR    3
#define CNN_ONNX_MAX_IR    13

/** CNN_ONNX_MAX_METADATA: most entries of metadata_props. */
#define CNN_ONNX_MAX_METADATA 1024

/** CNN_ONNX_MAX_OUTPUTS: most outputs of a graph. */
#define CNN_ONNX_MAX_OUTPUTS 256

/** cnn_onnx_read_within: cnn_onnx_read() with at most @budget_bytes for the
 * unpacked file. */
CnnStatus cnn_onnx_read_within (const void *bytes, size_t size,
    size_t budget_bytes, CnnModel **model, CnnError *error);

#endif
