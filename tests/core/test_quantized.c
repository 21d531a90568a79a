/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_quantized.c: quantised networks run on integers and say what they say
 * in floats.
 *
 * The reference quantises with Div, Round, Clip, Mul, so that it shares no
 * operator with what is tested. Where scales are powers of two its sums are
 * exact, and the results have to be equal to the bit. With other scales floats
 * may round to the other side of a half: one quantum, seldom. */

#include <math.h>

#include "graph/program.h"
#include "netbuild.h"

typedef struct
{
  Net net;
  gboolean fake, powers, bytes_signed;
} Quant;

static const char *
constant (Quant *q, CnnType type, const CnnShape *shape, const void *data)
{
  CnnError error = { 0 };
  char *name = g_strdup_printf ("k%d", q->net.count++);
  CnnTensor tensor = { type, *shape, (void *) data };
  net_ok (cnn_graph_add_constant (q->net.graph, name, &tensor, &error), &error);
  const char *kept = g_intern_string (name);
  g_free (name);
  return kept;
}

static const char *
scalar (Quant *q, float x)
{
  return constant (q, CNN_TYPE_FLOAT32, &(CnnShape){ 0 }, &x);
}

static const char *
zero_point (Quant *q, int zero)
{
  guint8 byte = (guint8) zero;
  CnnType type = q->bytes_signed ? CNN_TYPE_INT8 : CNN_TYPE_UINT8;
  return constant (q, type, &(CnnShape){ 0 }, &byte);
}

static float
scale_near (Quant *q, int exponent)
{
  float f = q->powers ? 1 : cnn_rng_range (&q->net.rng, 0.6f, 1.5f);
  return ldexpf (f, exponent);
}

static void
with (Quant *q, const char *op, const char *a, const char *b)
{
  const char *more[] = { a, b };
  net_add (&q->net, op, more, b ? 2 : 1, NULL, 0);
}

/* To bytes and back to floats. */
static void
quantise (Quant *q, float scale, int zero)
{
  int low = q->bytes_signed ? -128 : 0;
  if (!q->fake) {
    const char *s = scalar (q, scale), *z = zero_point (q, zero);
    with (q, "QuantizeLinear", s, z);
    with (q, "DequantizeLinear", s, z);
    return;
  }
  with (q, "Div", scalar (q, scale), NULL);
  net_op (&q->net, "Round");
  with (q, "Clip", scalar (q, (float) (low - zero)),
      scalar (q, (float) (low + 255 - zero)));
  with (q, "Mul", scalar (q, scale), NULL);
}

typedef struct
{
  int ic, oc, kh, kw, pad, dilation;
  gboolean bias;
} Layer;

/* Weights that a DequantizeLinear gives, one scale a channel. */
static const char *
weights (Quant *q, const Layer *l)
{
  CnnShape shape = { 4, { l->oc, l->ic, l->kh, l->kw } };
  CnnShape each = { 1, { l->oc } };
  CnnError error = { 0 };
  gsize size = (gsize) (l->ic * l->kh * l->kw), count = size * (gsize) l->oc;
  gint8 *w = g_new (gint8, count), *zeros = g_new0 (gint8, (gsize) l->oc);
  float *scales = g_new (float, (gsize) l->oc), *f = g_new (float, count);
  for (gsize i = 0; i < count; i++)
    w[i] = i % size ? (gint8) ((int) cnn_rng_int (&q->net.rng, 255) - 127)
                    : (gint8) (i % 2 ? 127 : -127);
  for (int o = 0; o < l->oc; o++)
    scales[o] = scale_near (q, -7 - (int) cnn_rng_int (&q->net.rng, 3));
  for (gsize i = 0; i < count; i++)
    f[i] = (float) w[i] * scales[i / size];
  const char *name;
  if (q->fake) {
    name = constant (q, CNN_TYPE_FLOAT32, &shape, f);
  } else {
    const char *in[] = { constant (q, CNN_TYPE_INT8, &shape, w),
      constant (q, CNN_TYPE_FLOAT32, &each, scales),
      constant (q, CNN_TYPE_INT8, &each, zeros) };
    CnnAttribute axis = net_int ("axis", 0);
    char *text = g_strdup_printf ("w%d", q->net.count++);
    name = g_intern_string (text);
    g_free (text);
    net_ok (cnn_graph_add_node (q->net.graph, "DequantizeLinear", name, in, 3,
                &name, 1, &axis, 1, &error),
        &error);
  }
  g_free (f);
  g_free (scales);
  g_free (zeros);
  g_free (w);
  return name;
}

