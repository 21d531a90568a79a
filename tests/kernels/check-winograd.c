/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* check-winograd.c: Winograd's transforms against their definition from the
 * points (winograd.h), in double precision. */

#include <math.h>
#include <string.h>

#include "check.h"

#define ALPHA CNN_WINOGRAD_ALPHA
/* Roundings on the way of a value through both directions of a transform. */
#define ROUNDINGS 8

typedef struct
{
  int m, alpha;
  double a[ALPHA][ALPHA], b[ALPHA][ALPHA]; /* A' [m][alpha], B' */
} Form;

static const double points[ALPHA - 1] = { 0, 1, -1, 2, -2, 0.5, -0.5 };

/* Coefficients of prod over l != skip of (x - a_l), l < n. */
static void
polynomial (int n, int skip, double *row)
{
  memset (row, 0, ALPHA * sizeof *row);
  row[0] = 1;
  for (int l = 0; l < n; l++)
    for (int k = ALPHA - 1; k >= 0 && l != skip; k--)
      row[k] = (k ? row[k - 1] : 0) - points[l] * row[k];
}

static Form
form_of (CnnWinogradForm which)
{
  static const int m[] = { 4, 6, 2, 4, 2 }, alpha[] = { 8, 8, 6, 6, 4 };
  Form form = { .m = m[which], .alpha = alpha[which] };
  int n = form.alpha - 1;
  for (int i = 0; i < n; i++) {
    polynomial (n, i, form.b[i]);
    for (int j = 0; j < form.m; j++)
      form.a[j][i] = pow (points[i], j);
  }
  polynomial (n, n, form.b[n]);
  form.a[form.m - 1][n] = 1;
  return form;
}

static double
pixel (const CnnWinogradInput *run, int y, int x)
{
  if (y < 0 || y >= run->h || x < 0 || x >= run->w)
    return 0;
  return run->in[y * run->w + x];
}

/* Value @f of tile @t; the terms' sizes to @magnitude. */
static double
input_reference (const CnnWinogradInput *run, const Form *form, int f, int t,
    double *magnitude)
{
  double sum = 0;
  *magnitude = 0;
  for (int p = 0; p < form->alpha; p++)
    for (int q = 0; q < form->alpha; q++) {
      double term = form->b[f / form->alpha][p] * form->b[f % form->alpha][q]
          * pixel (run, run->y + p, run->x + t * form->m + q);
      sum += term;
      *magnitude += fabs (term);
    }
  return sum;
}

static void
compare_input (const CnnWinogradInput *run, const Form *form,
    const float *before, gsize size)
{
  for (gsize at = 0; at < size; at++) {
    int f = (int) (at / run->out_step), t = (int) (at % run->out_step);
    double magnitude;
    if (t >= run->n) {
      g_assert_cmpfloat (run->out[at], ==, before[at]);
      continue;
    }
    double expected = input_reference (run, form, f, t, &magnitude);
    check_close ("winograd_input", at, run->out[at], expected, magnitude,
        ROUNDINGS);
  }
  check_margin ("winograd_input", run->out, size);
  check_margin ("winograd_input's spare memory", run->spare,
      CNN_WINOGRAD_SPARE);
}

/* A picture of @h x @w, of which the tiles begin at @y, @x. */
static void
input_case (const CnnKernels *k, CnnRng *rng, CnnWinogradInput run)
{
  Form form = form_of (run.form);
  gsize products = (gsize) (form.alpha * form.alpha);
  gsize size = (products - 1) * ((gsize) run.n + 3) + (gsize) run.n;
  float *in = check_input (rng, (gsize) (run.h * run.w));
  float *out = check_output (rng, size);
  float *before = g_memdup2 (out, size * sizeof *out);
  float *spare = check_output (rng, CNN_WINOGRAD_SPARE);
  run.in = in;
  run.out = out;
  run.out_step = (gsize) run.n + 3;
  run.spare = spare;
  k->winograd_input (&run);
  compare_input (&run, &form, before, size);
  g_free (spare);
  g_free (before);
  g_free (out);
  g_free (in);
}

static int
between (CnnRng *rng, int low, int high)
{
  return low + (int) cnn_rng_int (rng, (uint32_t) (high - low + 1));
}

