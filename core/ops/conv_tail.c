/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* conv_tail.c: 1x1 convolutions, pixels that are cached at a time. */

#include "ops/conv_tail.h"

#include <stdbool.h>

#include "ops/planar.h"

size_t
cnn_conv_tail_floats (int oc)
{
  return 2 * (size_t) oc * CNN_CONV_TAIL_PIXELS;
}

/* All output channels of @stage for channels @first ... of its input. */
static void
run_stage (const CnnConvTail *tail, const CnnConvStage *stage, int first,
    const CnnProductRun *pixels)
{
  int end = tail->last_block ? tail->last_block : cnn_planar_blocks (stage->oc);
  for (int b = tail->first_block; b < end; b++) {
    CnnProductRun run = *pixels;
    int o = cnn_planar_block (stage->oc, b);
    run.oc = cnn_planar_block (stage->oc, b + 1) - o;
    run.products = 1;
    run.weights = stage->weights + (size_t) o * (size_t) stage->ic
        + (size_t) first * (size_t) run.oc;
    run.bias = stage->bias && !run.add ? stage->bias + o : NULL;
    run.out = pixels->out + (size_t) o * pixels->out_plane;
    tail->kernels->product (&run);
  }
}

/* Stages @from ... of at most CNN_CONV_TAIL_PIXELS pixels. */
static void
run_piece (const CnnConvTail *tail, int from, CnnProductRun run, float *out,
    size_t out_plane, float *spare)
{
  int most = 0;
  for (int k = from; k < tail->count; k++)
    most = tail->stages[k].oc > most ? tail->stages[k].oc : most;
  for (int k = from; k < tail->count; k++) {
    const CnnConvStage *stage = &tail->stages[k];
    bool last = k == tail->count - 1;
    run.out =
        last ? out : spare + (size_t) (k % 2 * most) * CNN_CONV_TAIL_PIXELS;
    run.out_plane = last ? out_plane : CNN_CONV_TAIL_PIXELS;
    run.ic = stage->ic;
    run.activation = stage->activation;
    run_stage (tail, stage, 0, &run);
    run.in = run.out;
    run.in_plane = run.out_plane;
  }
}

static void
run_from (const CnnConvTail *tail, int from, const float *in, size_t in_plane,
    int n, float *out, size_t out_plane, float *spare)
{
  /* Without intermediate results all at once: weights are read once then. */
  int most = tail->count - from == 1 ? n : CNN_CONV_TAIL_PIXELS;
  for (int x = 0; x < n; x += most) {
    CnnProductRun run = {
      .in = in + x,
      .in_plane = in_plane,
      .n = n - x < most ? n - x : most,
    };
    run_piece (tail, from, run, out + x, out_plane, spare);
  }
}

void
cnn_conv_tail_run (const CnnConvTail *tail, const float *in, size_t in_plane,
    int n, float *out, size_t out_plane, float *spare)
{
  run_from (tail, 0, in, in_plane, n, out, out_plane, spare);
}

void
cnn_conv_tail_add (const CnnConvTail *tail, int first, int channels,
    const float *in, size_t in_plane, int n, float *sums, size_t sums_plane)
{
  for (int x = 0; x < n; x += CNN_CONV_TAIL_PIXELS)
    run_stage (tail, &tail->stages[0], first,
        &(CnnProductRun){
            .in = in + x,
            .in_plane = in_plane,
            .out = sums + x,
            .out_plane = sums_plane,
            .ic = channels,
            .n = n - x < CNN_CONV_TAIL_PIXELS ? n - x : CNN_CONV_TAIL_PIXELS,
            .add = first > 0,
        });
}

const float *
cnn_conv_tail_finish (const CnnConvTail *tail, float *sums, size_t plane, int n,
    float *out, float *spare)
{
  const CnnConvStage *first = &tail->stages[0];
  for (int o = 0; o < first->oc && first->activation; o++) {
    float *row = sums + (size_t) o * plane;
    tail->kernels->map (first->activation, row, row, (size_t) n);
  }
  if (tail->count == 1)
    return sums;
  run_from (tail, 1, sums, plane, n, out, plane, spare);
  return out;
}
