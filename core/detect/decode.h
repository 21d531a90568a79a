/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* decode.h: from a class map to candidates. */

#ifndef CNN_DETECT_DECODE_H
#define CNN_DETECT_DECODE_H

#include "detect/nms.h"

/**
 * cnn_decode_candidates:
 * @map: class map of level @level
 * @windows: its boxes
 *
 * Adds each cell whose best class, the background left out, has the threshold
 * or more. NaN has not.
 */
void cnn_decode_candidates (const CnnMap *map, int level,
    const CnnWindows *windows, const CnnDetectParams *params,
    CnnCandidates *candidates);

#endif
