/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* check-samples.c: kernels whose lanes are samples, against plain loops. */

#include <math.h>
#include <string.h>

#include "check.h"

static void
interleave_case (const CnnKernels *k, CnnRng *rng, gsize n, gsize samples,
    gsize step)
{
  gsize lanes = (gsize) k->lanes, pitch = n + 3;
  gsize size = (samples - 1) * pitch + n;
  gsize cell_size = n ? (n - 1) * step + lanes : 0;
  float *rows = check_input (rng, size);
  float *cells = check_output (rng, cell_size);
  float *before = g_memdup2 (cells, cell_size * sizeof *cells + 1);
  k->interleave (rows, pitch, (int) samples, cells, step, n);
  for (gsize i = 0; i < cell_size; i++) {
    gsize s = i % step;
    g_assert_cmpfloat (cells[i], ==,
        s < samples     ? rows[s * pitch + i / step]
            : s < lanes ? 0
                        : before[i]);
  }
  check_margin ("interleave", cells, cell_size);

  for (int add = 0; add <= 1; add++) {
    float *back = check_output (rng, size);
    float *old = g_memdup2 (back, size * sizeof *back + 1);
    k->deinterleave (cells, step, back, pitch, (int) samples, n, add);
    for (gsize i = 0; i < size; i++)
      g_assert_cmpfloat (back[i], ==,
          i % pitch >= n ? old[i]
              : add      ? old[i] + rows[i]
                         : rows[i]);
    check_margin ("deinterleave", back, size);
    g_free (old);
    g_free (back);
  }
  g_free (before);
  g_free (cells);
  g_free (rows);
}

void
check_interleave (gconstpointer kernels)
{
  const CnnKernels *k = kernels;
  gsize lanes = (gsize) k->lanes;
  CnnRng rng;
  cnn_rng_init (&rng, 11, 0);
  for (gsize n = 0; n <= 70; n++)
    for (gsize samples = 1; samples <= lanes; samples++)
      interleave_case (k, &rng, n, samples, n % 2 ? lanes : lanes + 7);
}

/* Sizes of one convolution, and its tensors. @flip: taps from the last to the
 * first, as the gradient by the input has them. */
typedef struct
{
  int oc, n, ic, rows, cols, flip;
} Shape;

static double
expected (const CnnSampleConvRun *run, int lanes, int o, int x, int lane,
    double *magnitude)
{
  double sum = run->bias ? run->bias[o] : 0;
  const float *in = run->in + x * (int) run->in_step + lane;
  *magnitude = fabs (sum);
  g_assert_cmpint (lane, <, lanes);
  for (int i = 0; i < run->ic; i++)
    for (int r = 0; r < run->rows; r++)
      for (int c = 0; c < run->cols; c++) {
        double p = (double) run->weights[i * run->w_plane + r * run->w_row
                       + c * run->w_col + o]
            * in[i * (int) run->in_plane + r * run->row_step
                + c * run->col_step];
        sum += p;
        *magnitude += fabs (p);
      }
  return sum;
}

static void
conv_case (const CnnKernels *k, CnnRng *rng, const Shape *s)
{
  int lanes = k->lanes, pixels = s->n + s->cols + 1;
  int plane = (s->rows + 1) * pixels * lanes, taps = s->rows * s->cols;
  gsize out_plane = (gsize) (s->n * lanes + 5);
  gsize size = (gsize) (s->oc - 1) * out_plane + (gsize) (s->n * lanes);
  float *in = check_input (rng, (gsize) (s->ic * plane));
  float *weights = check_input (rng, (gsize) (s->ic * taps * s->oc));
  float *bias = check_input (rng, (gsize) s->oc);
  float *out = check_output (rng, size);
  float *before = g_memdup2 (out, size * sizeof *out);
  int last_row = s->flip ? s->rows - 1 : 0, last = s->flip ? taps - 1 : 0;
  int sign = s->flip ? -1 : 1;
  CnnSampleConvRun run = {
    .in = in + (last_row * pixels + (s->flip ? s->cols - 1 : 0)) * lanes,
    .in_plane = (gsize) plane,
    .in_step = (gsize) lanes,
    .ic = s->ic,
    .rows = s->rows,
    .cols = s->cols,
    .row_step = sign * pixels * lanes,
    .col_step = sign * lanes,
    .weights = weights + last * s->oc,
    .w_plane = taps * s->oc,
    .w_row = sign * s->cols * s->oc,
    .w_col = sign * s->oc,
    .bias = s->n % 3 ? bias : NULL,
    .out = out,
    .out_plane = out_plane,
    .out_step = (gsize) lanes,
    .oc = s->oc,
    .n = s->n,
  };
  k->sample_conv (&run);
  for (gsize at = 0; at < size; at++) {
    int x = (int) (at % out_plane) / lanes, o = (int) (at / out_plane);
    double magnitude;
    if (x >= s->n) {
      g_assert_cmpfloat (out[at], ==, before[at]);
      continue;
    }
    double sum = expected (&run, lanes, o, x, (int) (at % out_plane) % lanes,
        &magnitude);
    check_close ("sample conv", at, out[at], sum, magnitude, s->ic * taps + 4);
  }
  check_margin ("sample conv", out, size);
  g_free (before);
  g_free (out);
  g_free (bias);
  g_free (weights);
  g_free (in);
}

void
check_sample_conv (gconstpointer kernels)
{
  const CnnKernels *k = kernels;
  CnnRng rng;
  cnn_rng_init (&rng, 12, 0);
  for (int oc = 1; oc <= k->sample_block; oc++)
    for (int n = 0; n <= 7; n++)
      for (int flip = 0; flip <= 1; flip++) {
        conv_case (k, &rng, &(Shape){ oc, n, 2, 3, 5, flip });
        conv_case (k, &rng, &(Shape){ oc, n, 1, 1, 1, flip });
      }
}

