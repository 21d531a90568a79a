/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reuse.c: what reuse=exact is worth where little of the picture changes.
 *
 *   benchmark-reuse [--network A|B] [--model FILE] [--size WxH] [--changed WxH]
 *       [--threads N] [--one-level] [--rounds N]
 *
 * Two detectors, one that computes every frame and one that computes what
 * follows from changed pixels, see a few frames each in turn, so that a noisy
 * machine disturbs both: noise that stands still but for one rectangle, which
 * is new in every frame, at another place in every round. Boxes are decoded by
 * both. Then the second sees a frame twice. Class maps are compared, bit for
 * bit. Prints JSON: medians in milliseconds and their ratios; of one thread it
 * is the processor's time, of several it is the clock's.
 *
 * Network A is LeNet-5 of 1998, B has 20, 50 and 500 maps, both with random
 * weights and Relu. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cnn/detect.h>
#include <cnn/onnx.h>

#include "bench-file.h"

#define MAX_ROUNDS 1000
#define CLASSES    11
/* That one detector sees before the other. */
#define FRAMES 5

typedef struct
{
  const char *network, *model;
  int width, height, changed_width, changed_height;
  int threads, rounds, one_level;
} Options;

typedef struct
{
  CnnGraph *graph;
  char last[16];
  int count;
} Net;

static void
fail (const char *what, const char *why)
{
  fprintf (stderr, "reuse: %s: %s\n", what, why);
  exit (1);
}

static void
check (CnnStatus status, const CnnError *error, const char *what)
{
  if (status)
    fail (what, error->message);
}

/* One thread's own time: what others do meanwhile does not count. Several
 * wait for each other, which does. */
static double
now (const Options *o)
{
  struct timespec t;
  clock_gettime (o->threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC,
      &t);
  return (double) t.tv_sec + 1e-9 * (double) t.tv_nsec;
}

static unsigned
noise (void)
{
  static uint64_t state = 1;
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (unsigned) (state >> 40);
}

/* -- networks ----------------------------------------------------------- */

static void
add_constant (Net *net, const char *name, const CnnShape *shape, double spread)
{
  CnnError error;
  size_t count;
  check (cnn_shape_elements (shape, &count), NULL, name);
  float *x = malloc (count * sizeof *x);
  for (size_t i = 0; i < count && x; i++)
    x[i] = (float) (spread * (noise () * 0x1p-23 - 1));
  CnnTensor tensor = { CNN_TYPE_FLOAT32, *shape, x };
  check (cnn_graph_add_constant (net->graph, name, &tensor, &error), &error,
      name);
  free (x);
}

static void
add (Net *net, const char *op, const char *weights, const char *bias,
    const CnnAttribute *attributes, int n_attributes)
{
  CnnError error;
  char name[16];
  const char *in[] = { net->last, weights, bias }, *out[] = { name };
  snprintf (name, sizeof name, "t%d", net->count++);
  check (cnn_graph_add_node (net->graph, op, name, in, weights ? 3 : 1, out, 1,
             attributes, n_attributes, &error),
      &error, op);
  strcpy (net->last, name);
}

static void
add_conv (Net *net, int ic, int oc, int kernel, int relu)
{
  char w[16], b[16];
  snprintf (w, sizeof w, "w%d", net->count);
  snprintf (b, sizeof b, "b%d", net->count);
  /* The answers of noise are to be unsure: a scene has few objects. */
  add_constant (net, w, &(CnnShape){ 4, { oc, ic, kernel, kernel } },
      sqrt ((relu ? 6.0 : 0.01) / (ic * kernel * kernel)));
  add_constant (net, b, &(CnnShape){ 1, { oc } }, 0.1);
  add (net, "Conv", w, b, NULL, 0);
  if (relu)
    add (net, "Relu", NULL, NULL, NULL, 0);
}

static void
add_pool (Net *net)
{
  static const int64_t two[] = { 2, 2 };
  CnnAttribute attributes[] = {
    { "kernel_shape", CNN_ATTRIBUTE_INTS, .count = 2, .ints = two },
    { "strides", CNN_ATTRIBUTE_INTS, .count = 2, .ints = two },
  };
  add (net, "MaxPool", NULL, NULL, attributes, 2);
}

