/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* kernels_avx2.c: the kernels for AVX2 and FMA. */

#define ISA                 avx2
#define LANES               8
#define REGISTERS           16

#define MAXIMUM(a, b)       _mm256_max_ps (a, b)
#define LOAD_EXACT(p, n)    _mm256_maskload_ps (p, LANE_MASK (n))
#define STORE_PART(p, v, n) _mm256_maskstore_ps (p, LANE_MASK (n), v)
#define LANE_MASK(n)                                                           \
  _mm256_cmpgt_epi32 (_mm256_set1_epi32 (n),                                   \
      _mm256_setr_epi32 (0, 1, 2, 3, 4, 5, 6, 7))

/* Exact, where vpmaddubsw saturates: even and odd bytes as int16. */
#define DOT4(sum, x, w) ((VecInt) dot4 ((__m256i) (sum), (__m256i) (x), w))
#define MAX_INT(a, b)   ((VecInt) _mm256_max_epi32 ((__m256i) (a), (__m256i) (b)))

#include <immintrin.h>
#include <stdint.h>

static inline __attribute__ ((always_inline)) __m256i
dot4 (__m256i sum, __m256i x, uint32_t w)
{
  __m256i even = _mm256_set1_epi32 ((int32_t) ((w & 0xff00ff) << 8));
  __m256i odd = _mm256_set1_epi32 ((int32_t) w);
  __m256i x_even = _mm256_and_si256 (x, _mm256_set1_epi32 (0xff00ff));
  even = _mm256_srai_epi16 (even, 8);
  odd = _mm256_srai_epi16 (odd, 8);
  sum = _mm256_add_epi32 (sum, _mm256_madd_epi16 (x_even, even));
  return _mm256_add_epi32 (sum,
      _mm256_madd_epi16 (_mm256_srli_epi16 (x, 8), odd));
}

#include "kernels/all_f32.h"
