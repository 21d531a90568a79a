/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* scene.c: a network that knows bright squares, and pictures of them. */

#include "scene.h"

#include <glib/gstdio.h>
#include <stdlib.h>

#include <cnn/onnx.h>

static void
must (CnnStatus status, const CnnError *error)
{
  if (status)
    g_error ("%s", error->message);
}

/* What a network of one convolution over the whole window computes: for each
 * class a bias, and for each channel a weight that its mean is multiplied by.
 */
typedef struct
{
  gint channels, classes;
  const gchar *labels, *format;
  gfloat bias[3], weight[3][3];
} Recipe;

static const Recipe bright_recipe = { 1, 3, "bright\ndark\nnone", NULL,
  { -40 * 0.85f, 40 * 0.15f, 0 }, { { 40 }, { -40 }, { 0 } } };
static const Recipe small_recipe = { 1, 2, "bright\nnone", NULL,
  { -40 * 0.85f, 0 }, { { 40 }, { 0 } } };
static const Recipe rgb_recipe = { 3, 3, "red\ngreen\nnone", "Rgb8",
  { -20, -20, 0 }, { { 40, -20, -20 }, { -20, 40, -20 }, { 0 } } };
static const Recipe bgr_recipe = { 3, 3, "red\ngreen\nnone", "Bgr8",
  { -20, -20, 0 }, { { -20, -20, 40 }, { -20, 40, -20 }, { 0 } } };

static gfloat *
spread_weights (const Recipe *recipe)
{
  gint area = SCENE_WINDOW * SCENE_WINDOW;
  gfloat *weights = g_new (gfloat, recipe->classes * recipe->channels * area);
  for (gint k = 0; k < recipe->classes; k++)
    for (gint c = 0; c < recipe->channels; c++)
      for (gint i = 0; i < area; i++)
        weights[(k * recipe->channels + c) * area + i] =
            recipe->weight[k][c] / (gfloat) area;
  return weights;
}

static CnnModel *
build_model (const Recipe *recipe)
{
  CnnError error = { 0 };
  CnnGraph *graph = NULL;
  CnnModel *model = NULL;
  gfloat *weights = spread_weights (recipe);
  gfloat bias[3] = { recipe->bias[0], recipe->bias[1], recipe->bias[2] };
  CnnShape open = { 4, { 1, recipe->channels, -1, -1 } };
  CnnTensor w = { CNN_TYPE_FLOAT32,
    { 4, { recipe->classes, recipe->channels, SCENE_WINDOW, SCENE_WINDOW } },
    weights };
  CnnTensor b = { CNN_TYPE_FLOAT32, { 1, { recipe->classes } }, bias };
  const int64_t strides[] = { SCENE_STRIDE, SCENE_STRIDE };
  CnnAttribute attribute = { .name = "strides",
    .type = CNN_ATTRIBUTE_INTS,
    .count = 2,
    .ints = strides };
  const char *in[] = { "x", "w", "b" }, *out[] = { "y" };

  must (cnn_graph_new (CNN_GRAPH_OPSET, &graph, &error), &error);
  must (cnn_graph_add_input (graph, "x", CNN_TYPE_FLOAT32, &open, &error),
      &error);
  must (cnn_graph_add_constant (graph, "w", &w, &error), &error);
  must (cnn_graph_add_constant (graph, "b", &b, &error), &error);
  must (cnn_graph_add_node (graph, "Conv", "mean", in, 3, out, 1, &attribute, 1,
            &error),
      &error);
  must (cnn_graph_add_output (graph, "y", &error), &error);
  must (cnn_graph_set_metadata (graph, "convnet.labels", recipe->labels,
            &error),
      &error);
  must (cnn_graph_set_metadata (graph, "convnet.background", "none", &error),
      &error);
  must (cnn_graph_set_metadata (graph, "Image.BitmapPixelFormat",
            recipe->format, &error),
      &error);
  must (cnn_model_new (graph, &model, &error), &error);
  g_free (weights);
  return model;
}

static void
constant (CnnGraph *graph, const gchar *name, CnnShape shape, gfloat *data)
{
  CnnError error = { 0 };
  CnnTensor tensor = { CNN_TYPE_FLOAT32, shape, data };
  must (cnn_graph_add_constant (graph, name, &tensor, &error), &error);
}

static void
node (CnnGraph *graph, const gchar *op, const gchar *const *in, gint n_in,
    const gchar *out, const CnnAttribute *attributes, gint n_attributes)
{
  CnnError error = { 0 };
  must (cnn_graph_add_node (graph, op, out, in, n_in, &out, 1, attributes,
            n_attributes, &error),
      &error);
}

