/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstconvnet.c: frames through a detector, boxes and class maps onto them.
 *
 * A base transform in passthrough mode: pixels are mapped for reading and go
 * on untouched, and the allocation query passes through, so that upstream
 * writes into memory that downstream likes. Only the buffer itself (its list
 * of metadata) is made writable. */

/**
 * SECTION:element-convnet
 * @title: convnet
 * @short_description: finds objects with a small convolutional network
 *
 * convnet slides a small classifier over whole frames, as one fully
 * convolutional network at several sizes of the picture, and attaches what it
 * finds: a #GstVideoRegionOfInterestMeta for every object, the probabilities
 * of every class at every place as a #GstCustomMeta named GstConvnetMapMeta,
 * and an element message named `convnet` for every frame. The pixels pass
 * untouched.
 *
 * The model is an ONNX file: a classifier of small patches, which is rewritten
 * for whole frames, or a network that ends in a class map. Without
 * #GstConvnet:model-file it is the built-in one, which reads digits of ten
 * classes and knows an eleventh, "none of the above".
 *
 * Frames of every raw format are taken. A model with one channel reads the
 * luma of 8-bit YUV and GRAY8 frames where it lies; other formats are
 * converted first.
 *
 * The network knows one size of object, so each frame is looked at in several
 * sizes. For the built-in model and 640x480 these are eight levels, from digits
 * of 20 pixels to 343 in steps of 1.5, which together cost 1.8 times the
 * first. #GstConvnet:min-size saves most: at 30 the largest level is left out.
 * #GstConvnet:macs-per-frame has the sum.
 *
 * Where scenes stand still in part, #GstConvnet:reuse set to `exact` computes
 * only what follows from pixels that have changed, with the same result.
 *
 * When the stream outruns the machine, frames are not dropped: a frame that
 * would come too late gets the last result, with its age in the metadata.
 *
 * Crop, flip or add borders before this element, not after it: elements that
 * change the picture's geometry drop the metadata.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 -m videotestsrc num-buffers=1 ! video/x-raw,width=320,height=240 ! convnet ! fakesink
 * ]|
 * Prints the message of one frame.
 * |[
 * gst-launch-1.0 v4l2src ! videoconvert ! convnet ! convnetoverlay ! videoconvert ! autovideosink
 * ]|
 * Draws what the camera sees.
 * |[
 * gst-launch-1.0 -q videotestsrc num-buffers=10 ! convnet class-confidence-threshold=0.9 ! convnetjson ! fdsink
 * ]|
 * Prints a line of JSON for every frame.
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstconvnet.h"

#include "analytics.h"
#include "engine.h"
#include "message.h"
#include "meta.h"
#include "settings.h"

GST_DEBUG_CATEGORY_STATIC (convnet_debug);
#define GST_CAT_DEFAULT convnet_debug

/* A stream that never catches up still gets a new result now and then. */
#define MAX_AGE 30

#define CAPS                                                                   \
  GST_VIDEO_CAPS_MAKE (GST_VIDEO_FORMATS_ALL)                                  \
  ";" GST_VIDEO_CAPS_MAKE_WITH_FEATURES (GST_CAPS_FEATURE_MEMORY_SYSTEM_MEMORY \
      ", " GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION,                \
      GST_VIDEO_FORMATS_ALL)

struct _GstConvnet
{
  GstBaseTransform parent;

  /* Guarded by the object lock. */
  GstConvnetSettings settings;
  GstConvnetStats stats;
  GstClockTime earliest_time;

  /* Only the streaming thread, and start() and stop(). */
  CnnPool *pool;
  GstConvnetModel *model;
  GstConvnetEngine *engine;
  GstVideoInfo info;
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (CAPS));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (CAPS));

#define gst_convnet_parent_class parent_class
G_DEFINE_TYPE_WITH_CODE (GstConvnet, gst_convnet, GST_TYPE_BASE_TRANSFORM,
    GST_DEBUG_CATEGORY_INIT (convnet_debug, "convnet", 0,
        "convolutional network over video"))
GST_ELEMENT_REGISTER_DEFINE (convnet, "convnet", GST_RANK_NONE,
    GST_TYPE_CONVNET)

