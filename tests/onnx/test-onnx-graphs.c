/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-onnx-graphs.c: well-formed files with graphs that can't be: inputs,
 * nodes, attributes.
 *
 * Each is the good sample with one thing wrong. */

#include "cases.h"

static Wire *
with_input (Wire *value)
{
  return handmade_with (OMIT_INPUT, GRAPH_INPUT, value);
}

/* The sample's Conv with one attribute. */
static Wire *
with_attribute (Wire *attribute)
{
  Wire *conv = handmade_node ("Conv", "conv", "x w", "c");
  wire_message (conv, 5, attribute);
  return handmade_with (OMIT_CONV, GRAPH_NODE, conv);
}

static Wire *
make_int_weights (void)
{
  static const gint64 dims[] = { 2, 1, 3, 3 };
  gint64 raw[18] = { 0 };
  return handmade_with_kernel (
      handmade_tensor ("w", ONNX_INT64, 4, dims, raw, sizeof raw));
}

static Wire *
make_input_twice (void)
{
  static const gint64 dims[] = { 1, 1, 6, 6 };
  return handmade_with (0, GRAPH_INPUT,
      handmade_value ("x", ONNX_FLOAT, 4, dims));
}

static Wire *
make_input_unnamed (void)
{
  static const gint64 dims[] = { 1, 1, 6, 6 };
  return with_input (handmade_value ("", ONNX_FLOAT, 4, dims));
}

static Wire *
make_input_negative (void)
{
  static const gint64 dims[] = { 1, 1, 6, -6 };
  return with_input (handmade_value ("x", ONNX_FLOAT, 4, dims));
}

static Wire *
make_input_huge (void)
{
  static const gint64 big = G_GINT64_CONSTANT (1) << 40;
  const gint64 dims[] = { 1, 1, big, big };
  return with_input (handmade_value ("x", ONNX_FLOAT, 4, dims));
}

static Wire *
make_input_string (void)
{
  static const gint64 dims[] = { 1, 1, 6, 6 };
  return with_input (handmade_value ("x", ONNX_STRING, 4, dims));
}

static Wire *
make_input_rank_9 (void)
{
  static const gint64 dims[] = { 1, 1, 1, 1, 1, 1, 1, 1, 6 };
  return with_input (handmade_value ("x", ONNX_FLOAT, 9, dims));
}

static Wire *
make_input_sequence (void)
{
  Wire *value = wire_new (), *type = wire_new ();
  wire_message (type, 4, wire_new ());
  wire_text (value, 1, "x");
  wire_message (value, 2, type);
  return with_input (value);
}

static Wire *
make_input_no_shape (void)
{
  Wire *value = wire_new (), *type = wire_new (), *tensor = wire_new ();
  wire_int (tensor, 1, ONNX_FLOAT);
  wire_message (type, 1, tensor);
  wire_text (value, 1, "x");
  wire_message (value, 2, type);
  return with_input (value);
}

static Wire *
make_no_input (void)
{
  return handmade_model (handmade_graph (OMIT_INPUT));
}

static Wire *
make_no_output (void)
{
  return handmade_model (handmade_graph (OMIT_OUTPUT));
}

static Wire *
make_output_nowhere (void)
{
  static const gint64 dims[] = { 1, 3 };
  return handmade_with (OMIT_OUTPUT, GRAPH_OUTPUT,
      handmade_value ("elsewhere", ONNX_FLOAT, 2, dims));
}

static Wire *
make_cycle (void)
{
  Wire *graph = handmade_graph (OMIT_CONV);
  wire_message (graph, GRAPH_NODE,
      handmade_node ("Conv", "conv", "loop w", "c"));
  wire_message (graph, GRAPH_NODE, handmade_node ("Relu", "r", "c", "loop"));
  return handmade_model (graph);
}

static Wire *
make_self_cycle (void)
{
  return handmade_with_conv ("Conv", "c w", "c");
}

static Wire *
make_missing_value (void)
{
  return handmade_with_conv ("Conv", "nothing w", "c");
}

static Wire *
make_defined_twice (void)
{
  return handmade_with (0, GRAPH_NODE,
      handmade_node ("Relu", "again", "x", "c"));
}

static Wire *
make_overwrites_input (void)
{
  return handmade_with (0, GRAPH_NODE,
      handmade_node ("Relu", "again", "c", "x"));
}

static Wire *
make_no_inputs (void)
{
  Wire *conv = wire_new ();
  wire_text (conv, 2, "c");
  wire_text (conv, 3, "conv");
  wire_text (conv, 4, "Conv");
  return handmade_with (OMIT_CONV, GRAPH_NODE, conv);
}

static Wire *
make_too_many_inputs (void)
{
  GString *names = g_string_new ("x");
  for (int i = 0; i < 128; i++)
    g_string_append (names, " w");
  Wire *file = handmade_with_conv ("Conv", names->str, "c");
  g_string_free (names, TRUE);
  return file;
}

static Wire *
make_no_operator (void)
{
  return handmade_with_conv ("", "x w", "c");
}

