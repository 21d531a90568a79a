/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* kernels_neon.c: the kernels for 64-bit ARM. Of its 32 registers 12 are left
 * to weights, which it does not multiply by from memory. */

#define ISA       neon
#define LANES     4
#define REGISTERS 20

#include "kernels/all_f32.h"
