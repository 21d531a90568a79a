/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* build.c: a graph grows value by value and node by node.
 *
 * Called by the ONNX reader with names and sizes from untrusted files, so
 * names are found through a hash table and everything is counted. */

#include "graph/nodes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/size.h"
#include "tensor/convert.h"
#include "tensor/scalar.h"

CnnStatus
cnn_graph_new (int opset, CnnGraph **graph, CnnError *error)
{
  if (opset < 1)
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED, "there is no opset %d",
        opset);
  CnnGraph *g = calloc (1, sizeof *g);
  if (!g)
    return cnn_error_memory (error, sizeof *g, "a graph");
  g->opset = opset;
  *graph = g;
  return CNN_OK;
}

static void
buffer_unref (CnnBuffer *buffer)
{
  if (!buffer || atomic_fetch_sub (&buffer->refs, 1) != 1)
    return;
  free (buffer->data);
  free (buffer);
}

void
cnn_node_clear (CnnNode *node)
{
  for (int i = 0; i < node->n_attributes; i++) {
    CnnAttribute *a = &node->attributes[i];
    free ((void *) a->name);
    free ((void *) a->s);
    free ((void *) a->ints);
    free ((void *) a->floats);
    if (a->t)
      free (a->t->data);
    free ((void *) a->t);
  }
  free (node->attributes);
  free (node->params);
  free (node->name);
}

void
cnn_graph_free (CnnGraph *graph)
{
  if (!graph)
    return;
  for (size_t i = 0; i < graph->n_values; i++) {
    free (graph->values[i].name);
    buffer_unref (graph->values[i].buffer);
  }
  for (size_t i = 0; i < graph->n_nodes; i++)
    cnn_node_clear (&graph->nodes[i]);
  for (size_t i = 0; i < graph->n_metadata; i++) {
    free (graph->keys[i]);
    free (graph->texts[i]);
  }
  free (graph->values);
  free (graph->nodes);
  free (graph->inputs);
  free (graph->outputs);
  free (graph->keys);
  free (graph->texts);
  free (graph->index);
  free (graph);
}

/* FNV-1a. A file made to collide costs a longer walk, at most CNN_MAX_VALUES
 * long. */
static size_t
hash (const char *name)
{
  uint64_t h = 0xcbf29ce484222325u;
  for (const unsigned char *c = (const unsigned char *) name; *c; c++)
    h = (h ^ *c) * 0x100000001b3u;
  return (size_t) (h ^ (h >> 32));
}

/* The slot that holds @name, or the free one where it belongs. */
static int *
find_slot (const CnnGraph *graph, const char *name)
{
  size_t mask = graph->index_size - 1;
  for (size_t i = hash (name) & mask;; i = (i + 1) & mask) {
    int v = graph->index[i];
    if (v < 0 || !strcmp (graph->values[v].name, name))
      return &graph->index[i];
  }
}

int
cnn_graph_find (const CnnGraph *graph, const char *name)
{
  return graph->index_size ? *find_slot (graph, name) : -1;
}

static bool
grow_index (CnnGraph *graph)
{
  if ((graph->n_values + 1) * 2 <= graph->index_size)
    return true;

  size_t size = graph->index_size ? graph->index_size * 2 : 64;
  int *index = malloc (size * sizeof *index);
  if (!index)
    return false;
  free (graph->index);
  graph->index = index;
  graph->index_size = size;
  for (size_t i = 0; i < size; i++)
    index[i] = -1;
  for (size_t v = 0; v < graph->n_values; v++)
    *find_slot (graph, graph->values[v].name) = (int) v;
  return true;
}

