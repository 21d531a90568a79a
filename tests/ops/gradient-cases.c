/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gradient-cases.c: attributes and inputs for the gradient check, an operator or
 * more with backward() each. Values are drawn so that no kink (Relu, maxima)
 * lies within GRADIENT_H. */

#include "gradient-cases.h"

#include <math.h>


/* Values of at least @low in size, at least 4 H apart from each other: a
 * shuffled grid. */
static CnnTensor *
grid_input (OpCase *c, CnnRng *rng, CnnShape shape, float low)
{
  CnnTensor *t = op_case_input (c, CNN_TYPE_FLOAT32, &shape, NULL);
  gsize n = tensor_elements (t);
  float *x = t->data;
  for (gsize i = 0; i < n; i++) {
    gsize j = cnn_rng_int (rng, (guint32) i + 1);
    x[i] = x[j];
    float v = low + 0.07f * (float) (i / 2);
    x[j] = i % 2 ? -v : v;
  }
  return t;
}

static CnnTensor *
random_input (OpCase *c, CnnRng *rng, CnnShape shape)
{
  CnnTensor *t = op_case_input (c, CNN_TYPE_FLOAT32, &shape, NULL);
  for (gsize i = 0; i < tensor_elements (t); i++)
    ((float *) t->data)[i] = cnn_rng_range (rng, -1, 1);
  return t;
}

static void
positive (CnnTensor *t)
{
  float *x = t->data;
  for (gsize i = 0; i < tensor_elements (t); i++)
    x[i] = fabsf (x[i]) + 0.5f;
}

static void
conv_plain (OpCase *c, CnnRng *rng)
{
  random_input (c, rng, SHAPE (2, 3, 7, 9));
  random_input (c, rng, SHAPE (5, 3, 3, 2));
  random_input (c, rng, SHAPE (5));
}

static void
conv_one_tap (OpCase *c, CnnRng *rng)
{
  random_input (c, rng, SHAPE (2, 9, 3, 5));
  random_input (c, rng, SHAPE (4, 9, 1, 1));
}

static void
conv_all (OpCase *c, CnnRng *rng)
{
  static const gint64 strides[] = { 2, 3 }, pads[] = { 1, 2, 0, 3 };
  static const gint64 dilations[] = { 2, 1 };
  random_input (c, rng, SHAPE (2, 4, 9, 10));
  random_input (c, rng, SHAPE (6, 2, 3, 4));
  random_input (c, rng, SHAPE (6));
  op_case_ints (c, "strides", strides, 2);
  op_case_ints (c, "pads", pads, 4);
  op_case_ints (c, "dilations", dilations, 2);
  op_case_int (c, "group", 2);
}

static void
conv_more_padding_than_kernel (OpCase *c, CnnRng *rng)
{
  static const gint64 pads[] = { 4, 4, 4, 4 };
  random_input (c, rng, SHAPE (1, 1, 3, 3));
  random_input (c, rng, SHAPE (1, 1, 2, 2));
  op_case_ints (c, "pads", pads, 4);
}

static void
conv_1d (OpCase *c, CnnRng *rng)
{
  static const gint64 strides[] = { 2 };
  random_input (c, rng, SHAPE (2, 3, 17));
  random_input (c, rng, SHAPE (2, 3, 5));
  random_input (c, rng, SHAPE (2));
  op_case_ints (c, "strides", strides, 1);
}

static void
pool_2x2 (OpCase *c, CnnRng *rng)
{
  static const gint64 two[] = { 2, 2 };
  grid_input (c, rng, SHAPE (2, 2, 5, 8), 0.1f);
  op_case_ints (c, "kernel_shape", two, 2);
  op_case_ints (c, "strides", two, 2);
}

static void
pool_padded (OpCase *c, CnnRng *rng)
{
  static const gint64 kernel[] = { 3, 2 }, strides[] = { 2, 1 };
  static const gint64 pads[] = { 1, 0, 2, 1 };
  grid_input (c, rng, SHAPE (1, 2, 6, 5), 0.1f);
  op_case_ints (c, "kernel_shape", kernel, 2);
  op_case_ints (c, "strides", strides, 2);
  op_case_ints (c, "pads", pads, 4);
  op_case_int (c, "ceil_mode", 1);
}

