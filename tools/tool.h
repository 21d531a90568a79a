/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tool.h: what the commands of the `convnet` program share.
 *
 * Every command is a function that gets its own arguments and returns FALSE
 * with one sentence in a GError; main.c prints it and chooses the exit code.
 * Nothing but main.c and --help ends the process. */

#ifndef TOOL_H
#define TOOL_H

#include <glib.h>

#include <cnn/model.h>
#include <cnn/pool.h>
#include <cnn/session.h>

/** Program-wide errors: of usage, or of a file and what is in it. */
typedef enum
{
  TOOL_ERROR_USAGE,
  TOOL_ERROR_DATA
} ToolErrorCode;

#define TOOL_ERROR (tool_error_quark ())

GQuark tool_error_quark (void);

/** The commands: @argv[0] is the command's own name. */
gboolean tool_info (int argc, char **argv, GError **error);
gboolean tool_bind (int argc, char **argv, GError **error);
gboolean tool_run (int argc, char **argv, GError **error);
gboolean tool_train (int argc, char **argv, GError **error);
gboolean tool_bench (int argc, char **argv, GError **error);
gboolean tool_export (int argc, char **argv, GError **error);
gboolean tool_test (int argc, char **argv, GError **error);
gboolean tool_eval (int argc, char **argv, GError **error);
gboolean tool_scenes (int argc, char **argv, GError **error);
gboolean tool_reproduce (int argc, char **argv, GError **error);
gboolean tool_quantize (int argc, char **argv, GError **error);

/**
 * ToolUsage:
 * @arguments: what follows the options ("MODEL FILE...")
 * @summary: one sentence for --help
 * @min_args, @max_args: how many arguments must remain; 0 = no upper limit
 */
typedef struct
{
  const char *arguments;
  const char *summary;
  int min_args, max_args;
} ToolUsage;

/**
 * tool_parse_options:
 * @entries: the command's options
 * @args: (out) (transfer full): what remains, NULL-terminated
 *
 * Takes care of --help and --version, which end the process with 0.
 */
gboolean tool_parse_options (const ToolUsage *usage,
    const GOptionEntry *entries, int argc, char **argv, char ***args,
    GError **error);

/** tool_parse_precision: "fast", "exact" or NULL, which is fast. */
gboolean tool_parse_precision (const char *text, CnnPrecision *precision,
    GError **error);

/** tool_parse_size: "640x480" or "5" (both sides), each 1 to @max. */
gboolean tool_parse_size (const char *text, int max, int *width, int *height,
    GError **error);

/** tool_parse_frame: the value of --size: a picture's, each side 1 to
 * CNN_MAX_IMAGE_SIDE. */
gboolean
tool_parse_frame (const char *text, int *width, int *height, GError **error);

/** tool_parse_double: all of @text is one finite number in @low..@high. */
gboolean tool_parse_double (const char *text, double low, double high,
    double *value, GError **error);

/** tool_parse_int: all of @text is one whole number in @low..@high. */
gboolean tool_parse_int (const char *text, gint64 low, gint64 high,
    gint64 *value, GError **error);

/** tool_fail: sets a TOOL_ERROR_DATA. Returns: FALSE. */
gboolean tool_fail (GError **error, const char *format, ...)
    G_GNUC_PRINTF (2, 3);

/** tool_fail_usage: sets a TOOL_ERROR_USAGE, for what the user typed. Returns:
 * FALSE. */
gboolean tool_fail_usage (GError **error, const char *format, ...)
    G_GNUC_PRINTF (2, 3);

/** tool_print_error: one line on stderr, "convnet run: the sentence". */
void tool_print_error (const GError *error);

/** tool_fail_cnn: "@what: the library's sentence". Returns: FALSE. */
gboolean
tool_fail_cnn (GError **error, const char *what, const CnnError *cause);

/** tool_pool_new: @threads: as typed by the user, 0 = all cores. */
CnnPool *tool_pool_new (int threads, GError **error);

#endif
