/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bench-ours.c: our engine as `compare` measures it, by its public headers: a
 * frame of 8-bit pixels goes in, a class map comes out. With OPTION exact, every
 * sum is of the products that the definition names. */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cnn/image.h>
#include <cnn/onnx.h>
#include <cnn/session.h>

#include "bench-file.h"
#include "bench-runner.h"

#define MAX_THREADS 256
#define PEAK_ROUNDS 200000

typedef struct
{
  CnnPixelRange range;
  CnnImage image;
  CnnPool *pool;
  CnnResampler *resampler;
  CnnSession *session;
} Ours;

static CnnModel *
read_model (const char *path)
{
  CnnModel *model = NULL;
  CnnError error = { 0 };
  size_t size;
  void *bytes = bench_read_file (path, &size);

  if (!bytes)
    bench_fail (path, "can't be read");
  if (cnn_onnx_read (bytes, size, &model, &error))
    bench_fail (path, error.message);
  free (bytes);
  return model;
}

static CnnImage
view (const BenchJob *job)
{
  CnnImage image = { job->width, job->height, job->channels, .step_bytes = 1 };

  for (int c = 0; c < job->channels; c++) {
    image.data[c] = job->frame + (ptrdiff_t) c * job->height * job->width;
    image.pitch_bytes[c] = job->width;
  }
  return image;
}

/* Over frames of another size than it declares, a network gives a map. */
static CnnModel *
for_frame (CnnModel *model, const BenchJob *job)
{
  const CnnModelInfo *info = cnn_model_info (model);
  CnnModel *map = NULL;
  CnnError error = { 0 };

  if (info->width == job->width && info->height == job->height)
    return model;
  if (cnn_model_to_map (model, &map, &error))
    bench_fail (job->model, error.message);
  cnn_model_unref (model);
  return map;
}

static void *
load (const BenchJob *job)
{
  Ours *ours = calloc (1, sizeof *ours);
  CnnModel *model = for_frame (read_model (job->model), job);
  CnnShape shape = { 4, { 1, job->channels, job->height, job->width } };
  CnnSessionOptions options = { 0 };
  CnnError error = { 0 };

  if (!ours || cnn_pool_new ((unsigned) job->threads, &ours->pool))
    bench_fail (job->model, "no memory");
  options.pool = ours->pool;
  if (job->option && !strcmp (job->option, "exact"))
    options.precision = CNN_PRECISION_EXACT;
  else if (job->option)
    bench_fail (job->option, "no such option");
  if (cnn_session_new (model, &shape, &options, &ours->session, &error)
      || cnn_resampler_new (job->width, job->height, job->width, job->height, 0,
          &ours->resampler, &error))
    bench_fail (job->model, error.message);
  ours->range = cnn_model_info (model)->range;
  ours->image = view (job);
  cnn_model_unref (model);
  return ours;
}

static void
run (void *state)
{
  Ours *ours = state;

  cnn_resampler_run (ours->resampler, &ours->image, ours->range, ours->pool,
      cnn_session_input (ours->session, 0)->data);
  cnn_session_run (ours->session);
}

static const float *
output (void *state, size_t *count)
{
  const CnnTensor *map = cnn_session_output (((Ours *) state)->session, 0);

  cnn_shape_elements (&map->shape, count);
  return map->data;
}

static void *
peak_thread (void *data)
{
  double start = bench_now (), *rate = data;

  *rate = cnn_peak_flops (PEAK_ROUNDS);
  *rate /= bench_now () - start;
  return NULL;
}

static double
peak (int threads)
{
  pthread_t others[MAX_THREADS];
  double rates[MAX_THREADS], sum = 0;

  for (int i = 1; i < threads; i++)
    if (pthread_create (&others[i], NULL, peak_thread, &rates[i]))
      bench_fail ("peak", "no thread");
  peak_thread (&rates[0]);
  for (int i = 1; i < threads; i++)
    pthread_join (others[i], NULL);
  for (int i = 0; i < threads; i++)
    sum += rates[i];
  return sum;
}

int
main (int argc, char **argv)
{
  const BenchRunner runner = { load, run, output, peak };

  return bench_main (argc, argv, &runner);
}