static void
pool_counting_padding (OpCase *c, CnnRng *rng)
{
  pool_padded (c, rng);
  op_case_int (c, "count_include_pad", 1);
}

static void
gemm (OpCase *c, CnnRng *rng, int trans_a, int trans_b, CnnShape bias)
{
  random_input (c, rng, trans_a ? SHAPE (7, 3) : SHAPE (3, 7));
  random_input (c, rng, trans_b ? SHAPE (5, 7) : SHAPE (7, 5));
  random_input (c, rng, bias);
  op_case_int (c, "transA", trans_a);
  op_case_int (c, "transB", trans_b);
  op_case_float (c, "alpha", 0.75f);
  op_case_float (c, "beta", 1.5f);
}

static void
gemm_nn (OpCase *c, CnnRng *rng)
{
  gemm (c, rng, 0, 0, SHAPE (5));
}

static void
gemm_nt (OpCase *c, CnnRng *rng)
{
  gemm (c, rng, 0, 1, SHAPE (3, 1));
}

static void
gemm_tn (OpCase *c, CnnRng *rng)
{
  gemm (c, rng, 1, 0, SHAPE (3, 5));
}

static void
gemm_tt (OpCase *c, CnnRng *rng)
{
  gemm (c, rng, 1, 1, SHAPE (1, 5));
}

static void
matmul (OpCase *c, CnnRng *rng)
{
  random_input (c, rng, SHAPE (4, 6));
  random_input (c, rng, SHAPE (6, 3));
}

static void
matmul_weights (OpCase *c, CnnRng *rng)
{
  random_input (c, rng, SHAPE (2, 3, 4, 5));
  random_input (c, rng, SHAPE (5, 3));
}

static void
matmul_batches (OpCase *c, CnnRng *rng)
{
  random_input (c, rng, SHAPE (3, 1, 2, 5));
  random_input (c, rng, SHAPE (4, 5, 3));
}

static void
matmul_vector (OpCase *c, CnnRng *rng)
{
  random_input (c, rng, SHAPE (2, 3, 5));
  random_input (c, rng, SHAPE (5));
}

static void
same_shapes (OpCase *c, CnnRng *rng)
{
  grid_input (c, rng, SHAPE (3, 5), 0.5f);
  grid_input (c, rng, SHAPE (3, 5), 0.5f);
}

static void
stretched (OpCase *c, CnnRng *rng)
{
  grid_input (c, rng, SHAPE (2, 1, 3, 4), 0.5f);
  grid_input (c, rng, SHAPE (5, 1, 4), 0.5f);
}

static void
stretched_channels (OpCase *c, CnnRng *rng)
{
  grid_input (c, rng, SHAPE (3, 1, 1), 0.5f);
  grid_input (c, rng, SHAPE (2, 3, 2, 3), 0.5f);
}

static void
pointwise (OpCase *c, CnnRng *rng)
{
  grid_input (c, rng, SHAPE (3, 13), 0.1f);
}

static void
classes (OpCase *c, CnnRng *rng)
{
  random_input (c, rng, SHAPE (3, 11));
}

static void
class_map (OpCase *c, CnnRng *rng)
{
  random_input (c, rng, SHAPE (2, 5, 3, 2));
  op_case_int (c, "axis", 1);
}

static void
classes_as_matrix (OpCase *c, CnnRng *rng)
{
  c->opset = 11;
  random_input (c, rng, SHAPE (2, 5, 3));
}

static void
dropout (OpCase *c, CnnRng *rng)
{
  float ratio = 0.4f;
  CnnShape scalar = { 0 };
  c->seed = 4711;
  random_input (c, rng, SHAPE (5, 20));
  op_case_input (c, CNN_TYPE_FLOAT32, &scalar, &ratio);
  c->constant[1] = TRUE;
}

static void
reshape (OpCase *c, CnnRng *rng)
{
  static const gint64 target[] = { 0, -1 };
  CnnShape shape = SHAPE (2);
  random_input (c, rng, SHAPE (2, 3, 4));
  op_case_input (c, CNN_TYPE_INT64, &shape, target);
  c->constant[1] = TRUE;
}

