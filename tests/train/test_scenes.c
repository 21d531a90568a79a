/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test_scenes.c: windows of scenes are what their targets say. */

#include <glib.h>
#include <math.h>
#include <string.h>

#include <cnn/train.h>

#include "base/rng.h"
#include "netbuild.h"

#define WINDOW  40
#define BORDER  16
#define NOTHING 2

/* Two "digits": full bars, 20 high and 6 wide, and 12 high and 20 wide. */
static uint8_t pixels[2 * 28 * 28];
static const uint8_t labels[] = { 0, 1 };

static CnnDigits
bars (void)
{
  for (int y = 4; y < 24; y++)
    memset (pixels + y * 28 + 11, 255, 6);
  for (int y = 8; y < 20; y++)
    memset (pixels + (28 + y) * 28 + 4, 255, 20);
  return (CnnDigits){ 2, 28, 28, pixels, labels };
}

static CnnScenesConfig
config (void)
{
  return (CnnScenesConfig){ .window = WINDOW,
    .border = BORDER,
    .object = 20,
    .scale_factor = 1.5,
    .background = NOTHING,
    .count = 24,
    .windows = 32,
    .enlarged_share = 0.2,
    .off_centre = 3.2,
    .size_min = 0.74,
    .size_max = 1.36 };
}

static CnnScenes *
make (const CnnScenesConfig *c, const CnnSceneSources *sources, CnnPool *pool,
    CnnModel *model, uint64_t seed)
{
  CnnError error = { 0 };
  CnnScenes *scenes = NULL;
  net_ok (cnn_scenes_new (c, sources, pool, &scenes, &error), &error);
  net_ok (cnn_scenes_renew (scenes, model, seed, &error), &error);
  return scenes;
}

static CnnSceneSources
sources_of (const CnnDigits *digits)
{
  return (CnnSceneSources){ .digits = digits,
    .empty_share = 0.3,
    .invert = 0.4,
    .contrast_min = 0.3,
    .noise = 0.05 };
}

/* Mean of what is inside the box or outside of it. */
static double
mean_of (const float *window, const float *box, gboolean inside)
{
  double sum = 0;
  int count = 0;
  float middle = WINDOW / 2.0f;
  for (int y = 0; y < WINDOW; y++)
    for (int x = 0; x < WINDOW; x++) {
      gboolean in = x >= middle - box[0] * WINDOW
          && x + 1 <= middle + box[2] * WINDOW && y >= middle - box[1] * WINDOW
          && y + 1 <= middle + box[3] * WINDOW;
      if (in == inside) {
        sum += window[y * WINDOW + x];
        count++;
      }
    }
  return count ? sum / count : 0;
}

/* On black every bar is white all over its box, about in the middle, and of
 * about the object's size. */
static void
test_boxes (void)
{
  CnnDigits digits = bars ();
  CnnSceneSources sources = sources_of (&digits);
  CnnScenesConfig c = config ();
  float window[WINDOW * WINDOW];
  int seen[3] = { 0 };
  sources.black_share = 1;
  c.enlarged_share = 0;
  CnnScenes *scenes = make (&c, &sources, NULL, NULL, 3);
  g_assert_cmpint (cnn_scenes_size (scenes), ==, 24 * 32);
  for (int i = 0; i < cnn_scenes_size (scenes); i++) {
    CnnTarget t;
    cnn_scenes_sample (scenes, i, window, &t);
    g_assert_cmpint (t.label, >=, 0);
    g_assert_cmpint (t.label, <=, NOTHING);
    seen[t.label]++;
    g_assert_cmpint (t.has_box, ==, t.label != NOTHING);
    if (!t.has_box)
      continue;
    float w = (t.box[0] + t.box[2]) * WINDOW,
          h = (t.box[1] + t.box[3]) * WINDOW;
    g_assert_cmpfloat (fmaxf (w, h), >, 0.7 * 20);
    g_assert_cmpfloat (fmaxf (w, h), <, 1.4 * 20);
    g_assert_cmpfloat (fabsf (t.box[0] - t.box[2]) * WINDOW, <, 7);
    g_assert_cmpfloat (fabsf (t.box[1] - t.box[3]) * WINDOW, <, 7);
    if (t.label)
      g_assert_cmpfloat (w, >, h);
    else
      g_assert_cmpfloat (h, >, w);
    g_assert_cmpfloat (mean_of (window, t.box, TRUE), >, 0.6);
    g_assert_cmpfloat (mean_of (window, t.box, FALSE), <, 0.45);
  }
  for (int k = 0; k < 3; k++)
    g_assert_cmpint (seen[k], >, 20);
  cnn_scenes_free (scenes);
}

