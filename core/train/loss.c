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
cnn_loss_cross_entropy (const float *logits, const int *labels, int count,
    int classes, double smoothing, double scale, float *gradient,
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
          smoothing / classes + (c == labels[k] ? 1 - smoothing : 0);
      double log_p = z[c] - log_sum;
      g[c] = (float) ((exp (log_p) - target) * scale);
      result->loss -= target * log_p;
    }
    result->errors += best != labels[k];
  }
}