static void
batch_norm (OpCase *c, CnnRng *rng)
{
  random_input (c, rng, SHAPE (2, 3, 2, 3));
  for (int i = 0; i < 4; i++)
    random_input (c, rng, SHAPE (3));
  positive (&c->in[4]);
  c->constant[3] = c->constant[4] = TRUE; /* no gradient is wanted */
}

/* Away from 0, where some functions end. */
static void
positive_pointwise (OpCase *c, CnnRng *rng)
{
  pointwise (c, rng);
  positive (&c->in[0]);
}

static void
positive_pair (OpCase *c, CnnRng *rng)
{
  stretched (c, rng);
  positive (&c->in[0]);
}

static void
slopes (OpCase *c, CnnRng *rng)
{
  grid_input (c, rng, SHAPE (2, 3, 2, 3), 0.1f);
  random_input (c, rng, SHAPE (3, 1, 1));
}

static void
thresholded (OpCase *c, CnnRng *rng)
{
  pointwise (c, rng);
  op_case_float (c, "alpha", 0.345f);
}

static void
tanh_gelu (OpCase *c, CnnRng *rng)
{
  pointwise (c, rng);
  op_case_string (c, "approximate", "tanh");
}

static void
three (OpCase *c, CnnRng *rng)
{
  grid_input (c, rng, SHAPE (2, 3), 0.1f);
  for (int i = 1; i < 3; i++) {
    grid_input (c, rng, i == 1 ? SHAPE (3) : SHAPE (2, 1), 0.1f);
    for (gsize e = 0; e < tensor_elements (&c->in[i]); e++)
      ((float *) c->in[i].data)[e] += 0.02f * (float) i;
  }
}

static void
ints (OpCase *c, CnnShape shape, const gint64 *values)
{
  op_case_input (c, CNN_TYPE_INT64, &shape, values);
  c->constant[c->n_in - 1] = TRUE;
}

static void
where (OpCase *c, CnnRng *rng)
{
  static const guint8 side[] = { 1, 0, 0, 1, 1, 0 };
  CnnShape shape = SHAPE (2, 3);
  op_case_input (c, CNN_TYPE_BOOL, &shape, side);
  random_input (c, rng, SHAPE (2, 3));
  random_input (c, rng, SHAPE (2, 1));
}

static void
clip (OpCase *c, CnnRng *rng)
{
  static const float bounds[] = { -0.33f, 0.33f };
  CnnShape scalar = { 0 };
  pointwise (c, rng);
  for (int i = 0; i < 2; i++) {
    op_case_input (c, CNN_TYPE_FLOAT32, &scalar, &bounds[i]);
    c->constant[i + 1] = TRUE;
  }
}

static void
transpose (OpCase *c, CnnRng *rng)
{
  static const gint64 perm[] = { 2, 0, 1 };
  random_input (c, rng, SHAPE (2, 3, 4));
  op_case_ints (c, "perm", perm, 3);
}

static void
squeeze (OpCase *c, CnnRng *rng)
{
  static const gint64 axes[] = { 1 };
  random_input (c, rng, SHAPE (2, 1, 4));
  ints (c, SHAPE (1), axes);
}

static void
expand (OpCase *c, CnnRng *rng)
{
  static const gint64 shape[] = { 2, 3, 4 };
  random_input (c, rng, SHAPE (3, 1));
  ints (c, SHAPE (3), shape);
}

static void
tile (OpCase *c, CnnRng *rng)
{
  static const gint64 repeats[] = { 2, 3 };
  random_input (c, rng, SHAPE (2, 3));
  ints (c, SHAPE (2), repeats);
}

static void
slice (OpCase *c, CnnRng *rng)
{
  static const gint64 starts[] = { -1, 1 }, ends[] = { -5, 4 };
  static const gint64 axes[] = { 1, 0 }, steps[] = { -2, 1 };
  random_input (c, rng, SHAPE (4, 5));
  ints (c, SHAPE (2), starts);
  ints (c, SHAPE (2), ends);
  ints (c, SHAPE (2), axes);
  ints (c, SHAPE (2), steps);
}

static void
blocks (OpCase *c, CnnRng *rng)
{
  random_input (c, rng, SHAPE (2, 8, 4, 2));
  op_case_int (c, "blocksize", 2);
}

static void
concat (OpCase *c, CnnRng *rng)
{
  random_input (c, rng, SHAPE (2, 3, 2));
  random_input (c, rng, SHAPE (2, 1, 2));
  op_case_int (c, "axis", 1);
}

