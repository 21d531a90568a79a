/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* upgrade.h: nodes of an older opset in a file of a newer one. */

#ifndef CNN_ONNX_UPGRADE_H
#define CNN_ONNX_UPGRADE_H

#include "graph/nodes.h"

/** cnn_onnx_graph_opset: Returns: the newest opset that the graph or one of
 * its nodes follows. A file has only one. */
int cnn_onnx_graph_opset (const CnnGraph *graph);

/**
 * cnn_onnx_upgrade_node:
 * @node: a node of @graph, with inferred shapes
 * @opset: newer than the node's
 * @kept: (out): its attributes as they are at @opset; room for all it has;
 *   what they point to stays the node's
 * @n_kept: (out): how many
 *
 * Errors: CNN_ERROR_UNSUPPORTED, naming the node, if @opset can't say what the
 * node computes.
 */
CnnStatus cnn_onnx_upgrade_node (const CnnGraph *graph, const CnnNode *node,
    int opset, CnnAttribute *kept, int *n_kept, CnnError *error);

#endif
