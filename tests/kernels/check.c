/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* check.c: buffers whose borders are watched, and the error bound. */

#include "check.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

static const float pattern = -12345.5f;

static float *
buffer (CnnRng *rng, gsize n, float behind)
{
  G_STATIC_ASSERT (CHECK_MARGIN * sizeof (float) == CNN_SLACK_BYTES);
  float *x = g_new (float, n + CHECK_MARGIN);
  for (gsize i = 0; i < n; i++)
    x[i] = cnn_rng_range (rng, -1, 1);
  for (gsize i = 0; i < CHECK_MARGIN; i++)
    x[n + i] = behind;
  return x;
}

float *
check_input (CnnRng *rng, gsize n)
{
  return buffer (rng, n, NAN);
}

float *
check_output (CnnRng *rng, gsize n)
{
  return buffer (rng, n, pattern);
}

void
check_margin (const char *what, const float *output, gsize n)
{
  for (gsize i = 0; i < CHECK_MARGIN; i++)
    if (output[n + i] != pattern)
      g_error ("%s: wrote %zu floats past the end", what, i + 1);
}

void
check_close (const char *what, gsize i, double got, double expected,
    double magnitude, int terms)
{
  double bound = (terms + 4) * 0x1p-24 * (magnitude + 1e-30);
  if (!(fabs (got - expected) <= bound))
    g_error ("%s: element %zu is %.9g, not %.9g (bound %.3g)", what, i, got,
        expected, bound);
}

double
check_activated (CnnActivation f, double x)
{
  switch (f) {
    case CNN_ACTIVATION_RELU:
      return x > 0 ? x : 0;
    case CNN_ACTIVATION_TANH:
      return tanh (x);
    case CNN_ACTIVATION_SIGMOID:
      return 1 / (1 + exp (-x));
    default:
      return x;
  }
}
