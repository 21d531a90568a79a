/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* detector.c: one model over all levels of a frame.
 *
 * Everything that a frame needs is made once, by cnn_detector_new(): for each
 * level a resampler that writes into the input of a session. */

#include <stdbool.h>
#include <stdlib.h>

#include "base/error.h"
#include "detect/decode.h"
#include "detect/pyramid.h"
#include "graph/incremental.h"
#include "graph/program.h"
#include "image/changes.h"

/* margin: pixels that a window sees beyond the one that changed. boxes:
 * (nullable): of the box head, 4 x map height x map width. stale: where the map
 * is newer than its winners. */
typedef struct
{
  CnnResampler *resampler;
  CnnSession *session;
  CnnMap map;
  const float *boxes;
  CnnWindows windows;
  int margin;
  CnnWinners winners;
  CnnRegions stale;
} Level;

/* arena: of all levels, which run one after another, the largest first.
 * window: height and width of what one answer is about. object_px: height of
 * the object in it. per_pixel: each cell is about a pixel, there are no boxes.
 * changes: (nullable): the frame before. params, n_found: of the last
 * detections, which still hold if @detected.
 */
struct CnnDetector
{
  CnnModel *model;
  CnnArena *arena;
  int window[2];
  double object_px;
  bool per_pixel;
  CnnDetectorConfig config;
  Level levels[CNN_MAX_LEVELS];
  int n_levels;
  uint64_t macs;
  CnnChanges *changes;
  CnnCandidates candidates;
  CnnDetectParams params;
  int n_found;
  bool detected;
};

static CnnStatus
check_map (const CnnModel *map, CnnError *error)
{
  const CnnModelInfo *info = cnn_model_info (map);
  if (info->channels != 1 && info->channels != 3)
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "the network's input has %d channels, pictures have 1 or 3",
        info->channels);
  if (!info->is_map || !info->classes)
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "the network's output is no class map, n classes h w");
  return CNN_OK;
}

/* The model as it is run: a map of probabilities. */
static CnnStatus
prepare_model (CnnModel *model, int stride, CnnModel **prepared,
    CnnError *error)
{
  CnnModel *map = NULL, *dense = NULL;
  CnnStatus status = cnn_model_to_map (model, &map, error);
  if (!status)
    status = check_map (map, error);
  if (!status && stride)
    status = cnn_model_with_stride (map, stride, &dense, error);
  if (!status)
    status = cnn_model_to_probabilities (dense ? dense : map, prepared, error);
  cnn_model_unref (dense);
  cnn_model_unref (map);
  return status;
}

static CnnStatus
make_session (const CnnDetector *d, const CnnLevel *size, CnnPool *pool,
    int info_only, CnnSession **session, CnnError *error)
{
  const CnnModelInfo *info = cnn_model_info (d->model);
  CnnShape shape = { 4,
    { 1, info->channels, size->height + 2 * info->border,
        size->width + 2 * info->border } };
  CnnSessionOptions options = { .pool = pool,
    .arena = d->arena,
    .precision = d->config.precision,
    .info_only = info_only,
    .incremental = d->config.reuse };
  return cnn_session_new (d->model, &shape, &options, session, error);
}

/* Grows a picture until the network takes it: what a cell sees, for networks
 * that do not say their size. */
static CnnStatus
find_look (const CnnDetector *d, CnnGeometry *look, CnnError *error)
{
  const CnnModelInfo *info = cnn_model_info (d->model);
  CnnLevel size = { info->width, info->height };
  CnnSession *session = NULL;
  CnnStatus status = CNN_ERROR_SHAPE;
  if (size.width && size.height)
    status = make_session (d, &size, NULL, 1, &session, error);
  for (int side = 1; status == CNN_ERROR_SHAPE && side <= CNN_MAX_IMAGE_SIDE;
       side *= 2) {
    size = (CnnLevel){ side, side };
    status = make_session (d, &size, NULL, 1, &session, error);
  }
  if (!status)
    status = cnn_session_geometry (session, look, error);
  cnn_session_free (session);
  return status;
}

/* A classifier answers for its whole input. With padding a cell sees beyond
 * that, around the same middle; so only a map network, which has no size of
 * its own, is asked what its cells see. */
static CnnStatus
find_window (CnnDetector *d, const CnnModel *original, CnnError *error)
{
  const CnnModelInfo *info = cnn_model_info (original);
  CnnGeometry look;
  CnnStatus status = find_look (d, &look, error);
  if (status)
    return status;
  bool declared = !info->is_map && info->height > 0 && info->width > 0;
  d->window[0] = declared ? info->height : look.window[0];
  d->window[1] = declared ? info->width : look.window[1];
  d->object_px = info->object_size * d->window[0];
  d->per_pixel = info->is_map && look.stride[0] == 1 && look.stride[1] == 1
      && !cnn_model_metadata (original, "convnet.object-size");
  return CNN_OK;
}

