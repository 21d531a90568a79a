/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-detector.c: from pixels to boxes with a network made by hand.
 *
 * Its one convolution is the mean of a disc minus the mean of a ring of the
 * same area around it: greatest for a disc of exactly that size, at exactly
 * that place, so truth is known at every position and scale. Class 0 is a
 * bright disc, class 1 a dark one, class 2 the background. */

#include <cnn/detect.h>

#include <glib.h>
#include <math.h>
#include <string.h>

#include "allocations.h"
#include "base/rng.h"
#include "graph/program.h"

#define WINDOW  16
#define STRIDE  2
#define RADIUS  5.0
#define CLASSES 3
#define GAIN    40.0f
#define BIAS    -9.0f

/* -- the network -------------------------------------------------------- */

static void
ok (CnnStatus status, const CnnError *error)
{
  if (status)
    g_error ("%s: %s", cnn_status_name (status), error->message);
}

/* Share of pixel (x, y) of the window within @radius of its middle */
static double
coverage (double x, double y, double cx, double cy, double radius)
{
  int inside = 0;
  for (int i = 0; i < 16; i++)
    for (int j = 0; j < 16; j++)
      inside +=
          hypot (x + (j + 0.5) / 16 - cx, y + (i + 0.5) / 16 - cy) <= radius;
  return inside / 256.0;
}

static void
fill_template (float *weights)
{
  double disc[WINDOW * WINDOW], ring[WINDOW * WINDOW], area = 0, around = 0;
  for (int i = 0; i < WINDOW * WINDOW; i++) {
    double x = i % WINDOW, y = i / WINDOW, middle = WINDOW / 2.0;
    disc[i] = coverage (x, y, middle, middle, RADIUS);
    ring[i] = coverage (x, y, middle, middle, RADIUS * sqrt (2)) - disc[i];
    area += disc[i];
    around += ring[i];
  }
  for (int i = 0; i < WINDOW * WINDOW; i++) {
    float w = (float) (disc[i] / area - ring[i] / around);
    weights[i] = GAIN * w;
    weights[WINDOW * WINDOW + i] = -GAIN * w;
    weights[2 * WINDOW * WINDOW + i] = 0;
  }
}

static void
add_constant (CnnGraph *graph, const char *name, CnnShape shape, void *data)
{
  CnnError error = { 0 };
  CnnTensor tensor = { CNN_TYPE_FLOAT32, shape, data };
  ok (cnn_graph_add_constant (graph, name, &tensor, &error), &error);
}

static void
add_node (CnnGraph *graph, const char *op, const char *const *in, int n_in,
    const char *out, const CnnAttribute *attributes, int n_attributes)
{
  CnnError error = { 0 };
  ok (cnn_graph_add_node (graph, op, out, in, n_in, &out, 1, attributes,
          n_attributes, &error),
      &error);
}

/* A classifier, WINDOW x WINDOW to n c. With @pad pixels of zeros around the
 * picture and a window that much smaller it sees the same. */
