/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-random.c: every operator of the table with random attributes, types,
 * shapes and values, most of them nonsense.
 *
 * infer() must refuse, or agree to something that forward() can do: the
 * sanitizers see what it does with memory. Values that infer() did not know are
 * others when forward() runs. Each operator has to agree now and then, else the
 * test tests nothing. */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "base/memory.h"
#include "base/rng.h"
#include "kernels/kernels.h"
#include "ops/op.h"

#define ROUNDS       6000
#define MAX_INPUTS   9
#define MAX_ELEMENTS 20000
#define MAX_SCRATCH  ((size_t) 64 << 20)
#define MAX_ATTRS    4

static const CnnType types[] = { CNN_TYPE_FLOAT32, CNN_TYPE_FLOAT32,
  CNN_TYPE_FLOAT32, CNN_TYPE_FLOAT32, CNN_TYPE_INT64, CNN_TYPE_INT64,
  CNN_TYPE_INT32, CNN_TYPE_UINT8, CNN_TYPE_INT8, CNN_TYPE_BOOL,
  CNN_TYPE_FLOAT64, CNN_TYPE_FLOAT16, CNN_TYPE_BFLOAT16, CNN_TYPE_UINT64,
  CNN_TYPE_UINT16, CNN_TYPE_INT16, CNN_TYPE_UINT32, CNN_TYPE_INT4,
  CNN_TYPE_UINT4 };

/* Names of attributes of the standard, with the type that they have. */
static const struct
{
  const char *name;
  CnnAttributeType type;
} names[] = {
  { "axis", CNN_ATTRIBUTE_INT },
  { "axes", CNN_ATTRIBUTE_INTS },
  { "keepdims", CNN_ATTRIBUTE_INT },
  { "kernel_shape", CNN_ATTRIBUTE_INTS },
  { "strides", CNN_ATTRIBUTE_INTS },
  { "dilations", CNN_ATTRIBUTE_INTS },
  { "pads", CNN_ATTRIBUTE_INTS },
  { "output_padding", CNN_ATTRIBUTE_INTS },
  { "output_shape", CNN_ATTRIBUTE_INTS },
  { "group", CNN_ATTRIBUTE_INT },
  { "ceil_mode", CNN_ATTRIBUTE_INT },
  { "count_include_pad", CNN_ATTRIBUTE_INT },
  { "storage_order", CNN_ATTRIBUTE_INT },
  { "p", CNN_ATTRIBUTE_INT },
  { "perm", CNN_ATTRIBUTE_INTS },
  { "split", CNN_ATTRIBUTE_INTS },
  { "num_outputs", CNN_ATTRIBUTE_INT },
  { "starts", CNN_ATTRIBUTE_INTS },
  { "ends", CNN_ATTRIBUTE_INTS },
  { "blocksize", CNN_ATTRIBUTE_INT },
  { "block_size", CNN_ATTRIBUTE_INT },
  { "num_groups", CNN_ATTRIBUTE_INT },
  { "size", CNN_ATTRIBUTE_INT },
  { "to", CNN_ATTRIBUTE_INT },
  { "output_dtype", CNN_ATTRIBUTE_INT },
  { "alpha", CNN_ATTRIBUTE_FLOAT },
  { "epsilon", CNN_ATTRIBUTE_FLOAT },
  { "transA", CNN_ATTRIBUTE_INT },
  { "transB", CNN_ATTRIBUTE_INT },
  { "training_mode", CNN_ATTRIBUTE_INT },
  { "allowzero", CNN_ATTRIBUTE_INT },
  { "start", CNN_ATTRIBUTE_INT },
  { "end", CNN_ATTRIBUTE_INT },
  { "noop_with_empty_axes", CNN_ATTRIBUTE_INT },
  { "select_last_index", CNN_ATTRIBUTE_INT },
  { "antialias", CNN_ATTRIBUTE_INT },
  { "exclude_outside", CNN_ATTRIBUTE_INT },
  { "fmod", CNN_ATTRIBUTE_INT },
  { "mode", CNN_ATTRIBUTE_STRING },
  { "auto_pad", CNN_ATTRIBUTE_STRING },
  { "direction", CNN_ATTRIBUTE_STRING },
  { "coordinate_transformation_mode", CNN_ATTRIBUTE_STRING },
  { "nearest_mode", CNN_ATTRIBUTE_STRING },
  { "keep_aspect_ratio_policy", CNN_ATTRIBUTE_STRING },
};

