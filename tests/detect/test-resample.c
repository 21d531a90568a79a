/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-resample.c: the resampler against the definition, in doubles.
 *
 * The reference integrates over each pixel's area (or interpolates between
 * centres) the slow and plain way. Traps: rows that run upwards, pixels with
 * steps, odd sizes, one-pixel sides, enlarging one side only, more rows under
 * one pixel than 16 bits can add. */

#include <cnn/image.h>

#include <glib.h>
#include <math.h>
#include <string.h>

#include "base/rng.h"

/* Weight of source pixel k in destination pixel i. */
static double
weight (int src, int dst, int i, int k)
{
  double scale = (double) src / dst;
  if (dst < src) {
    double from = fmax (i * scale, k), to = fmin ((i + 1) * scale, k + 1);
    return fmax (to - from, 0) / scale;
  }
  double at = (i + 0.5) * scale - 0.5;
  at = fmin (fmax (at, 0), src - 1);
  return fmax (1 - fabs (at - k), 0);
}

static const double ranges[][2] = {
  [CNN_RANGE_0_1] = { 0, 1 },
  [CNN_RANGE_0_255] = { 0, 255 },
  [CNN_RANGE_1_1] = { -1, 1 },
  [CNN_RANGE_16_235] = { 16, 235 },
};

static double
tone (const CnnImage *image, CnnPixelRange range, double v)
{
  if (image->levels == CNN_LEVELS_VIDEO)
    v = (v - 16) / 219;
  else
    v /= 255;
  v = fmin (fmax (v, 0), 1);
  return ranges[range][0] + v * (ranges[range][1] - ranges[range][0]);
}

static double
reference (const CnnImage *image, int channel, int dst_width, int dst_height,
    int x, int y)
{
  double sum = 0;
  for (int k = 0; k < image->height; k++) {
    double wy = weight (image->height, dst_height, y, k);
    if (wy == 0)
      continue;
    const uint8_t *row = image->data[channel] + k * image->pitch_bytes[channel];
    for (int l = 0; l < image->width; l++)
      sum += wy * weight (image->width, dst_width, x, l)
          * row[l * image->step_bytes];
  }
  return sum;
}

static double
span_of (CnnPixelRange range)
{
  return ranges[range][1] - ranges[range][0];
}

typedef struct
{
  CnnImage image;
  uint8_t *memory;
} Frame;

/* A frame of noise with a step, padding at the row ends, maybe upside down */
static void
frame_init (Frame *frame, CnnRng *rng, int width, int height, int channels)
{
  int step = channels == 3 ? 3 + (int) cnn_rng_int (rng, 2)
                           : 1 + (int) cnn_rng_int (rng, 4);
  ptrdiff_t pitch = width * step + (int) cnn_rng_int (rng, 9);
  size_t bytes = (size_t) pitch * (size_t) height;
  int flipped = (int) cnn_rng_int (rng, 2);

  frame->memory = g_malloc (bytes);
  for (size_t i = 0; i < bytes; i++)
    frame->memory[i] = (uint8_t) cnn_rng_int (rng, 256);
  frame->image = (CnnImage){
    .width = width,
    .height = height,
    .channels = channels,
    .step_bytes = step,
    .levels = cnn_rng_int (rng, 2) ? CNN_LEVELS_VIDEO : CNN_LEVELS_FULL,
  };
  for (int c = 0; c < channels; c++) {
    frame->image.data[c] =
        frame->memory + c + (flipped ? (height - 1) * pitch : 0);
    frame->image.pitch_bytes[c] = flipped ? -pitch : pitch;
  }
}

