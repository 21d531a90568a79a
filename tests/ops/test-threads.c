/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-threads.c: forward() and backward() give the same bits with any number
 * of threads, and leave their neighbours' memory alone. */

#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "op-case.h"

typedef struct
{
  const char *op;
  gint64 in[5], weights[5];
  gint64 stride, pad;
} Case;

/* Sizes that take each of the ways to cut the work. */
static const Case cases[] = {
  { "Conv", { 1, 1, 60, 200, -2 }, { 6, 1, 5, 5, -2 }, 1, 0 },
  { "Conv", { 1, 6, 75, 100, -2 }, { 16, 6, 5, 5, -2 }, 1, 0 },
  { "Conv", { 1, 16, 33, 40, -2 }, { 120, 16, 5, 5, -2 }, 1, 0 },
  { "Conv", { 2, 16, 15, 22, -2 }, { 120, 16, 5, 5, -2 }, 1, 0 },
  { "Conv", { 1, 20, 9, 9, -2 }, { 500, 20, 5, 5, -2 }, 1, 0 },
  { "Conv", { 1, 120, 11, 18, -2 }, { 84, 120, 1, 1, -2 }, 1, 0 },
  { "Conv", { 1, 84, 70, 90, -2 }, { 11, 84, 1, 1, -2 }, 1, 0 },
  { "Conv", { 2, 3, 40, 50, -2 }, { 64, 3, 7, 7, -2 }, 2, 3 },
  { "Conv", { 1, 64, 28, 28, -2 }, { 64, 64, 3, 3, -2 }, 1, 1 },
  { "MaxPool", { 2, 8, 200, 300, -2 }, { 0 }, 2, 0 },
  { "MaxPool", { 2, 8, 101, 99, -2 }, { 0 }, 1, 1 },
  { "AveragePool", { 1, 6, 200, 301, -2 }, { 0 }, 2, 0 },
  { "Gemm", { 64, 400, -2 }, { 400, 300, -2 }, 0, 0 },
  { "MatMul", { 3, 40, 50, -2 }, { 50, 700, -2 }, 0, 0 },
  { "Relu", { 1, 6, 200, 300, -2 }, { 0 }, 0, 0 },
  { "Tanh", { 1, 6, 200, 301, -2 }, { 0 }, 0, 0 },
  { "Softmax", { 1, 11, 90, 101, -2 }, { 0 }, 0, 0 },
  { "LogSoftmax", { 1, 11, 90, 101, -2 }, { 0 }, 0, 0 },
};

static void
add_input (OpCase *c, const gint64 *dims, CnnRng *rng)
{
  CnnShape shape = shape_of (dims);
  CnnTensor *t = op_case_input (c, CNN_TYPE_FLOAT32, &shape, NULL);
  for (gsize i = 0; i < tensor_elements (t); i++)
    ((float *) t->data)[i] = cnn_rng_range (rng, -1, 1);
}

static void
build (OpCase *c, const Case *test, const gint64 *ints)
{
  CnnRng rng;
  cnn_rng_init (&rng, 3, 0);
  c->op = test->op;
  c->training = 1;
  add_input (c, test->in, &rng);
  if (test->weights[0])
    add_input (c, test->weights, &rng);
  else if (test->stride)
    op_case_ints (c, "kernel_shape", ints, 2);
  if (test->stride) {
    op_case_ints (c, "strides", ints + 2, 2);
    op_case_ints (c, "pads", ints + 4, 4);
  }
  if (strstr (test->op, "oftmax"))
    op_case_int (c, "axis", 1);
}

/* The bytes of all results, and checks of what lies behind them. */
static GByteArray *
results (const Case *test, unsigned threads, gboolean packs)
{
  const gint64 s = test->stride, p = test->pad;
  const gint64 ints[] = { 2, 2, s, s, p, p, p, p };
  OpCase c = { 0 };
  CnnError error;
  CnnPool *pool = NULL;
  GByteArray *bytes = g_byte_array_new ();
  if (threads)
    g_assert_cmpint (cnn_pool_new (threads, &pool), ==, CNN_OK);
  c.pool = pool;
  build (&c, test, ints);
  c.constant[1] = packs;
  if (op_case_prepare (&c, &error))
    g_error ("%s: %s", test->op, error.message);
  op_case_forward (&c);

  gsize size = tensor_elements (&c.out) * sizeof (float);
  g_byte_array_append (bytes, c.out.data, (guint) size);
  for (gsize i = 0; i < CNN_SLACK_BYTES; i++)
    g_assert_cmphex (((guint8 *) c.out.data)[size + i], ==, 0xff);
  memcpy (c.d_out.data, c.out.data, size);
  op_case_backward (&c);
  for (int i = 0; i < c.n_in; i++) {
    size = tensor_elements (&c.d_in[i]) * sizeof (float);
    g_byte_array_append (bytes, c.d_in[i].data, (guint) size);
    for (gsize k = 0; k < CNN_SLACK_BYTES; k++)
      g_assert_cmphex (((guint8 *) c.d_in[i].data)[size + k], ==, 0xff);
  }
  op_case_clear (&c);
  cnn_pool_free (pool);
  return bytes;
}

static void
test (gconstpointer data)
{
  GByteArray *one = results (data, 0, FALSE);
  for (unsigned threads = 1; threads <= 4; threads++) {
    GByteArray *more = results (data, threads, threads % 2);
    g_assert_cmpmem (one->data, one->len, more->data, more->len);
    g_byte_array_unref (more);
  }
  g_byte_array_unref (one);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    char *path = g_strdup_printf ("/threads/%s-%zu", cases[i].op, i);
    g_test_add_data_func (path, &cases[i], test);
    g_free (path);
  }
  return g_test_run ();
}
