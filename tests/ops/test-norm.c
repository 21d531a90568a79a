/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-norm.c: reductions, norms, softmax and matrix products where the
 * standard's own cases do not look: empty and absurd tensors, NaN and infinity,
 * long sums, what has a place in a map, any number of threads. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "kernels/kernels.h"
#include "op-case.h"

#define VALUES(...) ((const float[]){ __VA_ARGS__ })
#define HUGE_DIM    ((gint64) 1 << 40)

static void
floats (OpCase *c, CnnShape shape, const float *data)
{
  op_case_input (c, CNN_TYPE_FLOAT32, &shape, data);
}

static void
integers (OpCase *c, CnnShape shape, const gint64 *data)
{
  op_case_input (c, CNN_TYPE_INT64, &shape, data);
  c->constant[c->n_in - 1] = TRUE;
}

static void
noise (OpCase *c, CnnShape shape)
{
  CnnRng rng;
  cnn_rng_init (&rng, 11, (guint64) c->n_in);
  floats (c, shape, NULL);
  CnnTensor *t = &c->in[c->n_in - 1];
  for (gsize i = 0; i < tensor_elements (t); i++)
    ((float *) t->data)[i] = cnn_rng_range (&rng, -1, 1);
}

static void
run (OpCase *c)
{
  CnnError error;
  if (op_case_prepare (c, &error))
    g_error ("%s: %s", c->op, error.message);
  op_case_forward (c);
}

/* Bits count: 0 is not -0, NaN is any NaN. */
static void
expect (OpCase *c, const float *expected, gsize n)
{
  run (c);
  g_assert_cmpuint (tensor_elements (&c->out), ==, n);
  for (gsize i = 0; i < n; i++) {
    float y = ((const float *) c->out.data)[i];
    if (isnan (expected[i]) ? !isnan (y)
                            : !(y == expected[i])
                && !(fabsf (y - expected[i]) <= 1e-5f * fabsf (expected[i])))
      g_error ("%s: element %zu is %g, not %g", c->op, i, (double) y,
          (double) expected[i]);
  }
  op_case_clear (c);
}

static void
expect_ints (OpCase *c, const gint64 *expected, gsize n)
{
  run (c);
  g_assert_cmpint (c->out.type, ==, CNN_TYPE_INT64);
  g_assert_cmpmem (c->out.data, tensor_elements (&c->out) * 8, expected, n * 8);
  op_case_clear (c);
}

static void
refuse (OpCase *c, const char *words)
{
  CnnError error = { CNN_OK, "" };
  if (!op_case_prepare (c, &error))
    g_error ("%s: is not refused", c->op);
  if (!strstr (error.message, words))
    g_error ("%s: '%s' is not in '%s'", c->op, words, error.message);
  op_case_clear (c);
}

/* All outputs, for operators that have several. */
static CnnStatus
run_all (OpCase *c, CnnTensor *out, int n_out, CnnError *error)
{
  const CnnOp *op = cnn_op_find (c->op);
  CnnAttributes attributes = { c->attributes, c->n_attributes,
    c->opset ? c->opset : 17 };
  const CnnTensor *in[CNN_MAX_NODE_TENSORS];
  CnnTensor *outs[CNN_MAX_NODE_TENSORS];
  void *params = g_malloc0 (op->params_bytes + 1);
  for (int i = 0; i < c->n_in; i++)
    in[i] = c->in[i].type ? &c->in[i] : NULL;
  CnnStatus status = op->parse (&attributes, params, error);
  if (!status)
    status = op->infer (params, in, c->n_in, out, n_out, error);
  for (int i = 0; i < n_out && !status; i++) {
    out[i].data = cnn_aligned_alloc (
        tensor_elements (&out[i]) * cnn_type_bytes (out[i].type));
    outs[i] = &out[i];
  }
  CnnOpCall call = { .params = params,
    .in = in,
    .n_in = c->n_in,
    .out = outs,
    .n_out = n_out,
    .kernels = cnn_kernels () };
  if (!status)
    op->forward (&call);
  g_free (params);
  return status;
}

