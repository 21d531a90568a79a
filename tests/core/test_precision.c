/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_precision.c: how far CNN_PRECISION_FAST is from CNN_PRECISION_EXACT, from
 * the picture to the logits: docs/winograd.md. */

#include "netbuild.h"

/* Of the logits' range. */
#define BOUND 1e-4

typedef struct
{
  const char *name;
  int maps[3], hidden; /* 5x5 convolutions, then 1x1 */
} Network;

static const Network networks[] = {
  { "A", { 6, 16, 120 }, 84 },
  { "B", { 20, 50, 500 }, 0 },
};

static CnnModel *
make_model (const Network *network, const char *activation, uint64_t seed)
{
  Net net;
  int channels = 1;
  net_begin (&net, seed, 1, 32, 32);
  for (int i = 0; i < 3; i++) {
    net_conv (&net, channels, network->maps[i], 5, 1, 1);
    net_op (&net, activation);
    if (i < 2)
      net_pool (&net, "MaxPool", 2, 2);
    channels = network->maps[i];
  }
  if (network->hidden) {
    net_conv (&net, channels, network->hidden, 1, 1, 1);
    net_op (&net, activation);
    channels = network->hidden;
  }
  net_conv (&net, channels, 11, 1, 1, 1);
  return net_end (&net);
}

static CnnSession *
run (CnnModel *model, CnnPrecision precision)
{
  CnnSessionOptions options = { .precision = precision };
  CnnSession *session = net_session_with (model, 1, 1, 132, 172, &options);
  CnnRng rng;
  cnn_rng_init (&rng, 5, 0);
  net_fill (&rng, cnn_session_input (session, 0)->data, 132 * 172);
  cnn_session_run (session);
  return session;
}

static void
test_maps (gconstpointer data)
{
  const Network *network = data;
  static const char *const activations[] = { "Relu", "Tanh" };
  for (uint64_t seed = 0; seed < 4; seed++) {
    CnnModel *model = make_model (network, activations[seed % 2], 60 + seed);
    CnnSession *fast = run (model, CNN_PRECISION_FAST);
    CnnSession *exact = run (model, CNN_PRECISION_EXACT);
    const float *x = cnn_session_output (fast, 0)->data;
    const float *y = cnn_session_output (exact, 0)->data;
    size_t count;
    double low = HUGE_VAL, high = -HUGE_VAL, most = 0;
    cnn_shape_elements (&cnn_session_output (fast, 0)->shape, &count);
    for (size_t i = 0; i < count; i++) {
      double off = fabs ((double) x[i] - y[i]);
      low = y[i] < low ? y[i] : low;
      high = y[i] > high ? y[i] : high;
      most = off <= most ? most : off;
    }
    g_test_message ("%s, %s: %.1e of the range", network->name,
        activations[seed % 2], most / (high - low));
    g_assert_cmpfloat (most, >, 0);
    g_assert_cmpfloat (most, <, BOUND * (high - low));
    cnn_session_free (fast);
    cnn_session_free (exact);
    cnn_model_unref (model);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (size_t i = 0; i < G_N_ELEMENTS (networks); i++) {
    char *path = g_strdup_printf ("/precision/%s", networks[i].name);
    g_test_add_data_func (path, &networks[i], test_maps);
    g_free (path);
  }
  return g_test_run ();
}
