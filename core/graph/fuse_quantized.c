/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fuse_quantized.c: quantised convolutions run on integers, from packed map to
 * packed map (ops/quantized_conv.h).
 *
 *   x--Q--DQ--Conv--Relu--Q--q--DQ--MaxPool--Q--r--DQ--Conv--y
 *   ->
 *   x--QuantizedConv, pool--r/packed--QuantizedConv--y
 *
 * QLinearConv becomes the same. Relu is where saturation begins; 2x2 pools
 * commute with rounding. What else reads r gets it from an Unpack, which is
 * pruned where nobody does. Convolutions that do not fit (strides, groups,
 * weights that are no integers) stay as they are. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "graph/nodes.h"
#include "graph/quantized_weights.h"
#include "ops/conv.h"
#include "ops/quantized_conv.h"
#include "ops/shapes.h"
#include "ops/table.h"
#include "tensor/scalar.h"

/**
 * Scale:
 * @zero: as uint8; @shift: 128 if the type is int8, else 0
 */
typedef struct
{
  float scale;
  int zero, shift;
} Scale;

/**
 * Source:
 * What stands for a quantised value: @value, packed, or floats yet to be
 * quantised; -1 = nothing does.
 */
typedef struct
{
  int value;
  bool floats;
  Scale scale;
} Source;

/** MAX_TAIL: most nodes behind a convolution that it takes over. */
#define MAX_TAIL 8

/**
 * Tail:
 * What a convolution takes over: @nodes, the last of which makes @value.
 */
typedef struct
{
  int nodes[MAX_TAIL];
  int count;
  int value;
  Scale scale;
  bool relu, pool;
} Tail;

/**
 * Pass:
 * @sources: of every value of the graph; of floats behind a DequantizeLinear
 *   that of its input
 * @reader: the only node that reads a value; -1 = none, or several
 */
typedef struct
{
  CnnGraph *graph;
  size_t n_values, n_nodes;
  Source *sources;
  int *reader;
  bool *dead;
  CnnError *error;
} Pass;

static bool
is_op (const CnnNode *node, const CnnOp *op)
{
  return node->op == op;
}

static const CnnTensor *
constant (const Pass *p, const CnnNode *node, int i)
{
  if (i >= node->n_in || node->in[i] < 0
      || !p->graph->values[node->in[i]].buffer)
    return NULL;
  return &p->graph->values[node->in[i]].tensor;
}

/* Scale and zero point, inputs @i and @i + 1 of @node, of elements of @type. */
static bool
read_scale (const Pass *p, const CnnNode *node, int i, CnnType type,
    Scale *scale)
{
  const CnnTensor *s = constant (p, node, i), *z = constant (p, node, i + 1);
  bool has_zero = i + 1 < node->n_in && node->in[i + 1] >= 0;
  if (!s || s->type != CNN_TYPE_FLOAT32 || cnn_elements (s) != 1
      || (has_zero && (!z || cnn_elements (z) != 1))
      || (type != CNN_TYPE_UINT8 && type != CNN_TYPE_INT8))
    return false;
  scale->scale = *(const float *) s->data;
  scale->shift = type == CNN_TYPE_INT8 ? 128 : 0;
  scale->zero =
      (z ? (int) cnn_read_int (z->type, z->data, 0) : 0) + scale->shift;
  return isnormal (scale->scale) && scale->scale > 0
      && isnormal (1 / scale->scale);
}

static bool
same_scale (const Scale *a, const Scale *b)
{
  return a->scale == b->scale && a->zero == b->zero && a->shift == b->shift;
}

static bool
attribute_is (const CnnNode *node, const char *name, int64_t otherwise,
    int64_t wanted)
{
  const CnnAttribute *a = cnn_node_attribute (node, name);
  bool same = true;
  if (!a)
    return otherwise == wanted;
  if (a->type == CNN_ATTRIBUTE_INT)
    return a->i == wanted;
  for (int i = 0; i < a->count && same; i++)
    same = a->ints[i] == wanted;
  return same;
}

