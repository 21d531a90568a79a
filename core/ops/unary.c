/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* unary.c: functions of one element: activations and arithmetic.
 *
 * y = f (x). Each is written once, for float and double (tgmath.h); half
 * precisions go through double. What works on integers works on all of them.
 * Gradients are written of x and y: dx += g f'(x).
 *
 * Hot ones (Relu, Tanh, Sigmoid) have vector kernels: activation.c.
 *
 * Source: ONNX, opsets 6 to 24. */

#include <math.h>
#include <string.h>
#include <tgmath.h>

#include "base/error.h"
#include "kernels/kernels.h"
#include "tensor/scalar.h"
#include "ops/shapes.h"
#include "ops/table.h"

#define TASK_ELEMENTS ((size_t) 16384)

/**
 * Params:
 * @a, @b: alpha and beta, gamma, lambd, bias: what the operator has
 * @choice: of Gelu: the approximation; of IsInf: which signs count
 */
typedef struct
{
  float a, b;
  int choice;
} Params;

typedef void (*FloatRun) (const Params *p, const float *x, float *y, size_t n);
typedef double (*Function) (const Params *p, double x);
typedef void (*Gradient) (const Params *p, const float *x, const float *y,
    const float *g, float *d, size_t n);

typedef struct
{
  const CnnOpCall *call;
  FloatRun run;
  size_t n;
} Map;

static void
task (void *data, int number, CNN_UNUSED int worker)
{
  const Map *map = data;
  size_t first = (size_t) number * TASK_ELEMENTS, left = map->n - first;
  map->run (map->call->params, (const float *) map->call->in[0]->data + first,
      (float *) map->call->out[0]->data + first,
      left < TASK_ELEMENTS ? left : TASK_ELEMENTS);
}

static void
forward (const CnnOpCall *call, FloatRun run, Function f)
{
  CnnType type = call->in[0]->type;
  Map map = { call, run, cnn_elements (call->in[0]) };
  if (type == CNN_TYPE_FLOAT32) {
    cnn_pool_run (call->pool,
        (int) ((map.n + TASK_ELEMENTS - 1) / TASK_ELEMENTS), task, &map);
    return;
  }
  for (size_t i = 0; i < map.n; i++)
    cnn_write_float (type, call->out[0]->data, i,
        f (call->params, cnn_read_float (type, call->in[0]->data, i)));
}

static void
backward (const CnnOpCall *call, const CnnOpGrad *grad, Gradient gradient)
{
  if (grad->d_out[0] && grad->d_in[0])
    gradient (call->params, call->in[0]->data, call->out[0]->data,
        grad->d_out[0]->data, grad->d_in[0]->data, cnn_elements (call->in[0]));
}

/* -- attributes --------------------------------------------------------- */

static CnnStatus
parse_two (const CnnAttributes *attributes, Params *p, const char *a,
    float a_value, const char *b, float b_value, CnnError *error)
{
  const char *known[] = { a ? a : b, b, NULL };
  p->a = a_value;
  p->b = b_value;
  CnnStatus status = cnn_attributes_check (attributes, known, error);
  if (!status && a)
    status = cnn_attributes_float (attributes, a, &p->a, error);
  if (!status && b)
    status = cnn_attributes_float (attributes, b, &p->b, error);
  return status;
}

#define PARSE(lower, a, a_value, b, b_value)                                   \
  static CnnStatus parse_##lower (const CnnAttributes *attributes,             \
      void *params, CnnError *error)                                           \
  {                                                                            \
    return parse_two (attributes, params, a, a_value, b, b_value, error);      \
  }

PARSE (leaky_relu, "alpha", 0.01f, NULL, 0)
PARSE (elu, "alpha", 1, NULL, 0)
PARSE (celu, "alpha", 1, NULL, 0)
PARSE (selu, "alpha", 1.67326319217681884765625f, "gamma",
    1.05070102214813232421875f)
