/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-onnx-bytes.c: broken and hostile bytes, versions, tensors.
 *
 * Each is the good sample with one thing wrong. */

#include <math.h>
#include <string.h>

#include "cases.h"
#include "onnx/reader.h"

static Wire *
with_versions (int ir, const char *domain, int opset)
{
  Wire *model = wire_new (), *set = wire_new ();
  wire_int (model, 1, ir);
  wire_message (model, 7, handmade_graph (0));
  wire_text (set, 1, domain);
  wire_int (set, 2, opset);
  wire_message (model, 8, set);
  return model;
}

static Wire *
make_empty (void)
{
  return wire_new ();
}

static Wire *
make_text (void)
{
  static const char text[] = "# a list of labels\n0\n1\n2\n";
  return g_byte_array_append (wire_new (), (const guint8 *) text,
      sizeof text - 1);
}

static Wire *
make_zeros (void)
{
  static const guint8 zeros[4096];
  return g_byte_array_append (wire_new (), zeros, sizeof zeros);
}

static Wire *
make_no_graph (void)
{
  Wire *model = wire_new (), *set = wire_new ();
  wire_int (model, 1, 8);
  wire_int (set, 2, 17);
  wire_message (model, 8, set);
  return model;
}

static Wire *
make_empty_graph (void)
{
  return handmade_model (wire_new ());
}

static Wire *
make_two_graphs (void)
{
  Wire *model = handmade_model (handmade_graph (0));
  wire_message (model, 7, handmade_graph (0));
  return model;
}

static Wire *
make_ir_2 (void)
{
  return with_versions (2, "", 17);
}

static Wire *
make_ir_99 (void)
{
  return with_versions (99, "", 17);
}

static Wire *
make_opset_0 (void)
{
  return with_versions (8, "", 0);
}

static Wire *
make_opset_99 (void)
{
  return with_versions (8, "ai.onnx", 99);
}

static Wire *
make_no_opset (void)
{
  return with_versions (8, "com.example", 1);
}

static Wire *
make_huge_dim (void)
{
  static const gint64 dims[] = { 2, 1, 3, G_GINT64_CONSTANT (1) << 40 };
  return handmade_with_kernel (
      handmade_tensor ("w", ONNX_FLOAT, 4, dims, "12345678", 8));
}

static Wire *
make_huge_dims (void)
{
  static const gint64 big = G_GINT64_CONSTANT (1) << 40;
  const gint64 dims[] = { big, big, big, big };
  return handmade_with_kernel (
      handmade_tensor ("w", ONNX_FLOAT, 4, dims, "12345678", 8));
}

static Wire *
make_negative_dim (void)
{
  static const gint64 dims[] = { 2, -3, 3, 3 };
  return handmade_with_kernel (
      handmade_tensor ("w", ONNX_FLOAT, 4, dims, "12345678", 8));
}

static Wire *
make_rank_9 (void)
{
  static const gint64 dims[] = { 1, 1, 1, 1, 1, 1, 1, 1, 1 };
  return handmade_with_kernel (handmade_floats ("w", 9, dims, 1));
}

static Wire *
make_many_dims (void)
{
  Wire *tensor = wire_new ();
  for (int i = 0; i < 100000; i++)
    wire_int (tensor, 1, 1);
  wire_int (tensor, 2, ONNX_FLOAT);
  wire_text (tensor, 8, "w");
  return handmade_with_kernel (tensor);
}

static Wire *
make_raw_too_short (void)
{
  static const gint64 dims[] = { 2, 1, 3, 3 };
  guint8 raw[71] = { 0 };
  return handmade_with_kernel (
      handmade_tensor ("w", ONNX_FLOAT, 4, dims, raw, sizeof raw));
}

static Wire *
make_list_too_short (void)
{
  Wire *tensor = wire_new ();
  wire_int (tensor, 1, 3);
  wire_int (tensor, 2, ONNX_FLOAT);
  wire_float (tensor, 4, 1);
  wire_float (tensor, 4, 2);
  wire_text (tensor, 8, "w");
  return handmade_with_kernel (tensor);
}

static Wire *
make_raw_and_list (void)
{
  static const gint64 dims[] = { 1 };
  Wire *tensor = handmade_floats ("w", 1, dims, 1);
  wire_float (tensor, 4, 1);
  return handmade_with_kernel (tensor);
}

