/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_network.c: elements with the same file have the same network. */

#include <glib/gstdio.h>
#include <pthread.h>
#include <unistd.h>
#include <utime.h>

#include "../../gst-plugin/network.h"
#include "scene.h"

static GstConvnetNetwork *
get (const gchar *path)
{
  GError *error = NULL;
  GstConvnetNetwork *network = gst_convnet_network_get (path, &error);
  g_assert_no_error (error);
  return network;
}

static void
test_same_file (void)
{
  GstConvnetNetwork *first = get (scene_model ()), *again, *other;

  again = get (scene_model ());
  other = get (scene_small_model ());
  g_assert_true (first == again);
  g_assert_true (first != other);
  gst_convnet_network_release (first);
  g_assert_cmpint (cnn_model_info (again->model)->classes, ==, 3);
  first = get (scene_model ());
  g_assert_true (first == again);
  gst_convnet_network_release (other);
  gst_convnet_network_release (again);
  gst_convnet_network_release (first);
  gst_convnet_network_release (NULL);
}

/* By another name it is the same file; written anew it is another network. */
static void
test_changed_file (void)
{
  gchar *folder = g_dir_make_tmp ("convnet-network-XXXXXX", NULL);
  gchar *path = g_build_filename (folder, "model.onnx", NULL);
  gchar *link = g_build_filename (folder, "link.onnx", NULL), *bytes;
  GstConvnetNetwork *first, *linked, *changed;
  gsize size;

  g_assert_true (g_file_get_contents (scene_model (), &bytes, &size, NULL));
  g_assert_true (g_file_set_contents (path, bytes, (gssize) size, NULL));
  g_assert_cmpint (symlink ("model.onnx", link), ==, 0);
  first = get (path);
  linked = get (link);
  g_assert_true (first == linked);
  g_assert_cmpint (g_utime (path, &(struct utimbuf){ 1000, 1000 }), ==, 0);
  changed = get (path);
  g_assert_true (changed != first);

  gst_convnet_network_release (changed);
  gst_convnet_network_release (linked);
  gst_convnet_network_release (first);
  g_unlink (link);
  g_unlink (path);
  g_rmdir (folder);
  g_free (bytes);
  g_free (link);
  g_free (path);
  g_free (folder);
}

static void
test_errors (void)
{
  GError *error = NULL;
  g_assert_null (gst_convnet_network_get ("/nowhere/model.onnx", &error));
  g_assert_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_null (gst_convnet_network_get ("/", &error));
  g_assert_nonnull (error);
  g_clear_error (&error);
}

#define N_THREADS 4
#define N_ROUNDS  2000

/* All begin at once, so that several read the same file. */
static pthread_barrier_t begin;

static gpointer
get_and_release (gpointer data)
{
  for (gint i = 0; i < N_ROUNDS; i++) {
    pthread_barrier_wait (&begin);
    gst_convnet_network_release (get (data));
  }
  return NULL;
}

static void
test_threads (void)
{
  GThread *threads[N_THREADS];
  g_assert_cmpint (pthread_barrier_init (&begin, NULL, N_THREADS), ==, 0);
  for (gint i = 0; i < N_THREADS; i++)
    threads[i] =
        g_thread_new ("get", get_and_release, (gpointer) scene_model ());
  for (gint i = 0; i < N_THREADS; i++)
    g_thread_join (threads[i]);
  pthread_barrier_destroy (&begin);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/network/same-file", test_same_file);
  g_test_add_func ("/network/changed-file", test_changed_file);
  g_test_add_func ("/network/errors", test_errors);
  g_test_add_func ("/network/threads", test_threads);
  int result = g_test_run ();
  gst_deinit ();
  return result;
}
