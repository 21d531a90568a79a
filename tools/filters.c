/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* filters.c: what the first layer of a network looks for, as a picture. */

#include "filters.h"

#include <math.h>

#include "model-file.h"
#include "tiles.h"

#define TILE_SIDE 48
#define ASPECT    2.0

/* (nullable): of the first layer whose kernels have more than one cell. */
static const CnnTensor *
find_weights (const CnnSession *session)
{
  for (int i = 0; i < cnn_session_n_layers (session); i++) {
    const CnnTensor *weights = cnn_session_layer_weights (session, i);

    if (weights && weights->shape.rank == 4
        && weights->shape.dims[2] * weights->shape.dims[3] > 1)
      return weights;
  }
  return NULL;
}

static gboolean
draw_weights (const CnnTensor *weights, const char *path, GError **error)
{
  const int64_t *dims = weights->shape.dims;
  int inputs = (int) dims[1];
  ToolTiles tiles = { .height = (int) dims[2], .width = (int) dims[3] };
  float *values;
  size_t count;
  gboolean ok;

  if (cnn_shape_elements (&weights->shape, &count) != CNN_OK
      || count > G_MAXINT)
    return tool_fail (error, "%s: too many filters to draw", path);
  values = g_new (float, count);
  for (size_t i = 0; i < count; i++) {
    values[i] = (float) cnn_tensor_value (weights, i);
    tiles.high = fmaxf (tiles.high, fabsf (values[i]));
  }
  tiles.low = -tiles.high;
  tiles.values = values;
  tiles.count = (int) (dims[0] * dims[1]);
  tool_tiles_arrange (&tiles, TILE_SIDE, ASPECT);
  tiles.columns = MAX (1, tiles.columns / inputs) * inputs;
  ok = tool_tiles_write (&tiles, path, error);
  g_free (values);
  return ok;
}

gboolean
tool_filters_write (CnnModel *model, const char *path, GError **error)
{
  CnnSessionOptions options = { .info_only = 1 };
  CnnShape shape = { 4, { 1, cnn_model_info (model)->channels } };
  const CnnTensor *weights = NULL;
  CnnModel *map = NULL;
  CnnSession *session = NULL;
  CnnError cause = { 0 };
  int height, width;
  gboolean ok;

  if (!tool_model_window (model, &height, &width, error))
    return FALSE;
  shape.dims[2] = height;
  shape.dims[3] = width;
  if (cnn_model_to_map (model, &map, NULL) != CNN_OK)
    map = cnn_model_ref (model);
  ok = cnn_session_new (map, &shape, &options, &session, &cause) == CNN_OK
      || tool_fail_cnn (error, path, &cause);
  if (ok)
    weights = find_weights (session);
  ok = ok
      && (weights ? draw_weights (weights, path, error)
                  : tool_fail (error, "%s: the network has no filters", path));
  cnn_session_free (session);
  cnn_model_unref (map);
  return ok;
}
