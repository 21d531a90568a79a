/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* decode.c: from a class map to candidates.
 *
 * Every cell of every level passes through here for each frame; nearly all are
 * background. Classes are the outer dimension, so the loops run over runs of
 * cells that fit the first-level cache and the compiler vectorises; a run
 * without a cell above the threshold is left after one comparison. */

#include "detect/decode.h"

#define RUN 256

/* Best class, background left out, of @n cells: its probability and number.
 * NaN never wins: no comparison with it is true. */
static void
best_of (const CnnMap *map, int background, size_t first, size_t n,
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

static bool
any_reaches (const float *best, size_t n, float threshold)
{
  int any = 0;
  for (size_t i = 0; i < n; i++)
    any |= best[i] >= threshold;
  return any;
}

void
cnn_decode_candidates (const CnnMap *map, int level, const CnnWindows *windows,
    const CnnDetectParams *params, CnnCandidates *candidates)
{
  size_t cells = (size_t) map->width * (size_t) map->height;
  float threshold = (float) params->threshold, best[RUN];
  int class_id[RUN];

  for (size_t first = 0, n; first < cells; first += n) {
    n = cells - first < RUN ? cells - first : RUN;
    best_of (map, params->background, first, n, best, class_id);
    if (!any_reaches (best, n, threshold))
      continue;
    for (size_t i = 0; i < n; i++) {
      int cell = (int) (first + i);
      if (!(best[i] >= threshold) || class_id[i] < 0)
        continue;
      CnnCandidate candidate = {
        .box = cnn_windows_box (windows, cell / map->width, cell % map->width),
        /* A network may call its outputs probabilities and be wrong. */
        .confidence = best[i] < 1 ? best[i] : 1,
        .class_id = class_id[i],
        .level = level,
        .cell = cell,
      };
      cnn_candidates_add (candidates, &candidate);
    }
  }
}
