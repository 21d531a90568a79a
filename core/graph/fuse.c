/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fuse.c: operators take over the next one.
 *
 *   x--Conv--a--Relu--y   ->   x--Conv+Relu--y */

#include "graph/nodes.h"

#include <stdlib.h>

static int
count_readers (const CnnGraph *graph, int value)
{
  int count = 0;
  for (size_t n = 0; n < graph->n_nodes; n++)
    for (int i = 0; i < graph->nodes[n].n_in; i++)
      count += graph->nodes[n].in[i] == value;
  for (size_t i = 0; i < graph->n_outputs; i++)
    count += graph->outputs[i] == value;
  return count;
}

/* The next node in order reads what this one writes, and nobody else does. */
static bool
fuse_pair (CnnGraph *graph, CnnNode *node, const CnnNode *next)
{
  int between = node->n_out == 1 ? node->out[0] : -1;
  if (!node->op->fuse || between < 0 || next->n_in != 1 || next->n_out != 1
      || next->in[0] != between || count_readers (graph, between) != 1
      || !node->op->fuse (node->params, next->op, next->params))
    return false;
  graph->values[between].producer = -1;
  node->out[0] = next->out[0];
  return true;
}

void
cnn_graph_fuse (CnnGraph *graph)
{
  bool *dead = calloc (graph->n_nodes + 1, sizeof *dead);
  if (!dead)
    return;
  for (size_t n = 0, next = 1; next < graph->n_nodes; next++) {
    if (fuse_pair (graph, &graph->nodes[n], &graph->nodes[next])) {
      graph->values[graph->nodes[n].out[0]].producer = (int) n;
      dead[next] = true;
    } else {
      n = next;
    }
  }
  cnn_graph_remove_nodes (graph, dead);
  free (dead);
}
