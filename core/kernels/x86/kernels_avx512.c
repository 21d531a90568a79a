/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* kernels_avx512.c: the kernels for AVX-512 (F, BW, DQ, VL). */

#define ISA                 avx512
#define LANES               16
#define REGISTERS           32

#define VECTOR_REGISTER     "v"
#define MAXIMUM(a, b)       _mm512_max_ps (a, b)
#define LOAD_EXACT(p, n)    _mm512_maskz_loadu_ps (LANE_MASK (n), p)
#define STORE_PART(p, v, n) _mm512_mask_storeu_ps (p, LANE_MASK (n), v)
#define LANE_MASK(n)        ((__mmask16) ((1u << (n)) - 1))

#include <immintrin.h>

#include "kernels/x86/bytes_avx512.h"

#include "kernels/all_f32.h"
