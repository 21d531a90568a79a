/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* digits.h: how well a classifier reads centred digits. */

#ifndef TOOL_DIGITS_H
#define TOOL_DIGITS_H

#include <cnn/train.h>

#include "idx.h"

/** TOOL_MAX_LABEL: labels of pictures are bytes. */
#define TOOL_MAX_LABEL 255

/**
 * tool_digits_classes:
 * @labels: names of @n_labels classes
 * @classes: (out): for each label of a picture the class of that name ("7"
 *   for 7), -1 where there is none
 *
 * An error if a picture's label has no class.
 */
gboolean tool_digits_classes (const CnnDigits *digits,
    const char *const *labels, int n_labels, int classes[TOOL_MAX_LABEL + 1],
    GError **error);

/**
 * ToolScore:
 * @count: pictures
 * @errors: of them answered wrongly; the background class is a wrong answer
 * @classes: of the model
 * @confusion: (transfer full): @classes x @classes pictures, the row is the
 *   true class, the column the answer
 */
typedef struct
{
  int count, errors, classes;
  guint32 *confusion;
} ToolScore;

/**
 * tool_digits_score:
 * @model: a classifier, or a map network (whose one cell is read)
 * @inverted: TRUE = dark digits on white
 * @score: (out): free its confusion with g_free()
 *
 * "Centred digits": the picture lies in the middle of the window on a ground
 * of its own colour, scaled so that digits are as high as those the model was
 * trained on (28x28 in 32x32 for an object size of 0.625).
 *
 * Threads: shares the pictures out over @pool; the result does not depend on
 * it.
 */
gboolean tool_digits_score (CnnModel *model, const ToolDigits *pictures,
    gboolean inverted, CnnPool *pool, ToolScore *score, GError **error);

#endif
