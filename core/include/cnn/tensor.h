/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* tensor.h: the one data structure that flows between operators.
 *
 * A tensor is a type, a shape and a pointer. Elements lie dense and row-major
 * (the last dimension is contiguous); pictures are always n c h w. */

#ifndef CNN_TENSOR_H
#define CNN_TENSOR_H

#include <stddef.h>
#include <stdint.h>

#include <cnn/status.h>

CNN_BEGIN_DECLS

/** CNN_MAX_RANK: most dimensions a tensor can have. */
#define CNN_MAX_RANK 8

/**
 * CnnType:
 * @CNN_TYPE_NONE: not known yet
 * @CNN_TYPE_FLOAT32: IEEE single precision: what networks compute in
 * @CNN_TYPE_INT64: shapes and indices
 * @CNN_TYPE_BOOL: one byte, 0 or 1
 * @CNN_TYPE_FLOAT16: IEEE half precision
 * @CNN_TYPE_BFLOAT16: the upper half of a float32
 * @CNN_TYPE_UINT4: 0..15, one a byte (ONNX files pack two)
 * @CNN_TYPE_INT4: -8..7, one a byte
 *
 * Numbers are those of ONNX's TensorProto.DataType.
 */
typedef enum
{
  CNN_TYPE_NONE = 0,
  CNN_TYPE_FLOAT32 = 1,
  CNN_TYPE_UINT8 = 2,
  CNN_TYPE_INT8 = 3,
  CNN_TYPE_UINT16 = 4,
  CNN_TYPE_INT16 = 5,
  CNN_TYPE_INT32 = 6,
  CNN_TYPE_INT64 = 7,
  CNN_TYPE_BOOL = 9,
  CNN_TYPE_FLOAT16 = 10,
  CNN_TYPE_FLOAT64 = 11,
  CNN_TYPE_UINT32 = 12,
  CNN_TYPE_UINT64 = 13,
  CNN_TYPE_BFLOAT16 = 16,
  CNN_TYPE_UINT4 = 21,
  CNN_TYPE_INT4 = 22
} CnnType;

/**
 * CnnShape:
 * @rank: number of dimensions, 0 (a scalar) to CNN_MAX_RANK
 * @dims: sizes in elements, each >= 0; outermost first. In a model that is
 *   not compiled yet, -1 stands for a size that is not fixed.
 */
typedef struct
{
  int rank;
  int64_t dims[CNN_MAX_RANK];
} CnnShape;

/**
 * CnnTensor:
 * @type: type of the elements
 * @shape: sizes in elements
 * @data: the elements, dense and row-major; NULL while only type and shape
 *   are known. Who owns it is said by whoever hands the tensor out.
 */
typedef struct
{
  CnnType type;
  CnnShape shape;
  void *data;
} CnnTensor;

/**
 * cnn_type_bytes:
 * Returns: size of one element in bytes; 0 for CNN_TYPE_NONE and for numbers
 * that are no CnnType.
 */
CNN_API size_t cnn_type_bytes (CnnType type);

/**
 * cnn_type_is_float:
 * Returns: 1 for float16, bfloat16, float32 and float64, else 0.
 */
CNN_API int cnn_type_is_float (CnnType type);

/**
 * cnn_type_name:
 * Returns: "float32", "uint8", "bool" ..., static storage; "none" for numbers
 * that are no CnnType.
 */
CNN_API const char *cnn_type_name (CnnType type);

/**
 * cnn_tensor_value:
 * @tensor: any type, data set
 * @i: which element, in row-major order
 *
 * Returns: element @i as a double: rounded, for integers beyond 2^53.
 */
CNN_API double cnn_tensor_value (const CnnTensor *tensor, size_t i);

/**
 * cnn_shape_elements:
 * @shape: a shape whose sizes are all known
 * @elements: (out): the product of its sizes
 *
 * Errors: CNN_ERROR_SHAPE for a negative size or a product that, in the
 * widest type, would not fit half the address space.
 */
CNN_API CnnStatus cnn_shape_elements (const CnnShape *shape, size_t *elements);

/**
 * cnn_tensor_bytes:
 * @tensor: its type and shape count, data may be NULL
 * @bytes: (out): size of its elements in memory
 *
 * Errors: as cnn_shape_elements().
 */
CNN_API CnnStatus cnn_tensor_bytes (const CnnTensor *tensor, size_t *bytes);

/**
 * cnn_shape_equal:
 * Returns: 1 if rank and every size agree, else 0.
 */
CNN_API int cnn_shape_equal (const CnnShape *a, const CnnShape *b);

/**
 * cnn_shape_format:
 * @shape: any shape
 * @text: (out): receives "1x20x28x28", "?" for sizes not fixed, "scalar" for
 *   rank 0; always NUL-terminated
 * @text_bytes: room in @text; 160 is enough for every shape
 *
 * Returns: @text
 */
CNN_API char *
cnn_shape_format (const CnnShape *shape, char *text, size_t text_bytes);

CNN_END_DECLS

#endif
