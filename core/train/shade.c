/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shade.c: ink on paper as a camera sees it.
 *
 *   paper  = brightness * light (x, y) * shadow (x, y) * texture
 *   patch  = paper * (1 - contrast * ink), perhaps inverted, blurred, + noise */

#include "train/shade.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

static float
clamp (float v)
{
  return v < 0 ? 0 : v > 1 ? 1 : v;
}

/* Sum of four bytes: near enough to a normal deviate, and cheap. */
static inline float
noise_of (uint32_t bits)
{
  int sum = (int) (bits & 255) + (int) (bits >> 8 & 255)
      + (int) (bits >> 16 & 255) + (int) (bits >> 24);
  return (float) (sum - 510) * (1 / 147.8f);
}

static void
add_noise (CnnRng *rng, float *patch, int count, float sigma)
{
  for (int i = 0; i < count; i += 2) {
    uint64_t bits = cnn_rng_next (rng);
    patch[i] += sigma * noise_of ((uint32_t) bits);
    if (i + 1 < count)
      patch[i + 1] += sigma * noise_of ((uint32_t) (bits >> 32));
  }
}

static void
blur_line (float *line, int count, int pitch, const float *kernel, int reach)
{
  float copy[CNN_MAX_WINDOW];
  for (int i = 0; i < count; i++)
    copy[i] = line[i * pitch];
  for (int i = 0; i < count; i++) {
    float sum = kernel[0] * copy[i];
    for (int k = 1; k <= reach; k++) {
      int a = i - k < 0 ? 0 : i - k, b = i + k < count ? i + k : count - 1;
      sum += kernel[k] * (copy[a] + copy[b]);
    }
    line[i * pitch] = sum;
  }
}

static void
blur (float *patch, int side, float sigma)
{
  float kernel[4] = { 1, 0, 0, 0 }, sum = 1;
  if (sigma < 0.2f)
    return;
  for (int k = 1; k < 4; k++) {
    kernel[k] = expf (-0.5f * (float) (k * k) / (sigma * sigma));
    sum += 2 * kernel[k];
  }
  for (int k = 0; k < 4; k++)
    kernel[k] /= sum;
  for (int i = 0; i < side; i++) {
    blur_line (patch + i * side, side, 1, kernel, 3);
    blur_line (patch + i, side, side, kernel, 3);
  }
}

/* Brightness falls off across the patch, and perhaps a shadow's soft edge lies
 * on it. */
static void
light_paper (const CnnAugment *augment, CnnRng *rng, float *paper, int side)
{
  float lighting = (float) augment->lighting;
  float angle = cnn_rng_range (rng, 0, 6.2831853f);
  float slope = cnn_rng_range (rng, 0, lighting) / (float) side;
  float gx = slope * cosf (angle), gy = slope * sinf (angle);
  bool shadow = cnn_rng_float (rng) < 0.25f && lighting > 0;
  float turn = cnn_rng_range (rng, 0, 6.2831853f);
  float nx = cosf (turn), ny = sinf (turn);
  float at = cnn_rng_range (rng, -0.5f, 0.5f) * (float) side;
  float depth = cnn_rng_range (rng, 0, lighting);
  float width = cnn_rng_range (rng, 2, (float) side);

  for (int i = 0; i < side; i++)
    for (int j = 0; j < side; j++) {
      float x = (float) j - 0.5f * (float) side;
      float y = (float) i - 0.5f * (float) side;
      float light = 1 + gx * x + gy * y;
      if (shadow)
        light *= 1 - depth * clamp ((nx * x + ny * y - at) / width + 0.5f);
      paper[i * side + j] *= light;
    }
}

static inline float
pixel (const CnnImage *image, int x, int y)
{
  x = x < 0 ? 0 : x >= image->width ? image->width - 1 : x;
  y = y < 0 ? 0 : y >= image->height ? image->height - 1 : y;
  return (float)
             image->data[0][y * image->pitch_bytes[0] + x * image->step_bytes]
      * (1 / 255.0f);
}

