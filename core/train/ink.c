/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ink.c: digits and strokes, drawn as coverage.
 *
 * Training draws millions of them: loops are plain so that compilers make
 * vector code, and nothing is allocated. */

#include "train/ink.h"

#include <math.h>
#include <string.h>

/* A digit's picture at twice its size with an empty border, so that strokes
 * can be thinned and thickened by half pixels. */
#define BORDER 4
#define FIELD  (2 * CNN_MAX_DIGIT + 2 * BORDER)

typedef struct
{
  int width, height;
  float value[FIELD * FIELD];
} Field;

/* Box of the ink, in pixels of the field. */
typedef struct
{
  float x0, y0, x1, y1;
} Box;

void
cnn_ink_clear (CnnInk *ink)
{
  memset (ink->cover, 0,
      (size_t) ink->width * (size_t) ink->height * sizeof *ink->cover);
}

static float
source (const CnnDigits *d, const uint8_t *pixels, int x, int y)
{
  if (x < 0 || y < 0 || x >= d->width || y >= d->height)
    return 0;
  return (float) pixels[y * d->width + x] * (1 / 255.0f);
}

/* Linear interpolation to twice the size: samples lie at quarter pixels. */
static void
enlarge (const CnnDigits *d, int index, Field *field)
{
  const uint8_t *pixels =
      d->pixels + (size_t) index * (size_t) (d->width * d->height);
  field->width = 2 * d->width + 2 * BORDER;
  field->height = 2 * d->height + 2 * BORDER;
  memset (field->value, 0,
      (size_t) (field->width * field->height) * sizeof *field->value);
  for (int y = -1; y <= d->height; y++)
    for (int x = -1; x <= d->width; x++) {
      float a = source (d, pixels, x, y), b = source (d, pixels, x + 1, y);
      float c = source (d, pixels, x, y + 1);
      float e = source (d, pixels, x + 1, y + 1);
      float *to = field->value + (2 * y + 1 + BORDER) * field->width + 2 * x + 1
          + BORDER;
      to[0] = (9 * a + 3 * b + 3 * c + e) * (1 / 16.0f);
      to[1] = (3 * a + 9 * b + c + 3 * e) * (1 / 16.0f);
      to[field->width] = (3 * a + b + 9 * c + 3 * e) * (1 / 16.0f);
      to[field->width + 1] = (a + 3 * b + 3 * c + 9 * e) * (1 / 16.0f);
    }
}

static float
minimum (float a, float b)
{
  return a < b ? a : b;
}

static float
maximum (float a, float b)
{
  return a > b ? a : b;
}

/* One pass of grey erosion or dilation over the four neighbours, taken only
 * by @share: strokes change by one pixel of the picture for a whole pass. */
static void
morph (Field *field, float share, int dilate)
{
  static const float zero[FIELD];
  float above[FIELD], here[FIELD];
  int w = field->width;
  memcpy (above, zero, sizeof above);
  for (int y = 1; y + 1 < field->height; y++) {
    float *row = field->value + y * w;
    const float *below = row + w;
    memcpy (here, row, (size_t) w * sizeof *here);
    for (int x = 1; x + 1 < w; x++) {
      float v = here[x], m;
      if (dilate)
        m = maximum (maximum (maximum (here[x - 1], here[x + 1]),
                         maximum (above[x], below[x])),
            v);
      else
        m = minimum (minimum (minimum (here[x - 1], here[x + 1]),
                         minimum (above[x], below[x])),
            v);
      row[x] = v + share * (m - v);
    }
    memcpy (above, here, (size_t) w * sizeof *above);
  }
}

static float
peak_sum (const Field *field)
{
  float sum = 0;
  for (int i = 0; i < field->width * field->height; i++)
    sum += field->value[i] > 0.5f ? 1.0f : 0.0f;
  return sum;
}

static void
change_thickness (Field *field, float pixels)
{
  float left = fabsf (pixels), before = peak_sum (field);
  Field saved;
  for (; left > 0; left -= 1) {
    if (pixels < 0)
      memcpy (&saved, field, sizeof saved);
    morph (field, left < 1 ? left : 1, pixels > 0);
    /* a stroke that is gone for the most part comes back */
    if (pixels < 0 && peak_sum (field) < 0.3f * before) {
      memcpy (field, &saved, sizeof saved);
      return;
    }
  }
}

static Box
ink_box (const Field *field)
{
  int x0 = field->width, x1 = -1, y0 = field->height, y1 = -1;
  for (int y = 0; y < field->height; y++)
    for (int x = 0; x < field->width; x++)
      if (field->value[y * field->width + x] > 0.4f) {
        x0 = x < x0 ? x : x0;
        x1 = x > x1 ? x : x1;
        y0 = y < y0 ? y : y0;
        y1 = y;
      }
  if (x1 < 0)
    return (Box){ 0, 0, (float) field->width, (float) field->height };
  return (Box){ (float) x0, (float) y0, (float) x1 + 1, (float) y1 + 1 };
}

