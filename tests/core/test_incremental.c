/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_incremental.c: running again where the input has changed gives, bit for
 * bit, what a run of everything gives, and computes no more than it has to. */

#include "netbuild.h"

#include "graph/incremental.h"
#include "tensor/regions.h"

#define LAYERS 6
#define ROUNDS 24

static int
pick (CnnRng *rng, int n)
{
  return (int) cnn_rng_int (rng, (uint32_t) n);
}

/* -- random networks ---------------------------------------------------- */

static void
random_conv (Net *net, int *channels)
{
  CnnRng *rng = &net->rng;
  static const int kernels[] = { 1, 2, 3, 5 };
  /* Every other one is of the kind that may be computed in tiles. */
  gboolean square = pick (rng, 2);
  int kh = kernels[square ? 2 + pick (rng, 2) : pick (rng, 4)];
  int kw = square ? kh : kernels[pick (rng, 4)];
  int group = *channels % 2 || pick (rng, 4) ? 1 : 2;
  int oc = group * (1 + pick (rng, 9)), ic = *channels / group;
  const char *more[] = {
    net_random (net, &(CnnShape){ 4, { oc, ic, kh, kw } },
        1.0f / sqrtf ((float) (ic * kh * kw)), 0),
    net_random (net, &(CnnShape){ 1, { oc } }, 0.1f, 0),
  };
  int64_t strides[2], dilations[2], pads[4] = { 0 };
  for (int i = 0; i < 2; i++) {
    strides[i] = 1 + (!square && !pick (rng, 3));
    dilations[i] = 1 + (!square && !pick (rng, 3));
  }
  for (int i = 0; i < 4 && pick (rng, 2); i++)
    pads[i] = pick (rng, 3);
  CnnAttribute attributes[] = {
    net_ints ("strides", strides, 2),
    net_ints ("dilations", dilations, 2),
    net_ints ("pads", pads, 4),
    net_int ("group", group),
  };
  net_add (net, "Conv", more, 1 + pick (rng, 2), attributes, 4);
  *channels = oc;
  if (pick (rng, 2))
    net_op (net, pick (rng, 2) ? "Relu" : "Tanh");
  if (pick (rng, 2))
    net_pool (net, pick (rng, 2) ? "MaxPool" : "AveragePool", 2, 2);
}

static void
random_pool (Net *net)
{
  static const char *const ops[] = { "MaxPool", "AveragePool", "LpPool" };
  CnnRng *rng = &net->rng;
  int side = 2 + pick (rng, 2);
  int64_t kernels[] = { side, side };
  int64_t strides[] = { 1 + pick (rng, side), 1 + pick (rng, side) };
  int64_t pads[4] = { 0 };
  for (int i = 0; i < 4 && !pick (rng, 3); i++)
    pads[i] = pick (rng, 2);
  CnnAttribute attributes[] = {
    net_ints ("kernel_shape", kernels, 2),
    net_ints ("strides", strides, 2),
    net_ints ("pads", pads, 4),
  };
  net_add (net, ops[pick (rng, 3)], NULL, 0, attributes, 3);
}

static void
random_norm (Net *net, int channels)
{
  CnnShape c = { 1, { channels } };
  const char *more[] = {
    net_random (net, &c, 0.2f, 1),
    net_random (net, &c, 0.2f, 0),
    net_random (net, &c, 0.2f, 0),
    net_random (net, &c, 0, 0.5f),
  };
  CnnAttribute training = net_int ("training_mode", 1);
  net_add (net, "BatchNormalization", more, 4, &training, !pick (&net->rng, 6));
}

/* Squeeze and excite: all cells decide what each is multiplied with. */
static void
random_gate (Net *net)
{
  char from[32];
  g_strlcpy (from, net->last, sizeof from);
  const char *more[] = { from };
  net_op (net, "GlobalAveragePool");
  net_op (net, "Sigmoid");
  net_add (net, "Mul", more, 1, NULL, 0);
}

/* Two branches of the same size, added up or side by side. */
static void
random_branch (Net *net, int *channels)
{
  static const char *const ops[] = { "Tanh", "Relu", "LeakyRelu", "Abs" };
  char from[32];
  g_strlcpy (from, net->last, sizeof from);
  net_op (net, ops[pick (&net->rng, 4)]);
  const char *more[] = { from };
  CnnAttribute axis = net_int ("axis", 1);
  if (pick (&net->rng, 2)) {
    net_add (net, "Add", more, 1, NULL, 0);
  } else {
    net_add (net, "Concat", more, 1, &axis, 1);
    *channels *= 2;
  }
}

