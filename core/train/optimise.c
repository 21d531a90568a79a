/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* optimise.c: one step downhill, over the whole row of weights.
 *
 *   SGD:   m = momentum * m + g          w = w - rate * m
 *   Adam:  m = b1 * m + (1 - b1) * g     v = b2 * v + (1 - b2) * g^2
 *          w = w - rate * m' / (sqrt (v') + eps), m' and v' corrected for
 *          having begun at 0
 *   both:  w = w - rate * decay * w for weights, before
 *
 * Source: Sutskever et al., 2013; Kingma, Ba, 2015; decoupled decay:
 * Loshchilov, Hutter, 2019. */

#include "train/weights.h"

#include <math.h>

#define BLOCK   2048
#define EPSILON 1e-8f

typedef struct
{
  CnnWeights *weights;
  const CnnTrainOptions *options;
  const float *const *gradients;
  float rate, keep;
} Job;

/* Returns the gradient: the sum of all rows, or the only row itself. */
static const float *
sum_gradients (const Job *job, int rows, size_t begin, size_t count, float *sum)
{
  const float *first = job->gradients[0] + begin;
  if (rows < 2)
    return first;
  for (size_t i = 0; i < count; i++)
    sum[i] = first[i] + job->gradients[1][begin + i];
  for (int k = 2; k < rows; k++)
    for (size_t i = 0; i < count; i++)
      sum[i] += job->gradients[k][begin + i];
  return sum;
}

static void
sgd (const Job *job, size_t begin, size_t count, const float *g)
{
  float *restrict w = job->weights->now + begin;
  float *restrict m = job->weights->first + begin;
  float momentum = (float) job->options->momentum, rate = job->rate;
  for (size_t i = 0; i < count; i++) {
    m[i] = momentum * m[i] + g[i];
    w[i] -= rate * m[i];
  }
}

static void
adam (const Job *job, size_t begin, size_t count, const float *g)
{
  float *restrict w = job->weights->now + begin;
  float *restrict m = job->weights->first + begin;
  float *restrict v = job->weights->second + begin;
  double b1 = job->options->momentum;
  double b2 = job->options->beta2 ? job->options->beta2 : 0.999;
  double t = (double) job->weights->steps + 1;
  float scale = (float) (job->rate / (1 - pow (b1, t)));
  float correct = (float) (1 / (1 - pow (b2, t)));
  float f1 = (float) b1, f2 = (float) b2;
  for (size_t i = 0; i < count; i++) {
    m[i] = f1 * m[i] + (1 - f1) * g[i];
    v[i] = f2 * v[i] + (1 - f2) * g[i] * g[i];
    w[i] -= scale * m[i] / (sqrtf (v[i] * correct) + EPSILON);
  }
}

static void
average (const Job *job, size_t begin, size_t count)
{
  const float *w = job->weights->now + begin;
  float *restrict mean = job->weights->mean + begin, keep = job->keep;
  for (size_t i = 0; i < count; i++)
    mean[i] = keep * mean[i] + (1 - keep) * w[i];
}

/* A piece of one segment. */
static void
update (const Job *job, const CnnSegment *segment, size_t begin, size_t count)
{
  float sum[BLOCK], *w = job->weights->now + begin;
  const float *g = sum_gradients (job, segment->rows, begin, count, sum);
  float keep = 1 - job->rate * (float) job->options->weight_decay;
  for (size_t i = 0; keep != 1 && segment->decays && i < count; i++)
    w[i] *= keep;
  if (job->options->optimiser == CNN_OPTIMISER_ADAM)
    adam (job, begin, count, g);
  else
    sgd (job, begin, count, g);
  if (job->options->average)
    average (job, begin, count);
}

static void
update_block (void *data, int block, int worker CNN_UNUSED)
{
  const Job *job = data;
  const CnnWeights *w = job->weights;
  size_t begin = (size_t) block * BLOCK, end = begin + BLOCK;
  for (size_t s = 0; s < w->n_segments; s++) {
    const CnnSegment *segment = &w->segments[s];
    size_t from = segment->begin, to = segment->begin + segment->count;
    from = from < begin ? begin : from;
    to = to > end ? end : to;
    if (from < to)
      update (job, segment, from, to - from);
  }
}

void
cnn_weights_update (CnnWeights *weights, const CnnTrainOptions *options,
    const float *const *gradients, double rate, CnnPool *pool)
{
  /* The average forgets the first, random weights quickly. */
  double t = (double) weights->steps, young = (1 + t) / (10 + t);
  Job job = {
    .weights = weights,
    .options = options,
    .gradients = gradients,
    .rate = (float) rate,
    .keep = (float) (options->average < young ? options->average : young),
  };
  cnn_pool_run (pool, (int) ((weights->count + BLOCK - 1) / BLOCK),
      update_block, &job);
  weights->steps++;
}
