/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* prune.c: what no output needs goes.
 *
 *   x--Conv--y        ->   x--Conv--y
 *   x--Shape--(unread)      */

#include "graph/nodes.h"

#include <stdlib.h>

#include "base/error.h"

void
cnn_graph_remove_nodes (CnnGraph *graph, const bool *dead)
{
  size_t kept = 0;
  for (size_t n = 0; n < graph->n_nodes; n++) {
    CnnNode *node = &graph->nodes[n];
    for (int i = 0; i < node->n_out; i++) {
      CnnValue *v = node->out[i] < 0 ? NULL : &graph->values[node->out[i]];
      if (v && v->producer == (int) n)
        v->producer = dead[n] ? -1 : (int) kept;
    }
    if (dead[n])
      cnn_node_clear (node);
    else
      graph->nodes[kept++] = *node;
  }
  graph->n_nodes = kept;
}

void
cnn_graph_mark_needed (const CnnGraph *graph, const CnnTensor *tensors,
    bool *values, bool *nodes)
{
  for (size_t i = 0; i < graph->n_outputs; i++)
    values[graph->outputs[i]] = true;
  for (size_t n = graph->n_nodes; n-- > 0;) {
    const CnnNode *node = &graph->nodes[n];
    for (int i = 0; i < node->n_out; i++) {
      int v = node->out[i];
      if (v >= 0 && values[v] && !(tensors && tensors[v].data))
        nodes[n] = true;
    }
    for (int i = 0; i < node->n_in && nodes[n]; i++)
      if (node->in[i] >= 0)
        values[node->in[i]] = true;
  }
}

CnnStatus
cnn_graph_prune (CnnGraph *graph, CnnError *error)
{
  bool *needed = calloc (graph->n_values + 1, sizeof *needed);
  bool *dead = calloc (graph->n_nodes + 1, sizeof *dead);
  CnnStatus status = CNN_OK;
  if (!needed || !dead) {
    status = cnn_error_memory (error, graph->n_values, "pruning");
  } else {
    cnn_graph_mark_needed (graph, NULL, needed, dead);
    for (size_t n = 0; n < graph->n_nodes; n++)
      dead[n] = !dead[n];
    cnn_graph_remove_nodes (graph, dead);
    for (size_t v = 0; v < graph->n_values; v++)
      if (!needed[v])
        cnn_graph_drop_constant (graph, (int) v);
  }
  free (dead);
  free (needed);
  return status;
}
