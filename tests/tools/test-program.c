/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-program.c: the real `convnet`, as a user or a script runs it: what it
 * prints, what it leaves on the disk, its exit code, and that each failure is
 * one line on stderr. */

#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <stdlib.h>
#include <string.h>

#include <cnn/graph.h>
#include <cnn/onnx.h>

#include "fixture.h"
#include "program.h"

static void
test_help (void)
{
  static const char *const commands[] = { "info", "run", "train", "eval",
    "test", "quantize" };
  Result result;

  run (&result, "--help", NULL);
  expect_ok (&result);
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    g_assert_nonnull (strstr (result.out, commands[i]));
  clear (&result);
  run (&result, "--version", NULL);
  expect_ok (&result);
  g_assert_true (g_str_has_prefix (result.out, "convnet 0."));
  clear (&result);
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++) {
    char *name = g_strconcat ("convnet ", commands[i], NULL);

    run (&result, commands[i], "--help", NULL);
    expect_ok (&result);
    g_assert_nonnull (strstr (result.out, name));
    clear (&result);
    run (&result, commands[i], "--version", NULL);
    expect_ok (&result);
    g_assert_true (g_str_has_prefix (result.out, "convnet 0."));
    clear (&result);
    g_free (name);
  }
}

static void
test_usage (void)
{
  Result result;

  run (&result, NULL);
  expect_failure (&result, 2, "--help");
  run (&result, "frobnicate", NULL);
  expect_failure (&result, 2, "frobnicate");
  run (&result, "info", NULL);
  expect_failure (&result, 2, "MODEL");
  run (&result, "info", "a", "b", NULL);
  expect_failure (&result, 2, "too many");
  run (&result, "info", "--frob", "a", NULL);
  expect_failure (&result, 2, "--frob");
  run (&result, "run", "a", NULL);
  expect_failure (&result, 2, "FILE");
  run (&result, "eval", "a", NULL);
  expect_failure (&result, 2, "--data");
  run (&result, "quantize", "a", "-o", "b", NULL);
  expect_failure (&result, 2, "--data");
  run (&result, "quantize", "a", "--data", "b", NULL);
  expect_failure (&result, 2, "--output");
  run (&result, "train", "a", "--data", "b", NULL);
  expect_failure (&result, 2, "--output");
  run (&result, "info", "--size", "12y3", "a", NULL);
  expect_failure (&result, 2, "12y3");
}

static void
add_constant (CnnGraph *graph, const char *name, CnnShape shape)
{
  size_t count;
  CnnTensor tensor = { CNN_TYPE_FLOAT32, shape, NULL };

  g_assert_cmpint (cnn_shape_elements (&shape, &count), ==, CNN_OK);
  tensor.data = g_new0 (float, count);
  for (size_t i = 0; i < count; i++)
    ((float *) tensor.data)[i] = (float) (i % 7) / 7 - 0.4f;
  g_assert_cmpint (cnn_graph_add_constant (graph, name, &tensor, NULL), ==,
      CNN_OK);
  g_free (tensor.data);
}

static void
add_node (CnnGraph *graph, const char *op, const char *const *in, int n_in,
    const char *out, const CnnAttribute *attributes, int count)
{
  CnnError error = { 0 };

  cnn_graph_add_node (graph, op, out, in, n_in, &out, 1, attributes, count,
      &error);
  g_assert_cmpstr (error.message, ==, "");
}

