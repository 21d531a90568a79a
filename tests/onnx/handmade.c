/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* handmade.c: parts of ONNX files written by hand. */

#include "handmade.h"

#include <string.h>

Wire *
handmade_value (const char *name, int type, int rank, const gint64 *dims)
{
  Wire *shape = wire_new (), *tensor = wire_new (), *type_proto = wire_new (),
       *value = wire_new ();
  for (int i = 0; i < rank; i++) {
    Wire *dim = wire_new ();
    if (dims[i] == G_MININT64)
      wire_text (dim, 2, "any");
    else
      wire_int (dim, 1, dims[i]);
    wire_message (shape, 1, dim);
  }
  wire_int (tensor, 1, type);
  wire_message (tensor, 2, shape);
  wire_message (type_proto, 1, tensor);
  wire_text (value, 1, name);
  wire_message (value, 2, type_proto);
  return value;
}

Wire *
handmade_tensor (const char *name, int type, int rank, const gint64 *dims,
    gconstpointer raw, gsize raw_bytes)
{
  Wire *tensor = wire_new ();
  for (int i = 0; i < rank; i++)
    wire_int (tensor, 1, dims[i]);
  wire_int (tensor, 2, type);
  wire_text (tensor, 8, name);
  wire_bytes (tensor, 9, raw, raw_bytes);
  return tensor;
}

Wire *
handmade_floats (const char *name, int rank, const gint64 *dims, float value)
{
  gsize count = 1;
  for (int i = 0; i < rank; i++)
    count *= (gsize) dims[i];
  float *elements = g_new (float, count);
  for (gsize i = 0; i < count; i++)
    elements[i] = value;
  Wire *tensor = handmade_tensor (name, ONNX_FLOAT, rank, dims, elements,
      count * sizeof *elements);
  g_free (elements);
  return tensor;
}

static void
add_names (Wire *node, unsigned field, const char *names)
{
  char **list = g_strsplit (names, " ", 0); /* of "": none */
  for (int i = 0; list[i]; i++)
    wire_text (node, field, list[i]);
  g_strfreev (list);
}

Wire *
handmade_node (const char *op, const char *name, const char *inputs,
    const char *outputs)
{
  Wire *node = wire_new ();
  add_names (node, 1, inputs);
  add_names (node, 2, outputs);
  wire_text (node, 3, name);
  wire_text (node, 4, op);
  return node;
}

Wire *
handmade_ints (const char *name, int count, const gint64 *values)
{
  Wire *attribute = wire_new ();
  wire_text (attribute, 1, name);
  for (int i = 0; i < count; i++)
    wire_int (attribute, 8, values[i]);
  wire_int (attribute, 20, 7);
  return attribute;
}

Wire *
handmade_graph (unsigned omit)
{
  static const gint64 x[] = { 1, 1, 6, 6 }, w[] = { 2, 1, 3, 3 },
                      m[] = { 32, 3 }, b[] = { 3 }, y[] = { 1, 3 };
  Wire *graph = wire_new ();

  if (!(omit & OMIT_CONV))
    wire_message (graph, GRAPH_NODE,
        handmade_node ("Conv", "conv", "x w", "c"));
  wire_message (graph, GRAPH_NODE, handmade_node ("Flatten", "flat", "c", "f"));
  if (!(omit & OMIT_GEMM))
    wire_message (graph, GRAPH_NODE,
        handmade_node ("Gemm", "head", "f m b", "y"));
  wire_text (graph, GRAPH_NAME, "sample");
  if (!(omit & OMIT_KERNEL))
    wire_message (graph, GRAPH_INITIALIZER, handmade_floats ("w", 4, w, 0.5f));
  wire_message (graph, GRAPH_INITIALIZER, handmade_floats ("m", 2, m, 0.25f));
  if (!(omit & OMIT_BIAS))
    wire_message (graph, GRAPH_INITIALIZER, handmade_floats ("b", 1, b, 1));
  if (!(omit & OMIT_INPUT))
    wire_message (graph, GRAPH_INPUT, handmade_value ("x", ONNX_FLOAT, 4, x));
  if (!(omit & OMIT_OUTPUT))
    wire_message (graph, GRAPH_OUTPUT, handmade_value ("y", ONNX_FLOAT, 2, y));
  return graph;
}

Wire *
handmade_model_of (int ir, int opset, Wire *graph)
{
  Wire *model = wire_new (), *set = wire_new ();
  wire_int (model, 1, ir);
  wire_message (model, 7, graph);
  wire_text (set, 1, "");
  wire_int (set, 2, opset);
  wire_message (model, 8, set);
  return model;
}

Wire *
handmade_model (Wire *graph)
{
  return handmade_model_of (8, 17, graph);
}

Wire *
handmade_old (void)
{
  static const gint64 dims[] = { 1, 3 };
  Wire *graph = handmade_graph (OMIT_CONV | OMIT_OUTPUT),
       *dropout = handmade_node ("Dropout", "drop", "d", "c"),
       *ratio = wire_new ();
  wire_text (ratio, 1, "ratio");
  wire_float (ratio, 2, 0.25f);
  wire_int (ratio, 20, 1);
  wire_message (dropout, 5, ratio);
  wire_message (graph, GRAPH_NODE, handmade_node ("Conv", "conv", "x w", "d"));
  wire_message (graph, GRAPH_NODE, dropout);
  wire_message (graph, GRAPH_NODE, handmade_node ("Softmax", "end", "y", "p"));
  wire_message (graph, GRAPH_OUTPUT, handmade_value ("p", ONNX_FLOAT, 2, dims));
  return handmade_model_of (4, 9, graph);
}

Wire *
handmade_with (unsigned omit, unsigned field, Wire *part)
{
  Wire *graph = handmade_graph (omit);
  wire_message (graph, field, part);
  return handmade_model (graph);
}

Wire *
handmade_with_kernel (Wire *tensor)
{
  return handmade_with (OMIT_KERNEL, GRAPH_INITIALIZER, tensor);
}

Wire *
handmade_with_conv (const char *op, const char *inputs, const char *outputs)
{
  return handmade_with (OMIT_CONV, GRAPH_NODE,
      handmade_node (op, "conv", inputs, outputs));
}
