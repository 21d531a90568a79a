/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstconvnetoverlay.c: draws what the metadata says.
 *
 * An in-place transform. Where downstream takes overlay compositions, pixels
 * stay as they are and the drawing goes along as metadata; else it is blended
 * onto the frame. */

/**
 * SECTION:element-convnetoverlay
 * @title: convnetoverlay
 * @short_description: draws what convnet found
 *
 * convnetoverlay draws the regions of interest of a frame, those of convnet
 * and of other elements, as boxes with labels, and the class map of convnet as
 * a heat map. Lines and letters are as large as suits the frame.
 *
 * Where downstream supports #GstVideoOverlayCompositionMeta the drawing is
 * attached to the buffer, else it is blended onto the pixels, in every raw
 * format.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 v4l2src ! videoconvert ! convnet ! convnetoverlay ! videoconvert ! autovideosink
 * ]|
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=1 ! convnet ! convnetoverlay draw=boxes+heat-map ! videoconvert ! pngenc ! filesink location=frame.png
 * ]|
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstconvnetoverlay.h"

#include <gst/video/video.h>

#include "drawing.h"
#include "heatmap.h"
#include "mapmeta.h"
#include "meta.h"

GST_DEBUG_CATEGORY_STATIC (convnet_overlay_debug);
#define GST_CAT_DEFAULT convnet_overlay_debug

#define DEFAULT_DRAW                                                           \
  (GST_CONVNET_DRAW_BOXES | GST_CONVNET_DRAW_LABELS | GST_CONVNET_DRAW_SCORES)
#define DEFAULT_HEAT_MAP_CLASS NULL
#define DEFAULT_LINE_WIDTH     0.0
#define DEFAULT_FONT           NULL
#define DEFAULT_COLOR          0
#define DEFAULT_EXPIRE_AFTER   0

#define MAX_LINE_WIDTH         256.0

#define COMPOSITION            GST_CAPS_FEATURE_META_GST_VIDEO_OVERLAY_COMPOSITION
#define CAPS                                                                   \
  GST_VIDEO_CAPS_MAKE (GST_VIDEO_OVERLAY_COMPOSITION_BLEND_FORMATS)            \
  ";" GST_VIDEO_CAPS_MAKE_WITH_FEATURES (GST_CAPS_FEATURE_MEMORY_SYSTEM_MEMORY \
      ", " COMPOSITION,                                                        \
      GST_VIDEO_OVERLAY_COMPOSITION_BLEND_FORMATS)

enum
{
  PROP_0,
  PROP_DRAW,
  PROP_HEAT_MAP_CLASS,
  PROP_LINE_WIDTH,
  PROP_FONT,
  PROP_COLOR,
  PROP_EXPIRE_AFTER
};

struct _GstConvnetOverlay
{
  GstBaseTransform parent;

  /* Guarded by the object lock. */
  GstConvnetDraw draw;
  gchar *heat_map_class, *font;
  gdouble line_width;
  guint color;
  guint64 expire_after;

  /* Only the streaming thread, and start() and stop(). */
  GstVideoInfo info;
  gboolean asked, attach;
  GArray *last; /* of GstConvnetObject */
  GstClockTime last_time;
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS (CAPS));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS (CAPS));

#define gst_convnet_overlay_parent_class parent_class
G_DEFINE_TYPE_WITH_CODE (GstConvnetOverlay, gst_convnet_overlay,
    GST_TYPE_BASE_TRANSFORM,
    GST_DEBUG_CATEGORY_INIT (convnet_overlay_debug, "convnetoverlay", 0,
        "draws what convnet found"))
GST_ELEMENT_REGISTER_DEFINE (convnetoverlay, "convnetoverlay", GST_RANK_NONE,
    GST_TYPE_CONVNET_OVERLAY)

