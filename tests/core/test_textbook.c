/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_textbook.c: what lectures say of convolutions. (Sizes, 10 -> 8 -> 4 -> 2
 * -> 1, are in test_map.c.) */

#include <math.h>

#include "netbuild.h"

static const char *
constant (Net *net, CnnShape shape, const float *values)
{
  CnnError error = { 0 };
  CnnTensor tensor = { CNN_TYPE_FLOAT32, shape, (void *) values };
  net_ok (cnn_graph_add_constant (net->graph, "w", &tensor, &error), &error);
  return "w";
}

/* (1, 2, 3, 4) * (3, 2) = (7, 12, 17) */
static void
test_one_dimension (void)
{
  static const float x[] = { 1, 2, 3, 4 }, w[] = { 3, 2 };
  static const float wanted[] = { 7, 12, 17 };
  CnnError error = { 0 };
  CnnShape shape = { 3, { 1, 1, 4 } };
  Net net = { .last = "x" };
  net_ok (cnn_graph_new (CNN_GRAPH_OPSET, &net.graph, &error), &error);
  net_ok (cnn_graph_add_input (net.graph, "x", CNN_TYPE_FLOAT32, &shape,
              &error),
      &error);
  const char *more[] = { constant (&net, (CnnShape){ 3, { 1, 1, 2 } }, w) };
  net_add (&net, "Conv", more, 1, NULL, 0);
  CnnModel *model = net_end (&net);
  CnnSession *s = NULL;
  net_ok (cnn_session_new (model, &shape, NULL, &s, &error), &error);
  memcpy (cnn_session_input (s, 0)->data, x, sizeof x);
  cnn_session_run (s);
  const CnnTensor *y = cnn_session_output (s, 0);
  g_assert_cmpint (y->shape.dims[2], ==, 3);
  for (int i = 0; i < 3; i++)
    g_assert_cmpfloat (((float *) y->data)[i], ==, wanted[i]);
  cnn_session_free (s);
  cnn_model_unref (model);
}

/* Filters for the top, bottom, left and right edge of a bright square: each
 * answers most at its own. */
static void
test_edges (void)
{
  static const float filters[4][9] = {
    { -1, -1, -1, 1, 1, 1, 0, 0, 0 },
    { 0, 0, 0, 1, 1, 1, -1, -1, -1 },
    { -1, 1, 0, -1, 1, 0, -1, 1, 0 },
    { 0, 1, -1, 0, 1, -1, 0, 1, -1 },
  };
  /* Cells that look at the middles of the four edges of rows and columns 4 to
   * 11: top, bottom, left, right. */
  static const int at[4][2] = { { 3, 7 }, { 10, 7 }, { 7, 3 }, { 7, 10 } };
  Net net;
  net_begin (&net, 1, 1, 16, 16);
  const char *more[] = { constant (&net, (CnnShape){ 4, { 4, 1, 3, 3 } },
      &filters[0][0]) };
  net_add (&net, "Conv", more, 1, NULL, 0);
  net_op (&net, "Relu");
  CnnModel *model = net_end (&net);
  CnnSession *s = net_session (model, 1, 1, 16, 16, NULL);
  float *x = cnn_session_input (s, 0)->data;
  for (int i = 0; i < 256; i++)
    x[i] = i / 16 >= 4 && i / 16 < 12 && i % 16 >= 4 && i % 16 < 12;
  cnn_session_run (s);
  const float *y = cnn_session_output (s, 0)->data;
  for (int edge = 0; edge < 4; edge++)
    for (int filter = 0; filter < 4; filter++) {
      float answer = y[(filter * 14 + at[edge][0]) * 14 + at[edge][1]];
      g_assert_cmpfloat (answer, ==, filter == edge ? 3 : 0);
    }
  cnn_session_free (s);
  cnn_model_unref (model);
}

/* A picture shifted by the stride gives the map, shifted by one. */
static void
test_shift (void)
{
  enum
  {
    SIDE = 41,
    STRIDE = 4
  };
  CnnRng rng;
  Net net;
  float *picture = g_new (float, SIDE *(SIDE + STRIDE));
  net_begin (&net, 3, 1, SIDE, SIDE);
  net_conv (&net, 1, 4, 5, 1, 1);
  net_op (&net, "Relu");
  net_pool (&net, "MaxPool", 2, 2);
  net_conv (&net, 4, 6, 3, 1, 1);
  net_pool (&net, "MaxPool", 2, 2);
  net_conv (&net, 6, 3, 3, 1, 1);
  CnnModel *model = net_end (&net);
  const CnnSessionOptions exact = { .precision = CNN_PRECISION_EXACT };
  CnnSession *here = net_session_with (model, 1, 1, SIDE, SIDE, &exact);
  CnnSession *there = net_session_with (model, 1, 1, SIDE, SIDE, &exact);
  cnn_rng_init (&rng, 4, 0);
  net_fill (&rng, picture, SIDE * (SIDE + STRIDE));
  for (int i = 0; i < SIDE; i++) {
    float *row = picture + i * (SIDE + STRIDE);
    memcpy ((float *) cnn_session_input (here, 0)->data + i * SIDE, row,
        SIDE * sizeof *row);
    memcpy ((float *) cnn_session_input (there, 0)->data + i * SIDE,
        row + STRIDE, SIDE * sizeof *row);
  }
  cnn_session_run (here);
  cnn_session_run (there);
  const CnnTensor *a = cnn_session_output (here, 0);
  const CnnTensor *b = cnn_session_output (there, 0);
  int h = (int) a->shape.dims[2], w = (int) a->shape.dims[3];
  g_assert_cmpint (w, >, 3);
  for (int k = 0; k < 3 * h; k++)
    for (int j = 0; j + 1 < w; j++)
      g_assert_cmpfloat (((float *) a->data)[k * w + j + 1], ==,
          ((float *) b->data)[k * w + j]);
  cnn_session_free (there);
  cnn_session_free (here);
  cnn_model_unref (model);
  g_free (picture);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/textbook/one-dimension", test_one_dimension);
  g_test_add_func ("/textbook/edges", test_edges);
  g_test_add_func ("/textbook/shift", test_shift);
  return g_test_run ();
}
