/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fuzz-cases.c: ONNX's own test cases with damage, so that every operator
 * meets attributes, shapes and elements that nobody meant.
 *
 *   fuzz-cases FOLDER [ROUNDS [SEED]]
 *
 * In each round one file of each case of FOLDER is damaged: its model or one of
 * its inputs. Whatever comes of it, it must not crash, and not take for ever.
 * Damaged models go through fuzz-onnx.c too: maps, places, writing.
 * Exits 77 where the cases have not been made. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cnn/onnx.h>
#include <cnn/session.h>

#include "damage.h"
#include "fuzz.h"

#define MAX_INPUTS     16
#define DEFAULT_ROUNDS 3

/* Networks that are small by their own account are run. */
#define MAX_RUN_BYTES ((size_t) 8 << 20)
#define MAX_RUN_MACS  ((uint64_t) 4 << 20)

typedef struct
{
  char *name;
  GBytes *model, *inputs[MAX_INPUTS];
  int n_inputs;
} Case;

static GBytes *
read_file (const char *folder, const char *name)
{
  char *path = g_build_filename (folder, name, NULL), *data;
  gsize size;
  gboolean there = g_file_get_contents (path, &data, &size, NULL);

  g_free (path);
  return there ? g_bytes_new_take (data, size) : NULL;
}

static Case *
case_new (const char *folder, const char *name)
{
  char *path = g_build_filename (folder, name, NULL);
  Case *c = g_new0 (Case, 1);

  c->name = g_strdup (name);
  c->model = read_file (path, "model.onnx");
  while (c->n_inputs < MAX_INPUTS) {
    char *file = g_strdup_printf ("test_data_set_0/input_%d.pb", c->n_inputs);
    c->inputs[c->n_inputs] = read_file (path, file);
    g_free (file);
    if (!c->inputs[c->n_inputs])
      break;
    c->n_inputs++;
  }
  g_free (path);
  return c;
}

static void
case_free (gpointer data)
{
  Case *c = data;

  for (int i = 0; i < c->n_inputs; i++)
    g_bytes_unref (c->inputs[i]);
  g_clear_pointer (&c->model, g_bytes_unref);
  g_free (c->name);
  g_free (c);
}

static int
by_name (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(Case *const *) a)->name, (*(Case *const *) b)->name);
}

static GPtrArray *
read_cases (const char *folder)
{
  GPtrArray *cases = g_ptr_array_new_with_free_func (case_free);
  GDir *dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name (dir))) {
    Case *c = case_new (folder, name);

    if (c->model)
      g_ptr_array_add (cases, c);
    else
      case_free (c);
  }
  if (dir)
    g_dir_close (dir);
  g_ptr_array_sort (cases, by_name);
  return cases;
}

/* A status with no sentence, or a sentence with no status, is a fault. */
static CnnStatus
check (CnnStatus status, const CnnError *error)
{
  if (status != CNN_OK
      && (status > 0 || error->status != status || !*error->message))
    abort ();
  return status;
}

static gboolean
is_small (const CnnSession *plan)
{
  CnnMemoryInfo memory;
  uint64_t macs = 0;

  cnn_session_memory (plan, &memory);
  for (int i = 0; i < cnn_session_n_layers (plan); i++) {
    CnnLayerInfo layer;
    cnn_session_layer (plan, i, &layer);
    macs += MIN (layer.macs, MAX_RUN_MACS);
  }
  return memory.arena_bytes <= MAX_RUN_BYTES && macs <= MAX_RUN_MACS;
}

static void
fill (CnnSession *session, const CnnTensor *inputs, const CnnTensor *fixed,
    int count)
{
  for (int i = 0; i < count; i++) {
    size_t elements = 0;
    cnn_shape_elements (&inputs[i].shape, &elements);
    if (!fixed[i].data && elements)
      memcpy (cnn_session_input (session, i)->data, inputs[i].data,
          elements * cnn_type_bytes (inputs[i].type));
  }
}

/* Every element that a network gives is one of its type. */
static void
look_at_outputs (const CnnSession *session)
{
  for (int i = 0; i < cnn_session_n_outputs (session); i++) {
    const CnnTensor *out = cnn_session_output (session, i);
    size_t elements = 0;

    if (cnn_shape_elements (&out->shape, &elements) != CNN_OK)
      abort ();
    for (size_t k = 0; k < elements; k++)
      if (out->type == CNN_TYPE_BOOL && ((unsigned char *) out->data)[k] > 1)
        abort ();
  }
}

