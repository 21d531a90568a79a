/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tensorproto.c: from a TensorProto to a CnnTensor, every size checked.
 *
 * Nothing is copied that can be borrowed: raw_data is used as it lies in the
 * unpacked message, and the graph copies it once. */

#include "onnx/tensorproto.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/size.h"
#include "onnx/unpack.h"
#include "tensor/convert.h"

/* A field that onnx.proto leaves out and that changes what a tensor means. */
#define TENSOR_SEGMENT 3

static const char *
type_name (int data_type)
{
  const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value (
      &onnx__tensor_proto__data_type__descriptor, data_type);
  return value ? value->name : NULL;
}

CnnStatus
cnn_onnx_check_type (int data_type, CnnError *error)
{
  const char *name = type_name (data_type);
  if (!name || data_type == ONNX__TENSOR_PROTO__DATA_TYPE__UNDEFINED)
    return cnn_error_set (error, CNN_ERROR_FORMAT,
        "ONNX has no tensor type with number %d", data_type);
  if (!cnn_type_bytes ((CnnType) data_type))
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "type %s is not supported", name);
  return CNN_OK;
}

static CnnStatus
read_shape (const Onnx__TensorProto *proto, CnnShape *shape, CnnError *error)
{
  if (proto->n_dims > CNN_MAX_RANK)
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "it has %zu dimensions, more than %d", proto->n_dims, CNN_MAX_RANK);

  shape->rank = (int) proto->n_dims;
  for (int i = 0; i < shape->rank; i++) {
    if (proto->dims[i] < 0)
      return cnn_error_set (error, CNN_ERROR_FORMAT,
          "dimension %d is negative: %" PRId64, i, proto->dims[i]);
    shape->dims[i] = proto->dims[i];
  }
  return CNN_OK;
}

void
cnn_onnx_swap_bytes (void *data, size_t count, size_t element_bytes)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  unsigned char *element = data;
  for (; count; count--, element += element_bytes)
    for (size_t i = 0; i < element_bytes / 2; i++) {
      unsigned char byte = element[i];
      element[i] = element[element_bytes - 1 - i];
      element[element_bytes - 1 - i] = byte;
    }
#else
  (void) data;
  (void) count;
  (void) element_bytes;
#endif
}

static CnnStatus
count_elements (const CnnShape *shape, size_t width, size_t *elements,
    CnnError *error)
{
  char text[160];
  size_t bytes;
  if (cnn_shape_elements (shape, elements) != CNN_OK
      || !cnn_size_mul (*elements, width, &bytes))
    return cnn_error_set (error, CNN_ERROR_FORMAT, "its shape %s is too large",
        cnn_shape_format (shape, text, sizeof text));
  return CNN_OK;
}

/* Is @count what the file should have, and nothing else? */
static CnnStatus
check_count (const CnnShape *shape, size_t count, size_t wanted,
    const char *what, CnnError *error)
{
  char text[160];
  if (count == wanted)
    return CNN_OK;
  return cnn_error_set (error, CNN_ERROR_FORMAT,
      "shape %s needs %zu %s, the file has %zu",
      cnn_shape_format (shape, text, sizeof text), wanted, what, count);
}

size_t
cnn_onnx_raw_bytes (CnnType type, size_t elements)
{
  return cnn_type_is_nibble (type) ? (elements + 1) / 2
                                   : elements * cnn_type_bytes (type);
}

/* Element @i of a list of bytes that hold two each, the lower half first. */
static int8_t
nibble (CnnType type, unsigned byte, size_t i)
{
  unsigned bits = i & 1 ? byte >> 4 & 15 : byte & 15;
  return (int8_t) (type == CNN_TYPE_INT4 && bits > 7 ? (int) bits - 16
                                                     : (int) bits);
}

static CnnStatus
read_raw (Onnx__TensorProto *proto, CnnTensor *tensor, size_t elements,
    void **owned, CnnError *error)
{
  char text[160];
  size_t bytes = cnn_onnx_raw_bytes (tensor->type, elements);
  size_t others = proto->n_float_data + proto->n_int32_data
      + proto->n_int64_data + proto->n_double_data + proto->n_uint64_data;
  if (proto->raw_data.len != bytes || others)
    return cnn_error_set (error, CNN_ERROR_FORMAT,
        "shape %s needs %zu bytes, the file has %zu in raw_data and %zu"
        " other elements",
        cnn_shape_format (&tensor->shape, text, sizeof text), bytes,
        proto->raw_data.len, others);
  tensor->data = proto->raw_data.data;
  if (!cnn_type_is_nibble (tensor->type)) {
    cnn_onnx_swap_bytes (proto->raw_data.data, elements,
        cnn_type_bytes (tensor->type));
    return CNN_OK;
  }

  int8_t *wide = malloc (elements + 1);
  if (!wide)
    return cnn_error_memory (error, elements, "a tensor");
  for (size_t i = 0; i < elements; i++)
    wide[i] = nibble (tensor->type, proto->raw_data.data[i / 2], i);
  tensor->data = *owned = wide;
  return CNN_OK;
}