/* Number of the value called @name, made if there is none yet. */
static CnnStatus
value_number (CnnGraph *graph, const char *name, int *number, CnnError *error)
{
  int found = cnn_graph_find (graph, name);
  if (found >= 0) {
    *number = found;
    return CNN_OK;
  }
  if (graph->n_values >= CNN_MAX_VALUES)
    return cnn_error_set (error, CNN_ERROR_MEMORY,
        "more than %d values in the graph", CNN_MAX_VALUES);

  char *copy = strdup (name);
  if (!copy || !grow_index (graph)
      || !cnn_list_grow (&graph->values, graph->n_values, &graph->values_room,
          sizeof *graph->values)) {
    free (copy);
    return cnn_error_memory (error, sizeof *graph->values, "a value");
  }
  int v = (int) graph->n_values;
  int *slot = find_slot (graph, name);
  graph->values[graph->n_values++] = (CnnValue){
    .name = copy,
    .producer = -1,
  };
  *slot = v;
  *number = v;
  return CNN_OK;
}

static bool
is_defined (const CnnValue *value)
{
  return value->is_input || value->buffer || value->producer >= 0;
}

/* A value that is about to be defined, for the first time. */
static CnnStatus
define (CnnGraph *graph, const char *name, int *number, CnnError *error)
{
  if (!name || !*name)
    return cnn_error_set (error, CNN_ERROR_FORMAT,
        "a value of the graph has no name");
  CnnStatus status = value_number (graph, name, number, error);
  if (!status && is_defined (&graph->values[*number]))
    return cnn_error_set (error, CNN_ERROR_FORMAT,
        "value '%s' is defined twice", name);
  return status;
}

static CnnStatus
append (int **list, size_t *count, size_t *room, int number, CnnError *error)
{
  if (!cnn_list_grow (list, *count, room, sizeof **list))
    return cnn_error_memory (error, sizeof **list, "a list of values");
  (*list)[(*count)++] = number;
  return CNN_OK;
}

CnnStatus
cnn_graph_add_input (CnnGraph *graph, const char *name, CnnType type,
    const CnnShape *shape, CnnError *error)
{
  int v;
  CnnStatus status = define (graph, name, &v, error);
  if (status)
    return status;
  for (int i = 0; i < shape->rank; i++)
    if (shape->dims[i] < -1 || shape->dims[i] > INT32_MAX)
      return cnn_error_set (error, CNN_ERROR_SHAPE,
          "input '%s': dimension %d has size %lld", name, i,
          (long long) shape->dims[i]);

  status =
      append (&graph->inputs, &graph->n_inputs, &graph->inputs_room, v, error);
  if (status)
    return status;
  graph->values[v].is_input = true;
  graph->values[v].tensor.type = type;
  graph->values[v].tensor.shape = *shape;
  return CNN_OK;
}

/* No NaN, and no infinity either if it must be finite. */
static CnnStatus
check_elements (const char *name, const CnnTensor *tensor, size_t elements,
    bool finite, CnnError *error)
{
  if (!cnn_type_is_float (tensor->type)
      || (tensor->type == CNN_TYPE_FLOAT32
          && cnn_all_finite (tensor->data, elements)))
    return CNN_OK;
  for (size_t i = 0; i < elements; i++) {
    double x = cnn_read_float (tensor->type, tensor->data, i);
    if (isnan (x) || (finite && isinf (x)))
      return cnn_error_set (error, CNN_ERROR_FORMAT,
          "constant '%s': element %zu of %zu is %f", name, i, elements, x);
  }
  return CNN_OK;
}

CnnStatus
cnn_graph_check_weights (const CnnGraph *graph, CnnError *error)
{
  CnnStatus status = CNN_OK;
  for (size_t n = 0; n < graph->n_nodes; n++) {
    const CnnNode *node = &graph->nodes[n];
    if (!node->op->macs && strcmp (node->op->name, "BatchNormalization"))
      continue;
    for (int i = 0; i < node->n_in && !status; i++) {
      const CnnValue *v = node->in[i] < 0 ? NULL : &graph->values[node->in[i]];
      size_t elements;
      if (v && v->buffer && !cnn_shape_elements (&v->tensor.shape, &elements))
        status = check_elements (v->name, &v->tensor, elements, true, error);
    }
  }
  return status;
}

static CnnStatus
tensor_bytes (const char *name, const CnnTensor *tensor, size_t *bytes,
    CnnError *error)
{
  char text[160];
  if (cnn_tensor_bytes (tensor, bytes))
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "constant '%s': impossible shape %s", name,
        cnn_shape_format (&tensor->shape, text, sizeof text));
  return CNN_OK;
}

