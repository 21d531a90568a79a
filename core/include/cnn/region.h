/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* region.h: rectangles of pixels, or of the cells of a map. */

#ifndef CNN_REGION_H
#define CNN_REGION_H

#include <cnn/status.h>

CNN_BEGIN_DECLS

/** CnnRegion: columns @x0 ... @x1 - 1 of rows @y0 ... @y1 - 1; nothing where
 * one of the two is empty. */
typedef struct
{
  int x0, y0, x1, y1;
} CnnRegion;

CNN_END_DECLS

#endif
