/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* element_f32.h: element by element work, 2x2 pools and sums.
 *
 * Included by each instruction set's file. Bound by memory, not arithmetic. */

#ifndef CNN_KERNELS_ELEMENT_F32_H
#define CNN_KERNELS_ELEMENT_F32_H

#include <cnn/status.h>

#include "kernels/deal_f32.h"
#include "kernels/math_f32.h"

INLINE void
map_all (const CnnActivation f, const float *x, float *y, size_t n)
{
  size_t i = 0;
  for (; i + LANES <= n; i += LANES)
    store (y + i, activate (f, load (x + i)));
  if (i < n)
    store_part (y + i, activate (f, load_part (x + i, (int) (n - i))),
        (int) (n - i));
}

static void
KERNEL (cnn_map_f32) (CnnActivation f, const float *x, float *y, size_t n)
{
  switch (f) {
    case CNN_ACTIVATION_NONE:
      memmove (y, x, n * sizeof *y);
      break;
    case CNN_ACTIVATION_RELU:
      map_all (CNN_ACTIVATION_RELU, x, y, n);
      break;
    case CNN_ACTIVATION_TANH:
      map_all (CNN_ACTIVATION_TANH, x, y, n);
      break;
    case CNN_ACTIVATION_SIGMOID:
      map_all (CNN_ACTIVATION_SIGMOID, x, y, n);
      break;
    case CNN_ACTIVATION_EXP:
      map_all (CNN_ACTIVATION_EXP, x, y, n);
      break;
  }
}

INLINE Vec
slope (const CnnActivation f, Vec y, Vec g)
{
  switch (f) {
    case CNN_ACTIVATION_RELU:
      return (Vec) ((VecInt) g & (y > (Vec){ 0 }));
    case CNN_ACTIVATION_TANH:
      return g * (1.0f - y * y);
    case CNN_ACTIVATION_SIGMOID:
      return g * (y * (1.0f - y));
    case CNN_ACTIVATION_NONE:
    case CNN_ACTIVATION_EXP:
      break;
  }
  return g;
}

INLINE void
gradient_all (const CnnActivation f, const float *y, const float *g, float *d,
    size_t n, int add)
{
  size_t i = 0;
  for (; i + LANES <= n; i += LANES) {
    Vec step = slope (f, load (y + i), load (g + i));
    store (d + i, add ? load (d + i) + step : step);
  }
  if (i < n) {
    int left = (int) (n - i);
    Vec step = slope (f, load_part (y + i, left), load_part (g + i, left));
    store_part (d + i, add ? load_exact (d + i, left) + step : step, left);
  }
}

static void
KERNEL (cnn_map_gradient_f32) (CnnActivation f, const float *y, const float *g,
    float *d, size_t n, int add)
{
  if (f == CNN_ACTIVATION_RELU)
    gradient_all (CNN_ACTIVATION_RELU, y, g, d, n, add);
  else if (f == CNN_ACTIVATION_TANH)
    gradient_all (CNN_ACTIVATION_TANH, y, g, d, n, add);
  else if (f == CNN_ACTIVATION_SIGMOID)
    gradient_all (CNN_ACTIVATION_SIGMOID, y, g, d, n, add);
  else
    gradient_all (CNN_ACTIVATION_NONE, y, g, d, n, add);
}

INLINE Vec
binary (const CnnBinary op, Vec a, Vec b)
{
  switch (op) {
    case CNN_BINARY_ADD:
      return a + b;
    case CNN_BINARY_SUB:
      return a - b;
    case CNN_BINARY_MUL:
      return a * b;
    case CNN_BINARY_DIV:
      return a / b;
  }
  return a;
}

INLINE void
binary_all (const CnnBinary op, const float *a, int a_step, const float *b,
    int b_step, float *y, size_t n)
{
  const Vec a0 = splat (n ? *a : 0), b0 = splat (n ? *b : 0);
  size_t i = 0;
  for (; i + LANES <= n; i += LANES)
    store (y + i,
        binary (op, a_step ? load (a + i) : a0, b_step ? load (b + i) : b0));
  if (i < n) {
    int left = (int) (n - i);
    store_part (y + i,
        binary (op, a_step ? load_part (a + i, left) : a0,
            b_step ? load_part (b + i, left) : b0),
        left);
  }
}

static void
KERNEL (cnn_binary_f32) (CnnBinary op, const float *a, int a_step,
    const float *b, int b_step, float *y, size_t n)
{
  switch (op) {
    case CNN_BINARY_ADD:
      binary_all (CNN_BINARY_ADD, a, a_step, b, b_step, y, n);
      break;
    case CNN_BINARY_SUB:
      binary_all (CNN_BINARY_SUB, a, a_step, b, b_step, y, n);
      break;
    case CNN_BINARY_MUL:
      binary_all (CNN_BINARY_MUL, a, a_step, b, b_step, y, n);
      break;
    case CNN_BINARY_DIV:
      binary_all (CNN_BINARY_DIV, a, a_step, b, b_step, y, n);
      break;
  }
}

