/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vector.h: vectors of LANES floats, in the C that gcc and clang share.
 *
 * The kernels are written once, on these, and compiled for each instruction
 * set with its own LANES: x86/ and arm/ hold nothing but that choice. */

#ifndef CNN_KERNELS_VECTOR_H
#define CNN_KERNELS_VECTOR_H

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

INLINE Vec
maximum (Vec a, Vec b)
{
  return choose (a > b, a, b);
}

/* The first @n lanes, n < LANES; zeros in the others. */
INLINE Vec
load_part (const float *p, int n)
{
  float lanes[LANES] = { 0 };
  for (int i = 0; i < n; i++)
    lanes[i] = p[i];
  return load (lanes);
}

INLINE void
store_part (float *p, Vec v, int n)
{
  float lanes[LANES];
  store (lanes, v);
  for (int i = 0; i < n; i++)
    p[i] = lanes[i];
}

INLINE float
add_lanes (Vec v)
{
  float lanes[LANES];
  store (lanes, v);
  for (int half = LANES / 2; half; half /= 2)
    for (int i = 0; i < half; i++)
      lanes[i] += lanes[i + half];
  return lanes[0];
}

#endif
