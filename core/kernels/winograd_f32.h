/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* winograd_f32.h: Winograd's transforms; contracts in winograd.h.
 *
 * Included by each instruction set's file. Input: first down the columns, with
 * pixels as lanes, since neighbouring tiles share most of their columns; then
 * the pixels are dealt out (pixel t*m + k is element k of tile t), and along
 * the rows tiles are lanes. Output: tiles are lanes both ways, and the pixels
 * are woven together at the end, pooled if they are to be. */

#ifndef CNN_KERNELS_WINOGRAD_F32_H
#define CNN_KERNELS_WINOGRAD_F32_H

#include "kernels/deal_f32.h"
#include "kernels/math_f32.h"

#define ALPHA_MAX CNN_WINOGRAD_ALPHA
#define M_MAX     6
/* Pixels under the most tiles, and a vector more. */
#define LINE_MAX  ((CNN_WINOGRAD_TILES - 1) * M_MAX + ALPHA_MAX + 2 * LANES)
#define PHASE_MAX (CNN_WINOGRAD_TILES + 2 * LANES)

_Static_assert(2 * ALPHA_MAX * LINE_MAX + M_MAX * PHASE_MAX
        <= CNN_WINOGRAD_SPARE,
    "CNN_WINOGRAD_SPARE is too small");

/* v = B' d. For points p and -p both rows have the same even terms, and odd
 * terms that differ in sign: x^2 Q (x^2) +- p x Q (x^2). */
INLINE void
input_points (const int alpha, const Vec *d, Vec *v)
{
  Vec even, odd;
  if (alpha == 8) {
    v[0] = (d[6] - d[0]) + 5.25f * (d[2] - d[4]);
    v[7] = (d[7] - d[1]) + 5.25f * (d[3] - d[5]);
    even = (d[2] + d[6]) - 4.25f * d[4];
    odd = (d[1] + d[5]) - 4.25f * d[3];
    v[1] = even + odd;
    v[2] = even - odd;
    even = (d[6] - 1.25f * d[4]) + 0.25f * d[2];
    odd = (d[5] - 1.25f * d[3]) + 0.25f * d[1];
    v[3] = even + 2.0f * odd;
    v[4] = even - 2.0f * odd;
    even = (d[6] - 5.0f * d[4]) + 4.0f * d[2];
    odd = (d[5] - 5.0f * d[3]) + 4.0f * d[1];
    v[5] = even + 0.5f * odd;
    v[6] = even - 0.5f * odd;
  } else if (alpha == 4) {
    v[0] = d[2] - d[0];
    v[3] = d[3] - d[1];
    v[1] = d[2] + d[1];
    v[2] = d[2] - d[1];
  } else {
    v[0] = (d[4] - 5.0f * d[2]) + 4.0f * d[0];
    v[5] = (d[5] - 5.0f * d[3]) + 4.0f * d[1];
    even = d[4] - 4.0f * d[2];
    odd = d[3] - 4.0f * d[1];
    v[1] = even + odd;
    v[2] = even - odd;
    even = d[4] - d[2];
    odd = d[3] - d[1];
    v[3] = even + 2.0f * odd;
    v[4] = even - 2.0f * odd;
  }
}

/* y = A' v */
INLINE void
output_points (const int alpha, const int m, const Vec *v, Vec *y)
{
  const Vec sum1 = v[1] + v[2], minus1 = v[1] - v[2];
  Vec sum2 = { 0 }, minus2 = { 0 }, sum3 = { 0 }, minus3 = { 0 };
  if (alpha > 4) {
    sum2 = v[3] + v[4];
    minus2 = v[3] - v[4];
  }
  if (alpha == 8) {
    sum3 = v[5] + v[6];
    minus3 = v[5] - v[6];
  }
  UNROLL
  for (int j = 0; j < m; j++) {
    const float power = (float) (1 << j);
    y[j] = j % 2 ? minus1 : sum1;
    if (alpha > 4)
      y[j] += power * (j % 2 ? minus2 : sum2);
    if (alpha == 8)
      y[j] += 1 / power * (j % 2 ? minus3 : sum3);
    if (!j)
      y[j] += v[0];
    if (j == m - 1)
      y[j] += v[alpha - 1];
  }
}

