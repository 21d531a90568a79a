/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_session.c: compiling, running, facts about layers. */

#include "netbuild.h"

static CnnModel *
lenet (uint64_t seed)
{
  Net net;
  net_begin (&net, seed, 1, 32, 32);
  net_conv (&net, 1, 6, 5, 1, 1);
  net_op (&net, "Relu");
  net_pool (&net, "MaxPool", 2, 2);
  net_conv (&net, 6, 16, 5, 1, 1);
  net_op (&net, "Tanh");
  net_pool (&net, "AveragePool", 2, 2);
  net_op (&net, "Flatten");
  net_dense (&net, 400, 120);
  net_op (&net, "Relu");
  net_dense (&net, 120, 10);
  return net_end (&net);
}

static CnnModel *
lenet_map (uint64_t seed)
{
  CnnError error = { 0 };
  CnnModel *model = lenet (seed), *map = NULL;
  net_ok (cnn_model_to_map (model, &map, &error), &error);
  cnn_model_unref (model);
  return map;
}

static void
test_layer_facts (void)
{
  CnnModel *map = lenet_map (1);
  CnnError error = { 0 };
  CnnSession *s = NULL;
  net_ok (cnn_session_new (map, &(CnnShape){ 4, { 1, 1, 240, 320 } },
              &(CnnSessionOptions){ .info_only = 1 }, &s, &error),
      &error);
  static const struct
  {
    const char *op;
    int c, h, w;
    uint64_t parameters;
    int window, stride;
  } want[] = {
    { "Conv", 6, 236, 316, 156, 5, 1 },
    { "Relu", 6, 236, 316, 0, 5, 1 },
    { "MaxPool", 6, 118, 158, 0, 6, 2 },
    { "Conv", 16, 114, 154, 2416, 14, 2 },
    { "Tanh", 16, 114, 154, 0, 14, 2 },
    { "AveragePool", 16, 57, 77, 0, 16, 4 },
    { "Conv", 120, 53, 73, 48120, 32, 4 },
    { "Relu", 120, 53, 73, 0, 32, 4 },
    { "Conv", 10, 53, 73, 1210, 32, 4 },
  };
  g_assert_cmpint (cnn_session_n_layers (s), ==, G_N_ELEMENTS (want));
  for (int i = 0; i < (int) G_N_ELEMENTS (want); i++) {
    CnnLayerInfo info;
    cnn_session_layer (s, i, &info);
    g_assert_cmpstr (info.op, ==, want[i].op);
    g_assert_cmpint (info.output.dims[1], ==, want[i].c);
    g_assert_cmpint (info.output.dims[2], ==, want[i].h);
    g_assert_cmpint (info.output.dims[3], ==, want[i].w);
    g_assert_cmpuint (info.parameters, ==, want[i].parameters);
    g_assert_true (info.has_geometry);
    g_assert_cmpint (info.geometry.window[0], ==, want[i].window);
    g_assert_cmpint (info.geometry.stride[1], ==, want[i].stride);
    g_assert_cmpint (info.geometry.offset[1], ==, 0);
    g_assert_false (info.geometry.padded);
  }
  CnnLayerInfo conv;
  cnn_session_layer (s, 0, &conv);
  g_assert_cmpuint (conv.macs, ==, 236 * 316 * 6 * 25);
  g_assert_cmpuint (conv.links, ==, 236 * 316 * 6 * 26);

  CnnMemoryInfo memory;
  cnn_session_memory (s, &memory);
  g_assert_cmpuint (memory.arena_bytes, >=, memory.live_bytes);
  g_assert_cmpuint (memory.arena_bytes, <, memory.sum_bytes);
  cnn_session_free (s);
  cnn_model_unref (map);
}

