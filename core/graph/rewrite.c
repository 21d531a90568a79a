/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rewrite.c: views of maps, and how nodes and constants enter the new graph. */

#include "graph/rewrite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "graph/compute.h"
#include "ops/shapes.h"
#include "tensor/convert.h"

CnnStatus
cnn_rewrite_refuse (const CnnRewrite *r, const CnnNode *node, const char *why)
{
  char text[CNN_NODE_TEXT];
  return cnn_error_set (r->error, CNN_ERROR_UNSUPPORTED,
      "%s can't become part of a class map: %s",
      cnn_node_describe (r->from, node, text, sizeof text), why);
}

const CnnValue *
cnn_rewrite_value (const CnnRewrite *r, const CnnNode *node, int i)
{
  return i < node->n_in && node->in[i] >= 0 ? &r->from->values[node->in[i]]
                                            : NULL;
}

const CnnView *
cnn_rewrite_view (const CnnRewrite *r, const CnnNode *node, int i)
{
  if (i >= node->n_in || node->in[i] < 0 || !r->views[node->in[i]].known)
    return NULL;
  return &r->views[node->in[i]];
}

float
cnn_rewrite_float (const CnnNode *node, const char *name, float otherwise)
{
  const CnnAttribute *a = cnn_node_attribute (node, name);
  return a ? a->f : otherwise;
}

int64_t
cnn_rewrite_int (const CnnNode *node, const char *name, int64_t otherwise)
{
  const CnnAttribute *a = cnn_node_attribute (node, name);
  return a ? a->i : otherwise;
}

void
cnn_rewrite_set (CnnRewrite *r, const CnnNode *node, int i, CnnView view)
{
  view.known = true;
  if (i < node->n_out && node->out[i] >= 0)
    r->views[node->out[i]] = view;
}

CnnStatus
cnn_rewrite_emit (CnnRewrite *r, const CnnNode *node, const char *op,
    const char *const *in, int n_in, const CnnAttribute *attributes,
    int n_attributes, int opset)
{
  const char *out[CNN_MAX_NODE_TENSORS];
  for (int i = 0; i < node->n_out; i++)
    out[i] = node->out[i] < 0 ? "" : r->from->values[node->out[i]].name;
  r->to->opset = opset ? opset : node->opset;
  CnnStatus status = cnn_graph_add_node (r->to, op, node->name, in, n_in, out,
      node->n_out, attributes, n_attributes, r->error);
  r->to->opset = r->from->opset;
  return status;
}

char *
cnn_rewrite_name (const CnnRewrite *r, const CnnNode *node, const char *suffix)
{
  const char *base = node->name;
  for (int i = node->n_out; i-- > 0;)
    if (node->out[i] >= 0)
      base = r->from->values[node->out[i]].name;
  size_t bytes = strlen (base) + strlen (suffix) + 2;
  char *name = malloc (bytes);
  if (name)
    snprintf (name, bytes, "%s/%s", base, suffix);
  return name;
}

/* The name as the new graph keeps it. */
static const char *
kept_name (const CnnRewrite *r, const char *name)
{
  return r->to->values[cnn_graph_find (r->to, name)].name;
}

CnnStatus
cnn_rewrite_constant (CnnRewrite *r, const CnnNode *node, const char *suffix,
    CnnType type, const CnnShape *shape, const void *data, const char **name)
{
  CnnTensor tensor = { type, *shape, (void *) data };
  char *text = cnn_rewrite_name (r, node, suffix);
  if (!text)
    return cnn_error_memory (r->error, 1, "a name");
  CnnStatus status = cnn_graph_add_constant (r->to, text, &tensor, r->error);
  if (!status)
    *name = kept_name (r, text);
  free (text);
  return status;
}

CnnStatus
cnn_rewrite_share (CnnRewrite *r, const CnnNode *node, const char *suffix,
    const CnnValue *value, const CnnShape *shape, const char **name)
{
  char *text = cnn_rewrite_name (r, node, suffix);
  if (!text)
    return cnn_error_memory (r->error, 1, "a name");
  CnnStatus status = cnn_graph_share_constant (r->to, text, value->tensor.type,
      shape, value->buffer, r->error);
  if (!status)
    *name = kept_name (r, text);
  free (text);
  return status;
}

