/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* learn.c: sessions that keep every activation, and run backwards: their first
 * nodes chunk by chunk of the minibatch, the others with all of it. */

#include "graph/learn.h"

#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "graph/chunks.h"
#include "graph/compile.h"

CnnStatus
cnn_session_mark_grads (const CnnGraph *graph, const CnnLearn *learn,
    bool *wanted, CnnError *error)
{
  char text[CNN_NODE_TEXT];
  for (size_t v = 0; v < graph->n_values; v++)
    wanted[v] = learn->learned[v];

  for (size_t n = 0; n < graph->n_nodes; n++) {
    const CnnNode *node = &graph->nodes[n];
    bool any = false;
    for (int i = 0; i < node->n_in; i++)
      any = any || (node->in[i] >= 0 && wanted[node->in[i]]);
    if (any && !node->op->backward)
      return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
          "%s can't be trained: the operator has no backward pass",
          cnn_node_describe (graph, node, text, sizeof text));
    for (int i = 0; i < node->n_out && any; i++)
      if (node->out[i] >= 0)
        wanted[node->out[i]] = true;
  }
  return CNN_OK;
}

CnnStatus
cnn_session_new_learning (CnnModel *model, const CnnShape *input,
    const CnnLearn *learn, CnnPool *pool, CnnSession **session, CnnError *error)
{
  CnnTensor pictures = { .type = CNN_TYPE_FLOAT32, .shape = *input };
  CnnCompile how = {
    .inputs = &pictures,
    .n_inputs = 1,
    .pool = pool,
    .learn = learn,
  };
  return cnn_session_compile (model, &how, session, error);
}

int
cnn_session_learn_chunks (const CnnSession *session)
{
  return session->chunks->count;
}

int
cnn_session_learn_rows (const CnnSession *session, int value)
{
  return session->chunks->whole[value] ? 1 : session->chunks->count;
}

CnnTensor *
cnn_session_output_grad (CnnSession *session, int i)
{
  return &session->grads[session->graph->outputs[i]];
}

/* One way through the network. */
typedef struct
{
  CnnSession *session;
  uint64_t seed;
  float *const *const *grads;
} Pass;

/* What one thread does of it: @chunk, or all samples if it is negative. */
typedef struct
{
  const Pass *pass;
  int chunk, worker;
  bool *touched;
} Part;

/* A call whose tensors are those of a chunk. */
typedef struct
{
  CnnTensor in[CNN_MAX_NODE_TENSORS], out[CNN_MAX_NODE_TENSORS];
  CnnTensor d_in[CNN_MAX_NODE_TENSORS], d_out[CNN_MAX_NODE_TENSORS];
  const CnnTensor *ins[CNN_MAX_NODE_TENSORS];
  CnnTensor *outs[CNN_MAX_NODE_TENSORS], *d_ins[CNN_MAX_NODE_TENSORS];
  const CnnTensor *d_outs[CNN_MAX_NODE_TENSORS];
  CnnOpCall call;
} Frame;

/* Differs from run to run, node to node and chunk to chunk. */
static uint64_t
node_seed (const Part *p, size_t node)
{
  uint64_t seed = p->pass->seed + (uint64_t) (p->chunk + 1);
  return cnn_rng_mix (cnn_rng_mix (seed) ^ cnn_rng_mix (node + 1));
}

static void
fill (const Part *p, size_t n, Frame *f)
{
  const CnnSession *s = p->pass->session;
  const CnnChunks *c = s->chunks;
  const CnnNode *node = &s->graph->nodes[n];
  for (int i = 0; i < node->n_in; i++) {
    int v = node->in[i];
    f->ins[i] = v < 0 ? NULL : &f->in[i];
    if (v >= 0)
      f->in[i] = cnn_chunks_view (c, &s->tensors[v], v, p->chunk);
  }
  for (int i = 0; i < node->n_out; i++) {
    int v = node->out[i];
    f->outs[i] = v < 0 ? NULL : &f->out[i];
    if (v >= 0)
      f->out[i] = cnn_chunks_view (c, &s->tensors[v], v, p->chunk);
  }
  f->call = s->calls[n];
  f->call.in = f->ins;
  f->call.out = f->outs;
  f->call.seed = node_seed (p, n);
  if (p->chunk < 0)
    return;
  f->call.pool = NULL;
  f->call.scratch = c->scratch + (size_t) p->worker * c->scratch_bytes;
  f->call.kept = (char *) f->call.kept + (size_t) p->chunk * c->kept_bytes[n];
}

static void
run_forward (const Part *p, size_t from, size_t to)
{
  CnnSession *s = p->pass->session;
  Frame frame;
  for (size_t k = from; k < to; k++) {
    size_t n = (size_t) s->todo[k];
    fill (p, n, &frame);
    s->graph->nodes[n].op->forward (&frame.call);
  }
}

static void
forward_chunk (void *data, int chunk, int worker)
{
  const Pass *pass = data;
  run_forward (&(Part){ .pass = pass, .chunk = chunk, .worker = worker }, 0,
      pass->session->chunks->n_nodes);
}

