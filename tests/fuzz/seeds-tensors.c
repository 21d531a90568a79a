/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* seeds-tensors.c: a tensor of each type, as raw bytes and as the list that
 * ONNX has for the type. */

#include <cnn/tensor.h>

#include "handmade.h"
#include "seeds.h"

#define N_ELEMENTS 15

static const gint64 dims[] = { 3, 1, 5 };

static gboolean
is_nibbles (CnnType type)
{
  return type == CNN_TYPE_INT4 || type == CNN_TYPE_UINT4;
}

static Wire *
raw_tensor (CnnType type)
{
  gsize size = is_nibbles (type) ? (N_ELEMENTS + 1) / 2
                                 : N_ELEMENTS * cnn_type_bytes (type);
  guint8 raw[N_ELEMENTS * 8];

  for (gsize i = 0; i < size; i++)
    raw[i] = (guint8) (type == CNN_TYPE_BOOL ? i % 2 : i * 37);
  return handmade_tensor ("raw", (int) type, 3, dims, raw, size);
}

/* Numbers of the fields: float_data 4, int32_data 5, int64_data 7,
 * double_data 10, uint64_data 11. */
static void
add_list (Wire *tensor, CnnType type)
{
  Wire *packed = wire_new ();
  unsigned field = type == CNN_TYPE_INT64                  ? 7
      : type == CNN_TYPE_UINT32 || type == CNN_TYPE_UINT64 ? 11
                                                           : 5;
  guint8 doubles[N_ELEMENTS * 8] = { 0 };

  for (unsigned i = 0; i < (is_nibbles (type) ? 8 : N_ELEMENTS); i++)
    wire_varint (packed, type == CNN_TYPE_BOOL ? i % 2 : i * 11);
  if (type == CNN_TYPE_FLOAT32)
    for (int i = 0; i < N_ELEMENTS; i++)
      wire_float (tensor, 4, (float) i / 3);
  else if (type == CNN_TYPE_FLOAT64)
    wire_bytes (tensor, 10, doubles, sizeof doubles);
  else
    wire_bytes (tensor, field, packed->data, packed->len);
  g_byte_array_unref (packed);
}

static Wire *
list_tensor (CnnType type)
{
  Wire *tensor = wire_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (dims); i++)
    wire_int (tensor, 1, dims[i]);
  wire_int (tensor, 2, type);
  wire_text (tensor, 8, "list");
  add_list (tensor, type);
  return tensor;
}

GPtrArray *
seeds_new (void)
{
  GPtrArray *seeds =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);

  for (int type = 0; type <= CNN_TYPE_INT4; type++) {
    if (!cnn_type_bytes ((CnnType) type))
      continue;
    g_ptr_array_add (seeds,
        g_byte_array_free_to_bytes (raw_tensor ((CnnType) type)));
    g_ptr_array_add (seeds,
        g_byte_array_free_to_bytes (list_tensor ((CnnType) type)));
  }
  return seeds;
}