PARSE (thresholded_relu, "alpha", 1, NULL, 0)
PARSE (hard_sigmoid, "alpha", 0.2f, "beta", 0.5f)
PARSE (swish, "alpha", 1, NULL, 0)
PARSE (shrink, "lambd", 0.5f, "bias", 0)

static CnnStatus
parse_gelu (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const known[] = { "approximate", NULL };
  const char *how = "none";
  CnnStatus status = cnn_attributes_check (attributes, known, error);
  if (!status)
    status = cnn_attributes_string (attributes, "approximate", &how, error);
  if (!status && strcmp (how, "none") && strcmp (how, "tanh"))
    status = cnn_error_set (error, CNN_ERROR_FORMAT,
        "approximate '%.40s' is neither none nor tanh", how);
  ((Params *) params)->choice = !strcmp (how, "tanh");
  return status;
}

/* -- functions ---------------------------------------------------------- */

#define SQRT_HALF   0.70710678118654752440
#define SQRT_2_PI   0.79788456080286535588
#define INV_SQRT_PI 0.56418958354775628695

/* Of e^x that neither overflows nor cancels. */
#define SOFTPLUS(v)     ((v) > 0 ? (v) + log1p (exp (-(v))) : log1p (exp (v)))
#define SHRINK(v, a, b) ((v) < -(a) ? (v) + (b) : (v) > (a) ? (v) - (b) : 0)
#define LOGISTIC(v)     ((v) >= 0 ? 1 / (1 + exp (-(v))) : exp (v) / (1 + exp (v)))
#define GELU_INNER(v)   ((v) * (1 + (v) * (v) *0.044715f) * (float) SQRT_2_PI)
#define HARD(v, a, b)   ((v) * (a) + (b))
#define CUT(v)          ((v) < 0 ? 0 : (v) > 1 ? 1 : (v))

/* With v and T the element and its type, a, b, choice the parameters. */
#define FORWARD(lower, expression)                                             \
  static void run_##lower (const Params *p, const float *x, float *y,          \
      size_t n)                                                                \
  {                                                                            \
    typedef float T;                                                           \
    CNN_UNUSED T a = p->a, b = p->b;                                           \
    CNN_UNUSED int choice = p->choice;                                         \
    for (size_t i = 0; i < n; i++) {                                           \
      T v = x[i];                                                              \
      y[i] = (T) (expression);                                                 \
    }                                                                          \
  }                                                                            \
  static double double_##lower (const Params *p, double v)                     \
  {                                                                            \
    typedef double T;                                                          \
    CNN_UNUSED T a = (T) p->a, b = (T) p->b;                                   \
    CNN_UNUSED int choice = p->choice;                                         \
    return (T) (expression);                                                   \
  }                                                                            \
  static void forward_##lower (const CnnOpCall *call)                          \
  {                                                                            \
    forward (call, run_##lower, double_##lower);                               \
  }

#define BACKWARD(lower, slope)                                                 \
  static void gradient_##lower (const Params *p, const float *x,               \
      const float *y, const float *g, float *d, size_t n)                      \
  {                                                                            \
    typedef float T;                                                           \
    CNN_UNUSED T a = p->a, b = p->b;                                           \
    CNN_UNUSED int choice = p->choice;                                         \
    for (size_t i = 0; i < n; i++) {                                           \
      CNN_UNUSED T v = x[i], u = y[i];                                         \
      d[i] += g[i] * (T) (slope);                                              \
    }                                                                          \
  }                                                                            \
  static void backward_##lower (const CnnOpCall *call, const CnnOpGrad *grad)  \
  {                                                                            \
    backward (call, grad, gradient_##lower);                                   \
  }

#define OPERATOR(lower, title, first, parse_, backward_)                       \
  const CnnOp cnn_op_##lower = {                                               \
    .name = title,                                                             \
    .since = first,                                                            \
    .min_in = 1,                                                               \
    .max_in = 1,                                                               \
    .max_out = 1,                                                              \
    .params_bytes = sizeof (Params),                                           \
    .inplace = true,                                                           \
    .parse = parse_,                                                           \
    .infer = cnn_infer_float,                                                  \
    .geometry = cnn_op_geometry_pointwise,                                     \
    .cellwise = cnn_op_cellwise,                                               \
    .samples = cnn_op_samples_apart,                                           \
    .forward = forward_##lower,                                                \
    .backward = backward_,                                                     \
  };