void
cnn_session_learn_forward (CnnSession *session, uint64_t seed)
{
  Pass pass = { .session = session, .seed = seed };
  const CnnChunks *c = session->chunks;
  if (c->n_nodes)
    cnn_pool_run (session->pool, c->count, forward_chunk, &pass);
  run_forward (&(Part){ .pass = &pass, .chunk = -1 }, c->n_nodes,
      session->n_todo);
}

static int
occurrences (const CnnNode *node, int value)
{
  int count = 0;
  for (int i = 0; i < node->n_in; i++)
    count += node->in[i] == value;
  return count;
}

/* Gradient by value @v; the caller's memory if it is a constant. */
static CnnTensor
gradient (const Part *p, int v)
{
  const CnnSession *s = p->pass->session;
  CnnTensor d = cnn_chunks_view (s->chunks, &s->grads[v], v, p->chunk);
  if (s->graph->values[v].buffer)
    d.data = p->pass->grads[p->chunk < 0 ? 0 : p->chunk][v];
  return d;
}

static void
clear (const CnnTensor *d)
{
  size_t bytes;
  if (!cnn_tensor_bytes (d, &bytes))
    memset (d->data, 0, bytes);
}

/* Points to the gradients of the outputs that are not zero. Returns false if
 * all are. */
static bool
fill_outputs (const Part *p, const CnnNode *node, Frame *f)
{
  bool any = false;
  for (int i = 0; i < node->n_out; i++) {
    int v = node->out[i];
    f->d_outs[i] = NULL;
    if (v < 0 || !p->touched[v])
      continue;
    f->d_out[i] = gradient (p, v);
    f->d_outs[i] = &f->d_out[i];
    any = true;
  }
  return any;
}

/* Points to the gradients of the inputs. Returns which of them the operator is
 * to write; what it can only add to is cleared. */
static uint32_t
fill_inputs (const Part *p, const CnnNode *node, Frame *f)
{
  uint32_t fresh = 0;
  for (int i = 0; i < node->n_in; i++) {
    int v = node->in[i];
    f->d_ins[i] = NULL;
    if (v < 0 || p->pass->session->grads[v].type == CNN_TYPE_NONE)
      continue;
    f->d_in[i] = gradient (p, v);
    f->d_ins[i] = &f->d_in[i];
    if (p->touched[v])
      continue;
    if (i < 32 && (node->op->writes_fresh >> i & 1)
        && occurrences (node, v) == 1)
      fresh |= 1u << i;
    else
      clear (&f->d_in[i]);
    p->touched[v] = true;
  }
  return fresh;
}

static bool
wants_any (const CnnSession *s, const CnnNode *node)
{
  for (int i = 0; i < node->n_in; i++)
    if (node->in[i] >= 0 && s->grads[node->in[i]].type != CNN_TYPE_NONE)
      return true;
  return false;
}

static void
run_backward (const Part *p, size_t from, size_t to)
{
  CnnSession *s = p->pass->session;
  Frame frame;
  for (size_t k = to; k-- > from;) {
    size_t n = (size_t) s->todo[k];
    const CnnNode *node = &s->graph->nodes[n];
    if (!wants_any (s, node) || !fill_outputs (p, node, &frame))
      continue;
    CnnOpGrad grad = { .d_out = frame.d_outs, .d_in = frame.d_ins };
    grad.fresh = fill_inputs (p, node, &frame);
    fill (p, n, &frame);
    node->op->backward (&frame.call, &grad);
  }
}

/* Gradients by learned constants that no node has written to are zero. */
static void
clear_rest (const Part *p, bool whole)
{
  const CnnSession *s = p->pass->session;
  for (size_t v = 0; v < s->graph->n_values; v++)
    if (s->grads[v].type != CNN_TYPE_NONE && s->graph->values[v].buffer
        && s->chunks->whole[v] == whole && !p->touched[v]) {
      CnnTensor d = gradient (p, (int) v);
      clear (&d);
    }
}

/* Chunk 0 adds to what the whole minibatch has given to constants. */
static void
backward_chunk (void *data, int chunk, int worker)
{
  const Pass *pass = data;
  const CnnGraph *g = pass->session->graph;
  const CnnChunks *c = pass->session->chunks;
  Part part = {
    .pass = pass,
    .chunk = chunk,
    .worker = worker,
    .touched = c->touched + (size_t) (worker + 1) * (c->n_values + 1),
  };
  for (size_t v = 0; v < g->n_values; v++)
    part.touched[v] = c->touched[v] && (!chunk || !g->values[v].buffer);
  run_backward (&part, 0, c->n_nodes);
  clear_rest (&part, false);
}

void
cnn_session_learn_backward (CnnSession *session, uint64_t seed,
    float *const *const *grads)
{
  const CnnChunks *c = session->chunks;
  Pass pass = { .session = session, .seed = seed, .grads = grads };
  Part whole = { .pass = &pass, .chunk = -1, .touched = c->touched };
  for (size_t v = 0; v < c->n_values; v++)
    c->touched[v] = false;
  for (size_t i = 0; i < session->graph->n_outputs; i++)
    c->touched[session->graph->outputs[i]] = true;
  run_backward (&whole, c->n_nodes, session->n_todo);
  clear_rest (&whole, true);
  if (c->n_nodes)
    cnn_pool_run (session->pool, c->count, backward_chunk, &pass);
}
