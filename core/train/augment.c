/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* augment.c: patches as a window meets them on its way over a frame: a digit
 * in the centre, with or without neighbours, or something that is none. */

#include <cnn/train.h>

#include <math.h>
#include <stdbool.h>

#include "train/ink.h"
#include "train/shade.h"

typedef struct
{
  const CnnAugment *augment;
  const CnnDigits *digits;
  CnnRng rng;
  CnnInk ink;
  float cover[CNN_MAX_WINDOW * CNN_MAX_WINDOW];
  float side, object;
  bool clean;
} Scene;

static float
range (Scene *s, float low, float high)
{
  return cnn_rng_range (&s->rng, low, high);
}

/* As range(), but the middle is likelier than the ends, which have none. */
static float
around (Scene *s, float low, float high)
{
  return 0.5f * (range (s, low, high) + range (s, low, high));
}

static bool
chance (Scene *s, double share)
{
  return cnn_rng_float (&s->rng) < (float) share;
}

static int
any_digit (Scene *s)
{
  return (int) cnn_rng_int (&s->rng, (uint32_t) s->digits->count);
}

/* A pose of that size at that place; one hand wrote what a patch shows, so
 * slant and width of the pen are the scene's, but for a little. */
static CnnPose
pose (Scene *s, float x, float y, float height)
{
  const CnnAugment *a = s->augment;
  float turn = (float) a->rotate * 0.017453293f, shear = (float) a->shear;
  float thick = (float) a->thickness;
  return (CnnPose){
    .x = x,
    .y = y,
    .height = height,
    .angle = range (s, -turn, turn),
    .shear = range (s, -shear, shear),
    .thickness = range (s, -thick, 0.5f * thick),
  };
}

static void
put_any_digit (Scene *s, float x, float y, float height)
{
  CnnPose p = pose (s, x, y, height);
  cnn_ink_digit (&s->ink, s->digits, any_digit (s), &p, NULL);
}

/* Digits left and right, above and below, as in written lines. */
static void
put_neighbours (Scene *s, float x, float y, float height, float half_width)
{
  double share = s->augment->neighbours;
  for (int side = -1; side <= 1; side += 2) {
    if (chance (s, share)) {
      float h = height * range (s, 0.8f, 1.25f);
      float gap = height * range (s, 0.06f, 0.7f);
      float away = half_width + gap + h * range (s, 0.15f, 0.4f);
      put_any_digit (s, x + (float) side * away,
          y + height * range (s, -0.2f, 0.2f), h);
    }
    if (chance (s, share / 3)) {
      float h = height * range (s, 0.8f, 1.25f);
      float away = (height + h) / 2 + height * range (s, 0.08f, 0.6f);
      put_any_digit (s, x + height * range (s, -0.6f, 0.6f),
          y + (float) side * away, h);
    }
  }
}

/* Ruled paper, squared paper, the edge of a table: lines through all of the
 * window. */
static void
put_lines (Scene *s, float strength)
{
  float c = s->side / 2, far = 2 * s->side;
  float angle =
      chance (s, 0.6) ? range (s, -0.12f, 0.12f) : range (s, 0, 3.1415927f);
  float pitch = s->object * range (s, 0.35f, 1.8f);
  float width = range (s, 0.4f, chance (s, 0.3) ? 3.0f : 1.2f);
  float phase = range (s, -pitch, pitch);
  int lines = chance (s, 0.4) ? 0 : 2, directions = chance (s, 0.25) ? 2 : 1;
  for (int d = 0; d < directions; d++) {
    float t = angle + (float) d * 1.5707963f;
    float dx = cosf (t), dy = sinf (t);
    for (int k = -lines; k <= lines; k++) {
      float off = phase + (float) k * pitch;
      float x = c - dy * off, y = c + dx * off;
      cnn_ink_line (&s->ink, x - far * dx, y - far * dy, x + far * dx,
          y + far * dy, width, strength);
    }
  }
}

