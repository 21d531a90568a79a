/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* conv_dot.c: Conv whose kernel covers its whole input: a dense layer.
 *
 * Each output is the dot product of the input with a row of the weights as they
 * lie in the file, the sum's index as lanes; nothing is packed. The time is that
 * of reading the weights: one thread goes through them forwards and backwards in
 * turn, so that a cache that holds a part of them helps. (Of several, each has
 * its own part.) */

#include "ops/conv.h"

#include <string.h>

#include "base/memory.h"

/* Weights of a task. */
#define TASK_WEIGHTS (64 * 1024)
#define TASK_STEP    8

bool
cnn_conv_is_dot (const CnnConvSizes *s)
{
  bool covers = s->n && s->ic && s->oc && s->group == 1 && !s->pooling;
  covers = covers && s->oh == 1 && s->ow == 1;
  covers = covers && s->kernel[0] == s->h && s->kernel[1] == s->w;
  return covers && !s->pad[0] && !s->pad[1]
      && (s->h == 1 || s->dilation[0] == 1)
      && (s->w == 1 || s->dilation[1] == 1);
}

typedef struct
{
  const CnnKernels *kernels;
  const float *in, *weights, *bias;
  float *out;
  int n, k, oc, step, tasks;
  bool backwards;
  CnnActivation activation;
} Stage;

static void
task (void *data, int number, CNN_UNUSED int worker)
{
  const Stage *s = data;
  int first = (s->backwards ? s->tasks - 1 - number : number) * s->step;
  int oc = s->oc - first < s->step ? s->oc - first : s->step;
  size_t k = (size_t) s->k, row = (size_t) s->oc;
  float *out = s->out + first;
  for (int i = 0; i < s->n; i++) {
    if (s->bias)
      memcpy (out + (size_t) i * row, s->bias + first,
          (size_t) oc * sizeof *out);
    else
      memset (out + (size_t) i * row, 0, (size_t) oc * sizeof *out);
  }
  s->kernels->gemm_nt (&(CnnGemmRun){
      .a = s->in,
      .a_row = k,
      .a_k = 1,
      .b = s->weights + (size_t) first * k,
      .b_row = k,
      .c = out,
      .c_row = row,
      .m = s->n,
      .n = oc,
      .k = s->k,
      .alpha = 1,
  });
  for (int i = 0; i < s->n && s->activation; i++)
    s->kernels->map (s->activation, out + (size_t) i * row,
        out + (size_t) i * row, (size_t) oc);
}

static void
run_stage (Stage *s, CnnPool *pool)
{
  s->step = TASK_WEIGHTS / s->k / TASK_STEP * TASK_STEP;
  if (s->step < TASK_STEP)
    s->step = TASK_STEP;
  s->tasks = (s->oc + s->step - 1) / s->step;
  cnn_pool_run (pool, s->tasks, task, s);
}

size_t
cnn_conv_dot_bytes (const CnnConvSizes *s)
{
  return 2
      * cnn_align_up ((size_t) s->n * (size_t) s->most_oc * sizeof (float));
}

void
cnn_conv_dot (const CnnOpCall *call, const CnnConvSizes *s)
{
  const CnnConvParams *p = call->params;
  char *scratch = call->scratch;
  Stage stage = {
    .kernels = call->kernels,
    .backwards = call->turn % 2 && cnn_pool_threads (call->pool) == 1,
    .out = call->in[0]->data,
    .n = s->n,
    .oc = s->ic * s->h * s->w,
  };
  for (int k = 0; k <= p->n_tail; k++) {
    int i = k ? cnn_conv_stage_input (p, k - 1) : 1;
    const CnnTensor *w = call->in[i];
    bool has_bias = i + 1 < call->n_in && call->in[i + 1];
    stage.in = stage.out;
    stage.k = stage.oc;
    stage.oc = (int) w->shape.dims[0];
    stage.weights = w->data;
    stage.bias = has_bias ? call->in[i + 1]->data : NULL;
    stage.activation = k ? p->tail[k - 1].activation : p->activation;
    stage.out = k == p->n_tail
        ? call->out[0]->data
        : (float *) (scratch + (size_t) (k % 2) * cnn_conv_dot_bytes (s) / 2);
    run_stage (&stage, call->pool);
  }
}