static void
test_threads_do_not_matter (void)
{
  CnnModel *map = lenet_map (2);
  GBytes *first = NULL;
  for (unsigned threads = 1; threads <= 4; threads++) {
    CnnPool *pool;
    CnnRng rng;
    g_assert_cmpint (cnn_pool_new (threads, &pool), ==, CNN_OK);
    CnnSession *s = net_session (map, 1, 1, 101, 147, pool);
    for (int round = 0; round < 2; round++) {
      cnn_rng_init (&rng, 7, 0);
      net_fill (&rng, cnn_session_input (s, 0)->data, 101 * 147);
      cnn_session_run (s);
    }
    const CnnTensor *y = cnn_session_output (s, 0);
    size_t count;
    g_assert_cmpint (cnn_shape_elements (&y->shape, &count), ==, CNN_OK);
    GBytes *result = g_bytes_new (y->data, count * sizeof (float));
    if (!first)
      first = g_bytes_ref (result);
    g_assert_true (g_bytes_equal (first, result));
    g_bytes_unref (result);
    cnn_session_free (s);
    cnn_pool_free (pool);
  }
  g_bytes_unref (first);
  cnn_model_unref (map);
}

/* Several pictures in one run give what each gives alone. */
static void
test_batch (void)
{
  CnnModel *model = lenet (3);
  CnnSession *one = net_session (model, 1, 1, 32, 32, NULL);
  CnnSession *five = net_session (model, 5, 1, 32, 32, NULL);
  CnnRng rng;
  cnn_rng_init (&rng, 3, 3);
  float *all = cnn_session_input (five, 0)->data;
  float *pictures = g_new (float, 5 * 1024);
  net_fill (&rng, pictures, 5 * 1024);
  memcpy (all, pictures, 5 * 1024 * sizeof *all);
  cnn_session_run (five);
  const float *answers = cnn_session_output (five, 0)->data;
  for (int k = 0; k < 5; k++) {
    memcpy (cnn_session_input (one, 0)->data, pictures + k * 1024, 4096);
    cnn_session_run (one);
    const float *answer = cnn_session_output (one, 0)->data;
    for (int c = 0; c < 10; c++)
      g_assert_cmpfloat_with_epsilon (answer[c], answers[k * 10 + c], 1e-4);
  }
  g_free (pictures);
  cnn_session_free (five);
  cnn_session_free (one);
  cnn_model_unref (model);
}

/* Called after each layer that runs. */
static void
note_layer (void *data, int layer)
{
  GArray *layers = data;
  g_array_append_val (layers, layer);
}

/* What follows from shapes is computed with the session, not in every run. */
static void
test_known_layers_do_not_run (void)
{
  Net net;
  char relu[32], shape[32];
  net_begin (&net, 4, 3, 5, 7);
  net_op (&net, "Relu");
  g_strlcpy (relu, net.last, sizeof relu);
  net_op (&net, "Shape");
  net_op (&net, "Identity");
  g_strlcpy (shape, net.last, sizeof shape);
  g_strlcpy (net.last, relu, sizeof net.last);
  net_add (&net, "Reshape", (const char *[]){ shape }, 1, NULL, 0);

  CnnModel *model = net_end (&net);
  CnnSession *s = net_session (model, 1, 3, 5, 7, NULL);
  GArray *layers = g_array_new (FALSE, FALSE, sizeof (int));
  cnn_session_run_watched (s, note_layer, layers);
  static const char *const wanted[] = { "Relu", "Reshape" };
  g_assert_cmpint (cnn_session_n_layers (s), ==, 4);
  g_assert_cmpuint (layers->len, ==, G_N_ELEMENTS (wanted));
  for (guint i = 0; i < layers->len; i++) {
    CnnLayerInfo info;
    cnn_session_layer (s, g_array_index (layers, int, i), &info);
    g_assert_cmpstr (info.op, ==, wanted[i]);
  }
  g_array_unref (layers);
  cnn_session_free (s);
  cnn_model_unref (model);
}

static const CnnTensor *
find_layer (const CnnSession *s, const char *op, int *layer)
{
  CnnLayerInfo info;
  for (int i = *layer; i < cnn_session_n_layers (s); i++) {
    cnn_session_layer (s, i, &info);
    if (strcmp (info.op, op) == 0) {
      *layer = i;
      return cnn_session_layer_output (s, i);
    }
  }
  g_error ("there is no %s", op);
}

