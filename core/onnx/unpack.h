/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* unpack.h: libprotobuf-c on a budget. */

#ifndef CNN_ONNX_UNPACK_H
#define CNN_ONNX_UNPACK_H

#include <stdbool.h>
#include <stddef.h>

#include <cnn/status.h>

#include "onnx.pb-c.h"

/**
 * CnnOnnxFile:
 * @proto: the unpacked file, if it is a model
 * @tensor: the unpacked file, if it is a tensor
 * @left: bytes that may still be allocated
 * @exhausted: an allocation was refused
 *
 * {0}, or as cnn_onnx_unpack() left it; must not move while it is in use.
 */
typedef struct
{
  Onnx__ModelProto *proto;
  Onnx__TensorProto *tensor;
  ProtobufCAllocator allocator;
  size_t left;
  bool exhausted;
} CnnOnnxFile;

/**
 * cnn_onnx_unpack:
 * @bytes: what cnn_onnx_scan() has passed
 * @budget_bytes: most memory to use at a time
 * @file: (out): release with cnn_onnx_file_clear()
 *
 * Errors: CNN_ERROR_MEMORY beyond the budget.
 */
CnnStatus cnn_onnx_unpack (const void *bytes, size_t size, size_t budget_bytes,
    CnnOnnxFile *file, CnnError *error);

/** cnn_onnx_unpack_tensor: as cnn_onnx_unpack(), a TensorProto into
 * @file->tensor. */
CnnStatus cnn_onnx_unpack_tensor (const void *bytes, size_t size,
    size_t budget_bytes, CnnOnnxFile *file, CnnError *error);

/** cnn_onnx_has_unknown: Returns: whether an unpacked @message has a field
 * @number that onnx.proto leaves out. */
bool cnn_onnx_has_unknown (const ProtobufCMessage *message, uint32_t number);

/** cnn_onnx_file_clear: releases what @file holds; {0} is fine. */
void cnn_onnx_file_clear (CnnOnnxFile *file);

#endif
