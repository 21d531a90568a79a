/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* netbuild.h: networks in a few words, for tests.
 *
 * Every function asserts that building worked; tests of what fails call the
 * builder itself. */

#ifndef TESTS_NETBUILD_H
#define TESTS_NETBUILD_H

#include <glib.h>
#include <math.h>
#include <string.h>

#include <cnn/model.h>
#include <cnn/session.h>

#include "base/rng.h"

typedef struct
{
  CnnGraph *graph;
  CnnRng rng;
  char last[32];
  int count;
} Net;

static inline void
net_ok (CnnStatus status, const CnnError *error)
{
  if (status)
    g_error ("%s: %s", cnn_status_name (status), error->message);
}

static inline void
net_begin (Net *net, uint64_t seed, int c, int h, int w)
{
  CnnError error = { 0 };
  CnnShape shape = { 4, { 1, c, h, w } };
  *net = (Net){ .last = "x" };
  cnn_rng_init (&net->rng, seed, 0);
  net_ok (cnn_graph_new (CNN_GRAPH_OPSET, &net->graph, &error), &error);
  net_ok (cnn_graph_add_input (net->graph, "x", CNN_TYPE_FLOAT32, &shape,
              &error),
      &error);
}

/* A constant of random numbers around 0, of that spread. */
static inline const char *
net_random (Net *net, const CnnShape *shape, float spread, float offset)
{
  CnnError error = { 0 };
  size_t count;
  g_assert_cmpint (cnn_shape_elements (shape, &count), ==, CNN_OK);
  float *x = g_new (float, count + 1);
  for (size_t i = 0; i < count; i++)
    x[i] = offset + spread * cnn_rng_normal (&net->rng);
  char *name = g_strdup_printf ("c%d", net->count++);
  CnnTensor tensor = { CNN_TYPE_FLOAT32, *shape, x };
  net_ok (cnn_graph_add_constant (net->graph, name, &tensor, &error), &error);
  g_free (x);
  const char *kept = g_intern_string (name);
  g_free (name);
  return kept;
}

/* A node behind the last one. */
static inline void
net_add (Net *net, const char *op, const char *const *more, int n_more,
    const CnnAttribute *attributes, int n_attributes)
{
  CnnError error = { 0 };
  const char *in[12] = { net->last };
  char name[32];
  for (int i = 0; i < n_more; i++)
    in[i + 1] = more[i];
  g_snprintf (name, sizeof name, "%s%d", op, net->count++);
  const char *out[] = { name };
  net_ok (cnn_graph_add_node (net->graph, op, name, in, n_more + 1, out, 1,
              attributes, n_attributes, &error),
      &error);
  g_strlcpy (net->last, name, sizeof net->last);
}

static inline void
net_op (Net *net, const char *op)
{
  net_add (net, op, NULL, 0, NULL, 0);
}

static inline CnnAttribute
net_ints (const char *name, const int64_t *ints, int count)
{
  return (CnnAttribute){
    .name = name,
    .type = CNN_ATTRIBUTE_INTS,
    .count = count,
    .ints = ints,
  };
}

static inline void
net_conv (Net *net, int ic, int oc, int kernel, int stride, int dilation)
{
  const char *more[] = {
    net_random (net, &(CnnShape){ 4, { oc, ic, kernel, kernel } },
        1.5f / (float) (kernel * (1 + ic / 2)), 0),
    net_random (net, &(CnnShape){ 1, { oc } }, 0.1f, 0),
  };
  int64_t strides[] = { stride, stride }, dilations[] = { dilation, dilation };
  CnnAttribute attributes[] = {
    net_ints ("strides", strides, 2),
    net_ints ("dilations", dilations, 2),
  };
  net_add (net, "Conv", more, 2, attributes, 2);
}

static inline void
net_pool (Net *net, const char *op, int kernel, int stride)
{
  int64_t kernels[] = { kernel, kernel }, strides[] = { stride, stride };
  CnnAttribute attributes[] = {
    net_ints ("kernel_shape", kernels, 2),
    net_ints ("strides", strides, 2),
  };
  net_add (net, op, NULL, 0, attributes, 2);
}

/* Gemm with transB, as PyTorch writes it. */
static inline void
net_dense (Net *net, int in, int out)
{
  const char *more[] = {
    net_random (net, &(CnnShape){ 2, { out, in } }, 1.0f / (float) (1 + in / 8),
        0),
    net_random (net, &(CnnShape){ 1, { out } }, 0.1f, 0),
  };
  CnnAttribute trans = { .name = "transB", .type = CNN_ATTRIBUTE_INT, .i = 1 };
  net_add (net, "Gemm", more, 2, &trans, 1);
}

static inline CnnAttribute
net_int (const char *name, int64_t value)
{
  return (CnnAttribute){ .name = name, .type = CNN_ATTRIBUTE_INT, .i = value };
}

static inline void
net_matmul (Net *net, int in, int out)
{
  CnnShape rows = { 2, { in, out } }, bias = { 1, { out } };
  const char *weights[] = { net_random (net, &rows, 2 / sqrtf ((float) in),
      0) };
  const char *biases[] = { net_random (net, &bias, 0.3f, 0) };
  net_add (net, "MatMul", weights, 1, NULL, 0);
  net_add (net, "Add", biases, 1, NULL, 0);
}

static inline void
net_softmax (Net *net, int axis)
{
  CnnAttribute a = net_int ("axis", axis);
  net_add (net, "Softmax", NULL, 0, &a, 1);
}

static inline CnnModel *
net_end (Net *net)
{
  CnnError error = { 0 };
  CnnModel *model = NULL;
  net_ok (cnn_graph_add_output (net->graph, net->last, &error), &error);
  net_ok (cnn_model_new (net->graph, &model, &error), &error);
  return model;
}

static inline CnnSession *
net_session_with (CnnModel *model, int n, int c, int h, int w,
    const CnnSessionOptions *options)
{
  CnnError error = { 0 };
  CnnSession *session = NULL;
  net_ok (cnn_session_new (model, &(CnnShape){ 4, { n, c, h, w } }, options,
              &session, &error),
      &error);
  return session;
}

static inline CnnSession *
net_session (CnnModel *model, int n, int c, int h, int w, CnnPool *pool)
{
  CnnSessionOptions options = { .pool = pool };
  return net_session_with (model, n, c, h, w, &options);
}

static inline void
net_fill (CnnRng *rng, float *x, size_t count)
{
  for (size_t i = 0; i < count; i++)
    x[i] = cnn_rng_float (rng);
}

#endif