static void
check (Frame *frame, int dst_width, int dst_height, CnnPixelRange range)
{
  CnnImage *image = &frame->image;
  CnnResampler *resampler;
  size_t plane = (size_t) dst_width * (size_t) dst_height;
  size_t count = plane * (size_t) image->channels;
  float *out = g_new (float, count + 1);
  out[count] = 4711;

  g_assert_cmpint (cnn_resampler_new (image->width, image->height, dst_width,
                       dst_height, 0, &resampler, NULL),
      ==, CNN_OK);
  cnn_resampler_run (resampler, image, range, NULL, out);
  for (size_t i = 0; i < count; i++) {
    int x = (int) (i % (size_t) dst_width), c = (int) (i / plane);
    int y = (int) (i % plane) / dst_width;
    double expected =
        tone (image, range, reference (image, c, dst_width, dst_height, x, y));
    if (fabs (out[i] - expected) > 1e-5 * span_of (range))
      g_error ("%dx%d -> %dx%d, channel %d, step %d: %g at %d,%d, not %g",
          image->width, image->height, dst_width, dst_height, c,
          image->step_bytes, out[i], x, y, expected);
  }
  g_assert_cmpfloat (out[count], ==, 4711);
  cnn_resampler_free (resampler);
  g_free (out);
}

static void
test_random (void)
{
  CnnRng rng;
  cnn_rng_init (&rng, 1, 0);
  for (int i = 0; i < 250; i++) {
    int channels = cnn_rng_int (&rng, 3) ? 1 : 3;
    Frame frame;
    frame_init (&frame, &rng, 1 + (int) cnn_rng_int (&rng, 90),
        1 + (int) cnn_rng_int (&rng, 70), channels);
    check (&frame, 1 + (int) cnn_rng_int (&rng, 80),
        1 + (int) cnn_rng_int (&rng, 80), (CnnPixelRange) (i % 4));
    g_free (frame.memory);
  }
}

static void
test_shapes (void)
{
  static const int sizes[][4] = { { 1, 1, 1, 1 }, { 1, 1, 9, 5 },
    { 9, 5, 1, 1 }, { 64, 48, 64, 48 }, { 64, 48, 32, 24 }, { 64, 48, 128, 96 },
    { 64, 48, 64, 20 }, { 64, 48, 20, 48 }, { 7, 2000, 3, 3 }, { 3, 600, 3, 1 },
    { 2000, 3, 7, 2 } };
  CnnRng rng;
  cnn_rng_init (&rng, 2, 0);
  for (size_t i = 0; i < G_N_ELEMENTS (sizes); i++) {
    const int *s = sizes[i];
    Frame frame;
    frame_init (&frame, &rng, s[0], s[1], i % 2 ? 3 : 1);
    check (&frame, s[2], s[3], CNN_RANGE_0_1);
    g_free (frame.memory);
  }
}

static void
expect_constant (int value, CnnImageLevels levels, float expected)
{
  static const int sizes[][2] = { { 101, 67 }, { 37, 31 }, { 200, 150 },
    { 3, 2 } };
  uint8_t pixels[101 * 67];
  memset (pixels, value, sizeof pixels);
  CnnImage image = { .width = 101,
    .height = 67,
    .channels = 1,
    .data = { pixels },
    .pitch_bytes = { 101 },
    .step_bytes = 1,
    .levels = levels };

  for (size_t i = 0; i < G_N_ELEMENTS (sizes); i++) {
    int width = sizes[i][0], height = sizes[i][1];
    float *out = g_new (float, width *height);
    CnnResampler *resampler;
    g_assert_cmpint (cnn_resampler_new (101, 67, width, height, 0, &resampler,
                         NULL),
        ==, CNN_OK);
    cnn_resampler_run (resampler, &image, CNN_RANGE_0_1, NULL, out);
    for (int j = 0; j < width * height; j++) {
      g_assert_cmpfloat_with_epsilon (out[j], expected, 5e-7);
      g_assert_cmpfloat (out[j], <=, 1);
      g_assert_cmpfloat (out[j], >=, 0);
    }
    cnn_resampler_free (resampler);
    g_free (out);
  }
}

