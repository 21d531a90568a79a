/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* upgrade.c: nodes of an older opset in a file of a newer one.
 *
 * A class map ends in a Softmax over channels, which exists since opset 13
 * only; the rest of the network may be older. Of the operators in the table
 * the newer definitions mean the same once a few attributes are left out that
 * had no effect; what had one is refused. */

#include "onnx/upgrade.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* Attributes that are gone in newer opsets, and that in inference change
 * nothing: our parse() functions refuse the values that would. */
static const struct
{
  const char *op, *attribute;
} gone[] = {
  { "BatchNormalization", "is_test" },
  { "BatchNormalization", "spatial" },
  { "Dropout", "is_test" },
  { "Dropout", "ratio" },
  { "Gemm", "broadcast" },
};

int
cnn_onnx_graph_opset (const CnnGraph *graph)
{
  int opset = graph->opset;
  for (size_t n = 0; n < graph->n_nodes; n++)
    if (graph->nodes[n].opset > opset)
      opset = graph->nodes[n].opset;
  return opset;
}

static bool
is_gone (const CnnNode *node, const CnnAttribute *attribute)
{
  for (size_t i = 0; i < sizeof gone / sizeof *gone; i++)
    if (!strcmp (gone[i].op, node->op->name)
        && !strcmp (gone[i].attribute, attribute->name))
      return true;
  return false;
}

/* Before opset 13 softmax saw its input as a matrix. Of a matrix, and over its
 * rows, it is the same. */
static bool
keeps_meaning (const CnnGraph *graph, const CnnNode *node)
{
  if (strcmp (node->op->name, "Softmax")
      && strcmp (node->op->name, "LogSoftmax"))
    return true;
  for (int i = 0; i < node->n_attributes; i++)
    if (node->attributes[i].i != 1 && node->attributes[i].i != -1)
      return false;
  return graph->values[node->in[0]].tensor.shape.rank == 2;
}

static CnnStatus
parse_again (const CnnNode *node, const CnnAttributes *attributes,
    CnnError *error)
{
  void *params = calloc (1, node->op->params_bytes + 1);
  if (!params)
    return cnn_error_memory (error, node->op->params_bytes, "a node");
  CnnStatus status =
      node->op->parse ? node->op->parse (attributes, params, error) : CNN_OK;
  free (params);
  return status;
}

CnnStatus
cnn_onnx_upgrade_node (const CnnGraph *graph, const CnnNode *node, int opset,
    CnnAttribute *kept, int *n_kept, CnnError *error)
{
  CnnAttributes list = { .items = kept, .opset = opset };
  char text[CNN_NODE_TEXT];

  for (int i = 0; i < node->n_attributes; i++)
    if (!is_gone (node, &node->attributes[i]))
      kept[list.count++] = node->attributes[i];
  CnnStatus status = parse_again (node, &list, error);
  if (!status && node->opset < 13 && opset >= 13
      && !keeps_meaning (graph, node))
    status = cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "opset %d can't say what it computes", opset);
  if (status) {
    cnn_error_prefix (error, "%s of opset %d",
        cnn_node_describe (graph, node, text, sizeof text), node->opset);
    return status;
  }
  *n_kept = list.count;
  return CNN_OK;
}
