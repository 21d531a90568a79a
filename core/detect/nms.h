/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* nms.h: many cells see one object; which boxes remain. */

#ifndef CNN_DETECT_NMS_H
#define CNN_DETECT_NMS_H

#include <stdbool.h>

#include "detect/windows.h"

/** CNN_MAX_CANDIDATES: most cells that are compared with each other, the most
 * confident of the frame. It bounds the cost of a hostile or noisy map. */
#define CNN_MAX_CANDIDATES 2048

/**
 * CnnCandidate:
 * @box: in frame pixels
 * @class_id: never the background
 * @cell: number of the cell on its level, to tell equals apart
 * @support: written by cnn_candidates_select(): sum of the confidences of all
 *   that agree with it, itself included
 */
typedef struct
{
  CnnBox box;
  float confidence, support;
  int class_id, level, cell;
} CnnCandidate;

/**
 * CnnCandidates:
 * @items: @count candidates; a heap with the worst in front while they are
 *   collected
 * @found: what cnn_candidates_select() chose
 */
typedef struct
{
  int count;
  CnnCandidate items[CNN_MAX_CANDIDATES];
  CnnDetection found[CNN_MAX_CANDIDATES];
} CnnCandidates;

/**
 * cnn_candidates_add:
 * Keeps @candidate if it is among the CNN_MAX_CANDIDATES best so far: the more
 * confident, then the finer level, the earlier cell, the lower class. Which
 * ones are kept does not depend on the order of the calls.
 *
 * Cost: O(log CNN_MAX_CANDIDATES).
 */
void
cnn_candidates_add (CnnCandidates *candidates, const CnnCandidate *candidate);

/**
 * cnn_candidates_select:
 * @frame_width, @frame_height: in pixels; boxes are clipped to it
 * @params: iou_threshold and max_detections
 *
 * Again and again takes the best supported one left and drops all that show
 * the same object (see nms.c). Uses the candidates up; results are in @found,
 * most confident first.
 *
 * Cost: O(candidates^2) overlaps of boxes.
 *
 * Returns: detections.
 */
int cnn_candidates_select (CnnCandidates *candidates, int frame_width,
    int frame_height, const CnnDetectParams *params);

#endif
