/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* model.c: a checked network with its weights, immutable and shared.
 *
 * Holds the graph twice: as it was given, for writing, learning and tables of
 * layers, and as it runs, with operators fused. Both share their weights. What
 * has been made of it by rewriting is kept with it: all who ask for it share it,
 * packed weights included. */

#include "graph/program.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "graph/infer.h"
#include "graph/metadata.h"
#include "ops/table.h"

typedef struct
{
  CnnRewrite rewrite;
  int argument;
  CnnModel *model;
} Rewritten;

struct CnnModel
{
  atomic_int refs;
  CnnGraph *graph;
  CnnGraph *program;
  CnnGraph *bytes;
  pthread_mutex_t lock;
  void **packed;
  size_t weight_bytes;
  Rewritten *rewritten;
  size_t n_rewritten, rewritten_room;
  CnnModelInfo info;
};

static CnnStatus
check_graph (const CnnGraph *graph, CnnError *error)
{
  if (!graph->n_outputs)
    return cnn_error_set (error, CNN_ERROR_FORMAT, "the network has no output");
  for (size_t i = 0; i < graph->n_outputs; i++) {
    const CnnValue *v = &graph->values[graph->outputs[i]];
    if (!v->is_input && !v->buffer && v->producer < 0)
      return cnn_error_set (error, CNN_ERROR_FORMAT,
          "output '%s' is defined nowhere", v->name);
  }
  return CNN_OK;
}

/* Writes the inferred types and shapes into the graph's values. */
static CnnStatus
infer_declared (CnnGraph *graph, CnnError *error)
{
  CnnTensor *tensors = malloc ((graph->n_values + 1) * sizeof *tensors);
  if (!tensors)
    return cnn_error_memory (error, graph->n_values, "shapes");
  CnnKnown known = { 0 };
  CnnStatus status = cnn_graph_infer (graph, NULL, &known, tensors, error);
  for (size_t v = 0; v < graph->n_values && !status; v++) {
    if (!graph->values[v].buffer)
      tensors[v].data = NULL;
    graph->values[v].tensor = tensors[v];
  }
  cnn_known_clear (&known);
  free (tensors);
  return status;
}

static size_t
count_weight_bytes (const CnnGraph *g)
{
  size_t bytes = 0;
  for (size_t v = 0; v < g->n_values; v++) {
    size_t more;
    if (g->values[v].buffer && !cnn_tensor_bytes (&g->values[v].tensor, &more))
      bytes += more;
  }
  return bytes;
}

CnnStatus
cnn_model_pack (CnnModel *model, int n, int variant, const CnnTensor *const *in,
    const void **packed, CnnError *error)
{
  const CnnNode *node = &model->program->nodes[n];
  void **place = &model->packed[n * CNN_MAX_VARIANTS + variant];
  size_t bytes = node->op->packed_bytes
      ? node->op->packed_bytes (node->params, in, node->n_in, variant)
      : 0;
  CnnStatus status = CNN_OK;
  pthread_mutex_lock (&model->lock);
  if (bytes && !*place) {
    *place = cnn_aligned_alloc (bytes);
    if (*place)
      node->op->pack (node->params, in, node->n_in, variant, *place);
    else
      status = cnn_error_memory (error, bytes, "packed weights");
    model->weight_bytes += status ? 0 : bytes;
  }
  *packed = *place;
  pthread_mutex_unlock (&model->lock);
  return status;
}

static bool
has_quantised_constants (const CnnGraph *graph)
{
  for (size_t n = 0; n < graph->n_nodes; n++) {
    const CnnNode *node = &graph->nodes[n];
    if (node->op == &cnn_op_dequantize_linear
        && graph->values[node->in[0]].buffer)
      return true;
  }
  return false;
}

static CnnStatus
keep_bytes (CnnModel *model, CnnError *error)
{
  CnnStatus status = cnn_graph_copy (model->graph, &model->bytes, error);
  return status ? status : infer_declared (model->bytes, error);
}

