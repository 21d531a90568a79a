/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* loss.c: how wrong an answer is, and in which direction. A handful of rows a
 * minibatch: written to be read. */

#include "train/loss.h"

#include <math.h>

static int
argmax (const float *row, int classes)
{
  int best = 0;
  for (int c = 1; c < classes; c++)
    if (row[c] > row[best])
      best = c;
  return best;
}

void
cnn_loss_cross_entropy (const float *logits, const CnnTarget *targets,
    int count, int classes, double smoothing, double scale, float *gradient,
    CnnTrainResult *result)
{
  for (int k = 0; k < count; k++) {
    const float *z = logits + (ptrdiff_t) k * classes;
    float *g = gradient + (ptrdiff_t) k * classes;
    int best = argmax (z, classes);
    double sum = 0;
    for (int c = 0; c < classes; c++)
      sum += exp ((double) z[c] - z[best]);
    double log_sum = log (sum) + z[best];

    for (int c = 0; c < classes; c++) {
      double target =
          smoothing / classes + (c == targets[k].label ? 1 - smoothing : 0);
      double log_p = z[c] - log_sum;
      g[c] = (float) ((exp (log_p) - target) * scale);
      result->loss -= target * log_p;
    }
    result->errors += best != targets[k].label;
  }
}

/* Errors below it, as parts of the box, count squared. */
#define SMOOTH 0.1
/* Boxes narrower than this part of the window count as so wide. */
#define LEAST_SIDE 0.12f

void
cnn_loss_boxes (const float *boxes, const CnnTarget *targets, int count,
    double scale, float *gradient, CnnTrainResult *result)
{
  for (int k = 0; k < 4 * count; k++) {
    const CnnTarget *t = &targets[k / 4];
    gradient[k] = 0;
    if (!t->has_box)
      continue;
    int axis = k % 2;
    double side = fmaxf (t->box[axis] + t->box[axis + 2], LEAST_SIDE);
    double error = (boxes[k] - t->box[k % 4]) / side, size = fabs (error);
    result->box_loss +=
        size < SMOOTH ? error * error / (2 * SMOOTH) : size - SMOOTH / 2;
    gradient[k] = (float) (fmax (fmin (error / SMOOTH, 1), -1) * scale / side);
  }
}

void
cnn_loss_squared_error (const float *outputs, const CnnTarget *targets,
    int count, int classes, double scale, float *gradient,
    CnnTrainResult *result)
{
  for (int k = 0; k < count; k++) {
    const float *y = outputs + (ptrdiff_t) k * classes;
    float *g = gradient + (ptrdiff_t) k * classes;
    for (int c = 0; c < classes; c++) {
      double off = y[c] - (c == targets[k].label ? 1.0 : -1.0);
      g[c] = (float) (off * scale);
      result->loss += 0.5 * off * off;
    }
    result->errors += argmax (y, classes) != targets[k].label;
  }
}
