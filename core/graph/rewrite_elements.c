/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rewrite_elements.c: operators that work element by element, on a value that
 * was flattened or turned.
 *
 *   row k--Add--[k]   ->   map k 1 1--Add--[k 1 1] */

#include "graph/rewrite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "ops/shapes.h"
#include "tensor/convert.h"

/* The constant, one element a channel; false if it differs within one.
 * Channels that the value does not have get zero. Floats become float32. */
static bool
each_channel (const CnnView *view, const CnnShape *shape, const CnnValue *value,
    char *to)
{
  bool is_float = cnn_type_is_float (value->tensor.type);
  size_t bytes =
      is_float ? sizeof (float) : cnn_type_bytes (value->tensor.type);
  int64_t count = (int64_t) cnn_product (shape, 0, shape->rank);
  int64_t places = view->h * view->w;
  const char *from = value->tensor.data;
  bool *seen = calloc ((size_t) view->c + 1, sizeof *seen), same = seen;
  for (int64_t e = 0; e < count && same; e++) {
    size_t c = (size_t) (cnn_view_at (view, e) / places);
    size_t at = cnn_broadcast_at (&value->tensor.shape, shape, (size_t) e);
    float f = (float) cnn_tensor_value (&value->tensor, at);
    const char *x = is_float ? (const char *) &f : from + at * bytes;
    same = !seen[c] || !memcmp (to + c * bytes, x, bytes);
    memcpy (to + c * bytes, x, bytes);
    seen[c] = true;
  }
  free (seen);
  return same;
}

/* A constant beside the value: one number, or one for each channel. */
static CnnStatus
operand (CnnRewrite *r, const CnnNode *node, int i, const CnnView *view,
    const CnnShape *shape, const char **name)
{
  const CnnValue *value = cnn_rewrite_value (r, node, i);
  const CnnShape *s = &value->tensor.shape;
  char suffix[16];
  if (cnn_elements (&value->tensor) == 1 && s->rank <= 4) {
    *name = value->name;
    return cnn_rewrite_bring (r, value);
  }
  CnnShape both;
  if (cnn_shape_broadcast (s, shape, &both, r->error)
      || !cnn_shape_equal (&both, shape))
    return cnn_rewrite_refuse (r, node, "its constant stretches its input");

  CnnType type = cnn_type_is_float (value->tensor.type) ? CNN_TYPE_FLOAT32
                                                        : value->tensor.type;
  size_t bytes = (size_t) view->c * cnn_type_bytes (type);
  char *each = cnn_aligned_alloc (bytes);
  if (!each)
    return cnn_error_memory (r->error, bytes, "a constant");
  snprintf (suffix, sizeof suffix, "each%d", i);
  CnnStatus status = each_channel (view, shape, value, each)
      ? cnn_rewrite_constant (r, node, suffix, type,
          &(CnnShape){ 3, { view->c, 1, 1 } }, each, name)
      : cnn_rewrite_refuse (r, node,
          "it differs from place to place in the window");
  free (each);
  return status;
}

/* Scale and shift for each channel of a row: the same operator on 1x1 maps. */
static bool
is_row_of_channels (const CnnView *view, const CnnShape *shape)
{
  return !view->index && view->h == 1 && view->w == 1 && shape->rank >= 2
      && shape->dims[1] == view->c;
}

static bool
is_channelwise (const CnnNode *node)
{
  static const char *const names[] = { "BatchNormalization", "LRN",
    "QuantizeLinear", "DequantizeLinear", NULL };
  return cnn_node_is_one_of (node, names);
}

static CnnStatus
input_name (CnnRewrite *r, const CnnNode *node, int i, const CnnView *view,
    const CnnShape *shape, const char **name)
{
  const CnnValue *value = cnn_rewrite_value (r, node, i);
  const CnnView *other = cnn_rewrite_view (r, node, i);
  *name = "";
  if (!value)
    return CNN_OK;
  if (other) {
    *name = other->map;
    return cnn_view_same (view, shape, other, &r->tensors[node->in[i]].shape)
        ? CNN_OK
        : cnn_rewrite_refuse (r, node, "its inputs are flattened differently");
  }
  if (!value->buffer)
    return cnn_rewrite_refuse (r, node,
        "one of its inputs is no part of a map");
  if (!is_channelwise (node))
    return operand (r, node, i, view, shape, name);
  *name = value->name;
  if (cnn_elements (&value->tensor) != 1 && !is_row_of_channels (view, shape))
    return cnn_rewrite_refuse (r, node,
        "it differs from place to place in the window");
  return cnn_rewrite_bring (r, value);
}

CnnStatus
cnn_rewrite_elements (CnnRewrite *r, const CnnNode *node)
{
  const char *in[CNN_MAX_NODE_TENSORS];
  const CnnView *view = NULL;
  const CnnShape *shape = NULL;
  CnnStatus status = CNN_OK;
  for (int i = 0; i < node->n_in && !view; i++) {
    view = cnn_rewrite_view (r, node, i);
    shape = view ? &r->tensors[node->in[i]].shape : NULL;
  }
  if (!view || node->out[0] < 0
      || !cnn_shape_equal (shape, &r->tensors[node->out[0]].shape))
    return cnn_rewrite_refuse (r, node, "it stretches its input");
  for (int i = 0; i < node->n_in && !status; i++)
    status = input_name (r, node, i, view, shape, &in[i]);
  if (!status)
    status = cnn_rewrite_emit (r, node, node->op->name, in, node->n_in,
        node->attributes, node->n_attributes, 0);
  CnnView answer = *view;
  answer.map = r->from->values[node->out[0]].name;
  if (!status)
    cnn_rewrite_set (r, node, 0, answer);
  return status;
}