CnnStatus
cnn_graph_share_constant (CnnGraph *graph, const char *name, CnnType type,
    const CnnShape *shape, CnnBuffer *buffer, CnnError *error)
{
  int v;
  CnnStatus status = define (graph, name, &v, error);
  if (status)
    return status;
  atomic_fetch_add (&buffer->refs, 1);
  graph->values[v].buffer = buffer;
  graph->values[v].tensor = (CnnTensor){
    .type = type,
    .shape = *shape,
    .data = buffer->data,
  };
  return CNN_OK;
}

static CnnStatus
make_buffer (const char *name, const CnnTensor *tensor, CnnBuffer **buffer,
    CnnError *error)
{
  size_t bytes = 0;
  CnnStatus status = tensor_bytes (name, tensor, &bytes, error);
  if (!status)
    status = check_elements (name, tensor,
        bytes / cnn_type_bytes (tensor->type), false, error);
  if (status)
    return status;

  CnnBuffer *b = calloc (1, sizeof *b);
  if (!b || !(b->data = cnn_aligned_reserve (bytes))) {
    free (b);
    return cnn_error_memory (error, bytes, name);
  }
  if (bytes)
    memcpy (b->data, tensor->data, bytes);
  atomic_init (&b->refs, 1);
  *buffer = b;
  return CNN_OK;
}

CnnStatus
cnn_graph_add_constant (CnnGraph *graph, const char *name,
    const CnnTensor *tensor, CnnError *error)
{
  CnnBuffer *buffer = NULL;
  CnnStatus status = make_buffer (name, tensor, &buffer, error);
  if (status)
    return status;
  status = cnn_graph_share_constant (graph, name, tensor->type, &tensor->shape,
      buffer, error);
  buffer_unref (buffer);
  return status;
}

CnnStatus
cnn_graph_set_constant (CnnGraph *graph, int value, const CnnTensor *tensor,
    CnnError *error)
{
  CnnValue *v = &graph->values[value];
  CnnBuffer *buffer = calloc (1, sizeof *buffer);
  size_t elements = 0;
  if (!buffer) {
    free (tensor->data);
    return cnn_error_memory (error, sizeof *buffer, v->name);
  }
  buffer->data = tensor->data;
  atomic_init (&buffer->refs, 1);
  v->buffer = buffer;
  v->tensor = *tensor;
  cnn_shape_elements (&tensor->shape, &elements);
  return check_elements (v->name, tensor, elements, false, error);
}

void
cnn_graph_drop_constant (CnnGraph *graph, int value)
{
  buffer_unref (graph->values[value].buffer);
  graph->values[value].buffer = NULL;
  graph->values[value].tensor.data = NULL;
}

CnnStatus
cnn_graph_replace_constant (CnnGraph *graph, int value, const void *data,
    CnnError *error)
{
  CnnValue *v = &graph->values[value];
  CnnTensor tensor = v->tensor;
  CnnBuffer *buffer = NULL;
  tensor.data = (void *) data;
  CnnStatus status = make_buffer (v->name, &tensor, &buffer, error);
  if (status)
    return status;
  buffer_unref (v->buffer);
  v->buffer = buffer;
  v->tensor.data = buffer->data;
  return CNN_OK;
}

static void *
copy_bytes (const void *from, size_t bytes)
{
  void *to = malloc (bytes ? bytes : 1);
  return to && bytes ? memcpy (to, from, bytes) : to;
}

static bool
copy_tensor (const CnnTensor *from, CnnAttribute *to)
{
  size_t bytes;
  CnnTensor *t = calloc (1, sizeof *t);
  to->t = t;
  if (!t || cnn_tensor_bytes (from, &bytes))
    return false;
  t->type = from->type;
  t->shape = from->shape;
  t->data = copy_bytes (from->data, bytes);
  return t->data;
}

