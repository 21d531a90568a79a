/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* check-conv.c: convolution kernels against plain loops in double precision.
 */

#include <math.h>
#include <string.h>

#include "check.h"

#define ROW   97
#define PLANE (5 * ROW)

static const ptrdiff_t taps[] = { 0, 1, 2, ROW, ROW + 1, 3 * ROW + 7 };

/* The sum without activation; its terms' sizes to @magnitude. */
static double
reference (const CnnConvRun *run, const float *before, int o, int x,
    double *magnitude)
{
  double sum = run->bias ? run->bias[o] : 0;
  if (run->add)
    sum += before[(gsize) o * run->out_plane + (gsize) x];
  *magnitude = fabs (sum) + 1;
  for (int i = 0; i < run->ic; i++)
    for (int t = 0; t < run->n_taps; t++) {
      double w = run->weights[(i * run->n_taps + t) * run->w_pitch + o];
      double v = run->in[(gsize) i * run->in_plane + (gsize) (x + taps[t])];
      sum += w * v;
      *magnitude += fabs (w * v);
    }
  return sum;
}

static void
conv_case (const CnnKernels *k, CnnRng *rng, int oc, int n, int ic, int n_taps,
    int add, CnnActivation f)
{
  /* The last channel's last pixel is the last that may be read. */
  gsize in_size = (gsize) (ic - 1) * PLANE + (gsize) (taps[n_taps - 1] + n);
  gsize plane = (gsize) n + 3;
  gsize out_size = (gsize) (oc - 1) * plane + (gsize) n;
  float *in = check_input (rng, in_size), *bias = check_input (rng, 8);
  float *weights = check_input (rng, (gsize) (ic * n_taps * (oc + 1)));
  float *out = check_output (rng, out_size);
  float *before = g_memdup2 (out, out_size * sizeof *out);
  CnnConvRun run = {
    .in = in,
    .in_plane = PLANE,
    .ic = ic,
    .taps = taps,
    .n_taps = n_taps,
    .weights = weights,
    .w_pitch = oc + 1,
    .bias = n % 3 ? bias : NULL,
    .out = out,
    .out_plane = plane,
    .oc = oc,
    .n = n,
    .add = add,
    .activation = f,
  };
  k->conv (&run);
  for (int o = 0; o < oc; o++)
    for (gsize x = 0; x < plane && (gsize) o * plane + x < out_size; x++) {
      gsize at = (gsize) o * plane + x;
      double magnitude;
      if (x >= (gsize) n) {
        if (out[at] != before[at])
          g_error ("conv: wrote past a row of %d", n);
        continue;
      }
      double sum = reference (&run, before, o, (int) x, &magnitude);
      check_close ("conv", at, out[at], check_activated (f, sum), magnitude,
          ic * n_taps + 4);
    }
  check_margin ("conv", out, out_size);
  g_free (before);
  g_free (out);
  g_free (weights);
  g_free (bias);
  g_free (in);
}

void
check_conv (gconstpointer kernels)
{
  CnnRng rng;
  cnn_rng_init (&rng, 1, 0);
  for (int oc = 1; oc <= CNN_CONV_BLOCK; oc++)
    for (int n = 0; n <= 70; n++)
      for (int add = 0; add <= 1; add++) {
        CnnActivation f = (CnnActivation) ((n + oc) % 4);
        conv_case (kernels, &rng, oc, n, 3, 6, add, f);
        conv_case (kernels, &rng, oc, n, 1, 1, add, CNN_ACTIVATION_NONE);
      }
}

/* A pixel comes out the same, to the bit, wherever it lies in a run. */
void
check_conv_pieces (gconstpointer kernels)
{
  const CnnKernels *k = kernels;
  CnnRng rng;
  cnn_rng_init (&rng, 2, 0);
  float *in = check_input (&rng, 4 * PLANE);
  float *weights = check_input (&rng, 2 * 6 * 8);
  float *whole = check_output (&rng, 8 * 70), *part = g_new0 (float, 8 * 70);
  CnnConvRun run = {
    .in = in,
    .in_plane = PLANE,
    .ic = 2,
    .taps = taps,
    .n_taps = 6,
    .weights = weights,
    .w_pitch = 8,
    .out = whole,
    .out_plane = 70,
    .oc = 8,
    .n = 70,
  };
  k->conv (&run);
  for (int n = 1; n < 70; n++) {
    for (int x = 0; x < 70; x += n) {
      run.in = in + x;
      run.out = part + x;
      run.n = MIN (n, 70 - x);
      k->conv (&run);
    }
    g_assert_cmpmem (part, 8 * 70 * sizeof *part, whole,
        8 * 70 * sizeof *whole);
  }
  g_free (part);
  g_free (whole);
  g_free (weights);
  g_free (in);
}
