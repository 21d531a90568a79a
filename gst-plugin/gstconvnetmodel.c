/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstconvnetmodel.c: a network and lists of labels to a GstConvnetModel.
 *
 * Called by `convnet` when it starts and when model-file changes. Everything
 * that can be wrong with a model or its labels is found here, before the first
 * frame, and is said in one sentence. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstconvnetmodel.h"

#include <cnn/session.h>

#define SIDECAR_LABELS "labels.txt"

static void
model_clear (gpointer data)
{
  GstConvnetModel *model = data;

  gst_convnet_network_release (model->network);
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
    g_set_error (error, GST_RESOURCE_ERROR, gst_convnet_file_error (failure),
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
    labels = sidecar_labels (settings->model_file, model->network->model,
        model->classes);
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
  if (cnn_model_to_map (model->network->model, &map, NULL) == CNN_OK
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
  GstConvnetNetwork *network =
      gst_convnet_network_get (settings->model_file, error);
  GstConvnetModel *model;

  if (!network)
    return NULL;

  model = g_atomic_rc_box_new0 (GstConvnetModel);
  model->network = network;
  model->info = cnn_model_info (network->model);
  model->classes = model->info->classes;
  if (!resolve_labels (model, settings, error)
      || !resolve_background (model, settings->background_class, error)) {
    gst_convnet_model_unref (model);
    return NULL;
  }
  measure (model);
  return model;
}