GType
gst_convnet_draw_get_type (void)
{
  static gsize type = 0;
  static const GFlagsValue values[] = {
    { GST_CONVNET_DRAW_BOXES, "A box around every object", "boxes" },
    { GST_CONVNET_DRAW_LABELS, "The name of its class", "labels" },
    { GST_CONVNET_DRAW_SCORES, "Its confidence in percent", "scores" },
    { GST_CONVNET_DRAW_HEAT_MAP, "Where the network sees a class", "heat-map" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type)) {
    GType registered = g_flags_register_static ("GstConvnetDraw", values);
    g_once_init_leave (&type, registered);
  }
  return type;
}

/* @caps with, or without, the feature that says "compositions may come". */
static GstCaps *
with_composition (const GstCaps *caps, gboolean with)
{
  GstCaps *result = gst_caps_copy (caps);

  for (guint i = 0; i < gst_caps_get_size (result); i++) {
    GstCapsFeatures *features = gst_caps_get_features (result, i);

    if (gst_caps_features_is_any (features))
      continue;
    if (!with)
      gst_caps_features_remove (features, COMPOSITION);
    else if (!gst_caps_features_contains (features, COMPOSITION))
      gst_caps_features_add (features, COMPOSITION);
  }
  return result;
}

/* Downstream the feature may be added, never taken away: frames that came with
 * a composition keep it. */
static GstCaps *
gst_convnet_overlay_transform_caps (GstBaseTransform *trans G_GNUC_UNUSED,
    GstPadDirection direction, GstCaps *caps, GstCaps *filter)
{
  GstCaps *changed = with_composition (caps, direction == GST_PAD_SINK);
  GstCaps *result = direction == GST_PAD_SINK
      ? gst_caps_merge (changed, gst_caps_ref (caps))
      : gst_caps_merge (gst_caps_ref (caps), changed);

  if (filter) {
    GstCaps *filtered =
        gst_caps_intersect_full (filter, result, GST_CAPS_INTERSECT_FIRST);
    gst_caps_unref (result);
    result = filtered;
  }
  return result;
}

static gboolean
gst_convnet_overlay_set_caps (GstBaseTransform *trans, GstCaps *in,
    GstCaps *out G_GNUC_UNUSED)
{
  GstConvnetOverlay *self = GST_CONVNET_OVERLAY (trans);

  self->asked = FALSE;
  g_array_set_size (self->last, 0);
  return gst_video_info_from_caps (&self->info, in);
}

/* Memory is upstream's, so upstream hears what downstream wants. */
static gboolean
gst_convnet_overlay_propose_allocation (GstBaseTransform *trans,
    GstQuery *decide_query G_GNUC_UNUSED, GstQuery *query)
{
  return GST_BASE_TRANSFORM_CLASS (parent_class)
      ->propose_allocation (trans, NULL, query);
}

/* Whether downstream takes compositions. In-place transforms are not asked to
 * decide on an allocation, and before the caps are sent nobody answers: so the
 * first frame asks. */
static void
ask_downstream (GstConvnetOverlay *self)
{
  GstPad *pad = GST_BASE_TRANSFORM_SRC_PAD (self);
  GstCaps *caps = gst_pad_get_current_caps (pad);
  GstQuery *query;

  self->asked = TRUE;
  self->attach = FALSE;
  if (!caps)
    return;
  query = gst_query_new_allocation (caps, FALSE);
  if (gst_caps_features_contains (gst_caps_get_features (caps, 0), COMPOSITION)
      && gst_pad_peer_query (pad, query))
    self->attach = gst_query_find_allocation_meta (query,
        GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE, NULL);
  gst_query_unref (query);
  gst_caps_unref (caps);
  GST_DEBUG_OBJECT (self, "drawing is %s",
      self->attach ? "attached" : "blended");
}

static GstFlowReturn
gst_convnet_overlay_prepare_output_buffer (GstBaseTransform *trans
                                               G_GNUC_UNUSED,
    GstBuffer *in, GstBuffer **out)
{
  *out = gst_buffer_is_writable (in) ? in : gst_buffer_copy (in);
  return *out ? GST_FLOW_OK : GST_FLOW_ERROR;
}

