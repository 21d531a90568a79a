/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test.c: `convnet test`: runs test cases in ONNX's form, a folder each:
 *
 *   CASE/model.onnx
 *   CASE/test_data_set_0/input_0.pb, input_1.pb ..., output_0.pb ...
 *
 * A case passes if every output has the type, shape and elements of its file:
 * integers exactly, floats within atol + rtol * |expected|, NaN as NaN. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cnn/onnx.h>
#include <cnn/session.h>

#include "tool.h"

/* What the ONNX project's own runner allows. */
#define DEFAULT_RTOL 1e-3
#define DEFAULT_ATOL 1e-7

#define MAX_TENSORS  256

typedef enum
{
  PASSED,
  FAILED,
  SKIPPED
} Verdict;

typedef struct
{
  double rtol, atol;
  gboolean quiet;
  guint counts[3];
} Test;

static const ToolUsage usage = { "DIR...",
  "Runs ONNX test cases: folders with a model.onnx and test_data_set_N/ of "
  "input_N.pb and output_N.pb, or folders of such folders. Cases with an "
  "operator or type that is not supported are skipped and counted.",
  1, 0 };

static GMappedFile *
map_file (const char *path, char **why)
{
  GError *error = NULL;
  GMappedFile *file = g_mapped_file_new (path, FALSE, &error);

  if (!file) {
    *why = g_strdup (error->message);
    g_clear_error (&error);
  }
  return file;
}

static CnnStatus
load_model (const char *folder, CnnModel **model, char **why)
{
  char *path = g_build_filename (folder, "model.onnx", NULL);
  GMappedFile *file = map_file (path, why);
  CnnStatus status = CNN_ERROR_FORMAT;
  CnnError error = { 0 };

  if (file) {
    status = cnn_onnx_read (g_mapped_file_get_contents (file),
        g_mapped_file_get_length (file), model, &error);
    if (status != CNN_OK)
      *why = g_strdup (error.message);
    g_mapped_file_unref (file);
  }
  g_free (path);
  return status;
}

/* Reads KIND_0.pb, KIND_1.pb ... as long as there are files. */
static CnnStatus
load_tensors (const char *folder, const char *kind, CnnTensor *tensors,
    int *count, char **why)
{
  CnnStatus status = CNN_OK;

  for (*count = 0; *count < MAX_TENSORS; ++*count) {
    char *name = g_strdup_printf ("%s_%d.pb", kind, *count);
    char *path = g_build_filename (folder, name, NULL);
    gboolean there = g_file_test (path, G_FILE_TEST_EXISTS);
    GMappedFile *file = there ? map_file (path, why) : NULL;
    CnnError error = { 0 };

    if (file) {
      status = cnn_onnx_read_tensor_file (g_mapped_file_get_contents (file),
          g_mapped_file_get_length (file), &tensors[*count], &error);
      if (status != CNN_OK)
        *why = g_strdup_printf ("%s: %s", name, error.message);
      g_mapped_file_unref (file);
    } else if (there) {
      status = CNN_ERROR_FORMAT;
    }
    g_free (path);
    g_free (name);
    if (!there || status != CNN_OK)
      break;
  }
  return status;
}

static void
free_tensors (CnnTensor *tensors, int count)
{
  for (int i = 0; i < count; i++)
    free (tensors[i].data);
}

static gboolean
agrees (const Test *test, double got, double wanted)
{
  if (isnan (wanted) || isnan (got))
    return isnan (wanted) && isnan (got);
  /* No tolerance is wide enough: infinity times rtol would excuse anything. */
  if (isinf (wanted) || isinf (got))
    return got == wanted;
  return fabs (got - wanted) <= test->atol + test->rtol * fabs (wanted);
}

/* Before ONNX 1.13 files of test cases held bfloat16 as uint16. */
static void
adopt_type (CnnTensor *file, CnnType type)
{
  if (type == CNN_TYPE_BFLOAT16 && file->type == CNN_TYPE_UINT16)
    file->type = type;
}

/* Integers by their bytes: a double does not hold every int64. */
static gboolean
same_element (const Test *test, const CnnTensor *got, const CnnTensor *wanted,
    size_t i)
{
  size_t width = cnn_type_bytes (got->type);

  if (cnn_type_is_float (got->type))
    return agrees (test, cnn_tensor_value (got, i),
        cnn_tensor_value (wanted, i));
  return !memcmp ((const char *) got->data + i * width,
      (const char *) wanted->data + i * width, width);
}

