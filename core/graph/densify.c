/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* densify.c: strides become dilations, so that a class map answers for more
 * windows, each exactly.
 *
 *   x--Conv 5x5--MaxPool 2x2 /2--Conv 3x3--MaxPool 2x2 /2--Conv 5x5--y /4
 *
 * with windows 2 pixels apart instead of 4:
 *
 *   x--Conv 5x5--MaxPool 2x2 /2--Conv 3x3--MaxPool 2x2 /1--Conv 5x5 *2--y /2
 *
 * A value whose cells were C pixels apart has them gcd (C, T) pixels apart
 * now; what was its neighbour is C / gcd (C, T) cells away, which is how far
 * operators behind it reach from tap to tap.
 *
 * Source: Holschneider et al., "A real-time algorithm for signal analysis with
 * the help of the wavelet transform" (algorithme a trous), 1989; Yu, Koltun,
 * "Multi-scale context aggregation by dilated convolutions", 2016. */

#include "graph/nodes.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define MAX_ATTRIBUTES 16

/** Operators with a window, and since when they have dilations. */
static const struct
{
  const char *op;
  int dilations_since;
} windows[] = {
  { "Conv", 1 },
  { "MaxPool", 10 },
  { "LpPool", 18 },
  { "AveragePool", 19 },
};

/**
 * Densify:
 * @places: of the values of @graph
 * @target: pixels that neighbouring windows are to be apart, at most
 */
typedef struct
{
  const CnnGraph *graph;
  CnnTensor *tensors;
  CnnPlace *places;
  int target[2];
} Densify;

/* Cells of value @v: how far apart they are from now on, and how many of them
 * away the old neighbour is. */
static int
spread (const Densify *d, int v, int axis, int *apart)
{
  int stride = d->places[v].look.stride[axis];
  *apart = (int) cnn_divisor (stride, d->target[axis]);
  return stride / *apart;
}

/* One of two numbers of an attribute, [0] vertical. */
static int64_t
number (const CnnNode *node, const char *name, int i, int64_t otherwise)
{
  const CnnAttribute *a = cnn_node_attribute (node, name);
  return a && i < a->count ? a->ints[i] : otherwise;
}

/**
 * Window:
 * What of a node changes: its strides, dilations and pads.
 */
typedef struct
{
  int64_t strides[2], dilations[2], pads[4];
  bool changed;
} Window;

static Window
new_window (const Densify *d, const CnnNode *node)
{
  Window w = { .changed = false };
  int in = node->in[0], out = node->out[0];
  for (int axis = 0; axis < 2; axis++) {
    int apart_in, apart_out, reach = spread (d, in, axis, &apart_in);
    spread (d, out, axis, &apart_out);
    int64_t stride = number (node, "strides", axis, 1);
    w.strides[axis] = apart_out / apart_in;
    w.dilations[axis] = number (node, "dilations", axis, 1) * reach;
    w.pads[axis] = number (node, "pads", axis, 0) * reach;
    w.pads[axis + 2] = number (node, "pads", axis + 2, 0) * reach;
    w.changed = w.changed || reach != 1 || w.strides[axis] != stride;
  }
  return w;
}

static CnnStatus
refuse (const Densify *d, const CnnNode *node, const char *why, CnnError *error)
{
  char text[CNN_NODE_TEXT];
  return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
      "%s can't be computed more densely: %s",
      cnn_node_describe (d->graph, node, text, sizeof text), why);
}

static bool
is_replaced (const char *name)
{
  return !strcmp (name, "strides") || !strcmp (name, "dilations")
      || !strcmp (name, "pads") || !strcmp (name, "auto_pad");
}