/* Takes bright pixels in the middle for an "a", and the rest for nothing. */
static CnnModel *
small_net (void)
{
  CnnError error = { 0 };
  Net net;
  float weights[100 * 3] = { 0 }, biases[] = { -3, -9, 3 };
  CnnTensor weight = { CNN_TYPE_FLOAT32, { 2, { 100, 3 } }, weights };
  CnnTensor bias = { CNN_TYPE_FLOAT32, { 1, { 3 } }, biases };
  const char *more[] = { "weight", "bias" };
  for (int y = 2; y < 8; y++)
    for (int x = 2; x < 8; x++)
      weights[(y * 10 + x) * 3] = 1;
  net_begin (&net, 5, 1, WINDOW, WINDOW);
  net_pool (&net, "AveragePool", 4, 4);
  net_op (&net, "Flatten");
  net_ok (cnn_graph_add_constant (net.graph, "weight", &weight, &error),
      &error);
  net_ok (cnn_graph_add_constant (net.graph, "bias", &bias, &error), &error);
  net_add (&net, "Gemm", more, 2, NULL, 0);
  return net_end (&net);
}

/* All windows and labels, one after another. */
static GBytes *
everything (CnnScenes *scenes)
{
  GByteArray *all = g_byte_array_new ();
  float window[WINDOW * WINDOW];
  for (int i = 0; i < cnn_scenes_size (scenes); i++) {
    CnnTarget t;
    cnn_scenes_sample (scenes, i, window, &t);
    g_byte_array_append (all, (const guint8 *) window, sizeof window);
    g_byte_array_append (all, (const guint8 *) &t.label, sizeof t.label);
    g_byte_array_append (all, (const guint8 *) t.box, sizeof t.box);
  }
  return g_byte_array_free_to_bytes (all);
}

static GBytes *
with (int threads, CnnModel *model, uint64_t seed)
{
  CnnDigits digits = bars ();
  CnnSceneSources sources = sources_of (&digits);
  CnnScenesConfig c = config ();
  CnnPool *pool = NULL;
  sources.black_share = 0.2;
  g_assert_cmpint (cnn_pool_new ((unsigned) threads, &pool), ==, CNN_OK);
  CnnScenes *scenes = make (&c, &sources, pool, model, seed);
  GBytes *all = everything (scenes);
  cnn_scenes_free (scenes);
  cnn_pool_free (pool);
  return all;
}

static void
test_same_seed (void)
{
  CnnModel *model = small_net ();
  GBytes *first = with (1, model, 7), *other = with (1, model, 8);
  GBytes *unmined = with (1, NULL, 7);
  g_assert_false (g_bytes_equal (first, other));
  g_assert_false (g_bytes_equal (first, unmined));
  for (int threads = 1; threads <= 3; threads++) {
    GBytes *again = with (threads, model, 7);
    g_assert_true (g_bytes_equal (first, again));
    g_bytes_unref (again);
  }
  g_bytes_unref (unmined);
  g_bytes_unref (other);
  g_bytes_unref (first);
  cnn_model_unref (model);
}

/* Windows without a digit that the network finds are what it found worst. */
static void
test_mining (void)
{
  CnnModel *model = small_net ();
  CnnError error = { 0 };
  CnnShape shape = { 4, { 1, 1, WINDOW, WINDOW } };
  CnnSession *session = NULL;
  double sums[2] = { 0 }, counts[2] = { 0 };
  net_ok (cnn_session_new (model, &shape, NULL, &session, &error), &error);
  for (int mined = 0; mined < 2; mined++) {
    CnnDigits digits = bars ();
    CnnSceneSources sources = sources_of (&digits);
    CnnScenesConfig c = config ();
    sources.black_share = 1;
    CnnScenes *scenes = make (&c, &sources, NULL, mined ? model : NULL, 4);
    for (int i = 0; i < cnn_scenes_size (scenes); i++) {
      CnnTarget t;
      cnn_scenes_sample (scenes, i, cnn_session_input (session, 0)->data, &t);
      if (t.label != NOTHING)
        continue;
      cnn_session_run (session);
      const float *z = cnn_session_output (session, 0)->data;
      double none = exp (z[NOTHING]), all = exp (z[0]) + exp (z[1]) + none;
      sums[mined] += 1 - none / all;
      counts[mined]++;
    }
    cnn_scenes_free (scenes);
  }
  g_assert_cmpfloat (sums[1] / counts[1], >, 1.3 * sums[0] / counts[0]);
  cnn_session_free (session);
  cnn_model_unref (model);
}

static void
test_arguments (void)
{
  CnnDigits digits = bars ();
  CnnSceneSources sources = sources_of (&digits);
  CnnError error;
  for (int k = 0; k < 7; k++) {
    CnnScenesConfig c = config ();
    CnnScenes *scenes = NULL;
    if (k == 0)
      c.window = 1000;
    else if (k == 1)
      c.object = NAN;
    else if (k == 2)
      c.scale_factor = 1;
    else if (k == 3)
      c.background = -1;
    else if (k == 4)
      c.off_centre = 0;
    else if (k == 5)
      c.size_min = 1.4;
    else
      c.count = 0;
    g_assert_cmpint (cnn_scenes_new (&c, &sources, NULL, &scenes, &error), ==,
        CNN_ERROR_ARGUMENT);
    g_assert_null (scenes);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/scenes/boxes", test_boxes);
  g_test_add_func ("/scenes/seed", test_same_seed);
  g_test_add_func ("/scenes/mining", test_mining);
  g_test_add_func ("/scenes/arguments", test_arguments);
  return g_test_run ();
}