/* How far apart; NaN and infinity are further than all numbers. */
static double
distance (const CnnTensor *got, const CnnTensor *wanted, size_t i)
{
  double d = fabs (cnn_tensor_value (got, i) - cnn_tensor_value (wanted, i));

  return isnan (d) ? INFINITY : d;
}

/* Says how many elements differ and which one most, NULL if all agree. */
static char *
compare_elements (const Test *test, int number, const CnnTensor *got,
    const CnnTensor *wanted, size_t elements)
{
  size_t differ = 0, worst = 0;

  for (size_t i = 0; i < elements; i++) {
    if (same_element (test, got, wanted, i))
      continue;
    if (!differ++ || distance (got, wanted, i) > distance (got, wanted, worst))
      worst = i;
  }
  if (!differ)
    return NULL;
  return g_strdup_printf ("output %d: %zu of %zu elements differ, most of all "
                          "element %zu: %.9g, %.9g is expected",
      number, differ, elements, worst, cnn_tensor_value (got, worst),
      cnn_tensor_value (wanted, worst));
}

/* Says where they differ, NULL if they agree. */
static char *
compare (const Test *test, int number, const CnnTensor *got,
    const CnnTensor *wanted)
{
  char have[160], want[160];
  size_t elements = 0;

  if (got->type != wanted->type
      || !cnn_shape_equal (&got->shape, &wanted->shape))
    return g_strdup_printf ("output %d is %s %s, %s %s is expected", number,
        cnn_type_name (got->type),
        cnn_shape_format (&got->shape, have, sizeof have),
        cnn_type_name (wanted->type),
        cnn_shape_format (&wanted->shape, want, sizeof want));
  cnn_shape_elements (&got->shape, &elements);
  return compare_elements (test, number, got, wanted, elements);
}

/* Fixes the values that decide shapes, writes the others. */
static CnnStatus
make_session (CnnModel *model, CnnTensor *inputs, int count,
    CnnSession **session, char **why)
{
  CnnTensor shapes[MAX_TENSORS];
  CnnError error = { 0 };

  if (count != cnn_model_n_inputs (model)) {
    *why = g_strdup_printf ("the network has %d inputs, %d are given",
        cnn_model_n_inputs (model), count);
    return CNN_ERROR_FORMAT;
  }
  for (int i = 0; i < count; i++) {
    const char *name;
    CnnTensor declared;

    cnn_model_input (model, i, &name, &declared);
    adopt_type (&inputs[i], declared.type);
    shapes[i] = inputs[i];
    if (!cnn_model_input_decides_shapes (model, i))
      shapes[i].data = NULL;
  }
  CnnStatus status =
      cnn_session_new_with_inputs (model, shapes, count, NULL, session, &error);
  if (status != CNN_OK) {
    *why = g_strdup (error.message);
    return status;
  }
  for (int i = 0; i < count; i++) {
    size_t bytes = 0;
    cnn_tensor_bytes (&inputs[i], &bytes);
    if (!shapes[i].data && bytes)
      memcpy (cnn_session_input (*session, i)->data, inputs[i].data, bytes);
  }
  return CNN_OK;
}

static Verdict
verdict_of (CnnStatus status)
{
  return status == CNN_ERROR_UNSUPPORTED ? SKIPPED : FAILED;
}

static Verdict
run_set (const Test *test, CnnModel *model, const char *folder, char **why)
{
  CnnTensor inputs[MAX_TENSORS], outputs[MAX_TENSORS];
  int n_inputs = 0, n_outputs = 0;
  CnnSession *session = NULL;
  Verdict verdict = PASSED;
  CnnStatus status = load_tensors (folder, "input", inputs, &n_inputs, why);

  if (status == CNN_OK)
    status = load_tensors (folder, "output", outputs, &n_outputs, why);
  if (status == CNN_OK)
    status = make_session (model, inputs, n_inputs, &session, why);
  if (status != CNN_OK) {
    verdict = verdict_of (status);
  } else if (n_outputs != cnn_session_n_outputs (session)) {
    verdict = FAILED;
    *why = g_strdup_printf ("%d outputs are expected, the network has %d",
        n_outputs, cnn_session_n_outputs (session));
  } else {
    cnn_session_run (session);
    for (int i = 0; i < n_outputs; i++)
      adopt_type (&outputs[i], cnn_session_output (session, i)->type);
    for (int i = 0; i < n_outputs && !*why; i++)
      *why = compare (test, i, cnn_session_output (session, i), &outputs[i]);
    verdict = *why ? FAILED : PASSED;
  }
  cnn_session_free (session);
  free_tensors (outputs, n_outputs);
  free_tensors (inputs, n_inputs);
  return verdict;
}

