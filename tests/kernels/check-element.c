/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* check-element.c: element by element kernels, pools and sums. */

#include <math.h>
#include <string.h>

#include "check.h"

static double
exact (CnnActivation f, double x)
{
  switch (f) {
    case CNN_ACTIVATION_NONE:
      return x;
    case CNN_ACTIVATION_RELU:
      return x > 0 ? x : 0;
    case CNN_ACTIVATION_TANH:
      return tanh (x);
    case CNN_ACTIVATION_SIGMOID:
      return 1 / (1 + exp (-x));
    case CNN_ACTIVATION_EXP:
      return exp (x);
  }
  return x;
}

void
check_map (gconstpointer kernels)
{
  const CnnKernels *k = kernels;
  CnnRng rng;
  cnn_rng_init (&rng, 6, 0);
  for (gsize n = 0; n <= 70; n++)
    for (int f = CNN_ACTIVATION_NONE; f <= CNN_ACTIVATION_EXP; f++) {
      float *x = check_input (&rng, n), *y = check_output (&rng, n);
      k->map ((CnnActivation) f, x, y, n);
      for (gsize i = 0; i < n; i++) {
        double e = exact ((CnnActivation) f, x[i]);
        check_close ("map", i, y[i], e, fabs (e), 1);
      }
      check_margin ("map", y, n);
      memcpy (y, x, n * sizeof *y);
      k->map ((CnnActivation) f, y, y, n);
      for (gsize i = 0; i < n; i++)
        check_close ("map in place", i, y[i], exact ((CnnActivation) f, x[i]),
            fabs (exact ((CnnActivation) f, x[i])), 1);
      check_margin ("map in place", y, n);
      g_free (y);
      g_free (x);
    }
}

/* Relative error over the whole range, and what is beyond it. */
void
check_map_range (gconstpointer kernels)
{
  const CnnKernels *k = kernels;
  enum
  {
    N = 4096
  };
  static const float beyond[] = { -1e30f, -200, 200, 1e30f };
  float *x = g_new (float, N), *y = g_new (float, N);
  for (int f = CNN_ACTIVATION_TANH; f <= CNN_ACTIVATION_EXP; f++) {
    double worst = 0;
    for (int scale = 1; scale <= 87; scale += 43) {
      for (int i = 0; i < N; i++)
        x[i] = (float) scale * ((float) i / (N / 2) - 1);
      k->map ((CnnActivation) f, x, y, N);
      for (int i = 0; i < N; i++) {
        double e = exact ((CnnActivation) f, x[i]);
        double error = e == 0 ? fabs (y[i]) : fabs (y[i] - e) / fabs (e);
        worst = MAX (worst, error);
      }
    }
    g_test_message ("%s: activation %d: relative error %.2g", k->name, f,
        worst);
    g_assert_cmpfloat (worst, <, 3e-7);
    memcpy (x, beyond, sizeof beyond);
    k->map ((CnnActivation) f, x, y, 4);
    for (int i = 0; i < 4; i++)
      g_assert_true (isfinite (y[i]) && y[i] >= -1);
  }
  float got;
  *x = NAN;
  k->map (CNN_ACTIVATION_TANH, x, &got, 1);
  g_assert_true (isnan (got));
  k->map (CNN_ACTIVATION_EXP, x, &got, 1);
  g_assert_true (isnan (got));
  g_free (y);
  g_free (x);
}

static float
binary (CnnBinary op, float a, float b)
{
  switch (op) {
    case CNN_BINARY_ADD:
      return a + b;
    case CNN_BINARY_SUB:
      return a - b;
    case CNN_BINARY_MUL:
      return a * b;
    case CNN_BINARY_DIV:
      return a / b;
  }
  return 0;
}

void
check_binary (gconstpointer kernels)
{
  const CnnKernels *k = kernels;
  CnnRng rng;
  cnn_rng_init (&rng, 7, 0);
  for (gsize n = 0; n <= 70; n++)
    for (int op = CNN_BINARY_ADD; op <= CNN_BINARY_DIV; op++)
      for (int steps = 0; steps < 4; steps++) {
        int sa = steps & 1, sb = steps >> 1;
        float *a = check_input (&rng, n + 1), *b = check_input (&rng, n + 1);
        float *y = check_output (&rng, n);
        k->binary ((CnnBinary) op, a, sa, b, sb, y, n);
        for (gsize i = 0; i < n; i++)
          g_assert_cmpfloat (y[i], ==,
              binary ((CnnBinary) op, a[sa ? i : 0], b[sb ? i : 0]));
        check_margin ("binary", y, n);
        g_free (y);
        g_free (b);
        g_free (a);
      }
}

