/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* main.c: the `convnet` program: picks the command and reports its failure.
 *
 * Exit code 0 only if the command did what was asked, 1 if it could not, 2
 * for wrong usage; a failure is one line on stderr. */

#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "tool.h"

typedef struct
{
  const char *name;
  const char *summary;
  gboolean (*run) (int argc, char **argv, GError **error);
} Command;

static const Command commands[] = {
  { "info", "print a model's layers, sizes and costs", tool_info },
  { "run", "find things in pictures and videos", tool_run },
  { "test", "run ONNX test cases", tool_test },
  { "bench", "measure a model, layer by layer", tool_bench },
  { "export", "write the map network of a classifier", tool_export },
  { "train", "train a model as a recipe says", tool_train },
  { "eval", "measure a model's error rate", tool_eval },
  { "bind", "move a stroke across digits and ask what they are", tool_bind },
  { "scenes", "make pictures of digits with their truth", tool_scenes },
  { "reproduce", "train and measure all of models/ again", tool_reproduce },
  { "quantize", "make a model compute with 8 bits", tool_quantize },
};

static void
print_help (void)
{
  g_print ("Usage:\n  convnet COMMAND [OPTION…] ARGUMENT…\n\n"
           "Small convolutional networks over pictures and videos.\n\n"
           "Commands:\n");
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    g_print ("  %-9s %s\n", commands[i].name, commands[i].summary);
  g_print ("\nOptions:\n"
           "  -h, --help   Show this help, or with a command that command's\n"
           "  --version    Print the version and exit\n");
}

static const Command *
find_command (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    if (strcmp (commands[i].name, name) == 0)
      return &commands[i];
  return NULL;
}

static int
run_command (const Command *command, int argc, char **argv)
{
  GError *error = NULL;
  char *who = g_strdup_printf ("convnet %s", command->name);
  int code = 0;

  g_set_prgname (who);
  if (!command->run (argc, argv, &error)) {
    tool_print_error (error);
    code = error->domain == G_OPTION_ERROR
            || g_error_matches (error, TOOL_ERROR, TOOL_ERROR_USAGE)
        ? 2
        : 1;
    g_clear_error (&error);
  }
  g_free (who);
  return code;
}

int
main (int argc, char **argv)
{
  const Command *command;
  int code;

  setlocale (LC_ALL, "");
  setlocale (LC_NUMERIC, "C");
  if (argc < 2) {
    g_printerr ("convnet: no command, try: convnet --help\n");
    return 2;
  }
  if (strcmp (argv[1], "--help") == 0 || strcmp (argv[1], "-h") == 0) {
    print_help ();
    return 0;
  }
  if (strcmp (argv[1], "--version") == 0) {
    g_print ("convnet %s\n", VERSION);
    return 0;
  }
  command = find_command (argv[1]);
  if (!command) {
    g_printerr ("convnet: unknown command '%s', try: convnet --help\n",
        argv[1]);
    return 2;
  }
  code = run_command (command, argc - 1, argv + 1);
  if (fflush (stdout) != 0 || ferror (stdout)) {
    g_printerr ("convnet: can't write to standard output\n");
    return 1;
  }
  return code;
}