/* 1x8x8 -> Conv 2 of 3x3 -> 2x6x6 -> Relu -> MaxPool 2 -> 2x3x3 -> 3. */
static CnnGraph *
handmade_graph (void)
{
  static const int64_t three[] = { 3, 3 }, two[] = { 2, 2 };
  const CnnAttribute kernel = { .name = "kernel_shape",
    .type = CNN_ATTRIBUTE_INTS,
    .count = 2,
    .ints = three };
  const CnnAttribute pool[] = {
    { .name = "kernel_shape",
        .type = CNN_ATTRIBUTE_INTS,
        .count = 2,
        .ints = two },
    { .name = "strides", .type = CNN_ATTRIBUTE_INTS, .count = 2, .ints = two }
  };
  const CnnAttribute transposed = { .name = "transB",
    .type = CNN_ATTRIBUTE_INT,
    .i = 1 };
  CnnShape input = { 4, { 1, 1, 8, 8 } };
  CnnGraph *graph = NULL;

  g_assert_cmpint (cnn_graph_new (CNN_GRAPH_OPSET, &graph, NULL), ==, CNN_OK);
  cnn_graph_add_input (graph, "image", CNN_TYPE_FLOAT32, &input, NULL);
  add_constant (graph, "cw", (CnnShape){ 4, { 2, 1, 3, 3 } });
  add_constant (graph, "cb", (CnnShape){ 1, { 2 } });
  add_constant (graph, "dw", (CnnShape){ 2, { 3, 18 } });
  add_constant (graph, "db", (CnnShape){ 1, { 3 } });
  add_node (graph, "Conv", (const char *[]){ "image", "cw", "cb" }, 3, "conv",
      &kernel, 1);
  add_node (graph, "Relu", (const char *[]){ "conv" }, 1, "relu", NULL, 0);
  add_node (graph, "MaxPool", (const char *[]){ "relu" }, 1, "pool", pool, 2);
  add_node (graph, "Flatten", (const char *[]){ "pool" }, 1, "flat", NULL, 0);
  add_node (graph, "Gemm", (const char *[]){ "flat", "dw", "db" }, 3, "dense",
      &transposed, 1);
  cnn_graph_add_output (graph, "dense", NULL);
  return graph;
}

/* Returns: its path, in @folder. */
static char *
write_handmade (const char *folder, gboolean labels)
{
  CnnGraph *graph = handmade_graph ();
  CnnModel *model = NULL;
  CnnError error = { 0 };
  void *bytes = NULL;
  size_t size = 0;

  if (labels)
    cnn_graph_set_metadata (graph, "convnet.labels", "a\nb\nc", NULL);
  cnn_model_new (graph, &model, &error);
  g_assert_cmpstr (error.message, ==, "");
  cnn_onnx_write (model, &bytes, &size, &error);
  g_assert_cmpstr (error.message, ==, "");
  fixture_write (folder, "model.onnx", bytes, size);
  free (bytes);
  cnn_model_unref (model);
  return fixture_path (folder, "model.onnx");
}

static JsonObject *
parse_json (const char *text, JsonParser **parser)
{
  GError *error = NULL;

  *parser = json_parser_new ();
  json_parser_load_from_data (*parser, text, -1, &error);
  g_assert_no_error (error);
  return json_node_get_object (json_parser_get_root (*parser));
}

static JsonObject *
find_layer (JsonObject *root, const char *op)
{
  JsonArray *layers = json_object_get_array_member (root, "layers");

  for (guint i = 0; i < json_array_get_length (layers); i++) {
    JsonObject *layer = json_array_get_object_element (layers, i);

    if (strcmp (json_object_get_string_member (layer, "op"), op) == 0)
      return layer;
  }
  g_error ("no layer with operator %s", op);
}

static gint64
at (JsonObject *object, const char *name, guint i)
{
  return json_array_get_int_element (json_object_get_array_member (object,
                                         name),
      i);
}

static void
check_layer (JsonObject *layer, const int output[3], int parameters, int links,
    int macs, int window, int stride)
{
  for (guint i = 0; i < 3; i++)
    g_assert_cmpint (at (layer, "output", i), ==, output[i]);
  g_assert_cmpint (json_object_get_int_member (layer, "parameters"), ==,
      parameters);
  g_assert_cmpint (json_object_get_int_member (layer, "links"), ==, links);
  g_assert_cmpint (json_object_get_int_member (layer, "macs"), ==, macs);
  if (!window)
    return;
  for (guint i = 0; i < 2; i++) {
    g_assert_cmpint (at (layer, "window", i), ==, window);
    g_assert_cmpint (at (layer, "stride", i), ==, stride);
    g_assert_cmpint (at (layer, "offset", i), ==, 0);
  }
  g_assert_false (json_object_get_boolean_member (layer, "padded"));
}