static CnnModel *
make_model (int pad, const char *kind)
{
  float weights[CLASSES * WINDOW * WINDOW], bias[] = { BIAS, BIAS, 0 };
  int side = WINDOW - 2 * pad;
  CnnError error = { 0 };
  CnnGraph *graph;
  CnnModel *model;

  fill_template (weights);
  ok (cnn_graph_new (CNN_GRAPH_OPSET, &graph, &error), &error);
  ok (cnn_graph_add_input (graph, "x", CNN_TYPE_FLOAT32,
          &(CnnShape){ 4, { 1, 1, side, side } }, &error),
      &error);
  add_constant (graph, "w", (CnnShape){ 4, { CLASSES, 1, WINDOW, WINDOW } },
      weights);
  add_constant (graph, "b", (CnnShape){ 1, { CLASSES } }, bias);
  int64_t strides[] = { STRIDE, STRIDE }, pads[] = { pad, pad, pad, pad };
  CnnAttribute attributes[] = {
    { .name = "strides",
        .type = CNN_ATTRIBUTE_INTS,
        .count = 2,
        .ints = strides },
    { .name = "pads", .type = CNN_ATTRIBUTE_INTS, .count = 4, .ints = pads },
  };
  add_node (graph, "Conv", (const char *[]){ "x", "w", "b" }, 3, "maps",
      attributes, 2);
  add_node (graph, "Flatten", (const char *[]){ "maps" }, 1, "logits", NULL, 0);
  const char *output = "logits";
  if (kind) {
    add_node (graph, kind, &output, 1, "answer", NULL, 0);
    output = "answer";
  }
  ok (cnn_graph_add_output (graph, output, &error), &error);
  ok (cnn_graph_set_metadata (graph, "convnet.labels", "bright\ndark\nnone",
          &error),
      &error);
  ok (cnn_graph_set_metadata (graph, "convnet.background", "none", &error),
      &error);
  char *size = g_strdup_printf ("%f", 2 * RADIUS / side);
  ok (cnn_graph_set_metadata (graph, "convnet.object-size", size, &error),
      &error);
  g_free (size);
  ok (cnn_model_new (graph, &model, &error), &error);
  return model;
}

/* -- the frame ---------------------------------------------------------- */

typedef struct
{
  double cx, cy, radius;
  int class_id;
} Disc;

typedef struct
{
  CnnImage image;
  uint8_t *pixels;
} Frame;

static void
frame_init (Frame *frame, int width, int height)
{
  frame->pixels = g_malloc ((size_t) width * (size_t) height);
  memset (frame->pixels, 128, (size_t) width * (size_t) height);
  frame->image = (CnnImage){
    .width = width,
    .height = height,
    .channels = 1,
    .data = { frame->pixels },
    .pitch_bytes = { width },
    .step_bytes = 1,
  };
}

static void
draw (Frame *frame, const Disc *disc)
{
  double value = disc->class_id ? 0 : 255;
  for (int y = 0; y < frame->image.height; y++)
    for (int x = 0; x < frame->image.width; x++) {
      if (hypot (x - disc->cx, y - disc->cy) > disc->radius + 2)
        continue;
      double share = coverage (x, y, disc->cx, disc->cy, disc->radius);
      uint8_t *p = &frame->pixels[y * frame->image.width + x];
      *p = (uint8_t) lrint (*p + share * (value - *p));
    }
}

/* -- common ------------------------------------------------------------- */

static const CnnDetectParams params = { .background = 2,
  .threshold = 0.5,
  .iou_threshold = CNN_DEFAULT_IOU_THRESHOLD,
  .max_detections = CNN_DEFAULT_MAX_DETECTIONS };

static CnnDetector *
make_detector (CnnModel *model, const CnnDetectorConfig *config)
{
  CnnDetector *detector;
  CnnError error = { 0 };
  ok (cnn_detector_new (model, config, &detector, &error), &error);
  return detector;
}

/* The one detection around the disc, its centre and its size right to the
 * given fraction of the diameter; its index. */
static int
find (const Disc *disc, const CnnDetection *found, int count, double place,
    double size)
{
  double side = 2 * disc->radius;
  int match = -1;
  for (int i = 0; i < count; i++) {
    const CnnDetection *d = &found[i];
    double dx = (d->x0 + d->x1) / 2 - disc->cx;
    double dy = (d->y0 + d->y1) / 2 - disc->cy;
    if (hypot (dx, dy) > side / 2)
      continue;
    g_test_message ("disc of %.1f at %.1f,%.1f: off by %.2f,%.2f, %.1fx%.1f, "
                    "%.3f on level %d",
        side, disc->cx, disc->cy, dx, dy, d->x1 - d->x0, d->y1 - d->y0,
        d->confidence, d->level);
    g_assert_cmpint (match, ==, -1);
    match = i;
    g_assert_cmpint (d->class_id, ==, disc->class_id);
    g_assert_cmpfloat (hypot (dx, dy), <, place * side);
    g_assert_cmpfloat (fabs (log ((d->x1 - d->x0) / side)), <, size);
    g_assert_cmpfloat (fabs (log ((d->y1 - d->y0) / side)), <, size);
  }
  g_assert_cmpint (match, >=, 0);
  return match;
}

