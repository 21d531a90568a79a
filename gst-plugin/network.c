/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* network.c: networks that elements share, by what their files are.
 *
 * A file is known by its device, number, size and time: what replaces it, or is
 * written into it, is another network. Reading happens outside of the lock: of
 * two elements that read the same file at once, one's is kept. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "network.h"

#include <cnn/onnx.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <gst/gst.h>

#define BUILT_IN_MODEL "/org/gstreamer/convnet/digits/model.onnx"

/* Networks by key, not counted: the last to release one takes it out. */
static GMutex lock;
static GHashTable *networks;

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

gint
gst_convnet_file_error (const GError *error)
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
    g_set_error (error, GST_RESOURCE_ERROR, gst_convnet_file_error (failure),
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

/* Returns: (nullable): NULL for what is no file, reading it says why. */
static gchar *
key_of (const gchar *path)
{
  GStatBuf file;

  if (!path)
    return g_strdup ("");
  if (g_stat (path, &file) != 0)
    return NULL;
  return g_strdup_printf ("%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
                          " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT ".%09ld",
      (guint64) file.st_dev, (guint64) file.st_ino, (gint64) file.st_size,
      (gint64) file.st_mtim.tv_sec, (glong) file.st_mtim.tv_nsec);
}

/* Under the lock. Returns: (nullable): a new reference. */
static GstConvnetNetwork *
find (const gchar *key)
{
  GstConvnetNetwork *network =
      key && networks ? g_hash_table_lookup (networks, key) : NULL;

  if (network)
    network->refs++;
  return network;
}

/* Under the lock. Takes @model and @key, which may be NULL. */
static GstConvnetNetwork *
keep (CnnModel *model, gchar *key)
{
  GstConvnetNetwork *network = g_new (GstConvnetNetwork, 1);

  *network = (GstConvnetNetwork){ .model = model, .key = key, .refs = 1 };
  if (key && !networks)
    networks = g_hash_table_new (g_str_hash, g_str_equal);
  if (key)
    g_hash_table_insert (networks, key, network);
  return network;
}

GstConvnetNetwork *
gst_convnet_network_get (const gchar *path, GError **error)
{
  gchar *key = key_of (path);
  GstConvnetNetwork *network;
  CnnModel *model = NULL;

  g_mutex_lock (&lock);
  network = find (key);
  g_mutex_unlock (&lock);
  if (!network)
    model = load (path, error);
  if (model) {
    g_mutex_lock (&lock);
    network = find (key);
    if (!network)
      network = keep (g_steal_pointer (&model), g_steal_pointer (&key));
    g_mutex_unlock (&lock);
  }
  cnn_model_unref (model);
  g_free (key);
  return network;
}

void
gst_convnet_network_release (GstConvnetNetwork *network)
{
  gboolean last;

  if (!network)
    return;
  g_mutex_lock (&lock);
  last = --network->refs == 0;
  if (last && network->key) {
    g_hash_table_remove (networks, network->key);
    if (g_hash_table_size (networks) == 0)
      g_clear_pointer (&networks, g_hash_table_unref);
  }
  g_mutex_unlock (&lock);
  if (!last)
    return;
  cnn_model_unref (network->model);
  g_free (network->key);
  g_free (network);
}
