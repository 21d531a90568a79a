/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* matmul.c: the MatMul operator.
 *
 * a ... m k, b ... k n, output ... m n; the dimensions before the last two are
 * batches and stretch as in Add. A vector stands for one row (a) or one column
 * (b), which the output then lacks.
 *   y = a b;  da = g b';  db = a' g, summed over batches that b is stretched to
 *
 * Sums of no elements are 0. Integers of 32 and 64 bits have no gradient.
 *
 * Source: ONNX MatMul, opsets 1 to 13 (numpy.matmul). */

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "ops/matrix.h"
#include "ops/shapes.h"
#include "ops/table.h"

#define MAX_SIZE ((int64_t) 1 << 30)

/* Both shapes with rank 2 at least. */
static void
as_matrices (const CnnShape *a, const CnnShape *b, CnnShape *a2, CnnShape *b2)
{
  *a2 = *a;
  *b2 = *b;
  if (a->rank == 1)
    *a2 = (CnnShape){ .rank = 2, .dims = { 1, a->dims[0] } };
  if (b->rank == 1)
    *b2 = (CnnShape){ .rank = 2, .dims = { b->dims[0], 1 } };
}

static CnnStatus
check (const CnnTensor *tensor, int i, CnnError *error)
{
  const CnnShape *s = &tensor->shape;
  if (!s->rank)
    return cnn_error_set (error, CNN_ERROR_SHAPE, "input %d is a scalar", i);
  for (int d = 0; d < s->rank; d++)
    if (s->dims[d] < -1 || s->dims[d] > MAX_SIZE)
      return cnn_error_set (error, CNN_ERROR_SHAPE,
          "dimension %d of input %d has size %" PRId64, d, i, s->dims[d]);
  return CNN_OK;
}

static CnnStatus
infer (CNN_UNUSED const void *params, const CnnTensor *const *in, int n_in,
    CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  CnnStatus status = cnn_matrix_check_types (in, n_in, error);
  for (int i = 0; i < 2 && !status; i++)
    status = check (in[i], i, error);
  if (status)
    return status;

  CnnShape a, b, y;
  as_matrices (&in[0]->shape, &in[1]->shape, &a, &b);
  int64_t m = a.dims[a.rank - 2], k = a.dims[a.rank - 1];
  int64_t k_b = b.dims[b.rank - 2], n = b.dims[b.rank - 1];
  if (k != k_b && k != -1 && k_b != -1)
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "input has %" PRId64 " values, weights expect %" PRId64, k, k_b);
  a.rank -= 2;
  b.rank -= 2;
  status = cnn_shape_broadcast (&a, &b, &y, error);
  if (status)
    return status;
  if (in[0]->shape.rank > 1)
    y.dims[y.rank++] = m;
  if (in[1]->shape.rank > 1)
    y.dims[y.rank++] = n;
  return cnn_infer_output (&out[0], in[0]->type, &y, error);
}

static uint64_t
macs (CNN_UNUSED const void *params, const CnnTensor *const *in,
    CNN_UNUSED int n_in, const CnnTensor *out)
{
  const CnnShape *a = &in[0]->shape;
  return (uint64_t) cnn_elements (out) * (uint64_t) a->dims[a->rank - 1];
}

/**
 * Sizes:
 * @batches: products to compute
 * @a, @b, @y: shapes; @y of the batches only
 */
typedef struct
{
  int m, n, k;
  size_t batches;
  CnnShape a, b, y;
} Sizes;

static Sizes
sizes_of (const CnnTensor *const *in)
{
  Sizes s;
  as_matrices (&in[0]->shape, &in[1]->shape, &s.a, &s.b);
  s.m = (int) s.a.dims[s.a.rank - 2];
  s.k = (int) s.a.dims[s.a.rank - 1];
  s.n = (int) s.b.dims[s.b.rank - 1];
  CnnShape a = s.a, b = s.b;
  a.rank -= 2;
  b.rank -= 2;
  cnn_shape_broadcast (&a, &b, &s.y, NULL);
  s.batches = cnn_product (&s.y, 0, s.y.rank);
  /* One matrix of weights for all: one tall product. */
  if (s.b.rank == 2 && s.batches * (size_t) s.m <= MAX_SIZE) {
    s.m = (int) (s.batches * (size_t) s.m);
    s.batches = 1;
  }
  return s;
}

