/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* onnx-samples.c: `onnx-samples DIR` writes networks, pictures and our answers
 * for another implementation of ONNX to check.
 *
 * NAME.onnx, NAME.input, NAME.output (plain floats) and samples.json. Random
 * networks until every operator of the table was there, the same as map
 * networks for a larger picture, and the models that come with the project. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include <cnn/onnx.h>
#include <cnn/quantize.h>
#include <cnn/session.h>

#include "graph/program.h"
#include "handmade.h"
#include "samples.h"

#define N_NETWORKS  60
#define N_MAPS      20
#define N_QUANTISED 30

typedef struct
{
  const char *folder;
  GString *list;
  GHashTable *seen; /* names of operators */
} Output;

static void
save (const Output *out, const char *name, const char *suffix,
    gconstpointer data, gsize size)
{
  GError *error = NULL;
  char *path = g_strdup_printf ("%s/%s%s", out->folder, name, suffix);
  if (!g_file_set_contents (path, data, (gssize) size, &error))
    g_error ("%s", error->message);
  g_free (path);
}

static void
save_tensor (const Output *out, const char *name, const char *suffix,
    const CnnTensor *tensor)
{
  size_t count;
  if (cnn_shape_elements (&tensor->shape, &count) != CNN_OK)
    g_error ("%s: a shape that is not known", name);
  save (out, name, suffix, tensor->data, count * sizeof (float));
}

static void
append_shape (GString *list, const char *key, const CnnShape *shape)
{
  g_string_append_printf (list, ", \"%s\": [", key);
  for (int i = 0; i < shape->rank; i++)
    g_string_append_printf (list, "%s%" G_GINT64_FORMAT, i ? ", " : "",
        shape->dims[i]);
  g_string_append_c (list, ']');
}

static void
note_operators (const Output *out, const CnnModel *model)
{
  const CnnGraph *graph = cnn_model_graph (model);
  for (gsize i = 0; i < graph->n_nodes; i++)
    g_hash_table_add (out->seen, (gpointer) graph->nodes[i].op->name);
}

/* @bytes: the file to save; NULL = what we write of @model. @more: (nullable):
 * what else to say of it. */
static void
add_sample_with (const Output *out, const char *name, CnnModel *model,
    int height, int width, GBytes *bytes, const char *more)
{
  const CnnShape shape = { 4,
    { 1, cnn_model_info (model)->channels, height, width } };
  CnnSession *session = NULL;
  CnnError error;
  if (cnn_session_new (model, &shape, NULL, &session, &error) != CNN_OK)
    g_error ("%s: %s", name, error.message);

  CnnTensor *input = cnn_session_input (session, 0);
  size_t count;
  if (cnn_shape_elements (&input->shape, &count) != CNN_OK)
    g_error ("%s: a shape that is not known", name);
  sample_picture (g_str_hash (name), input->data, count);
  save_tensor (out, name, ".input", input);
  cnn_session_run (session);

  const CnnTensor *answer = cnn_session_output (session, 0);
  save_tensor (out, name, ".output", answer);
  GBytes *file = bytes ? g_bytes_ref (bytes) : sample_bytes (model);
  save (out, name, ".onnx", g_bytes_get_data (file, NULL),
      g_bytes_get_size (file));
  g_bytes_unref (file);

  g_string_append_printf (out->list, "%s{\"name\": \"%s\"",
      out->list->len > 1 ? ",\n" : "", name);
  append_shape (out->list, "shape", &shape);
  append_shape (out->list, "output", &answer->shape);
  g_string_append_printf (out->list, "%s}", more ? more : "");
  note_operators (out, model);
  cnn_session_free (session);
}

static void
add_sample (const Output *out, const char *name, CnnModel *model, int height,
    int width, GBytes *bytes)
{
  add_sample_with (out, name, model, height, width, bytes, NULL);
}

/* The network on 8 bits: as it is, and as a map. Where sums lie in the middle
 * between two steps, implementations may choose either, in each layer; ONNX
 * Runtime is to use its own integer kernels. */
static void
add_quantised (const Output *out, guint32 seed)
{
  const char *often = ", \"relative\": true, \"tolerance\": 0.01, "
                      "\"optimised\": true";
  CnnModel *model = sample_model (seed), *small = NULL, *map = NULL;
  const CnnModelInfo *info = cnn_model_info (model);
  CnnQuantizer *quantizer = NULL;
  CnnError error = { 0 };
  char name[32];
  if (cnn_quantizer_new (model, NULL, &quantizer, &error) != CNN_OK)
    g_error ("network-%u: %s", seed, error.message);
  gsize n = (gsize) (info->channels * info->height * info->width);
  float *picture = g_new (float, n);
  for (guint32 i = 0; i < 20; i++) {
    sample_picture (1000 * seed + i, picture, n);
    cnn_quantizer_show (quantizer, picture);
  }
  if (cnn_quantizer_model (quantizer, &small, &error) != CNN_OK
      || cnn_model_to_map (small, &map, &error) != CNN_OK)
    g_error ("network-%u: %s", seed, error.message);
  g_snprintf (name, sizeof name, "bytes-%u", seed);
  add_sample_with (out, name, small, info->height, info->width, NULL, often);
  g_snprintf (name, sizeof name, "bytes-map-%u", seed);
  add_sample_with (out, name, map, info->height + 9, info->width + 14, NULL,
      often);
  g_free (picture);
  cnn_quantizer_free (quantizer);
  cnn_model_unref (map);
  cnn_model_unref (small);
  cnn_model_unref (model);
}

