/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bytes_avx2.h: what conv_u8.h takes from AVX2, and from AVX-VNNI. */

#ifndef CNN_KERNELS_BYTES_AVX2_H
#define CNN_KERNELS_BYTES_AVX2_H

#include <immintrin.h>
#include <stdint.h>

#define MAX_INT(a, b) ((VecInt) _mm256_max_epi32 ((__m256i) (a), (__m256i) (b)))

#define FOUR_BYTES(y, zero, low, high)                                         \
  ((VecInt) four_bytes_256 ((__m256) (y)[0], (__m256) (y)[1], (__m256) (y)[2], \
      (__m256) (y)[3], zero, low, high))

/* Packing saturates; it leaves four pixels of one channel after the other in
 * each half. */
static inline __attribute__ ((always_inline)) __m256i
four_bytes_256 (__m256 y0, __m256 y1, __m256 y2, __m256 y3, int zero, int low,
    int high)
{
  const __m256i turn = _mm256_broadcastsi128_si256 (
      _mm_setr_epi8 (0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
  const __m256i add = _mm256_set1_epi16 ((short) zero);
  __m256i a =
      _mm256_packs_epi32 (_mm256_cvtps_epi32 (y0), _mm256_cvtps_epi32 (y1));
  __m256i b =
      _mm256_packs_epi32 (_mm256_cvtps_epi32 (y2), _mm256_cvtps_epi32 (y3));
  __m256i bytes = _mm256_packus_epi16 (_mm256_adds_epi16 (a, add),
      _mm256_adds_epi16 (b, add));
  bytes = _mm256_max_epu8 (bytes, _mm256_set1_epi8 ((char) low));
  bytes = _mm256_min_epu8 (bytes, _mm256_set1_epi8 ((char) high));
  return _mm256_shuffle_epi8 (bytes, turn);
}

#ifdef __AVXVNNI__
#define DOT(sum, x, w)                                                         \
  ((VecInt) _mm256_dpbusd_avx_epi32 ((__m256i) (sum), (__m256i) (x),           \
      _mm256_set1_epi32 ((int32_t) (w))))
#else
/* Exact, where vpmaddubsw saturates: even and odd bytes as int16. */
#define U8_PARTS 2
#define PART(x, p)                                                             \
  ((p) ? (VecInt) _mm256_srli_epi16 ((__m256i) (x), 8) : (x) &0xff00ff)
#define DOT(sum, x, w)                                                         \
  ((sum)                                                                       \
      + (VecInt) _mm256_madd_epi16 ((__m256i) (x),                             \
          _mm256_set1_epi32 ((int32_t) (w))))
#endif

#endif
