/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* conv_gather.c: convolutions of many channels as products: what some pixels
 * look at, in all channels, is copied together, a row a channel and tap, since
 * planes lie pages apart, and goes through all stages while it is cached. Where
 * the output has no gaps, pixels are counted through all rows, so that short
 * rows waste no lanes. */

#include "ops/conv_gather.h"

#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "ops/planar.h"

#define TASK_MACS    ((size_t) 1 << 20)
#define WANTED_TASKS 8
/* Weights beyond this come from afar: more pixels a piece share them. */
#define NEAR_WEIGHTS ((size_t) 32 * 1024)
#define LARGE_PIECE  (2 * CNN_CONV_TAIL_PIXELS)
/* What is copied together stays in the second cache. */
#define PIECE_BYTES ((size_t) 1 << 20)
/* Pieces are whole vectors of any instruction set. */
#define PIECE_STEP 16

typedef struct
{
  const CnnConvGather *run;
  size_t spare_bytes;
  int rows, n; /* runs of pixels, pixels of each */
  int piece;   /* pixels that are copied at a time */
  int pixels;  /* of a task */
  int tasks;   /* of a run */
  int blocks;  /* of output channels of a task */
} Cut;

/* Pixels whose @rows stay cached, at most LARGE_PIECE. */
static int
large_piece (int rows)
{
  size_t pixels = PIECE_BYTES / sizeof (float) / (size_t) rows;
  if (pixels >= LARGE_PIECE)
    return LARGE_PIECE;
  if (pixels >= CNN_CONV_TAIL_PIXELS)
    return CNN_CONV_TAIL_PIXELS * (int) (pixels / CNN_CONV_TAIL_PIXELS);
  return pixels >= 2 * PIECE_STEP ? 2 * PIECE_STEP : PIECE_STEP;
}

static size_t
piece_floats (int rows)
{
  int piece = large_piece (rows);
  if (piece < CNN_CONV_TAIL_PIXELS)
    piece = CNN_CONV_TAIL_PIXELS;
  return (size_t) rows * (size_t) piece;
}

size_t
cnn_conv_gather_bytes (int rows, int oc)
{
  size_t floats = piece_floats (rows) + cnn_conv_tail_floats (oc);
  return cnn_align_up (floats * sizeof (float) + CNN_SLACK_BYTES);
}

/* Pixels @first ... of run @row, all channels and taps, @n apart. */
static void
collect (const Cut *cut, int row, int first, int n, float *to)
{
  const CnnConvGather *r = cut->run;
  CnnPiece pieces[LARGE_PIECE];
  int count = 0;
  for (int x = first, end = first + n; x < end; x += (int) pieces[count++].n) {
    int left = r->ow - x % r->ow;
    pieces[count] = (CnnPiece){
      .at = (size_t) (row + x / r->ow) * r->in_pitch + (size_t) (x % r->ow),
      .n = (size_t) (left < end - x ? left : end - x),
    };
  }
  r->tail->kernels->collect (&(CnnCollectRun){
      .in = r->in,
      .in_plane = r->in_plane,
      .ic = r->ic,
      .taps = r->taps,
      .n_taps = r->n_taps,
      .pieces = pieces,
      .n_pieces = count,
      .out = to,
      .out_step = (size_t) n,
  });
}

static void
task (void *data, int number, int worker)
{
  const Cut *cut = data;
  const CnnConvGather *r = cut->run;
  CnnConvTail tail = *r->tail;
  float *copy =
      (float *) ((char *) r->spare + (size_t) worker * cut->spare_bytes);
  float *spare = copy + piece_floats (tail.stages[0].ic);
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
cut_of (const CnnConvGather *r)
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
    .spare_bytes = cnn_conv_gather_bytes (first->ic, most),
    .rows = dense ? 1 : r->oh,
    .n = dense ? r->oh * r->ow : r->ow,
    .piece = macs > NEAR_WEIGHTS && r->tail->count == 1
        ? large_piece (first->ic)
        : CNN_CONV_TAIL_PIXELS,
    .blocks = cnn_planar_blocks (first->oc),
  };
  int most_pieces = (cut.n + cut.piece - 1) / cut.piece;
  cut.piece = (cut.n + most_pieces - 1) / most_pieces;
  cut.piece = (cut.piece + PIECE_STEP - 1) / PIECE_STEP * PIECE_STEP;
  size_t pieces = TASK_MACS / (macs * (size_t) cut.piece + 1) + 1;
  cut.pixels = pieces * (size_t) cut.piece < (size_t) cut.n
      ? (int) pieces * cut.piece
      : cut.n;
  cut.tasks = (cut.n + cut.pixels - 1) / cut.pixels;
  return cut;
}

void
cnn_conv_gather_run (const CnnConvGather *gather)
{
  const CnnConvGather *r = gather;
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
