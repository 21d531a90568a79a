/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_dense_forms.c: classifiers as exporters write them, as class maps.
 *
 * Each form is run on crops and, rewritten, on a whole picture; cells must be
 * equal. */

#include <math.h>

#include "netbuild.h"

/* -- building ----------------------------------------------------------- */

static const char *
constant_ints (Net *net, const int64_t *values, int count)
{
  CnnError error = { 0 };
  char *name = g_strdup_printf ("i%d", net->count++);
  CnnTensor tensor = { CNN_TYPE_INT64, { 1, { count } }, (void *) values };
  net_ok (cnn_graph_add_constant (net->graph, name, &tensor, &error), &error);
  const char *kept = g_intern_string (name);
  g_free (name);
  return kept;
}

static void
transpose (Net *net, const int64_t *perm, int rank)
{
  CnnAttribute a = net_ints ("perm", perm, rank);
  net_add (net, "Transpose", NULL, 0, &a, 1);
}

static void
reshape (Net *net, const int64_t *target, int rank)
{
  const char *more[] = { constant_ints (net, target, rank) };
  net_add (net, "Reshape", more, 1, NULL, 0);
}

static void
squeeze (Net *net, const int64_t *axes, int count)
{
  const char *more[] = { constant_ints (net, axes, count) };
  net_add (net, "Squeeze", more, 1, NULL, 0);
}

/* 3x18x18 -> 6x6x6, strides 2. */
static void
body (Net *net)
{
  net_conv (net, 3, 6, 5, 1, 1);
  net_op (net, "Relu");
  net_pool (net, "MaxPool", 2, 2);
  net_conv (net, 6, 6, 2, 1, 1);
  net_op (net, "Tanh");
}

static void
reduce (Net *net, const char *op, const int64_t *axes, int count, int keep)
{
  CnnAttribute attributes[] = { net_ints ("axes", axes, count),
    net_int ("keepdims", keep) };
  net_add (net, op, NULL, 0, attributes, 2);
}

/* -- forms -------------------------------------------------------------- */

static const int64_t to_last[] = { 0, 2, 3, 1 }, to_first[] = { 0, 3, 1, 2 };
static const int64_t places[] = { 2, 3 }, places_last[] = { 1, 2 };

static void
form_flatten_last (Net *net)
{
  body (net);
  transpose (net, to_last, 4);
  net_op (net, "Flatten");
  net_dense (net, 216, 4);
}

static void
form_reshape_last (Net *net)
{
  static const int64_t target[] = { 0, -1 };
  body (net);
  transpose (net, to_last, 4);
  reshape (net, target, 2);
  net_matmul (net, 216, 8);
  net_op (net, "Relu");
  net_matmul (net, 8, 4);
  net_softmax (net, -1);
}

static void
form_global_average (Net *net)
{
  body (net);
  net_op (net, "GlobalAveragePool");
  net_op (net, "Flatten");
  net_dense (net, 6, 4);
}

static void
form_global_max (Net *net)
{
  body (net);
  net_op (net, "GlobalMaxPool");
  squeeze (net, places, 2);
  net_dense (net, 6, 4);
}

static void
form_reduce_mean (Net *net)
{
  body (net);
  reduce (net, "ReduceMean", places, 2, 0);
  net_matmul (net, 6, 4);
}

static void
form_reduce_sum_last (Net *net)
{
  body (net);
  transpose (net, to_last, 4);
  reduce (net, "ReduceMax", places_last, 2, 0);
  net_matmul (net, 6, 4);
}

static void
form_dense_on_last (Net *net)
{
  body (net);
  transpose (net, to_last, 4);
  net_matmul (net, 6, 5);
  net_op (net, "Relu");
  net_op (net, "Flatten");
  net_dense (net, 180, 4);
}

static void
form_one_by_one_conv (Net *net)
{
  static const int64_t target[] = { 1, 216, 1, 1 };
  static const int64_t row[] = { 1, -1 };
  body (net);
  reshape (net, target, 4);
  net_conv (net, 216, 4, 1, 1, 1);
  reshape (net, row, 2);
}

