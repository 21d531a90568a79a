/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* chunks.c: cuts a network that learns: operators that treat each sample for
 * itself take chunks of a minibatch, up to the first that does not. */

#include "graph/chunks.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"

int
cnn_chunks_samples (const CnnChunks *c, int i)
{
  int left = c->batch - i * CNN_LEARN_CHUNK;
  return left < CNN_LEARN_CHUNK ? left : CNN_LEARN_CHUNK;
}

CnnTensor
cnn_chunks_view (const CnnChunks *c, const CnnTensor *tensor, int v, int i)
{
  CnnTensor view = *tensor;
  size_t bytes;
  if (i < 0 || !c->sampled[v])
    return view;
  if (view.data && !cnn_tensor_bytes (&view, &bytes))
    view.data = (char *) view.data
        + bytes / (size_t) c->batch * (size_t) (i * CNN_LEARN_CHUNK);
  view.shape.dims[0] = cnn_chunks_samples (c, i);
  return view;
}

static bool
has_samples (const CnnChunks *c, const CnnTensor *tensor)
{
  return tensor->shape.rank > 0 && tensor->shape.dims[0] == c->batch;
}

/* Does what is not of the minibatch mean the same for each of its samples? */
static bool
suits_all (const CnnTensor *tensor, const CnnTensor *y, CnnSamples samples)
{
  return samples == CNN_SAMPLES_APART || tensor->shape.rank < y->shape.rank
      || tensor->shape.dims[0] == 1;
}

static bool
takes_chunks (const CnnChunks *c, const CnnChunkPlan *p, const CnnNode *node)
{
  CnnSamples samples = node->op->samples ? node->op->samples (node->params) : 0;
  bool any = false;
  if (samples == CNN_SAMPLES_TOGETHER || node->out[0] < 0)
    return false;
  const CnnTensor *y = &p->tensors[node->out[0]];
  for (int i = 0; i < node->n_out; i++)
    if (node->out[i] >= 0 && !has_samples (c, &p->tensors[node->out[i]]))
      return false;
  for (int i = 0; i < node->n_in; i++) {
    int v = node->in[i];
    if (v < 0)
      continue;
    any = any || c->sampled[v];
    if (c->sampled[v] ? samples == CNN_SAMPLES_STRETCHED
                && p->tensors[v].shape.rank != y->shape.rank
                      : !suits_all (&p->tensors[v], y, samples))
      return false;
  }
  return any;
}

static void
cut (CnnChunks *c, const CnnChunkPlan *p)
{
  int x = p->graph->inputs[0];
  c->batch = (int) p->tensors[x].shape.dims[0];
  c->count = (c->batch + CNN_LEARN_CHUNK - 1) / CNN_LEARN_CHUNK;
  c->sampled[x] = true;
  for (size_t v = 0; v < c->n_values; v++)
    c->whole[v] = true;
  for (size_t k = 0; k < p->n_todo; k++, c->n_nodes++) {
    const CnnNode *node = &p->graph->nodes[p->todo[k]];
    if (!takes_chunks (c, p, node))
      return;
    for (int i = 0; i < node->n_out; i++)
      if (node->out[i] >= 0)
        c->sampled[node->out[i]] = true;
    for (int i = 0; i < node->n_in; i++)
      if (node->in[i] >= 0)
        c->whole[node->in[i]] = false;
  }
}

/* Memory of a node that takes chunks. */
static void
measure (CnnChunks *c, const CnnChunkPlan *p, int n)
{
  const CnnNode *node = &p->graph->nodes[n];
  CnnTensor views[CNN_MAX_NODE_TENSORS], y;
  const CnnTensor *in[CNN_MAX_NODE_TENSORS];
  for (int i = 0; i < node->n_in; i++) {
    int v = node->in[i];
    in[i] = v < 0 ? NULL : &views[i];
    if (v >= 0)
      views[i] = cnn_chunks_view (c, &p->tensors[v], v, 0);
  }
  y = cnn_chunks_view (c, &p->tensors[node->out[0]], node->out[0], 0);
  size_t bytes = node->op->scratch_bytes
      ? node->op->scratch_bytes (node->params, in, node->n_in, &y, 0, NULL, 1)
      : 0;
  bytes = cnn_align_up (bytes + CNN_SLACK_BYTES);
  c->scratch_bytes = bytes > c->scratch_bytes ? bytes : c->scratch_bytes;
  if (node->op->kept_bytes)
    c->kept_bytes[n] =
        cnn_align_up (node->op->kept_bytes (node->params, in, &y));
}

CnnStatus
cnn_chunks_new (const CnnChunkPlan *plan, CnnChunks **chunks, CnnError *error)
{
  CnnChunks *c = calloc (1, sizeof *c);
  if (!c)
    return cnn_error_memory (error, sizeof *c, "chunks");
  c->n_values = plan->graph->n_values;
  c->n_workers = cnn_pool_threads (plan->pool);
  c->sampled = calloc (c->n_values + 1, sizeof *c->sampled);
  c->whole = calloc (c->n_values + 1, sizeof *c->whole);
  c->kept_bytes = calloc (plan->graph->n_nodes + 1, sizeof *c->kept_bytes);
  c->touched = calloc ((size_t) c->n_workers + 1,
      (c->n_values + 1) * sizeof *c->touched);
  if (c->sampled && c->whole && c->kept_bytes && c->touched) {
    cut (c, plan);
    for (size_t k = 0; k < c->n_nodes; k++)
      measure (c, plan, plan->todo[k]);
    c->scratch = cnn_aligned_alloc ((size_t) c->n_workers * c->scratch_bytes);
  }
  if (!c->scratch) {
    cnn_chunks_free (c);
    return cnn_error_memory (error, plan->graph->n_values, "chunks");
  }
  *chunks = c;
  return CNN_OK;
}

void
cnn_chunks_free (CnnChunks *chunks)
{
  if (!chunks)
    return;
  free (chunks->scratch);
  free (chunks->touched);
  free (chunks->kept_bytes);
  free (chunks->whole);
  free (chunks->sampled);
  free (chunks);
}
