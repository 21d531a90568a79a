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
 * The old graph is followed on one window. What works on maps is kept; what
 * moves elements (Flatten, Transpose, Reshape) leaves the map as it is and
 * changes only which of its elements a value is (CnnView). */

#include "graph/rewrite.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "ops/shapes.h"
#include "tensor/convert.h"

static const char *const aliases[] = { "Identity", "Dropout", NULL };
static const char *const moves[] = { "Reshape", "Flatten", "Squeeze",
  "Unsqueeze", "Transpose", NULL };
static const char *const partial_moves[] = { "Slice", "Gather", "Split",
  "Expand", "Tile", NULL };
static const char *const dense[] = { "Gemm", "MatMul", NULL };
static const char *const softmaxes[] = { "Softmax", "LogSoftmax", "Hardmax",
  NULL };

static bool
is_reduction (const CnnNode *node)
{
  return !strncmp (node->op->name, "Reduce", 6)
      || !strncmp (node->op->name, "Global", 6);
}

/* Do all views that @node reads stand for maps as they are? */
static bool
reads_maps (const CnnRewrite *r, const CnnNode *node)
{
  for (int i = 0; i < node->n_in; i++) {
    const CnnView *view = cnn_rewrite_view (r, node, i);
    if (view && !cnn_view_is_map (view, &r->tensors[node->in[i]].shape))
      return false;
  }
  return true;
}

/* Constants that a window and a whole frame can both be combined with. */
static bool
has_local_constants (const CnnRewrite *r, const CnnNode *node)
{
  for (int i = 0; i < node->n_in; i++) {
    const CnnValue *value = cnn_rewrite_value (r, node, i);
    const CnnShape *s = value ? &value->tensor.shape : NULL;
    if (!value || !value->buffer)
      continue;
    for (int d = s->rank - 1; d >= 0 && d >= s->rank - 2; d--)
      if (s->dims[d] != 1)
        return false;
  }
  return true;
}

static bool
has_place (const CnnRewrite *r, const CnnNode *node)
{
  const CnnTensor *in[CNN_MAX_NODE_TENSORS] = { NULL };
  CnnOpGeometry geometry;
  cnn_node_inputs (node, r->tensors, in);
  return node->op->geometry && node->op->geometry (node->params, in, &geometry);
}

/* Name in the new graph of what @node reads as input @i. */
static CnnStatus
kept_input (CnnRewrite *r, const CnnNode *node, int i, const char **name)
{
  const CnnValue *value = cnn_rewrite_value (r, node, i);
  const CnnView *view = cnn_rewrite_view (r, node, i);
  *name = value ? value->name : "";
  if (!value || r->present[node->in[i]])
    return CNN_OK;
  if (view)
    return cnn_view_map (r, node, view, &r->tensors[node->in[i]].shape, name);
  if (value->buffer)
    return cnn_rewrite_bring (r, value);
  return cnn_rewrite_refuse (r, node,
      "one of its inputs depends on the size of the window");
}

/* Ends of a Slice count from the front of a window; on a frame they have to
 * count from the end. @in: its inputs' names; the third may change. */
static CnnStatus
relative_ends (CnnRewrite *r, const CnnNode *node, const char **in)
{
  const CnnTensor *ends = &r->tensors[node->in[2]];
  const CnnTensor *axes =
      node->n_in > 3 && node->in[3] >= 0 ? &r->tensors[node->in[3]] : NULL;
  const CnnShape *x = &r->tensors[node->in[0]].shape;
  int64_t changed[CNN_MAX_RANK];
  size_t count = cnn_elements (ends);
  if (!r->from->values[node->in[2]].buffer || ends->type != CNN_TYPE_INT64
      || count > CNN_MAX_RANK || (axes && axes->type != CNN_TYPE_INT64))
    return CNN_OK;
  for (size_t i = 0; i < count; i++) {
    int64_t axis = axes ? ((int64_t *) axes->data)[i] : (int64_t) i;
    int64_t size = x->dims[axis < 0 ? axis + x->rank : axis];
    changed[i] = ((int64_t *) ends->data)[i];
    if (axis != 1 && axis != 1 - x->rank && changed[i] >= 0)
      changed[i] = changed[i] < size ? changed[i] - size : INT64_MAX;
  }
  return cnn_rewrite_constant (r, node, "ends", CNN_TYPE_INT64, &ends->shape,
      changed, &in[2]);
}

