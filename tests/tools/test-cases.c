/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-cases.c: `convnet test`, which judges the operators: what it must not
 * let pass, what it skips, and how it counts. The files are written by hand. */

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "fixture.h"
#include "handmade.h"
#include "program.h"

/* What a case is made of: x goes through one operator. */
typedef struct
{
  const char *op;
  int type;          /* of x, ONNX's number */
  const char *names; /* of the outputs, separated by spaces */
} Network;

static const gint64 shape[] = { 2, 3 };

static void
write_wire (const char *folder, const char *name, Wire *wire)
{
  fixture_write (folder, name, wire->data, wire->len);
  g_byte_array_unref (wire);
}

static void
write_network (const char *folder, const Network *network)
{
  Wire *graph = wire_new ();
  char **names = g_strsplit (network->names, " ", 0);

  wire_message (graph, GRAPH_NODE,
      handmade_node (network->op, "it", "x", network->names));
  wire_message (graph, GRAPH_INPUT,
      handmade_value ("x", network->type, 2, shape));
  for (int i = 0; names[i]; i++)
    wire_message (graph, GRAPH_OUTPUT,
        handmade_value (names[i], network->type, 2, shape));
  g_strfreev (names);
  write_wire (folder, "model.onnx", handmade_model (graph));
}

static void
write_floats (const char *folder, const char *name, const float x[6])
{
  write_wire (folder, name,
      handmade_tensor ("", ONNX_FLOAT, 2, shape, x, 6 * sizeof *x));
}

static const Network relu = { "Relu", ONNX_FLOAT, "y" };
static const float before[6] = { -1, 0.5f, 2, -3, 4.25f, 100 };
static const float after[6] = { 0, 0.5f, 2, 0, 4.25f, 100 };

#define INPUT  "test_data_set_0/input_0.pb"
#define OUTPUT "test_data_set_0/output_0.pb"

/* A case that passes, in @folder/@name. Returns: its path. */
static char *
write_case (const char *folder, const char *name)
{
  char *path = fixture_path (folder, name);

  g_assert_cmpint (g_mkdir_with_parents (path, 0700), ==, 0);
  write_network (path, &relu);
  write_floats (path, INPUT, before);
  write_floats (path, OUTPUT, after);
  return path;
}

/* The result of one case, whose line is @line or begins with it; more parts of
 * it up to NULL. */
static void
expect_verdict (const char *path, int code, const char *line, ...)
{
  static const char *const totals[] = { "1 passed, 0 failed, 0 skipped\n",
    "0 passed, 1 failed, 0 skipped\n", "0 passed, 0 failed, 1 skipped\n" };
  const char *total = totals[*line == 'F' ? 1 : *line == 's' ? 2 : 0];
  const char *part;
  Result result;
  va_list parts;

  run (&result, "test", path, NULL);
  g_test_message ("%s%s", result.out, result.err);
  g_assert_cmpint (result.code, ==, code);
  g_assert_true (g_str_has_prefix (result.out, line));
  g_assert_true (g_str_has_suffix (result.out, total));
  va_start (parts, line);
  while ((part = va_arg (parts, const char *)))
    g_assert_nonnull (strstr (result.out, part));
  va_end (parts);
  g_assert_cmpstr (result.err, ==,
      code ? "convnet test: 1 of 1 cases failed\n" : "");
  clear (&result);
}

static void
test_passes (void)
{
  char *folder = fixture_folder (), *path = write_case (folder, "good");

  expect_verdict (path, 0, "passed good\n", NULL);
  g_free (path);
  fixture_remove (folder);
}

/* One element of many sets, and not of the first. */
static void
test_corrupt_element (void)
{
  char *folder = fixture_folder (), *path = write_case (folder, "bad");
  float wrong[6];

  memcpy (wrong, after, sizeof wrong);
  wrong[2] = 2.25f;
  wrong[4] = 5;
  write_floats (path, "test_data_set_1/input_0.pb", before);
  write_floats (path, "test_data_set_1/output_0.pb", wrong);
  expect_verdict (path, 1, "FAILED bad: output 0", "2 of 6 elements differ",
      "element 4: 4.25, 5 is expected", NULL);
  g_free (path);
  fixture_remove (folder);
}

