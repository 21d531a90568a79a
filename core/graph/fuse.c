/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fuse.c: operators take over the next one.
 *
 *   x--Conv--a--Relu--y           ->   x--Conv+Relu--y
 *   x--Conv--a--Conv 1x1--y       ->   x--Conv+Conv--y   (its weights follow) */

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

static bool
has_constants (const CnnGraph *graph, const CnnNode *node)
{
  for (int i = 1; i < node->n_in; i++)
    if (node->in[i] >= 0 && !graph->values[node->in[i]].buffer)
      return false;
  return true;
}

static void
inputs_of (const CnnGraph *graph, const CnnNode *node, const CnnTensor **in)
{
  for (int i = 0; i < node->n_in; i++)
    in[i] = node->in[i] < 0 ? NULL : &graph->values[node->in[i]].tensor;
}

/* Left out inputs keep their places. */
static void
append_inputs (CnnNode *node, const CnnNode *next)
{
  while (node->n_in < node->op->max_in)
    node->in[node->n_in++] = -1;
  for (int i = 1; i < next->op->max_in; i++)
    node->in[node->n_in++] = i < next->n_in ? next->in[i] : -1;
}

/* The next node in order reads what this one writes, and nobody else does. */
static bool
fuse_pair (CnnGraph *graph, CnnNode *node, const CnnNode *next, bool learning)
{
  const CnnTensor *in[CNN_MAX_NODE_TENSORS], *next_in[CNN_MAX_NODE_TENSORS];
  int between = node->n_out == 1 ? node->out[0] : -1;
  if (!node->op->fuse || between < 0 || !next->n_in || next->n_out != 1
      || next->in[0] != between || count_readers (graph, between) != 1
      || !has_constants (graph, next)
      || node->n_in + node->op->max_in + next->op->max_in
          > CNN_MAX_NODE_TENSORS)
    return false;
  inputs_of (graph, node, in);
  inputs_of (graph, next, next_in);
  if (!node->op->fuse (node->params,
          &(CnnOpFusion){
              .in = in,
              .n_in = node->n_in,
              .next = next->op,
              .next_params = next->params,
              .next_in = next_in,
              .next_n_in = next->n_in,
              .learning = learning,
          }))
    return false;
  if (next->op->max_in > 1)
    append_inputs (node, next);
  graph->values[between].producer = -1;
  node->out[0] = next->out[0];
  return true;
}

void
cnn_graph_fuse (CnnGraph *graph, bool learning)
{
  bool *dead = calloc (graph->n_nodes + 1, sizeof *dead);
  if (!dead)
    return;
  for (size_t n = 0, next = 1; next < graph->n_nodes; next++) {
    if (fuse_pair (graph, &graph->nodes[n], &graph->nodes[next], learning)) {
      graph->values[graph->nodes[n].out[0]].producer = (int) n;
      dead[next] = true;
    } else {
      n = next;
    }
  }
  cnn_graph_remove_nodes (graph, dead);
  free (dead);
}
