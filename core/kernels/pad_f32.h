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

/* Where every step-th pixel from @from on goes: to @phase, from @to on, @count
 * of them. */
typedef struct
{
  int from, phase, to, count;
} Dealt;

INLINE void
fill_zero (float *out, int n)
{
  int i = 0;
  for (; i + LANES <= n; i += LANES)
    store (out + i, (Vec){ 0 });
  if (i < n)
    store_part (out + i, (Vec){ 0 }, n - i);
}

/* Pixels left of the first one are no pixels: so nothing is read before it. */
static void
list_dealt (const CnnPadRun *run, Dealt *dealt)
{
  int first = run->x > 0 ? run->x : 0;
  for (int k = 0; k < run->step; k++) {
    int from = first + k, ahead = from - run->x;
    Dealt d = { from, ahead % run->step, ahead / run->step, 0 };
    if (d.from < run->w && d.to < run->n) {
      int inside = (run->w - d.from + run->step - 1) / run->step;
      d.count = inside < run->n - d.to ? inside : run->n - d.to;
    }
    dealt[k] = d;
  }
}

/* What is left of one phase, @done pixels are there. */
INLINE void
deal_rest (const Dealt *d, int done, const float *in, float *out,
    const int step)
{
  for (int i = done; i < d->count; i += LANES) {
    int at = i + LANES <= d->count ? i : d->count - LANES;
    Vec row[MAX_DEAL], phases[MAX_DEAL];
    if (at < 0)
      at = 0;
    UNROLL
    for (int v = 0; v < step; v++)
      row[v] = load (in + d->from + at * step + v * LANES);
    deal (step, row, phases);
    if (d->count < LANES)
      store_part (out + at, phases[0], d->count);
    else
      store (out + at, phases[0]);
  }
}

INLINE void
pad_row (const CnnPadRun *run, const Dealt *dealt, const float *in, float *out,
    const int step)
{
  float *to[MAX_DEAL];
  int least = run->n, done = 0;
  UNROLL
  for (int k = 0; k < step; k++) {
    to[k] = out + (size_t) dealt[k].phase * run->out_phase + dealt[k].to;
    if (dealt[k].phase < run->phases && dealt[k].count < least)
      least = dealt[k].count;
  }
  for (; done + LANES <= least; done += LANES) {
    Vec row[MAX_DEAL], phases[MAX_DEAL];
    UNROLL
    for (int v = 0; v < step; v++)
      row[v] = load (in + dealt[0].from + done * step + v * LANES);
    deal (step, row, phases);
    UNROLL
    for (int k = 0; k < step; k++)
      if (dealt[k].phase < run->phases)
        store (to[k] + done, phases[k]);
  }
  UNROLL
  for (int k = 0; k < step; k++) {
    const Dealt *d = &dealt[k];
    if (d->phase >= run->phases)
      continue;
    int before = d->to < run->n ? d->to : run->n;
    deal_rest (d, done, in, to[k], step);
    fill_zero (to[k] - d->to, before);
    fill_zero (to[k] + d->count, run->n - before - d->count);
  }
}

INLINE void
pad_rows (const CnnPadRun *run, const int step)
{
  Dealt dealt[MAX_DEAL];
  list_dealt (run, dealt);
  for (int r = 0; r < run->rows; r++) {
    int y = run->y + r * run->row_step;
    float *out = run->out + (size_t) r * run->out_pitch;
    if (y >= 0 && y < run->h) {
      pad_row (run, dealt, run->in + (size_t) y * (size_t) run->w, out, step);
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