static Wire *
make_unknown_operator (void)
{
  return handmade_with_conv ("GroupNormalization", "x w", "c");
}

static Wire *
make_domain (void)
{
  Wire *conv = handmade_node ("FusedConv", "conv", "x w", "c");
  wire_text (conv, 7, "com.microsoft");
  return handmade_with (OMIT_CONV, GRAPH_NODE, conv);
}

static Wire *
make_shape_clash (void)
{
  static const gint64 dims[] = { 2, 4, 3, 3 };
  return handmade_with_kernel (handmade_floats ("w", 4, dims, 1));
}

static Wire *
make_attribute_unknown (void)
{
  static const gint64 values[] = { 1, 2 };
  return with_attribute (handmade_ints ("wobble", 2, values));
}

static Wire *
make_attribute_wrong_type (void)
{
  Wire *attribute = wire_new ();
  wire_text (attribute, 1, "strides");
  wire_text (attribute, 4, "wide");
  wire_int (attribute, 20, 3);
  return with_attribute (attribute);
}

static Wire *
make_attribute_untyped (void)
{
  Wire *attribute = wire_new ();
  wire_text (attribute, 1, "group");
  wire_int (attribute, 3, 1);
  return with_attribute (attribute);
}

static Wire *
make_attribute_type_77 (void)
{
  Wire *attribute = wire_new ();
  wire_text (attribute, 1, "group");
  wire_int (attribute, 20, 77);
  return with_attribute (attribute);
}

static Wire *
make_attribute_strings (void)
{
  Wire *attribute = wire_new ();
  wire_text (attribute, 1, "group");
  wire_text (attribute, 9, "a");
  wire_int (attribute, 20, 8);
  return with_attribute (attribute);
}

static Wire *
make_attribute_reference (void)
{
  Wire *attribute = wire_new ();
  wire_text (attribute, 1, "group");
  wire_int (attribute, 20, 2);
  wire_text (attribute, 21, "outer");
  return with_attribute (attribute);
}

static Wire *
make_attribute_no_tensor (void)
{
  Wire *attribute = wire_new ();
  wire_text (attribute, 1, "value");
  wire_int (attribute, 20, 4);
  return with_attribute (attribute);
}

static Wire *
make_attribute_unnamed (void)
{
  Wire *attribute = wire_new ();
  wire_int (attribute, 3, 1);
  wire_int (attribute, 20, 2);
  return with_attribute (attribute);
}

static Wire *
make_attribute_nul (void)
{
  Wire *attribute = wire_new ();
  wire_text (attribute, 1, "auto_pad");
  wire_bytes (attribute, 4, "VALID\0SAME", 10);
  wire_int (attribute, 20, 3);
  return with_attribute (attribute);
}

/* A graph in an attribute of a graph in an attribute, and so on: a thousand
 * levels, each with room for the lengths of those inside. */
static Wire *
make_nested_graphs (void)
{
  Wire *inner = wire_new ();
  for (int i = 0; i < 1000; i++) {
    Wire *attribute = wire_new (), *node = wire_new (), *graph = wire_new ();
    wire_text (attribute, 1, "then_branch");
    wire_message (attribute, 6, inner);
    wire_int (attribute, 20, 5);
    wire_text (node, 4, "If");
    wire_message (node, 5, attribute);
    wire_message (graph, GRAPH_NODE, node);
    inner = graph;
  }
  return handmade_model (inner);
}

/* A name that is longer than any message, in characters of three bytes. */
static Wire *
make_long_name (void)
{
  GString *name = g_string_new (NULL);
  for (int i = 0; i < 1000; i++)
    g_string_append (name, "\342\202\254");
  Wire *file = handmade_with_conv (name->str, "x w", "c");
  g_string_free (name, TRUE);
  return file;
}

static Wire *
make_name_with_lines (void)
{
  return handmade_with_conv ("Con\nv\033[2J", "x w", "c");
}

static Wire *
scalar_constant (float value, const char *output)
{
  Wire *node = handmade_node ("Constant", output, "", output),
       *attribute = wire_new ();
  wire_text (attribute, 1, "value_float");
  wire_float (attribute, 2, value);
  wire_int (attribute, 20, 1);
  wire_message (node, 5, attribute);
  return node;
}

/* Every number in the file is finite; what is computed of them is not. */
static Wire *
make_zero_by_zero (void)
{
  Wire *graph = handmade_graph (OMIT_CONV);
  wire_message (graph, GRAPH_NODE, scalar_constant (0, "nought"));
  wire_message (graph, GRAPH_NODE, scalar_constant (0, "zero"));
  wire_message (graph, GRAPH_NODE,
      handmade_node ("Div", "div", "nought zero", "k"));
  wire_message (graph, GRAPH_NODE, handmade_node ("Conv", "conv", "x w", "d"));
  wire_message (graph, GRAPH_NODE, handmade_node ("Mul", "mul", "d k", "c"));
  return handmade_model (graph);
}