static bool
is_pool_2x2 (const CnnNode *node)
{
  const CnnAttribute *a = cnn_node_attribute (node, "kernel_shape");
  const CnnAttribute *pad = cnn_node_attribute (node, "auto_pad");
  return is_op (node, &cnn_op_max_pool) && a && a->count == 2
      && node->n_out == 1 && attribute_is (node, "kernel_shape", 0, 2)
      && attribute_is (node, "strides", 1, 2)
      && attribute_is (node, "pads", 0, 0)
      && attribute_is (node, "dilations", 1, 1)
      && attribute_is (node, "ceil_mode", 0, 0)
      && (!pad || !strcmp (pad->s, "NOTSET") || !strcmp (pad->s, "VALID"));
}

/* The node that alone reads value @v, as its first input. */
static const CnnNode *
next_of (const Pass *p, int v, int *number)
{
  *number = p->reader[v];
  if (*number < 0)
    return NULL;
  const CnnNode *node = &p->graph->nodes[*number];
  return node->in[0] == v && node->n_out == 1 && node->out[0] >= 0 ? node
                                                                   : NULL;
}

static CnnType
type_of (const Pass *p, int v)
{
  return p->graph->values[v].tensor.type;
}

static bool
reads_quantize (const Pass *p, const CnnNode *node, Scale *scale)
{
  return is_op (node, &cnn_op_quantize_linear)
      && type_of (p, node->in[0]) == CNN_TYPE_FLOAT32
      && attribute_is (node, "block_size", 0, 0)
      && read_scale (p, node, 1, type_of (p, node->out[0]), scale);
}

static bool
reads_dequantize (const Pass *p, const CnnNode *node, Scale *scale)
{
  return is_op (node, &cnn_op_dequantize_linear)
      && attribute_is (node, "block_size", 0, 0)
      && read_scale (p, node, 1, type_of (p, node->in[0]), scale);
}

static void
take (Tail *t, const CnnNode *node, int number)
{
  t->nodes[t->count++] = number;
  t->value = node->out[0];
}

/* Behind floats: Relu, a pool, and the QuantizeLinear that has to come. */
static bool
follow_floats (const Pass *p, int v, Tail *t)
{
  int number;
  const CnnNode *node;
  t->value = v;
  while (t->count < MAX_TAIL && (node = next_of (p, t->value, &number))) {
    bool pool = is_pool_2x2 (node) && !t->pool;
    bool relu = is_op (node, &cnn_op_relu);
    bool last = reads_quantize (p, node, &t->scale);
    if (!pool && !relu && !last)
      return false;
    t->pool = t->pool || pool;
    t->relu = t->relu || relu;
    take (t, node, number);
    if (last)
      return true;
  }
  return false;
}

/* Behind a quantised value: a pool of it, or of its floats. */
static void
follow_bytes (const Pass *p, Tail *t)
{
  Tail with = *t;
  Scale scale;
  int number;
  const CnnNode *node = next_of (p, t->value, &number);
  if (t->pool || t->count + 3 > MAX_TAIL || !node)
    return;
  bool turned = reads_dequantize (p, node, &scale);
  if (turned) {
    if (!same_scale (&scale, &t->scale))
      return;
    take (&with, node, number);
    node = next_of (p, with.value, &number);
  }
  if (!node || !is_pool_2x2 (node))
    return;
  take (&with, node, number);
  if (turned) {
    node = next_of (p, with.value, &number);
    if (!node || !reads_quantize (p, node, &scale)
        || !same_scale (&scale, &t->scale))
      return;
    take (&with, node, number);
  }
  with.pool = true;
  *t = with;
}

static char *
name_of (const Pass *p, int v, const char *suffix)
{
  const char *base = p->graph->values[v].name;
  size_t bytes = strlen (base) + strlen (suffix) + 2;
  char *name = malloc (bytes);
  if (name)
    snprintf (name, bytes, "%s/%s", base, suffix);
  return name;
}

