/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_trainer.c: it learns, and the same thing with any number of threads. */

#include <math.h>

#include <cnn/train.h>

#include "graph/program.h"
#include "netbuild.h"

#define SIDE  8
#define BATCH 24

/* Four classes: a bright bar at one of the four borders, under noise. */
static void
bar_sample (void *data, int sample, float *input, CnnTarget *target)
{
  CnnRng rng;
  cnn_rng_init (&rng, *(const uint64_t *) data, (uint64_t) sample);
  int label = (int) cnn_rng_int (&rng, 4);
  *target = (CnnTarget){ .label = label, .has_box = label < 3 };
  for (int i = 0; i < 4; i++)
    target->box[i] = i == label ? -0.1f : 0.2f + 0.1f * (float) label;
  for (int i = 0; i < SIDE; i++)
    for (int k = 0; k < SIDE; k++) {
      bool lit = label == 0 ? i == 0
          : label == 1      ? i == SIDE - 1
          : label == 2      ? k == 0
                            : k == SIDE - 1;
      input[i * SIDE + k] = (lit ? 1.0f : 0.0f) + 0.2f * cnn_rng_normal (&rng);
    }
}

static CnnModel *
small_net (bool dropout)
{
  Net net;
  net_begin (&net, 3, 1, SIDE, SIDE);
  net_conv (&net, 1, 4, 3, 1, 1);
  net_op (&net, "Relu");
  net_pool (&net, "MaxPool", 2, 2);
  net_op (&net, "Flatten");
  net_dense (&net, 36, 12);
  net_op (&net, "Relu");
  if (dropout)
    net_op (&net, "Dropout");
  net_dense (&net, 12, 4);
  return net_end (&net);
}

/* The same with a box head: 8 numbers, of which the last four are the box. */
static CnnModel *
two_heads (void)
{
  CnnError error = { 0 };
  CnnModel *model = NULL;
  Net net;
  int64_t sizes[] = { 4, 4 };
  CnnTensor parts = { CNN_TYPE_INT64, { 1, { 2 } }, sizes };
  CnnAttribute axis = { .name = "axis", .type = CNN_ATTRIBUTE_INT, .i = 1 };
  const char *out[] = { "logits", "boxes" };
  net_begin (&net, 3, 1, SIDE, SIDE);
  net_conv (&net, 1, 4, 3, 1, 1);
  net_op (&net, "Relu");
  net_pool (&net, "MaxPool", 2, 2);
  net_op (&net, "Flatten");
  net_dense (&net, 36, 12);
  net_op (&net, "Relu");
  net_dense (&net, 12, 8);
  const char *in[] = { net.last, "parts" };
  net_ok (cnn_graph_add_constant (net.graph, "parts", &parts, &error), &error);
  net_ok (cnn_graph_add_node (net.graph, "Split", "heads", in, 2, out, 2, &axis,
              1, &error),
      &error);
  for (int i = 0; i < 2; i++)
    net_ok (cnn_graph_add_output (net.graph, out[i], &error), &error);
  net_ok (cnn_graph_set_metadata (net.graph, "convnet.boxes", "boxes", &error),
      &error);
  net_ok (cnn_model_new (net.graph, &model, &error), &error);
  return model;
}

static CnnTrainer *
new_trainer (CnnModel *model, const CnnTrainOptions *options, CnnPool *pool)
{
  CnnError error = { 0 };
  CnnTrainer *trainer = NULL;
  net_ok (cnn_trainer_new (model, options, pool, &trainer, &error), &error);
  return trainer;
}

static CnnTrainResult
train (CnnTrainer *trainer, int steps, double rate)
{
  CnnTrainResult result = { 0 };
  for (uint64_t s = 0; s < (uint64_t) steps; s++)
    cnn_trainer_step (trainer, bar_sample, &s, rate, &result);
  return result;
}

static void
test_learns (void)
{
  static const CnnTrainOptions kinds[] = {
    { .momentum = 0.9, .batch = BATCH, .seed = 1 },
    { .optimiser = CNN_OPTIMISER_ADAM,
        .momentum = 0.9,
        .batch = BATCH,
        .seed = 1 },
  };
  static const double rates[] = { 0.05, 0.005 };
  for (int k = 0; k < 2; k++) {
    CnnModel *model = small_net (false);
    CnnTrainer *trainer = new_trainer (model, &kinds[k], NULL);
    CnnTrainResult first = train (trainer, 1, rates[k]);
    CnnTrainResult last = train (trainer, 300, rates[k]);
    g_assert_cmpfloat (first.loss, >, 0.9);
    g_assert_cmpfloat (last.loss, <, 0.05);
    g_assert_cmpint (last.errors, ==, 0);
    cnn_trainer_free (trainer);
    cnn_model_unref (model);
  }
}

/* Both heads learn from the same layers; a sample without a box costs the box
 * head nothing, and a weight of 0 leaves it alone. */
static void
test_box_head (void)
{
  CnnTrainOptions options = { .optimiser = CNN_OPTIMISER_ADAM,
    .momentum = 0.9,
    .batch = BATCH,
    .seed = 1,
    .box_weight = 1 };
  for (int k = 0; k < 2; k++) {
    CnnModel *model = two_heads ();
    options.box_weight = k ? 0 : 0.2;
    CnnTrainer *trainer = new_trainer (model, &options, NULL);
    CnnTrainResult first = train (trainer, 1, 0.005);
    CnnTrainResult last = train (trainer, 800, 0.003);
    g_assert_cmpfloat (last.loss, <, 0.05);
    g_assert_cmpfloat (first.box_loss, >, 1);
    if (k)
      g_assert_cmpfloat (last.box_loss, >, 1);
    else
      g_assert_cmpfloat (last.box_loss, <, 0.3);
    cnn_trainer_free (trainer);
    cnn_model_unref (model);
  }
}