static void
test_tolerance (void)
{
  char *folder = fixture_folder (), *path = write_case (folder, "near");
  float near[6];
  Result result;

  memcpy (near, after, sizeof near);
  near[0] = 0.9e-7f;
  near[5] = 100.09f;
  write_floats (path, OUTPUT, near);
  expect_verdict (path, 0, "passed near\n", NULL);
  run (&result, "test", "--atol", "0", path, NULL);
  g_assert_nonnull (strstr (result.out, "1 of 6 elements differ"));
  clear (&result);
  run (&result, "test", "--rtol", "1e-6", path, NULL);
  g_assert_nonnull (strstr (result.out, "element 5"));
  clear (&result);

  near[0] = 1.2e-7f;
  write_floats (path, OUTPUT, near);
  expect_verdict (path, 1, "FAILED near", "element 0", NULL);
  run (&result, "test", "--atol", "1e-3", path, NULL);
  expect_ok (&result);
  clear (&result);
  near[0] = 0;
  near[5] = 100.11f;
  write_floats (path, OUTPUT, near);
  expect_verdict (path, 1, "FAILED near", "element 5", NULL);
  g_free (path);
  fixture_remove (folder);
}

static void
check_special (const char *path, float given, float wanted, gboolean passes)
{
  float in[6] = { given }, out[6] = { wanted };

  write_floats (path, INPUT, in);
  write_floats (path, OUTPUT, out);
  if (passes)
    expect_verdict (path, 0, "passed special\n", NULL);
  else
    expect_verdict (path, 1, "FAILED special: ", "1 of 6 elements", NULL);
}

/* Infinity times a tolerance must excuse nothing. */
static void
test_special (void)
{
  static const float special[] = { NAN, INFINITY, -INFINITY, 1 };
  static const Network identity = { "Identity", ONNX_FLOAT, "y" };
  char *folder = fixture_folder (), *path = write_case (folder, "special");

  write_network (path, &identity);
  for (gsize i = 0; i < G_N_ELEMENTS (special); i++)
    for (gsize k = 0; k < G_N_ELEMENTS (special); k++)
      check_special (path, special[i], special[k], i == k);
  g_free (path);
  fixture_remove (folder);
}

/* Neighbours that are one number as doubles. */
static void
test_integers (void)
{
  static const Network identity = { "Identity", ONNX_INT64, "y" };
  const gint64 big = G_GINT64_CONSTANT (1) << 53;
  gint64 in[6] = { 1, 2, 3, 4, 5, big }, out[6] = { 1, 2, 3, 4, 5, big + 1 };
  char *folder = fixture_folder (), *path = write_case (folder, "whole");

  write_network (path, &identity);
  write_wire (path, INPUT,
      handmade_tensor ("", ONNX_INT64, 2, shape, in, sizeof in));
  write_wire (path, OUTPUT,
      handmade_tensor ("", ONNX_INT64, 2, shape, in, sizeof in));
  expect_verdict (path, 0, "passed whole\n", NULL);
  write_wire (path, OUTPUT,
      handmade_tensor ("", ONNX_INT64, 2, shape, out, sizeof out));
  expect_verdict (path, 1, "FAILED whole", "1 of 6 elements", "element 5",
      NULL);
  g_free (path);
  fixture_remove (folder);
}

static void
test_type_and_shape (void)
{
  static const gint64 turned[] = { 3, 2 };
  char *folder = fixture_folder (), *path = write_case (folder, "other");
  double wide[6];

  for (int i = 0; i < 6; i++)
    wide[i] = (double) after[i];
  write_wire (path, OUTPUT,
      handmade_tensor ("", ONNX_DOUBLE, 2, shape, wide, sizeof wide));
  expect_verdict (path, 1, "FAILED other", "output 0 is float32 2x3",
      "float64 2x3 is expected", NULL);
  write_wire (path, OUTPUT,
      handmade_tensor ("", ONNX_FLOAT, 2, turned, after, sizeof after));
  expect_verdict (path, 1, "FAILED other", "3x2 is expected", NULL);

  write_floats (path, OUTPUT, after);
  write_wire (path, INPUT,
      handmade_tensor ("", ONNX_DOUBLE, 2, shape, wide, sizeof wide));
  expect_verdict (path, 1, "FAILED other", "float64", NULL);
  write_wire (path, INPUT,
      handmade_tensor ("", ONNX_FLOAT, 2, turned, before, sizeof before));
  expect_verdict (path, 1, "FAILED other", "3x2", NULL);
  g_free (path);
  fixture_remove (folder);
}

