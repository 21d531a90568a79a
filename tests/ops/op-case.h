/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* op-case.h: runs one operator through its table entry, without a graph. */

#ifndef TESTS_OPS_OP_CASE_H
#define TESTS_OPS_OP_CASE_H

#include <glib.h>

#include "ops/op.h"

#define MAX_ATTRIBUTES 8

/**
 * OpCase:
 * @op: name of the operator
 * @in: inputs; a NULL type means left out. Data is owned (cnn_aligned_alloc)
 * @constant: inputs that infer() and pack() see the data of
 *
 * Filled by hand, then op_case_prepare(), then forward() and backward() as
 * often as one likes, then op_case_clear().
 */
typedef struct
{
  const char *op;
  int opset;
  CnnAttribute attributes[MAX_ATTRIBUTES];
  int n_attributes;
  CnnTensor in[CNN_MAX_NODE_TENSORS];
  gboolean constant[CNN_MAX_NODE_TENSORS];
  int n_in;
  int training, variant;
  guint64 seed;
  CnnPool *pool;
  const CnnKernels *kernels;
  const CnnRegion *region;

  const CnnOp *vtable;
  void *params, *packed, *scratch, *kept;
  CnnTensor out;
  CnnTensor d_in[CNN_MAX_NODE_TENSORS], d_out;
} OpCase;

/** op_case_input: adds an input; @data is copied, NULL = zeros. */
CnnTensor *op_case_input (OpCase *c, CnnType type, const CnnShape *shape,
    const void *data);
void op_case_int (OpCase *c, const char *name, gint64 value);
/** op_case_ints: @values are borrowed. */
void
op_case_ints (OpCase *c, const char *name, const gint64 *values, int count);
void op_case_float (OpCase *c, const char *name, float value);
void op_case_string (OpCase *c, const char *name, const char *value);

/** op_case_prepare: parse, infer, allocate, pack. */
CnnStatus op_case_prepare (OpCase *c, CnnError *error);
void op_case_forward (OpCase *c);
/** op_case_backward: needs @training; adds to d_in, whose tensors are there for
 * each float input. */
void op_case_backward (OpCase *c);
void op_case_clear (OpCase *c);

gsize tensor_elements (const CnnTensor *t);

/** shape_of: up to 5 sizes; -2 ends the list. */
#define SHAPE(...) shape_of ((const gint64[]){ __VA_ARGS__, -2 })
CnnShape shape_of (const gint64 *dims);

#endif
