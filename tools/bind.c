/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bind.c: `convnet bind`: one stroke moves across a digit; where does a
 * classifier take the two for one character?
 *
 * Each window is answered by itself, as `convnet eval` does. */

#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <cnn/image.h>
#include <cnn/session.h>

#include "model-file.h"
#include "moves.h"
#include "plot.h"
#include "tool.h"

#define DEFAULT_STEPS 41
#define MAX_STEPS     1000

typedef struct
{
  char *folder;
  int steps;
  gboolean inverted;
  CnnModel *model;
  const CnnModelInfo *info;
  CnnSession *session;
  CnnResampler *resampler;
  int height, width, frames;
  FILE *table;
} Bind;

static const ToolUsage usage = { "MODEL",
  "Moves a stroke across digits and writes MODEL's answers: traces.png and "
  "traces.csv, and frame-0000.png and so on, the pictures of an animation. "
  "Prints the answer at each position, a dot for the background.",
  1, 1 };

static gboolean
parse (Bind *bind, int argc, char **argv, char ***args, GError **error)
{
  GOptionEntry entries[] = { { "output", 'o', 0, G_OPTION_ARG_FILENAME,
                                 &bind->folder, "Where to write", "DIR" },
    { "steps", 0, 0, G_OPTION_ARG_INT, &bind->steps,
        "Positions of the stroke (41)", "N" },
    { "inverted", 0, 0, G_OPTION_ARG_NONE, &bind->inverted,
        "Dark on white, not white on black", NULL },
    G_OPTION_ENTRY_NULL };

  if (!tool_parse_options (&usage, entries, argc, argv, args, error))
    return FALSE;
  if (!bind->folder)
    return tool_fail_usage (error, "--output is missing");
  if (bind->steps < 3 || bind->steps > MAX_STEPS)
    return tool_fail_usage (error, "--steps: 3 to %d", MAX_STEPS);
  return TRUE;
}

static gboolean
prepare (Bind *bind, const char *name, GError **error)
{
  CnnShape shape = { 4, { 1 } };
  CnnError cause = { 0 };

  bind->model = tool_model_load (name, error);
  if (!bind->model
      || !tool_model_window (bind->model, &bind->height, &bind->width, error))
    return FALSE;
  bind->info = cnn_model_info (bind->model);
  shape.dims[1] = bind->info->channels;
  shape.dims[2] = bind->height;
  shape.dims[3] = bind->width;
  if (cnn_session_new (bind->model, &shape, NULL, &bind->session, &cause)
          != CNN_OK
      || cnn_resampler_new (bind->width, bind->height, bind->width,
             bind->height, 0, &bind->resampler, &cause)
          != CNN_OK)
    return tool_fail_cnn (error, name, &cause);
  if (g_mkdir_with_parents (bind->folder, 0777) != 0)
    return tool_fail (error, "%s: %s", bind->folder, g_strerror (errno));
  return TRUE;
}

/* Probabilities of the classes, whatever the output's numbers are. */
static void
read_answer (const Bind *bind, double *values)
{
  const CnnTensor *output = cnn_session_output (bind->session, 0);
  CnnOutputKind kind = bind->info->output;
  double most = -INFINITY, sum = 0;

  for (int i = 0; i < bind->info->classes; i++) {
    values[i] = cnn_tensor_value (output, (size_t) i);
    most = MAX (most, values[i]);
  }
  if (kind == CNN_OUTPUT_SOFTMAX || kind == CNN_OUTPUT_SIGMOID)
    return;
  for (int i = 0; i < bind->info->classes; i++)
    sum += values[i] = exp (values[i] - most);
  for (int i = 0; i < bind->info->classes; i++)
    values[i] /= sum;
}

static void
answer (Bind *bind, const guint8 *window, double *values)
{
  CnnImage image = { .width = bind->width,
    .height = bind->height,
    .channels = bind->info->channels,
    .step_bytes = 1 };

  for (int c = 0; c < image.channels; c++) {
    image.data[c] = window;
    image.pitch_bytes[c] = bind->width;
  }
  cnn_resampler_run (bind->resampler, &image, bind->info->range, NULL,
      cnn_session_input (bind->session, 0)->data);
  cnn_session_run (bind->session);
  read_answer (bind, values);
}