/* The frame's objects into @self->last; frames without any keep those of
 * before, until they expire. */
static void
collect_objects (GstConvnetOverlay *self, GstBuffer *buffer,
    GstClockTime expire_after)
{
  const GstClockTime time = GST_BUFFER_PTS (buffer);
  GstConvnetObject object;
  gpointer state = NULL;
  gboolean found = FALSE;

  while (gst_convnet_meta_next_object (buffer, &state, TRUE,
      GST_VIDEO_INFO_WIDTH (&self->info), GST_VIDEO_INFO_HEIGHT (&self->info),
      &object)) {
    if (!found)
      g_array_set_size (self->last, 0);
    found = TRUE;
    if (object.label)
      object.label = g_intern_string (object.label);
    g_array_append_val (self->last, object);
  }
  if (found) {
    self->last_time = time;
    return;
  }
  if (!GST_CLOCK_TIME_IS_VALID (time)
      || !GST_CLOCK_TIME_IS_VALID (self->last_time) || time < self->last_time
      || time - self->last_time >= expire_after)
    g_array_set_size (self->last, 0);
}

static void
add_heat_map (GstConvnetOverlay *self, GstBuffer *buffer, const gchar *label,
    GPtrArray *rectangles)
{
  GstCustomMeta *meta =
      gst_buffer_get_custom_meta (buffer, GST_CONVNET_MAP_META_NAME);
  GstVideoOverlayRectangle *rectangle;

  if (!meta)
    return;
  rectangle = gst_convnet_heat_map (gst_custom_meta_get_structure (meta), label,
      GST_VIDEO_INFO_WIDTH (&self->info), GST_VIDEO_INFO_HEIGHT (&self->info));
  if (rectangle)
    g_ptr_array_add (rectangles, rectangle);
  else
    GST_LOG_OBJECT (self, "the map has no class '%s'", label);
}

static void
draw_all (GstConvnetOverlay *self, GstBuffer *buffer, GPtrArray *rectangles)
{
  GstConvnetStyle style = { .width = GST_VIDEO_INFO_WIDTH (&self->info),
    .height = GST_VIDEO_INFO_HEIGHT (&self->info) };
  gchar *font, *heat_map_class;
  guint64 expire_after;

  GST_OBJECT_LOCK (self);
  style.draw = self->draw;
  style.line_width = self->line_width;
  style.font = font = g_strdup (self->font);
  style.color = self->color;
  heat_map_class = g_strdup (self->heat_map_class);
  expire_after = self->expire_after;
  GST_OBJECT_UNLOCK (self);

  if (style.draw & GST_CONVNET_DRAW_HEAT_MAP)
    add_heat_map (self, buffer, heat_map_class, rectangles);
  collect_objects (self, buffer, expire_after);
  if (self->last->len > 0)
    gst_convnet_draw_objects (&style, self->last, rectangles);
  g_free (font);
  g_free (heat_map_class);
}

/* After what upstream may have attached, so that it lies on top. */
static void
attach (GstBuffer *buffer, const GPtrArray *rectangles)
{
  GstVideoOverlayCompositionMeta *meta =
      gst_buffer_get_video_overlay_composition_meta (buffer);
  GstVideoOverlayComposition *composition = meta
      ? gst_video_overlay_composition_copy (meta->overlay)
      : gst_video_overlay_composition_new (NULL);

  for (guint i = 0; i < rectangles->len; i++)
    gst_video_overlay_composition_add_rectangle (composition,
        g_ptr_array_index (rectangles, i));
  if (meta)
    gst_buffer_remove_video_overlay_composition_meta (buffer, meta);
  gst_buffer_add_video_overlay_composition_meta (buffer, composition);
  gst_video_overlay_composition_unref (composition);
}

