/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_learn.c: gradients of whole networks against finite differences: with
 * one chunk of samples and with several, of operators that take chunks and of
 * those that take the whole minibatch. */

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "graph/learn.h"
#include "netbuild.h"

#define SIDE 12
#define H    5e-4

/* @grads: one a chunk. */
typedef struct
{
  CnnModel *model;
  const CnnGraph *graph;
  float **weights, ***grads;
  unsigned char *learned;
  CnnPool *pool;
  CnnSession *session;
  int chunks;
} Fixture;

static size_t
elements (const CnnTensor *tensor)
{
  size_t count;
  g_assert_cmpint (cnn_shape_elements (&tensor->shape, &count), ==, CNN_OK);
  return count;
}

/* Rows of gradients hold rubbish to begin with: they are to be written. */
static void
make_rows (Fixture *f)
{
  f->chunks = cnn_session_learn_chunks (f->session);
  f->grads = g_new0 (float **, f->chunks);
  for (int k = 0; k < f->chunks; k++) {
    f->grads[k] = g_new0 (float *, f->graph->n_values);
    for (size_t v = 0; v < f->graph->n_values; v++) {
      size_t n = elements (&f->graph->values[v].tensor);
      if (!f->learned[v] || k >= cnn_session_learn_rows (f->session, (int) v))
        continue;
      f->grads[k][v] = g_new (float, n);
      for (size_t i = 0; i < n; i++)
        f->grads[k][v][i] = NAN;
    }
  }
}

static void
set_up (Fixture *f, CnnModel *model, int batch, unsigned threads)
{
  CnnError error = { 0 };
  CnnShape input = { 4, { batch, 1, SIDE, SIDE } };
  f->model = model;
  f->graph = cnn_model_program (model);
  size_t n = f->graph->n_values;
  f->weights = g_new0 (float *, n);
  f->learned = g_new0 (unsigned char, n);
  for (size_t v = 0; v < n; v++) {
    const CnnTensor *t = &f->graph->values[v].tensor;
    if (!f->graph->values[v].buffer || t->type != CNN_TYPE_FLOAT32)
      continue;
    f->learned[v] = 1;
    /* kernels may read beyond the end, as they may in the trainer */
    f->weights[v] = cnn_aligned_alloc (elements (t) * sizeof (float));
    memcpy (f->weights[v], t->data, elements (t) * sizeof (float));
  }
  g_assert_cmpint (cnn_pool_new (threads, &f->pool), ==, CNN_OK);
  CnnLearn learn = { f->weights, f->learned };
  net_ok (cnn_session_new_learning (model, &input, &learn, f->pool, &f->session,
              &error),
      &error);
  make_rows (f);
}

static void
tear_down (Fixture *f)
{
  cnn_session_free (f->session);
  cnn_pool_free (f->pool);
  for (int k = 0; k < f->chunks; k++) {
    for (size_t v = 0; v < f->graph->n_values; v++)
      g_free (f->grads[k][v]);
    g_free (f->grads[k]);
  }
  for (size_t v = 0; v < f->graph->n_values; v++)
    free (f->weights[v]);
  g_free (f->weights);
  g_free (f->grads);
  g_free (f->learned);
  cnn_model_unref (f->model);
}

/* Loss: the sum of outputs, each times a factor. */
static float
factor (size_t i)
{
  return (float) (i % 7) - 2.5f;
}

static double
loss (Fixture *f)
{
  double sum = 0;
  cnn_session_learn_forward (f->session, 9);
  const CnnTensor *y = cnn_session_output (f->session, 0);
  for (size_t i = 0; i < elements (y); i++)
    sum += (double) factor (i) * ((const float *) y->data)[i];
  return sum;
}

static void
check_value (Fixture *f, size_t v)
{
  size_t n = elements (&f->graph->values[v].tensor);
  for (size_t i = 0; i < n; i += 1 + n / 7) {
    float saved = f->weights[v][i];
    f->weights[v][i] = saved + (float) H;
    double up = loss (f);
    f->weights[v][i] = saved - (float) H;
    double down = loss (f);
    f->weights[v][i] = saved;
    double wanted = (up - down) / (2 * H), got = 0;
    for (int k = 0; k < cnn_session_learn_rows (f->session, (int) v); k++)
      got += f->grads[k][v][i];
    if (!(fabs (wanted - got) <= 2e-2 * (1 + fabs (wanted))))
      g_error ("%s[%zu]: gradient %g, finite difference %g",
          f->graph->values[v].name, i, got, wanted);
  }
}

/* Pools, dense layers, everything that recipes have but Relu, whose kink finite
 * differences do not see. */
