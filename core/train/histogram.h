/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* histogram.h (internal): how often values of an activation occur, and the best
 * uint8 for them. */

#ifndef CNN_TRAIN_HISTOGRAM_H
#define CNN_TRAIN_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "graph/quantized_copy.h"

/** CNN_HISTOGRAM_BINS: half of them for negative values. */
#define CNN_HISTOGRAM_BINS 4096

/**
 * CnnHistogram:
 * @range: bins divide -range ... range; 0 = nothing counted yet. A power of
 *   two, doubled when a value lies beyond
 * @low: @high: least and greatest value, 0 included
 */
typedef struct
{
  float range, low, high;
  uint64_t bins[CNN_HISTOGRAM_BINS];
} CnnHistogram;

/** cnn_histogram_add: counts @n values, which are finite. */
void cnn_histogram_add (CnnHistogram *histogram, const float *x, size_t n);

/**
 * cnn_histogram_quantum:
 *
 * Returns: scale and zero point for the least mean squared error, of those
 * whose range is a part of what occurred: values inside are off by up to half a
 * step, those beyond by what is cut off.
 */
CnnQuantum cnn_histogram_quantum (const CnnHistogram *histogram);

#endif
