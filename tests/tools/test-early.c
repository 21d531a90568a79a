/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-early.c: the layers of the first networks do what their definitions
 * say, told with other layers or by hand. Sees the library's insides, to give
 * networks weights of its own. */

#include <math.h>
#include <string.h>

#include <glib.h>

#include <cnn/session.h>

#include "base/rng.h"
#include "connections.h"
#include "graph/nodes.h"
#include "layers.h"

typedef struct
{
  CnnGraph *graph;
  int side, classes;
} Net;

static Net
build (const char *layers, int side, int classes)
{
  Net net = { .side = side, .classes = classes };
  GError *error = NULL;

  g_assert_cmpint (cnn_graph_new (CNN_GRAPH_OPSET, &net.graph, NULL), ==,
      CNN_OK);
  tool_layers_build (net.graph, layers, 1, side, side, classes, FALSE, &error);
  g_assert_no_error (error);
  return net;
}

static gsize
length_of (const Net *net, const char *name)
{
  const CnnShape *s = NULL;
  gsize count = 1;
  int v = cnn_graph_find (net->graph, name);

  g_assert_cmpint (v, >=, 0);
  s = &net->graph->values[v].tensor.shape;
  for (int i = 0; i < s->rank; i++)
    count *= (gsize) s->dims[i];
  return count;
}

static void
set (Net *net, const char *name, const float *values, gsize count)
{
  g_assert_cmpuint (length_of (net, name), ==, count);
  g_assert_cmpint (cnn_graph_replace_constant (net->graph,
                       cnn_graph_find (net->graph, name), values, NULL),
      ==, CNN_OK);
}

/* The same for the same @stream, as many as there are. */
static void
set_random (Net *net, const char *name, int stream)
{
  gsize count = length_of (net, name);
  float *values = g_new (float, count);
  CnnRng rng;

  cnn_rng_init (&rng, 7, (guint64) stream);
  for (gsize i = 0; i < count; i++)
    values[i] = cnn_rng_range (&rng, -1, 1);
  set (net, name, values, count);
  g_free (values);
}

/* Ends the network; @answers: its outputs for @picture. */
static void
answer (Net *net, const float *picture, float *answers)
{
  CnnModel *model = NULL;
  CnnSession *session = NULL;
  CnnShape shape = { 4, { 1, 1, net->side, net->side } };
  gsize bytes = (gsize) (net->side * net->side) * sizeof (float);

  g_assert_cmpint (cnn_model_new (net->graph, &model, NULL), ==, CNN_OK);
  g_assert_cmpint (cnn_session_new (model, &shape, NULL, &session, NULL), ==,
      CNN_OK);
  memcpy (cnn_session_input (session, 0)->data, picture, bytes);
  cnn_session_run (session);
  memcpy (answers, cnn_session_output (session, 0)->data,
      (gsize) net->classes * sizeof (float));
  cnn_session_free (session);
  cnn_model_unref (model);
}

static void
draw_picture (float *picture, int count)
{
  CnnRng rng;

  cnn_rng_init (&rng, 3, 0);
  for (int i = 0; i < count; i++)
    picture[i] = cnn_rng_range (&rng, -1, 1);
}

static void
assert_same (Net *a, const float *picture_a, Net *b, const float *picture_b)
{
  float x[8], y[8];

  answer (a, picture_a, x);
  answer (b, picture_b, y);
  for (int i = 0; i < a->classes; i++)
    g_assert_cmpfloat_with_epsilon (x[i], y[i], 1e-4);
}

