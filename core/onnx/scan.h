/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* scan.h: what is checked of a file before anything is allocated for it. */

#ifndef CNN_ONNX_SCAN_H
#define CNN_ONNX_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cnn/status.h>

/**
 * cnn_onnx_scan:
 * @bytes: @size bytes of a file, untrusted
 *
 * Walks the protobuf wire format of the messages of onnx.proto: lengths, wire
 * types, counts, and that texts are UTF-8 without NUL. Fields that
 * onnx.proto does not know are stepped over.
 *
 * Cost: one pass over tags and texts; weights are stepped over. No memory.
 *
 * Errors: CNN_ERROR_FORMAT, naming field and byte; CNN_ERROR_UNSUPPORTED for
 * more nodes, values, ... than the library's limits.
 */
CnnStatus cnn_onnx_scan (const void *bytes, size_t size, CnnError *error);

/** cnn_onnx_scan_tensor: the same for a file that holds one TensorProto. */
CnnStatus
cnn_onnx_scan_tensor (const void *bytes, size_t size, CnnError *error);

/** cnn_onnx_is_text: Returns: whether @bytes are UTF-8 without a NUL. */
bool cnn_onnx_is_text (const uint8_t *bytes, size_t size);

#endif