static void
conv (Quant *q, const Layer *l, float in_scale)
{
  const char *more[2] = { weights (q, l), NULL };
  int64_t pads[] = { l->pad, l->pad, l->pad, l->pad };
  int64_t dilations[] = { l->dilation, l->dilation };
  CnnAttribute attributes[] = { net_ints ("pads", pads, 4),
    net_ints ("dilations", dilations, 2) };
  if (l->bias) {
    float *b = g_new (float, (gsize) l->oc);
    for (int o = 0; o < l->oc; o++)
      b[o] = ldexpf (in_scale, -7)
          * (float) ((int) cnn_rng_int (&q->net.rng, 400) - 200);
    more[1] = constant (q, CNN_TYPE_FLOAT32, &(CnnShape){ 1, { l->oc } }, b);
    g_free (b);
  }
  net_add (&q->net, "Conv", more, l->bias ? 2 : 1, attributes, 2);
}

/* The same as QLinearConv and a pool of bytes: an int8 kernel of one scale and
 * an int32 bias, from bytes to bytes; @fake: in floats. */
static void
qlinear (Quant *q, const Layer *l, const char *const *in, float in_scale,
    const char *const *out, float out_scale)
{
  CnnShape shape = { 4, { l->oc, l->ic, l->kh, l->kw } };
  CnnShape each = { 1, { l->oc } };
  gsize count = (gsize) (l->oc * l->ic * l->kh * l->kw);
  gint8 *w = g_new (gint8, count);
  float *f = g_new (float, count), b[16], scale = 0x1p-8f;
  gint32 bias[16];
  for (gsize i = 0; i < count; i++) {
    w[i] = (gint8) ((int) cnn_rng_int (&q->net.rng, 255) - 127);
    f[i] = (float) w[i] * scale;
  }
  w[0] = 127;
  f[0] = 127 * scale;
  for (int o = 0; o < l->oc; o++) {
    bias[o] = (gint32) cnn_rng_int (&q->net.rng, 20000) - 10000;
    b[o] = (float) bias[o] * in_scale * scale;
  }
  if (q->fake) {
    const char *more[] = { constant (q, CNN_TYPE_FLOAT32, &shape, f),
      constant (q, CNN_TYPE_FLOAT32, &each, b) };
    net_add (&q->net, "Conv", more, 2, NULL, 0);
    quantise (q, out_scale, 7);
  } else {
    guint8 none = 0;
    const char *more[] = { in[0], in[1], constant (q, CNN_TYPE_INT8, &shape, w),
      scalar (q, scale), constant (q, CNN_TYPE_INT8, &(CnnShape){ 0 }, &none),
      out[0], out[1], constant (q, CNN_TYPE_INT32, &each, bias) };
    net_add (&q->net, "QLinearConv", more, 8, NULL, 0);
  }
  g_free (f);
  g_free (w);
}

static CnnModel *
qlinear_network (guint64 seed, gboolean fake)
{
  Quant q = { .fake = fake, .powers = TRUE };
  const float a = 0x1p-8f, b = 0x1p-5f;
  Layer first = { 1, 7, 5, 3, 0, 1, TRUE }, second = { 7, 5, 3, 4, 0, 1, TRUE };
  net_begin (&q.net, seed, 1, 90, 90);
  const char *in[] = { scalar (&q, a), zero_point (&q, 3) };
  const char *out[] = { scalar (&q, b), zero_point (&q, 7) };
  if (fake)
    quantise (&q, a, 3);
  else
    with (&q, "QuantizeLinear", in[0], in[1]);
  qlinear (&q, &first, in, a, out, b);
  net_pool (&q.net, "MaxPool", 2, 2);
  qlinear (&q, &second, out, b, out, b);
  if (!fake)
    with (&q, "DequantizeLinear", out[0], out[1]);
  return net_end (&q.net);
}

/* How many layers of the session run as integers. */
static int
count_integer_layers (const CnnSession *session)
{
  int count = 0;
  for (int i = 0; i < cnn_session_n_layers (session); i++) {
    CnnLayerInfo info;
    cnn_session_layer (session, i, &info);
    count += !strcmp (info.op, "QuantizedConv");
  }
  return count;
}

/* Winograd's sums are not exact. */
static CnnSession *
exact_session (CnnModel *model, int c, int h, int w)
{
  CnnError error = { 0 };
  CnnSession *session = NULL;
  CnnSessionOptions options = { .precision = CNN_PRECISION_EXACT };
  net_ok (cnn_session_new (model, &(CnnShape){ 4, { 1, c, h, w } }, &options,
              &session, &error),
      &error);
  return session;
}