/* Flat pictures stay flat, and black and white are exactly that far. */
static void
test_constant (void)
{
  expect_constant (0, CNN_LEVELS_FULL, 0);
  expect_constant (255, CNN_LEVELS_FULL, 1);
  expect_constant (100, CNN_LEVELS_FULL, 100 / 255.f);
  expect_constant (16, CNN_LEVELS_VIDEO, 0);
  expect_constant (235, CNN_LEVELS_VIDEO, 1);
  expect_constant (126, CNN_LEVELS_VIDEO, 110 / 219.f);
  expect_constant (0, CNN_LEVELS_VIDEO, 0);
  expect_constant (255, CNN_LEVELS_VIDEO, 1);
}

static void
test_threads (void)
{
  CnnRng rng;
  cnn_rng_init (&rng, 3, 0);
  Frame frame;
  frame_init (&frame, &rng, 321, 243, 3);
  size_t bytes = 3 * 200 * 150 * sizeof (float);
  float *alone = g_malloc (bytes), *shared = g_malloc (bytes);
  CnnResampler *resampler;
  g_assert_cmpint (cnn_resampler_new (321, 243, 200, 150, 0, &resampler, NULL),
      ==, CNN_OK);
  cnn_resampler_run (resampler, &frame.image, CNN_RANGE_1_1, NULL, alone);

  for (unsigned threads = 1; threads <= 4; threads++) {
    CnnPool *pool;
    g_assert_cmpint (cnn_pool_new (threads, &pool), ==, CNN_OK);
    for (int i = 0; i < 20; i++) {
      memset (shared, 0xff, bytes);
      cnn_resampler_run (resampler, &frame.image, CNN_RANGE_1_1, pool, shared);
      g_assert_cmpmem (alone, bytes, shared, bytes);
    }
    cnn_pool_free (pool);
  }
  cnn_resampler_free (resampler);
  g_free (alone);
  g_free (shared);
  g_free (frame.memory);
}

/* What follows from a changed rectangle, and nothing else, is written, and with
 * the bits that a run of everything gives. */
static void
expect_region (CnnRng *rng, int width, int height, int to_width, int to_height)
{
  Frame frame;
  CnnResampler *resampler;
  int channels = cnn_rng_int (rng, 2) ? 3 : 1;
  int border = cnn_rng_int (rng, 2) ? (int) cnn_rng_int (rng, 9) : 0;
  frame_init (&frame, rng, width, height, channels);
  int pitch = to_width + 2 * border;
  size_t plane = (size_t) pitch * (size_t) (to_height + 2 * border);
  size_t count = (size_t) channels * plane;
  float *whole = g_new (float, count), *part = g_new (float, count);
  g_assert_cmpint (cnn_resampler_new (width, height, to_width, to_height,
                       border, &resampler, NULL),
      ==, CNN_OK);
  cnn_resampler_run (resampler, &frame.image, CNN_RANGE_0_1, NULL, part);

  CnnRegion r = { (int) cnn_rng_int (rng, (uint32_t) width),
    (int) cnn_rng_int (rng, (uint32_t) height), 0, 0 };
  r.x1 = r.x0 + 1 + (int) cnn_rng_int (rng, (uint32_t) (width - r.x0));
  r.y1 = r.y0 + 1 + (int) cnn_rng_int (rng, (uint32_t) (height - r.y0));
  for (int c = 0; c < channels; c++)
    for (int y = r.y0; y < r.y1; y++)
      for (int x = r.x0; x < r.x1; x++) {
        /* The frame is the test's own. */
        uint8_t *pixel = (uint8_t *) frame.image.data[c]
            + y * frame.image.pitch_bytes[c] + x * frame.image.step_bytes;
        *pixel = (uint8_t) ~*pixel;
      }
  cnn_resampler_run (resampler, &frame.image, CNN_RANGE_0_1, NULL, whole);
  CnnRegion to = cnn_resampler_region (resampler, &r);
  for (int c = 0; c < channels; c++)
    for (int y = to.y0; y < to.y1; y++)
      for (int x = to.x0; x < to.x1; x++)
        part[(size_t) c * plane + (size_t) (y * pitch + x)] = -1;
  g_assert_true (to.x1 <= to.x0 || to.y1 <= to.y0
      || memcmp (part, whole, count * sizeof *part));
  cnn_resampler_run_region (resampler, &frame.image, CNN_RANGE_0_1, &to, NULL,
      part);
  g_assert_cmpmem (part, count * sizeof *part, whole, count * sizeof *whole);
  cnn_resampler_free (resampler);
  g_free (whole);
  g_free (part);
  g_free (frame.memory);
}

