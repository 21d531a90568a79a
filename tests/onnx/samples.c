/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* samples.c: random small networks.
 *
 * The shape of what has been built so far is kept here, by ONNX's formulas and
 * apart from the library's own inference, so that weights have the size that
 * the standard asks for. */

#include "samples.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cnn/onnx.h>

#include "base/rng.h"

/* @now is the value that the next node reads; c h w (or features, once flat)
 * is its shape. */
typedef struct
{
  CnnGraph *graph;
  CnnRng rng;
  int names;
  char now[16];
  int c, h, w, features;
  CnnError error;
} Builder;

static void
check (Builder *b, CnnStatus status)
{
  if (status != CNN_OK)
    g_error ("sample: %s", b->error.message);
}

static int
between (Builder *b, int low, int high)
{
  return low + (int) cnn_rng_int (&b->rng, (guint32) (high - low + 1));
}

static gboolean
chance (Builder *b, int percent)
{
  return between (b, 1, 100) <= percent;
}

static void
new_name (Builder *b, const char *prefix, char name[16])
{
  g_snprintf (name, 16, "%s%d", prefix, b->names++);
}

/* A constant of random numbers in low..high; its name goes to @name. */
static void
add_weights (Builder *b, int rank, const int64_t *dims, float low, float high,
    char name[16])
{
  CnnTensor tensor = { .type = CNN_TYPE_FLOAT32, .shape.rank = rank };
  gsize count = 1;
  for (int i = 0; i < rank; i++) {
    tensor.shape.dims[i] = dims[i];
    count *= (gsize) dims[i];
  }
  float *data = g_new (float, count);
  for (gsize i = 0; i < count; i++)
    data[i] = cnn_rng_range (&b->rng, low, high);
  tensor.data = data;
  new_name (b, "w", name);
  check (b, cnn_graph_add_constant (b->graph, name, &tensor, &b->error));
  g_free (data);
}

/* A node that reads b->now and up to four constants, and becomes b->now. */
static void
add_node (Builder *b, const char *op, const char *const *extra, int n_extra,
    const CnnAttribute *attributes, int n_attributes)
{
  const char *inputs[5] = { b->now };
  char out[16], name[24];
  const char *outputs[] = { out };

  for (int i = 0; i < n_extra; i++)
    inputs[1 + i] = extra[i];
  new_name (b, "v", out);
  g_snprintf (name, sizeof name, "%s/%d", op, b->names);
  check (b,
      cnn_graph_add_node (b->graph, op, name, inputs, 1 + n_extra, outputs, 1,
          attributes, n_attributes, &b->error));
  memcpy (b->now, out, sizeof out);
}

static CnnAttribute
ints (const char *name, int count, const int64_t *values)
{
  return (CnnAttribute){ .name = name,
    .type = CNN_ATTRIBUTE_INTS,
    .count = count,
    .ints = values };
}

static CnnAttribute
integer (const char *name, int64_t value)
{
  return (CnnAttribute){ .name = name, .type = CNN_ATTRIBUTE_INT, .i = value };
}

static CnnAttribute
number (const char *name, float value)
{
  return (
      CnnAttribute){ .name = name, .type = CNN_ATTRIBUTE_FLOAT, .f = value };
}

static int
slid (int size, int window, int stride, int pads)
{
  return (size + pads - window) / stride + 1;
}

static void
add_conv (Builder *b)
{
  int kh = between (b, 1, MIN (5, b->h)), kw = between (b, 1, MIN (5, b->w));
  int dilation = chance (b, 20) && 2 * kh < b->h && 2 * kw < b->w ? 2 : 1;
  int stride = chance (b, 20) ? 2 : 1, pad = chance (b, 25) ? 1 : 0;
  int group = chance (b, 25) ? b->c : 1;
  int oc = group * between (b, 1, group > 1 ? 2 : 9);
  int64_t kernel[] = { kh, kw }, strides[] = { stride, stride },
          pads[] = { pad, pad, 0, pad }, dilations[] = { dilation, dilation },
          dims[] = { oc, b->c / group, kh, kw };
  const CnnAttribute attributes[] = { ints ("kernel_shape", 2, kernel),
    ints ("strides", 2, strides), ints ("pads", 4, pads),
    ints ("dilations", 2, dilations), integer ("group", group) };
  float scale = 1.5f / sqrtf ((float) (kh * kw * b->c / group));
  char weights[16], bias[16];
  const char *extra[] = { weights, bias };
  gboolean biased = chance (b, 70);

  add_weights (b, 4, dims, -scale, scale, weights);
  if (biased)
    add_weights (b, 1, dims, -1, 1, bias);
  add_node (b, "Conv", extra, biased ? 2 : 1, attributes, 5);
  b->c = oc;
  b->h = slid (b->h, (kh - 1) * dilation + 1, stride, pad);
  b->w = slid (b->w, (kw - 1) * dilation + 1, stride, 2 * pad);
}

