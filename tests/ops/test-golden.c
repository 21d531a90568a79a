/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-golden.c: forward() of the operators against golden.txt, which another
 * implementation wrote (golden.py), with every instruction set of this
 * processor, with threads and without. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "kernels/kernels.h"
#include "op-case.h"

typedef struct
{
  char *name;
  GPtrArray *lines; /* of words */
} Golden;

static CnnShape
read_shape (char **words, char ***values)
{
  CnnShape shape = { .rank = atoi (words[2]) };
  for (int i = 0; i < shape.rank; i++)
    shape.dims[i] = g_ascii_strtoll (words[3 + i], NULL, 10);
  *values = words + 3 + shape.rank;
  return shape;
}

static void
read_input (OpCase *c, char **words)
{
  char **values;
  gboolean whole = !strcmp (words[1], "int64");
  CnnShape shape = read_shape (words, &values);
  c->constant[c->n_in] = !strcmp (words[0], "constant");
  CnnTensor *t = op_case_input (c, whole ? CNN_TYPE_INT64 : CNN_TYPE_FLOAT32,
      &shape, NULL);
  for (gsize i = 0; i < tensor_elements (t); i++) {
    if (whole)
      ((gint64 *) t->data)[i] = g_ascii_strtoll (values[i], NULL, 10);
    else
      ((float *) t->data)[i] = (float) g_ascii_strtod (values[i], NULL);
  }
}

static void
read_ints (OpCase *c, char **words, gint64 *room)
{
  int n = 0;
  for (; words[2 + n]; n++)
    room[n] = g_ascii_strtoll (words[2 + n], NULL, 10);
  op_case_ints (c, words[1], room, n);
}

static void
compare (const Golden *golden, const OpCase *c, char **words)
{
  char **values;
  CnnShape shape = read_shape (words, &values);
  if (!cnn_shape_equal (&shape, &c->out.shape)) {
    char text[160];
    g_error ("%s: shape %s", golden->name,
        cnn_shape_format (&c->out.shape, text, sizeof text));
  }
  for (gsize i = 0; i < tensor_elements (&c->out); i++) {
    double expected = g_ascii_strtod (values[i], NULL);
    double got = c->out.type == CNN_TYPE_INT64
        ? (double) ((gint64 *) c->out.data)[i]
        : (double) ((float *) c->out.data)[i];
    if (!(fabs (got - expected) <= 2e-6 * (4 + fabs (expected))))
      g_error ("%s: element %zu is %.9g, not %.9g", golden->name, i, got,
          expected);
  }
}

static void
run (const Golden *golden, unsigned flags, CnnPool *pool)
{
  gint64 ints[MAX_ATTRIBUTES][8];
  char **first = g_ptr_array_index (golden->lines, 0);
  OpCase c = { .op = first[2], .opset = atoi (first[3]), .pool = pool };
  CnnKernels kernels;
  CnnError error;
  cnn_kernels_init (&kernels, flags);
  c.kernels = &kernels;
  for (guint i = 1; i < golden->lines->len; i++) {
    char **words = g_ptr_array_index (golden->lines, i);
    if (!strcmp (words[0], "int"))
      op_case_int (&c, words[1], g_ascii_strtoll (words[2], NULL, 10));
    else if (!strcmp (words[0], "float"))
      op_case_float (&c, words[1], (float) g_ascii_strtod (words[2], NULL));
    else if (!strcmp (words[0], "string"))
      op_case_string (&c, words[1], words[2]);
    else if (!strcmp (words[0], "ints"))
      read_ints (&c, words, ints[c.n_attributes]);
    else if (!strcmp (words[0], "skip"))
      op_case_input (&c, CNN_TYPE_NONE, NULL, NULL);
    else if (!strcmp (words[0], "output")) {
      if (op_case_prepare (&c, &error))
        g_error ("%s: %s", golden->name, error.message);
      op_case_forward (&c);
      compare (golden, &c, words);
    } else
      read_input (&c, words);
  }
  op_case_clear (&c);
}

static void
test (gconstpointer data)
{
  static const unsigned sets[] = { 0, CNN_CPU_SSE2, CNN_CPU_AVX2,
    CNN_CPU_AVX2 | CNN_CPU_AVX512, CNN_CPU_NEON };
  CnnPool *pool;
  g_assert_cmpint (cnn_pool_new (3, &pool), ==, CNN_OK);
  for (gsize i = 0; i < G_N_ELEMENTS (sets); i++) {
    if ((cnn_cpu_flags () & sets[i]) != sets[i])
      continue;
    run (data, sets[i], NULL);
    run (data, sets[i], pool);
  }
  cnn_pool_free (pool);
}

static void
golden_free (gpointer data)
{
  Golden *golden = data;
  g_ptr_array_unref (golden->lines);
  g_free (golden->name);
  g_free (golden);
}

static GPtrArray *
read_goldens (const char *path)
{
  char *text;
  GError *error = NULL;
  GPtrArray *all = g_ptr_array_new_with_free_func (golden_free);
  if (!g_file_get_contents (path, &text, NULL, &error))
    g_error ("%s", error->message);
  char **lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line; line++) {
    char **words = g_strsplit (*line, " ", -1);
    if (g_str_has_prefix (*line, "case ")) {
      Golden *golden = g_new0 (Golden, 1);
      golden->name = g_strdup (words[1]);
      golden->lines =
          g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
      g_ptr_array_add (all, golden);
    }
    if (all->len && words[0])
      g_ptr_array_add (((Golden *) g_ptr_array_index (all, all->len - 1))
                           ->lines,
          words);
    else
      g_strfreev (words);
  }
  g_strfreev (lines);
  g_free (text);
  return all;
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  char *path = g_test_build_filename (G_TEST_DIST, "golden.txt", NULL);
  GPtrArray *all = read_goldens (path);
  g_assert_cmpuint (all->len, >, 100);
  for (guint i = 0; i < all->len; i++) {
    Golden *golden = g_ptr_array_index (all, i);
    char *name = g_strconcat ("/golden/", golden->name, NULL);
    g_test_add_data_func (name, golden, test);
    g_free (name);
  }
  int result = g_test_run ();
  g_ptr_array_unref (all);
  g_free (path);
  return result;
}