static void
random_cellwise (Net *net, int channels)
{
  static const char *const ops[] = { "Relu", "Tanh", "Sigmoid", "LeakyRelu",
    "Elu", "HardSwish", "Exp" };
  CnnAttribute size = net_int ("size", 3);
  CnnShape slope = { 3, { channels, 1, 1 } };
  const char *more[1];
  switch (pick (&net->rng, 4)) {
    case 0:
      more[0] = net_random (net, &slope, 0.5f, 0);
      net_add (net, pick (&net->rng, 2) ? "PRelu" : "Mul", more, 1, NULL, 0);
      break;
    case 1:
      net_add (net, "LRN", NULL, 0, &size, 1);
      break;
    default:
      net_op (net, ops[pick (&net->rng, G_N_ELEMENTS (ops))]);
  }
}

static CnnModel *
random_network (uint64_t seed, int c)
{
  Net net;
  net_begin (&net, seed, c, -1, -1);
  int layers = 1 + pick (&net.rng, LAYERS);
  for (int i = 0; i < layers; i++) {
    int kind = pick (&net.rng, 26);
    if (kind < 9)
      random_conv (&net, &c);
    else if (kind < 15)
      random_pool (&net);
    else if (kind < 18)
      random_norm (&net, c);
    else if (kind < 21)
      random_branch (&net, &c);
    else if (kind < 25)
      random_cellwise (&net, c);
    else
      random_gate (&net);
  }
  if (pick (&net.rng, 2))
    net_softmax (&net, 1);
  return net_end (&net);
}

/* -- random changes ----------------------------------------------------- */

typedef struct
{
  int c, h, w;
} Size;

static CnnRegion
random_region (CnnRng *rng, const Size *s)
{
  CnnRegion r = { pick (rng, s->w), pick (rng, s->h), 0, 0 };
  switch (pick (rng, 5)) {
    case 0: /* a pixel */
      r.x1 = r.x0 + 1;
      r.y1 = r.y0 + 1;
      break;
    case 1: /* at a border, or over it */
      r.x0 = pick (rng, 2) ? 0 : s->w - 1;
      r.x1 = r.x0 + 1 + pick (rng, 4);
      r.y1 = r.y0 + 1 + pick (rng, s->h);
      break;
    case 2: /* nothing */
      r.x1 = r.x0;
      r.y1 = r.y0 + 3;
      break;
    default:
      r.x1 = r.x0 + 1 + pick (rng, s->w - r.x0);
      r.y1 = r.y0 + 1 + pick (rng, s->h - r.y0);
  }
  return r;
}

static void
change (CnnRng *rng, float *x, const Size *s, const CnnRegion *region)
{
  CnnRegion r = cnn_region_clip (region, s->w, s->h);
  for (int c = 0; c < s->c; c++)
    for (int i = r.y0; i < r.y1; i++)
      for (int j = r.x0; j < r.x1; j++)
        x[(c * s->h + i) * s->w + j] = cnn_rng_float (rng);
}

static int
random_changes (CnnRng *rng, float *x, const Size *s, CnnRegion *regions)
{
  static const int counts[] = { 0, 1, 1, 1, 2, 3, 5, 20 };
  int count = counts[pick (rng, 8)];
  if (!pick (rng, 12)) {
    count = 1;
    regions[0] = (CnnRegion){ 0, 0, s->w, s->h };
    change (rng, x, s, regions);
    return 1;
  }
  for (int i = 0; i < count; i++) {
    regions[i] = random_region (rng, s);
    change (rng, x, s, &regions[i]);
  }
  return count;
}

/* -- tests -------------------------------------------------------------- */

static CnnSession *
make (CnnModel *model, const Size *s, CnnPool *pool, CnnPrecision precision,
    int incremental)
{
  CnnError error = { 0 };
  CnnSession *session = NULL;
  CnnSessionOptions options = {
    .pool = pool,
    .precision = precision,
    .incremental = incremental,
  };
  CnnStatus status = cnn_session_new (model,
      &(CnnShape){ 4, { 1, s->c, s->h, s->w } }, &options, &session, &error);
  /* A random network may be deeper than the picture is large. */
  if (status != CNN_ERROR_SHAPE)
    net_ok (status, &error);
  return session;
}

static void
compare (CnnSession *a, CnnSession *b, uint64_t seed, int round)
{
  size_t bytes;
  const CnnTensor *x = cnn_session_output (a, 0);
  const CnnTensor *y = cnn_session_output (b, 0);
  g_assert_cmpint (cnn_tensor_bytes (x, &bytes), ==, CNN_OK);
  if (memcmp (x->data, y->data, bytes))
    g_error ("network %d, round %d: not what a run of everything gives",
        (int) seed, round);
}