static const char *const words[] = { "SAME_UPPER", "SAME_LOWER", "VALID",
  "LEFT", "RIGHT", "constant", "reflect", "edge", "wrap", "nearest", "linear",
  "cubic", "DCR", "CRD", "half_pixel", "asymmetric", "align_corners",
  "pytorch_half_pixel", "tf_crop_and_resize", "half_pixel_symmetric", "floor",
  "ceil", "round_prefer_ceil", "not_larger", "not_smaller", "nonsense" };

typedef struct
{
  const CnnOp *op;
  CnnRng rng;
  CnnAttribute attributes[MAX_ATTRS + 1];
  int64_t ints[MAX_ATTRS + 1][4];
  CnnAttributes list;
  CnnTensor in[MAX_INPUTS], out[MAX_INPUTS];
  const CnnTensor *ins[CNN_MAX_NODE_TENSORS];
  CnnTensor *outs[CNN_MAX_NODE_TENSORS];
  int n_in, n_out;
  void *params;
} Round;

static int
pick (Round *r, int n)
{
  return (int) cnn_rng_int (&r->rng, (uint32_t) n);
}

/* Small numbers mostly, some absurd. */
static int64_t
number (Round *r)
{
  static const int64_t absurd[] = { INT64_MIN, INT64_MAX, INT32_MAX, 1 << 20,
    -1000 };
  return pick (r, 20) ? pick (r, 6) - 2 : absurd[pick (r, 5)];
}

static void
random_attributes (Round *r)
{
  int wanted = pick (r, MAX_ATTRS);
  for (int k = 0; k < wanted; k++) {
    int which = pick (r, (int) G_N_ELEMENTS (names)), n = r->list.count;
    int64_t *ints = r->ints[n];
    for (int i = 0; i < 4; i++)
      ints[i] = number (r);
    r->attributes[n] = (CnnAttribute){
      .name = names[which].name,
      .type = names[which].type,
      .i = number (r),
      .f = 0.5f,
      .s = words[pick (r, (int) G_N_ELEMENTS (words))],
      .count = pick (r, 5),
      .ints = ints,
    };
    r->list.count++;
    /* Only those that the operator has. */
    memset (r->params, 0, r->op->params_bytes);
    if (!r->op->parse || r->op->parse (&r->list, r->params, NULL))
      r->list.count--;
  }
}

/* Two windows out of three, so that operators which need them get them. */
static void
usual_attributes (Round *r)
{
  static const struct
  {
    const char *op;
    CnnAttribute attribute;
  } usual[] = {
    { "Pool", { .name = "kernel_shape", .type = CNN_ATTRIBUTE_INTS } },
    { "Depth", { .name = "blocksize", .type = CNN_ATTRIBUTE_INT, .i = 2 } },
    { "GroupNorm",
        { .name = "num_groups", .type = CNN_ATTRIBUTE_INT, .i = 1 } },
    { "LRN", { .name = "size", .type = CNN_ATTRIBUTE_INT, .i = 3 } },
    { "Cast", { .name = "to", .type = CNN_ATTRIBUTE_INT, .i = 7 } },
    { "BitShift",
        { .name = "direction", .type = CNN_ATTRIBUTE_STRING, .s = "LEFT" } },
    { "Concat", { .name = "axis", .type = CNN_ATTRIBUTE_INT, .i = 0 } },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (usual); i++) {
    if (!strstr (r->op->name, usual[i].op) || !pick (r, 4))
      continue;
    CnnAttribute *a = &r->attributes[r->list.count++];
    *a = usual[i].attribute;
    r->ints[0][0] = r->ints[0][1] = 1 + pick (r, 3);
    a->ints = r->ints[0];
    a->count = 1 + pick (r, 2);
    if (a->i == 7)
      a->i = types[pick (r, (int) G_N_ELEMENTS (types))];
  }
}