CnnStatus
cnn_rewrite_add (CnnRewrite *r, const CnnNode *node, const char *suffix,
    const char *op, const char *const *in, int n_in,
    const CnnAttribute *attribute, const char **name)
{
  char *text = cnn_rewrite_name (r, node, suffix);
  if (!text)
    return cnn_error_memory (r->error, 1, "a name");
  CnnStatus status = cnn_graph_add_node (r->to, op, text, in, n_in,
      (const char *[]){ text }, 1, attribute, 1, r->error);
  if (!status)
    *name = kept_name (r, text);
  free (text);
  return status;
}

/* Maps compute in float32 throughout. */
static CnnStatus
bring_as_float32 (CnnRewrite *r, const CnnValue *value)
{
  size_t n = cnn_elements (&value->tensor);
  float *data = cnn_aligned_alloc (n * sizeof *data);
  if (!data)
    return cnn_error_memory (r->error, n * sizeof *data, value->name);
  for (size_t i = 0; i < n; i++)
    data[i] = (float) cnn_tensor_value (&value->tensor, i);
  CnnTensor tensor = { CNN_TYPE_FLOAT32, value->tensor.shape, data };
  CnnStatus status =
      cnn_graph_add_constant (r->to, value->name, &tensor, r->error);
  free (data);
  return status;
}

CnnStatus
cnn_rewrite_bring (CnnRewrite *r, const CnnValue *value)
{
  if (!value->buffer || cnn_graph_find (r->to, value->name) >= 0)
    return CNN_OK;
  if (cnn_type_is_float (value->tensor.type)
      && value->tensor.type != CNN_TYPE_FLOAT32)
    return bring_as_float32 (r, value);
  return cnn_graph_share_constant (r->to, value->name, value->tensor.type,
      &value->tensor.shape, value->buffer, r->error);
}

CnnStatus
cnn_rewrite_keep_index (CnnRewrite *r, int32_t *index)
{
  return cnn_known_keep (&r->known, index)
      ? CNN_OK
      : cnn_error_memory (r->error, sizeof *index, "an index");
}

bool
cnn_view_is_map (const CnnView *view, const CnnShape *shape)
{
  return !view->index && shape->rank == 4 && shape->dims[0] == 1
      && shape->dims[1] == view->c && shape->dims[2] == view->h
      && shape->dims[3] == view->w;
}

bool
cnn_view_lines (const CnnView *view, const CnnShape *shape, int axis, int to)
{
  int64_t outer = (int64_t) cnn_product (shape, 0, axis);
  int64_t line = (int64_t) cnn_product (shape, axis, to);
  int64_t inner = (int64_t) cnn_product (shape, to, shape->rank);
  int64_t places = view->h * view->w;
  if (line != view->c)
    return false;
  for (int64_t o = 0; o < outer; o++)
    for (int64_t i = 0; i < inner; i++) {
      int64_t first = o * line * inner + i;
      int64_t place = cnn_view_at (view, first) % places;
      for (int64_t l = 1; l < line; l++)
        if (cnn_view_at (view, first + l * inner) % places != place)
          return false;
    }
  return true;
}

bool
cnn_view_same (const CnnView *a, const CnnShape *shape_a, const CnnView *b,
    const CnnShape *shape_b)
{
  if (a->c != b->c || a->h != b->h || a->w != b->w
      || !cnn_shape_equal (shape_a, shape_b))
    return false;
  if (a->index == b->index)
    return true;
  int64_t count = (int64_t) cnn_product (shape_a, 0, shape_a->rank);
  for (int64_t e = 0; e < count; e++)
    if (cnn_view_at (a, e) != cnn_view_at (b, e))
      return false;
  return true;
}

/* Which channel of the map each of the value's is; false if it is anything
 * else than channels as they are. */
