/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_graph.c: what the builder and cnn_model_new() refuse, in which words. */

#include <locale.h>
#include <math.h>

#include "netbuild.h"

static CnnGraph *
empty (void)
{
  CnnGraph *g = NULL;
  g_assert_cmpint (cnn_graph_new (17, &g, NULL), ==, CNN_OK);
  g_assert_cmpint (cnn_graph_add_input (g, "x", CNN_TYPE_FLOAT32,
                       &(CnnShape){ 4, { 1, 1, 8, 8 } }, NULL),
      ==, CNN_OK);
  return g;
}

static CnnStatus
node (CnnGraph *g, const char *op, const char *in, const char *out,
    CnnError *error)
{
  return cnn_graph_add_node (g, op, "", (const char *[]){ in }, 1,
      (const char *[]){ out }, 1, NULL, 0, error);
}

static void
expect (CnnStatus status, CnnStatus wanted, const CnnError *error,
    const char *part)
{
  g_assert_cmpint (status, ==, wanted);
  if (!strstr (error->message, part))
    g_error ("'%s' does not say '%s'", error->message, part);
}

static void
test_builder_refuses (void)
{
  CnnError e = { 0 };
  CnnGraph *g = empty (), *none = NULL;
  float nan_value[] = { 1, NAN };
  CnnTensor nan_tensor = { CNN_TYPE_FLOAT32, { 1, { 2 } }, nan_value };
  CnnTensor huge = { CNN_TYPE_FLOAT32, { 2, { 1ll << 40, 1ll << 40 } },
    nan_value };

  expect (cnn_graph_new (0, &none, &e), CNN_ERROR_UNSUPPORTED, &e, "opset 0");
  expect (cnn_graph_add_constant (g, "w", &nan_tensor, &e), CNN_ERROR_FORMAT,
      &e, "element 1 of 2 is nan");
  expect (cnn_graph_add_constant (g, "w", &huge, &e), CNN_ERROR_SHAPE, &e,
      "impossible shape 1099511627776x1099511627776");
  expect (node (g, "Frobnicate", "x", "y", &e), CNN_ERROR_UNSUPPORTED, &e,
      "Frobnicate 'y': this operator is not supported");
  expect (node (g, "Relu", "", "y", &e), CNN_ERROR_FORMAT, &e,
      "input 0 must not be left out");
  expect (node (g, "Relu", "x", "x", &e), CNN_ERROR_FORMAT, &e,
      "'x' is defined twice");
  expect (cnn_graph_add_node (g, "Relu", "r", (const char *[]){ "x", "x" }, 2,
              (const char *[]){ "y" }, 1, NULL, 0, &e),
      CNN_ERROR_FORMAT, &e, "2 inputs, it takes 1 to 1");
  CnnAttribute odd = { .name = "odd", .type = CNN_ATTRIBUTE_INT };
  expect (cnn_graph_add_node (g, "Relu", "r", (const char *[]){ "x" }, 1,
              (const char *[]){ "y" }, 1, &odd, 1, &e),
      CNN_ERROR_UNSUPPORTED, &e, "odd");
  expect (cnn_graph_add_input (g, "z", CNN_TYPE_FLOAT32,
              &(CnnShape){ 1, { 1ll << 40 } }, &e),
      CNN_ERROR_SHAPE, &e, "1099511627776");
  cnn_graph_free (g);
}

static void
expect_model (CnnGraph *g, CnnStatus wanted, const char *part)
{
  CnnError e = { 0 };
  CnnModel *model = NULL;
  expect (cnn_model_new (g, &model, &e), wanted, &e, part);
  g_assert_null (model);
}

