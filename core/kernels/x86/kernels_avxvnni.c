/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* kernels_avxvnni.c: the convolution of bytes for AVX2 with AVX-VNNI, which
 * processors without AVX-512 have. */

#define ISA       avxvnni
#define LANES     8
#define REGISTERS 16

#include "kernels/x86/bytes_avx2.h"

#include "kernels/conv_u8.h"

void
cnn_kernels_init_avxvnni (CnnKernels *kernels)
{
  kernels->name = "avxvnni";
  kernels->conv_u8 = cnn_conv_u8_avxvnni;
  kernels->pack_u8 = cnn_pack_u8_avxvnni;
}