/* The cell that a detection names is sure of its class, and looks at it. */
static void
check_cell (const CnnDetector *detector, const CnnDetection *d)
{
  CnnMap map;
  cnn_detector_map (detector, d->level, &map);
  int cells = map.width * map.height, row = d->cell / map.width;
  double y = (map.geometry.offset[0] + row * map.geometry.stride[0]
                 + map.geometry.window[0] / 2.0)
      * map.scale_y;
  g_assert_cmpint (d->cell, >=, 0);
  g_assert_cmpint (d->cell, <, cells);
  g_assert_cmpfloat (map.scores[d->class_id * cells + d->cell], >=,
      params.threshold);
  g_assert_cmpfloat (fabs (y - (d->y0 + d->y1) / 2), <, (d->y1 - d->y0) / 2);
}

static void
check_scene (const CnnDetectorConfig *config, CnnModel *model,
    const Disc *discs, int n_discs)
{
  Frame frame;
  const CnnDetection *found;
  frame_init (&frame, config->width, config->height);
  for (int i = 0; i < n_discs; i++)
    draw (&frame, &discs[i]);
  CnnDetector *detector = make_detector (model, config);
  cnn_detector_run (detector, &frame.image);
  int count = cnn_detector_detect (detector, &params, &found);
  for (int i = 0; i < n_discs; i++)
    find (&discs[i], found, count, 0.06, 0.15);
  g_assert_cmpint (count, ==, n_discs);
  for (int i = 0; i < count; i++)
    check_cell (detector, &found[i]);
  cnn_detector_free (detector);
  g_free (frame.pixels);
}

/* -- tests -------------------------------------------------------------- */

/* Of the model's own size times powers of 1.4, and between them */
static const Disc scene[] = {
  { 40, 40, 5, 0 },
  { 80.5, 41.3, 5, 1 },
  { 150, 50, 9.8, 0 },
  { 210.7, 60.2, 12, 1 },
  { 60, 150, 26.9, 1 },
  { 170, 170, 33, 0 },
  { 262, 60, 7, 0 },
  { 260, 180, 16, 1 },
};

static void
test_truth (void)
{
  CnnModel *model = make_model (0, NULL);
  check_scene (&(CnnDetectorConfig){ .width = 320,
                   .height = 240,
                   .scale_factor = 1.4 },
      model, scene, G_N_ELEMENTS (scene));
  cnn_model_unref (model);
}

static void
test_kinds (void)
{
  static const char *const kinds[] = { "Softmax", "LogSoftmax" };
  for (size_t i = 0; i < G_N_ELEMENTS (kinds); i++) {
    CnnModel *model = make_model (0, kinds[i]);
    check_scene (&(CnnDetectorConfig){ .width = 320,
                     .height = 240,
                     .scale_factor = 1.4 },
        model, scene, G_N_ELEMENTS (scene));
    cnn_model_unref (model);
  }
}

/* Padding widens what a cell sees, not what it is about: the same boxes.
 * Zeros around the frame are dark, so only the middle is looked at. */
static void
test_padded (void)
{
  CnnModel *model = make_model (2, NULL);
  CnnDetectorConfig config = { .width = 320, .height = 240, .max_size = 10 };
  Frame frame;
  const Disc disc = { 160, 120, 5, 0 };
  const CnnDetection *found;
  frame_init (&frame, config.width, config.height);
  draw (&frame, &disc);
  CnnDetector *detector = make_detector (model, &config);
  g_assert_cmpint (cnn_detector_n_levels (detector), ==, 1);
  cnn_detector_run (detector, &frame.image);
  int count = cnn_detector_detect (detector, &params, &found);
  find (&disc, found, count, 0.06, 0.15);
  cnn_detector_free (detector);
  g_free (frame.pixels);
  cnn_model_unref (model);
}

