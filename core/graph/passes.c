/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* passes.c: small passes over a sorted graph.
 *
 * infer:  types and shapes, from the inputs to the outputs
 * fold:   [const]--Mul--[const']        ->  [const']
 * fuse:   x--Conv--a--Relu--y           ->  x--Conv+Relu--y
 */

#include "graph/nodes.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/size.h"
#include "kernels/kernels.h"

/** What folding may make and compute in all: a file of some bytes can ask for
 * any amount. Nodes beyond it stay nodes. */
#define MAX_FOLDED_BYTES ((size_t) 256 << 20)
#define MAX_FOLDED_MACS  ((uint64_t) 1 << 33)

static CnnStatus
infer_node (const CnnGraph *graph, const CnnNode *node, CnnTensor *tensors,
    CnnError *error)
{
  const CnnTensor *in[CNN_MAX_NODE_TENSORS];
  CnnTensor out[CNN_MAX_NODE_TENSORS] = { { 0 } };
  char text[CNN_NODE_TEXT], shape[160];

  cnn_node_inputs (node, tensors, in);
  CnnStatus status =
      node->op->infer (node->params, in, node->n_in, out, node->n_out, error);
  for (int i = 0; i < node->n_out && !status; i++) {
    CnnShape known = out[i].shape;
    size_t elements;
    for (int d = 0; d < known.rank; d++)
      if (known.dims[d] == -1)
        known.dims[d] = 1;
    if (cnn_shape_elements (&known, &elements))
      status = cnn_error_set (error, CNN_ERROR_SHAPE,
          "output %d has the impossible shape %s", i,
          cnn_shape_format (&known, shape, sizeof shape));
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

CnnStatus
cnn_graph_infer (const CnnGraph *graph, const CnnShape *input,
    CnnTensor *tensors, CnnError *error)
{
  CnnStatus status = CNN_OK;
  for (size_t v = 0; v < graph->n_values; v++)
    tensors[v] = graph->values[v].tensor;
  if (input && graph->n_inputs)
    tensors[graph->inputs[0]].shape = *input;
  for (size_t n = 0; n < graph->n_nodes && !status; n++)
    status = infer_node (graph, &graph->nodes[n], tensors, error);
  return status;
}

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

typedef struct
{
  size_t bytes;
  uint64_t macs;
} Budget;

static bool
reads_constants_only (const CnnGraph *graph, const CnnNode *node)
{
  for (int i = 0; i < node->n_in; i++)
    if (node->in[i] >= 0 && !graph->values[node->in[i]].buffer)
      return false;
  return node->n_out == 1 && node->out[0] >= 0;
}

/* Takes what @node costs out of the budget, if it is there. */
static bool
afford (const CnnNode *node, const CnnTensor *tensors, Budget *budget)
{
  const CnnTensor *in[CNN_MAX_NODE_TENSORS], *out = &tensors[node->out[0]];
  size_t elements, bytes;
  cnn_node_inputs (node, tensors, in);
  if (cnn_shape_elements (&out->shape, &elements)
      || !cnn_size_mul (elements, cnn_type_bytes (out->type), &bytes))
    return false;
  uint64_t macs =
      node->op->macs ? node->op->macs (node->params, in, node->n_in, out) : 0;
  macs += elements;
  if (bytes > budget->bytes || macs > budget->macs)
    return false;
  budget->bytes -= bytes;
  budget->macs -= macs;
  return true;
}

/* Computes @node, whose inputs are constants, into its output's value. */
static CnnStatus
fold_node (CnnGraph *graph, CnnNode *node, const CnnTensor *tensors,
    CnnError *error)
{
  CnnTensor out = tensors[node->out[0]], *outs[1] = { &out };
  const CnnTensor *in[CNN_MAX_NODE_TENSORS];
  CnnValue *value = &graph->values[node->out[0]];
  CnnNode *n = node;
  size_t elements = 0, bytes;

  cnn_node_inputs (node, tensors, in);
  cnn_shape_elements (&out.shape, &elements);
  bytes = elements * cnn_type_bytes (out.type);
  size_t scratch_bytes = n->op->scratch_bytes
      ? n->op->scratch_bytes (n->params, in, n->n_in, &out, NULL, 0)
      : 0;
  size_t packed_bytes =
      n->op->packed_bytes ? n->op->packed_bytes (n->params, in, n->n_in) : 0;
  void *scratch = cnn_aligned_alloc (scratch_bytes);
  void *packed = cnn_aligned_alloc (packed_bytes);
  CnnBuffer *buffer = calloc (1, sizeof *buffer);
  if (!scratch || !packed || !buffer
      || !(buffer->data = cnn_aligned_alloc (bytes))) {
    free (buffer);
    free (packed);
    free (scratch);
    return cnn_error_memory (error, bytes, value->name);
  }

  out.data = buffer->data;
  if (packed_bytes)
    n->op->pack (n->params, in, n->n_in, packed);
  n->op->forward (&(CnnOpCall){
      .params = n->params,
      .in = in,
      .n_in = n->n_in,
      .out = outs,
      .n_out = 1,
      .packed = packed,
      .scratch = scratch,
      .kernels = cnn_kernels (),
  });
  free (packed);
  free (scratch);
  atomic_init (&buffer->refs, 1);
  value->buffer = buffer;
  value->tensor = out;
  CnnStatus status =
      cnn_graph_check_finite (value->name, &out, elements, error);
  if (status) {
    char text[CNN_NODE_TEXT];
    cnn_error_prefix (error, "%s",
        cnn_node_describe (graph, node, text, sizeof text));
  }
  return status;
}

CnnStatus
cnn_graph_fold (CnnGraph *graph, CnnError *error)
{
  CnnTensor *tensors = malloc ((graph->n_values + 1) * sizeof *tensors);
  bool *dead = calloc (graph->n_nodes + 1, sizeof *dead);
  Budget budget = { MAX_FOLDED_BYTES, MAX_FOLDED_MACS };
  CnnStatus status = CNN_OK;
  if (!tensors || !dead) {
    status = cnn_error_memory (error, graph->n_values, "folding");
    goto done;
  }

  for (size_t v = 0; v < graph->n_values; v++)
    tensors[v] = graph->values[v].tensor;
  for (size_t n = 0; n < graph->n_nodes && !status; n++) {
    CnnNode *node = &graph->nodes[n];
    if (!reads_constants_only (graph, node))
      continue;
    status = infer_node (graph, node, tensors, error);
    if (status || !afford (node, tensors, &budget))
      continue;
    status = fold_node (graph, node, tensors, error);
    if (!status)
      tensors[node->out[0]] = graph->values[node->out[0]].tensor;
    dead[n] = true;
  }
  if (!status)
    cnn_graph_remove_nodes (graph, dead);

done:
  free (dead);
  free (tensors);
  return status;
}

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
