/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* compile.c: shapes, places and memory of a session, once, so that running it
 * is a walk over an array of calls. */

#include "graph/compile.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/size.h"
#include "graph/plan.h"
#include "kernels/kernels.h"

/* Blocks of the plan: one for each value, for its gradient, for each node's
 * scratch and what it keeps for its backward pass, in that order. @kept: where values' blocks that
 * lie outside the arena begin in @kept_bytes of their own, else -1. */
typedef struct
{
  CnnSession *session;
  const CnnCompile *how;
  size_t n_values, n_nodes;
  CnnLifetime *blocks;
  int *root;
  bool *wanted, *runs;
  int64_t *kept;
  size_t kept_bytes;
} Planner;

static CnnLifetime *
value_block (Planner *p, int v)
{
  return &p->blocks[p->root[v]];
}

static CnnLifetime *
grad_block (Planner *p, size_t v)
{
  return &p->blocks[p->n_values + v];
}

static CnnLifetime *
scratch_block (Planner *p, size_t n)
{
  return &p->blocks[2 * p->n_values + n];
}

static CnnLifetime *
memory_block (Planner *p, size_t n)
{
  return &p->blocks[2 * p->n_values + p->n_nodes + n];
}

static CnnStatus
tensor_bytes (const CnnGraph *graph, const CnnTensor *tensors, size_t v,
    size_t *bytes, CnnError *error)
{
  char text[160];
  const CnnTensor *t = &tensors[v];
  if (cnn_tensor_bytes (t, bytes))
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "the size of '%s' is still open: %s", graph->values[v].name,
        cnn_shape_format (&t->shape, text, sizeof text));
  return CNN_OK;
}

static bool
is_output (const CnnGraph *graph, int v)
{
  for (size_t i = 0; i < graph->n_outputs; i++)
    if (graph->outputs[i] == v)
      return true;
  return false;
}

/* May node @n overwrite its first input? Only if nobody else reads it. */
static bool
works_in_place (Planner *p, const CnnNode *node, const int *readers)
{
  const CnnGraph *g = p->session->graph;
  const CnnTensor *t = p->session->tensors;
  if (p->how->learn || p->how->incremental || !node->op->inplace || !node->n_in
      || node->in[0] < 0 || node->out[0] < 0)
    return false;
  int in = node->in[0], out = node->out[0];
  size_t a, b;
  return !t[in].data && readers[in] == 1 && !is_output (g, in)
      && t[in].type == t[out].type && !cnn_shape_elements (&t[in].shape, &a)
      && !cnn_shape_elements (&t[out].shape, &b) && a == b;
}

static void
extend (CnnLifetime *block, int node)
{
  if (node < block->first)
    block->first = node;
  if (node > block->last)
    block->last = node;
}

/* Lifetimes of values from who writes and who reads them. */
static CnnStatus
plan_values (Planner *p, CnnError *error)
{
  CnnSession *s = p->session;
  const CnnGraph *g = s->graph;
  int end = (int) p->n_nodes;
  int *readers = calloc (p->n_values + 1, sizeof *readers);
  CnnStatus status = CNN_OK;
  if (!readers)
    return cnn_error_memory (error, p->n_values, "readers");
  for (size_t k = 0; k < s->n_todo; k++) {
    const CnnNode *node = &g->nodes[s->todo[k]];
    for (int i = 0; i < node->n_in; i++)
      if (node->in[i] >= 0)
        readers[node->in[i]]++;
  }

  for (size_t v = 0; v < p->n_values; v++) {
    p->root[v] = (int) v;
    p->blocks[v] = (CnnLifetime){ .first = end, .last = -1 };
  }
  for (size_t k = 0; k < s->n_todo; k++) {
    int n = s->todo[k];
    const CnnNode *node = &g->nodes[n];
    if (works_in_place (p, node, readers))
      p->root[node->out[0]] = p->root[node->in[0]];
    for (int i = 0; i < node->n_in; i++)
      if (node->in[i] >= 0)
        extend (value_block (p, node->in[i]), n);
    for (int i = 0; i < node->n_out; i++)
      if (node->out[i] >= 0)
        extend (value_block (p, node->out[i]), n);
  }
  for (size_t i = 0; i < g->n_inputs; i++)
    extend (value_block (p, g->inputs[i]), 0);
  for (size_t i = 0; i < g->n_outputs; i++)
    extend (value_block (p, g->outputs[i]), end);

  for (size_t v = 0; v < p->n_values && !status; v++) {
    const CnnValue *value = &g->values[v];
    CnnLifetime *block = value_block (p, (int) v);
    if (s->tensors[v].data || block->last < 0)
      continue;
    status = tensor_bytes (g, s->tensors, v, &block->bytes, error);
    if (p->how->learn)
      *block = (CnnLifetime){ 0, end, block->bytes, 0 };
    if (!status
        && !cnn_size_add (s->memory.sum_bytes, block->bytes,
            &s->memory.sum_bytes))
      status = cnn_error_memory (error, block->bytes, value->name);
  }
  free (readers);
  return status;
}