static void
blend (GstConvnetOverlay *self, GstBuffer *buffer, const GPtrArray *rectangles)
{
  GstVideoOverlayComposition *composition =
      gst_video_overlay_composition_new (NULL);
  GstVideoFrame frame;

  for (guint i = 0; i < rectangles->len; i++)
    gst_video_overlay_composition_add_rectangle (composition,
        g_ptr_array_index (rectangles, i));
  if (gst_video_frame_map (&frame, &self->info, buffer, GST_MAP_READWRITE)) {
    gst_video_overlay_composition_blend (composition, &frame);
    gst_video_frame_unmap (&frame);
  } else {
    GST_WARNING_OBJECT (self, "%" GST_PTR_FORMAT " can't be written", buffer);
  }
  gst_video_overlay_composition_unref (composition);
}

static void
unref_rectangle (gpointer rectangle)
{
  gst_video_overlay_rectangle_unref (rectangle);
}

static GstFlowReturn
gst_convnet_overlay_transform_ip (GstBaseTransform *trans, GstBuffer *buffer)
{
  GstConvnetOverlay *self = GST_CONVNET_OVERLAY (trans);
  GPtrArray *rectangles = g_ptr_array_new_with_free_func (unref_rectangle);

  if (!self->asked)
    ask_downstream (self);
  draw_all (self, buffer, rectangles);
  if (rectangles->len > 0) {
    if (self->attach)
      attach (buffer, rectangles);
    else
      blend (self, buffer, rectangles);
  }
  g_ptr_array_unref (rectangles);
  return GST_FLOW_OK;
}

static gboolean
gst_convnet_overlay_start (GstBaseTransform *trans)
{
  GstConvnetOverlay *self = GST_CONVNET_OVERLAY (trans);

  g_array_set_size (self->last, 0);
  self->last_time = GST_CLOCK_TIME_NONE;
  return TRUE;
}

