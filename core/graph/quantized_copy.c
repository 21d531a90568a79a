/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* quantized_copy.c: a float network becomes one with QuantizeLinear and
 * DequantizeLinear (QDQ), as other runtimes recognise it. */

#include "graph/quantized_copy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "ops/shapes.h"
#include "ops/table.h"

/* Scales for each channel exist since then. */
#define QDQ_OPSET 13

/**
 * Layer:
 * A convolution or dense layer: its weights are @outer x @channels x @inner,
 * one output channel for each of @channels.
 */
typedef struct
{
  const CnnTensor *weights;
  int axis;
  size_t outer, channels, inner;
} Layer;

static bool
is_zero (const CnnNode *node, const char *name)
{
  const CnnAttribute *a = cnn_node_attribute (node, name);
  return !a || !a->i;
}

static bool
read_layer (const CnnGraph *graph, const CnnNode *node, Layer *layer)
{
  bool conv = node->op == &cnn_op_conv, gemm = node->op == &cnn_op_gemm;
  if ((!conv && !gemm && node->op != &cnn_op_matmul) || node->in[1] < 0)
    return false;
  const CnnValue *w = &graph->values[node->in[1]];
  int rank = w->tensor.shape.rank;
  if (!w->buffer || w->tensor.type != CNN_TYPE_FLOAT32
      || (conv ? rank < 3 : rank != 2) || !is_zero (node, "transA"))
    return false;
  layer->weights = &w->tensor;
  layer->axis = conv || !is_zero (node, "transB") ? 0 : 1;
  layer->channels = (size_t) w->tensor.shape.dims[layer->axis];
  layer->outer = cnn_product (&w->tensor.shape, 0, layer->axis);
  layer->inner = cnn_product (&w->tensor.shape, layer->axis + 1, rank);
  return layer->channels && layer->outer && layer->inner;
}

/* Takes elements as they are, or the greatest of some. */
static bool
passes_on (const CnnNode *node)
{
  static const char *const names[] = { "MaxPool", "Flatten", "Reshape",
    "Squeeze", "Unsqueeze", "Identity", "Dropout", NULL };
  return cnn_node_is_one_of (node, names);
}

static bool
is_float (const CnnGraph *graph, int v)
{
  return !graph->values[v].buffer
      && graph->values[v].tensor.type == CNN_TYPE_FLOAT32;
}

/* Follows from the back: who wants its input quantised? */
static int
mark_wanted (const CnnGraph *graph, bool *wanted)
{
  Layer layer;
  int layers = 0;
  for (size_t n = graph->n_nodes; n-- > 0;) {
    const CnnNode *node = &graph->nodes[n];
    bool is_layer = read_layer (graph, node, &layer);
    bool passes = passes_on (node) && node->out[0] >= 0 && wanted[node->out[0]];
    if (node->n_in && node->in[0] >= 0 && is_float (graph, node->in[0])
        && (is_layer || passes)) {
      wanted[node->in[0]] = true;
      layers += is_layer;
    }
  }
  return layers;
}

int
cnn_graph_quantized_points (const CnnGraph *graph, int *like)
{
  bool *wanted = calloc (graph->n_values + 1, sizeof *wanted);
  for (size_t v = 0; v < graph->n_values; v++)
    like[v] = -1;
  if (!wanted)
    return 0;
  int layers = mark_wanted (graph, wanted);
  for (size_t i = 0; i < graph->n_inputs; i++)
    if (wanted[graph->inputs[i]])
      like[graph->inputs[i]] = graph->inputs[i];
  for (size_t n = 0; n < graph->n_nodes; n++) {
    const CnnNode *node = &graph->nodes[n];
    int out = node->out[0];
    if (out >= 0 && wanted[out])
      like[out] = passes_on (node) ? like[node->in[0]] : out;
  }
  free (wanted);
  return layers;
}

/**
 * Copy:
 * @like: @quanta: as given
 */
