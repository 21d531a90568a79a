/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* matching.c: which detection is right, and how good a list of them is. */

#include "matching.h"

#include <string.h>

#define GROWN     0.15
#define GROWN_MIN 6
#define HALF      0.5

/* Indices of the boxes, the most confident first, equals in their order. */
static int *
ranked (const ToolBox *boxes, int count)
{
  int *order = g_new (int, MAX (count, 1));

  for (int i = 0; i < count; i++) {
    int at = i;

    for (; at > 0 && boxes[order[at - 1]].confidence < boxes[i].confidence;
         at--)
      order[at] = order[at - 1];
    order[at] = i;
  }
  return order;
}

static gboolean
centre_lies_in (const ToolBox *found, const ToolBox *truth)
{
  double cx = found->x + found->w / 2, cy = found->y + found->h / 2;
  double gx = MAX (GROWN_MIN, GROWN * truth->w);
  double gy = MAX (GROWN_MIN, GROWN * truth->h);

  return truth->x - gx <= cx && cx <= truth->x + truth->w + gx
      && truth->y - gy <= cy && cy <= truth->y + truth->h + gy;
}

ToolMatches
tool_match_places (const ToolBox *truth, int n_truth, const ToolBox *found,
    int n_found, gboolean *is_right, gboolean *is_found)
{
  ToolMatches m = { .truths = n_truth };
  int *order = ranked (found, n_found);
  gboolean *taken = g_new0 (gboolean, MAX (n_truth, 1));

  for (int k = 0; k < n_found; k++) {
    const ToolBox *f = &found[order[k]];
    int hit = 0;

    while (hit < n_truth
        && (taken[hit] || truth[hit].label != f->label
            || !centre_lies_in (f, &truth[hit])))
      hit++;
    if (hit < n_truth)
      taken[hit] = TRUE;
    m.right += hit < n_truth;
    m.wrong += hit == n_truth;
    if (is_right)
      is_right[order[k]] = hit < n_truth;
  }
  if (is_found)
    memcpy (is_found, taken, (gsize) n_truth * sizeof *taken);
  g_free (taken);
  g_free (order);
  return m;
}

static double
overlap (const ToolBox *a, const ToolBox *b)
{
  double w = MIN (a->x + a->w, b->x + b->w) - MAX (a->x, b->x);
  double h = MIN (a->y + a->h, b->y + b->h) - MAX (a->y, b->y);
  double both = MAX (w, 0) * MAX (h, 0);
  double all = a->w * a->h + b->w * b->h - both;

  return all > 0 ? both / all : 0;
}

/* The digit that overlaps most and is not taken; -1 = none by half. */
static int
best_truth (const ToolBox *truth, int n_truth, const gboolean *taken,
    const ToolBox *found)
{
  double best = HALF;
  int at = -1;

  for (int i = 0; i < n_truth; i++) {
    double both;

    if (taken[i] || truth[i].picture != found->picture
        || truth[i].label != found->label)
      continue;
    both = overlap (&truth[i], found);
    if (both >= best && (at < 0 || both > best)) {
      best = both;
      at = i;
    }
  }
  return at;
}

/* Area below the falling curve, of @n right and wrong ones in their order. */
static double
area (const gboolean *right, int n, int truths)
{
  double *precision = g_new (double, MAX (n, 1)), sum = 0;
  int hits = 0;

  for (int i = 0; i < n; i++) {
    hits += right[i];
    precision[i] = (double) hits / (i + 1);
  }
  for (int i = n - 2; i >= 0; i--)
    precision[i] = MAX (precision[i], precision[i + 1]);
  for (int i = 0; i < n; i++)
    sum += right[i] ? precision[i] / truths : 0;
  g_free (precision);
  return sum;
}

static double
average_precision (const ToolBox *truth, int n_truth, const ToolBox *found,
    const int *order, int n_found, int label)
{
  gboolean *taken = g_new0 (gboolean, MAX (n_truth, 1));
  gboolean *right = g_new0 (gboolean, MAX (n_found, 1));
  int truths = 0, n = 0;
  double result;

  for (int i = 0; i < n_truth; i++)
    truths += truth[i].label == label;
  for (int k = 0; k < n_found; k++) {
    const ToolBox *f = &found[order[k]];
    int hit;

    if (f->label != label)
      continue;
    hit = best_truth (truth, n_truth, taken, f);
    if (hit >= 0)
      taken[hit] = TRUE;
    right[n++] = hit >= 0;
  }
  result = truths ? area (right, n, truths) : -1;
  g_free (right);
  g_free (taken);
  return result;
}

double
tool_mean_average_precision (const ToolBox *truth, int n_truth,
    const ToolBox *found, int n_found)
{
  int *order = ranked (found, n_found), most = -1, classes = 0;
  double sum = 0;

  for (int i = 0; i < n_truth; i++)
    most = MAX (most, truth[i].label);
  for (int label = 0; label <= most; label++) {
    double one =
        average_precision (truth, n_truth, found, order, n_found, label);

    if (one >= 0) {
      sum += one;
      classes++;
    }
  }
  g_free (order);
  return classes ? sum / classes : 0;
}