/* Input @i of node @n becomes a new constant. */
static CnnStatus
set_constant (Pass *p, size_t n, int i, const char *suffix,
    const CnnTensor *tensor)
{
  char *name = name_of (p, p->graph->nodes[n].out[0], suffix);
  if (!name)
    return cnn_error_memory (p->error, 1, "a name");
  CnnStatus status = cnn_graph_add_constant (p->graph, name, tensor, p->error);
  if (!status)
    p->graph->nodes[n].in[i] = cnn_graph_find (p->graph, name);
  free (name);
  return status;
}

/* Sums are below 2^31; so is their product with this. */
#define MAX_FACTOR 1.0f

/* What sums are multiplied with to give results. False if that is no sound
 * float. */
static bool
multipliers (const CnnIntegerWeights *w, float in_scale, double out_scale,
    float *to)
{
  for (int64_t o = 0; o < w->oc; o++) {
    to[o] = (float) ((double) in_scale * (double) w->scales[o] / out_scale);
    if (!isnormal (to[o]) || to[o] <= 0 || to[o] > MAX_FACTOR)
      return false;
  }
  return true;
}

static CnnStatus
set_constants (Pass *p, size_t n, const CnnTensor *weights,
    const CnnIntegerWeights *w, const float *factors)
{
  CnnTensor kernels = { CNN_TYPE_INT8, weights->shape, w->weights };
  CnnTensor bias = { CNN_TYPE_INT32, { 1, { w->oc } }, w->bias };
  CnnTensor by = { CNN_TYPE_FLOAT32, { 1, { w->oc } }, (void *) factors };
  CnnStatus status = set_constant (p, n, 1, "kernels8", &kernels);
  if (!status)
    status = set_constant (p, n, 2, "bias32", &bias);
  if (!status)
    status = set_constant (p, n, 3, "factors", &by);
  p->graph->nodes[n].n_in = 4;
  return status;
}

/* The DequantizeLinear that alone reads @t's value turns into floats what the
 * Unpack would only have moved. */
static CnnUnpackParams
unpacks_to (Pass *p, const Tail *t, int channels, int *value)
{
  CnnUnpackParams params = { channels, t->scale.shift, 0 };
  int number;
  Scale scale;
  const CnnNode *node = next_of (p, t->value, &number);
  *value = t->value;
  if (node && reads_dequantize (p, node, &scale)
      && same_scale (&scale, &t->scale)) {
    params.shift = scale.zero;
    params.scale = scale.scale;
    *value = node->out[0];
    p->dead[number] = true;
    p->graph->values[*value].producer = -1;
  }
  return params;
}

/* Adds the Unpack of a value @packed to @value; @from: (out): what it reads. */
static CnnStatus
add_unpack (Pass *p, const char *packed, int value, CnnUnpackParams params,
    int *from)
{
  CnnGraph *g = p->graph;
  CnnUnpackParams *kept = calloc (1, sizeof *kept);
  const char *in[] = { packed }, *out[] = { g->values[value].name };
  if (!kept)
    return cnn_error_memory (p->error, sizeof *kept, "a node");
  *kept = params;
  CnnStatus status =
      cnn_graph_add_node (g, "Identity", "", in, 1, out, 1, NULL, 0, p->error);
  if (status) {
    free (kept);
    return status;
  }
  CnnNode *unpack = &g->nodes[g->n_nodes - 1];
  free (unpack->params);
  unpack->op = &cnn_op_unpack;
  unpack->params = kept;
  *from = unpack->in[0];
  return CNN_OK;
}

/* Node @n computes the packed form of @t's value from now on; whoever reads
 * the value itself gets it unpacked. */