static void
free_all (OpCase *c, CnnTensor *out, int n_out)
{
  for (int i = 0; i < n_out; i++)
    free (out[i].data);
  op_case_clear (c);
}

/* -- empty tensors ------------------------------------------------------ */

static const char *const reductions[] = { "ReduceSum", "ReduceMean",
  "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2",
  "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare" };

static void
test_sums_of_nothing (void)
{
  const float of_nothing[] = { 0, NAN, -INFINITY, INFINITY, 1, 0, 0, -INFINITY,
    -INFINITY, 0 };
  static const gint64 one = 1, last = 2;
  for (int i = 0; i < 10; i++)
    for (int columns = 0; columns < 2; columns++) {
      OpCase c = { .op = reductions[i], .opset = 18 };
      floats (&c, columns ? SHAPE (1, 0, 2) : SHAPE (1, 2, 0), NULL);
      integers (&c, SHAPE (1), columns ? &one : &last);
      const float both[] = { of_nothing[i], of_nothing[i] };
      expect (&c, both, 2);
    }
  OpCase most = { .op = "ReduceMax", .opset = 18 };
  integers (&most, SHAPE (0), NULL);
  expect_ints (&most, (const gint64[]){ G_MININT64 }, 1);
  OpCase least = { .op = "ReduceMin", .opset = 18 };
  integers (&least, SHAPE (0), NULL);
  expect_ints (&least, (const gint64[]){ G_MAXINT64 }, 1);
}

/* Of no elements but of absurd sizes: nothing is to do, which must be seen. */
static void
test_huge_and_empty (void)
{
  static const char *const ops[] = { "ArgMax", "ArgMin", "Hardmax", "Softmax",
    "LogSoftmax", "LpNormalization" };
  for (int i = 0; i < 6; i++)
    for (int opset = 12; opset < 14; opset++) {
      OpCase c = { .op = ops[i], .opset = opset };
      floats (&c, SHAPE (0, 3, HUGE_DIM, HUGE_DIM), NULL);
      op_case_int (&c, "axis", 1);
      run (&c);
      op_case_clear (&c);
      OpCase d = { .op = ops[i], .opset = opset };
      floats (&d, SHAPE (HUGE_DIM, 3, 0, HUGE_DIM), NULL);
      op_case_int (&d, "axis", 1);
      run (&d);
      op_case_clear (&d);
    }
  OpCase m = { .op = "MeanVarianceNormalization" };
  floats (&m, SHAPE (HUGE_DIM, 1 << 18, 1, 0), NULL);
  run (&m);
  op_case_clear (&m);
  OpCase lrn = { .op = "LRN" };
  floats (&lrn, SHAPE (HUGE_DIM, 1 << 18, 0, 2), NULL);
  op_case_int (&lrn, "size", 3);
  run (&lrn);
  op_case_clear (&lrn);
  OpCase instance = { .op = "InstanceNormalization" };
  floats (&instance, SHAPE (HUGE_DIM, 2, 0), NULL);
  floats (&instance, SHAPE (2), NULL);
  floats (&instance, SHAPE (2), NULL);
  run (&instance);
  op_case_clear (&instance);
}

/* Outputs beside an empty first one are written. */
static void
test_statistics_of_nothing (void)
{
  CnnTensor out[3] = { { 0 } };
  CnnError error;
  OpCase layer = { .op = "LayerNormalization" };
  floats (&layer, SHAPE (2, 0), NULL);
  floats (&layer, SHAPE (1), VALUES (1));
  g_assert_cmpint (run_all (&layer, out, 3, &error), ==, CNN_OK);
  for (int i = 1; i < 3; i++)
    for (int k = 0; k < 2; k++)
      g_assert_true (isnan (((const float *) out[i].data)[k]));
  free_all (&layer, out, 3);

  OpCase batch = { .op = "BatchNormalization" };
  floats (&batch, SHAPE (HUGE_DIM, 2, 0), NULL);
  for (int i = 0; i < 4; i++)
    floats (&batch, SHAPE (2), VALUES (1, 1));
  op_case_int (&batch, "training_mode", 1);
  g_assert_cmpint (run_all (&batch, out, 3, &error), ==, CNN_OK);
  for (int i = 1; i < 3; i++)
    g_assert_true (isnan (((const float *) out[i].data)[1]));
  free_all (&batch, out, 3);
}