static void
test_info (void)
{
  char *folder = fixture_folder (), *path = write_handmade (folder, TRUE);
  JsonParser *parser;
  JsonObject *root;
  Result result;

  run (&result, "info", "--json", path, NULL);
  expect_ok (&result);
  root = parse_json (result.out, &parser);
  check_layer (find_layer (root, "Conv"), (const int[]){ 2, 6, 6 }, 20, 720,
      648, 3, 1);
  check_layer (find_layer (root, "MaxPool"), (const int[]){ 2, 3, 3 }, 0, 0, 0,
      4, 2);
  check_layer (find_layer (root, "Gemm"), (const int[]){ 3, 1, 1 }, 57, 57, 54,
      0, 0);
  g_assert_cmpint (json_object_get_int_member (root, "parameters"), ==, 77);
  g_assert_cmpint (json_object_get_int_member (root, "links"), ==, 777);
  g_assert_cmpint (json_object_get_int_member (root, "macs"), ==, 702);
  g_object_unref (parser);
  clear (&result);
  run (&result, "info", path, NULL);
  expect_ok (&result);
  g_assert_nonnull (strstr (result.out, "a b c"));
  g_assert_nonnull (strstr (result.out, "Conv"));
  g_assert_nonnull (strstr (result.out, "702"));
  clear (&result);
  g_free (path);
  fixture_remove (folder);
}

/* As a map network: 8x8 is the window, 2 the stride; 12x10 gives 3x2. */
static void
test_info_map (void)
{
  char *folder = fixture_folder (), *path = write_handmade (folder, TRUE);
  JsonParser *parser;
  JsonObject *root, *last;
  JsonArray *layers;
  Result result;

  run (&result, "info", "--json", "--size", "12x10", path, NULL);
  expect_ok (&result);
  root = parse_json (result.out, &parser);
  layers = json_object_get_array_member (root, "layers");
  last = json_array_get_object_element (layers,
      json_array_get_length (layers) - 1);
  g_assert_cmpint (at (last, "output", 0), ==, 3);
  g_assert_cmpint (at (last, "output", 1), ==, 2);
  g_assert_cmpint (at (last, "output", 2), ==, 3);
  g_assert_cmpint (at (last, "window", 0), ==, 8);
  g_assert_cmpint (at (last, "stride", 1), ==, 2);
  g_assert_cmpint (json_object_get_int_member (root, "parameters"), ==, 77);
  g_assert_true (json_object_has_member (root, "pyramid"));
  g_object_unref (parser);
  clear (&result);
  run (&result, "info", "--size", "7x7", path, NULL);
  expect_failure (&result, 1, path);
  g_free (path);
  fixture_remove (folder);
}

/* The figures of a bench make sense with each other. */
static void
test_bench (void)
{
  Result result;
  JsonParser *parser = json_parser_new ();
  JsonObject *root;
  double sum = 0;

  run (&result, "bench", "digits", "--size", "96x64", "--runs", "3", "--json",
      NULL);
  expect_ok (&result);
  g_assert_true (json_parser_load_from_data (parser, result.out, -1, NULL));
  root = json_node_get_object (json_parser_get_root (parser));
  g_assert_cmpint (json_object_get_int_member (root, "width"), ==, 96);
  g_assert_cmpint (json_object_get_int_member (root, "height"), ==, 64);
  g_assert_cmpint (json_object_get_int_member (root, "threads"), ==, 1);
  double total = json_object_get_double_member (root, "median_ms");
  double rate = json_object_get_double_member (root, "gflops");
  g_assert_cmpfloat (total, >, 0);
  g_assert_cmpfloat (rate, >, 0);
  g_assert_cmpfloat (rate, <,
      json_object_get_double_member (root, "peak_gflops"));
  JsonArray *layers = json_object_get_array_member (root, "layers");
  g_assert_cmpuint (json_array_get_length (layers), >=, 4);
  for (guint i = 0; i < json_array_get_length (layers); i++)
    sum += json_object_get_double_member (json_array_get_object_element (layers,
                                              i),
        "ms");
  /* Medians do not add up exactly. */
  g_assert_cmpfloat (sum, >, 0.3 * total);
  g_assert_cmpfloat (sum, <, 3 * total);
  g_object_unref (parser);
  clear (&result);
  run (&result, "bench", "digits", "--runs", "1", "--precision", "exact", NULL);
  expect_ok (&result);
  clear (&result);
  run (&result, "bench", "digits", "--precision", "half", NULL);
  expect_failure (&result, 2, "half");
  run (&result, "bench", "digits", "--runs", "0", NULL);
  expect_failure (&result, 2, "--runs");
  run (&result, "bench", "nothing", NULL);
  expect_failure (&result, 1, "nothing");
}

