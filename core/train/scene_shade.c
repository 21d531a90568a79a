/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* scene_shade.c: paper, light, lens, sensor and codec.
 *
 *   paper = brightness * light (x, y) * shadows (x, y), textured
 *   seen  = paper * (1 - contrast * ink), perhaps inverted, then blurred,
 *           noisy, compressed */

#include "train/scene.h"

#include <math.h>
#include <string.h>

#define SIDE  CNN_SCENE_SIDE
#define COUNT (SIDE * SIDE)
#define BLOCK 8
/* Least difference of ink and paper that can be seen, and beside noise. */
#define FAINT  0.06f
#define NOISES 0.8f

static float
clamp (float v)
{
  return v < 0 ? 0 : v > 1 ? 1 : v;
}

static float
range (CnnRng *rng, float low, float high)
{
  return cnn_rng_range (rng, low, high);
}

static float
log_range (CnnRng *rng, float low, float high)
{
  return low * expf (cnn_rng_float (rng) * logf (high / low));
}

static bool
chance (CnnRng *rng, double share)
{
  return cnn_rng_float (rng) < (float) share;
}

/* The soft edge of something between lamp and page. */
static void
lay_shadow (CnnRng *rng, float *paper)
{
  float turn = range (rng, 0, 6.2831853f), nx = cosf (turn), ny = sinf (turn);
  float at = range (rng, -0.4f, 0.4f) * SIDE, depth = range (rng, 0.1f, 0.65f);
  float soft = log_range (rng, 2, 150);
  for (int i = 0; i < SIDE; i++)
    for (int j = 0; j < SIDE; j++) {
      float d = nx * (float) (j - SIDE / 2) + ny * (float) (i - SIDE / 2) - at;
      paper[i * SIDE + j] *= 1 - depth * clamp (d / soft + 0.5f);
    }
}

static void
lay_light (CnnRng *rng, float *paper)
{
  float turn = range (rng, 0, 6.2831853f);
  float slope = range (rng, 0, 0.6f) / SIDE;
  float gx = slope * cosf (turn), gy = slope * sinf (turn);
  for (int i = 0; i < SIDE; i++)
    for (int j = 0; j < SIDE; j++)
      paper[i * SIDE + j] *=
          1 + gx * (float) (j - SIDE / 2) + gy * (float) (i - SIDE / 2);
}

