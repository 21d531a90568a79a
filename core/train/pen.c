/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* pen.c: digits drawn by a model of a pen: no font, no data set.
 *
 * A digit is a few strokes; a stroke is a row of splines that meet in
 * corners (pen_ways.c). A hand moves the points, slants and bends the
 * whole and presses harder here than there. Training draws them by the
 * hundred thousand, from several threads: nothing is allocated, and all
 * randomness comes from the seed. */

#include <cnn/train.h>

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "train/pen.h"

/* A spline is drawn as this many straight lines. */
#define LINES    8
#define MAX_DOTS (CNN_PEN_MAX_POINTS * LINES + CNN_PEN_MAX_POINTS)

/* Streams of random numbers of one digit. */
enum
{
  STREAM_HAND,
  STREAM_WAY,
  STREAM_PLACE,
  STREAM_STROKES,
  STREAM_POINTS
};

/* How a digit is written: what a person keeps, more or less. Lengths are in
 * the digit's height. */
typedef struct
{
  float width, slant, aspect, turn;
  float roundness; /* of the splines: 0 = straight lines, 1 = full curves */
  float haste;     /* how much corners are rounded, 0..1 */
  float bend[4];   /* amplitude and phase of a wave, across and down */
  float thin_begin, thin_end; /* pressure where a stroke begins and ends */
  float flat, nib;            /* thin share and angle of a flat nib */
} Hand;

typedef struct
{
  float x, y, radius;
  int up; /* last of its stroke */
} Dot;

typedef struct
{
  Dot dots[MAX_DOTS];
  int count;
} Trace;

static const CnnPenStyle styles[] = {
  { .name = "hand",
      .size_min = 20 / 28.0,
      .size_max = 20 / 28.0,
      .by_mass = 1,
      .width_min = 0.05,
      .width_max = 0.16,
      .slant = 0.35,
      .turn = 7,
      .aspect = 1.25,
      .jitter = 0.022,
      .bend = 0.025,
      .haste = 0.5,
      .pressure = 0.25,
      .flat_nibs = 0.05 },
  { .name = "any",
      .size_min = 20 / 28.0,
      .size_max = 20 / 28.0,
      .by_mass = 1,
      .width_min = 0.025,
      .width_max = 0.2,
      .slant = 0.55,
      .turn = 12,
      .aspect = 1.5,
      .jitter = 0.032,
      .bend = 0.04,
      .haste = 1,
      .pressure = 0.5,
      .flat_nibs = 0.15 },
  { .name = "mouse",
      .size_min = 0.7,
      .size_max = 0.8,
      .width_min = 0.08,
      .width_max = 0.1,
      .slant = 0.12,
      .turn = 4,
      .aspect = 1.15,
      .jitter = 0.03,
      .bend = 0.02,
      .haste = 0.3,
      .shift = 0.04 },
};

const CnnPenStyle *
cnn_pen_style (const char *name)
{
  for (size_t i = 0; i < sizeof styles / sizeof *styles; i++)
    if (strcmp (styles[i].name, name) == 0)
      return &styles[i];
  return NULL;
}

/* -1..1, most often near 0. */
static float
about (CnnRng *rng)
{
  return cnn_rng_float (rng) - cnn_rng_float (rng);
}