/* Half the model's size: found on an enlarged level only */
static void
test_small (void)
{
  CnnModel *model = make_model (0, NULL);
  const Disc discs[] = { { 30.4, 30.2, 2.5, 0 }, { 90, 50, 3, 1 } };
  CnnDetectorConfig config = { .width = 128, .height = 96 };
  Frame frame;
  const CnnDetection *found;

  frame_init (&frame, config.width, config.height);
  draw (&frame, &discs[0]);
  CnnDetector *detector = make_detector (model, &config);
  cnn_detector_run (detector, &frame.image);
  g_assert_cmpint (cnn_detector_detect (detector, &params, &found), ==, 0);
  cnn_detector_free (detector);
  g_free (frame.pixels);

  config.min_size = 5;
  check_scene (&config, model, discs, G_N_ELEMENTS (discs));
  cnn_model_unref (model);
}

static CnnModel *
with_metadata (CnnModel *model, const char *key, const char *value)
{
  CnnError error = { 0 };
  CnnModel *copy;
  ok (cnn_model_with_metadata (model, &key, &value, 1, &copy, &error), &error);
  cnn_model_unref (model);
  return copy;
}

/* The model itself may ask for small objects. */
static void
test_models_min_size (void)
{
  CnnModel *model = make_model (0, NULL);
  const Disc discs[] = { { 30.4, 30.2, 2.5, 0 }, { 90, 50, 3, 1 } };
  model = with_metadata (model, "convnet.min-size", "5");
  check_scene (&(CnnDetectorConfig){ .width = 128, .height = 96 }, model, discs,
      G_N_ELEMENTS (discs));
  cnn_model_unref (model);
}

/* Windows that reach over the frame's edge: discs that touch it. */
static void
test_border (void)
{
  CnnModel *model = make_model (0, NULL);
  const Disc discs[] = { { 5, 40, 5, 0 }, { 123, 60.5, 5, 1 },
    { 60.5, 5.2, 5, 0 }, { 60, 91, 5, 1 } };
  CnnDetectorConfig config = { .width = 128, .height = 96 };
  Frame frame;
  const CnnDetection *found;
  CnnMap map;

  frame_init (&frame, config.width, config.height);
  for (int i = 0; i < 4; i++)
    draw (&frame, &discs[i]);
  CnnDetector *detector = make_detector (model, &config);
  cnn_detector_run (detector, &frame.image);
  g_assert_cmpint (cnn_detector_detect (detector, &params, &found), ==, 0);
  cnn_detector_free (detector);
  g_free (frame.pixels);

  model = with_metadata (model, "convnet.border", "8");
  check_scene (&config, model, discs, 4);
  detector = make_detector (model, &config);
  cnn_detector_map (detector, 0, &map);
  g_assert_cmpint (map.geometry.offset[0], ==, -8);
  g_assert_cmpint (map.geometry.offset[1], ==, -8);
  g_assert_cmpint (map.width, ==, (128 + 2 * 8 - WINDOW) / STRIDE + 1);
  cnn_detector_free (detector);
  cnn_model_unref (model);
}

