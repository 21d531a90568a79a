/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* warp.c: digits in a window as in their own pictures, moved, turned and bent:
 * for networks that answer to one centred digit. Called for every sample of a
 * training, so loops are plain and nothing is allocated.
 *
 * Pixel p of the window is sampled, linearly, at
 *
 *   c' + A^-1 (p - c - shift) / zoom + d(p)
 *
 * of the picture: c and c' are the middles of both, A turns, shears and
 * scales, d is smoothed noise.
 *
 * Source: elastic distortion: Simard, Steinkraus, Platt, "Best practices for
 * convolutional neural networks applied to visual document analysis", 2003. */

#include <cnn/train.h>

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/rng.h"
#include "train/ink.h"

/* Of the Gaussian that smooths the noise; taps reach three deviations. */
#define MAX_SIGMA  16
#define MAX_TAPS   (3 * MAX_SIGMA)
#define MAX_PIXELS (CNN_MAX_WINDOW * CNN_MAX_WINDOW)

/* A picture in a border of paper; what lies further out is paper, too. */
typedef struct
{
  int width, height, pitch;
  float value[(CNN_MAX_DIGIT + 3) * (CNN_MAX_DIGIT + 3)];
} Page;

/* Place in the picture of each pixel of the window. */
typedef struct
{
  int side;
  float u[MAX_PIXELS], v[MAX_PIXELS];
} Places;

static void
read_page (const CnnDigits *digits, int index, Page *page)
{
  const uint8_t *from = digits->pixels
      + (size_t) index * (size_t) (digits->width * digits->height);
  page->width = digits->width;
  page->height = digits->height;
  page->pitch = digits->width + 3;
  memset (page->value, 0, sizeof page->value);
  for (int y = 0; y < page->height; y++)
    for (int x = 0; x < page->width; x++)
      page->value[(y + 1) * page->pitch + x + 1] =
          (float) *from++ * (1 / 255.0f);
}

static float
clamp (float x, float low, float high)
{
  return x < low ? low : x > high ? high : x;
}

/* (0, 0) is the middle of the first pixel. */
static float
sample (const Page *page, float u, float v)
{
  u = clamp (u, -1, (float) page->width) + 1;
  v = clamp (v, -1, (float) page->height) + 1;
  int x = (int) u, y = (int) v;
  float fx = u - (float) x, fy = v - (float) y;
  const float *p = page->value + y * page->pitch + x, *q = p + page->pitch;
  float top = p[0] + fx * (p[1] - p[0]), bottom = q[0] + fx * (q[1] - q[0]);
  return top + fy * (bottom - top);
}

static void
place_affine (const CnnWarp *w, const CnnDigits *digits, CnnRng *rng,
    Places *places)
{
  float turn = (float) w->rotate * 0.017453293f, shear = (float) w->shear;
  float shift = (float) w->shift;
  float angle = cnn_rng_range (rng, -turn, turn);
  float slope = cnn_rng_range (rng, -shear, shear);
  float sx = expf (cnn_rng_range (rng, logf ((float) w->scale_min),
      logf ((float) w->scale_max)));
  float sy = expf (cnn_rng_range (rng, logf ((float) w->scale_min),
      logf ((float) w->scale_max)));
  /* a digit of even size in a window of odd size stands left of the middle */
  int fit_w = (int) lround (w->zoom * digits->width);
  int fit_h = (int) lround (w->zoom * digits->height);
  float cx = (float) ((w->window - fit_w) / 2) + 0.5f * (float) (fit_w - 1)
      + cnn_rng_range (rng, -shift, shift);
  float cy = (float) ((w->window - fit_h) / 2) + 0.5f * (float) (fit_h - 1)
      + cnn_rng_range (rng, -shift, shift);
  float c = cosf (angle), s = sinf (angle);
  float zx = 1 / (sx * (float) w->zoom), zy = 1 / (sy * (float) w->zoom);
  for (int i = 0, k = 0; i < places->side; i++)
    for (int j = 0; j < places->side; j++, k++) {
      float x = (float) j - cx, y = (float) i - cy;
      float q = c * y - s * x, p = c * x + s * y + slope * q;
      places->u[k] = zx * p + 0.5f * (float) (digits->width - 1);
      places->v[k] = zy * q + 0.5f * (float) (digits->height - 1);
    }
}

static int
gaussian (float sigma, float taps[2 * MAX_TAPS + 1])
{
  int reach = (int) ceilf (3 * sigma);
  float square = 0;
  for (int i = -reach; i <= reach; i++)
    taps[i + reach] = expf (-0.5f * (float) (i * i) / (sigma * sigma));
  for (int i = 0; i <= 2 * reach; i++)
    square += taps[i] * taps[i];
  /* so that smoothed noise has the variance that it had */
  for (int i = 0; i <= 2 * reach; i++)
    taps[i] /= sqrtf (square);
  return reach;
}

/* Rows of @from, smoothed, are columns of @to: two passes smooth both ways.
 * Noise goes on beyond the window: @from has @reach more at both ends. */
static void
smooth (const float *from, int rows, int side, const float *taps, int reach,
    float *to)
{
  int length = side + 2 * reach;
  for (int y = 0; y < rows; y++) {
    float sum[CNN_MAX_WINDOW] = { 0 };
    for (int t = 0; t <= 2 * reach; t++)
      for (int x = 0; x < side; x++)
        sum[x] += taps[t] * from[y * length + x + t];
    for (int x = 0; x < side; x++)
      to[x * rows + y] = sum[x];
  }
}

/* Noise of variance 1, smoothed, times @amplitude, added to @places. */
static void
bend (float *places, int side, float amplitude, const float *taps, int reach,
    CnnRng *rng)
{
  enum
  {
    LONGEST = CNN_MAX_WINDOW + 2 * MAX_TAPS
  };
  float noise[LONGEST * LONGEST], half[LONGEST * CNN_MAX_WINDOW];
  int length = side + 2 * reach;
  for (int i = 0; i < length * length; i++)
    noise[i] = cnn_rng_range (rng, -1.7320508f, 1.7320508f);
  smooth (noise, length, side, taps, reach, half);
  smooth (half, side, side, taps, reach, noise);
  for (int i = 0; i < side * side; i++)
    places[i] += amplitude * noise[i];
}

void
cnn_warp_digit (const CnnWarp *warp, const CnnDigits *digits, int index,
    uint64_t seed, float *patch)
{
  Page page;
  Places places = { .side = warp->window };
  CnnRng rng;
  cnn_rng_init (&rng, seed, (uint64_t) index);
  read_page (digits, index, &page);
  place_affine (warp, digits, &rng, &places);
  if (warp->elastic > 0) {
    float taps[2 * MAX_TAPS + 1], amplitude = (float) warp->elastic;
    int reach = gaussian ((float) warp->smooth, taps);
    bend (places.u, places.side, amplitude, taps, reach, &rng);
    bend (places.v, places.side, amplitude, taps, reach, &rng);
  }
  for (int i = 0; i < places.side * places.side; i++)
    patch[i] = sample (&page, places.u[i], places.v[i]);
}