static Hand
make_hand (const CnnPenStyle *style, uint64_t seed)
{
  CnnRng rng;
  float thin = (float) style->width_min, thick = (float) style->width_max;
  float pressure = (float) style->pressure, bend = (float) style->bend;
  Hand hand = { .flat = 1 };

  cnn_rng_init (&rng, seed, STREAM_HAND);
  hand.width = thin * powf (thick / thin, cnn_rng_float (&rng));
  hand.slant = (float) style->slant * (about (&rng) + 0.15f);
  hand.aspect = powf ((float) style->aspect, about (&rng));
  hand.turn = (float) style->turn * about (&rng) * (3.14159265f / 180);
  hand.roundness = 1 - 0.5f * (float) style->haste * cnn_rng_float (&rng);
  hand.haste = (float) style->haste * cnn_rng_float (&rng);
  for (int i = 0; i < 4; i += 2) {
    hand.bend[i] = bend * about (&rng);
    hand.bend[i + 1] = cnn_rng_range (&rng, 0, 6.2831853f);
  }
  hand.thin_begin = 1 - pressure * cnn_rng_float (&rng);
  hand.thin_end = 1 - pressure * cnn_rng_float (&rng);
  hand.nib = cnn_rng_range (&rng, 0, 3.14159265f);
  if ((double) cnn_rng_float (&rng) < style->flat_nibs)
    hand.flat = cnn_rng_range (&rng, 0.25f, 0.7f);
  return hand;
}

/* A little of this digit's own in what its writer does. */
static void
mix_hands (Hand *hand, const Hand *own, float share)
{
  hand->width *= powf (own->width / hand->width, share);
  hand->slant += share * (own->slant - hand->slant);
  hand->aspect *= powf (own->aspect / hand->aspect, share);
  hand->turn += share * (own->turn - hand->turn);
  memcpy (hand->bend, own->bend, sizeof hand->bend);
}

static const CnnPenWay *
pick_way (int label, uint64_t seed)
{
  const CnnPenWay *way = cnn_pen_ways;
  uint32_t total = 0, left;
  CnnRng rng;

  for (int i = 0; i < cnn_pen_n_ways; i++)
    total += cnn_pen_ways[i].label == label ? cnn_pen_ways[i].weight : 0;
  cnn_rng_init (&rng, seed, STREAM_WAY + 16 * (uint64_t) label);
  left = cnn_rng_int (&rng, total);
  while (way->label != label || left >= way->weight) {
    left -= way->label == label ? way->weight : 0;
    way++;
  }
  return way;
}

/* A point of the way where this hand puts it. What stands at one place in the
 * table stays together: its displacement depends on the place. */
static Dot
move_point (const CnnPenPoint *point, const Hand *hand, float jitter,
    uint64_t seed)
{
  float x = (float) point->x / 100 - 0.42f, y = (float) point->y / 100 - 0.5f;
  float c = cosf (hand->turn), s = sinf (hand->turn), u;
  CnnRng rng;

  cnn_rng_init (&rng, seed,
      STREAM_POINTS
          + 16 * (uint64_t) ((point->x + 128) * 256 + point->y + 128));
  x += jitter * cnn_rng_normal (&rng);
  y += jitter * cnn_rng_normal (&rng);
  x += hand->bend[0] * sinf (5 * y + hand->bend[1]);
  y += hand->bend[2] * sinf (5 * x + hand->bend[3]);
  u = x * hand->aspect - hand->slant * y;
  return (Dot){ .x = u * c - y * s, .y = u * s + y * c };
}

/* A spline of Catmull and Rom from @p[1] to @p[2]. */
static void
draw_spline (Trace *trace, const Dot *const p[4], float roundness)
{
  float pull = 0.5f * roundness;

  for (int k = 0; k < LINES; k++) {
    float t = (float) k / LINES, t2 = t * t, t3 = t2 * t;
    float a = 2 * t3 - 3 * t2 + 1, b = pull * (t3 - 2 * t2 + t);
    float c = 3 * t2 - 2 * t3, d = pull * (t3 - t2);

    assert (trace->count < MAX_DOTS);
    trace->dots[trace->count++] = (Dot){ .x = a * p[1]->x
          + b * (p[2]->x - p[0]->x) + c * p[2]->x + d * (p[3]->x - p[1]->x),
      .y = a * p[1]->y + b * (p[2]->y - p[0]->y) + c * p[2]->y
          + d * (p[3]->y - p[1]->y) };
  }
}

