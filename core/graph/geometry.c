/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* geometry.c: where in the picture each cell of each value looks.
 *
 * Every operator says how a cell of its output looks back on its input
 * (op->geometry()); following the nodes from the picture on composes that:
 *
 *   window' = window + (w - 1) * stride
 *   offset' = offset + o * stride
 *   stride' = stride * s
 *
 * Source: Araujo, Norris, Sim, "Computing receptive fields of convolutional
 * neural networks", Distill, 2019. */

#include "graph/nodes.h"

#include <limits.h>

static bool
compose_axis (const CnnGeometry *look, const CnnGeometry *op, int axis,
    CnnGeometry *out)
{
  int64_t stride = look->stride[axis];
  int64_t window = look->window[axis] + (op->window[axis] - 1) * stride;
  int64_t offset = look->offset[axis] + op->offset[axis] * stride;
  stride *= op->stride[axis];
  if (window > INT_MAX || stride > INT_MAX || offset < INT_MIN
      || offset > INT_MAX)
    return false;
  out->window[axis] = (int) window;
  out->offset[axis] = (int) offset;
  out->stride[axis] = (int) stride;
  return true;
}

/* Two branches meet: a cell looks at what either of them saw, if they keep
 * step. */
static bool
join (CnnGeometry *a, const CnnGeometry *b)
{
  for (int i = 0; i < 2; i++) {
    if (a->stride[i] != b->stride[i])
      return false;
    int64_t end_a = (int64_t) a->offset[i] + a->window[i];
    int64_t end_b = (int64_t) b->offset[i] + b->window[i];
    int64_t end = end_a > end_b ? end_a : end_b;
    if (b->offset[i] < a->offset[i])
      a->offset[i] = b->offset[i];
    if (end - a->offset[i] > INT_MAX)
      return false;
    a->window[i] = (int) (end - a->offset[i]);
  }
  a->padded |= b->padded;
  return true;
}

static CnnPlace
node_place (const CnnNode *node, const CnnTensor *tensors,
    const CnnPlace *places)
{
  const CnnTensor *in[CNN_MAX_NODE_TENSORS];
  CnnGeometry op = { { 1, 1 }, { 1, 1 }, { 0, 0 }, 0 }, look = { .padded = 0 };
  bool found = false;

  cnn_node_inputs (node, tensors, in);
  if (!node->op->geometry || !node->op->geometry (node->params, in, &op))
    return (CnnPlace){ 0 };
  for (int i = 0; i < node->n_in; i++) {
    if (!in[i] || in[i]->data)
      continue;
    const CnnPlace *place = &places[node->in[i]];
    if (!place->known || (found && !join (&look, &place->look)))
      return (CnnPlace){ 0 };
    if (!found)
      look = place->look;
    found = true;
  }

  CnnGeometry out = { .padded = look.padded || op.padded };
  if (!found || !compose_axis (&look, &op, 0, &out)
      || !compose_axis (&look, &op, 1, &out))
    return (CnnPlace){ 0 };
  return (CnnPlace){ true, out };
}

void
cnn_graph_geometry (const CnnGraph *graph, const CnnTensor *tensors,
    CnnPlace *places)
{
  for (size_t v = 0; v < graph->n_values; v++)
    places[v] = (CnnPlace){ 0 };
  if (graph->n_inputs && tensors[graph->inputs[0]].shape.rank == 4)
    places[graph->inputs[0]] = (CnnPlace){
      .known = true,
      .look = { { 1, 1 }, { 1, 1 }, { 0, 0 }, 0 },
    };
  for (size_t n = 0; n < graph->n_nodes; n++) {
    const CnnNode *node = &graph->nodes[n];
    CnnPlace place = node_place (node, tensors, places);
    for (int i = 0; i < node->n_out; i++)
      if (node->out[i] >= 0)
        places[node->out[i]] = place;
  }
}
