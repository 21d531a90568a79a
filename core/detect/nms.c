/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* nms.c: many cells see one object; which boxes remain.
 *
 * Greedy non-maximum suppression over all cells, levels and classes at once,
 * with three additions:
 *
 * - Candidates that agree (same class, about the same box) are evidence of the
 *   same object. What the network was trained on answers from several cells
 *   and levels, a part of it that looks like something else from few: so not
 *   the most confident candidate comes first but the best supported, by the
 *   sum of the confidences of those that agree with it.
 *
 * - The box of one cell can only lie on the grid of its level, so it would
 *   jump by a stride, or by the factor between levels, when noise makes a
 *   neighbour the best. The result is the mean of those that agree, weighted
 *   by confidence, of centres and of logarithms of sides, for levels are steps
 *   of a ratio. Class and level are the winner's, the confidence is the
 *   greatest among them.
 *
 * - Intersection over union is small for boxes of very different sizes, even
 *   if one holds the other: the loop of a 6 found as a 0 on a finer level.
 *   So a candidate also goes if most of the smaller of the two boxes lies in
 *   the larger.
 *
 * Sorting is done in place, by the heap that bounds the list: qsort may
 * allocate. */

#include "detect/nms.h"

#include <math.h>

/* Share of the smaller box inside the larger from which they count as one
 * object and its part. */
#define MAX_CONTAINED 0.5f
/* Agreeing boxes overlap at least this much, however low the threshold: two
 * equal digits side by side must not pull at each other. Centred boxes of
 * neighbouring levels have 1 / 1.5^2 = 0.44. */
#define MIN_AGREEMENT 0.42f

/* A total order: no two candidates of a frame are equal. */
static bool
better (const CnnCandidate *a, const CnnCandidate *b)
{
  if (a->confidence != b->confidence)
    return a->confidence > b->confidence;
  if (a->level != b->level)
    return a->level < b->level;
  if (a->cell != b->cell)
    return a->cell < b->cell;
  return a->class_id < b->class_id;
}

