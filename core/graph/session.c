/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* session.c: a model compiled for one input size: running it, and facts about
 * its layers. */

#include "graph/compile.h"

#include <stdlib.h>

#include "base/error.h"
#include "kernels/kernels.h"
#include "ops/table.h"

CnnStatus
cnn_session_new_with_inputs (CnnModel *model, const CnnTensor *inputs,
    int n_inputs, const CnnSessionOptions *options, CnnSession **session,
    CnnError *error)
{
  CnnCompile how = {
    .inputs = inputs,
    .n_inputs = n_inputs,
    .pool = options ? options->pool : NULL,
    .arena = options ? options->arena : NULL,
    .precision = options ? options->precision : CNN_PRECISION_FAST,
    .info_only = options && options->info_only,
    .incremental = options && options->incremental,
  };
  return cnn_session_compile (model, &how, session, error);
}

CnnStatus
cnn_session_new (CnnModel *model, const CnnShape *input,
    const CnnSessionOptions *options, CnnSession **session, CnnError *error)
{
  CnnTensor picture = { .type = CNN_TYPE_FLOAT32, .shape = *input };
  char have[160], want[160];
  const char *name;
  CnnTensor x;
  if (cnn_model_n_inputs (model) == 1) {
    cnn_model_input (model, 0, &name, &x);
    if (x.shape.rank != input->rank)
      return cnn_error_set (error, CNN_ERROR_SHAPE,
          "input '%s': a tensor of %s is no %s", name,
          cnn_shape_format (input, have, sizeof have),
          cnn_shape_format (&x.shape, want, sizeof want));
    picture.type = x.type;
  }
  return cnn_session_new_with_inputs (model, &picture, 1, options, session,
      error);
}

void
cnn_session_free (CnnSession *session)
{
  if (!session)
    return;
  cnn_chunks_free (session->chunks);
  free (session->grads);
  free (session->changes);
  free (session->redo);
  free (session->kept);
  cnn_arena_free (session->own_arena);
  free (session->outs);
  free (session->ins);
  free (session->calls);
  free (session->places);
  cnn_known_clear (&session->known);
  free (session->todo);
  free (session->tensors);
  cnn_graph_free (session->learner);
  cnn_model_unref (session->model);
  free (session);
}

int
cnn_session_n_inputs (const CnnSession *session)
{
  return (int) session->graph->n_inputs;
}

CnnTensor *
cnn_session_input (CnnSession *session, int i)
{
  return &session->tensors[session->graph->inputs[i]];
}

int
cnn_session_n_outputs (const CnnSession *session)
{
  return (int) session->graph->n_outputs;
}

const CnnTensor *
cnn_session_output (const CnnSession *session, int i)
{
  return &session->tensors[session->graph->outputs[i]];
}

static void
run_node (CnnSession *session, int n)
{
  session->graph->nodes[n].op->forward (&session->calls[n]);
  session->calls[n].turn++;
}

void
cnn_session_run (CnnSession *session)
{
  for (size_t i = 0; i < session->n_todo; i++) {
    int n = session->todo[i];
    run_node (session, n);
  }
  session->has_run = true;
  session->changed.all = true;
}

/* What the caller says of the inputs; everything else has not changed yet. */
static void
begin_changes (CnnSession *s, const CnnRegion *changed, int n_changed)
{
  const CnnGraph *g = s->graph;
  for (size_t v = 0; v < g->n_values; v++) {
    s->changes[v].all = false;
    s->changes[v].regions.count = 0;
  }
  for (size_t i = 1; i < g->n_inputs; i++)
    s->changes[g->inputs[i]].all = true;
  const CnnTensor *x = &s->tensors[g->inputs[0]];
  CnnChange *change = &s->changes[g->inputs[0]];
  change->all = x->shape.rank != 4 || x->shape.dims[0] != 1;
  for (int i = 0; i < n_changed && !change->all; i++) {
    CnnRegion r = cnn_region_clip (&changed[i], (int) x->shape.dims[3],
        (int) x->shape.dims[2]);
    cnn_regions_add (&change->regions, &r, 0);
  }
}

void
cnn_session_run_changed (CnnSession *session, const CnnRegion *changed,
    int n_changed)
{
  const CnnGraph *g = session->graph;
  if (!session->redo || !session->has_run) {
    cnn_session_run (session);
    return;
  }
  begin_changes (session, changed, n_changed);
  for (size_t i = 0; i < session->n_todo; i++) {
    int n = session->todo[i];
    cnn_redo_run (&g->nodes[n], &session->redo[n], &session->calls[n],
        session->changes);
  }
  session->changed = session->changes[g->outputs[0]];
}