static CnnStatus
hand_over (Pass *p, size_t n, const Tail *t, int channels)
{
  CnnGraph *g = p->graph;
  int value, packed = -1;
  char *name = name_of (p, t->value, "packed");
  if (!name)
    return cnn_error_memory (p->error, 1, "a name");
  for (int i = 0; i < t->count; i++) {
    p->dead[t->nodes[i]] = true;
    g->values[g->nodes[t->nodes[i]].out[0]].producer = -1;
  }
  g->values[g->nodes[n].out[0]].producer = -1;
  CnnUnpackParams params = unpacks_to (p, t, channels, &value);
  CnnStatus status = add_unpack (p, name, value, params, &packed);
  free (name);
  if (status)
    return status;
  g->nodes[n].out[0] = packed;
  g->values[packed].producer = (int) n;
  p->sources[t->value] = p->sources[value] =
      (Source){ packed, false, t->scale };
  return CNN_OK;
}

static bool
fits (const CnnNode *node, const CnnTensor *weights, const CnnTensor *bias)
{
  const CnnConvParams *p = node->params;
  bool has_bias = node->n_in > 2 && node->in[2] >= 0;
  return weights && weights->shape.rank == 4 && p->group == 1
      && weights->shape.dims[0] > 0 && weights->shape.dims[1] > 0
      && p->window.stride[0] == 1 && p->window.stride[1] == 1
      && (!has_bias || is_op (node, &cnn_op_qlinear_conv) || bias)
      && p->activation == CNN_ACTIVATION_NONE;
}

/* Node @n, whose input is @source and whose weights are @w, becomes a
 * convolution of bytes. */
static CnnStatus
become (Pass *p, size_t n, const Source *source, const CnnTensor *weights,
    const CnnIntegerWeights *w, const Tail *t)
{
  CnnNode *node = &p->graph->nodes[n];
  const CnnConvParams *conv = node->params;
  CnnQuantizedConvParams *params = calloc (1, sizeof *params);
  float *factors = calloc ((size_t) w->oc + 1, sizeof *factors);
  CnnStatus status = CNN_OK;
  if (!params || !factors) {
    status = cnn_error_memory (p->error, sizeof *params, "a node");
  } else if (multipliers (w, source->scale.scale,
                 t ? (double) t->scale.scale : 1, factors)) {
    *params = (CnnQuantizedConvParams){ .window = conv->window,
      .inverse = source->floats ? 1 / source->scale.scale : 0,
      .in_zero = source->scale.zero,
      .zero = t ? t->scale.zero : 0,
      .low = t && t->relu ? t->scale.zero : 0,
      .pool = t && t->pool,
      .to_float = !t };
    free (node->params);
    node->params = params;
    node->op = &cnn_op_quantized_conv;
    node->in[0] = source->value;
    params = NULL;
    status = set_constants (p, n, weights, w, factors);
    if (!status && t)
      status = hand_over (p, n, t, (int) w->oc);
  }
  free (factors);
  free (params);
  return status;
}

static CnnStatus
fuse_conv (Pass *p, size_t n)
{
  const CnnNode *node = &p->graph->nodes[n];
  const CnnTensor *weights = constant (p, node, 1);
  const CnnTensor *bias = constant (p, node, 2);
  Source source = p->sources[node->in[0]];
  CnnIntegerWeights w;
  Tail tail = { 0 };
  if (source.value < 0 || !fits (node, weights, bias)
      || weights->type != CNN_TYPE_FLOAT32)
    return CNN_OK;
  bool bytes = follow_floats (p, node->out[0], &tail);
  if (bytes)
    follow_bytes (p, &tail);
  CnnTensor kept = *weights;
  CnnStatus status = cnn_integer_weights_of_floats (weights, bias,
      source.scale.scale, source.scale.zero, &w);
  if (!status)
    status = become (p, n, &source, &kept, &w, bytes ? &tail : NULL);
  cnn_integer_weights_clear (&w);
  return status == CNN_ERROR_UNSUPPORTED ? CNN_OK : status;
}

