/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* constant.c: Constant, a tensor in an attribute. The graph folds it into a
 * constant value. It has no input, so it has no gradient.
 *
 * Source: ONNX Constant, opsets 1 to 13. */

#include <string.h>

#include "base/error.h"
#include "ops/shapes.h"
#include "ops/table.h"

/* The attribute is borrowed: the node that has these parameters owns it. */
typedef struct
{
  const CnnAttribute *value;
} Params;

static CnnStatus
parse (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const struct
  {
    const char *name;
    CnnAttributeType type;
  } known[] = {
    { "value", CNN_ATTRIBUTE_TENSOR },
    { "value_float", CNN_ATTRIBUTE_FLOAT },
    { "value_floats", CNN_ATTRIBUTE_FLOATS },
    { "value_int", CNN_ATTRIBUTE_INT },
    { "value_ints", CNN_ATTRIBUTE_INTS },
  };
  Params *p = params;
  if (attributes->count != 1)
    return cnn_error_set (error, CNN_ERROR_FORMAT,
        "%d attributes, one value is expected", attributes->count);
  const CnnAttribute *a = attributes->items;
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    if (strcmp (known[i].name, a->name))
      continue;
    if (known[i].type != a->type)
      return cnn_error_set (error, CNN_ERROR_FORMAT,
          "attribute '%s' has type %d, not %d", a->name, (int) a->type,
          (int) known[i].type);
    p->value = a;
    return CNN_OK;
  }
  return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
      "attribute '%s' is not known", a->name);
}

/* The value as a tensor, whatever attribute it came in. */
static CnnTensor
tensor_of (const void *params)
{
  const CnnAttribute *a = ((const Params *) params)->value;
  CnnTensor list = { .shape = { .rank = 1, .dims = { a->count } } };
  CnnTensor scalar = { .shape = { .rank = 0 } };
  scalar.type = list.type = CNN_TYPE_FLOAT32;
  switch (a->type) {
    case CNN_ATTRIBUTE_TENSOR:
      return *a->t;
    case CNN_ATTRIBUTE_FLOATS:
      list.data = (void *) a->floats;
      return list;
    case CNN_ATTRIBUTE_FLOAT:
      scalar.data = (void *) &a->f;
      return scalar;
    case CNN_ATTRIBUTE_INTS:
      list.type = CNN_TYPE_INT64;
      list.data = (void *) a->ints;
      return list;
    case CNN_ATTRIBUTE_INT:
      scalar.type = CNN_TYPE_INT64;
      scalar.data = (void *) &a->i;
      return scalar;
    case CNN_ATTRIBUTE_STRING:
      break;
  }
  return scalar;
}

static CnnStatus
infer (const void *params, CNN_UNUSED const CnnTensor *const *in,
    CNN_UNUSED int n_in, CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  CnnTensor t = tensor_of (params);
  return cnn_infer_output (&out[0], t.type, &t.shape, error);
}

static void
forward (const CnnOpCall *call)
{
  CnnTensor t = tensor_of (call->params);
  size_t bytes = cnn_elements (&t) * cnn_type_bytes (t.type);
  if (bytes)
    memcpy (call->out[0]->data, t.data, bytes);
}

const CnnOp cnn_op_constant = {
  .name = "Constant",
  .since = 1,
  .min_in = 0,
  .max_in = 0,
  .max_out = 1,
  .params_bytes = sizeof (Params),
  .parse = parse,
  .infer = infer,
  .forward = forward,
};
