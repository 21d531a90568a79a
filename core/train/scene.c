/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* scene.c: what is written on a page, and where.
 *
 * Sizes, hands, layouts and what stands around digits vary as widely as they
 * do before cameras: rows of figures, scattered ones, a few large ones, none at
 * all; thin pens and thick; forms, squared paper, print, letters, scribbles. */

#include "train/scene.h"

#include <math.h>

#define SIDE ((float) CNN_SCENE_SIDE)
/* Things on a page that keep off each other. */
#define MAX_THINGS 128

/* One hand writes a scene: its slant, its pen. */
typedef struct
{
  float angle, shear, thickness, aspect;
} Hand;

typedef struct
{
  const CnnSceneSources *sources;
  CnnRng rng;
  CnnInk ink;
  CnnScene *scene;
  Hand hand;
  CnnInkBox things[MAX_THINGS];
  int n_things;
} Page;

static float
range (Page *p, float low, float high)
{
  return cnn_rng_range (&p->rng, low, high);
}

/* Every factor is as likely. */
static float
log_range (Page *p, float low, float high)
{
  return low * expf (cnn_rng_float (&p->rng) * logf (high / low));
}

static bool
chance (Page *p, double share)
{
  return cnn_rng_float (&p->rng) < (float) share;
}

static int
any (Page *p, int count)
{
  return (int) cnn_rng_int (&p->rng, (uint32_t) count);
}

/* -- where there is room ------------------------------------------------ */

static bool
overlaps (const CnnInkBox *a, const CnnInkBox *b)
{
  return a->x0 < b->x1 && b->x0 < a->x1 && a->y0 < b->y1 && b->y0 < a->y1;
}

static bool
is_free (const Page *p, const CnnInkBox *box)
{
  for (int i = 0; i < p->n_things; i++)
    if (overlaps (box, &p->things[i]))
      return false;
  return true;
}

static void
occupy (Page *p, const CnnInkBox *box)
{
  if (p->n_things < MAX_THINGS)
    p->things[p->n_things++] = *box;
}

/* The box that something of that height may take; neighbours touch now and
 * then, so it is a little less. */
static CnnInkBox
room_of (float x, float y, float height, float width, float share)
{
  float w = share * width / 2, h = share * height / 2;
  return (CnnInkBox){ x - w, y - h, x + w, y + h };
}

/* -- digits and letters ------------------------------------------------- */

static void
draw_hand (Page *p)
{
  p->hand = (Hand){
    .angle = range (p, -0.12f, 0.12f),
    .shear = range (p, -0.3f, 0.3f),
    .thickness = range (p, -1.7f, 0.3f) + range (p, 0, 2),
    .aspect = log_range (p, 0.8f, 1.25f),
  };
}

static CnnPose
pose (Page *p, float x, float y, float height)
{
  return (CnnPose){
    .x = x,
    .y = y,
    .height = height,
    .angle = p->hand.angle + range (p, -0.1f, 0.1f),
    .shear = p->hand.shear + range (p, -0.1f, 0.1f),
    .thickness = p->hand.thickness + range (p, -0.3f, 0.3f),
    .aspect = p->hand.aspect * log_range (p, 0.85f, 1.18f),
  };
}

static const CnnDigits *
digit_source (Page *p)
{
  const CnnSceneSources *s = p->sources;
  return s->pen && chance (p, s->pen_share) ? s->pen : s->digits;
}

/* Clears what lies behind a digit, and close beside it. */
static void
wipe (Page *p, const CnnInkBox *box, float margin)
{
  int x0 = (int) fmaxf (box->x0 - margin, 0);
  int y0 = (int) fmaxf (box->y0 - margin, 0);
  int x1 = (int) fminf (box->x1 + margin, SIDE);
  int y1 = (int) fminf (box->y1 + margin, SIDE);
  for (int y = y0; y < y1; y++)
    for (int x = x0; x < x1; x++)
      p->ink.cover[y * CNN_SCENE_SIDE + x] = 0;
}

static void
note_digit (Page *p, int label, const CnnInkBox *drawn)
{
  CnnScene *scene = p->scene;
  bool inside = drawn->x1 > drawn->x0 && drawn->y1 > drawn->y0;
  if (inside && scene->count < CNN_SCENE_DIGITS)
    scene->digits[scene->count++] = (CnnSceneDigit){ label, *drawn };
}

/* A digit wholly on the page, off the others; returns false if there is no
 * room. */