/* The sheet ends, and there is a table. */
static void
lay_table (const CnnSceneSources *sources, CnnRng *rng, float *paper,
    const float *photograph)
{
  float turn = range (rng, -0.3f, 0.3f), c = cosf (turn), s = sinf (turn);
  float level = range (rng, 0.05f, 0.9f);
  float edge_x = range (rng, 0.25f, 0.55f) * SIDE;
  float edge_y = range (rng, 0.25f, 0.7f) * SIDE;
  float x0 = range (rng, -0.2f, 0.2f) * SIDE,
        y0 = range (rng, -0.2f, 0.2f) * SIDE;
  for (int i = 0; i < SIDE; i++)
    for (int j = 0; j < SIDE; j++) {
      float x = (float) (j - SIDE / 2) - x0, y = (float) (i - SIDE / 2) - y0;
      float u = fabsf (c * x + s * y) - edge_x;
      float v = fabsf (c * y - s * x) - edge_y;
      float outside = clamp ((u > v ? u : v) + 0.5f);
      float table = sources->n_backgrounds ? photograph[i * SIDE + j] : level;
      float *to = &paper[i * SIDE + j];
      *to += outside * (table - *to);
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

/* A piece of one of the photographs, at a random place and size. */
static void
lay_photograph (const CnnImage *pictures, int count, CnnRng *rng, float *ground)
{
  const CnnImage *image = &pictures[cnn_rng_int (rng, (uint32_t) count)];
  int shorter = image->width < image->height ? image->width : image->height;
  float most = (float) shorter / SIDE;
  /* as on the levels of a pyramid: every size is as likely */
  float scale = expf (cnn_rng_range (rng, -0.4f, logf (most > 1 ? most : 1)));
  float room_x = (float) image->width - scale * SIDE;
  float room_y = (float) image->height - scale * SIDE;
  float x0 = room_x > 0 ? cnn_rng_range (rng, 0, room_x) : 0;
  float y0 = room_y > 0 ? cnn_rng_range (rng, 0, room_y) : 0;
  bool mirror = cnn_rng_float (rng) < 0.5f;
  int grid = scale < 1.5f ? 1 : scale < 4 ? 2 : 3;
  float weight = 1 / (float) (grid * grid);

  for (int i = 0; i < SIDE; i++)
    for (int j = 0; j < SIDE; j++) {
      float sum = 0;
      for (int k = 0; k < grid * grid; k++) {
        float fx = ((float) (k % grid) + 0.5f) / (float) grid;
        float fy = ((float) (k / grid) + 0.5f) / (float) grid;
        sum += pixel (image, (int) (x0 + ((float) j + fx) * scale),
            (int) (y0 + ((float) i + fy) * scale));
      }
      ground[i * SIDE + (mirror ? SIDE - 1 - j : j)] = sum * weight;
    }
}

/* Another picture of the same kind: on its side, or its negative. */
static void
turn_photograph (double share, CnnRng *rng, float *ground)
{
  if (chance (rng, share))
    for (int i = 0; i < SIDE; i++)
      for (int j = 0; j < i; j++) {
        float keep = ground[i * SIDE + j];
        ground[i * SIDE + j] = ground[j * SIDE + i];
        ground[j * SIDE + i] = keep;
      }
  if (chance (rng, share))
    for (int i = 0; i < COUNT; i++)
      ground[i] = 1 - ground[i];
}

static void
take_photograph (const CnnSceneSources *sources, CnnRng *rng, float *ground)
{
  lay_photograph (sources->backgrounds, sources->n_backgrounds, rng, ground);
  if (sources->turned > 0)
    turn_photograph (sources->turned, rng, ground);
}

/* Paper has a brightness, and perhaps a texture or a photograph on it. */
static void
lay_paper (const CnnSceneSources *sources, CnnRng *rng, bool bare, float *paper,
    float *photograph)
{
  if (bare) {
    take_photograph (sources, rng, paper);
    return;
  }
  float brightness = range (rng, 0.25f, 1);
  bool textured = sources->n_backgrounds && chance (rng, 0.25);
  float keep = chance (rng, 0.3) ? range (rng, 0.3f, 1) : range (rng, 0, 0.3f);
  float mean = 0;
  if (textured || (sources->n_backgrounds && chance (rng, 0.2)))
    take_photograph (sources, rng, photograph);
  else
    for (int i = 0; i < COUNT; i++)
      photograph[i] = 0.3f;
  for (int i = 0; i < COUNT && textured; i++)
    mean += photograph[i] / COUNT;
  for (int i = 0; i < COUNT; i++)
    paper[i] = brightness + (textured ? keep * (photograph[i] - mean) : 0);
}

static void
blur_line (float *line, int pitch, const float *kernel, int reach)
{
  float copy[SIDE];
  for (int i = 0; i < SIDE; i++)
    copy[i] = line[i * pitch];
  for (int i = 0; i < SIDE; i++) {
    float sum = kernel[0] * copy[i];
    for (int k = 1; k <= reach; k++) {
      int a = i - k < 0 ? 0 : i - k, b = i + k < SIDE ? i + k : SIDE - 1;
      sum += kernel[k] * (copy[a] + copy[b]);
    }
    line[i * pitch] = sum;
  }
}

static void
blur (float *pixels, float across, float down)
{
  float sigma[] = { across, down };
  for (int axis = 0; axis < 2; axis++) {
    float kernel[7] = { 1 }, sum = 1;
    int reach = (int) ceilf (2.5f * sigma[axis]);
    if (sigma[axis] < 0.25f)
      continue;
    reach = reach > 6 ? 6 : reach;
    for (int k = 1; k <= reach; k++) {
      kernel[k] = expf (-0.5f * (float) (k * k) / (sigma[axis] * sigma[axis]));
      sum += 2 * kernel[k];
    }
    for (int k = 0; k <= reach; k++)
      kernel[k] /= sum;
    for (int i = 0; i < SIDE; i++)
      blur_line (axis ? pixels + i : pixels + i * SIDE, axis ? SIDE : 1, kernel,
          reach);
  }
}

/* Cosine transform, rounding, and back, as a JPEG's luma.
 * Source of the table: ITU-T T.81, annex K.1. */
static const uint8_t quanta[BLOCK * BLOCK] = { 16, 11, 10, 16, 24, 40, 51, 61,
  12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22,
  29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104,
  113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103,
  99 };

static void
cosines (float table[BLOCK][BLOCK])
{
  for (int u = 0; u < BLOCK; u++)
    for (int x = 0; x < BLOCK; x++)
      table[u][x] = (u ? 0.5f : 0.35355339f)
          * cosf ((2 * (float) x + 1) * (float) u * 3.14159265f / 16);
}

static void
product (const float a[BLOCK][BLOCK], const float b[BLOCK][BLOCK],
    float out[BLOCK][BLOCK])
{
  for (int i = 0; i < BLOCK; i++)
    for (int j = 0; j < BLOCK; j++) {
      float sum = 0;
      for (int k = 0; k < BLOCK; k++)
        sum += a[i][k] * b[k][j];
      out[i][j] = sum;
    }
}

static void
compress_block (float *pixels, const float cosine[BLOCK][BLOCK],
    const float turned[BLOCK][BLOCK], float scale)
{
  float a[BLOCK][BLOCK], b[BLOCK][BLOCK];
  for (int i = 0; i < BLOCK; i++)
    for (int j = 0; j < BLOCK; j++)
      a[i][j] = 255 * pixels[i * SIDE + j] - 128;
  product (cosine, (const float (*)[BLOCK]) a, b);
  product ((const float (*)[BLOCK]) b, turned, a);
  for (int i = 0; i < BLOCK; i++)
    for (int j = 0; j < BLOCK; j++) {
      float q = fmaxf (1, (float) quanta[i * BLOCK + j] * scale);
      a[i][j] = q * rintf (a[i][j] / q);
    }
  product (turned, (const float (*)[BLOCK]) a, b);
  product ((const float (*)[BLOCK]) b, cosine, a);
  for (int i = 0; i < BLOCK; i++)
    for (int j = 0; j < BLOCK; j++)
      pixels[i * SIDE + j] = (a[i][j] + 128) / 255;
}

static void
compress (CnnRng *rng, float *pixels)
{
  float quality = range (rng, 20, 95);
  float scale = (quality < 50 ? 5000 / quality : 200 - 2 * quality) / 100;
  float cosine[BLOCK][BLOCK], turned[BLOCK][BLOCK];
  cosines (cosine);
  for (int i = 0; i < BLOCK; i++)
    for (int j = 0; j < BLOCK; j++)
      turned[i][j] = cosine[j][i];
  for (int y = 0; y + BLOCK <= SIDE; y += BLOCK)
    for (int x = 0; x + BLOCK <= SIDE; x += BLOCK)
      compress_block (pixels + y * SIDE + x, (const float (*)[BLOCK]) cosine,
          (const float (*)[BLOCK]) turned, scale);
}

/* Ink takes light away from the paper; pencils and dry pens leave gaps. */
static void
lay_ink (CnnRng *rng, const CnnInk *ink, float *paper, float contrast)
{
  float grain = chance (rng, 0.3) ? range (rng, 0, 0.35f) : 0;
  for (int i = 0; i < COUNT; i++) {
    float cover = ink->cover[i];
    if (cover > 0 && grain > 0)
      cover *= 1 - grain * cnn_rng_float (rng);
    paper[i] *= 1 - contrast * cover;
  }
}

static void
add_noise (CnnRng *rng, float *pixels, float sigma)
{
  if (sigma < 0.002f)
    return;
  for (int i = 0; i < COUNT; i += 4) {
    uint64_t bits = cnn_rng_next (rng);
    for (int k = 0; k < 4; k++, bits >>= 16) {
      int sum = (int) (bits & 255) + (int) (bits >> 8 & 255);
      pixels[i + k] += sigma * (float) (sum - 255) * (1 / 104.5f);
    }
  }
}

/* Digits that can hardly be made out get no label: nobody can tell. */
static void
doubt_faint (const CnnInk *ink, const float *seen, float noise, CnnScene *scene)
{
  for (int i = 0; i < scene->count; i++) {
    CnnInkBox *b = &scene->digits[i].box;
    float sums[2] = { 0 }, counts[2] = { 1e-6f, 1e-6f };
    for (int y = (int) b->y0; y < (int) b->y1; y++)
      for (int x = (int) b->x0; x < (int) b->x1; x++) {
        float cover = ink->cover[y * SIDE + x];
        int inked = cover > 0.5f;
        if (inked || cover < 0.1f) {
          sums[inked] += clamp (seen[y * SIDE + x]);
          counts[inked] += 1;
        }
      }
    float difference = fabsf (sums[0] / counts[0] - sums[1] / counts[1]);
    if (counts[0] > 1 && counts[1] > 1 && difference < FAINT + NOISES * noise)
      scene->digits[i].label = -1;
  }
}

void
cnn_scene_shade (const CnnSceneSources *sources, CnnRng *rng, const CnnInk *ink,
    bool bare, CnnScenePaper *planes, CnnScene *scene)
{
  float *seen = planes->paper;
  bool inverted = chance (rng, sources->invert);
  float contrast = chance (rng, 0.4) ? range (rng, 0.7f, 1)
                                     : range (rng, sources->contrast_min, 1);
  lay_paper (sources, rng, bare, seen, planes->spare);
  if (chance (rng, 0.2))
    lay_table (sources, rng, seen, planes->spare);
  lay_ink (rng, ink, seen, contrast);
  if (inverted)
    for (int i = 0; i < COUNT; i++)
      seen[i] = 1 - seen[i];
  lay_light (rng, seen);
  for (int i = 0; i < 2 && chance (rng, 0.3); i++)
    lay_shadow (rng, seen);

  float noise = cnn_rng_float (rng);
  noise *= noise * (float) sources->noise;
  doubt_faint (ink, seen, noise, scene);
  float sigma = chance (rng, 0.5) ? range (rng, 0, 0.6f) : range (rng, 0, 1.6f);
  float smear = chance (rng, 0.1) ? range (rng, 0, 2) : 0;
  blur (seen, sigma + smear, sigma);
  float gamma = log_range (rng, 0.75f, 1.4f);
  for (int i = 0; i < COUNT; i++)
    seen[i] = powf (clamp (seen[i]), gamma);
  add_noise (rng, seen, noise);
  if (chance (rng, 0.5))
    compress (rng, seen);
  for (int i = 0; i < COUNT; i++)
    scene->pixels[i] = (uint8_t) (255 * clamp (seen[i]) + 0.5f);
}
