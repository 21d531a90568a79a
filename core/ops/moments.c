/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moments.c: sums in double, LANES of them side by side: the compiler makes
 * vectors of them, and the order does not depend on where a run begins. */

#include "ops/moments.h"

#include <math.h>

#include "ops/shapes.h"

#define LANES 8

static double
total (const double *s)
{
  return ((s[0] + s[4]) + (s[1] + s[5])) + ((s[2] + s[6]) + (s[3] + s[7]));
}

double
cnn_moment_sum (const float *x, size_t n)
{
  double s[LANES] = { 0 };
  size_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (size_t k = 0; k < LANES; k++)
      s[k] += (double) x[i + k];
  for (; i < n; i++)
    s[i % LANES] += (double) x[i];
  return total (s);
}

double
cnn_moment_squares (const float *x, size_t n, double mean)
{
  double s[LANES] = { 0 };
  size_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (size_t k = 0; k < LANES; k++) {
      double v = (double) x[i + k] - mean;
      s[k] += v * v;
    }
  for (; i < n; i++) {
    double v = (double) x[i] - mean;
    s[i % LANES] += v * v;
  }
  return total (s);
}

float
cnn_moment_max (const float *x, size_t n)
{
  float m[LANES];
  size_t i = 0;
  for (size_t k = 0; k < LANES; k++)
    m[k] = x[0];
  for (; i + LANES <= n; i += LANES)
    for (size_t k = 0; k < LANES; k++)
      m[k] = x[i + k] > m[k] ? x[i + k] : m[k];
  for (; i < n; i++)
    m[0] = x[i] > m[0] ? x[i] : m[0];
  for (size_t k = 1; k < LANES; k++)
    m[0] = m[k] > m[0] ? m[k] : m[0];
  return m[0];
}

void
cnn_moments_of_nothing (const CnnOpCall *call)
{
  for (int i = 1; i < call->n_out; i++)
    for (size_t k = 0; call->out[i] && k < cnn_elements (call->out[i]); k++)
      ((float *) call->out[i]->data)[k] = NAN;
}
