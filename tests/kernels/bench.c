/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bench.c: what whole layers reach, as a percentage of the multiply-adds that
 * this processor can do in registers, measured in the same run.
 *
 * The best of several rounds, processor time of one thread. Other processes disturb it: compare
 * ratios of one run. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/memory.h"
#include "check.h"
#include "ops/op.h"

#define ROUNDS 15

/* Time of this thread only: others may share its core. */
static gint64
now_ns (void)
{
  struct timespec t;
  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &t);
  return t.tv_sec * G_GINT64_CONSTANT (1000000000) + t.tv_nsec;
}

static double
measure (void (*work) (void *data), void *data)
{
  gint64 best = G_MAXINT64;
  int repeat = 1;
  /* Long enough to time, and warm. */
  for (;;) {
    gint64 start = now_ns ();
    for (int i = 0; i < repeat; i++)
      work (data);
    if (now_ns () - start > 2000000)
      break;
    repeat *= 2;
  }
  for (int r = 0; r < ROUNDS; r++) {
    gint64 start = now_ns ();
    for (int i = 0; i < repeat; i++)
      work (data);
    best = MIN (best, now_ns () - start);
  }
  return (double) best / repeat * 1e-9;
}

/* One operator with random inputs; backward() too where @training. */
typedef struct
{
  const CnnOp *op;
  CnnOpCall call;
  CnnOpGrad grad;
  CnnTensor in[3], out, d_in[3], d_out;
  const CnnTensor *ins[3], *d_outs[1];
  CnnTensor *outs[1], *d_ins[3];
  gint64 params[64];
} Layer;

static void
fill (CnnTensor *t, CnnShape shape)
{
  CnnRng rng;
  size_t n;
  cnn_rng_init (&rng, 1, 0);
  cnn_shape_elements (&shape, &n);
  *t = (CnnTensor){ CNN_TYPE_FLOAT32, shape, cnn_aligned_alloc (4 * n) };
  for (size_t i = 0; i < n; i++)
    ((float *) t->data)[i] = cnn_rng_range (&rng, -1, 1);
}

static void
layer_init (Layer *l, const CnnKernels *kernels, const char *op,
    const CnnAttributes *attributes, int n_in, const CnnShape *shapes,
    int training)
{
  CnnError error;
  *l = (Layer){ .op = cnn_op_find (op) };
  g_assert_cmpuint (l->op->params_bytes, <=, sizeof l->params);
  for (int i = 0; i < n_in; i++) {
    fill (&l->in[i], shapes[i]);
    fill (&l->d_in[i], shapes[i]);
    l->ins[i] = &l->in[i];
    l->d_ins[i] = &l->d_in[i];
  }
  if ((l->op->parse && l->op->parse (attributes, l->params, &error))
      || l->op->infer (l->params, l->ins, n_in, &l->out, 1, &error))
    g_error ("%s", error.message);
  fill (&l->out, l->out.shape);
  fill (&l->d_out, l->out.shape);
  l->outs[0] = &l->out;
  l->d_outs[0] = &l->d_out;
  size_t scratch = l->op->scratch_bytes ? l->op->scratch_bytes (l->params,
                       l->ins, n_in, &l->out, 0, NULL, training)
                                        : 0;
  size_t kept = l->op->kept_bytes && training
      ? l->op->kept_bytes (l->params, l->ins, &l->out)
      : 0;
  size_t packed = !training && l->op->packed_bytes
      ? l->op->packed_bytes (l->params, l->ins, n_in, 0)
      : 0;
  l->call = (CnnOpCall){
    .params = l->params,
    .in = l->ins,
    .n_in = n_in,
    .out = l->outs,
    .n_out = 1,
    .scratch = cnn_aligned_alloc (scratch),
    .kept = cnn_aligned_alloc (kept),
    .kernels = kernels,
    .training = training,
  };
  l->grad = (CnnOpGrad){ .d_out = l->d_outs, .d_in = l->d_ins };
  if (packed) {
    void *memory = cnn_aligned_alloc (packed);
    l->op->pack (l->params, l->ins, n_in, 0, memory);
    l->call.packed = memory;
  }
}

static void
layer_clear (Layer *l)
{
  for (int i = 0; i < 3; i++) {
    free (l->in[i].data);
    free (l->d_in[i].data);
  }
  free (l->out.data);
  free (l->d_out.data);
  free (l->call.kept);
  free (l->call.scratch);
  free ((void *) l->call.packed);
}

static void
forward (void *data)
{
  Layer *l = data;
  l->op->forward (&l->call);
}

static void
backward (void *data)
{
  Layer *l = data;
  l->op->backward (&l->call, &l->grad);
}

static void
peak_work (void *data)
{
  ((const CnnKernels *) data)->peak (20000);
}

static double
report (const char *what, double macs, double seconds, double peak)
{
  double gflops = 2e-9 * macs / seconds;
  printf ("  %-30s %9.4f ms %7.1f GFLOP/s %5.1f %%\n", what, seconds * 1e3,
      gflops, 100 * gflops / peak);
  return seconds;
}

/**
 * Network:
 * @channels: of each convolution's output, ended by 0
 * @kernels: their sizes; a 2x2 pool follows each but the 1x1 and the last 5x5
 */
typedef struct
{
  const char *name;
  int channels[8], kernel[8];
} Network;