/* -- NaN, infinity, long sums ------------------------------------------- */

static void
reduce_rows (const char *op, const float *rows, const float *expected)
{
  static const gint64 first = 0, last = 1;
  float turned[6];
  for (int i = 0; i < 6; i++)
    turned[i] = rows[i % 2 * 3 + i / 2];
  OpCase c = { .op = op, .opset = 18 };
  floats (&c, SHAPE (2, 3), rows);
  integers (&c, SHAPE (1), &last);
  expect (&c, expected, 2);
  OpCase d = { .op = op, .opset = 18 };
  floats (&d, SHAPE (3, 2), turned);
  integers (&d, SHAPE (1), &first);
  expect (&d, expected, 2);
}

static void
test_special_values (void)
{
  const float inf = INFINITY;
  reduce_rows ("ReduceMax", VALUES (1, NAN, 3, -inf, -2, -inf),
      VALUES (NAN, -2));
  reduce_rows ("ReduceMin", VALUES (1, NAN, 3, inf, 2, 7), VALUES (NAN, 2));
  reduce_rows ("ReduceLogSumExp", VALUES (-inf, -inf, -inf, inf, 0, 1),
      VALUES (-inf, inf));
  reduce_rows ("ReduceLogSumExp", VALUES (inf, NAN, 0, 1000, 1000, -1000),
      VALUES (NAN, 1000.6931f));
  reduce_rows ("ReduceLogSum", VALUES (0, 0, 0, 1, 2, 5),
      VALUES (-inf, 2.0794415f));
  reduce_rows ("ReduceSum", VALUES (inf, -inf, 0, 1e8f, 1, -1e8f),
      VALUES (NAN, 1));
  reduce_rows ("ReduceL2", VALUES (1e30f, 1e30f, 0, 3e-30f, 4e-30f, 0),
      VALUES (1.4142136e30f, 5e-30f));
}

static void
arg (const char *op, gint64 last, const float *x, gint64 expected)
{
  for (int columns = 0; columns < 2; columns++) {
    OpCase c = { .op = op };
    floats (&c, columns ? SHAPE (5, 1) : SHAPE (1, 5), x);
    op_case_int (&c, "axis", !columns);
    op_case_int (&c, "select_last_index", last);
    expect_ints (&c, &expected, 1);
  }
}

static void
test_arg (void)
{
  arg ("ArgMax", 0, VALUES (1, 7, 7, 2, 7), 1);
  arg ("ArgMax", 1, VALUES (1, 7, 7, 2, 7), 4);
  arg ("ArgMin", 0, VALUES (1, 7, 1, 2, 7), 0);
  arg ("ArgMin", 1, VALUES (1, 7, 1, 2, 7), 2);
  arg ("ArgMax", 0, VALUES (1, NAN, 7, NAN, INFINITY), 1);
  arg ("ArgMax", 1, VALUES (1, NAN, 7, NAN, INFINITY), 3);
  arg ("ArgMin", 0, VALUES (1, NAN, -INFINITY, NAN, 0), 1);
  arg ("ArgMin", 1, VALUES (NAN, -1, -INFINITY, 9, 0), 0);
  OpCase big = { .op = "ArgMax" };
  CnnShape shape = SHAPE (3);
  static const guint64 x[] = { 1, G_MAXUINT64, (guint64) G_MAXINT64 + 1 };
  op_case_input (&big, CNN_TYPE_UINT64, &shape, x);
  expect_ints (&big, (const gint64[]){ 1 }, 1);
}

