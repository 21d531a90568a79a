/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* conv.h (internal): what the files of the Conv operator share. */

#ifndef CNN_OPS_CONV_H
#define CNN_OPS_CONV_H

#include "kernels/kernels.h"
#include "ops/conv_tail.h"
#include "ops/window.h"

/** CNN_CONV_INPUTS: inputs of a Conv; scale, bias, mean and variance of a
 * BatchNormalization that it has taken over follow them, then weights and bias
 * of each 1x1 convolution (cnn_conv_stage_input()). */
#define CNN_CONV_INPUTS      3
#define CNN_CONV_NORM_INPUTS 4

/** CnnConvTailParams: one of these. */
typedef struct
{
  int oc;
  CnnActivation activation;
} CnnConvTailParams;

/**
 * CnnConvParams:
 * @normalised, @epsilon, @activation, @pooling, @tail: taken over from the
 *   operators after it; there is no tail where it pools
 */
typedef struct
{
  CnnWindow window;
  int64_t group;
  bool normalised;
  float epsilon;
  CnnActivation activation;
  CnnFusedPool pooling;
  CnnConvTailParams tail[CNN_CONV_STAGES - 1];
  int n_tail;
} CnnConvParams;

/** CNN_CONV_DIRECT, CNN_CONV_DOT, CNN_CONV_WINOGRAD: variants; those from
 * CNN_CONV_WINOGRAD on are Winograd's forms. */
enum
{
  CNN_CONV_DIRECT,
  CNN_CONV_DOT,
  CNN_CONV_WINOGRAD
};

/** cnn_conv_parse: a CnnConvParams; ConvInteger and QLinearConv have the same
 * attributes. */
CnnStatus
cnn_conv_parse (const CnnAttributes *attributes, void *params, CnnError *error);

/** cnn_conv_check_weights: kernels, channels and groups against an input of
 * shape @in; at most @most channels. Errors: CNN_ERROR_SHAPE. */
CnnStatus cnn_conv_check_weights (const CnnConvParams *params,
    const CnnShape *in, const CnnShape *weights, int64_t most, CnnError *error);

/**
 * CnnConvSizes:
 * @ic, @oc: channels of one group
 * @last_oc: channels of the output, after the last stage of its tail
 * @most_oc: of the largest stage
 * @oh, @ow: of the output, which @pooling has made smaller
 * @kernel ... @pad: vertical, horizontal; @pad before pixel 0
 * @copied: the planes are copied, to add padding, and, where strides are sy and
 *   sx, to sort pixels: those with y % sy = 0 and x % sx = 0 come first, then
 *   x % sx = 1 and so on, then y % sy = 1 ...
 * @phases: how many such sets of pixels there are
 * @rows, @pitch: rows of one, elements from row to row
 * @phase: elements from one to the next
 * @row_step: from what an output row reads to what the next reads
 *
 * All of a Conv in numbers that have been checked.
 */
typedef struct
{
  int n, group, ic, oc, last_oc, most_oc, h, w, oh, ow;
  int kernel[2], stride[2], dilation[2], pad[2];
  CnnFusedPool pooling;
  bool copied;
  int phases[2], rows;
  size_t pitch, phase, plane, row_step;
} CnnConvSizes;

CnnConvSizes cnn_conv_sizes (const CnnConvParams *params, const CnnTensor *in,
    const CnnTensor *weights, const CnnTensor *out);

/** cnn_conv_lay_out: @rows and the sizes after it, from the others. */
void cnn_conv_lay_out (CnnConvSizes *sizes);

/** cnn_conv_taps: writes kernel[0] * kernel[1] offsets into a plane. */
void cnn_conv_taps (const CnnConvSizes *sizes, ptrdiff_t *taps);

/** cnn_conv_copy: the planes of one group of one sample, as the kernels want
 * them: into @to, ic * plane floats. */
void cnn_conv_copy (const CnnConvSizes *sizes, const CnnKernels *kernels,
    CnnPool *pool, const float *in, float *to);

/** cnn_conv_packed_floats: those of the Conv itself; those of its tail's stages
 * follow in what pack() writes. */
