/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-onnx-docs.c: the table of operators in docs/onnx-subset.md is made from
 * core/ops/table.c, and compared with it.
 *
 *   test-onnx-docs PAGE           is the page's table the operators'?
 *   test-onnx-docs --write PAGE   writes it */

#include <string.h>

#include <glib.h>

#include "ops/op.h"

#define BEGIN "<!-- operators: made by test-onnx-docs --write -->\n"
#define END   "<!-- operators: end -->\n"

static char *page;

static void
append_range (GString *to, int least, int most)
{
  if (most == CNN_MAX_NODE_TENSORS)
    g_string_append_printf (to, "%d or more", least);
  else if (least == most)
    g_string_append_printf (to, "%d", most);
  else
    g_string_append_printf (to, "%d to %d", least, most);
}

static char *
make_table (void)
{
  GString *table = g_string_new (
      BEGIN "| operator | since | inputs | outputs | place | trains | float16, "
            "bfloat16, double |\n|---|---|---|---|---|---|---|\n");
  const CnnOp *op;
  for (int i = 0; (op = cnn_op_at (i)); i++) {
    g_string_append_printf (table, "| `%s` | %d | ", op->name, op->since);
    append_range (table, op->min_in, op->max_in);
    g_string_append (table, " | ");
    append_range (table, 1, op->max_out);
    g_string_append_printf (table, " | %s | %s | %s |\n",
        op->geometry ? "yes" : "", op->backward ? "yes" : "",
        op->float32_only ? "as float32" : "");
  }
  g_string_append (table, END);
  return g_string_free (table, FALSE);
}

static void
test_operators (void)
{
  char *table = make_table (), *begin = strstr (page, BEGIN);
  g_assert_nonnull (begin);
  if (strncmp (begin, table, strlen (table)))
    g_error ("the table of operators is not that of core/ops/table.c: run\n"
             "  build/tests/onnx/test-onnx-docs --write docs/onnx-subset.md");
  g_free (table);
}

static int
write_page (const char *path)
{
  char *table = make_table (), *begin = strstr (page, BEGIN);
  char *end = begin ? strstr (begin, END) : NULL;
  GError *error = NULL;
  if (!end)
    g_error ("%s has no table to replace", path);
  GString *text = g_string_new_len (page, begin - page);
  g_string_append (text, table);
  g_string_append (text, end + strlen (END));
  if (!g_file_set_contents (path, text->str, (gssize) text->len, &error))
    g_error ("%s", error->message);
  g_string_free (text, TRUE);
  g_free (table);
  return 0;
}

int
main (int argc, char **argv)
{
  gboolean writes = argc == 3 && !strcmp (argv[1], "--write");
  if (!writes)
    g_test_init (&argc, &argv, NULL);
  if (argc != 2 + writes
      || !g_file_get_contents (argv[1 + writes], &page, NULL, NULL))
    g_error ("usage: test-onnx-docs [--write] PAGE");
  if (!writes)
    g_test_add_func ("/onnx/docs/operators", test_operators);
  int result = writes ? write_page (argv[2]) : g_test_run ();
  g_free (page);
  return result;
}