static gboolean
draw_windows (const Bind *bind, const ToolMove *move, guint8 *windows,
    GError **error)
{
  gsize cells = (gsize) bind->height * (gsize) bind->width;
  double object = bind->info->object_size * bind->height;

  for (int i = 0; i < bind->steps; i++)
    if (!tool_move_draw (move, 2.0 * i / (bind->steps - 1) - 1, object,
            bind->width, bind->height, windows + (gsize) i * cells, error))
      return FALSE;
  for (gsize k = 0; bind->inverted && k < (gsize) bind->steps * cells; k++)
    windows[k] = 255 - windows[k];
  return TRUE;
}

static void
print_trace (const Bind *bind, const ToolTrace *trace)
{
  printf ("%s  ", trace->title);
  for (int i = 0; i < trace->steps; i++) {
    const double *values = trace->values + i * trace->classes;
    int best = 0;

    fprintf (bind->table, "%s,%d", trace->title, i);
    for (int k = 0; k < trace->classes; k++) {
      best = values[k] > values[best] ? k : best;
      fprintf (bind->table, ",%.6f", values[k]);
    }
    fputc ('\n', bind->table);
    putchar (best == bind->info->background ? '.' : trace->labels[best][0]);
  }
  putchar ('\n');
}

static gboolean
write_frames (Bind *bind, const ToolTrace *trace, GError **error)
{
  gboolean ok = TRUE;

  for (int i = 0; ok && i < bind->steps; i++) {
    char *path =
        g_strdup_printf ("%s/frame-%04d.png", bind->folder, bind->frames++);

    ok = tool_plot_answer (path, trace, i, error);
    g_free (path);
  }
  return ok;
}

static gboolean
follow (Bind *bind, const ToolMove *move, ToolTrace *trace, GError **error)
{
  gsize cells = (gsize) bind->height * (gsize) bind->width;
  int classes = bind->info->classes;
  guint8 *windows = g_malloc ((gsize) bind->steps * cells);
  double *values = g_new (double, (gsize) bind->steps *(gsize) classes);

  *trace = (ToolTrace){ move->name, bind->info->labels, classes, bind->steps,
    bind->height, bind->width, values, windows };
  if (!draw_windows (bind, move, windows, error))
    return FALSE;
  for (int i = 0; i < bind->steps; i++)
    answer (bind, windows + (gsize) i * cells, values + i * classes);
  print_trace (bind, trace);
  return write_frames (bind, trace, error);
}

static gboolean
follow_all (Bind *bind, GError **error)
{
  ToolTrace *traces = g_new0 (ToolTrace, tool_n_moves);
  char *path = g_build_filename (bind->folder, "traces.csv", NULL);
  gboolean ok;

  bind->table = g_fopen (path, "w");
  ok = bind->table || tool_fail (error, "%s: %s", path, g_strerror (errno));
  if (ok) {
    fputs ("move,position", bind->table);
    for (int k = 0; k < bind->info->classes; k++)
      fprintf (bind->table, ",%s", bind->info->labels[k]);
    fputc ('\n', bind->table);
  }
  for (int i = 0; ok && i < tool_n_moves; i++)
    ok = follow (bind, &tool_moves[i], &traces[i], error);
  if (bind->table && (ferror (bind->table) | fclose (bind->table)) && ok)
    ok = tool_fail (error, "%s: can't be written", path);
  g_free (path);
  path = g_build_filename (bind->folder, "traces.png", NULL);
  ok = ok && tool_plot_traces (path, traces, tool_n_moves, error);
  for (int i = 0; i < tool_n_moves; i++) {
    g_free ((void *) traces[i].values);
    g_free ((void *) traces[i].windows);
  }
  g_free (path);
  g_free (traces);
  return ok;
}

gboolean
tool_bind (int argc, char **argv, GError **error)
{
  Bind bind = { .steps = DEFAULT_STEPS };
  char **args = NULL;
  gboolean ok = parse (&bind, argc, argv, &args, error)
      && prepare (&bind, args[0], error) && follow_all (&bind, error);

  cnn_resampler_free (bind.resampler);
  cnn_session_free (bind.session);
  cnn_model_unref (bind.model);
  g_strfreev (args);
  g_free (bind.folder);
  return ok;
}