/* A box head that answers the same everywhere. */
static CnnModel *
make_two_heads (void)
{
  CnnModel *plain = make_model (0, NULL), *model;
  CnnGraph *graph;
  CnnError error = { 0 };
  float weights[4 * WINDOW * WINDOW] = { 0 };
  float edges[] = { 0.25f, 0.125f, 0.375f, 0.25f };
  int64_t strides[] = { STRIDE, STRIDE };
  CnnAttribute attribute = { .name = "strides",
    .type = CNN_ATTRIBUTE_INTS,
    .count = 2,
    .ints = strides };
  ok (cnn_graph_copy (cnn_model_graph (plain), &graph, &error), &error);
  add_constant (graph, "zeros", (CnnShape){ 4, { 4, 1, WINDOW, WINDOW } },
      weights);
  add_constant (graph, "edges", (CnnShape){ 1, { 4 } }, edges);
  add_node (graph, "Conv", (const char *[]){ "x", "zeros", "edges" }, 3,
      "edge-maps", &attribute, 1);
  add_node (graph, "Flatten", (const char *[]){ "edge-maps" }, 1, "boxes", NULL,
      0);
  ok (cnn_graph_add_output (graph, "boxes", &error), &error);
  ok (cnn_graph_set_metadata (graph, "convnet.boxes", "boxes", &error), &error);
  ok (cnn_model_new (graph, &model, &error), &error);
  cnn_model_unref (plain);
  return model;
}

/* Boxes are where the head says, from the middle of the window. */
static void
test_box_head (void)
{
  CnnModel *model = make_two_heads ();
  const Disc disc = { 60, 40, 10, 0 };
  CnnDetectorConfig config = { .width = 128,
    .height = 96,
    .scale_factor = 2,
    .min_size = 20,
    .max_size = 20 };
  Frame frame;
  const CnnDetection *found;
  frame_init (&frame, config.width, config.height);
  draw (&frame, &disc);
  CnnDetector *detector = make_detector (model, &config);
  cnn_detector_run (detector, &frame.image);
  g_assert_cmpint (cnn_detector_detect (detector, &params, &found), ==, 1);
  g_assert_cmpfloat_with_epsilon (found->x0, 60 - 0.25 * WINDOW * 2, 1.5);
  g_assert_cmpfloat_with_epsilon (found->x1, 60 + 0.375 * WINDOW * 2, 1.5);
  g_assert_cmpfloat_with_epsilon (found->y0, 40 - 0.125 * WINDOW * 2, 1.5);
  g_assert_cmpfloat_with_epsilon (found->y1, 40 + 0.25 * WINDOW * 2, 1.5);
  cnn_detector_free (detector);
  g_free (frame.pixels);
  cnn_model_unref (model);
}

static void
test_max_size (void)
{
  CnnModel *model = make_model (0, NULL);
  CnnDetectorConfig config = { .width = 320,
    .height = 240,
    .scale_factor = 1.4,
    .max_size = 20 };
  CnnDetector *detector = make_detector (model, &config);
  g_assert_cmpint (cnn_detector_n_levels (detector), ==, 3);
  uint64_t few = cnn_detector_macs (detector);
  cnn_detector_free (detector);
  config.max_size = 0;
  detector = make_detector (model, &config);
  g_assert_cmpint (cnn_detector_n_levels (detector), ==, 9);
  g_assert_cmpuint (cnn_detector_macs (detector), >, few);
  cnn_detector_free (detector);
  cnn_model_unref (model);
}

static void
test_no_levels (void)
{
  CnnModel *model = make_model (0, NULL);
  Frame frame;
  const CnnDetection *found;
  frame_init (&frame, 15, 200);
  CnnDetector *detector =
      make_detector (model, &(CnnDetectorConfig){ .width = 15, .height = 200 });
  g_assert_cmpint (cnn_detector_n_levels (detector), ==, 0);
  g_assert_cmpuint (cnn_detector_macs (detector), ==, 0);
  cnn_detector_run (detector, &frame.image);
  g_assert_cmpint (cnn_detector_detect (detector, &params, &found), ==, 0);
  cnn_detector_free (detector);
  cnn_detector_free (NULL);
  g_free (frame.pixels);
  cnn_model_unref (model);
}

