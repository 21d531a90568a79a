/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rewrite_reduce.c: what looks at all of a window, or at all of its channels.
 *
 *   map c h w--GlobalAveragePool        ->   map--AveragePool h x w
 *   map c h w--ReduceMean 2, 3          ->   map--AveragePool h x w
 *   map c h w--Transpose--ReduceMax -1  ->   map--ReduceMax 1
 *   row--Softmax -1                     ->   map--Softmax 1 */

#include "graph/rewrite.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "ops/shapes.h"

/* Reductions over the whole window, and the pools that do it for each window;
 * p of LpPool; @sum: the pool's result times its size. */
static const struct
{
  const char *op, *pool;
  int p;
  bool sum;
} pools[] = {
  { "GlobalAveragePool", "AveragePool", 0, false },
  { "GlobalMaxPool", "MaxPool", 0, false },
  { "GlobalLpPool", "LpPool", 2, false },
  { "ReduceMean", "AveragePool", 0, false },
  { "ReduceMax", "MaxPool", 0, false },
  { "ReduceL1", "LpPool", 1, false },
  { "ReduceL2", "LpPool", 2, false },
  { "ReduceSum", "AveragePool", 0, true },
};

/* Which dimensions of its input @node reduces; false if it does not say. */
static bool
reduced_dims (const CnnRewrite *r, const CnnNode *node, const CnnShape *shape,
    bool *reduced)
{
  bool global = !strncmp (node->op->name, "Global", 6), any = false;
  for (int d = 0; d < shape->rank; d++)
    reduced[d] = global && d >= 2;
  const CnnAttribute *a = cnn_node_attribute (node, "axes");
  const int64_t *axes = a ? a->ints : NULL;
  size_t count = a ? (size_t) a->count : 0;
  if (node->n_in > 1 && node->in[1] >= 0) {
    const CnnTensor *t = &r->tensors[node->in[1]];
    axes = t->data;
    if (!axes || t->type != CNN_TYPE_INT64)
      return false;
    count = cnn_elements (t);
  }
  for (size_t i = 0; i < count; i++, any = true)
    reduced[axes[i] < 0 ? axes[i] + shape->rank : axes[i]] = true;
  for (int d = 0; d < shape->rank && !any && !global; d++)
    reduced[d] = !cnn_rewrite_int (node, "noop_with_empty_axes", 0);
  return true;
}

/**
 * Groups:
 * What is reduced to one element each: @size elements, of which the first
 * one's channel and place are in @channel and @place, @count of them.
 */
typedef struct
{
  int64_t count, size;
  int64_t *channel, *place;
  bool one_channel, one_place;
} Groups;

/* Number of the group that element @e belongs to: its kept coordinates. */
static int64_t
group_of (const CnnShape *shape, const bool *reduced, int64_t e)
{
  int64_t group = 0, step = 1;
  for (int d = shape->rank - 1; d >= 0; d--) {
    int64_t at = e % shape->dims[d];
    e /= shape->dims[d];
    if (!reduced[d]) {
      group += at * step;
      step *= shape->dims[d];
    }
  }
  return group;
}

static CnnStatus
find_groups (const CnnRewrite *r, const CnnView *view, const CnnShape *shape,
    const bool *reduced, Groups *g)
{
  int64_t count = (int64_t) cnn_product (shape, 0, shape->rank);
  int64_t places = view->h * view->w;
  *g = (Groups){ .count = 1, .one_channel = true, .one_place = true };
  for (int d = 0; d < shape->rank; d++)
    g->count *= reduced[d] ? 1 : shape->dims[d];
  g->size = count / g->count;
  g->channel = malloc ((size_t) g->count * sizeof *g->channel);
  g->place = malloc ((size_t) g->count * sizeof *g->place);
  if (!g->channel || !g->place)
    return cnn_error_memory (r->error, (size_t) g->count, "groups");
  for (int64_t i = 0; i < g->count; i++)
    g->channel[i] = -1;
  for (int64_t e = 0; e < count; e++) {
    int64_t i = group_of (shape, reduced, e), at = cnn_view_at (view, e);
    if (g->channel[i] < 0) {
      g->channel[i] = at / places;
      g->place[i] = at % places;
    }
    g->one_channel = g->one_channel && g->channel[i] == at / places;
    g->one_place = g->one_place && g->place[i] == at % places;
  }
  g->one_channel = g->one_channel && g->size == places;
  g->one_place = g->one_place && g->size == view->c;
  return CNN_OK;
}

/* Output @node's elements are channels (or places) of a map. */
static CnnStatus
set_groups (CnnRewrite *r, const CnnNode *node, const int64_t *at,
    int64_t count, CnnView view)
{
  int32_t *index = malloc ((size_t) count * sizeof *index);
  for (int64_t i = 0; index && i < count; i++)
    index[i] = (int32_t) at[i];
  CnnStatus status = cnn_rewrite_keep_index (r, index);
  view.map = r->from->values[node->out[0]].name;
  if (!status)
    cnn_rewrite_set_index (r, node, 0, view, index);
  return status;
}

