/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-facts.c: what operators say of themselves: geometry, multiply-adds, and
 * that a fused pair computes what the two do. */

#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "op-case.h"

static CnnTensor *
add_input (OpCase *c, CnnShape shape)
{
  CnnRng rng;
  cnn_rng_init (&rng, 5, (guint64) c->n_in);
  CnnTensor *t = op_case_input (c, CNN_TYPE_FLOAT32, &shape, NULL);
  for (gsize i = 0; i < tensor_elements (t); i++)
    ((float *) t->data)[i] = cnn_rng_range (&rng, -1, 1);
  return t;
}

static void
prepare (OpCase *c)
{
  CnnError error;
  if (op_case_prepare (c, &error))
    g_error ("%s: %s", c->op, error.message);
}

static void
check_geometry (OpCase *c, CnnOpGeometry expected)
{
  const CnnTensor *in[] = { &c->in[0], &c->in[1] };
  CnnOpGeometry got;
  prepare (c);
  g_assert_true (c->vtable->geometry (c->params, in, &got));
  for (int axis = 0; axis < 2; axis++) {
    g_assert_cmpint (got.window[axis], ==, expected.window[axis]);
    g_assert_cmpint (got.stride[axis], ==, expected.stride[axis]);
    g_assert_cmpint (got.offset[axis], ==, expected.offset[axis]);
  }
  op_case_clear (c);
}

static void
test_geometry (void)
{
  static const gint64 strides[] = { 2, 3 }, pads[] = { 1, 0, 2, 0 };
  static const gint64 dilations[] = { 1, 2 }, two[] = { 2, 2 };
  OpCase c = { .op = "Conv" };
  add_input (&c, SHAPE (1, 1, 32, 32));
  add_input (&c, SHAPE (6, 1, 5, 5));
  check_geometry (&c,
      (CnnOpGeometry){ { 5, 5 }, { 1, 1 }, { 0, 0 }, { 1, 1 } });

  OpCase all = { .op = "Conv" };
  add_input (&all, SHAPE (1, 1, 32, 32));
  add_input (&all, SHAPE (6, 1, 3, 5));
  op_case_ints (&all, "strides", strides, 2);
  op_case_ints (&all, "pads", pads, 4);
  op_case_ints (&all, "dilations", dilations, 2);
  check_geometry (&all,
      (CnnOpGeometry){ { 3, 9 }, { 2, 3 }, { -1, 0 }, { 1, 1 } });

  OpCase same = { .op = "Conv" };
  add_input (&same, SHAPE (1, 1, 10, 11));
  add_input (&same, SHAPE (6, 1, 4, 3));
  op_case_string (&same, "auto_pad", "SAME_LOWER");
  check_geometry (&same,
      (CnnOpGeometry){ { 4, 3 }, { 1, 1 }, { -2, -1 }, { 1, 1 } });

  OpCase pool = { .op = "MaxPool" };
  add_input (&pool, SHAPE (1, 1, 9, 9));
  op_case_ints (&pool, "kernel_shape", two, 2);
  op_case_ints (&pool, "strides", two, 2);
  check_geometry (&pool,
      (CnnOpGeometry){ { 2, 2 }, { 2, 2 }, { 0, 0 }, { 1, 1 } });

  OpCase relu = { .op = "Relu" };
  add_input (&relu, SHAPE (1, 1, 9, 9));
  check_geometry (&relu,
      (CnnOpGeometry){ { 1, 1 }, { 1, 1 }, { 0, 0 }, { 1, 1 } });
  g_assert_null (cnn_op_find ("Flatten")->geometry);
}

static guint64
macs (OpCase *c)
{
  const CnnTensor *in[] = { &c->in[0], &c->in[1], &c->in[2] };
  prepare (c);
  guint64 n = c->vtable->macs (c->params, in, c->n_in, &c->out);
  op_case_clear (c);
  return n;
}