/* Tiles in the picture, over each of its edges, beside it. */
void
check_winograd_input (gconstpointer kernels)
{
  CnnRng rng;
  cnn_rng_init (&rng, 32, 0);
  for (int which = 0; which < CNN_WINOGRAD_FORMS; which++)
    for (int n = 1; n <= CNN_WINOGRAD_TILES; n++) {
      Form form = form_of (which);
      int wide = (n - 1) * form.m + form.alpha;
      CnnWinogradInput run = { .form = which, .n = n };
      run.h = form.alpha;
      run.w = wide;
      input_case (kernels, &rng, run);
      for (int i = 0; i < 4; i++) {
        run.h = between (&rng, 1, 2 * form.alpha);
        run.w = between (&rng, 1, 2 * wide);
        run.y = between (&rng, -form.alpha - 1, run.h + 1);
        run.x = between (&rng, -wide - 1, run.w + 1);
        input_case (kernels, &rng, run);
      }
    }
}

/* A tile comes out the same, to the bit, wherever it lies in a run. */
void
check_winograd_input_pieces (gconstpointer kernels)
{
  const CnnKernels *k = kernels;
  const int n = CNN_WINOGRAD_TILES, h = 7, w = 6 * CNN_WINOGRAD_TILES - 3;
  const gsize size = ALPHA * ALPHA * (gsize) n;
  CnnRng rng;
  cnn_rng_init (&rng, 33, 0);
  float *in = check_input (&rng, (gsize) (h * w));
  float *spare = check_output (&rng, CNN_WINOGRAD_SPARE);
  for (int which = 0; which < CNN_WINOGRAD_FORMS; which++) {
    float *whole = g_new0 (float, size), *part = g_new0 (float, size);
    CnnWinogradInput run = { which, in, h, w, -2, -2, n, whole, n, spare };
    k->winograd_input (&run);
    for (int step = 1; step < n; step += 3) {
      for (int t = 0; t < n; t += step) {
        run.x = -2 + t * form_of (which).m;
        run.n = MIN (step, n - t);
        run.out = part + t;
        k->winograd_input (&run);
      }
      g_assert_cmpmem (part, size * sizeof *part, whole, size * sizeof *whole);
    }
    g_free (part);
    g_free (whole);
  }
  g_free (spare);
  g_free (in);
}

/* Pixel (i, j) of tile @t before bias and activation; the terms' sizes to
 * @magnitude. */
static double
sum_at (const CnnWinogradOutput *run, const Form *form, int t, int i, int j,
    double *magnitude)
{
  double sum = 0;
  *magnitude = fabs ((double) run->bias);
  for (int p = 0; p < form->alpha; p++)
    for (int q = 0; q < form->alpha; q++) {
      double v = run->in[(gsize) (p * form->alpha + q) * run->in_step + t];
      double term = form->a[i][p] * form->a[j][q] * v;
      sum += term;
      *magnitude += fabs (term);
    }
  return sum + run->bias;
}

/* Cell (@y, @x) of what all tiles beside each other make. */
static double
cell_at (const CnnWinogradOutput *run, const Form *form, int y, int x,
    double *magnitude)
{
  int side = run->pooling ? 2 : 1;
  double most = -INFINITY, sum = 0, largest = 0;
  for (int i = 0; i < side * side; i++) {
    int row = y * side + i / side, column = x * side + i % side;
    double value = check_activated (run->activation,
        sum_at (run, form, column / form->m, row, column % form->m, magnitude));
    most = MAX (most, value);
    sum += value;
    largest = MAX (largest, *magnitude);
  }
  /* Of an activation that is not exact, the error is one of its value. */
  *magnitude = largest + (run->activation > CNN_ACTIVATION_RELU);
  return run->pooling == CNN_FUSED_POOL_AVERAGE ? sum / 4 : most;
}

/* Sums of @n tiles for each product, of which nothing else is a number. */
static float *
tiles_of (CnnRng *rng, gsize products, gsize step, gsize n)
{
  float *in = check_input (rng, (products - 1) * step + n);
  for (gsize f = 0; f + 1 < products; f++)
    for (gsize t = n; t < step; t++)
      in[f * step + t] = NAN;
  return in;
}

/* @run's tiles of one row or several; of run->rows x run->columns pixels those
 * that there are. */
