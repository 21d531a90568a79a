/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* infer.c: types and shapes, from the inputs to the outputs, and the values
 * that can be known before anything runs.
 *
 * Exporters write Reshape targets, Resize scales and the like as arithmetic on
 * the shapes of tensors: Shape, Gather, Mul, Concat. Once the input's size is
 * fixed these have values, which the next infer() may need:
 *
 *   x--Shape--Gather--Concat--Reshape   ->   x--[values]--Reshape */

#include "graph/infer.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"

/* What may be computed while a session is made, in all. */
static const CnnCost limit = { (size_t) 16 << 20, (uint64_t) 1 << 28 };

static CnnStatus
check_output (int i, const CnnTensor *out, CnnError *error)
{
  char text[160];
  CnnShape known = out->shape;
  size_t elements;
  for (int d = 0; d < known.rank; d++)
    if (known.dims[d] == -1)
      known.dims[d] = 1;
  if (cnn_shape_elements (&known, &elements))
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "output %d has the impossible shape %s", i,
        cnn_shape_format (&known, text, sizeof text));
  return CNN_OK;
}

CnnStatus
cnn_node_infer (const CnnGraph *graph, const CnnNode *node, CnnTensor *tensors,
    CnnError *error)
{
  const CnnTensor *in[CNN_MAX_NODE_TENSORS];
  CnnTensor out[CNN_MAX_NODE_TENSORS];
  char text[CNN_NODE_TEXT];

  for (int i = 0; i < node->n_out; i++)
    out[i] = (CnnTensor){ 0 };
  cnn_node_inputs (node, tensors, in);
  CnnStatus status =
      node->op->infer (node->params, in, node->n_in, out, node->n_out, error);
  for (int i = 0; i < node->n_out && !status; i++) {
    status = check_output (i, &out[i], error);
    if (node->out[i] >= 0)
      tensors[node->out[i]] = (CnnTensor){
        .type = out[i].type,
        .shape = out[i].shape,
      };
  }
  if (status)
    cnn_error_prefix (error, "%s",
        cnn_node_describe (graph, node, text, sizeof text));
  return status;
}

void
cnn_known_clear (CnnKnown *known)
{
  for (size_t i = 0; i < known->n_blocks; i++)
    free (known->blocks[i]);
  free (known->blocks);
  *known = (CnnKnown){ 0 };
}

bool
cnn_known_keep (CnnKnown *known, void *block)
{
  if (!block
      || !cnn_list_grow (&known->blocks, known->n_blocks, &known->room,
          sizeof *known->blocks)) {
    free (block);
    return false;
  }
  known->blocks[known->n_blocks++] = block;
  return true;
}

/* The caller's values of inputs, copied. */
static CnnStatus
bind_input (const CnnTensor *from, CnnTensor *to, CnnKnown *known,
    CnnError *error)
{
  size_t bytes;
  to->shape = from->shape;
  if (!from->data || !known)
    return CNN_OK;
  if (cnn_tensor_bytes (from, &bytes))
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "an input with a value has an open size");
  void *block = cnn_aligned_alloc (bytes);
  if (!cnn_known_keep (known, block))
    return cnn_error_memory (error, bytes, "an input");
  cnn_copy (block, from->data, bytes);
  to->data = block;
  return CNN_OK;
}

static bool
all_sizes_known (const CnnTensor *tensor)
{
  for (int i = 0; i < tensor->shape.rank; i++)
    if (tensor->shape.dims[i] < 0)
      return false;
  return true;
}

/* Has @node everything that it needs, and does it cost little? */
static bool
can_compute (const CnnNode *node, const CnnTensor *tensors, CnnKnown *known)
{
  const CnnTensor *in[CNN_MAX_NODE_TENSORS];
  cnn_node_inputs (node, tensors, in);
  if (node->op->reads_shape) {
    if (!in[0] || !all_sizes_known (in[0]))
      return false;
  } else {
    for (int i = 0; i < node->n_in; i++)
      if (in[i] && !in[i]->data)
        return false;
  }
  return cnn_node_afford (node, tensors, &limit, &known->spent);
}

static CnnStatus
compute (const CnnNode *node, CnnTensor *tensors, CnnKnown *known,
    CnnError *error)
{
  CnnTensor out[CNN_MAX_NODE_TENSORS];
  CnnStatus status = cnn_node_compute (node, tensors, out, error);
  for (int i = 0; i < node->n_out && !status; i++) {
    if (node->out[i] < 0)
      continue;
    if (cnn_known_keep (known, out[i].data))
      tensors[node->out[i]].data = out[i].data;
    else
      status = cnn_error_memory (error, sizeof (void *), "known values");
  }
  return status;
}

CnnStatus
cnn_node_infer_known (const CnnGraph *graph, const CnnNode *node,
    CnnKnown *known, CnnTensor *tensors, CnnError *error)
{
  CnnStatus status = cnn_node_infer (graph, node, tensors, error);
  if (!status && known && can_compute (node, tensors, known))
    status = compute (node, tensors, known, error);
  return status;
}

CnnStatus
cnn_graph_infer (const CnnGraph *graph, const CnnTensor *inputs,
    CnnKnown *known, CnnTensor *tensors, CnnError *error)
{
  CnnStatus status = CNN_OK;
  for (size_t v = 0; v < graph->n_values; v++)
    tensors[v] = graph->values[v].tensor;
  for (size_t i = 0; inputs && i < graph->n_inputs && !status; i++)
    status = bind_input (&inputs[i], &tensors[graph->inputs[i]], known, error);
  for (size_t n = 0; n < graph->n_nodes && !status; n++) {
    const CnnNode *node = &graph->nodes[n];
    status = cnn_node_infer_known (graph, node, known, tensors, error);
  }
  return status;
}
