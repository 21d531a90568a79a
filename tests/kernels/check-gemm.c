/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* check-gemm.c: matrix products against plain loops in double precision. */

#include <math.h>

#include "check.h"

/* a is m x k, or k x m where @turned; b is k x n, or n x k where @across is
 * not set. Pitches are a little more than the sizes. */
typedef struct
{
  int m, n, k;
  gboolean turned, across;
} Shape;

static void
compare (const CnnGemmRun *run, const Shape *s, const float *before)
{
  for (int i = 0; i < s->m; i++)
    for (gsize j = 0; j < run->c_row; j++) {
      gsize at = (gsize) i * run->c_row + j;
      double sum = run->fresh ? 0 : before[at], magnitude = fabs (sum);
      if (j >= (gsize) s->n) {
        if (i < s->m - 1)
          g_assert_cmpfloat (run->c[at], ==, before[at]);
        continue;
      }
      for (int l = 0; l < s->k; l++) {
        double a = run->a[(gsize) i * run->a_row + (gsize) l * run->a_k];
        double b = s->across ? run->b[(gsize) l * run->b_row + j]
                             : run->b[j * run->b_row + (gsize) l];
        sum += (double) run->alpha * a * b;
        magnitude += fabs ((double) run->alpha * a * b);
      }
      check_close ("gemm", at, run->c[at], sum, magnitude, s->k + 2);
    }
}

static void
gemm_case (CnnGemmKernel gemm, CnnRng *rng, const Shape *s)
{
  gsize m = (gsize) s->m, n = (gsize) s->n, k = (gsize) s->k;
  gsize a_pitch = (s->turned ? m : k) + 2, b_pitch = (s->across ? n : k) + 1;
  float *a = check_input (rng, (s->turned ? k : m) * a_pitch);
  float *b = check_input (rng, (s->across ? k : n) * b_pitch);
  gsize size = m ? (m - 1) * (n + 3) + n : 0;
  float *c = check_output (rng, size), *before = check_output (rng, size);
  for (gsize i = 0; i < size; i++)
    before[i] = c[i];
  CnnGemmRun run = {
    .a = a,
    .a_row = s->turned ? 1 : a_pitch,
    .a_k = s->turned ? a_pitch : 1,
    .b = b,
    .b_row = b_pitch,
    .c = c,
    .c_row = n + 3,
    .m = s->m,
    .n = s->n,
    .k = s->k,
    .alpha = 0.75f,
    .fresh = s->n % 2,
  };
  gemm (&run);
  compare (&run, s, before);
  check_margin ("gemm", c, size);
  g_free (before);
  g_free (c);
  g_free (b);
  g_free (a);
}

void
check_gemm_nn (gconstpointer kernels)
{
  const CnnKernels *k = kernels;
  CnnRng rng;
  cnn_rng_init (&rng, 4, 0);
  for (int n = 0; n <= 70; n++)
    for (int m = 1; m <= 17; m += 4) {
      gemm_case (k->gemm_nn, &rng, &(Shape){ m, n, 9, FALSE, TRUE });
      gemm_case (k->gemm_nn, &rng, &(Shape){ m, n, 5, TRUE, TRUE });
    }
}

void
check_gemm_nt (gconstpointer kernels)
{
  const CnnKernels *k = kernels;
  CnnRng rng;
  cnn_rng_init (&rng, 5, 0);
  for (int size = 0; size <= 70; size++)
    for (int m = 1; m <= 17; m += 4)
      for (int n = 1; n <= 7; n += 2)
        gemm_case (k->gemm_nt, &rng, &(Shape){ m, n, size, FALSE, FALSE });
}
