/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* quantise_u8.h: floats become pixels of four bytes. Included by each
 * instruction set's file. */

#ifndef CNN_KERNELS_QUANTISE_U8_H
#define CNN_KERNELS_QUANTISE_U8_H

#include "kernels/conv_u8.h"

static void
KERNEL (cnn_quantise_u8) (const CnnQuantiseRun *run)
{
  const Vec low = splat ((float) -run->zero);
  const Vec high = splat ((float) (255 - run->zero));
  const VecInt zero = splat_int (run->zero);
  for (int x = 0; x < run->n; x += LANES) {
    VecInt c[4];
    UNROLL
    for (int i = 0; i < 4; i++)
      c[i] =
          rounded (load (run->planes[i] + x) * run->inverse, low, high, zero);
    store_pixels (run->out + 4 * (size_t) x, joined (c), run->n - x);
  }
}

#endif