#define UNARY(lower, title, first, parse_, expression, slope)                  \
  FORWARD (lower, expression)                                                  \
  BACKWARD (lower, slope)                                                      \
  OPERATOR (lower, title, first, parse_, backward_##lower)

#define FLAT(lower, title, first, expression)                                  \
  FORWARD (lower, expression)                                                  \
  OPERATOR (lower, title, first, NULL, NULL)

UNARY (leaky_relu, "LeakyRelu", 6, parse_leaky_relu, v < 0 ? a * v : v,
    v < 0 ? a : 1)
UNARY (elu, "Elu", 6, parse_elu, v < 0 ? a * expm1 (v) : v,
    v < 0 ? a * exp (v) : 1)
UNARY (celu, "Celu", 12, parse_celu, v < 0 ? a * expm1 (v / a) : v,
    v < 0 ? exp (v / a) : 1)
UNARY (selu, "Selu", 6, parse_selu, b *(v > 0 ? v : a * expm1 (v)),
    b *(v > 0 ? 1 : a * exp (v)))
UNARY (thresholded_relu, "ThresholdedRelu", 10, parse_thresholded_relu,
    v > a ? v : 0, v > a ? 1 : 0)
UNARY (hard_sigmoid, "HardSigmoid", 6, parse_hard_sigmoid, CUT (HARD (v, a, b)),
    HARD (v, a, b) > 0 && HARD (v, a, b) < 1 ? a : 0)
UNARY (hard_swish, "HardSwish", 14, NULL, v *CUT (v / 6 + (T) 0.5),
    v <= -3      ? 0
        : v >= 3 ? 1
                 : v / 3 + (T) 0.5)
UNARY (mish, "Mish", 18, NULL, v *tanh (SOFTPLUS (v)),
    tanh (SOFTPLUS (v))
        + v * (1 - tanh (SOFTPLUS (v)) * tanh (SOFTPLUS (v))) * LOGISTIC (v))
UNARY (gelu, "Gelu", 20, parse_gelu,
    choice ? v *(1 + tanh (GELU_INNER (v))) / 2
           : v *(1 + erf (v * (T) SQRT_HALF)) / 2,
    choice ? (1 + tanh (GELU_INNER (v))) / 2
            + v / 2 * (1 - tanh (GELU_INNER (v)) * tanh (GELU_INNER (v)))
                * (float) SQRT_2_PI *(1 + 3 * 0.044715f * v * v)
           : (1 + erf (v * (T) SQRT_HALF)) / 2
            + v * exp (-v * v / 2) * (T) (SQRT_HALF * INV_SQRT_PI))
UNARY (swish, "Swish", 24, parse_swish, v *LOGISTIC (a *v),
    LOGISTIC (a *v) + a * u * (1 - LOGISTIC (a * v)))
UNARY (softplus, "Softplus", 1, NULL, SOFTPLUS (v), LOGISTIC (v))
UNARY (softsign, "Softsign", 1, NULL, v / (1 + fabs (v)),
    1 / ((1 + fabs (v)) * (1 + fabs (v))))
UNARY (sqrt, "Sqrt", 6, NULL, sqrt (v), 1 / (2 * u))
UNARY (exp, "Exp", 6, NULL, exp (v), u)
UNARY (log, "Log", 6, NULL, log (v), 1 / v)
UNARY (reciprocal, "Reciprocal", 6, NULL, 1 / v, -u *u)
UNARY (erf, "Erf", 9, NULL, erf (v), 2 * (T) INV_SQRT_PI * exp (-v * v))
UNARY (sin, "Sin", 7, NULL, sin (v), cos (v))
UNARY (cos, "Cos", 7, NULL, cos (v), -sin (v))
UNARY (shrink, "Shrink", 9, parse_shrink, SHRINK (v, a, b), fabs (v) > a)
FLAT (tan, "Tan", 7, tan (v))
FLAT (asin, "Asin", 7, asin (v))
FLAT (acos, "Acos", 7, acos (v))
FLAT (atan, "Atan", 7, atan (v))
FLAT (sinh, "Sinh", 9, sinh (v))
FLAT (cosh, "Cosh", 9, cosh (v))
FLAT (asinh, "Asinh", 9, asinh (v))
FLAT (acosh, "Acosh", 9, acosh (v))
FLAT (atanh, "Atanh", 9, atanh (v))
FLAT (floor, "Floor", 6, floor (v))
FLAT (ceil, "Ceil", 6, ceil (v))
/* To nearest, ties to even: the default rounding of the processor. */
FLAT (round, "Round", 11, nearbyint (v))

/* -- integers too ------------------------------------------------------- */

typedef int64_t (*IntFunction) (int64_t x, bool is_unsigned);

static void
forward_number (const CnnOpCall *call, FloatRun run, Function f,
    IntFunction f_int)
{
  CnnType type = call->in[0]->type;
  size_t n = cnn_elements (call->in[0]);
  if (cnn_type_is_float (type)) {
    forward (call, run, f);
    return;
  }
  for (size_t i = 0; i < n; i++)
    cnn_write_int (type, call->out[0]->data, i,
        f_int (cnn_read_int (type, call->in[0]->data, i),
            !cnn_type_is_signed (type)));
}

static int64_t
int_neg (int64_t x, CNN_UNUSED bool is_unsigned)
{
  return (int64_t) (0 - (uint64_t) x);
}

static int64_t
int_abs (int64_t x, bool is_unsigned)
{
  return x < 0 && !is_unsigned ? (int64_t) (0 - (uint64_t) x) : x;
}

static int64_t
int_sign (int64_t x, bool is_unsigned)
{
  return x == 0 ? 0 : x < 0 && !is_unsigned ? -1 : 1;
}

#define NUMBER(lower, title, expression, slope)                                \
  static void run_##lower (CNN_UNUSED const Params *p, const float *x,         \
      float *y, size_t n)                                                      \
  {                                                                            \
    for (size_t i = 0; i < n; i++) {                                           \
      float v = x[i];                                                          \
      y[i] = expression;                                                       \
    }                                                                          \
  }                                                                            \
  static double double_##lower (CNN_UNUSED const Params *p, double v)          \
  {                                                                            \
    return expression;                                                         \
  }                                                                            \
  static void forward_##lower (const CnnOpCall *call)                          \
  {                                                                            \
    forward_number (call, run_##lower, double_##lower, int_##lower);           \
  }                                                                            \
  BACKWARD (lower, slope)                                                      \
  const CnnOp cnn_op_##lower = {                                               \
    .name = title,                                                             \
    .since = 6,                                                                \
    .min_in = 1,                                                               \
    .max_in = 1,                                                               \
    .max_out = 1,                                                              \
    .params_bytes = sizeof (Params),                                           \
    .inplace = true,                                                           \
    .infer = cnn_infer_number,                                                 \
    .geometry = cnn_op_geometry_pointwise,                                     \
    .cellwise = cnn_op_cellwise,                                               \
    .forward = forward_##lower,                                                \
    .backward = backward_##lower,                                              \
  };

