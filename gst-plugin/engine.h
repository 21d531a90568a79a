/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* engine.h: a model compiled for one kind of frame.
 *
 * Everything that depends on both the model and the caps stands in here, so
 * that `convnet` can build a new one beside the old and swap them between two
 * frames. */

#ifndef GST_CONVNET_ENGINE_H
#define GST_CONVNET_ENGINE_H

#include <cnn/detect.h>

#include "frame.h"
#include "gstconvnetmodel.h"
#include "mapmeta.h"

G_BEGIN_DECLS

/**
 * GstConvnetEngine:
 * @model: owned reference
 * @detector: its pyramid, for frames of @frame's size
 * @maps: class maps on their way to buffers
 * @has_result: FALSE until the first frame was computed
 * @age: frames since then
 */
typedef struct
{
  GstConvnetModel *model;
  GstConvnetFrame frame;
  CnnDetector *detector;
  GstConvnetMapWriter maps;
  gboolean has_result;
  gint age;
} GstConvnetEngine;

/**
 * gst_convnet_engine_new:
 * @model: a new reference is taken
 * @info: of the frames to come
 * @config: pyramid and threads; width and height are taken from @info
 *
 * Returns: (transfer full) (nullable): NULL with @error set.
 */
GstConvnetEngine *gst_convnet_engine_new (GstConvnetModel *model,
    const GstVideoInfo *info, const CnnDetectorConfig *config, GError **error);

/** gst_convnet_engine_free: @engine: (nullable) */
void gst_convnet_engine_free (GstConvnetEngine *engine);

/**
 * GstConvnetOutcome:
 * @GST_CONVNET_OUTCOME_BAD: the buffer is not what the caps promised; the last
 *   result is still there
 * @GST_CONVNET_OUTCOME_SAME: nothing is new: the last result is this frame's
 * @GST_CONVNET_OUTCOME_NEW: there is a new result
 */
typedef enum
{
  GST_CONVNET_OUTCOME_BAD,
  GST_CONVNET_OUTCOME_SAME,
  GST_CONVNET_OUTCOME_NEW
} GstConvnetOutcome;

/**
 * gst_convnet_engine_compute:
 * @buffer: a frame, mapped for reading only
 * @with_maps: keep the class maps for gst_convnet_map_writer_attach()
 */
GstConvnetOutcome gst_convnet_engine_compute (GstConvnetEngine *engine,
    GstBuffer *buffer, gboolean with_maps);

G_END_DECLS

#endif
