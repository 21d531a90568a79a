/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstconvnetmodel.c: files, resources and label lists to a GstConvnetModel.
 *
 * Called by `convnet` when it starts and when model-file changes. Everything
 * that can be wrong with a model or its labels is found here, before the first
 * frame, and is said in one sentence. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstconvnetmodel.h"

#include <cnn/onnx.h>
#include <gio/gio.h>

#define BUILT_IN_MODEL "/org/gstreamer/convnet/digits/model.onnx"
#define SIDECAR_LABELS "labels.txt"

static void
model_clear (gpointer data)
{
  GstConvnetModel *model = data;

  cnn_model_unref (model->model);
  g_strfreev (model->labels);
  g_free (model->quarks);
}

GstConvnetModel *
gst_convnet_model_ref (GstConvnetModel *model)
{
  return g_atomic_rc_box_acquire (model);
}

void
gst_convnet_model_unref (GstConvnetModel *model)
{
  if (model)
    g_atomic_rc_box_release_full (model, model_clear);
}

void
gst_convnet_error_set (GError **error, const gchar *what, CnnStatus status,
    const CnnError *failure)
{
  switch (status) {
    case CNN_ERROR_UNSUPPORTED:
      g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_NOT_IMPLEMENTED,
          "%s: %s", what, failure->message);
      break;
    case CNN_ERROR_MEMORY:
      g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT,
          "%s: %s", what, failure->message);
      break;
    case CNN_ERROR_ARGUMENT:
      g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
          "%s: %s", what, failure->message);
      break;
    default:
      g_set_error (error, GST_STREAM_ERROR, GST_STREAM_ERROR_DECODE, "%s: %s",
          what, failure->message);
      break;
  }
}

static gint
resource_error_of (const GError *error)
{
  return g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT)
      ? GST_RESOURCE_ERROR_NOT_FOUND
      : GST_RESOURCE_ERROR_OPEN_READ;
}

static GBytes *
read_file (const gchar *path, GError **error)
{
  GError *failure = NULL;
  GMappedFile *file = g_mapped_file_new (path, FALSE, &failure);
  GBytes *bytes;

  if (!file) {
    g_set_error (error, GST_RESOURCE_ERROR, resource_error_of (failure),
        "Model '%s' can't be read: %s", path, failure->message);
    g_error_free (failure);
    return NULL;
  }
  bytes = g_mapped_file_get_bytes (file);
  g_mapped_file_unref (file);
  return bytes;
}

/* The built-in one is part of the plugin and can't be missing. */
static GBytes *
read_model (const gchar *path, GError **error)
{
  if (path)
    return read_file (path, error);
  return g_resources_lookup_data (BUILT_IN_MODEL, G_RESOURCE_LOOKUP_FLAGS_NONE,
      NULL);
}

/* Whether the network becomes a class map is found here too, not only at the
 * first caps. */
static CnnModel *
load (const gchar *path, GError **error)
{
  gchar *what = g_strdup_printf ("Model '%s'", path ? path : "built-in");
  CnnModel *model = NULL, *map = NULL;
  CnnError failure;
  CnnStatus status;
  GBytes *bytes = read_model (path, error);

  if (!bytes)
    goto out;
  status = cnn_onnx_read (g_bytes_get_data (bytes, NULL),
      g_bytes_get_size (bytes), &model, &failure);
  if (status == CNN_OK)
    status = cnn_model_to_map (model, &map, &failure);
  if (status != CNN_OK) {
    gst_convnet_error_set (error, what, status, &failure);
    g_clear_pointer (&model, cnn_model_unref);
  }

out:
  cnn_model_unref (map);
  g_clear_pointer (&bytes, g_bytes_unref);
  g_free (what);
  return model;
}

/* Lines or commas to names; empty ones at the end don't count. */
static gchar **
split_labels (const gchar *text, const gchar *separator)
{
  gchar **labels = g_strsplit (text, separator, -1);
  guint n = g_strv_length (labels);

  for (guint i = 0; i < n; i++)
    g_strstrip (labels[i]);
  while (n > 0 && labels[n - 1][0] == '\0')
    g_clear_pointer (&labels[--n], g_free);
  return labels;
}

static gchar **
read_label_file (const gchar *path, GError **error)
{
  GError *failure = NULL;
  gchar *text = NULL;
  gchar **labels = NULL;

  if (!g_file_get_contents (path, &text, NULL, &failure)) {
    g_set_error (error, GST_RESOURCE_ERROR, resource_error_of (failure),
        "Labels '%s' can't be read: %s", path, failure->message);
    g_error_free (failure);
    return NULL;
  }
  if (g_utf8_validate (text, -1, NULL))
    labels = split_labels (text, "\n");
  else
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
        "Labels '%s' are not UTF-8 text", path);
  g_free (text);
  return labels;
}

