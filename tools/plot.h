/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* plot.h: curves, confusion matrices and answers as PNG. */

#ifndef TOOL_PLOT_H
#define TOOL_PLOT_H

#include "digits.h"
#include "tool.h"

/**
 * ToolCurve:
 * @name: for the legend
 * @values: one a point, @count of them; NAN = no point. Positive ones are
 *   drawn on a logarithmic axis
 */
typedef struct
{
  const char *name;
  const double *values;
} ToolCurve;

/**
 * tool_plot_curves:
 * @title: above the plot
 * @x_name: of the horizontal axis, which counts from 1
 * @curves: @n_curves curves of @count points
 */
gboolean tool_plot_curves (const char *path, const char *title,
    const char *x_name, const ToolCurve *curves, int n_curves, int count,
    GError **error);

/**
 * ToolTrace:
 * @title: what moves
 * @labels: names of @classes classes
 * @values: @steps x @classes probabilities
 * @windows: @steps x @height x @width pixels that they are the answers to
 */
typedef struct
{
  const char *title;
  const char *const *labels;
  int classes, steps, height, width;
  const double *values;
  const guint8 *windows;
} ToolTrace;

/** tool_plot_traces: probabilities over the steps, one plot below the other,
 * with some of the windows. Classes that are never likely are left out. */
gboolean tool_plot_traces (const char *path, const ToolTrace *traces,
    int n_traces, GError **error);

/** tool_plot_answer: one frame of an animation: window @step, and a bar for
 * each class. */
gboolean tool_plot_answer (const char *path, const ToolTrace *trace, int step,
    GError **error);

/** tool_plot_confusion: @labels: names of the classes. */
gboolean tool_plot_confusion (const char *path, const ToolScore *score,
    const char *const *labels, GError **error);

#endif
