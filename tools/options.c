/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* options.c: reading what the user typed, and saying what was wrong with it. */

#include "tool.h"

#include <math.h>
#include <stdlib.h>

#include <cnn/image.h>

#include "config.h"

G_DEFINE_QUARK (tool - error - quark, tool_error)

gboolean
tool_fail (GError **error, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  if (error)
    *error = g_error_new_valist (TOOL_ERROR, TOOL_ERROR_DATA, format, args);
  va_end (args);
  return FALSE;
}

gboolean
tool_fail_usage (GError **error, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  if (error)
    *error = g_error_new_valist (TOOL_ERROR, TOOL_ERROR_USAGE, format, args);
  va_end (args);
  return FALSE;
}

/* One line, whatever the sentence was made of. */
void
tool_print_error (const GError *error)
{
  char *text = g_strdup (error->message);

  for (char *c = text; *c; c++)
    if (g_ascii_iscntrl (*c))
      *c = ' ';
  g_printerr ("%s: %s\n", g_get_prgname (), g_strchomp (text));
  g_free (text);
}

gboolean
tool_fail_cnn (GError **error, const char *what, const CnnError *cause)
{
  return tool_fail (error, "%s: %s", what,
      cause->message[0] ? cause->message : cnn_status_name (cause->status));
}

static gboolean
print_version (CNN_UNUSED const char *name, CNN_UNUSED const char *value,
    CNN_UNUSED gpointer data, CNN_UNUSED GError **error)
{
  g_print ("convnet %s\n", VERSION);
  exit (EXIT_SUCCESS);
}

static gboolean
check_count (const ToolUsage *usage, char **args, GError **error)
{
  int count = args ? (int) g_strv_length (args) : 0;

  if (count < usage->min_args || (usage->max_args && count > usage->max_args)) {
    return tool_fail_usage (error, "%s arguments, wanted: %s",
        count < usage->min_args ? "too few" : "too many", usage->arguments);
  }
  return TRUE;
}

gboolean
tool_parse_options (const ToolUsage *usage, const GOptionEntry *entries,
    int argc, char **argv, char ***args, GError **error)
{
  char **rest = NULL, **copy = g_strdupv (argv);
  GOptionEntry common[] = { { "version", 0, G_OPTION_FLAG_NO_ARG,
                                G_OPTION_ARG_CALLBACK, (gpointer) print_version,
                                "Print the version and exit", NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &rest, NULL,
        usage->arguments },
    G_OPTION_ENTRY_NULL };
  GOptionContext *context = g_option_context_new (NULL);
  gboolean ok;

  g_option_context_set_summary (context, usage->summary);
  if (entries)
    g_option_context_add_main_entries (context, entries, NULL);
  g_option_context_add_main_entries (context, common, NULL);
  ok = argc > 0 && g_option_context_parse_strv (context, &copy, error)
      && check_count (usage, rest, error);
  if (ok)
    *args = rest ? g_steal_pointer (&rest) : g_new0 (char *, 1);
  g_option_context_free (context);
  g_strfreev (rest);
  g_strfreev (copy);
  return ok;
}

gboolean
tool_parse_double (const char *text, double low, double high, double *value,
    GError **error)
{
  char *end = NULL;
  double number = g_ascii_strtod (text, &end);

  if (end == text || *end || !isfinite (number))
    return tool_fail (error, "'%s' is no number", text);
  if (number < low || number > high)
    return tool_fail (error, "%s is not between %.6g and %.6g", text, low,
        high);
  *value = number;
  return TRUE;
}

gboolean
tool_parse_int (const char *text, gint64 low, gint64 high, gint64 *value,
    GError **error)
{
  GError *cause = NULL;

  if (g_ascii_string_to_signed (text, 10, low, high, value, &cause))
    return TRUE;
  g_clear_error (&cause);
  return tool_fail (error,
      "'%s' is no whole number between %" G_GINT64_FORMAT
      " and %" G_GINT64_FORMAT,
      text, low, high);
}

gboolean
tool_parse_precision (const char *text, CnnPrecision *precision, GError **error)
{
  *precision =
      g_strcmp0 (text, "exact") ? CNN_PRECISION_FAST : CNN_PRECISION_EXACT;
  if (!text || *precision == CNN_PRECISION_EXACT || g_str_equal (text, "fast"))
    return TRUE;
  return tool_fail_usage (error, "--precision: '%s' is not fast or exact",
      text);
}

gboolean
tool_parse_size (const char *text, int max, int *width, int *height,
    GError **error)
{
  char **parts = g_strsplit (text, "x", 3);
  guint count = g_strv_length (parts);
  gint64 w = 0, h = 0;
  gboolean ok = (count == 1 || count == 2)
      && tool_parse_int (parts[0], 1, max, &w, NULL)
      && tool_parse_int (parts[count - 1], 1, max, &h, NULL);

  g_strfreev (parts);
  if (!ok)
    return tool_fail (error, "'%s' is no size like 5x5 with sides of 1 to %d",
        text, max);
  *width = (int) w;
  *height = (int) h;
  return TRUE;
}

gboolean
tool_parse_frame (const char *text, int *width, int *height, GError **error)
{
  return tool_parse_size (text, CNN_MAX_IMAGE_SIDE, width, height, NULL)
      || tool_fail_usage (error, "--size: '%s' is not like 640x480", text);
}

CnnPool *
tool_pool_new (int threads, GError **error)
{
  CnnPool *pool = NULL;

  if (threads < 0 || threads > 256)
    tool_fail_usage (error, "--threads: %d is not between 0 and 256", threads);
  else if (cnn_pool_new ((unsigned) threads, &pool) != CNN_OK)
    tool_fail (error, "can't start %d threads", threads);
  return pool;
}
