/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* dense_to_conv.c: a fixed-size classifier becomes a fully convolutional
 * network, so that one pass over a frame answers for every window of it.
 *
 *   before                                after
 *   x 1x1x32x32                           x 1x1xHxW
 *   Conv, Relu, MaxPool  16x5x5           Conv, Relu, MaxPool  16xhxw
 *   Flatten              400              (gone)
 *   Gemm 400 -> 120, Relu                 Conv 16 -> 120, 5x5, Relu
 *   Gemm 120 -> 11       11               Conv 120 -> 11, 1x1   11xh'xw'
 *   Softmax axis -1                       Softmax axis 1
 *
 * A value of rank 2 in the old graph, n x (c*h*w), is followed as a map of the
 * new one whose c x h x w cells are its elements, in that order. */

#include "graph/nodes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

/* For each value of the old graph: is it such a row of elements, and which
 * map of the new graph holds them. */
typedef struct
{
  bool known;
  const char *map;
  int64_t c, h, w;
} Flat;

typedef struct
{
  const CnnGraph *from;
  CnnGraph *to;
  Flat *flats;
  CnnError *error;
} Rewrite;

static const CnnValue *
input_value (const Rewrite *r, const CnnNode *node, int i)
{
  return i < node->n_in && node->in[i] >= 0 ? &r->from->values[node->in[i]]
                                            : NULL;
}

static const char *
output_name (const Rewrite *r, const CnnNode *node)
{
  return node->out[0] >= 0 ? r->from->values[node->out[0]].name : "";
}

static CnnStatus
refuse (const Rewrite *r, const CnnNode *node, const char *why)
{
  char text[CNN_NODE_TEXT];
  return cnn_error_set (r->error, CNN_ERROR_UNSUPPORTED,
      "%s can't become part of a class map: %s",
      cnn_node_describe (r->from, node, text, sizeof text), why);
}

static bool
is_op (const CnnNode *node, const char *name)
{
  return !strcmp (node->op->name, name);
}

static const CnnAttribute *
find_attribute (const CnnNode *node, const char *name)
{
  for (int i = 0; i < node->n_attributes; i++)
    if (!strcmp (node->attributes[i].name, name))
      return &node->attributes[i];
  return NULL;
}

static float
float_attribute (const CnnNode *node, const char *name, float otherwise)
{
  const CnnAttribute *a = find_attribute (node, name);
  return a ? a->f : otherwise;
}

static int64_t
int_attribute (const CnnNode *node, const char *name, int64_t otherwise)
{
  const CnnAttribute *a = find_attribute (node, name);
  return a ? a->i : otherwise;
}

/* The constants of the old graph enter the new one when they are first read. */
static CnnStatus
bring_constant (Rewrite *r, const CnnValue *value)
{
  if (!value->buffer || cnn_graph_find (r->to, value->name) >= 0)
    return CNN_OK;
  return cnn_graph_share_constant (r->to, value->name, value->tensor.type,
      &value->tensor.shape, value->buffer, r->error);
}

/* Adds @node to the new graph with inputs @in, and its own output. */
static CnnStatus
emit (Rewrite *r, const CnnNode *node, const char *op, const char *const *in,
    int n_in, const CnnAttribute *attributes, int n_attributes)
{
  const char *out[CNN_MAX_NODE_TENSORS];
  for (int i = 0; i < node->n_out; i++)
    out[i] = node->out[i] < 0 ? "" : r->from->values[node->out[i]].name;
  return cnn_graph_add_node (r->to, op, node->name, in, n_in, out, node->n_out,
      attributes, n_attributes, r->error);
}

static void
set_flat (Rewrite *r, const CnnNode *node, Flat flat)
{
  flat.known = true;
  if (node->out[0] >= 0)
    r->flats[node->out[0]] = flat;
}

/* A node that neither reads nor makes such a row: as it is. */
static CnnStatus
keep_node (Rewrite *r, const CnnNode *node)
{
  const char *in[CNN_MAX_NODE_TENSORS];
  CnnStatus status = CNN_OK;
  for (int i = 0; i < node->n_in && !status; i++) {
    const CnnValue *v = input_value (r, node, i);
    in[i] = v ? v->name : "";
    if (v)
      status = bring_constant (r, v);
  }
  if (status)
    return status;
  return emit (r, node, node->op->name, in, node->n_in, node->attributes,
      node->n_attributes);
}