/* Of matrices that begin at @a, @b and @g. */
static CnnProduct
forward_product (const Sizes *s, const float *a, const float *b)
{
  return (CnnProduct){
    .a = { a, (size_t) s->k, 1 },
    .b = { b, (size_t) s->n, 1 },
    .m = s->m,
    .n = s->n,
    .k = s->k,
    .alpha = 1,
  };
}

static CnnProduct
gradient_by_a (const Sizes *s, const float *b, const float *g)
{
  return (CnnProduct){
    .a = { g, (size_t) s->n, 1 },
    .b = { b, 1, (size_t) s->n },
    .m = s->m,
    .n = s->k,
    .k = s->n,
    .alpha = 1,
  };
}

static CnnProduct
gradient_by_b (const Sizes *s, const float *a, const float *g)
{
  return (CnnProduct){
    .a = { a, 1, (size_t) s->k },
    .b = { g, (size_t) s->n, 1 },
    .m = s->k,
    .n = s->n,
    .k = s->m,
    .alpha = 1,
  };
}

static size_t
scratch_bytes (CNN_UNUSED const void *params, const CnnTensor *const *in,
    CNN_UNUSED int n_in, CNN_UNUSED const CnnTensor *out,
    CNN_UNUSED int variant, const CnnPool *pool, int training)
{
  Sizes s = sizes_of (in);
  CnnProduct back = gradient_by_a (&s, NULL, NULL);
  return training ? cnn_matrix_spare_bytes (&back, pool) : 0;
}

static void
multiply (const CnnOpCall *call, CnnProduct product, float *c)
{
  product.kernels = call->kernels;
  product.spare = call->scratch;
  product.c = c;
  cnn_matrix_multiply (&product, call->pool);
}

static void
forward_ints (const CnnOpCall *call, const Sizes *s)
{
  CnnIntProduct p = {
    .type = call->in[0]->type,
    .a = call->in[0]->data,
    .b = call->in[1]->data,
    .a_row = (size_t) s->k,
    .a_k = 1,
    .b_k = (size_t) s->n,
    .b_column = 1,
    .y = call->out[0]->data,
    .m = (size_t) s->m,
    .n = (size_t) s->n,
    .k = (size_t) s->k,
    .alpha = 1,
  };
  for (size_t i = 0; i < s->batches; i++, p.y_offset += p.m * p.n) {
    p.a_offset = cnn_matrix_at (&s->a, &s->y, i);
    p.b_offset = cnn_matrix_at (&s->b, &s->y, i);
    cnn_matrix_multiply_ints (&p);
  }
}

static void
forward (const CnnOpCall *call)
{
  size_t all = cnn_elements (call->out[0]);
  if (!all)
    return;
  Sizes s = sizes_of (call->in);
  if (call->in[0]->type != CNN_TYPE_FLOAT32) {
    forward_ints (call, &s);
    return;
  }
  const float *a = call->in[0]->data, *b = call->in[1]->data;
  float *y = call->out[0]->data;
  size_t size = (size_t) s.m * (size_t) s.n;
  memset (y, 0, all * sizeof *y);
  if (!s.k)
    return;
  for (size_t i = 0; i < s.batches; i++, y += size)
    multiply (call,
        forward_product (&s, a + cnn_matrix_at (&s.a, &s.y, i),
            b + cnn_matrix_at (&s.b, &s.y, i)),
        y);
}

static void
backward (const CnnOpCall *call, const CnnOpGrad *grad)
{
  Sizes s = sizes_of (call->in);
  if (!grad->d_out[0] || !cnn_elements (call->out[0]) || !s.k)
    return;
  const float *a = call->in[0]->data, *b = call->in[1]->data;
  const float *g = grad->d_out[0]->data;
  for (size_t i = 0; i < s.batches; i++) {
    size_t at_a = cnn_matrix_at (&s.a, &s.y, i),
           at_b = cnn_matrix_at (&s.b, &s.y, i);
    if (grad->d_in[0])
      multiply (call, gradient_by_a (&s, b + at_b, g),
          (float *) grad->d_in[0]->data + at_a);
    if (grad->d_in[1])
      multiply (call, gradient_by_b (&s, a + at_a, g),
          (float *) grad->d_in[1]->data + at_b);
    g += (size_t) s.m * (size_t) s.n;
  }
}

const CnnOp cnn_op_matmul = {
  .name = "MatMul",
  .since = 1,
  .min_in = 2,
  .max_in = 2,
  .max_out = 1,
  .float32_only = true,
  .infer = infer,
  .macs = macs,
  .scratch_bytes = scratch_bytes,
  .forward = forward,
  .backward = backward,
};