static gboolean
run (CnnModel *model, const CnnTensor *inputs, int count)
{
  CnnTensor fixed[MAX_INPUTS];
  CnnSessionOptions options = { .info_only = 1 };
  CnnSession *plan = NULL, *session = NULL;
  CnnError error = { 0 };

  for (int i = 0; i < count; i++) {
    fixed[i] = inputs[i];
    if (i >= cnn_model_n_inputs (model)
        || !cnn_model_input_decides_shapes (model, i))
      fixed[i].data = NULL;
  }
  if (check (cnn_session_new_with_inputs (model, fixed, count, &options, &plan,
                 &error),
          &error)
      != CNN_OK)
    return FALSE;
  gboolean small = is_small (plan);
  cnn_session_free (plan);
  if (!small
      || check (cnn_session_new_with_inputs (model, fixed, count, NULL,
                    &session, &error),
             &error)
          != CNN_OK)
    return FALSE;
  fill (session, inputs, fixed, count);
  cnn_session_run (session);
  look_at_outputs (session);
  cnn_session_free (session);
  return TRUE;
}

/* Returns: (transfer full): @file, or what is left of it. */
static GBytes *
take_file (CnnRng *rng, GBytes *file, gboolean damaged)
{
  gsize size;

  if (!damaged)
    return g_bytes_ref (file);
  guint8 *bytes = damage (rng, file, &size);
  return g_bytes_new_take (bytes, size);
}

static gboolean
run_files (GBytes *model_file, GBytes *const *input_files, int count)
{
  CnnTensor inputs[MAX_INPUTS] = { 0 };
  CnnModel *model = NULL;
  CnnError error = { 0 };
  gboolean ran = FALSE;
  gsize size;
  gconstpointer bytes = g_bytes_get_data (model_file, &size);
  CnnStatus status =
      check (cnn_onnx_read (bytes, size, &model, &error), &error);

  for (int i = 0; i < count && status == CNN_OK; i++) {
    bytes = g_bytes_get_data (input_files[i], &size);
    status = check (cnn_onnx_read_tensor_file (bytes, size, &inputs[i], &error),
        &error);
  }
  if (status == CNN_OK)
    ran = run (model, inputs, count);
  for (int i = 0; i < count; i++)
    free (inputs[i].data);
  cnn_model_unref (model);
  return ran;
}

static void
run_as_picture (GBytes *model)
{
  gsize size;
  gconstpointer bytes = g_bytes_get_data (model, &size);

  LLVMFuzzerTestOneInput (bytes, size);
}

static gboolean
run_damaged (const Case *c, guint32 seed, guint32 round)
{
  CnnRng rng;
  GBytes *files[MAX_INPUTS];

  damage_note ("%s, round %u of seed %u\n", c->name, round, seed);
  cnn_rng_init (&rng, seed, g_str_hash (c->name) + round);
  /* -1: the model */
  int which = c->n_inputs && cnn_rng_int (&rng, 2)
      ? (int) cnn_rng_int (&rng, (guint32) c->n_inputs)
      : -1;
  GBytes *model = take_file (&rng, c->model, which < 0);
  for (int i = 0; i < c->n_inputs; i++)
    files[i] = take_file (&rng, c->inputs[i], i == which);
  if (which < 0)
    run_as_picture (model);
  gboolean ran = run_files (model, files, c->n_inputs);
  for (int i = 0; i < c->n_inputs; i++)
    g_bytes_unref (files[i]);
  g_bytes_unref (model);
  return ran;
}

int
main (int argc, char **argv)
{
  guint32 rounds =
              argc > 2 ? (guint32) strtoul (argv[2], NULL, 0) : DEFAULT_ROUNDS,
          seed = argc > 3 ? (guint32) strtoul (argv[3], NULL, 0) : 1;
  guint ran = 0;

  if (argc < 2)
    return 99;
  GPtrArray *cases = read_cases (argv[1]);
  if (!cases->len) {
    printf ("skipped: there are no cases in %s\n", argv[1]);
    g_ptr_array_unref (cases);
    return 77;
  }
  damage_watch ();
  for (guint32 round = 0; round < rounds; round++)
    for (guint i = 0; i < cases->len; i++)
      ran += (guint) run_damaged (cases->pdata[i], seed, round);
  printf ("%u cases, %u rounds, seed %u: %u still run\n", cases->len, rounds,
      seed, ran);
  g_ptr_array_unref (cases);
  return 0;
}
