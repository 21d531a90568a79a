/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* drawn.c: sets of drawn digits. */

#include "drawn.h"

#include <string.h>

#define HAND_SIDE  32
#define MOUSE_SIDE 16
#define CLASSES    10
#define DRAWINGS   12
#define TAUGHT     8 /* drawings to learn from */

static const int positions[] = { -3, -1, 1, 3 };

#define MOUSE_WIDTH_1989 13
#define POSITIONS_1989   (MOUSE_SIDE - MOUSE_WIDTH_1989 + 1)
#define PICTURES_1989    (DRAWINGS * POSITIONS_1989)
#define TAUGHT_1989      32

static void
make_room (ToolDigits *digits, int count, int side, double object_size)
{
  *digits = (ToolDigits){ .object_size = object_size };
  digits->images.bytes = g_malloc0 ((gsize) count * (gsize) (side * side));
  digits->labels.bytes = g_malloc0 ((gsize) count);
  digits->view = (CnnDigits){ count, side, side, digits->images.bytes,
    digits->labels.bytes };
}

void
tool_drawn_hands (int count, guint64 seed, ToolDigits *digits)
{
  CnnPenStyle style = *cnn_pen_style ("any");

  style.size_min = style.size_max = 26.0 / HAND_SIDE;
  style.width_min = 0.05;
  make_room (digits, count, HAND_SIDE, style.size_max);
  for (int i = 0; i < count; i++) {
    digits->labels.bytes[i] = (guint8) (i % CLASSES);
    cnn_pen_digit (i % CLASSES, seed * 1000003 + (guint64) i, &style, HAND_SIDE,
        HAND_SIDE, digits->images.bytes + (gsize) i * HAND_SIDE * HAND_SIDE);
  }
}

static void
move_across (const guint8 *from, int columns, guint8 *to)
{
  for (int y = 0; y < MOUSE_SIDE; y++)
    for (int x = 0; x < MOUSE_SIDE; x++) {
      int source = x - columns;

      to[y * MOUSE_SIDE + x] = source >= 0 && source < MOUSE_SIDE
          ? from[y * MOUSE_SIDE + source]
          : 0;
    }
}

/* Picture @i of a class, on a ground of paper. */
static void
draw_1989 (int label, guint64 seed, int i, guint8 *to)
{
  guint8 drawing[MOUSE_SIDE * MOUSE_WIDTH_1989];
  guint64 number = (guint64) (i / POSITIONS_1989 * CLASSES + label);

  cnn_pen_digit (label, seed * 1000003 + number, cnn_pen_style ("mouse"),
      MOUSE_WIDTH_1989, MOUSE_SIDE, drawing);
  for (int y = 0; y < MOUSE_SIDE; y++)
    memcpy (to + y * MOUSE_SIDE + i % POSITIONS_1989,
        drawing + y * MOUSE_WIDTH_1989, MOUSE_WIDTH_1989);
}

static void
shuffle (GRand *random, int *order, int count)
{
  for (int i = 0; i < count; i++)
    order[i] = i;
  for (int i = count - 1; i > 0; i--) {
    int j = g_rand_int_range (random, 0, i + 1), keep = order[i];

    order[i] = order[j];
    order[j] = keep;
  }
}

static void
make_1989 (gboolean test, guint64 seed, ToolDigits *digits)
{
  int first = test ? TAUGHT_1989 : 0, end = test ? PICTURES_1989 : TAUGHT_1989;
  int at = 0, order[PICTURES_1989];
  GRand *random = g_rand_new_with_seed ((guint32) seed);

  make_room (digits, (end - first) * CLASSES, MOUSE_SIDE, 1);
  for (int label = 0; label < CLASSES; label++) {
    shuffle (random, order, PICTURES_1989);
    for (int i = first; i < end; i++, at++) {
      digits->labels.bytes[at] = (guint8) label;
      draw_1989 (label, seed, order[i],
          digits->images.bytes + (gsize) at * MOUSE_SIDE * MOUSE_SIDE);
    }
  }
  g_rand_free (random);
}

gboolean
tool_drawn_set (const char *name, guint64 seed, ToolDigits *digits)
{
  const int n = G_N_ELEMENTS (positions);
  gboolean test = strcmp (name, TOOL_DRAWN_TEST) == 0;
  int first = test ? TAUGHT : 0, end = test ? DRAWINGS : TAUGHT, at = 0;
  const CnnPenStyle *style = cnn_pen_style ("mouse");
  guint8 drawing[MOUSE_SIDE * MOUSE_SIDE];

  if (strcmp (name, TOOL_DRAWN_TRAIN_1989) == 0
      || strcmp (name, TOOL_DRAWN_TEST_1989) == 0) {
    make_1989 (strcmp (name, TOOL_DRAWN_TEST_1989) == 0, seed, digits);
    return TRUE;
  }
  if (!test && strcmp (name, TOOL_DRAWN_TRAIN) != 0)
    return FALSE;
  make_room (digits, (end - first) * CLASSES * n, MOUSE_SIDE, 1);
  for (int i = first * CLASSES; i < end * CLASSES; i++) {
    cnn_pen_digit (i % CLASSES, seed * 1000003 + (guint64) i, style, MOUSE_SIDE,
        MOUSE_SIDE, drawing);
    for (int k = 0; k < n; k++, at++) {
      digits->labels.bytes[at] = (guint8) (i % CLASSES);
      move_across (drawing, positions[k],
          digits->images.bytes + (gsize) at * MOUSE_SIDE * MOUSE_SIDE);
    }
  }
  return TRUE;
}