typedef struct
{
  double largest;
  gsize different, count;
} Difference;

/* Both networks on one picture. */
static Difference
compare (CnnModel *model, CnnModel *fake, CnnRng *rng, int c, int h, int w,
    int layers)
{
  Difference d = { 0 };
  CnnSession *a = exact_session (model, c, h, w);
  CnnSession *b = exact_session (fake, c, h, w);
  gsize n = (gsize) (c * h * w);
  g_assert_cmpint (count_integer_layers (a), ==, layers);
  g_assert_cmpint (count_integer_layers (b), ==, 0);
  float *x = cnn_session_input (a, 0)->data;
  net_fill (rng, x, n);
  memcpy (cnn_session_input (b, 0)->data, x, n * sizeof *x);
  cnn_session_run (a);
  cnn_session_run (b);
  const CnnTensor *y = cnn_session_output (a, 0);
  const float *want = cnn_session_output (b, 0)->data;
  g_assert_cmpint (cnn_shape_elements (&y->shape, &d.count), ==, CNN_OK);
  g_assert_true (
      cnn_shape_equal (&y->shape, &cnn_session_output (b, 0)->shape));
  for (gsize i = 0; i < d.count; i++) {
    double off = fabs ((double) ((const float *) y->data)[i] - want[i]);
    d.different += off > 0;
    d.largest = MAX (d.largest, off);
  }
  cnn_session_free (a);
  cnn_session_free (b);
  return d;
}

static Layer
random_layer (CnnRng *rng, int ic)
{
  return (Layer){ ic, 1 + (int) cnn_rng_int (rng, 13),
    1 + (int) cnn_rng_int (rng, 5), 1 + (int) cnn_rng_int (rng, 5),
    (int) cnn_rng_int (rng, 3) / 2, 1 + (int) cnn_rng_int (rng, 4) / 3,
    cnn_rng_int (rng, 3) > 0 };
}

/* What stands between two convolutions: the pool before the quantisation,
 * behind it, or quantised twice, as other tools write it. */
static void
between (Quant *q, float scale)
{
  int zero = (int) cnn_rng_int (&q->net.rng, 2) * 100 - (q->bytes_signed * 50);
  unsigned form = cnn_rng_int (&q->net.rng, 4);
  if (cnn_rng_int (&q->net.rng, 2))
    net_op (&q->net, "Relu");
  if (form == 1)
    net_pool (&q->net, "MaxPool", 2, 2);
  quantise (q, scale, zero);
  if (form == 2) {
    net_pool (&q->net, "MaxPool", 2, 2);
    quantise (q, scale, zero);
  }
}

/* @n_layers convolutions; the last one's sums are the output, or are quantised
 * and turned back. @last: (out): the output's quantum. */
static CnnModel *
network (guint64 seed, gboolean fake, gboolean powers, int n_layers, int *c,
    float *last)
{
  Quant q = { .fake = fake, .powers = powers };
  CnnRng sizes;
  cnn_rng_init (&sizes, seed, 1);
  *c = 1 + (int) cnn_rng_int (&sizes, 5);
  if (*c == 5)
    *c = 1;
  net_begin (&q.net, seed, *c, 90, 90);
  q.bytes_signed = cnn_rng_int (&sizes, 2) > 0;
  float scale = scale_near (&q, -8);
  quantise (&q, scale, q.bytes_signed ? -128 : 3 * (int) (seed % 2));
  int channels = *c;
  for (int i = 0; i < n_layers; i++) {
    Layer l = random_layer (&sizes, channels);
    conv (&q, &l, scale);
    channels = l.oc;
    scale = scale_near (&q, -6 + i);
    if (i + 1 < n_layers)
      between (&q, scale);
  }
  if (cnn_rng_int (&sizes, 2) || n_layers == 1)
    quantise (&q, scale, q.bytes_signed ? 0 : 128);
  *last = scale;
  return net_end (&q.net);
}

static void
test_exact (void)
{
  for (guint64 seed = 1; seed <= 150; seed++) {
    CnnRng rng;
    int c;
    float quantum;
    int layers = 1 + (int) (seed % 4);
    CnnModel *model = network (seed, FALSE, TRUE, layers, &c, &quantum);
    CnnModel *fake = network (seed, TRUE, TRUE, layers, &c, &quantum);
    cnn_rng_init (&rng, seed, 2);
    int h = 90 + (int) (seed % 7), w = 90 + (int) (seed % 53);
    Difference d = compare (model, fake, &rng, c, h, w, layers);
    if (d.different)
      g_error ("network %" G_GUINT64_FORMAT ": %zu of %zu differ, by %g", seed,
          d.different, d.count, d.largest);
    cnn_model_unref (model);
    cnn_model_unref (fake);
  }
}