size_t cnn_conv_packed_floats (const CnnConvParams *params,
    const CnnShape *weights, int variant);

/** cnn_conv_stage_input: which input holds the weights of stage @k of the tail.
 */
static inline int
cnn_conv_stage_input (const CnnConvParams *params, int k)
{
  return CNN_CONV_INPUTS + (params->normalised ? CNN_CONV_NORM_INPUTS : 0)
      + 2 * k;
}

/** cnn_conv_bias: Returns: (nullable): of all groups, with what normalising
 * adds. @packed: what pack() wrote. */
const float *cnn_conv_bias (const CnnOpCall *call, const void *packed);

/** cnn_conv_tail: its tail in @call. @with_head: with the Conv itself, 1x1, as
 * the first stage. */
CnnConvTail
cnn_conv_tail (const CnnOpCall *call, const void *packed, bool with_head);

size_t cnn_conv_forward_bytes (const CnnConvParams *params,
    const CnnConvSizes *sizes, bool packs, const CnnPool *pool);
void cnn_conv_forward (const CnnOpCall *call);

/** cnn_conv_is_depthwise: one input channel a group, and all of a size for
 * cnn_conv_depthwise_run(). */
bool cnn_conv_is_depthwise (const CnnConvSizes *sizes);

/**
 * CnnConvDepthwise:
 * @sizes: of the whole map; @region: what is wanted of it
 * @weights, @bias: (nullable): of all groups
 * @spare: cnn_conv_depthwise_bytes() of memory for each thread of @pool
 */
typedef struct
{
  const CnnKernels *kernels;
  CnnPool *pool;
  const CnnConvSizes *sizes;
  CnnRegion region;
  const float *in, *weights, *bias;
  float *out;
  CnnActivation activation;
  void *spare;
} CnnConvDepthwise;

size_t cnn_conv_depthwise_bytes (const CnnConvSizes *sizes);
void cnn_conv_depthwise_run (const CnnConvDepthwise *run);

/** cnn_conv_is_dot: does the kernel cover all of the input? */
bool cnn_conv_is_dot (const CnnConvSizes *sizes);
size_t cnn_conv_dot_bytes (const CnnConvSizes *sizes);
void cnn_conv_dot (const CnnOpCall *call, const CnnConvSizes *sizes);

/** cnn_conv_choose: Returns: the variant that should be fastest with vectors
 * of @lanes. */
int cnn_conv_choose (const CnnConvSizes *sizes, int lanes);

/** cnn_conv_winograd_bytes: scratch for cnn_conv_winograd(). */
size_t cnn_conv_winograd_bytes (const CnnConvParams *params,
    const CnnConvSizes *sizes, CnnWinogradForm form, const CnnPool *pool);
/** cnn_conv_winograd_packed: floats that cnn_conv_winograd_pack() writes for
 * @weights, oc*group ic r r. */
size_t
cnn_conv_winograd_packed (const CnnConvSizes *sizes, CnnWinogradForm form);
/** cnn_conv_winograd_pack: @scale: (nullable): of each output channel. */
void cnn_conv_winograd_pack (const CnnConvSizes *sizes, CnnWinogradForm form,
    const float *weights, const float *scale, float *packed);
/** cnn_conv_winograd: @region begins and ends where tiles do, or at the map's
 * end. */
void cnn_conv_winograd (const CnnOpCall *call, const CnnConvSizes *sizes,
    const CnnRegion *region, CnnWinogradForm form);

/** cnn_conv_learn_forward: cnn_conv_forward() in training.
 * cnn_conv_learn_bytes, cnn_conv_backward_bytes: scratch that each pass needs;
 * cnn_conv_learn_kept_bytes: what the first keeps for the second. */
void cnn_conv_learn_forward (const CnnOpCall *call);
size_t cnn_conv_learn_bytes (const CnnConvSizes *sizes);
size_t
cnn_conv_learn_kept_bytes (const CnnConvSizes *sizes, CnnActivation activation);

size_t cnn_conv_backward_bytes (const CnnConvSizes *sizes);
void cnn_conv_backward (const CnnOpCall *call, const CnnOpGrad *grad);

#endif