/* Sizes of a Resize are a window's; on a frame only scales make sense. */
static CnnStatus
relative_sizes (CnnRewrite *r, const CnnNode *node, const char **in, int *n_in)
{
  const CnnShape *x = &r->tensors[node->in[0]].shape;
  const CnnShape *y = &r->tensors[node->out[0]].shape;
  float scales[CNN_MAX_RANK];
  if (node->n_in < 4 || node->in[3] < 0 || r->present[node->in[3]]
      || x->rank != y->rank)
    return CNN_OK;
  for (int d = 0; d < x->rank; d++)
    scales[d] = (float) y->dims[d] / (float) x->dims[d];
  if (cnn_node_attribute (node, "axes"))
    return cnn_rewrite_refuse (r, node, "it names sizes of some axes only");
  *n_in = 3;
  return cnn_rewrite_constant (r, node, "scales", CNN_TYPE_FLOAT32,
      &(CnnShape){ 1, { x->rank } }, scales, &in[2]);
}

/* A node that works on maps of any size: as it is. */
static CnnStatus
keep (CnnRewrite *r, const CnnNode *node)
{
  const char *in[CNN_MAX_NODE_TENSORS];
  CnnStatus status = CNN_OK;
  int n_in = node->n_in;
  bool resize = !strcmp (node->op->name, "Resize");
  if (!has_place (r, node))
    return cnn_rewrite_refuse (r, node,
        "it looks at all of a picture, not at places of it");
  for (int i = 0; i < n_in && !status; i++)
    status = resize && i == 3 && !r->present[node->in[3]]
        ? CNN_OK
        : kept_input (r, node, i, &in[i]);
  if (!status && !strcmp (node->op->name, "Slice") && n_in > 2)
    status = relative_ends (r, node, in);
  if (!status && resize)
    status = relative_sizes (r, node, in, &n_in);
  if (!status)
    status = cnn_rewrite_emit (r, node, node->op->name, in, n_in,
        node->attributes, node->n_attributes, 0);
  for (int i = 0; i < node->n_out && !status; i++) {
    const CnnTensor *t = node->out[i] < 0 ? NULL : &r->tensors[node->out[i]];
    if (t && (t->shape.rank != 4 || t->shape.dims[0] != 1))
      return cnn_rewrite_refuse (r, node, "its output is no map of n c h w");
    if (t)
      cnn_rewrite_set (r, node, i,
          (CnnView){ .map = r->from->values[node->out[i]].name,
              .c = t->shape.dims[1],
              .h = t->shape.dims[2],
              .w = t->shape.dims[3] });
  }
  return status;
}

/* Arithmetic on shapes has values for a window, which moves and dense layers
 * use. It is kept beside them, for what it says of any picture's size. */
static CnnStatus
keep_arithmetic (CnnRewrite *r, const CnnNode *node)
{
  const char *in[CNN_MAX_NODE_TENSORS];
  CnnStatus status = CNN_OK;
  for (int i = 0; i < node->n_in; i++) {
    const CnnView *view = cnn_rewrite_view (r, node, i);
    bool here = node->in[i] < 0 || r->present[node->in[i]]
        || r->from->values[node->in[i]].buffer
        || (view && cnn_view_is_map (view, &r->tensors[node->in[i]].shape));
    if (!here)
      return CNN_OK;
  }
  for (int i = 0; i < node->n_in && !status; i++)
    status = kept_input (r, node, i, &in[i]);
  if (!status)
    status = cnn_rewrite_emit (r, node, node->op->name, in, node->n_in,
        node->attributes, node->n_attributes, 0);
  for (int i = 0; i < node->n_out && !status; i++)
    if (node->out[i] >= 0)
      r->present[node->out[i]] = true;
  return status;
}

static bool
is_known (const CnnRewrite *r, const CnnNode *node)
{
  for (int i = 0; i < node->n_out; i++)
    if (node->out[i] >= 0 && !r->tensors[node->out[i]].data)
      return false;
  return true;
}

/* Conv with 1x1 kernels on a map that was folded into channels. */
static bool
is_dense_conv (const CnnRewrite *r, const CnnNode *node)
{
  const CnnShape *y = &r->tensors[node->out[0]].shape;
  const CnnView *view = cnn_rewrite_view (r, node, 0);
  const CnnShape *x = &r->tensors[node->in[0]].shape;
  return !strcmp (node->op->name, "Conv") && view && x->rank == 4
      && y->rank == 4 && x->dims[2] == 1 && x->dims[3] == 1 && y->dims[2] == 1
      && y->dims[3] == 1 && (view->h > 1 || view->w > 1);
}

/* From one float precision to another: maps compute in float32 throughout. */
static bool
is_precision (const CnnRewrite *r, const CnnNode *node)
{
  return !strncmp (node->op->name, "Cast", 4)
      && cnn_type_is_float (r->tensors[node->in[0]].type)
      && cnn_type_is_float (r->tensors[node->out[0]].type);
}

