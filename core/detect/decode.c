/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* decode.c: from a class map to candidates.
 *
 * Every new cell of every level passes through here for each frame; nearly all
 * are background. Classes are the outer dimension, so the loops run over pieces
 * of rows that fit the first-level cache and the compiler vectorises; a run
 * without a cell above the threshold is left after one comparison. Winners are
 * kept, so that where a map has not changed nobody looks at its classes. */

#include "detect/decode.h"

#define RUN 256

static size_t
least (size_t a, size_t b)
{
  return a < b ? a : b;
}

/* Of @n cells, at most RUN, from @first on. */
static void
find_winners (const CnnMap *map, int background, size_t first, size_t n,
    float *restrict best, int *restrict class_id)
{
  size_t cells = (size_t) map->width * (size_t) map->height;
  for (size_t i = 0; i < n; i++) {
    best[i] = -1;
    class_id[i] = -1;
  }
  for (int c = 0; c < map->classes; c++) {
    const float *restrict p = map->scores + (size_t) c * cells + first;
    if (c == background)
      continue;
    for (size_t i = 0; i < n; i++) {
      class_id[i] = p[i] > best[i] ? c : class_id[i];
      best[i] = p[i] > best[i] ? p[i] : best[i];
    }
  }
}

void
cnn_decode_winners (const CnnMap *map, int background, const CnnRegion *region,
    const CnnWinners *winners)
{
  size_t width = (size_t) map->width, columns;
  size_t begin = (size_t) region->y0 * width + (size_t) region->x0;
  int rows = region->y1 - region->y0;
  columns = (size_t) (region->x1 - region->x0);
  if (columns == width) {
    columns *= (size_t) rows;
    rows = 1;
  }
  for (int y = 0; y < rows; y++, begin += width)
    for (size_t at = begin; at < begin + columns; at += RUN)
      find_winners (map, background, at, least (begin + columns - at, RUN),
          winners->best + at, winners->class_id + at);
}

static bool
any_reaches (const float *best, size_t n, float threshold)
{
  int any = 0;
  for (size_t i = 0; i < n; i++)
    any |= best[i] >= threshold;
  return any;
}

static CnnBox
box_of (const CnnMap *map, const CnnWindows *windows, const float *boxes,
    int cell)
{
  int i = cell / map->width, j = cell % map->width;
  int cells = map->width * map->height;
  if (!boxes)
    return cnn_windows_box (windows, i, j);
  const float *at = boxes + cell;
  float edges[] = { at[0], at[cells], at[2 * cells], at[3 * cells] };
  return cnn_windows_regressed (windows, i, j, edges);
}

void
cnn_decode_candidates (const CnnMap *map, int level, const CnnWindows *windows,
    const float *boxes, const CnnWinners *winners, float threshold,
    CnnCandidates *candidates)
{
  size_t cells = (size_t) map->width * (size_t) map->height;
  for (size_t first = 0, n; first < cells; first += n) {
    const float *best = winners->best + first;
    n = least (cells - first, RUN);
    if (!any_reaches (best, n, threshold))
      continue;
    for (size_t i = 0; i < n; i++) {
      int cell = (int) (first + i);
      if (!(best[i] >= threshold) || winners->class_id[cell] < 0)
        continue;
      CnnCandidate candidate = {
        .box = box_of (map, windows, boxes, cell),
        /* A network may call its outputs probabilities and be wrong. */
        .confidence = best[i] < 1 ? best[i] : 1,
        .class_id = winners->class_id[cell],
        .level = level,
        .cell = cell,
      };
      cnn_candidates_add (candidates, &candidate);
    }
  }
}