typedef struct
{
  const CnnGraph *from;
  CnnGraph *to;
  const int *like;
  const CnnQuantum *quanta;
  CnnError *error;
} Copy;

/** Name: "base/suffix" in a buffer that grows no further than names do. */
static char *
make_name (const char *base, const char *suffix)
{
  size_t bytes = strlen (base) + strlen (suffix) + 2;
  char *name = malloc (bytes);
  if (name)
    snprintf (name, bytes, "%s/%s", base, suffix);
  return name;
}

/* Adds a constant called base/suffix; @name (out, to be freed). */
static CnnStatus
add_constant (Copy *c, const char *base, const char *suffix,
    const CnnTensor *tensor, char **name)
{
  *name = make_name (base, suffix);
  return *name ? cnn_graph_add_constant (c->to, *name, tensor, c->error)
               : cnn_error_memory (c->error, 1, "a name");
}

/* A node of two or three inputs; @axis < 0: none. */
static CnnStatus
add_node (Copy *c, const char *op, const char *const *in, const char *out,
    int axis)
{
  CnnAttribute attribute = { .name = "axis",
    .type = CNN_ATTRIBUTE_INT,
    .i = axis };
  int opset = c->to->opset;
  if (opset < QDQ_OPSET)
    c->to->opset = QDQ_OPSET;
  CnnStatus status = cnn_graph_add_node (c->to, op, out, in, 3, &out, 1,
      &attribute, axis >= 0, c->error);
  c->to->opset = opset;
  return status;
}

/* Is there a pair behind value @v? What only changes shape passes on floats
 * that have been through one. */
static bool
has_pair (const Copy *c, int v)
{
  int producer = c->from->values[v].producer;
  const CnnNode *node = producer < 0 ? NULL : &c->from->nodes[producer];
  return c->like[v] >= 0
      && (!node || !passes_on (node) || node->op == &cnn_op_max_pool);
}

static char *
quantised_name (const Copy *c, int v)
{
  return make_name (c->from->values[v].name, "dequantized");
}

/* Value @v, which exists by now, to uint8 and back. */
static CnnStatus
add_pair (Copy *c, int v)
{
  const char *base = c->from->values[v].name;
  CnnQuantum quantum = c->quanta[c->like[v]];
  uint8_t zero = (uint8_t) quantum.zero;
  CnnTensor scales = { CNN_TYPE_FLOAT32, { 0 }, &quantum.scale };
  CnnTensor zeros = { CNN_TYPE_UINT8, { 0 }, &zero };
  char *scale = NULL, *point = NULL;
  char *bytes = make_name (base, "quantized"), *floats = quantised_name (c, v);
  CnnStatus status =
      bytes && floats ? CNN_OK : cnn_error_memory (c->error, 1, "a name");
  if (!status)
    status = add_constant (c, base, "scale", &scales, &scale);
  if (!status)
    status = add_constant (c, base, "zero_point", &zeros, &point);
  if (!status)
    status = add_node (c, "QuantizeLinear",
        (const char *[]){ base, scale, point }, bytes, -1);
  if (!status)
    status = add_node (c, "DequantizeLinear",
        (const char *[]){ bytes, scale, point }, floats, -1);
  free (floats);
  free (bytes);
  free (point);
  free (scale);
  return status;
}

/* Constant @q of @type with a scale an index of @axis, and its floats as
 * base/suffix. */
