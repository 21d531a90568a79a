/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* wire.c: protobuf messages written by hand. */

#include "wire.h"

#include <string.h>

Wire *
wire_new (void)
{
  return g_byte_array_new ();
}

void
wire_varint (Wire *wire, guint64 value)
{
  do {
    guint8 byte = value & 0x7f;
    value >>= 7;
    if (value)
      byte |= 0x80;
    g_byte_array_append (wire, &byte, 1);
  } while (value);
}

void
wire_int (Wire *wire, unsigned field, gint64 value)
{
  wire_varint (wire, (guint64) field << 3);
  wire_varint (wire, (guint64) value);
}

void
wire_float (Wire *wire, unsigned field, float value)
{
  guint32 bits;
  memcpy (&bits, &value, sizeof bits);
  bits = GUINT32_TO_LE (bits);
  wire_varint (wire, (guint64) field << 3 | 5);
  g_byte_array_append (wire, (const guint8 *) &bits, sizeof bits);
}

void
wire_bytes (Wire *wire, unsigned field, gconstpointer bytes, gsize size)
{
  wire_varint (wire, (guint64) field << 3 | 2);
  wire_varint (wire, size);
  if (size)
    g_byte_array_append (wire, bytes, (guint) size);
}

void
wire_text (Wire *wire, unsigned field, const char *text)
{
  wire_bytes (wire, field, text, strlen (text));
}

void
wire_message (Wire *wire, unsigned field, Wire *message)
{
  wire_bytes (wire, field, message->data, message->len);
  g_byte_array_unref (message);
}
