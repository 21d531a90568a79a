/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-hostile.c: what operators say to shapes and attributes that no honest
 * file has, and to sizes that are not fixed. Also: the table itself. */

#include <math.h>
#include <string.h>

#include "op-case.h"

#define HUGE_DIM ((gint64) 1 << 40)

/* parse() and infer() only: shapes like these have no data. */
static CnnStatus
infer (OpCase *c, const CnnShape *shapes, int n, CnnError *error)
{
  CnnTensor in[CNN_MAX_NODE_TENSORS];
  const CnnTensor *ins[CNN_MAX_NODE_TENSORS];
  CnnAttributes attributes = { c->attributes, c->n_attributes,
    c->opset ? c->opset : 17 };
  CnnStatus status = CNN_OK;
  c->vtable = cnn_op_find (c->op);
  c->params = g_malloc0 (c->vtable->params_bytes + 1);
  for (int i = 0; i < n; i++) {
    in[i] = (CnnTensor){ CNN_TYPE_FLOAT32, shapes[i], c->in[i].data };
    if (c->in[i].type)
      in[i].type = c->in[i].type;
    ins[i] = &in[i];
  }
  if (c->vtable->parse)
    status = c->vtable->parse (&attributes, c->params, error);
  if (!status)
    status = c->vtable->infer (c->params, ins, n, &c->out, 1, error);
  g_free (c->params);
  c->params = NULL;
  return status;
}

#define ANY 99

static void
expect (OpCase *c, int status, const char *words, int n, ...)
{
  CnnShape shapes[CNN_MAX_NODE_TENSORS];
  CnnError error = { CNN_OK, "" };
  va_list list;
  va_start (list, n);
  for (int i = 0; i < n; i++)
    shapes[i] = va_arg (list, CnnShape);
  va_end (list);
  int got = infer (c, shapes, n, &error);
  if (status == ANY ? !got : got != status)
    g_error ("%s: status %d, not %d: %s", c->op, got, status, error.message);
  if (words && !strstr (error.message, words))
    g_error ("%s: '%s' is not in '%s'", c->op, words, error.message);
}

static void
expect_shape (OpCase *c, CnnShape expected, int n, const CnnShape *shapes)
{
  CnnError error;
  if (infer (c, shapes, n, &error))
    g_error ("%s: %s", c->op, error.message);
  if (!cnn_shape_equal (&c->out.shape, &expected)) {
    char text[160];
    g_error ("%s: shape %s", c->op,
        cnn_shape_format (&c->out.shape, text, sizeof text));
  }
}

static void
test_conv (void)
{
  OpCase c = { .op = "Conv" };
  expect (&c, CNN_ERROR_SHAPE, "5", 2, SHAPE (1, 1, 4, 4), SHAPE (6, 1, 5, 5));
  expect (&c, CNN_ERROR_SHAPE, "24 channels, weights expect 32", 2,
      SHAPE (1, 24, 9, 9), SHAPE (6, 32, 5, 5));
  expect (&c, CNN_ERROR_SHAPE, "1099511627776", 2,
      SHAPE (1, 1, HUGE_DIM, HUGE_DIM), SHAPE (6, 1, 5, 5));
  expect (&c, CNN_ERROR_SHAPE, NULL, 2, SHAPE (1, 1, 9, 9),
      SHAPE (HUGE_DIM, 1, 5, 5));
  expect (&c, CNN_ERROR_SHAPE, NULL, 2, SHAPE (1, 1, 9, 9),
      SHAPE (6, 1, HUGE_DIM, 5));
  expect (&c, CNN_ERROR_SHAPE, "impossible", 2, SHAPE (1 << 30, 1, 1 << 30, 9),
      SHAPE (6, 1, 5, 5));
  expect (&c, CNN_ERROR_SHAPE, NULL, 2, SHAPE (1, 1, -5, 9),
      SHAPE (6, 1, 5, 5));
  expect (&c, CNN_ERROR_SHAPE, NULL, 2, SHAPE (1, 1, 0, 9), SHAPE (6, 1, 5, 5));
  expect (&c, CNN_ERROR_SHAPE, NULL, 2, SHAPE (1, 1, 9, 9), SHAPE (6, 1, 0, 5));
  expect (&c, CNN_ERROR_SHAPE, NULL, 2, SHAPE (1, 1, 9, 9),
      SHAPE (-1, 1, 5, 5));
  expect (&c, CNN_ERROR_SHAPE, NULL, 2, SHAPE (1, 1, 9, 9), SHAPE (6, 1, 5));
  expect (&c, CNN_ERROR_SHAPE, NULL, 2, SHAPE (9), SHAPE (6));
  expect (&c, CNN_ERROR_SHAPE, NULL, 2, SHAPE (1, 1, 9, 9, 9),
      SHAPE (6, 1, 5, 5, 5));
  expect (&c, CNN_ERROR_SHAPE, "bias", 3, SHAPE (1, 1, 9, 9),
      SHAPE (6, 1, 5, 5), SHAPE (5));
  c.in[1].type = CNN_TYPE_INT64;
  expect (&c, CNN_ERROR_SHAPE, "int64", 2, SHAPE (1, 1, 9, 9),
      SHAPE (6, 1, 5, 5));
}