static void
gst_convnet_overlay_set_property (GObject *object, guint id,
    const GValue *value, GParamSpec *pspec)
{
  GstConvnetOverlay *self = GST_CONVNET_OVERLAY (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_DRAW:
      self->draw = g_value_get_flags (value);
      break;
    case PROP_HEAT_MAP_CLASS:
      g_free (self->heat_map_class);
      self->heat_map_class = g_value_dup_string (value);
      break;
    case PROP_LINE_WIDTH:
      self->line_width = g_value_get_double (value);
      break;
    case PROP_FONT:
      g_free (self->font);
      self->font = g_value_dup_string (value);
      break;
    case PROP_COLOR:
      self->color = g_value_get_uint (value);
      break;
    case PROP_EXPIRE_AFTER:
      self->expire_after = g_value_get_uint64 (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_convnet_overlay_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  GstConvnetOverlay *self = GST_CONVNET_OVERLAY (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_DRAW:
      g_value_set_flags (value, self->draw);
      break;
    case PROP_HEAT_MAP_CLASS:
      g_value_set_string (value, self->heat_map_class);
      break;
    case PROP_LINE_WIDTH:
      g_value_set_double (value, self->line_width);
      break;
    case PROP_FONT:
      g_value_set_string (value, self->font);
      break;
    case PROP_COLOR:
      g_value_set_uint (value, self->color);
      break;
    case PROP_EXPIRE_AFTER:
      g_value_set_uint64 (value, self->expire_after);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_convnet_overlay_finalize (GObject *object)
{
  GstConvnetOverlay *self = GST_CONVNET_OVERLAY (object);

  g_free (self->heat_map_class);
  g_free (self->font);
  g_array_unref (self->last);
  G_OBJECT_CLASS (parent_class)->finalize (object);
}

#define PLAYING                                                                \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING)

static void
install_properties (GObjectClass *klass)
{
  /**
   * GstConvnetOverlay:draw:
   *
   * What to draw.
   */
  g_object_class_install_property (klass, PROP_DRAW,
      g_param_spec_flags ("draw", "Draw", "What to draw", GST_TYPE_CONVNET_DRAW,
          DEFAULT_DRAW, PLAYING));
  /**
   * GstConvnetOverlay:heat-map-class:
   *
   * Label of the class whose probability the heat map shows. NULL: at each
   * place the most probable class that is not the background.
   */
  g_object_class_install_property (klass, PROP_HEAT_MAP_CLASS,
      g_param_spec_string ("heat-map-class", "Heat map class",
          "Label of the class that the heat map shows (null = the most "
          "probable one)",
          DEFAULT_HEAT_MAP_CLASS, PLAYING));
  /**
   * GstConvnetOverlay:line-width:
   *
   * Width of the boxes' lines in pixels, rounded. 0: by the frame's size.
   */
  g_object_class_install_property (klass, PROP_LINE_WIDTH,
      g_param_spec_double ("line-width", "Line width",
          "Width of lines in pixels (0 = by the frame's size)", 0.0,
          MAX_LINE_WIDTH, DEFAULT_LINE_WIDTH, PLAYING));
  /**
   * GstConvnetOverlay:font:
   *
   * Pango font description, like "Sans Bold 14". Without a size: by the
   * frame's size.
   */
  g_object_class_install_property (klass, PROP_FONT,
      g_param_spec_string ("font", "Font",
          "Pango font description; without a size it follows the frame's "
          "(null = Sans Bold)",
          DEFAULT_FONT, PLAYING));
  /**
   * GstConvnetOverlay:color:
   *
   * Color of lines and labels as 0xAARRGGBB. 0: one for each class.
   */
  g_object_class_install_property (klass, PROP_COLOR,
      g_param_spec_uint ("color", "Color",
          "Color of lines and labels as 0xAARRGGBB (0 = one for each class)", 0,
          G_MAXUINT32, DEFAULT_COLOR, PLAYING));
  /**
   * GstConvnetOverlay:expire-after:
   *
   * How long boxes stay on frames that come without any, in ns. 0: not at all.
   */
  g_object_class_install_property (klass, PROP_EXPIRE_AFTER,
      g_param_spec_uint64 ("expire-after", "Expire after",
          "How long boxes stay on frames that come without any, in ns", 0,
          G_MAXUINT64, DEFAULT_EXPIRE_AFTER, PLAYING));
}

static void
gst_convnet_overlay_class_init (GstConvnetOverlayClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);

  object_class->set_property = gst_convnet_overlay_set_property;
  object_class->get_property = gst_convnet_overlay_get_property;
  object_class->finalize = gst_convnet_overlay_finalize;
  install_properties (object_class);
  gst_type_mark_as_plugin_api (GST_TYPE_CONVNET_DRAW, 0);
  gst_convnet_map_meta_register ();

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class,
      "Convolutional network overlay", "Analyzer/Visualization/Video",
      "Draws what convnet found: boxes, labels, scores and a heat map",
      "The gst-convnet authors");

  trans_class->start = gst_convnet_overlay_start;
  trans_class->transform_caps = gst_convnet_overlay_transform_caps;
  trans_class->set_caps = gst_convnet_overlay_set_caps;
  trans_class->propose_allocation = gst_convnet_overlay_propose_allocation;
  trans_class->prepare_output_buffer =
      gst_convnet_overlay_prepare_output_buffer;
  trans_class->transform_ip = gst_convnet_overlay_transform_ip;
}

static void
gst_convnet_overlay_init (GstConvnetOverlay *self)
{
  self->draw = DEFAULT_DRAW;
  self->heat_map_class = g_strdup (DEFAULT_HEAT_MAP_CLASS);
  self->line_width = DEFAULT_LINE_WIDTH;
  self->font = g_strdup (DEFAULT_FONT);
  self->color = DEFAULT_COLOR;
  self->expire_after = DEFAULT_EXPIRE_AFTER;
  self->last = g_array_new (FALSE, FALSE, sizeof (GstConvnetObject));
  self->last_time = GST_CLOCK_TIME_NONE;
}
