/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* element_f32.h: element by element work, 2x2 pools and sums.
 *
 * Included by each instruction set's file. Bound by memory, not arithmetic. */

#ifndef CNN_KERNELS_ELEMENT_F32_H
#define CNN_KERNELS_ELEMENT_F32_H

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

/* Every other element of 2 * LANES, from the first or the second. */
#if LANES == 4
#define EVENS(a, b) __builtin_shufflevector (a, b, 0, 2, 4, 6)
#define ODDS(a, b)  __builtin_shufflevector (a, b, 1, 3, 5, 7)
#elif LANES == 8
#define EVENS(a, b) __builtin_shufflevector (a, b, 0, 2, 4, 6, 8, 10, 12, 14)
#define ODDS(a, b)  __builtin_shufflevector (a, b, 1, 3, 5, 7, 9, 11, 13, 15)
#else
#define EVENS(a, b)                                                            \
  __builtin_shufflevector (a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22,    \
      24, 26, 28, 30)
#define ODDS(a, b)                                                             \
  __builtin_shufflevector (a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23,    \
      25, 27, 29, 31)
#endif

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
