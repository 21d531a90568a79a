/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* winograd_weights.c: the transform of kernels, from the points; done once a model, so
 * plainly and in double precision. */

#include "ops/winograd_weights.h"

#include "ops/conv.h"
#include "ops/planar.h"

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
    [CNN_WINOGRAD_2_3] = { 2, 3, 4 },
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
cnn_winograd_rows (CnnWinogradForm form, CnnWinogradRows *rows)
{
  *rows = (CnnWinogradRows){ .sizes = cnn_winograd_sizes (form) };
  for (int i = 0; i < rows->sizes.alpha; i++)
    kernel_row (&rows->sizes, i, rows->g[i]);
}

/* First G g, then that times G': two products of small matrices instead of a
 * sum over the kernel for each value. */
void
cnn_winograd_kernel (const CnnWinogradRows *rows, const float *g, double *u)
{
  int alpha = rows->sizes.alpha, r = rows->sizes.r;
  double half[CNN_WINOGRAD_ALPHA];
  for (int i = 0; i < alpha; i++, u += alpha) {
    for (int q = 0; q < r; q++) {
      half[q] = 0;
      for (int p = 0; p < r; p++)
        half[q] += rows->g[i][p] * (double) g[p * r + q];
    }
    for (int j = 0; j < alpha; j++) {
      u[j] = 0;
      for (int q = 0; q < r; q++)
        u[j] += half[q] * rows->g[j][q];
    }
  }
}

size_t
cnn_conv_winograd_packed (const CnnConvSizes *s, CnnWinogradForm form)
{
  CnnWinogradSizes w = cnn_winograd_sizes (form);
  return (size_t) s->group * (size_t) s->oc * (size_t) s->ic
      * (size_t) (w.alpha * w.alpha);
}

/* The kernels of block @block into [products][...][ic][oc of the block], where
 * other blocks of a product come before and after. */
static void
pack_block (const CnnConvSizes *s, const CnnWinogradRows *rows,
    const float *weights, const float *scale, int block, float *packed)
{
  double u[CNN_WINOGRAD_ALPHA * CNN_WINOGRAD_ALPHA];
  size_t products = (size_t) (rows->sizes.alpha * rows->sizes.alpha);
  size_t taps = (size_t) (rows->sizes.r * rows->sizes.r);
  size_t first = (size_t) cnn_planar_block (s->oc, block);
  size_t oc = (size_t) cnn_planar_block (s->oc, block + 1) - first;
  size_t ic = (size_t) s->ic, step = ic * (size_t) s->oc;
  weights += first * ic * taps;
  packed += first * ic;
  for (size_t i = 0; i < ic; i++)
    for (size_t o = 0; o < oc; o++, packed++) {
      cnn_winograd_kernel (rows, weights + (o * ic + i) * taps, u);
      for (size_t f = 0; f < products; f++)
        packed[f * step] = (float) (scale ? u[f] * scale[first + o] : u[f]);
    }
}

void
cnn_conv_winograd_pack (const CnnConvSizes *s, CnnWinogradForm form,
    const float *weights, const float *scale, float *packed)
{
  CnnWinogradRows rows;
  cnn_winograd_rows (form, &rows);
  size_t kernels = (size_t) s->oc * (size_t) s->ic;
  for (int g = 0; g < s->group; g++) {
    for (int b = 0; b < cnn_planar_blocks (s->oc); b++)
      pack_block (s, &rows, weights, scale ? scale + g * s->oc : NULL, b,
          packed);
    weights += kernels * (size_t) (rows.sizes.r * rows.sizes.r);
    packed += kernels * (size_t) (rows.sizes.alpha * rows.sizes.alpha);
  }
}