/* What is exported is a map, and a model like any other. */
static void
test_export (void)
{
  char *folder = fixture_folder ();
  char *file = fixture_path (folder, "map.onnx");
  Result result;

  run (&result, "export", "digits", "--size", "64x48", "-o", file, NULL);
  expect_ok (&result);
  clear (&result);
  run (&result, "info", file, "--size", "64x48", NULL);
  expect_ok (&result);
  g_assert_nonnull (strstr (result.out, "a map"));
  g_assert_nonnull (strstr (result.out, "1x11x3x7"));
  clear (&result);
  run (&result, "export", "digits", "--size", "64x48", "--window-stride", "2",
      "-o", file, NULL);
  expect_ok (&result);
  clear (&result);
  run (&result, "info", file, "--size", "64x48", NULL);
  g_assert_nonnull (strstr (result.out, "1x11x5x13"));
  clear (&result);
  run (&result, "export", "digits", "--size", "8x8", "-o", file, NULL);
  expect_failure (&result, 1, "digits");
  run (&result, "export", "digits", "--size", "64x48", NULL);
  expect_failure (&result, 2, "-o");
  g_free (file);
  fixture_remove (folder);
}

static void
test_sidecar (void)
{
  char *folder = fixture_folder (), *path = write_handmade (folder, FALSE);
  Result result;

  fixture_write_text (folder, "labels.txt", "ant\nbee\ncat\n");
  run (&result, "info", path, NULL);
  expect_ok (&result);
  g_assert_nonnull (strstr (result.out, "ant bee cat"));
  clear (&result);
  fixture_write_text (folder, "labels.txt", "ant\nbee\n");
  run (&result, "info", path, NULL);
  g_assert_cmpint (result.code, ==, 0);
  g_assert_nonnull (strstr (result.err, "labels.txt"));
  g_assert_nonnull (strstr (result.out, "0 1 2"));
  clear (&result);
  g_free (path);
  fixture_remove (folder);
}

static void
test_broken_model (void)
{
  char *folder = fixture_folder (), *path = write_handmade (folder, TRUE);
  gchar *bytes;
  gsize size;
  Result result;

  run (&result, "info", "/nowhere/model.onnx", NULL);
  expect_failure (&result, 1, "/nowhere/model.onnx: no such file");
  run (&result, "info", "no-such-name", NULL);
  expect_failure (&result, 1, "no-such-name");
  g_assert_true (g_file_get_contents (path, &bytes, &size, NULL));
  for (gsize cut = 0; cut < size; cut += size / 5) {
    fixture_write (folder, "cut.onnx", bytes, cut);
    g_free (path);
    path = fixture_path (folder, "cut.onnx");
    run (&result, "info", path, NULL);
    expect_failure (&result, 1, "cut.onnx: ");
  }
  fixture_write_text (folder, "cut.onnx", "this is no model at all\n");
  run (&result, "run", path, path, NULL);
  expect_failure (&result, 1, "cut.onnx: ");
  g_free (bytes);
  g_free (path);
  fixture_remove (folder);
}

#define RECIPE                                                                 \
  "[model]\ninput=1x32x32\nlabels=0 1 none\nbackground=none\n"                 \
  "object-size=0.625\nthreshold=0.6\n"                                         \
  "layers=conv 6 5x5; relu; maxpool 4; dense 12; relu; dropout 0.1; dense "    \
  "3\n"                                                                        \
  "[data]\ntrain=mnist/train\nvalidate=mnist/t10k\nbackgrounds=backgrounds\n"  \
  "[scenes]\ncount=10\nwindows=20\ninvert=0.5\nblack=0.5\n"                    \
  "[train]\nrate=0.05 cosine\nbatch=20\nepochs=4\nseed=7\n"

/* A folder with data and a recipe. */
static char *
training_folder (void)
{
  char *folder = fixture_folder ();

  fixture_write_digits (folder, "mnist/train", 200);
  fixture_write_digits (folder, "mnist/t10k", 70);
  fixture_write_text (folder, "recipe", RECIPE);
  fixture_write_text (folder, "backgrounds/.hidden", "");
  fixture_write_png (folder, "backgrounds/bars.png", 90, 70);
  return folder;
}