static void
test_softmax (void)
{
  OpCase log = { .op = "LogSoftmax" };
  floats (&log, SHAPE (1, 2), VALUES (1e6f, 1e6f));
  expect (&log, VALUES (-0.6931472f, -0.6931472f), 2);
  OpCase map = { .op = "LogSoftmax" };
  floats (&map, SHAPE (2, 2), VALUES (1e6f, -1e6f, 1e6f, -1e6f));
  op_case_int (&map, "axis", 0);
  expect (&map, VALUES (-0.6931472f, -0.6931472f, -0.6931472f, -0.6931472f), 4);
  OpCase infinite = { .op = "Softmax" };
  floats (&infinite, SHAPE (3, 2),
      VALUES (-INFINITY, 3, -INFINITY, -INFINITY, INFINITY, 0));
  expect (&infinite, VALUES (0, 1, NAN, NAN, NAN, NAN), 6);

  /* One that outweighs each of a million others, but not all of them. */
  const gsize n = 1 << 20;
  for (gint64 axis = 0; axis < 2; axis++) {
    OpCase c = { .op = "Softmax" };
    floats (&c, axis ? SHAPE (1, 1 << 20) : SHAPE (1 << 20, 1), NULL);
    ((float *) c.in[0].data)[0] = 16;
    op_case_int (&c, "axis", axis);
    run (&c);
    double e = exp (16), share = e / (e + (double) (n - 1));
    double got = (double) ((const float *) c.out.data)[0];
    g_assert_cmpfloat_with_epsilon (got, share, 1e-5);
    op_case_clear (&c);
  }
}

static void
test_long_sums (void)
{
  static const gint64 first = 0, last = 1;
  for (int columns = 0; columns < 2; columns++) {
    OpCase c = { .op = "ReduceMean", .opset = 18 };
    floats (&c, columns ? SHAPE (3000000, 1) : SHAPE (1, 3000000), NULL);
    float *x = c.in[0].data;
    for (int i = 0; i < 3000000; i++)
      x[i] = 0.1f;
    integers (&c, SHAPE (1), columns ? &first : &last);
    expect (&c, VALUES (0.1f), 1);
  }
  OpCase layer = { .op = "LayerNormalization" };
  floats (&layer, SHAPE (1, 4), VALUES (10001, 9999, 10001, 9999));
  floats (&layer, SHAPE (4), VALUES (1, 2, 3, 4));
  op_case_float (&layer, "epsilon", 0);
  expect (&layer, VALUES (1, -2, 3, -4), 4);
}

/* -- what is refused, what is not --------------------------------------- */

static void
reduce_axes (int opset, int n, const gint64 *axes, const char *words)
{
  OpCase c = { .op = "ReduceMax", .opset = opset };
  floats (&c, SHAPE (2, 3, 4), NULL);
  if (opset < 18)
    op_case_ints (&c, "axes", axes, n);
  else
    integers (&c, SHAPE (n), axes);
  refuse (&c, words);
}

static void
test_axes (void)
{
  static const gint64 twice[] = { 1, -2 }, far[] = { 3 }, under[] = { -4 };
  static const gint64 absurd[] = { G_MININT64 }, many[9] = { 0 };
  for (int opset = 13; opset <= 18; opset += 5) {
    reduce_axes (opset, 2, twice, "twice");
    reduce_axes (opset, 1, far, "3");
    reduce_axes (opset, 1, under, "-4");
    reduce_axes (opset, 1, absurd, "");
    reduce_axes (opset, 9, many, "");
  }
  OpCase old = { .op = "ReduceMax", .opset = 13 };
  floats (&old, SHAPE (2, 3), NULL);
  integers (&old, SHAPE (1), far);
  refuse (&old, "attribute");
  OpCase newer = { .op = "ReduceMax", .opset = 18 };
  floats (&newer, SHAPE (2, 3), NULL);
  op_case_ints (&newer, "axes", far, 1);
  refuse (&newer, "axes");

  /* No axes at all are known, though there is nothing to point at. */
  OpCase none = { .op = "ReduceSum" };
  floats (&none, SHAPE (2), VALUES (3, 4));
  integers (&none, SHAPE (0), NULL);
  op_case_int (&none, "noop_with_empty_axes", 1);
  free (none.in[1].data);
  none.in[1].data = NULL;
  expect (&none, VALUES (3, 4), 2);
}