static Verdict
run_sets (const Test *test, const char *folder, char **why)
{
  CnnModel *model = NULL;
  CnnStatus status = load_model (folder, &model, why);
  Verdict verdict = PASSED;
  int set;

  if (status != CNN_OK)
    return verdict_of (status);
  for (set = 0; verdict == PASSED; set++) {
    char *name = g_strdup_printf ("test_data_set_%d", set);
    char *path = g_build_filename (folder, name, NULL);
    gboolean there = g_file_test (path, G_FILE_TEST_IS_DIR);

    if (there)
      verdict = run_set (test, model, path, why);
    g_free (path);
    g_free (name);
    if (!there)
      break;
  }
  cnn_model_unref (model);
  if (!set) {
    *why = g_strdup ("there is no test_data_set_0");
    return FAILED;
  }
  return verdict;
}

static gboolean
is_case (const char *folder)
{
  char *path = g_build_filename (folder, "model.onnx", NULL);
  gboolean there = g_file_test (path, G_FILE_TEST_EXISTS);

  g_free (path);
  return there;
}

static void
run_case (Test *test, const char *folder)
{
  static const char *const words[] = { "passed", "FAILED", "skipped" };
  char *why = NULL, *name = g_path_get_basename (folder);
  Verdict verdict = run_sets (test, folder, &why);

  test->counts[verdict]++;
  if (!test->quiet || verdict != PASSED)
    printf ("%s %s%s%s\n", words[verdict], name, why ? ": " : "",
        why ? why : "");
  g_free (name);
  g_free (why);
}

static int
by_name (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* A case, or a folder of cases. */
static gboolean
run_folder (Test *test, const char *folder, GError **error)
{
  const char *name;
  GDir *dir;

  if (is_case (folder)) {
    run_case (test, folder);
    return TRUE;
  }
  dir = g_dir_open (folder, 0, error);
  if (!dir)
    return FALSE;
  GPtrArray *paths = g_ptr_array_new_with_free_func (g_free);
  while ((name = g_dir_read_name (dir))) {
    char *path = g_build_filename (folder, name, NULL);

    if (is_case (path))
      g_ptr_array_add (paths, path);
    else
      g_free (path);
  }
  g_dir_close (dir);
  g_ptr_array_sort (paths, by_name);
  for (guint i = 0; i < paths->len; i++)
    run_case (test, paths->pdata[i]);
  gboolean any = paths->len > 0;
  g_ptr_array_unref (paths);
  return any || tool_fail (error, "%s: no test cases there", folder);
}

gboolean
tool_test (int argc, char **argv, GError **error)
{
  Test test = { .rtol = DEFAULT_RTOL, .atol = DEFAULT_ATOL };
  char **args = NULL;
  GOptionEntry entries[] = { { "rtol", 0, 0, G_OPTION_ARG_DOUBLE, &test.rtol,
                                 "Relative tolerance (1e-3)", "X" },
    { "atol", 0, 0, G_OPTION_ARG_DOUBLE, &test.atol,
        "Absolute tolerance (1e-7)", "X" },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &test.quiet,
        "Do not list what passes", NULL },
    G_OPTION_ENTRY_NULL };
  gboolean ok = tool_parse_options (&usage, entries, argc, argv, &args, error);

  for (guint i = 0; ok && args[i]; i++)
    ok = run_folder (&test, args[i], error);
  g_strfreev (args);
  if (!ok)
    return FALSE;
  printf ("%u passed, %u failed, %u skipped\n", test.counts[PASSED],
      test.counts[FAILED], test.counts[SKIPPED]);
  return !test.counts[FAILED]
      || tool_fail (error, "%u of %u cases failed", test.counts[FAILED],
          test.counts[PASSED] + test.counts[FAILED]);
}
