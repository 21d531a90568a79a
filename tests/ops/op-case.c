/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* op-case.c: runs one operator through its table entry, without a graph. */

#include "op-case.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kernels/kernels.h"

CnnShape
shape_of (const gint64 *dims)
{
  CnnShape s = { .rank = 0 };
  while (dims[s.rank] != -2) {
    s.dims[s.rank] = dims[s.rank];
    s.rank++;
  }
  return s;
}

gsize
tensor_elements (const CnnTensor *t)
{
  size_t n;
  g_assert_cmpint (cnn_shape_elements (&t->shape, &n), ==, CNN_OK);
  return n;
}

/* What the slack behind a tensor holds must not matter: make it NaN. */
static void *
poisoned (const CnnTensor *t, const void *data)
{
  gsize bytes = tensor_elements (t) * cnn_type_bytes (t->type);
  char *memory = cnn_aligned_alloc (bytes);
  memset (memory + bytes, 0xff, CNN_SLACK_BYTES);
  if (data)
    memcpy (memory, data, bytes);
  return memory;
}

CnnTensor *
op_case_input (OpCase *c, CnnType type, const CnnShape *shape, const void *data)
{
  CnnTensor *t = &c->in[c->n_in++];
  if (shape)
    *t = (CnnTensor){ .type = type, .shape = *shape };
  if (shape)
    t->data = poisoned (t, data);
  return t;
}

static CnnAttribute *
add (OpCase *c, const char *name, CnnAttributeType type)
{
  CnnAttribute *a = &c->attributes[c->n_attributes++];
  g_assert_cmpint (c->n_attributes, <=, MAX_ATTRIBUTES);
  *a = (CnnAttribute){ .name = name, .type = type };
  return a;
}

void
op_case_int (OpCase *c, const char *name, gint64 value)
{
  add (c, name, CNN_ATTRIBUTE_INT)->i = value;
}

void
op_case_ints (OpCase *c, const char *name, const gint64 *values, int count)
{
  CnnAttribute *a = add (c, name, CNN_ATTRIBUTE_INTS);
  a->ints = (const int64_t *) values;
  a->count = count;
}

void
op_case_float (OpCase *c, const char *name, float value)
{
  add (c, name, CNN_ATTRIBUTE_FLOAT)->f = value;
}

void
op_case_string (OpCase *c, const char *name, const char *value)
{
  add (c, name, CNN_ATTRIBUTE_STRING)->s = value;
}

/* The inputs as infer() (@all = FALSE) or forward() sees them. */
static void
inputs (OpCase *c, gboolean all, CnnTensor *copies, const CnnTensor **in)
{
  for (int i = 0; i < c->n_in; i++) {
    copies[i] = c->in[i];
    if (!all && !c->constant[i])
      copies[i].data = NULL;
    in[i] = copies[i].type ? &copies[i] : NULL;
  }
}

static CnnStatus
allocate (OpCase *c, const CnnTensor *const *in)
{
  const CnnOp *op = c->vtable;
  gsize scratch = op->scratch_bytes ? op->scratch_bytes (c->params, in, c->n_in,
                      &c->out, c->variant, c->pool, c->training)
                                    : 0;
  gsize packed = op->packed_bytes
      ? op->packed_bytes (c->params, in, c->n_in, c->variant)
      : 0;
  gsize kept = c->training && op->kept_bytes
      ? op->kept_bytes (c->params, in, &c->out)
      : 0;
  c->scratch = cnn_aligned_alloc (scratch);
  c->kept = cnn_aligned_alloc (kept);
  memset (c->scratch, 0xff, scratch);
  c->out.data = poisoned (&c->out, NULL);
  if (packed) {
    c->packed = cnn_aligned_alloc (packed);
    op->pack (c->params, in, c->n_in, c->variant, c->packed);
  }
  if (!c->training)
    return CNN_OK;
  c->d_out = c->out;
  c->d_out.data = poisoned (&c->d_out, NULL);
  for (int i = 0; i < c->n_in; i++)
    if (c->in[i].type == CNN_TYPE_FLOAT32) {
      c->d_in[i] = c->in[i];
      c->d_in[i].data = poisoned (&c->d_in[i], NULL);
    }
  return CNN_OK;
}

CnnStatus
op_case_prepare (OpCase *c, CnnError *error)
{
  CnnTensor copies[CNN_MAX_NODE_TENSORS];
  const CnnTensor *in[CNN_MAX_NODE_TENSORS];
  CnnAttributes attributes = { c->attributes, c->n_attributes,
    c->opset ? c->opset : 17 };
  CnnStatus status = CNN_OK;

  c->vtable = cnn_op_find (c->op);
  g_assert_nonnull (c->vtable);
  if (!c->kernels)
    c->kernels = cnn_kernels ();
  c->params = g_malloc0 (c->vtable->params_bytes + 1);
  if (c->vtable->parse)
    status = c->vtable->parse (&attributes, c->params, error);
  inputs (c, FALSE, copies, in);
  if (!status)
    status = c->vtable->infer (c->params, in, c->n_in, &c->out, 1, error);
  return status ? status : allocate (c, in);
}

static CnnOpCall
call_of (OpCase *c, const CnnTensor *const *in, CnnTensor *const *out)
{
  return (CnnOpCall){
    .params = c->params,
    .in = in,
    .n_in = c->n_in,
    .out = out,
    .n_out = 1,
    .packed = c->packed,
    .scratch = c->scratch,
    .kept = c->kept,
    .kernels = c->kernels,
    .pool = c->pool,
    .training = c->training,
    .variant = c->variant,
    .seed = c->seed,
    .region = c->region,
  };
}

void
op_case_forward (OpCase *c)
{
  CnnTensor copies[CNN_MAX_NODE_TENSORS], *out[1] = { &c->out };
  const CnnTensor *in[CNN_MAX_NODE_TENSORS];
  inputs (c, TRUE, copies, in);
  CnnOpCall call = call_of (c, in, out);
  c->vtable->forward (&call);
}

void
op_case_backward (OpCase *c)
{
  CnnTensor copies[CNN_MAX_NODE_TENSORS], *out[1] = { &c->out };
  const CnnTensor *in[CNN_MAX_NODE_TENSORS], *d_out[1] = { &c->d_out };
  CnnTensor *d_in[CNN_MAX_NODE_TENSORS];
  inputs (c, TRUE, copies, in);
  for (int i = 0; i < c->n_in; i++)
    d_in[i] = c->d_in[i].data ? &c->d_in[i] : NULL;
  CnnOpCall call = call_of (c, in, out);
  c->vtable->backward (&call, &(CnnOpGrad){ .d_out = d_out, .d_in = d_in });
}

void
op_case_clear (OpCase *c)
{
  for (int i = 0; i < c->n_in; i++) {
    free (c->in[i].data);
    free (c->d_in[i].data);
  }
  free (c->out.data);
  free (c->d_out.data);
  free (c->packed);
  free (c->kept);
  free (c->scratch);
  g_free (c->params);
}
