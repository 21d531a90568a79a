/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* graph.h (internal): what a graph is made of, for the passes over it. */

#ifndef CNN_GRAPH_GRAPH_H
#define CNN_GRAPH_GRAPH_H

#include <cnn/graph.h>

#include "ops/op.h"

/**
 * CnnValue:
 * @name: unique
 * @tensor: type and shape (known after inference); data for constants, owned
 * @producer: node that computes it, -1 for inputs and constants
 * @is_input: 1 for inputs of the graph
 */
typedef struct
{
  char *name;
  CnnTensor tensor;
  int producer;
  int is_input;
} CnnValue;

/**
 * CnnNode:
 * @op: its operator
 * @name: may be empty
 * @in, @out: numbers of values; -1 where left out
 * @attributes: deep copies, for writing
 * @params: what op->parse() made of them
 */
typedef struct
{
  const CnnOp *op;
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
  size_t index_room;
};

/** cnn_graph_find: Returns: number of the value of that name, -1 if none. */
int cnn_graph_find (const CnnGraph *graph, const char *name);

/** cnn_graph_copy: a deep copy, constants included. */
CnnStatus cnn_graph_copy (
    const CnnGraph *graph, CnnGraph **copy, CnnError *error);

/** cnn_graph_sort: puts the nodes in an order in which each comes after those
 * it reads from. Errors: CNN_ERROR_FORMAT for cycles and undefined values. */
CnnStatus cnn_graph_sort (CnnGraph *graph, CnnError *error);

/** cnn_graph_metadata: Returns: (nullable): value of @key, without case. */
const char *cnn_graph_metadata (const CnnGraph *graph, const char *key);

/** cnn_node_describe: writes "Conv 'name'" for messages. Returns: @text. */
char *cnn_node_describe (
    const CnnGraph *graph, const CnnNode *node, char *text, size_t text_bytes);

#endif
