/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* model-file.c: models from and to the disk.
 *
 * The library reads bytes; finding and mapping the file, and the labels
 * beside it, is the program's part. */

#include "model-file.h"

#include <stdlib.h>
#include <string.h>

#include <cnn/onnx.h>
#include <cnn/session.h>

#include "config.h"

static char *
find_in (const char *folder, const char *name)
{
  char *path = g_build_filename (folder, name, "model.onnx", NULL);

  if (g_file_test (path, G_FILE_TEST_IS_REGULAR))
    return path;
  g_free (path);
  return NULL;
}

char *
tool_model_find (const char *name)
{
  const char *folder = g_getenv ("CONVNET_MODELS");
  char *path = NULL;

  if (g_file_test (name, G_FILE_TEST_IS_REGULAR) || strchr (name, '/')
      || name[0] == '.' || !name[0])
    return g_strdup (name);
  if (folder && *folder)
    path = find_in (folder, name);
  if (!path)
    path = find_in (MODELS_DIR, name);
  return path ? path : g_strdup (name);
}

/* Lines of a text file without the empty ones at its end. */
static char **
read_lines (const char *path)
{
  char *text = NULL, **lines;
  guint count;

  if (!g_file_get_contents (path, &text, NULL, NULL))
    return NULL;
  lines = g_strsplit (text, "\n", -1);
  g_free (text);
  for (count = 0; lines[count]; count++)
    g_strchomp (lines[count]);
  while (count > 0 && !*lines[count - 1])
    g_clear_pointer (&lines[--count], g_free);
  return lines;
}

static gboolean
add_labels (CnnModel **model, const char *path, char **lines, GError **error)
{
  const char *key = "convnet.labels";
  char *text = g_strjoinv ("\n", lines);
  const char *value = text;
  CnnModel *copy = NULL;
  CnnError cause = { 0 };
  gboolean ok = cnn_model_with_metadata (*model, &key, &value, 1, &copy, &cause)
      == CNN_OK;

  g_free (text);
  if (!ok)
    return tool_fail_cnn (error, path, &cause);
  cnn_model_unref (*model);
  *model = copy;
  return TRUE;
}

static gboolean
read_sidecar (CnnModel **model, const char *path, GError **error)
{
  char *folder, *sidecar, **lines;
  gboolean ok = TRUE;
  int classes = cnn_model_info (*model)->classes;

  if (cnn_model_metadata (*model, "convnet.labels"))
    return TRUE;
  folder = g_path_get_dirname (path);
  sidecar = g_build_filename (folder, "labels.txt", NULL);
  lines = read_lines (sidecar);
  if (lines && (int) g_strv_length (lines) != classes)
    g_printerr ("%s: %u labels for %d classes, not used\n", sidecar,
        g_strv_length (lines), classes);
  else if (lines)
    ok = add_labels (model, sidecar, lines, error);
  g_strfreev (lines);
  g_free (sidecar);
  g_free (folder);
  return ok;
}

CnnModel *
tool_model_load (const char *name, GError **error)
{
  char *path = tool_model_find (name);
  CnnModel *model = NULL;
  CnnError cause = { 0 };
  GError *reason = NULL;
  GMappedFile *file = g_mapped_file_new (path, FALSE, &reason);

  if (!file) {
    tool_fail (error, "%s: %s", path,
        g_error_matches (reason, G_FILE_ERROR, G_FILE_ERROR_NOENT)
            ? "no such file, nor a model of that name"
            : reason->message);
    g_clear_error (&reason);
  } else if (cnn_onnx_read (g_mapped_file_get_contents (file),
                 g_mapped_file_get_length (file), &model, &cause)
      != CNN_OK) {
    tool_fail_cnn (error, path, &cause);
  } else if (!read_sidecar (&model, path, error)) {
    cnn_model_unref (model);
    model = NULL;
  }
  g_clear_pointer (&file, g_mapped_file_unref);
  g_free (path);
  return model;
}

gboolean
tool_model_save (const CnnModel *model, const char *path, GError **error)
{
  CnnError cause = { 0 };
  void *bytes = NULL;
  size_t size = 0;
  gboolean ok;

  if (cnn_onnx_write (model, &bytes, &size, &cause) != CNN_OK)
    return tool_fail_cnn (error, path, &cause);
  ok = g_file_set_contents_full (path, bytes, (gssize) size,
      G_FILE_SET_CONTENTS_CONSISTENT, 0666, error);
  free (bytes);
  return ok;
}

gboolean
tool_model_window (CnnModel *model, int *height, int *width, GError **error)
{
  const CnnModelInfo *info = cnn_model_info (model);
  CnnSessionOptions options = { .info_only = 1 };
  CnnShape shape = { 4, { 1, info->channels, 1024, 1024 } };
  CnnSession *session = NULL;
  CnnGeometry geometry;
  CnnError cause = { 0 };
  gboolean ok;

  if (!info->is_map && info->height && info->width) {
    *height = info->height;
    *width = info->width;
    return TRUE;
  }
  if (info->height)
    shape.dims[2] = info->height;
  if (info->width)
    shape.dims[3] = info->width;
  ok = cnn_session_new (model, &shape, &options, &session, &cause) == CNN_OK
      && cnn_session_geometry (session, &geometry, &cause) == CNN_OK;
  cnn_session_free (session);
  if (!ok)
    return tool_fail_cnn (error, "window of the model", &cause);
  *height = geometry.window[0];
  *width = geometry.window[1];
  return TRUE;
}
