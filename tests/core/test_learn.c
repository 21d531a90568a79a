/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_learn.c: gradients of a whole network against finite differences. */

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "graph/learn.h"
#include "netbuild.h"

typedef struct
{
  CnnModel *model;
  const CnnGraph *graph;
  float **weights, **grads;
  unsigned char *learned;
  CnnSession *session;
} Fixture;

static size_t
elements (const CnnTensor *tensor)
{
  size_t count;
  g_assert_cmpint (cnn_shape_elements (&tensor->shape, &count), ==, CNN_OK);
  return count;
}

static void
set_up (Fixture *f, CnnModel *model, const CnnShape *input)
{
  CnnError error = { 0 };
  f->model = model;
  f->graph = cnn_model_program (model);
  size_t n = f->graph->n_values;
  f->weights = g_new0 (float *, n);
  f->grads = g_new0 (float *, n);
  f->learned = g_new0 (unsigned char, n);
  for (size_t v = 0; v < n; v++) {
    const CnnTensor *t = &f->graph->values[v].tensor;
    if (!f->graph->values[v].buffer || t->type != CNN_TYPE_FLOAT32)
      continue;
    f->learned[v] = 1;
    /* kernels may read beyond the end, as they may in the trainer */
    f->weights[v] = cnn_aligned_alloc (elements (t) * sizeof (float));
    memcpy (f->weights[v], t->data, elements (t) * sizeof (float));
    f->grads[v] = g_new0 (float, elements (t));
  }
  CnnLearn learn = { f->weights, f->learned };
  net_ok (cnn_session_new_learning (model, input, &learn, &f->session, &error),
      &error);
}

static void
tear_down (Fixture *f)
{
  cnn_session_free (f->session);
  for (size_t v = 0; v < f->graph->n_values; v++) {
    free (f->weights[v]);
    g_free (f->grads[v]);
  }
  g_free (f->weights);
  g_free (f->grads);
  g_free (f->learned);
  cnn_model_unref (f->model);
}

/* Loss: the sum of outputs, each times its index + 1. */
static double
loss (Fixture *f, const float *picture, size_t count)
{
  double sum = 0;
  memcpy (cnn_session_input (f->session, 0)->data, picture, count * 4);
  cnn_session_learn_forward (f->session, 9);
  const CnnTensor *y = cnn_session_output (f->session, 0);
  for (size_t i = 0; i < elements (y); i++)
    sum += (double) (i + 1) * ((const float *) y->data)[i];
  return sum;
}

static void
check_value (Fixture *f, size_t v, const float *picture, size_t count)
{
  size_t n = elements (&f->graph->values[v].tensor);
  for (size_t i = 0; i < n; i += 1 + n / 7) {
    float saved = f->weights[v][i];
    double h = 1e-2;
    f->weights[v][i] = saved + (float) h;
    double up = loss (f, picture, count);
    f->weights[v][i] = saved - (float) h;
    double down = loss (f, picture, count);
    f->weights[v][i] = saved;
    double wanted = (up - down) / (2 * h), got = f->grads[v][i];
    if (fabs (wanted - got) > 2e-2 * (1 + fabs (wanted)))
      g_error ("%s[%zu]: gradient %g, finite difference %g",
          f->graph->values[v].name, i, got, wanted);
  }
}

static void
test_gradients (void)
{
  Net net;
  Fixture f;
  CnnRng rng;
  float picture[3 * 144];
  net_begin (&net, 5, 1, 12, 12);
  net_conv (&net, 1, 3, 3, 1, 1);
  net_op (&net, "Tanh");
  net_pool (&net, "AveragePool", 2, 2);
  net_conv (&net, 3, 4, 3, 1, 1);
  net_op (&net, "Sigmoid");
  net_op (&net, "Flatten");
  net_dense (&net, 36, 6);
  net_op (&net, "Tanh");
  net_dense (&net, 6, 3);
  set_up (&f, net_end (&net), &(CnnShape){ 4, { 3, 1, 12, 12 } });
  cnn_rng_init (&rng, 5, 5);
  net_fill (&rng, picture, G_N_ELEMENTS (picture));

  for (int round = 0; round < 2; round++) {
    for (size_t v = 0; v < f.graph->n_values; v++)
      if (f.grads[v])
        memset (f.grads[v], 0, elements (&f.graph->values[v].tensor) * 4);
    loss (&f, picture, G_N_ELEMENTS (picture));
    CnnTensor *d = cnn_session_output_grad (f.session);
    for (size_t i = 0; i < elements (d); i++)
      ((float *) d->data)[i] = (float) (i + 1);
    cnn_session_learn_backward (f.session, 9, f.grads);
  }
  int checked = 0;
  for (size_t v = 0; v < f.graph->n_values; v++)
    if (f.learned[v]) {
      check_value (&f, v, picture, G_N_ELEMENTS (picture));
      checked++;
    }
  g_assert_cmpint (checked, ==, 8);
  tear_down (&f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/learn/gradients", test_gradients);
  return g_test_run ();
}