static void
concat_one (OpCase *c, CnnRng *rng)
{
  random_input (c, rng, SHAPE (2, 3, 2));
  op_case_int (c, "axis", 1);
}

static void
gather (OpCase *c, CnnRng *rng)
{
  static const gint64 indices[] = { 2, 0, -1, 2 };
  random_input (c, rng, SHAPE (2, 3, 2));
  ints (c, SHAPE (2, 2), indices);
  op_case_int (c, "axis", 1);
}

static void
pad (OpCase *c, CnnRng *rng, const char *mode)
{
  static const gint64 pads[] = { 0, 2, 0, -1 };
  random_input (c, rng, SHAPE (3, 4));
  ints (c, SHAPE (4), pads);
  op_case_string (c, "mode", mode);
}

static void
pad_constant (OpCase *c, CnnRng *rng)
{
  pad (c, rng, "constant");
}

static void
pad_reflect (OpCase *c, CnnRng *rng)
{
  pad (c, rng, "reflect");
}

static void
resize (OpCase *c, CnnRng *rng, const char *mode)
{
  static const float scales[] = { 1, 1, 2.5f, 0.6f };
  CnnShape four = SHAPE (4);
  random_input (c, rng, SHAPE (1, 2, 3, 5));
  op_case_input (c, CNN_TYPE_NONE, NULL, NULL);
  op_case_input (c, CNN_TYPE_FLOAT32, &four, scales);
  c->constant[2] = TRUE;
  op_case_string (c, "mode", mode);
}

static void
resize_nearest (OpCase *c, CnnRng *rng)
{
  resize (c, rng, "nearest");
}

static void
resize_linear (OpCase *c, CnnRng *rng)
{
  resize (c, rng, "linear");
}

static void
resize_cubic (OpCase *c, CnnRng *rng)
{
  resize (c, rng, "cubic");
}

static void
upsample (OpCase *c, CnnRng *rng)
{
  static const float scales[] = { 1, 1, 2, 3 };
  CnnShape four = SHAPE (4);
  c->opset = 9;
  random_input (c, rng, SHAPE (1, 2, 3, 2));
  op_case_input (c, CNN_TYPE_FLOAT32, &four, scales);
  c->constant[1] = TRUE;
}

static void
reduce (OpCase *c, CnnRng *rng)
{
  static const gint64 axes[] = { 0, -1 };
  c->opset = 18;
  grid_input (c, rng, SHAPE (2, 3, 3), 0.2f);
  for (gsize e = 0; e < tensor_elements (&c->in[0]); e++)
    ((float *) c->in[0].data)[e] += 1.5f;
  ints (c, SHAPE (2), axes);
}

static void
channels (OpCase *c, CnnRng *rng)
{
  random_input (c, rng, SHAPE (2, 5, 2, 2));
}

static void
lrn (OpCase *c, CnnRng *rng)
{
  channels (c, rng);
  op_case_int (c, "size", 3);
  op_case_float (c, "alpha", 0.7f);
}

static void
lp_normalization (OpCase *c, CnnRng *rng)
{
  grid_input (c, rng, SHAPE (2, 5, 3), 0.1f);
  op_case_int (c, "axis", 1);
  op_case_int (c, "p", 1);
}

static void
lp_normalization_2 (OpCase *c, CnnRng *rng)
{
  grid_input (c, rng, SHAPE (2, 5, 3), 0.1f);
  op_case_int (c, "axis", 1);
}

static void
norm (OpCase *c, CnnRng *rng, CnnShape weights)
{
  random_input (c, rng, SHAPE (2, 4, 3, 2));
  random_input (c, rng, weights);
  random_input (c, rng, weights);
}

static void
instance_norm (OpCase *c, CnnRng *rng)
{
  norm (c, rng, SHAPE (4));
}

static void
group_norm (OpCase *c, CnnRng *rng)
{
  c->opset = 21;
  norm (c, rng, SHAPE (4));
  op_case_int (c, "num_groups", 2);
}

static void
group_norm_18 (OpCase *c, CnnRng *rng)
{
  c->opset = 18;
  norm (c, rng, SHAPE (2));
  op_case_int (c, "num_groups", 2);
}

