/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* incremental.c: from the changed cells of a node's inputs to those of its
 * output, and computing only these.
 *
 *   x--Conv 5x5--a--MaxPool 2x2--b--Gemm--y
 *      rectangle    rectangle       all
 *      + 2 each way / 2
 *
 * Works on values that all keep their memory from run to run. A changed
 * rectangle becomes the rectangle of all cells that see it (geometry of the
 * operator), so a result is exactly what a run of everything would give; what
 * no operator can say a rectangle of is computed whole, and everything behind
 * it too.
 *
 * Convolutions and pools compute a rectangle where it lies. Operators that go
 * cell by cell need not know of rectangles: they get copies of pieces, which
 * costs little beside the convolutions around them. */

#include "graph/incremental.h"

#include <string.h>

#include "base/memory.h"
#include "base/size.h"

/* With more than this part of the cells changed, a run of all is no slower. */
#define MOST_NUMERATOR   3
#define MOST_DENOMINATOR 4

static bool
is_map (const CnnTensor *t)
{
  return t && t->shape.rank == 4 && t->shape.dims[0] == 1
      && t->shape.dims[2] > 0 && t->shape.dims[3] > 0;
}

static int
width_of (const CnnTensor *map)
{
  return (int) map->shape.dims[map->shape.rank - 1];
}

static int
height_of (const CnnTensor *map)
{
  return (int) map->shape.dims[map->shape.rank - 2];
}

/* Does @t have a value for each cell of @map, in its last two dimensions? */
static bool
goes_along (const CnnTensor *t, const CnnTensor *map)
{
  return t && t->shape.rank >= 2 && width_of (t) == width_of (map)
      && height_of (t) == height_of (map);
}

static CnnTensor
piece_of (const CnnTensor *t, int width, int height)
{
  CnnTensor piece = *t;
  piece.shape.dims[t->shape.rank - 1] = width;
  piece.shape.dims[t->shape.rank - 2] = height;
  piece.data = NULL;
  return piece;
}

/* Does a smaller map give a smaller map? Not if an input that is the same for
 * all pieces has more than one row or column. */
static bool
takes_pieces (const CnnNode *node, const CnnTensor *const *in,
    const CnnTensor *out)
{
  const CnnTensor *pieces[CNN_MAX_NODE_TENSORS];
  CnnTensor copies[CNN_MAX_NODE_TENSORS], result = { 0 };
  int width = width_of (out), height = height_of (out);
  width -= width > 1;
  height -= height > 1;
  for (int i = 0; i < node->n_in; i++) {
    pieces[i] = in[i];
    if (!goes_along (in[i], out))
      continue;
    copies[i] = piece_of (in[i], width, height);
    pieces[i] = &copies[i];
  }
  CnnTensor wanted = piece_of (out, width, height);
  return !node->op->infer (node->params, pieces, node->n_in, &result, 1, NULL)
      && cnn_shape_equal (&result.shape, &wanted.shape);
}

static bool
is_cellwise (const CnnNode *node, const CnnTensor *const *in,
    const CnnTensor *out)
{
  CnnOpGeometry g;
  const CnnOp *op = node->op;
  if (!op->cellwise || !op->cellwise (node->params, in) || op->scratch_bytes
      || !op->geometry (node->params, in, &g))
    return false;
  for (int i = 1; i < node->n_out; i++)
    if (node->out[i] >= 0)
      return false;
  for (int a = 0; a < 2; a++)
    if (g.window[a] != 1 || g.stride[a] != 1 || g.offset[a] || g.up[a] > 1)
      return false;
  return takes_pieces (node, in, out);
}

