/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* unpack.c: libprotobuf-c with an allocator that counts.
 *
 * What the scan can't foresee (the library's own lists, numbers that are one
 * byte in the file and eight in memory) ends in a refused allocation, which
 * libprotobuf-c hands back as a failure. */

#include "onnx/unpack.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/error.h"

/* Room in front of each block for its size; keeps blocks aligned. */
#define HEAD_BYTES 16

static void *
budget_alloc (void *data, size_t bytes)
{
  CnnOnnxFile *file = data;
  size_t *block = NULL;

  if (bytes <= SIZE_MAX - HEAD_BYTES && bytes + HEAD_BYTES <= file->left)
    block = malloc (bytes + HEAD_BYTES);
  if (!block) {
    file->exhausted = true;
    return NULL;
  }
  *block = bytes + HEAD_BYTES;
  file->left -= *block;
  return (unsigned char *) block + HEAD_BYTES;
}

static void
budget_free (void *data, void *pointer)
{
  CnnOnnxFile *file = data;
  if (!pointer)
    return;
  size_t *block = (size_t *) ((unsigned char *) pointer - HEAD_BYTES);
  file->left += *block;
  free (block);
}

static void
begin (CnnOnnxFile *file, size_t budget_bytes)
{
  *file = (CnnOnnxFile){
    .allocator = { budget_alloc, budget_free, file },
    .left = budget_bytes,
  };
}

static CnnStatus
failed (const CnnOnnxFile *file, size_t budget_bytes, const char *what,
    CnnError *error)
{
  if (file->exhausted)
    return cnn_error_set (error, CNN_ERROR_MEMORY,
        "reading the %s would take more than %zu bytes", what, budget_bytes);
  return cnn_error_set (error, CNN_ERROR_FORMAT,
      "not an ONNX %s: libprotobuf-c refuses it", what);
}

CnnStatus
cnn_onnx_unpack (const void *bytes, size_t size, size_t budget_bytes,
    CnnOnnxFile *file, CnnError *error)
{
  begin (file, budget_bytes);
  file->proto = onnx__model_proto__unpack (&file->allocator, size, bytes);
  return file->proto ? CNN_OK : failed (file, budget_bytes, "model", error);
}

CnnStatus
cnn_onnx_unpack_tensor (const void *bytes, size_t size, size_t budget_bytes,
    CnnOnnxFile *file, CnnError *error)
{
  begin (file, budget_bytes);
  file->tensor = onnx__tensor_proto__unpack (&file->allocator, size, bytes);
  return file->tensor ? CNN_OK : failed (file, budget_bytes, "tensor", error);
}

bool
cnn_onnx_has_unknown (const ProtobufCMessage *message, uint32_t number)
{
  for (unsigned i = 0; i < message->n_unknown_fields; i++)
    if (message->unknown_fields[i].tag == number)
      return true;
  return false;
}

void
cnn_onnx_file_clear (CnnOnnxFile *file)
{
  if (file->proto)
    onnx__model_proto__free_unpacked (file->proto, &file->allocator);
  if (file->tensor)
    onnx__tensor_proto__free_unpacked (file->tensor, &file->allocator);
  file->proto = NULL;
  file->tensor = NULL;
}