static void
conv_with_ints (const char *name, int n, const gint64 *values, int status)
{
  OpCase c = { .op = "Conv" };
  op_case_ints (&c, name, values, n);
  expect (&c, status, NULL, 2, SHAPE (1, 1, 9, 9), SHAPE (6, 1, 5, 5));
}

static void
test_conv_attributes (void)
{
  static const gint64 huge[] = { HUGE_DIM, HUGE_DIM, HUGE_DIM, HUGE_DIM };
  static const gint64 bad[] = { -1, 0, 0, -1 }, fine[] = { 2, 2, 2, 2, 2 };
  static const gint64 other[] = { 3, 3 }, most[] = { 32767, 32767 };
  static const char *const names[] = { "strides", "dilations", "kernel_shape",
    "pads" };
  for (int i = 0; i < 4; i++) {
    conv_with_ints (names[i], i == 3 ? 4 : 2, huge, CNN_ERROR_FORMAT);
    conv_with_ints (names[i], i == 3 ? 4 : 2, bad, CNN_ERROR_FORMAT);
    conv_with_ints (names[i], 3, fine,
        i == 3 ? CNN_ERROR_FORMAT : CNN_ERROR_SHAPE);
    conv_with_ints (names[i], 5, fine, CNN_ERROR_FORMAT);
  }
  conv_with_ints ("kernel_shape", 2, other, CNN_ERROR_SHAPE);
  conv_with_ints ("dilations", 2, most, CNN_ERROR_SHAPE);
  conv_with_ints ("strides", 2, most, CNN_OK);
  conv_with_ints ("strides", 1, most, CNN_ERROR_SHAPE);

  OpCase c = { .op = "Conv" };
  op_case_string (&c, "auto_pad", "SAME");
  expect (&c, CNN_ERROR_FORMAT, "SAME", 2, SHAPE (1, 1, 9, 9),
      SHAPE (6, 1, 5, 5));
  c.n_attributes = 0;
  op_case_int (&c, "frobnicate", 1);
  expect (&c, CNN_ERROR_UNSUPPORTED, "frobnicate", 2, SHAPE (1, 1, 9, 9),
      SHAPE (6, 1, 5, 5));
  c.n_attributes = 0;
  op_case_float (&c, "group", 2);
  expect (&c, CNN_ERROR_FORMAT, "group", 2, SHAPE (1, 1, 9, 9),
      SHAPE (6, 1, 5, 5));
  for (gint64 group = -1; group <= 5; group++) {
    c.n_attributes = 0;
    op_case_int (&c, "group", group);
    if (group != 1)
      expect (&c, ANY, NULL, 2, SHAPE (1, 4, 9, 9), SHAPE (6, 4, 5, 5));
  }
}

/* What Conv refuses, its quantised forms refuse, too. */
static void
test_conv_integer (void)
{
  static const gint64 other[] = { 3, 3 };
  OpCase c = { .op = "ConvInteger" };
  c.in[0].type = c.in[1].type = CNN_TYPE_UINT8;
  expect (&c, CNN_OK, NULL, 2, SHAPE (1, 1, 9, 9), SHAPE (6, 1, 5, 5));
  expect (&c, CNN_ERROR_SHAPE, "24 channels, weights expect 32", 2,
      SHAPE (1, 24, 9, 9), SHAPE (6, 32, 5, 5));
  expect (&c, CNN_ERROR_SHAPE, "impossible", 2, SHAPE (1, 1, 9, 9),
      SHAPE (HUGE_DIM, 1, 5, 5));
  op_case_ints (&c, "kernel_shape", other, 2);
  expect (&c, CNN_ERROR_SHAPE, "kernel_shape says 3", 2, SHAPE (1, 1, 9, 9),
      SHAPE (6, 1, 5, 5));
}

