/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rows.c: samples of one channel side by side, for loops that the compiler
 * vectorises. */

#include "image/rows.h"

static void
pick_bytes (const uint8_t *restrict from, int step, int n, uint8_t *restrict to)
{
  switch (step) {
    case 2:
      for (int x = 0; x < n; x++)
        to[x] = from[2 * x];
      break;
    case 3:
      for (int x = 0; x < n; x++)
        to[x] = from[3 * x];
      break;
    case 4:
      for (int x = 0; x < n; x++)
        to[x] = from[4 * x];
      break;
    default:
      for (int x = 0; x < n; x++)
        to[x] = from[(ptrdiff_t) step * x];
      break;
  }
}

const uint8_t *
cnn_image_row (const CnnImage *image, int channel, int y, uint8_t *room)
{
  const uint8_t *row =
      image->data[channel] + (ptrdiff_t) y * image->pitch_bytes[channel];
  if (image->step_bytes == 1)
    return row;
  pick_bytes (row, image->step_bytes, image->width, room);
  return room;
}
