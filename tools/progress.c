/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* progress.c: a bar, redrawn in place. */

#include "progress.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#define BAR_CELLS   24
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
draw_bar (double done)
{
  int full = (int) lround (CLAMP (done, 0, 1) * BAR_CELLS);

  fputs (" [", stderr);
  for (int i = 0; i < BAR_CELLS; i++)
    fputc (i < full ? '#' : '.', stderr);
  fprintf (stderr, "] %3.0f %%", 100 * CLAMP (done, 0, 1));
}

void
tool_progress_update (ToolProgress *progress, double done, const char *format,
    ...)
{
  gint64 now;
  va_list args;

  if (!progress->on)
    return;
  now = g_get_monotonic_time ();
  if (progress->last && now - progress->last < REDRAW_USEC)
    return;
  progress->last = now;
  fprintf (stderr, "\r\033[K%s", progress->label);
  if (done >= 0)
    draw_bar (done);
  if (format) {
    fputs ("  ", stderr);
    va_start (args, format);
    vfprintf (stderr, format, args);
    va_end (args);
  }
  if (done > 0.001) {
    double left = (double) (now - progress->begin) * 1e-6 * (1 - done) / done;

    fprintf (stderr, "  %d:%02d left", (int) left / 60, (int) left % 60);
  }
  fflush (stderr);
  progress->drawn = TRUE;
}
