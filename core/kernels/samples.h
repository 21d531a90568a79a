/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* samples.h: contracts of the kernels whose lanes are samples.
 *
 * Training has many small pictures at a time. A cell here is one number of each
 * of `lanes` samples, next to each other, so no plane is too narrow, no row has
 * a tail, and strides, padding and pooling are a matter of addresses. Pitches
 * count floats. */

#ifndef CNN_KERNELS_SAMPLES_H
#define CNN_KERNELS_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

/** CNN_MAX_LANES: of any instruction set. */
#define CNN_MAX_LANES 16

/** CnnInterleaveKernel: the first @n elements of @samples rows, @pitch apart,
 * to cells @step apart: out[i*step + s] = in[s*pitch + i], 0 for samples that
 * are not there; at most `lanes` are. */
typedef void (*CnnInterleaveKernel) (const float *in, size_t pitch, int samples,
    float *out, size_t step, size_t n);

/** CnnDeinterleaveKernel: the way back: out[s*pitch + i] = in[i*step + s], or
 * += where @add. */
typedef void (*CnnDeinterleaveKernel) (const float *in, size_t step, float *out,
    size_t pitch, int samples, size_t n, int add);

/**
 * CnnSampleConvRun:
 * @in: cell under the first tap of pixel 0, channel 0; @in_plane to the next
 *   channel, @in_step to the cell under the first tap of pixel 1
 * @ic: input channels
 * @rows, @cols: taps; @row_step, @col_step from tap to tap in @in
 * @weights: of the first tap, channel 0, @oc next to each other; @w_plane to
 *   the next channel, @w_row and @w_col from tap to tap
 * @bias: (nullable): @oc values
 * @out: cell 0 of channel 0; @out_plane to the next channel, @out_step to the
 *   next pixel
 * @oc: output channels, at most sample_block
 * @n: pixels
 *
 * out[o][x] = bias[o] + sum over i, r, c of
 *     weights[i*w_plane + r*w_row + c*w_col + o]
 *     * in[i*in_plane + r*row_step + c*col_step + x*in_step]
 */
typedef struct
{
  const float *in;
  size_t in_plane, in_step;
  int ic, rows, cols;
  ptrdiff_t row_step, col_step;
  const float *weights;
  ptrdiff_t w_plane, w_row, w_col;
  const float *bias;
  float *out;
  size_t out_plane, out_step;
  int oc, n;
} CnnSampleConvRun;

typedef void (*CnnSampleConvKernel) (const CnnSampleConvRun *run);

/**
 * CnnCorrelateRun:
 * @g: [oc][rows][cols] cells; @g_plane from channel to channel, rows without
 *   gaps
 * @x: cell that the first tap meets first in channel 0; @x_plane to the next of
 *   @ic channels, @x_row from row to row, @x_step from cell to cell
 * @taps: @n_taps offsets into @x
 * @out: [oc][ic][n_taps] with pitch @out_pitch
 *
 * out[o][i][t] += sum over rows y, columns x and samples s of
 *     g[o][y][x][s] * x[i*x_plane + y*x_row + x*x_step + taps[t] + s]
 */
typedef struct
{
  const float *g;
  size_t g_plane;
  int oc, rows, cols;
  const float *x;
  size_t x_plane, x_row, x_step;
  int ic;
  const ptrdiff_t *taps;
  int n_taps;
  float *out;
  size_t out_pitch;
} CnnCorrelateRun;

/** CnnCorrelateKernel: gradient of a convolution's weights. */
typedef void (*CnnCorrelateKernel) (const CnnCorrelateRun *run);

/** CnnSamplePoolKernel: y[i] of the four cells x0[2i], x0[2i+1], x1[2i],
 * x1[2i+1]: their maximum, and in @which the number of the first that has it;
 * or their mean, @which is not used. @n cells. */
typedef void (*CnnSamplePoolKernel) (const float *x0, const float *x1, float *y,
    uint8_t *which, int n);

/** CnnSamplePoolGradientKernel: the way back: g[i] goes to cell which[i] of the
 * four of d0, d1, 0 to the others; or a quarter to each. @n cells. */
typedef void (*CnnSamplePoolGradientKernel) (const uint8_t *which,
    const float *g, float *d0, float *d1, int n);

#endif
