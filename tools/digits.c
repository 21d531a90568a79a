/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* digits.c: runs a classifier over labelled pictures.
 *
 * One session a thread, one picture a run: networks this small gain more from
 * pictures side by side than from splitting one. */

#include "digits.h"

#include <math.h>
#include <string.h>

#include <cnn/image.h>
#include <cnn/session.h>

#include "model-file.h"

#define TASK_SIZE 64

/* What one thread needs: its session, a picture brought to size, a window
 * around it. */
typedef struct
{
  CnnSession *session;
  CnnResampler *to_size, *to_input;
  float *sized;
  guint8 *window;
} Worker;

typedef struct
{
  const CnnModelInfo *info;
  const CnnDigits *digits;
  gboolean inverted;
  int height, width;         /* window */
  int fit_height, fit_width; /* size of a picture in it */
  int classes[TOOL_MAX_LABEL
      + 1]; /* label of a picture -> class of the model */
  Worker *workers;
  int n_workers;
  guint16 *answers;
} Scorer;

gboolean
tool_digits_classes (const CnnDigits *digits, const char *const *labels,
    int n_labels, int classes[TOOL_MAX_LABEL + 1], GError **error)
{
  for (int label = 0; label <= TOOL_MAX_LABEL; label++) {
    char *name = g_strdup_printf ("%d", label);

    classes[label] = -1;
    for (int i = 0; i < n_labels; i++)
      if (strcmp (labels[i], name) == 0)
        classes[label] = i;
    g_free (name);
  }
  for (int i = 0; i < digits->count; i++)
    if (classes[digits->labels[i]] < 0)
      return tool_fail (error, "the model has no class '%d'",
          digits->labels[i]);
  return TRUE;
}

static void
fit_pictures (Scorer *scorer, const ToolDigits *pictures,
    gboolean object_size_known)
{
  const CnnDigits *digits = scorer->digits;
  double scale = 1;

  if (object_size_known)
    scale =
        tool_digits_zoom (pictures, scorer->info->object_size, scorer->height);
  else if (digits->height > scorer->height || digits->width > scorer->width)
    scale = MIN ((double) scorer->height / digits->height,
        (double) scorer->width / digits->width);
  scorer->fit_height = MAX (1, (int) lround (digits->height * scale));
  scorer->fit_width = MAX (1, (int) lround (digits->width * scale));
}

static gboolean
make_worker (const Scorer *scorer, CnnModel *model, Worker *worker,
    CnnError *cause)
{
  const CnnDigits *digits = scorer->digits;
  CnnShape shape = { 4,
    { 1, scorer->info->channels, scorer->height, scorer->width } };

  worker->sized =
      g_new (float, (gsize) scorer->fit_height *(gsize) scorer->fit_width);
  worker->window = g_malloc ((gsize) scorer->height * (gsize) scorer->width);
  return cnn_session_new (model, &shape, NULL, &worker->session, cause)
      == CNN_OK
      && cnn_resampler_new (digits->width, digits->height, scorer->fit_width,
             scorer->fit_height, 0, &worker->to_size, cause)
      == CNN_OK
      && cnn_resampler_new (scorer->width, scorer->height, scorer->width,
             scorer->height, 0, &worker->to_input, cause)
      == CNN_OK;
}

static void
clear_workers (Scorer *scorer)
{
  for (int i = 0; i < scorer->n_workers; i++) {
    Worker *worker = &scorer->workers[i];

    cnn_session_free (worker->session);
    cnn_resampler_free (worker->to_size);
    cnn_resampler_free (worker->to_input);
    g_free (worker->sized);
    g_free (worker->window);
  }
  g_free (scorer->workers);
}

/* The picture in the middle of the window; what does not fit is cut off. */
static void
fill_window (const Scorer *scorer, Worker *worker)
{
  int top = (scorer->height - scorer->fit_height) / 2;
  int left = (scorer->width - scorer->fit_width) / 2;
  guint8 flip = scorer->inverted ? 255 : 0;

  memset (worker->window, flip, (gsize) scorer->height * (gsize) scorer->width);
  for (int y = MAX (0, -top); y < scorer->fit_height; y++)
    for (int x = MAX (0, -left); x < scorer->fit_width; x++) {
      float value = worker->sized[y * scorer->fit_width + x];

      if (y + top < scorer->height && x + left < scorer->width)
        worker->window[(y + top) * scorer->width + x + left] =
            (guint8) lrintf (CLAMP (value, 0.0f, 255.0f)) ^ flip;
    }
}

