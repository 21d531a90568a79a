/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* kernels_vnni.c: the convolution of bytes for AVX-512 VNNI. */

#define ISA       vnni
#define LANES     16
#define REGISTERS 32

#define DOT4(sum, x, w)                                                        \
  ((VecInt) _mm512_dpbusd_epi32 ((__m512i) (sum), (__m512i) (x),               \
      _mm512_set1_epi32 ((int32_t) (w))))
#define MAX_INT(a, b) ((VecInt) _mm512_max_epi32 ((__m512i) (a), (__m512i) (b)))

#include <immintrin.h>

#include "kernels/conv_u8.h"

void
cnn_kernels_init_vnni (CnnKernels *kernels)
{
  kernels->name = "vnni";
  kernels->conv_u8 = cnn_conv_u8_vnni;
  kernels->pack_u8 = cnn_pack_u8_vnni;
}