const CnnChange *
cnn_session_changes (const CnnSession *session)
{
  return &session->changed;
}

void
cnn_session_run_watched (CnnSession *session,
    void (*watch) (void *data, int layer), void *data)
{
  for (size_t i = 0; i < session->n_todo; i++) {
    int n = session->todo[i];
    run_node (session, n);
    watch (data, n);
  }
}

double
cnn_peak_flops (long rounds)
{
  return cnn_kernels ()->peak (rounds);
}

int
cnn_session_n_layers (const CnnSession *session)
{
  return (int) session->graph->n_nodes;
}

static size_t
elements (const CnnTensor *tensor)
{
  size_t count;
  return cnn_shape_elements (&tensor->shape, &count) ? 0 : count;
}

/* A single number is a setting of its operator. */
static uint64_t
count_parameters (const CnnSession *session, const CnnNode *node)
{
  uint64_t count = 0;
  for (int i = 0; i < node->n_in; i++) {
    const CnnValue *v =
        node->in[i] < 0 ? NULL : &session->graph->values[node->in[i]];
    if (v && v->buffer && v->tensor.type == CNN_TYPE_FLOAT32
        && v->tensor.shape.rank && !(node->op->fixed_in >> i & 1)
        && !cnn_graph_is_fixed (session->graph, v->name))
      count += elements (&v->tensor);
  }
  return count;
}

void
cnn_session_layer (const CnnSession *session, int i, CnnLayerInfo *info)
{
  const CnnGraph *g = session->graph;
  const CnnNode *node = &g->nodes[i];
  const CnnTensor *in[CNN_MAX_NODE_TENSORS], none = { 0 };
  int out = node->out[0];
  const CnnTensor *y = out < 0 ? &none : &session->tensors[out];

  cnn_node_inputs (node, session->tensors, in);
  *info = (CnnLayerInfo){
    .name = *node->name || out < 0 ? node->name : g->values[out].name,
    .op = node->op->name,
    .output = y->shape,
    .parameters = count_parameters (session, node),
    .macs = node->op->macs && out >= 0
        ? node->op->macs (node->params, in, node->n_in, y)
        : 0,
  };
  info->links = node->op->links && out >= 0
      ? node->op->links (node->params, in, y)
      : info->macs;
  if (info->macs && node->n_in > 2 && in[2])
    info->links += elements (y);
  if (out >= 0 && session->places[out].known) {
    info->has_geometry = 1;
    info->geometry = session->places[out].look;
  }
}

const CnnTensor *
cnn_session_layer_output (const CnnSession *session, int i)
{
  int v = session->graph->nodes[i].out[0];
  return v < 0 || !session->tensors[v].data ? NULL : &session->tensors[v];
}

const CnnTensor *
cnn_session_layer_weights (const CnnSession *session, int i)
{
  const CnnNode *node = &session->graph->nodes[i];
  if (node->op != &cnn_op_conv || node->in[1] < 0)
    return NULL;
  const CnnValue *weights = &session->graph->values[node->in[1]];
  return weights->buffer ? &weights->tensor : NULL;
}

CnnStatus
cnn_session_geometry (const CnnSession *session, CnnGeometry *geometry,
    CnnError *error)
{
  char text[CNN_NODE_TEXT];
  const CnnGraph *g = session->graph;
  const CnnPlace *place = &session->places[g->outputs[0]];
  if (place->known) {
    *geometry = place->look;
    return CNN_OK;
  }
  for (size_t i = 0; i < session->n_todo; i++) {
    const CnnNode *node = &g->nodes[session->todo[i]];
    if (node->out[0] >= 0 && !session->places[node->out[0]].known)
      return cnn_error_set (error, CNN_ERROR_UNSUPPORTED, "%s: its cells %s",
          cnn_node_describe (g, node, text, sizeof text),
          session->places[node->out[0]].finer
              ? "lie closer than the picture's pixels"
              : "have no place in the picture");
  }
  return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
      "the output's cells have no place in the picture");
}

void
cnn_session_memory (const CnnSession *session, CnnMemoryInfo *memory)
{
  *memory = session->memory;
}