static bool
copy_attribute (const CnnAttribute *from, CnnAttribute *to)
{
  size_t count = (size_t) (from->count > 0 ? from->count : 0);
  *to = (CnnAttribute){
    .name = strdup (from->name ? from->name : ""),
    .type = from->type,
    .i = from->i,
    .f = from->f,
    .count = (int) count,
  };
  switch (from->type) {
    case CNN_ATTRIBUTE_FLOAT:
    case CNN_ATTRIBUTE_INT:
      return to->name;
    case CNN_ATTRIBUTE_STRING:
      to->s = strdup (from->s ? from->s : "");
      return to->name && to->s;
    case CNN_ATTRIBUTE_FLOATS:
      to->floats = copy_bytes (from->floats, count * sizeof *from->floats);
      return to->name && to->floats;
    case CNN_ATTRIBUTE_INTS:
      to->ints = copy_bytes (from->ints, count * sizeof *from->ints);
      return to->name && to->ints;
    case CNN_ATTRIBUTE_TENSOR:
      return to->name && copy_tensor (from->t, to);
  }
  return false;
}

/* Takes over copies of the attributes and parses them. */
static CnnStatus
node_parse (CnnGraph *graph, CnnNode *node, const CnnAttribute *attributes,
    int n_attributes, CnnError *error)
{
  node->attributes = calloc ((size_t) n_attributes + 1, sizeof *attributes);
  node->params = calloc (1, node->op->params_bytes + 1);
  if (!node->attributes || !node->params)
    return cnn_error_memory (error, node->op->params_bytes, "a node");
  for (int i = 0; i < n_attributes; i++) {
    node->n_attributes++;
    if (!copy_attribute (&attributes[i], &node->attributes[i]))
      return cnn_error_memory (error, sizeof *attributes, "an attribute");
  }

  CnnAttributes list = {
    .items = node->attributes,
    .count = n_attributes,
    .opset = graph->opset,
  };
  if (node->op->parse)
    return node->op->parse (&list, node->params, error);
  if (n_attributes)
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "attribute '%s' is not known", node->attributes[0].name);
  return CNN_OK;
}

static CnnStatus
node_connect (CnnGraph *graph, CnnNode *node, const char *const *inputs,
    int n_inputs, const char *const *outputs, int n_outputs, CnnError *error)
{
  CnnStatus status = CNN_OK;
  for (int i = 0; i < n_inputs && !status; i++) {
    node->in[i] = -1;
    if (inputs[i] && *inputs[i])
      status = value_number (graph, inputs[i], &node->in[i], error);
    else if (i < node->op->min_in)
      status = cnn_error_set (error, CNN_ERROR_FORMAT,
          "input %d must not be left out", i);
  }
  node->n_in = n_inputs;
  for (int i = 0; i < n_outputs && !status; i++) {
    node->out[i] = -1;
    node->n_out = i + 1;
    if (!outputs[i] || !*outputs[i])
      continue;
    status = define (graph, outputs[i], &node->out[i], error);
    if (!status)
      graph->values[node->out[i]].producer = (int) graph->n_nodes;
  }
  return status;
}

static CnnStatus
check_counts (const CnnOp *op, int n_inputs, int n_outputs, int opset,
    CnnError *error)
{
  if (opset < op->since)
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "needs opset %d, the model has %d", op->since, opset);
  if (n_inputs < op->min_in || n_inputs > op->max_in)
    return cnn_error_set (error, CNN_ERROR_FORMAT,
        "%d inputs, it takes %d to %d", n_inputs, op->min_in, op->max_in);
  if (n_outputs < 1 || n_outputs > op->max_out)
    return cnn_error_set (error, CNN_ERROR_FORMAT, "%d outputs, it has 1 to %d",
        n_outputs, op->max_out);
  return CNN_OK;
}