static void
layer_norm (OpCase *c, CnnRng *rng)
{
  norm (c, rng, SHAPE (3, 2));
  op_case_int (c, "axis", 2);
}

static void
batch_norm_training (OpCase *c, CnnRng *rng)
{
  batch_norm (c, rng);
  op_case_int (c, "training_mode", 1);
}

static void
pool_3d (OpCase *c, CnnRng *rng)
{
  static const gint64 kernel[] = { 2, 3, 2 }, strides[] = { 1, 2, 1 };
  static const gint64 pads[] = { 1, 0, 1, 0, 1, 0 };
  grid_input (c, rng, SHAPE (1, 1, 3, 5, 4), 0.1f);
  op_case_ints (c, "kernel_shape", kernel, 3);
  op_case_ints (c, "strides", strides, 3);
  op_case_ints (c, "pads", pads, 6);
}

static void
pool_p (OpCase *c, CnnRng *rng)
{
  pool_padded (c, rng);
  op_case_int (c, "p", 3);
}

static void
planes (OpCase *c, CnnRng *rng)
{
  grid_input (c, rng, SHAPE (2, 2, 3, 4), 0.1f);
}

static void
transposed (OpCase *c, CnnRng *rng)
{
  random_input (c, rng, SHAPE (2, 3, 4, 3));
  random_input (c, rng, SHAPE (3, 2, 2, 3));
  random_input (c, rng, SHAPE (2));
}

static void
transposed_all (OpCase *c, CnnRng *rng)
{
  static const gint64 strides[] = { 2, 3 }, pads[] = { 1, 0, 0, 2 };
  static const gint64 dilations[] = { 1, 2 }, more[] = { 1, 0 };
  random_input (c, rng, SHAPE (1, 4, 3, 4));
  random_input (c, rng, SHAPE (4, 3, 3, 2));
  random_input (c, rng, SHAPE (6));
  op_case_int (c, "group", 2);
  op_case_ints (c, "strides", strides, 2);
  op_case_ints (c, "pads", pads, 4);
  op_case_ints (c, "dilations", dilations, 2);
  op_case_ints (c, "output_padding", more, 2);
}

