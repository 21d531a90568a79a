/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-changes.c: a detector that computes what has changed says, bit for bit,
 * what one says that computes everything.
 *
 * Frames are noise that changes in random rectangles, single pixels, at the
 * borders, nowhere, everywhere. Traps: samples with a step and what lies
 * between them, rows that run upwards, enlarged levels, dense maps, several
 * frames between two looks at the boxes, thresholds that change meanwhile. */

#include <cnn/detect.h>

#include <glib.h>
#include <string.h>

#include "base/rng.h"
#include "image/changes.h"

#define CLASSES 4
#define WINDOW  12
#define ROUNDS  30

static int
pick (CnnRng *rng, int n)
{
  return (int) cnn_rng_int (rng, (uint32_t) n);
}

static void
ok (CnnStatus status, const CnnError *error)
{
  if (status)
    g_error ("%s: %s", cnn_status_name (status), error->message);
}

/* -- the network -------------------------------------------------------- */

static void
add_constant (CnnGraph *graph, CnnRng *rng, const char *name, CnnShape shape,
    float spread)
{
  CnnError error = { 0 };
  size_t count;
  ok (cnn_shape_elements (&shape, &count), &error);
  float *x = g_new (float, count);
  for (size_t i = 0; i < count; i++)
    x[i] = spread * cnn_rng_normal (rng);
  CnnTensor tensor = { CNN_TYPE_FLOAT32, shape, x };
  ok (cnn_graph_add_constant (graph, name, &tensor, &error), &error);
  g_free (x);
}

static void
add_node (CnnGraph *graph, const char *op, const char *x, const char *w,
    const char *y, const CnnAttribute *attributes, int n_attributes)
{
  CnnError error = { 0 };
  const char *in[] = { x, w };
  ok (cnn_graph_add_node (graph, op, y, in, w ? 2 : 1, &y, 1, attributes,
          n_attributes, &error),
      &error);
}

/* A classifier of 12 pixels with a stride of 2. */
static CnnModel *
make_model (uint64_t seed, int channels, int pad)
{
  CnnError error = { 0 };
  CnnGraph *graph;
  CnnModel *model;
  CnnRng rng;
  CnnShape shape = { 4, { 1, channels, WINDOW, WINDOW } };
  int64_t two[] = { 2, 2 }, pads[] = { pad, pad, pad, pad };
  CnnAttribute pool[] = {
    { "kernel_shape", CNN_ATTRIBUTE_INTS, .count = 2, .ints = two },
    { "strides", CNN_ATTRIBUTE_INTS, .count = 2, .ints = two },
  };
  CnnAttribute padding = { "pads", CNN_ATTRIBUTE_INTS, .count = 4,
    .ints = pads };
  int side = (WINDOW + 2 * pad - 4) / 2 - 2;
  cnn_rng_init (&rng, seed, 0);
  ok (cnn_graph_new (CNN_GRAPH_OPSET, &graph, &error), &error);
  ok (cnn_graph_add_input (graph, "x", CNN_TYPE_FLOAT32, &shape, &error),
      &error);
  add_constant (graph, &rng, "w1", (CnnShape){ 4, { 5, channels, 5, 5 } }, 1);
  add_constant (graph, &rng, "w2", (CnnShape){ 4, { 7, 5, 3, 3 } }, 0.1f);
  add_constant (graph, &rng, "w3",
      (CnnShape){ 2, { 7 * side * side, CLASSES } }, 0.2f);
  add_node (graph, "Conv", "x", "w1", "a", &padding, 1);
  add_node (graph, "Relu", "a", NULL, "b", NULL, 0);
  add_node (graph, "MaxPool", "b", NULL, "c", pool, 2);
  add_node (graph, "Conv", "c", "w2", "d", NULL, 0);
  add_node (graph, "Tanh", "d", NULL, "e", NULL, 0);
  add_node (graph, "Flatten", "e", NULL, "f", NULL, 0);
  add_node (graph, "MatMul", "f", "w3", "y", NULL, 0);
  ok (cnn_graph_add_output (graph, "y", &error), &error);
  ok (cnn_model_new (graph, &model, &error), &error);
  return model;
}

/* -- the frame ---------------------------------------------------------- */

typedef struct
{
  CnnImage image;
  uint8_t *memory;
  size_t bytes;
} Frame;

