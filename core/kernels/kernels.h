/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* kernels.h: the inner loops, as a table of functions.
 *
 * Operators bring tensors into the few shapes that stand here and call through
 * a CnnKernels. The table is filled with portable C first and overwritten by
 * each better instruction set that the flags allow. The contract stands beside
 * each function's type; tests/kernels holds every version against a plain
 * reference (docs/adding-a-kernel.md).
 *
 * All versions may read CNN_SLACK_BYTES past the last element of what they are
 * given, never write past it, and none cares for alignment. An element of a
 * result is computed in the same order wherever it lies in a run, so how the
 * caller cuts up its work does not change results. */

#ifndef CNN_KERNELS_KERNELS_H
#define CNN_KERNELS_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/activation.h"
#include "kernels/samples.h"
#include "kernels/winograd.h"

/** CNN_CONV_BLOCK: most output channels that one convolution run computes. */
#define CNN_CONV_BLOCK 8

typedef enum
{
  CNN_BINARY_ADD,
  CNN_BINARY_SUB,
  CNN_BINARY_MUL,
  CNN_BINARY_DIV
} CnnBinary;

/**
 * CnnConvRun:
 * @in: pixel 0 of input channel 0
 * @in_plane: elements from one input channel to the next
 * @ic: input channels
 * @taps: @n_taps offsets, in elements, of the pixels under the kernel
 * @weights: [ic][n_taps][w_pitch], of which the first @oc count
 * @bias: (nullable): @oc values to begin with
 * @out: pixel 0 of output channel 0; @out_plane elements to the next
 * @oc: output channels, 1 to CNN_CONV_BLOCK
 * @n: pixels
 * @add: begin with what @out holds instead of 0
 *
 * out[o][x] = f ([add] out[o][x] + bias[o]
 *                + sum over i, t of weights[i][t][o] * in[i][x + taps[t]])
 */
typedef struct
{
  const float *in;
  size_t in_plane;
  int ic;
  const ptrdiff_t *taps;
  int n_taps;
  const float *weights;
  int w_pitch;
  const float *bias;
  float *out;
  size_t out_plane;
  int oc, n, add;
  CnnActivation activation;
} CnnConvRun;

/** CnnConvKernel: pixels are lanes, a tile of output channels x pixels stays
 * in registers. No operand may overlap @out. */
typedef void (*CnnConvKernel) (const CnnConvRun *run);

/**
 * CnnConvU8Weights:
 * @words: [oc][n_segments][n_lines], four int8 each, the first lowest
 * @oc: a multiple of 4
 */
typedef struct
{
  const uint32_t *words;
  int oc, n_segments, n_lines;
} CnnConvU8Weights;

/**
 * CnnConvU8Run:
 * @in: pixel 0 of line 0
 * @line_bytes: from one line to the next; @n_lines of them
 * @segments: @n_segments offsets in bytes, multiples of 4
 * @row_bytes: where @pool, from what the upper of two rows reads to what the
 *   lower one reads
 * @weights: what pack_u8() wrote
 * @bias: @scale: one an output channel, @oc of them; scales are positive
 * @oc: a multiple of 4
 * @low: @high: least and greatest result, 0 to 255
 * @pool: 1: a pixel is the maximum of 2 x 2
 * @out: (nullable): four channels a pixel, @out_group bytes from channels 0 ...
 *   3 to the next four
 * @floats: where @out is NULL: the sums times @scale, planes @float_plane
 *   apart, of the first @n_floats channels
 * @n: pixels to write
 *
 * A pixel is four uint8 channels, 32 bits. With the dot product of four times
 * four bytes,
 *   sum (o, x) = bias[o] + sum over s, l of
 *       words[o][s][l] . in[l*line_bytes + segments[s] + 4*x]
 *   out = min (max (round (sum * scale[o]) + zero, low), high)
 * rounding ties to even. The magnitudes of a sum, and of it times its scale,
 * stay below 2^31 whatever the input: that is up to who makes the weights. All
 * versions write the same bytes.
 */
typedef struct
{
  const uint8_t *in;
  size_t line_bytes;
  int n_lines;
  const ptrdiff_t *segments;
  int n_segments;
  size_t row_bytes;
  const void *weights;
  const int32_t *bias;
  const float *scale;
  int oc;
  int zero, low, high;
  int pool;
  uint8_t *out;
  size_t out_group;
  float *floats;
  size_t float_plane;
  int n_floats;
  int n;
} CnnConvU8Run;

/** CnnConvU8Kernel: pixels are lanes, a tile of output channels x pixels stays
 * in registers. No operand may overlap what is written. */
typedef void (*CnnConvU8Kernel) (const CnnConvU8Run *run);

/** CnnConvU8Pack: weights as conv_u8() of the same table wants them. Returns:
 * their bytes, a multiple of 64. @packed: (nullable): is written. */
typedef size_t (*CnnConvU8Pack) (const CnnConvU8Weights *weights, void *packed);

