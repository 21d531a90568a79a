/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* initial.c: what a network learns, and the numbers it begins with.
 *
 * Source: He et al., "Delving deep into rectifiers", 2015 (before ReLU);
 * Glorot, Bengio, "Understanding the difficulty of training deep feedforward
 * neural networks", 2010. */

#include "train/weights.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/rng.h"

/** Segments begin at multiples of a cache line. */
#define SEGMENT_ALIGN (CNN_ALIGN_BYTES / sizeof (float))

typedef enum
{
  ROLE_NONE,
  ROLE_KERNEL, /* Conv: [oc][ic][kh][kw] */
  ROLE_DENSE,  /* Gemm, MatMul: [in][out], transposed with transB */
  ROLE_SCALE,
  ROLE_BIAS
} Role;

static bool
is_op (const CnnNode *node, const char *name)
{
  return !strcmp (node->op->name, name);
}

static bool
adds_to_matmul (const CnnGraph *graph, const CnnNode *node)
{
  for (int i = 0; i < node->n_in; i++) {
    int producer = node->in[i] < 0 ? -1 : graph->values[node->in[i]].producer;
    if (producer >= 0 && is_op (&graph->nodes[producer], "MatMul"))
      return true;
  }
  return false;
}

/* [c][1][1] or [c][h][w]: a number for each map, or for each of its cells. */
static bool
of_maps (const CnnGraph *graph, const CnnNode *node, int i)
{
  return graph->values[node->in[i]].tensor.shape.rank == 3;
}

static Role
role_of_input (const CnnGraph *graph, const CnnNode *node, int i)
{
  if (i < 32 && (node->op->fixed_in >> i & 1))
    return ROLE_NONE;
  if (is_op (node, "Conv"))
    return i == 1 ? ROLE_KERNEL : i == 2 ? ROLE_BIAS : ROLE_NONE;
  if (is_op (node, "Gemm"))
    return i == 1 ? ROLE_DENSE : i == 2 ? ROLE_BIAS : ROLE_NONE;
  if (is_op (node, "MatMul"))
    return i == 1 ? ROLE_DENSE : ROLE_NONE;
  if (is_op (node, "BatchNormalization"))
    return i == 1 ? ROLE_SCALE : i == 2 ? ROLE_BIAS : ROLE_NONE;
  if (is_op (node, "Add") && adds_to_matmul (graph, node))
    return ROLE_BIAS;
  if (of_maps (graph, node, i))
    return is_op (node, "Mul") ? ROLE_SCALE
        : is_op (node, "Add")  ? ROLE_BIAS
                               : ROLE_NONE;
  return ROLE_NONE;
}

/* The node that reads constant @value, and as what. */
static Role
find_role (const CnnGraph *graph, size_t value, const CnnNode **reader)
{
  const CnnValue *v = &graph->values[value];
  if (!v->buffer || v->tensor.type != CNN_TYPE_FLOAT32
      || cnn_graph_is_fixed (graph, v->name))
    return ROLE_NONE;
  for (size_t n = 0; n < graph->n_nodes; n++)
    for (int i = 0; i < graph->nodes[n].n_in; i++)
      if (graph->nodes[n].in[i] == (int) value) {
        *reader = &graph->nodes[n];
        return role_of_input (graph, *reader, i);
      }
  return ROLE_NONE;
}

/* Is the next activation behind @node a ReLU? */
static bool
before_relu (const CnnGraph *graph, const CnnNode *node)
{
  for (const CnnNode *n = node; n < graph->nodes + graph->n_nodes; n++) {
    if (is_op (n, "Relu"))
      return true;
    if (is_op (n, "Tanh") || is_op (n, "Sigmoid"))
      return false;
  }
  return false;
}