/* The frame as it is, or what the network takes of it: those that halve their
 * maps and double them again need sides that can be halved as often. */
static CnnStatus
plan_frame (const CnnDetector *d, CnnLevel *level, CnnError *error)
{
  CnnStatus status = CNN_ERROR_SHAPE;
  for (int part = 1; part <= 128 && status == CNN_ERROR_SHAPE; part *= 2) {
    CnnSession *session = NULL;
    CnnLevel size = {
      d->config.width / part * part,
      d->config.height / part * part,
    };
    if (!size.width || !size.height)
      break;
    status = make_session (d, &size, NULL, 1, &session, error);
    cnn_session_free (session);
    *level = size;
  }
  return status;
}

static uint64_t
session_macs (const CnnSession *session)
{
  uint64_t macs = 0;
  for (int i = 0; i < cnn_session_n_layers (session); i++) {
    CnnLayerInfo layer;
    cnn_session_layer (session, i, &layer);
    macs += layer.macs;
  }
  return macs;
}

/* The box head must have a cell for each of the class map's. */
static CnnStatus
find_boxes (const CnnDetector *d, Level *level, CnnError *error)
{
  int head = cnn_model_info (d->model)->boxes;
  if (head < 0)
    return CNN_OK;
  const CnnTensor *boxes = cnn_session_output (level->session, head);
  const CnnShape wanted = { 4, { 1, 4, level->map.height, level->map.width } };
  if (boxes->type != CNN_TYPE_FLOAT32
      || !cnn_shape_equal (&boxes->shape, &wanted))
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "output '%s' is no box head: it has not 4 numbers for each of %dx%d "
        "cells",
        cnn_model_output_name (d->model, head), level->map.width,
        level->map.height);
  level->boxes = boxes->data;
  return CNN_OK;
}

static CnnStatus
add_level (CnnDetector *d, const CnnLevel *size, CnnError *error)
{
  const CnnDetectorConfig *config = &d->config;
  Level *level = &d->levels[d->n_levels++];
  CnnStatus status = cnn_resampler_new (config->width, config->height,
      size->width, size->height, cnn_model_info (d->model)->border,
      &level->resampler, error);
  if (!status)
    status = make_session (d, size, config->pool, 0, &level->session, error);
  if (!status)
    status = cnn_session_geometry (level->session, &level->map.geometry, error);
  if (status)
    return status;

  const CnnTensor *scores = cnn_session_output (level->session, 0);
  level->map.classes = (int) scores->shape.dims[1];
  level->map.height = (int) scores->shape.dims[2];
  level->map.width = (int) scores->shape.dims[3];
  level->map.scores = scores->data;
  level->map.geometry.offset[0] -= cnn_model_info (d->model)->border;
  level->map.geometry.offset[1] -= cnn_model_info (d->model)->border;
  if (!status)
    status = find_boxes (d, level, error);
  if (status)
    return status;
  level->map.scale_x = (double) config->width / size->width;
  level->map.scale_y = (double) config->height / size->height;
  cnn_windows_init (&level->windows, &level->map.geometry, level->map.scale_x,
      level->map.scale_y, d->object_px, d->window[0]);
  size_t cells = (size_t) level->map.width * (size_t) level->map.height;
  level->winners.best = calloc (cells, sizeof *level->winners.best);
  level->winners.class_id = calloc (cells, sizeof *level->winners.class_id);
  if (!level->winners.best || !level->winners.class_id)
    return cnn_error_memory (error, cells, "the best classes");
  level->margin = level->map.geometry.window[0] - 1;
  d->macs += session_macs (level->session);
  return CNN_OK;
}

CnnStatus
cnn_detector_new (CnnModel *model, const CnnDetectorConfig *config,
    CnnDetector **detector, CnnError *error)
{
  CnnLevel levels[CNN_MAX_LEVELS];
  int n_levels = 0;
  CnnDetector *d = calloc (1, sizeof *d);
  if (!d)
    return cnn_error_memory (error, sizeof *d, "a detector");
  d->config = *config;
  if (!config->min_size)
    d->config.min_size = cnn_model_info (model)->min_size;

  CnnStatus status =
      prepare_model (model, config->window_stride, &d->model, error);
  if (!status && cnn_arena_new (&d->arena))
    status = cnn_error_memory (error, sizeof *d, "a detector");
  if (!status)
    status = find_window (d, model, error);
  if (!status)
    status = cnn_pyramid_plan (&d->config, d->window,
        cnn_model_info (model)->border, d->object_px, levels, &n_levels, error);
  if (!status && d->per_pixel) {
    status = plan_frame (d, &levels[0], error);
    n_levels = status ? 0 : 1;
  }
  for (int k = 0; k < n_levels && !status; k++)
    status = add_level (d, &levels[k], error);
  if (!status && config->reuse)
    status = cnn_changes_new (config->width, config->height,
        cnn_model_info (d->model)->channels, &d->changes, error);
  if (status) {
    cnn_detector_free (d);
    return status;
  }
  *detector = d;
  return CNN_OK;
}

