/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* infer.h: types, shapes, and values known before anything runs. */

#ifndef CNN_GRAPH_INFER_H
#define CNN_GRAPH_INFER_H

#include "graph/compute.h"

/**
 * CnnKnown:
 * Memory of values that were computed from shapes and fixed inputs; {0} to
 * begin with, cnn_known_clear() at the end. @spent is what they cost, which is
 * limited.
 */
typedef struct
{
  void **blocks;
  size_t n_blocks, room;
  CnnCost spent;
} CnnKnown;

/** cnn_known_keep: takes @block (nullable, malloc'ed) over, also on failure.
 * Returns: false if it is NULL or there is no memory for the list. */
bool cnn_known_keep (CnnKnown *known, void *block);

void cnn_known_clear (CnnKnown *known);

/** cnn_node_infer: types and shapes of the outputs of one node, into
 * @tensors. */
CnnStatus cnn_node_infer (const CnnGraph *graph, const CnnNode *node,
    CnnTensor *tensors, CnnError *error);

/** cnn_node_infer_known: and, with @known, their data if it can be computed
 * beforehand. */
CnnStatus cnn_node_infer_known (const CnnGraph *graph, const CnnNode *node,
    CnnKnown *known, CnnTensor *tensors, CnnError *error);

/**
 * cnn_graph_infer:
 * @graph: sorted
 * @inputs: (nullable): one tensor an input: the shape that counts instead of
 *   the declared one, and where data is set its value
 * @known: (nullable): keeps what can be computed beforehand
 * @tensors: (out): type and shape of every value; data for constants and,
 *   with @known, for what is known
 *
 * Errors: CNN_ERROR_SHAPE and what else op->infer() says, naming the node.
 */
CnnStatus cnn_graph_infer (const CnnGraph *graph, const CnnTensor *inputs,
    CnnKnown *known, CnnTensor *tensors, CnnError *error);

#endif