/* An element's error or warning from a GError of the model's rooms. */
static void
post (GstConvnet *self, GstMessageType type, const GError *error)
{
  gst_element_message_full (GST_ELEMENT (self), type, error->domain,
      error->code, g_strdup (error->message), NULL, __FILE__, GST_FUNCTION,
      __LINE__);
}

static GstConvnetModel *
load_model (GstConvnet *self, gboolean keep_fitting_labels, GError **error)
{
  GstConvnetModelSettings settings = { .keep_fitting_labels =
                                           keep_fitting_labels };
  GstConvnetModel *model;
  gchar *model_file, *label_file, *labels, *background_class;

  GST_OBJECT_LOCK (self);
  settings.model_file = model_file = g_strdup (self->settings.model_file);
  settings.label_file = label_file = g_strdup (self->settings.label_file);
  settings.labels = labels = g_strdup (self->settings.labels);
  settings.background_class = background_class =
      g_strdup (self->settings.background_class);
  self->settings.model_changed = FALSE;
  GST_OBJECT_UNLOCK (self);

  model = gst_convnet_model_new (&settings, error);

  g_free (model_file);
  g_free (label_file);
  g_free (labels);
  g_free (background_class);
  return model;
}

/* Not an error: frames pass, and the next caps may be larger. */
static void
warn_about_size (GstConvnet *self, const GstConvnetModel *model)
{
  GST_ELEMENT_WARNING (self, STREAM, FORMAT,
      ("No objects will be found in frames of %dx%d pixels: the model's window "
       "fits into no level of the pyramid",
          GST_VIDEO_INFO_WIDTH (&self->info),
          GST_VIDEO_INFO_HEIGHT (&self->info)),
      ("window %ux%u", model->window[1], model->window[0]));
}

/* Takes over @engine and its model. */
static void
adopt (GstConvnet *self, GstConvnetEngine *engine)
{
  CnnMap map;
  GstConvnetModel *model = gst_convnet_model_ref (engine->model);

  gst_convnet_engine_free (self->engine);
  gst_convnet_model_unref (self->model);
  self->engine = engine;
  self->model = model;

  GST_OBJECT_LOCK (self);
  self->stats.receptive_field = model->window[0];
  self->stats.map_stride = model->stride[0];
  if (cnn_detector_n_levels (engine->detector) > 0) {
    cnn_detector_map (engine->detector, 0, &map);
    self->stats.receptive_field = (guint) map.geometry.window[0];
    self->stats.map_stride = (guint) map.geometry.stride[0];
  }
  self->stats.macs_per_frame = cnn_detector_macs (engine->detector);
  GST_OBJECT_UNLOCK (self);

  if (cnn_detector_n_levels (engine->detector) == 0)
    warn_about_size (self, model);
}

static GstConvnetEngine *
build_engine (GstConvnet *self, GstConvnetModel *model, GError **error)
{
  CnnDetectorConfig config = { .pool = self->pool };

  GST_OBJECT_LOCK (self);
  config.scale_factor = self->settings.scale_factor;
  config.min_size = (gint) self->settings.min_size;
  config.max_size = (gint) self->settings.max_size;
  config.window_stride = (gint) self->settings.window_stride;
  config.precision = self->settings.precision == GST_CONVNET_PRECISION_EXACT
      ? CNN_PRECISION_EXACT
      : CNN_PRECISION_FAST;
  config.reuse = self->settings.reuse == GST_CONVNET_REUSE_EXACT;
  self->settings.pyramid_changed = FALSE;
  GST_OBJECT_UNLOCK (self);

  return gst_convnet_engine_new (model, &self->info, &config, error);
}

