/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* kernels_portable.c: the kernels for any processor: 4 lanes, which is SSE2 on x86. */

#define ISA       portable
#define LANES     4
#define REGISTERS 16

#include "kernels/all_f32.h"