static void
test_maps (void)
{
  CnnModel *model = make_model (0, NULL);
  CnnDetector *detector = make_detector (model,
      &(CnnDetectorConfig){ .width = 321, .height = 243 });
  Frame frame;
  frame_init (&frame, 321, 243);
  draw (&frame, &scene[2]);
  cnn_detector_run (detector, &frame.image);
  for (int k = 0; k < cnn_detector_n_levels (detector); k++) {
    CnnMap map;
    cnn_detector_map (detector, k, &map);
    g_assert_cmpint (map.classes, ==, CLASSES);
    g_assert_cmpint (map.geometry.stride[0], ==, STRIDE);
    g_assert_cmpint (map.geometry.window[1], ==, WINDOW);
    double width = 321 / map.scale_x, height = 243 / map.scale_y;
    g_assert_cmpint (map.width, ==,
        ((int) lrint (width) - WINDOW) / STRIDE + 1);
    g_assert_cmpint (map.height, ==,
        ((int) lrint (height) - WINDOW) / STRIDE + 1);
    int cells = map.width * map.height;
    for (int i = 0; i < cells; i++)
      g_assert_cmpfloat_with_epsilon (map.scores[i] + map.scores[cells + i]
              + map.scores[2 * cells + i],
          1, 1e-5f);
  }
  cnn_detector_free (detector);
  g_free (frame.pixels);
  cnn_model_unref (model);
}

/* With windows half as far apart, every other cell is one of the map's. */
static void
test_window_stride (void)
{
  CnnModel *model = make_model (0, NULL);
  CnnDetectorConfig config = { .width = 321, .height = 243 };
  CnnDetector *own = make_detector (model, &config);
  config.window_stride = STRIDE / 2;
  CnnDetector *dense = make_detector (model, &config);
  Frame frame;
  CnnMap a, b;
  frame_init (&frame, 321, 243);
  draw (&frame, &scene[2]);
  cnn_detector_run (own, &frame.image);
  cnn_detector_run (dense, &frame.image);
  cnn_detector_map (own, 0, &a);
  cnn_detector_map (dense, 0, &b);
  g_assert_cmpint (b.geometry.stride[0], ==, STRIDE / 2);
  g_assert_cmpint (b.geometry.stride[1], ==, STRIDE / 2);
  g_assert_cmpint (b.width, ==, (321 - WINDOW) / (STRIDE / 2) + 1);
  for (int i = 0; i < a.height; i++)
    for (int j = 0; j < a.width; j++)
      g_assert_cmpfloat_with_epsilon (a.scores[i * a.width + j],
          b.scores[2 * i * b.width + 2 * j], 1e-5f);
  cnn_detector_free (dense);
  cnn_detector_free (own);
  g_free (frame.pixels);
  cnn_model_unref (model);
}

/* Says of each pixel whether it is bright. */
static CnnModel *
make_pixel_classifier (const char *object_size)
{
  float weights[] = { 20, -20 }, bias[] = { -10, 10 };
  CnnError error = { 0 };
  CnnGraph *graph;
  CnnModel *model;
  ok (cnn_graph_new (CNN_GRAPH_OPSET, &graph, &error), &error);
  ok (cnn_graph_add_input (graph, "x", CNN_TYPE_FLOAT32,
          &(CnnShape){ 4, { -1, 1, -1, -1 } }, &error),
      &error);
  add_constant (graph, "w", (CnnShape){ 4, { 2, 1, 1, 1 } }, weights);
  add_constant (graph, "b", (CnnShape){ 1, { 2 } }, bias);
  add_node (graph, "Conv", (const char *[]){ "x", "w", "b" }, 3, "y", NULL, 0);
  ok (cnn_graph_add_output (graph, "y", &error), &error);
  ok (cnn_graph_set_metadata (graph, "convnet.object-size", object_size,
          &error),
      &error);
  ok (cnn_model_new (graph, &model, &error), &error);
  return model;
}