/* Strokes that come in over the border and end somewhere. */
static void
put_strokes (Scene *s)
{
  int strokes = 1 + (int) cnn_rng_int (&s->rng, 3);
  float width = range (s, 0.8f, 4);
  for (int k = 0; k < strokes; k++) {
    float turn = range (s, 0, 6.2831853f);
    float x = s->side * (0.5f + 0.8f * cosf (turn));
    float y = s->side * (0.5f + 0.8f * sinf (turn));
    for (int i = 0; i < 3; i++) {
      float u = range (s, 0, s->side), v = range (s, 0, s->side);
      cnn_ink_line (&s->ink, x, y, u, v, width, 1);
      x = u;
      y = v;
      if (chance (s, 0.5))
        break;
    }
  }
}

/* Corners and edges of things, dark on one side. */
static void
put_edge (Scene *s)
{
  float turn = range (s, 0, 6.2831853f), nx = cosf (turn), ny = sinf (turn);
  float at = range (s, -0.5f, 0.5f) * s->side, strength = range (s, 0.3f, 1);
  bool corner = chance (s, 0.4);
  float at2 = range (s, -0.5f, 0.5f) * s->side;
  for (int i = 0; i < s->ink.width; i++)
    for (int j = 0; j < s->ink.width; j++) {
      float x = (float) j + 0.5f - s->side / 2;
      float y = (float) i + 0.5f - s->side / 2;
      float d = nx * x + ny * y - at, e = ny * x - nx * y - at2;
      d = corner && e < d ? e : d;
      float cover = strength * (d < -0.5f ? 0 : d > 0.5f ? 1 : d + 0.5f);
      float *to = &s->ink.cover[i * s->ink.width + j];
      *to = cover > *to ? cover : *to;
    }
}

static void
put_clutter (Scene *s)
{
  float kind = cnn_rng_float (&s->rng);
  if (kind < 0.4f)
    put_lines (s, range (s, 0.1f, 1));
  else if (kind < 0.75f)
    put_strokes (s);
  else
    put_edge (s);
}

/* A digit too far from the centre to be meant; often one on each side, or the
 * middle of three missing. */
static void
put_off_centre (Scene *s)
{
  float c = s->side / 2, h = s->object * range (s, 0.75f, 1.3f);
  float least = (float) s->augment->shift + 0.15f * h;
  float away = range (s, least, 0.5f * s->side + 0.5f * h);
  float across = range (s, -0.6f, 0.6f) * s->object;
  float turn = chance (s, 0.65) ? 0 : 1.5707963f;
  float sign = chance (s, 0.5) ? 1 : -1;
  float dx = cosf (turn) * away * sign - sinf (turn) * across;
  float dy = sinf (turn) * away * sign + cosf (turn) * across;
  put_any_digit (s, c + dx, c + dy, h);
  if (!chance (s, 0.6))
    return;
  float other = range (s, least, 0.5f * s->side + 0.5f * h);
  other = other + away < h ? h - away : other;
  put_any_digit (s, c - cosf (turn) * other * sign - sinf (turn) * across,
      c - sinf (turn) * other * sign + cosf (turn) * across,
      h * range (s, 0.8f, 1.25f));
}

/* A part of a digit on a level too fine for it: a loop, a corner, a stroke
 * lies where a digit would. */
static void
put_too_large (Scene *s)
{
  float c = s->side / 2;
  float h =
      s->object * (float) s->augment->scale_max * expf (range (s, 0.3f, 1.5f));
  float y = range (s, -0.5f, 0.5f) * h, x = range (s, -0.4f, 0.4f) * h;
  CnnPose p = pose (s, c + x, c + y, h);
  float half_width =
      cnn_ink_digit (&s->ink, s->digits, any_digit (s), &p, NULL);
  if (chance (s, s->augment->neighbours))
    put_neighbours (s, p.x, p.y, h, half_width);
}

/* Digits on a level too coarse for them: one in the centre, or a whole text. */
static void
put_too_small (Scene *s)
{
  float c = s->side / 2, least = (float) s->augment->scale_min;
  float h = s->object * least * expf (-range (s, 0.34f, 1.2f));
  float x = c + range (s, -0.5f, 0.5f) * h, y = c + range (s, -0.5f, 0.5f) * h;
  put_any_digit (s, x, y, h);
  float pitch = h * range (s, 0.75f, 1.3f), line = h * range (s, 1.2f, 2);
  double share = chance (s, 0.5) ? 0.8 : 0.15;
  for (int i = -2; i <= 2; i++)
    for (int k = -3; k <= 3; k++)
      if ((i || k) && chance (s, share))
        put_any_digit (s, x + (float) k * pitch, y + (float) i * line, h);
}