/* Standard deviation of the first weights. */
static float
spread (const CnnGraph *graph, const CnnNode *node, Role role,
    const CnnShape *shape)
{
  double fan_in, fan_out;
  if (role == ROLE_KERNEL) {
    double area = 1;
    for (int i = 2; i < shape->rank; i++)
      area *= (double) shape->dims[i];
    fan_in = (double) shape->dims[1] * area;
    fan_out = (double) shape->dims[0] * area;
  } else {
    /* [out][in] if transposed; the bound is symmetric but for ReLU */
    const CnnTensor *x = &graph->values[node->in[0]].tensor;
    fan_in = (double) x->shape.dims[x->shape.rank - 1];
    fan_out = (double) shape->dims[0] * (double) shape->dims[1] / fan_in;
  }
  return (float) sqrt (
      before_relu (graph, node) ? 2 / fan_in : 2 / (fan_in + fan_out));
}

static void
draw (const CnnGraph *graph, const CnnNode *node, Role role, uint64_t seed,
    const CnnSegment *segment, float *w)
{
  CnnRng rng;
  const CnnShape *shape = &graph->values[segment->value].tensor.shape;
  float s = role == ROLE_KERNEL || role == ROLE_DENSE
      ? spread (graph, node, role, shape)
      : 0;
  cnn_rng_init (&rng, seed, (uint64_t) segment->value);
  for (size_t i = 0; i < segment->count; i++)
    w[i] = role == ROLE_SCALE ? 1 : s ? s * cnn_rng_normal (&rng) : 0;
}

static CnnStatus
find_segments (CnnWeights *w, const CnnGraph *graph, CnnError *error)
{
  size_t room = 0;
  const CnnNode *reader;
  for (size_t v = 0; v < graph->n_values; v++) {
    Role role = find_role (graph, v, &reader);
    size_t count;
    if (role == ROLE_NONE
        || cnn_shape_elements (&graph->values[v].tensor.shape, &count))
      continue;
    if (!cnn_list_grow (&w->segments, w->n_segments, &room,
            sizeof *w->segments))
      return cnn_error_memory (error, sizeof *w->segments, "weights");
    w->segments[w->n_segments++] = (CnnSegment){
      .value = (int) v,
      .begin = w->count,
      .count = count,
      .decays = role == ROLE_KERNEL || role == ROLE_DENSE,
      .rows = 1,
    };
    w->count += (count + SEGMENT_ALIGN - 1) / SEGMENT_ALIGN * SEGMENT_ALIGN;
  }
  if (!w->n_segments)
    return cnn_error_set (error, CNN_ERROR_ARGUMENT,
        "the network has nothing to learn");
  return CNN_OK;
}

CnnStatus
cnn_weights_init (CnnWeights *weights, const CnnGraph *graph,
    const CnnTrainOptions *options, CnnError *error)
{
  CnnWeights *w = weights;
  *w = (CnnWeights){ 0 };
  CnnStatus status = find_segments (w, graph, error);
  if (status)
    goto fail;

  size_t bytes = w->count * sizeof (float);
  w->now = cnn_aligned_alloc (bytes);
  w->first = cnn_aligned_alloc (bytes);
  w->second = cnn_aligned_alloc (bytes);
  w->mean = cnn_aligned_alloc (bytes);
  if (!w->now || !w->first || !w->second || !w->mean) {
    status = cnn_error_memory (error, bytes, "weights");
    goto fail;
  }
  for (size_t i = 0; i < w->n_segments; i++) {
    const CnnSegment *s = &w->segments[i];
    const CnnNode *reader = NULL;
    Role role = find_role (graph, (size_t) s->value, &reader);
    if (options->keep_weights)
      memcpy (w->now + s->begin, graph->values[s->value].tensor.data,
          s->count * sizeof (float));
    else
      draw (graph, reader, role, options->seed, s, w->now + s->begin);
  }
  memcpy (w->mean, w->now, bytes);
  return CNN_OK;

fail:
  cnn_weights_clear (w);
  return status;
}

void
cnn_weights_clear (CnnWeights *weights)
{
  free (weights->mean);
  free (weights->second);
  free (weights->first);
  free (weights->now);
  free (weights->segments);
  *weights = (CnnWeights){ 0 };
}
