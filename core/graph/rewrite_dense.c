/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rewrite_dense.c: dense layers become convolutions.
 *
 *   map c h w--Flatten--Gemm k   ->   map--Conv k, h x w
 *   map c h w--Transpose, Reshape (h*w) c--MatMul k   ->   map--Conv k, 1x1
 *
 * Weights go where the elements that they multiply are in the map, whatever
 * order they were flattened in. */

#include "graph/rewrite.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "ops/shapes.h"

/**
 * Dense:
 * @view: @shape: its input
 * @n_in: @n_out: of its matrix
 * @weights: element (i, o) of it at i*step_in + o*step_out
 * @whole: one answer a window (or one for each of its places)
 */
typedef struct
{
  const CnnNode *node;
  const CnnView *view;
  const CnnShape *shape;
  const CnnValue *weights, *bias;
  int64_t n_in, n_out, step_in, step_out;
  float alpha, beta;
  bool whole;
} Dense;

/* Elements [first][second] of the matrix, the first counting inputs unless it
 * is transposed. */
static void
set_matrix (Dense *d, int64_t first, int64_t second, bool transposed)
{
  d->n_in = transposed ? second : first;
  d->n_out = transposed ? first : second;
  d->step_in = transposed ? 1 : second;
  d->step_out = transposed ? second : 1;
}

static CnnStatus
read_layer (CnnRewrite *r, const CnnNode *node, Dense *d)
{
  bool gemm = !strcmp (node->op->name, "Gemm");
  bool conv = !strcmp (node->op->name, "Conv");
  *d = (Dense){
    .node = node,
    .view = cnn_rewrite_view (r, node, 0),
    .weights = cnn_rewrite_value (r, node, 1),
    .bias = cnn_rewrite_value (r, node, 2),
    .alpha = gemm ? cnn_rewrite_float (node, "alpha", 1) : 1,
    .beta = gemm ? cnn_rewrite_float (node, "beta", 1) : 1,
  };
  const CnnShape *w = &d->weights->tensor.shape;
  if (!d->view || !d->weights->buffer || w->rank != (conv ? 4 : 2)
      || d->weights->tensor.type != CNN_TYPE_FLOAT32
      || cnn_rewrite_int (node, "transA", 0)
      || cnn_rewrite_int (node, "group", 1) != 1)
    return cnn_rewrite_refuse (r, node,
        "it is no dense layer with constant weights");
  d->shape = &r->tensors[node->in[0]].shape;
  set_matrix (d, w->dims[0], w->dims[1],
      conv || cnn_rewrite_int (node, "transB", 0));

  int64_t count = (int64_t) cnn_product (d->shape, 0, d->shape->rank);
  d->whole = count == d->n_in;
  if (!d->whole
      && (conv || !d->shape->rank
          || d->shape->dims[d->shape->rank - 1] != d->n_in
          || !cnn_view_lines (d->view, d->shape, d->shape->rank - 1,
              d->shape->rank)))
    return cnn_rewrite_refuse (r, node,
        "its weights do not have a row for every input");
  return CNN_OK;
}

/* For each place, the channels come in the same order: @channels. */
static bool
line_channels (const Dense *d, int64_t *channels)
{
  int64_t count = (int64_t) cnn_product (d->shape, 0, d->shape->rank);
  int64_t places = d->view->h * d->view->w;
  for (int64_t e = 0; e < count; e++) {
    int64_t channel = cnn_view_at (d->view, e) / places;
    if (e < d->n_in)
      channels[e] = channel;
    else if (channels[e % d->n_in] != channel)
      return false;
  }
  return true;
}

/* Adds the kernels: [n_out][c][kh][kw]. @to: for each input, which of the
 * c*kh*kw elements of a kernel it is. */
static CnnStatus
add_kernels (CnnRewrite *r, const Dense *d, const CnnShape *shape,
    const int64_t *to, const char **name)
{
  int64_t size = shape->dims[1] * shape->dims[2] * shape->dims[3];
  bool as_it_is = d->alpha == 1 && d->step_in == 1 && size == d->n_in;
  for (int64_t i = 0; i < d->n_in && as_it_is; i++)
    as_it_is = to[i] == i;
  if (as_it_is)
    return cnn_rewrite_share (r, d->node, "kernels", d->weights, shape, name);

  size_t bytes = (size_t) (size * d->n_out) * sizeof (float);
  float *w = cnn_aligned_alloc (bytes);
  const float *from = d->weights->tensor.data;
  if (!w)
    return cnn_error_memory (r->error, bytes, "kernels");
  for (int64_t o = 0; o < d->n_out; o++)
    for (int64_t i = 0; i < d->n_in; i++)
      w[o * size + to[i]] += d->alpha * from[i * d->step_in + o * d->step_out];
  CnnStatus status = cnn_rewrite_constant (r, d->node, "kernels",
      CNN_TYPE_FLOAT32, shape, w, name);
  free (w);
  return status;
}