/* Names that the user gave. NULL without @error: there are none. */
static gchar **
explicit_labels (const GstConvnetModelSettings *settings, gint classes,
    GError **error)
{
  gchar **labels = NULL;

  if (settings->labels && settings->labels[0] != '\0')
    labels = split_labels (settings->labels, ",");
  else if (settings->label_file)
    labels = read_label_file (settings->label_file, error);

  if (labels && g_strv_length (labels) != (guint) classes) {
    if (!settings->keep_fitting_labels)
      g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
          "%u labels were given, the model has %d classes",
          g_strv_length (labels), classes);
    g_clear_pointer (&labels, g_strfreev);
  }
  return labels;
}

/* A labels.txt beside a model that doesn't name its classes. */
static gchar **
sidecar_labels (const gchar *model_file, const CnnModel *network, gint classes)
{
  gchar *folder, *path, **labels;

  if (!model_file || cnn_model_metadata (network, "convnet.labels"))
    return NULL;

  folder = g_path_get_dirname (model_file);
  path = g_build_filename (folder, SIDECAR_LABELS, NULL);
  labels = read_label_file (path, NULL);
  if (labels && g_strv_length (labels) != (guint) classes)
    g_clear_pointer (&labels, g_strfreev);
  g_free (path);
  g_free (folder);
  return labels;
}

static gchar **
model_labels (const CnnModelInfo *info)
{
  gchar **labels = g_new0 (gchar *, info->classes + 1);

  for (gint i = 0; i < info->classes; i++)
    labels[i] = g_strdup (info->labels[i]);
  return labels;
}

static gboolean
resolve_labels (GstConvnetModel *model, const GstConvnetModelSettings *settings,
    GError **error)
{
  GError *failure = NULL;
  gchar **labels = explicit_labels (settings, model->classes, &failure);

  if (failure) {
    g_propagate_error (error, failure);
    return FALSE;
  }
  if (!labels)
    labels =
        sidecar_labels (settings->model_file, model->model, model->classes);
  if (!labels)
    labels = model_labels (model->info);

  model->labels = labels;
  model->quarks = g_new (GQuark, model->classes);
  for (gint i = 0; i < model->classes; i++)
    model->quarks[i] = g_quark_from_string (labels[i]);
  return TRUE;
}

static gboolean
resolve_background (GstConvnetModel *model, const gchar *background,
    GError **error)
{
  gint64 index;

  if (!background) {
    model->background = model->info->background;
    return TRUE;
  }
  model->background = -1;
  if (background[0] == '\0')
    return TRUE;

  for (gint i = 0; i < model->classes; i++) {
    if (g_str_equal (model->labels[i], background)) {
      model->background = i;
      return TRUE;
    }
  }
  if (!g_ascii_string_to_signed (background, 10, 0, model->classes - 1, &index,
          NULL)) {
    g_set_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS,
        "background-class '%s' is neither a label nor an index from 0 to %d",
        background, model->classes - 1);
    return FALSE;
  }
  model->background = (gint) index;
  return TRUE;
}

/* Only networks that declare a size have a geometry before the first frame:
 * for the others window and stride stay 0 until then. */
static void
measure (GstConvnetModel *model)
{
  const CnnModelInfo *info = model->info;
  const CnnShape shape = { 4,
    { 1, info->channels, info->height, info->width } };
  const CnnSessionOptions options = { .info_only = 1 };
  CnnGeometry geometry;
  CnnSession *session = NULL;
  CnnModel *map = NULL;

  if (info->height <= 0 || info->width <= 0)
    return;
  if (cnn_model_to_map (model->model, &map, NULL) == CNN_OK
      && cnn_session_new (map, &shape, &options, &session, NULL) == CNN_OK
      && cnn_session_geometry (session, &geometry, NULL) == CNN_OK) {
    for (gint i = 0; i < 2; i++) {
      model->window[i] = (guint) geometry.window[i];
      model->stride[i] = (guint) geometry.stride[i];
    }
  }
  cnn_session_free (session);
  cnn_model_unref (map);
}

GstConvnetModel *
gst_convnet_model_new (const GstConvnetModelSettings *settings, GError **error)
{
  CnnModel *network = load (settings->model_file, error);
  GstConvnetModel *model;

  if (!network)
    return NULL;

  model = g_atomic_rc_box_new0 (GstConvnetModel);
  model->model = network;
  model->info = cnn_model_info (network);
  model->classes = model->info->classes;
  if (!resolve_labels (model, settings, error)
      || !resolve_background (model, settings->background_class, error)) {
    gst_convnet_model_unref (model);
    return NULL;
  }
  measure (model);
  return model;
}