static CnnStatus
rewrite_node (CnnRewrite *r, const CnnNode *node)
{
  const CnnView *view = cnn_rewrite_view (r, node, 0);
  bool maps = reads_maps (r, node);
  if (is_known (r, node))
    return keep_arithmetic (r, node);
  if (view && (cnn_node_is_one_of (node, aliases) || is_precision (r, node))) {
    cnn_rewrite_set (r, node, 0, *view);
    return CNN_OK;
  }
  if (cnn_node_is_one_of (node, moves))
    return cnn_rewrite_move (r, node);
  if (cnn_node_is_one_of (node, dense))
    return cnn_rewrite_dense (r, node);
  if (cnn_node_is_one_of (node, softmaxes))
    return cnn_rewrite_softmax (r, node);
  if (is_reduction (node))
    return cnn_rewrite_reduce (r, node);
  if (is_dense_conv (r, node))
    return cnn_rewrite_dense (r, node);
  if (cnn_node_is_one_of (node, partial_moves)
      && !(maps && has_place (r, node)))
    return cnn_rewrite_move (r, node);
  if (!strcmp (node->op->name, "Concat") && !(maps && has_place (r, node)))
    return cnn_rewrite_join (r, node);
  if (node->op->geometry == cnn_op_geometry_pointwise
      && !(maps && (node->op->fixed_in || has_local_constants (r, node))))
    return cnn_rewrite_elements (r, node);
  return keep (r, node);
}

/* What reads a picture of n h w c turns it first. */
bool
cnn_graph_is_channels_last (const CnnGraph *graph)
{
  static const int64_t order[] = { 0, 3, 1, 2 };
  bool read = false;
  for (size_t n = 0; n < graph->n_nodes && graph->n_inputs; n++) {
    const CnnNode *node = &graph->nodes[n];
    for (int i = 0; i < node->n_in; i++) {
      if (node->in[i] != graph->inputs[0])
        continue;
      read = true;
      if (strcmp (node->op->name, "Transpose") || node->n_attributes != 1
          || node->attributes[0].count != 4
          || memcmp (node->attributes[0].ints, order, sizeof order))
        return false;
    }
  }
  return read;
}

/* Side of the window on which a map network without a size of its own is
 * followed: it can be halved as often as any network does. */
#define OPEN_SIDE 256

/* The window: a batch of one, as declared. @picture: n c h w of it. */
static CnnStatus
window_shape (CnnRewrite *r, CnnShape *window, CnnView *picture)
{
  const CnnValue *x = &r->from->values[r->from->inputs[0]];
  size_t elements;
  *window = x->tensor.shape;
  if (window->rank != 4)
    return cnn_error_set (r->error, CNN_ERROR_UNSUPPORTED,
        "a class map needs a network with one picture, n c h w, as input");
  window->dims[0] = 1;
  bool last = cnn_graph_is_channels_last (r->from);
  bool is_map = r->from->values[r->from->outputs[0]].tensor.shape.rank == 4;
  for (int i = 1; i < 4 && is_map; i++)
    if (i != (last ? 3 : 1) && window->dims[i] < 1)
      window->dims[i] = OPEN_SIDE;
  for (int i = 1; i < 4; i++)
    if (window->dims[i] < 1)
      return cnn_error_set (r->error, CNN_ERROR_UNSUPPORTED,
          "the size of the network's input '%s' is not fixed: how large its "
          "windows are is not known",
          x->name);
  if (cnn_shape_elements (window, &elements) || elements > INT32_MAX)
    return cnn_error_set (r->error, CNN_ERROR_UNSUPPORTED,
        "the network's input '%s' is too large for a window", x->name);
  *picture = (CnnView){ .known = true,
    .map = x->name,
    .c = window->dims[last ? 3 : 1],
    .h = window->dims[last ? 1 : 2],
    .w = window->dims[last ? 2 : 3] };
  if (!last)
    return CNN_OK;

  int64_t count = picture->c * picture->h * picture->w;
  int32_t *index = malloc ((size_t) count * sizeof *index);
  for (int64_t e = 0; index && e < count; e++)
    index[e] =
        (int32_t) (e % picture->c * picture->h * picture->w + e / picture->c);
  picture->index = index;
  return cnn_rewrite_keep_index (r, index);
}

