/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* winograd_weights.c: the transform of kernels, from the points; done once a model, so
 * plainly and in double precision. */

#include "ops/winograd_weights.h"

static const double points[CNN_WINOGRAD_ALPHA - 1] = { 0, 1, -1, 2, -2, 0.5,
  -0.5 };

CnnWinogradSizes
cnn_winograd_sizes (CnnWinogradForm form)
{
  static const CnnWinogradSizes sizes[CNN_WINOGRAD_FORMS] = {
    [CNN_WINOGRAD_4_5] = { 4, 5, 8 },
    [CNN_WINOGRAD_6_3] = { 6, 3, 8 },
    [CNN_WINOGRAD_2_5] = { 2, 5, 6 },
    [CNN_WINOGRAD_4_3] = { 4, 3, 6 },
  };
  return sizes[form];
}

/* Row @i of G: a_i^k / prod over l != i of (a_i - a_l); the last point is
 * infinity, of which only the highest power is left. */
static void
kernel_row (const CnnWinogradSizes *s, int i, double *row)
{
  int finite = s->alpha - 1;
  double divisor = 1, power = 1;
  for (int k = 0; k < s->r; k++)
    row[k] = k == s->r - 1;
  if (i == finite)
    return;
  for (int l = 0; l < finite; l++)
    divisor *= l == i ? 1 : points[i] - points[l];
  for (int k = 0; k < s->r; k++, power *= points[i])
    row[k] = power / divisor;
}

void
cnn_winograd_kernel (CnnWinogradForm form, const float *g, double *u)
{
  const CnnWinogradSizes s = cnn_winograd_sizes (form);
  double rows[CNN_WINOGRAD_ALPHA][CNN_WINOGRAD_ALPHA];
  for (int i = 0; i < s.alpha; i++)
    kernel_row (&s, i, rows[i]);
  for (int i = 0; i < s.alpha; i++)
    for (int j = 0; j < s.alpha; j++) {
      double sum = 0;
      for (int p = 0; p < s.r; p++)
        for (int q = 0; q < s.r; q++)
          sum += rows[i][p] * (double) g[p * s.r + q] * rows[j][q];
      u[i * s.alpha + j] = sum;
    }
}