static void
test_pools (void)
{
  static const gint64 two[] = { 2, 2 }, ten[] = { 10, 10 };
  static const gint64 pads[] = { 2, 2, 2, 2 };
  static const char *const ops[] = { "MaxPool", "AveragePool" };
  for (int i = 0; i < 2; i++) {
    OpCase c = { .op = ops[i] };
    expect (&c, CNN_ERROR_FORMAT, "kernel_shape", 1, SHAPE (1, 1, 9, 9));
    op_case_ints (&c, "kernel_shape", ten, 2);
    expect (&c, CNN_ERROR_SHAPE, "10", 1, SHAPE (1, 1, 9, 9));
    expect (&c, CNN_ERROR_SHAPE, NULL, 1, SHAPE (1, 1, HUGE_DIM, HUGE_DIM));
    expect (&c, CNN_ERROR_SHAPE, NULL, 1, SHAPE (1, 1, -7, 20));
    expect (&c, CNN_ERROR_SHAPE, NULL, 1, SHAPE (1, 20));
    c.n_attributes = 0;
    op_case_ints (&c, "kernel_shape", two, 2);
    op_case_ints (&c, "pads", pads, 4);
    expect (&c, CNN_ERROR_SHAPE, "padding", 1, SHAPE (1, 1, 9, 9));
    c.n_attributes = 1;
    op_case_int (&c, "ceil_mode", 2);
    expect (&c, CNN_ERROR_FORMAT, "ceil_mode", 1, SHAPE (1, 1, 9, 9));
  }
}

static void
test_matrices (void)
{
  OpCase c = { .op = "Gemm" };
  expect (&c, CNN_ERROR_SHAPE, "7 values, weights expect 8", 2, SHAPE (3, 7),
      SHAPE (8, 2));
  expect (&c, CNN_ERROR_SHAPE, NULL, 2, SHAPE (HUGE_DIM, 7),
      SHAPE (7, HUGE_DIM));
  expect (&c, CNN_ERROR_SHAPE, NULL, 2, SHAPE (3, 7, 1), SHAPE (7, 2));
  expect (&c, CNN_ERROR_SHAPE, NULL, 2, SHAPE (3, -7), SHAPE (7, 2));
  expect (&c, CNN_OK, NULL, 2, SHAPE (3, 0), SHAPE (0, 2));
  expect (&c, CNN_ERROR_SHAPE, NULL, 2, SHAPE (3, 0), SHAPE (1, 2));
  expect (&c, CNN_ERROR_SHAPE, NULL, 3, SHAPE (3, 7), SHAPE (7, 2), SHAPE (3));
  expect (&c, CNN_ERROR_SHAPE, "bias", 3, SHAPE (1, 7), SHAPE (7, 2),
      SHAPE (5, 2));
  expect (&c, CNN_ERROR_SHAPE, NULL, 3, SHAPE (1, 7), SHAPE (7, 2),
      SHAPE (1, 1, 2));
  op_case_float (&c, "alpha", NAN);
  expect (&c, CNN_ERROR_FORMAT, "alpha", 2, SHAPE (3, 7), SHAPE (7, 2));

  OpCase m = { .op = "MatMul" };
  CnnShape scalar = { 0 };
  expect (&m, CNN_ERROR_SHAPE, "scalar", 2, scalar, SHAPE (7, 2));
  expect (&m, CNN_ERROR_SHAPE, "7 values", 2, SHAPE (3, 7), SHAPE (8, 2));
  expect (&m, CNN_ERROR_SHAPE, NULL, 2, SHAPE (2, 3, 7), SHAPE (3, 7, 2));
  expect (&m, CNN_ERROR_SHAPE, NULL, 2, SHAPE (HUGE_DIM, HUGE_DIM),
      SHAPE (HUGE_DIM, HUGE_DIM));
  expect (&m, CNN_ERROR_SHAPE, "impossible", 2, SHAPE (1 << 30, 1 << 30, 1, 1),
      SHAPE (1, 1 << 30));
}