static void
form_shuffled_channels (Net *net)
{
  static const int64_t split[] = { 1, 2, 3, 6, 6 }, whole[] = { 1, 6, 6, 6 };
  static const int64_t perm[] = { 0, 2, 1, 3, 4 };
  body (net);
  reshape (net, split, 5);
  transpose (net, perm, 5);
  reshape (net, whole, 4);
  net_conv (net, 6, 3, 3, 1, 1);
  net_op (net, "Flatten");
  net_dense (net, 48, 4);
}

static void
form_there_and_back (Net *net)
{
  net_conv (net, 3, 6, 5, 1, 1);
  transpose (net, to_last, 4);
  net_op (net, "Relu");
  transpose (net, to_first, 4);
  net_pool (net, "AveragePool", 2, 2);
  net_op (net, "Flatten");
  net_dense (net, 294, 4);
}

static void
form_scaled_row (Net *net)
{
  CnnShape each = { 1, { 8 } };
  body (net);
  net_op (net, "Flatten");
  net_dense (net, 216, 8);
  const char *more[] = { net_random (net, &each, 0.5f, 1) };
  net_add (net, "Mul", more, 1, NULL, 0);
  net_op (net, "Sigmoid");
  net_matmul (net, 8, 4);
}

/* Two branches with pools of their own, concatenated, then dense. */
static void
form_concat (Net *net)
{
  char start[32], left[32];
  CnnAttribute axis = net_int ("axis", 1);
  body (net);
  g_strlcpy (start, net->last, sizeof start);
  net_conv (net, 6, 4, 3, 1, 1);
  g_strlcpy (left, net->last, sizeof left);
  g_strlcpy (net->last, start, sizeof net->last);
  net_pool (net, "MaxPool", 3, 1);
  const char *more[] = { left };
  net_add (net, "Concat", more, 1, &axis, 1);
  net_op (net, "Flatten");
  net_dense (net, 160, 4);
}

/* Rows of two flattened maps next to each other. */
static void
form_concat_rows (Net *net)
{
  char start[32], left[32];
  CnnAttribute axis = net_int ("axis", 1);
  body (net);
  g_strlcpy (start, net->last, sizeof start);
  net_op (net, "GlobalAveragePool");
  net_op (net, "Flatten");
  g_strlcpy (left, net->last, sizeof left);
  g_strlcpy (net->last, start, sizeof net->last);
  net_op (net, "GlobalMaxPool");
  net_op (net, "Flatten");
  const char *more[] = { left };
  net_add (net, "Concat", more, 1, &axis, 1);
  net_dense (net, 12, 4);
}

/* The row's size is computed from the shape of a tensor. */
static void
form_computed_shape (Net *net)
{
  CnnError error = { 0 };
  int64_t first[] = { 0 }, rest[] = { -1 };
  char map[32], size[32];
  CnnAttribute axis = net_int ("axis", 0);
  body (net);
  g_strlcpy (map, net->last, sizeof map);
  net_op (net, "Shape");
  const char *index[] = { constant_ints (net, first, 1) };
  net_add (net, "Gather", index, 1, &axis, 1);
  const char *more[] = { constant_ints (net, rest, 1) };
  net_add (net, "Concat", more, 1, &axis, 1);
  g_strlcpy (size, net->last, sizeof size);
  net_ok (cnn_graph_add_node (net->graph, "Reshape", "r",
              (const char *[]){ map, size }, 2, (const char *[]){ "r" }, 1,
              NULL, 0, &error),
      &error);
  g_strlcpy (net->last, "r", sizeof net->last);
  net_dense (net, 216, 4);
}

/* The answer without a batch. */
static void
form_bare_answer (Net *net)
{
  static const int64_t batch[] = { 0 };
  body (net);
  net_op (net, "Flatten");
  net_dense (net, 216, 4);
  squeeze (net, batch, 1);
}

