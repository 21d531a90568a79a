/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* compute.c: running one node outside of a session, for folding constants and
 * for shape arithmetic. */

#include "graph/compute.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/size.h"
#include "kernels/kernels.h"

/* Returns false if a size is open, or too large. */
static bool
node_cost (const CnnNode *node, const CnnTensor *tensors, CnnCost *cost)
{
  const CnnTensor *in[CNN_MAX_NODE_TENSORS];
  const CnnOp *op = node->op;
  cnn_node_inputs (node, tensors, in);
  *cost = (CnnCost){ 0, 0 };
  for (int i = 0; i < node->n_out; i++) {
    const CnnTensor *y = node->out[i] < 0 ? NULL : &tensors[node->out[i]];
    size_t elements, bytes;
    if (!y)
      continue;
    if (cnn_shape_elements (&y->shape, &elements)
        || cnn_tensor_bytes (y, &bytes)
        || !cnn_size_add (cost->bytes, bytes, &cost->bytes))
      return false;
    cost->macs += elements;
  }
  if (node->out[0] < 0)
    return true;
  const CnnTensor *y = &tensors[node->out[0]];
  if (op->macs)
    cost->macs += op->macs (node->params, in, node->n_in, y);
  return !op->scratch_bytes
      || cnn_size_add (cost->bytes,
          op->scratch_bytes (node->params, in, node->n_in, y, 0, NULL, 0),
          &cost->bytes);
}

bool
cnn_node_afford (const CnnNode *node, const CnnTensor *tensors,
    const CnnCost *limit, CnnCost *spent)
{
  CnnCost cost;
  if (!node_cost (node, tensors, &cost)
      || cost.bytes > limit->bytes - spent->bytes
      || cost.macs > limit->macs - spent->macs)
    return false;
  spent->bytes += cost.bytes;
  spent->macs += cost.macs;
  return true;
}

static CnnStatus
allocate_outputs (const CnnNode *node, const CnnTensor *tensors, CnnTensor *out,
    CnnTensor **outs, CnnError *error)
{
  CnnStatus status = CNN_OK;
  for (int i = 0; i < node->n_out; i++) {
    size_t bytes = 0;
    out[i] = (CnnTensor){ 0 };
    outs[i] = NULL;
    if (node->out[i] < 0 || status)
      continue;
    out[i] = tensors[node->out[i]];
    outs[i] = &out[i];
    out[i].data =
        cnn_tensor_bytes (&out[i], &bytes) ? NULL : cnn_aligned_alloc (bytes);
    if (!out[i].data)
      status = cnn_error_memory (error, bytes, "a constant");
  }
  return status;
}

CnnStatus
cnn_node_compute (const CnnNode *node, const CnnTensor *tensors, CnnTensor *out,
    CnnError *error)
{
  const CnnOp *op = node->op;
  const CnnTensor *in[CNN_MAX_NODE_TENSORS], none = { 0 };
  CnnTensor *outs[CNN_MAX_NODE_TENSORS];
  cnn_node_inputs (node, tensors, in);
  const CnnTensor *y = node->out[0] < 0 ? &none : &tensors[node->out[0]];
  size_t scratch_bytes = op->scratch_bytes
      ? op->scratch_bytes (node->params, in, node->n_in, y, 0, NULL, 0)
      : 0;
  size_t packed_bytes =
      op->packed_bytes ? op->packed_bytes (node->params, in, node->n_in, 0) : 0;
  void *scratch = cnn_aligned_alloc (scratch_bytes);
  void *packed = cnn_aligned_alloc (packed_bytes);
  CnnStatus status = allocate_outputs (node, tensors, out, outs, error);
  if (!status && (!scratch || !packed))
    status = cnn_error_memory (error, scratch_bytes, "scratch");

  if (!status) {
    if (packed_bytes)
      op->pack (node->params, in, node->n_in, 0, packed);
    op->forward (&(CnnOpCall){
        .params = node->params,
        .in = in,
        .n_in = node->n_in,
        .out = outs,
        .n_out = node->n_out,
        .packed = packed_bytes ? packed : NULL,
        .scratch = scratch,
        .kernels = cnn_kernels (),
    });
  }
  for (int i = 0; i < node->n_out && status; i++)
    free (out[i].data);
  free (packed);
  free (scratch);
  return status;
}
