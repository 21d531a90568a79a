/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* kernels_vnni.c: the convolution of bytes for AVX-512 VNNI. */

#define ISA       vnni
#define LANES     16
#define REGISTERS 32

#include "kernels/x86/bytes_avx512.h"

#include "kernels/conv_u8.h"

void
cnn_kernels_init_vnni (CnnKernels *kernels)
{
  kernels->name = "vnni";
  kernels->conv_u8 = cnn_conv_u8_vnni;
  kernels->pack_u8 = cnn_pack_u8_vnni;
}
