/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* trainer.c: a minibatch forward, backward, and one step downhill.
 *
 * How the minibatch is cut (graph/learn.h) does not depend on the number of
 * threads, and gradients of several chunks are summed in order. So the weights
 * are the same, bit for bit, with any pool. */

#include <cnn/train.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/rng.h"
#include "graph/learn.h"
#include "train/loss.h"
#include "train/weights.h"

/* @rows: one a chunk, as long as the weights; @grads: pointers into them, for
 * each value of the program. */
struct CnnTrainer
{
  CnnModel *model;
  const CnnGraph *graph;
  CnnTrainOptions options;
  CnnPool *pool;
  CnnWeights weights;
  float **values;
  unsigned char *learned;
  CnnSession *session;
  int n_chunks, classes, boxes;
  float **rows, ***grads;
  CnnTarget *targets;
  CnnTrainResult *results;
};

typedef struct
{
  CnnTrainer *trainer;
  CnnSampleFunction sample;
  void *data;
  uint64_t seed;
} Step;

static CnnStatus
check_options (const CnnTrainOptions *o, const CnnModel *model, CnnError *error)
{
  const CnnModelInfo *info = cnn_model_info (model);
  if (o->batch < 1 || o->batch > 65536)
    return cnn_error_set (error, CNN_ERROR_ARGUMENT,
        "a minibatch of %d pictures; 1 to 65536 are possible", o->batch);
  if (!(o->momentum >= 0 && o->momentum < 1) || !(o->beta2 >= 0 && o->beta2 < 1)
      || !(o->average >= 0 && o->average < 1)
      || !(o->label_smoothing >= 0 && o->label_smoothing <= 1)
      || !(o->weight_decay >= 0 && isfinite (o->weight_decay))
      || !(o->box_weight >= 0 && isfinite (o->box_weight)))
    return cnn_error_set (error, CNN_ERROR_ARGUMENT,
        "momentum %g, beta2 %g, average %g, label smoothing %g, weight decay "
        "%g or box weight %g is out of range",
        o->momentum, o->beta2, o->average, o->label_smoothing, o->weight_decay,
        o->box_weight);
  if (cnn_model_graph (model)->n_outputs != (info->boxes < 0 ? 1 : 2))
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "only the first output and the box head can be trained");
  if (info->is_map || !info->classes || info->output != CNN_OUTPUT_LOGITS
      || !info->height || !info->width)
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "only a classifier of fixed size, n c h w to n classes of logits, "
        "can be trained");
  return CNN_OK;
}

/* Number of a segment's constant in the program, whose values have others than
 * the graph's. */
static int
place_of (const CnnTrainer *t, const CnnSegment *segment)
{
  return cnn_graph_find (cnn_model_program (t->model),
      t->graph->values[segment->value].name);
}

static CnnStatus
make_weights (CnnTrainer *t, CnnError *error)
{
  size_t n_values = cnn_model_program (t->model)->n_values + 1;
  CnnStatus status =
      cnn_weights_init (&t->weights, t->graph, &t->options, error);
  if (status)
    return status;
  t->values = calloc (n_values, sizeof *t->values);
  t->learned = calloc (n_values, sizeof *t->learned);
  if (!t->values || !t->learned)
    return cnn_error_memory (error, n_values, "weights");
  for (size_t i = 0; i < t->weights.n_segments; i++) {
    const CnnSegment *s = &t->weights.segments[i];
    int v = place_of (t, s);
    t->values[v] = t->weights.now + s->begin;
    t->learned[v] = 1;
  }
  return CNN_OK;
}

static CnnStatus
make_session (CnnTrainer *t, CnnError *error)
{
  const CnnModelInfo *info = cnn_model_info (t->model);
  CnnShape shape = { 4,
    { t->options.batch, info->channels, info->height, info->width } };
  CnnLearn learn = { t->values, t->learned };
  CnnStatus status = cnn_session_new_learning (t->model, &shape, &learn,
      t->pool, &t->session, error);
  if (status)
    return status;
  t->n_chunks = cnn_session_learn_chunks (t->session);
  for (size_t i = 0; i < t->weights.n_segments; i++) {
    CnnSegment *s = &t->weights.segments[i];
    s->rows = cnn_session_learn_rows (t->session, place_of (t, s));
  }
  return CNN_OK;
}

/* Of rows after the first, what belongs to dense layers is never touched. */
static CnnStatus
make_rows (CnnTrainer *t, CnnError *error)
{
  size_t bytes = t->weights.count * sizeof (float);
  size_t n_values = cnn_model_program (t->model)->n_values + 1;
  size_t n_chunks = (size_t) t->n_chunks;
  t->rows = calloc (n_chunks, sizeof *t->rows);
  t->grads = calloc (n_chunks, sizeof *t->grads);
  t->results = calloc (n_chunks, sizeof *t->results);
  t->targets = calloc ((size_t) t->options.batch, sizeof *t->targets);
  if (!t->rows || !t->grads || !t->results || !t->targets)
    return cnn_error_memory (error, sizeof *t->rows, "gradients");
  for (size_t k = 0; k < n_chunks; k++) {
    t->rows[k] = cnn_aligned_alloc (bytes);
    t->grads[k] = calloc (n_values, sizeof *t->grads[k]);
    if (!t->rows[k] || !t->grads[k])
      return cnn_error_memory (error, bytes, "gradients");
    for (size_t i = 0; i < t->weights.n_segments; i++) {
      const CnnSegment *s = &t->weights.segments[i];
      t->grads[k][place_of (t, s)] = t->rows[k] + s->begin;
    }
  }
  return CNN_OK;
}