/* Lines that begin or end outside are copied, with zeros there. */
static void
copy_line (const CnnWinogradInput *run, const float *row, float *to, int width)
{
  int first = run->x < 0 ? -run->x : 0;
  int last = run->w - run->x < width ? run->w - run->x : width;
  memset (to, 0, (size_t) (width + LANES) * sizeof *to);
  if (last > first)
    memcpy (to + first, row + run->x + first,
        (size_t) (last - first) * sizeof *to);
}

/* Down the columns: alpha lines of @width pixels into run->spare. */
INLINE void
input_columns (const CnnWinogradInput *run, const int alpha, int width)
{
  static const float zeros[LINE_MAX];
  const float *lines[ALPHA_MAX];
  float *copies = run->spare + ALPHA_MAX * LINE_MAX;
  bool whole = run->x >= 0 && run->x + width <= run->w;
  UNROLL
  for (int y = 0; y < alpha; y++) {
    lines[y] = zeros;
    if (run->y + y < 0 || run->y + y >= run->h)
      continue;
    const float *row = run->in + (size_t) (run->y + y) * (size_t) run->w;
    lines[y] = whole ? row + run->x : copies + y * LINE_MAX;
    if (!whole)
      copy_line (run, row, copies + y * LINE_MAX, width);
  }
  for (int x = 0; x < width; x += LANES) {
    Vec d[ALPHA_MAX], v[ALPHA_MAX];
    UNROLL
    for (int y = 0; y < alpha; y++)
      d[y] = load (lines[y] + x);
    input_points (alpha, d, v);
    UNROLL
    for (int y = 0; y < alpha; y++)
      store (run->spare + y * LINE_MAX + x, v[y]);
  }
}

/* Along row @y of the transformed lines. */
INLINE void
input_row (const CnnWinogradInput *run, const int alpha, const int m, int y)
{
  const float *line = run->spare + y * LINE_MAX;
  float *phases = run->spare + 2 * ALPHA_MAX * LINE_MAX;
  float *out = run->out + (size_t) (y * alpha) * run->out_step;
  /* Elements past m - 1 are those of the tiles after. */
  for (int t = 0; t < run->n + (alpha - 1) / m; t += LANES) {
    Vec pixels[M_MAX], dealt[M_MAX];
    UNROLL
    for (int k = 0; k < m; k++)
      pixels[k] = load (line + t * m + k * LANES);
    deal (m, pixels, dealt);
    UNROLL
    for (int k = 0; k < m; k++)
      store (phases + k * PHASE_MAX + t, dealt[k]);
  }
  for (int t = 0; t < run->n; t += LANES) {
    Vec d[ALPHA_MAX], v[ALPHA_MAX];
    UNROLL
    for (int k = 0; k < alpha; k++)
      d[k] = load (phases + k % m * PHASE_MAX + k / m + t);
    input_points (alpha, d, v);
    if (run->n - t >= LANES) {
      UNROLL
      for (int k = 0; k < alpha; k++)
        store (out + (size_t) k * run->out_step + t, v[k]);
    } else {
      UNROLL
      for (int k = 0; k < alpha; k++)
        store_part (out + (size_t) k * run->out_step + t, v[k], run->n - t);
    }
  }
}

INLINE void
winograd_input (const CnnWinogradInput *run, const int m, const int r)
{
  const int alpha = m + r - 1;
  input_columns (run, alpha, (run->n - 1) * m + alpha);
  for (int y = 0; y < alpha; y++)
    input_row (run, alpha, m, y);
}

