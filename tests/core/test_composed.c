/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_composed.c: layers of the field's history that are no operators of the
 * standard, written with those that are, against their formulas.
 *
 * Log-sum-exp pooling, subtractive and divisive local contrast normalisation,
 * locally connected layers, a bias for each unit, the scaled tanh of 1989. */

#include <math.h>

#include "netbuild.h"

#define SIDE 9

/* A constant of given elements; its name. */
static const char *
constant (Net *net, CnnShape shape, const float *values)
{
  CnnError error = { 0 };
  char *name = g_strdup_printf ("k%d", net->count++);
  CnnTensor tensor = { CNN_TYPE_FLOAT32, shape, (void *) values };
  net_ok (cnn_graph_add_constant (net->graph, name, &tensor, &error), &error);
  const char *kept = g_intern_string (name);
  g_free (name);
  return kept;
}

static void
with_number (Net *net, const char *op, float value)
{
  const char *more[] = { constant (net, (CnnShape){ 0 }, &value) };
  net_add (net, op, more, 1, NULL, 0);
}

/* A node behind two values; its name is the last one from now on. */
static void
combine (Net *net, const char *op, const char *a, const char *b)
{
  g_strlcpy (net->last, a, sizeof net->last);
  net_add (net, op, &b, 1, NULL, 0);
}

static const char *
keep (const Net *net)
{
  return g_intern_string (net->last);
}

static void
fixed_conv (Net *net, CnnShape shape, const float *weights, int pad)
{
  const char *more[] = { constant (net, shape, weights) };
  int64_t pads[] = { pad, pad, pad, pad };
  CnnAttribute a = net_ints ("pads", pads, 4);
  net_add (net, "Conv", more, 1, &a, 1);
}

/* Runs @net on random numbers. Returns: (transfer full): output; @x: input. */
static float *
run (Net *net, int c, int h, int w, float *x)
{
  CnnModel *model = net_end (net);
  CnnSession *s = net_session (model, 1, c, h, w, NULL);
  CnnRng rng;
  size_t count = 0;
  cnn_rng_init (&rng, 3, 0);
  for (int i = 0; i < c * h * w; i++)
    x[i] = cnn_rng_range (&rng, -1, 1);
  memcpy (cnn_session_input (s, 0)->data, x, (size_t) (c * h * w) * sizeof *x);
  cnn_session_run (s);
  const CnnTensor *y = cnn_session_output (s, 0);
  cnn_shape_elements (&y->shape, &count);
  float *out = g_memdup2 (y->data, count * sizeof *out);
  cnn_session_free (s);
  cnn_model_unref (model);
  return out;
}

/* (1 / b) log mean exp (b x) over 2x2 */
static void
test_log_sum_exp_pooling (void)
{
  const float b = 3;
  float x[8 * 8];
  Net net;
  net_begin (&net, 1, 1, 8, 8);
  with_number (&net, "Mul", b);
  net_op (&net, "Exp");
  net_pool (&net, "AveragePool", 2, 2);
  net_op (&net, "Log");
  with_number (&net, "Mul", 1 / b);
  float *y = run (&net, 1, 8, 8, x);
  for (int i = 0; i < 4; i++)
    for (int j = 0; j < 4; j++) {
      double sum = 0;
      for (int k = 0; k < 4; k++)
        sum += exp ((double) (b * x[(2 * i + k / 2) * 8 + 2 * j + k % 2]));
      g_assert_cmpfloat_with_epsilon (y[i * 4 + j],
          (float) (log (sum / 4) / (double) b), 1e-5);
    }
  g_free (y);
}

static void
gaussian (float *w)
{
  float sum = 0;
  for (int i = 0; i < 25; i++)
    sum += w[i] = expf (
        -(float) ((i / 5 - 2) * (i / 5 - 2) + (i % 5 - 2) * (i % 5 - 2)) / 4);
  for (int i = 0; i < 25; i++)
    w[i] /= sum;
}

/* Weighted sum over the 5x5 around (i, j), zeros outside. */
static double
local (const float *w, const double *v, int i, int j)
{
  double sum = 0;
  for (int k = 0; k < 25; k++) {
    int y = i + k / 5 - 2, x = j + k % 5 - 2;
    if (y >= 0 && y < SIDE && x >= 0 && x < SIDE)
      sum += (double) w[k] * v[y * SIDE + x];
  }
  return sum;
}

