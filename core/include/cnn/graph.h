/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* graph.h: build a network node by node.
 *
 * Used by the ONNX reader, the recipes of the trainer and the tests. A graph
 * is a list of values (tensors with a name) and nodes (operators of ONNX, by
 * their ONNX names and attributes) and is finished by cnn_model_new(), which
 * checks it as a whole: order, cycles, types and shapes. */

#ifndef CNN_GRAPH_H
#define CNN_GRAPH_H

#include <cnn/tensor.h>

CNN_BEGIN_DECLS

/** CNN_GRAPH_OPSET: opset of graphs that do not come from a file, and of the
 * files we write. */
#define CNN_GRAPH_OPSET 17

/** CNN_MAX_NODES, CNN_MAX_VALUES: most that a graph may hold. */
#define CNN_MAX_NODES  16384
#define CNN_MAX_VALUES 65536
/** CNN_MAX_NODE_TENSORS: most inputs, and most outputs, of one node. */
#define CNN_MAX_NODE_TENSORS 128

/**
 * CnnAttributeType: numbers are those of ONNX's AttributeProto.AttributeType.
 */
typedef enum
{
  CNN_ATTRIBUTE_FLOAT = 1,
  CNN_ATTRIBUTE_INT = 2,
  CNN_ATTRIBUTE_STRING = 3,
  CNN_ATTRIBUTE_TENSOR = 4,
  CNN_ATTRIBUTE_FLOATS = 6,
  CNN_ATTRIBUTE_INTS = 7
} CnnAttributeType;

/**
 * CnnAttribute:
 * @name: ONNX's name of the attribute ("kernel_shape")
 * @type: which of the members below counts
 * @i: for INT
 * @f: for FLOAT
 * @s: for STRING, NUL-terminated UTF-8
 * @t: for TENSOR
 * @count: elements of @ints or @floats
 *
 * Pointers are borrowed by cnn_graph_add_node(), which copies everything.
 */
typedef struct
{
  const char *name;
  CnnAttributeType type;
  int64_t i;
  float f;
  const char *s;
  const CnnTensor *t;
  int count;
  const int64_t *ints;
  const float *floats;
} CnnAttribute;

typedef struct CnnGraph CnnGraph;

/**
 * cnn_graph_new:
 * @opset: version of ONNX's operator set that attributes and inputs of the
 *   nodes follow, 1 or more; operators that changed since are refused
 * @graph: (out) (transfer full): an empty graph
 */
CNN_API CnnStatus cnn_graph_new (int opset, CnnGraph **graph, CnnError *error);

/** cnn_graph_free: @graph: (nullable) */
CNN_API void cnn_graph_free (CnnGraph *graph);

/**
 * cnn_graph_add_input:
 * @name: name of the value, unique in the graph, not empty
 * @type: float32 for pictures
 * @shape: its sizes; -1 where not fixed
 */
CNN_API CnnStatus cnn_graph_add_input (CnnGraph *graph, const char *name,
    CnnType type, const CnnShape *shape, CnnError *error);

/**
 * cnn_graph_add_constant:
 * @name: name of the value, unique in the graph, not empty
 * @tensor: type, shape and elements; copied
 *
 * Weights, biases and every other fixed tensor ("initializer" in ONNX).
 *
 * Errors: CNN_ERROR_FORMAT for NaN, named by index. Infinity is for operators
 * like Max and Where; cnn_model_new() refuses it in weights.
 */
CNN_API CnnStatus cnn_graph_add_constant (CnnGraph *graph, const char *name,
    const CnnTensor *tensor, CnnError *error);

/**
 * cnn_graph_add_node:
 * @op: ONNX's name of the operator ("Conv")
 * @name: name of the node, for messages; may be empty
 * @inputs: names of @n_inputs values, "" where an optional one is left out;
 *   they may be defined later (the model sorts)
 * @outputs: names of @n_outputs values that this node defines; "" = not wanted
 * @attributes: @n_attributes attributes; copied
 *
 * Errors: CNN_ERROR_UNSUPPORTED for an operator or attribute we don't know,
 * CNN_ERROR_FORMAT for one with a wrong type or value, or a name defined
 * twice.
 */
CNN_API CnnStatus cnn_graph_add_node (CnnGraph *graph, const char *op,
    const char *name, const char *const *inputs, int n_inputs,
    const char *const *outputs, int n_outputs, const CnnAttribute *attributes,
    int n_attributes, CnnError *error);

/**
 * cnn_graph_add_output:
 * @name: a value of the graph, defined before or after this call
 */
CNN_API CnnStatus cnn_graph_add_output (CnnGraph *graph, const char *name,
    CnnError *error);

/**
 * cnn_graph_set_metadata:
 * @key: as in docs/formats.md ("convnet.labels"); compared without case
 * @value: (nullable): UTF-8; copied; NULL removes the key
 */
CNN_API CnnStatus cnn_graph_set_metadata (CnnGraph *graph, const char *key,
    const char *value, CnnError *error);

CNN_END_DECLS

#endif