static char *
train (const char *folder, const char *name, const char *threads)
{
  char *recipe = fixture_path (folder, "recipe");
  char *model = fixture_path (folder, name);
  Result result;

  run (&result, "train", recipe, "--data", folder, "-o", model, "--threads",
      threads, NULL);
  expect_ok (&result);
  g_assert_nonnull (strstr (result.out, "epoch 4/4"));
  g_assert_nonnull (strstr (result.out, "validation error"));
  clear (&result);
  g_free (recipe);
  return model;
}

static void
check_equal (const char *one, const char *other)
{
  gchar *a, *b;
  gsize a_size, b_size;

  g_assert_true (g_file_get_contents (one, &a, &a_size, NULL));
  g_assert_true (g_file_get_contents (other, &b, &b_size, NULL));
  g_assert_cmpmem (a, a_size, b, b_size);
  g_free (a);
  g_free (b);
}

static void
check_curves (const char *folder)
{
  char *csv = fixture_path (folder, "one.csv");
  char *png = fixture_path (folder, "one.png");
  char *text, **lines;

  g_assert_true (g_file_get_contents (csv, &text, NULL, NULL));
  lines = g_strsplit (text, "\n", -1);
  g_assert_cmpint (g_strv_length (lines), ==, 6);
  g_assert_cmpstr (lines[0], ==, "epoch,rate,loss,error,validation_error");
  g_assert_true (g_str_has_prefix (lines[4], "4,"));
  g_assert_true (g_file_test (png, G_FILE_TEST_IS_REGULAR));
  g_strfreev (lines);
  g_free (text);
  g_free (csv);
  g_free (png);
}

static void
check_eval (const char *folder, const char *model)
{
  char *png = fixture_path (folder, "confusion.png");
  JsonParser *parser;
  JsonObject *root;
  JsonArray *rows;
  Result result;
  gint64 sum = 0, right = 0;

  run (&result, "eval", model, "--data", folder, "--json", "--confusion", png,
      NULL);
  expect_ok (&result);
  root = parse_json (result.out, &parser);
  g_assert_cmpint (json_object_get_int_member (root, "count"), ==, 70);
  rows = json_object_get_array_member (root, "confusion");
  g_assert_cmpint (json_array_get_length (rows), ==, 3);
  for (guint i = 0; i < 3; i++)
    for (guint k = 0; k < 3; k++) {
      gint64 value =
          json_array_get_int_element (json_array_get_array_element (rows, i),
              k);

      sum += value;
      right += i == k ? value : 0;
    }
  g_assert_cmpint (sum, ==, 70);
  g_assert_cmpfloat_with_epsilon (json_object_get_double_member (root, "error"),
      (double) (70 - right) / 70, 1e-9);
  /* Upright and lying bars are not hard to tell apart. */
  g_assert_cmpint (right, >=, 63);
  g_assert_true (g_file_test (png, G_FILE_TEST_IS_REGULAR));
  g_object_unref (parser);
  clear (&result);
  g_free (png);
}

static void
check_object (JsonObject *object, int width, int height)
{
  JsonObject *detection = json_object_get_object_member (object, "detection");
  JsonObject *box = json_object_get_object_member (detection, "bounding_box");
  gint64 x = json_object_get_int_member (object, "x");
  gint64 w = json_object_get_int_member (object, "w");
  gint64 label = json_object_get_int_member (detection, "label_id");
  double confidence = json_object_get_double_member (detection, "confidence");
  const char *name = json_object_get_string_member (detection, "label");

  g_assert_cmpstr (json_object_get_string_member (object, "roi_type"), ==,
      name);
  g_assert_cmpstr (name, ==, label ? "1" : "0");
  g_assert_cmpfloat (confidence, >=, 0.1);
  g_assert_cmpfloat (confidence, <=, 1);
  g_assert_cmpint (x, >=, 0);
  g_assert_cmpint (x + w, <=, width);
  g_assert_cmpint (json_object_get_int_member (object, "y")
          + json_object_get_int_member (object, "h"),
      <=, height);
  g_assert_cmpfloat_with_epsilon (json_object_get_double_member (box, "x_min")
          * width,
      (double) x, 0.51);
  g_assert_cmpfloat_with_epsilon (json_object_get_double_member (box, "x_max")
          * width,
      (double) (x + w), 0.51);
}