static CnnStatus
fuse_qlinear_conv (Pass *p, size_t n)
{
  const CnnNode *node = &p->graph->nodes[n];
  const CnnTensor *weights = constant (p, node, 3);
  const CnnTensor *bias = constant (p, node, 8);
  const CnnTensor *scales = constant (p, node, 4),
                  *zeros = constant (p, node, 5);
  Source source = p->sources[node->in[0]];
  Scale in;
  Tail tail = { .value = node->out[0] };
  CnnIntegerWeights w;
  if (source.value < 0 || !fits (node, weights, NULL) || !scales
      || (node->in[5] >= 0 && !zeros)
      || (node->n_in > 8 && node->in[8] >= 0 && !bias)
      || !read_scale (p, node, 1, type_of (p, node->in[0]), &in)
      || !same_scale (&in, &source.scale)
      || !read_scale (p, node, 6, type_of (p, node->out[0]), &tail.scale))
    return CNN_OK;
  follow_bytes (p, &tail);
  CnnTensor kept = *weights;
  CnnStatus status = cnn_integer_weights_of_bytes (weights, scales, zeros, bias,
      source.scale.zero, &w);
  if (!status)
    status = become (p, n, &source, &kept, &w, &tail);
  cnn_integer_weights_clear (&w);
  return status == CNN_ERROR_UNSUPPORTED ? CNN_OK : status;
}

static CnnStatus
visit (Pass *p, size_t n)
{
  const CnnNode *node = &p->graph->nodes[n];
  int out = node->n_out ? node->out[0] : -1;
  Scale scale;
  if (p->dead[n] || out < 0)
    return CNN_OK;
  if (reads_quantize (p, node, &scale))
    p->sources[out] = (Source){ node->in[0], true, scale };
  else if (reads_dequantize (p, node, &scale)
      && same_scale (&scale, &p->sources[node->in[0]].scale))
    p->sources[out] = p->sources[node->in[0]];
  else if (is_op (node, &cnn_op_conv))
    return fuse_conv (p, n);
  else if (is_op (node, &cnn_op_qlinear_conv))
    return fuse_qlinear_conv (p, n);
  return CNN_OK;
}

static void
find_readers (Pass *p)
{
  const CnnGraph *g = p->graph;
  for (size_t v = 0; v < p->n_values; v++)
    p->reader[v] = -1;
  for (size_t n = 0; n < g->n_nodes; n++)
    for (int i = 0; i < g->nodes[n].n_in; i++) {
      int v = g->nodes[n].in[i];
      if (v >= 0)
        p->reader[v] = p->reader[v] == -1 ? (int) n : -2;
    }
  for (size_t i = 0; i < g->n_outputs; i++)
    p->reader[g->outputs[i]] = -2;
}

static CnnStatus
fuse_all (Pass *p)
{
  CnnStatus status = CNN_OK;
  for (size_t v = 0; v < p->n_values; v++)
    p->sources[v].value = -1;
  find_readers (p);
  for (size_t n = 0; n < p->n_nodes && !status; n++)
    status = visit (p, n);
  if (status)
    return status;
  cnn_graph_remove_nodes (p->graph, p->dead);
  status = cnn_graph_sort (p->graph, p->error);
  return status ? status : cnn_graph_prune (p->graph, p->error);
}

bool
cnn_graph_is_quantized (const CnnGraph *graph)
{
  for (size_t n = 0; n < graph->n_nodes; n++)
    if (graph->nodes[n].op == &cnn_op_quantize_linear)
      return true;
  return false;
}

CnnStatus
cnn_graph_fuse_quantized (CnnGraph *graph, CnnError *error)
{
  Pass p = { .graph = graph,
    .n_values = graph->n_values,
    .n_nodes = graph->n_nodes,
    .error = error };
  p.sources = calloc (p.n_values + 1, sizeof *p.sources);
  p.reader = calloc (p.n_values + 1, sizeof *p.reader);
  p.dead = calloc (2 * p.n_nodes + 1, sizeof *p.dead);
  CnnStatus status = p.sources && p.reader && p.dead
      ? fuse_all (&p)
      : cnn_error_memory (error, graph->n_values, "quantised layers");
  free (p.dead);
  free (p.reader);
  free (p.sources);
  return status;
}