static CnnModel *
make_network (char which)
{
  CnnError error;
  CnnModel *model;
  Net net = { .last = "x" };
  CnnShape any = { 4, { 1, 1, -1, -1 } };
  CnnAttribute axis = { "axis", CNN_ATTRIBUTE_INT, .i = 1 };
  int a = which == 'A';
  check (cnn_graph_new (CNN_GRAPH_OPSET, &net.graph, &error), &error, "A, B");
  check (cnn_graph_add_input (net.graph, "x", CNN_TYPE_FLOAT32, &any, &error),
      &error, "x");
  add_conv (&net, 1, a ? 6 : 20, 5, 1);
  add_pool (&net);
  add_conv (&net, a ? 6 : 20, a ? 16 : 50, 5, 1);
  add_pool (&net);
  add_conv (&net, a ? 16 : 50, a ? 120 : 500, 5, 1);
  if (a)
    add_conv (&net, 120, 84, 1, 1);
  add_conv (&net, a ? 84 : 500, CLASSES, 1, 0);
  add (&net, "Softmax", NULL, NULL, &axis, 1);
  check (cnn_graph_add_output (net.graph, net.last, &error), &error, "y");
  check (cnn_model_new (net.graph, &model, &error), &error, "A, B");
  return model;
}

static CnnModel *
read_model (const char *path)
{
  CnnError error;
  CnnModel *model;
  size_t size;
  void *bytes = bench_read_file (path, &size);
  if (!bytes)
    fail (path, "can't be read");
  check (cnn_onnx_read (bytes, size, &model, &error), &error, path);
  free (bytes);
  return model;
}

/* -- measuring ---------------------------------------------------------- */