static void
frame_init (Frame *frame, CnnRng *rng, int width, int height, int channels)
{
  int step = channels == 3 ? 3 + pick (rng, 2) : 1 + pick (rng, 4);
  int pitch = width * step + pick (rng, 20);
  gboolean upwards = !pick (rng, 3);
  frame->bytes = (size_t) (pitch * height);
  frame->memory = g_malloc (frame->bytes);
  for (size_t i = 0; i < frame->bytes; i++)
    frame->memory[i] = (uint8_t) cnn_rng_next (rng);
  frame->image = (CnnImage){
    .width = width,
    .height = height,
    .channels = channels,
    .step_bytes = step,
    .levels = pick (rng, 2) ? CNN_LEVELS_VIDEO : CNN_LEVELS_FULL,
  };
  for (int c = 0; c < channels; c++) {
    frame->image.data[c] =
        frame->memory + c + (upwards ? (height - 1) * pitch : 0);
    frame->image.pitch_bytes[c] = upwards ? -pitch : pitch;
  }
}

/* One channel of a rectangle; now and then pixels stay what they are. */
static void
change (CnnRng *rng, Frame *frame, CnnRegion r)
{
  const CnnImage *image = &frame->image;
  int c = pick (rng, image->channels);
  for (int y = r.y0; y < r.y1; y++)
    for (int x = r.x0; x < r.x1; x++) {
      /* The frame is the test's own. */
      uint8_t *pixel = (uint8_t *) image->data[c] + y * image->pitch_bytes[c]
          + x * image->step_bytes;
      *pixel = (uint8_t) (*pixel + pick (rng, 4));
    }
}

static CnnRegion
random_region (CnnRng *rng, int width, int height)
{
  CnnRegion r = { pick (rng, width), pick (rng, height), 0, 0 };
  gboolean small = pick (rng, 2);
  r.x1 = r.x0 + 1 + pick (rng, small ? 1 : width - r.x0);
  r.y1 = r.y0 + 1 + pick (rng, small ? 1 : height - r.y0);
  if (!pick (rng, 4))
    r.x1 = width;
  if (!pick (rng, 4))
    r.y0 = 0;
  return r;
}

/* Returns: FALSE if every pixel is what it was. */
static gboolean
change_somewhere (CnnRng *rng, Frame *frame)
{
  static const int counts[] = { 0, 0, 1, 1, 1, 2, 4, 30 };
  int width = frame->image.width, height = frame->image.height;
  uint8_t *before = g_memdup2 (frame->memory, frame->bytes);
  int count = counts[pick (rng, 8)];
  for (int i = 0; i < count; i++)
    change (rng, frame, random_region (rng, width, height));
  if (!pick (rng, 10))
    change (rng, frame, (CnnRegion){ 0, 0, width, height });
  gboolean differs = memcmp (before, frame->memory, frame->bytes) != 0;
  g_free (before);
  return differs;
}

/* What lies between the samples and behind the rows is nobody's business. */
static void
change_elsewhere (CnnRng *rng, Frame *frame)
{
  const CnnImage *image = &frame->image;
  int last = image->width * image->step_bytes - 1;
  if (image->step_bytes <= image->channels)
    return;
  for (int y = 0; y < image->height; y++)
    ((uint8_t *) image->data[0])[y * image->pitch_bytes[0] + last] =
        (uint8_t) cnn_rng_next (rng);
}

/* -- tests -------------------------------------------------------------- */

static void
compare_maps (const CnnDetector *a, const CnnDetector *b)
{
  g_assert_cmpint (cnn_detector_n_levels (a), ==, cnn_detector_n_levels (b));
  for (int k = 0; k < cnn_detector_n_levels (a); k++) {
    CnnMap x, y;
    cnn_detector_map (a, k, &x);
    cnn_detector_map (b, k, &y);
    size_t bytes = (size_t) (x.classes * x.width * x.height) * sizeof (float);
    g_assert_cmpmem (x.scores, bytes, y.scores, bytes);
  }
}

static void
compare_boxes (CnnDetector *a, CnnDetector *b, const CnnDetectParams *params)
{
  const CnnDetection *x, *y;
  int n = cnn_detector_detect (a, params, &x);
  g_assert_cmpint (cnn_detector_detect (b, params, &y), ==, n);
  for (int i = 0; i < n; i++)
    g_assert_cmpmem (&x[i], sizeof *x, &y[i], sizeof *y);
}

static CnnDetector *
make_detector (CnnModel *model, const CnnDetectorConfig *config, CnnPool *pool,
    int reuse)
{
  CnnError error = { 0 };
  CnnDetector *detector;
  CnnDetectorConfig with = *config;
  with.pool = pool;
  with.reuse = reuse;
  ok (cnn_detector_new (model, &with, &detector, &error), &error);
  return detector;
}