/* Small types come as int32, one each, or two nibbles each. */
static CnnStatus
read_int32_list (const Onnx__TensorProto *proto, CnnTensor *tensor,
    size_t elements, void **owned, CnnError *error)
{
  const int32_t *from = proto->int32_data;
  bool nibbles = cnn_type_is_nibble (tensor->type);
  size_t width = cnn_type_bytes (tensor->type);
  CnnStatus status = check_count (&tensor->shape, proto->n_int32_data,
      nibbles ? cnn_onnx_raw_bytes (tensor->type, elements) : elements,
      "elements", error);
  unsigned char *to = status ? NULL : malloc (elements * width + 1);
  if (!status && !to)
    status = cnn_error_memory (error, elements * width, "a tensor");
  for (size_t i = 0; i < elements && !status; i++) {
    uint32_t bits = (uint32_t) from[nibbles ? i / 2 : i];
    uint16_t half = (uint16_t) bits;
    if (nibbles)
      to[i] = (unsigned char) nibble (tensor->type, bits, i);
    else if (tensor->type == CNN_TYPE_BOOL)
      to[i] = bits != 0;
    else if (width == 1)
      to[i] = (unsigned char) bits;
    else if (width == 2)
      memcpy (to + 2 * i, &half, sizeof half);
    else
      memcpy (to + 4 * i, &bits, sizeof bits);
  }
  tensor->data = *owned = to;
  return status;
}

static CnnStatus
read_uint64_list (const Onnx__TensorProto *proto, CnnTensor *tensor,
    size_t elements, void **owned, CnnError *error)
{
  CnnStatus status = check_count (&tensor->shape, proto->n_uint64_data,
      elements, "elements", error);
  tensor->data = proto->uint64_data;
  if (status || tensor->type == CNN_TYPE_UINT64)
    return status;
  uint32_t *to = malloc (elements * sizeof *to + 1);
  if (!to)
    return cnn_error_memory (error, elements * sizeof *to, "a tensor");
  for (size_t i = 0; i < elements; i++)
    to[i] = (uint32_t) proto->uint64_data[i];
  tensor->data = *owned = to;
  return CNN_OK;
}

static CnnStatus
read_list (const Onnx__TensorProto *proto, CnnTensor *tensor, size_t elements,
    void **owned, CnnError *error)
{
  switch (tensor->type) {
    case CNN_TYPE_FLOAT32:
      tensor->data = proto->float_data;
      return check_count (&tensor->shape, proto->n_float_data, elements,
          "elements", error);
    case CNN_TYPE_FLOAT64:
      tensor->data = proto->double_data;
      return check_count (&tensor->shape, proto->n_double_data, elements,
          "elements", error);
    case CNN_TYPE_INT64:
      tensor->data = proto->int64_data;
      return check_count (&tensor->shape, proto->n_int64_data, elements,
          "elements", error);
    case CNN_TYPE_UINT32:
    case CNN_TYPE_UINT64:
      return read_uint64_list (proto, tensor, elements, owned, error);
    default:
      return read_int32_list (proto, tensor, elements, owned, error);
  }
}

/* Later code counts on 0 and 1. */
static CnnStatus
check_bools (const CnnTensor *tensor, size_t elements, CnnError *error)
{
  const unsigned char *x = tensor->data;
  for (size_t i = 0; i < elements; i++)
    if (x[i] > 1)
      return cnn_error_set (error, CNN_ERROR_FORMAT,
          "element %zu is %d, no BOOL", i, x[i]);
  return CNN_OK;
}

CnnStatus
cnn_onnx_read_tensor (Onnx__TensorProto *proto, CnnTensor *tensor, void **owned,
    CnnError *error)
{
  CnnTensor result = { .type = (CnnType) proto->data_type };
  size_t elements = 0;
  *owned = NULL;
  if (proto->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL
      || proto->n_external_data)
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "its data is in another file; only data inside the model is read");
  if (cnn_onnx_has_unknown (&proto->base, TENSOR_SEGMENT))
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "its data comes in segments");

  CnnStatus status = cnn_onnx_check_type (proto->data_type, error);
  if (status == CNN_OK)
    status = read_shape (proto, &result.shape, error);
  if (status == CNN_OK)
    status = count_elements (&result.shape, cnn_type_bytes (result.type),
        &elements, error);
  if (status == CNN_OK)
    status = proto->has_raw_data
        ? read_raw (proto, &result, elements, owned, error)
        : read_list (proto, &result, elements, owned, error);
  if (status == CNN_OK && result.type == CNN_TYPE_BOOL)
    status = check_bools (&result, elements, error);
  if (status == CNN_OK) {
    *tensor = result;
    return CNN_OK;
  }
  free (*owned);
  *owned = NULL;
  return status;
}