static void
remove_file (const char *path, const char *name)
{
  char *file = fixture_path (path, name);

  g_assert_cmpint (g_remove (file), ==, 0);
  g_free (file);
}

/* What is not there is a failure, not a pass. */
static void
test_missing (void)
{
  char *folder = fixture_folder (), *path = write_case (folder, "less");

  remove_file (path, INPUT);
  expect_verdict (path, 1, "FAILED less", "1 inputs, 0 are given", NULL);
  write_floats (path, INPUT, before);
  remove_file (path, OUTPUT);
  expect_verdict (path, 1, "FAILED less", "0 outputs are expected", NULL);
  remove_file (path, INPUT);
  remove_file (path, "test_data_set_0");
  expect_verdict (path, 1, "FAILED less", "no test_data_set_0", NULL);
  g_free (path);
  fixture_remove (folder);
}

/* Every output of the network is looked at. */
static void
test_outputs (void)
{
  static const Network split = { "Split", ONNX_FLOAT, "y z" };
  static const gint64 half[] = { 1, 3 };
  char *folder = fixture_folder (), *path = write_case (folder, "two");

  write_network (path, &split);
  write_wire (path, OUTPUT,
      handmade_tensor ("", ONNX_FLOAT, 2, half, before, 12));
  expect_verdict (path, 1, "FAILED two",
      "1 outputs are expected, the network has 2", NULL);
  write_wire (path, "test_data_set_0/output_1.pb",
      handmade_tensor ("", ONNX_FLOAT, 2, half, before + 3, 12));
  expect_verdict (path, 0, "passed two\n", NULL);
  write_wire (path, "test_data_set_0/output_1.pb",
      handmade_tensor ("", ONNX_FLOAT, 2, half, before, 12));
  expect_verdict (path, 1, "FAILED two: output 1", "3 of 3", NULL);
  write_floats (path, "test_data_set_0/output_2.pb", after);
  expect_verdict (path, 1, "FAILED two", "3 outputs are expected", NULL);
  g_free (path);
  fixture_remove (folder);
}

static void
test_broken (void)
{
  char *folder = fixture_folder (), *path = write_case (folder, "broken");

  fixture_write_text (path, OUTPUT, "no tensor");
  expect_verdict (path, 1, "FAILED broken: output_0.pb: not an ONNX tensor",
      NULL);
  fixture_write_text (path, INPUT, "");
  expect_verdict (path, 1, "FAILED broken: input_0.pb: ", "no bytes", NULL);
  fixture_write_text (path, "model.onnx", "no model");
  expect_verdict (path, 1, "FAILED broken: not an ONNX model", NULL);
  g_free (path);
  fixture_remove (folder);
}

/* What is not supported is named; it is neither a pass nor a failure. */
static void
test_skipped (void)
{
  static const Network unknown = { "Frobnicate", ONNX_FLOAT, "y" };
  char *folder = fixture_folder (), *path = write_case (folder, "strange");
  Wire *strings = wire_new ();

  write_network (path, &unknown);
  expect_verdict (path, 0, "skipped strange: ", "Frobnicate", NULL);
  write_network (path, &relu);
  wire_int (strings, 1, 1);
  wire_int (strings, 2, ONNX_STRING);
  wire_text (strings, 6, "text");
  write_wire (path, INPUT, strings);
  expect_verdict (path, 0, "skipped strange: input_0.pb: ", "STRING", NULL);
  g_free (path);
  fixture_remove (folder);
}

