/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* check-product.c: products of a block against plain loops in double
 * precision. */

#include <math.h>

#include "check.h"

#define PRODUCTS 3

typedef struct
{
  int oc, n, ic, add;
  CnnActivation activation;
} Case;

/* Activated; the terms' sizes to @magnitude. */
static double
reference (const CnnProductRun *run, const float *before, int f, int o, int x,
    double *magnitude)
{
  gsize at = (gsize) f * run->out_step + (gsize) o * run->out_plane + (gsize) x;
  double sum = run->bias ? run->bias[o] : 0;
  *magnitude = fabs (sum) + 1;
  if (run->add) {
    sum += before[at];
    *magnitude += fabs ((double) before[at]);
  }
  for (int i = 0; i < run->ic; i++) {
    double w =
        run->weights[(gsize) f * run->weights_step + (gsize) (i * run->oc + o)];
    double v = run->in[(gsize) f * run->in_step + (gsize) i * run->in_plane
        + (gsize) x];
    sum += w * v;
    *magnitude += fabs (w * v);
  }
  return check_activated (run->activation, sum);
}

/* Every float of @out: what is no result must be as it was. */
static void
compare (const CnnProductRun *run, const float *before, gsize size)
{
  for (gsize at = 0; at < size; at++) {
    int f = (int) (at / run->out_step);
    int o = (int) (at % run->out_step / run->out_plane);
    int x = (int) (at % run->out_step % run->out_plane);
    double magnitude;
    if (o >= run->oc || x >= run->n) {
      g_assert_cmpfloat (run->out[at], ==, before[at]);
      continue;
    }
    double expected = reference (run, before, f, o, x, &magnitude);
    check_close ("product", at, run->out[at], expected, magnitude, run->ic + 4);
  }
  check_margin ("product", run->out, size);
}

static void
product_case (const CnnKernels *k, CnnRng *rng, const Case *c)
{
  gsize in_plane = (gsize) c->n + 1, out_plane = (gsize) c->n + 3;
  gsize in_step = (gsize) c->ic * in_plane + 2;
  gsize out_step = (gsize) c->oc * out_plane + 5;
  gsize weights_step = (gsize) (c->ic * c->oc) + 1;
  gsize size = (PRODUCTS - 1) * out_step + (gsize) (c->oc - 1) * out_plane
      + (gsize) c->n;
  float *in = check_input (rng, PRODUCTS * in_step - 3);
  float *weights = check_input (rng, PRODUCTS * weights_step - 1);
  float *bias = check_input (rng, CNN_CONV_BLOCK);
  float *out = check_output (rng, size);
  float *before = g_memdup2 (out, size * sizeof *out);
  CnnProductRun run = {
    .in = in,
    .in_plane = in_plane,
    .in_step = in_step,
    .weights = weights,
    .weights_step = weights_step,
    .bias = c->n % 3 ? bias : NULL,
    .out = out,
    .out_plane = out_plane,
    .out_step = out_step,
    .products = PRODUCTS,
    .ic = c->ic,
    .oc = c->oc,
    .n = c->n,
    .add = c->add,
    .activation = c->activation,
  };
  k->product (&run);
  compare (&run, before, size);
  g_free (before);
  g_free (out);
  g_free (bias);
  g_free (weights);
  g_free (in);
}

void
check_product (gconstpointer kernels)
{
  CnnRng rng;
  cnn_rng_init (&rng, 30, 0);
  for (int oc = 1; oc <= CNN_CONV_BLOCK; oc++)
    for (int n = 0; n <= 70; n++)
      for (int add = 0; add <= 1; add++) {
        CnnActivation f = (CnnActivation) ((n + oc) % 4);
        product_case (kernels, &rng, &(Case){ oc, n, 17, add, f });
        product_case (kernels, &rng, &(Case){ oc, n, 1, add, 0 });
      }
}

/* A pixel comes out the same, to the bit, wherever it lies in a run, and
 * whether its channels come at once or in two parts. */
void
check_product_pieces (gconstpointer kernels)
{
  const CnnKernels *k = kernels;
  CnnRng rng;
  cnn_rng_init (&rng, 31, 0);
  float *in = check_input (&rng, 9 * 70), *weights = check_input (&rng, 9 * 8);
  float *whole = check_output (&rng, 8 * 70), *part = g_new0 (float, 8 * 70);
  CnnProductRun run = {
    .in_plane = 70,
    .weights = weights,
    .out_plane = 70,
    .products = 1,
    .oc = 8,
  };
  CnnProductRun all = run;
  all.in = in;
  all.out = whole;
  all.ic = 9;
  all.n = 70;
  k->product (&all);
  for (int n = 1; n < 70; n++) {
    for (int x = 0; x < 70; x += n)
      for (int add = 0; add <= 1; add++) {
        run.in = in + x + add * 4 * 70;
        run.weights = weights + add * 4 * 8;
        run.ic = add ? 5 : 4;
        run.out = part + x;
        run.n = MIN (n, 70 - x);
        run.add = add;
        k->product (&run);
      }
    g_assert_cmpmem (part, 8 * 70 * sizeof *part, whole,
        8 * 70 * sizeof *whole);
  }
  g_free (part);
  g_free (whole);
  g_free (weights);
  g_free (in);
}

/* One to four pieces of any length; what follows a row's pixels is written
 * before the next row is. */
void
check_collect (gconstpointer kernels)
{
  const CnnKernels *k = kernels;
  const ptrdiff_t taps[] = { 0, 3, 41 };
  const int ic = 2, n_taps = 3;
  const gsize plane = 300;
  CnnRng rng;
  cnn_rng_init (&rng, 38, 0);
  float *in = check_input (&rng, plane * (gsize) ic);
  for (int i = 0; i < 200; i++) {
    CnnPiece pieces[4];
    CnnCollectRun run = { .in = in,
      .in_plane = plane,
      .ic = ic,
      .taps = taps,
      .n_taps = n_taps,
      .pieces = pieces,
      .n_pieces = 1 + (int) cnn_rng_int (&rng, 4) };
    for (int p = 0; p < run.n_pieces; p++) {
      pieces[p].at = cnn_rng_int (&rng, 100);
      pieces[p].n = 1 + cnn_rng_int (&rng, 70);
      run.out_step += pieces[p].n;
    }
    gsize rows = (gsize) (ic * n_taps), size = rows * run.out_step;
    float *out = check_output (&rng, size + CNN_MAX_LANES - 1);
    run.out = out;
    k->collect (&run);
    const float *row = out;
    for (int r = 0; r < ic * n_taps; r++)
      for (int p = 0; p < run.n_pieces; row += pieces[p++].n)
        g_assert_cmpmem (row, pieces[p].n * sizeof *row,
            in + (gsize) (r / n_taps) * plane + taps[r % n_taps] + pieces[p].at,
            pieces[p].n * sizeof *row);
    check_margin ("collect", out, size + CNN_MAX_LANES - 1);
    g_free (out);
  }
  g_free (in);
}