/* The picture itself is n h w c. */
static void
form_channels_last_input (Net *net)
{
  transpose (net, to_first, 4);
  body (net);
  transpose (net, to_last, 4);
  net_op (net, "Flatten");
  net_matmul (net, 216, 4);
}

/* Quantised and back, around and behind the dense layer (QDQ). */
static void
quantise (Net *net, float scale)
{
  CnnError error = { 0 };
  uint8_t zero = 128;
  CnnTensor s = { CNN_TYPE_FLOAT32, { 0 }, &scale };
  CnnTensor z = { CNN_TYPE_UINT8, { 0 }, &zero };
  char *names[] = { g_strdup_printf ("s%d", net->count),
    g_strdup_printf ("z%d", net->count) };
  net_ok (cnn_graph_add_constant (net->graph, names[0], &s, &error), &error);
  net_ok (cnn_graph_add_constant (net->graph, names[1], &z, &error), &error);
  const char *more[] = { names[0], names[1] };
  net_add (net, "QuantizeLinear", more, 2, NULL, 0);
  net_add (net, "DequantizeLinear", more, 2, NULL, 0);
  g_free (names[0]);
  g_free (names[1]);
}

static void
form_quantised (Net *net)
{
  body (net);
  quantise (net, 1.0f / 64);
  net_op (net, "Flatten");
  net_dense (net, 216, 8);
  quantise (net, 1.0f / 8);
  net_op (net, "Relu");
  net_matmul (net, 8, 4);
}

typedef struct
{
  const char *name;
  void (*build) (Net *net);
  gboolean last;
} Form;

static const Form forms[] = {
  { "flatten-n-h-w-c", form_flatten_last, FALSE },
  { "reshape-n-h-w-c", form_reshape_last, FALSE },
  { "global-average", form_global_average, FALSE },
  { "global-max-squeeze", form_global_max, FALSE },
  { "reduce-mean", form_reduce_mean, FALSE },
  { "reduce-max-n-h-w-c", form_reduce_sum_last, FALSE },
  { "dense-on-last", form_dense_on_last, FALSE },
  { "one-by-one-conv", form_one_by_one_conv, FALSE },
  { "shuffled-channels", form_shuffled_channels, FALSE },
  { "there-and-back", form_there_and_back, FALSE },
  { "scaled-row", form_scaled_row, FALSE },
  { "concat", form_concat, FALSE },
  { "concat-rows", form_concat_rows, FALSE },
  { "computed-shape", form_computed_shape, FALSE },
  { "bare-answer", form_bare_answer, FALSE },
  { "quantised", form_quantised, FALSE },
  { "input-n-h-w-c", form_channels_last_input, TRUE },
};

#define SIDE 18

/* -- checking ----------------------------------------------------------- */

/* A crop of the 3 x h x w frame at (y, x), as the classifier wants it. */
static void
crop (const float *frame, int h, int w, int y, int x, gboolean last,
    CnnTensor *to)
{
  int side = (int) to->shape.dims[last ? 1 : 2];
  float *out = to->data;
  for (int c = 0; c < 3; c++)
    for (int i = 0; i < side; i++)
      for (int j = 0; j < side; j++)
        out[last ? (i * side + j) * 3 + c : (c * side + i) * side + j] =
            frame[(c * h + y + i) * w + x + j];
}

