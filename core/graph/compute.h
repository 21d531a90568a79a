/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* compute.h: running one node outside of a session. */

#ifndef CNN_GRAPH_COMPUTE_H
#define CNN_GRAPH_COMPUTE_H

#include "graph/nodes.h"

/**
 * CnnCost:
 * @bytes: of the outputs of nodes and their scratch
 * @macs: their multiply-accumulates, plus an operation an element
 */
typedef struct
{
  size_t bytes;
  uint64_t macs;
} CnnCost;

/** cnn_node_afford: adds what @node costs to @spent. Returns: false, and adds
 * nothing, if that would be more than @limit, or if a size is open. */
bool cnn_node_afford (const CnnNode *node, const CnnTensor *tensors,
    const CnnCost *limit, CnnCost *spent);

/**
 * cnn_node_compute:
 * @tensors: types and shapes of all values, data of the node's inputs
 * @out: (out): an entry each output of @node; data (transfer full, free())
 *   for those that are wanted, NULL for the others
 */
CnnStatus cnn_node_compute (const CnnNode *node, const CnnTensor *tensors,
    CnnTensor *out, CnnError *error);

#endif
