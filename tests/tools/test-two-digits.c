/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* test-two-digits.c: a picture of two digits gives both, from one pass of
 * the shipped network. The digits are cut out of tests/data/whiteboard.jpg. */

#include <string.h>

#include <cnn/session.h>

#include "fixture.h"
#include "model-file.h"
#include "picture.h"

/* What the truth beside the picture says of two of them. */
typedef struct
{
  int label, x, y, w, h;
} Digit;

static const Digit digits[] = { { 2, 134, 83, 102, 121 },
  { 4, 110, 282, 64, 83 }, { 0, 296, 309, 47, 67 } };

/* The built-in model's window. */
#define SIDE 40

/* @digit, 20 pixels high in the middle of a window: dark on light, as it is. */
static void
cut_out (const CnnImage *picture, const Digit *digit, float *window)
{
  int side = digit->h * SIDE / 20;
  int x0 = digit->x + digit->w / 2 - side / 2;
  int y0 = digit->y + digit->h / 2 - side / 2;
  CnnImage part = *picture;
  CnnResampler *resampler = NULL;
  part.width = part.height = side;
  part.data[0] += y0 * picture->pitch_bytes[0] + x0 * picture->step_bytes;
  g_assert_cmpint (cnn_resampler_new (side, side, SIDE, SIDE, 0, &resampler,
                       NULL),
      ==, CNN_OK);
  cnn_resampler_run (resampler, &part, CNN_RANGE_0_1, NULL, window);
  cnn_resampler_free (resampler);
}

static int
winner (const CnnTensor *map, int column)
{
  const float *y = map->data;
  int classes = (int) map->shape.dims[1], w = (int) map->shape.dims[3];
  int best = 0;
  for (int k = 1; k < classes; k++)
    if (y[k * w + column] > y[best * w + column])
      best = k;
  return best;
}

static void
check_pair (CnnSession *session, const CnnImage *picture, int left, int right)
{
  float windows[2][SIDE * SIDE], *x = cnn_session_input (session, 0)->data;
  cut_out (picture, &digits[left], windows[0]);
  cut_out (picture, &digits[right], windows[1]);
  for (int i = 0; i < SIDE; i++)
    for (int half = 0; half < 2; half++)
      memcpy (x + (2 * i + half) * SIDE, windows[half] + i * SIDE,
          SIDE * sizeof *x);
  cnn_session_run (session);
  const CnnTensor *map = cnn_session_output (session, 0);
  g_assert_cmpint (map->shape.dims[2], ==, 1);
  g_assert_cmpint (map->shape.dims[3], ==, SIDE / 4 + 1);
  g_assert_cmpint (winner (map, 0), ==, digits[left].label);
  g_assert_cmpint (winner (map, SIDE / 4), ==, digits[right].label);
}

static void
test_two_digits (void)
{
  GError *error = NULL;
  CnnError cause = { 0 };
  CnnSession *session = NULL;
  CnnModel *map = NULL, *model = tool_model_load ("digits", &error);
  char *path =
      g_build_filename (g_getenv ("CONVNET_TEST_DATA"), "whiteboard.jpg", NULL);
  ToolPictures *file = tool_pictures_open (path, 1, CNN_PIXEL_GRAY8, 1, &error);
  ToolPicture picture;
  g_assert_no_error (error);
  g_assert_cmpint (tool_pictures_next (file, &picture, &error), ==, 1);
  g_assert_cmpint (cnn_model_to_map (model, &map, &cause), ==, CNN_OK);
  g_assert_cmpint (cnn_session_new (map,
                       &(CnnShape){ 4, { 1, 1, SIDE, 2 * SIDE } }, NULL,
                       &session, &cause),
      ==, CNN_OK);
  for (int left = 0; left < 3; left++)
    for (int right = 0; right < 3; right++)
      check_pair (session, &picture.image, left, right);
  cnn_session_free (session);
  cnn_model_unref (map);
  cnn_model_unref (model);
  tool_pictures_close (file);
  g_free (path);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/textbook/two-digits", test_two_digits);
  return g_test_run ();
}
