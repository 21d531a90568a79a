/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* math_f32.h: exp, tanh and sigmoid of a vector, and activations.
 *
 * Included by each instruction set's file. Relative error below 3e-7; what
 * tests/kernels measures. */

#ifndef CNN_KERNELS_MATH_F32_H
#define CNN_KERNELS_MATH_F32_H

#include "kernels/kernels.h"
#include "kernels/vector.h"

/* exp (x) = 2^k exp (r), k = round (x / ln 2), |r| <= ln 2 / 2, the latter by
 * its Taylor series to r^7 (remainder 5e-9). ln 2 comes in two parts, the
 * first with few enough bits for k * LN2_HIGH to be exact. Adding 1.5 * 2^23
 * leaves round (x) in the low bits of the sum. Below -87.3 the result is 0,
 * above 88.3 that of 88.3. */
INLINE Vec
exp_vec (Vec x)
{
  const float log2_e = 0x1.715476p+0f, ln2_high = 0x1.62e4p-1f;
  const float ln2_low = 0x1.7f7d1cp-20f, shift = 0x1.8p+23f;
  const Vec low = splat (-87.3f), high = splat (88.3f);

  VecInt keep = ~(x < low);
  x = choose (x > high, high, x);
  x = choose (x < low, low, x);
  Vec shifted = x * log2_e + shift;
  VecInt k = (VecInt) shifted - (VecInt) splat (shift);
  Vec kf = shifted - shift;
  Vec r = (x - kf * ln2_high) - kf * ln2_low;

  Vec p = r * (1.0f / 5040) + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  Vec power = (Vec) ((k + 127) << 23);
  return (Vec) ((VecInt) (p * power) & keep);
}

INLINE Vec
sigmoid_vec (Vec x)
{
  return 1.0f / (1.0f + exp_vec (-x));
}

/* Near 0, where 1 - 2 / (exp (2x) + 1) cancels, x + x^3 P (x^2): P fitted to
 * |x| <= 0.65 (greatest error 6e-9). */
INLINE Vec
tanh_vec (Vec x)
{
  Vec far = 1.0f - 2.0f / (exp_vec (2.0f * x) + 1.0f);
  Vec z = x * x;
  Vec p = z * -0.005528629291802645f + 0.020483311265707016f;
  p = p * z - 0.05369296669960022f;
  p = p * z + 0.1333089917898178f;
  p = p * z - 0.3333326280117035f;
  Vec near = x + x * z * p;
  return choose (z < 0.4225f, near, far);
}

INLINE Vec
activate (CnnActivation f, Vec x)
{
  switch (f) {
    case CNN_ACTIVATION_NONE:
      break;
    case CNN_ACTIVATION_RELU:
      return maximum (x, (Vec){ 0 });
    case CNN_ACTIVATION_TANH:
      return tanh_vec (x);
    case CNN_ACTIVATION_SIGMOID:
      return sigmoid_vec (x);
    case CNN_ACTIVATION_EXP:
      return exp_vec (x);
  }
  return x;
}

#endif
