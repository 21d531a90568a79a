/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* broadcast.c: walking several tensors of which some stretch.
 *
 * Source: "Broadcasting in ONNX" (numpy's rules). */

#include "ops/broadcast.h"

#include "base/error.h"
#include "ops/shapes.h"

/* Loops are added from the innermost; the new one is outside the last. */
static void
add_loop (CnnWalk *walk, size_t size, const size_t *steps)
{
  int last = walk->rank - 1;
  bool same = last >= 0;
  if (size == 1)
    return;
  for (int k = 0; k < walk->n && same; k++)
    same = steps[k] == walk->steps[k][last] * walk->dims[last];
  if (same) {
    walk->dims[last] *= size;
    return;
  }
  walk->dims[walk->rank] = size;
  for (int k = 0; k < walk->n; k++)
    walk->steps[k][walk->rank] = steps[k];
  walk->rank++;
}

static void
reverse (size_t *list, int n)
{
  for (int i = 0; i < n / 2; i++) {
    size_t t = list[i];
    list[i] = list[n - 1 - i];
    list[n - 1 - i] = t;
  }
}

void
cnn_walk_init (CnnWalk *walk, const CnnShape *shape,
    const CnnShape *const *operands, int n)
{
  size_t step[CNN_WALK_OPERANDS] = { 1, 1, 1 }, moves[CNN_WALK_OPERANDS];
  *walk = (CnnWalk){ .n = n };
  for (int i = shape->rank - 1; i >= 0; i--) {
    for (int k = 0; k < n; k++) {
      int d = i - (shape->rank - operands[k]->rank);
      size_t size = d >= 0 ? (size_t) operands[k]->dims[d] : 1;
      moves[k] = size > 1 ? step[k] : 0;
      step[k] *= size;
    }
    add_loop (walk, (size_t) shape->dims[i], moves);
  }
  if (!walk->rank) {
    walk->rank = 1;
    walk->dims[0] = 1;
  }
  reverse (walk->dims, walk->rank);
  for (int k = 0; k < n; k++)
    reverse (walk->steps[k], walk->rank);
}

bool
cnn_walk_next (const CnnWalk *walk, size_t *index, size_t *at)
{
  for (int i = walk->rank - 2; i >= 0; i--) {
    for (int k = 0; k < walk->n; k++)
      at[k] += walk->steps[k][i];
    if (++index[i] < walk->dims[i])
      return true;
    for (int k = 0; k < walk->n; k++)
      at[k] -= walk->steps[k][i] * walk->dims[i];
    index[i] = 0;
  }
  return false;
}

void
cnn_walk_run (const CnnOpCall *call, int n, CnnRun run, const void *data)
{
  const CnnShape *shapes[CNN_WALK_OPERANDS] = { NULL };
  CnnTensor in[CNN_WALK_OPERANDS], out = *call->out[0];
  size_t at[CNN_WALK_OPERANDS] = { 0 }, index[CNN_MAX_RANK + 1] = { 0 };
  size_t steps[CNN_WALK_OPERANDS], bytes = cnn_type_bytes (out.type);
  CnnWalk walk;
  if (!cnn_elements (&out))
    return;
  for (int k = 0; k < n; k++)
    shapes[k] = &call->in[k]->shape;
  cnn_walk_init (&walk, &out.shape, shapes, n);
  int last = walk.rank - 1;
  for (int k = 0; k < n; k++)
    steps[k] = walk.steps[k][last];
  do {
    for (int k = 0; k < n; k++) {
      in[k] = *call->in[k];
      in[k].data = (char *) in[k].data + at[k] * cnn_type_bytes (in[k].type);
    }
    run (data, in, steps, &out, walk.dims[last]);
    out.data = (char *) out.data + walk.dims[last] * bytes;
  } while (cnn_walk_next (&walk, index, at));
}

CnnStatus
cnn_infer_broadcast (const CnnTensor *const *in, int n, CnnType type,
    CnnTensor *out, CnnError *error)
{
  CnnShape shape = in[0]->shape;
  CnnStatus status = CNN_OK;
  for (int i = 1; i < n && !status; i++)
    status = cnn_shape_broadcast (&shape, &in[i]->shape, &shape, error);
  return status ? status : cnn_infer_output (out, type, &shape, error);
}

CnnStatus
cnn_infer_alike (const CnnTensor *const *in, int n_in, CnnError *error)
{
  for (int i = 1; i < n_in; i++)
    if (in[i] && in[i]->type != in[0]->type)
      return cnn_error_set (error, CNN_ERROR_SHAPE,
          "input %d is %s, input 0 is %s", i, cnn_type_name (in[i]->type),
          cnn_type_name (in[0]->type));
  return CNN_OK;
}
