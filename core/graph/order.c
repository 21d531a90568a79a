/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* order.c: copies of a graph, and nodes in the order in which they run. */

#include "graph/nodes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

const char *
cnn_node_describe (const CnnGraph *graph, const CnnNode *node, char *text,
    size_t text_bytes)
{
  const char *label = node->name;
  for (int i = 0; i < node->n_out && !*label; i++)
    if (node->out[i] >= 0)
      label = graph->values[node->out[i]].name;
  snprintf (text, text_bytes, "%s '%s'", node->op->name, label);
  return text;
}

const CnnAttribute *
cnn_node_attribute (const CnnNode *node, const char *name)
{
  for (int i = 0; i < node->n_attributes; i++)
    if (!strcmp (node->attributes[i].name, name))
      return &node->attributes[i];
  return NULL;
}

bool
cnn_node_is_one_of (const CnnNode *node, const char *const *names)
{
  while (*names && strcmp (*names, node->op->name))
    names++;
  return *names;
}

void
cnn_node_inputs (const CnnNode *node, const CnnTensor *tensors,
    const CnnTensor **in)
{
  for (int i = 0; i < node->n_in; i++)
    in[i] = node->in[i] < 0 ? NULL : &tensors[node->in[i]];
}

static CnnStatus
copy_node (const CnnGraph *from, const CnnNode *node, CnnNodeEdit edit,
    void *data, CnnGraph *to, CnnError *error)
{
  const char *in[CNN_MAX_NODE_TENSORS], *out[CNN_MAX_NODE_TENSORS];
  CnnNodeForm form = {
    .attributes = node->attributes,
    .count = node->n_attributes,
    .opset = node->opset,
  };
  CnnStatus status = edit ? edit (data, node, &form, error) : CNN_OK;
  if (status)
    return status;
  for (int i = 0; i < node->n_in; i++)
    in[i] = node->in[i] < 0 ? "" : from->values[node->in[i]].name;
  for (int i = 0; i < node->n_out; i++)
    out[i] = node->out[i] < 0 ? "" : from->values[node->out[i]].name;
  to->opset = form.opset;
  status = cnn_graph_add_node (to, node->op->name, node->name, in, node->n_in,
      out, node->n_out, form.attributes, form.count, error);
  to->opset = from->opset;
  return status;
}

CnnStatus
cnn_graph_copy (const CnnGraph *graph, CnnGraph **copy, CnnError *error)
{
  return cnn_graph_copy_edited (graph, NULL, NULL, copy, error);
}

CnnStatus
cnn_graph_copy_edited (const CnnGraph *graph, CnnNodeEdit edit, void *data,
    CnnGraph **copy, CnnError *error)
{
  CnnGraph *g = NULL;
  CnnStatus status = cnn_graph_new (graph->opset, &g, error);
  for (size_t i = 0; i < graph->n_inputs && !status; i++) {
    const CnnValue *v = &graph->values[graph->inputs[i]];
    status = cnn_graph_add_input (g, v->name, v->tensor.type, &v->tensor.shape,
        error);
  }
  for (size_t i = 0; i < graph->n_values && !status; i++) {
    const CnnValue *v = &graph->values[i];
    if (v->buffer)
      status = cnn_graph_share_constant (g, v->name, v->tensor.type,
          &v->tensor.shape, v->buffer, error);
  }
  for (size_t i = 0; i < graph->n_nodes && !status; i++)
    status = copy_node (graph, &graph->nodes[i], edit, data, g, error);
  for (size_t i = 0; i < graph->n_outputs && !status; i++)
    status =
        cnn_graph_add_output (g, graph->values[graph->outputs[i]].name, error);
  for (size_t i = 0; i < graph->n_metadata && !status; i++)
    status = cnn_graph_set_metadata (g, graph->keys[i], graph->texts[i], error);

  if (status) {
    cnn_graph_free (g);
    return status;
  }
  *copy = g;
  return CNN_OK;
}