static void
try_frames (uint64_t seed, CnnPool *pool)
{
  CnnRng rng;
  Frame frame;
  cnn_rng_init (&rng, seed, 1);
  int width = 10 + pick (&rng, 150), height = 10 + pick (&rng, 100);
  int channels = pick (&rng, 3) ? 1 : 3;
  CnnDetectorConfig config = {
    .width = width,
    .height = height,
    .scale_factor = 1.2 + pick (&rng, 10) / 10.0,
    .min_size = pick (&rng, 3) ? 0 : 8,
    .window_stride = pick (&rng, 3),
  };
  CnnDetectParams params = { CLASSES - 1, 0.9, 0.3, 100 };
  CnnModel *model = make_model (seed, channels, pick (&rng, 3));
  CnnDetector *part = make_detector (model, &config, pool, 1);
  CnnDetector *whole = make_detector (model, &config, NULL, 0);
  frame_init (&frame, &rng, width, height, channels);
  for (int round = 0; round < ROUNDS; round++) {
    gboolean differs = change_somewhere (&rng, &frame);
    change_elsewhere (&rng, &frame);
    int is_new = cnn_detector_run (part, &frame.image);
    cnn_detector_run (whole, &frame.image);
    compare_maps (part, whole);
    if (round)
      g_assert_true (differs || !is_new);
    if (!pick (&rng, 6))
      params.threshold = 0.9 + 0.1 * cnn_rng_float (&rng);
    if (!pick (&rng, 6))
      params.background = pick (&rng, CLASSES + 1) - 1;
    if (pick (&rng, 3))
      compare_boxes (part, whole, &params);
  }
  cnn_detector_free (whole);
  cnn_detector_free (part);
  cnn_model_unref (model);
  g_free (frame.memory);
}

static void
test_random (gconstpointer threads)
{
  CnnPool *pool;
  guint n = GPOINTER_TO_UINT (threads);
  g_assert_cmpint (cnn_pool_new (n, &pool), ==, CNN_OK);
  for (uint64_t seed = 0; seed < 40; seed++)
    try_frames (100 * n + seed, pool);
  cnn_pool_free (pool);
}

/* Nothing is missed, and no pixel beside the changed ones is taken. */
static void
test_changes (void)
{
  CnnRng rng;
  CnnError error = { 0 };
  cnn_rng_init (&rng, 5, 0);
  for (int round = 0; round < 200; round++) {
    Frame frame;
    CnnChanges *changes;
    CnnRegions regions;
    int width = 1 + pick (&rng, 200), height = 1 + pick (&rng, 100);
    frame_init (&frame, &rng, width, height, pick (&rng, 2) ? 1 : 3);
    ok (cnn_changes_new (width, height, frame.image.channels, &changes, &error),
        &error);
    cnn_changes_find (changes, &frame.image, 0, NULL, &regions);
    g_assert_cmpint (regions.count, ==, 1);
    g_assert_cmpint (cnn_regions_cells (&regions), ==, width * height);
    CnnRegion r = random_region (&rng, width, height);
    for (int c = 0; c < frame.image.channels; c++)
      for (int y = r.y0; y < r.y1; y++)
        for (int x = r.x0; x < r.x1; x++)
          ((uint8_t *) frame.image.data[c])[y * frame.image.pitch_bytes[c]
              + x * frame.image.step_bytes] ^= 1;
    change_elsewhere (&rng, &frame);
    cnn_changes_find (changes, &frame.image, 0, NULL, &regions);
    g_assert_cmpint (regions.count, ==, 1);
    g_assert_cmpmem (&regions.items[0], sizeof r, &r, sizeof r);
    cnn_changes_find (changes, &frame.image, 0, NULL, &regions);
    g_assert_cmpint (regions.count, ==, 0);
    frame.image.levels =
        CNN_LEVELS_FULL + CNN_LEVELS_VIDEO - frame.image.levels;
    cnn_changes_find (changes, &frame.image, 0, NULL, &regions);
    g_assert_cmpint (cnn_regions_cells (&regions), ==, width * height);
    cnn_changes_free (changes);
    g_free (frame.memory);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/changes/found", test_changes);
  g_test_add_data_func ("/changes/one-thread", GUINT_TO_POINTER (1),
      test_random);
  g_test_add_data_func ("/changes/two-threads", GUINT_TO_POINTER (2),
      test_random);
  return g_test_run ();
}