/* Puts @item where the heap of @count has a gap at the top. */
static void
sift_down (CnnCandidate *heap, int count, CnnCandidate item)
{
  int at = 0, child;
  while ((child = 2 * at + 1) < count) {
    if (child + 1 < count && better (&heap[child], &heap[child + 1]))
      child++;
    if (!better (&item, &heap[child]))
      break;
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = item;
}

void
cnn_candidates_add (CnnCandidates *candidates, const CnnCandidate *candidate)
{
  CnnCandidate *heap = candidates->items;
  if (candidates->count == CNN_MAX_CANDIDATES) {
    if (better (candidate, &heap[0]))
      sift_down (heap, CNN_MAX_CANDIDATES, *candidate);
    return;
  }

  int at = candidates->count++;
  while (at > 0 && better (&heap[(at - 1) / 2], candidate)) {
    heap[at] = heap[(at - 1) / 2];
    at = (at - 1) / 2;
  }
  heap[at] = *candidate;
}

/* The heap's worst goes to the end of the list, then the next: best first. */
static void
sort (CnnCandidate *heap, int count)
{
  while (count > 1) {
    CnnCandidate worst = heap[0], last = heap[--count];
    sift_down (heap, count, last);
    heap[count] = worst;
  }
}

static float
area (const CnnBox *box)
{
  return box->width * box->height;
}

static float
iou (const CnnBox *a, const CnnBox *b)
{
  float both = cnn_box_intersection (a, b);
  return both > 0 ? both / (area (a) + area (b) - both) : 0;
}

static bool
same_object (const CnnBox *a, const CnnBox *b, float threshold)
{
  float both = cnn_box_intersection (a, b);
  if (both <= 0)
    return false;
  float area_a = area (a), area_b = area (b);
  return both > threshold * (area_a + area_b - both)
      || both > MAX_CONTAINED * fminf (area_a, area_b);
}

static bool
agree (const CnnCandidate *a, const CnnCandidate *b, float threshold)
{
  return a->class_id == b->class_id && iou (&a->box, &b->box) > threshold;
}

static void
count_support (CnnCandidate *items, int count, float threshold)
{
  for (int i = 0; i < count; i++)
    items[i].support = items[i].confidence;
  for (int i = 0; i < count; i++)
    for (int k = i + 1; k < count; k++)
      if (agree (&items[i], &items[k], threshold)) {
        items[i].support += items[k].confidence;
        items[k].support += items[i].confidence;
      }
}

/* Among equals the first, which is the more confident. */
static CnnCandidate
best_supported (const CnnCandidate *items, int count)
{
  int best = 0;
  for (int i = 1; i < count; i++)
    if (items[i].support > items[best].support)
      best = i;
  return items[best];
}

/* Moves @winner to the mean of those that agree with it, which include itself,
 * and makes it as sure as the surest of them. */
static void
merge (CnnCandidate *winner, const CnnCandidate *items, int count,
    float threshold)
{
  const CnnCandidate w = *winner;
  double sum = 0, cx = 0, cy = 0, log_width = 0, log_height = 0;

  for (int i = 0; i < count; i++) {
    const CnnBox *box = &items[i].box;
    double weight = items[i].confidence;
    if (!agree (&items[i], &w, threshold))
      continue;
    sum += weight;
    cx += weight * box->cx;
    cy += weight * box->cy;
    log_width += weight * logf (box->width / w.box.width);
    log_height += weight * logf (box->height / w.box.height);
    winner->confidence = fmaxf (winner->confidence, items[i].confidence);
  }
  if (!(sum > 0))
    return;
  winner->box = (CnnBox){
    .cx = (float) (cx / sum),
    .cy = (float) (cy / sum),
    .width = w.box.width * expf ((float) (log_width / sum)),
    .height = w.box.height * expf ((float) (log_height / sum)),
  };
}

/* Drops the winner (a box of no area does not even overlap itself), and what
 * shows the object of either box. The order stays. */
static int
suppress (CnnCandidate *items, int count, const CnnCandidate *winner,
    const CnnBox *merged, float threshold)
{
  int left = 0;
  for (int i = 0; i < count; i++) {
    const CnnCandidate *c = &items[i];
    bool itself = !better (c, winner) && !better (winner, c);
    if (!itself && !same_object (&c->box, &winner->box, threshold)
        && !same_object (&c->box, merged, threshold))
      items[left++] = *c;
  }
  return left;
}

static float
clip (float x, int end)
{
  return fminf (fmaxf (x, 0), (float) end);
}

static CnnDetection
detection (const CnnCandidate *c, int width, int height)
{
  const CnnBox *box = &c->box;
  return (CnnDetection){
    .x0 = clip (box->cx - box->width / 2, width),
    .y0 = clip (box->cy - box->height / 2, height),
    .x1 = clip (box->cx + box->width / 2, width),
    .y1 = clip (box->cy + box->height / 2, height),
    .confidence = c->confidence,
    .class_id = c->class_id,
    .level = c->level,
    .cell = c->cell,
  };
}

static CnnBox
box_of (const CnnDetection *d)
{
  return (CnnBox){ (d->x0 + d->x1) / 2, (d->y0 + d->y1) / 2, d->x1 - d->x0,
    d->y1 - d->y0 };
}

/* Does @d overlap one of @found more than allowed? */
static bool
clashes (const CnnDetection *d, const CnnDetection *found, int count,
    float threshold)
{
  CnnBox box = box_of (d);
  for (int i = 0; i < count; i++) {
    CnnBox other = box_of (&found[i]);
    if (iou (&box, &other) > threshold)
      return true;
  }
  return false;
}

/* The most confident first; among equals the one that was found first. */
static void
insert (CnnDetection *found, int count, const CnnDetection *d)
{
  int at = count;
  for (; at > 0 && found[at - 1].confidence < d->confidence; at--)
    found[at] = found[at - 1];
  found[at] = *d;
}

int
cnn_candidates_select (CnnCandidates *candidates, int frame_width,
    int frame_height, const CnnDetectParams *params)
{
  CnnCandidate *items = candidates->items;
  CnnDetection *results = candidates->found;
  float threshold = (float) params->iou_threshold;
  float agreement = fmaxf (threshold, MIN_AGREEMENT);
  int count = candidates->count, found = 0;

  sort (items, count);
  count_support (items, count, agreement);
  while (count && found < params->max_detections) {
    CnnCandidate winner = best_supported (items, count), merged = winner;
    merge (&merged, items, count, agreement);
    CnnDetection d = detection (&merged, frame_width, frame_height);
    /* The mean moved into another result: stay at the winner's own place. */
    if (clashes (&d, results, found, threshold))
      d = detection (&winner, frame_width, frame_height);
    /* A padded map's outermost windows may lie beside the frame; what is left
     * of others after clipping may overlap after all. */
    if (d.x1 > d.x0 && d.y1 > d.y0 && !clashes (&d, results, found, threshold))
      insert (results, found++, &d);
    count = suppress (items, count, &winner, &merged.box, threshold);
  }
  candidates->count = 0;
  return found;
}