static CnnStatus
add_dequantised (Copy *c, const char *base, const char *suffix,
    const CnnTensor *q, const float *scales, int axis, char **name)
{
  int64_t channels = q->shape.dims[axis];
  char *floats = make_name (base, suffix), *bytes = NULL, *scale = NULL;
  char *point = NULL;
  void *none = calloc ((size_t) channels, cnn_type_bytes (q->type));
  CnnTensor s = { CNN_TYPE_FLOAT32, { 1, { channels } }, (void *) scales };
  CnnTensor z = { q->type, { 1, { channels } }, none };
  CnnStatus status =
      floats && none ? CNN_OK : cnn_error_memory (c->error, 1, "a constant");
  if (!status)
    status = add_constant (c, floats, "quantized", q, &bytes);
  if (!status)
    status = add_constant (c, floats, "scale", &s, &scale);
  if (!status)
    status = add_constant (c, floats, "zero_point", &z, &point);
  if (!status)
    status = add_node (c, "DequantizeLinear",
        (const char *[]){ bytes, scale, point }, floats, axis);
  if (status)
    free (floats);
  else
    *name = floats;
  free (none);
  free (point);
  free (scale);
  free (bytes);
  return status;
}

/* The largest weight of a channel becomes 127 or -127. */
static void
quantise_weights (const Layer *l, float *scales, int8_t *q)
{
  const float *w = l->weights->data;
  for (size_t o = 0; o < l->channels; o++) {
    float most = 0;
    for (size_t i = 0; i < l->outer * l->inner; i++) {
      size_t at = (i / l->inner * l->channels + o) * l->inner + i % l->inner;
      most = fabsf (w[at]) > most ? fabsf (w[at]) : most;
    }
    scales[o] = isnormal (most / 127) ? most / 127 : 1;
    for (size_t i = 0; i < l->outer * l->inner; i++) {
      size_t at = (i / l->inner * l->channels + o) * l->inner + i % l->inner;
      q[at] = (int8_t) lrintf (w[at] / scales[o]);
    }
  }
}

/* A bias becomes int32 in units of the sums, if it is one number a channel and
 * fits. @name stays NULL if not. */
static CnnStatus
add_bias (Copy *c, const CnnNode *node, const char *base, float in_scale,
    const float *scales, char **name)
{
  const CnnValue *b =
      node->n_in > 2 && node->in[2] >= 0 ? &c->from->values[node->in[2]] : NULL;
  const CnnAttribute *alpha = cnn_node_attribute (node, "alpha");
  const CnnAttribute *beta = cnn_node_attribute (node, "beta");
  if (!b || !b->buffer || b->tensor.shape.rank != 1
      || b->tensor.type != CNN_TYPE_FLOAT32 || (alpha && alpha->f != 1)
      || (beta && beta->f != 1))
    return CNN_OK;
  size_t n = (size_t) b->tensor.shape.dims[0];
  float *units = malloc ((n + 1) * sizeof *units);
  int32_t *q = malloc ((n + 1) * sizeof *q);
  const float *from = b->tensor.data;
  CnnTensor tensor = { CNN_TYPE_INT32, b->tensor.shape, q };
  CnnStatus status =
      units && q ? CNN_OK : cnn_error_memory (c->error, n, "a bias");
  bool fits = true;
  for (size_t o = 0; o < n && !status && fits; o++) {
    units[o] = in_scale * scales[o];
    fits = isnormal (units[o]) && fabsf (from[o] / units[o]) < 0x1p30f;
    q[o] = fits ? (int32_t) lrintf (from[o] / units[o]) : 0;
  }
  if (!status && fits)
    status = add_dequantised (c, base, "bias", &tensor, units, 0, name);
  free (q);
  free (units);
  return status;
}

/* @in: names of the layer's inputs, of which weights and bias change;
 * @weights, @bias: (out): names to be freed. */
static CnnStatus
quantise_layer (Copy *c, const CnnNode *node, const Layer *l, const char **in,
    char **weights, char **bias)
{
  const char *base = c->from->values[node->out[0]].name;
  size_t count = l->channels * l->outer * l->inner;
  float *scales = malloc (l->channels * sizeof *scales);
  int8_t *q = malloc (count);
  CnnTensor tensor = { CNN_TYPE_INT8, l->weights->shape, q };
  CnnStatus status =
      scales && q ? CNN_OK : cnn_error_memory (c->error, count, base);
  if (!status) {
    quantise_weights (l, scales, q);
    status =
        add_dequantised (c, base, "weights", &tensor, scales, l->axis, weights);
  }
  if (!status)
    status = add_bias (c, node, base, c->quanta[c->like[node->in[0]]].scale,
        scales, bias);
  if (!status)
    in[1] = *weights;
  if (!status && *bias)
    in[2] = *bias;
  free (q);
  free (scales);
  return status;
}