CnnRedoNode
cnn_redo_plan (const CnnNode *node, const CnnTensor *tensors)
{
  const CnnTensor *in[CNN_MAX_NODE_TENSORS] = { NULL };
  const CnnOp *op = node->op;
  CnnRedoNode redo = { .how = CNN_REDO_WHOLE };
  cnn_node_inputs (node, tensors, in);
  if (!node->n_in || node->out[0] < 0)
    return redo;
  const CnnTensor *out = &tensors[node->out[0]];
  if (!is_map (out))
    return redo;
  if (op->regional && is_map (in[0])
      && op->geometry (node->params, in, &redo.look))
    redo.how = CNN_REDO_REGION;
  else if (is_cellwise (node, in, out))
    redo.how = CNN_REDO_CELLS;
  return redo;
}

static size_t
map_bytes (const CnnTensor *t, int width, int height)
{
  size_t bytes = 0;
  CnnTensor piece = piece_of (t, width, height);
  cnn_tensor_bytes (&piece, &bytes);
  return cnn_align_up (bytes + CNN_SLACK_BYTES);
}

size_t
cnn_redo_scratch_bytes (const CnnNode *node, const CnnRedoNode *redo,
    const CnnTensor *tensors)
{
  const CnnTensor *in[CNN_MAX_NODE_TENSORS] = { NULL };
  if (redo->how != CNN_REDO_CELLS)
    return 0;
  const CnnTensor *out = &tensors[node->out[0]];
  int width = width_of (out), height = height_of (out);
  size_t bytes = map_bytes (out, width, height);
  cnn_node_inputs (node, tensors, in);
  for (int i = 0; i < node->n_in; i++)
    if (goes_along (in[i], out))
      bytes += map_bytes (in[i], width, height);
  return bytes;
}

/* -- which cells ------------------------------------------------------- */

static int
limit (int64_t n, int size)
{
  return n < 0 ? 0 : n > size ? size : (int) n;
}

/* Of @size cells along axis @a those to compute again where pixels @begin ...
 * @end - 1 are new: those that look at one, and their neighbours in the same
 * square of the grid. Cells beyond the map's end count, too: squares that reach
 * over it look at what these would. */
static void
cells_after (const CnnOpGeometry *g, int a, int grid, const int pixels[2],
    int size, int *first, int *last)
{
  int64_t up = g->up[a] > 0 ? g->up[a] : 1;
  int64_t low = up * ((int64_t) pixels[0] - g->window[a] + 1) - g->offset[a];
  int64_t high = up * (int64_t) pixels[1] - g->offset[a];
  low = cnn_dim_ceil_div (low, g->stride[a]);
  high = cnn_dim_ceil_div (high, g->stride[a]);
  *first = *last = 0;
  if (high <= low)
    return;
  *first = limit (cnn_dim_floor_div (low, grid) * grid, size);
  *last = limit (cnn_dim_ceil_div (high, grid) * grid, size);
}

/* What to compute again of the output where @changed of input 0 is new. */
static CnnRegion
region_after (const CnnRedoNode *redo, const CnnOpCall *call, const CnnOp *op,
    const CnnRegion *changed)
{
  const CnnTensor *out = call->out[0];
  const int x[] = { changed->x0, changed->x1 };
  const int y[] = { changed->y0, changed->y1 };
  int grid[2] = { 1, 1 };
  CnnRegion r;
  if (op->region_grid)
    op->region_grid (call, grid);
  cells_after (&redo->look, 0, grid[0], y, height_of (out), &r.y0, &r.y1);
  cells_after (&redo->look, 1, grid[1], x, width_of (out), &r.x0, &r.x1);
  return r;
}

/* Returns: false if all of the output follows from what has changed. */
static bool
add_changes (const CnnNode *node, const CnnRedoNode *redo,
    const CnnOpCall *call, int i, const CnnChange *change, CnnRegions *regions)
{
  bool cells = redo->how == CNN_REDO_CELLS;
  if (change->all || redo->how == CNN_REDO_WHOLE || (!cells && i)
      || (cells && !goes_along (call->in[i], call->out[0])))
    return false;
  for (int k = 0; k < change->regions.count; k++) {
    CnnRegion r = change->regions.items[k];
    if (!cells)
      r = region_after (redo, call, node->op, &r);
    cnn_regions_add (regions, &r, 0);
  }
  return true;
}

