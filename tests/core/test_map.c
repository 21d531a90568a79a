/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_map.c: a cell of the class map is the classifier on its window.
 *
 * Random networks without padding, every way to write a dense layer. The
 * classifier runs on crops, the rewritten network on the whole picture; a
 * wrong window, stride or offset makes them differ by far more than 1e-4. */

#include <math.h>

#include "netbuild.h"

#define NETWORKS 500

typedef struct
{
  int c, side;
} Shape;

/* Two ways to the same size, which meet in Add or Concat: the channels that
 * come out. */
static int
random_branches (Net *net, int ic, int oc, int kernel, int stride, int dilation)
{
  char start[32], left[32];
  g_strlcpy (start, net->last, sizeof start);
  net_conv (net, ic, oc, kernel, stride, dilation);
  g_strlcpy (left, net->last, sizeof left);
  g_strlcpy (net->last, start, sizeof net->last);
  net_conv (net, ic, oc, kernel, stride, dilation);
  net_op (net, "Tanh");
  net_conv (net, oc, oc, 1, 1, 1);
  const char *more[] = { left };
  CnnAttribute axis = { .name = "axis", .type = CNN_ATTRIBUTE_INT, .i = 1 };
  if (cnn_rng_int (&net->rng, 2)) {
    net_add (net, "Add", more, 1, NULL, 0);
    return oc;
  }
  net_add (net, "Concat", more, 1, &axis, 1);
  return 2 * oc;
}

static Shape
random_layer (Net *net, Shape s)
{
  static const char *const acts[] = { "Relu", "Tanh", "Sigmoid" };
  int kernel = 1 + (int) cnn_rng_int (&net->rng, 5);
  int stride = 1 + (int) cnn_rng_int (&net->rng, 2);
  int dilation = 1 + (int) cnn_rng_int (&net->rng, 2);
  int seen = (kernel - 1) * dilation + 1;
  if (s.side < seen + 2)
    return s;

  switch (cnn_rng_int (&net->rng, 4)) {
    case 0:
      if (kernel < 2)
        return s;
      net_pool (net, cnn_rng_int (&net->rng, 2) ? "MaxPool" : "AveragePool",
          kernel, stride);
      return (Shape){ s.c, (s.side - kernel) / stride + 1 };
    case 1:
      {
        CnnShape per_channel = { 1, { s.c } };
        const char *more[] = {
          net_random (net, &per_channel, 0.2f, 1),
          net_random (net, &per_channel, 0.2f, 0),
          net_random (net, &per_channel, 0.2f, 0),
          net_random (net, &per_channel, 0.05f, 1),
        };
        net_add (net, "BatchNormalization", more, 4, NULL, 0);
        return s;
      }
    default:
      {
        int oc = 1 + (int) cnn_rng_int (&net->rng, 9);
        if (cnn_rng_int (&net->rng, 3))
          net_conv (net, s.c, oc, kernel, stride, dilation);
        else
          oc = random_branches (net, s.c, oc, kernel, stride, dilation);
        net_op (net, acts[cnn_rng_int (&net->rng, 3)]);
        return (Shape){ oc, (s.side - seen) / stride + 1 };
      }
  }
}

static void
random_flatten (Net *net, int elements)
{
  CnnError error = { 0 };
  if (cnn_rng_int (&net->rng, 2)) {
    net_op (net, "Flatten");
    return;
  }
  int64_t forms[3][2] = { { 1, elements }, { 1, -1 }, { 0, -1 } };
  char name[32];
  g_snprintf (name, sizeof name, "shape%d", net->count++);
  CnnTensor shape = { CNN_TYPE_INT64, { 1, { 2 } },
    forms[cnn_rng_int (&net->rng, 3)] };
  net_ok (cnn_graph_add_constant (net->graph, name, &shape, &error), &error);
  const char *more[] = { name };
  net_add (net, "Reshape", more, 1, NULL, 0);
}

static void
random_dense (Net *net, int in, int out)
{
  float spread = 2 / sqrtf ((float) in);
  CnnShape rows = { 2, { in, out } }, bias = { 2, { 1, out } };
  switch (cnn_rng_int (&net->rng, 3)) {
    case 0:
      net_dense (net, in, out);
      return;
    case 1:
      {
        CnnAttribute attributes[] = {
          { .name = "alpha", .type = CNN_ATTRIBUTE_FLOAT, .f = 0.7f },
          { .name = "beta", .type = CNN_ATTRIBUTE_FLOAT, .f = -1.5f },
        };
        const char *more[] = { net_random (net, &rows, spread, 0),
          net_random (net, &bias, 0.3f, 0) };
        net_add (net, "Gemm", more, 2, attributes, 2);
        return;
      }
    default:
      {
        const char *weights[] = { net_random (net, &rows, spread, 0) };
        const char *biases[] = { net_random (net, &bias, 0.3f, 0) };
        net_add (net, "MatMul", weights, 1, NULL, 0);
        net_add (net, "Add", biases, 1, NULL, 0);
      }
  }
}