static void
add_batch_normalization (Builder *b)
{
  const int64_t dims[] = { b->c };
  const CnnAttribute epsilon = number ("epsilon", 1e-3f);
  char scale[16], shift[16], mean[16], variance[16];
  const char *extra[] = { scale, shift, mean, variance };
  add_weights (b, 1, dims, 0.5f, 1.5f, scale);
  add_weights (b, 1, dims, -1, 1, shift);
  add_weights (b, 1, dims, -1, 1, mean);
  add_weights (b, 1, dims, 0.5f, 2, variance);
  add_node (b, "BatchNormalization", extra, 4, &epsilon, 1);
}

static void
add_activation (Builder *b)
{
  static const char *const ops[] = { "Relu", "Tanh", "Sigmoid" };
  add_node (b, ops[between (b, 0, 2)], NULL, 0, NULL, 0);
}

/* A scalar from a Constant node. */
static void
add_scalar (Builder *b, char name[16])
{
  float element = cnn_rng_range (&b->rng, 0.5f, 2);
  const CnnTensor tensor = { .type = CNN_TYPE_FLOAT32, .data = &element };
  const CnnAttribute value = { .name = "value",
    .type = CNN_ATTRIBUTE_TENSOR,
    .t = &tensor };
  const char *outputs[] = { name };
  new_name (b, "k", name);
  check (b,
      cnn_graph_add_node (b->graph, "Constant", "", NULL, 0, outputs, 1, &value,
          1, &b->error));
}

/* Arithmetic with a number, or with one number a channel. */
static void
add_arithmetic (Builder *b)
{
  static const char *const ops[] = { "Add", "Sub", "Mul", "Div" };
  char operand[16];
  const char *extra[] = { operand };
  if (chance (b, 40)) {
    add_scalar (b, operand);
  } else {
    const int64_t dims[] = { b->c, 1, 1 };
    add_weights (b, 3, dims, 0.5f, 2, operand);
  }
  add_node (b, ops[between (b, 0, 3)], extra, 1, NULL, 0);
}

static void
add_pool (Builder *b)
{
  int size = between (b, 2, 3), stride = between (b, 1, 2);
  int pad = size == 3 && chance (b, 20) ? 1 : 0;
  gboolean average = chance (b, 50);
  if (b->h < size || b->w < size)
    return;

  int64_t kernel[] = { size, size }, strides[] = { stride, stride },
          pads[] = { pad, pad, pad, pad };
  const CnnAttribute attributes[] = { ints ("kernel_shape", 2, kernel),
    ints ("strides", 2, strides), ints ("pads", 4, pads),
    integer ("count_include_pad", 1) };
  add_node (b, average ? "AveragePool" : "MaxPool", NULL, 0, attributes,
      average && chance (b, 50) ? 4 : 3);
  b->h = slid (b->h, size, stride, 2 * pad);
  b->w = slid (b->w, size, stride, 2 * pad);
}

static void
add_block (Builder *b)
{
  add_conv (b);
  if (chance (b, 40))
    add_batch_normalization (b);
  add_activation (b);
  if (chance (b, 50))
    add_arithmetic (b);
  if (chance (b, 70))
    add_pool (b);
  if (chance (b, 30))
    add_node (b, "Identity", NULL, 0, NULL, 0);
  if (chance (b, 30))
    add_node (b, "Dropout", NULL, 0, NULL, 0);
}

static void
add_flatten (Builder *b)
{
  b->features = b->c * b->h * b->w;
  if (chance (b, 50)) {
    add_node (b, "Flatten", NULL, 0, NULL, 0);
    return;
  }
  int64_t sizes[] = { 1, -1 };
  const CnnTensor tensor = { CNN_TYPE_INT64, { .rank = 1, .dims = { 2 } },
    sizes };
  char name[16];
  const char *extra[] = { name };
  new_name (b, "s", name);
  check (b, cnn_graph_add_constant (b->graph, name, &tensor, &b->error));
  add_node (b, "Reshape", extra, 1, NULL, 0);
}