static bool
find_channels (const CnnView *view, const CnnShape *shape, int64_t *channels)
{
  int64_t places = view->h * view->w;
  for (int64_t c = 0; c < shape->dims[1]; c++) {
    channels[c] = cnn_view_at (view, c * places) / places;
    for (int64_t p = 0; p < places; p++)
      if (cnn_view_at (view, c * places + p) != channels[c] * places + p)
        return false;
  }
  return true;
}

/* @name: (out): the map of @count @channels of the view's: itself, if they are
 * all of them in order. */
static CnnStatus
choose_channels (CnnRewrite *r, const CnnNode *node, const CnnView *view,
    const int64_t *channels, int64_t count, const char **name)
{
  char suffix[32];
  const char *in[2] = { view->map, NULL };
  CnnAttribute axis = { .name = "axis", .type = CNN_ATTRIBUTE_INT, .i = 1 };
  bool same = count == view->c;
  for (int64_t c = 0; c < count && same; c++)
    same = channels[c] == c;
  if (same) {
    *name = view->map;
    return CNN_OK;
  }
  snprintf (suffix, sizeof suffix, "channels%zu", r->to->n_values);
  CnnStatus status = cnn_rewrite_constant (r, node, suffix, CNN_TYPE_INT64,
      &(CnnShape){ 1, { count } }, channels, &in[1]);
  snprintf (suffix, sizeof suffix, "chosen%zu", r->to->n_values);
  return status
      ? status
      : cnn_rewrite_add (r, node, suffix, "Gather", in, 2, &axis, name);
}

CnnStatus
cnn_view_map (CnnRewrite *r, const CnnNode *node, const CnnView *view,
    const CnnShape *shape, const char **name)
{
  if (cnn_view_is_map (view, shape)) {
    *name = view->map;
    return CNN_OK;
  }
  if (shape->rank != 4 || shape->dims[0] != 1 || shape->dims[2] != view->h
      || shape->dims[3] != view->w)
    return cnn_rewrite_refuse (r, node, "its input is no map of n c h w");

  int64_t count = shape->dims[1];
  int64_t *channels = malloc ((size_t) (count + 1) * sizeof *channels);
  if (!channels)
    return cnn_error_memory (r->error, (size_t) count * sizeof *channels,
        "channels");
  CnnStatus status = find_channels (view, shape, channels)
      ? choose_channels (r, node, view, channels, count, name)
      : cnn_rewrite_refuse (r, node,
          "its input has the places of a map in another order");
  free (channels);
  return status;
}

static int32_t *
counted (int64_t count)
{
  int32_t *index = malloc ((size_t) (count + 1) * sizeof *index);
  for (int64_t e = 0; index && e < count; e++)
    index[e] = (int32_t) e;
  return index;
}

/* Inputs of @node with indices in the place of elements; @shift is added to
 * those of each input. */
static CnnStatus
index_inputs (CnnRewrite *r, const CnnNode *node, CnnTensor *saved,
    const int64_t *shift)
{
  CnnStatus status = CNN_OK;
  for (int i = 0; i < node->n_in && !status; i++) {
    const CnnView *view = cnn_rewrite_view (r, node, i);
    if (!view)
      continue;
    CnnTensor *t = &r->tensors[node->in[i]];
    int64_t count = (int64_t) cnn_product (&t->shape, 0, t->shape.rank);
    int32_t *index = counted (count);
    for (int64_t e = 0; index && e < count; e++)
      index[e] = (int32_t) (cnn_view_at (view, e) + (shift ? shift[i] : 0));
    status = cnn_rewrite_keep_index (r, index);
    saved[i] = *t;
    t->type = CNN_TYPE_INT32;
    t->data = index;
  }
  return status;
}

