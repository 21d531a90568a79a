/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* matching.h: detections against truth. */

#ifndef TOOL_MATCHING_H
#define TOOL_MATCHING_H

#include <glib.h>

/** ToolBox: a digit in a picture. @confidence: of a detection. @picture: which
 * picture it is in. */
typedef struct
{
  int label, picture;
  double x, y, w, h, confidence;
} ToolBox;

/** ToolMatches: detections that are right and wrong, and digits in all. */
typedef struct
{
  int right, wrong, truths;
} ToolMatches;

/**
 * tool_match_places:
 * @truth, @found: @n_truth and @n_found boxes of one picture
 * @is_right: (out caller-allocates) (nullable): of each of @found
 * @is_found: (out caller-allocates) (nullable): of each of @truth
 *
 * "By class and place": a detection is right if its centre lies in the box of a
 * digit of its class, grown by 15 % of each side and 6 pixels at least, that no
 * more confident one has taken.
 */
ToolMatches tool_match_places (const ToolBox *truth, int n_truth,
    const ToolBox *found, int n_found, gboolean *is_right, gboolean *is_found);

/**
 * tool_mean_average_precision:
 * @truth, @found: boxes of all pictures
 *
 * Returns: mean over the classes of @truth of the area under precision against
 * recall, precision made to fall (all points), where a detection is right if
 * its box and a digit's of its class, which no more confident one has taken,
 * overlap by half (intersection over union); 0 without digits.
 *
 * Source: Everingham et al., "The Pascal visual object classes challenge: a
 * retrospective", 2015.
 */
double tool_mean_average_precision (const ToolBox *truth, int n_truth,
    const ToolBox *found, int n_found);

#endif
