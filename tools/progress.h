/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* progress.h: one line on the terminal that says how far we are. */

#ifndef TOOL_PROGRESS_H
#define TOOL_PROGRESS_H

#include <glib.h>

typedef struct ToolProgress ToolProgress;

/**
 * tool_progress_new:
 * @label: what is being done
 * @quiet: TRUE = never draw
 *
 * Draws on stderr, and only if that is a terminal. Free with
 * tool_progress_free(), which wipes the line.
 */
ToolProgress *tool_progress_new (const char *label, gboolean quiet);

void tool_progress_free (ToolProgress *progress);

/**
 * tool_progress_update:
 * @done: 0..1; negative = not known
 * @format: (nullable): more to say behind the bar
 *
 * Cheap to call often: draws ten times a second. Adds the time left.
 */
void tool_progress_update (ToolProgress *progress, double done,
    const char *format, ...) G_GNUC_PRINTF (3, 4);

/** tool_progress_clear: wipes the line, so that something can be printed. */
void tool_progress_clear (ToolProgress *progress);

#endif
