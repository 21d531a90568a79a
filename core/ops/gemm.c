/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gemm.c: the Gemm operator, a dense layer.
 *
 * a m x k (k x m with transA), b k x n (n x k with transB), c stretched to
 * m x n, output m x n:
 *   y = alpha a b + beta c
 * With g = gradient by y: da = alpha g b', db = alpha a' g, dc = beta times
 * the sum of g over stretched dimensions.
 *
 * Sums of no elements are 0. Integers of 32 and 64 bits have no gradient.
 *
 * Source: ONNX Gemm, opsets 6 to 13. */

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "ops/matrix.h"
#include "ops/shapes.h"
#include "ops/table.h"

#define MAX_SIZE ((int64_t) 1 << 30)

typedef struct
{
  float alpha, beta;
  int64_t trans_a, trans_b;
} Params;

typedef struct
{
  int m, n, k;
  CnnMatrix a, b;
} Sizes;

static CnnStatus
parse (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const known[] = { "alpha", "beta", "transA", "transB",
    "broadcast", NULL };
  Params *p = params;
  int64_t broadcast = 0;
  *p = (Params){ .alpha = 1, .beta = 1 };
  CnnStatus status = cnn_attributes_check (attributes, known, error);
  if (!status)
    status = cnn_attributes_float (attributes, "alpha", &p->alpha, error);
  if (!status)
    status = cnn_attributes_float (attributes, "beta", &p->beta, error);
  if (!status)
    status = cnn_attributes_int (attributes, "transA", INT64_MIN, INT64_MAX,
        &p->trans_a, error);
  if (!status)
    status = cnn_attributes_int (attributes, "transB", INT64_MIN, INT64_MAX,
        &p->trans_b, error);
  /* Opset 6; c is stretched with and without it. */
  if (!status)
    status =
        cnn_attributes_int (attributes, "broadcast", 0, 1, &broadcast, error);
  return status;
}

static CnnStatus
check_matrix (const CnnTensor *matrix, int i, CnnError *error)
{
  const CnnShape *s = &matrix->shape;
  if (s->rank != 2)
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "input %d has %d dimensions, 2 are expected", i, s->rank);
  for (int d = 0; d < 2; d++)
    if (s->dims[d] < -1 || s->dims[d] > MAX_SIZE)
      return cnn_error_set (error, CNN_ERROR_SHAPE,
          "dimension %d of input %d has size %" PRId64, d, i, s->dims[d]);
  return CNN_OK;
}

static CnnStatus
infer (const void *params, const CnnTensor *const *in, int n_in, CnnTensor *out,
    CNN_UNUSED int n_out, CnnError *error)
{
  const Params *p = params;
  CnnStatus status = cnn_matrix_check_types (in, n_in, error);
  for (int i = 0; i < 2 && !status; i++)
    status = check_matrix (in[i], i, error);
  if (status)
    return status;

  const int64_t *a = in[0]->shape.dims, *b = in[1]->shape.dims;
  int64_t k = a[!p->trans_a], k_b = b[!!p->trans_b];
  if (k != k_b && k != -1 && k_b != -1)
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "input has %" PRId64 " values, weights expect %" PRId64, k, k_b);
  CnnShape y = { .rank = 2, .dims = { a[!!p->trans_a], b[!p->trans_b] } };
  if (n_in > 2 && in[2]) {
    CnnShape both;
    char text[160], text_c[160];
    status = cnn_shape_broadcast (&y, &in[2]->shape, &both, error);
    if (!status && !cnn_shape_equal (&both, &y) && y.dims[0] != -1
        && y.dims[1] != -1)
      status = cnn_error_set (error, CNN_ERROR_SHAPE,
          "bias of %s can't be stretched to %s",
          cnn_shape_format (&in[2]->shape, text_c, sizeof text_c),
          cnn_shape_format (&y, text, sizeof text));
  }
  return status ? status : cnn_infer_output (&out[0], in[0]->type, &y, error);
}

static uint64_t
macs (const void *params, const CnnTensor *const *in, CNN_UNUSED int n_in,
    const CnnTensor *out)
{
  const Params *p = params;
  return (uint64_t) cnn_elements (out)
      * (uint64_t) in[0]->shape.dims[!p->trans_a];
}

static Sizes
sizes_of (const void *params, const CnnTensor *const *in)
{
  const Params *p = params;
  const int64_t *a = in[0]->shape.dims, *b = in[1]->shape.dims;
  Sizes s = {
    .m = (int) a[!!p->trans_a],
    .n = (int) b[!p->trans_b],
    .k = (int) a[!p->trans_a],
    .a = { in[0]->data, (size_t) a[1], 1 },
    .b = { in[1]->data, (size_t) b[1], 1 },
  };
  if (p->trans_a)
    s.a = cnn_matrix_turned (s.a);
  if (p->trans_b)
    s.b = cnn_matrix_turned (s.b);
  return s;
}

static CnnProduct
forward_product (const Params *p, const Sizes *s)
{
  return (CnnProduct){
    .a = s->a,
    .b = s->b,
    .m = s->m,
    .n = s->n,
    .k = s->k,
    .alpha = p->alpha,
  };
}

/* The gradient of a transposed operand is the transpose of the product:
 * (g b')' = b g'. */
static CnnProduct
gradient_by_a (const Params *p, const Sizes *s, const float *gradient)
{
  CnnMatrix g = { gradient, (size_t) s->n, 1 };
  return (CnnProduct){
    .a = p->trans_a ? s->b : g,
    .b = cnn_matrix_turned (p->trans_a ? g : s->b),
    .m = p->trans_a ? s->k : s->m,
    .n = p->trans_a ? s->m : s->k,
    .k = s->n,
    .alpha = p->alpha,
  };
}