/* What is said to be as before is so. */
static void
check_changes (CnnSession *part, CnnSession *before)
{
  const CnnChange *change = cnn_session_changes (part);
  const CnnTensor *y = cnn_session_output (part, 0);
  const float *now = y->data, *old = cnn_session_output (before, 0)->data;
  size_t count;
  if (change->all)
    return;
  g_assert_cmpint (y->shape.rank, ==, 4);
  int height = (int) y->shape.dims[2], width = (int) y->shape.dims[3];
  g_assert_cmpint (cnn_shape_elements (&y->shape, &count), ==, CNN_OK);
  for (int i = 0; i < (int) count; i++) {
    gboolean is_new = FALSE;
    for (int k = 0; k < change->regions.count; k++) {
      const CnnRegion *r = &change->regions.items[k];
      int row = i / width % height, column = i % width;
      is_new |=
          r->x0 <= column && column < r->x1 && r->y0 <= row && row < r->y1;
    }
    if (!is_new)
      g_assert_true (!memcmp (&now[i], &old[i], sizeof *now));
  }
}

/* Returns: false if the network is too deep for the picture. */
static gboolean
try_network (uint64_t seed, CnnPool *pool)
{
  CnnRng rng;
  cnn_rng_init (&rng, seed, 1);
  Size s = { 1 + pick (&rng, 3), 8 + pick (&rng, 60), 8 + pick (&rng, 90) };
  size_t pixels = (size_t) (s.c * s.h * s.w);
  CnnModel *model = random_network (seed, s.c);
  CnnSession *part = make (model, &s, pool, CNN_PRECISION_FAST, 1);
  CnnSession *whole =
      part ? make (model, &s, NULL, CNN_PRECISION_FAST, 0) : NULL;
  if (!part) {
    cnn_model_unref (model);
    return FALSE;
  }
  float *x = cnn_session_input (part, 0)->data;
  net_fill (&rng, x, pixels);
  for (int round = 0; round < ROUNDS; round++) {
    CnnRegion regions[20];
    int count = round ? random_changes (&rng, x, &s, regions) : 0;
    cnn_session_run_changed (part, regions, count);
    check_changes (part, whole);
    memcpy (cnn_session_input (whole, 0)->data, x, pixels * sizeof *x);
    cnn_session_run (whole);
    compare (part, whole, seed, round);
  }
  cnn_session_free (whole);
  cnn_session_free (part);
  cnn_model_unref (model);
  return TRUE;
}

static void
test_random (gconstpointer data)
{
  CnnPool *pool = NULL;
  int tried = 0;
  uint64_t first = GPOINTER_TO_INT (data) ? 1000 : 0;
  if (GPOINTER_TO_INT (data))
    g_assert_cmpint (cnn_pool_new (2, &pool), ==, CNN_OK);
  for (uint64_t seed = first; seed < first + 150; seed++)
    tried += try_network (seed, pool);
  g_assert_cmpint (tried, >, 100);
  cnn_pool_free (pool);
}

/* LeNet's window of 32 pixels, a cell every 4: which of the cells are written
 * when one pixel changes? Those that see it, and no others, where no tiles have
 * to be whole. */
static void
test_no_more_than_needed (void)
{
  enum
  {
    W = 120,
    H = 100,
    OW = (W - 32) / 4 + 1,
    OH = (H - 32) / 4 + 1
  };
  Net net;
  net_begin (&net, 5, 1, H, W);
  net_conv (&net, 1, 6, 5, 1, 1);
  net_op (&net, "Relu");
  net_pool (&net, "MaxPool", 2, 2);
  net_conv (&net, 6, 16, 5, 1, 1);
  net_pool (&net, "AveragePool", 2, 2);
  net_conv (&net, 16, 8, 5, 1, 1);
  net_op (&net, "Tanh");
  net_conv (&net, 8, 3, 1, 1, 1);
  net_softmax (&net, 1);
  CnnModel *model = net_end (&net);
  CnnSession *s =
      make (model, &(Size){ 1, H, W }, NULL, CNN_PRECISION_EXACT, 1);
  float *x = cnn_session_input (s, 0)->data;
  float *y = cnn_session_output (s, 0)->data;
  net_fill (&net.rng, x, W * H);
  cnn_session_run (s);
  for (int round = 0; round < 50; round++) {
    int px = pick (&net.rng, W), py = pick (&net.rng, H);
    for (int i = 0; i < 3 * OW * OH; i++)
      y[i] = -1;
    x[py * W + px] += 1;
    cnn_session_run_changed (s, &(CnnRegion){ px, py, px + 1, py + 1 }, 1);
    for (int i = 0; i < 3 * OW * OH; i++) {
      int cy = i / OW % OH * 4, cx = i % OW * 4;
      gboolean sees = cy <= py && py < cy + 32 && cx <= px && px < cx + 32;
      g_assert_cmpint (y[i] != -1, ==, sees);
    }
  }
  for (int i = 0; i < 3 * OW * OH; i++)
    y[i] = -1;
  cnn_session_run_changed (s, NULL, 0);
  g_assert_false (cnn_session_changes (s)->all);
  g_assert_cmpint (cnn_session_changes (s)->regions.count, ==, 0);
  for (int i = 0; i < 3 * OW * OH; i++)
    g_assert_cmpfloat (y[i], ==, -1);
  cnn_session_free (s);
  cnn_model_unref (model);
}

