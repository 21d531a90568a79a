/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* program.c: see program.h. */

#include "program.h"

#include <gio/gio.h>
#include <stdlib.h>
#include <string.h>

const char *program;

void
program_init (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (argc < 2) {
    g_printerr ("usage: %s CONVNET\n", argv[0]);
    exit (99);
  }
  program = argv[1];
}

static void
run_argv (Result *result, const char *const *argv)
{
  GError *error = NULL;
  GSubprocess *process = g_subprocess_newv (argv,
      G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE, &error);

  g_assert_no_error (error);
  g_subprocess_communicate_utf8 (process, NULL, NULL, &result->out,
      &result->err, &error);
  g_assert_no_error (error);
  g_assert_true (g_subprocess_get_if_exited (process));
  result->code = g_subprocess_get_exit_status (process);
  g_object_unref (process);
}

void
run (Result *result, ...)
{
  GPtrArray *argv = g_ptr_array_new ();
  const char *word;
  va_list args;

  g_ptr_array_add (argv, (gpointer) program);
  va_start (args, result);
  while ((word = va_arg (args, const char *)))
    g_ptr_array_add (argv, (gpointer) word);
  va_end (args);
  g_ptr_array_add (argv, NULL);
  run_argv (result, (const char *const *) argv->pdata);
  g_ptr_array_unref (argv);
}

void
clear (Result *result)
{
  g_free (result->out);
  g_free (result->err);
}

void
expect_ok (Result *result)
{
  if (result->code || *result->err)
    g_test_message ("exit %d: %s", result->code, result->err);
  g_assert_cmpint (result->code, ==, 0);
  g_assert_cmpstr (result->err, ==, "");
}

void
expect_failure (Result *result, int code, const char *word)
{
  const char *end = strchr (result->err, '\n');

  g_test_message ("exit %d: %s", result->code, result->err);
  g_assert_cmpint (result->code, ==, code);
  g_assert_nonnull (strstr (result->err, word));
  g_assert_nonnull (end);
  g_assert_cmpint (end[1], ==, '\0');
  g_assert_cmpstr (result->out, ==, "");
  clear (result);
}
