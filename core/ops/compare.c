/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* compare.c: comparisons, logic and bits, with broadcasting.
 *
 * Equal, Less, Greater, LessOrEqual, GreaterOrEqual: any numbers to bool (Equal
 * of bool too); And, Or, Xor: bool; BitwiseAnd, BitwiseOr, BitwiseXor, BitShift:
 * integers.
 *
 * Source: ONNX, opsets 7 to 19. */

#include <string.h>

#include "base/error.h"
#include "ops/broadcast.h"
#include "tensor/scalar.h"
#include "ops/shapes.h"
#include "ops/table.h"

typedef enum
{
  OP_EQUAL,
  OP_LESS,
  OP_GREATER,
  OP_LESS_EQUAL,
  OP_GREATER_EQUAL,
  OP_AND,
  OP_OR,
  OP_XOR,
  OP_SHIFT
} Op;

/**
 * Params:
 * @right: BitShift's direction
 */
typedef struct
{
  bool right;
} Params;

/* Until opset 6 these needed `broadcast`; with aligned shapes it changes
 * nothing. */
static CnnStatus
parse (const CnnAttributes *attributes, CNN_UNUSED void *params,
    CnnError *error)
{
  static const char *const old[] = { "broadcast", NULL };
  static const char *const none[] = { NULL };
  return cnn_attributes_check (attributes, attributes->opset < 7 ? old : none,
      error);
}

static CnnStatus
parse_shift (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const known[] = { "direction", NULL };
  const char *direction = "";
  CnnStatus status = cnn_attributes_check (attributes, known, error);
  if (!status)
    status = cnn_attributes_string (attributes, "direction", &direction, error);
  if (!status && strcmp (direction, "LEFT") && strcmp (direction, "RIGHT"))
    status = cnn_error_set (error, CNN_ERROR_FORMAT,
        "direction '%.40s' is neither LEFT nor RIGHT", direction);
  ((Params *) params)->right = !strcmp (direction, "RIGHT");
  return status;
}

static CnnStatus
infer_compare (CNN_UNUSED const void *params, const CnnTensor *const *in,
    int n_in, CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  CnnStatus status = cnn_infer_alike (in, n_in, error);
  return status ? status
                : cnn_infer_broadcast (in, 2, CNN_TYPE_BOOL, out, error);
}

static CnnStatus
infer_logic (CNN_UNUSED const void *params, const CnnTensor *const *in,
    int n_in, CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  for (int i = 0; i < n_in; i++)
    if (in[i]->type != CNN_TYPE_BOOL)
      return cnn_error_set (error, CNN_ERROR_SHAPE, "input %d is %s, not bool",
          i, cnn_type_name (in[i]->type));
  return cnn_infer_broadcast (in, 2, CNN_TYPE_BOOL, out, error);
}

static CnnStatus
infer_bits (CNN_UNUSED const void *params, const CnnTensor *const *in, int n_in,
    CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  CnnStatus status = cnn_infer_alike (in, n_in, error);
  if (!status)
    status = cnn_check_integer (in[0], 0, error);
  return status ? status : cnn_infer_broadcast (in, 2, in[0]->type, out, error);
}

static bool
compare (Op op, bool less, bool equal, bool unordered)
{
  switch (op) {
    case OP_EQUAL:
      return equal;
    case OP_LESS:
      return less;
    case OP_GREATER:
      return !less && !equal && !unordered;
    case OP_LESS_EQUAL:
      return less || equal;
    case OP_GREATER_EQUAL:
      return !less && !unordered;
    default:
      return false;
  }
}

static void
run_compare (const void *data, const CnnTensor *in, const size_t *steps,
    CnnTensor *out, size_t n)
{
  Op op = *(const Op *) data;
  CnnType type = in[0].type;
  uint8_t *y = out->data;
  for (size_t i = 0; i < n; i++) {
    size_t ia = i * steps[0], ib = i * steps[1];
    if (cnn_type_is_float (type)) {
      double a = cnn_read_float (type, in[0].data, ia);
      double b = cnn_read_float (type, in[1].data, ib);
      y[i] = compare (op, a < b, a == b, a != a || b != b);
    } else {
      int64_t a = cnn_read_int (type, in[0].data, ia);
      int64_t b = cnn_read_int (type, in[1].data, ib);
      y[i] = compare (op, cnn_int_less (type, a, b), a == b, false);
    }
  }
}

