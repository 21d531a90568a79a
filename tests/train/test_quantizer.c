/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_quantizer.c: a float network and its quantised copy agree, in memory and
 * through a file; scales are those that lose least. */

#include <cnn/onnx.h>
#include <cnn/quantize.h>

#include "netbuild.h"
#include "train/histogram.h"

#define SIDE 24

static CnnModel *
classifier (void)
{
  Net net;
  net_begin (&net, 5, 1, SIDE, SIDE);
  net_conv (&net, 1, 6, 5, 1, 1);
  net_op (&net, "Relu");
  net_pool (&net, "MaxPool", 2, 2);
  net_conv (&net, 6, 9, 3, 1, 1);
  net_op (&net, "Tanh");
  net_op (&net, "Flatten");
  net_dense (&net, 9 * 8 * 8, 20);
  net_op (&net, "Relu");
  net_dense (&net, 20, 7);
  return net_end (&net);
}

static CnnModel *
quantised (CnnModel *model, int pictures)
{
  CnnError error = { 0 };
  CnnQuantizer *quantizer = NULL;
  CnnModel *result = NULL;
  CnnRng rng;
  float picture[SIDE * SIDE];
  net_ok (cnn_quantizer_new (model, NULL, &quantizer, &error), &error);
  g_assert_cmpint (cnn_quantizer_layers (quantizer), ==, 4);
  cnn_rng_init (&rng, 1, 0);
  for (int i = 0; i < pictures; i++) {
    net_fill (&rng, picture, G_N_ELEMENTS (picture));
    cnn_quantizer_show (quantizer, picture);
  }
  CnnStatus status = cnn_quantizer_model (quantizer, &result, &error);
  g_assert_cmpint (status, ==, pictures ? CNN_OK : CNN_ERROR_ARGUMENT);
  cnn_quantizer_free (quantizer);
  return result;
}

/* Writes answers to @pictures random pictures. */
static void
answer (CnnModel *model, int pictures, float *answers)
{
  CnnSession *session = net_session (model, 1, 1, SIDE, SIDE, NULL);
  CnnRng rng;
  cnn_rng_init (&rng, 2, 0);
  for (int i = 0; i < pictures; i++) {
    net_fill (&rng, cnn_session_input (session, 0)->data, SIDE * SIDE);
    cnn_session_run (session);
    memcpy (answers + 7 * i, cnn_session_output (session, 0)->data,
        7 * sizeof *answers);
  }
  cnn_session_free (session);
}

static void
test_agrees (void)
{
  float floats[7 * 50], bytes[7 * 50];
  double off = 0, spread = 0, mean = 0;
  CnnModel *model = classifier (), *small = quantised (model, 100);
  answer (model, 50, floats);
  answer (small, 50, bytes);
  for (gsize i = 0; i < G_N_ELEMENTS (floats); i++)
    mean += (double) floats[i] / G_N_ELEMENTS (floats);
  for (gsize i = 0; i < G_N_ELEMENTS (floats); i++) {
    off += pow ((double) floats[i] - (double) bytes[i], 2);
    spread += pow ((double) floats[i] - mean, 2);
  }
  g_test_message ("%g of the spread", sqrt (off / spread));
  g_assert_cmpfloat (off, >, 0);
  g_assert_cmpfloat (sqrt (off / spread), <, 0.03);
  cnn_model_unref (small);
  cnn_model_unref (model);
}

static int
count_layers (CnnModel *model, const char *op)
{
  CnnSession *session = net_session (model, 1, 1, SIDE, SIDE, NULL);
  int count = 0;
  for (int i = 0; i < cnn_session_n_layers (session); i++) {
    CnnLayerInfo info;
    cnn_session_layer (session, i, &info);
    count += !strcmp (info.op, op);
  }
  cnn_session_free (session);
  return count;
}

/* The file has the bytes, not their floats; what is read computes the same, and
 * so does the class map of it. */
static void
test_file (void)
{
  CnnError error = { 0 };
  void *bytes = NULL, *plain = NULL;
  gsize size = 0, plain_size = 0;
  float before[7 * 10], after[7 * 10], cell[7 * 10];
  CnnModel *model = classifier (), *small = quantised (model, 20);
  CnnModel *again = NULL, *map = NULL;
  net_ok (cnn_onnx_write (model, &plain, &plain_size, &error), &error);
  net_ok (cnn_onnx_write (small, &bytes, &size, &error), &error);
  g_assert_cmpuint (size, <, plain_size / 2);
  net_ok (cnn_onnx_read (bytes, size, &again, &error), &error);
  answer (small, 10, before);
  answer (again, 10, after);
  g_assert_cmpmem (before, sizeof before, after, sizeof after);

  net_ok (cnn_model_to_map (again, &map, &error), &error);
  g_assert_cmpint (count_layers (map, "QuantizedConv"), ==, 4);
  answer (map, 10, cell);
  for (int i = 0; i < 70; i++)
    g_assert_cmpfloat (fabsf (cell[i] - before[i]), <, 0.02f);
  free (plain);
  free (bytes);
  cnn_model_unref (map);
  cnn_model_unref (again);
  cnn_model_unref (small);
  cnn_model_unref (model);
}

static void
test_refused (void)
{
  CnnError error = { 0 };
  CnnQuantizer *quantizer = NULL;
  CnnModel *model = classifier (), *small = quantised (model, 3);
  g_assert_null (quantised (model, 0));
  g_assert_cmpint (cnn_quantizer_new (small, NULL, &quantizer, &error), ==,
      CNN_ERROR_UNSUPPORTED);
  Net net;
  net_begin (&net, 1, 1, SIDE, SIDE);
  net_op (&net, "Relu");
  CnnModel *none = net_end (&net);
  g_assert_cmpint (cnn_quantizer_new (none, NULL, &quantizer, &error), ==,
      CNN_ERROR_UNSUPPORTED);
  cnn_model_unref (none);
  cnn_model_unref (small);
  cnn_model_unref (model);
}

/* All of an even spread; of a long tail the last bit is given up. */
static void
test_histogram (void)
{
  CnnHistogram *even = g_new0 (CnnHistogram, 1);
  CnnHistogram *tailed = g_new0 (CnnHistogram, 1);
  CnnRng rng;
  cnn_rng_init (&rng, 1, 0);
  for (int i = 0; i < 20000; i++) {
    float x = cnn_rng_range (&rng, -1, 3), y = cnn_rng_normal (&rng);
    cnn_histogram_add (even, &x, 1);
    cnn_histogram_add (tailed, &y, 1);
  }
  float far = 40;
  cnn_histogram_add (tailed, &far, 1);
  CnnQuantum q = cnn_histogram_quantum (even);
  g_assert_cmpfloat_with_epsilon (q.scale, 4.0 / 255, 0.001);
  g_assert_cmpint (abs (q.zero - 64), <=, 1);
  q = cnn_histogram_quantum (tailed);
  g_assert_cmpfloat (q.scale, <, 43.0 / 255);
  g_assert_cmpfloat (q.scale, >, 6.0 / 255);
  guint64 count = 0;
  for (int i = 0; i < CNN_HISTOGRAM_BINS; i++)
    count += tailed->bins[i];
  g_assert_cmpuint (count, ==, 20001);
  g_free (tailed);
  g_free (even);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/quantizer/agrees", test_agrees);
  g_test_add_func ("/quantizer/file", test_file);
  g_test_add_func ("/quantizer/refused", test_refused);
  g_test_add_func ("/quantizer/histogram", test_histogram);
  return g_test_run ();
}