/* Bias of Gemm: a scalar, [out] or [1][out], times beta. */
static CnnStatus
add_bias (CnnRewrite *r, const Dense *d, const char **name)
{
  size_t elements;
  if (!d->bias->buffer || d->bias->tensor.type != CNN_TYPE_FLOAT32
      || cnn_shape_elements (&d->bias->tensor.shape, &elements)
      || (elements != 1 && elements != (size_t) d->n_out))
    return cnn_rewrite_refuse (r, d->node,
        "its bias is not one constant an output");

  CnnShape shape = { 1, { d->n_out } };
  if (elements == (size_t) d->n_out && d->beta == 1)
    return cnn_rewrite_share (r, d->node, "bias", d->bias, &shape, name);

  size_t bytes = (size_t) d->n_out * sizeof (float);
  float *bias = cnn_aligned_alloc (bytes);
  const float *from = d->bias->tensor.data;
  if (!bias)
    return cnn_error_memory (r->error, bytes, "a bias");
  for (int64_t o = 0; o < d->n_out; o++)
    bias[o] = d->beta * from[elements == 1 ? 0 : o];
  CnnStatus status = cnn_rewrite_constant (r, d->node, "bias", CNN_TYPE_FLOAT32,
      &shape, bias, name);
  free (bias);
  return status;
}

/* The old output, ... n_out, of a layer that answers for each place. */
static CnnStatus
place_answers (CnnRewrite *r, const Dense *d, CnnView *answer)
{
  int64_t count = (int64_t) cnn_product (d->shape, 0, d->shape->rank);
  int64_t lines = count / d->n_in, places = d->view->h * d->view->w;
  int32_t *index = malloc ((size_t) (lines * d->n_out + 1) * sizeof *index);
  for (int64_t l = 0; index && l < lines; l++)
    for (int64_t o = 0; o < d->n_out; o++)
      index[l * d->n_out + o] =
          (int32_t) (o * places + cnn_view_at (d->view, l * d->n_in) % places);
  answer->h = d->view->h;
  answer->w = d->view->w;
  answer->index = index;
  return cnn_rewrite_keep_index (r, index);
}

static CnnStatus
emit_conv (CnnRewrite *r, const Dense *d, const int64_t *to)
{
  int64_t size[] = { d->whole ? d->view->h : 1, d->whole ? d->view->w : 1 };
  CnnShape shape = { 4, { d->n_out, d->view->c, size[0], size[1] } };
  const char *in[3] = { d->view->map };
  CnnAttribute kernel = {
    .name = "kernel_shape",
    .type = CNN_ATTRIBUTE_INTS,
    .count = 2,
    .ints = size,
  };
  CnnStatus status = add_kernels (r, d, &shape, to, &in[1]);
  if (!status && d->bias)
    status = add_bias (r, d, &in[2]);
  if (!status)
    status = cnn_rewrite_emit (r, d->node, "Conv", in, d->bias ? 3 : 2, &kernel,
        1, 0);
  if (status)
    return status;

  CnnView answer = {
    .map = r->from->values[d->node->out[0]].name,
    .c = d->n_out,
    .h = 1,
    .w = 1,
  };
  if (!d->whole)
    status = place_answers (r, d, &answer);
  cnn_rewrite_set (r, d->node, 0, answer);
  return status;
}

CnnStatus
cnn_rewrite_dense (CnnRewrite *r, const CnnNode *node)
{
  Dense d;
  CnnStatus status = read_layer (r, node, &d);
  if (status)
    return status;
  int64_t *to = malloc ((size_t) (d.n_in + 1) * sizeof *to);
  if (!to)
    return cnn_error_memory (r->error, (size_t) d.n_in * sizeof *to, "rows");
  for (int64_t i = 0; i < d.n_in && d.whole; i++)
    to[i] = cnn_view_at (d.view, i);
  if (!d.whole && !line_channels (&d, to))
    status = cnn_rewrite_refuse (r, node,
        "the channels of its input come in an order that differs from place "
        "to place");
  if (!status)
    status = emit_conv (r, &d, to);
  free (to);
  return status;
}
