/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* trainer.c: a minibatch forward, backward, and one step downhill.
 *
 * The minibatch is cut into chunks that do not depend on the number of
 * threads; each chunk has a row of gradients of its own, and the rows are
 * summed in order. So the weights are the same, bit for bit, with any pool. */

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

/** Most pictures in a chunk: activations of a chunk stay in the L2 cache. */
#define CHUNK 16

typedef struct
{
  CnnSession *session;
  float **grads;
} Worker;

struct CnnTrainer
{
  CnnModel *model;
  const CnnGraph *graph;
  CnnTrainOptions options;
  CnnPool *pool;
  CnnWeights weights;
  float **values;
  unsigned char *learned;
  int *places;
  int chunk, n_chunks, n_workers, classes;
  float **gradients;
  CnnTrainResult *results;
  Worker *workers;
};

typedef struct
{
  CnnTrainer *trainer;
  CnnSampleFunction sample;
  void *data;
} Step;

static CnnStatus
check_options (const CnnTrainOptions *o, const CnnModelInfo *info,
    CnnError *error)
{
  if (o->batch < 1 || o->batch > 65536)
    return cnn_error_set (error, CNN_ERROR_ARGUMENT,
        "a minibatch of %d pictures; 1 to 65536 are possible", o->batch);
  if (!(o->momentum >= 0 && o->momentum < 1) || !(o->beta2 >= 0 && o->beta2 < 1)
      || !(o->average >= 0 && o->average < 1)
      || !(o->label_smoothing >= 0 && o->label_smoothing <= 1)
      || !(o->weight_decay >= 0 && isfinite (o->weight_decay)))
    return cnn_error_set (error, CNN_ERROR_ARGUMENT,
        "momentum %g, beta2 %g, average %g, label smoothing %g or weight "
        "decay %g is out of range",
        o->momentum, o->beta2, o->average, o->label_smoothing, o->weight_decay);
  if (info->is_map || !info->classes || info->output != CNN_OUTPUT_LOGITS
      || !info->height || !info->width)
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "only a classifier of fixed size, n c h w to n classes of logits, "
        "can be trained");
  return CNN_OK;
}

static int
largest_divisor (int number, int limit)
{
  while (number % limit)
    limit--;
  return limit;
}

static CnnStatus
make_workers (CnnTrainer *t, CnnError *error)
{
  const CnnModelInfo *info = cnn_model_info (t->model);
  CnnShape shape = { 4,
    { t->chunk, info->channels, info->height, info->width } };
  CnnLearn learn = { t->values, t->learned };
  CnnStatus status = CNN_OK;
  t->workers = calloc ((size_t) t->n_workers, sizeof *t->workers);
  if (!t->workers)
    return cnn_error_memory (error, sizeof *t->workers, "workers");
  for (int i = 0; i < t->n_workers && !status; i++) {
    Worker *w = &t->workers[i];
    w->grads =
        calloc (cnn_model_program (t->model)->n_values + 1, sizeof *w->grads);
    status = w->grads ? cnn_session_new_learning (t->model, &shape, &learn,
                 &w->session, error)
                      : cnn_error_memory (error, 1, "gradients");
  }
  return status;
}

static CnnStatus
make_chunks (CnnTrainer *t, CnnError *error)
{
  size_t bytes = t->weights.count * sizeof (float);
  t->gradients = calloc ((size_t) t->n_chunks, sizeof *t->gradients);
  t->results = calloc ((size_t) t->n_chunks, sizeof *t->results);
  if (!t->gradients || !t->results)
    return cnn_error_memory (error, sizeof *t->gradients, "gradients");
  for (int k = 0; k < t->n_chunks; k++) {
    t->gradients[k] = cnn_aligned_alloc (bytes);
    if (!t->gradients[k])
      return cnn_error_memory (error, bytes, "gradients");
  }
  return CNN_OK;
}

