/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* all_f32.h: every kernel of one instruction set, and the function that puts
 * them into the table. What the including file says: ISA, its name; LANES;
 * REGISTERS, vectors that it can hold at once. */

#ifndef CNN_KERNELS_ALL_F32_H
#define CNN_KERNELS_ALL_F32_H

/* Accumulators leave room for the operands of one step: a row of pixels and a
 * weight. */
#if REGISTERS >= 32
#define TILE_OC           8
#define TILE_ACCUMULATORS 24
#define SAMPLE_OC         12
#define CORRELATE_OC      5
#define CORRELATE_TAPS    5
#define GEMM_ROWS         8
#define GEMM_VECS         4
#define DOT_ROWS          8
#define DOT_COLUMNS       4
#else
#define TILE_OC           4
#define TILE_ACCUMULATORS (REGISTERS - 4)
#define SAMPLE_OC         6
#define CORRELATE_OC      2
#define CORRELATE_TAPS    5
#define GEMM_ROWS         4
#define GEMM_VECS         3
#define DOT_ROWS          4
#define DOT_COLUMNS       4
#endif

/* The last tile of a row needs two vectors (conv_f32.h). */
_Static_assert(TILE_ACCUMULATORS / TILE_OC >= 3, "tiles too narrow");

#include "kernels/element_f32.h"

#include "kernels/conv_f32.h"
#include "kernels/conv_u8.h"
#include "kernels/correlate_f32.h"
#include "kernels/depthwise_f32.h"
#include "kernels/gemm_f32.h"
#include "kernels/pad_f32.h"
#include "kernels/quantise_u8.h"
#include "kernels/samples_f32.h"
#include "kernels/product_f32.h"
#include "kernels/winograd_f32.h"

#define TEXT2(x) #x
#define TEXT(x)  TEXT2 (x)

void
KERNEL (cnn_kernels_init) (CnnKernels *kernels)
{
  *kernels = (CnnKernels){
    .name = TEXT (ISA),
    .lanes = LANES,
    .sample_block = SAMPLE_OC,
    .conv = KERNEL (cnn_conv_f32),
    .conv_u8 = KERNEL (cnn_conv_u8),
    .pack_u8 = KERNEL (cnn_pack_u8),
    .quantise = KERNEL (cnn_quantise_u8),
    .weave = KERNEL (cnn_weave_f32),
    .product = KERNEL (cnn_product_f32),
    .collect = KERNEL (cnn_collect_f32),
    .pad = KERNEL (cnn_pad_f32),
    .depthwise = KERNEL (cnn_depthwise_f32),
    .winograd_input = KERNEL (cnn_winograd_input_f32),
    .winograd_output = KERNEL (cnn_winograd_output_f32),
    .correlate = KERNEL (cnn_correlate_f32),
    .interleave = KERNEL (cnn_interleave_f32),
    .deinterleave = KERNEL (cnn_deinterleave_f32),
    .sample_conv = KERNEL (cnn_sample_conv_f32),
    .sample_max_pool = KERNEL (cnn_sample_max_pool_f32),
    .sample_average_pool = KERNEL (cnn_sample_average_pool_f32),
    .sample_max_pool_gradient = KERNEL (cnn_sample_max_pool_gradient_f32),
    .sample_average_pool_gradient =
        KERNEL (cnn_sample_average_pool_gradient_f32),
    .gemm_nn = KERNEL (cnn_gemm_nn_f32),
    .gemm_nt = KERNEL (cnn_gemm_nt_f32),
    .map = KERNEL (cnn_map_f32),
    .map_gradient = KERNEL (cnn_map_gradient_f32),
    .binary = KERNEL (cnn_binary_f32),
    .max_pool_2x2 = KERNEL (cnn_max_pool_2x2_f32),
    .average_pool_2x2 = KERNEL (cnn_average_pool_2x2_f32),
    .max_tap = KERNEL (cnn_max_tap_f32),
    .max_pool_2x2_gradient = KERNEL (cnn_max_pool_2x2_gradient_f32),
    .average_pool_2x2_gradient = KERNEL (cnn_average_pool_2x2_gradient_f32),
    .sum = KERNEL (cnn_sum_f32),
    .peak = KERNEL (cnn_peak_f32),
  };
}

#endif
