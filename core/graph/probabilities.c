/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* probabilities.c: a class map of logits becomes one of probabilities.
 *
 *   x--...--Conv--logits   ->   x--...--Conv--Softmax over c--probabilities
 *
 * As an operator of the network it runs with the network's kernels and
 * threads. Of log softmax it takes softmax as well: that is the same as of
 * the logits. Other outputs stay. */

#include "graph/program.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* The first opset whose Softmax works along one axis only. */
#define SOFTMAX_OPSET 13

static CnnStatus
append_softmax (CnnGraph *graph, CnnError *error)
{
  const char *logits = graph->values[graph->outputs[0]].name;
  size_t room = strlen (logits) + 16;
  char *name = malloc (room);
  if (!name)
    return cnn_error_memory (error, room, "a name");
  strcpy (name, logits);
  strcat (name, "/softmax");

  CnnAttribute axis = { .name = "axis", .type = CNN_ATTRIBUTE_INT, .i = 1 };
  int opset = graph->opset;
  graph->opset = opset < SOFTMAX_OPSET ? SOFTMAX_OPSET : opset;
  CnnStatus status =
      cnn_graph_add_node (graph, "Softmax", name, (const char *[]){ logits }, 1,
          (const char *[]){ name }, 1, &axis, 1, error);
  graph->opset = opset;
  if (!status)
    graph->outputs[0] = cnn_graph_find (graph, name);
  if (!status)
    status = cnn_graph_set_metadata (graph, "convnet.output", "softmax", error);
  free (name);
  return status;
}

static CnnStatus
to_probabilities (const CnnGraph *map, CNN_UNUSED int argument,
    CnnGraph **probabilities, CnnError *error)
{
  CnnGraph *graph;
  CnnStatus status = cnn_graph_copy (map, &graph, error);
  if (status)
    return status;
  status = append_softmax (graph, error);
  if (status)
    cnn_graph_free (graph);
  else
    *probabilities = graph;
  return status;
}

CnnStatus
cnn_model_to_probabilities (CnnModel *map, CnnModel **probabilities,
    CnnError *error)
{
  CnnOutputKind kind = cnn_model_info (map)->output;
  if (kind == CNN_OUTPUT_SOFTMAX || kind == CNN_OUTPUT_SIGMOID) {
    *probabilities = cnn_model_ref (map);
    return CNN_OK;
  }
  return cnn_model_rewrite (map, to_probabilities, 0, probabilities, error);
}
