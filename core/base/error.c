/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* error.c: one sentence into a CnnError. */

#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *
cnn_status_name (CnnStatus status)
{
  switch (status) {
    case CNN_OK:
      return "ok";
    case CNN_ERROR_MEMORY:
      return "out of memory";
    case CNN_ERROR_FORMAT:
      return "broken data";
    case CNN_ERROR_SHAPE:
      return "shapes do not fit";
    case CNN_ERROR_UNSUPPORTED:
      return "not supported";
    case CNN_ERROR_ARGUMENT:
      return "argument out of range";
  }
  return "unknown status";
}

/* Names come from files: whatever they hold, a message stays one line of whole
 * UTF-8 characters, so that it may go on a bus or a terminal. */
static void
tidy (char *text)
{
  size_t length = strlen (text), start = length;
  for (size_t i = 0; i < length; i++)
    if ((unsigned char) text[i] < 0x20 || text[i] == 0x7f)
      text[i] = '?';

  while (start && ((unsigned char) text[start - 1] & 0xc0) == 0x80)
    start--;
  if (!start || (unsigned char) text[start - 1] < 0xc0)
    return;
  unsigned char lead = (unsigned char) text[start - 1];
  size_t more = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
  if (length - start < more)
    text[start - 1] = '\0';
}

CnnStatus
cnn_error_set (CnnError *error, CnnStatus status, const char *format, ...)
{
  if (error) {
    va_list args;
    va_start (args, format);
    vsnprintf (error->message, sizeof error->message, format, args);
    va_end (args);
    tidy (error->message);
    error->status = status;
  }
  return status;
}

CnnStatus
cnn_error_memory (CnnError *error, size_t bytes, const char *what)
{
  return cnn_error_set (error, CNN_ERROR_MEMORY, "no memory for %s: %zu bytes",
      what, bytes);
}

void
cnn_error_prefix (CnnError *error, const char *format, ...)
{
  if (!error)
    return;

  char text[sizeof error->message];
  va_list args;
  va_start (args, format);
  int length = vsnprintf (text, sizeof text, format, args);
  va_end (args);
  if (length < 0 || (size_t) length + 2 >= sizeof text)
    return;

  size_t used = (size_t) length, kept = strlen (error->message);
  memcpy (text + used, ": ", 2);
  used += 2;
  if (kept > sizeof text - 1 - used)
    kept = sizeof text - 1 - used;
  memcpy (text + used, error->message, kept);
  text[used + kept] = '\0';
  memcpy (error->message, text, used + kept + 1);
  tidy (error->message);
}
