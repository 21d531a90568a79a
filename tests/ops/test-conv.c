/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-conv.c: Conv's forward pass, all ways of preparing planes and cutting
 * the work, against plain loops in double precision; and the same bits for
 * every number of threads and every part of the map. */

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "op-case.h"
#include "ops/conv.h"

#define ROUNDS  300
#define REGIONS 5

typedef struct
{
  CnnRng rng, inputs;
  gint64 n, group, ic, oc, size[2], kernel[2];
  gint64 strides[2], dilations[2], pads[4];
  gboolean bias, constant;
  CnnActivation activation;
} Case;

static gint64
pick (CnnRng *rng, int low, int high)
{
  return low + (gint64) cnn_rng_int (rng, (guint) (high - low + 1));
}

static gint64
one_of (CnnRng *rng, const char *values)
{
  return values[cnn_rng_int (rng, (guint) strlen (values))] - '0';
}

static gint64
extent (const Case *test, int axis)
{
  return (test->kernel[axis] - 1) * test->dilations[axis] + 1;
}

/* Most have groups, many of those one channel each. */
static Case
random_case (guint64 seed)
{
  Case c = { .n = 1 };
  CnnRng *rng = &c.rng;
  cnn_rng_init (rng, seed, 0);
  cnn_rng_init (&c.inputs, seed, 1);
  gboolean square = pick (rng, 0, 2) > 0, wide = !pick (rng, 0, 15);
  c.n = one_of (rng, "1112");
  c.group = one_of (rng, "12345689");
  c.ic = one_of (rng, "11123");
  c.oc = one_of (rng, "1112345");
  for (int i = 0; i < 2; i++) {
    c.kernel[i] = i && square ? c.kernel[0] : one_of (rng, "1233557");
    c.strides[i] = i && square ? c.strides[0] : one_of (rng, "11122345");
    c.dilations[i] = square || pick (rng, 0, 1) ? 1 : one_of (rng, "234");
    c.size[i] = extent (&c, i) + pick (rng, 0, wide ? 9 : 60);
  }
  if (wide)
    c.size[1] += 600;
  for (int i = 0; i < 4 && pick (rng, 0, 3); i++)
    c.pads[i] = pick (rng, 0, 3);
  c.bias = (gboolean) pick (rng, 0, 1);
  c.constant = (gboolean) pick (rng, 0, 2);
  c.activation = (CnnActivation) pick (rng, 0, 2);
  return c;
}

static void
add_input (OpCase *c, CnnRng *rng, CnnShape shape)
{
  CnnTensor *t = op_case_input (c, CNN_TYPE_FLOAT32, &shape, NULL);
  for (gsize i = 0; i < tensor_elements (t); i++)
    ((float *) t->data)[i] = cnn_rng_range (rng, -1, 1);
}

static void
prepare (OpCase *c, const Case *test)
{
  CnnRng rng = test->inputs;
  CnnError error;
  c->op = "Conv";
  add_input (c, &rng,
      SHAPE (test->n, test->group * test->ic, test->size[0], test->size[1]));
  add_input (c, &rng,
      SHAPE (test->group * test->oc, test->ic, test->kernel[0],
          test->kernel[1]));
  if (test->bias)
    add_input (c, &rng, SHAPE (test->group * test->oc));
  c->constant[1] = test->constant;
  op_case_int (c, "group", test->group);
  op_case_ints (c, "strides", test->strides, 2);
  op_case_ints (c, "dilations", test->dilations, 2);
  op_case_ints (c, "pads", test->pads, 4);
  if (op_case_prepare (c, &error))
    g_error ("%s", error.message);
  ((CnnConvParams *) c->params)->activation = test->activation;
}

static double
activated (CnnActivation f, double x)
{
  return f == CNN_ACTIVATION_RELU ? MAX (x, 0)
      : f == CNN_ACTIVATION_TANH  ? tanh (x)
                                  : x;
}

/* Cell i, j of channel o of sample s. */
static double
reference (const OpCase *c, const Case *test, gint64 s, gint64 o, gint64 i,
    gint64 j)
{
  gint64 first = s * test->group * test->ic + o / test->oc * test->ic;
  const float *w = (const float *) c->in[1].data
      + o * test->ic * test->kernel[0] * test->kernel[1];
  double sum = test->bias ? ((const float *) c->in[2].data)[o] : 0;
  for (gint64 k = 0; k < test->ic; k++)
    for (gint64 p = 0; p < test->kernel[0]; p++)
      for (gint64 q = 0; q < test->kernel[1]; q++, w++) {
        gint64 y = i * test->strides[0] + p * test->dilations[0];
        gint64 x = j * test->strides[1] + q * test->dilations[1];
        y -= test->pads[0];
        x -= test->pads[1];
        if (y >= 0 && y < test->size[0] && x >= 0 && x < test->size[1])
          sum += (double) *w
              * ((const float *) c->in[0]
                      .data)[((first + k) * test->size[0] + y) * test->size[1]
                  + x];
      }
  return activated (test->activation, sum);
}