static CnnModel *
random_classifier (uint64_t seed, Shape *input)
{
  Net net;
  CnnRng rng;
  cnn_rng_init (&rng, seed, 1);
  *input = (Shape){ 1 + (int) cnn_rng_int (&rng, 3),
    12 + (int) cnn_rng_int (&rng, 14) };
  net_begin (&net, seed, input->c, input->side, input->side);

  Shape s = *input;
  int layers = 1 + (int) cnn_rng_int (&rng, 5);
  for (int i = 0; i < layers; i++)
    s = random_layer (&net, s);
  int elements = s.c * s.side * s.side;
  int hidden = 2 + (int) cnn_rng_int (&rng, 12);
  random_flatten (&net, elements);
  random_dense (&net, elements, hidden);
  net_op (&net, "Relu");
  if (cnn_rng_int (&rng, 2))
    net_op (&net, "Dropout");
  random_dense (&net, hidden, 4);
  if (cnn_rng_int (&rng, 3) == 0)
    net_op (&net, cnn_rng_int (&rng, 2) ? "Softmax" : "LogSoftmax");
  return net_end (&net);
}

/* Largest difference between cell (i, j) and the classifier on its window. */
static float
compare_cell (CnnSession *patch, const CnnTensor *frame, const CnnTensor *map,
    const CnnGeometry *look, int i, int j)
{
  CnnTensor *x = cnn_session_input (patch, 0);
  int64_t c = x->shape.dims[1], side = x->shape.dims[2];
  int64_t h = frame->shape.dims[2], w = frame->shape.dims[3];
  int64_t y0 = look->offset[0] + i * look->stride[0];
  int64_t x0 = look->offset[1] + j * look->stride[1];
  const float *from = frame->data;
  float *to = x->data, worst = 0;

  g_assert_true (y0 >= 0 && y0 + side <= h && x0 >= 0 && x0 + side <= w);
  for (int64_t k = 0; k < c; k++)
    for (int64_t row = 0; row < side; row++)
      memcpy (to + (k * side + row) * side, from + (k * h + y0 + row) * w + x0,
          (size_t) side * sizeof *to);
  cnn_session_run (patch);

  const float *answer = cnn_session_output (patch, 0)->data;
  const float *cells = map->data;
  int64_t mh = map->shape.dims[2], mw = map->shape.dims[3];
  for (int64_t k = 0; k < map->shape.dims[1]; k++)
    worst = fmaxf (worst, fabsf (answer[k] - cells[(k * mh + i) * mw + j]));
  return worst;
}

/* Random cells of @map, on a random frame, are what @model says of the windows
 * there. */
static void
check_map (CnnModel *model, CnnModel *map, Shape input, uint64_t seed)
{
  CnnError error = { 0 };
  CnnRng rng;
  cnn_rng_init (&rng, seed, 2);
  int h = input.side + (int) cnn_rng_int (&rng, 40);
  int w = input.side + (int) cnn_rng_int (&rng, 40);
  CnnSession *patch =
      net_session (model, 1, input.c, input.side, input.side, NULL);
  CnnSession *whole = net_session (map, 1, input.c, h, w, NULL);
  CnnTensor *x = cnn_session_input (whole, 0);
  CnnTensor frame = *x;
  frame.data = g_new (float, input.c *h *w);
  net_fill (&rng, frame.data, (size_t) (input.c * h * w));
  memcpy (x->data, frame.data, (size_t) (input.c * h * w) * sizeof (float));
  cnn_session_run (whole);

  CnnGeometry look;
  net_ok (cnn_session_geometry (whole, &look, &error), &error);
  const CnnTensor *out = cnn_session_output (whole, 0);
  int64_t mh = out->shape.dims[2], mw = out->shape.dims[3];
  g_assert_false (look.padded);
  g_assert_cmpint (look.clean_end[0], ==, mh);
  g_assert_cmpint (look.clean_end[1], ==, mw);
  g_assert_cmpint (look.window[0], ==, look.window[1]);
  g_assert_cmpint (look.window[0], <=, input.side);
  g_assert_cmpint ((h - input.side) / look.stride[0] + 1, <=, mh);

  /* The patch may be larger than the window by what strides leave over: the
   * cells that the crops reach. */
  mh = (h - input.side) / look.stride[0] + 1;
  mw = (w - input.side) / look.stride[1] + 1;
  for (int k = 0; k < 12; k++) {
    int i = (int) cnn_rng_int (&rng, (uint32_t) mh);
    int j = (int) cnn_rng_int (&rng, (uint32_t) mw);
    float worst = compare_cell (patch, &frame, out, &look, i, j);
    if (!(worst < 1e-4f))
      g_error ("seed %" G_GUINT64_FORMAT ", cell (%d, %d): differs by %g", seed,
          i, j, (double) worst);
  }
  g_free (frame.data);
  cnn_session_free (whole);
  cnn_session_free (patch);
}

static int
own_stride (CnnModel *map, Shape input)
{
  CnnError error = { 0 };
  CnnGeometry look;
  CnnSession *s =
      net_session (map, 1, input.c, input.side + 8, input.side + 8, NULL);
  net_ok (cnn_session_geometry (s, &look, &error), &error);
  cnn_session_free (s);
  return look.stride[0];
}