/**
 * CnnQuantiseRun:
 * @planes: one a channel
 * @inverse: 1 / scale
 *
 * out[4*x + c] = min (max (round (planes[c][x] * inverse) + zero, 0), 255),
 * c < 4, x < n, rounding ties to even; NaN becomes 0.
 */
typedef struct
{
  const float *planes[4];
  float inverse;
  int zero;
  uint8_t *out;
  int n;
} CnnQuantiseRun;

typedef void (*CnnQuantiseKernel) (const CnnQuantiseRun *run);

/**
 * CnnProductRun:
 * @in: pixel 0 of channel 0 of product 0; @in_plane elements to the next
 *   channel, @in_step to the next product
 * @weights: [ic][oc]; @weights_step elements to the next product's
 * @bias: (nullable): @oc values to begin with
 * @out: @out_plane elements to the next channel, @out_step to the next product
 * @oc: output channels, 1 to CNN_CONV_BLOCK
 * @n: pixels
 * @add: begin with what @out holds instead of 0
 *
 * out[f][o][x] = activation ([add] out[f][o][x] + bias[o]
 *                + sum over i of weights[f][i][o] * in[f][i][x])
 */
typedef struct
{
  const float *in;
  size_t in_plane, in_step;
  const float *weights;
  size_t weights_step;
  const float *bias;
  float *out;
  size_t out_plane, out_step;
  int products, ic, oc, n, add;
  CnnActivation activation;
} CnnProductRun;

/**
 * CnnCollectRun:
 * @in: plane of channel 0; @in_plane elements to the next of @ic channels
 * @taps: @n_taps offsets
 * @pieces: @n_pieces runs of pixels: offset of the first in a plane, how many
 * @out: [ic][n_taps][@out_step], of which the pixels of all pieces are written,
 *   and perhaps up to CNN_MAX_LANES - 1 after them
 *
 * What is to be multiplied by the weights of some pixels, one after the other.
 */
typedef struct
{
  size_t at;
  size_t n;
} CnnPiece;

typedef struct
{
  const float *in;
  size_t in_plane;
  int ic;
  const ptrdiff_t *taps;
  int n_taps;
  const CnnPiece *pieces;
  int n_pieces;
  float *out;
  size_t out_step;
} CnnCollectRun;

typedef void (*CnnCollectKernel) (const CnnCollectRun *run);

/**
 * CnnPadRun:
 * @in: a plane of @h rows of @w pixels, without gaps
 * @x, @y: the pixel that comes first; may lie outside
 * @step: from a pixel of a row to the next, @row_step: from a row to the next
 * @phases: at most @step rows are made of one, each begins a pixel later
 * @out: @out_pitch from row to row, @out_phase from phase to phase
 * @n: pixels of a row and phase
 *
 * out[p*out_phase + r*out_pitch + j] = pixel (x + p + j*step, y + r*row_step),
 * p < phases, r < rows, j < n, 0 where that is outside.
 */
typedef struct
{
  const float *in;
  int w, h, x, y, step, row_step, phases;
  float *out;
  size_t out_pitch, out_phase;
  int rows, n;
} CnnPadRun;

typedef void (*CnnPadKernel) (const CnnPadRun *run);

/**
 * CnnDepthwiseRun:
 * @in: @in_pitch from row to row
 * @columns: @kw offsets in a row of the pixels under the kernel
 * @kh: rows of the kernel, @dilation apart
 * @stride: from a row that a row of the result looks at to that of the next
 * @weights: [kh][kw], @w_step apart
 * @bias: to begin with
 * @out: @rows of @n pixels, @out_pitch apart
 *
 * out[y][x] = f (bias + sum over p, q of weights[(p*kw + q) * w_step]
 *     * in[(y*stride + p*dilation) * in_pitch + x + columns[q]])
 */
typedef struct
{
  const float *in;
  size_t in_pitch;
  const ptrdiff_t *columns;
  int kh, kw, dilation, stride;
  const float *weights;
  int w_step;
  float bias;
  float *out;
  size_t out_pitch;
  int rows, n;
  CnnActivation activation;
} CnnDepthwiseRun;

/** CnnDepthwiseKernel: one channel from one channel, in the order that
 * CnnConvKernel adds in: the same bits. */
typedef void (*CnnDepthwiseKernel) (const CnnDepthwiseRun *run);

/** CnnProductKernel: 1x1 convolutions of pixels that lie close together. */
typedef void (*CnnProductKernel) (const CnnProductRun *run);

/**
 * CnnGemmRun:
 * @a: element (i, k) at a[i*a_row + k*a_k]
 * @b: rows @b_row apart
 * @c: rows @c_row apart
 * @fresh: c holds nothing yet
 *
 * c[i][j] += alpha * sum over l < k of a(i, l) * b(l, j), i < m, j < n; = where
 * @fresh.
 */
