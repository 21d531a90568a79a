/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tensorproto.c: from a TensorProto to a CnnTensor, every size checked.
 *
 * Nothing is copied that can be borrowed: raw_data is used as it lies in the
 * unpacked message, and the graph copies it once. */

#include "onnx/tensorproto.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/size.h"

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
  if (data_type != (int) CNN_TYPE_FLOAT32 && data_type != (int) CNN_TYPE_INT64)
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "type %s is not supported, FLOAT and INT64 are", name);
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

/* Where the elements of @proto are: in raw_data, or in the list of its type. */
static CnnStatus
find_elements (Onnx__TensorProto *proto, const CnnShape *shape, size_t width,
    size_t n_list, void *list, void **data, CnnError *error)
{
  char text[160];
  size_t elements, bytes;
  cnn_shape_format (shape, text, sizeof text);
  if (cnn_shape_elements (shape, &elements) != CNN_OK
      || !cnn_size_mul (elements, width, &bytes))
    return cnn_error_set (error, CNN_ERROR_FORMAT, "its shape %s is too large",
        text);

  if (proto->has_raw_data) {
    if (proto->raw_data.len != bytes || n_list)
      return cnn_error_set (error, CNN_ERROR_FORMAT,
          "shape %s needs %zu bytes, the file has %zu in raw_data and %zu"
          " other elements",
          text, bytes, proto->raw_data.len, n_list);
    cnn_onnx_swap_bytes (proto->raw_data.data, elements, width);
    *data = proto->raw_data.data;
    return CNN_OK;
  }
  if (n_list != elements)
    return cnn_error_set (error, CNN_ERROR_FORMAT,
        "shape %s needs %zu elements, the file has %zu", text, elements,
        n_list);
  *data = list;
  return CNN_OK;
}

static CnnStatus
read_int32 (Onnx__TensorProto *proto, CnnTensor *tensor, int64_t **wide,
    CnnError *error)
{
  size_t elements;
  void *data;
  CnnStatus status = find_elements (proto, &tensor->shape, sizeof (int32_t),
      proto->n_int32_data, proto->int32_data, &data, error);
  if (status != CNN_OK || cnn_shape_elements (&tensor->shape, &elements))
    return status;

  int64_t *longs = calloc (elements ? elements : 1, sizeof *longs);
  if (!longs)
    return cnn_error_memory (error, elements * sizeof *longs, "a tensor");
  for (size_t i = 0; i < elements; i++) {
    int32_t element;
    memcpy (&element, (char *) data + i * sizeof element, sizeof element);
    longs[i] = element;
  }
  tensor->type = CNN_TYPE_INT64;
  tensor->data = *wide = longs;
  return CNN_OK;
}

CnnStatus
cnn_onnx_read_tensor (Onnx__TensorProto *proto, CnnTensor *tensor,
    int64_t **wide, CnnError *error)
{
  CnnTensor result = { 0 };
  if (proto->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL
      || proto->n_external_data)
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "its data is in another file; only data inside the model is read");

  CnnStatus status = read_shape (proto, &result.shape, error);
  if (status != CNN_OK)
    return status;

  *wide = NULL;
  switch (proto->data_type) {
    case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT:
      result.type = CNN_TYPE_FLOAT32;
      status = find_elements (proto, &result.shape, sizeof (float),
          proto->n_float_data, proto->float_data, &result.data, error);
      break;
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT64:
      result.type = CNN_TYPE_INT64;
      status = find_elements (proto, &result.shape, sizeof (int64_t),
          proto->n_int64_data, proto->int64_data, &result.data, error);
      break;
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT32:
      status = read_int32 (proto, &result, wide, error);
      break;
    default:
      status = cnn_onnx_check_type (proto->data_type, error);
      break;
  }
  if (status == CNN_OK)
    *tensor = result;
  return status;
}
