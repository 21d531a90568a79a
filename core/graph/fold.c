/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fold.c: nodes that read constants only are computed once and for all.
 *
 *   [const]--Mul--[const']   ->   [const'] */

#include "graph/nodes.h"

#include <stdlib.h>

#include "base/error.h"
#include "graph/infer.h"

/** What folding may make and compute in all: a file of some bytes can ask for
 * any amount. Nodes beyond it stay nodes. */
static const CnnCost limit = { (size_t) 256 << 20, (uint64_t) 1 << 33 };

static bool
reads_constants_only (const CnnGraph *graph, const CnnNode *node)
{
  for (int i = 0; i < node->n_in; i++)
    if (node->in[i] >= 0 && !graph->values[node->in[i]].buffer)
      return false;
  return true;
}

/* Computes @node, whose inputs are constants, into its outputs' values. */
static CnnStatus
fold_node (CnnGraph *graph, const CnnNode *node, CnnTensor *tensors,
    CnnError *error)
{
  CnnTensor out[CNN_MAX_NODE_TENSORS];
  char text[CNN_NODE_TEXT];
  CnnStatus status = cnn_node_compute (node, tensors, out, error);
  for (int i = 0; i < node->n_out && !status; i++) {
    if (node->out[i] < 0)
      continue;
    /* Takes the data over, whatever happens. */
    status = cnn_graph_set_constant (graph, node->out[i], &out[i], error);
    tensors[node->out[i]] = graph->values[node->out[i]].tensor;
    out[i].data = NULL;
  }
  for (int i = 0; i < node->n_out && status; i++)
    free (out[i].data);
  if (status)
    cnn_error_prefix (error, "%s",
        cnn_node_describe (graph, node, text, sizeof text));
  return status;
}

CnnStatus
cnn_graph_fold (CnnGraph *graph, CnnError *error)
{
  CnnTensor *tensors = malloc ((graph->n_values + 1) * sizeof *tensors);
  bool *dead = calloc (graph->n_nodes + 1, sizeof *dead);
  CnnCost spent = { 0, 0 };
  CnnStatus status = CNN_OK;
  if (!tensors || !dead) {
    status = cnn_error_memory (error, graph->n_values, "folding");
    goto done;
  }

  for (size_t v = 0; v < graph->n_values; v++)
    tensors[v] = graph->values[v].tensor;
  for (size_t n = 0; n < graph->n_nodes && !status; n++) {
    const CnnNode *node = &graph->nodes[n];
    if (!reads_constants_only (graph, node))
      continue;
    status = cnn_node_infer (graph, node, tensors, error);
    if (status || !cnn_node_afford (node, tensors, &limit, &spent))
      continue;
    status = fold_node (graph, node, tensors, error);
    dead[n] = true;
  }
  if (!status)
    cnn_graph_remove_nodes (graph, dead);

done:
  free (dead);
  free (tensors);
  return status;
}
