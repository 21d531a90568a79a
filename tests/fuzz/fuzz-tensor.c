/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fuzz-tensor.c: any bytes at all, read as a file of one tensor.
 *
 * What is read must be a tensor that the engine can work with: a type it
 * knows, every element there and of that type. */

#include "fuzz.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cnn/onnx.h>

static void
require (int holds)
{
  if (!holds)
    abort ();
}

/* Bytes that no element of the type can be. */
static void
check_bytes (const CnnTensor *tensor, size_t elements)
{
  const signed char *x = tensor->data;

  for (size_t i = 0; i < elements; i++)
    if (tensor->type == CNN_TYPE_BOOL)
      require (x[i] == 0 || x[i] == 1);
    else if (tensor->type == CNN_TYPE_UINT4)
      require (x[i] >= 0 && x[i] <= 15);
    else if (tensor->type == CNN_TYPE_INT4)
      require (x[i] >= -8 && x[i] <= 7);
}

static void
check_tensor (const CnnTensor *tensor)
{
  size_t elements = 0;
  double sum = 0;

  require (cnn_type_bytes (tensor->type) > 0);
  require (tensor->shape.rank >= 0 && tensor->shape.rank <= CNN_MAX_RANK);
  require (cnn_shape_elements (&tensor->shape, &elements) == CNN_OK);
  require (tensor->data && (uintptr_t) tensor->data % 8 == 0);
  for (size_t i = 0; i < elements; i++)
    sum += cnn_tensor_value (tensor, i);
  require (isnan (sum) || fabs (sum) >= 0); /* read for AddressSanitizer */
  check_bytes (tensor, elements);
}

int
LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size)
{
  CnnTensor tensor = { 0 };
  CnnError error = { 0 };
  CnnStatus status = cnn_onnx_read_tensor_file (bytes, size, &tensor, &error);

  if (status != CNN_OK) {
    require (status < 0 && error.status == status && *error.message);
    require (!tensor.data);
    return 0;
  }
  check_tensor (&tensor);
  free (tensor.data);
  return 1;
}