static void
test_elements (void)
{
  static const char *const ops[] = { "Add", "Sub", "Mul", "Div" };
  for (int i = 0; i < 4; i++) {
    OpCase c = { .op = ops[i] };
    expect (&c, CNN_ERROR_SHAPE, "3x4 and 3x5", 2, SHAPE (3, 4), SHAPE (3, 5));
    expect (&c, CNN_ERROR_SHAPE, "impossible", 2, SHAPE (HUGE_DIM, 1),
        SHAPE (1, HUGE_DIM));
    expect (&c, CNN_ERROR_SHAPE, NULL, 2, SHAPE (-3, 4), SHAPE (1, 4));
    op_case_int (&c, "axis", 1);
    expect (&c, CNN_ERROR_UNSUPPORTED, "axis", 2, SHAPE (3, 4), SHAPE (3));
    c.opset = 6;
    expect (&c, CNN_ERROR_SHAPE, "axis", 2, SHAPE (3, 4), SHAPE (4, 1));
  }
  OpCase r = { .op = "Relu" };
  expect (&r, CNN_ERROR_SHAPE, "impossible", 1, SHAPE (HUGE_DIM, HUGE_DIM));
  expect (&r, CNN_ERROR_SHAPE, NULL, 1, SHAPE (-3, 3));
  OpCase s = { .op = "Softmax" };
  op_case_int (&s, "axis", 2);
  expect (&s, CNN_ERROR_SHAPE, "axis 2", 1, SHAPE (3, 4));
  s.attributes[0].i = -3;
  expect (&s, CNN_ERROR_SHAPE, "axis -3", 1, SHAPE (3, 4));
  s.attributes[0].i = G_MININT64;
  expect (&s, CNN_ERROR_FORMAT, NULL, 1, SHAPE (3, 4));
  OpCase b = { .op = "BatchNormalization" };
  expect (&b, CNN_ERROR_SHAPE, "input 3", 5, SHAPE (2, 3, 4), SHAPE (3),
      SHAPE (3), SHAPE (4), SHAPE (3));
  OpCase d = { .op = "Dropout" };
  float ratio = 1.5f;
  CnnShape scalar = { 0 };
  expect (&d, CNN_ERROR_SHAPE, "ratio", 2, SHAPE (3), SHAPE (2));
  d.in[1].data = &ratio;
  expect (&d, CNN_ERROR_FORMAT, "1.5", 2, SHAPE (3), scalar);
}

static void
reshape (CnnShape from, const gint64 *target, int n, int status)
{
  OpCase c = { .op = "Reshape" };
  c.in[1] = (CnnTensor){ .type = CNN_TYPE_INT64, .data = (void *) target };
  expect (&c, status, NULL, 2, from, SHAPE (n));
}

static void
test_shapes (void)
{
  static const gint64 free_twice[] = { -1, -1 }, negative[] = { -2, 3 };
  static const gint64 far[] = { 2, 3, 0 }, uneven[] = { 5, -1 };
  static const gint64 huge[] = { HUGE_DIM, HUGE_DIM }, zero[] = { 0, -1 };
  static const gint64 long_[9] = { 1 };
  reshape (SHAPE (2, 3), free_twice, 2, CNN_ERROR_SHAPE);
  reshape (SHAPE (2, 3), negative, 2, CNN_ERROR_SHAPE);
  reshape (SHAPE (2, 3), far, 3, CNN_ERROR_SHAPE);
  reshape (SHAPE (2, 3), uneven, 2, CNN_ERROR_SHAPE);
  reshape (SHAPE (2, 3), huge, 2, CNN_ERROR_SHAPE);
  reshape (SHAPE (0, 3), zero, 2, CNN_ERROR_SHAPE);
  reshape (SHAPE (2, 3), long_, 9, CNN_ERROR_SHAPE);
  reshape (SHAPE (HUGE_DIM, HUGE_DIM), uneven, 2, CNN_ERROR_SHAPE);
  OpCase c = { .op = "Reshape" };
  expect (&c, CNN_ERROR_SHAPE, "float32", 2, SHAPE (2, 3), SHAPE (2));
  c.in[1].type = CNN_TYPE_INT64;
  expect_shape (&c, SHAPE (-1, -1), 2, (CnnShape[]){ SHAPE (2, 3), SHAPE (2) });

  OpCase f = { .op = "Flatten" };
  expect (&f, CNN_ERROR_SHAPE, NULL, 1, SHAPE (HUGE_DIM, HUGE_DIM, HUGE_DIM));
  op_case_int (&f, "axis", 3);
  expect (&f, CNN_ERROR_SHAPE, "axis 3", 1, SHAPE (2, 3));

  OpCase k = { .op = "Constant" };
  expect (&k, CNN_ERROR_FORMAT, NULL, 0);
  op_case_string (&k, "value_string", "x");
  expect (&k, CNN_ERROR_UNSUPPORTED, "value_string", 0);
  k.attributes[0].name = "value";
  expect (&k, CNN_ERROR_FORMAT, "value", 0);
}