static int
best_class (const CnnTensor *output, int classes)
{
  const float *values = output->data;
  int best = 0;

  for (int i = 1; i < classes; i++)
    if (values[i] > values[best])
      best = i;
  return best;
}

static int
classify (const Scorer *scorer, Worker *worker, int index)
{
  const CnnDigits *digits = scorer->digits;
  gsize pixels = (gsize) digits->height * (gsize) digits->width;
  CnnImage picture = { .width = digits->width,
    .height = digits->height,
    .channels = 1,
    .data = { digits->pixels + (gsize) index * pixels },
    .pitch_bytes = { digits->width },
    .step_bytes = 1 };
  CnnImage window = { .width = scorer->width,
    .height = scorer->height,
    .channels = scorer->info->channels,
    .step_bytes = 1 };

  cnn_resampler_run (worker->to_size, &picture, CNN_RANGE_0_255, NULL,
      worker->sized);
  fill_window (scorer, worker);
  for (int c = 0; c < window.channels; c++) {
    window.data[c] = worker->window;
    window.pitch_bytes[c] = scorer->width;
  }
  cnn_resampler_run (worker->to_input, &window, scorer->info->range, NULL,
      cnn_session_input (worker->session, 0)->data);
  cnn_session_run (worker->session);
  return best_class (cnn_session_output (worker->session, 0),
      scorer->info->classes);
}

static void
classify_task (void *data, int task, int worker)
{
  Scorer *scorer = data;
  int end = MIN ((task + 1) * TASK_SIZE, scorer->digits->count);

  for (int i = task * TASK_SIZE; i < end; i++)
    scorer->answers[i] =
        (guint16) classify (scorer, &scorer->workers[worker], i);
}

static void
count_answers (const Scorer *scorer, ToolScore *score)
{
  int n = scorer->info->classes;

  *score = (ToolScore){ .count = scorer->digits->count,
    .classes = n,
    .confusion = g_new0 (guint32, (gsize) n * (gsize) n) };
  for (int i = 0; i < score->count; i++) {
    int truth = scorer->classes[scorer->digits->labels[i]];

    score->confusion[truth * n + scorer->answers[i]]++;
    score->errors += truth != scorer->answers[i];
  }
}

gboolean
tool_digits_score (CnnModel *model, const ToolDigits *pictures,
    gboolean inverted, CnnPool *pool, ToolScore *score, GError **error)
{
  const CnnDigits *digits = &pictures->view;
  Scorer scorer = { .info = cnn_model_info (model),
    .digits = digits,
    .inverted = inverted,
    .n_workers = cnn_pool_threads (pool) };
  CnnError cause = { 0 };
  gboolean ok;

  if (scorer.info->classes > G_MAXUINT16)
    return tool_fail (error, "%d classes are too many", scorer.info->classes);
  if (!tool_digits_classes (digits, scorer.info->labels, scorer.info->classes,
          scorer.classes, error)
      || !tool_model_window (model, &scorer.height, &scorer.width, error))
    return FALSE;
  fit_pictures (&scorer, pictures,
      cnn_model_metadata (model, "convnet.object-size") != NULL);
  scorer.workers = g_new0 (Worker, scorer.n_workers);
  ok = TRUE;
  for (int i = 0; ok && i < scorer.n_workers; i++)
    ok = make_worker (&scorer, model, &scorer.workers[i], &cause);
  if (ok) {
    scorer.answers = g_new (guint16, digits->count);
    cnn_pool_run (pool, (digits->count + TASK_SIZE - 1) / TASK_SIZE,
        classify_task, &scorer);
    count_answers (&scorer, score);
    g_free (scorer.answers);
  } else {
    tool_fail_cnn (error, "centred digits", &cause);
  }
  clear_workers (&scorer);
  return ok;
}