void
cnn_shade_photograph (const CnnImage *pictures, int count, CnnRng *rng,
    int side, float *ground)
{
  const CnnImage *image = &pictures[cnn_rng_int (rng, (uint32_t) count)];
  int shorter = image->width < image->height ? image->width : image->height;
  float most = (float) shorter / (float) side;
  /* as on the levels of a pyramid: every size is as likely */
  float scale = expf (cnn_rng_range (rng, -0.4f, logf (most > 1 ? most : 1)));
  float room_x = (float) image->width - scale * (float) side;
  float room_y = (float) image->height - scale * (float) side;
  float x0 = room_x > 0 ? cnn_rng_range (rng, 0, room_x) : 0;
  float y0 = room_y > 0 ? cnn_rng_range (rng, 0, room_y) : 0;
  bool mirror = cnn_rng_float (rng) < 0.5f;
  int grid = scale < 1.5f ? 1 : scale < 4 ? 2 : 3;
  float weight = 1 / (float) (grid * grid);

  for (int i = 0; i < side; i++)
    for (int j = 0; j < side; j++) {
      float sum = 0;
      for (int k = 0; k < grid * grid; k++) {
        float fx = ((float) (k % grid) + 0.5f) / (float) grid;
        float fy = ((float) (k / grid) + 0.5f) / (float) grid;
        sum += pixel (image, (int) (x0 + ((float) j + fx) * scale),
            (int) (y0 + ((float) i + fy) * scale));
      }
      ground[i * side + (mirror ? side - 1 - j : j)] = sum * weight;
    }
}

static void
black_and_white (const CnnInk *ink, float *patch, bool light_ink)
{
  for (int i = 0; i < ink->width * ink->width; i++)
    patch[i] = light_ink ? ink->cover[i] : 1 - ink->cover[i];
}

/* Returns the brightness of the paper. */
static float
lay_paper (const CnnAugment *augment, CnnRng *rng, const float *ground,
    float *patch, int side)
{
  float brightness = cnn_rng_range (rng, 0.3f, 1);
  if (ground) {
    float keep = cnn_rng_range (rng, 0.1f, 0.6f), mean = 0;
    for (int i = 0; i < side * side; i++)
      mean += ground[i] / (float) (side * side);
    for (int i = 0; i < side * side; i++)
      patch[i] = brightness + keep * (ground[i] - mean);
  } else {
    for (int i = 0; i < side * side; i++)
      patch[i] = brightness;
  }
  light_paper (augment, rng, patch, side);
  return brightness;
}

void
cnn_shade (const CnnAugment *augment, CnnRng *rng, const CnnInk *ink,
    const float *ground, bool clean, float *patch)
{
  int side = ink->width, count = side * side;
  bool light_ink = cnn_rng_float (rng) < (float) augment->invert;
  if (clean) {
    black_and_white (ink, patch, light_ink);
    return;
  }

  float brightness = lay_paper (augment, rng, ground, patch, side);
  float low = (float) augment->contrast_min;
  float contrast = low + (1 - low) * cnn_rng_float (rng);
  float grain = cnn_rng_range (rng, 0, 0.25f);
  for (int i = 0; i < count; i++)
    patch[i] *= 1 - contrast * ink->cover[i];
  if (grain > 0.15f)
    add_noise (rng, patch, count, 0.3f * (float) augment->noise);
  blur (patch, side, cnn_rng_range (rng, 0, (float) augment->blur));
  if (light_ink)
    for (int i = 0; i < count; i++)
      patch[i] = 1 - patch[i];
  /* noise that leaves the ink to be seen */
  float share = cnn_rng_float (rng);
  float sigma = share * share * (float) augment->noise;
  float most = 0.3f * brightness * contrast;
  add_noise (rng, patch, count, sigma < most ? sigma : most);
  for (int i = 0; i < count; i++)
    patch[i] = clamp (patch[i]);
}
