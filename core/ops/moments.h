/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* moments.h (internal): sums over elements that lie side by side, for
 * reductions and norms: in double, several lanes at once, so that neither
 * accuracy nor the latency of one addition after the other is the limit. */

#ifndef CNN_OPS_MOMENTS_H
#define CNN_OPS_MOMENTS_H

#include <stddef.h>

#include "ops/op.h"

/** cnn_moment_sum: Returns: sum of @n elements. */
double cnn_moment_sum (const float *x, size_t n);

/** cnn_moment_squares: Returns: sum of (x - @mean)^2. */
double cnn_moment_squares (const float *x, size_t n, double mean);

/** cnn_moment_max: Returns: the largest of @n > 0 elements; NaN is passed over,
 * unless it is the first. */
float cnn_moment_max (const float *x, size_t n);

/** CNN_TASK_ELEMENTS: what a thread should have to do at least. */
#define CNN_TASK_ELEMENTS 16384

/** cnn_moments_of_nothing: outputs 1 and on, statistics of an empty input:
 * the mean of nothing is not a number. */
void cnn_moments_of_nothing (const CnnOpCall *call);

/** cnn_rows_per_task: Returns: how many rows of @n elements make a task. It
 * depends on the sizes alone. */
static inline size_t
cnn_rows_per_task (size_t n)
{
  return n >= CNN_TASK_ELEMENTS ? 1 : CNN_TASK_ELEMENTS / (n ? n : 1);
}

#endif