NUMBER (neg, "Neg", -v, -1)
NUMBER (abs, "Abs", fabs (v), v > 0 ? 1 : v < 0 ? -1 : 0)
NUMBER (sign, "Sign", (v > 0) - (v < 0), 0)

/* -- to bool ------------------------------------------------------------ */

static CnnStatus
parse_is_inf (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const known[] = { "detect_negative", "detect_positive",
    NULL };
  int64_t negative = 1, positive = 1;
  CnnStatus status = cnn_attributes_check (attributes, known, error);
  if (!status)
    status = cnn_attributes_int (attributes, known[0], 0, 1, &negative, error);
  if (!status)
    status = cnn_attributes_int (attributes, known[1], 0, 1, &positive, error);
  ((Params *) params)->choice = (int) (positive + 2 * negative);
  return status;
}

static CnnStatus
infer_test (const void *params, const CnnTensor *const *in, int n_in,
    CnnTensor *out, int n_out, CnnError *error)
{
  CnnStatus status = cnn_infer_float (params, in, n_in, out, n_out, error);
  out[0].type = CNN_TYPE_BOOL;
  return status;
}

static CnnStatus
infer_not (CNN_UNUSED const void *params, const CnnTensor *const *in,
    CNN_UNUSED int n_in, CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  if (in[0]->type != CNN_TYPE_BOOL)
    return cnn_error_set (error, CNN_ERROR_SHAPE, "input 0 is %s, not bool",
        cnn_type_name (in[0]->type));
  return cnn_infer_same (params, in, n_in, out, n_out, error);
}

