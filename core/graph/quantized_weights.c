/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* quantized_weights.c: a convolution's weights as integers.
 *
 * Constants of QDQ models are folded into floats when a model is loaded, and
 * dense layers become convolutions with their weights in another order, so the
 * integers are found again in the floats: scale * q is rounded once, which
 * leaves (scale * q) / scale within 2^-16 of q. */

#include "graph/quantized_weights.h"

#include <math.h>
#include <stdlib.h>

#include "ops/shapes.h"
#include "tensor/scalar.h"

/* How far from whole a multiple may be; a bias is rounded more coarsely, since
 * it was quantised to more bits than a float holds. */
#define WHOLE      0x1p-15
#define MAX_BIAS   ((double) (1 << 30))
#define MAX_WEIGHT 128

static CnnStatus
allocate (const CnnTensor *weights, CnnIntegerWeights *w)
{
  size_t oc = (size_t) weights->shape.dims[0];
  *w = (CnnIntegerWeights){ .oc = (int64_t) oc };
  w->size = oc ? cnn_elements (weights) / oc : 0;
  w->weights = malloc (oc * w->size + 1);
  w->bias = calloc (oc + 1, sizeof *w->bias);
  w->scales = calloc (oc + 1, sizeof *w->scales);
  return w->weights && w->bias && w->scales ? CNN_OK : CNN_ERROR_MEMORY;
}

void
cnn_integer_weights_clear (CnnIntegerWeights *w)
{
  free (w->weights);
  free (w->bias);
  free (w->scales);
  *w = (CnnIntegerWeights){ 0 };
}

static bool
are_multiples (const float *x, size_t n, double scale, int8_t *q)
{
  for (size_t i = 0; i < n; i++) {
    double r = (double) x[i] / scale, whole = nearbyint (r);
    if (fabs (r - whole) > WHOLE * (1 + fabs (r)) || whole < -128
        || whole > 127)
      return false;
    q[i] = (int8_t) whole;
  }
  return true;
}

/* The largest of them is some multiple of the scale: 127 as a rule, fewer if the
 * scale was chosen otherwise, -128 if the range is not symmetric. */
static bool
find_scale (const float *x, size_t n, float *scale, int8_t *q)
{
  double most = 0;
  for (size_t i = 0; i < n; i++)
    most = fabs ((double) x[i]) > most ? fabs ((double) x[i]) : most;
  *scale = 0;
  if (most == 0) {
    for (size_t i = 0; i < n; i++)
      q[i] = 0;
    return true;
  }
  for (int i = 0; i < MAX_WEIGHT; i++) {
    int m = i == MAX_WEIGHT - 1 ? MAX_WEIGHT : MAX_WEIGHT - 1 - i;
    if (are_multiples (x, n, most / m, q)) {
      *scale = (float) (most / m);
      return true;
    }
  }
  return false;
}

/* Adds the zero point's share; false if a sum could exceed 32 bits. */
static bool
take_zero_off (CnnIntegerWeights *w, int in_zero)
{
  for (int64_t o = 0; o < w->oc; o++) {
    const int8_t *q = w->weights + (size_t) o * w->size;
    int64_t sum = 0, magnitude = 0;
    for (size_t i = 0; i < w->size; i++) {
      sum += q[i];
      magnitude += abs (q[i]);
    }
    int64_t bias = w->bias[o] - in_zero * sum;
    if (llabs (bias) + 255 * magnitude > INT32_MAX)
      return false;
    w->bias[o] = (int32_t) bias;
  }
  return true;
}

CnnStatus
cnn_integer_weights_of_floats (const CnnTensor *weights, const CnnTensor *bias,
    float in_scale, int in_zero, CnnIntegerWeights *w)
{
  const float *x = weights->data, *b = bias ? bias->data : NULL;
  CnnStatus status = allocate (weights, w);
  for (int64_t o = 0; o < w->oc && !status; o++) {
    size_t at = (size_t) o * w->size;
    if (!find_scale (x + at, w->size, &w->scales[o], w->weights + at))
      return CNN_ERROR_UNSUPPORTED;
    /* Without weights any scale will do in which the bias is exact. */
    if (w->scales[o] == 0)
      w->scales[o] =
          b && b[o] != 0 ? fabsf (b[o]) * 0x1p-20f / in_scale : 1 / in_scale;
    double units =
        b ? (double) b[o] / ((double) in_scale * (double) w->scales[o]) : 0;
    if (!(fabs (units) < MAX_BIAS))
      return CNN_ERROR_UNSUPPORTED;
    w->bias[o] = (int32_t) nearbyint (units);
  }
  if (!status && !take_zero_off (w, in_zero))
    return CNN_ERROR_UNSUPPORTED;
  return status;
}

CnnStatus
cnn_integer_weights_of_bytes (const CnnTensor *weights, const CnnTensor *scales,
    const CnnTensor *zeros, const CnnTensor *bias, int in_zero,
    CnnIntegerWeights *w)
{
  const float *s = scales->data;
  CnnStatus status = allocate (weights, w);
  for (int64_t o = 0; o < w->oc && !status; o++) {
    size_t several = cnn_elements (scales) > 1 ? (size_t) o : 0;
    size_t own = zeros && cnn_elements (zeros) > 1 ? (size_t) o : 0;
    int64_t zero = zeros ? cnn_read_int (zeros->type, zeros->data, own) : 0;
    w->scales[o] = s[several];
    w->bias[o] = bias ? ((const int32_t *) bias->data)[o] : 0;
    for (size_t i = 0; i < w->size; i++) {
      size_t at = (size_t) o * w->size + i;
      int64_t q = cnn_read_int (weights->type, weights->data, at) - zero;
      if (q < -128 || q > 127)
        return CNN_ERROR_UNSUPPORTED;
      w->weights[at] = (int8_t) q;
    }
  }
  if (!status && !take_zero_off (w, in_zero))
    return CNN_ERROR_UNSUPPORTED;
  return status;
}