static void
test_constant (void)
{
  static const gint64 ints[] = { 3, -1, 7 };
  OpCase c = { .op = "Constant" };
  CnnError error;
  op_case_ints (&c, "value_ints", ints, 3);
  g_assert_cmpint (op_case_prepare (&c, &error), ==, CNN_OK);
  op_case_forward (&c);
  g_assert_cmpint (c.out.type, ==, CNN_TYPE_INT64);
  g_assert_cmpmem (c.out.data, sizeof ints, ints, sizeof ints);
  op_case_clear (&c);

  OpCase f = { .op = "Constant" };
  op_case_float (&f, "value_float", 2.5f);
  g_assert_cmpint (op_case_prepare (&f, &error), ==, CNN_OK);
  op_case_forward (&f);
  g_assert_cmpint (f.out.shape.rank, ==, 0);
  g_assert_cmpfloat (*(float *) f.out.data, ==, 2.5f);
  op_case_clear (&f);
}

/* Sizes that are not fixed. */
static void
test_open (void)
{
  static const gint64 two[] = { 2, 2 }, flat[] = { 0, -1 };
  static const gint64 batch[] = { -1, 1250 };
  OpCase c = { .op = "Conv" };
  expect_shape (&c, SHAPE (-1, 6, -1, 28), 2,
      (CnnShape[]){ SHAPE (-1, 1, -1, 32), SHAPE (6, 1, 5, 5) });
  OpCase p = { .op = "MaxPool" };
  op_case_ints (&p, "kernel_shape", two, 2);
  op_case_ints (&p, "strides", two, 2);
  expect_shape (&p, SHAPE (-1, 3, -1, 4), 1,
      (CnnShape[]){ SHAPE (-1, 3, -1, 9) });
  OpCase g = { .op = "Gemm" };
  expect_shape (&g, SHAPE (-1, 10), 3,
      (CnnShape[]){ SHAPE (-1, 84), SHAPE (84, 10), SHAPE (10) });
  OpCase m = { .op = "MatMul" };
  expect_shape (&m, SHAPE (-1, 10), 2,
      (CnnShape[]){ SHAPE (-1, 84), SHAPE (84, 10) });
  OpCase a = { .op = "Add" };
  expect_shape (&a, SHAPE (-1, 10), 2,
      (CnnShape[]){ SHAPE (-1, 10), SHAPE (10) });
  OpCase f = { .op = "Flatten" };
  expect_shape (&f, SHAPE (-1, 1250), 1, (CnnShape[]){ SHAPE (-1, 50, 5, 5) });
  OpCase r = { .op = "Reshape" };
  r.in[1] = (CnnTensor){ .type = CNN_TYPE_INT64, .data = (void *) flat };
  expect_shape (&r, SHAPE (-1, 1250), 2,
      (CnnShape[]){ SHAPE (-1, 50, 5, 5), SHAPE (2) });
  r.in[1].data = (void *) batch;
  expect_shape (&r, SHAPE (-1, 1250), 2,
      (CnnShape[]){ SHAPE (-1, 50, 5, 5), SHAPE (2) });
  OpCase s = { .op = "Softmax" };
  expect_shape (&s, SHAPE (-1, 10), 1, (CnnShape[]){ SHAPE (-1, 10) });
}

static void
test_table (void)
{
  const CnnOp *op, *other;
  for (int i = 0; (op = cnn_op_at (i)); i++) {
    for (int j = 0; j < i; j++) {
      other = cnn_op_at (j);
      g_assert_cmpstr (op->name, !=, other->name);
    }
    g_assert_true (cnn_op_find (op->name) == op);
    g_assert_nonnull (op->infer);
    g_assert_nonnull (op->forward);
    g_assert_cmpint (op->since, >=, 1);
    g_assert_cmpint (op->min_in, <=, op->max_in);
    g_assert_cmpint (op->max_in, <=, CNN_MAX_NODE_TENSORS);
    g_assert_cmpint (op->max_out, >=, 1);
    g_assert_true (!op->packed_bytes == !op->pack);
  }
  g_assert_null (cnn_op_at (-1));
  g_assert_null (cnn_op_find ("Frobnicate"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ops/table", test_table);
  g_test_add_func ("/hostile/conv", test_conv);
  g_test_add_func ("/hostile/conv-attributes", test_conv_attributes);
  g_test_add_func ("/hostile/conv-integer", test_conv_integer);
  g_test_add_func ("/hostile/pools", test_pools);
  g_test_add_func ("/hostile/matrices", test_matrices);
  g_test_add_func ("/hostile/elements", test_elements);
  g_test_add_func ("/hostile/shapes", test_shapes);
  g_test_add_func ("/ops/constant", test_constant);
  g_test_add_func ("/ops/open-sizes", test_open);
  return g_test_run ();
}
