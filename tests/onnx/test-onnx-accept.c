/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-onnx-accept.c: the many ways in which other programs write the same
 * network, all of which must give the same answer. */

#include <string.h>

#include <cnn/onnx.h>
#include <cnn/session.h>

#include "handmade.h"

#define ANY G_MININT64

typedef struct
{
  const char *name;
  Wire *(*make) (void);
} Case;

static Wire *
make_plain (void)
{
  return handmade_model (handmade_graph (0));
}

/* Until IR version 4 initializers were inputs too. */
static Wire *
make_old_inputs (void)
{
  static const gint64 dims[] = { 2, 1, 3, 3 };
  return handmade_with (0, GRAPH_INPUT,
      handmade_value ("w", ONNX_FLOAT, 4, dims));
}

static Wire *
list_kernel (void)
{
  static const gint64 dims[] = { 2, 1, 3, 3 };
  Wire *tensor = wire_new ();
  for (int i = 0; i < 4; i++)
    wire_int (tensor, 1, dims[i]);
  wire_int (tensor, 2, ONNX_FLOAT);
  wire_text (tensor, 8, "w");
  return tensor;
}

static Wire *
make_packed_list (void)
{
  Wire *tensor = list_kernel (), *numbers = wire_new ();
  static const guint8 half[] = { 0, 0, 0, 0x3f };
  for (int i = 0; i < 18; i++)
    g_byte_array_append (numbers, half, 4);
  wire_message (tensor, 4, numbers);
  return handmade_with_kernel (tensor);
}

static Wire *
make_unpacked_list (void)
{
  Wire *tensor = list_kernel ();
  for (int i = 0; i < 18; i++)
    wire_float (tensor, 4, 0.5f);
  return handmade_with_kernel (tensor);
}

static Wire *
make_packed_dims (void)
{
  Wire *tensor = wire_new (), *dims = wire_new ();
  for (int i = 0; i < 4; i++)
    wire_varint (dims, (guint64[]){ 2, 1, 3, 3 }[i]);
  wire_message (tensor, 1, dims);
  wire_int (tensor, 2, ONNX_FLOAT);
  wire_text (tensor, 8, "w");
  for (int i = 0; i < 18; i++)
    wire_float (tensor, 4, 0.5f);
  return handmade_with_kernel (tensor);
}

static Wire *
make_default_attributes (void)
{
  static const gint64 ones[] = { 1, 1 }, zeros[] = { 0, 0, 0, 0 },
                      three[] = { 3, 3 };
  Wire *conv = handmade_node ("Conv", "conv", "x w", "c");
  wire_message (conv, 5, handmade_ints ("strides", 2, ones));
  wire_message (conv, 5, handmade_ints ("dilations", 2, ones));
  wire_message (conv, 5, handmade_ints ("pads", 4, zeros));
  wire_message (conv, 5, handmade_ints ("kernel_shape", 2, three));
  return handmade_with (OMIT_CONV, GRAPH_NODE, conv);
}

/* A bias that is named and left out. */
static Wire *
make_empty_input (void)
{
  return handmade_with_conv ("Conv", "x w ", "c");
}

static Wire *
make_domain (void)
{
  Wire *conv = handmade_node ("Conv", "conv", "x w", "c");
  wire_text (conv, 7, "ai.onnx");
  return handmade_with (OMIT_CONV, GRAPH_NODE, conv);
}

/* Imported, but no node uses it. */
static Wire *
make_foreign_set (void)
{
  Wire *model = make_plain (), *set = wire_new ();
  wire_text (set, 1, "ai.onnx.ml");
  wire_int (set, 2, 3);
  wire_message (model, 8, set);
  return model;
}

static Wire *
make_unknown_fields (void)
{
  Wire *model = make_plain ();
  wire_text (model, 6, "a doc_string");
  wire_int (model, 5, 12);
  wire_text (model, 3, "1.2");
  wire_float (model, 1000, 1);
  wire_message (model, 25, wire_new ());
  return model;
}

/* Nodes in the order in which they must not run. */
static Wire *
make_backwards (void)
{
  Wire *graph = handmade_graph (OMIT_CONV);
  wire_message (graph, GRAPH_NODE, handmade_node ("Conv", "", "x w", "c"));
  return handmade_model (graph);
}

static Wire *
make_opset_7 (void)
{
  return handmade_model_of (3, 7, handmade_graph (0));
}

static Wire *
make_opset_23 (void)
{
  return handmade_model_of (11, 23, handmade_graph (0));
}

static Wire *
make_symbolic_batch (void)
{
  static const gint64 dims[] = { ANY, 1, 6, 6 };
  return handmade_with (OMIT_INPUT, GRAPH_INPUT,
      handmade_value ("x", ONNX_FLOAT, 4, dims));
}

/* Reshape in the place of Flatten, its sizes in int32. */
static Wire *
make_int32_sizes (void)
{
  static const gint64 dims[] = { 2 };
  static const guint8 raw[] = { 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff };
  Wire *graph = handmade_graph (OMIT_GEMM);
  wire_message (graph, GRAPH_INITIALIZER,
      handmade_tensor ("sizes", ONNX_INT32, 1, dims, raw, sizeof raw));
  wire_message (graph, GRAPH_NODE,
      handmade_node ("Reshape", "", "c sizes", "r"));
  wire_message (graph, GRAPH_NODE, handmade_node ("Gemm", "", "r m b", "y"));
  return handmade_model (graph);
}

static const Case cases[] = {
  { "plain", make_plain },
  { "old-inputs", make_old_inputs },
  { "packed-list", make_packed_list },
  { "unpacked-list", make_unpacked_list },
  { "packed-dims", make_packed_dims },
  { "default-attributes", make_default_attributes },
  { "empty-input", make_empty_input },
  { "domain", make_domain },
  { "foreign-set", make_foreign_set },
  { "unknown-fields", make_unknown_fields },
  { "backwards", make_backwards },
  { "opset-7", make_opset_7 },
  { "opset-23", make_opset_23 },
  { "symbolic-batch", make_symbolic_batch },
  { "int32-sizes", make_int32_sizes },
};

/* Ones in: 9 * 0.5 in each of 2x4x4 cells, 32 * 4.5 * 0.25 + 1 in each class.
 */
static void
test_case (gconstpointer data)
{
  const Case *c = data;
  const CnnShape shape = { 4, { 1, 1, 6, 6 } };
  Wire *file = c->make ();
  CnnModel *model = NULL;
  CnnSession *session = NULL;
  CnnError error;

  if (cnn_onnx_read (file->data, file->len, &model, &error) != CNN_OK
      || cnn_session_new (model, &shape, NULL, &session, &error) != CNN_OK)
    g_error ("%s", error.message);
  g_byte_array_unref (file);

  float *x = cnn_session_input (session, 0)->data;
  for (int i = 0; i < 36; i++)
    x[i] = 1;
  cnn_session_run (session);
  const CnnTensor *y = cnn_session_output (session, 0);
  g_assert_cmpint (y->shape.rank, ==, 2);
  g_assert_cmpint (y->shape.dims[1], ==, 3);
  for (int i = 0; i < 3; i++)
    g_assert_cmpfloat_with_epsilon (((float *) y->data)[i], 37, 1e-4);
  cnn_session_free (session);
  cnn_model_unref (model);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    char *path = g_strconcat ("/onnx/accept/", cases[i].name, NULL);
    g_test_add_data_func (path, &cases[i], test_case);
    g_free (path);
  }
  return g_test_run ();
}
