/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* run-network.c: runs one ONNX file on a random picture, as a part of
 * check-networks.
 *
 *   run-network MODEL FOLDER NAME        FOLDER/NAME.input and .output are
 *                                        written; prints shapes, memory, times
 *   run-network --map HxW MODEL          the class map of a frame of that size
 *
 * Prints one JSON object. */

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <glib.h>

#include <cnn/onnx.h>
#include <cnn/session.h>

#include "base/rng.h"

static void
fail (const char *what, const CnnError *error)
{
  g_printerr ("%s: %s\n", what, error->message);
  exit (1);
}

static CnnModel *
load (const char *path)
{
  CnnModel *model = NULL;
  CnnError error = { 0 };
  GMappedFile *file = g_mapped_file_new (path, FALSE, NULL);
  if (!file)
    g_error ("%s: no such file", path);
  if (cnn_onnx_read (g_mapped_file_get_contents (file),
          g_mapped_file_get_length (file), &model, &error))
    fail (path, &error);
  g_mapped_file_unref (file);
  return model;
}

static CnnSession *
open_session (CnnModel *model, const CnnShape *shape, CnnPool *pool)
{
  CnnSession *session = NULL;
  CnnError error = { 0 };
  CnnSessionOptions options = { .pool = pool };
  if (cnn_session_new (model, shape, &options, &session, &error))
    fail ("session", &error);
  return session;
}

static size_t
fill (CnnTensor *picture)
{
  CnnRng rng;
  size_t count = 0;
  cnn_rng_init (&rng, 17, 0);
  cnn_shape_elements (&picture->shape, &count);
  for (size_t i = 0; i < count; i++)
    ((float *) picture->data)[i] = cnn_rng_range (&rng, 0, 1);
  return count;
}

static void
print_shape (const char *key, const CnnShape *shape)
{
  printf ("\"%s\": [", key);
  for (int i = 0; i < shape->rank; i++)
    printf ("%s%" G_GINT64_FORMAT, i ? ", " : "", shape->dims[i]);
  printf ("]");
}

static void
save (const char *folder, const char *name, const char *suffix,
    const CnnTensor *tensor)
{
  size_t count = 0;
  GError *error = NULL;
  char *path = g_strdup_printf ("%s/%s.%s", folder, name, suffix);
  cnn_shape_elements (&tensor->shape, &count);
  if (!g_file_set_contents (path, tensor->data,
          (gssize) (count * sizeof (float)), &error))
    g_error ("%s", error->message);
  g_free (path);
}

/* Bytes of weights, as in the file and packed, where all is direct. */
static size_t
exact_weights (const char *path, const CnnShape *shape)
{
  CnnModel *model = load (path);
  CnnSession *session = NULL;
  CnnSessionOptions options = { .precision = CNN_PRECISION_EXACT };
  CnnMemoryInfo memory;
  CnnError error = { 0 };
  if (cnn_session_new (model, shape, &options, &session, &error))
    fail ("session", &error);
  cnn_session_memory (session, &memory);
  cnn_session_free (session);
  cnn_model_unref (model);
  return memory.weight_bytes;
}

/* The best of three runs, in ms. */
static double
time_runs (CnnSession *session)
{
  double best = HUGE_VAL;
  for (int i = 0; i < 3; i++) {
    gint64 start = g_get_monotonic_time ();
    cnn_session_run (session);
    double ms = (double) (g_get_monotonic_time () - start) * 1e-3;
    best = ms < best ? ms : best;
  }
  return best;
}

static double
time_on_two (CnnModel *model, const CnnShape *shape)
{
  CnnPool *pool = NULL;
  if (cnn_pool_new (2, &pool))
    return 0;
  CnnSession *session = open_session (model, shape, pool);
  fill (cnn_session_input (session, 0));
  double ms = time_runs (session);
  cnn_session_free (session);
  cnn_pool_free (pool);
  return ms;
}

static void
run_classifier (const char *path, const char *folder, const char *name)
{
  CnnModel *model = load (path);
  const CnnModelInfo *info = cnn_model_info (model);
  CnnShape shape = { 4, { 1, info->channels, info->height, info->width } };
  CnnSession *session = open_session (model, &shape, NULL);
  CnnMemoryInfo memory;
  fill (cnn_session_input (session, 0));
  save (folder, name, "input", cnn_session_input (session, 0));
  cnn_session_run (session);
  save (folder, name, "output", cnn_session_output (session, 0));
  double one = time_runs (session);
  cnn_session_memory (session, &memory);
  printf ("{\"name\": \"%s\", \"relative\": true, ", name);
  print_shape ("shape", &shape);
  printf (", ");
  print_shape ("output", &cnn_session_output (session, 0)->shape);
  printf (", \"arena\": %zu, \"sum\": %zu, \"live\": %zu, \"weights\": %zu",
      memory.arena_bytes, memory.sum_bytes, memory.live_bytes,
      memory.weight_bytes);
  cnn_session_free (session);
  printf (", \"ms\": [%.2f, %.2f]", one, time_on_two (model, &shape));
  cnn_model_unref (model);
  printf (", \"exact_weights\": %zu}\n", exact_weights (path, &shape));
}

static void
run_map (const char *size, const char *path)
{
  CnnModel *model = load (path), *map = NULL;
  CnnShape shape = { 4, { 1, cnn_model_info (model)->channels, 0, 0 } };
  CnnError error = { 0 };
  CnnGeometry look;
  int height, width;
  if (sscanf (size, "%dx%d", &height, &width) != 2)
    g_error ("%s is no size", size);
  shape.dims[2] = height;
  shape.dims[3] = width;
  if (cnn_model_to_map (model, &map, &error))
    fail (path, &error);
  cnn_model_unref (model);
  CnnSession *session = open_session (map, &shape, NULL);
  if (cnn_session_geometry (session, &look, &error))
    fail (path, &error);
  fill (cnn_session_input (session, 0));
  cnn_session_run (session);
  const CnnTensor *y = cnn_session_output (session, 0);
  size_t count = 0;
  double low = HUGE_VAL, high = -HUGE_VAL;
  cnn_shape_elements (&y->shape, &count);
  for (size_t i = 0; i < count; i++) {
    low = fmin (low, cnn_tensor_value (y, i));
    high = fmax (high, cnn_tensor_value (y, i));
  }
  printf ("{");
  print_shape ("map", &y->shape);
  printf (", \"stride\": %d, \"low\": %g, \"high\": %g}\n", look.stride[0], low,
      high);
  cnn_session_free (session);
  cnn_model_unref (map);
}

int
main (int argc, char **argv)
{
  if (argc == 4 && !strcmp (argv[1], "--map"))
    run_map (argv[2], argv[3]);
  else if (argc == 4)
    run_classifier (argv[1], argv[2], argv[3]);
  else
    g_error ("usage: run-network MODEL FOLDER NAME | --map HxW MODEL");
  return 0;
}
