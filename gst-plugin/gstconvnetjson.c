/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstconvnetjson.c: video in, a line of JSON for every frame out.
 *
 * Reads metadata only, so frames of every kind of memory are taken and never
 * mapped. */

/**
 * SECTION:element-convnetjson
 * @title: convnetjson
 * @short_description: prints what convnet found, one line of JSON a frame
 *
 * convnetjson turns the regions of interest that convnet attached to a frame
 * into one line of JSON. The field names are those that readers of DL
 * Streamer's messages know.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 -q videotestsrc num-buffers=3 ! convnet ! convnetjson source=test ! fdsink
 * ]|
 * |[
 * gst-launch-1.0 v4l2src ! videoconvert ! convnet ! convnetjson empty-results=false ! filesink location=digits.jsonl
 * ]|
 */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstconvnetjson.h"

#include <gst/video/video.h>

#include "jsonline.h"

GST_DEBUG_CATEGORY_STATIC (convnet_json_debug);
#define GST_CAT_DEFAULT       convnet_json_debug

#define DEFAULT_SOURCE        NULL
#define DEFAULT_TAGS          NULL
#define DEFAULT_EMPTY_RESULTS TRUE
#define DEFAULT_ALL_REGIONS   FALSE

enum
{
  PROP_0,
  PROP_SOURCE,
  PROP_TAGS,
  PROP_EMPTY_RESULTS,
  PROP_ALL_REGIONS
};

struct _GstConvnetJson
{
  GstBaseTransform parent;

  /* Guarded by the object lock. */
  gchar *source, *tags;
  gboolean empty_results, all_regions;

  /* Only the streaming thread, and start() and stop(). */
  gchar *checked_tags;
  gint width, height;
};

static GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE ("sink",
    GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS ("video/x-raw(ANY)"));
static GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE ("src",
    GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS ("application/x-json"));

#define gst_convnet_json_parent_class parent_class
G_DEFINE_TYPE_WITH_CODE (GstConvnetJson, gst_convnet_json,
    GST_TYPE_BASE_TRANSFORM,
    GST_DEBUG_CATEGORY_INIT (convnet_json_debug, "convnetjson", 0,
        "what convnet found as JSON"))
GST_ELEMENT_REGISTER_DEFINE (convnetjson, "convnetjson", GST_RANK_NONE,
    GST_TYPE_CONVNET_JSON)

static gboolean
gst_convnet_json_start (GstBaseTransform *trans)
{
  GstConvnetJson *self = GST_CONVNET_JSON (trans);
  GError *error = NULL;
  gchar *tags;

  GST_OBJECT_LOCK (self);
  tags = g_strdup (self->tags);
  GST_OBJECT_UNLOCK (self);

  if (tags && tags[0] != '\0') {
    self->checked_tags = gst_convnet_json_check_object (tags, &error);
    if (!self->checked_tags) {
      GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
          ("tags '%s' can't be added: %s", tags, error->message), (NULL));
      g_error_free (error);
    }
  }
  g_free (tags);
  return error == NULL;
}

static gboolean
gst_convnet_json_stop (GstBaseTransform *trans)
{
  g_clear_pointer (&GST_CONVNET_JSON (trans)->checked_tags, g_free);
  return TRUE;
}

static GstCaps *
gst_convnet_json_transform_caps (GstBaseTransform *trans,
    GstPadDirection direction, GstCaps *caps G_GNUC_UNUSED, GstCaps *filter)
{
  GstPad *other = direction == GST_PAD_SINK
      ? GST_BASE_TRANSFORM_SRC_PAD (trans)
      : GST_BASE_TRANSFORM_SINK_PAD (trans);
  GstCaps *result = gst_pad_get_pad_template_caps (other);

  if (filter) {
    GstCaps *filtered =
        gst_caps_intersect_full (filter, result, GST_CAPS_INTERSECT_FIRST);
    gst_caps_unref (result);
    result = filtered;
  }
  return result;
}

static gboolean
gst_convnet_json_set_caps (GstBaseTransform *trans, GstCaps *in,
    GstCaps *out G_GNUC_UNUSED)
{
  GstConvnetJson *self = GST_CONVNET_JSON (trans);
  const GstStructure *structure = gst_caps_get_structure (in, 0);

  return gst_structure_get_int (structure, "width", &self->width)
      && gst_structure_get_int (structure, "height", &self->height)
      && self->width > 0 && self->height > 0;
}

/* Frames are not looked at: any stride and any padding will do. */
static gboolean
gst_convnet_json_propose_allocation (GstBaseTransform *trans G_GNUC_UNUSED,
    GstQuery *decide_query G_GNUC_UNUSED, GstQuery *query)
{
  gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
  return TRUE;
}

/* Lines are allocated as they come. */
static gboolean
gst_convnet_json_decide_allocation (GstBaseTransform *trans G_GNUC_UNUSED,
    GstQuery *query G_GNUC_UNUSED)
{
  return TRUE;
}

static GstFlowReturn
gst_convnet_json_prepare_output_buffer (GstBaseTransform *trans G_GNUC_UNUSED,
    GstBuffer *in, GstBuffer **out)
{
  *out = gst_buffer_new ();
  gst_buffer_copy_into (*out, in,
      GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_TIMESTAMPS, 0, (gsize) -1);
  return GST_FLOW_OK;
}