/* Every layer by itself, and all of them there when the last has run. */
static void
test_layers_can_be_seen (void)
{
  CnnModel *model = lenet (7), *layers = NULL;
  CnnError error = { 0 };
  net_ok (cnn_model_with_layers (model, &layers, &error), &error);
  CnnSession *plain = net_session (model, 1, 1, 32, 32, NULL);
  CnnSession *s = net_session (layers, 1, 1, 32, 32, NULL);
  CnnRng rng;
  cnn_rng_init (&rng, 1, 1);
  for (int i = 0; i < 32 * 32; i++)
    ((float *) cnn_session_input (plain, 0)->data)[i] =
        ((float *) cnn_session_input (s, 0)->data)[i] = cnn_rng_normal (&rng);
  cnn_session_run (plain);
  cnn_session_run (s);
  g_assert_cmpint (cnn_session_n_layers (s), ==, 10);
  g_assert_cmpint (cnn_session_n_layers (plain), <, 10);
  g_assert_cmpint (cnn_session_n_outputs (s), ==, 10);

  const float *a = cnn_session_output (plain, 0)->data;
  const float *b = cnn_session_output (s, 0)->data;
  for (int i = 0; i < 10; i++)
    g_assert_cmpfloat_with_epsilon (a[i], b[i], 1e-4f);
  int layer = 0, negative = 0;
  const CnnTensor *weights = cnn_session_layer_weights (s, 0);
  const float *conv = find_layer (s, "Conv", &layer)->data;
  g_assert_cmpint (layer, ==, 0);
  const CnnTensor *relu = find_layer (s, "Relu", &layer);
  g_assert_true (
      cnn_shape_equal (&relu->shape, &(CnnShape){ 4, { 1, 6, 28, 28 } }));
  for (int i = 0; i < 6 * 28 * 28; i++) {
    g_assert_cmpfloat (((float *) relu->data)[i], ==, fmaxf (conv[i], 0));
    negative += conv[i] < 0;
  }
  g_assert_cmpint (negative, >, 100);
  g_assert_true (
      cnn_shape_equal (&weights->shape, &(CnnShape){ 4, { 6, 1, 5, 5 } }));
  g_assert_null (cnn_session_layer_weights (s, layer));
  cnn_session_free (s);
  cnn_session_free (plain);
  cnn_model_unref (layers);
  cnn_model_unref (model);
}

static void
expect (CnnModel *model, CnnShape shape, CnnStatus wanted, const char *part)
{
  CnnError error = { 0 };
  CnnSession *s = NULL;
  g_assert_cmpint (cnn_session_new (model, &shape, NULL, &s, &error), ==,
      wanted);
  g_assert_null (s);
  if (!strstr (error.message, part))
    g_error ("'%s' does not say '%s'", error.message, part);
}

static void
test_refusals (void)
{
  CnnModel *map = lenet_map (4);
  expect (map, (CnnShape){ 3, { 1, 32, 32 } }, CNN_ERROR_SHAPE,
      "a tensor of 1x32x32 is no ?x1x?x?");
  expect (map, (CnnShape){ 4, { 1, 1, 0, 32 } }, CNN_ERROR_SHAPE, "size 0");
  expect (map, (CnnShape){ 4, { 1, 1, 4, 32 } }, CNN_ERROR_SHAPE, "Conv");
  expect (map, (CnnShape){ 4, { 1, 2, 32, 32 } }, CNN_ERROR_SHAPE, "Conv");
  expect (map, (CnnShape){ 4, { 1, 1, 1 << 20, 1 << 20 } }, CNN_ERROR_MEMORY,
      "MiB, the limit is 8192 MiB");
  expect (map, (CnnShape){ 4, { 1, 1, INT32_MAX, INT32_MAX } }, CNN_ERROR_SHAPE,
      "2147483647");
  cnn_model_unref (map);

  CnnModel *fixed = lenet (4);
  expect (fixed, (CnnShape){ 4, { 1, 1, 64, 64 } }, CNN_ERROR_SHAPE, "Gemm");
  cnn_model_unref (fixed);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/session/layer-facts", test_layer_facts);
  g_test_add_func ("/session/threads", test_threads_do_not_matter);
  g_test_add_func ("/session/batch", test_batch);
  g_test_add_func ("/session/known-layers", test_known_layers_do_not_run);
  g_test_add_func ("/session/layers", test_layers_can_be_seen);
  g_test_add_func ("/session/refusals", test_refusals);
  return g_test_run ();
}