static void
add_dense (Builder *b, int classes)
{
  const int64_t straight[] = { b->features, classes },
                turned[] = { classes, b->features }, bias_dims[] = { classes };
  float scale = 1.5f / sqrtf ((float) b->features);
  char matrix[16], bias[16];
  const char *extra[] = { matrix, bias };
  const char *bias_only[] = { bias };

  gboolean gemm = chance (b, 60), turn = gemm && chance (b, 50);
  add_weights (b, 2, turn ? turned : straight, -scale, scale, matrix);
  add_weights (b, 1, bias_dims, -1, 1, bias);
  if (gemm) {
    const CnnAttribute attributes[] = { integer ("transB", turn),
      number ("alpha", 0.75f), number ("beta", 1.25f) };
    add_node (b, "Gemm", extra, 2, attributes, chance (b, 30) ? 3 : 1);
  } else {
    add_node (b, "MatMul", extra, 1, NULL, 0);
    add_node (b, "Add", bias_only, 1, NULL, 0);
  }
  b->features = classes;
}

static void
add_metadata (Builder *b, int classes)
{
  GString *labels = g_string_new (NULL);
  for (int i = 0; i < classes; i++)
    g_string_append_printf (labels, "%sclass %d", i ? "\n" : "", i);
  const char *pairs[][2] = { { "convnet.labels", labels->str },
    { "convnet.background", "class 0" },
    { "Image.BitmapPixelFormat", b->c == 1 ? "Gray8" : "Rgb8" },
    { "Image.NominalPixelRange", "Normalized_1_1" },
    { "convnet.threshold", "0.75" } };
  for (gsize i = 0; i < G_N_ELEMENTS (pairs); i++)
    check (b,
        cnn_graph_set_metadata (b->graph, pairs[i][0], pairs[i][1], &b->error));
  g_string_free (labels, TRUE);
}

CnnGraph *
sample_graph (guint32 seed)
{
  static const char *const ends[] = { "Softmax", "LogSoftmax", NULL };
  Builder b = { .now = "x" };
  cnn_rng_init (&b.rng, seed, 7);
  b.c = chance (&b, 50) ? 1 : 3;
  b.h = between (&b, 16, 28);
  b.w = between (&b, 16, 28);

  int classes = between (&b, 2, 12);
  const CnnShape shape = { 4, { 1, b.c, b.h, b.w } };
  check (&b, cnn_graph_new (CNN_GRAPH_OPSET, &b.graph, &b.error));
  check (&b,
      cnn_graph_add_input (b.graph, "x", CNN_TYPE_FLOAT32, &shape, &b.error));
  add_metadata (&b, classes);
  for (int blocks = between (&b, 1, 3); blocks; blocks--)
    add_block (&b);
  add_flatten (&b);
  if (chance (&b, 60)) {
    add_dense (&b, between (&b, 4, 20));
    add_activation (&b);
  }
  add_dense (&b, classes);

  const char *end = ends[seed % 3];
  const CnnAttribute axis = integer ("axis", 1);
  if (end)
    add_node (&b, end, NULL, 0, &axis, chance (&b, 50));
  check (&b, cnn_graph_add_output (b.graph, b.now, &b.error));
  return b.graph;
}

CnnModel *
sample_model (guint32 seed)
{
  CnnModel *model = NULL;
  CnnError error;
  if (cnn_model_new (sample_graph (seed), &model, &error) != CNN_OK)
    g_error ("sample %u: %s", seed, error.message);
  return model;
}

GBytes *
sample_bytes (const CnnModel *model)
{
  void *bytes;
  size_t size;
  CnnError error;
  if (cnn_onnx_write (model, &bytes, &size, &error) != CNN_OK)
    g_error ("sample: %s", error.message);
  GBytes *copy = g_bytes_new (bytes, size);
  g_assert_cmpuint (size, ==, g_bytes_get_size (copy));
  free (bytes);
  return copy;
}

void
sample_picture (guint32 seed, float *elements, gsize count)
{
  CnnRng rng;
  cnn_rng_init (&rng, seed, 8);
  for (gsize i = 0; i < count; i++)
    elements[i] = cnn_rng_range (&rng, -1, 1);
}
