/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* wire.h: protobuf messages written by hand, right or wrong as one likes.
 *
 * Field numbers stand in the tests as numbers, from the ONNX standard, so
 * that a mistake in our onnx.proto does not go unnoticed. Functions that take
 * a message take ownership of it. */

#ifndef TESTS_ONNX_WIRE_H
#define TESTS_ONNX_WIRE_H

#include <glib.h>

typedef GByteArray Wire;

/** wire_new: Returns: an empty message. */
Wire *wire_new (void);

/** wire_varint: the bare number, without a field's tag. */
void wire_varint (Wire *wire, guint64 value);

void wire_int (Wire *wire, unsigned field, gint64 value);
void wire_float (Wire *wire, unsigned field, float value);
void wire_bytes (Wire *wire, unsigned field, gconstpointer bytes, gsize size);
void wire_text (Wire *wire, unsigned field, const char *text);
void wire_message (Wire *wire, unsigned field, Wire *message);

#endif
