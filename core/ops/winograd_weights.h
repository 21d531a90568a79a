/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* winograd_weights.h (internal): Winograd's forms as Conv uses them: sizes, weights,
 * cost. What they are: kernels/winograd.h. */

#ifndef CNN_OPS_WINOGRAD_WEIGHTS_H
#define CNN_OPS_WINOGRAD_WEIGHTS_H

#include "kernels/kernels.h"

/**
 * CnnWinogradSizes:
 * @m: side of a tile of the output
 * @r: side of the kernel
 * @alpha: side of the pixels under a tile
 */
typedef struct
{
  int m, r, alpha;
} CnnWinogradSizes;

CnnWinogradSizes cnn_winograd_sizes (CnnWinogradForm form);

/** CnnWinogradRows: the matrix G of a form, alpha x r. */
typedef struct
{
  CnnWinogradSizes sizes;
  double g[CNN_WINOGRAD_ALPHA][CNN_WINOGRAD_ALPHA];
} CnnWinogradRows;

void cnn_winograd_rows (CnnWinogradForm form, CnnWinogradRows *rows);

/** cnn_winograd_kernel: writes alpha x alpha values G g G' of the r x r kernel
 * @g; computed in double precision. */
void
cnn_winograd_kernel (const CnnWinogradRows *rows, const float *g, double *u);

#endif