const GradientCase gradient_cases[] = {
  { "conv", "Conv", conv_plain },
  { "conv-1x1", "Conv", conv_one_tap },
  { "conv-all", "Conv", conv_all },
  { "conv-padding", "Conv", conv_more_padding_than_kernel },
  { "conv-1d", "Conv", conv_1d },
  { "max-2x2", "MaxPool", pool_2x2 },
  { "max-padded", "MaxPool", pool_padded },
  { "average-2x2", "AveragePool", pool_2x2 },
  { "average-padded", "AveragePool", pool_padded },
  { "average-counting", "AveragePool", pool_counting_padding },
  { "gemm-nn", "Gemm", gemm_nn },
  { "gemm-nt", "Gemm", gemm_nt },
  { "gemm-tn", "Gemm", gemm_tn },
  { "gemm-tt", "Gemm", gemm_tt },
  { "matmul", "MatMul", matmul },
  { "matmul-weights", "MatMul", matmul_weights },
  { "matmul-batches", "MatMul", matmul_batches },
  { "matmul-vector", "MatMul", matmul_vector },
  { "add", "Add", same_shapes },
  { "add-stretched", "Add", stretched },
  { "sub", "Sub", same_shapes },
  { "sub-stretched", "Sub", stretched_channels },
  { "mul", "Mul", same_shapes },
  { "mul-stretched", "Mul", stretched },
  { "div", "Div", same_shapes },
  { "div-stretched", "Div", stretched },
  { "div-channels", "Div", stretched_channels },
  { "relu", "Relu", pointwise },
  { "tanh", "Tanh", pointwise },
  { "sigmoid", "Sigmoid", pointwise },
  { "softmax", "Softmax", classes },
  { "softmax-map", "Softmax", class_map },
  { "softmax-matrix", "Softmax", classes_as_matrix },
  { "log-softmax", "LogSoftmax", classes },
  { "log-softmax-map", "LogSoftmax", class_map },
  { "log-softmax-matrix", "LogSoftmax", classes_as_matrix },
  { "dropout", "Dropout", dropout },
  { "flatten", "Flatten", class_map },
  { "reshape", "Reshape", reshape },
  { "identity", "Identity", pointwise },
  { "batch-norm", "BatchNormalization", batch_norm },
  { "pow", "Pow", positive_pair },
  { "prelu", "PRelu", slopes },
  { "leaky-relu", "LeakyRelu", pointwise },
  { "elu", "Elu", pointwise },
  { "celu", "Celu", pointwise },
  { "selu", "Selu", pointwise },
  { "thresholded-relu", "ThresholdedRelu", thresholded },
  { "hard-sigmoid", "HardSigmoid", pointwise },
  { "hard-swish", "HardSwish", pointwise },
  { "mish", "Mish", pointwise },
  { "gelu", "Gelu", pointwise },
  { "gelu-tanh", "Gelu", tanh_gelu },
  { "swish", "Swish", pointwise },
  { "softplus", "Softplus", pointwise },
  { "softsign", "Softsign", pointwise },
  { "sqrt", "Sqrt", positive_pointwise },
  { "exp", "Exp", pointwise },
  { "log", "Log", positive_pointwise },
  { "reciprocal", "Reciprocal", positive_pointwise },
  { "erf", "Erf", pointwise },
  { "sin", "Sin", pointwise },
  { "cos", "Cos", pointwise },
  { "shrink", "Shrink", pointwise },
  { "neg", "Neg", pointwise },
  { "abs", "Abs", pointwise },
  { "sign", "Sign", pointwise },
  { "min", "Min", three },
  { "max", "Max", three },
  { "sum", "Sum", three },
  { "mean", "Mean", three },
  { "where", "Where", where },
  { "clip", "Clip", clip },
  { "transpose", "Transpose", transpose },
  { "squeeze", "Squeeze", squeeze },
  { "unsqueeze", "Unsqueeze", squeeze },
  { "expand", "Expand", expand },
  { "tile", "Tile", tile },
  { "slice", "Slice", slice },
  { "depth-to-space", "DepthToSpace", blocks },
  { "space-to-depth", "SpaceToDepth", blocks },
  { "concat", "Concat", concat },
  { "split", "Split", concat_one },
  { "gather", "Gather", gather },
  { "pad", "Pad", pad_constant },
  { "pad-reflect", "Pad", pad_reflect },
  { "resize-nearest", "Resize", resize_nearest },
  { "resize-linear", "Resize", resize_linear },
  { "resize-cubic", "Resize", resize_cubic },
  { "upsample", "Upsample", upsample },
  { "reduce-sum", "ReduceSum", reduce },
  { "reduce-mean", "ReduceMean", reduce },
  { "reduce-max", "ReduceMax", reduce },
  { "reduce-min", "ReduceMin", reduce },
  { "reduce-prod", "ReduceProd", reduce },
  { "reduce-l1", "ReduceL1", reduce },
  { "reduce-l2", "ReduceL2", reduce },
  { "reduce-sum-square", "ReduceSumSquare", reduce },
  { "reduce-log-sum", "ReduceLogSum", reduce },
  { "reduce-log-sum-exp", "ReduceLogSumExp", reduce },
  { "lrn", "LRN", lrn },
  { "lp-normalization-1", "LpNormalization", lp_normalization },
  { "lp-normalization-2", "LpNormalization", lp_normalization_2 },
  { "mvn", "MeanVarianceNormalization", channels },
  { "instance-norm", "InstanceNormalization", instance_norm },
  { "group-norm", "GroupNormalization", group_norm },
  { "group-norm-18", "GroupNormalization", group_norm_18 },
  { "layer-norm", "LayerNormalization", layer_norm },
  { "batch-norm-training", "BatchNormalization", batch_norm_training },
  { "max-3d", "MaxPool", pool_3d },
  { "average-3d", "AveragePool", pool_3d },
  { "lp", "LpPool", pool_padded },
  { "lp-3", "LpPool", pool_p },
  { "global-average", "GlobalAveragePool", planes },
  { "global-max", "GlobalMaxPool", planes },
  { "global-lp", "GlobalLpPool", planes },
  { "transposed", "ConvTranspose", transposed },
  { "transposed-all", "ConvTranspose", transposed_all },
};

const gsize n_gradient_cases = G_N_ELEMENTS (gradient_cases);