/* All learned numbers of the trained model, in order. */
static GBytes *
weights_after (int threads, int steps, bool dropout)
{
  CnnError error = { 0 };
  CnnPool *pool = NULL;
  CnnTrainOptions options = { .momentum = 0.9,
    .batch = BATCH,
    .seed = 5,
    .average = 0.9 };
  g_assert_cmpint (cnn_pool_new ((unsigned) threads, &pool), ==, CNN_OK);
  CnnModel *model = small_net (dropout), *trained = NULL;
  CnnTrainer *trainer = new_trainer (model, &options, pool);
  train (trainer, steps, 0.05);
  net_ok (cnn_trainer_model (trainer, &trained, &error), &error);

  GByteArray *all = g_byte_array_new ();
  const CnnGraph *g = cnn_model_graph (trained);
  for (size_t v = 0; v < g->n_values; v++) {
    size_t count;
    const CnnTensor *t = &g->values[v].tensor;
    if (g->values[v].buffer && !cnn_shape_elements (&t->shape, &count))
      g_byte_array_append (all, t->data, (guint) (count * sizeof (float)));
  }
  cnn_model_unref (trained);
  cnn_trainer_free (trainer);
  cnn_model_unref (model);
  cnn_pool_free (pool);
  return g_byte_array_free_to_bytes (all);
}

static void
test_threads_do_not_matter (void)
{
  for (int dropout = 0; dropout < 2; dropout++) {
    GBytes *one = weights_after (1, 40, dropout);
    GBytes *shorter = weights_after (1, 39, dropout);
    g_assert_cmpuint (g_bytes_get_size (one), >, 1000);
    g_assert_false (g_bytes_equal (one, shorter));
    for (int threads = 1; threads <= 4; threads++) {
      GBytes *again = weights_after (threads, 40, dropout);
      g_assert_true (g_bytes_equal (one, again));
      g_bytes_unref (again);
    }
    g_bytes_unref (shorter);
    g_bytes_unref (one);
  }
}

/* Weights are drawn with the spread that He and Glorot give. */
static void
test_first_weights (void)
{
  CnnError error = { 0 };
  CnnModel *model = small_net (false), *fresh = NULL;
  CnnTrainOptions options = { .batch = 8, .seed = 2 };
  CnnTrainer *trainer = new_trainer (model, &options, NULL);
  net_ok (cnn_trainer_model (trainer, &fresh, &error), &error);
  const CnnGraph *g = cnn_model_graph (fresh);
  int checked = 0;
  for (size_t v = 0; v < g->n_values; v++) {
    const CnnTensor *t = &g->values[v].tensor;
    const float *w = t->data;
    double squares = 0;
    if (!g->values[v].buffer)
      continue;
    if (t->shape.rank == 1)
      g_assert_cmpfloat (w[0], ==, 0);
    if (t->shape.rank != 2 || t->shape.dims[0] != 12)
      continue;
    for (int i = 0; i < 12 * 36; i++)
      squares += (double) w[i] * w[i];
    g_assert_cmpfloat_with_epsilon (squares / (12 * 36), 2.0 / 36,
        0.3 * 2.0 / 36);
    checked++;
  }
  g_assert_cmpint (checked, ==, 1);
  cnn_model_unref (fresh);
  cnn_trainer_free (trainer);
  cnn_model_unref (model);
}

static void
expect_refusal (CnnModel *model, CnnTrainOptions options, CnnStatus wanted,
    const char *part)
{
  CnnError error = { 0 };
  CnnTrainer *trainer = NULL;
  g_assert_cmpint (cnn_trainer_new (model, &options, NULL, &trainer, &error),
      ==, wanted);
  g_assert_null (trainer);
  if (!strstr (error.message, part))
    g_error ("'%s' does not say '%s'", error.message, part);
}

static void
test_refusals (void)
{
  CnnModel *model = small_net (false);
  expect_refusal (model, (CnnTrainOptions){ .batch = 0 }, CNN_ERROR_ARGUMENT,
      "minibatch of 0");
  expect_refusal (model, (CnnTrainOptions){ .batch = 8, .momentum = NAN },
      CNN_ERROR_ARGUMENT, "momentum nan");
  cnn_model_unref (model);

  Net net;
  net_begin (&net, 1, 1, SIDE, SIDE);
  net_op (&net, "Flatten");
  net_dense (&net, 64, 3);
  net_op (&net, "Softmax");
  model = net_end (&net);
  expect_refusal (model, (CnnTrainOptions){ .batch = 8 }, CNN_ERROR_UNSUPPORTED,
      "logits");
  cnn_model_unref (model);
}

/* A rate far too high ends in a sentence, not in a broken model. */
static void
test_divergence (void)
{
  CnnError error = { 0 };
  CnnModel *model = small_net (false), *trained = NULL;
  CnnTrainOptions options = { .momentum = 0.9, .batch = BATCH, .seed = 1 };
  CnnTrainer *trainer = new_trainer (model, &options, NULL);
  train (trainer, 60, 1e30);
  g_assert_cmpint (cnn_trainer_model (trainer, &trained, &error), ==,
      CNN_ERROR_FORMAT);
  g_assert_nonnull (strstr (error.message, "nan"));
  g_assert_null (trained);
  cnn_trainer_free (trainer);
  cnn_model_unref (model);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/trainer/box-head", test_box_head);
  g_test_add_func ("/trainer/learns", test_learns);
  g_test_add_func ("/trainer/threads", test_threads_do_not_matter);
  g_test_add_func ("/trainer/first-weights", test_first_weights);
  g_test_add_func ("/trainer/refusals", test_refusals);
  g_test_add_func ("/trainer/divergence", test_divergence);
  return g_test_run ();
}
