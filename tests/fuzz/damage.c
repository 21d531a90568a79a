/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* damage.c: see damage.h. */

#include "damage.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#define MOST_SECONDS 60

static char running[160];

static void
on_signal (G_GNUC_UNUSED int number)
{
  ssize_t written = write (2, running, strlen (running));
  _exit (written < 0 ? 2 : 1);
}

void
damage_watch (void)
{
  signal (SIGABRT, on_signal);
  signal (SIGALRM, on_signal);
}

void
damage_note (const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_vsnprintf (running, sizeof running, format, args);
  va_end (args);
  alarm (MOST_SECONDS);
}

static guint32
random_below (CnnRng *rng, gsize count)
{
  return cnn_rng_int (rng, (guint32) MAX (count, 1));
}

/* A varint, often one that is as large as can be. */
static void
place_varint (CnnRng *rng, GByteArray *file, gsize at)
{
  static const guint64 numbers[] = { 0, 1, 127, 128, 1u << 31, G_MAXUINT32,
    G_GUINT64_CONSTANT (1) << 40, G_MAXINT64, G_MAXUINT64 };
  guint64 value = numbers[random_below (rng, G_N_ELEMENTS (numbers))];
  for (; at < file->len; at++) {
    file->data[at] = (guint8) (value & 0x7f) | (value > 0x7f ? 0x80 : 0);
    value >>= 7;
    if (!value)
      return;
  }
}

/* Elements that arithmetic on shapes and indices stumbles over. */
static void
place_int64 (CnnRng *rng, GByteArray *file, gsize at)
{
  static const gint64 numbers[] = { 0, 1, -1, 2, -2, 3, 7, -7, 1000, -1000,
    G_MAXINT32, G_MININT32, G_MAXUINT32, G_GINT64_CONSTANT (1) << 40,
    G_MAXINT64 / 2, G_MAXINT64, G_MININT64, G_MININT64 + 1 };
  gint64 value = numbers[random_below (rng, G_N_ELEMENTS (numbers))];
  memcpy (file->data + at, &value, MIN (sizeof value, file->len - at));
}

static void
place_float (CnnRng *rng, GByteArray *file, gsize at)
{
  static const guint32 bits[] = { 0x7f800000, 0xff800000, 0x7fc00000,
    0x7f7fffff, 0xff7fffff, 0x80000000, 0, 1, 0x4f000000, 0xcf000000,
    0x5f000000, 0xbf800000, 0x3f000000 };
  guint32 value = bits[random_below (rng, G_N_ELEMENTS (bits))];
  memcpy (file->data + at, &value, MIN (sizeof value, file->len - at));
}

/* A piece of the file, once more, somewhere else. */
static void
place_copy (CnnRng *rng, GByteArray *file, gsize at)
{
  gsize from = random_below (rng, file->len), room = file->len - MAX (from, at);
  if (room)
    memmove (file->data + at, file->data + from,
        1 + random_below (rng, MIN (room, 64)) % room);
}

/* Elements stand in multiples of their width before the end of a tensor's
 * file. */
static gsize
element_at (CnnRng *rng, const GByteArray *file, gsize width)
{
  gsize count = MIN (file->len / width, 64);
  return count ? file->len - width * (1 + random_below (rng, count)) : 0;
}

static void
injure (CnnRng *rng, GByteArray *file)
{
  gsize at = random_below (rng, file->len);
  switch (random_below (rng, 8)) {
    case 0:
    case 1:
      file->data[at] ^= 1u << random_below (rng, 8);
      break;
    case 2:
      file->data[at] = (guint8) random_below (rng, 256);
      break;
    case 3:
      place_varint (rng, file, at);
      break;
    case 4:
      place_copy (rng, file, at);
      break;
    case 5:
      at = MIN (at, file->len - 1);
      g_byte_array_remove_range (file, (guint) at,
          1
              + random_below (rng, MIN (file->len - at, 16))
                  % (guint) (file->len - at));
      break;
    case 6:
      place_int64 (rng, file, element_at (rng, file, 8));
      break;
    default:
      place_float (rng, file, element_at (rng, file, 4));
      break;
  }
}

guint8 *
damage (CnnRng *rng, GBytes *bytes, gsize *size)
{
  gsize whole;
  const guint8 *data = g_bytes_get_data (bytes, &whole);
  GByteArray *file = g_byte_array_new ();

  g_byte_array_append (file, data, (guint) whole);
  for (guint32 count = 1 + random_below (rng, 1 + random_below (rng, 6));
       count && file->len; count--)
    injure (rng, file);
  guint8 *exact = g_memdup2 (file->data, file->len);
  *size = file->len;
  g_byte_array_unref (file);
  return exact;
}