/* Flatten, or Reshape to n x rest: the same elements, seen as a row. */
static CnnStatus
flatten (Rewrite *r, const CnnNode *node)
{
  const CnnValue *x = input_value (r, node, 0);
  const CnnShape *s = &x->tensor.shape;
  const CnnShape *out = &r->from->values[node->out[0]].tensor.shape;

  bool one_a_picture =
      out->rank == 2 && (out->dims[0] == s->dims[0] || out->dims[0] == 1);
  if (!one_a_picture)
    return refuse (r, node, "its output is not one row a picture");
  if (r->flats[node->in[0]].known) {
    set_flat (r, node, r->flats[node->in[0]]);
    return CNN_OK;
  }
  if (s->rank != 4)
    return refuse (r, node, "its input is no map of n c h w");
  for (int i = 1; i < 4; i++)
    if (s->dims[i] < 1)
      return refuse (r, node, "the size of the map that it flattens is open");
  set_flat (r, node,
      (Flat){ .map = x->name,
          .c = s->dims[1],
          .h = s->dims[2],
          .w = s->dims[3] });
  return CNN_OK;
}

/* Weights of a dense layer, [in][out] or (transposed) [out][in], to those of
 * a convolution, [out][c][h][w]; in = c*h*w in that order. */
static CnnStatus
add_kernels (Rewrite *r, const CnnNode *node, const CnnValue *b,
    bool transposed, float alpha, const Flat *x, char *name, size_t name_bytes,
    int64_t *classes)
{
  const CnnShape *s = &b->tensor.shape;
  int64_t n_in = x->c * x->h * x->w;
  if (s->rank != 2 || s->dims[transposed ? 1 : 0] != n_in)
    return refuse (r, node, "its weights do not have a row for every input");
  int64_t n_out = s->dims[transposed ? 0 : 1];
  CnnShape kernels = { 4, { n_out, x->c, x->h, x->w } };
  snprintf (name, name_bytes, "%s/kernels", output_name (r, node));
  *classes = n_out;
  if (transposed && alpha == 1)
    return cnn_graph_share_constant (r->to, name, CNN_TYPE_FLOAT32, &kernels,
        b->buffer, r->error);

  float *w = cnn_aligned_alloc ((size_t) (n_in * n_out) * sizeof *w);
  const float *from = b->tensor.data;
  if (!w)
    return cnn_error_memory (r->error, (size_t) (n_in * n_out) * sizeof *w,
        name);
  for (int64_t o = 0; o < n_out; o++)
    for (int64_t i = 0; i < n_in; i++)
      w[o * n_in + i] =
          alpha * (transposed ? from[o * n_in + i] : from[i * n_out + o]);
  CnnTensor tensor = { CNN_TYPE_FLOAT32, kernels, w };
  CnnStatus status = cnn_graph_add_constant (r->to, name, &tensor, r->error);
  free (w);
  return status;
}

/* Bias of Gemm: a scalar, [out] or [1][out], times beta. */
static CnnStatus
add_bias (Rewrite *r, const CnnNode *node, const CnnValue *c, float beta,
    int64_t classes, char *name, size_t name_bytes)
{
  size_t elements;
  if (!c->buffer || c->tensor.type != CNN_TYPE_FLOAT32
      || cnn_shape_elements (&c->tensor.shape, &elements)
      || (elements != 1 && elements != (size_t) classes))
    return refuse (r, node, "its bias is not one constant an output");

  CnnShape shape = { 1, { classes } };
  snprintf (name, name_bytes, "%s/bias", output_name (r, node));
  if (elements == (size_t) classes && beta == 1)
    return cnn_graph_share_constant (r->to, name, CNN_TYPE_FLOAT32, &shape,
        c->buffer, r->error);

  float *bias = cnn_aligned_alloc ((size_t) classes * sizeof *bias);
  const float *from = c->tensor.data;
  if (!bias)
    return cnn_error_memory (r->error, (size_t) classes * sizeof *bias, name);
  for (int64_t i = 0; i < classes; i++)
    bias[i] = beta * from[elements == 1 ? 0 : i];
  CnnTensor tensor = { CNN_TYPE_FLOAT32, shape, bias };
  CnnStatus status = cnn_graph_add_constant (r->to, name, &tensor, r->error);
  free (bias);
  return status;
}