static void
test_macs (void)
{
  OpCase conv = { .op = "Conv" };
  add_input (&conv, SHAPE (1, 6, 14, 14));
  add_input (&conv, SHAPE (16, 6, 5, 5));
  g_assert_cmpuint (macs (&conv), ==, 16 * 10 * 10 * 6 * 25);
  OpCase groups = { .op = "Conv" };
  add_input (&groups, SHAPE (1, 6, 14, 14));
  add_input (&groups, SHAPE (16, 3, 5, 5));
  op_case_int (&groups, "group", 2);
  g_assert_cmpuint (macs (&groups), ==, 16 * 10 * 10 * 3 * 25);
  OpCase gemm = { .op = "Gemm" };
  add_input (&gemm, SHAPE (8, 400));
  add_input (&gemm, SHAPE (120, 400));
  op_case_int (&gemm, "transB", 1);
  g_assert_cmpuint (macs (&gemm), ==, 8 * 400 * 120);
  OpCase matmul = { .op = "MatMul" };
  add_input (&matmul, SHAPE (2, 8, 40));
  add_input (&matmul, SHAPE (40, 12));
  g_assert_cmpuint (macs (&matmul), ==, 2 * 8 * 40 * 12);
}

static void
fused (gconstpointer data)
{
  const char *name = data;
  OpCase conv = { .op = "Conv" }, after = { .op = name };
  add_input (&conv, SHAPE (1, 3, 14, 37));
  add_input (&conv, SHAPE (13, 3, 3, 3));
  add_input (&conv, SHAPE (13));
  conv.constant[1] = TRUE;
  prepare (&conv);
  op_case_forward (&conv);
  op_case_input (&after, CNN_TYPE_FLOAT32, &conv.out.shape, conv.out.data);
  prepare (&after);
  op_case_forward (&after);

  const CnnTensor *in[] = { &conv.in[0], &conv.in[1], &conv.in[2] };
  const CnnTensor *between = &conv.out;
  CnnOpFusion fusion = { in, 3, after.vtable, after.params, &between, 1,
    false };
  g_assert_true (conv.vtable->fuse (conv.params, &fusion));
  g_assert_false (conv.vtable->fuse (conv.params, &fusion));
  op_case_forward (&conv);
  gsize bytes = tensor_elements (&conv.out) * sizeof (float);
  g_assert_cmpmem (conv.out.data, bytes, after.out.data, bytes);
  op_case_clear (&after);
  op_case_clear (&conv);
}

static void
test_not_fused (void)
{
  OpCase conv = { .op = "Conv" };
  add_input (&conv, SHAPE (1, 3, 14, 37));
  add_input (&conv, SHAPE (13, 3, 3, 3));
  prepare (&conv);
  const CnnTensor *in[] = { &conv.in[0], &conv.in[1] }, *between = &conv.out;
  CnnOpFusion fusion = { in, 2, cnn_op_find ("Softmax"), NULL, &between, 1,
    false };
  g_assert_false (conv.vtable->fuse (conv.params, &fusion));
  op_case_clear (&conv);
}

/* Half of the elements are dropped, the others doubled; outside training
 * nothing happens. */
static void
test_dropout (void)
{
  gsize dropped = 0, n;
  OpCase c = { .op = "Dropout", .training = 1, .seed = 1, .opset = 11 };
  add_input (&c, SHAPE (100, 100));
  prepare (&c);
  op_case_forward (&c);
  n = tensor_elements (&c.out);
  const float *x = c.in[0].data, *y = c.out.data;
  for (gsize i = 0; i < n; i++) {
    dropped += y[i] == 0;
    g_assert_true (y[i] == 0 || y[i] == 2 * x[i]);
  }
  g_assert_cmpfloat (fabs ((double) dropped / (double) n - 0.5), <, 0.02);
  c.training = 0;
  op_case_forward (&c);
  g_assert_cmpmem (x, n * sizeof *x, y, n * sizeof *y);
  op_case_clear (&c);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/facts/geometry", test_geometry);
  g_test_add_func ("/facts/macs", test_macs);
  g_test_add_data_func ("/facts/fused-relu", "Relu", fused);
  g_test_add_data_func ("/facts/fused-tanh", "Tanh", fused);
  g_test_add_data_func ("/facts/fused-sigmoid", "Sigmoid", fused);
  g_test_add_func ("/facts/not-fused", test_not_fused);
  g_test_add_func ("/facts/dropout", test_dropout);
  return g_test_run ();
}