static void
draw_strokes (Trace *trace, const CnnPenWay *way, const Hand *hand,
    float jitter, uint64_t seed)
{
  Dot at[CNN_PEN_MAX_POINTS];
  const CnnPenPoint *points = way->points;
  float dx = 0, dy = 0;
  CnnRng rng;

  assert (way->n_points <= CNN_PEN_MAX_POINTS);
  cnn_rng_init (&rng, seed, STREAM_STROKES);
  for (int i = 0; i < way->n_points; i++) {
    at[i] = move_point (&points[i], hand, jitter, seed);
    /* the pen does not come down where it should */
    if (i && points[i - 1].end == CNN_PEN_UP) {
      dx = jitter * cnn_rng_normal (&rng);
      dy = jitter * cnn_rng_normal (&rng);
    }
    at[i].x += dx;
    at[i].y += dy;
  }
  for (int i = 0; i + 1 < way->n_points; i++) {
    const int begins = i == 0 || points[i].end != CNN_PEN_ON;
    const int ends = points[i + 1].end != CNN_PEN_ON;
    const Dot *p[4] = { &at[begins ? i : i - 1], &at[i], &at[i + 1],
      &at[ends ? i + 1 : i + 2] };

    if (points[i].end != CNN_PEN_UP)
      draw_spline (trace, p, hand->roundness);
    if (points[i + 1].end == CNN_PEN_UP) {
      trace->dots[trace->count] = at[i + 1];
      trace->dots[trace->count++].up = 1;
    }
  }
}

/* A fast hand rounds corners: every dot goes towards its neighbours' middle. */
static void
hurry (Trace *trace, float haste)
{
  Dot *dots = trace->dots;

  for (float left = 6 * haste; left > 0; left -= 1) {
    float share = 0.5f * (left < 1 ? left : 1);
    Dot before = dots[0];

    for (int i = 1; i + 1 < trace->count; i++) {
      Dot here = dots[i];

      if (!here.up && !dots[i - 1].up) {
        dots[i].x += share * ((before.x + dots[i + 1].x) / 2 - here.x);
        dots[i].y += share * ((before.y + dots[i + 1].y) / 2 - here.y);
      }
      before = here;
    }
  }
}

/* From dot @first to the end of its stroke. Returns: where the next begins. */
static int
press_stroke (Trace *trace, int first, const Hand *hand, float pressure,
    float phase)
{
  int last = first;

  while (!trace->dots[last].up)
    last++;
  for (int i = first; i <= last; i++) {
    Dot *dot = &trace->dots[i];
    const Dot *next = &trace->dots[i < last ? i + 1 : i];
    const Dot *back = &trace->dots[i > first ? i - 1 : i];
    float t = (float) (i - first) / (float) (last - first);
    float ends = hand->thin_begin + t * (hand->thin_end - hand->thin_begin);
    float wave = 1 + 0.3f * pressure * sinf (phase + 9 * t);
    float angle = atan2f (next->y - back->y, next->x - back->x) - hand->nib;
    float nib = hand->flat + (1 - hand->flat) * fabsf (sinf (angle));

    dot->radius = 0.5f * hand->width * ends * wave * nib;
  }
  return last + 1;
}

/* Scales and moves the trace to pixels: the longer side of the ink is @size,
 * and its box or its mass stands at (@x, @y). */
static void
fit (Trace *trace, float size, int by_mass, float x, float y)
{
  float x0 = 1e9f, y0 = 1e9f, x1 = -1e9f, y1 = -1e9f, scale;
  float mass = 1e-9f, mx = 0, my = 0;

  for (int i = 0; i < trace->count; i++) {
    const Dot *d = &trace->dots[i];

    x0 = fminf (x0, d->x - d->radius);
    y0 = fminf (y0, d->y - d->radius);
    x1 = fmaxf (x1, d->x + d->radius);
    y1 = fmaxf (y1, d->y + d->radius);
    if (!d->up) {
      float m = d->radius * hypotf (d[1].x - d->x, d[1].y - d->y);

      mass += m;
      mx += m * (d->x + d[1].x) / 2;
      my += m * (d->y + d[1].y) / 2;
    }
  }
  scale = size / fmaxf (x1 - x0, y1 - y0);
  mx = by_mass ? mx / mass : (x0 + x1) / 2;
  my = by_mass ? my / mass : (y0 + y1) / 2;
  for (int i = 0; i < trace->count; i++) {
    trace->dots[i].x = (trace->dots[i].x - mx) * scale + x;
    trace->dots[i].y = (trace->dots[i].y - my) * scale + y;
    trace->dots[i].radius *= scale;
  }
}

