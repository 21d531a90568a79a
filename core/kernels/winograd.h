/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* winograd.h: contracts of the transforms of Winograd's minimal filtering.
 *
 * An m x m tile of a convolution's output with an r x r kernel is
 *   Y = A' [sum over channels (G g G') . (B' d B)] A
 * of the alpha x alpha pixels d under it, alpha = m + r - 1: alpha^2 products a
 * channel instead of m^2 r^2. The sums over channels are alpha^2 matrix
 * products with tiles as columns. A, B and G come from polynomials through
 * alpha - 1 points and infinity (Toom and Cook's algorithm): row i of B' holds
 * the coefficients of prod over l != i of (x - a_l), that of infinity those of
 * all factors; A'[j][i] = a_i^j; G[i][k] = a_i^k / prod over l != i of
 * (a_i - a_l). All points are powers of two, so that A's and half of B's
 * products are exact; docs/winograd.md has the errors that were measured.
 *
 * Source: Winograd, Arithmetic Complexity of Computations, 1980; Lavin and
 * Gray, Fast Algorithms for Convolutional Neural Networks, 2015. */

#ifndef CNN_KERNELS_WINOGRAD_H
#define CNN_KERNELS_WINOGRAD_H

#include <stddef.h>

#include "kernels/activation.h"

/** CNN_WINOGRAD_TILES: most tiles in one call of a transform. */
#define CNN_WINOGRAD_TILES 48

/** CNN_WINOGRAD_ALPHA: the largest alpha. */
#define CNN_WINOGRAD_ALPHA 8

/** CNN_WINOGRAD_SPARE: floats of spare memory that an input transform needs. */
#define CNN_WINOGRAD_SPARE 8192

/**
 * CnnWinogradForm:
 * F (m, r); the first alpha - 1 of the points 0, 1, -1, 2, -2, 1/2, -1/2, then
 * infinity.
 */
typedef enum
{
  CNN_WINOGRAD_4_5, /* alpha 8 */
  CNN_WINOGRAD_6_3, /* alpha 8 */
  CNN_WINOGRAD_2_5, /* alpha 6 */
  CNN_WINOGRAD_4_3, /* alpha 6 */
  CNN_WINOGRAD_2_3, /* alpha 4 */
  CNN_WINOGRAD_FORMS
} CnnWinogradForm;

/**
 * CnnWinogradInput:
 * @in: plane of @h x @w pixels, dense; what lies outside counts as 0
 * @y, @x: pixel under the corner of the first tile, which may lie outside
 * @n: tiles beside each other, m pixels apart, at most CNN_WINOGRAD_TILES
 * @out: n values for the first of alpha^2 products, row by row; @out_step
 *   elements to the next
 * @spare: CNN_WINOGRAD_SPARE floats
 *
 * One channel: out[f][t] = (B' d[t] B)[f].
 */
typedef struct
{
  CnnWinogradForm form;
  const float *in;
  int h, w, y, x;
  int n;
  float *out;
  size_t out_step;
  float *spare;
} CnnWinogradInput;

/**
 * CnnWinogradOutput:
 * @in: n values of the first of alpha^2 products, @in_step elements to the next
 * @first, @n: number of the first tile, counted row by row, and how many
 * @across: tiles in a row
 * @bias: added to every pixel
 * @pooling: 2x2 pooling after the activation; then rows, columns and out are
 *   those of the smaller map
 * @out: pixel of the corner of tile 0, @pitch elements from row to row
 * @rows, @columns: pixels from there that exist; others are not written
 * @apart: pixels are not woven together: number (i, j) of tile t goes to
 *   out[(i*m + j)*pitch + t], of all n tiles rounded up to whole vectors;
 *   nothing is pooled, and where the tiles are does not matter
 *
 * One channel: out = pool (f (A' in[t] A + bias)).
 */
typedef struct
{
  CnnWinogradForm form;
  const float *in;
  size_t in_step;
  int first, n, across;
  float bias;
  CnnActivation activation;
  CnnFusedPool pooling;
  float *out;
  size_t pitch;
  int rows, columns;
  int apart;
} CnnWinogradOutput;

/** CnnWeaveKernel: out[t*m + j] = in[j*step + t], j < m, of which the first
 * @columns are written; m is 2, 4 or 6. */
typedef void (*CnnWeaveKernel) (const float *in, size_t step, int m, float *out,
    int columns);

typedef void (*CnnWinogradInputKernel) (const CnnWinogradInput *run);
typedef void (*CnnWinogradOutputKernel) (const CnnWinogradOutput *run);

#endif