static CnnProduct
gradient_by_b (const Params *p, const Sizes *s, const float *gradient)
{
  CnnMatrix g = { gradient, (size_t) s->n, 1 };
  return (CnnProduct){
    .a = cnn_matrix_turned (p->trans_b ? g : s->a),
    .b = p->trans_b ? s->a : g,
    .m = p->trans_b ? s->n : s->k,
    .n = p->trans_b ? s->k : s->n,
    .k = s->m,
    .alpha = p->alpha,
  };
}

static size_t
scratch_bytes (const void *params, const CnnTensor *const *in,
    CNN_UNUSED int n_in, CNN_UNUSED const CnnTensor *out,
    CNN_UNUSED int variant, const CnnPool *pool, int training)
{
  Sizes s = sizes_of (params, in);
  CnnProduct products[] = { forward_product (params, &s),
    gradient_by_a (params, &s, NULL), gradient_by_b (params, &s, NULL) };
  size_t most = 0;
  for (int i = 0; i < (training ? 3 : 1); i++) {
    size_t bytes = cnn_matrix_spare_bytes (&products[i], pool);
    most = bytes > most ? bytes : most;
  }
  return most;
}

/* How far c moves from row to row, and from column to column: 0 where it is
 * stretched. */
static void
bias_steps (const CnnShape *c, size_t *row, size_t *column)
{
  int64_t across = c->rank > 0 ? c->dims[c->rank - 1] : 1;
  int64_t down = c->rank > 1 ? c->dims[c->rank - 2] : 1;
  *column = across > 1;
  *row = down > 1 ? (size_t) across : 0;
}

static void
begin_with_bias (const CnnOpCall *call, const Sizes *s, float *y)
{
  const Params *p = call->params;
  if (call->n_in < 3 || !call->in[2]) {
    memset (y, 0, (size_t) s->m * (size_t) s->n * sizeof *y);
    return;
  }
  size_t row, column;
  const float *c = call->in[2]->data;
  bias_steps (&call->in[2]->shape, &row, &column);
  for (int i = 0; i < s->m; i++, y += s->n)
    call->kernels->binary (CNN_BINARY_MUL, c + (size_t) i * row, column != 0,
        &p->beta, 0, y, (size_t) s->n);
}

static void
forward_ints (const CnnOpCall *call, const Sizes *s)
{
  const Params *p = call->params;
  const CnnTensor *c = call->n_in > 2 ? call->in[2] : NULL;
  CnnIntProduct product = {
    .type = call->in[0]->type,
    .a = call->in[0]->data,
    .b = call->in[1]->data,
    .c = c ? c->data : NULL,
    .a_row = s->a.row,
    .a_k = s->a.column,
    .b_k = s->b.row,
    .b_column = s->b.column,
    .y = call->out[0]->data,
    .m = (size_t) s->m,
    .n = (size_t) s->n,
    .k = (size_t) s->k,
    .alpha = p->alpha,
    .beta = p->beta,
  };
  if (c)
    bias_steps (&c->shape, &product.c_row, &product.c_column);
  cnn_matrix_multiply_ints (&product);
}

static void
forward (const CnnOpCall *call)
{
  const Params *p = call->params;
  Sizes s = sizes_of (call->params, call->in);
  float *y = call->out[0]->data;
  if (!s.m || !s.n)
    return;
  if (call->in[0]->type != CNN_TYPE_FLOAT32) {
    forward_ints (call, &s);
    return;
  }
  begin_with_bias (call, &s, y);
  if (!s.k)
    return;
  CnnProduct product = forward_product (p, &s);
  product.kernels = call->kernels;
  product.spare = call->scratch;
  product.c = y;
  cnn_matrix_multiply (&product, call->pool);
}

static void
bias_gradient (const CnnOpCall *call, const Sizes *s, const float *g, float *d)
{
  const Params *p = call->params;
  size_t row, column;
  bias_steps (&call->in[2]->shape, &row, &column);
  for (int i = 0; i < s->m; i++, g += s->n)
    for (int j = 0; j < s->n; j++)
      d[(size_t) i * row + (size_t) j * column] += p->beta * g[j];
}

static void
backward (const CnnOpCall *call, const CnnOpGrad *grad)
{
  Sizes s = sizes_of (call->params, call->in);
  if (!grad->d_out[0] || !cnn_elements (call->out[0]))
    return;
  const float *g = grad->d_out[0]->data;
  for (int i = 0; i < 2; i++) {
    if (!grad->d_in[i])
      continue;
    CnnProduct p = (i ? gradient_by_b : gradient_by_a) (call->params, &s, g);
    p.kernels = call->kernels;
    p.spare = call->scratch;
    p.c = grad->d_in[i]->data;
    p.fresh = (int) (grad->fresh >> i & 1);
    cnn_matrix_multiply (&p, call->pool);
  }
  if (call->n_in > 2 && grad->d_in[2])
    bias_gradient (call, &s, g, grad->d_in[2]->data);
}

const CnnOp cnn_op_gemm = {
  .name = "Gemm",
  .since = 1,
  .min_in = 2,
  .max_in = 3,
  .max_out = 1,
  .float32_only = true,
  .params_bytes = sizeof (Params),
  .parse = parse,
  .infer = infer,
  .macs = macs,
  .scratch_bytes = scratch_bytes,
  .forward = forward,
  .writes_fresh = 3,
  .backward = backward,
};