static CnnStatus
dense (Rewrite *r, const CnnNode *node)
{
  const Flat x = r->flats[node->in[0]];
  const CnnValue *b = input_value (r, node, 1), *c = input_value (r, node, 2);
  size_t room = strlen (output_name (r, node)) + 16;
  char *kernels = malloc (room), *bias = malloc (room);
  int64_t classes = 0;
  CnnStatus status;

  if (!kernels || !bias)
    status = cnn_error_memory (r->error, room, "a name");
  else if (!x.known || !b->buffer || b->tensor.type != CNN_TYPE_FLOAT32
      || int_attribute (node, "transA", 0))
    status = refuse (r, node, "it is no dense layer with constant weights");
  else
    status = add_kernels (r, node, b, int_attribute (node, "transB", 0) != 0,
        float_attribute (node, "alpha", 1), &x, kernels, room, &classes);
  if (!status && c)
    status = add_bias (r, node, c, float_attribute (node, "beta", 1), classes,
        bias, room);
  if (!status) {
    const char *in[] = { x.map, kernels, bias };
    int64_t size[] = { x.h, x.w };
    CnnAttribute shape = {
      .name = "kernel_shape",
      .type = CNN_ATTRIBUTE_INTS,
      .count = 2,
      .ints = size,
    };
    status = emit (r, node, "Conv", in, c ? 3 : 2, &shape, 1);
  }
  if (!status)
    set_flat (r, node,
        (Flat){ .map = output_name (r, node), .c = classes, .h = 1, .w = 1 });
  free (bias);
  free (kernels);
  return status;
}

/* A constant beside a row: one number, or one for each element, which becomes
 * c x h x w. */
static CnnStatus
operand (Rewrite *r, const CnnNode *node, const CnnValue *value, const Flat *x,
    char *name, size_t name_bytes)
{
  size_t elements;
  const CnnShape *s = &value->tensor.shape;
  if (cnn_shape_elements (s, &elements))
    return refuse (r, node, "its constant has an open size");
  if (elements == 1 && s->rank <= 2) {
    CnnShape one = { 3, { 1, 1, 1 } };
    snprintf (name, name_bytes, "%s/one", output_name (r, node));
    return cnn_graph_share_constant (r->to, name, value->tensor.type, &one,
        value->buffer, r->error);
  }

  if (s->rank < 1 || s->rank > 2 || (s->rank == 2 && s->dims[0] != 1)
      || elements != (size_t) (x->c * x->h * x->w))
    return refuse (r, node, "its constant is not one number an element");
  if (x->h != 1 || x->w != 1)
    return refuse (r, node, "it differs from place to place in the window");
  CnnShape each = { 3, { x->c, 1, 1 } };
  snprintf (name, name_bytes, "%s/each", output_name (r, node));
  return cnn_graph_share_constant (r->to, name, value->tensor.type, &each,
      value->buffer, r->error);
}

/* Element by element on one row, or two alike, or a row and a constant. */
static CnnStatus
pointwise (Rewrite *r, const CnnNode *node)
{
  const char *in[CNN_MAX_NODE_TENSORS];
  Flat x = { 0 };
  CnnStatus status = CNN_OK;
  size_t room = strlen (output_name (r, node)) + 16;
  char *name = malloc (room);
  if (!name)
    return cnn_error_memory (r->error, room, "a name");

  for (int i = 0; i < node->n_in; i++)
    if (node->in[i] >= 0 && r->flats[node->in[i]].known)
      x = r->flats[node->in[i]];
  for (int i = 0; i < node->n_in && !status; i++) {
    const CnnValue *v = input_value (r, node, i);
    const Flat *f = v ? &r->flats[node->in[i]] : NULL;
    in[i] = v ? v->name : "";
    if (!v)
      continue;
    if (f->known && (f->c != x.c || f->h != x.h || f->w != x.w))
      status = refuse (r, node, "its inputs are flattened differently");
    else if (f->known)
      in[i] = f->map;
    else if (!v->buffer)
      status = refuse (r, node, "one of its inputs is not flattened");
    else if (node->n_in == 2 && v->tensor.type == CNN_TYPE_FLOAT32
        && !is_op (node, "Dropout")) {
      status = operand (r, node, v, &x, name, room);
      in[i] = name;
    } else
      status = bring_constant (r, v);
  }
  if (!status)
    status = emit (r, node, node->op->name, in, node->n_in, node->attributes,
        node->n_attributes);
  x.map = output_name (r, node);
  if (!status)
    set_flat (r, node, x);
  free (name);
  return status;
}

/* Softmax over the classes of each cell. Before opset 13 the operator means
 * all dimensions from its axis on, which no map can use: it becomes the newer
 * one. */
static CnnStatus
softmax (Rewrite *r, const CnnNode *node)
{
  Flat x = r->flats[node->in[0]];
  int64_t otherwise = r->from->opset < 13 ? 1 : -1;
  int64_t axis = int_attribute (node, "axis", otherwise);
  if (x.h != 1 || x.w != 1 || (axis != 1 && axis != -1))
    return refuse (r, node, "it is not taken over the classes");

  const char *in[] = { x.map };
  CnnAttribute one = { .name = "axis", .type = CNN_ATTRIBUTE_INT, .i = 1 };
  if (r->to->opset < 13)
    r->to->opset = 13;
  CnnStatus status = emit (r, node, node->op->name, in, 1, &one, 1);
  r->to->opset = r->from->opset;
  x.map = output_name (r, node);
  if (!status)
    set_flat (r, node, x);
  return status;
}