static bool
put_digit (Page *p, float x, float y, float height)
{
  float half = height / 2;
  CnnInkBox room = room_of (x, y, height, 0.75f * height, 1);
  if (x < 0.35f * height || y < half || x > SIDE - 0.35f * height
      || y > SIDE - half || !is_free (p, &room)
      || p->scene->count == CNN_SCENE_DIGITS)
    return false;
  const CnnDigits *source = digit_source (p);
  int index = any (p, source->count);
  CnnPose at = pose (p, x, y, height);
  CnnInkBox drawn;
  wipe (p, &room, 0.08f * height);
  cnn_ink_digit (&p->ink, source, index, &at, &drawn);
  note_digit (p, source->labels[index], &drawn);
  room = room_of (x, y, height, drawn.x1 - drawn.x0, 1);
  occupy (p, &room);
  return true;
}

static void
put_letter (Page *p, float x, float y, float height)
{
  const CnnDigits *letters = p->sources->letters;
  CnnInkBox room = room_of (x, y, height, 0.75f * height, 1);
  if (!letters || !is_free (p, &room))
    return;
  CnnPose at = pose (p, x, y, height);
  cnn_ink_digit (&p->ink, letters, any (p, letters->count), &at, NULL);
  occupy (p, &room);
}

/* -- layouts ------------------------------------------------------------ */

static void
put_row (Page *p, float y, float height, double words)
{
  float gap = height * range (p, 0.6f, 1.2f);
  float x = range (p, 0.4f, 1.5f) * height;
  float slope = range (p, -0.05f, 0.05f);
  bool word = chance (p, words);
  while (x < SIDE) {
    float h = height * log_range (p, 0.85f, 1.18f);
    float at = y + slope * x + height * range (p, -0.1f, 0.1f);
    if (word)
      put_letter (p, x, at, h);
    else
      put_digit (p, x, at, h);
    x += gap * range (p, 0.85f, 1.2f);
    if (chance (p, 0.12)) {
      x += height * range (p, 0.5f, 4);
      word = chance (p, words);
    }
  }
}

static void
put_rows (Page *p, double words)
{
  float height = log_range (p, 11, 80);
  float pitch = height * range (p, 1.1f, 2.4f);
  for (float y = range (p, 0.6f, 1.5f) * height; y < SIDE; y += pitch)
    if (chance (p, 0.85))
      put_row (p, y, height, words);
}

static void
put_scattered (Page *p, double letters)
{
  int count = 1 + any (p, 14);
  float least = log_range (p, 11, 40), most = least * log_range (p, 1.1f, 6);
  most = fminf (most, 0.6f * SIDE);
  for (int i = 0; i < 3 * count && p->scene->count < count; i++) {
    float h = log_range (p, least, fmaxf (most, least + 1));
    float x = range (p, 0, SIDE), y = range (p, 0, SIDE);
    if (chance (p, letters))
      put_letter (p, x, y, h);
    else
      put_digit (p, x, y, h);
  }
}

static void
put_large (Page *p)
{
  int count = 1 + any (p, 3);
  for (int i = 0; i < 6 && p->scene->count < count; i++) {
    float h = range (p, 0.25f, 0.8f) * SIDE;
    put_digit (p, range (p, 0.2f, 0.8f) * SIDE, range (p, 0.2f, 0.8f) * SIDE,
        h);
  }
}

/* -- what stands beside digits ------------------------------------------ */

static float
image_at (const CnnImage *image, float x, float y)
{
  int i = (int) y, k = (int) x;
  if (i < 0 || k < 0 || i >= image->height || k >= image->width)
    return 0;
  return image->data[0][i * image->pitch_bytes[0] + k] * (1 / 255.0f);
}

/* A sheet of print, or a piece of it, at some size. */
static void
put_print (Page *p)
{
  const CnnSceneSources *s = p->sources;
  if (!s->n_sheets)
    return;
  const CnnImage *sheet = &s->sheets[any (p, s->n_sheets)];
  float scale = log_range (p, 0.5f, 2), turn = range (p, -0.15f, 0.15f);
  float c = cosf (turn) * scale, n = sinf (turn) * scale;
  float u = range (p, 0, 0.5f) * (float) sheet->width;
  float v = range (p, 0, 0.5f) * (float) sheet->height;
  int x0 = any (p, CNN_SCENE_SIDE), y0 = any (p, CNN_SCENE_SIDE);
  int x1 = x0 + any (p, CNN_SCENE_SIDE), y1 = y0 + any (p, CNN_SCENE_SIDE);
  float dark = range (p, 0.5f, 1);
  if (chance (p, 0.4)) {
    x0 = y0 = 0;
    x1 = y1 = CNN_SCENE_SIDE;
  }
  for (int y = y0; y < y1 && y < CNN_SCENE_SIDE; y++)
    for (int x = x0; x < x1 && x < CNN_SCENE_SIDE; x++) {
      float a = u + c * (float) x - n * (float) y;
      float b = v + n * (float) x + c * (float) y;
      float cover = dark * 0.25f
          * (image_at (sheet, a, b) + image_at (sheet, a + c / 2, b)
              + image_at (sheet, a, b + c / 2)
              + image_at (sheet, a + c / 2, b + c / 2));
      float *to = &p->ink.cover[y * CNN_SCENE_SIDE + x];
      *to = fmaxf (*to, cover);
    }
}

