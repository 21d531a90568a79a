/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* handmade.h: parts of ONNX files written by hand, for hostile ones too. */

#ifndef TESTS_ONNX_HANDMADE_H
#define TESTS_ONNX_HANDMADE_H

#include "wire.h"

/** Types of tensors, numbers of the standard. */
enum
{
  ONNX_FLOAT = 1,
  ONNX_INT32 = 6,
  ONNX_INT64 = 7,
  ONNX_STRING = 8,
  ONNX_FLOAT16 = 10,
  ONNX_DOUBLE = 11
};

/** Fields of GraphProto. */
enum
{
  GRAPH_NODE = 1,
  GRAPH_NAME = 2,
  GRAPH_INITIALIZER = 5,
  GRAPH_INPUT = 11,
  GRAPH_OUTPUT = 12,
  GRAPH_SPARSE = 15
};

/** Parts of the sample graph that a test leaves out, to put its own there. */
enum
{
  OMIT_INPUT = 1 << 0,
  OMIT_OUTPUT = 1 << 1,
  OMIT_CONV = 1 << 2,
  OMIT_GEMM = 1 << 3,
  OMIT_KERNEL = 1 << 4,
  OMIT_BIAS = 1 << 5
};

/** handmade_value: a ValueInfoProto. A size of G_MININT64 is left symbolic. */
Wire *handmade_value (const char *name, int type, int rank, const gint64 *dims);

/** handmade_tensor: a TensorProto with raw_data. */
Wire *handmade_tensor (const char *name, int type, int rank, const gint64 *dims,
    gconstpointer raw, gsize raw_bytes);

/** handmade_floats: a float tensor with all elements @value, in raw_data. */
Wire *
handmade_floats (const char *name, int rank, const gint64 *dims, float value);

/** handmade_node: a NodeProto; @inputs and @outputs separated by spaces. */
Wire *handmade_node (const char *op, const char *name, const char *inputs,
    const char *outputs);

/** handmade_ints: an AttributeProto of type INTS. */
Wire *handmade_ints (const char *name, int count, const gint64 *values);

/**
 * handmade_graph: a GraphProto, x 1x1x6x6 -> Conv 'conv' (kernel w 2x1x3x3) ->
 * Flatten 'flat' -> Gemm 'head' (matrix m 32x3, bias b 3) -> y 1x3, without
 * the parts in @omit.
 */
Wire *handmade_graph (unsigned omit);

/** handmade_model: a ModelProto around @graph, with IR 8 and opset 17. */
Wire *handmade_model (Wire *graph);

/** handmade_model_of: the same with another IR version and opset. */
Wire *handmade_model_of (int ir, int opset, Wire *graph);

/** handmade_old: a ModelProto of opset 9: the sample with a Dropout behind Conv
 * and a Softmax at the end. */
Wire *handmade_old (void);

/** handmade_with: the sample with @part as @field of its graph, in the place of
 * what @omit leaves out. */
Wire *handmade_with (unsigned omit, unsigned field, Wire *part);

/** handmade_with_kernel: the sample with another tensor for its kernel. */
Wire *handmade_with_kernel (Wire *tensor);

/** handmade_with_conv: the sample with another node for its Conv. */
Wire *
handmade_with_conv (const char *op, const char *inputs, const char *outputs);

#endif
