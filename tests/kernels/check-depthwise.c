/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* check-depthwise.c: convolutions of one channel by itself, and the padding
 * before them, against plain loops. */

#include <math.h>

#include "base/memory.h"
#include "check.h"

#define PITCH  240
#define COLUMN 11

typedef struct
{
  int kh, kw, dilation, stride, rows, n;
  CnnActivation activation;
} Case;

static double
reference (const CnnDepthwiseRun *run, int y, int x, double *magnitude)
{
  double sum = run->bias;
  *magnitude = fabs (sum) + 1;
  for (int p = 0; p < run->kh; p++)
    for (int q = 0; q < run->kw; q++) {
      gsize row = (gsize) (y * run->stride + p * run->dilation);
      double w = run->weights[(p * run->kw + q) * run->w_step];
      double v = run->in[row * run->in_pitch + (gsize) (x + run->columns[q])];
      sum += w * v;
      *magnitude += fabs (w * v);
    }
  return sum;
}

/* Every float of @out: what is no result must be as it was. */
static void
compare (const CnnDepthwiseRun *run, const float *before, gsize size)
{
  for (gsize at = 0; at < size; at++) {
    int y = (int) (at / run->out_pitch), x = (int) (at % run->out_pitch);
    double magnitude;
    if (x >= run->n) {
      g_assert_cmpfloat (run->out[at], ==, before[at]);
      continue;
    }
    double sum = reference (run, y, x, &magnitude);
    check_close ("depthwise", at, run->out[at],
        check_activated (run->activation, sum), magnitude,
        run->kh * run->kw + 4);
  }
  check_margin ("depthwise", run->out, size);
}

/* To the bit what the other convolution makes of it. */
static void
compare_conv (const CnnKernels *k, const CnnDepthwiseRun *run)
{
  ptrdiff_t taps[64];
  float *row = g_malloc ((gsize) run->n * sizeof *row + CNN_SLACK_BYTES);
  for (int t = 0; t < run->kh * run->kw; t++)
    taps[t] = run->columns[t % run->kw]
        + (ptrdiff_t) run->in_pitch * (t / run->kw * run->dilation);
  for (int y = 0; y < run->rows; y++) {
    k->conv (&(CnnConvRun){
        .in = run->in + (gsize) (y * run->stride) * run->in_pitch,
        .ic = 1,
        .taps = taps,
        .n_taps = run->kh * run->kw,
        .weights = run->weights,
        .w_pitch = run->w_step,
        .bias = &run->bias,
        .out = row,
        .oc = 1,
        .n = run->n,
        .activation = run->activation,
    });
    g_assert_cmpmem (row, (gsize) run->n * sizeof *row,
        run->out + (gsize) y * run->out_pitch, (gsize) run->n * sizeof *row);
  }
  g_free (row);
}

static void
depthwise_case (const CnnKernels *k, CnnRng *rng, const Case *c)
{
  ptrdiff_t columns[8];
  for (int q = 0; q < c->kw; q++) /* in two phases */
    columns[q] = q / 2 + q % 2 * COLUMN * COLUMN;
  ptrdiff_t last = c->kw > 1 ? COLUMN * COLUMN + c->kw / 2 - 1 : 0;
  if (columns[c->kw - 1] > last)
    last = columns[c->kw - 1];
  gsize lines = (gsize) ((c->rows - 1) * c->stride + (c->kh - 1) * c->dilation);
  gsize pitch = (gsize) c->n + 3, size = (gsize) (c->rows - 1) * pitch;
  size += (gsize) c->n;
  float *in = check_input (rng, lines * PITCH + (gsize) (last + c->n));
  float *weights = check_input (rng, (gsize) (3 * c->kh * c->kw));
  float *out = check_output (rng, size);
  float *before = g_memdup2 (out, size * sizeof *out);
  CnnDepthwiseRun run = {
    .in = in,
    .in_pitch = PITCH,
    .columns = columns,
    .kh = c->kh,
    .kw = c->kw,
    .dilation = c->dilation,
    .stride = c->stride,
    .weights = weights,
    .w_step = 3,
    .bias = cnn_rng_range (rng, -1, 1),
    .out = out,
    .out_pitch = pitch,
    .rows = c->rows,
    .n = c->n,
    .activation = c->activation,
  };
  k->depthwise (&run);
  compare (&run, before, size);
  compare_conv (k, &run);
  g_free (before);
  g_free (out);
  g_free (weights);
  g_free (in);
}

