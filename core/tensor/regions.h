/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* regions.h: which cells of a map have changed, as a few rectangles. */

#ifndef CNN_TENSOR_REGIONS_H
#define CNN_TENSOR_REGIONS_H

#include <stdbool.h>
#include <stdint.h>

#include <cnn/region.h>

/** CNN_MAX_REGIONS: more rectangles than this become fewer, larger ones. */
#define CNN_MAX_REGIONS 16

/** CnnRegions: @count rectangles, none of them empty; they may overlap. */
typedef struct
{
  int count;
  CnnRegion items[CNN_MAX_REGIONS];
} CnnRegions;

/** cnn_region_cells: Returns: how many cells are in it, 0 if it is empty. */
int64_t cnn_region_cells (const CnnRegion *region);

/** cnn_region_clip: what of it lies in a map of @width x @height. */
CnnRegion cnn_region_clip (const CnnRegion *region, int width, int height);

/** cnn_region_bound: the smallest rectangle around both. */
CnnRegion cnn_region_bound (const CnnRegion *a, const CnnRegion *b);

/**
 * cnn_regions_add:
 * @region: added, unless it is empty
 * @margin: rows and columns that each rectangle costs more than it has
 *
 * Rectangles that cost less as one than apart become one. Sides of the result
 * are always sides of what was added.
 */
void cnn_regions_add (CnnRegions *regions, const CnnRegion *region, int margin);

/** cnn_regions_cells: Returns: the sum of all; what two share counts twice. */
int64_t cnn_regions_cells (const CnnRegions *regions);

#endif