/* The line between two dots as coverage: a pixel from the edge to the inside,
 * and lines thinner than a pixel are grey. */
static void
ink_line (const Dot *a, const Dot *b, int width, int height, uint8_t *pixels)
{
  float reach = fmaxf (a->radius, b->radius) + 1;
  int x0 = (int) fmaxf (floorf (fminf (a->x, b->x) - reach), 0);
  int y0 = (int) fmaxf (floorf (fminf (a->y, b->y) - reach), 0);
  int x1 = (int) fminf (ceilf (fmaxf (a->x, b->x) + reach), (float) width);
  int y1 = (int) fminf (ceilf (fmaxf (a->y, b->y) + reach), (float) height);
  float dx = b->x - a->x, dy = b->y - a->y;
  float length = dx * dx + dy * dy + 1e-9f;

  for (int y = y0; y < y1; y++)
    for (int x = x0; x < x1; x++) {
      float px = (float) x + 0.5f - a->x, py = (float) y + 0.5f - a->y;
      float t = fminf (fmaxf ((px * dx + py * dy) / length, 0), 1);
      float radius = a->radius + t * (b->radius - a->radius);
      float far = hypotf (px - t * dx, py - t * dy);
      float cover = fminf (fmaxf (radius + 0.5f - far, 0), 2 * radius);
      uint8_t value = (uint8_t) lrintf (255 * fminf (cover, 1));
      uint8_t *pixel = &pixels[y * width + x];

      *pixel = value > *pixel ? value : *pixel;
    }
}

static void
write_digit (Trace *trace, int label, uint64_t seed, const CnnPenStyle *style)
{
  float jitter = (float) style->jitter, phase;
  Hand own = make_hand (style, seed), hand = own;
  uint64_t way_seed = seed;
  CnnRng rng;

  cnn_rng_init (&rng, seed, STREAM_PLACE);
  phase = cnn_rng_range (&rng, 0, 6.2831853f);
  if (style->writer) {
    hand = make_hand (style, cnn_rng_mix (style->writer));
    mix_hands (&hand, &own, 0.35f);
    way_seed = cnn_rng_mix (style->writer);
  }
  trace->count = 0;
  draw_strokes (trace, pick_way (label, way_seed), &hand, jitter, seed);
  hurry (trace, hand.haste);
  for (int i = 0; i < trace->count; phase += 2)
    i = press_stroke (trace, i, &hand, (float) style->pressure, phase);
}

void
cnn_pen_digit (int label, uint64_t seed, const CnnPenStyle *style, int width,
    int height, uint8_t *pixels)
{
  float side = (float) (width < height ? width : height), shift, size;
  Trace trace;
  CnnRng rng;

  assert (label >= 0 && label <= 9);
  if (!style)
    style = &styles[0];
  memset (pixels, 0, (size_t) width * (size_t) height);
  write_digit (&trace, label, seed, style);
  cnn_rng_init (&rng, seed, STREAM_PLACE + 16);
  size = cnn_rng_range (&rng, (float) style->size_min, (float) style->size_max);
  shift = (float) style->shift * side;
  fit (&trace, size * side, style->by_mass,
      (float) width / 2 + shift * about (&rng),
      (float) height / 2 + shift * about (&rng));
  for (int i = 0; i + 1 < trace.count; i++)
    if (!trace.dots[i].up)
      ink_line (&trace.dots[i], &trace.dots[i + 1], width, height, pixels);
}