/* The pool goes into a value of its own, which is multiplied. */
static CnnStatus
emit_sum (CnnRewrite *r, const CnnNode *node, const CnnView *view,
    const CnnAttribute *attributes)
{
  float size = (float) (view->h * view->w);
  const char *in[2];
  CnnStatus status = cnn_rewrite_constant (r, node, "size", CNN_TYPE_FLOAT32,
      &(CnnShape){ 0 }, &size, &in[1]);
  if (!status)
    status = cnn_rewrite_add (r, node, "mean", "AveragePool", &view->map, 1,
        attributes, &in[0]);
  return status ? status : cnn_rewrite_emit (r, node, "Mul", in, 2, NULL, 0, 0);
}

static CnnStatus
emit_pool (CnnRewrite *r, const CnnNode *node, const CnnView *view, int pool)
{
  int64_t size[] = { view->h, view->w };
  CnnAttribute attributes[] = {
    { .name = "kernel_shape",
        .type = CNN_ATTRIBUTE_INTS,
        .count = 2,
        .ints = size },
    { .name = "p",
        .type = CNN_ATTRIBUTE_INT,
        .i = pools[pool].p == 2 ? cnn_rewrite_int (node, "p", 2)
                                : pools[pool].p },
  };
  if (pools[pool].sum)
    return emit_sum (r, node, view, attributes);
  return cnn_rewrite_emit (r, node, pools[pool].pool, &view->map, 1, attributes,
      pools[pool].p ? 2 : 1, 0);
}

/* The same reduction, over the channels of a map. */
static CnnStatus
emit_over_channels (CnnRewrite *r, const CnnNode *node, const CnnView *view)
{
  int64_t one = 1;
  bool as_input = node->op->value_in && node->opset >= 18;
  if (!strcmp (node->op->name, "ReduceSum"))
    as_input = node->opset >= 13;
  const char *in[2] = { view->map };
  CnnAttribute attributes[] = {
    { .name = "keepdims", .type = CNN_ATTRIBUTE_INT, .i = 1 },
    { .name = "axes", .type = CNN_ATTRIBUTE_INTS, .count = 1, .ints = &one },
  };
  CnnStatus status = CNN_OK;
  if (as_input)
    status = cnn_rewrite_constant (r, node, "axes", CNN_TYPE_INT64,
        &(CnnShape){ 1, { 1 } }, &one, &in[1]);
  return status ? status
                : cnn_rewrite_emit (r, node, node->op->name, in,
                    as_input ? 2 : 1, attributes, as_input ? 1 : 2, 0);
}

static CnnStatus
reduce_groups (CnnRewrite *r, const CnnNode *node, const CnnView *view,
    const Groups *g)
{
  const char *name = node->op->name;
  CnnStatus status;
  if (g->one_channel) {
    int pool = 0, n_pools = (int) (sizeof pools / sizeof *pools);
    while (pool < n_pools && strcmp (pools[pool].op, name))
      pool++;
    if (pool == n_pools)
      return cnn_rewrite_refuse (r, node, "no pool computes it for a window");
    status = emit_pool (r, node, view, pool);
    return status ? status
                  : set_groups (r, node, g->channel, g->count,
                      (CnnView){ .c = view->c, .h = 1, .w = 1 });
  }
  if (g->one_place && !strncmp (name, "Reduce", 6)) {
    status = emit_over_channels (r, node, view);
    return status ? status
                  : set_groups (r, node, g->place, g->count,
                      (CnnView){ .c = 1, .h = view->h, .w = view->w });
  }
  return cnn_rewrite_refuse (r, node,
      "it is taken neither over the window nor over the channels");
}

CnnStatus
cnn_rewrite_reduce (CnnRewrite *r, const CnnNode *node)
{
  const CnnView *view = cnn_rewrite_view (r, node, 0);
  const CnnShape *shape = &r->tensors[node->in[0]].shape;
  bool reduced[CNN_MAX_RANK];
  Groups groups = { 0 };
  if (!view || !cnn_view_elements (view)
      || !reduced_dims (r, node, shape, reduced))
    return cnn_rewrite_refuse (r, node, "what it reduces is not fixed");
  CnnStatus status = find_groups (r, view, shape, reduced, &groups);
  if (!status)
    status = reduce_groups (r, node, view, &groups);
  free (groups.channel);
  free (groups.place);
  return status;
}

/* Before opset 13 the operator means all dimensions from its axis on, which no
 * map can use: it becomes the newer one. */
CnnStatus
cnn_rewrite_softmax (CnnRewrite *r, const CnnNode *node)
{
  const CnnView *view = cnn_rewrite_view (r, node, 0);
  const CnnShape *shape = &r->tensors[node->in[0]].shape;
  bool coerced = node->opset < 13;
  int64_t axis = cnn_rewrite_int (node, "axis", coerced ? 1 : -1);
  axis += axis < 0 ? shape->rank : 0;
  if (!view
      || !cnn_view_lines (view, shape, (int) axis,
          coerced ? shape->rank : (int) axis + 1))
    return cnn_rewrite_refuse (r, node, "it is not taken over the classes");

  CnnAttribute one = { .name = "axis", .type = CNN_ATTRIBUTE_INT, .i = 1 };
  CnnStatus status = cnn_rewrite_emit (r, node, node->op->name, &view->map, 1,
      &one, 1, coerced ? 13 : 0);
  CnnView answer = *view;
  answer.map = r->from->values[node->out[0]].name;
  if (!status)
    cnn_rewrite_set (r, node, 0, answer);
  return status;
}
