/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* model.h (internal): the inside of a model, for sessions, writer, trainer. */

#ifndef CNN_GRAPH_MODEL_H
#define CNN_GRAPH_MODEL_H

#include <cnn/model.h>

#include "graph/graph.h"

/** cnn_model_graph: Returns: its checked, sorted graph, borrowed. Constants
 * (weights) are values with tensor.data set. */
const CnnGraph *cnn_model_graph (const CnnModel *model);

/** cnn_model_packed: Returns: (nullable): packed weights of node @node. */
const void *cnn_model_packed (const CnnModel *model, int node);

#endif
