/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* histogram.c: counts values, and finds the quantum that loses least. */

#include "train/histogram.h"

#include <math.h>

#define HALF (CNN_HISTOGRAM_BINS / 2)

/* Ranges that are tried: this many equal steps down from all that occurred. */
#define STEPS 100

static void
double_range (CnnHistogram *h)
{
  for (int i = 0; i < HALF / 2; i++) {
    h->bins[HALF + i] = h->bins[HALF + 2 * i] + h->bins[HALF + 2 * i + 1];
    h->bins[HALF - 1 - i] =
        h->bins[HALF - 1 - 2 * i] + h->bins[HALF - 2 - 2 * i];
  }
  for (int i = HALF / 2; i < HALF; i++)
    h->bins[HALF + i] = h->bins[HALF - 1 - i] = 0;
  h->range *= 2;
}

void
cnn_histogram_add (CnnHistogram *h, const float *x, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    float v = x[i];
    if (!isfinite (v))
      continue;
    if (v == 0 && h->range == 0)
      h->range = 0x1p-20f;
    if (h->range == 0)
      h->range = ldexpf (1, ilogbf (v) + 1);
    while (fabsf (v) >= h->range && isfinite (2 * h->range))
      double_range (h);
    int bin = (int) floorf (v / h->range * HALF) + HALF;
    bin = bin < 0                   ? 0
        : bin >= CNN_HISTOGRAM_BINS ? CNN_HISTOGRAM_BINS - 1
                                    : bin;
    h->bins[bin]++;
    h->low = v < h->low ? v : h->low;
    h->high = v > h->high ? v : h->high;
  }
}

/* The quantum whose 256 steps cover low ... high, 0 among them. */
static CnnQuantum
quantum_of (float low, float high)
{
  CnnQuantum q = { (high - low) / 255, 0 };
  if (!isnormal (q.scale) || !isnormal (1 / q.scale))
    return (CnnQuantum){ 1, 0 };
  q.zero = (int) lrintf (-low / q.scale);
  return q;
}

static double
squared_error (const CnnHistogram *h, CnnQuantum q)
{
  double low = (double) q.scale * -q.zero;
  double high = (double) q.scale * (255 - q.zero), sum = 0;
  double inside = (double) q.scale * (double) q.scale / 12;
  for (int i = 0; i < CNN_HISTOGRAM_BINS; i++) {
    double v = (i + 0.5 - HALF) * (double) h->range / HALF;
    double beyond = v < low ? low - v : v > high ? v - high : 0;
    sum += (double) h->bins[i] * (beyond > 0 ? beyond * beyond : inside);
  }
  return sum;
}

CnnQuantum
cnn_histogram_quantum (const CnnHistogram *h)
{
  CnnQuantum best = quantum_of (h->low, h->high);
  double least = squared_error (h, best);
  for (int i = 1; i < STEPS; i++) {
    float part = 1 - (float) i / STEPS;
    CnnQuantum q = quantum_of (h->low * part, h->high * part);
    double error = squared_error (h, q);
    if (error < least) {
      least = error;
      best = q;
    }
  }
  return best;
}
