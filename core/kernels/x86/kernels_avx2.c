/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* kernels_avx2.c: the kernels for AVX2 and FMA. */

#define ISA       avx2
#define LANES     8
#define REGISTERS 16

#include "kernels/all_f32.h"
