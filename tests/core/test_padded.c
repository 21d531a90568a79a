/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_padded.c: padded networks, by translation: a cell that has seen no
 * padding is what the map says of a crop large enough that its padding is not
 * seen either. And how much a padded classifier's map differs from it. */

#include "netbuild.h"

#define PADDED 200

static void
padded_conv (Net *net, int ic, int oc, int kernel, int stride, int pad)
{
  const char *more[] = {
    net_random (net, &(CnnShape){ 4, { oc, ic, kernel, kernel } },
        1.5f / (float) (kernel * (1 + ic / 2)), 0),
    net_random (net, &(CnnShape){ 1, { oc } }, 0.3f, 0),
  };
  int64_t strides[] = { stride, stride }, pads[] = { pad, pad, pad, pad };
  CnnAttribute attributes[] = { net_ints ("strides", strides, 2),
    net_ints ("pads", pads, 4) };
  net_add (net, "Conv", more, 2, attributes, 2);
}

static void
padded_pool (Net *net, const char *op, int kernel, int stride, int ceil)
{
  int64_t kernels[] = { kernel, kernel }, strides[] = { stride, stride };
  int64_t pads[] = { kernel / 2, kernel / 2, kernel / 2, kernel / 2 };
  CnnAttribute attributes[] = { net_ints ("kernel_shape", kernels, 2),
    net_ints ("strides", strides, 2), net_ints ("pads", pads, 4),
    net_int ("ceil_mode", ceil) };
  net_add (net, op, NULL, 0, attributes, 4);
}

/* A padded residual block: skip connection, then sum. */
static void
padded_block (Net *net, int c)
{
  char start[32];
  g_strlcpy (start, net->last, sizeof start);
  padded_conv (net, c, c, 3, 1, 1);
  net_op (net, "Relu");
  padded_conv (net, c, c, 3, 1, 1);
  const char *more[] = { start };
  net_add (net, "Add", more, 1, NULL, 0);
}

static CnnModel *
padded_map (uint64_t seed)
{
  Net net;
  CnnError error = { 0 };
  CnnShape open = { 4, { -1, 2, -1, -1 } };
  net = (Net){ .last = "x" };
  cnn_rng_init (&net.rng, seed, 0);
  net_ok (cnn_graph_new (CNN_GRAPH_OPSET, &net.graph, &error), &error);
  net_ok (cnn_graph_add_input (net.graph, "x", CNN_TYPE_FLOAT32, &open, &error),
      &error);
  int c = 2, layers = 1 + (int) cnn_rng_int (&net.rng, 4);
  for (int i = 0; i < layers; i++) {
    int kernel = 3 + 2 * (int) cnn_rng_int (&net.rng, 2);
    int stride = 1 + (int) cnn_rng_int (&net.rng, 2);
    switch (cnn_rng_int (&net.rng, 4)) {
      case 0:
        padded_pool (&net,
            cnn_rng_int (&net.rng, 2) ? "MaxPool" : "AveragePool", 3, stride,
            (int) cnn_rng_int (&net.rng, 2));
        break;
      case 1:
        padded_block (&net, c);
        break;
      default:
        {
          int oc = 1 + (int) cnn_rng_int (&net.rng, 5);
          padded_conv (&net, c, oc, kernel, stride, kernel / 2);
          net_op (&net, "Tanh");
          c = oc;
        }
    }
  }
  padded_conv (&net, c, 3, 3, 1, 1);
  return net_end (&net);
}

/* Cells of the frame's map and of a crop's, both clean, at the same place. */
static int
compare_clean (CnnSession *whole, CnnSession *part, const CnnGeometry *a,
    const CnnGeometry *b, int y0, int x0, uint64_t seed)
{
  const CnnTensor *m = cnn_session_output (whole, 0);
  const CnnTensor *n = cnn_session_output (part, 0);
  int mh = (int) m->shape.dims[2], mw = (int) m->shape.dims[3], compared = 0;
  int nh = (int) n->shape.dims[2], nw = (int) n->shape.dims[3];
  for (int i = b->clean_begin[0]; i < b->clean_end[0]; i++)
    for (int j = b->clean_begin[1]; j < b->clean_end[1]; j++) {
      int I = i + y0 / a->stride[0], J = j + x0 / a->stride[1];
      if (I < a->clean_begin[0] || I >= a->clean_end[0] || J < a->clean_begin[1]
          || J >= a->clean_end[1])
        continue;
      for (int k = 0; k < 3; k++) {
        float u = ((float *) m->data)[(k * mh + I) * mw + J];
        float v = ((float *) n->data)[(k * nh + i) * nw + j];
        if (!(fabsf (u - v) < 1e-4f))
          g_error ("seed %d: cell (%d, %d) of the crop differs: %g, %g",
              (int) seed, i, j, (double) v, (double) u);
      }
      compared++;
    }
  return compared;
}