static void
test_per_pixel (void)
{
  CnnModel *model = make_pixel_classifier (NULL);
  CnnDetector *detector =
      make_detector (model, &(CnnDetectorConfig){ .width = 50, .height = 40 });
  Frame frame;
  CnnMap map;
  const CnnDetection *found;
  CnnDetectParams any = params;
  any.background = -1;
  frame_init (&frame, 50, 40);
  draw (&frame, &(Disc){ 25, 20, 8, 0 });
  g_assert_cmpint (cnn_detector_n_levels (detector), ==, 1);
  g_assert_false (cnn_detector_finds_objects (detector));
  cnn_detector_run (detector, &frame.image);
  cnn_detector_map (detector, 0, &map);
  g_assert_cmpint (map.width, ==, 50);
  g_assert_cmpint (map.height, ==, 40);
  g_assert_cmpfloat (map.scores[20 * 50 + 25], >, 0.99f);
  g_assert_cmpint (cnn_detector_detect (detector, &any, &found), ==, 0);
  cnn_detector_free (detector);
  cnn_model_unref (model);

  model = make_pixel_classifier ("1");
  detector =
      make_detector (model, &(CnnDetectorConfig){ .width = 50, .height = 40 });
  g_assert_true (cnn_detector_finds_objects (detector));
  cnn_detector_run (detector, &frame.image);
  g_assert_cmpint (cnn_detector_detect (detector, &any, &found), >, 0);
  cnn_detector_free (detector);
  cnn_model_unref (model);
  g_free (frame.pixels);
}

static void
noise (Frame *frame, uint64_t seed)
{
  CnnRng rng;
  cnn_rng_init (&rng, seed, 0);
  for (int i = 0; i < frame->image.width * frame->image.height; i++)
    frame->pixels[i] = (uint8_t) cnn_rng_int (&rng, 256);
}

static void
test_threads (void)
{
  CnnModel *model = make_model (0, NULL);
  CnnDetection expected[CNN_DEFAULT_MAX_DETECTIONS];
  CnnDetectorConfig config = { .width = 321, .height = 243 };
  int n_expected = 0;
  Frame frame;
  frame_init (&frame, config.width, config.height);
  noise (&frame, 9);
  for (size_t i = 0; i < G_N_ELEMENTS (scene); i++)
    draw (&frame, &scene[i]);

  for (unsigned threads = 0; threads <= 4; threads++) {
    const CnnDetection *found;
    config.pool = NULL;
    if (threads)
      ok (cnn_pool_new (threads, &config.pool), NULL);
    CnnDetector *detector = make_detector (model, &config);
    cnn_detector_run (detector, &frame.image);
    int count = cnn_detector_detect (detector, &params, &found);
    if (!threads) {
      n_expected = count;
      memcpy (expected, found, sizeof *expected * (size_t) count);
    }
    g_assert_cmpmem (expected, sizeof *expected * (size_t) n_expected, found,
        sizeof *found * (size_t) count);
    cnn_detector_free (detector);
    cnn_pool_free (config.pool);
  }
  g_assert_cmpint (n_expected, >, 5);
  g_free (frame.pixels);
  cnn_model_unref (model);
}

/* Noise on a still scene must not make boxes jump by a stride or a level. */
static void
test_still (void)
{
  CnnModel *model = make_model (0, NULL);
  CnnDetectorConfig config = { .width = 320, .height = 240 };
  CnnDetector *detector = make_detector (model, &config);
  double low[G_N_ELEMENTS (scene)][3], high[G_N_ELEMENTS (scene)][3];
  CnnRng rng;
  cnn_rng_init (&rng, 10, 0);

  for (int round = 0; round < 12; round++) {
    Frame frame;
    const CnnDetection *found;
    frame_init (&frame, config.width, config.height);
    for (size_t i = 0; i < G_N_ELEMENTS (scene); i++)
      draw (&frame, &scene[i]);
    for (int i = 0; i < config.width * config.height; i++) {
      float p = frame.pixels[i] + 8 * cnn_rng_normal (&rng);
      frame.pixels[i] = (uint8_t) CLAMP (p, 0, 255);
    }
    cnn_detector_run (detector, &frame.image);
    int count = cnn_detector_detect (detector, &params, &found);
    g_assert_cmpint (count, ==, G_N_ELEMENTS (scene));
    for (size_t i = 0; i < G_N_ELEMENTS (scene); i++) {
      const CnnDetection *d = &found[find (&scene[i], found, count, 0.1, 0.2)];
      double now[] = { (d->x0 + d->x1) / 2, (d->y0 + d->y1) / 2,
        d->x1 - d->x0 };
      for (int a = 0; a < 3; a++) {
        low[i][a] = round ? MIN (low[i][a], now[a]) : now[a];
        high[i][a] = round ? MAX (high[i][a], now[a]) : now[a];
        g_assert_cmpfloat (high[i][a] - low[i][a], <, 0.2 * scene[i].radius);
      }
    }
    g_free (frame.pixels);
  }
  cnn_detector_free (detector);
  cnn_model_unref (model);
}

