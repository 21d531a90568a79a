/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* compute.h: running one node outside of a session. */

#ifndef CNN_GRAPH_COMPUTE_H
#define CNN_GRAPH_COMPUTE_H

#include "graph/nodes.h"

/** cnn_node_cost: bytes of the outputs of @node and its scratch, and its multiply-accumulates
 * plus elements. Returns: false if a size is open. */
bool cnn_node_cost (const CnnNode *node, const CnnTensor *tensors,
    size_t *bytes, uint64_t *macs);

/**
 * cnn_node_compute:
 * @tensors: types and shapes of all values, data of the node's inputs
 * @out: (out): an entry each output of @node; data (transfer full, free())
 *   for those that are wanted, NULL for the others
 */
CnnStatus cnn_node_compute (const CnnNode *node, const CnnTensor *tensors,
    CnnTensor *out, CnnError *error);

#endif