static void
fill (Round *r, CnnTensor *t)
{
  size_t n = 0, bytes = cnn_type_bytes (t->type);
  if (cnn_shape_elements (&t->shape, &n) || n > MAX_ELEMENTS)
    return;
  t->data = cnn_aligned_alloc (n * bytes);
  for (size_t i = 0; i < n; i++) {
    int64_t v = number (r);
    float f = pick (r, 30) ? (float) pick (r, 7) - 2.5f : NAN;
    if (t->type == CNN_TYPE_FLOAT32)
      memcpy ((char *) t->data + i * 4, &f, 4);
    else if (t->type == CNN_TYPE_BOOL)
      ((char *) t->data)[i] = v & 1;
    else
      memcpy ((char *) t->data + i * bytes, &v, bytes);
  }
}

static void
random_input (Round *r, CnnTensor *t, const CnnTensor *like)
{
  static const int64_t dims[] = { 1, 2, 3, 4, 6, 1, 2, 0 };
  *t = (CnnTensor){ .type = types[pick (r, (int) G_N_ELEMENTS (types))] };
  t->shape.rank = pick (r, 6);
  for (int d = 0; d < t->shape.rank; d++)
    t->shape.dims[d] = dims[pick (r, (int) G_N_ELEMENTS (dims))];
  if (like && pick (r, 3))
    t->type = like->type;
  if (like && pick (r, 2))
    t->shape = like->shape;
  if (like && !pick (r, 3))
    t->shape = (CnnShape){ 1, { pick (r, 5) } };
  bool norm = like && like->shape.rank > 1 && strstr (r->op->name, "Norm");
  if (like && like->shape.rank > 1 && (norm || pick (r, 2)))
    t->shape = (CnnShape){ 1, { like->shape.dims[1] } };
  if (norm)
    t->type = CNN_TYPE_FLOAT32;
  if (like && !norm && like->shape.rank == 2 && pick (r, 2))
    t->shape = (CnnShape){ 2, { like->shape.dims[1], 2 } };
  fill (r, t);
  if (!t->data)
    t->shape = (CnnShape){ 0 };
  if (!t->data)
    fill (r, t);
}

/* Quantised products want scales here and zero points there. */
static void
usual_input (Round *r, int i)
{
  CnnTensor *t = &r->in[i];
  bool scale = i == 1 || i == 4 || i == 6;
  if (strncmp (r->op->name, "QLinear", 7) || !pick (r, 8))
    return;
  free (t->data);
  *t = (CnnTensor){ .type = scale ? CNN_TYPE_FLOAT32 : CNN_TYPE_UINT8 };
  if (i == 0 || i == 3) {
    t->shape = (CnnShape){ strstr (r->op->name, "Conv") ? 4 : 2, { 0 } };
    for (int d = 0; d < t->shape.rank; d++)
      t->shape.dims[d] = 2 + pick (r, i ? 1 : 2);
  } else if (i == 8) {
    *t = (CnnTensor){ CNN_TYPE_INT32, { 1, { 2 } }, NULL };
  }
  fill (r, t);
}

/* Lists of integers where the operator wants values, now and then scalars. */
static void
random_inputs (Round *r)
{
  int most = r->op->max_in < MAX_INPUTS ? r->op->max_in : MAX_INPUTS;
  int least = r->op->min_in;
  r->n_in = least + (most > least ? pick (r, most - least + 1) : 0);
  for (int i = 0; i < r->n_in; i++) {
    CnnTensor *t = &r->in[i];
    random_input (r, t, i ? &r->in[0] : NULL);
    if (r->op->value_in >> i & 1 && pick (r, 5)) {
      free (t->data);
      int rank = r->in[0].shape.rank;
      *t = (CnnTensor){ .type = CNN_TYPE_INT64,
        .shape = { 1, { pick (r, 2) ? rank : pick (r, 5) } } };
      if (!strcmp (r->op->name, "Resize") || !strcmp (r->op->name, "Upsample"))
        t->type = i == 3 ? CNN_TYPE_INT64 : CNN_TYPE_FLOAT32;
      fill (r, t);
    }
    usual_input (r, i);
    r->ins[i] = i < least || pick (r, 4) ? t : NULL;
  }
}

