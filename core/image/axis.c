/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* axis.c: weights of resampling along one axis.
 *
 * Called when a resampler is made. Positions are fractions with a common
 * denominator, so that edges that meet a pixel's edge do so exactly. */

#include "image/axis.h"

#include <stdint.h>

static int64_t
min64 (int64_t a, int64_t b)
{
  return a < b ? a : b;
}

/* In units of 1/dst of a source pixel: destination pixel i covers i*src to
 * (i + 1)*src, source pixel k covers k*dst to (k + 1)*dst. */
static CnnSpan
span_of_area (int64_t src, int64_t dst, int64_t i)
{
  int64_t start = i * src, end = start + src;
  int64_t first = start / dst, last = (end - 1) / dst;
  int64_t head = min64 (end, (first + 1) * dst) - start;
  int64_t tail = last > first ? end - last * dst : 0;

  return (CnnSpan){
    .first = (int) first,
    .count = (int) (last - first + 1),
    .w_first = (float) ((double) head / (double) src),
    .w_mid = (float) ((double) dst / (double) src),
    .w_last = (float) ((double) tail / (double) src),
  };
}

/* Centre of destination pixel i in source pixels from the first centre:
 * (i + 1/2) * src/dst - 1/2, in units of 1/(2 dst). */
static CnnSpan
span_of_centres (int64_t src, int64_t dst, int64_t i)
{
  int64_t unit = 2 * dst, at = (2 * i + 1) * src - dst;
  at = at < 0 ? 0 : min64 (at, (src - 1) * unit);
  int64_t first = at / unit, rest = at % unit;
  double tail = (double) rest / (double) unit;

  return (CnnSpan){
    .first = (int) first,
    .count = rest ? 2 : 1,
    .w_first = (float) (1.0 - tail),
    .w_last = (float) tail,
  };
}

int
cnn_axis_spans (int src, int dst, CnnSpan *spans)
{
  int longest = 1;
  for (int i = 0; i < dst; i++) {
    spans[i] =
        dst < src ? span_of_area (src, dst, i) : span_of_centres (src, dst, i);
    if (spans[i].count > longest)
      longest = spans[i].count;
  }
  return longest;
}