/* Gives value @v memory outside of the arena. */
static CnnStatus
keep_value (Planner *p, int v, CnnError *error)
{
  int root = p->root[v];
  CnnLifetime *block = &p->blocks[root];
  if (p->kept[root] >= 0)
    return CNN_OK;
  if (block->bytes > CNN_MAX_ARENA_BYTES
      || p->kept_bytes + block->bytes > CNN_MAX_ARENA_BYTES)
    return cnn_error_memory (error, block->bytes,
        p->session->graph->values[v].name);
  p->kept[root] = (int64_t) p->kept_bytes;
  p->kept_bytes += cnn_align_up (block->bytes);
  block->bytes = 0;
  return CNN_OK;
}

/* What is wanted after the run: outputs, out of an arena that others use before
 * they have been read; everything, where only changes will be computed. */
static CnnStatus
keep_values (Planner *p, CnnError *error)
{
  const CnnSession *s = p->session;
  const CnnGraph *g = s->graph;
  CnnStatus status = CNN_OK;
  for (size_t i = 0; i < g->n_outputs && p->how->arena && !status; i++)
    status = keep_value (p, g->outputs[i], error);
  for (size_t v = 0; v < p->n_values && p->how->incremental && !status; v++)
    if (!s->tensors[v].data && value_block (p, (int) v)->bytes)
      status = keep_value (p, (int) v, error);
  return status;
}

/* What packing and scratch go by: constants of the model have data, which
 * was packed with it; values that only this session knows have not. */
static void
call_inputs (const CnnSession *s, const CnnNode *node, CnnTensor *copies,
    const CnnTensor **in)
{
  for (int i = 0; i < node->n_in; i++) {
    int v = node->in[i];
    in[i] = v < 0 ? NULL : &copies[i];
    if (v < 0)
      continue;
    copies[i] = s->tensors[v];
    if (!s->graph->values[v].buffer && !(i < 32 && node->op->value_in >> i & 1))
      copies[i].data = NULL;
  }
}

/* Training sums as the definition says. */
static int
variant_of (const Planner *p, const CnnNode *node, const CnnTensor *const *in,
    const CnnTensor *out)
{
  if (!node->op->variant || !out || p->how->learn)
    return 0;
  return node->op->variant (node->params, in, node->n_in, out,
      p->how->precision);
}

static void
plan_nodes (Planner *p)
{
  const CnnGraph *g = p->session->graph;
  for (size_t n = 0; n < p->n_nodes; n++) {
    const CnnNode *node = &g->nodes[n];
    const CnnTensor *in[CNN_MAX_NODE_TENSORS];
    const CnnTensor *out =
        node->out[0] < 0 ? NULL : &p->session->tensors[node->out[0]];
    CnnTensor copies[CNN_MAX_NODE_TENSORS];
    call_inputs (p->session, node, copies, in);
    *scratch_block (p, n) = (CnnLifetime){ (int) n, (int) n, 0, 0 };
    *memory_block (p, n) = (CnnLifetime){ 0, (int) p->n_nodes, 0, 0 };
    if (!p->runs[n])
      continue;
    int variant = variant_of (p, node, in, out);
    p->session->calls[n].variant = variant;
    if (node->op->scratch_bytes && out)
      scratch_block (p, n)->bytes = node->op->scratch_bytes (node->params, in,
          node->n_in, out, variant, p->how->pool, p->how->learn != NULL);
    if (p->session->redo) {
      p->session->redo[n] = cnn_redo_plan (node, p->session->tensors);
      scratch_block (p, n)->bytes += cnn_redo_scratch_bytes (node,
          &p->session->redo[n], p->session->tensors);
    }
    if (p->how->learn && node->op->kept_bytes)
      memory_block (p, n)->bytes = node->op->kept_bytes (node->params, in, out);
  }
  const CnnChunks *chunks = p->session->chunks;
  for (size_t k = 0; chunks && k < chunks->n_nodes; k++) {
    size_t n = (size_t) p->session->todo[k];
    scratch_block (p, n)->bytes = 0;
    memory_block (p, n)->bytes = (size_t) chunks->count * chunks->kept_bytes[n];
  }
}