static void
test_regions (void)
{
  CnnRng rng;
  cnn_rng_init (&rng, 4, 0);
  for (int i = 0; i < 300; i++) {
    int width = 1 + (int) cnn_rng_int (&rng, 90);
    int height = 1 + (int) cnn_rng_int (&rng, 90);
    gboolean same = !cnn_rng_int (&rng, 4);
    expect_region (&rng, width, height,
        same ? width : 1 + (int) cnn_rng_int (&rng, 120),
        same ? height : 1 + (int) cnn_rng_int (&rng, 120));
  }
}

/* Around the result stands what is nearest to it; the rest is as without. */
static void
test_border (void)
{
  const int width = 37, height = 21, border = 5;
  const int pitch = width + 2 * border;
  Frame frame;
  CnnRng rng;
  CnnResampler *bare, *bordered;
  float small[21 * 37], large[31 * 47];
  cnn_rng_init (&rng, 9, 0);
  frame_init (&frame, &rng, 90, 60, 1);
  g_assert_cmpint (cnn_resampler_new (90, 60, width, height, 0, &bare, NULL),
      ==, CNN_OK);
  g_assert_cmpint (cnn_resampler_new (90, 60, width, height, border, &bordered,
                       NULL),
      ==, CNN_OK);
  cnn_resampler_run (bare, &frame.image, CNN_RANGE_0_1, NULL, small);
  cnn_resampler_run (bordered, &frame.image, CNN_RANGE_0_1, NULL, large);
  for (int y = 0; y < height + 2 * border; y++)
    for (int x = 0; x < pitch; x++) {
      int i = CLAMP (y - border, 0, height - 1);
      int j = CLAMP (x - border, 0, width - 1);
      g_assert_cmpfloat (large[y * pitch + x], ==, small[i * width + j]);
    }
  cnn_resampler_free (bordered);
  cnn_resampler_free (bare);
  g_free (frame.memory);
}

static void
test_arguments (void)
{
  static const int sizes[][4] = { { 0, 5, 5, 5 }, { 5, 5, 5, 0 },
    { 5, -1, 5, 5 }, { CNN_MAX_IMAGE_SIDE + 1, 5, 5, 5 } };
  for (size_t i = 0; i < G_N_ELEMENTS (sizes); i++) {
    const int *s = sizes[i];
    CnnResampler *resampler = NULL;
    CnnError error;
    g_assert_cmpint (cnn_resampler_new (s[0], s[1], s[2], s[3], 0, &resampler,
                         &error),
        ==, CNN_ERROR_ARGUMENT);
    g_assert_null (resampler);
    g_assert_nonnull (strstr (error.message, "sides"));
  }
  CnnResampler *none = NULL;
  g_assert_cmpint (cnn_resampler_new (5, 5, 5, 5, -1, &none, NULL), ==,
      CNN_ERROR_ARGUMENT);
  cnn_resampler_free (NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/resample/random", test_random);
  g_test_add_func ("/resample/shapes", test_shapes);
  g_test_add_func ("/resample/constant", test_constant);
  g_test_add_func ("/resample/threads", test_threads);
  g_test_add_func ("/resample/regions", test_regions);
  g_test_add_func ("/resample/border", test_border);
  g_test_add_func ("/resample/arguments", test_arguments);
  return g_test_run ();
}
