/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vector.h: vectors of LANES floats, in the C that gcc and clang share.
 *
 * The kernels are written once, on these, and compiled for each instruction
 * set with its own LANES: x86/ and arm/ hold nothing but that choice. */

#ifndef CNN_KERNELS_VECTOR_H
#define CNN_KERNELS_VECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifndef LANES
#error "an instruction set's file says how many lanes it has"
#endif

#define JOIN3(a, b, c) a##b##c
#define JOIN2(a, b)    JOIN3 (a, _, b)
/** KERNEL: KERNEL (cnn_sum_f32) is cnn_sum_f32_avx2 where ISA is avx2. */
#define EXPAND(a, b) JOIN2 (a, b)
#define KERNEL(name) EXPAND (name, ISA)

#define INLINE       static inline __attribute__ ((always_inline))

/* Full unrolling turns arrays of accumulators into registers. */
#if defined(__clang__)
#define UNROLL _Pragma ("clang loop unroll(full)")
#else
#define UNROLL _Pragma ("GCC unroll 32")
#endif

typedef float Vec __attribute__ ((vector_size (4 * LANES)));
typedef int32_t VecInt __attribute__ ((vector_size (4 * LANES)));
typedef float LooseVec
    __attribute__ ((vector_size (4 * LANES), aligned (4), may_alias));

INLINE Vec
load (const float *p)
{
  return *(const LooseVec *) p;
}

INLINE void
store (float *p, Vec v)
{
  *(LooseVec *) p = v;
}

/* Loaded once for all that use it: gcc would load it anew for each. */
INLINE Vec
load_once (const float *p)
{
  Vec v = load (p);
#ifdef VECTOR_REGISTER
  __asm__("" : "+" VECTOR_REGISTER (v));
#endif
  return v;
}

/* x - 0 is x for every x, -0 too, so this is a broadcast and nothing else. */
INLINE Vec
splat (float x)
{
  return x - (Vec){ 0 };
}

INLINE VecInt
splat_int (int32_t x)
{
  return x - (VecInt){ 0 };
}

/* lanes of yes where mask is all ones, of no where it is 0 */
INLINE Vec
choose (VecInt mask, Vec yes, Vec no)
{
  return (Vec) ((mask & (VecInt) yes) | (~mask & (VecInt) no));
}

/* a > b ? a : b, so b where one is not a number */
INLINE Vec
maximum (Vec a, Vec b)
{
#ifdef MAXIMUM
  return (Vec) MAXIMUM (a, b);
#else
  return choose (a > b, a, b);
#endif
}

/* Of @left things, how many to take at once if @most can be: so that what is
 * taken is about equal. */
INLINE int
equal_part (int left, int most)
{
  int parts = (left + most - 1) / most;
  return (left + parts - 1) / parts;
}

#if LANES == 4
#define LANE_NUMBERS                                                           \
  {                                                                            \
    0, 1, 2, 3                                                                 \
  }
#define HALVES(v)   __builtin_shufflevector (v, v, 2, 3, 0, 1)
#define QUARTERS(v) __builtin_shufflevector (v, v, 1, 0, 3, 2)
#elif LANES == 8
#define LANE_NUMBERS                                                           \
  {                                                                            \
    0, 1, 2, 3, 4, 5, 6, 7                                                     \
  }
#define HALVES(v)   __builtin_shufflevector (v, v, 4, 5, 6, 7, 0, 1, 2, 3)
#define QUARTERS(v) __builtin_shufflevector (v, v, 2, 3, 0, 1, 6, 7, 4, 5)
#define EIGHTHS(v)  __builtin_shufflevector (v, v, 1, 0, 3, 2, 5, 4, 7, 6)
#elif LANES == 16
#define LANE_NUMBERS                                                           \
  {                                                                            \
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15                       \
  }
#define HALVES(v)                                                              \
  __builtin_shufflevector (v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4,  \
      5, 6, 7)
#define QUARTERS(v)                                                            \
  __builtin_shufflevector (v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, \
      10, 11)
#define EIGHTHS(v)                                                             \
  __builtin_shufflevector (v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, \
      12, 13)
#define SIXTEENTHS(v)                                                          \
  __builtin_shufflevector (v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, \
      15, 14)
#endif

/* The first @n lanes and zeros. Reads all of them: there is slack. */
INLINE Vec
load_part (const float *p, int n)
{
  const VecInt numbers = LANE_NUMBERS;
  return (Vec) ((VecInt) load (p) & (numbers < splat_int (n)));
}

/* The first @n lanes of a result, which may have no slack, and zeros; and the
 * way back. An instruction set with masks says how: LOAD_EXACT, STORE_PART. */
INLINE Vec
load_exact (const float *p, int n)
{
#ifdef LOAD_EXACT
  return LOAD_EXACT (p, n);
#else
  float lanes[LANES] = { 0 };
  for (int i = 0; i < n; i++)
    lanes[i] = p[i];
  return load (lanes);
#endif
}

INLINE void
store_part (float *p, Vec v, int n)
{
#ifdef STORE_PART
  STORE_PART (p, v, n);
#else
  float lanes[LANES];
  store (lanes, v);
  for (int i = 0; i < n; i++)
    p[i] = lanes[i];
#endif
}

INLINE float
add_lanes (Vec v)
{
  v += HALVES (v);
  v += QUARTERS (v);
#if LANES > 4
  v += EIGHTHS (v);
#endif
#if LANES > 8
  v += SIXTEENTHS (v);
#endif
  return v[0];
}

#endif