/* v = x - w * x;  y = v / max (c, sqrt (w * v^2))  (Jarrett et al., 2009) */
static void
test_local_contrast (void)
{
  const float c = 0.3f;
  float w[25], x[SIDE * SIDE];
  double v[SIDE * SIDE], squares[SIDE * SIDE];
  CnnShape shape = { 4, { 1, 1, 5, 5 } };
  Net net;
  gaussian (w);
  net_begin (&net, 1, 1, SIDE, SIDE);
  fixed_conv (&net, shape, w, 2);
  combine (&net, "Sub", "x", keep (&net));
  const char *centred = keep (&net);
  combine (&net, "Mul", centred, centred);
  fixed_conv (&net, shape, w, 2);
  net_op (&net, "Sqrt");
  with_number (&net, "Max", c);
  combine (&net, "Div", centred, keep (&net));
  float *y = run (&net, 1, SIDE, SIDE, x);

  double wide[SIDE * SIDE];
  for (int i = 0; i < SIDE * SIDE; i++)
    wide[i] = (double) x[i];
  for (int i = 0; i < SIDE * SIDE; i++) {
    v[i] = wide[i] - local (w, wide, i / SIDE, i % SIDE);
    squares[i] = v[i] * v[i];
  }
  for (int i = 0; i < SIDE * SIDE; i++) {
    double deviation = sqrt (local (w, squares, i / SIDE, i % SIDE));
    g_assert_cmpfloat_with_epsilon (y[i],
        (float) (v[i] / fmax ((double) c, deviation)), 1e-5);
  }
  g_free (y);
}

/* A 3x3 window at stride 2 with weights of its own at each of 4x4 places, and
 * a bias for each unit: one-hot kernels spread the window over channels. */
static void
test_locally_connected (void)
{
  enum
  {
    PLACES = 16,
    TAPS = 9
  };
  float hot[TAPS * TAPS] = { 0 }, weights[TAPS * PLACES], bias[PLACES];
  float x[SIDE * SIDE];
  CnnRng rng;
  Net net;
  cnn_rng_init (&rng, 5, 0);
  for (int i = 0; i < TAPS; i++)
    hot[i * TAPS + i] = 1;
  for (int i = 0; i < TAPS * PLACES; i++)
    weights[i] = cnn_rng_range (&rng, -1, 1);
  for (int i = 0; i < PLACES; i++)
    bias[i] = cnn_rng_range (&rng, -1, 1);

  net_begin (&net, 1, 1, SIDE, SIDE);
  int64_t two[] = { 2, 2 }, one[] = { 1 };
  CnnAttribute strides = net_ints ("strides", two, 2);
  CnnAttribute axes = net_ints ("axes", one, 1);
  const char *kernels[] = { constant (&net, (CnnShape){ 4, { TAPS, 1, 3, 3 } },
      hot) };
  const char *own[] = { constant (&net, (CnnShape){ 4, { 1, TAPS, 4, 4 } },
      weights) };
  const char *units[] = { constant (&net, (CnnShape){ 4, { 1, 1, 4, 4 } },
      bias) };
  net_add (&net, "Conv", kernels, 1, &strides, 1);
  net_add (&net, "Mul", own, 1, NULL, 0);
  net_add (&net, "ReduceMean", NULL, 0, &axes, 1);
  with_number (&net, "Mul", TAPS);
  net_add (&net, "Add", units, 1, NULL, 0);
  float *y = run (&net, 1, SIDE, SIDE, x);
  for (int p = 0; p < PLACES; p++) {
    float sum = bias[p];
    for (int t = 0; t < TAPS; t++)
      sum += weights[t * PLACES + p]
          * x[(p / 4 * 2 + t / 3) * SIDE + p % 4 * 2 + t % 3];
    g_assert_cmpfloat_with_epsilon (y[p], sum, 1e-5);
  }
  g_free (y);
}

/* 1.7159 tanh (2 x / 3) */
static void
test_scaled_tanh (void)
{
  float x[16];
  Net net;
  net_begin (&net, 1, 1, 4, 4);
  with_number (&net, "Mul", 2.0f / 3);
  net_op (&net, "Tanh");
  with_number (&net, "Mul", 1.7159f);
  float *y = run (&net, 1, 4, 4, x);
  for (int i = 0; i < 16; i++)
    g_assert_cmpfloat_with_epsilon (y[i], 1.7159f * tanhf (2 * x[i] / 3), 1e-5);
  g_free (y);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/composed/log-sum-exp-pooling", test_log_sum_exp_pooling);
  g_test_add_func ("/composed/local-contrast", test_local_contrast);
  g_test_add_func ("/composed/locally-connected", test_locally_connected);
  g_test_add_func ("/composed/scaled-tanh", test_scaled_tanh);
  return g_test_run ();
}