/* The upright bar is found on the left, the lying one on the right. */
static void
check_found (JsonArray *objects, int width, int height)
{
  gboolean found[2] = { FALSE, FALSE };

  for (guint i = 0; i < json_array_get_length (objects); i++) {
    JsonObject *object = json_array_get_object_element (objects, i);
    gint64 middle = json_object_get_int_member (object, "x")
        + json_object_get_int_member (object, "w") / 2;
    int right = middle > width / 2;

    check_object (object, width, height);
    found[right] |=
        *json_object_get_string_member (object, "roi_type") == '0' + right;
  }
  g_assert_true (found[0]);
  g_assert_true (found[1]);
}

static void
check_run (const char *folder, const char *model)
{
  char *picture = fixture_path (folder, "scene.png");
  char *out = fixture_path (folder, "out");
  char *annotated = fixture_path (folder, "out/scene.png");
  JsonParser *parser;
  JsonObject *root, *resolution;
  Result result;

  fixture_write_png (folder, "scene.png", 160, 80);
  run (&result, "run", model, picture, "--json", "--annotate", out,
      "--threshold", "0.1", NULL);
  expect_ok (&result);
  root = parse_json (result.out, &parser);
  g_assert_cmpstr (json_object_get_string_member (root, "source"), ==, picture);
  g_assert_false (json_object_has_member (root, "timestamp"));
  resolution = json_object_get_object_member (root, "resolution");
  g_assert_cmpint (json_object_get_int_member (resolution, "width"), ==, 160);
  g_assert_cmpint (json_object_get_int_member (resolution, "height"), ==, 80);
  check_found (json_object_get_array_member (root, "objects"), 160, 80);
  g_assert_true (g_file_test (annotated, G_FILE_TEST_IS_REGULAR));
  g_object_unref (parser);
  clear (&result);
  g_free (annotated);
  g_free (out);
  g_free (picture);
}

static void
check_run_small (const char *folder, const char *model)
{
  char *picture = fixture_path (folder, "small.png");
  Result result;

  fixture_write_png (folder, "small.png", 9, 5);
  run (&result, "run", model, picture, "--json", NULL);
  g_assert_cmpint (result.code, ==, 0);
  g_assert_nonnull (strstr (result.err, "window"));
  g_assert_nonnull (strstr (result.out, "\"objects\":[]"));
  clear (&result);
  fixture_write_text (folder, "small.png", "\x89PNG\r\n\x1a\nrubbish");
  run (&result, "run", model, picture, "--json", NULL);
  expect_failure (&result, 1, "small.png: ");
  g_free (picture);
}

static int
count_lines (const char *text)
{
  int lines = 0;

  for (; *text; text++)
    lines += *text == '\n';
  return lines;
}

/* A JSON line for each frame, with its time, and a numbered picture. */
static void
check_run_video (const char *folder, const char *model)
{
  static const char *const times[] = { "\"timestamp\":0,",
    "\"timestamp\":100000000,", "\"timestamp\":200000000," };
  char *video = fixture_path (folder, "clip.y4m");
  char *out = fixture_path (folder, "frames");
  char *last = fixture_path (folder, "frames/clip-000002.png");
  Result result;

  fixture_write_y4m (folder, "clip.y4m", 64, 48, "");
  run (&result, "run", model, video, "--json", "--annotate", out, NULL);
  expect_ok (&result);
  g_assert_cmpint (count_lines (result.out), ==, 3);
  for (gsize i = 0; i < G_N_ELEMENTS (times); i++)
    g_assert_nonnull (strstr (result.out, times[i]));
  g_assert_true (g_file_test (last, G_FILE_TEST_IS_REGULAR));
  clear (&result);
  g_free (last);
  g_free (out);
  g_free (video);
}

/* One bad file among good ones: those are done, the exit code tells. Files of
 * one name do not overwrite each other's picture. */