static CnnStatus
plan_chunks (CnnSession *s, const CnnCompile *how, CnnError *error)
{
  return cnn_chunks_new (
      &(CnnChunkPlan){
          .graph = s->graph,
          .tensors = s->tensors,
          .todo = s->todo,
          .n_todo = s->n_todo,
          .pool = how->pool,
      },
      &s->chunks, error);
}

static CnnStatus
plan_grads (Planner *p, CnnError *error)
{
  const CnnGraph *g = p->session->graph;
  int end = (int) p->n_nodes;
  CnnStatus status = CNN_OK;
  for (size_t v = 0; v < p->n_values; v++)
    *grad_block (p, v) = (CnnLifetime){ 0, end, 0, 0 };
  if (!p->how->learn)
    return CNN_OK;
  status = cnn_session_mark_grads (g, p->how->learn, p->wanted, error);
  for (size_t v = 0; v < p->n_values && !status; v++)
    if (p->wanted[v] && !g->values[v].buffer)
      status = tensor_bytes (g, p->session->tensors, v,
          &grad_block (p, v)->bytes, error);
  return status;
}

static CnnStatus
plan_memory (Planner *p, CnnError *error)
{
  CnnSession *s = p->session;
  size_t count = 2 * p->n_values + 2 * p->n_nodes;
  CnnStatus status = plan_values (p, error);
  if (!status)
    status = plan_grads (p, error);
  if (!status)
    status = keep_values (p, error);
  if (!status)
    plan_nodes (p);
  if (!status
      && cnn_plan (p->blocks, count, &s->memory.arena_bytes,
          &s->memory.live_bytes))
    status = cnn_error_set (error, CNN_ERROR_MEMORY,
        "the activations are too large to plan memory for");
  if (!status && s->memory.arena_bytes > CNN_MAX_ARENA_BYTES)
    status = cnn_error_set (error, CNN_ERROR_MEMORY,
        "the activations would take %zu MiB, the limit is %zu MiB",
        s->memory.arena_bytes >> 20, CNN_MAX_ARENA_BYTES >> 20);
  return status;
}

static char *
value_place (Planner *p, int v)
{
  const CnnSession *s = p->session;
  int64_t kept = p->kept[p->root[v]];
  return kept < 0 ? s->arena + value_block (p, v)->offset : s->kept + kept;
}

static void
place_tensors (Planner *p)
{
  CnnSession *s = p->session;
  const CnnGraph *g = s->graph;
  for (size_t v = 0; v < p->n_values; v++) {
    const CnnValue *value = &g->values[v];
    if (!s->tensors[v].data && (value->is_input || value->producer >= 0))
      s->tensors[v].data = value_place (p, (int) v);
    else if (s->chunks && s->learn.weights[v])
      s->tensors[v].data = s->learn.weights[v];
    if (!s->chunks || !p->wanted[v])
      continue;
    s->grads[v] = s->tensors[v];
    s->grads[v].data =
        value->buffer ? NULL : s->arena + grad_block (p, v)->offset;
  }
}

static CnnStatus
pack_weights (Planner *p, CnnError *error)
{
  CnnSession *s = p->session;
  CnnStatus status = CNN_OK;
  for (size_t k = 0; k < s->n_todo && !status; k++) {
    int n = s->todo[k];
    const CnnTensor *in[CNN_MAX_NODE_TENSORS];
    CnnTensor copies[CNN_MAX_NODE_TENSORS];
    call_inputs (s, &s->graph->nodes[n], copies, in);
    status = cnn_model_pack (s->model, n, s->calls[n].variant, in,
        &s->calls[n].packed, error);
  }
  return status;
}