static inline float
sample (const Field *field, float u, float v)
{
  u -= 0.5f;
  v -= 0.5f;
  if (!(u > 0 && v > 0 && u < (float) (field->width - 1)
          && v < (float) (field->height - 1)))
    return 0;
  int x = (int) u, y = (int) v;
  float fx = u - (float) x, fy = v - (float) y;
  const float *p = field->value + y * field->width + x;
  float top = p[0] + fx * (p[1] - p[0]);
  float bottom = p[field->width] + fx * (p[field->width + 1] - p[field->width]);
  return top + fy * (bottom - top);
}

/* Pixel (x, y) of the patch is (u, v) = m (x, y) + t of the field. */
typedef struct
{
  float m[4], t[2];
} Affine;

static Affine
inverse_map (const Box *box, const CnnPose *pose, float scale)
{
  float c = cosf (pose->angle) / scale, s = sinf (pose->angle) / scale;
  float narrow = pose->aspect > 0 ? 1 / pose->aspect : 1;
  Affine a = { { narrow * (c - pose->shear * s), narrow * (s + pose->shear * c),
                   -s, c },
    { 0, 0 } };
  a.t[0] = (box->x0 + box->x1) / 2 - a.m[0] * pose->x - a.m[1] * pose->y;
  a.t[1] = (box->y0 + box->y1) / 2 - a.m[2] * pose->x - a.m[3] * pose->y;
  return a;
}

/* Pixels with less of a digit's ink than this do not belong to its box. */
#define LEAST_INK 0.25f

static void
include (CnnInkBox *box, int x, int y)
{
  box->x0 = minimum (box->x0, (float) x);
  box->y0 = minimum (box->y0, (float) y);
  box->x1 = maximum (box->x1, (float) x + 1);
  box->y1 = maximum (box->y1, (float) y + 1);
}

/* @grid x @grid samples a pixel, so that small digits are averages. */
static void
draw_field (CnnInk *ink, const Field *field, const Affine *a, float x, float y,
    float reach, int grid, CnnInkBox *drawn)
{
  int x0 = (int) maximum (floorf (x - reach), 0);
  int y0 = (int) maximum (floorf (y - reach), 0);
  int x1 = (int) minimum (ceilf (x + reach), (float) ink->width);
  int y1 = (int) minimum (ceilf (y + reach), (float) ink->height);
  float step = 1 / (float) grid, weight = step * step;
  for (int i = y0; i < y1; i++)
    for (int j = x0; j < x1; j++) {
      float sum = 0;
      for (int k = 0; k < grid * grid; k++) {
        float px = (float) j + ((float) (k % grid) + 0.5f) * step;
        float py = (float) i + ((float) (k / grid) + 0.5f) * step;
        sum += sample (field, a->m[0] * px + a->m[1] * py + a->t[0],
            a->m[2] * px + a->m[3] * py + a->t[1]);
      }
      float *to = &ink->cover[i * ink->width + j];
      if (sum * weight > LEAST_INK)
        include (drawn, j, i);
      *to = maximum (*to, minimum (sum * weight, 1));
    }
}

float
cnn_ink_digit (CnnInk *ink, const CnnDigits *digits, int index,
    const CnnPose *pose, CnnInkBox *drawn)
{
  CnnInkBox none = { HUGE_VALF, HUGE_VALF, -HUGE_VALF, -HUGE_VALF }, unused;
  drawn = drawn ? drawn : &unused;
  *drawn = none;
  Field field;
  enlarge (digits, index, &field);
  change_thickness (&field, pose->thickness);
  Box box = ink_box (&field);
  float height = box.y1 - box.y0, width = box.x1 - box.x0;

  /* As the digits' own pictures are: the longer side has the full size. */
  float size = maximum (height, width);
  float scale = pose->height / maximum (size, 1);
  Affine a = inverse_map (&box, pose, scale);
  int grid = (int) ceilf (0.5f / scale);
  float wide = width * (pose->aspect > 0 ? pose->aspect : 1);
  float reach = 0.5f * scale * sqrtf (height * height + wide * wide) + 2
      + fabsf (pose->shear) * pose->height;
  draw_field (ink, &field, &a, pose->x, pose->y, reach,
      grid < 1       ? 1
          : grid > 4 ? 4
                     : grid,
      drawn);
  return 0.5f * wide * scale;
}

void
cnn_ink_line (CnnInk *ink, float x0, float y0, float x1, float y1, float width,
    float strength)
{
  float dx = x1 - x0, dy = y1 - y0;
  float length = dx * dx + dy * dy + 1e-6f;
  float reach = width / 2 + 1;
  int left = (int) maximum (floorf (minimum (x0, x1) - reach), 0);
  int top = (int) maximum (floorf (minimum (y0, y1) - reach), 0);
  int right =
      (int) minimum (ceilf (maximum (x0, x1) + reach), (float) ink->width);
  int bottom =
      (int) minimum (ceilf (maximum (y0, y1) + reach), (float) ink->height);
  for (int i = top; i < bottom; i++)
    for (int j = left; j < right; j++) {
      float px = (float) j + 0.5f - x0, py = (float) i + 0.5f - y0;
      float t = minimum (maximum ((px * dx + py * dy) / length, 0), 1);
      float ex = px - t * dx, ey = py - t * dy;
      float cover = width / 2 + 0.5f - sqrtf (ex * ex + ey * ey);
      cover = strength * minimum (maximum (cover, 0), minimum (width, 1));
      float *to = &ink->cover[i * ink->width + j];
      *to = maximum (*to, cover);
    }
}