static void
test_qlinear (void)
{
  for (guint64 seed = 1; seed <= 20; seed++) {
    CnnRng rng;
    CnnModel *model = qlinear_network (seed, FALSE);
    CnnModel *fake = qlinear_network (seed, TRUE);
    cnn_rng_init (&rng, seed, 2);
    Difference d = compare (model, fake, &rng, 1, 61, 60 + (int) seed, 2);
    g_assert_cmpuint (d.different, ==, 0);
    cnn_model_unref (model);
    cnn_model_unref (fake);
  }
}

/* The same bytes with any number of threads, and where only what changed is
 * computed again. */
static void
test_threads_and_changes (void)
{
  for (guint64 seed = 1; seed <= 24; seed++) {
    CnnError error = { 0 };
    CnnRng rng;
    CnnPool *pool = NULL;
    int c;
    float quantum;
    CnnModel *model = network (seed, FALSE, FALSE, 3, &c, &quantum);
    CnnSession *whole = exact_session (model, c, 150, 131), *part = NULL;
    CnnShape shape = { 4, { 1, c, 150, 131 } };
    net_ok (cnn_pool_new (3, &pool), &error);
    CnnSessionOptions options = { .pool = pool, .incremental = 1 };
    net_ok (cnn_session_new (model, &shape, &options, &part, &error), &error);
    gsize n = (gsize) c * 150 * 131, count;
    float *x = g_new (float, n);
    cnn_rng_init (&rng, seed, 3);
    net_fill (&rng, x, n);
    for (int round = 0; round < 3; round++) {
      CnnRegion r = { 20 + 9 * round, 31, 40 + 13 * round, 60 + 5 * round };
      for (int k = 0; k < c && round; k++)
        for (int i = r.y0; i < r.y1; i++)
          net_fill (&rng, x + (k * 150 + i) * 131 + r.x0,
              (gsize) (r.x1 - r.x0));
      memcpy (cnn_session_input (whole, 0)->data, x, n * sizeof *x);
      memcpy (cnn_session_input (part, 0)->data, x, n * sizeof *x);
      cnn_session_run (whole);
      cnn_session_run_changed (part, &r, 1);
      const CnnTensor *a = cnn_session_output (whole, 0);
      g_assert_cmpint (cnn_shape_elements (&a->shape, &count), ==, CNN_OK);
      g_assert_cmpmem (a->data, count * sizeof *x,
          cnn_session_output (part, 0)->data, count * sizeof *x);
    }
    g_free (x);
    cnn_session_free (part);
    cnn_session_free (whole);
    cnn_pool_free (pool);
    cnn_model_unref (model);
  }
}

static void
test_one_quantum (void)
{
  gsize different = 0, count = 0;
  for (guint64 seed = 1; seed <= 100; seed++) {
    CnnRng rng;
    int c;
    float quantum;
    CnnModel *model = network (seed, FALSE, FALSE, 1, &c, &quantum);
    CnnModel *fake = network (seed, TRUE, FALSE, 1, &c, &quantum);
    cnn_rng_init (&rng, seed, 2);
    Difference d = compare (model, fake, &rng, c, 40, 41, 1);
    g_assert_cmpfloat (d.largest, <=, 1.001 * (double) quantum);
    different += d.different;
    count += d.count;
    cnn_model_unref (model);
    cnn_model_unref (fake);
  }
  g_test_message ("%zu of %zu differ", different, count);
  g_assert_cmpuint (different * 1000, <, count);
}

/* Weights of no integers: as before. */
static void
test_floats_stay (void)
{
  Quant q = { 0 };
  net_begin (&q.net, 1, 1, 20, 20);
  quantise (&q, 0.01f, 0);
  net_conv (&q.net, 1, 3, 3, 1, 1);
  quantise (&q, 0.01f, 0);
  CnnModel *model = net_end (&q.net);
  CnnSession *session = net_session (model, 1, 1, 20, 20, NULL);
  g_assert_cmpint (count_integer_layers (session), ==, 0);
  cnn_session_free (session);
  cnn_model_unref (model);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/quantized/exact", test_exact);
  g_test_add_func ("/quantized/qlinear", test_qlinear);
  g_test_add_func ("/quantized/threads-and-changes", test_threads_and_changes);
  g_test_add_func ("/quantized/one-quantum", test_one_quantum);
  g_test_add_func ("/quantized/floats-stay", test_floats_stay);
  return g_test_run ();
}