static void
check_run_several (const char *folder, const char *model)
{
  char *good = fixture_path (folder, "scene.png");
  char *bad = fixture_path (folder, "bad.png");
  char *out = fixture_path (folder, "several");
  char *second = fixture_path (folder, "several/scene-2.png");
  Result result;

  fixture_write_text (folder, "bad.png", "bad");
  run (&result, "run", model, good, bad, good, "--json", "--annotate", out,
      NULL);
  g_assert_cmpint (result.code, ==, 1);
  g_assert_cmpint (count_lines (result.out), ==, 2);
  g_assert_cmpint (count_lines (result.err), ==, 1);
  g_assert_nonnull (strstr (result.err, "bad.png"));
  g_assert_true (g_file_test (second, G_FILE_TEST_IS_REGULAR));
  clear (&result);
  g_free (second);
  g_free (out);
  g_free (bad);
  g_free (good);
}

/* A quarter of the size, and what it says of itself is what eval says. */
static void
check_quantize (const char *folder, const char *model)
{
  char *small = fixture_path (folder, "small.onnx"), *png;
  JsonParser *parser;
  JsonObject *root;
  Result result;
  GStatBuf before, after;
  double accuracy;

  run (&result, "quantize", model, "--data", folder, "-o", small, "--samples",
      "40", "--json", NULL);
  expect_ok (&result);
  root = parse_json (result.out, &parser);
  g_assert_cmpint (json_object_get_int_member (root, "count"), ==, 70);
  g_assert_cmpint (json_object_get_int_member (root, "layers"), >=, 2);
  accuracy = json_object_get_double_member (root, "accuracy_quantized");
  g_assert_cmpfloat (accuracy, >=, 88);
  g_assert_cmpfloat_with_epsilon (json_object_get_double_member (root, "lost"),
      json_object_get_double_member (root, "accuracy") - accuracy, 1e-9);
  g_object_unref (parser);
  clear (&result);
  g_assert_cmpint (g_stat (model, &before), ==, 0);
  g_assert_cmpint (g_stat (small, &after), ==, 0);
  g_assert_cmpint (after.st_size, <, before.st_size);

  png = fixture_path (folder, "scene.png");
  run (&result, "run", small, png, "--json", NULL);
  expect_ok (&result);
  clear (&result);
  run (&result, "quantize", small, "--data", folder, "-o", small, NULL);
  expect_failure (&result, 1, "quantised already");
  g_free (png);
  g_free (small);
}

static void
test_train (void)
{
  char *folder = training_folder ();
  char *one = train (folder, "one.onnx", "1");
  char *again = train (folder, "again.onnx", "1");
  char *two = train (folder, "two.onnx", "2");

  check_equal (one, again);
  check_equal (one, two);
  check_curves (folder);
  check_eval (folder, one);
  check_run (folder, one);
  check_run_video (folder, one);
  check_run_several (folder, one);
  check_run_small (folder, one);
  check_quantize (folder, one);
  g_free (one);
  g_free (again);
  g_free (two);
  fixture_remove (folder);
}

static void
test_train_failures (void)
{
  char *folder = training_folder ();
  char *recipe = fixture_path (folder, "recipe");
  char *model = fixture_path (folder, "m.onnx");
  Result result;

  run (&result, "train", "/nowhere/recipe", "--data", folder, "-o", model,
      NULL);
  expect_failure (&result, 1, "/nowhere/recipe: ");
  run (&result, "train", recipe, "--data", "/nowhere", "-o", model, NULL);
  expect_failure (&result, 1, "/nowhere/mnist/train-images");
  fixture_write_text (folder, "backgrounds/broken.png", "broken");
  run (&result, "train", recipe, "--data", folder, "-o", model, NULL);
  expect_failure (&result, 1, "broken.png");
  g_assert_false (g_file_test (model, G_FILE_TEST_EXISTS));
  g_free (recipe);
  g_free (model);
  fixture_remove (folder);
}

int
main (int argc, char **argv)
{
  program_init (argc, argv);
  g_test_add_func ("/tools/program/help", test_help);
  g_test_add_func ("/tools/program/usage", test_usage);
  g_test_add_func ("/tools/program/info", test_info);
  g_test_add_func ("/tools/program/info-map", test_info_map);
  g_test_add_func ("/tools/program/bench", test_bench);
  g_test_add_func ("/tools/program/export", test_export);
  g_test_add_func ("/tools/program/sidecar", test_sidecar);
  g_test_add_func ("/tools/program/broken-model", test_broken_model);
  g_test_add_func ("/tools/program/train", test_train);
  g_test_add_func ("/tools/program/train-failures", test_train_failures);
  return g_test_run ();
}
