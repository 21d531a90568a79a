/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* decode.h: from a class map to candidates. */

#ifndef CNN_DETECT_DECODE_H
#define CNN_DETECT_DECODE_H

#include <cnn/region.h>

#include "detect/nms.h"

/**
 * CnnWinners:
 * @best: probability of the best class of each cell, the background left out
 * @class_id: which it is; -1 = none, @best is -1 then
 *
 * One a cell of a map, row by row.
 */
typedef struct
{
  float *best;
  int *class_id;
} CnnWinners;

/** cnn_decode_winners: writes @winners of the cells of @map in @region.
 * @background: class that never wins, -1 = none. NaN never wins. */
void cnn_decode_winners (const CnnMap *map, int background,
    const CnnRegion *region, const CnnWinners *winners);

/**
 * cnn_decode_candidates:
 * @map: class map of level @level
 * @windows: its cells' places
 * @boxes: (nullable): the box head's, 4 x height x width: distances of left,
 *   top, right and bottom from the window's centre, in window heights. NULL =
 *   the box of a cell is that of its window
 * @winners: of all its cells
 *
 * Adds each cell whose winner has the threshold or more.
 */
void cnn_decode_candidates (const CnnMap *map, int level,
    const CnnWindows *windows, const float *boxes, const CnnWinners *winners,
    float threshold, CnnCandidates *candidates);

#endif
