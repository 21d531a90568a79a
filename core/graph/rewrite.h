/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rewrite.h (internal): what the files share that turn a fixed-size classifier
 * into a class map.
 *
 * The old graph runs on one window: its values are tensors of known shape. In
 * the new one the same network runs on pictures of any size. Each value of the
 * old graph is followed as a view of a map of the new one. */

#ifndef CNN_GRAPH_REWRITE_H
#define CNN_GRAPH_REWRITE_H

#include "graph/infer.h"

/**
 * CnnView:
 * @known: false: no map holds this value
 * @map: name of the map in the new graph
 * @c: @h: @w: what of the map belongs to one window
 * @index: (nullable): for each element of the old value, in its own row-major
 *   order, which of the c*h*w elements (row-major) it is; NULL if it is that
 *   order itself
 */
typedef struct
{
  bool known;
  const char *map;
  int64_t c, h, w;
  const int32_t *index;
} CnnView;

/**
 * CnnRewrite:
 * @from: the classifier
 * @tensors: of its values, for one window; data where it is known
 * @to: the map network that is made
 * @views: one a value of @from
 * @present: values of @from that exist in @to under their name, whatever the
 *   picture's size: shape arithmetic
 * @known: memory of values known, and of the indices
 */
typedef struct
{
  const CnnGraph *from;
  CnnTensor *tensors;
  CnnGraph *to;
  CnnView *views;
  bool *present;
  CnnKnown known;
  CnnError *error;
} CnnRewrite;

/** cnn_rewrite_refuse: CNN_ERROR_UNSUPPORTED: "... can't become part of a class
 * map: why". */
CnnStatus
cnn_rewrite_refuse (const CnnRewrite *r, const CnnNode *node, const char *why);

/** cnn_rewrite_value: Returns: (nullable): input @i of @node, as a value of the
 * old graph. */
const CnnValue *
cnn_rewrite_value (const CnnRewrite *r, const CnnNode *node, int i);

/** cnn_rewrite_view: Returns: (nullable): input @i's view, if it is one. */
const CnnView *
cnn_rewrite_view (const CnnRewrite *r, const CnnNode *node, int i);

/** cnn_rewrite_int, cnn_rewrite_float: an attribute of a node. */
int64_t
cnn_rewrite_int (const CnnNode *node, const char *name, int64_t otherwise);
float
cnn_rewrite_float (const CnnNode *node, const char *name, float otherwise);

/** cnn_rewrite_set: output @i of @node is @view. */
void cnn_rewrite_set (CnnRewrite *r, const CnnNode *node, int i, CnnView view);

/** cnn_rewrite_set_index: output @i of @node, which is wanted, is @view's map
 * in the order of @index (borrowed), one an element; none if that is row-major.
 */
void cnn_rewrite_set_index (CnnRewrite *r, const CnnNode *node, int i,
    CnnView view, const int32_t *index);

/**
 * cnn_rewrite_emit:
 * @op: ONNX's name
 * @in: names of values of the new graph
 * @opset: version that inputs and attributes follow; 0 = as @node
 *
 * Adds a node to the new graph, named as @node, with the names of @node's
 * outputs.
 */
CnnStatus cnn_rewrite_emit (CnnRewrite *r, const CnnNode *node, const char *op,
    const char *const *in, int n_in, const CnnAttribute *attributes,
    int n_attributes, int opset);

/** cnn_rewrite_name: Returns: (transfer full) (nullable): "output/suffix", a
 * name for the new graph. */
char *
cnn_rewrite_name (const CnnRewrite *r, const CnnNode *node, const char *suffix);

/** cnn_rewrite_constant: adds a constant called after @node's output, with
 * @suffix. @name: (out): its name. @data is copied. */
CnnStatus cnn_rewrite_constant (CnnRewrite *r, const CnnNode *node,
    const char *suffix, CnnType type, const CnnShape *shape, const void *data,
    const char **name);

/** cnn_rewrite_share: as cnn_rewrite_constant(), sharing the elements of a
 * constant of the old graph. */
CnnStatus cnn_rewrite_share (CnnRewrite *r, const CnnNode *node,
    const char *suffix, const CnnValue *value, const CnnShape *shape,
    const char **name);

/** cnn_rewrite_add: adds a node with one output and one attribute, called after
 * @node's output, with @suffix. @name: (out): its output's. */
CnnStatus cnn_rewrite_add (CnnRewrite *r, const CnnNode *node,
    const char *suffix, const char *op, const char *const *in, int n_in,
    const CnnAttribute *attribute, const char **name);

/** cnn_rewrite_bring: a constant of the old graph enters the new one. */
CnnStatus cnn_rewrite_bring (CnnRewrite *r, const CnnValue *value);

/** cnn_rewrite_keep_index: takes @index (malloc'ed) over, also on failure. */
CnnStatus cnn_rewrite_keep_index (CnnRewrite *r, int32_t *index);

/** cnn_view_at: which element of the map element @e of the old value is. */
static inline int64_t
cnn_view_at (const CnnView *view, int64_t e)
{
  return view->index ? view->index[e] : e;
}

/** cnn_view_elements: elements of the map that belong to one window. */
static inline int64_t
cnn_view_elements (const CnnView *view)
{
  return view->c * view->h * view->w;
}

/** cnn_view_is_map: is a value of @shape the map itself: 1 c h w? */
bool cnn_view_is_map (const CnnView *view, const CnnShape *shape);

/** cnn_view_lines: do the elements of @shape along its dimensions @axis ... @to
 * - 1 run over all channels of one place, everywhere? */
bool
cnn_view_lines (const CnnView *view, const CnnShape *shape, int axis, int to);

/** cnn_view_same: are two values of equal shape the same elements of maps of
 * the same size? */
bool cnn_view_same (const CnnView *a, const CnnShape *shape_a, const CnnView *b,
    const CnnShape *shape_b);

/** cnn_view_map: name of a map of the new graph that is what a value of @shape,
 * 1 c' h w, is; adds a Gather of channels if it has to. */
CnnStatus cnn_view_map (CnnRewrite *r, const CnnNode *node, const CnnView *view,
    const CnnShape *shape, const char **name);

/** cnn_rewrite_move: Reshape, Transpose, Slice...: what @node does with the
 * elements is done with their indices. */
CnnStatus cnn_rewrite_move (CnnRewrite *r, const CnnNode *node);

/** cnn_rewrite_join: Concat of views. */
CnnStatus cnn_rewrite_join (CnnRewrite *r, const CnnNode *node);

/** cnn_rewrite_dense: Gemm, MatMul and 1x1 Conv of a flattened map become a
 * Conv. */
CnnStatus cnn_rewrite_dense (CnnRewrite *r, const CnnNode *node);

/** cnn_rewrite_elements: operators that work element by element. */
CnnStatus cnn_rewrite_elements (CnnRewrite *r, const CnnNode *node);

/** cnn_rewrite_reduce: global pools and reductions become pools of the window's
 * size, or reductions over channels. */
CnnStatus cnn_rewrite_reduce (CnnRewrite *r, const CnnNode *node);

/** cnn_rewrite_softmax: along the channels. */
CnnStatus cnn_rewrite_softmax (CnnRewrite *r, const CnnNode *node);

#endif
