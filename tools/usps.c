/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* usps.c: reads the postal digits through zlib, which takes plain files as
 * well. Files are not to be trusted: a line that is longer than its numbers
 * can be, or has others, is refused with its number. */

#include "usps.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <zlib.h>

#define SIDE       16
#define PIXELS     (SIDE * SIDE)
#define LINE_BYTES 8192
#define MAX_DIGITS 1000000

typedef struct
{
  const char *path;
  GByteArray *pixels, *labels;
} Reader;

static gboolean
read_line (Reader *reader, const char *line, GError **error)
{
  guint number = reader->labels->len + 1;
  guint8 label, pixels[PIXELS];

  for (int i = 0; i <= PIXELS; i++) {
    char *end;
    double value = g_ascii_strtod (line, &end);

    if (end == line)
      return tool_fail (error, "%s: line %u has %d numbers, %d are wanted",
          reader->path, number, i, PIXELS + 1);
    if (i ? !(value >= -1 && value <= 1)
          : !(value >= 0 && value <= 9 && value == floor (value)))
      return tool_fail (error, "%s: line %u: %g is no %s", reader->path, number,
          value, i ? "value of -1 to 1" : "digit");
    if (i)
      pixels[i - 1] = (guint8) lrint (127.5 * (value + 1));
    else
      label = (guint8) value;
    line = end;
  }
  if (strspn (line, " \t\r\n") != strlen (line))
    return tool_fail (error, "%s: line %u goes on after %d numbers",
        reader->path, number, PIXELS + 1);
  if (number > MAX_DIGITS)
    return tool_fail (error, "%s: more than %d digits", reader->path,
        MAX_DIGITS);
  g_byte_array_append (reader->labels, &label, 1);
  g_byte_array_append (reader->pixels, pixels, PIXELS);
  return TRUE;
}

static gboolean
read_lines (Reader *reader, gzFile file, GError **error)
{
  char line[LINE_BYTES];

  while (gzgets (file, line, sizeof line)) {
    if (strlen (line) == sizeof line - 1)
      return tool_fail (error, "%s: line %u is too long", reader->path,
          reader->labels->len + 1);
    if (!read_line (reader, line, error))
      return FALSE;
  }
  if (!gzeof (file))
    return tool_fail (error, "%s: broken gzip data", reader->path);
  if (!reader->labels->len)
    return tool_fail (error, "%s: it is empty", reader->path);
  return TRUE;
}

gboolean
tool_usps_read (const char *path, ToolDigits *digits, GError **error)
{
  Reader reader = { path, g_byte_array_new (), g_byte_array_new () };
  gzFile file = gzopen (path, "rb");
  guint count;
  gboolean ok = file ? read_lines (&reader, file, error)
                     : tool_fail (error, "%s: %s", path, g_strerror (errno));

  /* A gzip file without its end is only noticed here. */
  if (file && gzclose (file) != Z_OK && ok)
    ok = tool_fail (error, "%s: gzip data is cut short", path);
  count = reader.labels->len;
  if (!ok) {
    g_byte_array_unref (reader.pixels);
    g_byte_array_unref (reader.labels);
    return FALSE;
  }
  *digits = (ToolDigits){
    .object_size = 1,
    .images = { 3, { count, SIDE, SIDE },
        g_byte_array_free (reader.pixels, FALSE) },
    .labels = { 1, { count }, g_byte_array_free (reader.labels, FALSE) },
  };
  digits->view = (CnnDigits){ .count = (int) count,
    .width = SIDE,
    .height = SIDE,
    .pixels = digits->images.bytes,
    .labels = digits->labels.bytes };
  return TRUE;
}
