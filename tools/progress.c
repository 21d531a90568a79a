/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* progress.c: a bar, redrawn in place. */

#include "progress.h"

#include <math.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BAR_CELLS   10
#define REDRAW_USEC 100000

struct ToolProgress
{
  char *label;
  gboolean on, drawn;
  gint64 begin, last;
};

ToolProgress *
tool_progress_new (const char *label, gboolean quiet)
{
  ToolProgress *progress = g_new0 (ToolProgress, 1);

  progress->label = g_strdup (label);
  progress->on = !quiet && isatty (STDERR_FILENO);
  progress->begin = g_get_monotonic_time ();
  return progress;
}

void
tool_progress_clear (ToolProgress *progress)
{
  if (progress->drawn)
    fputs ("\r\033[K", stderr);
  progress->drawn = FALSE;
}

void
tool_progress_free (ToolProgress *progress)
{
  if (!progress)
    return;
  tool_progress_clear (progress);
  g_free (progress->label);
  g_free (progress);
}

static void
append_bar (GString *line, double done)
{
  int full = (int) lround (CLAMP (done, 0, 1) * BAR_CELLS);

  g_string_append (line, " [");
  for (int i = 0; i < BAR_CELLS; i++)
    g_string_append_c (line, i < full ? '#' : '.');
  g_string_append_printf (line, "] %3.0f %%", 100 * CLAMP (done, 0, 1));
}

/* A line that wraps could not be wiped. */
static void
cut_to_terminal (GString *line)
{
  struct winsize size;
  glong columns = 80;
  char *valid = g_utf8_make_valid (line->str, -1);

  if (ioctl (STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    columns = size.ws_col;
  if (g_utf8_strlen (valid, -1) >= columns)
    *g_utf8_offset_to_pointer (valid, columns - 1) = '\0';
  g_string_assign (line, valid);
  g_free (valid);
}

void
tool_progress_update (ToolProgress *progress, double done, const char *format,
    ...)
{
  gint64 now;
  va_list args;
  GString *line;

  if (!progress->on)
    return;
  now = g_get_monotonic_time ();
  if (progress->last && now - progress->last < REDRAW_USEC)
    return;
  progress->last = now;
  line = g_string_new (progress->label);
  if (done >= 0)
    append_bar (line, done);
  if (done > 0.001) {
    double left = (double) (now - progress->begin) * 1e-6 * (1 - done) / done;

    g_string_append_printf (line, "  %d:%02d left", (int) left / 60,
        (int) left % 60);
  }
  if (format) {
    g_string_append (line, "  ");
    va_start (args, format);
    g_string_append_vprintf (line, format, args);
    va_end (args);
  }
  cut_to_terminal (line);
  fprintf (stderr, "\r\033[K%s", line->str);
  fflush (stderr);
  g_string_free (line, TRUE);
  progress->drawn = TRUE;
}