CnnStatus
cnn_model_new (CnnGraph *graph, CnnModel **model, CnnError *error)
{
  CnnModel *m = calloc (1, sizeof *m);
  if (!m) {
    cnn_graph_free (graph);
    return cnn_error_memory (error, sizeof *m, "a model");
  }
  atomic_init (&m->refs, 1);
  pthread_mutex_init (&m->lock, NULL);
  m->graph = graph;

  CnnStatus status = check_graph (graph, error);
  if (!status)
    status = cnn_graph_sort (graph, error);
  if (!status && has_quantised_constants (graph))
    status = keep_bytes (m, error);
  if (!status)
    status = cnn_graph_fold (graph, error);
  if (!status)
    status = cnn_graph_widen (graph, error);
  if (!status)
    status = cnn_graph_fold (graph, error);
  if (!status)
    status = cnn_graph_prune (graph, error);
  if (!status)
    status = cnn_graph_check_weights (graph, error);
  if (!status)
    status = infer_declared (graph, error);
  if (!status)
    status = cnn_info_read (graph, &m->info, error);
  if (!status)
    status = cnn_graph_copy (graph, &m->program, error);
  if (!status && cnn_graph_is_quantized (m->program)) {
    status = infer_declared (m->program, error);
    if (!status)
      status = cnn_graph_fuse_quantized (m->program, error);
  }
  if (!status) {
    cnn_graph_fuse (m->program, false);
    status = infer_declared (m->program, error);
  }
  if (!status) {
    m->weight_bytes = count_weight_bytes (m->program);
    m->packed =
        calloc (m->program->n_nodes + 1, CNN_MAX_VARIANTS * sizeof *m->packed);
    if (!m->packed)
      status = cnn_error_memory (error, m->program->n_nodes, "a model");
  }
  if (status) {
    cnn_model_unref (m);
    return status;
  }
  *model = m;
  return CNN_OK;
}

CnnModel *
cnn_model_ref (CnnModel *model)
{
  atomic_fetch_add (&model->refs, 1);
  return model;
}

void
cnn_model_unref (CnnModel *model)
{
  if (!model || atomic_fetch_sub (&model->refs, 1) != 1)
    return;
  cnn_info_clear (&model->info);
  if (model->packed)
    for (size_t i = 0; i < model->program->n_nodes * CNN_MAX_VARIANTS; i++)
      free (model->packed[i]);
  free (model->packed);
  for (size_t i = 0; i < model->n_rewritten; i++)
    cnn_model_unref (model->rewritten[i].model);
  free (model->rewritten);
  cnn_graph_free (model->bytes);
  cnn_graph_free (model->program);
  cnn_graph_free (model->graph);
  pthread_mutex_destroy (&model->lock);
  free (model);
}

int
cnn_model_n_inputs (const CnnModel *model)
{
  return (int) model->graph->n_inputs;
}

void
cnn_model_input (const CnnModel *model, int i, const char **name,
    CnnTensor *tensor)
{
  const CnnValue *v = &model->graph->values[model->graph->inputs[i]];
  *name = v->name;
  *tensor = v->tensor;
}

const char *
cnn_model_output_name (const CnnModel *model, int i)
{
  return model->graph->values[model->graph->outputs[i]].name;
}

/* Follows value @v to where infer() of some node needs it, back to front. */
int
cnn_model_input_decides_shapes (const CnnModel *model, int i)
{
  const CnnGraph *g = model->graph;
  bool *decides = calloc (g->n_values + 1, sizeof *decides);
  if (!decides)
    return 0;
  for (size_t n = g->n_nodes; n-- > 0;) {
    const CnnNode *node = &g->nodes[n];
    bool all = false;
    for (int k = 0; k < node->n_out && !node->op->reads_shape; k++)
      all = all || (node->out[k] >= 0 && decides[node->out[k]]);
    for (int k = 0; k < node->n_in; k++)
      if (node->in[k] >= 0 && (all || (k < 32 && node->op->value_in >> k & 1)))
        decides[node->in[k]] = true;
  }
  int answer = decides[g->inputs[i]];
  free (decides);
  return answer;
}

const CnnModelInfo *
cnn_model_info (const CnnModel *model)
{
  return &model->info;
}

const char *
cnn_model_metadata (const CnnModel *model, const char *key)
{
  return cnn_graph_metadata (model->graph, key);
}

const CnnGraph *
cnn_model_graph (const CnnModel *model)
{
  return model->graph;
}

const CnnGraph *
cnn_model_written (const CnnModel *model)
{
  return model->bytes ? model->bytes : model->graph;
}

const CnnGraph *
cnn_model_program (const CnnModel *model)
{
  return model->program;
}

size_t
cnn_model_weight_bytes (const CnnModel *model)
{
  return model->weight_bytes;
}