static CnnStatus
check_defined (const CnnGraph *graph, CnnError *error)
{
  char text[CNN_NODE_TEXT];
  for (size_t n = 0; n < graph->n_nodes; n++) {
    const CnnNode *node = &graph->nodes[n];
    for (int i = 0; i < node->n_in; i++) {
      const CnnValue *v = node->in[i] < 0 ? NULL : &graph->values[node->in[i]];
      if (v && !v->is_input && !v->buffer && v->producer < 0)
        return cnn_error_set (error, CNN_ERROR_FORMAT,
            "%s: its input '%s' is defined nowhere",
            cnn_node_describe (graph, node, text, sizeof text), v->name);
    }
  }
  return CNN_OK;
}

/* Calls the nodes in @order by their place from now on. */
static CnnStatus
permute (CnnGraph *graph, const int *order, CnnError *error)
{
  CnnNode *nodes = malloc ((graph->n_nodes + 1) * sizeof *nodes);
  if (!nodes)
    return cnn_error_memory (error, graph->n_nodes * sizeof *nodes, "nodes");
  for (size_t n = 0; n < graph->n_nodes; n++)
    nodes[n] = graph->nodes[order[n]];
  free (graph->nodes);
  graph->nodes = nodes;
  graph->nodes_room = graph->n_nodes + 1;

  for (size_t n = 0; n < graph->n_nodes; n++)
    for (int i = 0; i < nodes[n].n_out; i++)
      if (nodes[n].out[i] >= 0)
        graph->values[nodes[n].out[i]].producer = (int) n;
  return CNN_OK;
}

/* Depth-first over producers with a stack of our own: a chain of 16,000 nodes
 * must not be 16,000 calls deep. Returns how many nodes were put in order;
 * *cycle is a node on a cycle, if one was met. */
typedef struct
{
  int node, next_input;
} Visit;

static size_t
order_from (const CnnGraph *graph, int root, char *state, Visit *stack,
    int *order, size_t n_order, int *cycle)
{
  size_t depth = 0;
  stack[depth++] = (Visit){ root, 0 };
  state[root] = 1;
  while (depth) {
    Visit *visit = &stack[depth - 1];
    const CnnNode *node = &graph->nodes[visit->node];
    if (visit->next_input == node->n_in) {
      state[visit->node] = 2;
      order[n_order++] = visit->node;
      depth--;
      continue;
    }
    int v = node->in[visit->next_input++];
    int producer = v < 0 ? -1 : graph->values[v].producer;
    if (producer < 0 || state[producer] == 2)
      continue;
    if (state[producer] == 1) {
      *cycle = producer;
      return n_order;
    }
    state[producer] = 1;
    stack[depth++] = (Visit){ producer, 0 };
  }
  return n_order;
}

CnnStatus
cnn_graph_sort (CnnGraph *graph, CnnError *error)
{
  char text[CNN_NODE_TEXT];
  size_t count = graph->n_nodes, n_order = 0;
  CnnStatus status = check_defined (graph, error);
  if (status)
    return status;

  char *state = calloc (count + 1, 1);
  int *order = malloc ((count + 1) * sizeof *order);
  Visit *stack = malloc ((count + 1) * sizeof *stack);
  int cycle = -1;
  if (!state || !order || !stack)
    status = cnn_error_memory (error, count * sizeof *stack, "sorting");
  for (size_t n = 0; n < count && !status && cycle < 0; n++)
    if (!state[n])
      n_order =
          order_from (graph, (int) n, state, stack, order, n_order, &cycle);
  if (cycle >= 0)
    status =
        cnn_error_set (error, CNN_ERROR_FORMAT, "%s depends on its own output",
            cnn_node_describe (graph, &graph->nodes[cycle], text, sizeof text));
  if (!status)
    status = permute (graph, order, error);
  free (stack);
  free (order);
  free (state);
  return status;
}