/* The map, and those with windows 2 and 1 pixels apart. */
static void
check_network (uint64_t seed)
{
  Shape input;
  CnnError error = { 0 };
  CnnModel *model = random_classifier (seed, &input), *map = NULL;
  net_ok (cnn_model_to_map (model, &map, &error), &error);
  g_assert_true (cnn_model_info (map)->is_map);
  check_map (model, map, input, seed);

  int own = own_stride (map, input);
  for (int stride = 1; stride <= 2; stride++) {
    CnnModel *dense = NULL;
    net_ok (cnn_model_with_stride (map, stride, &dense, &error), &error);
    g_assert_cmpint (own_stride (dense, input), ==, own % stride ? 1 : stride);
    check_map (model, dense, input, seed + 1000);
    cnn_model_unref (dense);
  }
  cnn_model_unref (map);
  cnn_model_unref (model);
}

static void
test_random_networks (void)
{
  for (uint64_t seed = 1; seed <= NETWORKS; seed++)
    check_network (seed);
  g_test_message ("%d networks, 12 cells each, and at strides of 2 and 1",
      NETWORKS);
}

/* 10 -> 8 -> 4 -> 2 -> 1, and four more inputs give exactly one more output. */
static void
test_textbook_sizes (void)
{
  Net net;
  CnnError error = { 0 };
  net_begin (&net, 1, 1, 10, 10);
  net_conv (&net, 1, 1, 3, 1, 1);
  net_pool (&net, "MaxPool", 2, 2);
  net_conv (&net, 1, 1, 3, 1, 1);
  net_pool (&net, "MaxPool", 2, 2);
  net_op (&net, "Flatten");
  net_dense (&net, 1, 2);
  CnnModel *model = net_end (&net), *map = NULL;
  net_ok (cnn_model_to_map (model, &map, &error), &error);

  for (int w = 10; w < 19; w++) {
    CnnSession *s = net_session (map, 1, 1, 10, w, NULL);
    g_assert_cmpint (cnn_session_output (s, 0)->shape.dims[2], ==, 1);
    g_assert_cmpint (cnn_session_output (s, 0)->shape.dims[3], ==,
        (w - 10) / 4 + 1);
    cnn_session_free (s);
  }
  cnn_model_unref (map);
  cnn_model_unref (model);
}

static void
expect_refusal (Net *net, const char *sentence)
{
  CnnError error = { 0 };
  CnnModel *model = net_end (net), *map = NULL;
  g_assert_cmpint (cnn_model_to_map (model, &map, &error), ==,
      CNN_ERROR_UNSUPPORTED);
  g_assert_null (map);
  if (!strstr (error.message, sentence))
    g_error ("'%s' does not say '%s'", error.message, sentence);
  cnn_model_unref (model);
}

/* Networks that are no function of one picture. */
static void
refuse_inputs (int count)
{
  static float one = 1;
  static const CnnShape shape = { 4, { 1, 1, 1, 1 } };
  const CnnTensor constant = { CNN_TYPE_FLOAT32, shape, &one };
  CnnError error = { 0 };
  Net net = { .last = "c" };
  char name[8];

  net_ok (cnn_graph_new (CNN_GRAPH_OPSET, &net.graph, &error), &error);
  net_ok (cnn_graph_add_constant (net.graph, "c", &constant, &error), &error);
  for (int i = 0; i < count; i++) {
    g_snprintf (name, sizeof name, "x%d", i);
    net_ok (cnn_graph_add_input (net.graph, name, CNN_TYPE_FLOAT32, &shape,
                &error),
        &error);
    net_add (&net, "Add", (const char *[]){ name }, 1, NULL, 0);
  }
  if (!count)
    net_add (&net, "Relu", NULL, 0, NULL, 0);
  g_snprintf (name, sizeof name, "has %d", count);
  expect_refusal (&net, name);
}

static void
test_inputs (void)
{
  refuse_inputs (0);
  refuse_inputs (2);
}

static void
test_refusals (void)
{
  Net net;
  net_begin (&net, 1, 1, 8, 8);
  net_op (&net, "Flatten");
  net_op (&net, "Softmax");
  expect_refusal (&net, "not taken over the classes");

  net_begin (&net, 1, 1, 8, 8);
  net_op (&net, "Flatten");
  expect_refusal (&net, "without a dense layer");

  net_begin (&net, 1, 1, 8, 8);
  net_op (&net, "Flatten");
  const char *more[] = { net_random (&net, &(CnnShape){ 1, { 64 } }, 1, 0) };
  net_add (&net, "Mul", more, 1, NULL, 0);
  net_dense (&net, 64, 3);
  expect_refusal (&net, "differs from place to place");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/map/random-networks", test_random_networks);
  g_test_add_func ("/map/textbook-sizes", test_textbook_sizes);
  g_test_add_func ("/map/inputs", test_inputs);
  g_test_add_func ("/map/refusals", test_refusals);
  return g_test_run ();
}