static void
test_allocations (void)
{
  if (allocations_count () < 0) {
    g_test_skip ("calls of this allocator can't be counted");
    return;
  }
  CnnModel *model = make_model (0, NULL);
  CnnDetectorConfig config = { .width = 320, .height = 240 };
  CnnDetectParams every = params;
  Frame frame;
  const CnnDetection *found;
  every.threshold = 0;
  ok (cnn_pool_new (2, &config.pool), NULL);
  frame_init (&frame, config.width, config.height);
  noise (&frame, 11);
  CnnDetector *detector = make_detector (model, &config);

  long before = allocations_count ();
  g_assert_cmpint (before, >, 0);
  for (int i = 0; i < 3; i++) {
    cnn_detector_run (detector, &frame.image);
    cnn_detector_detect (detector, &params, &found);
    cnn_detector_detect (detector, &every, &found);
  }
  g_assert_cmpint (allocations_count () - before, ==, 0);
  cnn_detector_free (detector);
  cnn_pool_free (config.pool);
  g_free (frame.pixels);
  cnn_model_unref (model);
}

static void
test_arguments (void)
{
  CnnModel *model = make_model (0, NULL);
  CnnDetector *detector = NULL;
  CnnError error = { 0 };
  CnnDetectorConfig config = { .width = 320,
    .height = 240,
    .scale_factor = 0.9 };
  g_assert_cmpint (cnn_detector_new (model, &config, &detector, &error), ==,
      CNN_ERROR_ARGUMENT);
  g_assert_nonnull (strstr (error.message, "scale factor"));
  config.scale_factor = 0;
  config.window_stride = -1;
  g_assert_cmpint (cnn_detector_new (model, &config, &detector, &error), ==,
      CNN_ERROR_ARGUMENT);
  g_assert_nonnull (strstr (error.message, "-1 pixels apart"));
  config.window_stride = 0;
  config.width = 0;
  g_assert_cmpint (cnn_detector_new (model, &config, &detector, &error), ==,
      CNN_ERROR_ARGUMENT);
  g_assert_null (detector);
  cnn_model_unref (model);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/detector/truth", test_truth);
  g_test_add_func ("/detector/kinds", test_kinds);
  g_test_add_func ("/detector/padded", test_padded);
  g_test_add_func ("/detector/small", test_small);
  g_test_add_func ("/detector/models-min-size", test_models_min_size);
  g_test_add_func ("/detector/border", test_border);
  g_test_add_func ("/detector/box-head", test_box_head);
  g_test_add_func ("/detector/max-size", test_max_size);
  g_test_add_func ("/detector/no-levels", test_no_levels);
  g_test_add_func ("/detector/maps", test_maps);
  g_test_add_func ("/detector/window-stride", test_window_stride);
  g_test_add_func ("/detector/per-pixel", test_per_pixel);
  g_test_add_func ("/detector/threads", test_threads);
  g_test_add_func ("/detector/still", test_still);
  g_test_add_func ("/detector/allocations", test_allocations);
  g_test_add_func ("/detector/arguments", test_arguments);
  return g_test_run ();
}
