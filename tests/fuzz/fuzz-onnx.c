/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* fuzz-onnx.c: any bytes at all, read as a model.
 *
 * What loads must also compile and run for its own size, become a map or say why not,
 * and be written so that it can be read again. Works with libFuzzer, and with
 * fuzz-driver.c in the normal suite. */

#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cnn/onnx.h>
#include <cnn/session.h>

/* A status with no sentence, or a sentence with no status, is a fault. */
static void
check (CnnStatus status, const CnnError *error)
{
  if (status == CNN_OK)
    return;
  if (status > 0 || error->status != status || !*error->message) {
    fprintf (stderr, "status %d, error %d, \"%s\"\n", status, error->status,
        error->message);
    abort ();
  }
}

/* Networks that are small by their own account are run too. */
#define MAX_RUN_BYTES ((size_t) 8 << 20)
#define MAX_RUN_MACS  ((uint64_t) 4 << 20)

static void
run (CnnModel *model, const CnnShape *shape, const CnnSession *plan)
{
  CnnMemoryInfo memory;
  CnnSession *session = NULL;
  CnnError error = { 0 };
  uint64_t macs = 0;

  cnn_session_memory (plan, &memory);
  for (int i = 0; i < cnn_session_n_layers (plan); i++) {
    CnnLayerInfo layer;
    cnn_session_layer (plan, i, &layer);
    macs += layer.macs < MAX_RUN_MACS ? layer.macs : MAX_RUN_MACS;
  }
  if (memory.arena_bytes > MAX_RUN_BYTES || macs > MAX_RUN_MACS)
    return;

  CnnStatus status = cnn_session_new (model, shape, NULL, &session, &error);
  check (status, &error);
  if (status == CNN_OK)
    cnn_session_run (session);
  cnn_session_free (session);
}

static void
compile (CnnModel *model)
{
  const CnnModelInfo *info = cnn_model_info (model);
  const CnnSessionOptions options = { .info_only = 1 };
  const CnnShape shape = { 4,
    { 1, info->channels, info->height ? info->height : 40,
        info->width ? info->width : 40 } };
  CnnSession *session = NULL;
  CnnError error = { 0 };
  CnnGeometry geometry;

  CnnStatus status =
      cnn_session_new (model, &shape, &options, &session, &error);
  check (status, &error);
  if (status != CNN_OK)
    return;
  for (int i = 0; i < cnn_session_n_layers (session); i++) {
    CnnLayerInfo layer;
    cnn_session_layer (session, i, &layer);
    if (!layer.name || !layer.op)
      abort ();
  }
  check (cnn_session_geometry (session, &geometry, &error), &error);
  run (model, &shape, session);
  cnn_session_free (session);
}

static void
rewrite (CnnModel *model)
{
  CnnModel *map = NULL;
  CnnError error = { 0 };
  CnnStatus status = cnn_model_to_map (model, &map, &error);
  check (status, &error);
  if (status != CNN_OK)
    return;
  compile (map);
  cnn_model_unref (map);
}

static void
write_again (CnnModel *model)
{
  CnnModel *again = NULL;
  CnnError error = { 0 };
  void *first = NULL, *second = NULL;
  size_t first_bytes = 0, second_bytes = 0;

  CnnStatus status = cnn_onnx_write (model, &first, &first_bytes, &error);
  if (status == CNN_OK)
    status = cnn_onnx_read (first, first_bytes, &again, &error);
  if (status == CNN_OK)
    status = cnn_onnx_write (again, &second, &second_bytes, &error);
  check (status, &error);
  if (status != CNN_OK || first_bytes != second_bytes
      || memcmp (first, second, first_bytes)) {
    fprintf (stderr, "not the same when written again: %s\n", error.message);
    abort ();
  }
  free (first);
  free (second);
  cnn_model_unref (again);
}

int
LLVMFuzzerTestOneInput (const uint8_t *bytes, size_t size)
{
  CnnModel *model = NULL;
  CnnError error = { 0 };
  CnnStatus status = cnn_onnx_read (bytes, size, &model, &error);
  check (status, &error);
  if (status != CNN_OK)
    return 0;
  compile (model);
  rewrite (model);
  write_again (model);
  cnn_model_unref (model);
  return 1;
}