/* The last pixel changes; everything follows from it. */
static void
check_pixel (Net *net, const Size *size)
{
  CnnModel *model = net_end (net);
  CnnSession *part = make (model, size, NULL, CNN_PRECISION_FAST, 1);
  CnnSession *whole = make (model, size, NULL, CNN_PRECISION_FAST, 0);
  size_t pixels = (size_t) (size->c * size->h * size->w);
  float *x = cnn_session_input (part, 0)->data;
  net_fill (&net->rng, x, pixels);
  cnn_session_run (part);
  x[pixels - 1] = 3;
  CnnRegion last = { size->w - 1, size->h - 1, size->w, size->h };
  cnn_session_run_changed (part, &last, 1);
  memcpy (cnn_session_input (whole, 0)->data, x, pixels * sizeof *x);
  cnn_session_run (whole);
  compare (part, whole, 0, 0);
  cnn_session_free (whole);
  cnn_session_free (part);
  cnn_model_unref (model);
}

static void
test_what_has_no_place (void)
{
  Net net;
  net_begin (&net, 6, 2, 20, 30);
  net_conv (&net, 2, 4, 3, 1, 1);
  net_op (&net, "GlobalAveragePool");
  net_op (&net, "Flatten");
  net_dense (&net, 4, 3);
  check_pixel (&net, &(Size){ 2, 20, 30 });
}

/* One number for all cells; one for each column. */
static void
test_what_stretches (void)
{
  Net net;
  const char *more[1];
  net_begin (&net, 7, 2, 1, 1);
  more[0] = net_random (&net, &(CnnShape){ 4, { 1, 2, 8, 9 } }, 1, 0);
  net_add (&net, "Add", more, 1, NULL, 0);
  check_pixel (&net, &(Size){ 2, 1, 1 });

  net_begin (&net, 8, 2, 8, 9);
  more[0] = net_random (&net, &(CnnShape){ 1, { 9 } }, 1, 0);
  net_add (&net, "Add", more, 1, NULL, 0);
  check_pixel (&net, &(Size){ 2, 8, 9 });
}

/* The picture is the kernel. */
static void
test_changed_weights (void)
{
  Net net;
  const char *x[] = { "x" };
  net_begin (&net, 9, 2, 5, 5);
  g_strlcpy (net.last,
      net_random (&net, &(CnnShape){ 4, { 1, 2, 20, 30 } }, 1, 0),
      sizeof net.last);
  net_add (&net, "Conv", x, 1, NULL, 0);
  check_pixel (&net, &(Size){ 2, 5, 5 });
}

/* Cells of the list are those of the rectangles that went in. */
static void
test_regions (void)
{
  CnnRng rng;
  cnn_rng_init (&rng, 11, 0);
  for (int round = 0; round < 300; round++) {
    CnnRegions list = { 0 };
    gboolean wanted[64 * 64] = { FALSE };
    int count = pick (&rng, 40);
    for (int i = 0; i < count; i++) {
      CnnRegion r = random_region (&rng, &(Size){ 1, 64, 64 });
      r = cnn_region_clip (&r, 64, 64);
      cnn_regions_add (&list, &r, round % 3 * 8);
      for (int y = r.y0; y < r.y1; y++)
        for (int x = r.x0; x < r.x1; x++)
          wanted[y * 64 + x] = TRUE;
    }
    g_assert_cmpint (list.count, <=, CNN_MAX_REGIONS);
    for (int i = 0; i < list.count; i++)
      for (int y = list.items[i].y0; y < list.items[i].y1; y++)
        for (int x = list.items[i].x0; x < list.items[i].x1; x++)
          wanted[y * 64 + x] = FALSE;
    for (int i = 0; i < 64 * 64; i++)
      g_assert_false (wanted[i]);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/incremental/regions", test_regions);
  g_test_add_func ("/incremental/no-more", test_no_more_than_needed);
  g_test_add_func ("/incremental/no-place", test_what_has_no_place);
  g_test_add_func ("/incremental/stretches", test_what_stretches);
  g_test_add_func ("/incremental/weights", test_changed_weights);
  g_test_add_data_func ("/incremental/random", GINT_TO_POINTER (0),
      test_random);
  g_test_add_data_func ("/incremental/random-two-threads", GINT_TO_POINTER (1),
      test_random);
  return g_test_run ();
}