static gboolean
gst_convnet_start (GstBaseTransform *trans)
{
  GstConvnet *self = GST_CONVNET (trans);
  GError *error = NULL;
  guint threads;

  GST_OBJECT_LOCK (self);
  threads = self->settings.threads;
  self->stats = (GstConvnetStats){ 0 };
  self->earliest_time = GST_CLOCK_TIME_NONE;
  GST_OBJECT_UNLOCK (self);

  self->model = load_model (self, FALSE, &error);
  if (!self->model) {
    post (self, GST_MESSAGE_ERROR, error);
    g_error_free (error);
    return FALSE;
  }
  if (cnn_pool_new (threads, &self->pool) != CNN_OK) {
    GST_ELEMENT_ERROR (self, RESOURCE, NO_SPACE_LEFT,
        ("%u threads can't be made", threads), (NULL));
    g_clear_pointer (&self->model, gst_convnet_model_unref);
    return FALSE;
  }

  GST_OBJECT_LOCK (self);
  self->stats.receptive_field = self->model->window[0];
  self->stats.map_stride = self->model->stride[0];
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

static gboolean
gst_convnet_stop (GstBaseTransform *trans)
{
  GstConvnet *self = GST_CONVNET (trans);

  g_clear_pointer (&self->engine, gst_convnet_engine_free);
  g_clear_pointer (&self->model, gst_convnet_model_unref);
  g_clear_pointer (&self->pool, cnn_pool_free);
  return TRUE;
}

static gboolean
gst_convnet_set_caps (GstBaseTransform *trans, GstCaps *in,
    GstCaps *out G_GNUC_UNUSED)
{
  GstConvnet *self = GST_CONVNET (trans);
  GstConvnetEngine *engine;
  GError *error = NULL;

  if (!gst_video_info_from_caps (&self->info, in))
    return FALSE;

  engine = build_engine (self, self->model, &error);
  if (!engine) {
    post (self, GST_MESSAGE_ERROR, error);
    g_error_free (error);
    return FALSE;
  }
  GST_DEBUG_OBJECT (self, "%d levels for %" GST_PTR_FORMAT "%s",
      cnn_detector_n_levels (engine->detector), in,
      gst_convnet_frame_is_converted (&engine->frame) ? ", converted" : "");
  adopt (self, engine);
  return TRUE;
}

/* A changed model or pyramid takes over between two frames, or the old one
 * stays. */
static void
apply_changes (GstConvnet *self)
{
  GstConvnetModel *model;
  GstConvnetEngine *engine = NULL;
  GError *error = NULL;
  gboolean model_changed, changed;

  GST_OBJECT_LOCK (self);
  model_changed = self->settings.model_changed;
  changed = model_changed || self->settings.pyramid_changed;
  GST_OBJECT_UNLOCK (self);
  if (!changed)
    return;

  model = model_changed ? load_model (self, TRUE, &error)
                        : gst_convnet_model_ref (self->model);
  if (model)
    engine = build_engine (self, model, &error);
  if (engine) {
    adopt (self, engine);
  } else {
    post (self, GST_MESSAGE_WARNING, error);
    g_error_free (error);
  }
  gst_convnet_model_unref (model);
}

/* Whether the sink would have no use for this frame's result any more. */
static gboolean
is_late (GstConvnet *self, const GstBuffer *buffer)
{
  const GstSegment *segment = &GST_BASE_TRANSFORM (self)->segment;
  GstClockTime time = GST_BUFFER_PTS (buffer), earliest;

  if (!GST_CLOCK_TIME_IS_VALID (time) || segment->format != GST_FORMAT_TIME)
    return FALSE;
  time = gst_segment_to_running_time (segment, GST_FORMAT_TIME, time);

  GST_OBJECT_LOCK (self);
  earliest = self->earliest_time;
  GST_OBJECT_UNLOCK (self);
  return GST_CLOCK_TIME_IS_VALID (time) && GST_CLOCK_TIME_IS_VALID (earliest)
      && time <= earliest;
}

static gboolean
can_reuse (GstConvnet *self, const GstBuffer *buffer)
{
  gboolean late = is_late (self, buffer);
  gboolean reuse =
      late && self->engine->has_result && self->engine->age < MAX_AGE;

  GST_OBJECT_LOCK (self);
  self->stats.late += late;
  self->stats.reused += reuse;
  GST_OBJECT_UNLOCK (self);
  return reuse;
}

/* Returns: FALSE if there is no result at all for this frame. */
static gboolean
infer (GstConvnet *self, GstBuffer *buffer, gboolean with_maps)
{
  GstConvnetOutcome outcome;
  GstClockTime begin, time;

  if (can_reuse (self, buffer)) {
    self->engine->age++;
    return TRUE;
  }

  begin = gst_util_get_timestamp ();
  outcome = gst_convnet_engine_compute (self->engine, buffer, with_maps);
  time = gst_util_get_timestamp () - begin;
  if (outcome == GST_CONVNET_OUTCOME_BAD) {
    GST_WARNING_OBJECT (self, "%" GST_PTR_FORMAT " is not what the caps say",
        buffer);
    return FALSE;
  }

  GST_OBJECT_LOCK (self);
  if (outcome == GST_CONVNET_OUTCOME_SAME) {
    self->stats.reused++;
  } else {
    self->stats.processed++;
    self->stats.total_time += time;
    self->stats.last_time = time;
  }
  GST_OBJECT_UNLOCK (self);
  return TRUE;
}

static void
announce (GstConvnet *self, GstBuffer *buffer, const CnnDetection *detections,
    gint count, gboolean post_messages)
{
  GstConvnetModel *model = self->engine->model;
  GstStructure *message = NULL;
  GValue objects = G_VALUE_INIT;

  g_value_init (&objects, GST_TYPE_LIST);
  for (gint i = 0; i < count; i++) {
    GstConvnetObject object;

    gst_convnet_object_from_detection (&object, &detections[i], model,
        GST_VIDEO_INFO_WIDTH (&self->info),
        GST_VIDEO_INFO_HEIGHT (&self->info));
    gst_convnet_meta_add_object (buffer, &object,
        model->quarks[object.label_id]);
    gst_convnet_analytics_add (buffer, &object, &detections[i], model,
        self->engine->detector);
    if (post_messages)
      gst_convnet_message_add (&objects, &object);
  }
  if (post_messages) {
    message =
        gst_convnet_message_begin (buffer, &GST_BASE_TRANSFORM (self)->segment);
    gst_structure_take_value (message, "objects", &objects);
    gst_element_post_message (GST_ELEMENT (self),
        gst_message_new_element (GST_OBJECT (self), message));
  } else {
    g_value_unset (&objects);
  }
}

static void
attach_maps (GstConvnet *self, GstBuffer *buffer, GstConvnetAttachMap what)
{
  const GstConvnetEngine *engine = self->engine;

  if (what == GST_CONVNET_ATTACH_MAP_NONE)
    return;
  if (what == GST_CONVNET_ATTACH_MAP_TENSOR && GST_CONVNET_HAS_TENSORS)
    gst_convnet_analytics_add_tensors (buffer, &engine->maps);
  else
    gst_convnet_map_writer_attach (&engine->maps, buffer, engine->age);
}

static GstFlowReturn
gst_convnet_transform_ip (GstBaseTransform *trans, GstBuffer *buffer)
{
  GstConvnet *self = GST_CONVNET (trans);
  const CnnDetection *detections = NULL;
  CnnDetectParams params;
  GstConvnetAttachMap attach_map;
  gboolean post_messages;
  gint count;

  apply_changes (self);

  GST_OBJECT_LOCK (self);
  params.threshold = self->settings.class_confidence_threshold;
  params.iou_threshold = self->settings.iou_threshold;
  params.max_detections = (gint) self->settings.max_detections;
  post_messages = self->settings.post_messages;
  attach_map = self->settings.attach_map;
  GST_OBJECT_UNLOCK (self);
  params.background = self->engine->model->background;
  if (params.threshold <= 0.0)
    params.threshold = self->engine->model->info->threshold;

  if (!infer (self, buffer, attach_map != GST_CONVNET_ATTACH_MAP_NONE))
    return GST_FLOW_OK;

  count = cnn_detector_detect (self->engine->detector, &params, &detections);
  announce (self, buffer, detections, count, post_messages);
  attach_maps (self, buffer, attach_map);

  GST_OBJECT_LOCK (self);
  self->stats.objects += (guint64) count;
  GST_OBJECT_UNLOCK (self);
  return GST_FLOW_OK;
}

static void
gst_convnet_before_transform (GstBaseTransform *trans, GstBuffer *buffer)
{
  GstClockTime time = GST_BUFFER_PTS (buffer);

  if (trans->segment.format == GST_FORMAT_TIME)
    time = gst_segment_to_stream_time (&trans->segment, GST_FORMAT_TIME, time);
  if (GST_CLOCK_TIME_IS_VALID (time))
    gst_object_sync_values (GST_OBJECT (trans), time);
}

/* The buffer for its metadata, not for its pixels: a copy shares the memory. */
static GstFlowReturn
gst_convnet_prepare_output_buffer (GstBaseTransform *trans G_GNUC_UNUSED,
    GstBuffer *in, GstBuffer **out)
{
  *out = gst_buffer_is_writable (in) ? in : gst_buffer_copy (in);
  return *out ? GST_FLOW_OK : GST_FLOW_ERROR;
}

static gboolean
gst_convnet_src_event (GstBaseTransform *trans, GstEvent *event)
{
  GstConvnet *self = GST_CONVNET (trans);

  if (GST_EVENT_TYPE (event) == GST_EVENT_QOS) {
    GstClockTimeDiff late;
    GstClockTime time;

    gst_event_parse_qos (event, NULL, NULL, &late, &time);
    GST_OBJECT_LOCK (self);
    self->earliest_time = GST_CLOCK_TIME_IS_VALID (time) && late > 0
        ? time + (GstClockTime) late
        : GST_CLOCK_TIME_NONE;
    GST_OBJECT_UNLOCK (self);
  }
  return GST_BASE_TRANSFORM_CLASS (parent_class)->src_event (trans, event);
}

static gboolean
gst_convnet_sink_event (GstBaseTransform *trans, GstEvent *event)
{
  GstConvnet *self = GST_CONVNET (trans);

  if (GST_EVENT_TYPE (event) == GST_EVENT_FLUSH_STOP
      || GST_EVENT_TYPE (event) == GST_EVENT_SEGMENT) {
    GST_OBJECT_LOCK (self);
    self->earliest_time = GST_CLOCK_TIME_NONE;
    GST_OBJECT_UNLOCK (self);
  }
  return GST_BASE_TRANSFORM_CLASS (parent_class)->sink_event (trans, event);
}

static void
gst_convnet_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  GstConvnet *self = GST_CONVNET (object);
  gboolean known, no_tensor;

  GST_OBJECT_LOCK (self);
  known = gst_convnet_settings_set (&self->settings, id, value);
  no_tensor = self->settings.attach_map == GST_CONVNET_ATTACH_MAP_TENSOR
      && !GST_CONVNET_HAS_TENSORS;
  GST_OBJECT_UNLOCK (self);

  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  if (no_tensor)
    GST_WARNING_OBJECT (self,
        "attach-map=tensor is not in this build, it acts as scores");
}