/* Units that are given the same weights are a convolution. */
static void
test_local (void)
{
  Net conv = build ("conv 2 3x3; conv 3 3x3 stride=2 pad=1; dense 4", 9, 4);
  Net local = build ("conv 2 3x3; local 3 3x3 stride=2 pad=1; dense 4", 9, 4);
  float picture[81], kernels[3 * 18], bias[3], units[48 * 18], biases[48];
  const char *const same[] = { "conv1.weight", "conv1.bias", "dense1.weight",
    "dense1.bias" };

  for (gsize i = 0; i < G_N_ELEMENTS (same); i++) {
    set_random (&conv, same[i], (int) i);
    set_random (&local, same[i], (int) i);
  }
  draw_picture (picture, 81);
  draw_picture (kernels, G_N_ELEMENTS (kernels));
  draw_picture (bias, 3);
  for (int u = 0; u < 48; u++) {
    memcpy (units + u * 18, kernels + u / 16 * 18, 18 * sizeof (float));
    biases[u] = bias[u / 16];
  }
  set (&conv, "conv2.weight", kernels, G_N_ELEMENTS (kernels));
  set (&conv, "conv2.bias", bias, 3);
  set (&local, "local1.weight", units, G_N_ELEMENTS (units));
  set (&local, "local1.bias", biases, 48);
  assert_same (&conv, picture, &local, picture);
}

/* Kernels that the table leaves out are kernels of zero. */
static void
check_table (const char *name, int in, int out)
{
  const ToolTable *table = tool_table_find (name);
  char *text = g_strdup_printf ("conv %d 3x3; conv %d 3x3 from %s; dense 2", in,
      out, name);
  char *plain = g_strdup_printf ("conv %d 3x3; conv %d 3x3; dense 2", in, out);
  Net partial = build (text, 8, 2), full = build (plain, 8, 2);
  float picture[64], *kernels = g_new0 (float, out *in * 9);
  const char *const same[] = { "conv1.weight", "conv1.bias", "dense1.weight",
    "dense1.bias" };
  float bias[TOOL_TABLE_MAPS];
  int part = 0, n;

  for (gsize i = 0; i < G_N_ELEMENTS (same); i++) {
    set_random (&partial, same[i], (int) i);
    set_random (&full, same[i], (int) i);
  }
  draw_picture (picture, 64);
  for (int o = 0; o < out; o += n) {
    float *weights = g_new (float, out *in * 9), *to = weights;
    char *weight_name = g_strdup_printf ("conv2.%d.weight", ++part);
    char *bias_name = g_strdup_printf ("conv2.%d.bias", part);

    n = (int) length_of (&partial, bias_name);
    for (int k = o; k < o + n; k++) {
      bias[k] = 0.1f * (float) k;
      for (int i = 0; i < in; i++)
        if (table->sees[k] >> i & 1)
          for (int t = 0; t < 9; t++)
            *to++ = kernels[(k * in + i) * 9 + t] =
                sinf ((float) (k * 131 + i * 17 + t));
    }
    set (&partial, weight_name, weights, (gsize) (to - weights));
    set (&partial, bias_name, bias + o, (gsize) n);
    g_free (bias_name);
    g_free (weight_name);
    g_free (weights);
  }
  set (&full, "conv2.weight", kernels, (gsize) (out * in * 9));
  set (&full, "conv2.bias", bias, (gsize) out);
  assert_same (&partial, picture, &full, picture);
  g_free (kernels);
  g_free (plain);
  g_free (text);
}

static void
test_tables (void)
{
  check_table ("table-lenet5", 6, 16);
  check_table ("table-lenet1990", 4, 12);
  g_assert_null (tool_table_find ("table-none"));
}

/* In the table of 1989 each map sees eight, and is seen by eight. */
static void
test_ring (void)
{
  const ToolTable *table = tool_table_find ("table-zip1989");
  int seen[12] = { 0 };

  for (int o = 0; o < 12; o++) {
    int sees = 0;

    for (int i = 0; i < 12; i++) {
      sees += table->sees[o] >> i & 1;
      seen[i] += table->sees[o] >> i & 1;
    }
    g_assert_cmpint (sees, ==, 8);
    g_assert_cmphex (table->sees[o] >> 12, ==, 0);
  }
  for (int i = 0; i < 12; i++)
    g_assert_cmpint (seen[i], ==, 8);
}

