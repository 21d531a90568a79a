/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* nodes.h: what a graph is made of, for the passes over it. */

#ifndef CNN_GRAPH_NODES_H
#define CNN_GRAPH_NODES_H

#include <stdatomic.h>
#include <stdbool.h>

#include <cnn/graph.h>

#include "ops/op.h"

/**
 * CnnBuffer:
 * Elements of a constant, shared by all copies of a graph: weights exist once.
 */
typedef struct
{
  atomic_int refs;
  void *data;
} CnnBuffer;

/**
 * CnnValue:
 * @name: unique
 * @tensor: type and shape (known after inference); data for constants, in
 *   @buffer
 * @buffer: (nullable): a reference, for constants
 * @producer: node that computes it, -1 for inputs and constants
 * @is_input: true for inputs of the graph
 */
typedef struct
{
  char *name;
  CnnTensor tensor;
  CnnBuffer *buffer;
  int producer;
  bool is_input;
} CnnValue;

/**
 * CnnNode:
 * @op: its operator
 * @opset: version that its attributes and inputs follow; the graph's, but for
 *   nodes that a rewrite made
 * @name: may be empty
 * @in, @out: numbers of values; -1 where left out
 * @attributes: deep copies, for writing
 * @params: what op->parse() made of them
 */
typedef struct
{
  const CnnOp *op;
  int opset;
  char *name;
  int n_in, n_out;
  int in[CNN_MAX_NODE_TENSORS], out[CNN_MAX_NODE_TENSORS];
  CnnAttribute *attributes;
  int n_attributes;
  void *params;
} CnnNode;

/**
 * CnnGraph:
 * @inputs, @outputs: numbers of values. Constants are neither
 * @keys, @texts: metadata
 * @index: hash table of @index_size (a power of two) value numbers by name,
 *   -1 = free
 */
struct CnnGraph
{
  int opset;
  CnnValue *values;
  size_t n_values, values_room;
  CnnNode *nodes;
  size_t n_nodes, nodes_room;
  int *inputs;
  size_t n_inputs, inputs_room;
  int *outputs;
  size_t n_outputs, outputs_room;
  char **keys, **texts;
  size_t n_metadata, keys_room, texts_room;
  int *index;
  size_t index_size;
};

/** cnn_graph_find: Returns: number of the value of that name, -1 if none. */
int cnn_graph_find (const CnnGraph *graph, const char *name);

/** cnn_node_attribute: Returns: (nullable): @node's attribute of that name. */
const CnnAttribute *cnn_node_attribute (const CnnNode *node, const char *name);

/** cnn_node_is_one_of: is its operator among @names, a NULL-terminated list? */
bool cnn_node_is_one_of (const CnnNode *node, const char *const *names);

/** cnn_graph_copy: a copy that shares the elements of constants. */
CnnStatus
cnn_graph_copy (const CnnGraph *graph, CnnGraph **copy, CnnError *error);

/**
 * CnnNodeForm:
 * What a node of a copy is made with: @count attributes, and the version of
 * the operators that they follow.
 */
typedef struct
{
  CnnAttribute *attributes;
  int count, opset;
} CnnNodeForm;

/** CnnNodeEdit: may change @form, which is as @node is; the memory that it then
 * points to has to last until the next call. */
typedef CnnStatus (*CnnNodeEdit) (void *data, const CnnNode *node,
    CnnNodeForm *form, CnnError *error);

/** cnn_graph_copy_edited: as cnn_graph_copy(), with nodes as @edit (nullable)
 * wants them. */
CnnStatus cnn_graph_copy_edited (const CnnGraph *graph, CnnNodeEdit edit,
    void *data, CnnGraph **copy, CnnError *error);

/** cnn_graph_sort: puts the nodes in an order in which each comes after those
 * it reads from. Errors: CNN_ERROR_FORMAT for cycles and undefined values. */
CnnStatus cnn_graph_sort (CnnGraph *graph, CnnError *error);

/** cnn_graph_share_constant: as cnn_graph_add_constant(), but takes a
 * reference on @buffer instead of a copy; @shape may differ from the one it
 * has elsewhere if it has as many elements. */
CnnStatus cnn_graph_share_constant (CnnGraph *graph, const char *name,
    CnnType type, const CnnShape *shape, CnnBuffer *buffer, CnnError *error);

/** cnn_graph_replace_constant: gives constant @value other elements, copied
 * from @data. Errors: CNN_ERROR_FORMAT if one is not finite. */
CnnStatus cnn_graph_replace_constant (CnnGraph *graph, int value,
    const void *data, CnnError *error);

/** cnn_graph_set_constant: value @value, which a node computed until now, is
 * @tensor from now on. Takes its data over (free()), whatever happens. Errors:
 * CNN_ERROR_FORMAT for NaN. */
