/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_gradient.c: backward() of every operator against finite differences of
 * its forward().
 *
 * With random weights r the loss is sum r y; d_out = r, and backward() must
 * give (loss (x + h) - loss (x - h)) / 2h for each element of each input. The
 * loss is summed in double precision; the values are drawn so that no kink
 * (Relu, maxima) lies within h. An operator with backward() that has no case
 * here makes the test fail. */

#include <math.h>
#include <string.h>

#include "gradient-cases.h"

#define H GRADIENT_H

static double
loss (OpCase *c, const float *r)
{
  double sum = 0;
  op_case_forward (c);
  for (gsize i = 0; i < tensor_elements (&c->out); i++)
    sum += (double) r[i] * ((float *) c->out.data)[i];
  return sum;
}

static void
check_input (OpCase *c, int i)
{
  float *x = c->in[i].data;
  const float *d = c->d_in[i].data, *r = c->d_out.data;
  for (gsize e = 0; e < tensor_elements (&c->in[i]); e++) {
    float was = x[e];
    /* Where it bends, a step of H is too far: extrapolate from H and H/2. */
    x[e] = was + H;
    double wide = loss (c, r);
    x[e] = was - H;
    wide = (wide - loss (c, r)) / (2.0 * (double) H);
    x[e] = was + H / 2;
    double narrow = loss (c, r);
    x[e] = was - H / 2;
    narrow = (narrow - loss (c, r)) / (double) H;
    x[e] = was;
    double expected = (4 * narrow - wide) / 3, got = (double) d[e] - 1;
    if (fabs (got - expected) > 1e-3 * (1 + fabs (expected)))
      g_error ("%s: input %d, element %zu: backward %g, differences %g", c->op,
          i, e, got, expected);
  }
}

static void
check (gconstpointer data)
{
  const GradientCase *test = data;
  OpCase c = { .op = test->op, .training = 1 };
  CnnRng rng;
  CnnError error;
  cnn_rng_init (&rng, 7, 0);
  test->build (&c, &rng);
  if (op_case_prepare (&c, &error))
    g_error ("%s: %s", test->path, error.message);

  for (gsize i = 0; i < tensor_elements (&c.d_out); i++)
    ((float *) c.d_out.data)[i] = cnn_rng_range (&rng, -1, 1);
  /* It must add: begin with ones. */
  for (int i = 0; i < c.n_in; i++)
    for (gsize e = 0; c.d_in[i].data && e < tensor_elements (&c.d_in[i]); e++)
      ((float *) c.d_in[i].data)[e] = 1;
  op_case_forward (&c);
  op_case_backward (&c);
  for (int i = 0; i < c.n_in; i++)
    if (c.d_in[i].data && !c.constant[i])
      check_input (&c, i);
  op_case_clear (&c);
}

static void
check_complete (void)
{
  const CnnOp *op;
  for (int i = 0; (op = cnn_op_at (i)); i++) {
    gboolean found = FALSE;
    for (gsize k = 0; k < n_gradient_cases; k++)
      found |= !strcmp (gradient_cases[k].op, op->name);
    if (op->backward && !found)
      g_error ("%s has a backward() but no case in the gradient check",
          op->name);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < n_gradient_cases; i++) {
    char *path = g_strconcat ("/gradient/", gradient_cases[i].path, NULL);
    g_test_add_data_func (path, &gradient_cases[i], check);
    g_free (path);
  }
  g_test_add_func ("/gradient/complete", check_complete);
  return g_test_run ();
}
