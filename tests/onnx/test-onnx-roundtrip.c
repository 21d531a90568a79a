/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-onnx-roundtrip.c: what we write we read again, and nothing else.
 *
 * Random networks: the second writing gives the first one's bytes, and the
 * read model computes what the written one did. Then the same bytes cut off
 * everywhere, and with flipped bits. */

#define _GNU_SOURCE /* memmem */
#include <string.h>

#include <cnn/onnx.h>
#include <cnn/session.h>

#include "base/rng.h"
#include "handmade.h"
#include "samples.h"

#define N_SAMPLES 60
#define N_FLIPS   6000

/* Reads from memory of exactly that size, so that a sanitizer sees every
 * step past the end. */
static CnnStatus
read_exactly (gconstpointer bytes, gsize size, CnnModel **model,
    CnnError *error)
{
  gpointer copy = g_memdup2 (bytes, size);
  CnnStatus status = cnn_onnx_read (copy, size, model, error);
  g_free (copy);
  return status;
}

static CnnModel *
read_good (GBytes *bytes)
{
  CnnModel *model = NULL;
  CnnError error;
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);
  if (read_exactly (data, size, &model, &error) != CNN_OK)
    g_error ("%s", error.message);
  return model;
}

static CnnSession *
run_sample (CnnModel *model, int height, int width, guint32 seed)
{
  const CnnShape shape = { 4,
    { 1, cnn_model_info (model)->channels, height, width } };
  CnnSession *session = NULL;
  CnnError error;
  size_t count;
  if (cnn_session_new (model, &shape, NULL, &session, &error) != CNN_OK)
    g_error ("%s", error.message);
  g_assert_cmpint (cnn_shape_elements (&shape, &count), ==, CNN_OK);
  sample_picture (seed, cnn_session_input (session, 0)->data, count);
  cnn_session_run (session);
  return session;
}

static void
assert_same_answers (CnnModel *a, CnnModel *b, int height, int width,
    guint32 seed)
{
  CnnSession *one = run_sample (a, height, width, seed),
             *two = run_sample (b, height, width, seed);
  const CnnTensor *p = cnn_session_output (one, 0),
                  *q = cnn_session_output (two, 0);
  size_t count;
  g_assert_true (cnn_shape_equal (&p->shape, &q->shape));
  g_assert_cmpint (cnn_shape_elements (&p->shape, &count), ==, CNN_OK);
  g_assert_cmpmem (p->data, count * sizeof (float), q->data,
      count * sizeof (float));
  cnn_session_free (one);
  cnn_session_free (two);
}

static void
assert_same_info (const CnnModel *a, const CnnModel *b)
{
  const CnnModelInfo *p = cnn_model_info (a), *q = cnn_model_info (b);
  g_assert_cmpint (p->channels, ==, q->channels);
  g_assert_cmpint (p->height, ==, q->height);
  g_assert_cmpint (p->width, ==, q->width);
  g_assert_cmpint (p->format, ==, q->format);
  g_assert_cmpint (p->range, ==, q->range);
  g_assert_cmpint (p->classes, ==, q->classes);
  g_assert_cmpint (p->background, ==, q->background);
  g_assert_cmpint (p->output, ==, q->output);
  g_assert_cmpint (p->is_map, ==, q->is_map);
  g_assert_cmpfloat (p->threshold, ==, q->threshold);
  for (int i = 0; i < p->classes; i++)
    g_assert_cmpstr (p->labels[i], ==, q->labels[i]);
}

/* The versions that a file says it has: IR 8 first, the opset last. */
static void
assert_versions (GBytes *bytes, guint8 opset)
{
  const guint8 first[] = { 1 << 3, 8 },
               last[] = { 8 << 3 | 2, 4, 1 << 3 | 2, 0, 2 << 3, opset };
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  g_assert_cmpuint (size, >, sizeof first + sizeof last);
  g_assert_cmpmem (data, sizeof first, first, sizeof first);
  g_assert_cmpmem (data + size - sizeof last, sizeof last, last, sizeof last);
}

static void
test_samples (void)
{
  for (guint32 seed = 0; seed < N_SAMPLES; seed++) {
    g_test_message ("seed %u", seed);
    CnnModel *model = sample_model (seed);
    GBytes *bytes = sample_bytes (model), *again = sample_bytes (model);
    g_assert_true (g_bytes_equal (bytes, again));
    assert_versions (bytes, 17);

    CnnModel *read = read_good (bytes);
    GBytes *written = sample_bytes (read);
    g_assert_true (g_bytes_equal (bytes, written));
    assert_same_info (model, read);
    assert_same_answers (model, read, cnn_model_info (model)->height,
        cnn_model_info (model)->width, seed);

    g_bytes_unref (bytes);
    g_bytes_unref (again);
    g_bytes_unref (written);
    cnn_model_unref (model);
    cnn_model_unref (read);
  }
}