static Wire *
make_strings (void)
{
  static const gint64 dims[] = { 2, 1, 3, 3 };
  guint8 raw[36] = { 0 };
  return handmade_with_kernel (
      handmade_tensor ("w", ONNX_STRING, 4, dims, raw, sizeof raw));
}

static Wire *
make_type_99 (void)
{
  static const gint64 dims[] = { 1 };
  return handmade_with_kernel (handmade_tensor ("w", 99, 1, dims, "1234", 4));
}

static Wire *
make_nan (void)
{
  static const gint64 dims[] = { 2, 1, 3, 3 };
  return handmade_with_kernel (handmade_floats ("w", 4, dims, NAN));
}

static Wire *
make_infinite (void)
{
  static const gint64 dims[] = { 2, 1, 3, 3 };
  return handmade_with_kernel (handmade_floats ("w", 4, dims, INFINITY));
}

static Wire *
make_external (void)
{
  Wire *tensor = wire_new (), *entry = wire_new ();
  wire_int (tensor, 1, 18);
  wire_int (tensor, 2, ONNX_FLOAT);
  wire_text (tensor, 8, "w");
  wire_text (entry, 1, "location");
  wire_text (entry, 2, "../../etc/passwd");
  wire_message (tensor, 13, entry);
  wire_int (tensor, 14, 1);
  return handmade_with_kernel (tensor);
}

static Wire *
make_segment (void)
{
  static const gint64 dims[] = { 1 };
  Wire *tensor = handmade_floats ("w", 1, dims, 1), *segment = wire_new ();
  wire_int (segment, 1, 0);
  wire_int (segment, 2, 1);
  wire_message (tensor, 3, segment);
  return handmade_with_kernel (tensor);
}

static Wire *
make_unnamed_weights (void)
{
  static const gint64 dims[] = { 1 };
  return handmade_with_kernel (handmade_floats ("", 1, dims, 1));
}

static Wire *
make_weights_twice (void)
{
  static const gint64 dims[] = { 2, 1, 3, 3 };
  return handmade_with (0, GRAPH_INITIALIZER,
      handmade_floats ("w", 4, dims, 1));
}

static Wire *
make_sparse (void)
{
  return handmade_with (0, GRAPH_SPARSE, wire_new ());
}

/* Lengths within lengths that no field of ONNX explains. */
static Wire *
make_nested_lengths (void)
{
  Wire *inner = wire_new ();
  for (int i = 0; i < 3000; i++) {
    Wire *outer = wire_new ();
    wire_message (outer, 7, inner);
    inner = outer;
  }
  return inner;
}

static Wire *
make_groups (void)
{
  Wire *model = wire_new ();
  for (int i = 0; i < 100000; i++)
    wire_varint (model, 100 << 3 | 3);
  return model;
}

static Wire *
make_claimed_node (void)
{
  Wire *graph = wire_new ();
  wire_varint (graph, GRAPH_NODE << 3 | 2);
  wire_varint (graph, 1000000000);
  return handmade_model (graph);
}

static Wire *
make_endless_length (void)
{
  Wire *graph = wire_new ();
  wire_varint (graph, GRAPH_NODE << 3 | 2);
  wire_varint (graph, G_MAXUINT64);
  return handmade_model (graph);
}

static Wire *
make_many (unsigned field, int count)
{
  Wire *graph = handmade_graph (0);
  for (int i = 0; i < count; i++)
    wire_message (graph, field, wire_new ());
  return handmade_model (graph);
}

static Wire *
make_many_nodes (void)
{
  return make_many (GRAPH_NODE, 16384);
}

static Wire *
make_many_tensors (void)
{
  return make_many (GRAPH_INITIALIZER, 65536);
}

static Wire *
make_many_fields (void)
{
  Wire *model = wire_new ();
  for (int i = 0; i < (2 << 20) + 1; i++)
    wire_int (model, 1, 8);
  return model;
}

static Wire *
make_long_varint (void)
{
  Wire *model = wire_new ();
  guint8 tag = 8, more = 0xff;
  g_byte_array_append (model, &tag, 1);
  for (int i = 0; i < 100; i++)
    g_byte_array_append (model, &more, 1);
  return model;
}

static Wire *
make_wrong_wire_type (void)
{
  Wire *tensor = wire_new ();
  wire_text (tensor, 2, "float");
  return handmade_with_kernel (tensor);
}