CnnStatus cnn_graph_set_constant (CnnGraph *graph, int value,
    const CnnTensor *tensor, CnnError *error);

/** cnn_graph_drop_constant: forgets its elements. */
void cnn_graph_drop_constant (CnnGraph *graph, int value);

/** cnn_graph_check_weights: CNN_ERROR_FORMAT if a constant that an operator
 * multiplies with (of Conv, Gemm, BatchNormalization) is infinite. */
CnnStatus cnn_graph_check_weights (const CnnGraph *graph, CnnError *error);

/** cnn_graph_fold: computes nodes that read constants only, once and for all:
 * Constant, arithmetic on weights. Sorted before and after. Errors:
 * CNN_ERROR_FORMAT, naming the node, for NaN. */
CnnStatus cnn_graph_fold (CnnGraph *graph, CnnError *error);

/** cnn_graph_widen: puts Casts to float32 before, and back behind, nodes that
 * compute in float32 only and are asked for another precision. Sorted before
 * and after. */
CnnStatus cnn_graph_widen (CnnGraph *graph, CnnError *error);

/** cnn_graph_prune: drops nodes and constants that no output needs. Sorted
 * before and after. */
CnnStatus cnn_graph_prune (CnnGraph *graph, CnnError *error);

/**
 * CnnPlace:
 * @known: false where cells of the value have no place in the picture
 * @finer: true where they have one, but lie closer than pixels: no CnnGeometry
 *   says that
 * @look: which part of the picture a cell looks at
 */
typedef struct
{
  bool known, finer;
  CnnGeometry look;
} CnnPlace;

/** cnn_divisor: Returns: the greatest common divisor, not negative. */
int64_t cnn_divisor (int64_t a, int64_t b);

/** cnn_graph_geometry: @places: (out): of every value, with respect to the
 * first input. @tensors as from cnn_graph_infer(). */
CnnStatus cnn_graph_geometry (const CnnGraph *graph, const CnnTensor *tensors,
    CnnPlace *places, CnnError *error);

/** cnn_graph_fuse: lets operators take over the next one (op->fuse()).
 * @learning: only what can be trained. */
void cnn_graph_fuse (CnnGraph *graph, bool learning);

/** cnn_graph_is_quantized: is there anything to do for
 * cnn_graph_fuse_quantized()? */
bool cnn_graph_is_quantized (const CnnGraph *graph);

/** cnn_graph_fuse_quantized: quantised convolutions become internal ones on
 * integers. @graph: sorted and inferred; it is sorted behind it, too. */
CnnStatus cnn_graph_fuse_quantized (CnnGraph *graph, CnnError *error);

/** cnn_graph_dense_to_conv: see cnn_model_to_map(). @graph is sorted and
 * inferred; @map: (out) (transfer full): a new graph, not sorted yet. */
CnnStatus cnn_graph_dense_to_conv (const CnnGraph *graph, CnnGraph **map,
    CnnError *error);

/** cnn_graph_is_channels_last: is the picture, the first input, n h w c? */
bool cnn_graph_is_channels_last (const CnnGraph *graph);

/** cnn_graph_densify: see cnn_model_with_stride(). @graph is sorted and
 * inferred; @dense: (out) (transfer full): a new graph. */
CnnStatus cnn_graph_densify (const CnnGraph *graph, int stride,
    CnnGraph **dense, CnnError *error);

/** cnn_graph_mark_needed: @values and @nodes (false to begin with) become true
 * for all that the outputs follow from. @tensors: (nullable): what has data
 * there follows from nothing. */
void cnn_graph_mark_needed (const CnnGraph *graph, const CnnTensor *tensors,
    bool *values, bool *nodes);

/** cnn_graph_remove_nodes: drops every node for which @dead is set; the
 * values that they made stay, with no producer. */
void cnn_graph_remove_nodes (CnnGraph *graph, const bool *dead);

/** cnn_node_clear: frees what a node holds. */
void cnn_node_clear (CnnNode *node);

/** cnn_node_inputs: @in: (out): pointers into @tensors, NULL where left out. */
void cnn_node_inputs (const CnnNode *node, const CnnTensor *tensors,
    const CnnTensor **in);

/** cnn_graph_metadata: Returns: (nullable): value of @key, without case. */
const char *cnn_graph_metadata (const CnnGraph *graph, const char *key);

/** cnn_graph_is_fixed: Returns: whether metadata convnet.fixed names the
 * constant @name, one a line: training leaves it as it is. */
bool cnn_graph_is_fixed (const CnnGraph *graph, const char *name);

/** cnn_node_describe: writes "Conv 'name'" for messages. Returns: @text. */
const char *cnn_node_describe (const CnnGraph *graph, const CnnNode *node,
    char *text, size_t text_bytes);

/** CNN_NODE_TEXT: room for what cnn_node_describe() writes. */
#define CNN_NODE_TEXT 160

#endif
