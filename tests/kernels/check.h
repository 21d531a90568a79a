/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* check.h: what the checks of the kernels share. */

#ifndef TESTS_KERNELS_CHECK_H
#define TESTS_KERNELS_CHECK_H

#include <glib.h>

#include "base/rng.h"
#include "kernels/kernels.h"

/** CHECK_MARGIN: floats behind every buffer; reads may go there, writes not. */
#define CHECK_MARGIN 128

/** check_input: @n random floats in -1..1 with NaN behind them, as far as
 * kernels may read. Free with g_free(). */
float *check_input (CnnRng *rng, gsize n);

/** check_output: @n random floats with a known pattern behind them, and
 * nothing else that may be written. */
float *check_output (CnnRng *rng, gsize n);
/** check_margin: fails if something was written behind @n floats. */
void check_margin (const char *what, const float *output, gsize n);

/** check_close: fails unless @got is within @terms roundings of @magnitude,
 * the sum of |a * b|, of @expected. */
void check_close (const char *what, gsize i, double got, double expected,
    double magnitude, int terms);

/** check_activated: Returns: @f of @x in double precision. */
double check_activated (CnnActivation f, double x);

void check_conv (gconstpointer kernels);
void check_conv_pieces (gconstpointer kernels);
void check_conv_u8 (gconstpointer kernels);
void check_quantise_u8 (gconstpointer kernels);
void check_product (gconstpointer kernels);
void check_product_pieces (gconstpointer kernels);
void check_collect (gconstpointer kernels);
void check_depthwise (gconstpointer kernels);
void check_pad (gconstpointer kernels);
void check_winograd_input (gconstpointer kernels);
void check_winograd_input_pieces (gconstpointer kernels);
void check_winograd_output (gconstpointer kernels);
void check_winograd_output_rows (gconstpointer kernels);
void check_winograd_apart (gconstpointer kernels);
void check_winograd_output_pieces (gconstpointer kernels);
void check_weave (gconstpointer kernels);
void check_correlate (gconstpointer kernels);
void check_interleave (gconstpointer kernels);
void check_sample_conv (gconstpointer kernels);
void check_sample_pools (gconstpointer kernels);
void check_gemm_nn (gconstpointer kernels);
void check_gemm_nt (gconstpointer kernels);
void check_map (gconstpointer kernels);
void check_map_range (gconstpointer kernels);
void check_binary (gconstpointer kernels);
void check_pools (gconstpointer kernels);
void check_max_tap (gconstpointer kernels);
void check_map_gradient (gconstpointer kernels);
void check_pool_gradients (gconstpointer kernels);
void check_sum (gconstpointer kernels);

/** bench_all: prints what each layer of some networks reaches. */
void bench_all (const CnnKernels *kernels);

#endif