static void
layer (CnnShape scale, const char *words)
{
  OpCase c = { .op = "LayerNormalization" };
  noise (&c, SHAPE (5, 3, 4));
  noise (&c, scale);
  op_case_int (&c, "axis", 1);
  if (words) {
    refuse (&c, words);
    return;
  }
  run (&c);
  op_case_clear (&c);
}

static void
test_norm_shapes (void)
{
  CnnShape scalar = { 0 };
  layer (scalar, NULL);
  layer (SHAPE (1, 1), NULL);
  layer (SHAPE (3, 4), NULL);
  layer (SHAPE (4), NULL);
  layer (SHAPE (1, 4), NULL);
  layer (SHAPE (1, 3, 4), NULL);
  layer (SHAPE (3), "scale or bias");
  layer (SHAPE (3, 1), "scale or bias");
  layer (SHAPE (5, 3, 4), "scale or bias");
  layer (SHAPE (2, 4), "scale or bias");
  layer (SHAPE (0), "scale or bias");

  OpCase group = { .op = "GroupNormalization", .opset = 21 };
  noise (&group, SHAPE (2, 6, 3));
  noise (&group, SHAPE (6));
  noise (&group, SHAPE (6));
  op_case_int (&group, "num_groups", 4);
  refuse (&group, "6 channels");
  OpCase none = { .op = "GroupNormalization", .opset = 21 };
  op_case_int (&none, "num_groups", 0);
  refuse (&none, "num_groups");

  CnnTensor out[5] = { { 0 } };
  CnnError error;
  OpCase batch = { .op = "BatchNormalization" };
  noise (&batch, SHAPE (2, 6, 3));
  for (int i = 0; i < 4; i++)
    noise (&batch, SHAPE (6));
  op_case_int (&batch, "training_mode", 1);
  g_assert_cmpint (run_all (&batch, out, 5, &error), !=, CNN_OK);
  op_case_clear (&batch);

  /* One dimension is the batch, of one channel. */
  OpCase flat = { .op = "BatchNormalization" };
  floats (&flat, SHAPE (3), VALUES (1, 2, 3));
  for (int i = 0; i < 4; i++)
    floats (&flat, SHAPE (1), VALUES (1));
  op_case_float (&flat, "epsilon", 0);
  expect (&flat, VALUES (1, 2, 3), 3);
}

/* The scale of fewer dimensions is the full one that repeats it. */
static void
test_repeated_scale (void)
{
  OpCase few = { .op = "LayerNormalization" }, all = few;
  noise (&few, SHAPE (5, 3, 4));
  noise (&all, SHAPE (5, 3, 4));
  noise (&few, SHAPE (4));
  noise (&all, SHAPE (3, 4));
  noise (&few, SHAPE (3, 4));
  noise (&all, SHAPE (3, 4));
  for (int i = 0; i < 12; i++)
    ((float *) all.in[1].data)[i] = ((const float *) few.in[1].data)[i % 4];
  op_case_int (&few, "axis", 1);
  op_case_int (&all, "axis", 1);
  run (&few);
  run (&all);
  g_assert_cmpmem (few.out.data, 240, all.out.data, 240);
  op_case_clear (&few);
  op_case_clear (&all);
}

static void
dropout (CnnType type, const void *ratio, gint64 modes, gboolean mode,
    const char *words)
{
  guint8 on = (guint8) mode;
  CnnShape scalar = { 0 }, list = SHAPE (modes);
  OpCase c = { .op = "Dropout" };
  floats (&c, SHAPE (3), VALUES (1, 2, 3));
  op_case_input (&c, type, &scalar, ratio);
  op_case_input (&c, CNN_TYPE_BOOL, &list, &on);
  c.constant[1] = c.constant[2] = TRUE;
  if (words)
    refuse (&c, words);
  else
    expect (&c, VALUES (1, 2, 3), 3);
}