/* The map network has sizes that are not fixed. */
static void
test_maps (void)
{
  for (guint32 seed = 0; seed < 10; seed++) {
    CnnModel *model = sample_model (seed), *map = NULL;
    CnnError error;
    g_test_message ("seed %u", seed);
    if (cnn_model_to_map (model, &map, &error) != CNN_OK)
      g_error ("%s", error.message);
    GBytes *bytes = sample_bytes (map);
    CnnModel *read = read_good (bytes);
    GBytes *written = sample_bytes (read);
    g_assert_true (g_bytes_equal (bytes, written));
    g_assert_true (cnn_model_info (read)->is_map);
    assert_same_info (map, read);
    g_bytes_unref (bytes);
    g_bytes_unref (written);
    cnn_model_unref (read);
    cnn_model_unref (map);
    cnn_model_unref (model);
  }
}

/* A map's Softmax is newer than the opset of the network it was made of. */
static void
test_old_map (void)
{
  GBytes *file = g_byte_array_free_to_bytes (handmade_old ());
  CnnModel *model = read_good (file), *map = NULL;
  CnnError error;
  g_bytes_unref (file);
  if (cnn_model_to_map (model, &map, &error) != CNN_OK)
    g_error ("%s", error.message);
  GBytes *bytes = sample_bytes (map);
  CnnModel *read = read_good (bytes);
  GBytes *written = sample_bytes (read);
  g_assert_true (g_bytes_equal (bytes, written));
  assert_versions (bytes, 13);
  assert_same_info (map, read);
  assert_same_answers (map, read, 6, 6, 1);
  assert_same_answers (map, read, 9, 14, 2);
  g_bytes_unref (bytes);
  g_bytes_unref (written);
  cnn_model_unref (read);
  cnn_model_unref (map);
  cnn_model_unref (model);
}

/* Softmax in the middle: over channels and places at once, before opset 13. */
static void
test_old_map_refused (void)
{
  Wire *graph = handmade_graph (OMIT_CONV | OMIT_GEMM);
  wire_message (graph, GRAPH_NODE, handmade_node ("Conv", "conv", "x w", "d"));
  wire_message (graph, GRAPH_NODE, handmade_node ("Softmax", "mid", "d", "c"));
  wire_message (graph, GRAPH_NODE,
      handmade_node ("Gemm", "head", "f m b", "z"));
  wire_message (graph, GRAPH_NODE, handmade_node ("Softmax", "end", "z", "y"));
  GBytes *file = g_byte_array_free_to_bytes (handmade_model_of (4, 9, graph));
  CnnModel *model = read_good (file), *map = NULL;
  CnnError error = { 0 };
  void *bytes = NULL;
  size_t size;

  /* As a classifier it is written in its own opset. */
  g_bytes_unref (file);
  file = sample_bytes (model);
  g_bytes_unref (file);

  CnnStatus status = cnn_model_to_map (model, &map, &error);
  if (status == CNN_OK)
    status = cnn_onnx_write (map, &bytes, &size, &error);
  g_test_message ("%s", error.message);
  g_assert_cmpint (status, ==, CNN_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error.message, "mid"));
  g_assert_null (bytes);
  cnn_model_unref (map);
  cnn_model_unref (model);
}

/* ONNX's own words for pictures stand beside our metadata. */
static void
test_denotation (void)
{
  static const char *const keys[] = { "Image.BitmapPixelFormat",
    "Image.NominalPixelRange" };
  static const char *const values[] = { NULL, NULL };
  static const char *const words[] = { "IMAGE", "DATA_BATCH", "DATA_CHANNEL",
    "DATA_FEATURE" };
  CnnModel *model = sample_model (1), *plain = NULL;
  CnnError error;
  if (cnn_model_with_metadata (model, keys, values, 2, &plain, &error)
      != CNN_OK)
    g_error ("%s", error.message);
  GBytes *with = sample_bytes (model), *without = sample_bytes (plain);
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++) {
    gsize size, length = strlen (words[i]);
    gconstpointer data = g_bytes_get_data (with, &size);
    g_assert_nonnull (memmem (data, size, words[i], length));
    data = g_bytes_get_data (without, &size);
    g_assert_null (memmem (data, size, words[i], length));
  }
  g_bytes_unref (with);
  g_bytes_unref (without);
  cnn_model_unref (plain);
  cnn_model_unref (model);
}