static Wire *
make_odd_floats (void)
{
  Wire *tensor = wire_new ();
  wire_int (tensor, 2, ONNX_FLOAT);
  wire_bytes (tensor, 4, "123456789", 9);
  return handmade_with_kernel (tensor);
}

static Wire *
make_cut_integers (void)
{
  Wire *tensor = wire_new ();
  wire_int (tensor, 2, ONNX_INT64);
  wire_bytes (tensor, 7, "\1\2\200", 3);
  return handmade_with_kernel (tensor);
}

static Wire *
make_name_nul (void)
{
  Wire *conv = handmade_node ("Conv", "conv", "x w", "c");
  wire_bytes (conv, 7, "\0", 1);
  return handmade_with (OMIT_CONV, GRAPH_NODE, conv);
}

static Wire *
make_name_latin_1 (void)
{
  return handmade_with_conv ("Conv", "x w", "\351t\351");
}

static Wire *
make_metadata (const char *key, const char *again)
{
  Wire *model = handmade_model (handmade_graph (0));
  const char *keys[] = { key, again };
  for (int i = 0; i < 2; i++) {
    Wire *entry = wire_new ();
    wire_text (entry, 1, keys[i]);
    wire_text (entry, 2, "text");
    wire_message (model, 14, entry);
  }
  return model;
}

static Wire *
make_key_twice (void)
{
  return make_metadata ("author", "Author");
}

static Wire *
make_key_empty (void)
{
  return make_metadata ("author", "");
}

static const Case cases[] = {
  { "empty", make_empty, CNN_ERROR_FORMAT, "no bytes", NULL },
  { "text", make_text, CNN_ERROR_FORMAT, "not an ONNX model", NULL },
  { "zeros", make_zeros, CNN_ERROR_FORMAT, "byte 0", NULL },
  { "no-graph", make_no_graph, CNN_ERROR_FORMAT, "no graph", NULL },
  { "empty-graph", make_empty_graph, CNN_ERROR_FORMAT, "put", NULL },
  { "two-graphs", make_two_graphs, CNN_ERROR_FORMAT, "ModelProto.graph",
      "second time" },
  { "ir-2", make_ir_2, CNN_ERROR_UNSUPPORTED, "IR version 2", NULL },
  { "ir-99", make_ir_99, CNN_ERROR_UNSUPPORTED, "IR version 99", NULL },
  { "opset-0", make_opset_0, CNN_ERROR_FORMAT, "which version", NULL },
  { "opset-99", make_opset_99, CNN_ERROR_UNSUPPORTED, "opset 99", NULL },
  { "no-opset", make_no_opset, CNN_ERROR_UNSUPPORTED, "com.example", NULL },
  { "huge-dim", make_huge_dim, CNN_ERROR_FORMAT, "initializer 'w'",
      "2x1x3x1099511627776" },
  { "huge-dims", make_huge_dims, CNN_ERROR_FORMAT, "initializer 'w'",
      "too large" },
  { "negative-dim", make_negative_dim, CNN_ERROR_FORMAT, "initializer 'w'",
      "dimension 1 is negative: -3" },
  { "rank-9", make_rank_9, CNN_ERROR_UNSUPPORTED, "initializer 'w'",
      "9 dimensions" },
  { "many-dims", make_many_dims, CNN_ERROR_UNSUPPORTED, "initializer 'w'",
      "100000 dimensions" },
  { "raw-too-short", make_raw_too_short, CNN_ERROR_FORMAT, "initializer 'w'",
      "2x1x3x3 needs 72 bytes, the file has 71" },
  { "list-too-short", make_list_too_short, CNN_ERROR_FORMAT, "initializer 'w'",
      "3 elements, the file has 2" },
  { "raw-and-list", make_raw_and_list, CNN_ERROR_FORMAT, "initializer 'w'",
      "1 other elements" },
  { "strings", make_strings, CNN_ERROR_UNSUPPORTED, "initializer 'w'",
      "STRING" },
  { "type-99", make_type_99, CNN_ERROR_FORMAT, "initializer 'w'", "99" },
  { "nan", make_nan, CNN_ERROR_FORMAT, "w", "0" },
  { "infinite", make_infinite, CNN_ERROR_FORMAT, "w", "0" },
  { "external", make_external, CNN_ERROR_UNSUPPORTED, "initializer 'w'",
      "another file" },
  { "segment", make_segment, CNN_ERROR_UNSUPPORTED, "initializer 'w'",
      "segments" },
  { "unnamed-weights", make_unnamed_weights, CNN_ERROR_FORMAT,
      "initializer has no name", NULL },
  { "weights-twice", make_weights_twice, CNN_ERROR_FORMAT, "'w'", NULL },
  { "sparse", make_sparse, CNN_ERROR_UNSUPPORTED, "sparse", NULL },
  { "nested-lengths", make_nested_lengths, CNN_ERROR_UNSUPPORTED, "IR version",
      NULL },
  { "groups", make_groups, CNN_ERROR_FORMAT, "wire type", NULL },
  { "claimed-node", make_claimed_node, CNN_ERROR_FORMAT,
      "says 1000000000 bytes, 0 follow", NULL },
  { "endless-length", make_endless_length, CNN_ERROR_FORMAT,
      "says 18446744073709551615 bytes", NULL },
  { "many-nodes", make_many_nodes, CNN_ERROR_UNSUPPORTED,
      "more than 16384 nodes", NULL },
  { "many-tensors", make_many_tensors, CNN_ERROR_UNSUPPORTED,
      "more than 65536 tensors", NULL },
  { "many-fields", make_many_fields, CNN_ERROR_UNSUPPORTED, "fields", NULL },
  { "long-varint", make_long_varint, CNN_ERROR_FORMAT, "byte 0", NULL },
  { "wrong-wire-type", make_wrong_wire_type, CNN_ERROR_FORMAT,
      "TensorProto.data_type", "wrong wire type" },
  { "odd-floats", make_odd_floats, CNN_ERROR_FORMAT, "TensorProto.float_data",
      "inside an element" },
  { "cut-integers", make_cut_integers, CNN_ERROR_FORMAT,
      "TensorProto.int64_data", "inside an element" },
  { "name-nul", make_name_nul, CNN_ERROR_FORMAT, "NodeProto.domain", "NUL" },
  { "name-latin-1", make_name_latin_1, CNN_ERROR_FORMAT, "NodeProto.output",
      "UTF-8" },
  { "key-twice", make_key_twice, CNN_ERROR_FORMAT, "'Author'", "second time" },
  { "key-empty", make_key_empty, CNN_ERROR_FORMAT, "no key", NULL },
};