static void
KERNEL (cnn_winograd_input_f32) (const CnnWinogradInput *run)
{
  switch (run->form) {
    case CNN_WINOGRAD_4_5:
      winograd_input (run, 4, 5);
      break;
    case CNN_WINOGRAD_6_3:
      winograd_input (run, 6, 3);
      break;
    case CNN_WINOGRAD_2_5:
      winograd_input (run, 2, 5);
      break;
    case CNN_WINOGRAD_4_3:
      winograd_input (run, 4, 3);
      break;
    case CNN_WINOGRAD_2_3:
      winograd_input (run, 2, 3);
      break;
    case CNN_WINOGRAD_FORMS:
      break;
  }
}

INLINE void
finish_row (const CnnWinogradOutput *run, const int count, Vec *row)
{
  UNROLL
  for (int j = 0; j < count; j++)
    row[j] += run->bias;
  if (run->activation == CNN_ACTIVATION_RELU) {
    UNROLL
    for (int j = 0; j < count; j++)
      row[j] = maximum (row[j], (Vec){ 0 });
  } else if (run->activation != CNN_ACTIVATION_NONE) {
    for (int j = 0; j < count; j++)
      row[j] = activate (run->activation, row[j]);
  }
}

/* Tiles of a vector that lie in one row: @from: the first's pixels in the woven
 * ones; @out: its corner, and how much of the map there is from there. */
typedef struct
{
  float *out;
  int from, rows, columns;
} Piece;

/* @wide: pixels of a tile that are written. Returns: how many pieces. */
static int
pieces_of (const CnnWinogradOutput *run, int wide, int t, Piece *pieces)
{
  int count = 0, end = run->n - t < LANES ? run->n : t + LANES;
  for (int at = t, tiles; at < end; at += tiles) {
    int y = (run->first + at) / run->across,
        x = (run->first + at) % run->across;
    tiles = run->across - x < end - at ? run->across - x : end - at;
    Piece *p = &pieces[count++];
    *p = (Piece){
      .out = run->out + (size_t) (y * wide) * run->pitch + x * wide,
      .from = (at - t) * wide,
      .rows = run->rows - y * wide,
      .columns = run->columns - x * wide,
    };
    if (p->columns > tiles * wide)
      p->columns = tiles * wide;
  }
  return count;
}

INLINE void
put_vectors (const int count, const Vec *woven, float *out, int columns)
{
  UNROLL
  for (int j = 0; j < count; j++) {
    if (columns >= (j + 1) * LANES)
      store (out + j * LANES, woven[j]);
    else if (columns > j * LANES)
      store_part (out + j * LANES, woven[j], columns - j * LANES);
  }
}

/* Row @i of all tiles of a vector, @count vectors in the order of the tiles'
 * columns, to where it belongs. */
INLINE void
put_row (const int count, const Vec *row, const Piece *pieces, int n_pieces,
    int i, size_t pitch)
{
  Vec woven[M_MAX];
  float line[(M_MAX + 1) * LANES];
  weave (count, row, woven);
  if (n_pieces == 1) {
    put_vectors (count, woven, pieces->out + (size_t) i * pitch,
        pieces->columns);
    return;
  }
  UNROLL
  for (int j = 0; j < count; j++)
    store (line + j * LANES, woven[j]);
  for (const Piece *p = pieces; p < pieces + n_pieces && i < p->rows; p++) {
    float *out = p->out + (size_t) i * pitch;
    for (int x = 0; x < p->columns; x += LANES)
      store_part (out + x, load (line + p->from + x),
          p->columns - x < LANES ? p->columns - x : LANES);
  }
}

/* Rows @a and @b of tiles to one of half as many vectors. Bias and activation
 * grow with their argument, so they may as well follow the maximum. */