/* x 2x3 as the shape that an input says. */
static void
test_shapes_from_values (void)
{
  static const gint64 three[] = { 3 }, turned[] = { 3, 2, 1 },
                      wrong[] = { 3, 3, 1 };
  char *folder = fixture_folder (), *path = write_case (folder, "reshape");
  Wire *graph = wire_new ();

  wire_message (graph, GRAPH_NODE, handmade_node ("Reshape", "", "x s", "y"));
  wire_message (graph, GRAPH_INPUT, handmade_value ("x", ONNX_FLOAT, 2, shape));
  wire_message (graph, GRAPH_INPUT, handmade_value ("s", ONNX_INT64, 1, three));
  wire_message (graph, GRAPH_OUTPUT,
      handmade_value ("y", ONNX_FLOAT, 3, turned));
  write_wire (path, "model.onnx", handmade_model (graph));
  write_wire (path, "test_data_set_0/input_1.pb",
      handmade_tensor ("", ONNX_INT64, 1, three, turned, sizeof turned));
  write_wire (path, OUTPUT,
      handmade_tensor ("", ONNX_FLOAT, 3, turned, before, sizeof before));
  expect_verdict (path, 0, "passed reshape\n", NULL);
  write_wire (path, "test_data_set_0/input_1.pb",
      handmade_tensor ("", ONNX_INT64, 1, three, wrong, sizeof wrong));
  expect_verdict (path, 1, "FAILED reshape: Reshape", NULL);
  g_free (path);
  fixture_remove (folder);
}

/* A folder of cases: each in order of its name, other things passed over. */
static void
test_folder (void)
{
  static const Network unknown = { "Frobnicate", ONNX_FLOAT, "y" };
  char *folder = fixture_folder (), *b = write_case (folder, "b"),
       *a = write_case (folder, "a"), *c = write_case (folder, "c");
  Result result;

  fixture_write_text (folder, "README", "text");
  fixture_write_text (folder, "d/no-model", "text");
  write_floats (b, OUTPUT, before);
  write_network (c, &unknown);
  run (&result, "test", folder, NULL);
  g_test_message ("%s", result.out);
  g_assert_cmpint (result.code, ==, 1);
  g_assert_true (g_str_has_prefix (result.out, "passed a\nFAILED b: "));
  g_assert_nonnull (strstr (result.out, "\nskipped c: "));
  g_assert_true (
      g_str_has_suffix (result.out, "\n1 passed, 1 failed, 1 skipped\n"));
  g_assert_cmpstr (result.err, ==, "convnet test: 1 of 2 cases failed\n");
  clear (&result);

  run (&result, "test", "--quiet", a, c, a, NULL);
  expect_ok (&result);
  g_assert_null (strstr (result.out, "passed a"));
  g_assert_nonnull (strstr (result.out, "skipped c"));
  g_assert_true (
      g_str_has_suffix (result.out, "\n2 passed, 0 failed, 1 skipped\n"));
  clear (&result);
  g_free (a);
  g_free (b);
  g_free (c);
  fixture_remove (folder);
}

static void
test_failures (void)
{
  char *folder = fixture_folder ();
  Result result;

  run (&result, "test", NULL);
  expect_failure (&result, 2, "DIR");
  run (&result, "test", "/nowhere", NULL);
  expect_failure (&result, 1, "/nowhere");
  run (&result, "test", folder, NULL);
  expect_failure (&result, 1, "no test cases");
  run (&result, "test", "--rtol", "much", folder, NULL);
  expect_failure (&result, 2, "much");
  fixture_remove (folder);
}

int
main (int argc, char **argv)
{
  program_init (argc, argv);
  g_test_add_func ("/tools/cases/passes", test_passes);
  g_test_add_func ("/tools/cases/corrupt-element", test_corrupt_element);
  g_test_add_func ("/tools/cases/tolerance", test_tolerance);
  g_test_add_func ("/tools/cases/special", test_special);
  g_test_add_func ("/tools/cases/integers", test_integers);
  g_test_add_func ("/tools/cases/type-and-shape", test_type_and_shape);
  g_test_add_func ("/tools/cases/missing", test_missing);
  g_test_add_func ("/tools/cases/outputs", test_outputs);
  g_test_add_func ("/tools/cases/broken", test_broken);
  g_test_add_func ("/tools/cases/skipped", test_skipped);
  g_test_add_func ("/tools/cases/shapes-from-values", test_shapes_from_values);
  g_test_add_func ("/tools/cases/folder", test_folder);
  g_test_add_func ("/tools/cases/failures", test_failures);
  return g_test_run ();
}