/* x--MaxPool--ConvTranspose--Concat with x--Conv 1x1 */
static CnnModel *
build_pixel_model (void)
{
  static const int64_t two[] = { 2, 2 };
  CnnError error = { 0 };
  CnnGraph *graph = NULL;
  CnnModel *model = NULL;
  CnnShape open = { 4, { 1, 1, -1, -1 } };
  gfloat ones[] = { 1, 1, 1, 1 };
  gfloat weights[] = { 20, 20, -20, -20, 0, 0 }, bias[] = { -34, 6, 0 };
  CnnAttribute kernel = { .name = "kernel_shape",
    .type = CNN_ATTRIBUTE_INTS,
    .count = 2,
    .ints = two };
  CnnAttribute strides = kernel;
  strides.name = "strides";
  CnnAttribute both[] = { kernel, strides };
  CnnAttribute axis = { .name = "axis", .type = CNN_ATTRIBUTE_INT, .i = 1 };
  must (cnn_graph_new (CNN_GRAPH_OPSET, &graph, &error), &error);
  must (cnn_graph_add_input (graph, "x", CNN_TYPE_FLOAT32, &open, &error),
      &error);
  constant (graph, "ones", (CnnShape){ 4, { 1, 1, 2, 2 } }, ones);
  constant (graph, "w", (CnnShape){ 4, { 3, 2, 1, 1 } }, weights);
  constant (graph, "b", (CnnShape){ 1, { 3 } }, bias);
  node (graph, "MaxPool", (const gchar *[]){ "x" }, 1, "down", both, 2);
  node (graph, "ConvTranspose", (const gchar *[]){ "down", "ones" }, 2, "up",
      both, 2);
  node (graph, "Concat", (const gchar *[]){ "x", "up" }, 2, "all", &axis, 1);
  node (graph, "Conv", (const gchar *[]){ "all", "w", "b" }, 3, "y", NULL, 0);
  must (cnn_graph_add_output (graph, "y", &error), &error);
  must (cnn_graph_set_metadata (graph, "convnet.labels", "bright\ndark\ngrey",
            &error),
      &error);
  must (cnn_model_new (graph, &model, &error), &error);
  return model;
}

/* @recipe: (nullable): NULL = the network on pixels */
static gchar *
write_model (const Recipe *recipe)
{
  CnnError error = { 0 };
  CnnModel *model = recipe ? build_model (recipe) : build_pixel_model ();
  void *bytes;
  size_t size;
  must (cnn_onnx_write (model, &bytes, &size, &error), &error);
  gchar *path =
      g_build_filename (g_get_tmp_dir (), "convnet-scene-XXXXXX", NULL);
  gint fd = g_mkstemp (path);
  g_assert_cmpint (fd, >=, 0);
  g_assert_true (g_close (fd, NULL));
  g_assert_true (g_file_set_contents (path, bytes, (gssize) size, NULL));
  free (bytes);
  cnn_model_unref (model);
  return path;
}

static gchar *written[5];

static void
remove_models (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (written); i++) {
    if (written[i])
      g_unlink (written[i]);
    g_clear_pointer (&written[i], g_free);
  }
}

static const gchar *
model_of (guint number, const Recipe *recipe)
{
  static gboolean registered;
  if (!registered)
    atexit (remove_models);
  registered = TRUE;
  if (!written[number])
    written[number] = write_model (recipe);
  return written[number];
}

const gchar *
scene_model (void)
{
  return model_of (0, &bright_recipe);
}

const gchar *
scene_small_model (void)
{
  return model_of (1, &small_recipe);
}

const gchar *
scene_color_model (const gchar *format)
{
  return g_str_equal (format, "Rgb8") ? model_of (2, &rgb_recipe)
                                      : model_of (3, &bgr_recipe);
}

const gchar *
scene_pixel_model (void)
{
  return model_of (4, NULL);
}

gchar *
scene_launch (const gchar *more)
{
  return g_strdup_printf (
      "convnet name=c model-file=%s max-size=%d class-confidence-threshold=0.9 "
      "%s",
      scene_model (), SCENE_WINDOW, more);
}

gchar *
scene_caps (const gchar *format, gint width, gint height)
{
  return g_strdup_printf (
      "video/x-raw,format=%s,width=%d,height=%d,framerate=30/1", format, width,
      height);
}

/* Drawn as RGB: GStreamer's conversion from GRAY8 leaves out the change of
 * levels. */