static CnnStatus
make_weights (CnnTrainer *t, CnnError *error)
{
  CnnStatus status =
      cnn_weights_init (&t->weights, t->graph, &t->options, error);
  if (status)
    return status;
  const CnnGraph *program = cnn_model_program (t->model);
  t->values = calloc (program->n_values + 1, sizeof *t->values);
  t->learned = calloc (program->n_values + 1, sizeof *t->learned);
  t->places = calloc (t->weights.n_segments + 1, sizeof *t->places);
  if (!t->values || !t->learned || !t->places)
    return cnn_error_memory (error, program->n_values, "weights");
  for (size_t i = 0; i < t->weights.n_segments; i++) {
    const CnnSegment *s = &t->weights.segments[i];
    int v = cnn_graph_find (program, t->graph->values[s->value].name);
    t->places[i] = v;
    t->values[v] = t->weights.now + s->begin;
    t->learned[v] = 1;
  }
  return CNN_OK;
}

CnnStatus
cnn_trainer_new (CnnModel *model, const CnnTrainOptions *options, CnnPool *pool,
    CnnTrainer **trainer, CnnError *error)
{
  const CnnModelInfo *info = cnn_model_info (model);
  CnnStatus status = check_options (options, info, error);
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
  t->chunk = largest_divisor (options->batch, CHUNK);
  t->n_chunks = options->batch / t->chunk;
  t->n_workers = cnn_pool_threads (pool);

  status = make_weights (t, error);
  if (!status)
    status = make_workers (t, error);
  if (!status)
    status = make_chunks (t, error);
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
  for (int i = 0; trainer->workers && i < trainer->n_workers; i++) {
    cnn_session_free (trainer->workers[i].session);
    free (trainer->workers[i].grads);
  }
  for (int k = 0; trainer->gradients && k < trainer->n_chunks; k++)
    free (trainer->gradients[k]);
  free (trainer->workers);
  free (trainer->gradients);
  free (trainer->results);
  free (trainer->values);
  free (trainer->learned);
  free (trainer->places);
  cnn_weights_clear (&trainer->weights);
  cnn_model_unref (trainer->model);
  free (trainer);
}

static void
do_chunk (void *data, int chunk, int worker)
{
  const Step *step = data;
  CnnTrainer *t = step->trainer;
  Worker *w = &t->workers[worker];
  CnnTensor *x = cnn_session_input (w->session, 0);
  size_t picture =
      (size_t) (x->shape.dims[1] * x->shape.dims[2] * x->shape.dims[3]);
  uint64_t seed = cnn_rng_mix (t->options.seed
      + cnn_rng_mix (t->weights.steps * 65536 + (uint64_t) chunk));
  int labels[CHUNK];

  for (int k = 0; k < t->chunk; k++)
    step->sample (step->data, chunk * t->chunk + k,
        (float *) x->data + (size_t) k * picture, &labels[k]);
  cnn_session_learn_forward (w->session, seed);

  t->results[chunk] = (CnnTrainResult){ 0 };
  cnn_loss_cross_entropy (cnn_session_output (w->session, 0)->data, labels,
      t->chunk, t->classes, t->options.label_smoothing, 1.0 / t->options.batch,
      cnn_session_output_grad (w->session)->data, &t->results[chunk]);

  memset (t->gradients[chunk], 0, t->weights.count * sizeof (float));
  for (size_t i = 0; i < t->weights.n_segments; i++) {
    const CnnSegment *s = &t->weights.segments[i];
    w->grads[t->places[i]] = t->gradients[chunk] + s->begin;
  }
  cnn_session_learn_backward (w->session, seed, w->grads);
}

void
cnn_trainer_step (CnnTrainer *trainer, CnnSampleFunction sample, void *data,
    double rate, CnnTrainResult *result)
{
  CnnTrainer *t = trainer;
  Step step = { t, sample, data };
  CnnTrainResult sum = { 0 };
  cnn_pool_run (t->pool, t->n_chunks, do_chunk, &step);
  cnn_weights_update (&t->weights, &t->options,
      (const float *const *) t->gradients, t->n_chunks, rate, t->pool);

  for (int k = 0; k < t->n_chunks; k++) {
    sum.loss += t->results[k].loss / t->options.batch;
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
