/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_optimise.c: loss and updates against numbers worked out by hand. */

#include <math.h>

#include "graph/program.h"
#include "netbuild.h"
#include "train/loss.h"
#include "train/weights.h"

static void
test_loss (void)
{
  /* softmax (0, ln 3) = (1/4, 3/4) */
  float logits[] = { 0, logf (3), 1, 0 }, gradient[4];
  CnnTarget labels[] = { { .label = 1 }, { .label = 1 } };
  CnnTrainResult result = { 0 };
  cnn_loss_cross_entropy (logits, labels, 2, 2, 0, 0.5, gradient, &result);
  g_assert_cmpfloat_with_epsilon (gradient[0], 0.125, 1e-6);
  g_assert_cmpfloat_with_epsilon (gradient[1], -0.125, 1e-6);
  g_assert_cmpfloat_with_epsilon (result.loss,
      log (4.0 / 3) + log (1 + exp (1)), 1e-6);
  g_assert_cmpint (result.errors, ==, 1);

  /* half of the target shared out over both classes: 0.25 and 0.75 */
  result = (CnnTrainResult){ 0 };
  cnn_loss_cross_entropy (logits, labels, 1, 2, 0.5, 1, gradient, &result);
  g_assert_cmpfloat_with_epsilon (gradient[0], 0, 1e-6);
  g_assert_cmpfloat_with_epsilon (gradient[1], 0, 1e-6);
}

/* Targets are 1 for the label, -1 for others. */
static void
test_squared_error (void)
{
  float outputs[] = { 0.5f, -1, 0, 0.25f, 1, -1 }, gradient[6];
  CnnTarget labels[] = { { .label = 0 }, { .label = 0 } };
  CnnTrainResult result = { 0 };
  cnn_loss_squared_error (outputs, labels, 2, 3, 0.5, gradient, &result);
  g_assert_cmpfloat_with_epsilon (result.loss,
      0.5 * (0.25 + 0 + 1) + 0.5 * (0.5625 + 4 + 0), 1e-6);
  g_assert_cmpfloat_with_epsilon (gradient[0], -0.25, 1e-6);
  g_assert_cmpfloat_with_epsilon (gradient[1], 0, 1e-6);
  g_assert_cmpfloat_with_epsilon (gradient[2], 0.5, 1e-6);
  g_assert_cmpfloat_with_epsilon (gradient[4], 1, 1e-6);
  g_assert_cmpint (result.errors, ==, 1);
}

/* Edges off by a tenth of the box, and by all of it; one without a box. */
static void
test_box_loss (void)
{
  CnnTarget targets[] = { { .has_box = 1, .box = { 0.1f, 0.2f, 0.3f, 0.3f } },
    { .box = { 1, 1, 1, 1 } } };
  float boxes[] = { 0.14f, 0.2f, 0.3f, 0.8f, 5, 5, 5, 5 }, gradient[8];
  CnnTrainResult result = { 0 };
  cnn_loss_boxes (boxes, targets, 2, 0.5, gradient, &result);
  g_assert_cmpfloat_with_epsilon (result.box_loss, 0.05 + 0.95, 1e-6);
  g_assert_cmpfloat_with_epsilon (gradient[0], 0.5 / 0.4, 1e-5);
  g_assert_cmpfloat_with_epsilon (gradient[3], 0.5 / 0.5, 1e-5);
  for (int i = 0; i < 8; i++)
    if (i != 0 && i != 3)
      g_assert_cmpfloat (gradient[i], ==, 0);
}

static void
test_loss_gradient (void)
{
  CnnRng rng;
  float z[6], g[6], unused[6];
  CnnTarget labels[] = { { .label = 2 }, { .label = 0 } };
  cnn_rng_init (&rng, 1, 0);
  for (int i = 0; i < 6; i++)
    z[i] = cnn_rng_range (&rng, -3, 3);
  CnnTrainResult r = { 0 };
  cnn_loss_cross_entropy (z, labels, 2, 3, 0.1, 1, g, &r);
  for (int i = 0; i < 6; i++) {
    float saved = z[i];
    CnnTrainResult up = { 0 }, down = { 0 };
    z[i] = saved + 1e-2f;
    cnn_loss_cross_entropy (z, labels, 2, 3, 0.1, 1, unused, &up);
    z[i] = saved - 1e-2f;
    cnn_loss_cross_entropy (z, labels, 2, 3, 0.1, 1, unused, &down);
    z[i] = saved;
    g_assert_cmpfloat_with_epsilon (g[i], (up.loss - down.loss) / 2e-2, 1e-3);
  }
}