static void
output_case (const CnnKernels *k, CnnRng *rng, CnnWinogradOutput run)
{
  Form form = form_of (run.form);
  int side = run.pooling ? form.m / 2 : form.m;
  int high = side * ((run.first + run.n - 1) / run.across + 1);
  int rows = MIN (run.rows, high);
  int columns = MIN (run.columns, side * run.across);
  run.in_step = (gsize) run.n + 3;
  run.pitch = (gsize) (side * run.across) + 2;
  run.bias = cnn_rng_range (rng, -1, 1);
  gsize size = (gsize) (rows - 1) * run.pitch + (gsize) columns;
  gsize products = (gsize) (form.alpha * form.alpha);
  float *in = tiles_of (rng, products, run.in_step, (gsize) run.n);
  float *out = check_output (rng, size);
  float *before = g_memdup2 (out, size * sizeof *out);
  run.in = in;
  run.out = out;
  k->winograd_output (&run);
  for (gsize at = 0; at < size; at++) {
    int y = (int) (at / run.pitch), x = (int) (at % run.pitch);
    int t = y / side * run.across + x / side - run.first;
    double magnitude;
    if (x >= columns || t < 0 || t >= run.n) {
      g_assert_cmpfloat (out[at], ==, before[at]);
      continue;
    }
    double expected =
        cell_at (&run, &form, y % side, t * side + x % side, &magnitude);
    check_close ("winograd_output", at, out[at], expected, magnitude,
        ROUNDINGS);
  }
  check_margin ("winograd_output", out, size);
  g_free (before);
  g_free (out);
  g_free (in);
}

/* All of the map, more than there is of it, and any piece. */
void
check_winograd_output (gconstpointer kernels)
{
  CnnRng rng;
  cnn_rng_init (&rng, 34, 0);
  for (int which = 0; which < CNN_WINOGRAD_FORMS; which++)
    for (int n = 1; n <= CNN_WINOGRAD_TILES; n++)
      for (int i = 0; i < 12; i++) {
        CnnFusedPool pooling = (CnnFusedPool) (i % 3);
        Form form = form_of (which);
        int side = pooling ? form.m / 2 : form.m;
        CnnWinogradOutput run = {
          .form = which,
          .n = n,
          .across = n,
          .activation = (CnnActivation) (i / 3),
          .pooling = pooling,
          .rows = side + 5,
          .columns = n * side + 5,
        };
        output_case (kernels, &rng, run);
        run.rows = between (&rng, 1, side);
        run.columns = between (&rng, 1, n * side);
        output_case (kernels, &rng, run);
      }
}

/* Tiles of several rows, of a map that ends inside tiles. */
void
check_winograd_output_rows (gconstpointer kernels)
{
  CnnRng rng;
  cnn_rng_init (&rng, 40, 0);
  for (int which = 0; which < CNN_WINOGRAD_FORMS; which++)
    for (int i = 0; i < 60; i++) {
      CnnFusedPool pooling = (CnnFusedPool) (i % 3);
      int side = form_of (which).m / (pooling ? 2 : 1);
      int across = between (&rng, 1, 30);
      CnnWinogradOutput run = {
        .form = which,
        .first = between (&rng, 0, across - 1),
        .n = between (&rng, 1, CNN_WINOGRAD_TILES),
        .across = across,
        .activation = (CnnActivation) (i % 4),
        .pooling = pooling,
        .columns = between (&rng, side * (across - 1) + 1, side * across),
      };
      int high = (run.first + run.n - 1) / across + 1;
      run.rows = between (&rng, side * (high - 1) + 1, side * high);
      output_case (kernels, &rng, run);
    }
}

