/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* deal_f32.h: every n-th element, and the way back.
 *
 * deal: n vectors in a row, x0 x1 x2 ..., become n vectors of which number k
 * holds x[k], x[n + k], x[2n + k] ...; weave: the opposite. n is 1, 2, 3, 4 or
 * 6; what each instruction set makes of it are permutations of two vectors.
 *
 * Included by each instruction set's file. */

#ifndef CNN_KERNELS_DEAL_F32_H
#define CNN_KERNELS_DEAL_F32_H

#include "kernels/vector.h"

/* LIST (F, n): F (0, n), F (1, n) ... for each lane. */
#if LANES == 4
#define LIST(F, n) F (0, n), F (1, n), F (2, n), F (3, n)
#elif LANES == 8
#define LIST(F, n)                                                             \
  F (0, n), F (1, n), F (2, n), F (3, n), F (4, n), F (5, n), F (6, n), F (7, n)
#else
#define LIST(F, n)                                                             \
  F (0, n), F (1, n), F (2, n), F (3, n), F (4, n), F (5, n), F (6, n),        \
      F (7, n), F (8, n), F (9, n), F (10, n), F (11, n), F (12, n),           \
      F (13, n), F (14, n), F (15, n)
#endif
#define PICK(a, b, F, n) __builtin_shufflevector (a, b, LIST (F, n))

/* Two vectors as one row of 2 * LANES: every other element, from element n on;
 * and half n of the row into which two vectors weave. */
#define EVERY_OTHER(i, n) (2 * (i) + (n))
#define BY_TURNS(i, n)    ((n) *LANES / 2 + (i) / 2 + (i) % 2 * LANES)
#define EVENS(a, b)       PICK (a, b, EVERY_OTHER, 0)
#define ODDS(a, b)        PICK (a, b, EVERY_OTHER, 1)
#define FIRSTS(a, b)      PICK (a, b, BY_TURNS, 0)
#define SECONDS(a, b)     PICK (a, b, BY_TURNS, 1)

/* Three vectors, two at a time: what the first two have, then the third's. */
#define THIRD_AT(i, n)     (3 * (i) + (n))
#define THIRD_OF_TWO(i, n) (THIRD_AT (i, n) < 2 * LANES ? THIRD_AT (i, n) : 0)
#define THIRD_OF_LAST(i, n)                                                    \
  (THIRD_AT (i, n) < 2 * LANES ? (i) : THIRD_AT (i, n) - LANES)
#define WOVEN_AT(i, n) ((n) *LANES + (i))
#define WOVEN_OF_TWO(i, n)                                                     \
  (WOVEN_AT (i, n) % 3 == 2                                                    \
          ? 0                                                                  \
          : WOVEN_AT (i, n) / 3 + WOVEN_AT (i, n) % 3 * LANES)
#define WOVEN_OF_LAST(i, n)                                                    \
  (WOVEN_AT (i, n) % 3 == 2 ? LANES + WOVEN_AT (i, n) / 3 : (i))
#define THIRD(v, n)                                                            \
  PICK (PICK (v[0], v[1], THIRD_OF_TWO, n), v[2], THIRD_OF_LAST, n)
#define WOVEN(v, n)                                                            \
  PICK (PICK (v[0], v[1], WOVEN_OF_TWO, n), v[2], WOVEN_OF_LAST, n)

INLINE void
deal_by_three (const Vec *in, Vec *out, const int step)
{
  out[0] = THIRD (in, 0);
  out[step] = THIRD (in, 1);
  out[2 * step] = THIRD (in, 2);
}

INLINE void
weave_three (const Vec *in, Vec *out)
{
  out[0] = WOVEN (in, 0);
  out[1] = WOVEN (in, 1);
  out[2] = WOVEN (in, 2);
}

INLINE void
deal (const int n, const Vec *in, Vec *out)
{
  Vec evens[3], odds[3];
  if (n == 1) {
    out[0] = in[0];
    return;
  }
  if (n == 3) {
    deal_by_three (in, out, 1);
    return;
  }
  UNROLL
  for (int i = 0; i < n / 2; i++) {
    evens[i] = EVENS (in[2 * i], in[2 * i + 1]);
    odds[i] = ODDS (in[2 * i], in[2 * i + 1]);
  }
  if (n == 2) {
    out[0] = evens[0];
    out[1] = odds[0];
  } else if (n == 4) {
    out[0] = EVENS (evens[0], evens[1]);
    out[1] = EVENS (odds[0], odds[1]);
    out[2] = ODDS (evens[0], evens[1]);
    out[3] = ODDS (odds[0], odds[1]);
  } else {
    deal_by_three (evens, out, 2);
    deal_by_three (odds, out + 1, 2);
  }
}

INLINE void
weave (const int n, const Vec *in, Vec *out)
{
  Vec evens[3], odds[3];
  if (n == 1) {
    out[0] = in[0];
    return;
  }
  if (n == 3) {
    weave_three (in, out);
    return;
  }
  if (n == 2) {
    evens[0] = in[0];
    odds[0] = in[1];
  } else if (n == 4) {
    evens[0] = FIRSTS (in[0], in[2]);
    evens[1] = SECONDS (in[0], in[2]);
    odds[0] = FIRSTS (in[1], in[3]);
    odds[1] = SECONDS (in[1], in[3]);
  } else {
    const Vec even[3] = { in[0], in[2], in[4] };
    const Vec odd[3] = { in[1], in[3], in[5] };
    weave_three (even, evens);
    weave_three (odd, odds);
  }
  UNROLL
  for (int i = 0; i < n / 2; i++) {
    out[2 * i] = FIRSTS (evens[i], odds[i]);
    out[2 * i + 1] = SECONDS (evens[i], odds[i]);
  }
}

#endif