/* Returns: (nullable): a new reference. With @made, which is taken over, that
 * is kept, unless another thread has been faster. */
static CnnModel *
find_or_keep (CnnModel *model, CnnRewrite rewrite, int argument, CnnModel *made)
{
  CnnModel *found = NULL;
  pthread_mutex_lock (&model->lock);
  for (size_t i = 0; i < model->n_rewritten && !found; i++)
    if (model->rewritten[i].rewrite == rewrite
        && model->rewritten[i].argument == argument)
      found = cnn_model_ref (model->rewritten[i].model);
  if (!found && made
      && cnn_list_grow (&model->rewritten, model->n_rewritten,
          &model->rewritten_room, sizeof *model->rewritten))
    model->rewritten[model->n_rewritten++] =
        (Rewritten){ rewrite, argument, cnn_model_ref (made) };
  pthread_mutex_unlock (&model->lock);
  if (!found)
    return made;
  cnn_model_unref (made);
  return found;
}

CnnStatus
cnn_model_rewrite (CnnModel *model, CnnRewrite rewrite, int argument,
    CnnModel **rewritten, CnnError *error)
{
  CnnModel *found = find_or_keep (model, rewrite, argument, NULL);
  CnnGraph *graph;
  CnnStatus status = CNN_OK;
  if (!found)
    status = rewrite (model->graph, argument, &graph, error);
  if (!found && !status)
    status = cnn_model_new (graph, &found, error);
  if (!status)
    *rewritten = find_or_keep (model, rewrite, argument, found);
  return status;
}

/* The picture and the first answer. */
static bool
is_float32 (const CnnGraph *g)
{
  return g->n_inputs == 1
      && g->values[g->inputs[0]].tensor.type == CNN_TYPE_FLOAT32
      && g->values[g->outputs[0]].tensor.type == CNN_TYPE_FLOAT32;
}

static CnnStatus
to_map (const CnnGraph *graph, CNN_UNUSED int argument, CnnGraph **map,
    CnnError *error)
{
  return cnn_graph_dense_to_conv (graph, map, error);
}

CnnStatus
cnn_model_to_map (CnnModel *model, CnnModel **map, CnnError *error)
{
  if (model->info.is_map && !model->info.height && !model->info.width
      && is_float32 (model->graph)) {
    *map = cnn_model_ref (model);
    return CNN_OK;
  }
  return cnn_model_rewrite (model, to_map, 0, map, error);
}

CnnStatus
cnn_model_with_stride (CnnModel *map, int stride, CnnModel **dense,
    CnnError *error)
{
  if (stride < 1)
    return cnn_error_set (error, CNN_ERROR_ARGUMENT,
        "windows can't be %d pixels apart", stride);
  return cnn_model_rewrite (map, cnn_graph_densify, stride, dense, error);
}

/* Outputs are read by somebody: no other node takes them over or overwrites
 * them. */
CnnStatus
cnn_model_with_layers (const CnnModel *model, CnnModel **layers,
    CnnError *error)
{
  CnnGraph *graph;
  CnnStatus status = cnn_graph_copy (model->graph, &graph, error);
  if (status)
    return status;
  bool *is_output = calloc (graph->n_values + 1, sizeof *is_output);
  if (!is_output)
    status = cnn_error_memory (error, graph->n_values, "outputs");
  for (size_t i = 0; i < graph->n_outputs && !status; i++)
    is_output[graph->outputs[i]] = true;
  for (size_t n = 0; n < graph->n_nodes && !status; n++) {
    int v = graph->nodes[n].out[0];
    if (v >= 0 && !is_output[v])
      status = cnn_graph_add_output (graph, graph->values[v].name, error);
  }
  free (is_output);
  if (status) {
    cnn_graph_free (graph);
    return status;
  }
  return cnn_model_new (graph, layers, error);
}

CnnStatus
cnn_model_with_metadata (const CnnModel *model, const char *const *keys,
    const char *const *values, int count, CnnModel **copy, CnnError *error)
{
  CnnGraph *graph;
  CnnStatus status = cnn_graph_copy (cnn_model_written (model), &graph, error);
  if (status)
    return status;
  for (int i = 0; i < count && !status; i++)
    status = cnn_graph_set_metadata (graph, keys[i], values[i], error);
  if (status) {
    cnn_graph_free (graph);
    return status;
  }
  return cnn_model_new (graph, copy, error);
}