/* Attributes of a node with a window, with @w in the place of its own. */
static CnnStatus
edit_window (const Densify *d, const CnnNode *node, int since, const Window *w,
    CnnNodeForm *form, CnnError *error)
{
  const CnnAttribute *pad = cnn_node_attribute (node, "auto_pad");
  if (pad && strcmp (pad->s, "NOTSET") && strcmp (pad->s, "VALID"))
    return refuse (d, node, "its padding depends on the picture's size", error);
  CnnAttribute *a = form->attributes;
  form->count = 0;
  for (int i = 0; i < node->n_attributes; i++)
    if (!is_replaced (node->attributes[i].name)) {
      if (form->count >= MAX_ATTRIBUTES - 3)
        return refuse (d, node, "it has too many attributes", error);
      a[form->count++] = node->attributes[i];
    }
  a[form->count++] = (CnnAttribute){ .name = "strides",
    .type = CNN_ATTRIBUTE_INTS,
    .count = 2,
    .ints = w->strides };
  a[form->count++] = (CnnAttribute){ .name = "dilations",
    .type = CNN_ATTRIBUTE_INTS,
    .count = 2,
    .ints = w->dilations };
  a[form->count++] = (CnnAttribute){ .name = "pads",
    .type = CNN_ATTRIBUTE_INTS,
    .count = 4,
    .ints = w->pads };
  form->opset = node->opset < since ? since : node->opset;
  return CNN_OK;
}

/* Operators without a window may stay as they are if nothing around them
 * changed, or if they look at one cell at a time. */
static CnnStatus
check_other (const Densify *d, const CnnNode *node, CnnError *error)
{
  const CnnTensor *in[CNN_MAX_NODE_TENSORS] = { NULL };
  CnnOpGeometry g;
  cnn_node_inputs (node, d->tensors, in);
  if (!node->op->geometry || !node->op->geometry (node->params, in, &g))
    return CNN_OK;
  for (int axis = 0; axis < 2; axis++) {
    bool local = g.window[axis] == 1 && g.stride[axis] == 1 && !g.offset[axis]
        && g.up[axis] <= 1;
    int apart, reach = 1;
    for (int i = 0; i < node->n_in; i++)
      if (node->in[i] >= 0 && d->places[node->in[i]].known && reach == 1)
        reach = spread (d, node->in[i], axis, &apart);
    if (node->out[0] >= 0 && d->places[node->out[0]].known && reach == 1)
      reach = spread (d, node->out[0], axis, &apart);
    if (!local && reach != 1)
      return refuse (d, node, "it has no dilation", error);
  }
  return CNN_OK;
}

/**
 * Edit:
 * Memory of one node's changed attributes.
 */
typedef struct
{
  Densify d;
  Window window;
  CnnAttribute attributes[MAX_ATTRIBUTES];
} Edit;

static CnnStatus
edit_node (void *data, const CnnNode *node, CnnNodeForm *form, CnnError *error)
{
  Edit *e = data;
  int n = 0, count = (int) (sizeof windows / sizeof *windows);
  while (n < count && strcmp (windows[n].op, node->op->name))
    n++;
  if (n == count || node->out[0] < 0 || !e->d.places[node->out[0]].known
      || e->d.tensors[node->in[0]].shape.rank != 4)
    return check_other (&e->d, node, error);
  e->window = new_window (&e->d, node);
  if (!e->window.changed)
    return CNN_OK;
  form->attributes = e->attributes;
  return edit_window (&e->d, node, windows[n].dilations_since, &e->window, form,
      error);
}

/* The largest divisor of the network's own stride that is not larger than what
 * is asked for. */
static CnnStatus
choose_target (Densify *d, int stride, CnnError *error)
{
  int out = d->graph->outputs[0];
  if (!d->places[out].known)
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "the output's cells have no place in the picture");
  for (int axis = 0; axis < 2; axis++) {
    int own = d->places[out].look.stride[axis];
    d->target[axis] = stride < own ? stride : own;
    while (own % d->target[axis])
      d->target[axis]--;
  }
  return CNN_OK;
}

CnnStatus
cnn_graph_densify (const CnnGraph *graph, int stride, CnnGraph **dense,
    CnnError *error)
{
  Edit e = { .d.graph = graph };
  CnnStatus status = CNN_OK;
  e.d.tensors = calloc (graph->n_values + 1, sizeof *e.d.tensors);
  e.d.places = calloc (graph->n_values + 1, sizeof *e.d.places);
  if (!e.d.tensors || !e.d.places)
    status = cnn_error_memory (error, graph->n_values, "strides");
  for (size_t v = 0; v < graph->n_values && !status; v++)
    e.d.tensors[v] = graph->values[v].tensor;
  if (!status)
    status = cnn_graph_geometry (graph, e.d.tensors, e.d.places, error);
  if (!status)
    status = choose_target (&e.d, stride, error);
  if (!status)
    status = cnn_graph_copy_edited (graph, edit_node, &e, dense, error);
  free (e.d.places);
  free (e.d.tensors);
  return status;
}