static const Network networks[] = {
  { "A", { 6, 16, 120, 84, 11 }, { 5, 5, 5, 1, 1 } },
  { "B", { 20, 50, 500, 11 }, { 5, 5, 5, 1 } },
  { "detector", { 8, 16, 64, 11 }, { 5, 5, 5, 1 } },
};

static double
bench_pool (const CnnKernels *k, int c, int h, int w)
{
  static const int64_t two[] = { 2, 2 };
  const CnnAttribute items[] = {
    { .name = "kernel_shape",
        .type = CNN_ATTRIBUTE_INTS,
        .count = 2,
        .ints = two },
    { .name = "strides", .type = CNN_ATTRIBUTE_INTS, .count = 2, .ints = two }
  };
  CnnAttributes attributes = { items, 2, 17 };
  Layer l;
  CnnShape shape = { 4, { 1, c, h, w } };
  layer_init (&l, k, "MaxPool", &attributes, 1, &shape, 0);
  double seconds = measure (forward, &l);
  layer_clear (&l);
  printf ("  pool 2x2 of %dx%dx%-16d %9.4f ms\n", c, h, w, seconds * 1e3);
  return seconds;
}

static void
bench_network (const CnnKernels *k, const Network *net, int w, int h,
    double peak)
{
  CnnAttributes none = { NULL, 0, 17 };
  double total = 0, macs = 0;
  printf (" %s at %dx%d\n", net->name, w, h);
  for (int i = 0, c = 1; net->channels[i]; i++) {
    int oc = net->channels[i], s = net->kernel[i];
    CnnShape shapes[] = { { 4, { 1, c, h, w } }, { 4, { oc, c, s, s } },
      { 1, { oc } } };
    Layer l;
    char text[64];
    layer_init (&l, k, "Conv", &none, 3, shapes, 0);
    const CnnTensor *between = &l.out;
    l.op->fuse (l.params,
        &(CnnOpFusion){ l.ins, 3, cnn_op_find ("Relu"), NULL, &between, 1,
            false });
    double m = (double) l.op->macs (l.params, l.ins, 3, &l.out);
    g_snprintf (text, sizeof text, "%d -> %d %dx%d of %dx%d", c, oc, s, s, w,
        h);
    total += report (text, m, measure (forward, &l), peak);
    macs += m;
    layer_clear (&l);
    h -= s - 1;
    w -= s - 1;
    c = oc;
    if (s > 1 && net->kernel[i + 1] > 1) {
      total += bench_pool (k, c, h, w);
      h /= 2;
      w /= 2;
    }
  }
  report ("together", macs, total, peak);
}

/* One operator in training, forward and backward. */
static double
bench_training (const CnnKernels *k, const char *op, const CnnShape *shapes,
    const CnnAttributes *attributes, gboolean first, double peak)
{
  Layer l;
  char text[64];
  layer_init (&l, k, op, attributes, 3, shapes, 1);
  const int64_t *w = shapes[1].dims;
  double m = (double) l.op->macs (l.params, l.ins, 3, &l.out);
  g_snprintf (text, sizeof text, "%s %d -> %d forward", op,
      (int) shapes[0].dims[1], (int) w[0]);
  double total = report (text, m, measure (forward, &l), peak);
  l.grad.fresh = l.op->writes_fresh;
  l.d_ins[1] = NULL;
  if (!first)
    total += report ("  gradient by input", m, measure (backward, &l), peak);
  l.d_ins[1] = &l.d_in[1];
  l.d_ins[0] = NULL;
  total += report ("  gradient by weights", m, measure (backward, &l), peak);
  layer_clear (&l);
  return total;
}

/* A minibatch of 64 through LeNet5: four chunks of 16 through convolutions,
 * without their pools, and all of it through dense layers. */
static void
bench_minibatch (const CnnKernels *k, double peak)
{
  const CnnAttribute trans = { .name = "transB",
    .type = CNN_ATTRIBUTE_INT,
    .i = 1 };
  CnnAttributes none = { NULL, 0, 17 }, turned = { &trans, 1, 17 };
  const CnnShape convs[2][3] = {
    { { 4, { 16, 1, 32, 32 } }, { 4, { 20, 1, 5, 5 } }, { 1, { 20 } } },
    { { 4, { 16, 20, 14, 14 } }, { 4, { 50, 20, 5, 5 } }, { 1, { 50 } } },
  };
  const CnnShape dense[2][3] = {
    { { 2, { 64, 1250 } }, { 2, { 500, 1250 } }, { 1, { 500 } } },
    { { 2, { 64, 500 } }, { 2, { 11, 500 } }, { 1, { 11 } } },
  };
  printf (" training B, 64 samples of 32x32\n");
  double total = 0;
  for (int i = 0; i < 2; i++)
    total += 4 * bench_training (k, "Conv", convs[i], &none, !i, peak);
  for (int i = 0; i < 2; i++)
    total += bench_training (k, "Gemm", dense[i], &turned, FALSE, peak);
  printf ("  together %.4f ms, %.0f samples/s\n", total * 1e3, 64 / total);
}

void
bench_all (const CnnKernels *k)
{
  CnnKernels table = *k;
  double peak = k->peak (20000) / measure (peak_work, &table) * 1e-9;
  printf ("%s: peak %.1f GFLOP/s\n", k->name, peak);
  for (gsize i = 0; i < G_N_ELEMENTS (networks); i++) {
    bench_network (k, &networks[i], 640, 480, peak);
    if (i != 1)
      bench_network (k, &networks[i], 100, 75, peak);
  }
  bench_minibatch (k, peak);
}
