/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* widen.c: operators that compute in float32 only serve other precisions too.
 *
 *   x:float16--Conv--y:float16   ->
 *   x:float16--Cast--x/float32--Conv--y/float32--Cast--y:float16 */

#include "graph/nodes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "graph/infer.h"
#include "tensor/convert.h"

/**
 * Widen:
 * @tensors: types and shapes of all values so far, @room of them
 */
typedef struct
{
  CnnGraph *graph;
  CnnTensor *tensors;
  size_t room;
  CnnKnown known;
  CnnError *error;
} Widen;

static bool
is_other_precision (CnnType type)
{
  return cnn_type_is_float (type) && type != CNN_TYPE_FLOAT32;
}

static CnnStatus
make_room (Widen *w)
{
  size_t room = w->graph->n_values + 2 * CNN_MAX_NODE_TENSORS;
  if (room <= w->room)
    return CNN_OK;
  room *= 2;
  CnnTensor *tensors = realloc (w->tensors, room * sizeof *tensors);
  if (!tensors)
    return cnn_error_memory (w->error, room * sizeof *tensors, "shapes");
  w->tensors = tensors;
  w->room = room;
  return CNN_OK;
}

/* The name of @value's float32 twin, to be freed. */
static char *
twin_name (const Widen *w, int value)
{
  const char *name = w->graph->values[value].name;
  size_t bytes = strlen (name) + 16;
  char *twin = malloc (bytes);
  if (twin)
    snprintf (twin, bytes, "%s/float32", name);
  return twin;
}

/* Adds a Cast from value @from to value @to, both by name. */
static CnnStatus
add_cast (Widen *w, const char *from, const char *to, CnnType type)
{
  CnnAttribute attribute = {
    .name = "to",
    .type = CNN_ATTRIBUTE_INT,
    .i = type,
  };
  return cnn_graph_add_node (w->graph, "Cast", to, &from, 1, &to, 1, &attribute,
      1, w->error);
}

/* Input @i of node @n becomes its float32 twin, which may be there already. */
static CnnStatus
widen_input (Widen *w, size_t n, int i)
{
  CnnGraph *g = w->graph;
  int value = g->nodes[n].in[i];
  char *name = twin_name (w, value);
  CnnStatus status = CNN_OK;
  if (!name)
    return cnn_error_memory (w->error, 1, "a name");
  if (cnn_graph_find (g, name) < 0)
    status = add_cast (w, g->values[value].name, name, CNN_TYPE_FLOAT32);
  if (!status) {
    int twin = cnn_graph_find (g, name);
    w->tensors[twin] = (CnnTensor){
      .type = CNN_TYPE_FLOAT32,
      .shape = w->tensors[value].shape,
    };
    g->nodes[n].in[i] = twin;
  }
  free (name);
  return status;
}

/* Output @i of node @n, float32 now, is cast back to @type. */
static CnnStatus
narrow_output (Widen *w, size_t n, int i, CnnType type)
{
  CnnGraph *g = w->graph;
  int value = g->nodes[n].out[i];
  char *name = twin_name (w, value);
  if (!name)
    return cnn_error_memory (w->error, 1, "a name");
  g->values[value].producer = -1;
  CnnStatus status = add_cast (w, name, g->values[value].name, type);
  if (!status) {
    int twin = cnn_graph_find (g, name);
    w->tensors[twin] = w->tensors[value];
    w->tensors[value].type = type;
    g->nodes[n].out[i] = twin;
    g->values[twin].producer = (int) n;
  }
  free (name);
  return status;
}

/* What the standard says output @i is, when the first is of @type: running
 * statistics are like those that come in, everything else beside the first
 * output stays float32. */
static CnnType
output_type (const CnnNode *node, int i, CnnType type, CnnType statistics)
{
  if (!i)
    return type;
  return !strcmp (node->op->name, "BatchNormalization") ? statistics
                                                        : CNN_TYPE_FLOAT32;
}

static CnnStatus
widen_node (Widen *w, size_t n)
{
  const CnnOp *op = w->graph->nodes[n].op;
  const CnnNode *node = &w->graph->nodes[n];
  CnnType type = CNN_TYPE_NONE, statistics = CNN_TYPE_FLOAT32;
  CnnStatus status = make_room (w);
  if (!status && node->n_in > 3 && node->in[3] >= 0)
    statistics = w->tensors[node->in[3]].type;
  for (int i = 0; i < w->graph->nodes[n].n_in && op->float32_only && !status;
       i++) {
    int v = w->graph->nodes[n].in[i];
    if (v < 0 || !is_other_precision (w->tensors[v].type)
        || op->value_in >> (i < 31 ? i : 31) & 1)
      continue;
    if (!type)
      type = w->tensors[v].type;
    status = widen_input (w, n, i);
  }
  if (!status)
    status = cnn_node_infer_known (w->graph, &w->graph->nodes[n], &w->known,
        w->tensors, w->error);
  for (int i = 0; type && i < w->graph->nodes[n].n_out && !status; i++) {
    int v = w->graph->nodes[n].out[i];
    CnnType wanted = output_type (&w->graph->nodes[n], i, type, statistics);
    if (v >= 0 && w->tensors[v].type == CNN_TYPE_FLOAT32
        && wanted != CNN_TYPE_FLOAT32)
      status = narrow_output (w, n, i, wanted);
  }
  return status;
}

CnnStatus
cnn_graph_widen (CnnGraph *graph, CnnError *error)
{
  Widen w = { .graph = graph, .error = error };
  size_t n_nodes = graph->n_nodes;
  CnnStatus status = make_room (&w);
  for (size_t v = 0; v < graph->n_values && !status; v++)
    w.tensors[v] = graph->values[v].tensor;
  for (size_t n = 0; n < n_nodes && !status; n++)
    status = widen_node (&w, n);
  if (!status && graph->n_nodes > n_nodes)
    status = cnn_graph_sort (graph, error);
  cnn_known_clear (&w.known);
  free (w.tensors);
  return status;
}