static CnnStatus
add_input (CnnRewrite *r)
{
  if (r->from->n_inputs != 1)
    return cnn_error_set (r->error, CNN_ERROR_UNSUPPORTED,
        "a class map needs a network with one input, this one has %zu",
        r->from->n_inputs);
  int x = r->from->inputs[0];
  CnnTensor window = { .type = r->from->values[x].tensor.type };
  CnnView picture;
  CnnStatus status = window_shape (r, &window.shape, &picture);
  if (!status)
    status =
        cnn_graph_infer (r->from, &window, &r->known, r->tensors, r->error);
  if (status)
    return status;
  r->views[x] = picture;
  CnnShape shape = { 4, { -1, picture.c, -1, -1 } };
  return cnn_graph_add_input (r->to, picture.map, CNN_TYPE_FLOAT32, &shape,
      r->error);
}

/* Are the elements those of the map, n h w c or with places in a row? */
static bool
is_turned_map (const CnnView *view, const CnnShape *shape)
{
  int64_t count = (int64_t) cnn_product (shape, 0, shape->rank);
  int64_t places = view->h * view->w;
  if (count != cnn_view_elements (view) || shape->rank < 3)
    return false;
  bool plain = !view->index;
  for (int64_t e = 0; e < count && !plain; e++)
    if (view->index[e] != e % view->c * places + e / view->c)
      return false;
  return true;
}

/* Answers of a quantised network, or a map of winners, as numbers. */
static CnnStatus
as_float (CnnRewrite *r, int v, const char **name)
{
  CnnAttribute to = { .name = "to",
    .type = CNN_ATTRIBUTE_INT,
    .i = CNN_TYPE_FLOAT32 };
  CnnNode output = { .name = r->from->values[v].name,
    .n_out = 1,
    .out = { v } };
  if (cnn_type_is_float (r->tensors[v].type))
    return CNN_OK;
  return cnn_rewrite_add (r, &output, "float32", "Cast", name, 1, &to, name);
}

static CnnStatus
add_output (CnnRewrite *r, int v)
{
  const CnnView *view = &r->views[v];
  const CnnShape *shape = &r->tensors[v].shape;
  const char *name = view->map;
  CnnNode output = { .op = cnn_op_find ("Identity"),
    .name = r->from->values[v].name,
    .n_out = 1,
    .out = { v } };
  CnnStatus status = CNN_OK;
  if (!view->known)
    return cnn_error_set (r->error, CNN_ERROR_UNSUPPORTED,
        "output '%s' is no map", r->from->values[v].name);
  if (view->h == 1 && view->w == 1) {
    CnnShape row = { 4,
      { 1, (int64_t) cnn_product (shape, 0, shape->rank), 1, 1 } };
    status = cnn_view_map (r, &output, view, &row, &name);
  } else if (!is_turned_map (view, shape)) {
    status = cnn_error_set (r->error, CNN_ERROR_UNSUPPORTED,
        "output '%s' is a flattened map of %" PRId64 "x%" PRId64 "x%" PRId64
        " without a dense layer behind it",
        r->from->values[v].name, view->c, view->h, view->w);
  }
  if (!status)
    status = as_float (r, v, &name);
  const char *boxes = cnn_graph_metadata (r->to, "convnet.boxes");
  if (!status && boxes && !strcmp (boxes, r->from->values[v].name))
    status = cnn_graph_set_metadata (r->to, "convnet.boxes", name, r->error);
  return status ? status : cnn_graph_add_output (r->to, name, r->error);
}

static CnnStatus
rewrite (CnnRewrite *r)
{
  const CnnGraph *from = r->from;
  CnnStatus status = CNN_OK;
  for (size_t i = 0; i < from->n_metadata && !status; i++)
    status =
        cnn_graph_set_metadata (r->to, from->keys[i], from->texts[i], r->error);
  if (!status)
    status = add_input (r);
  for (size_t n = 0; n < from->n_nodes && !status; n++)
    status = rewrite_node (r, &from->nodes[n]);
  for (size_t i = 0; i < from->n_outputs && !status; i++)
    status = add_output (r, from->outputs[i]);
  return status;
}

CnnStatus
cnn_graph_dense_to_conv (const CnnGraph *graph, CnnGraph **map, CnnError *error)
{
  CnnRewrite r = { .from = graph, .error = error };
  CnnStatus status = cnn_graph_new (graph->opset, &r.to, error);
  if (status)
    return status;
  r.tensors = calloc (graph->n_values + 1, sizeof *r.tensors);
  r.views = calloc (graph->n_values + 1, sizeof *r.views);
  r.present = calloc (graph->n_values + 1, sizeof *r.present);
  if (!r.tensors || !r.views || !r.present)
    status = cnn_error_memory (error, graph->n_values, "rewriting");
  if (!status)
    status = rewrite (&r);

  free (r.present);
  free (r.views);
  free (r.tensors);
  cnn_known_clear (&r.known);
  if (status)
    cnn_graph_free (r.to);
  else
    *map = r.to;
  return status;
}
