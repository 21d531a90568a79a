/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* conv_pointwise.c: 1x1 convolutions: some pixels of all channels are copied
 * together, since planes lie pages apart, and go through all stages while they
 * are cached. Where the output has no gaps, pixels are counted through all
 * rows, so that short rows waste no lanes. */

#include "ops/conv_pointwise.h"

#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "ops/planar.h"

#define TASK_MACS    ((size_t) 1 << 20)
#define WANTED_TASKS 8
/* Weights beyond this come from afar: more pixels a piece share them. */
#define NEAR_WEIGHTS ((size_t) 32 * 1024)
#define LARGE_PIECE  (4 * CNN_CONV_TAIL_PIXELS)

typedef struct
{
  const CnnPointwise *run;
  size_t spare_bytes;
  int rows, n; /* runs of pixels, pixels of each */
  int piece;   /* pixels that are copied at a time */
  int pixels;  /* of a task */
  int tasks;   /* of a run */
  int blocks;  /* of output channels of a task */
} Cut;

size_t
cnn_pointwise_spare_bytes (int ic, int oc)
{
  size_t floats = LARGE_PIECE * (size_t) ic + cnn_conv_tail_floats (oc);
  return cnn_align_up (floats * sizeof (float) + CNN_SLACK_BYTES);
}

/* Pixels @first ... of run @row of all channels to @to, @n apart. */
static void
collect (const Cut *cut, int row, int first, int n, float *to)
{
  const CnnPointwise *r = cut->run;
  size_t ow = (size_t) r->ow;
  size_t top = (size_t) row + (size_t) first / ow, at = (size_t) first % ow;
  for (int c = 0; c < r->tail->stages[0].ic; c++) {
    const float *plane = r->in + (size_t) c * r->in_plane;
    size_t y = top, x = at;
    for (size_t left = (size_t) n, count; left; left -= count, y++, x = 0) {
      count = ow - x < left ? ow - x : left;
      memcpy (to, plane + y * r->in_pitch + x, count * sizeof *to);
      to += count;
    }
  }
}

static void
task (void *data, int number, int worker)
{
  const Cut *cut = data;
  const CnnPointwise *r = cut->run;
  CnnConvTail tail = *r->tail;
  float *copy =
      (float *) ((char *) r->spare + (size_t) worker * cut->spare_bytes);
  float *spare = copy + LARGE_PIECE * (size_t) tail.stages[0].ic;
  int part = number / (cut->rows * cut->tasks);
  int row = number / cut->tasks % cut->rows;
  int first = number % cut->tasks * cut->pixels, end = first + cut->pixels;
  int blocks = cnn_planar_blocks (tail.stages[0].oc);
  if (tail.count == 1) {
    tail.first_block = part * cut->blocks;
    tail.last_block = tail.first_block + cut->blocks;
    if (tail.last_block > blocks)
      tail.last_block = blocks;
  }
  if (end > cut->n)
    end = cut->n;
  for (int x = first, n; x < end; x += n) {
    n = end - x < cut->piece ? end - x : cut->piece;
    collect (cut, row, x, n, copy);
    cnn_conv_tail_run (&tail, copy, (size_t) n, n,
        r->out + (size_t) row * r->out_pitch + x, r->out_plane, spare);
  }
}

static Cut
cut_of (const CnnPointwise *r)
{
  const CnnConvStage *first = &r->tail->stages[0];
  bool dense = r->out_pitch == (size_t) r->ow;
  size_t macs = 0;
  int most = 0;
  for (int k = 0; k < r->tail->count; k++) {
    const CnnConvStage *stage = &r->tail->stages[k];
    macs += (size_t) stage->ic * (size_t) stage->oc;
    most = stage->oc > most ? stage->oc : most;
  }
  Cut cut = {
    .run = r,
    .spare_bytes = cnn_pointwise_spare_bytes (first->ic, most),
    .rows = dense ? 1 : r->oh,
    .n = dense ? r->oh * r->ow : r->ow,
    .piece = macs > NEAR_WEIGHTS && r->tail->count == 1 ? LARGE_PIECE
                                                        : CNN_CONV_TAIL_PIXELS,
    .blocks = cnn_planar_blocks (first->oc),
  };
  size_t pieces = TASK_MACS / (macs * (size_t) cut.piece + 1) + 1;
  cut.pixels = pieces * (size_t) cut.piece < (size_t) cut.n
      ? (int) pieces * cut.piece
      : cut.n;
  cut.tasks = (cut.n + cut.pixels - 1) / cut.pixels;
  return cut;
}

void
cnn_pointwise_run (const CnnPointwise *pointwise)
{
  const CnnPointwise *r = pointwise;
  if (!r->oh || !r->ow)
    return;
  Cut cut = cut_of (r);
  int parts = 1, tasks = cut.rows * cut.tasks;
  if (r->tail->count == 1 && tasks < WANTED_TASKS)
    parts = (WANTED_TASKS + tasks - 1) / tasks;
  if (parts > cut.blocks)
    parts = cut.blocks;
  cut.blocks = (cut.blocks + parts - 1) / parts;
  parts =
      (cnn_planar_blocks (r->tail->stages[0].oc) + cut.blocks - 1) / cut.blocks;
  cnn_pool_run (r->pool, parts * tasks, task, &cut);
}
