/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* kernels_neon.c: the kernels for 64-bit ARM. */

#define ISA       neon
#define LANES     4
#define REGISTERS 32

#include "kernels/all_f32.h"
