/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-winograd.c: Conv by each of Winograd's forms against its definition in
 * double precision: the errors of docs/winograd.md, and that neither the shape
 * of a map nor the number of threads makes a difference. */

#include <math.h>
#include <string.h>

#include <cnn/pool.h>

#include "base/rng.h"
#include "op-case.h"
#include "ops/conv.h"
#include "ops/winograd_weights.h"

typedef struct
{
  int form, n, group, ic, oc, h, w, pad;
} Conv;

/* Largest and mean square error, as parts of the output's standard deviation.
 */
typedef struct
{
  double largest, rms;
} Errors;

/* The largest error that 50 channels may have (docs/winograd.md). */
static const double bounds[CNN_WINOGRAD_FORMS] = {
  [CNN_WINOGRAD_4_5] = 1e-4,
  [CNN_WINOGRAD_6_3] = 1e-4,
  [CNN_WINOGRAD_2_5] = 3e-5,
  [CNN_WINOGRAD_4_3] = 3e-5,
  [CNN_WINOGRAD_2_3] = 1e-5,
};
static const char *const names[CNN_WINOGRAD_FORMS] = { "F(4,5)", "F(6,3)",
  "F(2,5)", "F(4,3)", "F(2,3)" };

static void
fill (CnnRng *rng, CnnTensor *t, float spread)
{
  float *x = t->data;
  gsize n = tensor_elements (t);
  for (gsize i = 0; i < n; i++)
    x[i] = spread * cnn_rng_normal (rng);
}

static void
prepare (OpCase *c, const Conv *conv, CnnRng *rng, CnnPool *pool)
{
  CnnError error = { 0 };
  int r = cnn_winograd_sizes ((CnnWinogradForm) conv->form).r;
  gint64 pads[4] = { conv->pad, conv->pad, conv->pad, conv->pad };
  *c = (OpCase){ .op = "Conv",
    .pool = pool,
    .variant = CNN_CONV_WINOGRAD + conv->form };
  CnnShape x = SHAPE (conv->n, conv->group * conv->ic, conv->h, conv->w);
  CnnShape w = SHAPE (conv->group * conv->oc, conv->ic, r, r);
  CnnShape bias = SHAPE (conv->group * conv->oc);
  fill (rng, op_case_input (c, CNN_TYPE_FLOAT32, &x, NULL), 1);
  fill (rng, op_case_input (c, CNN_TYPE_FLOAT32, &w, NULL),
      1 / sqrtf ((float) (r * r * conv->ic)));
  fill (rng, op_case_input (c, CNN_TYPE_FLOAT32, &bias, NULL), 1);
  c->constant[1] = c->constant[2] = TRUE;
  op_case_ints (c, "pads", pads, 4);
  op_case_int (c, "group", conv->group);
  g_assert_cmpint (op_case_prepare (c, &error), ==, CNN_OK);
}

/* Sum of the products of one kernel and the pixels under it. */
static double
taps_at (const float *plane, const float *kernel, const Conv *conv, int r,
    int y, int x)
{
  double sum = 0;
  for (int p = 0; p < r; p++)
    for (int q = 0; q < r; q++) {
      int v = y + p - conv->pad, u = x + q - conv->pad;
      if (v >= 0 && v < conv->h && u >= 0 && u < conv->w)
        sum += (double) kernel[p * r + q] * plane[v * conv->w + u];
    }
  return sum;
}

static double
cell_at (const OpCase *c, const Conv *conv, int sample, int o, int y, int x)
{
  int r = cnn_winograd_sizes ((CnnWinogradForm) conv->form).r;
  gsize plane = (gsize) (conv->h * conv->w);
  int channels = conv->group * conv->ic, first = o / conv->oc * conv->ic;
  const float *in = (const float *) c->in[0].data
      + (gsize) (sample * channels + first) * plane;
  const float *w =
      (const float *) c->in[1].data + (gsize) (o * conv->ic * r * r);
  double sum = ((const float *) c->in[2].data)[o];
  for (int i = 0; i < conv->ic; i++, in += plane, w += r * r)
    sum += taps_at (in, w, conv, r, y, x);
  return sum;
}

