/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* geometry.c: where in the picture each cell of each value looks.
 *
 * Every operator says how a cell of its output looks back on its input
 * (op->geometry()); following the nodes from the picture on composes that:
 *
 *   window' = window + (w - 1) * stride
 *   offset' = offset + o * stride
 *   stride' = stride * s
 *
 * all in fractions of a pixel, for operators that make maps larger: cell i
 * begins at floor ((o + i*s) / up), so that window' grows by what rounding
 * may take away, (up - 1) / up strides.
 *
 * Which cells have seen padding is followed beside it, as the interval of
 * those that have not: exact, whatever the sizes.
 *
 * Source: Araujo, Norris, Sim, "Computing receptive fields of convolutional
 * neural networks", Distill, 2019. */

#include "graph/nodes.h"

#include <limits.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/size.h"

/* Sizes not fixed count as this. */
#define OPEN_SIZE ((int64_t) 1 << 40)
/* Products of two numbers below it fit. */
#define MAX_NUMBER ((int64_t) 1 << 30)

/**
 * Axis:
 * Cell i sees pixels (offset + i*stride) / unit ... (+ window) / unit; cells
 * begin ... end - 1 have seen no padding.
 */
typedef struct
{
  int64_t window, stride, offset, unit;
  int64_t begin, end;
} Axis;

typedef struct
{
  bool known;
  Axis axis[2];
} Look;

int64_t
cnn_divisor (int64_t a, int64_t b)
{
  while (b) {
    int64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a < 0 ? -a : a;
}

static bool
reduce (Axis *axis)
{
  int64_t d = cnn_divisor (cnn_divisor (axis->unit, axis->stride),
      cnn_divisor (axis->window, axis->offset));
  axis->window /= d;
  axis->stride /= d;
  axis->offset /= d;
  axis->unit /= d;
  return axis->window < MAX_NUMBER && axis->stride < MAX_NUMBER
      && axis->unit < MAX_NUMBER && llabs (axis->offset) < MAX_NUMBER;
}

static bool
compose (const Axis *in, const CnnOpGeometry *op, int a, Axis *out)
{
  int64_t w = op->window[a], s = op->stride[a], o = op->offset[a];
  int64_t up = op->up[a] > 0 ? op->up[a] : 1;
  if (w >= MAX_NUMBER || s < 1 || s >= MAX_NUMBER || up >= MAX_NUMBER
      || llabs (o) >= MAX_NUMBER || in->unit * up >= MAX_NUMBER
      || in->stride * w >= MAX_NUMBER)
    return false;
  *out = (Axis){
    .window =
        in->window * up + (w - 1) * in->stride * up + in->stride * (up - 1),
    .stride = in->stride * s,
    .offset = in->offset * up + in->stride * (o - (up - 1)),
    .unit = in->unit * up,
    .begin = cnn_dim_ceil_div (in->begin * up - o, s),
    .end = cnn_dim_ceil_div ((in->end - w + 1) * up - o, s),
  };
  return reduce (out);
}

static void
scale (Axis *axis, int64_t factor)
{
  axis->window *= factor;
  axis->stride *= factor;
  axis->offset *= factor;
  axis->unit *= factor;
}

/* Two branches meet: a cell looks at what either of them saw, if they keep
 * step. */
static bool
join_axis (Axis *a, Axis b)
{
  int64_t unit = a->unit;
  if (a->unit * b.unit >= MAX_NUMBER)
    return false;
  scale (a, b.unit);
  scale (&b, unit);
  if (a->stride != b.stride)
    return false;
  int64_t end_a = a->offset + a->window, end_b = b.offset + b.window;
  if (b.offset < a->offset)
    a->offset = b.offset;
  a->window = (end_a > end_b ? end_a : end_b) - a->offset;
  a->begin = a->begin > b.begin ? a->begin : b.begin;
  a->end = a->end < b.end ? a->end : b.end;
  return reduce (a);
}

static Look
node_look (const CnnNode *node, const CnnTensor *tensors, const Look *looks)
{
  const CnnTensor *in[CNN_MAX_NODE_TENSORS] = { NULL };
  CnnOpGeometry op = { .window = { 1, 1 } };
  Look look = { 0 };

  cnn_node_inputs (node, tensors, in);
  if (!node->op->geometry || !node->op->geometry (node->params, in, &op))
    return look;
  for (int i = 0; i < node->n_in; i++) {
    if (!in[i] || in[i]->data)
      continue;
    const Look *other = &looks[node->in[i]];
    if (!other->known)
      return (Look){ 0 };
    for (int a = 0; a < 2; a++) {
      if (!look.known)
        look.axis[a] = other->axis[a];
      else if (!join_axis (&look.axis[a], other->axis[a]))
        return (Look){ 0 };
    }
    look.known = true;
  }

  Look out = { .known = look.known };
  for (int a = 0; a < 2 && out.known; a++)
    out.known = compose (&look.axis[a], &op, a, &out.axis[a]);
  return out;
}

/* Size of a value along vertical or horizontal @axis. */
static int64_t
size_along (const CnnTensor *tensor, int axis)
{
  const CnnShape *s = &tensor->shape;
  if (s->rank == 3 && !axis)
    return 1;
  int64_t size = s->rank < 3 ? 1 : s->dims[s->rank - 2 + axis];
  return size < 0 ? OPEN_SIZE : size;
}

static int
as_int (int64_t value)
{
  return value > INT_MAX ? INT_MAX : value < 0 ? 0 : (int) value;
}

static CnnPlace
place_of (const Look *look, const CnnTensor *tensor)
{
  CnnPlace place = { .known = look->known };
  for (int a = 0; a < 2 && look->known; a++) {
    const Axis *x = &look->axis[a];
    int64_t size = size_along (tensor, a);
    int64_t first = cnn_dim_floor_div (x->offset, x->unit);
    CnnGeometry *g = &place.look;
    place.finer = place.finer || x->stride % x->unit;
    g->stride[a] = (int) (x->stride / x->unit);
    g->offset[a] = (int) first;
    g->window[a] =
        (int) (cnn_dim_ceil_div (x->offset + x->window, x->unit) - first);
    g->clean_begin[a] = as_int (x->begin);
    g->clean_end[a] = as_int (x->end < size ? x->end : size);
    g->padded |= x->begin > 0 || (size < OPEN_SIZE && x->end < size);
  }
  place.known = place.known && !place.finer;
  return place;
}

CnnStatus
cnn_graph_geometry (const CnnGraph *graph, const CnnTensor *tensors,
    CnnPlace *places, CnnError *error)
{
  Look *looks = calloc (graph->n_values + 1, sizeof *looks);
  if (!looks)
    return cnn_error_memory (error, graph->n_values * sizeof *looks,
        "the geometry");
  int x = graph->n_inputs ? graph->inputs[0] : -1;
  if (x >= 0 && (tensors[x].shape.rank == 4 || tensors[x].shape.rank == 3)) {
    looks[x].known = true;
    for (int a = 0; a < 2; a++)
      looks[x].axis[a] = (Axis){ 1, 1, 0, 1, 0, size_along (&tensors[x], a) };
  }
  for (size_t n = 0; n < graph->n_nodes; n++) {
    const CnnNode *node = &graph->nodes[n];
    Look look = node_look (node, tensors, looks);
    for (int i = 0; i < node->n_out; i++)
      if (node->out[i] >= 0)
        looks[node->out[i]] = look;
  }
  for (size_t v = 0; v < graph->n_values; v++)
    places[v] = place_of (&looks[v], &tensors[v]);
  free (looks);
  return CNN_OK;
}