static CnnModel *
usual_net (const char *pool)
{
  Net net;
  net_begin (&net, 5, 1, SIDE, SIDE);
  net_conv (&net, 1, 3, 3, 1, 1);
  net_op (&net, "Tanh");
  net_pool (&net, pool, 2, 2);
  net_conv (&net, 3, 4, 3, 1, 1);
  net_op (&net, "Sigmoid");
  net_op (&net, "Flatten");
  net_dense (&net, 36, 6);
  net_op (&net, "Tanh");
  net_dense (&net, 6, 3);
  return net_end (&net);
}

static CnnModel *
average_net (void)
{
  return usual_net ("AveragePool");
}

static CnnModel *
maximum_net (void)
{
  return usual_net ("MaxPool");
}

/* Strides, dilation, a value that two nodes read, a constant stretched over all
 * samples, and a dense layer of two nodes. */
static CnnModel *
forked_net (void)
{
  Net net;
  char fork[32];
  const char *more[1], *offset[1];
  net_begin (&net, 6, 1, SIDE, SIDE);
  net_conv (&net, 1, 3, 3, 2, 1);
  net_op (&net, "Tanh");
  net_conv (&net, 3, 4, 2, 1, 2);
  net_op (&net, "Sigmoid");
  g_strlcpy (fork, net.last, sizeof fork);
  more[0] = fork;
  net_conv (&net, 4, 4, 1, 1, 1);
  net_add (&net, "Add", more, 1, NULL, 0);
  offset[0] = net_random (&net, &(CnnShape){ 4, { 1, 4, 1, 1 } }, 1, 0);
  net_add (&net, "Mul", offset, 1, NULL, 0);
  net_op (&net, "Flatten");
  net_matmul (&net, 36, 3);
  return net_end (&net);
}

/* A convolution behind what takes the whole minibatch. */
static CnnModel *
late_net (void)
{
  Net net;
  net_begin (&net, 7, 1, SIDE, SIDE);
  net_conv (&net, 1, 3, 3, 1, 1);
  net_softmax (&net, 1);
  net_conv (&net, 3, 4, 3, 2, 1);
  net_op (&net, "Tanh");
  net_pool (&net, "MaxPool", 2, 2);
  net_op (&net, "Flatten");
  net_dense (&net, 16, 3);
  return net_end (&net);
}

/* Convolutions only. */
static CnnModel *
convolved_net (void)
{
  Net net;
  net_begin (&net, 8, 1, SIDE, SIDE);
  net_conv (&net, 1, 3, 5, 1, 1);
  net_pool (&net, "MaxPool", 2, 2);
  net_op (&net, "Tanh");
  net_conv (&net, 3, 3, 4, 1, 1);
  net_op (&net, "Flatten");
  return net_end (&net);
}

static const struct
{
  const char *path;
  CnnModel *(*build) (void);
  int batch, chunks, constants;
  unsigned threads;
} cases[] = {
  { "/learn/one-chunk", average_net, 3, 1, 8, 1 },
  { "/learn/chunks", average_net, 37, 3, 8, 2 },
  { "/learn/maximum", maximum_net, 20, 2, 8, 2 },
  { "/learn/forked", forked_net, 21, 2, 9, 2 },
  { "/learn/late", late_net, 19, 2, 6, 2 },
  { "/learn/convolved", convolved_net, 17, 2, 4, 2 },
};

static void
test_gradients (gconstpointer data)
{
  gsize number = GPOINTER_TO_SIZE (data);
  Fixture f;
  CnnRng rng;
  int checked = 0;
  set_up (&f, cases[number].build (), cases[number].batch,
      cases[number].threads);
  g_assert_cmpint (f.chunks, ==, cases[number].chunks);
  cnn_rng_init (&rng, 5, 5);
  CnnTensor *x = cnn_session_input (f.session, 0);
  net_fill (&rng, x->data, elements (x));

  for (int round = 0; round < 2; round++) {
    loss (&f);
    CnnTensor *d = cnn_session_output_grad (f.session, 0);
    for (size_t i = 0; i < elements (d); i++)
      ((float *) d->data)[i] = factor (i);
    cnn_session_learn_backward (f.session, 9, (float *const *const *) f.grads);
  }
  for (size_t v = 0; v < f.graph->n_values; v++)
    if (f.learned[v]) {
      check_value (&f, v);
      checked++;
    }
  g_assert_cmpint (checked, ==, cases[number].constants);
  tear_down (&f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    g_test_add_data_func (cases[i].path, GSIZE_TO_POINTER (i), test_gradients);
  return g_test_run ();
}