static void
add_network (const Output *out, guint32 seed)
{
  char name[32];
  CnnModel *model = sample_model (seed), *map = NULL;
  const CnnModelInfo *info = cnn_model_info (model);
  CnnError error;

  g_snprintf (name, sizeof name, "network-%u", seed);
  add_sample (out, name, model, info->height, info->width, NULL);
  if (seed < N_MAPS) {
    g_snprintf (name, sizeof name, "map-%u", seed);
    if (cnn_model_to_map (model, &map, &error) != CNN_OK)
      g_error ("%s: %s", name, error.message);
    add_sample (out, name, map, info->height + 13, info->width + 21, NULL);
    cnn_model_unref (map);
  }
  cnn_model_unref (model);
}

/* A file that our writer did not make, and the only one with a Constant: the
 * model computes those once, when it is loaded. */
static void
add_handmade (const Output *out)
{
  static const float two = 2;
  CnnModel *model = NULL;
  CnnError error;
  Wire *value = wire_new (),
       *constant = handmade_node ("Constant", "", "", "k"),
       *graph = handmade_graph (OMIT_CONV);
  wire_text (value, 1, "value");
  wire_message (value, 5,
      handmade_tensor ("", ONNX_FLOAT, 0, NULL, &two, sizeof two));
  wire_int (value, 20, 4);
  wire_message (constant, 5, value);
  wire_message (graph, GRAPH_NODE, constant);
  wire_message (graph, GRAPH_NODE, handmade_node ("Conv", "", "x w", "d"));
  wire_message (graph, GRAPH_NODE, handmade_node ("Mul", "", "d k", "c"));

  GBytes *bytes = g_byte_array_free_to_bytes (handmade_model (graph));
  if (cnn_onnx_read (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes),
          &model, &error)
      != CNN_OK)
    g_error ("handmade: %s", error.message);
  add_sample (out, "handmade", model, 6, 6, bytes);
  g_hash_table_add (out->seen, (gpointer) "Constant");
  cnn_model_unref (model);
  g_bytes_unref (bytes);
}

/* A file of an old opset as it is, and the map that we make of it, which needs
 * a newer one. */
static void
add_old (const Output *out)
{
  GBytes *bytes = g_byte_array_free_to_bytes (handmade_old ());
  CnnModel *model = NULL, *map = NULL;
  CnnError error;
  if (cnn_onnx_read (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes),
          &model, &error)
          != CNN_OK
      || cnn_model_to_map (model, &map, &error) != CNN_OK)
    g_error ("old: %s", error.message);
  add_sample (out, "old", model, 6, 6, bytes);
  add_sample (out, "old-map", map, 11, 17, NULL);
  cnn_model_unref (map);
  cnn_model_unref (model);
  g_bytes_unref (bytes);
}

/* The file as it lies there, not as we would write it today. */
static void
add_installed (const Output *out, const char *folder, const char *name)
{
  char *path = g_build_filename (folder, name, "model.onnx", NULL), *data;
  gsize size;
  CnnModel *model = NULL;
  CnnError error;

  if (g_file_get_contents (path, &data, &size, NULL)) {
    GBytes *bytes = g_bytes_new_take (data, size);
    if (cnn_onnx_read (data, size, &model, &error) != CNN_OK)
      g_error ("%s: %s", path, error.message);
    const CnnModelInfo *info = cnn_model_info (model);
    add_sample (out, name, model, info->height ? info->height : 64,
        info->width ? info->width : 64, bytes);
    cnn_model_unref (model);
    g_bytes_unref (bytes);
  }
  g_free (path);
}

static void
add_models (const Output *out, const char *folder)
{
  GDir *dir = folder ? g_dir_open (folder, 0, NULL) : NULL;
  for (const char *name; dir && (name = g_dir_read_name (dir));)
    add_installed (out, folder, name);
  if (dir)
    g_dir_close (dir);
}

/* The operators that our own recipes are made of, at least. */
static int
check_coverage (const Output *out)
{
  static const char *const needed[] = { "Add", "AveragePool",
    "BatchNormalization", "Constant", "Conv", "Div", "Dropout", "Flatten",
    "Gemm", "Identity", "LogSoftmax", "MatMul", "MaxPool", "Mul", "Relu",
    "Reshape", "Sigmoid", "Softmax", "Sub", "Tanh" };
  int missing = 0;
  for (gsize i = 0; i < G_N_ELEMENTS (needed); i++)
    if (!g_hash_table_contains (out->seen, needed[i])) {
      fprintf (stderr, "no sample uses %s\n", needed[i]);
      missing++;
    }
  return missing;
}

int
main (int argc, char **argv)
{
  if (argc != 2) {
    fprintf (stderr, "usage: onnx-samples DIR\n");
    return 2;
  }
  Output out = { argv[1], g_string_new ("["),
    g_hash_table_new (g_str_hash, g_str_equal) };
  for (guint32 seed = 0; seed < N_NETWORKS; seed++)
    add_network (&out, seed);
  for (guint32 seed = 0; seed < N_QUANTISED; seed++)
    add_quantised (&out, seed);
  add_handmade (&out);
  add_old (&out);
  add_models (&out, g_getenv ("CONVNET_MODELS"));
  g_string_append (out.list, "]\n");
  save (&out, "samples", ".json", out.list->str, out.list->len);

  int missing = check_coverage (&out);
  g_string_free (out.list, TRUE);
  g_hash_table_unref (out.seen);
  return missing ? 1 : 0;
}