static void
test_metadata (void)
{
  static const char *const keys[] = { "convnet.output", "note" };
  static const char *const values[] = { "softmax", "\316\261 \342\202\254\n" };
  CnnModel *model = sample_model (0), *copy = NULL;
  CnnError error;
  if (cnn_model_with_metadata (model, keys, values, 2, &copy, &error) != CNN_OK)
    g_error ("%s", error.message);
  GBytes *bytes = sample_bytes (copy);
  CnnModel *read = read_good (bytes);
  g_assert_cmpstr (cnn_model_metadata (read, "Convnet.Output"), ==, values[0]);
  g_assert_cmpstr (cnn_model_metadata (read, "note"), ==, values[1]);
  g_assert_cmpstr (cnn_model_metadata (read, "image.bitmappixelformat"), ==,
      cnn_model_metadata (model, "Image.BitmapPixelFormat"));
  g_bytes_unref (bytes);
  cnn_model_unref (read);
  cnn_model_unref (copy);
  cnn_model_unref (model);
}

static GBytes *
handmade_rewritten (void)
{
  Wire *file = handmade_model (handmade_graph (0));
  GBytes *bytes = g_byte_array_free_to_bytes (file);
  CnnModel *model = read_good (bytes);
  g_bytes_unref (bytes);
  bytes = sample_bytes (model);
  cnn_model_unref (model);
  return bytes;
}

static void
assert_cuts_refused (GBytes *bytes)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);
  for (gsize cut = 0; cut < size; cut++) {
    CnnModel *model = NULL;
    CnnError error = { 0 };
    CnnStatus status = read_exactly (data, cut, &model, &error);
    if (status >= 0 || !*error.message || model)
      g_error ("the first %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT
               " bytes: status %d, \"%s\"",
          cut, size, status, error.message);
  }
}

static void
test_truncated (void)
{
  GBytes *bytes = handmade_rewritten ();
  assert_cuts_refused (bytes);
  g_bytes_unref (bytes);
}

/* With metadata, the last of which a cut might quietly lose. */
static void
test_truncated_metadata (void)
{
  static const char *const keys[] = { "convnet.labels", "note" };
  static const char *const values[] = { "a\nb\nc", "the last entry" };
  GBytes *bytes = handmade_rewritten ();
  CnnModel *model = read_good (bytes), *copy = NULL;
  CnnError error;
  g_bytes_unref (bytes);
  if (cnn_model_with_metadata (model, keys, values, 2, &copy, &error) != CNN_OK)
    g_error ("%s", error.message);
  bytes = sample_bytes (copy);
  assert_cuts_refused (bytes);
  g_bytes_unref (bytes);
  cnn_model_unref (copy);
  cnn_model_unref (model);
}

static void
flip_and_read (CnnRng *rng, const guint8 *data, gsize size, guint *loaded)
{
  guint8 *copy = g_memdup2 (data, size);
  for (int flips = 1 + (int) cnn_rng_int (rng, 4); flips; flips--)
    copy[cnn_rng_int (rng, (guint32) size)] ^= 1u << cnn_rng_int (rng, 8);

  CnnModel *model = NULL;
  CnnError error = { 0 };
  CnnStatus status = cnn_onnx_read (copy, size, &model, &error);
  if (status == CNN_OK) {
    ++*loaded;
    cnn_model_unref (model);
  } else if (!*error.message || !g_utf8_validate (error.message, -1, NULL)) {
    g_error ("status %d without a proper sentence: \"%s\"", status,
        error.message);
  }
  g_free (copy);
}

static void
test_bit_flips (void)
{
  GBytes *bytes = handmade_rewritten ();
  gsize size;
  const guint8 *data = g_bytes_get_data (bytes, &size);
  CnnRng rng;
  guint loaded = 0;

  cnn_rng_init (&rng, 1, 0);
  for (int i = 0; i < N_FLIPS; i++)
    flip_and_read (&rng, data, size, &loaded);
  g_test_message ("%u of %d still load", loaded, N_FLIPS);
  g_assert_cmpuint (loaded, >, 0);
  g_assert_cmpuint (loaded, <, N_FLIPS);
  g_bytes_unref (bytes);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/onnx/roundtrip/samples", test_samples);
  g_test_add_func ("/onnx/roundtrip/maps", test_maps);
  g_test_add_func ("/onnx/roundtrip/old-map", test_old_map);
  g_test_add_func ("/onnx/roundtrip/old-map-refused", test_old_map_refused);
  g_test_add_func ("/onnx/roundtrip/denotation", test_denotation);
  g_test_add_func ("/onnx/roundtrip/metadata", test_metadata);
  g_test_add_func ("/onnx/roundtrip/truncated", test_truncated);
  g_test_add_func ("/onnx/roundtrip/truncated-metadata",
      test_truncated_metadata);
  g_test_add_func ("/onnx/roundtrip/bit-flips", test_bit_flips);
  return g_test_run ();
}