static bool
has_changed (const CnnChange *change)
{
  return change->all || change->regions.count;
}

/* What to compute again of a node's outputs. */
static CnnChange
change_after (const CnnNode *node, const CnnRedoNode *redo,
    const CnnOpCall *call, const CnnChange *changes)
{
  CnnChange after = { 0 };
  for (int i = 0; i < node->n_in && !after.all; i++)
    if (node->in[i] >= 0 && has_changed (&changes[node->in[i]]))
      after.all = !add_changes (node, redo, call, i, &changes[node->in[i]],
          &after.regions);
  if (after.all || !after.regions.count)
    return after;
  int64_t cells = (int64_t) width_of (call->out[0]) * height_of (call->out[0]);
  after.all = cnn_regions_cells (&after.regions) * MOST_DENOMINATOR
      > cells * MOST_NUMERATOR;
  return after;
}

/* -- computing them ---------------------------------------------------- */

/* A piece of all planes of @map, to or from @dense memory. */
static void
move_piece (const CnnTensor *map, const CnnRegion *r, char *dense, bool put)
{
  size_t bytes = cnn_type_bytes (map->type), planes = 1;
  size_t pitch = (size_t) width_of (map) * bytes;
  size_t n = (size_t) (r->x1 - r->x0) * bytes;
  for (int i = 0; i < map->shape.rank - 2; i++)
    planes *= (size_t) map->shape.dims[i];
  for (size_t p = 0; p < planes; p++)
    for (int y = r->y0; y < r->y1; y++, dense += n) {
      size_t row = p * (size_t) height_of (map) + (size_t) y;
      char *at = (char *) map->data + row * pitch + (size_t) r->x0 * bytes;
      if (put)
        memcpy (at, dense, n);
      else
        memcpy (dense, at, n);
    }
}

static void
run_cells (const CnnNode *node, const CnnRedoNode *redo, const CnnOpCall *call,
    const CnnRegion *r)
{
  const CnnTensor *in[CNN_MAX_NODE_TENSORS], *map = call->out[0];
  CnnTensor pieces[CNN_MAX_NODE_TENSORS];
  int width = r->x1 - r->x0, height = r->y1 - r->y0;
  CnnTensor piece = piece_of (map, width, height);
  CnnTensor *out[] = { &piece };
  CnnOpCall part = *call;
  char *at = redo->crops;

  piece.data = at;
  at += map_bytes (map, width, height);
  for (int i = 0; i < node->n_in; i++) {
    in[i] = call->in[i];
    if (!goes_along (in[i], map))
      continue;
    pieces[i] = piece_of (in[i], width, height);
    pieces[i].data = at;
    at += map_bytes (in[i], width, height);
    move_piece (in[i], r, pieces[i].data, false);
    in[i] = &pieces[i];
  }
  part.in = in;
  part.out = out;
  part.n_out = 1;
  node->op->forward (&part);
  move_piece (map, r, piece.data, true);
}

static void
run_region (const CnnNode *node, const CnnOpCall *call, const CnnRegion *r)
{
  CnnOpCall part = *call;
  part.region = r;
  node->op->forward (&part);
}

void
cnn_redo_run (const CnnNode *node, const CnnRedoNode *redo,
    const CnnOpCall *call, CnnChange *changes)
{
  CnnChange after = change_after (node, redo, call, changes);
  for (int i = 0; i < node->n_out; i++)
    if (node->out[i] >= 0)
      changes[node->out[i]] = after;
  if (after.all) {
    node->op->forward (call);
    return;
  }
  for (int k = 0; k < after.regions.count; k++)
    if (redo->how == CNN_REDO_CELLS)
      run_cells (node, redo, call, &after.regions.items[k]);
    else
      run_region (node, call, &after.regions.items[k]);
}