static void
make_calls (Planner *p)
{
  CnnSession *s = p->session;
  const CnnTensor **ins = s->ins;
  CnnTensor **outs = s->outs;
  for (size_t n = 0; n < p->n_nodes; n++) {
    const CnnNode *node = &s->graph->nodes[n];
    CnnOpCall *call = &s->calls[n];
    *call = (CnnOpCall){
      .variant = call->variant,
      .packed = call->packed,
      .params = node->params,
      .in = ins,
      .n_in = node->n_in,
      .out = outs,
      .n_out = node->n_out,
      .scratch = s->arena + scratch_block (p, n)->offset,
      .kept = s->arena + memory_block (p, n)->offset,
      .kernels = cnn_kernels (),
      .pool = p->how->pool,
      .training = s->chunks != NULL,
    };
    if (s->redo)
      s->redo[n].crops = call->scratch;
    for (int i = 0; i < node->n_in; i++)
      *ins++ = node->in[i] < 0 ? NULL : &s->tensors[node->in[i]];
    for (int i = 0; i < node->n_out; i++)
      *outs++ = node->out[i] < 0 ? NULL : &s->tensors[node->out[i]];
  }
}

static void
count_slots (const CnnGraph *g, size_t *n_in, size_t *n_out)
{
  *n_in = *n_out = 1;
  for (size_t n = 0; n < g->n_nodes; n++) {
    *n_in += (size_t) g->nodes[n].n_in;
    *n_out += (size_t) g->nodes[n].n_out;
  }
}

static bool
allocate (CnnSession *s, const CnnCompile *how)
{
  size_t n_in, n_out;
  const CnnGraph *g = s->graph;
  count_slots (g, &n_in, &n_out);
  s->tensors = calloc (g->n_values + 1, sizeof *s->tensors);
  s->places = calloc (g->n_values + 1, sizeof *s->places);
  s->todo = calloc (g->n_nodes + 1, sizeof *s->todo);
  s->calls = calloc (g->n_nodes + 1, sizeof *s->calls);
  s->ins = calloc (n_in, sizeof *s->ins);
  s->outs = calloc (n_out, sizeof *s->outs);
  if (how->incremental) {
    s->redo = calloc (g->n_nodes + 1, sizeof *s->redo);
    s->changes = calloc (g->n_values + 1, sizeof *s->changes);
    if (!s->redo || !s->changes)
      return false;
  }
  if (how->learn) {
    s->grads = calloc (g->n_values + 1, sizeof *s->grads);
    if (!s->grads)
      return false;
  }
  return s->tensors && s->places && s->todo && s->calls && s->ins && s->outs;
}

static CnnStatus
check_input (const CnnValue *x, const CnnTensor *input, CnnError *error)
{
  char have[160], want[160];
  if (input->type != x->tensor.type)
    return cnn_error_set (error, CNN_ERROR_SHAPE, "input '%s' is %s, not %s",
        x->name, cnn_type_name (x->tensor.type), cnn_type_name (input->type));
  bool fits = true;
  for (int i = 0; i < input->shape.rank && fits; i++)
    fits = input->shape.dims[i] >= 0 && input->shape.dims[i] <= INT32_MAX;
  if (!fits)
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "input '%s': %s is no size of a %s", x->name,
        cnn_shape_format (&input->shape, have, sizeof have),
        cnn_shape_format (&x->tensor.shape, want, sizeof want));
  return CNN_OK;
}

static CnnStatus
check_inputs (const CnnGraph *g, const CnnCompile *how, CnnError *error)
{
  CnnStatus status = CNN_OK;
  if ((size_t) how->n_inputs != g->n_inputs)
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "the network has %zu inputs, %d are given", g->n_inputs, how->n_inputs);
  for (size_t i = 0; i < g->n_inputs && !status; i++)
    status = check_input (&g->values[g->inputs[i]], &how->inputs[i], error);
  return status;
}

/* Which nodes have to run: those whose results are needed and not known. */
static CnnStatus
list_todo (CnnSession *s, bool *runs, CnnError *error)
{
  const CnnGraph *g = s->graph;
  bool *needed = calloc (g->n_values + 1, sizeof *needed);
  if (!needed)
    return cnn_error_memory (error, g->n_values, "a plan");
  cnn_graph_mark_needed (g, s->tensors, needed, runs);
  free (needed);
  for (size_t n = 0; n < g->n_nodes; n++)
    if (runs[n])
      s->todo[s->n_todo++] = (int) n;
  return CNN_OK;
}