static void
check_values (const OpCase *c, const Case *test)
{
  const gint64 *dims = c->out.shape.dims;
  const float *out = c->out.data;
  double terms = (double) (test->ic * test->kernel[0] * test->kernel[1] + 4);
  for (gint64 s = 0; s < dims[0]; s++)
    for (gint64 o = 0; o < dims[1]; o++)
      for (gint64 i = 0; i < dims[2]; i++)
        for (gint64 j = 0; j < dims[3]; j++) {
          double y = reference (c, test, s, o, i, j);
          g_assert_cmpfloat_with_epsilon ((double) *out++, y,
              terms * terms * 0x1p-24);
        }
}

/* A part of the map: its cells are @whole's, the others as they were. */
static void
check_region (OpCase *c, Case *test, const float *whole)
{
  const gint64 *dims = c->out.shape.dims;
  CnnRegion r = { .y0 = (int) pick (&test->rng, 0, (int) dims[2] - 1),
    .x0 = (int) pick (&test->rng, 0, (int) dims[3] - 1) };
  r.y1 = (int) pick (&test->rng, r.y0 + 1, (int) dims[2]);
  r.x1 = (int) pick (&test->rng, r.x0 + 1, (int) dims[3]);
  gsize n = tensor_elements (&c->out);
  memset (c->out.data, 0xff, n * sizeof (float));
  c->region = &r;
  op_case_forward (c);
  const guint32 *got = c->out.data;
  for (gsize i = 0; i < n; i++) {
    gint64 x = (gint64) i % dims[3], y = (gint64) i / dims[3] % dims[2];
    gboolean inside = x >= r.x0 && x < r.x1 && y >= r.y0 && y < r.y1;
    guint32 expected = 0xffffffff;
    if (inside)
      memcpy (&expected, whole + i, sizeof expected);
    g_assert_cmphex (got[i], ==, expected);
  }
  c->region = NULL;
}

static void
check_slack (const OpCase *c)
{
  const guint8 *end =
      (const guint8 *) c->out.data + tensor_elements (&c->out) * sizeof (float);
  for (gsize i = 0; i < CNN_SLACK_BYTES; i++)
    g_assert_cmphex (end[i], ==, 0xff);
}

static void
run_case (Case test)
{
  float *whole = NULL;
  for (unsigned threads = 0; threads <= 3; threads += 1 + !threads) {
    OpCase c = { 0 };
    if (threads)
      g_assert_cmpint (cnn_pool_new (threads, &c.pool), ==, CNN_OK);
    prepare (&c, &test);
    op_case_forward (&c);
    gsize bytes = tensor_elements (&c.out) * sizeof (float);
    check_slack (&c);
    if (!threads) {
      check_values (&c, &test);
      whole = g_memdup2 (c.out.data, bytes);
    }
    g_assert_cmpmem (c.out.data, bytes, whole, bytes);
    for (int i = 0; i < REGIONS && test.n == 1; i++)
      check_region (&c, &test, whole);
    op_case_clear (&c);
    cnn_pool_free (c.pool);
  }
  g_free (whole);
}

static void
test_random (void)
{
  for (guint64 seed = 0; seed < ROUNDS; seed++) {
    g_test_message ("seed %" G_GUINT64_FORMAT, seed);
    run_case (random_case (seed));
  }
}

/* So many channels that what pixels look at is gathered. */
static void
test_many_channels (void)
{
  for (guint64 seed = 0; seed < 12; seed++) {
    Case c = random_case (1000 + seed);
    c.n = c.group = 1;
    for (int i = 0; i < 2; i++) {
      c.kernel[i] = 2 + (gint64) (seed + (guint64) i) % 2;
      c.size[i] = extent (&c, i) + pick (&c.rng, 0, 14);
    }
    c.ic = 384 / (c.kernel[0] * c.kernel[1]) + pick (&c.rng, 1, 9);
    c.oc = pick (&c.rng, 96, 109);
    run_case (c);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/conv/random", test_random);
  g_test_add_func ("/conv/many-channels", test_many_channels);
  return g_test_run ();
}