static void
put_letters (Page *p)
{
  float height = log_range (p, 10, 90);
  int count = 1 + any (p, 12);
  float x = range (p, 0, SIDE), y = range (p, 0, SIDE);
  for (int i = 0; i < count; i++) {
    put_letter (p, x, y, height * log_range (p, 0.9f, 1.1f));
    x += height * range (p, 0.6f, 1);
    if (x > SIDE || chance (p, 0.1)) {
      x = range (p, 0, SIDE);
      y = range (p, 0, SIDE);
    }
  }
}

/* Lines of an open or closed curve that wanders: scribbles, arrows, loops that
 * are no digit. */
static void
put_scribble (Page *p)
{
  float size = log_range (p, 12, 150), width = log_range (p, 1, 7);
  float x = range (p, 0, SIDE), y = range (p, 0, SIDE);
  float turn = range (p, 0, 6.28f), bend = range (p, -0.25f, 0.25f);
  int steps = 4 + any (p, 40);
  bool straight = chance (p, 0.35);
  for (int i = 0; i < steps; i++) {
    float length = size / (straight ? 3.0f : 12.0f);
    float u = x + length * cosf (turn), v = y + length * sinf (turn);
    cnn_ink_line (&p->ink, x, y, u, v, width, 1);
    x = u;
    y = v;
    if (straight) {
      turn += chance (p, 0.7) ? range (p, -2.5f, 2.5f) : 0;
      if (i > 4)
        break;
    } else {
      turn += bend + range (p, -0.2f, 0.2f);
      bend += range (p, -0.12f, 0.12f);
    }
  }
}

/* An ellipse or a rectangle: a button, a cup, a frame. */
static void
put_shape (Page *p)
{
  float a = log_range (p, 8, 100), b = a * log_range (p, 0.4f, 2.5f);
  float x = range (p, 0, SIDE), y = range (p, 0, SIDE);
  float width = log_range (p, 1, 6), turn = range (p, -0.3f, 0.3f);
  /* ellipses by many chords would be noughts: only wide or flat ones */
  bool ellipse = b < 0.7f * a || b > 4 * a;
  int sides = ellipse ? 24 : 4;
  float c = cosf (turn), s = sinf (turn), px = 0, py = 0;
  for (int i = 0; i <= sides; i++) {
    float t = 6.2831853f * ((float) i + 0.5f) / (float) sides;
    float u = a * cosf (t), v = b * sinf (t);
    float qx = x + c * u - s * v, qy = y + s * u + c * v;
    if (i)
      cnn_ink_line (&p->ink, px, py, qx, qy, width, 1);
    px = qx;
    py = qy;
  }
}

/* Ruled or squared paper, over everything. */
static void
put_ruling (Page *p)
{
  float angle = chance (p, 0.8) ? range (p, -0.1f, 0.1f) : range (p, 0, 3.14f);
  float pitch = log_range (p, 7, 60), width = log_range (p, 0.5f, 2);
  float strength = range (p, 0.05f, 0.45f);
  int directions = chance (p, 0.4) ? 2 : 1;
  for (int d = 0; d < directions; d++) {
    float t = angle + (float) d * 1.5707963f, dx = cosf (t), dy = sinf (t);
    for (float off = range (p, -1, 0) * pitch - SIDE; off < SIDE;
         off += pitch) {
      float x = SIDE / 2 - dy * off, y = SIDE / 2 + dx * off;
      cnn_ink_line (&p->ink, x - SIDE * dx, y - SIDE * dy, x + SIDE * dx,
          y + SIDE * dy, width, strength);
    }
  }
}

/* A line across the page, or a piece of one, which is not upright: that would
 * be a 1. */