static void
KERNEL (
    cnn_max_pool_2x2_f32) (const float *x0, const float *x1, float *y, int n)
{
  int i = 0;
  for (; i + LANES <= n; i += LANES) {
    Vec a = maximum (load (x0 + 2 * i), load (x1 + 2 * i));
    Vec b = maximum (load (x0 + 2 * i + LANES), load (x1 + 2 * i + LANES));
    store (y + i, maximum (EVENS (a, b), ODDS (a, b)));
  }
  for (; i < n; i++) {
    float a = x0[2 * i] > x1[2 * i] ? x0[2 * i] : x1[2 * i];
    float b = x0[2 * i + 1] > x1[2 * i + 1] ? x0[2 * i + 1] : x1[2 * i + 1];
    y[i] = a > b ? a : b;
  }
}

static void
KERNEL (cnn_max_tap_f32) (const float *x, int step, float *y, int n)
{
  for (int i = 0; i < n; i += LANES) {
    Vec taps = step == 1 ? load (x + i)
                         : EVENS (load (x + 2 * i), load (x + 2 * i + LANES));
    taps = maximum (taps, load (y + i));
    if (n - i >= LANES)
      store (y + i, taps);
    else
      store_part (y + i, taps, n - i);
  }
}

static void
KERNEL (cnn_average_pool_2x2_f32) (const float *x0, const float *x1, float *y,
    int n)
{
  int i = 0;
  for (; i + LANES <= n; i += LANES) {
    Vec a = load (x0 + 2 * i) + load (x1 + 2 * i);
    Vec b = load (x0 + 2 * i + LANES) + load (x1 + 2 * i + LANES);
    store (y + i, 0.25f * (EVENS (a, b) + ODDS (a, b)));
  }
  for (; i < n; i++)
    y[i] = 0.25f * ((x0[2 * i] + x1[2 * i]) + (x0[2 * i + 1] + x1[2 * i + 1]));
}

/* d[0], d[1] ... += even[0], odd[0], even[1] ...; @n of each */
INLINE void
add_woven (float *d, Vec even, Vec odd, int n)
{
  Vec first = FIRSTS (even, odd), second = SECONDS (even, odd);
  int more = 2 * n - LANES;
  if (n >= LANES) {
    store (d, load (d) + first);
    store (d + LANES, load (d + LANES) + second);
  } else if (more < 0) {
    store_part (d, load_exact (d, 2 * n) + first, 2 * n);
  } else {
    store (d, load (d) + first);
    store_part (d + LANES, load_exact (d + LANES, more) + second, more);
  }
}

INLINE Vec
only (VecInt mask, Vec v)
{
  return (Vec) (mask & (VecInt) v);
}

static void
KERNEL (cnn_max_pool_2x2_gradient_f32) (const float *x0, const float *x1,
    const float *g, float *d0, float *d1, int n)
{
  for (int i = 0; i < n; i += LANES) {
    int left = n - i;
    Vec p = load (x0 + 2 * i), q = load (x0 + 2 * i + LANES);
    Vec r = load (x1 + 2 * i), s = load (x1 + 2 * i + LANES);
    Vec a = EVENS (p, q), b = ODDS (p, q), c = EVENS (r, s), d = ODDS (r, s);
    Vec most = maximum (maximum (a, b), maximum (c, d)), gv = load (g + i);
    VecInt in_a = a == most, in_b = ~in_a & (b == most);
    VecInt in_c = ~(in_a | in_b) & (c == most), in_d = ~(in_a | in_b | in_c);
    add_woven (d0 + 2 * i, only (in_a, gv), only (in_b, gv), left);
    add_woven (d1 + 2 * i, only (in_c, gv), only (in_d, gv), left);
  }
}

static void
KERNEL (cnn_average_pool_2x2_gradient_f32) (CNN_UNUSED const float *x0,
    CNN_UNUSED const float *x1, const float *g, float *d0, float *d1, int n)
{
  for (int i = 0; i < n; i += LANES) {
    Vec quarter = 0.25f * load (g + i);
    add_woven (d0 + 2 * i, quarter, quarter, n - i);
    add_woven (d1 + 2 * i, quarter, quarter, n - i);
  }
}

static float
KERNEL (cnn_sum_f32) (const float *x, size_t n)
{
  Vec s0 = { 0 }, s1 = { 0 };
  size_t i = 0;
  for (; i + 2 * LANES <= n; i += 2 * LANES) {
    s0 += load (x + i);
    s1 += load (x + i + LANES);
  }
  for (; i < n; i += LANES) {
    size_t left = n - i;
    s0 += left >= LANES ? load (x + i) : load_part (x + i, (int) left);
  }
  return add_lanes (s0 + s1);
}

/* As many chains as hide the latency and fit the registers. */
#define PEAK_CHAINS (REGISTERS * 3 / 4)

static double
KERNEL (cnn_peak_f32) (long rounds)
{
  static volatile float factor = 0.999f, addend = 0.001f, sink;
  Vec acc[PEAK_CHAINS], x = splat (factor), y = splat (addend);
  UNROLL
  for (int i = 0; i < PEAK_CHAINS; i++)
    acc[i] = x * (float) i;
  for (long k = 0; k < rounds; k++) {
    UNROLL
    for (int i = 0; i < PEAK_CHAINS; i++)
      acc[i] = acc[i] * x + y;
  }
  UNROLL
  for (int i = 0; i < PEAK_CHAINS; i++)
    sink = sink + add_lanes (acc[i]);
  return 2.0 * LANES * PEAK_CHAINS * (double) rounds;
}

#endif