static Errors
errors_of (const OpCase *c, const Conv *conv)
{
  const CnnShape *s = &c->out.shape;
  const float *got = c->out.data;
  Errors e = { 0, 0 };
  double square = 0, sum = 0, count = (double) tensor_elements (&c->out);
  for (int n = 0; n < s->dims[0]; n++)
    for (int o = 0; o < s->dims[1]; o++)
      for (int y = 0; y < s->dims[2]; y++)
        for (int x = 0; x < s->dims[3]; x++) {
          double cell = cell_at (c, conv, n, o, y, x), error = *got++ - cell;
          sum += cell;
          square += cell * cell;
          e.rms += error * error;
          if (!(fabs (error) <= e.largest))
            e.largest = fabs (error);
        }
  double spread = sqrt (square / count - sum / count * (sum / count));
  e.largest /= spread;
  e.rms = sqrt (e.rms / count) / spread;
  return e;
}

/* 50 channels, 32,000 cells. */
static void
test_errors (void)
{
  CnnRng rng;
  cnn_rng_init (&rng, 41, 0);
  for (int form = 0; form < CNN_WINOGRAD_FORMS; form++) {
    OpCase c;
    int side = 39 + cnn_winograd_sizes ((CnnWinogradForm) form).r;
    Conv conv = { form, 1, 1, 50, 20, side, side, 0 };
    prepare (&c, &conv, &rng, NULL);
    op_case_forward (&c);
    Errors e = errors_of (&c, &conv);
    g_test_message ("%s: largest %.1e, rms %.1e of the standard deviation",
        names[form], e.largest, e.rms);
    g_assert_cmpfloat (e.largest, <, bounds[form]);
    op_case_clear (&c);
  }
}

/* Maps of all sizes, with padding and without, groups, samples. */
static void
test_shapes (void)
{
  CnnRng rng;
  cnn_rng_init (&rng, 42, 0);
  for (int i = 0; i < 300; i++) {
    OpCase c;
    Conv conv = { .form = i % CNN_WINOGRAD_FORMS };
    int r = cnn_winograd_sizes ((CnnWinogradForm) conv.form).r;
    conv.n = 1 + (int) cnn_rng_int (&rng, 2);
    conv.group = 1 + (int) cnn_rng_int (&rng, 2);
    conv.ic = 1 + (int) cnn_rng_int (&rng, 9);
    conv.oc = 1 + (int) cnn_rng_int (&rng, 19);
    conv.pad = (int) cnn_rng_int (&rng, (uint32_t) r);
    conv.h = r + (int) cnn_rng_int (&rng, 30);
    conv.w = r + (int) cnn_rng_int (&rng, 50);
    prepare (&c, &conv, &rng, NULL);
    op_case_forward (&c);
    Errors e = errors_of (&c, &conv);
    g_assert_cmpfloat (e.largest, <, bounds[conv.form]);
    op_case_clear (&c);
  }
}

/* Blocks of a thread's own, even shares, one block split, V and M shared: what
 * one thread does and what several do is the same to the bit, and right. */
static void
test_plans (void)
{
  static const Conv convs[] = {
    { CNN_WINOGRAD_4_5, 1, 1, 3, 10, 70, 90, 0 },
    { CNN_WINOGRAD_6_3, 1, 1, 24, 20, 30, 30, 1 },
    { CNN_WINOGRAD_4_3, 1, 1, 40, 33, 28, 28, 1 },
    { CNN_WINOGRAD_4_3, 1, 1, 300, 70, 14, 14, 1 },
    { CNN_WINOGRAD_2_3, 2, 1, 150, 140, 7, 7, 1 },
    { CNN_WINOGRAD_6_3, 1, 1, 300, 20, 44, 44, 1 },
  };
  CnnPool *pools[3] = { NULL };
  for (unsigned t = 1; t < 3; t++)
    g_assert_cmpint (cnn_pool_new (t + 1, &pools[t]), ==, CNN_OK);
  for (gsize i = 0; i < G_N_ELEMENTS (convs); i++) {
    float *first = NULL;
    gsize bytes = 0;
    for (int t = 0; t < 3; t++) {
      CnnRng rng;
      OpCase c;
      cnn_rng_init (&rng, 43, 0);
      prepare (&c, &convs[i], &rng, pools[t]);
      op_case_forward (&c);
      bytes = tensor_elements (&c.out) * sizeof (float);
      if (t)
        g_assert_cmpmem (c.out.data, bytes, first, bytes);
      else
        first = g_memdup2 (c.out.data, bytes);
      if (!t)
        g_assert_cmpfloat (errors_of (&c, &convs[i]).largest, <,
            bounds[convs[i].form]);
      op_case_clear (&c);
    }
    g_free (first);
  }
  for (int t = 1; t < 3; t++)
    cnn_pool_free (pools[t]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/winograd/errors", test_errors);
  g_test_add_func ("/winograd/shapes", test_shapes);
  g_test_add_func ("/winograd/plans", test_plans);
  return g_test_run ();
}
