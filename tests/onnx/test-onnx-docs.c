/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-onnx-docs.c: the documented operators are those of the table, in its
 * order, with the opset that they follow. The page is the only argument. */

#include <string.h>

#include <glib.h>

#include "ops/op.h"

static char *page;

static void
test_operators (void)
{
  GRegex *row = g_regex_new ("^\\| `([A-Z]\\w*)` \\| (\\d+) \\|",
      G_REGEX_MULTILINE, 0, NULL);
  GMatchInfo *match;
  int i = 0;

  for (g_regex_match (row, page, 0, &match); g_match_info_matches (match);
       g_match_info_next (match, NULL)) {
    const CnnOp *op = cnn_op_at (i++);
    char *name = g_match_info_fetch (match, 1),
         *since = g_match_info_fetch (match, 2);
    g_assert_cmpstr (name, ==, op ? op->name : "(no more operators)");
    g_assert_cmpint (g_ascii_strtoll (since, NULL, 10), ==, op->since);
    g_free (name);
    g_free (since);
  }
  g_assert_null (cnn_op_at (i));
  g_assert_cmpint (i, >, 0);
  g_match_info_free (match);
  g_regex_unref (row);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (argc != 2 || !g_file_get_contents (argv[1], &page, NULL, NULL))
    g_error ("usage: test-onnx-docs PAGE");
  g_test_add_func ("/onnx/docs/operators", test_operators);
  int result = g_test_run ();
  g_free (page);
  return result;
}