static CnnStatus
emit (Copy *c, const CnnNode *node, const char *const *in)
{
  const char *out[CNN_MAX_NODE_TENSORS];
  for (int i = 0; i < node->n_out; i++)
    out[i] = node->out[i] < 0 ? "" : c->from->values[node->out[i]].name;
  c->to->opset = node->opset;
  CnnStatus status =
      cnn_graph_add_node (c->to, node->op->name, node->name, in, node->n_in,
          out, node->n_out, node->attributes, node->n_attributes, c->error);
  c->to->opset = c->from->opset;
  return status;
}

static CnnStatus
copy_node (Copy *c, const CnnNode *node)
{
  const char *in[CNN_MAX_NODE_TENSORS];
  char *floats = NULL, *weights = NULL, *bias = NULL;
  int x = node->n_in ? node->in[0] : -1, out = node->out[0];
  Layer layer;
  CnnStatus status = CNN_OK;
  for (int i = 0; i < node->n_in; i++)
    in[i] = node->in[i] < 0 ? "" : c->from->values[node->in[i]].name;
  bool is_layer = read_layer (c->from, node, &layer);
  if (x >= 0 && c->like[x] >= 0
      && (is_layer || (passes_on (node) && out >= 0 && c->like[out] >= 0))) {
    if (has_pair (c, x))
      in[0] = floats = quantised_name (c, x);
    if (!in[0])
      status = cnn_error_memory (c->error, 1, "a name");
    else if (is_layer)
      status = quantise_layer (c, node, &layer, in, &weights, &bias);
  }
  if (!status)
    status = emit (c, node, in);
  for (int i = 0; i < node->n_out && !status; i++)
    if (node->out[i] >= 0 && has_pair (c, node->out[i]))
      status = add_pair (c, node->out[i]);
  free (bias);
  free (weights);
  free (floats);
  return status;
}

static CnnStatus
copy_all (Copy *c)
{
  const CnnGraph *from = c->from;
  CnnStatus status = CNN_OK;
  for (size_t i = 0; i < from->n_inputs && !status; i++) {
    const CnnValue *v = &from->values[from->inputs[i]];
    status = cnn_graph_add_input (c->to, v->name, v->tensor.type,
        &v->tensor.shape, c->error);
    if (!status && c->like[from->inputs[i]] >= 0)
      status = add_pair (c, from->inputs[i]);
  }
  for (size_t v = 0; v < from->n_values && !status; v++)
    if (from->values[v].buffer)
      status = cnn_graph_share_constant (c->to, from->values[v].name,
          from->values[v].tensor.type, &from->values[v].tensor.shape,
          from->values[v].buffer, c->error);
  for (size_t n = 0; n < from->n_nodes && !status; n++)
    status = copy_node (c, &from->nodes[n]);
  for (size_t i = 0; i < from->n_outputs && !status; i++)
    status = cnn_graph_add_output (c->to, from->values[from->outputs[i]].name,
        c->error);
  for (size_t i = 0; i < from->n_metadata && !status; i++)
    status =
        cnn_graph_set_metadata (c->to, from->keys[i], from->texts[i], c->error);
  return status;
}

CnnStatus
cnn_graph_quantized_copy (const CnnGraph *graph, const int *like,
    const CnnQuantum *quanta, CnnGraph **copy, CnnError *error)
{
  Copy c = { .from = graph, .like = like, .quanta = quanta, .error = error };
  CnnStatus status = cnn_graph_new (graph->opset, &c.to, error);
  if (status)
    return status;
  status = copy_all (&c);
  if (status)
    cnn_graph_free (c.to);
  else
    *copy = c.to;
  return status;
}