/* g has @rows x @cols cells, x's cells are @step apart. */
static void
correlate_case (const CnnKernels *k, CnnRng *rng, int oc, int n_taps, int rows,
    int cols, int step)
{
  int lanes = k->lanes, pixels = cols * step + n_taps;
  gsize plane = (gsize) (rows * cols * lanes + 3);
  gsize pitch = (gsize) (2 * n_taps) + 2;
  gsize x_plane = (gsize) ((rows + 1) * pixels * lanes);
  gsize g_size = (gsize) oc * plane, size = (gsize) oc * pitch;
  float *g = check_input (rng, g_size);
  float *x = check_input (rng, 2 * x_plane);
  float *out = check_output (rng, size);
  float *before = g_memdup2 (out, size * sizeof *out);
  ptrdiff_t taps[32];
  for (int t = 0; t < n_taps; t++)
    taps[t] = (t % 2 * pixels + t) * lanes;
  k->correlate (&(CnnCorrelateRun){
      .g = g,
      .g_plane = plane,
      .oc = oc,
      .rows = rows,
      .cols = cols,
      .x = x,
      .x_plane = x_plane,
      .ic = 2,
      .x_row = (gsize) (pixels * lanes),
      .x_step = (gsize) (step * lanes),
      .taps = taps,
      .n_taps = n_taps,
      .out = out,
      .out_pitch = pitch,
  });
  for (gsize at = 0; at < size; at++) {
    gsize o = at / pitch, i = at % pitch / (gsize) n_taps;
    gsize t = at % pitch % (gsize) n_taps;
    double sum = before[at], magnitude = fabs (sum);
    if (i >= 2) {
      g_assert_cmpfloat (out[at], ==, before[at]);
      continue;
    }
    for (int e = 0; e < rows * cols * lanes; e++) {
      int y = e / lanes / cols, c = e / lanes % cols, s = e % lanes;
      double p = (double) g[o * plane + (gsize) e]
          * x[(int) (i * x_plane) + (y * pixels + c * step) * lanes + taps[t]
              + s];
      sum += p;
      magnitude += fabs (p);
    }
    check_close ("correlate", at, out[at], sum, magnitude, rows * cols * lanes);
  }
  check_margin ("correlate", out, size);
  g_free (before);
  g_free (out);
  g_free (x);
  g_free (g);
}

void
check_correlate (gconstpointer kernels)
{
  CnnRng rng;
  cnn_rng_init (&rng, 3, 0);
  for (int oc = 1; oc <= 11; oc++)
    for (int n_taps = 1; n_taps <= 26; n_taps++)
      correlate_case (kernels, &rng, oc, n_taps, n_taps % 4, 1 + oc % 3,
          1 + n_taps % 2);
}

static float
quad (const float *x0, const float *x1, gsize i, gsize lanes, int q)
{
  const float *row = q < 2 ? x0 : x1;
  return row[(2 * (i / lanes) + (gsize) (q & 1)) * lanes + i % lanes];
}

/* Small whole numbers: ties are frequent. */
static float *
whole_numbers (CnnRng *rng, gsize n)
{
  float *x = check_input (rng, n);
  for (gsize i = 0; i < n; i++)
    x[i] = rintf (2 * x[i]);
  return x;
}

void
check_sample_pools (gconstpointer kernels)
{
  const CnnKernels *k = kernels;
  gsize lanes = (gsize) k->lanes;
  CnnRng rng;
  cnn_rng_init (&rng, 13, 0);
  for (int n = 0; n <= 9; n++) {
    gsize cells = (gsize) n * lanes;
    float *x0 = whole_numbers (&rng, 2 * cells);
    float *x1 = whole_numbers (&rng, 2 * cells), *g = check_input (&rng, cells);
    float *most = check_output (&rng, cells);
    float *mean = check_output (&rng, cells);
    float *d0 = check_output (&rng, 2 * cells);
    float *d1 = check_output (&rng, 2 * cells);
    guint8 *which = g_malloc0 (cells + 1);
    which[cells] = 77;
    k->sample_max_pool (x0, x1, most, which, n);
    k->sample_average_pool (x0, x1, mean, NULL, n);
    k->sample_max_pool_gradient (which, g, d0, d1, n);
    g_assert_cmpint (which[cells], ==, 77);
    for (gsize i = 0; i < cells; i++) {
      int best = 0;
      double sum = 0;
      for (int q = 0; q < 4; q++) {
        float v = quad (x0, x1, i, lanes, q);
        best = v > quad (x0, x1, i, lanes, best) ? q : best;
        sum += v;
      }
      g_assert_cmpint (which[i], ==, best);
      g_assert_cmpfloat (most[i], ==, quad (x0, x1, i, lanes, best));
      g_assert_cmpfloat (mean[i], ==, (float) (sum / 4));
      for (int q = 0; q < 4; q++)
        g_assert_cmpfloat (quad (d0, d1, i, lanes, q), ==,
            q == best ? g[i] : 0);
    }
    k->sample_average_pool_gradient (NULL, g, d0, d1, n);
    for (gsize i = 0; i < cells; i++)
      for (int q = 0; q < 4; q++)
        g_assert_cmpfloat (quad (d0, d1, i, lanes, q), ==, g[i] / 4);
    check_margin ("max pool", most, cells);
    check_margin ("average pool", mean, cells);
    check_margin ("pool gradient", d0, 2 * cells);
    check_margin ("pool gradient", d1, 2 * cells);
    g_free (which);
    g_free (d1);
    g_free (d0);
    g_free (mean);
    g_free (most);
    g_free (g);
    g_free (x1);
    g_free (x0);
  }
}