static GstFlowReturn
gst_convnet_json_transform (GstBaseTransform *trans, GstBuffer *in,
    GstBuffer *out)
{
  GstConvnetJson *self = GST_CONVNET_JSON (trans);
  GstConvnetJsonLine line = { .tags = self->checked_tags,
    .width = self->width,
    .height = self->height };
  gboolean empty_results;
  GString *text;
  gchar *source;
  guint objects;
  GBytes *bytes;
  gconstpointer data;
  gsize length;

  GST_OBJECT_LOCK (self);
  line.source = source = g_strdup (self->source);
  line.all_regions = self->all_regions;
  empty_results = self->empty_results;
  GST_OBJECT_UNLOCK (self);

  text = gst_convnet_json_line (&line, in, &objects);
  g_free (source);
  if (objects == 0 && !empty_results) {
    g_string_free (text, TRUE);
    return GST_BASE_TRANSFORM_FLOW_DROPPED;
  }
  bytes = g_string_free_to_bytes (text);
  data = g_bytes_get_data (bytes, &length);
  gst_buffer_append_memory (out,
      gst_memory_new_wrapped (GST_MEMORY_FLAG_READONLY, (gpointer) data, length,
          0, length, bytes, (GDestroyNotify) g_bytes_unref));
  return GST_FLOW_OK;
}

static void
gst_convnet_json_set_property (GObject *object, guint id, const GValue *value,
    GParamSpec *pspec)
{
  GstConvnetJson *self = GST_CONVNET_JSON (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_SOURCE:
      g_free (self->source);
      self->source = g_value_dup_string (value);
      break;
    case PROP_TAGS:
      g_free (self->tags);
      self->tags = g_value_dup_string (value);
      break;
    case PROP_EMPTY_RESULTS:
      self->empty_results = g_value_get_boolean (value);
      break;
    case PROP_ALL_REGIONS:
      self->all_regions = g_value_get_boolean (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_convnet_json_get_property (GObject *object, guint id, GValue *value,
    GParamSpec *pspec)
{
  GstConvnetJson *self = GST_CONVNET_JSON (object);

  GST_OBJECT_LOCK (self);
  switch (id) {
    case PROP_SOURCE:
      g_value_set_string (value, self->source);
      break;
    case PROP_TAGS:
      g_value_set_string (value, self->tags);
      break;
    case PROP_EMPTY_RESULTS:
      g_value_set_boolean (value, self->empty_results);
      break;
    case PROP_ALL_REGIONS:
      g_value_set_boolean (value, self->all_regions);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
      break;
  }
  GST_OBJECT_UNLOCK (self);
}

static void
gst_convnet_json_finalize (GObject *object)
{
  GstConvnetJson *self = GST_CONVNET_JSON (object);

  g_free (self->source);
  g_free (self->tags);
  G_OBJECT_CLASS (parent_class)->finalize (object);
}

#define READY                                                                  \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY)
#define PLAYING                                                                \
  (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING)

static void
install_properties (GObjectClass *klass)
{
  /**
   * GstConvnetJson:source:
   *
   * Name of the stream, the field `source` of every line. NULL leaves it out.
   */
  g_object_class_install_property (klass, PROP_SOURCE,
      g_param_spec_string ("source", "Source",
          "Name of the stream in every line (null = the field is left out)",
          DEFAULT_SOURCE, PLAYING));
  /**
   * GstConvnetJson:tags:
   *
   * Text of a JSON object, the field `tags` of every line. NULL leaves it out.
   */
  g_object_class_install_property (klass, PROP_TAGS,
      g_param_spec_string ("tags", "Tags",
          "A JSON object that is added to every line (null = the field is "
          "left out)",
          DEFAULT_TAGS, READY));
  /**
   * GstConvnetJson:empty-results:
   *
   * Also a line for frames in which nothing was found.
   */
  g_object_class_install_property (klass, PROP_EMPTY_RESULTS,
      g_param_spec_boolean ("empty-results", "Empty results",
          "Also print a line for frames without objects", DEFAULT_EMPTY_RESULTS,
          PLAYING));
  /**
   * GstConvnetJson:all-regions:
   *
   * Also regions of interest that other elements attached; they have no
   * `detection`.
   */
  g_object_class_install_property (klass, PROP_ALL_REGIONS,
      g_param_spec_boolean ("all-regions", "All regions",
          "Also print regions of interest of other elements",
          DEFAULT_ALL_REGIONS, PLAYING));
}

static void
gst_convnet_json_class_init (GstConvnetJsonClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);
  GstBaseTransformClass *trans_class = GST_BASE_TRANSFORM_CLASS (klass);

  object_class->set_property = gst_convnet_json_set_property;
  object_class->get_property = gst_convnet_json_get_property;
  object_class->finalize = gst_convnet_json_finalize;
  install_properties (object_class);

  gst_element_class_add_static_pad_template (element_class, &sink_template);
  gst_element_class_add_static_pad_template (element_class, &src_template);
  gst_element_class_set_static_metadata (element_class,
      "Convolutional network results as JSON", "Filter/Converter/Video",
      "Prints what convnet found, one line of JSON a frame",
      "The gst-convnet authors");

  trans_class->start = gst_convnet_json_start;
  trans_class->stop = gst_convnet_json_stop;
  trans_class->transform_caps = gst_convnet_json_transform_caps;
  trans_class->set_caps = gst_convnet_json_set_caps;
  trans_class->propose_allocation = gst_convnet_json_propose_allocation;
  trans_class->decide_allocation = gst_convnet_json_decide_allocation;
  trans_class->prepare_output_buffer = gst_convnet_json_prepare_output_buffer;
  trans_class->transform = gst_convnet_json_transform;
}

static void
gst_convnet_json_init (GstConvnetJson *self)
{
  self->source = g_strdup (DEFAULT_SOURCE);
  self->tags = g_strdup (DEFAULT_TAGS);
  self->empty_results = DEFAULT_EMPTY_RESULTS;
  self->all_regions = DEFAULT_ALL_REGIONS;
}