/* Scale and shift for each feature: the same operator on 1x1 maps. */
static CnnStatus
batch_norm (Rewrite *r, const CnnNode *node)
{
  Flat x = r->flats[node->in[0]];
  const char *in[CNN_MAX_NODE_TENSORS] = { x.map };
  CnnStatus status = CNN_OK;
  if (x.h != 1 || x.w != 1)
    return refuse (r, node, "it differs from place to place in the window");
  for (int i = 1; i < node->n_in && !status; i++) {
    const CnnValue *v = input_value (r, node, i);
    in[i] = v ? v->name : "";
    if (v)
      status = bring_constant (r, v);
  }
  if (!status)
    status = emit (r, node, node->op->name, in, node->n_in, node->attributes,
        node->n_attributes);
  x.map = output_name (r, node);
  if (!status)
    set_flat (r, node, x);
  return status;
}

static CnnStatus
rewrite_node (Rewrite *r, const CnnNode *node)
{
  bool reads_row = false;
  for (int i = 0; i < node->n_in; i++)
    if (node->in[i] >= 0 && r->flats[node->in[i]].known)
      reads_row = true;
  bool flattens = is_op (node, "Flatten") || is_op (node, "Reshape");

  if (!reads_row && !flattens)
    return keep_node (r, node);
  if (node->out[0] < 0)
    return CNN_OK;
  if (flattens)
    return flatten (r, node);
  if (is_op (node, "Gemm") || is_op (node, "MatMul"))
    return dense (r, node);
  if (is_op (node, "Softmax") || is_op (node, "LogSoftmax"))
    return softmax (r, node);
  if (is_op (node, "BatchNormalization"))
    return batch_norm (r, node);
  if (node->op->geometry == cnn_op_geometry_pointwise)
    return pointwise (r, node);
  return refuse (r, node, "it does not work element by element");
}

static CnnStatus
add_map_input (Rewrite *r)
{
  const CnnValue *x = &r->from->values[r->from->inputs[0]];
  CnnShape shape = x->tensor.shape;
  if (r->from->n_inputs != 1 || shape.rank != 4)
    return cnn_error_set (r->error, CNN_ERROR_UNSUPPORTED,
        "a class map needs a network with one picture, n c h w, as input");
  shape.dims[0] = shape.dims[2] = shape.dims[3] = -1;
  return cnn_graph_add_input (r->to, x->name, x->tensor.type, &shape, r->error);
}

static CnnStatus
add_map_outputs (Rewrite *r)
{
  CnnStatus status = CNN_OK;
  for (size_t i = 0; i < r->from->n_outputs && !status; i++) {
    int v = r->from->outputs[i];
    const Flat *f = &r->flats[v];
    const char *name = f->known ? f->map : r->from->values[v].name;
    if (f->known && (f->h != 1 || f->w != 1))
      return cnn_error_set (r->error, CNN_ERROR_UNSUPPORTED,
          "output '%s' is a flattened map of %" PRId64 "x%" PRId64 "x%" PRId64
          " without a dense layer behind it",
          r->from->values[v].name, f->c, f->h, f->w);
    status = cnn_graph_add_output (r->to, name, r->error);
  }
  return status;
}

CnnStatus
cnn_graph_dense_to_conv (const CnnGraph *graph, CnnGraph **map, CnnError *error)
{
  Rewrite r = { .from = graph, .error = error };
  CnnStatus status = cnn_graph_new (graph->opset, &r.to, error);
  if (status)
    return status;
  r.flats = calloc (graph->n_values + 1, sizeof *r.flats);
  if (!r.flats) {
    status = cnn_error_memory (error, graph->n_values, "rewriting");
    goto done;
  }

  for (size_t i = 0; i < graph->n_metadata && !status; i++)
    status =
        cnn_graph_set_metadata (r.to, graph->keys[i], graph->texts[i], error);
  if (!status)
    status = add_map_input (&r);
  for (size_t n = 0; n < graph->n_nodes && !status; n++)
    status = rewrite_node (&r, &graph->nodes[n]);
  if (!status)
    status = add_map_outputs (&r);

done:
  free (r.flats);
  if (status)
    cnn_graph_free (r.to);
  else
    *map = r.to;
  return status;
}
