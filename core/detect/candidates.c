/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* candidates.c: cells that are sure of a class, and the best box at each
 * place. The order among equals is fixed: level, cell, class. */

#include "detect/candidates.h"

#include <stdbool.h>
#include <stdlib.h>

/** A box lies within another if this much of the smaller one does: a part of
 * a digit found on a finer level. */
#define WITHIN 0.5f

/** Boxes of one class that overlap more than this speak of the same object. */
#define AGREE 0.5f

static int
compare (const CnnCandidate *a, const CnnCandidate *b)
{
  if (a->box.confidence != b->box.confidence)
    return a->box.confidence > b->box.confidence ? -1 : 1;
  if (a->box.level != b->box.level)
    return a->box.level < b->box.level ? -1 : 1;
  if (a->cell != b->cell)
    return a->cell < b->cell ? -1 : 1;
  return a->box.class_id - b->box.class_id;
}

static int
compare_support (const void *a, const void *b)
{
  const CnnCandidate *x = a, *y = b;
  if (x->support != y->support)
    return x->support > y->support ? -1 : 1;
  return compare (x, y);
}

static void
swap (CnnCandidate *a, CnnCandidate *b)
{
  CnnCandidate t = *a;
  *a = *b;
  *b = t;
}

/* Keeps the CNN_MAX_CANDIDATES surest: items[0] is the least sure of them. */
static void
push (CnnCandidates *c, const CnnCandidate *candidate)
{
  CnnCandidate *heap = c->items;
  int i = c->count;
  if (i < CNN_MAX_CANDIDATES) {
    heap[c->count++] = *candidate;
    for (; i && compare (&heap[i], &heap[(i - 1) / 2]) > 0; i = (i - 1) / 2)
      swap (&heap[i], &heap[(i - 1) / 2]);
    return;
  }
  if (compare (candidate, &heap[0]) > 0)
    return;
  heap[0] = *candidate;
  for (i = 0;;) {
    int worst = i;
    for (int k = 2 * i + 1; k <= 2 * i + 2 && k < c->count; k++)
      if (compare (&heap[k], &heap[worst]) > 0)
        worst = k;
    if (worst == i)
      return;
    swap (&heap[i], &heap[worst]);
    i = worst;
  }
}

/* The box of a cell: the part of its window that the object fills. */
static CnnDetection
cell_box (const CnnMap *map, int cell, double object_size)
{
  const CnnGeometry *g = &map->geometry;
  int i = cell / map->width, j = cell % map->width;
  double cy = g->offset[0] + (double) i * g->stride[0] + g->window[0] / 2.0;
  double cx = g->offset[1] + (double) j * g->stride[1] + g->window[1] / 2.0;
  double hy = g->window[0] * object_size / 2;
  double hx = g->window[1] * object_size / 2;
  return (CnnDetection){
    .x0 = (float) ((cx - hx) * map->scale_x),
    .y0 = (float) ((cy - hy) * map->scale_y),
    .x1 = (float) ((cx + hx) * map->scale_x),
    .y1 = (float) ((cy + hy) * map->scale_y),
  };
}

/* Does @class_id win at @cell? Of equal classes the first does. */
static bool
wins (const CnnMap *map, int cell, int class_id, int background)
{
  size_t plane = (size_t) map->width * (size_t) map->height;
  float p = map->scores[(size_t) class_id * plane + (size_t) cell];
  for (int c = 0; c < map->classes; c++) {
    float other = map->scores[(size_t) c * plane + (size_t) cell];
    if (c != class_id && (other > p || (other == p && c < class_id)))
      return false;
  }
  return class_id != background;
}

void
cnn_candidates_add_map (CnnCandidates *candidates, const CnnMap *map, int level,
    double object_size, const CnnDetectParams *params)
{
  int cells = map->width * map->height;
  float threshold = (float) params->threshold;
  for (int c = 0; c < map->classes; c++) {
    const float *p = map->scores + (size_t) c * (size_t) cells;
    if (c == params->background)
      continue;
    for (int cell = 0; cell < cells; cell++) {
      if (!(p[cell] >= threshold) || !wins (map, cell, c, params->background))
        continue;
      CnnCandidate candidate = { .box = cell_box (map, cell, object_size),
        .cell = cell };
      candidate.box.confidence = p[cell];
      candidate.box.class_id = c;
      candidate.box.level = level;
      push (candidates, &candidate);
    }
  }
}

