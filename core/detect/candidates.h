/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* candidates.h: cells that are sure of a class, and the best box at each
 * place. */

#ifndef CNN_DETECT_CANDIDATES_H
#define CNN_DETECT_CANDIDATES_H

#include <cnn/detect.h>

/** CNN_MAX_CANDIDATES: most cells that are looked at in a frame, the surest
 * first, so that a noisy map costs no more than a bounded time. */
#define CNN_MAX_CANDIDATES 1024

/**
 * CnnCandidate:
 * @box: in frame pixels, not clipped
 * @cell: number of the cell on its level, for a fixed order among equals
 * @support: sum of the confidences of all candidates that agree with it,
 *   itself included
 */
typedef struct
{
  CnnDetection box;
  int cell;
  float support;
} CnnCandidate;

/**
 * CnnCandidates:
 * @items: room for CNN_MAX_CANDIDATES, a heap with the least sure one on top
 *   while cells are added
 * @count: how many there are
 * @n_found: (out of cnn_candidates_merge()): detections
 * @winners: the best supported candidate of each
 * @found: its box, moved by those that agree
 * @weight: sum of the weights in it
 */
typedef struct
{
  CnnCandidate items[CNN_MAX_CANDIDATES];
  int count;
  CnnDetection winners[CNN_MAX_CANDIDATES];
  CnnDetection found[CNN_MAX_CANDIDATES];
  double weight[CNN_MAX_CANDIDATES];
  int n_found;
} CnnCandidates;

/**
 * cnn_candidates_add_map:
 * @map: class map of level @level
 * @object_size: height of the object as a fraction of the window, 0..1
 *
 * Adds each cell whose most probable class is not the background and has at
 * least the threshold. NaN is never a candidate.
 */
void cnn_candidates_add_map (CnnCandidates *candidates, const CnnMap *map,
    int level, double object_size, const CnnDetectParams *params);

/**
 * cnn_candidates_merge:
 * @frame_width, @frame_height: to clip to, in pixels
 *
 * From the best supported on: what a network was trained on answers from
 * several cells and levels, a part of it that looks like another object from
 * few. A candidate that covers one found before goes, whatever its class; if
 * it agrees in class it moves that one's box by its weight, so that places
 * are finer than cells and sizes finer than levels. The confidence of a
 * detection is the largest among those that agree.
 *
 * Source: weighted boxes as in Solovyev, Wang, Gabruseva, "Weighted boxes
 * fusion", 2019, with the largest confidence kept.
 */
void cnn_candidates_merge (CnnCandidates *candidates,
    const CnnDetectParams *params, int frame_width, int frame_height);

#endif