static GstBuffer *
draw (const GstVideoInfo *info, gint x, gint y, guint32 inside, guint32 outside)
{
  GstBuffer *drawn = gst_buffer_new_allocate (NULL, info->size, NULL);
  GstVideoFrame frame;
  g_assert_true (gst_video_frame_map (&frame, info, drawn, GST_MAP_WRITE));
  for (gint i = 0; i < GST_VIDEO_INFO_HEIGHT (info); i++) {
    guint8 *row = (guint8 *) GST_VIDEO_FRAME_PLANE_DATA (&frame, 0)
        + i * GST_VIDEO_FRAME_PLANE_STRIDE (&frame, 0);
    for (gint k = 0; k < GST_VIDEO_INFO_WIDTH (info); k++) {
      gboolean is_inside = x >= 0 && i >= y && i < y + SCENE_WINDOW && k >= x
          && k < x + SCENE_WINDOW;
      guint32 color = is_inside ? inside : outside;
      for (gint c = 0; c < 3; c++)
        row[k * 3 + c] = (guint8) (color >> (16 - 8 * c));
    }
  }
  gst_video_frame_unmap (&frame);
  return drawn;
}

GstBuffer *
scene_frame_of (const GstVideoInfo *info, gint x, gint y, guint32 inside,
    guint32 outside)
{
  GstVideoInfo plain;
  GstVideoFrame from, to;
  gst_video_info_set_format (&plain, GST_VIDEO_FORMAT_RGB,
      GST_VIDEO_INFO_WIDTH (info), GST_VIDEO_INFO_HEIGHT (info));
  plain.fps_n = info->fps_n;
  plain.fps_d = info->fps_d;
  GstBuffer *drawn = draw (&plain, x, y, inside, outside);
  GstBuffer *buffer = gst_buffer_new_allocate (NULL, info->size, NULL);
  GstVideoConverter *converter = gst_video_converter_new (&plain, info, NULL);

  g_assert_nonnull (converter);
  g_assert_true (gst_video_frame_map (&from, &plain, drawn, GST_MAP_READ));
  g_assert_true (gst_video_frame_map (&to, info, buffer, GST_MAP_WRITE));
  gst_video_converter_frame (converter, &from, &to);
  gst_video_converter_free (converter);
  gst_video_frame_unmap (&to);
  gst_video_frame_unmap (&from);
  gst_buffer_unref (drawn);
  GST_BUFFER_PTS (buffer) = 0;
  GST_BUFFER_DURATION (buffer) = GST_SECOND / 30;
  return buffer;
}

GstBuffer *
scene_frame (const GstVideoInfo *info, gint x, gint y)
{
  return scene_frame_of (info, x, y, 0xffffff, 0x808080);
}

void
scene_set_caps (GstHarness *h, const gchar *text, GstVideoInfo *info)
{
  GstCaps *caps = gst_caps_from_string (text);
  g_assert_true (gst_video_info_from_caps (info, caps));
  gst_harness_set_src_caps (h, caps);
}

GstBuffer *
scene_push (GstHarness *h, GstBuffer *in)
{
  GstBuffer *out = gst_harness_push_and_pull (h, in);
  g_assert_nonnull (out);
  return out;
}

const GstStructure *
scene_map (GstBuffer *buffer)
{
  GstCustomMeta *meta =
      gst_buffer_get_custom_meta (buffer, "GstConvnetMapMeta");
  return meta ? gst_custom_meta_get_structure (meta) : NULL;
}

const GstStructure *
scene_level (GstBuffer *buffer, guint level)
{
  const GstStructure *map = scene_map (buffer);
  g_assert_nonnull (map);
  const GValue *levels = gst_structure_get_value (map, "levels");
  g_assert_true (GST_VALUE_HOLDS_ARRAY (levels));
  return gst_value_get_structure (gst_value_array_get_value (levels, level));
}

GstHarness *
scene_harness (const gchar *launch, const gchar *format, gint width,
    gint height, GstVideoInfo *info)
{
  GstHarness *h = gst_harness_new_parse (launch);
  gchar *text = scene_caps (format, width, height);
  GstCaps *caps = gst_caps_from_string (text);
  g_assert_true (gst_video_info_from_caps (info, caps));
  gst_harness_set_src_caps (h, caps);
  g_free (text);
  return h;
}

guint
scene_count (GstBuffer *buffer)
{
  return gst_buffer_get_n_meta (buffer,
      GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE);
}

void
scene_assert_box (GstBuffer *buffer, const gchar *label, gint x, gint y, gint w,
    gint h)
{
  GstVideoRegionOfInterestMeta *roi =
      (GstVideoRegionOfInterestMeta *) gst_buffer_get_meta (buffer,
          GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE);
  g_assert_cmpuint (scene_count (buffer), ==, 1);
  g_assert_cmpstr (g_quark_to_string (roi->roi_type), ==, label);
  g_assert_cmpint (roi->x, ==, x);
  g_assert_cmpint (roi->y, ==, y);
  g_assert_cmpint (roi->w, ==, w);
  g_assert_cmpint (roi->h, ==, h);
}