static void
put_line (Page *p)
{
  float x = range (p, 0, SIDE), y = range (p, 0, SIDE);
  float turn =
      chance (p, 0.7) ? range (p, -0.15f, 0.15f) : range (p, -0.6f, 0.6f);
  float length = log_range (p, 10, 2 * SIDE), strength = range (p, 0.3f, 1);
  if (chance (p, 0.3)) {
    turn += 1.5707963f;
    length = 2 * SIDE;
    y = 0;
  }
  cnn_ink_line (&p->ink, x, y, x + length * cosf (turn),
      y + length * sinf (turn), log_range (p, 0.8f, 5), strength);
}

/* Cells of a form around digits. */
static void
put_frames (Page *p)
{
  float width = log_range (p, 0.7f, 3), strength = range (p, 0.3f, 1);
  float space = range (p, 0.15f, 0.6f);
  for (int i = 0; i < p->scene->count; i++) {
    const CnnInkBox *b = &p->scene->digits[i].box;
    float h = b->y1 - b->y0, m = space * h;
    float mx = m + fmaxf (0, 0.3f * h - 0.5f * (b->x1 - b->x0));
    float x0 = b->x0 - mx, x1 = b->x1 + mx, y0 = b->y0 - m, y1 = b->y1 + m;
    if (chance (p, 0.3))
      continue;
    cnn_ink_line (&p->ink, x0, y0, x1, y0, width, strength);
    cnn_ink_line (&p->ink, x0, y1, x1, y1, width, strength);
    cnn_ink_line (&p->ink, x0, y0, x0, y1, width, strength);
    cnn_ink_line (&p->ink, x1, y0, x1, y1, width, strength);
  }
}

static void
repeat (Page *p, void (*put) (Page *), double share, int most)
{
  for (int i = 0; i < most && chance (p, share); i++)
    put (p);
}

/* -- whole pages -------------------------------------------------------- */

/* White digits on black, as they are. */
static void
draw_black (Page *p)
{
  int count = 1 + any (p, 20);
  const CnnDigits *source = p->sources->digits;
  for (int i = 0; i < 4 * count && p->scene->count < count; i++) {
    float size = range (p, 15, 100);
    CnnInkBox room, drawn;
    CnnPose at = { .x = range (p, 0.4f * size, SIDE - 0.4f * size),
      .y = range (p, 0.4f * size, SIDE - 0.4f * size),
      .height = size * 20 / 28 };
    int index = any (p, source->count);
    room = room_of (at.x, at.y, at.height, 0.75f * at.height, 0.95f);
    if (!is_free (p, &room) || p->scene->count == CNN_SCENE_DIGITS)
      continue;
    cnn_ink_digit (&p->ink, source, index, &at, &drawn);
    note_digit (p, source->labels[index], &drawn);
    occupy (p, &drawn);
  }
  for (int i = 0; i < CNN_SCENE_SIDE * CNN_SCENE_SIDE; i++)
    p->scene->pixels[i] = (uint8_t) (255 * p->ink.cover[i] + 0.5f);
}

static void
draw_page (Page *p, bool empty)
{
  double words = p->sources->letters && chance (p, 0.3) ? 0.4 : 0;
  float layout = cnn_rng_float (&p->rng);
  draw_hand (p);
  if (p->sources->n_sheets && chance (p, empty ? 0.45 : 0.15))
    put_print (p);
  repeat (p, put_letters, empty ? 0.6 : 0.15, 4);
  repeat (p, put_scribble, empty ? 0.5 : 0.12, 5);
  repeat (p, put_shape, empty ? 0.35 : 0.08, 4);
  if (!empty && layout < 0.42f)
    put_rows (p, words);
  else if (!empty && layout < 0.82f)
    put_scattered (p, words);
  else if (!empty)
    put_large (p);
  if (chance (p, 0.25))
    put_ruling (p);
  if (chance (p, 0.1))
    put_frames (p);
  repeat (p, put_line, 0.2, 4);
}

void
cnn_scene_draw (const CnnSceneSources *sources, uint64_t seed,
    CnnScenePaper *planes, CnnScene *scene)
{
  Page page = { .sources = sources,
    .ink = { CNN_SCENE_SIDE, CNN_SCENE_SIDE, planes->ink },
    .scene = scene };
  cnn_rng_init (&page.rng, seed, 7);
  cnn_ink_clear (&page.ink);
  scene->count = 0;
  if (chance (&page, sources->black_share)) {
    draw_black (&page);
    return;
  }
  bool bare = sources->bare_share > 0 && sources->n_backgrounds
      && chance (&page, sources->bare_share);
  if (!bare)
    draw_page (&page, chance (&page, sources->empty_share));
  cnn_scene_shade (sources, &page.rng, &page.ink, bare, planes, scene);
}