static CnnStatus
infer_bits (const void *params, const CnnTensor *const *in, int n_in,
    CnnTensor *out, int n_out, CnnError *error)
{
  CnnStatus status = cnn_check_integer (in[0], 0, error);
  return status ? status : cnn_infer_same (params, in, n_in, out, n_out, error);
}

static void
forward_is_nan (const CnnOpCall *call)
{
  size_t n = cnn_elements (call->in[0]);
  for (size_t i = 0; i < n; i++) {
    double v = cnn_read_float (call->in[0]->type, call->in[0]->data, i);
    ((uint8_t *) call->out[0]->data)[i] = isnan (v) != 0;
  }
}

static void
forward_is_inf (const CnnOpCall *call)
{
  int choice = ((const Params *) call->params)->choice;
  size_t n = cnn_elements (call->in[0]);
  for (size_t i = 0; i < n; i++) {
    double v = cnn_read_float (call->in[0]->type, call->in[0]->data, i);
    ((uint8_t *) call->out[0]->data)[i] =
        isinf (v) && (choice & (v > 0 ? 1 : 2));
  }
}

static void
forward_not (const CnnOpCall *call)
{
  size_t n = cnn_elements (call->in[0]);
  const uint8_t *x = call->in[0]->data;
  for (size_t i = 0; i < n; i++)
    ((uint8_t *) call->out[0]->data)[i] = !x[i];
}

static void
forward_bitwise_not (const CnnOpCall *call)
{
  CnnType type = call->in[0]->type;
  size_t n = cnn_elements (call->in[0]);
  for (size_t i = 0; i < n; i++)
    cnn_write_int (type, call->out[0]->data, i,
        ~cnn_read_int (type, call->in[0]->data, i));
}

#define TEST(lower, title, first, parse_, infer_, in_place)                    \
  const CnnOp cnn_op_##lower = {                                               \
    .name = title,                                                             \
    .since = first,                                                            \
    .min_in = 1,                                                               \
    .max_in = 1,                                                               \
    .max_out = 1,                                                              \
    .params_bytes = sizeof (Params),                                           \
    .inplace = in_place,                                                       \
    .parse = parse_,                                                           \
    .infer = infer_,                                                           \
    .geometry = cnn_op_geometry_pointwise,                                     \
    .cellwise = cnn_op_cellwise,                                               \
    .forward = forward_##lower,                                                \
  };

TEST (is_nan, "IsNaN", 9, NULL, infer_test, false)
TEST (is_inf, "IsInf", 10, parse_is_inf, infer_test, false)
TEST (not, "Not", 1, NULL, infer_not, true)
TEST (bitwise_not, "BitwiseNot", 18, NULL, infer_bits, true)