/* Draws something that is no digit. Returns true if it lies on a photograph. */
static bool
draw_background (Scene *s)
{
  float kind = cnn_rng_float (&s->rng);
  bool photograph = s->augment->n_backgrounds > 0;
  bool digits = s->digits->count > 0;
  if (kind < 0.05f)
    return false;
  if (kind < 0.22f && photograph)
    return true;
  if (kind < 0.36f || !digits) {
    put_clutter (s);
    return photograph && chance (s, 0.1);
  }
  if (kind < 0.60f)
    put_off_centre (s);
  else if (kind < 0.90f)
    put_too_large (s);
  else
    put_too_small (s);
  if (chance (s, 0.5 * s->augment->clutter))
    put_lines (s, range (s, 0.05f, 0.4f));
  return photograph && chance (s, 0.1);
}

static void
draw_digit (Scene *s, int index)
{
  const CnnAugment *a = s->augment;
  float shift = (float) a->shift, c = s->side / 2;
  float low = a->scale_min > 0 ? (float) a->scale_min : 1;
  float high = a->scale_max > 0 ? (float) a->scale_max : 1;
  /* A clean digit stands as its data set has it, but for a little. */
  float size = around (s, logf (low), logf (high)) * (s->clean ? 0.2f : 1);
  float h = s->object * expf (size);
  shift *= s->clean ? 0.3f : 1;
  CnnPose p =
      pose (s, c + around (s, -shift, shift), c + around (s, -shift, shift), h);
  p.as_picture = s->clean;
  float half_width = cnn_ink_digit (&s->ink, s->digits, index, &p, NULL);
  if (a->neighbours > 0)
    put_neighbours (s, p.x, p.y, h, half_width);
  if (chance (s, a->clutter))
    put_lines (s, range (s, 0.05f, 0.35f));
}

/* A photograph with nothing drawn on it keeps its own contrast. */
static void
bare_photograph (Scene *s, const float *ground, float *patch)
{
  float low = range (s, -0.1f, 0.3f), high = range (s, 0.6f, 1.1f);
  bool invert = chance (s, 0.5 * s->augment->invert);
  for (int i = 0; i < s->ink.width * s->ink.width; i++) {
    float v = low + (high - low) * ground[i];
    v = v < 0 ? 0 : v > 1 ? 1 : v;
    patch[i] = invert ? 1 - v : v;
  }
}

static bool
is_blank (const CnnInk *ink)
{
  for (int i = 0; i < ink->width * ink->height; i++)
    if (ink->cover[i] > 0)
      return false;
  return true;
}

void
cnn_augment_patch (const CnnAugment *augment, const CnnDigits *digits,
    int index, uint64_t seed, float *patch, int *label)
{
  Scene s = {
    .augment = augment,
    .digits = digits,
    .side = (float) augment->window,
    .object = (float) (augment->object_size * augment->window),
  };
  float ground[CNN_MAX_WINDOW * CNN_MAX_WINDOW];
  cnn_rng_init (&s.rng, seed, (uint64_t) index);
  s.ink = (CnnInk){ augment->window, augment->window, s.cover };
  cnn_ink_clear (&s.ink);

  bool plain = !(augment->lighting > 0) && !(augment->noise > 0);
  s.clean = chance (&s, augment->clean);
  bool background =
      augment->background_class >= 0 && chance (&s, augment->background_share);
  bool on_photograph = false;
  if (background) {
    *label = augment->background_class;
    on_photograph = draw_background (&s);
  } else {
    *label = digits->labels[index];
    draw_digit (&s, index);
    on_photograph = augment->n_backgrounds > 0 && !s.clean && chance (&s, 0.12);
  }
  if (on_photograph)
    cnn_shade_photograph (augment->backgrounds, augment->n_backgrounds, &s.rng,
        augment->window, ground);
  if (on_photograph && is_blank (&s.ink))
    bare_photograph (&s, ground, patch);
  else
    cnn_shade (augment, &s.rng, &s.ink, on_photograph ? ground : NULL,
        (plain || s.clean) && !on_photograph, patch);
}
