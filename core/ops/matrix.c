/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* matrix.c: picks a way for a matrix product and cuts it into tasks.
 *
 * Across: where rows of b lie in memory as they are needed, gemm_nn reads both
 * operands in place, a block of k at a time where b is too large for the first
 * cache. Dots: few rows times a turned b, dot products in place. Turned: all
 * else, as c' = b' a', with a' packed if it has to be; a minibatch through a
 * dense layer is that, and reads the weights once. */

#include "ops/matrix.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/memory.h"
#include "ops/shapes.h"

#define TASK_ROWS    64
#define TASK_COLUMNS 96
/* Smaller products are one task. */
#define TASK_MACS ((int64_t) 1 << 18)
/* Rows of b in one go, if b is larger than that. */
#define BLOCK_K     128
#define BLOCK_BYTES ((size_t) 256 << 10)
/* More rows than that are not taken as dot products. */
#define DOT_ROWS 8

typedef struct
{
  const CnnProduct *p;
  int rows, columns, across; /* of a task; tasks next to each other */
  const float *packed;
  size_t packed_row, temporary;
} Cut;

typedef enum
{
  ACROSS,
  DOTS,
  TURNED
} Way;

static Way
way_of (const CnnProduct *p)
{
  if (p->b.column == 1)
    return ACROSS;
  return p->a.column == 1 && p->m <= DOT_ROWS ? DOTS : TURNED;
}

/* Floats of a row that holds @n and ends with a whole vector. */
static size_t
whole_row (int n)
{
  return ((size_t) n + CNN_MAX_LANES - 1) / CNN_MAX_LANES * CNN_MAX_LANES;
}

static size_t
packed_bytes (const CnnProduct *p)
{
  bool in_place = p->a.row == 1 && p->a.column != 1;
  return in_place
      ? 0
      : cnn_align_up (whole_row (p->m) * (size_t) p->k * sizeof (float));
}

/* c' of one task. */
static size_t
temporary_bytes (const CnnProduct *p)
{
  int rows = p->n < TASK_ROWS ? p->n : TASK_ROWS;
  int columns = p->m < TASK_COLUMNS ? p->m : TASK_COLUMNS;
  return cnn_align_up (
      (size_t) rows * whole_row (columns) * sizeof (float) + CNN_SLACK_BYTES);
}

size_t
cnn_matrix_spare_bytes (const CnnProduct *product, const CnnPool *pool)
{
  if (way_of (product) != TURNED)
    return 0;
  return packed_bytes (product) + CNN_SLACK_BYTES
      + (size_t) cnn_pool_threads (pool) * temporary_bytes (product);
}

/* The product of @run in blocks of k. */
static void
multiply (const CnnProduct *p, CnnGemmRun run)
{
  int k = run.k, block = k > 0 ? k : 1;
  if ((size_t) run.n * (size_t) k * sizeof (float) > BLOCK_BYTES / 8
      && run.b_row * (size_t) k * sizeof (float) > BLOCK_BYTES)
    block = BLOCK_K;
  for (int l = 0; !l || l < k; l += block) {
    run.k = k - l < block ? k - l : block;
    p->kernels->gemm_nn (&run);
    run.a += (size_t) run.k * run.a_k;
    run.b += (size_t) run.k * run.b_row;
    run.fresh = 0;
  }
}

static void
plain_task (void *data, int number, CNN_UNUSED int worker)
{
  const Cut *cut = data;
  const CnnProduct *p = cut->p;
  int i = number / cut->across * cut->rows;
  int j = number % cut->across * cut->columns;
  bool across = way_of (p) == ACROSS;
  CnnGemmRun run = {
    .a = p->a.data + (size_t) i * p->a.row,
    .a_row = p->a.row,
    .a_k = p->a.column,
    .b = p->b.data + (size_t) j * p->b.column,
    .b_row = across ? p->b.row : p->b.column,
    .c = p->c + (size_t) i * (size_t) p->n + j,
    .c_row = (size_t) p->n,
    .m = p->m - i < cut->rows ? p->m - i : cut->rows,
    .n = p->n - j < cut->columns ? p->n - j : cut->columns,
    .k = p->k,
    .alpha = p->alpha,
    .fresh = p->fresh,
  };
  if (across)
    multiply (p, run);
  else
    p->kernels->gemm_nt (&run);
}

/* Rows i ... of c' are columns of c. */
static void
turned_task (void *data, int number, int worker)
{
  const Cut *cut = data;
  const CnnProduct *p = cut->p;
  int i = number / cut->across * cut->rows;
  int j = number % cut->across * cut->columns;
  int rows = p->n - i < cut->rows ? p->n - i : cut->rows;
  int columns = p->m - j < cut->columns ? p->m - j : cut->columns;
  size_t row = whole_row (columns), lanes = (size_t) p->kernels->lanes;
  float *c = (float *) ((char *) p->spare + cut->temporary
      + (size_t) worker * temporary_bytes (p));
  multiply (p,
      (CnnGemmRun){
          .a = p->b.data + (size_t) i * p->b.column,
          .a_row = p->b.column,
          .a_k = p->b.row,
          .b = cut->packed + j,
          .b_row = cut->packed_row,
          .c = c,
          .c_row = row,
          .m = rows,
          .n = columns,
          .k = p->k,
          .alpha = p->alpha,
          .fresh = 1,
      });
  for (size_t s = 0; s < (size_t) columns; s += lanes) {
    size_t left = (size_t) columns - s;
    p->kernels->deinterleave (c + s, row,
        p->c + ((size_t) j + s) * (size_t) p->n + i, (size_t) p->n,
        (int) (left < lanes ? left : lanes), (size_t) rows, !p->fresh);
  }
}

/* a' as rows: where they lie, or packed. */
static void
turn (Cut *cut)
{
  const CnnProduct *p = cut->p;
  size_t lanes = (size_t) p->kernels->lanes, m = (size_t) p->m;
  cut->packed = p->a.data;
  cut->packed_row = p->a.column;
  cut->temporary = packed_bytes (p) + CNN_SLACK_BYTES;
  if (!packed_bytes (p))
    return;
  cut->packed = p->spare;
  cut->packed_row = whole_row (p->m);
  for (size_t i = 0; i < m; i += lanes)
    p->kernels->interleave (p->a.data + i * p->a.row, p->a.row,
        (int) (m - i < lanes ? m - i : lanes), (float *) p->spare + i,
        cut->packed_row, (size_t) p->k);
}

void
cnn_matrix_multiply (const CnnProduct *product, CnnPool *pool)
{
  const CnnProduct *p = product;
  bool turned = way_of (p) == TURNED;
  int m = turned ? p->n : p->m, n = turned ? p->m : p->n;
  Cut cut = { .p = p, .rows = m, .columns = n };
  if (m < 1 || n < 1)
    return;
  if (turned || (double) m * n * p->k > TASK_MACS) {
    cut.rows = m < TASK_ROWS ? m : TASK_ROWS;
    cut.columns = n < TASK_COLUMNS ? n : TASK_COLUMNS;
  }
  cut.across = (n + cut.columns - 1) / cut.columns;
  if (turned)
    turn (&cut);
  cnn_pool_run (pool, cut.across * ((m + cut.rows - 1) / cut.rows),
      turned ? turned_task : plain_task, &cut);
}

size_t
cnn_matrix_at (const CnnShape *operand, const CnnShape *batches, size_t i)
{
  CnnShape outer = *operand;
  outer.rank -= 2;
  return cnn_broadcast_at (&outer, batches, i)
      * cnn_product (operand, outer.rank, operand->rank);
}