void
check_depthwise (gconstpointer kernels)
{
  static const Case forms[] = { { 3, 3, 1, 1, 0, 0, 0 },
    { 3, 3, 1, 2, 0, 0, 0 }, { 5, 5, 1, 1, 0, 0, 0 }, { 5, 5, 1, 2, 0, 0, 0 },
    { 3, 3, 2, 1, 0, 0, 0 }, { 1, 1, 1, 1, 0, 0, 0 }, { 3, 5, 1, 3, 0, 0, 0 },
    { 2, 4, 3, 2, 0, 0, 0 }, { 7, 7, 1, 1, 0, 0, 0 } };
  CnnRng rng;
  cnn_rng_init (&rng, 50, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (forms); i++)
    for (int n = 1; n <= 70; n++) {
      Case c = forms[i];
      c.rows = 1 + (n * 7 + (int) i) % 10;
      c.n = n;
      c.activation = (CnnActivation) ((n + (int) i) % 4);
      depthwise_case (kernels, &rng, &c);
    }
}

static float
pixel (const CnnPadRun *run, int x, int y)
{
  gboolean inside = x >= 0 && x < run->w && y >= 0 && y < run->h;
  return inside ? run->in[y * run->w + x] : 0;
}

static void
pad_case (const CnnKernels *k, CnnRng *rng, CnnPadRun run)
{
  run.out_pitch = (gsize) run.n + cnn_rng_int (rng, 3);
  run.out_phase = (gsize) run.rows * run.out_pitch + cnn_rng_int (rng, 3);
  gsize size = (gsize) (run.phases - 1) * run.out_phase
      + (gsize) (run.rows - 1) * run.out_pitch + (gsize) run.n;
  float *in = check_input (rng, (gsize) (run.w * run.h));
  float *out = check_output (rng, size);
  float *expected = g_memdup2 (out, size * sizeof *out);
  run.in = in;
  run.out = out;
  for (int p = 0; p < run.phases; p++)
    for (int r = 0; r < run.rows; r++)
      for (int j = 0; j < run.n; j++)
        expected[(gsize) p * run.out_phase + (gsize) r * run.out_pitch
            + (gsize) j] =
            pixel (&run, run.x + p + j * run.step, run.y + r * run.row_step);
  k->pad (&run);
  g_assert_cmpmem (out, size * sizeof *out, expected, size * sizeof *out);
  check_margin ("pad", out, size);
  g_free (expected);
  g_free (out);
  g_free (in);
}

void
check_pad (gconstpointer kernels)
{
  CnnRng rng;
  cnn_rng_init (&rng, 51, 0);
  for (int step = 1; step <= 6; step++)
    for (int n = 1; n <= 70; n++)
      for (int i = 0; i < 8; i++)
        pad_case (kernels, &rng,
            (CnnPadRun){
                .w = 1 + (int) cnn_rng_int (&rng, (guint) (n * step + 9)),
                .h = 1 + (int) cnn_rng_int (&rng, 5),
                .x = (int) cnn_rng_int (&rng, 12) - 8,
                .y = (int) cnn_rng_int (&rng, 6) - 3,
                .step = step,
                .row_step = 1 + (int) cnn_rng_int (&rng, 3),
                .phases = 1 + (int) cnn_rng_int (&rng, (guint) step),
                .rows = 1 + (int) cnn_rng_int (&rng, 5),
                .n = n,
            });
}