/* One dense layer 2 -> 2 on a 1x1x2 picture: four weights and two biases. */
typedef struct
{
  CnnModel *model;
  CnnWeights weights;
  float *gradients[2];
} Fixture;

static void
set_up (Fixture *f, const CnnTrainOptions *options)
{
  Net net;
  CnnError error = { 0 };
  net_begin (&net, 1, 1, 1, 2);
  net_op (&net, "Flatten");
  net_dense (&net, 2, 2);
  f->model = net_end (&net);
  net_ok (cnn_weights_init (&f->weights, cnn_model_graph (f->model), options,
              &error),
      &error);
  g_assert_cmpuint (f->weights.n_segments, ==, 2);
  for (int k = 0; k < 2; k++) {
    f->gradients[k] = g_new0 (float, f->weights.count);
    f->weights.segments[k].rows = 2;
  }
  for (int i = 0; i < 4; i++)
    f->weights.now[f->weights.segments[0].begin + i] = 1;
}

static float
step (Fixture *f, const CnnTrainOptions *options, float a, float b, double rate)
{
  size_t at = f->weights.segments[0].begin;
  f->gradients[0][at] = a;
  f->gradients[1][at] = b;
  cnn_weights_update (&f->weights, options, (const float *const *) f->gradients,
      rate, NULL);
  return f->weights.now[at];
}

static void
tear_down (Fixture *f)
{
  g_free (f->gradients[0]);
  g_free (f->gradients[1]);
  cnn_weights_clear (&f->weights);
  cnn_model_unref (f->model);
}

static void
test_sgd (void)
{
  Fixture f;
  CnnTrainOptions options = { .momentum = 0.5, .batch = 1 };
  set_up (&f, &options);
  /* m = 3, w = 1 - 0.3; m = 1.5 + 1, w = 0.7 - 0.25 */
  g_assert_cmpfloat_with_epsilon (step (&f, &options, 1, 2, 0.1), 0.7, 1e-6);
  g_assert_cmpfloat_with_epsilon (step (&f, &options, 0, 1, 0.1), 0.45, 1e-6);
  tear_down (&f);
}

static void
test_decay (void)
{
  Fixture f;
  CnnTrainOptions options = { .weight_decay = 0.5, .batch = 1 };
  set_up (&f, &options);
  size_t bias = f.weights.segments[1].begin;
  g_assert_true (f.weights.segments[0].decays);
  g_assert_false (f.weights.segments[1].decays);
  f.weights.now[bias] = 1;
  /* w = 1 * (1 - 0.1 * 0.5), the bias stays */
  g_assert_cmpfloat_with_epsilon (step (&f, &options, 0, 0, 0.1), 0.95, 1e-6);
  g_assert_cmpfloat (f.weights.now[bias], ==, 1);
  tear_down (&f);
}

static void
test_adam (void)
{
  Fixture f;
  CnnTrainOptions options = { .optimiser = CNN_OPTIMISER_ADAM,
    .momentum = 0.9,
    .batch = 1 };
  set_up (&f, &options);
  /* the first step is the rate, whatever the gradient */
  g_assert_cmpfloat_with_epsilon (step (&f, &options, 4, 3, 0.1), 0.9, 1e-5);
  /* m = 0.63, m' = 0.63 / 0.19; v = 0.048951, v' = v / 0.001999 */
  double m = 0.63 / 0.19, v = 0.048951 / 0.001999;
  g_assert_cmpfloat_with_epsilon (step (&f, &options, 0, 0, 0.1),
      0.9 - 0.1 * m / sqrt (v), 1e-5);
  tear_down (&f);
}

static void
test_average (void)
{
  Fixture f;
  CnnTrainOptions options = { .average = 0.999, .batch = 1 };
  set_up (&f, &options);
  size_t at = f.weights.segments[0].begin;
  f.weights.mean[at] = 1;
  step (&f, &options, 1, 0, 1);
  /* young averages forget quickly: 1/10 of 1, 9/10 of 0 */
  g_assert_cmpfloat_with_epsilon (f.weights.mean[at], 0.1, 1e-6);
  tear_down (&f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/loss/boxes", test_box_loss);
  g_test_add_func ("/loss/numbers", test_loss);
  g_test_add_func ("/loss/squared-error", test_squared_error);
  g_test_add_func ("/loss/gradient", test_loss_gradient);
  g_test_add_func ("/optimise/sgd", test_sgd);
  g_test_add_func ("/optimise/decay", test_decay);
  g_test_add_func ("/optimise/adam", test_adam);
  g_test_add_func ("/optimise/average", test_average);
  return g_test_run ();
}
