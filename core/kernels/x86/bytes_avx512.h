/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bytes_avx512.h: what conv_u8.h takes from AVX-512 (F, BW), and from VNNI. */

#ifndef CNN_KERNELS_BYTES_AVX512_H
#define CNN_KERNELS_BYTES_AVX512_H

#include <immintrin.h>
#include <stdint.h>

#define MAX_INT(a, b) ((VecInt) _mm512_max_epi32 ((__m512i) (a), (__m512i) (b)))

#define FOUR_BYTES(y, zero, low, high)                                         \
  ((VecInt) four_bytes_512 ((__m512) (y)[0], (__m512) (y)[1], (__m512) (y)[2], \
      (__m512) (y)[3], zero, low, high))

/* Packing saturates; it leaves four pixels of one channel after the other in
 * each quarter. */
static inline __attribute__ ((always_inline)) __m512i
four_bytes_512 (__m512 y0, __m512 y1, __m512 y2, __m512 y3, int zero, int low,
    int high)
{
  const __m512i turn = _mm512_broadcast_i32x4 (
      _mm_setr_epi8 (0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
  const __m512i add = _mm512_set1_epi16 ((short) zero);
  __m512i a =
      _mm512_packs_epi32 (_mm512_cvtps_epi32 (y0), _mm512_cvtps_epi32 (y1));
  __m512i b =
      _mm512_packs_epi32 (_mm512_cvtps_epi32 (y2), _mm512_cvtps_epi32 (y3));
  __m512i bytes = _mm512_packus_epi16 (_mm512_adds_epi16 (a, add),
      _mm512_adds_epi16 (b, add));
  bytes = _mm512_max_epu8 (bytes, _mm512_set1_epi8 ((char) low));
  bytes = _mm512_min_epu8 (bytes, _mm512_set1_epi8 ((char) high));
  return _mm512_shuffle_epi8 (bytes, turn);
}

#ifdef __AVX512VNNI__
#define DOT(sum, x, w)                                                         \
  ((VecInt) _mm512_dpbusd_epi32 ((__m512i) (sum), (__m512i) (x),               \
      _mm512_set1_epi32 ((int32_t) (w))))
#else
/* Exact, where vpmaddubsw saturates: even and odd bytes as int16. */
#define U8_PARTS 2
#define PART(x, p)                                                             \
  ((p) ? (VecInt) _mm512_srli_epi16 ((__m512i) (x), 8) : (x) &0xff00ff)
#define DOT(sum, x, w)                                                         \
  ((sum)                                                                       \
      + (VecInt) _mm512_madd_epi16 ((__m512i) (x),                             \
          _mm512_set1_epi32 ((int32_t) (w))))
#endif

#endif