/* However little memory there is, running out of it is a clean failure. */
static void
test_budget (void)
{
  Wire *file = handmade_model (handmade_graph (0));
  CnnModel *model = NULL;
  CnnError error = { 0 };
  gsize budget = 0;

  for (; budget < 100000; budget += 16) {
    CnnStatus status =
        cnn_onnx_read_within (file->data, file->len, budget, &model, &error);
    if (status == CNN_OK)
      break;
    g_assert_cmpint (status, ==, CNN_ERROR_MEMORY);
    g_assert_nonnull (strstr (error.message, "would take more than"));
    g_assert_null (model);
  }
  g_test_message ("the sample takes %" G_GSIZE_FORMAT " bytes", budget);
  g_assert_nonnull (model);
  g_assert_cmpuint (budget, >, file->len);
  cnn_model_unref (model);
  g_byte_array_unref (file);
}

/* Integers of one byte in the file are eight in memory. */
static void
test_expansion (void)
{
  static const gint64 dims[] = { 64 << 20 };
  gsize count = (gsize) dims[0];
  guint8 *numbers = g_malloc0 (count);
  Wire *tensor = wire_new ();
  wire_int (tensor, 1, dims[0]);
  wire_int (tensor, 2, ONNX_INT64);
  wire_text (tensor, 8, "w");
  wire_bytes (tensor, 7, numbers, count);
  g_free (numbers);
  Wire *file = handmade_with_kernel (tensor);

  CnnModel *model = NULL;
  CnnError error = { 0 };
  CnnStatus status = cnn_onnx_read (file->data, file->len, &model, &error);
  g_test_message ("%s", error.message);
  g_assert_cmpint (status, ==, CNN_ERROR_MEMORY);
  g_byte_array_unref (file);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  cases_add (cases, G_N_ELEMENTS (cases));
  g_test_add_func ("/onnx/errors/budget", test_budget);
  g_test_add_func ("/onnx/errors/expansion", test_expansion);
  return g_test_run ();
}