static void
test_model_refuses (void)
{
  expect_model (empty (), CNN_ERROR_FORMAT, "no output");

  CnnGraph *g = empty ();
  node (g, "Relu", "a", "b", NULL);
  node (g, "Relu", "b", "a", NULL);
  cnn_graph_add_output (g, "a", NULL);
  expect_model (g, CNN_ERROR_FORMAT, "depends on its own output");

  g = empty ();
  node (g, "Relu", "nowhere", "b", NULL);
  cnn_graph_add_output (g, "b", NULL);
  expect_model (g, CNN_ERROR_FORMAT, "'nowhere' is defined nowhere");

  g = empty ();
  cnn_graph_add_output (g, "b", NULL);
  expect_model (g, CNN_ERROR_FORMAT, "output 'b' is defined nowhere");

  g = empty ();
  node (g, "Relu", "x", "y", NULL);
  cnn_graph_add_output (g, "y", NULL);
  cnn_graph_set_metadata (g, "convnet.labels", "a\nb\nc", NULL);
  expect_model (g, CNN_ERROR_FORMAT, "has 3 names, the output has 1 classes");

  g = empty ();
  node (g, "Relu", "x", "y", NULL);
  cnn_graph_add_output (g, "y", NULL);
  cnn_graph_set_metadata (g, "CONVNET.Threshold", "nan", NULL);
  expect_model (g, CNN_ERROR_FORMAT, "not a number from 0 to 1");
}

static void
test_metadata (void)
{
  Net net;
  CnnError e = { 0 };
  net_begin (&net, 1, 1, 8, 8);
  net_conv (&net, 1, 3, 8, 1, 1);
  cnn_graph_set_metadata (net.graph, "convnet.labels", "one\r\ntwo\nno\n", &e);
  cnn_graph_set_metadata (net.graph, "convnet.background", "no", &e);
  cnn_graph_set_metadata (net.graph, "image.nominalpixelrange",
      "normalized_1_1", &e);
  cnn_graph_set_metadata (net.graph, "convnet.object-size", "0.625", &e);
  CnnModel *model = net_end (&net), *copy = NULL;
  const CnnModelInfo *info = cnn_model_info (model);
  g_assert_cmpint (info->classes, ==, 3);
  g_assert_cmpstr (info->labels[0], ==, "one");
  g_assert_cmpint (info->background, ==, 2);
  g_assert_cmpint (info->range, ==, CNN_RANGE_1_1);
  g_assert_cmpint (info->output, ==, CNN_OUTPUT_LOGITS);
  g_assert_cmpfloat (info->object_size, ==, 0.625);
  g_assert_cmpstr (cnn_model_metadata (model, "Convnet.Background"), ==, "no");

  net_ok (cnn_model_with_metadata (model,
              (const char *[]){ "convnet.background", "convnet.labels" },
              (const char *[]){ NULL, NULL }, 2, &copy, &e),
      &e);
  g_assert_cmpint (cnn_model_info (copy)->background, ==, -1);
  g_assert_cmpstr (cnn_model_info (copy)->labels[2], ==, "2");
  cnn_model_unref (copy);
  cnn_model_unref (model);
}

/* In countries that write 0,625 a model still says 0.625. */
static void
test_decimal_comma (void)
{
  if (!setlocale (LC_NUMERIC, "de_DE.UTF-8")) {
    g_test_skip ("the locale de_DE.UTF-8 is not installed");
    return;
  }
  test_metadata ();
  setlocale (LC_NUMERIC, "C");
}

/* A long chain, nodes given last first: sorting is not recursive. */
static void
test_long_chain_backwards (void)
{
  CnnGraph *g = empty ();
  char in[16], out[16];
  for (int i = CNN_MAX_NODES - 1; i >= 0; i--) {
    g_snprintf (in, sizeof in, i ? "v%d" : "x", i);
    g_snprintf (out, sizeof out, "v%d", i + 1);
    g_assert_cmpint (node (g, "Relu", in, out, NULL), ==, CNN_OK);
  }
  CnnError e = { 0 };
  expect (node (g, "Relu", "x", "more", &e), CNN_ERROR_MEMORY, &e,
      "more than 16384 nodes");
  cnn_graph_add_output (g, "v16384", NULL);
  CnnModel *model = NULL;
  net_ok (cnn_model_new (g, &model, &e), &e);
  CnnSession *s = net_session (model, 1, 1, 8, 8, NULL);
  ((float *) cnn_session_input (s, 0)->data)[5] = 3;
  cnn_session_run (s);
  g_assert_cmpfloat (((const float *) cnn_session_output (s, 0)->data)[5], ==,
      3);
  cnn_session_free (s);
  cnn_model_unref (model);
}