void
check_pools (gconstpointer kernels)
{
  const CnnKernels *k = kernels;
  CnnRng rng;
  cnn_rng_init (&rng, 8, 0);
  for (int n = 0; n <= 70; n++) {
    float *x0 = check_input (&rng, 2 * (gsize) n);
    float *x1 = check_input (&rng, 2 * (gsize) n);
    float *most = check_output (&rng, (gsize) n);
    float *mean = check_output (&rng, (gsize) n);
    k->max_pool_2x2 (x0, x1, most, n);
    k->average_pool_2x2 (x0, x1, mean, n);
    for (int i = 0; i < n; i++) {
      float a = x0[2 * i], b = x0[2 * i + 1], c = x1[2 * i];
      float d = x1[2 * i + 1];
      g_assert_cmpfloat (most[i], ==, MAX (MAX (a, b), MAX (c, d)));
      check_close ("mean", (gsize) i, mean[i],
          ((double) a + (double) b + (double) c + (double) d) / 4, 1, 4);
    }
    check_margin ("maximum", most, (gsize) n);
    check_margin ("mean", mean, (gsize) n);
    g_free (mean);
    g_free (most);
    g_free (x1);
    g_free (x0);
  }
}

void
check_max_tap (gconstpointer kernels)
{
  const CnnKernels *k = kernels;
  CnnRng rng;
  cnn_rng_init (&rng, 39, 0);
  for (int n = 0; n <= 70; n++)
    for (int step = 1; step <= 2; step++) {
      float *x = check_input (&rng, (gsize) (step * n));
      float *y = check_output (&rng, (gsize) n);
      float *before = g_memdup2 (y, (gsize) n * sizeof *y + 1);
      k->max_tap (x, step, y, n);
      for (int i = 0; i < n; i++)
        g_assert_cmpfloat (y[i], ==, MAX (before[i], x[i * step]));
      check_margin ("max_tap", y, (gsize) n);
      g_free (before);
      g_free (y);
      g_free (x);
    }
}

void
check_sum (gconstpointer kernels)
{
  const CnnKernels *k = kernels;
  CnnRng rng;
  cnn_rng_init (&rng, 9, 0);
  for (gsize n = 0; n <= 70; n++) {
    float *x = check_input (&rng, n);
    double sum = 0, magnitude = 0;
    for (gsize i = 0; i < n; i++) {
      sum += x[i];
      magnitude += fabs (x[i]);
    }
    check_close ("sum", n, k->sum (x, n), sum, magnitude, (int) n);
    g_free (x);
  }
}

void
check_map_gradient (gconstpointer kernels)
{
  const CnnKernels *k = kernels;
  CnnRng rng;
  cnn_rng_init (&rng, 10, 0);
  for (gsize n = 0; n <= 70; n++)
    for (int f = CNN_ACTIVATION_NONE; f <= CNN_ACTIVATION_SIGMOID; f++) {
      float *y = check_input (&rng, n), *g = check_input (&rng, n);
      float *d = check_output (&rng, n);
      float *before = g_memdup2 (d, n * sizeof *d);
      k->map_gradient ((CnnActivation) f, y, g, d, n, 1);
      for (gsize i = 0; i < n; i++) {
        double v = y[i];
        double slope[] = { 1, v > 0, 1 - v * v, v * (1 - v) };
        check_close ("map_gradient", i, d[i], before[i] + g[i] * slope[f],
            fabs (before[i]) + fabs (2.0 * g[i]), 4);
      }
      check_margin ("map_gradient", d, n);
      g_free (before);
      g_free (d);
      g_free (g);
      g_free (y);
    }
}

/* Few different values, so that maxima are met more than once. */
static float *
coarse (CnnRng *rng, gsize n)
{
  float *x = check_input (rng, n);
  for (gsize i = 0; i < n; i++)
    x[i] = (float) cnn_rng_int (rng, 4) - 2;
  return x;
}

static void
check_pool_gradient (const CnnKernels *k, CnnRng *rng, gsize n, gboolean max)
{
  float *x[2] = { coarse (rng, 2 * n), coarse (rng, 2 * n) };
  float *g = check_input (rng, n);
  float *d[2] = { check_output (rng, 2 * n), check_output (rng, 2 * n) };
  float *before[2] = { g_memdup2 (d[0], 2 * n * sizeof **d),
    g_memdup2 (d[1], 2 * n * sizeof **d) };
  (max ? k->max_pool_2x2_gradient : k->average_pool_2x2_gradient) (x[0], x[1],
      g, d[0], d[1], (int) n);
  for (gsize i = 0; i < n; i++) {
    int best = 0;
    for (int at = 1; at < 4; at++)
      if (x[at / 2][2 * i + at % 2] > x[best / 2][2 * i + best % 2])
        best = at;
    for (int at = 0; at < 4; at++) {
      gsize e = 2 * i + at % 2;
      float share = max ? (at == best ? g[i] : 0) : 0.25f * g[i];
      check_close ("pool gradient", e, d[at / 2][e],
          (double) before[at / 2][e] + (double) share, 2, 1);
    }
  }
  for (int r = 0; r < 2; r++) {
    check_margin ("pool gradient", d[r], 2 * n);
    g_free (before[r]);
    g_free (d[r]);
    g_free (x[r]);
  }
  g_free (g);
}

void
check_pool_gradients (gconstpointer kernels)
{
  CnnRng rng;
  cnn_rng_init (&rng, 11, 0);
  for (gsize n = 0; n <= 70; n++) {
    check_pool_gradient (kernels, &rng, n, FALSE);
    check_pool_gradient (kernels, &rng, n, TRUE);
  }
}