/* Runs @node on indices, into @out. */
static CnnStatus
move_indices (CnnRewrite *r, const CnnNode *node, const int64_t *shift,
    CnnTensor *out)
{
  CnnTensor saved[CNN_MAX_NODE_TENSORS] = { { 0 } };
  CnnType types[CNN_MAX_NODE_TENSORS];
  CnnStatus status = index_inputs (r, node, saved, shift);
  for (int i = 0; i < node->n_out; i++)
    if (node->out[i] >= 0) {
      types[i] = r->tensors[node->out[i]].type;
      r->tensors[node->out[i]].type = CNN_TYPE_INT32;
    }
  if (!status)
    status = cnn_node_compute (node, r->tensors, out, r->error);
  for (int i = 0; i < node->n_in; i++)
    if (saved[i].type)
      r->tensors[node->in[i]] = saved[i];
  for (int i = 0; i < node->n_out; i++) {
    if (node->out[i] < 0)
      continue;
    r->tensors[node->out[i]].type = types[i];
    if (!status)
      status = cnn_rewrite_keep_index (r, out[i].data);
  }
  return status;
}

void
cnn_rewrite_set_index (CnnRewrite *r, const CnnNode *node, int i, CnnView view,
    const int32_t *index)
{
  const CnnShape *s = &r->tensors[node->out[i]].shape;
  int64_t count = (int64_t) cnn_product (s, 0, s->rank);
  bool counted = count == cnn_view_elements (&view);
  for (int64_t e = 0; e < count && counted; e++)
    counted = index[e] == e;
  view.index = counted ? NULL : index;
  cnn_rewrite_set (r, node, i, view);
}

static CnnStatus
set_moved (CnnRewrite *r, const CnnNode *node, const int64_t *shift,
    CnnView view)
{
  CnnTensor out[CNN_MAX_NODE_TENSORS];
  if (cnn_view_elements (&view) > INT32_MAX)
    return cnn_rewrite_refuse (r, node, "its input is too large");
  CnnStatus status = move_indices (r, node, shift, out);
  for (int i = 0; i < node->n_out && !status; i++)
    if (node->out[i] >= 0)
      cnn_rewrite_set_index (r, node, i, view, out[i].data);
  return status;
}

CnnStatus
cnn_rewrite_move (CnnRewrite *r, const CnnNode *node)
{
  const CnnView *view = cnn_rewrite_view (r, node, 0);
  for (int i = 1; i < node->n_in; i++)
    if (node->in[i] >= 0 && !r->tensors[node->in[i]].data)
      return cnn_rewrite_refuse (r, node, "where it moves what is not fixed");
  if (!view)
    return cnn_rewrite_refuse (r, node, "its input is no part of a map");
  return set_moved (r, node, NULL, *view);
}

/* Maps of the same size next to each other, each once; @shift: where each
 * input's elements are in that. */
static CnnStatus
join_maps (CnnRewrite *r, const CnnNode *node, CnnView *all, int64_t *shift)
{
  const char *maps[CNN_MAX_NODE_TENSORS];
  int64_t begins[CNN_MAX_NODE_TENSORS];
  int n_maps = 0;
  *all = *cnn_rewrite_view (r, node, 0);
  all->c = 0;
  for (int i = 0; i < node->n_in; i++) {
    const CnnView *view = cnn_rewrite_view (r, node, i);
    int m = 0;
    while (m < n_maps && strcmp (maps[m], view->map))
      m++;
    if (m == n_maps) {
      maps[n_maps] = view->map;
      begins[n_maps++] = all->c * view->h * view->w;
      all->c += view->c;
    }
    shift[i] = begins[m];
    if (view->h != all->h || view->w != all->w)
      return cnn_rewrite_refuse (r, node, "its inputs have different sizes");
  }
  if (n_maps == 1)
    return CNN_OK;

  CnnAttribute axis = { .name = "axis", .type = CNN_ATTRIBUTE_INT, .i = 1 };
  return cnn_rewrite_add (r, node, "joined", "Concat", maps, n_maps, &axis,
      &all->map);
}

CnnStatus
cnn_rewrite_join (CnnRewrite *r, const CnnNode *node)
{
  int64_t shift[CNN_MAX_NODE_TENSORS];
  CnnView all;
  for (int i = 0; i < node->n_in; i++)
    if (!cnn_rewrite_view (r, node, i))
      return cnn_rewrite_refuse (r, node, "one of its inputs is no map's");
  CnnStatus status = join_maps (r, node, &all, shift);
  return status ? status : set_moved (r, node, shift, all);
}
