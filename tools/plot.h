/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* plot.h: curves and confusion matrices as PNG. */

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

/** tool_plot_confusion: @labels: names of the classes. */
gboolean tool_plot_confusion (const char *path, const ToolScore *score,
    const char *const *labels, GError **error);

#endif