static void
test_dropout (void)
{
  static const guint16 half = 0x3800, half_nan = 0x7e00;
  static const double more = 1.5, zero = 0;
  static const gint64 whole = 0;
  const float quarter = 0.25f;
  dropout (CNN_TYPE_FLOAT16, &half, 1, FALSE, NULL);
  dropout (CNN_TYPE_FLOAT16, &half, 1, TRUE, "random");
  dropout (CNN_TYPE_FLOAT16, &half_nan, 1, FALSE, "ratio");
  dropout (CNN_TYPE_FLOAT64, &zero, 1, TRUE, NULL);
  dropout (CNN_TYPE_FLOAT64, &more, 1, FALSE, "1.5");
  dropout (CNN_TYPE_FLOAT32, &quarter, 0, FALSE, "training_mode");
  dropout (CNN_TYPE_INT64, &whole, 1, FALSE, "ratio");
}

/* -- matrix products ---------------------------------------------------- */

static void
test_products_of_nothing (void)
{
  OpCase gemm = { .op = "Gemm" };
  floats (&gemm, SHAPE (2, 0), NULL);
  floats (&gemm, SHAPE (0, 3), NULL);
  floats (&gemm, SHAPE (3), VALUES (1, 2, 3));
  op_case_float (&gemm, "beta", 2);
  expect (&gemm, VALUES (2, 4, 6, 2, 4, 6), 6);
  OpCase plain = { .op = "MatMul" };
  floats (&plain, SHAPE (2, 0), NULL);
  floats (&plain, SHAPE (0, 2), NULL);
  expect (&plain, VALUES (0, 0, 0, 0), 4);
  OpCase vectors = { .op = "MatMul" };
  floats (&vectors, SHAPE (0), NULL);
  floats (&vectors, SHAPE (0), NULL);
  expect (&vectors, VALUES (0), 1);
  static const gint64 big = 1 << 29;
  OpCase batches = { .op = "MatMul" };
  floats (&batches, SHAPE (big, 0, 5), NULL);
  floats (&batches, SHAPE (1, 5, 7), NULL);
  expect (&batches, NULL, 0);
}

static void
test_integer_products (void)
{
  static const gint64 a[] = { 1, 2, 3, 4, 5, 6 }, b[] = { 7, -8, 9 };
  static const gint64 wrap[] = { G_MAXINT64, 1 };
  OpCase c = { .op = "MatMul" };
  integers (&c, SHAPE (2, 3), a);
  integers (&c, SHAPE (3), b);
  expect_ints (&c, (const gint64[]){ 18, 42 }, 2);
  OpCase batches = { .op = "MatMul" };
  integers (&batches, SHAPE (2, 1, 3), a);
  integers (&batches, SHAPE (1, 3, 1), b);
  expect_ints (&batches, (const gint64[]){ 18, 42 }, 2);
  OpCase over = { .op = "MatMul" };
  integers (&over, SHAPE (2), wrap);
  integers (&over, SHAPE (2), (const gint64[]){ 1, 1 });
  expect_ints (&over, (const gint64[]){ G_MININT64 }, 1);
  OpCase gemm = { .op = "Gemm" };
  integers (&gemm, SHAPE (3, 2), a);
  integers (&gemm, SHAPE (1, 3), b);
  integers (&gemm, SHAPE (2, 1), a);
  op_case_int (&gemm, "transA", 1);
  op_case_int (&gemm, "transB", 1);
  op_case_float (&gemm, "beta", 10);
  expect_ints (&gemm, (const gint64[]){ 7 - 24 + 45 + 10, 14 - 32 + 54 + 20 },
      2);
  OpCase mixed = { .op = "MatMul" };
  integers (&mixed, SHAPE (2, 3), a);
  floats (&mixed, SHAPE (3), NULL);
  refuse (&mixed, "input 1 is float32");
  OpCase bytes = { .op = "MatMul" };
  CnnShape two = SHAPE (2);
  op_case_input (&bytes, CNN_TYPE_INT8, &two, a);
  op_case_input (&bytes, CNN_TYPE_INT8, &two, a);
  refuse (&bytes, "int8");
}

/* -- places ------------------------------------------------------------- */