INLINE void
pool_rows (const CnnWinogradOutput *run, const int m, Vec *a, Vec *b,
    Vec *pooled)
{
  if (run->pooling == CNN_FUSED_POOL_AVERAGE) {
    finish_row (run, m, a);
    finish_row (run, m, b);
    UNROLL
    for (int j = 0; j < m; j += 2)
      pooled[j / 2] = 0.25f * ((a[j] + b[j]) + (a[j + 1] + b[j + 1]));
    return;
  }
  UNROLL
  for (int j = 0; j < m; j += 2)
    pooled[j / 2] =
        maximum (maximum (a[j], a[j + 1]), maximum (b[j], b[j + 1]));
  finish_row (run, m / 2, pooled);
}

/* A vector of tiles, from tile @t on. */
INLINE void
winograd_tiles (const CnnWinogradOutput *run, const int alpha, const int m,
    int t)
{
  Vec down[M_MAX][ALPHA_MAX];
  UNROLL
  for (int k = 0; k < alpha; k++) {
    Vec v[ALPHA_MAX], y[M_MAX];
    UNROLL
    for (int i = 0; i < alpha; i++)
      v[i] = load (run->in + (size_t) (i * alpha + k) * run->in_step + t);
    output_points (alpha, m, v, y);
    UNROLL
    for (int i = 0; i < m; i++)
      down[i][k] = y[i];
  }

  const bool pooled = run->pooling != CNN_FUSED_POOL_NONE;
  Piece pieces[LANES];
  int n_pieces =
      run->apart ? 0 : pieces_of (run, pooled ? m / 2 : m, t, pieces);
  Vec before[M_MAX] = { { 0 } }, row[M_MAX];
  for (int i = 0; i < m && run->apart; i++) {
    output_points (alpha, m, down[i], row);
    finish_row (run, m, row);
    UNROLL
    for (int j = 0; j < m; j++)
      store (run->out + (size_t) (i * m + j) * run->pitch + t, row[j]);
  }
  if (run->apart)
    return;
  int rows = pooled ? 2 * pieces->rows : pieces->rows;
  for (int i = 0; i < m && i < rows; i++) {
    output_points (alpha, m, down[i], row);
    if (!pooled) {
      finish_row (run, m, row);
      put_row (m, row, pieces, n_pieces, i, run->pitch);
    } else if (i % 2) {
      Vec less[M_MAX];
      pool_rows (run, m, before, row, less);
      put_row (m / 2, less, pieces, n_pieces, i / 2, run->pitch);
    } else {
      UNROLL
      for (int j = 0; j < m; j++)
        before[j] = row[j];
    }
  }
}

INLINE void
winograd_output (const CnnWinogradOutput *run, const int m, const int r)
{
  for (int t = 0; t < run->n; t += LANES)
    winograd_tiles (run, m + r - 1, m, t);
}

static void
KERNEL (cnn_winograd_output_f32) (const CnnWinogradOutput *run)
{
  switch (run->form) {
    case CNN_WINOGRAD_4_5:
      winograd_output (run, 4, 5);
      break;
    case CNN_WINOGRAD_6_3:
      winograd_output (run, 6, 3);
      break;
    case CNN_WINOGRAD_2_5:
      winograd_output (run, 2, 5);
      break;
    case CNN_WINOGRAD_4_3:
      winograd_output (run, 4, 3);
      break;
    case CNN_WINOGRAD_2_3:
      winograd_output (run, 2, 3);
      break;
    case CNN_WINOGRAD_FORMS:
      break;
  }
}

INLINE void
weave_all (const float *in, size_t step, const int m, float *out, int columns)
{
  for (int t = 0; t * m < columns; t += LANES) {
    Vec row[M_MAX], woven[M_MAX];
    UNROLL
    for (int j = 0; j < m; j++)
      row[j] = load (in + (size_t) j * step + t);
    weave (m, row, woven);
    put_vectors (m, woven, out + t * m, columns - t * m);
  }
}

static void
KERNEL (cnn_weave_f32) (const float *in, size_t step, int m, float *out,
    int columns)
{
  if (m == 2)
    weave_all (in, step, 2, out, columns);
  else if (m == 4)
    weave_all (in, step, 4, out, columns);
  else
    weave_all (in, step, 6, out, columns);
}

#endif