static int
ascending (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

static double
median (double *times, int count)
{
  qsort (times, (size_t) count, sizeof *times, ascending);
  return (times[(count - 1) / 2] + times[count / 2]) / 2;
}

/* Returns: seconds for a frame: maps and boxes. */
static double
run (CnnDetector *detector, const CnnImage *image, const Options *o)
{
  static const CnnDetectParams params = { .background = CLASSES - 1,
    .threshold = 0.95,
    .iou_threshold = CNN_DEFAULT_IOU_THRESHOLD,
    .max_detections = CNN_DEFAULT_MAX_DETECTIONS };
  const CnnDetection *found;
  double start = now (o);
  cnn_detector_run (detector, image);
  cnn_detector_detect (detector, &params, &found);
  return now (o) - start;
}

static void
compare (const CnnDetector *a, const CnnDetector *b)
{
  for (int k = 0; k < cnn_detector_n_levels (a); k++) {
    CnnMap x, y;
    cnn_detector_map (a, k, &x);
    cnn_detector_map (b, k, &y);
    size_t cells = (size_t) x.width * (size_t) x.height;
    if (memcmp (x.scores, y.scores,
            cells * (size_t) x.classes * sizeof *x.scores))
      fail ("class maps", "differ");
  }
}

static void
change (uint8_t *pixels, const Options *o, int x, int y)
{
  for (int i = 0; i < o->changed_height; i++)
    for (int j = 0; j < o->changed_width; j++)
      pixels[(y + i) * o->width + x + j] = (uint8_t) noise ();
}

/* Returns: seconds for a frame of a few of which one rectangle is new; the
 * first, in which another may be, does not count. */
static double
stream (CnnDetector *detector, const CnnImage *image, uint8_t *pixels, int x,
    int y, const Options *o)
{
  double times[FRAMES];
  for (int i = -1; i < FRAMES; i++) {
    change (pixels, o, x, y);
    times[i < 0 ? 0 : i] = run (detector, image, o);
  }
  return median (times, FRAMES);
}

static CnnDetector *
make_detector (CnnModel *model, const Options *o, CnnPool *pool, int reuse)
{
  CnnError error;
  CnnDetector *detector;
  CnnDetectorConfig config = {
    .width = o->width,
    .height = o->height,
    .scale_factor = o->one_level ? 1000 : 0,
    .reuse = reuse,
    .pool = pool,
  };
  check (cnn_detector_new (model, &config, &detector, &error), &error,
      "a detector");
  return detector;
}

static void
measure (const Options *o, CnnModel *model)
{
  double whole[MAX_ROUNDS], part[MAX_ROUNDS], still[MAX_ROUNDS];
  CnnPool *pool;
  if (cnn_pool_new ((unsigned) o->threads, &pool))
    fail ("threads", "can't be made");
  CnnDetector *every = make_detector (model, o, pool, 0);
  CnnDetector *changed = make_detector (model, o, pool, 1);
  uint8_t *pixels = malloc ((size_t) o->width * (size_t) o->height);
  if (!pixels)
    fail ("a frame", "no memory");
  for (int i = 0; i < o->width * o->height; i++)
    pixels[i] = (uint8_t) noise ();
  CnnImage image = { o->width, o->height, 1, { pixels }, { o->width }, 1,
    CNN_LEVELS_FULL };

  for (int i = 0; i < o->rounds; i++) {
    int x = (int) noise () % (o->width - o->changed_width + 1);
    int y = (int) noise () % (o->height - o->changed_height + 1);
    whole[i] = stream (every, &image, pixels, x, y, o);
    part[i] = stream (changed, &image, pixels, x, y, o);
    run (every, &image, o);
    compare (every, changed);
    still[i] = run (changed, &image, o);
    compare (every, changed);
  }
  double w = 1e3 * median (whole, o->rounds),
         p = 1e3 * median (part, o->rounds);
  double s = 1e3 * median (still, o->rounds);
  printf ("{\"network\": \"%s\", \"width\": %d, \"height\": %d, "
          "\"changed_width\": %d, \"changed_height\": %d, \"levels\": %d, "
          "\"threads\": %d, \"rounds\": %d, \"whole_ms\": %.3f, "
          "\"changed_ms\": %.3f, \"unchanged_ms\": %.3f, "
          "\"whole_to_changed\": %.2f, \"whole_to_unchanged\": %.1f}\n",
      o->model ? o->model : o->network, o->width, o->height, o->changed_width,
      o->changed_height, cnn_detector_n_levels (every), o->threads, o->rounds,
      w, p, s, w / p, w / s);
  free (pixels);
  cnn_detector_free (changed);
  cnn_detector_free (every);
  cnn_pool_free (pool);
}

static Options
parse (int argc, char **argv)
{
  Options o = { "A", NULL, 1280, 720, 286, 161, 1, 31, 0 };
  for (int i = 1; i < argc; i++) {
    const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : "";
    if (!strcmp (name, "--one-level")) {
      o.one_level = 1;
      continue;
    }
    i++;
    if (!strcmp (name, "--network"))
      o.network = value;
    else if (!strcmp (name, "--model"))
      o.model = value;
    else if (!strcmp (name, "--threads"))
      o.threads = atoi (value);
    else if (!strcmp (name, "--rounds"))
      o.rounds = atoi (value);
    else if (strcmp (name, "--size") && strcmp (name, "--changed"))
      fail (name, "is no option");
    else if (sscanf (value, "%dx%d",
                 name[2] == 's' ? &o.width : &o.changed_width,
                 name[2] == 's' ? &o.height : &o.changed_height)
        != 2)
      fail (name, "wants WIDTHxHEIGHT");
  }
  if (o.width < 1 || o.height < 1 || o.changed_width < 1 || o.changed_height < 1
      || o.changed_width > o.width || o.changed_height > o.height
      || o.threads < 1 || o.rounds < 1 || o.rounds > MAX_ROUNDS
      || (*o.network != 'A' && *o.network != 'B'))
    fail ("options", "out of range");
  return o;
}

int
main (int argc, char **argv)
{
  Options o = parse (argc, argv);
  CnnModel *model = o.model ? read_model (o.model) : make_network (*o.network);
  measure (&o, model);
  cnn_model_unref (model);
  return 0;
}