typedef struct
{
  const float *a;
  size_t a_row, a_k;
  const float *b;
  size_t b_row;
  float *c;
  size_t c_row;
  int m, n, k;
  float alpha;
  int fresh;
} CnnGemmRun;

/** CnnGemmKernel: gemm_nn: b(l, j) at b[l*b_row + j]. gemm_nt: b(l, j) at
 * b[j*b_row + l], and a_k must be 1. @c overlaps nothing. */
typedef void (*CnnGemmKernel) (const CnnGemmRun *run);

/** CnnMapKernel: y[i] = f (x[i]); x and y may be the same. */
typedef void (
    *CnnMapKernel) (CnnActivation f, const float *x, float *y, size_t n);

/** CnnMapGradientKernel: d[i] = g[i] * f' of which y[i] is the value, or +=
 * where @add: relu y > 0, tanh 1 - y^2, sigmoid y (1 - y), none 1. Not for exp.
 * d may be g. */
typedef void (*CnnMapGradientKernel) (CnnActivation f, const float *y,
    const float *g, float *d, size_t n, int add);

/** CnnBinaryKernel: y[i] = a[i*a_step] op b[i*b_step], steps 0 or 1; y may be
 * a or b where their step is 1. */
typedef void (*CnnBinaryKernel) (CnnBinary op, const float *a, int a_step,
    const float *b, int b_step, float *y, size_t n);

/** CnnPoolKernel: y[i] of the four x0[2i], x0[2i+1], x1[2i], x1[2i+1]: their
 * maximum, or their mean. */
typedef void (
    *CnnPoolKernel) (const float *x0, const float *x1, float *y, int n);

/** CnnMaxTapKernel: y[i] = x[i*step] if that is larger; step is 1 or 2. */
typedef void (*CnnMaxTapKernel) (const float *x, int step, float *y, int n);

/** CnnPoolGradientKernel: adds g[i] to that of the four of d0, d1 whose x is
 * the maximum, the first if there are several; or a quarter to each. */
typedef void (*CnnPoolGradientKernel) (const float *x0, const float *x1,
    const float *g, float *d0, float *d1, int n);

/** CnnSumKernel: Returns: sum of x[i]. */
typedef float (*CnnSumKernel) (const float *x, size_t n);

/** CnnPeakKernel: nothing but multiply-adds in registers, to know what this
 * processor can do. Returns: floating point operations done in @rounds. */
typedef double (*CnnPeakKernel) (long rounds);

/**
 * CnnKernels:
 * @name: of the best instruction set in it
 * @lanes: floats in a vector, to choose between ways of cutting the work
 * @sample_block: most output channels of a CnnSampleConvRun
 */
typedef struct CnnKernels
{
  const char *name;
  int lanes, sample_block;
  CnnConvKernel conv;
  CnnConvU8Kernel conv_u8;
  CnnConvU8Pack pack_u8;
  CnnQuantiseKernel quantise;
  CnnProductKernel product;
  CnnCollectKernel collect;
  CnnPadKernel pad;
  CnnDepthwiseKernel depthwise;
  CnnWeaveKernel weave;
  CnnWinogradInputKernel winograd_input;
  CnnWinogradOutputKernel winograd_output;
  CnnCorrelateKernel correlate;
  CnnInterleaveKernel interleave;
  CnnDeinterleaveKernel deinterleave;
  CnnSampleConvKernel sample_conv;
  CnnSamplePoolKernel sample_max_pool, sample_average_pool;
  CnnSamplePoolGradientKernel sample_max_pool_gradient,
      sample_average_pool_gradient;
  CnnGemmKernel gemm_nn, gemm_nt;
  CnnMapKernel map;
  CnnMapGradientKernel map_gradient;
  CnnBinaryKernel binary;
  CnnPoolKernel max_pool_2x2, average_pool_2x2;
  CnnMaxTapKernel max_tap;
  CnnPoolGradientKernel max_pool_2x2_gradient, average_pool_2x2_gradient;
  CnnSumKernel sum;
  CnnPeakKernel peak;
} CnnKernels;

/** cnn_kernels_init: fills @kernels for CNN_CPU_ @flags (cpu.h). A pure
 * function of its flags, so tests may choose any that the processor has. */
void cnn_kernels_init (CnnKernels *kernels, unsigned flags);

/** cnn_kernels: Returns: the table for this processor. Threads: any. */
const CnnKernels *cnn_kernels (void);

/* Each instruction set's file overwrites what it has. */
void cnn_kernels_init_portable (CnnKernels *kernels);
void cnn_kernels_init_avx2 (CnnKernels *kernels);
void cnn_kernels_init_avx512 (CnnKernels *kernels);
void cnn_kernels_init_avxvnni (CnnKernels *kernels);
void cnn_kernels_init_vnni (CnnKernels *kernels);
void cnn_kernels_init_amx (CnnKernels *kernels);
void cnn_kernels_init_neon (CnnKernels *kernels);

#endif
