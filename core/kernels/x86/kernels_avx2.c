/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* kernels_avx2.c: the kernels for AVX2 and FMA. */

#define ISA                 avx2
#define LANES               8
#define REGISTERS           16

#define VECTOR_REGISTER     "x"
#define MAXIMUM(a, b)       _mm256_max_ps (a, b)
#define LOAD_EXACT(p, n)    _mm256_maskload_ps (p, LANE_MASK (n))
#define STORE_PART(p, v, n) _mm256_maskstore_ps (p, LANE_MASK (n), v)
#define LANE_MASK(n)                                                           \
  _mm256_cmpgt_epi32 (_mm256_set1_epi32 (n),                                   \
      _mm256_setr_epi32 (0, 1, 2, 3, 4, 5, 6, 7))

#include <immintrin.h>

#include "kernels/x86/bytes_avx2.h"

#include "kernels/all_f32.h"
