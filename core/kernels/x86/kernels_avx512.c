/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* kernels_avx512.c: the kernels for AVX-512 (F, BW, DQ, VL). */

#define ISA                 avx512
#define LANES               16
#define REGISTERS           32

#define MAXIMUM(a, b)       _mm512_max_ps (a, b)
#define LOAD_EXACT(p, n)    _mm512_maskz_loadu_ps (LANE_MASK (n), p)
#define STORE_PART(p, v, n) _mm512_mask_storeu_ps (p, LANE_MASK (n), v)
#define LANE_MASK(n)        ((__mmask16) ((1u << (n)) - 1))

/* Exact, where vpmaddubsw saturates: even and odd bytes as int16. */
#define DOT4(sum, x, w) ((VecInt) dot4 ((__m512i) (sum), (__m512i) (x), w))
#define MAX_INT(a, b)   ((VecInt) _mm512_max_epi32 ((__m512i) (a), (__m512i) (b)))

#include <immintrin.h>
#include <stdint.h>

static inline __attribute__ ((always_inline)) __m512i
dot4 (__m512i sum, __m512i x, uint32_t w)
{
  __m512i even = _mm512_set1_epi32 ((int32_t) ((w & 0xff00ff) << 8));
  __m512i odd = _mm512_set1_epi32 ((int32_t) w);
  __m512i x_even = _mm512_and_si512 (x, _mm512_set1_epi32 (0xff00ff));
  even = _mm512_srai_epi16 (even, 8);
  odd = _mm512_srai_epi16 (odd, 8);
  sum = _mm512_add_epi32 (sum, _mm512_madd_epi16 (x_even, even));
  return _mm512_add_epi32 (sum,
      _mm512_madd_epi16 (_mm512_srli_epi16 (x, 8), odd));
}

#include "kernels/all_f32.h"