static bool
infer (Round *r, bool values)
{
  CnnTensor seen[MAX_INPUTS];
  const CnnTensor *in[CNN_MAX_NODE_TENSORS] = { NULL };
  CnnError error = { 0 };
  for (int i = 0; i < r->n_in; i++) {
    seen[i] = r->in[i];
    if (!values || !(r->op->value_in >> i & 1))
      seen[i].data = NULL;
    in[i] = r->ins[i] ? &seen[i] : NULL;
  }
  CnnStatus status =
      r->op->infer (r->params, in, r->n_in, r->out, r->n_out, &error);
  if (status) {
    g_assert_cmpint (error.status, ==, status);
    g_assert_cmpint (strlen (error.message), >, 0);
    g_assert_true (g_utf8_validate (error.message, -1, NULL));
    return false;
  }
  CnnOpGeometry geometry = { .window = { 0 } };
  if (r->op->geometry && r->op->geometry (r->params, in, &geometry))
    for (int a = 0; a < 2; a++) {
      g_assert_cmpint (geometry.window[a], >=, 1);
      g_assert_cmpint (geometry.stride[a], >=, 1);
    }
  return true;
}

static bool
allocate_outputs (Round *r)
{
  for (int i = 0; i < r->n_out; i++) {
    size_t n;
    r->out[i].data = NULL;
    g_assert_cmpuint (cnn_type_bytes (r->out[i].type), >, 0);
    if (cnn_shape_elements (&r->out[i].shape, &n) || n > MAX_ELEMENTS)
      return false;
    r->out[i].data = cnn_aligned_alloc (n * cnn_type_bytes (r->out[i].type));
    r->outs[i] = &r->out[i];
  }
  return true;
}

static void
run (Round *r)
{
  const CnnOp *op = r->op;
  size_t scratch = op->scratch_bytes
      ? op->scratch_bytes (r->params, r->ins, r->n_in, &r->out[0], 0, NULL, 0)
      : 0;
  size_t packed =
      op->packed_bytes ? op->packed_bytes (r->params, r->ins, r->n_in, 0) : 0;
  /* Sessions and folding refuse what takes too much memory. */
  if (scratch > MAX_SCRATCH)
    return;
  CnnOpCall call = {
    .params = r->params,
    .in = r->ins,
    .n_in = r->n_in,
    .out = r->outs,
    .n_out = r->n_out,
    .scratch = cnn_aligned_alloc (scratch),
    .kernels = cnn_kernels (),
  };
  void *weights = cnn_aligned_alloc (packed);
  if (packed)
    op->pack (r->params, r->ins, r->n_in, 0, weights);
  call.packed = packed ? weights : NULL;
  op->forward (&call);
  free (weights);
  free (call.scratch);
}

static bool
one_round (const CnnOp *op, uint64_t seed)
{
  static const int opsets[] = { 6, 7, 9, 10, 11, 12, 13, 17, 18, 19, 21, 22,
    24 };
  Round r = { .op = op, .n_out = 1 };
  bool ran = false;
  cnn_rng_init (&r.rng, seed, 0);
  r.list = (CnnAttributes){ .items = r.attributes,
    .opset = opsets[pick (&r, (int) G_N_ELEMENTS (opsets))] };
  if (r.list.opset < op->since)
    r.list.opset = op->since;
  r.params = g_malloc0 (op->params_bytes + 1);
  usual_attributes (&r);
  random_attributes (&r);
  r.n_out = 1 + pick (&r, op->max_out < 3 ? op->max_out : 3);
  memset (r.params, 0, op->params_bytes + 1);
  random_inputs (&r);
  if (!op->parse || !op->parse (&r.list, r.params, NULL)) {
    infer (&r, false);
    ran = infer (&r, true) && allocate_outputs (&r);
    if (ran)
      run (&r);
  }
  for (int i = 0; i < r.n_out; i++)
    free (r.out[i].data);
  for (int i = 0; i < r.n_in; i++)
    free (r.in[i].data);
  g_free (r.params);
  return ran;
}

static void
test_operator (gconstpointer data)
{
  const CnnOp *op = data;
  int ran = 0;
  for (int i = 0; i < ROUNDS; i++)
    ran += one_round (op, (uint64_t) i);
  g_test_message ("%d of %d rounds ran", ran, ROUNDS);
  if (ran < 5)
    g_test_fail ();
}

int
main (int argc, char **argv)
{
  const CnnOp *op;
  g_test_init (&argc, &argv, NULL);
  for (int i = 0; (op = cnn_op_at (i)); i++) {
    char *path = g_strconcat ("/random/", op->name, NULL);
    if (op->max_in) /* but for Constant */
      g_test_add_data_func (path, op, test_operator);
    g_free (path);
  }
  return g_test_run ();
}