/* 1 + 2 is computed at load, and nothing is left to run. */
static void
test_folding (void)
{
  CnnError e = { 0 };
  CnnGraph *g = empty ();
  float one = 1, two = 2;
  CnnTensor a = { CNN_TYPE_FLOAT32, { 0 }, &one };
  CnnTensor b = { CNN_TYPE_FLOAT32, { 0 }, &two };
  net_ok (cnn_graph_add_constant (g, "a", &a, &e), &e);
  net_ok (cnn_graph_add_constant (g, "b", &b, &e), &e);
  net_ok (cnn_graph_add_node (g, "Add", "sum", (const char *[]){ "a", "b" }, 2,
              (const char *[]){ "c" }, 1, NULL, 0, &e),
      &e);
  net_ok (cnn_graph_add_node (g, "Mul", "scale", (const char *[]){ "x", "c" },
              2, (const char *[]){ "y" }, 1, NULL, 0, &e),
      &e);
  net_ok (cnn_graph_add_output (g, "y", &e), &e);
  CnnModel *model = NULL;
  net_ok (cnn_model_new (g, &model, &e), &e);
  CnnSession *s = net_session (model, 1, 1, 8, 8, NULL);
  g_assert_cmpint (cnn_session_n_layers (s), ==, 1);
  ((float *) cnn_session_input (s, 0)->data)[63] = 5;
  cnn_session_run (s);
  g_assert_cmpfloat (((const float *) cnn_session_output (s, 0)->data)[63], ==,
      15);
  cnn_session_free (s);
  cnn_model_unref (model);
}

/* LayerNormalization of half precision: the mean beside it stays float32. */
static void
test_other_outputs (void)
{
  CnnError e = { 0 };
  CnnGraph *g;
  CnnModel *model = NULL;
  CnnSession *s = NULL;
  uint16_t ones[] = { 0x3c00, 0x3c00 };
  CnnTensor scale = { CNN_TYPE_FLOAT16, { 1, { 2 } }, ones };
  CnnTensor x = { CNN_TYPE_FLOAT16, { 2, { 1, 2 } }, NULL };
  g_assert_cmpint (cnn_graph_new (17, &g, &e), ==, CNN_OK);
  g_assert_cmpint (cnn_graph_add_input (g, "x", x.type, &x.shape, &e), ==,
      CNN_OK);
  g_assert_cmpint (cnn_graph_add_constant (g, "s", &scale, &e), ==, CNN_OK);
  g_assert_cmpint (cnn_graph_add_node (g, "LayerNormalization", "",
                       (const char *[]){ "x", "s" }, 2,
                       (const char *[]){ "y", "mean" }, 2, NULL, 0, &e),
      ==, CNN_OK);
  g_assert_cmpint (cnn_graph_add_output (g, "y", &e), ==, CNN_OK);
  g_assert_cmpint (cnn_graph_add_output (g, "mean", &e), ==, CNN_OK);
  g_assert_cmpint (cnn_model_new (g, &model, &e), ==, CNN_OK);
  g_assert_cmpint (cnn_session_new_with_inputs (model, &x, 1, NULL, &s, &e), ==,
      CNN_OK);
  uint16_t *in = cnn_session_input (s, 0)->data;
  in[0] = 0x3c00; /* 1 */
  in[1] = 0x4200; /* 3 */
  cnn_session_run (s);
  g_assert_cmpint (cnn_session_output (s, 0)->type, ==, CNN_TYPE_FLOAT16);
  g_assert_cmpint (cnn_session_output (s, 1)->type, ==, CNN_TYPE_FLOAT32);
  g_assert_cmpfloat (cnn_tensor_value (cnn_session_output (s, 1), 0), ==, 2);
  g_assert_cmpfloat_with_epsilon (cnn_tensor_value (cnn_session_output (s, 0),
                                      1),
      1, 1e-3);
  cnn_session_free (s);
  cnn_model_unref (model);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/graph/builder-refuses", test_builder_refuses);
  g_test_add_func ("/graph/model-refuses", test_model_refuses);
  g_test_add_func ("/graph/metadata", test_metadata);
  g_test_add_func ("/graph/decimal-comma", test_decimal_comma);
  g_test_add_func ("/graph/long-chain", test_long_chain_backwards);
  g_test_add_func ("/graph/folding", test_folding);
  g_test_add_func ("/graph/other-outputs", test_other_outputs);
  return g_test_run ();
}