CnnStatus
cnn_trainer_new (CnnModel *model, const CnnTrainOptions *options, CnnPool *pool,
    CnnTrainer **trainer, CnnError *error)
{
  const CnnModelInfo *info = cnn_model_info (model);
  CnnStatus status = check_options (options, model, error);
  if (status)
    return status;
  CnnTrainer *t = calloc (1, sizeof *t);
  if (!t)
    return cnn_error_memory (error, sizeof *t, "a trainer");
  t->model = cnn_model_ref (model);
  t->graph = cnn_model_graph (model);
  t->options = *options;
  t->pool = pool;
  t->classes = info->classes;
  t->boxes = info->boxes;

  status = make_weights (t, error);
  if (!status)
    status = make_session (t, error);
  if (!status)
    status = make_rows (t, error);
  if (status) {
    cnn_trainer_free (t);
    return status;
  }
  *trainer = t;
  return CNN_OK;
}

void
cnn_trainer_free (CnnTrainer *trainer)
{
  if (!trainer)
    return;
  for (int k = 0; trainer->rows && k < trainer->n_chunks; k++)
    free (trainer->rows[k]);
  for (int k = 0; trainer->grads && k < trainer->n_chunks; k++)
    free (trainer->grads[k]);
  free (trainer->rows);
  free (trainer->grads);
  free (trainer->results);
  free (trainer->targets);
  cnn_session_free (trainer->session);
  free (trainer->values);
  free (trainer->learned);
  cnn_weights_clear (&trainer->weights);
  cnn_model_unref (trainer->model);
  free (trainer);
}

static void
take_sample (void *data, int number, CNN_UNUSED int worker)
{
  const Step *step = data;
  CnnTensor *x = cnn_session_input (step->trainer->session, 0);
  const int64_t *d = x->shape.dims;
  size_t picture = (size_t) (d[1] * d[2] * d[3]);
  step->sample (step->data, number,
      (float *) x->data + (size_t) number * picture,
      &step->trainer->targets[number]);
}

static void
judge_chunk (void *data, int chunk, CNN_UNUSED int worker)
{
  const Step *step = data;
  CnnTrainer *t = step->trainer;
  int first = chunk * CNN_LEARN_CHUNK, left = t->options.batch - first;
  int count = left < CNN_LEARN_CHUNK ? left : CNN_LEARN_CHUNK;
  size_t at = (size_t) first * (size_t) t->classes;
  const float *logits = cnn_session_output (t->session, 0)->data;
  float *gradient = cnn_session_output_grad (t->session, 0)->data;
  t->results[chunk] = (CnnTrainResult){ 0 };
  if (t->options.loss == CNN_LOSS_SQUARED_ERROR)
    cnn_loss_squared_error (logits + at, t->targets + first, count, t->classes,
        1.0 / t->options.batch, gradient + at, &t->results[chunk]);
  else
    cnn_loss_cross_entropy (logits + at, t->targets + first, count, t->classes,
        t->options.label_smoothing, 1.0 / t->options.batch, gradient + at,
        &t->results[chunk]);
  if (t->boxes < 0)
    return;
  const float *boxes = cnn_session_output (t->session, t->boxes)->data;
  gradient = cnn_session_output_grad (t->session, t->boxes)->data;
  at = (size_t) first * 4;
  cnn_loss_boxes (boxes + at, t->targets + first, count,
      t->options.box_weight / t->options.batch, gradient + at,
      &t->results[chunk]);
}

void
cnn_trainer_step (CnnTrainer *trainer, CnnSampleFunction sample, void *data,
    double rate, CnnTrainResult *result)
{
  CnnTrainer *t = trainer;
  Step step = {
    .trainer = t,
    .sample = sample,
    .data = data,
    .seed = cnn_rng_mix (t->options.seed + cnn_rng_mix (t->weights.steps)),
  };
  CnnTrainResult sum = { 0 };
  cnn_pool_run (t->pool, t->options.batch, take_sample, &step);
  cnn_session_learn_forward (t->session, step.seed);
  cnn_pool_run (t->pool, t->n_chunks, judge_chunk, &step);
  cnn_session_learn_backward (t->session, step.seed,
      (float *const *const *) t->grads);
  cnn_weights_update (&t->weights, &t->options, (const float *const *) t->rows,
      rate, t->pool);

  for (int k = 0; k < t->n_chunks; k++) {
    sum.loss += t->results[k].loss / t->options.batch;
    sum.box_loss += t->results[k].box_loss / t->options.batch;
    sum.errors += t->results[k].errors;
  }
  if (result)
    *result = sum;
}

CnnStatus
cnn_trainer_model (const CnnTrainer *trainer, CnnModel **model, CnnError *error)
{
  CnnGraph *graph;
  CnnStatus status = cnn_graph_copy (trainer->graph, &graph, error);
  if (status)
    return status;
  const CnnWeights *w = &trainer->weights;
  const float *row = trainer->options.average ? w->mean : w->now;
  for (size_t i = 0; i < w->n_segments && !status; i++) {
    const CnnSegment *s = &w->segments[i];
    int v = cnn_graph_find (graph, trainer->graph->values[s->value].name);
    status = cnn_graph_replace_constant (graph, v, row + s->begin, error);
  }
  if (status) {
    cnn_graph_free (graph);
    return status;
  }
  return cnn_model_new (graph, model, error);
}
