/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* scan.c: a walk over a file's bytes that allocates nothing.
 *
 * libprotobuf-c allocates for every element of every repeated field, so a
 * megabyte of empty nodes would cost a hundred. Before it sees a file, this
 * pass has counted nodes, values, attributes and fields, and has seen that
 * every length lies inside its message. It is driven by the descriptors that
 * protoc-c makes of onnx.proto: there is no second list of fields to keep.
 *
 * The recursion is as deep as onnx.proto, where no message contains itself. */

#include "onnx/scan.h"

#include <inttypes.h>
#include <string.h>

#include <cnn/graph.h>
#include <cnn/onnx.h>

#include "base/error.h"
#include "onnx.pb-c.h"

/* The largest graph that the other limits allow needs about half of this. */
#define MAX_FIELDS ((size_t) 2 << 20)

enum
{
  WIRE_VARINT = 0,
  WIRE_64 = 1,
  WIRE_BYTES = 2,
  WIRE_32 = 5
};

typedef struct
{
  const ProtobufCMessageDescriptor *message;
  size_t most;
  const char *what;
} Limit;

static const Limit limits[] = {
  { &onnx__node_proto__descriptor, CNN_MAX_NODES, "nodes" },
  { &onnx__tensor_proto__descriptor, CNN_MAX_VALUES, "tensors" },
  /* Inputs may list the initialisers again. */
  { &onnx__value_info_proto__descriptor, 2 * CNN_MAX_VALUES, "values" },
  { &onnx__attribute_proto__descriptor, 16 * CNN_MAX_NODES, "attributes" },
  { &onnx__operator_set_id_proto__descriptor, 256, "operator sets" },
};

#define N_LIMITS (sizeof limits / sizeof *limits)

typedef struct
{
  const uint8_t *start;
  const char *what; /* "model", "tensor" */
  size_t fields;
  size_t counts[N_LIMITS];
  CnnError *error;
} Scan;

/* One field as it stands in the file: its number, wire type, and for
 * WIRE_BYTES its contents. */
typedef struct
{
  const uint8_t *at;
  uint32_t number;
  unsigned wire;
  const uint8_t *bytes;
  size_t size;
} Field;

static CnnStatus
fail_at (Scan *scan, const uint8_t *at, const char *why)
{
  return cnn_error_set (scan->error, CNN_ERROR_FORMAT,
      "not an ONNX %s: %s at byte %zu", scan->what, why,
      (size_t) (at - scan->start));
}

static CnnStatus
fail_field (Scan *scan, const Field *field,
    const ProtobufCMessageDescriptor *message, const char *name,
    const char *why)
{
  return cnn_error_set (scan->error, CNN_ERROR_FORMAT,
      "not an ONNX %s: %s.%s at byte %zu %s", scan->what, message->short_name,
      name, (size_t) (field->at - scan->start), why);
}

/* Returns the byte after the varint, NULL if it does not end. */
static const uint8_t *
read_varint (const uint8_t *at, const uint8_t *end, uint64_t *value)
{
  uint64_t v = 0;
  for (int shift = 0; shift < 70 && at < end; shift += 7) {
    uint8_t byte = *at++;
    if (shift < 64)
      v |= (uint64_t) (byte & 0x7f) << shift;
    if (!(byte & 0x80)) {
      *value = v;
      return at;
    }
  }
  return NULL;
}

/* Reads the field at *at, and moves *at behind it. */
static CnnStatus
read_field (Scan *scan, const uint8_t **at, const uint8_t *end, Field *field)
{
  uint64_t tag, length = 0;
  field->at = *at;
  const uint8_t *p = read_varint (*at, end, &tag);
  if (!p)
    return fail_at (scan, field->at, "a field's number is cut off");
  if (tag > UINT32_MAX || tag >> 3 == 0)
    return fail_at (scan, field->at, "no field has such a number,");
  field->number = (uint32_t) (tag >> 3);
  field->wire = tag & 7;

  switch (field->wire) {
    case WIRE_VARINT:
      p = read_varint (p, end, &length);
      if (!p)
        return fail_at (scan, field->at, "the field is cut off");
      length = 0;
      break;
    case WIRE_64:
      length = 8;
      break;
    case WIRE_32:
      length = 4;
      break;
    case WIRE_BYTES:
      p = read_varint (p, end, &length);
      if (!p)
        return fail_at (scan, field->at, "the field's length is cut off");
      break;
    default:
      return fail_at (scan, field->at, "no field has such a wire type,");
  }
  if (length > (size_t) (end - p))
    return cnn_error_set (scan->error, CNN_ERROR_FORMAT,
        "not an ONNX %s, or cut off: field %" PRIu32 " at byte %zu says"
        " %" PRIu64 " bytes, %zu follow",
        scan->what, field->number, (size_t) (field->at - scan->start), length,
        (size_t) (end - p));
  field->bytes = p;
  field->size = (size_t) length;
  *at = p + length;
  return CNN_OK;
}