static int64_t
bits (Op op, uint64_t a, uint64_t b, bool right, int width)
{
  switch (op) {
    case OP_AND:
      return (int64_t) (a & b);
    case OP_OR:
      return (int64_t) (a | b);
    case OP_XOR:
      return (int64_t) (a ^ b);
    case OP_SHIFT:
      if (b >= (uint64_t) width)
        return 0;
      return (int64_t) (right ? a >> b : a << b);
    default:
      return 0;
  }
}

typedef struct
{
  Op op;
  bool right;
} Bits;

static void
run_bits (const void *data, const CnnTensor *in, const size_t *steps,
    CnnTensor *out, size_t n)
{
  const Bits *how = data;
  CnnType type = in[0].type;
  int width = (int) cnn_type_bytes (type) * 8;
  for (size_t i = 0; i < n; i++)
    cnn_write_int (type, out->data, i,
        bits (how->op, (uint64_t) cnn_read_int (type, in[0].data, i * steps[0]),
            (uint64_t) cnn_read_int (type, in[1].data, i * steps[1]),
            how->right, width));
}

static void
forward_compare (const CnnOpCall *call, Op op)
{
  cnn_walk_run (call, 2, run_compare, &op);
}

static void
forward_bits (const CnnOpCall *call, Op op)
{
  Bits how = { op, ((const Params *) call->params)->right };
  cnn_walk_run (call, 2, run_bits, &how);
}

#define COMPARE(lower, title, kind, first, parse_, infer_, forward_)           \
  static void forward_##lower (const CnnOpCall *call)                          \
  {                                                                            \
    forward_ (call, kind);                                                     \
  }                                                                            \
  const CnnOp cnn_op_##lower = {                                               \
    .name = title,                                                             \
    .since = first,                                                            \
    .min_in = 2,                                                               \
    .max_in = 2,                                                               \
    .max_out = 1,                                                              \
    .params_bytes = sizeof (Params),                                           \
    .parse = parse_,                                                           \
    .infer = infer_,                                                           \
    .geometry = cnn_op_geometry_pointwise,                                     \
    .cellwise = cnn_op_cellwise,                                               \
    .forward = forward_##lower,                                                \
  };

COMPARE (equal, "Equal", OP_EQUAL, 1, parse, infer_compare, forward_compare)
COMPARE (less, "Less", OP_LESS, 1, parse, infer_compare, forward_compare)
COMPARE (greater, "Greater", OP_GREATER, 1, parse, infer_compare,
    forward_compare)
COMPARE (less_or_equal, "LessOrEqual", OP_LESS_EQUAL, 12, parse, infer_compare,
    forward_compare)
COMPARE (greater_or_equal, "GreaterOrEqual", OP_GREATER_EQUAL, 12, parse,
    infer_compare, forward_compare)
COMPARE (and, "And", OP_AND, 1, parse, infer_logic, forward_bits)
COMPARE (or, "Or", OP_OR, 1, parse, infer_logic, forward_bits)
COMPARE (xor, "Xor", OP_XOR, 1, parse, infer_logic, forward_bits)
COMPARE (bitwise_and, "BitwiseAnd", OP_AND, 18, parse, infer_bits, forward_bits)
COMPARE (bitwise_or, "BitwiseOr", OP_OR, 18, parse, infer_bits, forward_bits)
COMPARE (bitwise_xor, "BitwiseXor", OP_XOR, 18, parse, infer_bits, forward_bits)
COMPARE (bit_shift, "BitShift", OP_SHIFT, 11, parse_shift, infer_bits,
    forward_bits)
