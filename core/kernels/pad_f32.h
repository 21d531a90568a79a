/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pad_f32.h: part of a plane with zeros around it, its columns dealt out where
 * a convolution steps over them.
 *
 * Included by each instruction set's file. Padded and dealt, rows are what
 * conv_f32.h and depthwise_f32.h read; this costs little more than a copy. */

#ifndef CNN_KERNELS_PAD_F32_H
#define CNN_KERNELS_PAD_F32_H

#include "kernels/deal_f32.h"

#define MAX_DEAL 4

/* One of the phases of a row: @count pixels from @from on, every step-th one,
 * with @before and @after zeros around them. */
typedef struct
{
  size_t at; /* from the row's beginning */
  int from, count, before, after;
  bool wanted;
} Phase;

INLINE void
fill_zero (float *out, int n)
{
  int i = 0;
  for (; i + LANES <= n; i += LANES)
    store (out + i, (Vec){ 0 });
  if (i < n)
    store_part (out + i, (Vec){ 0 }, n - i);
}

/* Phase of the pixel @k after the first one that is in the picture: pixels left
 * of that are not there, so nothing is read before it. */
INLINE Phase
phase_of (const CnnPadRun *run, int k, const int step)
{
  int from = (run->x > 0 ? run->x : 0) + k, ahead = from - run->x;
  int phase = ahead % step, before = ahead / step, count = 0;
  if (before > run->n)
    before = run->n;
  if (from < run->w)
    count = (run->w - from + step - 1) / step;
  if (count > run->n - before)
    count = run->n - before;
  return (Phase){
    .at = (size_t) phase * run->out_phase,
    .from = from,
    .count = count,
    .before = before,
    .after = run->n - before - count,
    .wanted = phase < run->phases,
  };
}

/* Before the pixels, which may overwrite some. */
INLINE void
pad_ends (const Phase *p, float *out, int n)
{
  if (n >= LANES && p->before <= LANES && p->after <= LANES) {
    store (out, (Vec){ 0 });
    store (out + n - LANES, (Vec){ 0 });
    return;
  }
  fill_zero (out, p->before);
  fill_zero (out + n - p->after, p->after);
}

/* Pixels of one phase alone, from number @i on. */
INLINE void
pad_phase (const Phase *p, int i, const float *in, float *out, const int step)
{
  for (; i < p->count; i += LANES) {
    int at = i + LANES <= p->count || p->count < LANES ? i : p->count - LANES;
    Vec row[MAX_DEAL], phases[MAX_DEAL];
    UNROLL
    for (int v = 0; v < step; v++)
      row[v] = load (in + p->from + at * step + v * LANES);
    deal (step, row, phases);
    if (p->count < LANES)
      store_part (out, phases[0], p->count);
    else
      store (out + at, phases[0]);
  }
}

/* All phases at once as far as they go. */
INLINE void
pad_row (const CnnPadRun *run, const Phase *phases, int together,
    const float *in, float *out, const int step)
{
  float *to[MAX_DEAL];
  UNROLL
  for (int k = 0; k < step; k++) {
    to[k] = out + phases[k].at;
    if (phases[k].wanted)
      pad_ends (&phases[k], to[k], run->n);
    to[k] += phases[k].before;
  }
  for (int i = 0; i < together; i += LANES) {
    Vec row[MAX_DEAL], dealt[MAX_DEAL];
    UNROLL
    for (int v = 0; v < step; v++)
      row[v] = load (in + phases[0].from + i * step + v * LANES);
    deal (step, row, dealt);
    UNROLL
    for (int k = 0; k < step; k++)
      if (phases[k].wanted)
        store (to[k] + i, dealt[k]);
  }
  UNROLL
  for (int k = 0; k < step; k++)
    if (phases[k].wanted)
      pad_phase (&phases[k], together, in, to[k], step);
}

INLINE void
pad_rows (const CnnPadRun *given, const int step)
{
  const CnnPadRun own = *given, *run = &own; /* which stores don't change */
  Phase phases[MAX_DEAL];
  int together = run->n;
  UNROLL
  for (int k = 0; k < step; k++) {
    phases[k] = phase_of (run, k, step);
    if (phases[k].wanted && phases[k].count < together)
      together = phases[k].count;
  }
  together = together / LANES * LANES;
  for (int r = 0; r < run->rows; r++) {
    int y = run->y + r * run->row_step;
    float *out = run->out + (size_t) r * run->out_pitch;
    if (y >= 0 && y < run->h) {
      pad_row (run, phases, together, run->in + (size_t) y * (size_t) run->w,
          out, step);
      continue;
    }
    for (int p = 0; p < run->phases; p++, out += run->out_phase)
      fill_zero (out, run->n);
  }
}

/* Steps that are too large for shuffles. */
static void
pad_rows_apart (const CnnPadRun *run)
{
  for (int r = 0; r < run->rows; r++)
    for (int p = 0; p < run->phases; p++) {
      int y = run->y + r * run->row_step, x = run->x + p;
      float *out =
          run->out + (size_t) p * run->out_phase + (size_t) r * run->out_pitch;
      for (int j = 0; j < run->n; j++, x += run->step) {
        bool inside = y >= 0 && y < run->h && x >= 0 && x < run->w;
        out[j] =
            inside ? run->in[(size_t) y * (size_t) run->w + (size_t) x] : 0;
      }
    }
}

static void
KERNEL (cnn_pad_f32) (const CnnPadRun *run)
{
  if (run->step == 1)
    pad_rows (run, 1);
  else if (run->step == 2)
    pad_rows (run, 2);
  else if (run->step == 3)
    pad_rows (run, 3);
  else if (run->step == MAX_DEAL)
    pad_rows (run, MAX_DEAL);
  else
    pad_rows_apart (run);
}

#endif
