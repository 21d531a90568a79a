/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* kernels_avx512.c: the kernels for AVX-512 (F, BW, DQ, VL). */

#define ISA       avx512
#define LANES     16
#define REGISTERS 32

#include "kernels/all_f32.h"
