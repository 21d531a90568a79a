/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* compute.c: running one node outside of a session, for folding constants and
 * for shape arithmetic. */

#include "graph/compute.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/size.h"
#include "kernels/kernels.h"

static bool
tensor_bytes (const CnnTensor *tensor, size_t *elements, size_t *bytes)
{
  return !cnn_shape_elements (&tensor->shape, elements)
      && cnn_size_mul (*elements, cnn_type_bytes (tensor->type), bytes);
}

bool
cnn_node_cost (const CnnNode *node, const CnnTensor *tensors, size_t *bytes,
    uint64_t *macs)
{
  const CnnTensor *in[CNN_MAX_NODE_TENSORS];
  cnn_node_inputs (node, tensors, in);
  *bytes = 0;
  *macs = 0;
  for (int i = 0; i < node->n_out; i++) {
    size_t elements, more;
    if (node->out[i] < 0)
      continue;
    if (!tensor_bytes (&tensors[node->out[i]], &elements, &more)
        || !cnn_size_add (*bytes, more, bytes))
      return false;
    *macs += elements;
  }
  if (node->op->scratch_bytes && node->out[0] >= 0
      && !cnn_size_add (*bytes,
          node->op->scratch_bytes (node->params, in, node->n_in,
              &tensors[node->out[0]], NULL, 0),
          bytes))
    return false;
  if (node->op->macs && node->out[0] >= 0)
    *macs +=
        node->op->macs (node->params, in, node->n_in, &tensors[node->out[0]]);
  return true;
}

static CnnStatus
allocate_outputs (const CnnNode *node, const CnnTensor *tensors, CnnTensor *out,
    CnnTensor **outs, CnnError *error)
{
  CnnStatus status = CNN_OK;
  for (int i = 0; i < node->n_out; i++) {
    size_t elements, bytes = 0;
    out[i] = (CnnTensor){ 0 };
    outs[i] = NULL;
    if (node->out[i] < 0 || status)
      continue;
    out[i] = tensors[node->out[i]];
    outs[i] = &out[i];
    out[i].data = tensor_bytes (&out[i], &elements, &bytes)
        ? cnn_aligned_alloc (bytes)
        : NULL;
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
      ? op->scratch_bytes (node->params, in, node->n_in, y, NULL, 0)
      : 0;
  size_t packed_bytes =
      op->packed_bytes ? op->packed_bytes (node->params, in, node->n_in) : 0;
  void *scratch = cnn_aligned_alloc (scratch_bytes);
  void *packed = cnn_aligned_alloc (packed_bytes);
  CnnStatus status = allocate_outputs (node, tensors, out, outs, error);
  if (!status && (!scratch || !packed))
    status = cnn_error_memory (error, scratch_bytes, "scratch");

  if (!status) {
    if (packed_bytes)
      op->pack (node->params, in, node->n_in, packed);
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