static void
place (const char *op, int opset, gint64 axis, gint64 keep, gboolean has)
{
  OpCase c = { .op = op, .opset = opset };
  noise (&c, SHAPE (1, 4, 6, 6));
  gboolean reduces = !strncmp (op, "Reduce", 6);
  if (reduces)
    integers (&c, SHAPE (1), &axis);
  else
    op_case_int (&c, "axis", axis);
  if (keep >= 0)
    op_case_int (&c, "keepdims", keep);
  run (&c);
  const CnnTensor *in[] = { &c.in[0], reduces ? &c.in[1] : NULL };
  CnnOpGeometry g = { { 0 }, { 0 }, { 0 }, { 0 } };
  if (c.vtable->geometry (c.params, in, &g) != has)
    g_error ("%s along %d in opset %d: a place or not", op, (int) axis, opset);
  if (has)
    g_assert_cmpint (g.window[0] + g.stride[1] + g.offset[0], ==, 2);
  op_case_clear (&c);
}

static void
test_places (void)
{
  place ("ReduceMean", 18, 1, 1, TRUE);
  place ("ReduceMax", 18, -3, 1, TRUE);
  place ("ReduceSum", 18, 1, 0, FALSE);
  place ("ReduceSum", 18, 2, 1, FALSE);
  place ("ReduceLogSumExp", 18, -1, 1, FALSE);
  place ("ArgMax", 13, 1, 1, TRUE);
  place ("ArgMax", 13, 1, 0, FALSE);
  place ("ArgMin", 13, -1, 1, FALSE);
  place ("Hardmax", 13, 1, -1, TRUE);
  place ("Hardmax", 11, 1, -1, FALSE);
  place ("Softmax", 13, 1, -1, TRUE);
  place ("Softmax", 11, 1, -1, FALSE);
  place ("LogSoftmax", 13, 3, -1, FALSE);
  place ("LpNormalization", 13, 1, -1, TRUE);
  place ("LpNormalization", 13, 2, -1, FALSE);
  static const char *const none[] = { "InstanceNormalization",
    "GroupNormalization", "LayerNormalization", "MeanVarianceNormalization",
    "Gemm", "MatMul" };
  for (int i = 0; i < 6; i++)
    g_assert_null (cnn_op_find (none[i])->geometry);
}

/* -- the same whatever the threads, and right --------------------------- */

static double
number_of (const char *op, const float *x, gsize n, gsize step)
{
  double sum = 0, most = -INFINITY, squares = 0, size = 0, product = 1;
  for (gsize i = 0; i < n; i++) {
    double v = (double) x[i * step];
    sum += v;
    size += fabs (v);
    squares += v * v;
    most = MAX (most, v);
    product *= v;
  }
  return !strcmp (op, "ReduceSum") ? sum
      : !strcmp (op, "ReduceMean") ? sum / (double) n
      : !strcmp (op, "ReduceMax")  ? most
      : !strcmp (op, "ReduceL1")   ? size
      : !strcmp (op, "ReduceL2")   ? sqrt (squares)
      : !strcmp (op, "ReduceProd") ? product
                                   : squares;
}

/* The middle one of three dimensions goes, or with @rest 1 the last. */
static void
reduce_big (const char *op, gsize outer, gsize n, gsize rest, CnnPool *pool)
{
  static const gint64 one = 1;
  OpCase c = { .op = op, .opset = 18, .pool = pool };
  noise (&c, SHAPE ((gint64) outer, (gint64) n, (gint64) rest));
  integers (&c, SHAPE (1), &one);
  run (&c);
  const float *x = c.in[0].data, *y = c.out.data;
  for (gsize o = 0; o < outer; o++)
    for (gsize i = 0; i < rest; i++) {
      double got = (double) y[o * rest + i];
      double right = number_of (op, x + o * n * rest + i, n, rest);
      if (fabs (got - right) > 1e-6 * fabs (right) + 1e-7)
        g_error ("%s %zu %zu %zu: %g, not %g", op, outer, n, rest, got, right);
    }
  op_case_clear (&c);
}