static float
area (const CnnDetection *box)
{
  return (box->x1 - box->x0) * (box->y1 - box->y0);
}

static float
intersection (const CnnDetection *a, const CnnDetection *b)
{
  float x0 = a->x0 > b->x0 ? a->x0 : b->x0;
  float y0 = a->y0 > b->y0 ? a->y0 : b->y0;
  float x1 = a->x1 < b->x1 ? a->x1 : b->x1;
  float y1 = a->y1 < b->y1 ? a->y1 : b->y1;
  return x1 > x0 && y1 > y0 ? (x1 - x0) * (y1 - y0) : 0;
}

static bool
same_place (const CnnDetection *a, const CnnDetection *b, float iou_threshold)
{
  float both = intersection (a, b), aa = area (a), bb = area (b);
  return both > iou_threshold * (aa + bb - both)
      || both > WITHIN * (aa < bb ? aa : bb);
}

/* Do two boxes of a class speak of the same object? */
static bool
agrees (const CnnDetection *a, const CnnDetection *b)
{
  float both = intersection (a, b);
  return a->class_id == b->class_id
      && both > AGREE * (area (a) + area (b) - both);
}

static void
count_support (CnnCandidates *c)
{
  for (int i = 0; i < c->count; i++) {
    CnnCandidate *a = &c->items[i];
    a->support = 0;
    for (int k = 0; k < c->count; k++)
      if (agrees (&a->box, &c->items[k].box))
        a->support += c->items[k].box.confidence;
  }
}

/* Running weighted mean of boxes, and the largest confidence. */
static void
merge (CnnDetection *mean, double *weight, const CnnDetection *box)
{
  double w = box->confidence, sum = *weight + w;
  float share = sum > 0 ? (float) (w / sum) : 0;
  mean->x0 += share * (box->x0 - mean->x0);
  mean->y0 += share * (box->y0 - mean->y0);
  mean->x1 += share * (box->x1 - mean->x1);
  mean->y1 += share * (box->y1 - mean->y1);
  *weight = sum;
  if (box->confidence > mean->confidence)
    mean->confidence = box->confidence;
}

static float
clip (float value, int limit)
{
  value = value < 0 ? 0 : value;
  return value > (float) limit ? (float) limit : value;
}

/* Is there a better box at the place of @box? */
static bool
is_taken (CnnCandidates *c, const CnnDetection *box, float iou_threshold)
{
  for (int k = 0; k < c->n_found; k++) {
    const CnnDetection *winner = &c->winners[k];
    if (!same_place (winner, box, iou_threshold))
      continue;
    if (agrees (winner, box))
      merge (&c->found[k], &c->weight[k], box);
    return true;
  }
  return false;
}

void
cnn_candidates_merge (CnnCandidates *candidates, const CnnDetectParams *params,
    int frame_width, int frame_height)
{
  CnnCandidates *c = candidates;
  count_support (c);
  qsort (c->items, (size_t) c->count, sizeof *c->items, compare_support);
  c->n_found = 0;
  for (int i = 0; i < c->count; i++) {
    CnnDetection *box = &c->items[i].box;
    if (is_taken (c, box, (float) params->iou_threshold)
        || c->n_found >= params->max_detections)
      continue;
    c->winners[c->n_found] = c->found[c->n_found] = *box;
    c->weight[c->n_found++] = box->confidence;
  }
  for (int k = 0; k < c->n_found; k++) {
    CnnDetection *box = &c->found[k];
    box->x0 = clip (box->x0, frame_width);
    box->x1 = clip (box->x1, frame_width);
    box->y0 = clip (box->y0, frame_height);
    box->y1 = clip (box->y1, frame_height);
  }
}