/* A border is a larger picture; biases of cells add to the cells. */
static void
test_border_and_biases (void)
{
  Net small = build ("conv 2 3x3 pad=1 border=-0.5 bias=unit; dense 2", 4, 2);
  Net large = build ("conv 2 3x3; dense 2", 6, 2);
  float inner[16], outer[36], units[32];
  const float none[2] = { 0, 0 };
  float dense[64], bias[2] = { 0.25f, -0.25f };

  draw_picture (inner, 16);
  for (int i = 0; i < 36; i++) {
    int y = i / 6 - 1, x = i % 6 - 1;

    outer[i] = y < 0 || x < 0 || y > 3 || x > 3 ? -0.5f : inner[y * 4 + x];
  }
  draw_picture (dense, 64);
  draw_picture (units, 32);
  set_random (&small, "conv1.weight", 1);
  set_random (&large, "conv1.weight", 1);
  set (&small, "conv1.bias", units, 32);
  set (&small, "dense1.weight", dense, 64);
  set (&small, "dense1.bias", bias, 2);
  set (&large, "conv1.bias", none, 2);
  set (&large, "dense1.weight", dense, 64);
  for (int o = 0; o < 2; o++)
    for (int i = 0; i < 32; i++)
      bias[o] += dense[o * 32 + i] * units[i];
  set (&large, "dense1.bias", bias, 2);
  assert_same (&small, inner, &large, outer);
}

/* What has a place of its own for each unit does not slide over frames. */
static void
test_places (void)
{
  static const char *const layers[] = { "local 1 3x3; dense 2",
    "conv 1 3x3 bias=unit; dense 2" };

  for (gsize i = 0; i < G_N_ELEMENTS (layers); i++) {
    Net net = build (layers[i], 4, 2);
    CnnModel *model = NULL, *map = NULL;

    set_random (&net, i ? "conv1.bias" : "local1.bias", 1);
    g_assert_cmpint (cnn_model_new (net.graph, &model, NULL), ==, CNN_OK);
    g_assert_cmpint (cnn_model_to_map (model, &map, NULL), !=, CNN_OK);
    cnn_model_unref (model);
  }
}

static void
test_subsample (void)
{
  Net net = build ("subsample 2; ltanh; dense 2", 2, 2);
  const float picture[4] = { 0.5f, -1, 2, 0.25f }, gain = 1.5f, bias = -0.3f;
  const float dense[2] = { 1, -2 }, none[2] = { 0, 0 };
  double mean = 1.75 / 4, y = 1.7159 * tanh (2 * (gain * mean + bias) / 3);
  float answers[2];

  set (&net, "subsample1.gain", &gain, 1);
  set (&net, "subsample1.bias", &bias, 1);
  set (&net, "dense1.weight", dense, 2);
  set (&net, "dense1.bias", none, 2);
  answer (&net, picture, answers);
  g_assert_cmpfloat_with_epsilon (answers[0], y, 1e-6);
  g_assert_cmpfloat_with_epsilon (answers[1], -2 * y, 1e-6);
}

/* The nearest code answers most, and is nobody's to learn. */
static void
test_codes (void)
{
  for (int digit = 0; digit < 10; digit++) {
    Net net = build ("dense 84; codes", 2, 10);
    float weights[84 * 4], bias[84], answers[10];
    const float picture[4] = { 1, 1, 1, 1 };

    memset (weights, 0, sizeof weights);
    for (int i = 0; i < 84; i++)
      bias[i] = tool_code (digit)[i] == '#' ? 1 : -1;
    set (&net, "dense1.weight", weights, G_N_ELEMENTS (weights));
    set (&net, "dense1.bias", bias, 84);
    g_assert_true (cnn_graph_is_fixed (net.graph, "codes1.fixed"));
    g_assert_false (cnn_graph_is_fixed (net.graph, "codes1"));
    g_assert_false (cnn_graph_is_fixed (net.graph, "dense1.bias"));
    answer (&net, picture, answers);
    for (int i = 0; i < 10; i++)
      g_assert_true (i == digit || answers[i] < answers[digit] - 4);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tools/early/local", test_local);
  g_test_add_func ("/tools/early/tables", test_tables);
  g_test_add_func ("/tools/early/ring", test_ring);
  g_test_add_func ("/tools/early/border-and-biases", test_border_and_biases);
  g_test_add_func ("/tools/early/places", test_places);
  g_test_add_func ("/tools/early/subsample", test_subsample);
  g_test_add_func ("/tools/early/codes", test_codes);
  return g_test_run ();
}