static void
test_reductions (void)
{
  static const char *const ops[] = { "ReduceSum", "ReduceMean", "ReduceMax",
    "ReduceL1", "ReduceL2", "ReduceProd", "ReduceSumSquare" };
  CnnPool *pool;
  g_assert_cmpint (cnn_pool_new (3, &pool), ==, CNN_OK);
  for (int i = 0; i < 7; i++) {
    reduce_big (ops[i], 2, 17, 4001, pool);
    reduce_big (ops[i], 500, 131, 1, pool);
    reduce_big (ops[i], 70, 5, 3, pool);
    reduce_big (ops[i], 1, 1, 64, NULL);
    reduce_big (ops[i], 3, 7, 65, NULL);
  }
  cnn_pool_free (pool);
}

typedef void (*Build) (OpCase *c);

static void
build_arg (OpCase *c)
{
  c->op = "ArgMax";
  noise (c, SHAPE (2, 21, 70, 71));
  op_case_int (c, "axis", 1);
}

static void
build_layer (OpCase *c)
{
  c->op = "LayerNormalization";
  noise (c, SHAPE (300, 129));
  noise (c, SHAPE (129));
}

static void
build_group (OpCase *c)
{
  c->op = "GroupNormalization";
  c->opset = 21;
  noise (c, SHAPE (3, 6, 50, 40));
  noise (c, SHAPE (6));
  noise (c, SHAPE (6));
  op_case_int (c, "num_groups", 3);
}

static void
build_batch (OpCase *c)
{
  c->op = "BatchNormalization";
  noise (c, SHAPE (300, 131));
  for (int i = 0; i < 4; i++)
    noise (c, SHAPE (131));
  for (int i = 0; i < 131; i++)
    ((float *) c->in[4].data)[i] += 2;
}

static void
build_lrn (OpCase *c)
{
  c->op = "LRN";
  noise (c, SHAPE (2, 9, 70, 71));
  op_case_int (c, "size", 4);
}

static void
build_softmax (OpCase *c)
{
  c->op = "Softmax";
  noise (c, SHAPE (9000, 3));
}

static void
test_threads (void)
{
  static const Build builds[] = { build_arg, build_layer, build_group,
    build_batch, build_lrn, build_softmax };
  for (int b = 0; b < 6; b++) {
    OpCase alone = { 0 };
    builds[b](&alone);
    run (&alone);
    gsize bytes =
        tensor_elements (&alone.out) * cnn_type_bytes (alone.out.type);
    for (unsigned threads = 2; threads <= 4; threads++) {
      OpCase c = { 0 };
      g_assert_cmpint (cnn_pool_new (threads, &c.pool), ==, CNN_OK);
      builds[b](&c);
      run (&c);
      g_assert_cmpmem (alone.out.data, bytes, c.out.data, bytes);
      for (gsize i = 0; i < CNN_SLACK_BYTES; i++)
        g_assert_cmphex (((guint8 *) c.out.data)[bytes + i], ==, 0xff);
      CnnPool *pool = c.pool;
      op_case_clear (&c);
      cnn_pool_free (pool);
    }
    op_case_clear (&alone);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/norm/empty/reductions", test_sums_of_nothing);
  g_test_add_func ("/norm/empty/huge", test_huge_and_empty);
  g_test_add_func ("/norm/empty/statistics", test_statistics_of_nothing);
  g_test_add_func ("/norm/values/special", test_special_values);
  g_test_add_func ("/norm/values/arg", test_arg);
  g_test_add_func ("/norm/values/softmax", test_softmax);
  g_test_add_func ("/norm/values/long-sums", test_long_sums);
  g_test_add_func ("/norm/shapes/axes", test_axes);
  g_test_add_func ("/norm/shapes/norms", test_norm_shapes);
  g_test_add_func ("/norm/shapes/repeated-scale", test_repeated_scale);
  g_test_add_func ("/norm/shapes/dropout", test_dropout);
  g_test_add_func ("/norm/matrices/nothing", test_products_of_nothing);
  g_test_add_func ("/norm/matrices/integers", test_integer_products);
  g_test_add_func ("/norm/places", test_places);
  g_test_add_func ("/norm/reductions", test_reductions);
  g_test_add_func ("/norm/threads", test_threads);
  return g_test_run ();
}
