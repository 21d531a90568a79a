/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* engine.c: model + caps = something that frames can be put through. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "engine.h"

GstConvnetEngine *
gst_convnet_engine_new (GstConvnetModel *model, const GstVideoInfo *info,
    const CnnDetectorConfig *config, GError **error)
{
  GstConvnetEngine *engine = g_new0 (GstConvnetEngine, 1);
  CnnDetectorConfig sized = *config;
  CnnError failure;
  CnnStatus status;

  engine->model = gst_convnet_model_ref (model);
  if (!gst_convnet_frame_init (&engine->frame, info, model->info->channels,
          model->info->format)) {
    g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT,
        "No conversion from %s to what the model reads",
        gst_video_format_to_string (GST_VIDEO_INFO_FORMAT (info)));
    goto fail;
  }

  sized.width = GST_VIDEO_INFO_WIDTH (info);
  sized.height = GST_VIDEO_INFO_HEIGHT (info);
  status = cnn_detector_new (model->network->model, &sized, &engine->detector,
      &failure);
  if (status != CNN_OK) {
    gst_convnet_error_set (error, "The model can't be used here", status,
        &failure);
    goto fail;
  }
  return engine;

fail:
  gst_convnet_engine_free (engine);
  return NULL;
}

void
gst_convnet_engine_free (GstConvnetEngine *engine)
{
  if (!engine)
    return;
  gst_convnet_map_writer_clear (&engine->maps);
  cnn_detector_free (engine->detector);
  gst_convnet_frame_clear (&engine->frame);
  gst_convnet_model_unref (engine->model);
  g_free (engine);
}

GstConvnetOutcome
gst_convnet_engine_compute (GstConvnetEngine *engine, GstBuffer *buffer,
    gboolean with_maps)
{
  CnnImage image;
  gboolean is_new;

  if (!gst_convnet_frame_map (&engine->frame, buffer, &image))
    return GST_CONVNET_OUTCOME_BAD;
  is_new = cnn_detector_run (engine->detector, &image);
  gst_convnet_frame_unmap (&engine->frame);

  if (!with_maps)
    gst_convnet_map_writer_forget (&engine->maps);
  else if (is_new || !engine->maps.fields)
    gst_convnet_map_writer_update (&engine->maps, engine->model,
        engine->detector);
  engine->has_result = TRUE;
  engine->age = 0;
  return is_new ? GST_CONVNET_OUTCOME_NEW : GST_CONVNET_OUTCOME_SAME;
}