static void
test_form (gconstpointer data)
{
  const Form *form = data;
  Net net;
  CnnError error = { 0 };
  CnnModel *model, *map = NULL;
  CnnRng rng;
  if (form->last)
    net_begin (&net, 7, SIDE, SIDE, 3);
  else
    net_begin (&net, 7, 3, SIDE, SIDE);
  form->build (&net);
  model = net_end (&net);
  g_assert_cmpint (cnn_model_info (model)->classes, ==, 4);
  net_ok (cnn_model_to_map (model, &map, &error), &error);
  g_assert_true (cnn_model_info (map)->is_map);
  g_assert_cmpint (cnn_model_info (map)->channels, ==, 3);
  g_assert_cmpint (cnn_model_info (map)->classes, ==, 4);

  int h = SIDE + 9, w = SIDE + 14;
  CnnSession *patch = form->last ? net_session (model, 1, SIDE, SIDE, 3, NULL)
                                 : net_session (model, 1, 3, SIDE, SIDE, NULL);
  CnnSession *whole = net_session (map, 1, 3, h, w, NULL);
  CnnGeometry look;
  net_ok (cnn_session_geometry (whole, &look, &error), &error);
  g_assert_cmpint (look.stride[0], ==, 2);
  float *frame = g_new (float, 3 * h * w);
  cnn_rng_init (&rng, 5, 0);
  net_fill (&rng, frame, (size_t) (3 * h * w));
  memcpy (cnn_session_input (whole, 0)->data, frame,
      (size_t) (3 * h * w) * sizeof *frame);
  cnn_session_run (whole);
  const CnnTensor *y = cnn_session_output (whole, 0);
  int mh = (int) y->shape.dims[2], mw = (int) y->shape.dims[3];
  for (int i = 0; i < mh; i++)
    for (int j = 0; j < mw; j++) {
      if (2 * i + SIDE > h || 2 * j + SIDE > w)
        continue;
      crop (frame, h, w, 2 * i, 2 * j, form->last,
          cnn_session_input (patch, 0));
      cnn_session_run (patch);
      const float *answer = cnn_session_output (patch, 0)->data;
      for (int k = 0; k < 4; k++)
        g_assert_cmpfloat_with_epsilon (answer[k],
            ((float *) y->data)[(k * mh + i) * mw + j], 1e-4);
    }
  g_free (frame);
  cnn_session_free (whole);
  cnn_session_free (patch);
  cnn_model_unref (map);
  cnn_model_unref (model);
}

/* Two outputs: classes and a box. */
static void
test_heads (void)
{
  Net net;
  CnnError error = { 0 };
  CnnModel *model, *map = NULL;
  char row[32];
  net_begin (&net, 3, 3, SIDE, SIDE);
  body (&net);
  net_op (&net, "Flatten");
  g_strlcpy (row, net.last, sizeof row);
  net_dense (&net, 216, 4);
  net_ok (cnn_graph_add_output (net.graph, net.last, &error), &error);
  g_strlcpy (net.last, row, sizeof net.last);
  net_matmul (&net, 216, 7);
  model = net_end (&net);
  net_ok (cnn_model_to_map (model, &map, &error), &error);
  CnnSession *s = net_session (map, 1, 3, 30, 40, NULL);
  g_assert_cmpint (cnn_session_n_outputs (s), ==, 2);
  g_assert_cmpint (cnn_session_output (s, 0)->shape.dims[1], ==, 4);
  g_assert_cmpint (cnn_session_output (s, 1)->shape.dims[1], ==, 7);
  g_assert_cmpint (cnn_session_output (s, 1)->shape.dims[2], ==, 7);
  g_assert_cmpint (cnn_session_output (s, 1)->shape.dims[3], ==, 12);
  cnn_session_free (s);
  cnn_model_unref (map);
  cnn_model_unref (model);
}