static void
test_translation (void)
{
  enum
  {
    H = 208,
    W = 216,
    PART = 168
  };
  float *frame = g_new (float, 2 * H * W);
  int all = 0;
  for (uint64_t seed = 1; seed <= PADDED; seed++) {
    CnnModel *model = padded_map (seed);
    CnnError error = { 0 };
    CnnGeometry a, b;
    CnnRng rng;
    cnn_rng_init (&rng, seed, 9);
    CnnSession *whole = net_session (model, 1, 2, H, W, NULL);
    CnnSession *part = net_session (model, 1, 2, PART, PART, NULL);
    net_ok (cnn_session_geometry (whole, &a, &error), &error);
    net_ok (cnn_session_geometry (part, &b, &error), &error);
    g_assert_true (a.padded && b.padded);
    net_fill (&rng, frame, 2 * H * W);
    memcpy (cnn_session_input (whole, 0)->data, frame,
        2 * H * W * sizeof *frame);
    /* Crops begin where the strides of the frame do. */
    int y0 = 16, x0 = 32;
    g_assert_cmpint (y0 % a.stride[0], ==, 0);
    float *to = cnn_session_input (part, 0)->data;
    for (int c = 0; c < 2; c++)
      for (int i = 0; i < PART; i++)
        memcpy (to + (c * PART + i) * PART, frame + (c * H + y0 + i) * W + x0,
            PART * sizeof *to);
    cnn_session_run (whole);
    cnn_session_run (part);
    int compared = compare_clean (whole, part, &a, &b, y0, x0, seed);
    g_assert_cmpint (compared, >, 0);
    all += compared;
    cnn_session_free (part);
    cnn_session_free (whole);
    cnn_model_unref (model);
  }
  g_test_message ("%d networks, %d cells", PADDED, all);
  g_free (frame);
}

/* Padding of a classifier is seen at every window's border. */
static void
test_equality (void)
{
  for (int pad = 0; pad < 2; pad++) {
    Net net;
    CnnError error = { 0 };
    CnnModel *model, *map = NULL;
    CnnGeometry look;
    net_begin (&net, 3, 1, 8, 8);
    padded_conv (&net, 1, 2, 3, 1, pad);
    net_op (&net, "Flatten");
    net_dense (&net, pad ? 128 : 72, 4);
    model = net_end (&net);
    net_ok (cnn_model_to_map (model, &map, &error), &error);
    CnnSession *s = net_session (map, 1, 1, 8, 8, NULL);
    net_ok (cnn_session_geometry (s, &look, &error), &error);
    g_assert_cmpint (look.padded, ==, pad);
    cnn_session_free (s);
    cnn_model_unref (map);
    cnn_model_unref (model);
  }
}

/* 3x3 padded by 1, Relu, 2x2 pool, @layers times, dense, softmax. */
static CnnModel *
padded_classifier (uint64_t seed, int layers)
{
  Net net;
  int c = 1, side = 32;
  net_begin (&net, seed, 1, side, side);
  for (int l = 0; l < layers; l++, side /= 2) {
    padded_conv (&net, c, 8 << l, 3, 1, 1);
    net_op (&net, "Relu");
    net_pool (&net, "MaxPool", 2, 2);
    c = 8 << l;
  }
  net_op (&net, "Flatten");
  net_matmul (&net, c * side * side, 10);
  net_softmax (&net, -1);
  return net_end (&net);
}

/* Largest difference of a probability between @model on the window of cell
 * (i, j) and the map @y of the whole frame. */
static double
window_difference (CnnSession *patch, const float *frame, int side,
    const CnnTensor *y, int stride, int i, int j)
{
  float *x = cnn_session_input (patch, 0)->data;
  int h = (int) y->shape.dims[2], w = (int) y->shape.dims[3];
  double worst = 0;
  for (int row = 0; row < 32; row++)
    memcpy (x + row * 32, frame + (i * stride + row) * side + j * stride,
        32 * sizeof *x);
  cnn_session_run (patch);
  const float *answer = cnn_session_output (patch, 0)->data;
  for (int k = 0; k < 10; k++)
    worst = fmax (worst,
        fabs ((double) (answer[k] - ((float *) y->data)[(k * h + i) * w + j])));
  return worst;
}

/* How much a padded classifier's map differs from it: docs/geometry.md quotes
 * what this prints. */
static void
test_inequality (void)
{
  enum
  {
    SIDE_PX = 96
  };
  static float frame[SIDE_PX * SIDE_PX];
  for (int layers = 1; layers <= 3; layers++) {
    double sum = 0;
    int cells = 0;
    for (uint64_t seed = 1; seed <= 10; seed++) {
      CnnError error = { 0 };
      CnnModel *model = padded_classifier (seed, layers), *map = NULL;
      CnnRng rng;
      int stride = 1 << layers;
      net_ok (cnn_model_to_map (model, &map, &error), &error);
      CnnSession *patch = net_session (model, 1, 1, 32, 32, NULL);
      CnnSession *whole = net_session (map, 1, 1, SIDE_PX, SIDE_PX, NULL);
      cnn_rng_init (&rng, seed, 5);
      net_fill (&rng, frame, SIDE_PX * SIDE_PX);
      memcpy (cnn_session_input (whole, 0)->data, frame, sizeof frame);
      cnn_session_run (whole);
      for (int i = 2; i * stride + 34 <= SIDE_PX - 2; i++)
        for (int j = 2; j * stride + 34 <= SIDE_PX - 2; j++, cells++)
          sum += window_difference (patch, frame, SIDE_PX,
              cnn_session_output (whole, 0), stride, i, j);
      cnn_session_free (whole);
      cnn_session_free (patch);
      cnn_model_unref (map);
      cnn_model_unref (model);
    }
    g_test_message ("%d padded layers: largest difference of a probability "
                    "%.3f in the mean of %d cells",
        layers, sum / cells, cells);
    g_assert_cmpfloat (sum / cells, >, 0.01);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/padded/translation", test_translation);
  g_test_add_func ("/padded/equality", test_equality);
  g_test_add_func ("/padded/inequality", test_inequality);
  return g_test_run ();
}
