/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* dropout.c: Dropout: drops elements while training, else the identity.
 *
 * With ratio r: y = x / (1 - r) where a random number of the element is at
 * least r, else 0. The numbers follow from call->seed alone, so backward()
 * draws them again. From opset 12 on the ratio is input 1; input 2,
 * training_mode, must be false: call->training says it.
 *
 * Source: ONNX Dropout, opsets 6 to 13; Srivastava et al., JMLR 2014. */

#include "base/error.h"
#include "base/memory.h"
#include "base/rng.h"
#include "ops/shapes.h"
#include "ops/table.h"
#include "tensor/scalar.h"

typedef struct
{
  float ratio;
  bool bool_mask;
} Params;

static CnnStatus
parse (const CnnAttributes *attributes, void *params, CnnError *error)
{
  static const char *const old[] = { "ratio", "is_test", NULL };
  static const char *const now[] = { "seed", NULL };
  Params *p = params;
  int64_t unused;
  p->ratio = 0.5f;
  p->bool_mask = attributes->opset >= 10;
  bool is_old = attributes->opset < 12;
  CnnStatus status =
      cnn_attributes_check (attributes, is_old ? old : now, error);
  if (!status)
    status = cnn_attributes_float (attributes, "ratio", &p->ratio, error);
  if (!status)
    status = cnn_attributes_int (attributes, "is_test", 0, 1, &unused, error);
  if (!status)
    status = cnn_attributes_int (attributes, "seed", INT64_MIN, INT64_MAX,
        &unused, error);
  if (!status && !(p->ratio >= 0 && p->ratio < 1))
    status = cnn_error_set (error, CNN_ERROR_FORMAT,
        "ratio is %g, not within 0 to 1", (double) p->ratio);
  return status;
}

static bool
is_one (const CnnTensor *tensor)
{
  size_t n;
  return !cnn_shape_elements (&tensor->shape, &n) && n == 1;
}

/* What is not known before it runs is not known here. */
static CnnStatus
check_ratio (const CnnTensor *ratio, CnnError *error)
{
  if (!cnn_type_is_float (ratio->type) || !is_one (ratio))
    return cnn_error_set (error, CNN_ERROR_SHAPE, "ratio is not one float");
  double r = ratio->data ? cnn_read_float (ratio->type, ratio->data, 0) : 0;
  if (!(r >= 0 && r < 1))
    return cnn_error_set (error, CNN_ERROR_FORMAT,
        "ratio is %g, not within 0 to 1", r);
  return CNN_OK;
}

static CnnStatus
check_mode (const CnnTensor *mode, const CnnTensor *ratio, CnnError *error)
{
  if (mode->type != CNN_TYPE_BOOL || !is_one (mode))
    return cnn_error_set (error, CNN_ERROR_SHAPE,
        "training_mode is not one bool");
  if (!mode->data || !*(const uint8_t *) mode->data
      || (ratio && ratio->data
          && cnn_read_float (ratio->type, ratio->data, 0) == 0))
    return CNN_OK;
  return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
      "with training_mode it drops at random, which only the trainer does");
}

static CnnStatus
infer (const void *params, const CnnTensor *const *in, int n_in, CnnTensor *out,
    int n_out, CnnError *error)
{
  const CnnTensor *ratio = n_in > 1 ? in[1] : NULL;
  CnnStatus status = ratio ? check_ratio (ratio, error) : CNN_OK;
  if (!status && n_in > 2 && in[2])
    status = check_mode (in[2], ratio, error);
  if (!status)
    status = cnn_infer_same_float (params, in, n_in, out, n_out, error);
  if (!status && n_out > 1) {
    out[1] = out[0];
    if (((const Params *) params)->bool_mask)
      out[1].type = CNN_TYPE_BOOL;
  }
  return status;
}

static float
ratio_of (const CnnOpCall *call)
{
  float ratio = ((const Params *) call->params)->ratio;
  if (call->n_in > 1 && call->in[1])
    ratio = (float) cnn_read_float (call->in[1]->type, call->in[1]->data, 0);
  return ratio >= 0 && ratio < 1 ? ratio : 0;
}

static void
set_mask (const CnnTensor *mask, size_t i, bool kept)
{
  if (!mask)
    return;
  if (mask->type == CNN_TYPE_BOOL)
    ((uint8_t *) mask->data)[i] = kept;
  else
    ((float *) mask->data)[i] = kept;
}

static void
forward (const CnnOpCall *call)
{
  size_t n = cnn_elements (call->in[0]);
  const float *x = call->in[0]->data;
  float *y = call->out[0]->data, ratio = ratio_of (call);
  const CnnTensor *mask = call->n_out > 1 ? call->out[1] : NULL;
  bool drops = call->training && ratio > 0;
  if (!drops && y != x)
    cnn_copy (y, x, n * sizeof *y);
  for (size_t i = 0; mask && !drops && i < n; i++)
    set_mask (mask, i, true);
  if (!drops)
    return;

  CnnRng rng;
  cnn_rng_init (&rng, call->seed, 0);
  float scale = 1 / (1 - ratio);
  for (size_t i = 0; i < n; i++) {
    bool kept = cnn_rng_float (&rng) >= ratio;
    y[i] = kept ? x[i] * scale : 0;
    set_mask (mask, i, kept);
  }
}

static void
backward (const CnnOpCall *call, const CnnOpGrad *grad)
{
  if (!grad->d_out[0] || !grad->d_in[0])
    return;
  size_t n = cnn_elements (call->in[0]);
  const float *g = grad->d_out[0]->data;
  float *d = grad->d_in[0]->data;
  float ratio = call->training ? ratio_of (call) : 0, scale = 1 / (1 - ratio);
  CnnRng rng;
  cnn_rng_init (&rng, call->seed, 0);
  for (size_t i = 0; i < n; i++)
    if (!(ratio > 0) || cnn_rng_float (&rng) >= ratio)
      d[i] += g[i] * scale;
}

const CnnOp cnn_op_dropout = {
  .name = "Dropout",
  .since = 6,
  .min_in = 1,
  .max_in = 3,
  .max_out = 2,
  .params_bytes = sizeof (Params),
  .inplace = true,
  .float32_only = true,
  .value_in = 1 << 1 | 1 << 2,
  .parse = parse,
  .infer = infer,
  .geometry = cnn_op_geometry_pointwise,
  .cellwise = cnn_op_cellwise,
  .forward = forward,
  .samples = cnn_op_samples_apart,
  .backward = backward,
};