static Wire *
make_many_outputs (void)
{
  Wire *graph = handmade_graph (0);
  for (int i = 0; i < 300; i++)
    wire_message (graph, GRAPH_OUTPUT, wire_new ());
  return handmade_model (graph);
}

static const Case cases[] = {
  { "long-name", make_long_name, CNN_ERROR_UNSUPPORTED,
      "\342\202\254\342\202\254", NULL },
  { "name-with-lines", make_name_with_lines, CNN_ERROR_UNSUPPORTED, "Con?v?[2J",
      NULL },
  { "zero-by-zero", make_zero_by_zero, CNN_ERROR_FORMAT, "div", "nan" },
  { "many-outputs", make_many_outputs, CNN_ERROR_UNSUPPORTED, "301 outputs",
      NULL },
  { "int-weights", make_int_weights, CNN_ERROR_SHAPE, "conv", NULL },
  { "input-twice", make_input_twice, CNN_ERROR_FORMAT, "'x'", NULL },
  { "input-unnamed", make_input_unnamed, CNN_ERROR_FORMAT, "input has no name",
      NULL },
  { "input-negative", make_input_negative, CNN_ERROR_FORMAT, "input 'x'",
      "dimension 3 is negative: -6" },
  { "input-huge", make_input_huge, CNN_ERROR_SHAPE, "1099511627776", NULL },
  { "input-string", make_input_string, CNN_ERROR_UNSUPPORTED, "input 'x'",
      "STRING" },
  { "input-rank-9", make_input_rank_9, CNN_ERROR_UNSUPPORTED, "input 'x'",
      "9 dimensions" },
  { "input-sequence", make_input_sequence, CNN_ERROR_UNSUPPORTED, "input 'x'",
      "tensor" },
  { "input-no-shape", make_input_no_shape, CNN_ERROR_UNSUPPORTED, "input 'x'",
      "number of dimensions" },
  { "no-input", make_no_input, CNN_ERROR_FORMAT, "put", NULL },
  { "no-output", make_no_output, CNN_ERROR_FORMAT, "output", NULL },
  { "output-nowhere", make_output_nowhere, CNN_ERROR_FORMAT, "elsewhere",
      NULL },
  { "cycle", make_cycle, CNN_ERROR_FORMAT, "depends on its own output", NULL },
  { "self-cycle", make_self_cycle, CNN_ERROR_FORMAT,
      "depends on its own output", NULL },
  { "missing-value", make_missing_value, CNN_ERROR_FORMAT, "nothing", "conv" },
  { "defined-twice", make_defined_twice, CNN_ERROR_FORMAT, "'c'", NULL },
  { "overwrites-input", make_overwrites_input, CNN_ERROR_FORMAT, "'x'", NULL },
  { "no-inputs", make_no_inputs, CNN_ERROR_FORMAT, "conv", NULL },
  { "too-many-inputs", make_too_many_inputs, CNN_ERROR_UNSUPPORTED,
      "Conv 'conv'", "129 inputs" },
  { "no-operator", make_no_operator, CNN_ERROR_FORMAT, "node 'conv'",
      "no operator" },
  { "unknown-operator", make_unknown_operator, CNN_ERROR_UNSUPPORTED,
      "GroupNormalization", NULL },
  { "domain", make_domain, CNN_ERROR_UNSUPPORTED, "FusedConv 'conv'",
      "com.microsoft" },
  { "shape-clash", make_shape_clash, CNN_ERROR_SHAPE, "conv", "4" },
  { "attribute-unknown", make_attribute_unknown, CNN_ERROR_UNSUPPORTED, "conv",
      "wobble" },
  { "attribute-wrong-type", make_attribute_wrong_type, CNN_ERROR_FORMAT, "conv",
      "strides" },
  { "attribute-untyped", make_attribute_untyped, CNN_ERROR_FORMAT,
      "Conv 'conv': attribute 'group'", "type is not said" },
  { "attribute-type-77", make_attribute_type_77, CNN_ERROR_UNSUPPORTED,
      "Conv 'conv': attribute 'group'", "77" },
  { "attribute-strings", make_attribute_strings, CNN_ERROR_UNSUPPORTED,
      "Conv 'conv': attribute 'group'", "STRINGS" },
  { "attribute-reference", make_attribute_reference, CNN_ERROR_UNSUPPORTED,
      "Conv 'conv': attribute 'group'", "function" },
  { "attribute-no-tensor", make_attribute_no_tensor, CNN_ERROR_FORMAT,
      "Conv 'conv': attribute 'value'", "no tensor" },
  { "attribute-unnamed", make_attribute_unnamed, CNN_ERROR_FORMAT,
      "Conv 'conv'", "no name" },
  { "attribute-nul", make_attribute_nul, CNN_ERROR_FORMAT,
      "Conv 'conv': attribute 'auto_pad'", "NUL" },
  { "nested-graphs", make_nested_graphs, CNN_ERROR_UNSUPPORTED, "then_branch",
      "GRAPH" },
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  cases_add (cases, G_N_ELEMENTS (cases));
  return g_test_run ();
}