void
cnn_detector_free (CnnDetector *detector)
{
  if (!detector)
    return;
  for (int k = 0; k < detector->n_levels; k++) {
    cnn_resampler_free (detector->levels[k].resampler);
    cnn_session_free (detector->levels[k].session);
    free (detector->levels[k].winners.best);
    free (detector->levels[k].winners.class_id);
  }
  cnn_changes_free (detector->changes);
  cnn_arena_free (detector->arena);
  cnn_model_unref (detector->model);
  free (detector);
}

int
cnn_detector_n_levels (const CnnDetector *detector)
{
  return detector->n_levels;
}

void
cnn_detector_map (const CnnDetector *detector, int level, CnnMap *map)
{
  *map = detector->levels[level].map;
}

int
cnn_detector_finds_objects (const CnnDetector *detector)
{
  return !detector->per_pixel;
}

uint64_t
cnn_detector_macs (const CnnDetector *detector)
{
  return detector->macs;
}

static void
run_level (const CnnDetector *d, Level *level, const CnnImage *image,
    const CnnRegions *changed)
{
  CnnPixelRange range = cnn_model_info (d->model)->range;
  CnnRegions regions = { 0 };
  for (int i = 0; i < changed->count; i++) {
    CnnRegion r = cnn_resampler_region (level->resampler, &changed->items[i]);
    cnn_regions_add (&regions, &r, level->margin);
  }
  for (int i = 0; i < regions.count; i++)
    cnn_resampler_run_region (level->resampler, image, range, &regions.items[i],
        d->config.pool, cnn_session_input (level->session, 0)->data);
  cnn_session_run_changed (level->session, regions.items, regions.count);
}

/* Returns: false if the map is what it was. */
static bool
note_changes (Level *level)
{
  const CnnChange *change = cnn_session_changes (level->session);
  CnnRegion all = { 0, 0, level->map.width, level->map.height };
  if (change->all)
    cnn_regions_add (&level->stale, &all, 0);
  for (int i = 0; i < change->regions.count; i++)
    cnn_regions_add (&level->stale, &change->regions.items[i], 0);
  return change->all || change->regions.count;
}

int
cnn_detector_run (CnnDetector *detector, const CnnImage *image)
{
  CnnDetector *d = detector;
  CnnRegions changed = { 1, { { 0, 0, image->width, image->height } } };
  bool is_new = !d->changes;
  if (d->changes)
    cnn_changes_find (d->changes, image, d->window[0] - 1, d->config.pool,
        &changed);
  for (int k = 0; k < d->n_levels && changed.count; k++) {
    run_level (d, &d->levels[k], image, &changed);
    is_new |= note_changes (&d->levels[k]);
  }
  d->detected = d->detected && !is_new;
  return is_new;
}

static bool
same_params (const CnnDetectParams *a, const CnnDetectParams *b)
{
  return a->background == b->background && a->threshold == b->threshold
      && a->iou_threshold == b->iou_threshold
      && a->max_detections == b->max_detections;
}

static void
decode_level (CnnDetector *d, int k, const CnnDetectParams *params)
{
  Level *level = &d->levels[k];
  CnnRegion all = { 0, 0, level->map.width, level->map.height };
  if (params->background != d->params.background)
    cnn_regions_add (&level->stale, &all, 0);
  for (int i = 0; i < level->stale.count; i++)
    cnn_decode_winners (&level->map, params->background, &level->stale.items[i],
        &level->winners);
  level->stale.count = 0;
  cnn_decode_candidates (&level->map, k, &level->windows, level->boxes,
      &level->winners, (float) params->threshold, &d->candidates);
}

int
cnn_detector_detect (CnnDetector *detector, const CnnDetectParams *params,
    const CnnDetection **detections)
{
  CnnCandidates *candidates = &detector->candidates;
  *detections = candidates->found;
  if (detector->detected && same_params (params, &detector->params))
    return detector->n_found;
  candidates->count = 0;
  for (int k = 0; k < detector->n_levels && !detector->per_pixel; k++)
    decode_level (detector, k, params);
  detector->n_found = cnn_candidates_select (candidates, detector->config.width,
      detector->config.height, params);
  detector->params = *params;
  detector->detected = true;
  return detector->n_found;
}