static void
gst_convnet_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  GstConvnet *self = GST_CONVNET (object);
  gboolean known;

  GST_OBJECT_LOCK (self);
  known = gst_convnet_settings_get (&self->settings, &self->stats, id, value);
  GST_OBJECT_UNLOCK (self);

  if (!known)
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
}

static void
gst_convnet_finalize (GObject *object)
{
  gst_convnet_settings_clear (&GST_CONVNET (object)->settings);
  G_OBJECT_CLASS (parent_class)->finalize (object);
}

static void
gst_convnet_class_init (GstConvnetClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);

  object_class->set_property = gst_convnet_set_property;
  object_class->get_property = gst_convnet_get_property;
  object_class->finalize = gst_convnet_finalize;
  gst_convnet_settings_install (object_class);
  gst_convnet_map_meta_register ();

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class,
      "Convolutional network detector", "Filter/Analyzer/Video",
      "Slides a small convolutional network over frames and attaches what it "
      "finds as metadata",
      "The gst-convnet authors");

  trans_class->start = gst_convnet_start;
  trans_class->stop = gst_convnet_stop;
  trans_class->set_caps = gst_convnet_set_caps;
  trans_class->before_transform = gst_convnet_before_transform;
  trans_class->prepare_output_buffer = gst_convnet_prepare_output_buffer;
  trans_class->transform_ip = gst_convnet_transform_ip;
  trans_class->transform_ip_on_passthrough = TRUE;
  trans_class->src_event = gst_convnet_src_event;
  trans_class->sink_event = gst_convnet_sink_event;
}

static void
gst_convnet_init (GstConvnet *self)
{
  gst_convnet_settings_init (&self->settings);
  self->earliest_time = GST_CLOCK_TIME_NONE;
  gst_base_transform_set_passthrough (GST_BASE_TRANSFORM (self), TRUE);
}