/* A classifier in half precision becomes a map that computes in float32. */
static void
test_half_precision (void)
{
  CnnError error = { 0 };
  CnnGraph *graph = NULL;
  CnnModel *model = NULL, *map = NULL;
  CnnShape picture = { 4, { 1, 1, 4, 4 } }, kernel = { 4, { 1, 1, 3, 3 } };
  CnnShape dense = { 2, { 4, 2 } }, bias = { 1, { 2 } };
  /* 1, 2 and -0.5 */
  uint16_t ones[9], rows[8], halves[2] = { 0xb800, 0x4000 };
  for (int i = 0; i < 9; i++)
    ones[i] = 0x3c00;
  for (int i = 0; i < 8; i++)
    rows[i] = i % 2 ? 0x4000 : 0x3c00;
  CnnTensor w = { CNN_TYPE_FLOAT16, kernel, ones };
  CnnTensor d = { CNN_TYPE_FLOAT16, dense, rows };
  CnnTensor b = { CNN_TYPE_FLOAT16, bias, halves };
  net_ok (cnn_graph_new (CNN_GRAPH_OPSET, &graph, &error), &error);
  net_ok (cnn_graph_add_input (graph, "x", CNN_TYPE_FLOAT16, &picture, &error),
      &error);
  net_ok (cnn_graph_add_constant (graph, "w", &w, &error), &error);
  net_ok (cnn_graph_add_constant (graph, "d", &d, &error), &error);
  net_ok (cnn_graph_add_constant (graph, "b", &b, &error), &error);
  static const char *const steps[][5] = { { "Conv", "x", "w", "c" },
    { "Flatten", "c", NULL, "f" }, { "MatMul", "f", "d", "m" },
    { "Add", "m", "b", "y" } };
  for (gsize i = 0; i < G_N_ELEMENTS (steps); i++)
    net_ok (cnn_graph_add_node (graph, steps[i][0], steps[i][3],
                (const char *[]){ steps[i][1], steps[i][2] },
                steps[i][2] ? 2 : 1, (const char *[]){ steps[i][3] }, 1, NULL,
                0, &error),
        &error);
  net_ok (cnn_graph_add_output (graph, "y", &error), &error);
  net_ok (cnn_model_new (graph, &model, &error), &error);
  net_ok (cnn_model_to_map (model, &map, &error), &error);
  CnnSession *s = net_session (map, 1, 1, 4, 5, NULL);
  g_assert_cmpint (cnn_session_input (s, 0)->type, ==, CNN_TYPE_FLOAT32);
  for (int i = 0; i < 20; i++)
    ((float *) cnn_session_input (s, 0)->data)[i] = 1;
  cnn_session_run (s);
  const CnnTensor *y = cnn_session_output (s, 0);
  g_assert_cmpint (y->type, ==, CNN_TYPE_FLOAT32);
  g_assert_cmpint (y->shape.dims[3], ==, 2);
  for (int j = 0; j < 2; j++) {
    g_assert_cmpfloat (((float *) y->data)[j], ==, 36 - 0.5f);
    g_assert_cmpfloat (((float *) y->data)[2 + j], ==, 72 + 2);
  }
  cnn_session_free (s);
  cnn_model_unref (map);
  cnn_model_unref (model);
}

/* What sees all of a picture can't be part of a map. */
static void
test_refusals (void)
{
  static const char *const ops[] = { "InstanceNormalization",
    "MeanVarianceNormalization" };
  for (gsize i = 0; i < G_N_ELEMENTS (ops); i++) {
    Net net;
    CnnError error = { 0 };
    CnnModel *model, *map = NULL;
    CnnShape each = { 1, { 6 } };
    net_begin (&net, 3, 3, SIDE, SIDE);
    body (&net);
    const char *more[] = { net_random (&net, &each, 1, 0),
      net_random (&net, &each, 1, 0) };
    net_add (&net, ops[i], more, i ? 0 : 2, NULL, 0);
    net_op (&net, "Flatten");
    net_dense (&net, 216, 4);
    model = net_end (&net);
    g_assert_cmpint (cnn_model_to_map (model, &map, &error), ==,
        CNN_ERROR_UNSUPPORTED);
    g_assert_nonnull (strstr (error.message, ops[i]));
    g_assert_nonnull (strstr (error.message, "all of a picture"));
    cnn_model_unref (model);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (forms); i++) {
    char *path = g_strconcat ("/forms/", forms[i].name, NULL);
    g_test_add_data_func (path, &forms[i], test_form);
    g_free (path);
  }
  g_test_add_func ("/forms/heads", test_heads);
  g_test_add_func ("/forms/half-precision", test_half_precision);
  g_test_add_func ("/forms/refusals", test_refusals);
  return g_test_run ();
}