static CnnStatus
take_memory (Planner *p, CnnError *error)
{
  CnnSession *s = p->session;
  CnnArena *arena = p->how->arena;
  size_t bytes = s->memory.arena_bytes;
  if (!arena && cnn_arena_new (&s->own_arena))
    return cnn_error_memory (error, bytes, "the activations");
  s->arena = cnn_arena_take (arena ? arena : s->own_arena, bytes);
  s->kept = cnn_aligned_alloc (p->kept_bytes);
  if (!s->arena || !s->kept)
    return cnn_error_memory (error, bytes + p->kept_bytes, "the activations");
  s->memory.arena_bytes += p->kept_bytes;
  return CNN_OK;
}

/* Memory of the planner and the session's arena. */
static CnnStatus
plan_and_place (CnnSession *s, const CnnCompile *how, CnnError *error)
{
  Planner p = {
    .session = s,
    .how = how,
    .n_values = s->graph->n_values,
    .n_nodes = s->graph->n_nodes,
  };
  size_t count = 2 * p.n_values + 2 * p.n_nodes;
  CnnStatus status = CNN_OK;
  p.blocks = calloc (count + 1, sizeof *p.blocks);
  p.root = calloc (p.n_values + 1, sizeof *p.root);
  p.wanted = calloc (p.n_values + 1, sizeof *p.wanted);
  p.runs = calloc (p.n_nodes + 1, sizeof *p.runs);
  p.kept = malloc ((p.n_values + 1) * sizeof *p.kept);
  if (!p.blocks || !p.root || !p.wanted || !p.runs || !p.kept)
    status = cnn_error_memory (error, count * sizeof *p.blocks, "a plan");
  for (size_t v = 0; v < p.n_values && p.kept; v++)
    p.kept[v] = -1;
  if (!status)
    status = list_todo (s, p.runs, error);
  if (!status && how->learn)
    status = plan_chunks (s, how, error);
  if (!status)
    status = plan_memory (&p, error);
  if (!status && !how->info_only && !how->learn)
    status = pack_weights (&p, error);
  s->memory.weight_bytes = cnn_model_weight_bytes (s->model);
  if (!status && !how->info_only)
    status = take_memory (&p, error);
  if (!status && !how->info_only) {
    place_tensors (&p);
    make_calls (&p);
  }
  free (p.kept);
  free (p.runs);
  free (p.wanted);
  free (p.root);
  free (p.blocks);
  return status;
}

/* What learns has fewer operators fused than what runs. */
static CnnStatus
make_learner (CnnSession *s, const CnnCompile *how, CnnError *error)
{
  CnnStatus status =
      cnn_graph_copy (cnn_model_graph (s->model), &s->learner, error);
  if (status)
    return status;
  cnn_graph_fuse (s->learner, true);
  s->graph = s->learner;
  s->learn = *how->learn;
  s->pool = how->pool;
  return CNN_OK;
}

CnnStatus
cnn_session_compile (CnnModel *model, const CnnCompile *how,
    CnnSession **session, CnnError *error)
{
  CnnSession *s = calloc (1, sizeof *s);
  if (!s)
    return cnn_error_memory (error, sizeof *s, "a session");
  s->model = cnn_model_ref (model);
  s->graph =
      how->info_only ? cnn_model_graph (model) : cnn_model_program (model);
  CnnStatus status = how->learn ? make_learner (s, how, error) : CNN_OK;
  if (!status)
    status = check_inputs (s->graph, how, error);
  if (!status && !allocate (s, how))
    status = cnn_error_memory (error, s->graph->n_values, "a session");
  if (!status)
    status =
        cnn_graph_infer (s->graph, how->inputs, &s->known, s->tensors, error);
  if (!status)
    status = cnn_graph_geometry (s->graph, s->tensors, s->places, error);
  if (!status)
    status = plan_and_place (s, how, error);
  if (status) {
    cnn_session_free (s);
    return status;
  }
  *session = s;
  return CNN_OK;
}