bool
cnn_onnx_is_text (const uint8_t *bytes, size_t size)
{
  /* Least code point of each length: a longer form than needed is refused. */
  static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };

  for (size_t i = 0; i < size;) {
    uint32_t code = bytes[i++];
    int more = code < 0x80 ? 0
        : code < 0xc0      ? -1
        : code < 0xe0      ? 1
        : code < 0xf0      ? 2
        : code < 0xf8      ? 3
                           : -1;
    if (code == 0 || more < 0 || size - i < (size_t) more)
      return false;
    if (!more)
      continue;
    code &= 0x3fu >> more;
    for (int k = 0; k < more; k++, i++) {
      if ((bytes[i] & 0xc0) != 0x80)
        return false;
      code = code << 6 | (bytes[i] & 0x3fu);
    }
    if (code < least[more] || code > 0x10ffff
        || (code >= 0xd800 && code < 0xe000))
      return false;
  }
  return true;
}

/* Packed numbers: whole elements only. */
static bool
packed_fits (const Field *field, unsigned wire)
{
  if (wire == WIRE_VARINT)
    return !field->size || !(field->bytes[field->size - 1] & 0x80);
  return field->size % (wire == WIRE_32 ? 4 : 8) == 0;
}

static unsigned
wire_of (ProtobufCType type)
{
  switch (type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
      return WIRE_BYTES;
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_SFIXED32:
      return WIRE_32;
    case PROTOBUF_C_TYPE_DOUBLE:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_SFIXED64:
      return WIRE_64;
    default:
      return WIRE_VARINT;
  }
}

static CnnStatus
check_known (Scan *scan, const Field *field,
    const ProtobufCMessageDescriptor *message,
    const ProtobufCFieldDescriptor *known)
{
  unsigned wire = wire_of (known->type);
  if (field->wire != wire) {
    if (field->wire != WIRE_BYTES || known->label != PROTOBUF_C_LABEL_REPEATED)
      return fail_field (scan, field, message, known->name,
          "has the wrong wire type");
    if (!packed_fits (field, wire))
      return fail_field (scan, field, message, known->name,
          "ends inside an element");
  }
  if (known->type == PROTOBUF_C_TYPE_STRING
      && !cnn_onnx_is_text (field->bytes, field->size))
    return fail_field (scan, field, message, known->name,
        "is not UTF-8 text, or contains a NUL");
  return CNN_OK;
}

static CnnStatus
count_message (Scan *scan, const ProtobufCMessageDescriptor *message)
{
  for (size_t i = 0; i < N_LIMITS; i++)
    if (limits[i].message == message && ++scan->counts[i] > limits[i].most)
      return cnn_error_set (scan->error, CNN_ERROR_UNSUPPORTED,
          "the %s has more than %zu %s", scan->what, limits[i].most,
          limits[i].what);
  return CNN_OK;
}

static CnnStatus
scan_message (Scan *scan, const uint8_t *at, const uint8_t *end,
    const ProtobufCMessageDescriptor *message)
{
  /* A message that is given twice would be merged, at the cost of copying
   * its lists each time; no writer does so. */
  uint64_t seen = 0;

  CnnStatus status = count_message (scan, message);
  while (status == CNN_OK && at < end) {
    Field field = { 0 };
    status = read_field (scan, &at, end, &field);
    if (status != CNN_OK)
      break;
    if (++scan->fields > MAX_FIELDS)
      return cnn_error_set (scan->error, CNN_ERROR_UNSUPPORTED,
          "the %s has more than %zu fields", scan->what, MAX_FIELDS);

    const ProtobufCFieldDescriptor *known =
        protobuf_c_message_descriptor_get_field (message, field.number);
    if (!known)
      continue;
    status = check_known (scan, &field, message, known);
    if (status != CNN_OK || known->type != PROTOBUF_C_TYPE_MESSAGE)
      continue;
    if (known->label != PROTOBUF_C_LABEL_REPEATED) {
      uint64_t bit = UINT64_C (1) << (known - message->fields);
      if (seen & bit)
        return fail_field (scan, &field, message, known->name,
            "is there a second time");
      seen |= bit;
    }
    status = scan_message (scan, field.bytes, field.bytes + field.size,
        known->descriptor);
  }
  return status;
}

static CnnStatus
scan_file (const void *bytes, size_t size, const char *what,
    const ProtobufCMessageDescriptor *message, CnnError *error)
{
  if (!size)
    return cnn_error_set (error, CNN_ERROR_FORMAT,
        "not an ONNX %s: there are no bytes", what);
  if (size > CNN_ONNX_MAX_BYTES)
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "the file has %zu bytes, more than %zu", size, CNN_ONNX_MAX_BYTES);
  Scan scan = { .start = bytes, .what = what, .error = error };
  return scan_message (&scan, scan.start, scan.start + size, message);
}

CnnStatus
cnn_onnx_scan (const void *bytes, size_t size, CnnError *error)
{
  return scan_file (bytes, size, "model", &onnx__model_proto__descriptor,
      error);
}

CnnStatus
cnn_onnx_scan_tensor (const void *bytes, size_t size, CnnError *error)
{
  return scan_file (bytes, size, "tensor", &onnx__tensor_proto__descriptor,
      error);
}