static void
apart_case (const CnnKernels *k, CnnRng *rng, CnnWinogradOutput run)
{
  Form form = form_of (run.form);
  int vectors = (run.n + k->lanes - 1) / k->lanes;
  gsize written = (gsize) (vectors * k->lanes);
  gsize pixels = (gsize) (form.m * form.m);
  run.in_step = (gsize) run.n + 3;
  run.pitch = written + 2;
  run.bias = cnn_rng_range (rng, -1, 1);
  gsize size = (pixels - 1) * run.pitch + written;
  float *in = tiles_of (rng, (gsize) (form.alpha * form.alpha), run.in_step,
      (gsize) run.n);
  float *out = check_output (rng, size);
  float *before = g_memdup2 (out, size * sizeof *out);
  run.in = in;
  run.out = out;
  k->winograd_output (&run);
  for (gsize at = 0; at < size; at++) {
    int number = (int) (at / run.pitch), t = (int) (at % run.pitch);
    double magnitude;
    if ((gsize) t >= written)
      g_assert_cmpfloat (out[at], ==, before[at]);
    if (t >= run.n)
      continue;
    double expected = cell_at (&run, &form, number / form.m,
        t * form.m + number % form.m, &magnitude);
    check_close ("winograd_output apart", at, out[at], expected, magnitude,
        ROUNDINGS);
  }
  check_margin ("winograd_output apart", out, size);
  g_free (before);
  g_free (out);
  g_free (in);
}

void
check_winograd_apart (gconstpointer kernels)
{
  CnnRng rng;
  cnn_rng_init (&rng, 35, 0);
  for (int which = 0; which < CNN_WINOGRAD_FORMS; which++)
    for (int n = 1; n <= CNN_WINOGRAD_TILES; n++)
      for (int f = 0; f < 4; f++)
        apart_case (kernels, &rng,
            (CnnWinogradOutput){
                .form = which,
                .n = n,
                .activation = (CnnActivation) f,
                .apart = 1,
            });
}

/* A cell is the same, to the bit, wherever its tile lies in a run, woven by
 * the transform or afterwards. */
void
check_winograd_output_pieces (gconstpointer kernels)
{
  const CnnKernels *k = kernels;
  const gsize n = CNN_WINOGRAD_TILES, size = n * 6 * 6;
  CnnRng rng;
  cnn_rng_init (&rng, 36, 0);
  float *in = check_input (&rng, ALPHA * ALPHA * n);
  float *apart = g_new0 (float, size);
  for (int which = 0; which < CNN_WINOGRAD_FORMS; which++) {
    float *whole = g_new0 (float, size), *part = g_new0 (float, size);
    int m = form_of (which).m;
    gsize pitch = n * (gsize) m;
    CnnWinogradOutput run = {
      .form = which,
      .in = in,
      .in_step = n,
      .n = (int) n,
      .bias = 0.5f,
      .activation = CNN_ACTIVATION_TANH,
      .out = whole,
      .across = (int) n,
      .pitch = pitch,
      .rows = m,
      .columns = (int) pitch,
    };
    CnnWinogradOutput separate = run;
    k->winograd_output (&run);
    for (int step = 1; step < (int) n; step += 3) {
      for (int t = 0; t < (int) n; t += step) {
        run.in = in + t;
        run.n = MIN (step, (int) n - t);
        run.out = part + t * m;
        run.columns = run.n * m;
        k->winograd_output (&run);
      }
      g_assert_cmpmem (part, size * sizeof *part, whole, size * sizeof *whole);
    }
    separate.apart = 1;
    separate.pitch = n;
    separate.out = apart;
    k->winograd_output (&separate);
    for (int i = 0; i < m; i++)
      k->weave (apart + (gsize) (i * m) * n, n, m, part + (gsize) i * pitch,
          (int) pitch);
    g_assert_cmpmem (part, size * sizeof *part, whole, size * sizeof *whole);
    g_free (part);
    g_free (whole);
  }
  g_free (apart);
  g_free (in);
}

void
check_weave (gconstpointer kernels)
{
  const CnnKernels *k = kernels;
  CnnRng rng;
  cnn_rng_init (&rng, 37, 0);
  for (int m = 2; m <= 6; m += 2)
    for (int columns = 1; columns <= 70 * m; columns += columns < 110 ? 1 : 7) {
      gsize n = (gsize) ((columns + m - 1) / m), step = n + 2;
      float *in = check_input (&rng, (gsize) (m - 1) * step + n);
      float *out = check_output (&rng, (gsize) columns);
      k->weave (in, step, m, out, columns);
      for (int x = 0; x < columns; x++)
        g_assert_cmpfloat (out[x], ==, in[(gsize) (x % m) * step + x / m]);
      check_margin ("weave", out, (gsize) columns);
      g_free (out);
      g_free (in);
    }
}