CnnStatus
cnn_graph_add_node (CnnGraph *graph, const char *op, const char *name,
    const char *const *inputs, int n_inputs, const char *const *outputs,
    int n_outputs, const CnnAttribute *attributes, int n_attributes,
    CnnError *error)
{
  CnnNode node = { .op = cnn_op_find (op), .opset = graph->opset };
  const char *label = name && *name ? name
      : n_outputs > 0 && outputs[0] ? outputs[0]
                                    : "";
  if (!node.op)
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "%s '%s': this operator is not supported", op, label);
  if (graph->n_nodes >= CNN_MAX_NODES)
    return cnn_error_set (error, CNN_ERROR_MEMORY,
        "more than %d nodes in the graph", CNN_MAX_NODES);

  CnnStatus status =
      check_counts (node.op, n_inputs, n_outputs, graph->opset, error);
  if (!status
      && (!(node.name = strdup (name ? name : ""))
          || !cnn_list_grow (&graph->nodes, graph->n_nodes, &graph->nodes_room,
              sizeof *graph->nodes)))
    status = cnn_error_memory (error, sizeof node, "a node");
  if (!status)
    status = node_parse (graph, &node, attributes, n_attributes, error);
  if (!status)
    status = node_connect (graph, &node, inputs, n_inputs, outputs, n_outputs,
        error);
  if (status) {
    for (int i = 0; i < node.n_out; i++)
      if (node.out[i] >= 0)
        graph->values[node.out[i]].producer = -1;
    cnn_error_prefix (error, "%s '%s'", op, label);
    cnn_node_clear (&node);
    return status;
  }
  graph->nodes[graph->n_nodes++] = node;
  return CNN_OK;
}

CnnStatus
cnn_graph_add_output (CnnGraph *graph, const char *name, CnnError *error)
{
  int v;
  if (!name || !*name)
    return cnn_error_set (error, CNN_ERROR_FORMAT,
        "an output of the graph has no name");
  CnnStatus status = value_number (graph, name, &v, error);
  for (size_t i = 0; i < graph->n_outputs && !status; i++)
    if (graph->outputs[i] == v)
      status = cnn_error_set (error, CNN_ERROR_FORMAT,
          "output '%s' is listed twice", name);
  if (status)
    return status;
  return append (&graph->outputs, &graph->n_outputs, &graph->outputs_room, v,
      error);
}

static int
find_key (const CnnGraph *graph, const char *key)
{
  for (size_t i = 0; i < graph->n_metadata; i++)
    if (!strcasecmp (graph->keys[i], key))
      return (int) i;
  return -1;
}

const char *
cnn_graph_metadata (const CnnGraph *graph, const char *key)
{
  int i = find_key (graph, key);
  return i < 0 ? NULL : graph->texts[i];
}

bool
cnn_graph_is_fixed (const CnnGraph *graph, const char *name)
{
  const char *at = cnn_graph_metadata (graph, "convnet.fixed");
  size_t length = strlen (name);
  for (; at && *at; at += strcspn (at, "\n"), at += *at == '\n')
    if (!strncmp (at, name, length)
        && (at[length] == '\n' || at[length] == '\0'))
      return true;
  return false;
}

static void
remove_key (CnnGraph *graph, int i)
{
  size_t rest = --graph->n_metadata - (size_t) i;
  free (graph->keys[i]);
  free (graph->texts[i]);
  memmove (&graph->keys[i], &graph->keys[i + 1], rest * sizeof *graph->keys);
  memmove (&graph->texts[i], &graph->texts[i + 1], rest * sizeof *graph->texts);
}

CnnStatus
cnn_graph_set_metadata (CnnGraph *graph, const char *key, const char *value,
    CnnError *error)
{
  int i = find_key (graph, key);
  if (!value) {
    if (i >= 0)
      remove_key (graph, i);
    return CNN_OK;
  }

  char *text = strdup (value), *copy = strdup (key);
  if (!text || !copy
      || !cnn_list_grow (&graph->keys, graph->n_metadata, &graph->keys_room,
          sizeof *graph->keys)
      || !cnn_list_grow (&graph->texts, graph->n_metadata, &graph->texts_room,
          sizeof *graph->texts)) {
    free (text);
    free (copy);
    return cnn_error_memory (error, strlen (value), "metadata");
  }
  if (i >= 0) {
    free (graph->texts[i]);
    graph->texts[i] = text;
    free (copy);
  } else {
    graph->keys[graph->n_metadata] = copy;
    graph->texts[graph->n_metadata++] = text;
  }
  return CNN_OK;
}
