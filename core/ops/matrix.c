/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* matrix.c: picks a kernel for a matrix product and cuts it into tasks. */

#include "ops/matrix.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/memory.h"
#include "ops/shapes.h"

#define TASK_ROWS    64
#define TASK_COLUMNS 96
/* Smaller products are one task. */
#define TASK_MACS ((int64_t) 1 << 18)

typedef struct
{
  const CnnKernels *kernels;
  CnnMatrix a, b;
  float *c, *spare;
  size_t spare_size;
  int m, n, k, rows, columns, across;
  float alpha;
} Product;

size_t
cnn_matrix_spare_bytes (size_t k)
{
  return cnn_align_up (k * sizeof (float) + CNN_SLACK_BYTES);
}

/* Neither kernel reads both operands across their rows: gather rows of a. */
static void
gather_rows (const Product *p, CnnGemmRun run, float *spare)
{
  const float *a = run.a;
  int m = run.m;
  for (int i = 0; i < m; i++) {
    for (int l = 0; l < run.k; l++)
      spare[l] = a[(size_t) i * p->a.row + (size_t) l * p->a.column];
    run.a = spare;
    run.a_row = 0;
    run.a_k = 1;
    run.m = 1;
    p->kernels->gemm_nt (&run);
    run.c += run.c_row;
  }
}

static void
task (void *data, int number, int worker)
{
  const Product *p = data;
  int i = number / p->across * p->rows, j = number % p->across * p->columns;
  bool across = p->b.column == 1;
  CnnGemmRun run = {
    .a = p->a.data + (size_t) i * p->a.row,
    .a_row = p->a.row,
    .a_k = p->a.column,
    .b = p->b.data + (size_t) j * p->b.column,
    .b_row = across ? p->b.row : p->b.column,
    .c = p->c + (size_t) i * (size_t) p->n + j,
    .c_row = (size_t) p->n,
    .m = p->m - i < p->rows ? p->m - i : p->rows,
    .n = p->n - j < p->columns ? p->n - j : p->columns,
    .k = p->k,
    .alpha = p->alpha,
  };
  if (across)
    p->kernels->gemm_nn (&run);
  else if (p->a.column == 1)
    p->kernels->gemm_nt (&run);
  else
    gather_rows (p, run, p->spare + (size_t) worker * p->spare_size);
}

void
cnn_matrix_multiply (const CnnKernels *kernels, CnnPool *pool, CnnMatrix a,
    CnnMatrix b, float *c, int m, int n, int k, float alpha, void *spare)
{
  Product p = {
    .kernels = kernels,
    .a = a,
    .b = b,
    .c = c,
    .spare = spare,
    .spare_size = cnn_matrix_spare_bytes ((size_t) k) / sizeof (float),
    .m = m,
    .n = n,
    .k = k,
    .rows = m,
    .columns = n,
    .alpha = alpha,
  };
  if (m < 1 || n < 1)
    return;
  if ((double) m * n * k > TASK_MACS) {
    p.rows = m < TASK_ROWS ? m : TASK_ROWS;
    p.columns = n < TASK_COLUMNS ? n : TASK_COLUMNS;
  }
  p.across = (n + p.columns - 1) / p.columns;
  int down = (m + p.rows - 1) / p.rows;
  cnn_pool_run (pool, p.across * down, task, &p);
}

size_t
cnn_matrix_at (const CnnShape *operand, const CnnShape *batches, size_t i)
{
  CnnShape outer = *operand;
  outer.rank -= 2;
  return cnn_broadcast_at (&outer, batches, i)
      * cnn_product (operand, outer.rank, operand->rank);
}
