/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* training.c: steps of training on request, for training.py.
 *
 *   training MODEL IMAGES LABELS BATCH THREADS
 *
 * For each line of standard input, a number of steps, it does them, through
 * the public interface and without distortions, and answers with a line: the
 * seconds that they took and the loss of every step. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cnn/onnx.h>
#include <cnn/train.h>

#include "bench-file.h"

#define RATE 0.01

typedef struct
{
  unsigned char *bytes;
  size_t size;
} File;

/* IMAGES: float32, n c h w; LABELS: a byte each. */
typedef struct
{
  File images, labels;
  size_t picture;
  int batch, step, steps;
} Data;

static double
now (void)
{
  struct timespec t;
  clock_gettime (CLOCK_MONOTONIC, &t);
  return (double) t.tv_sec + 1e-9 * (double) t.tv_nsec;
}

static void
fail (const char *what, const char *why)
{
  fprintf (stderr, "training: %s: %s\n", what, why);
  exit (1);
}

static File
read_file (const char *path)
{
  File file;
  file.bytes = bench_read_file (path, &file.size);
  if (!file.bytes)
    fail (path, "can't be read");
  return file;
}

static void
sample (void *user, int number, float *input, CnnTarget *target)
{
  const Data *data = user;
  size_t at = (size_t) (data->step % data->steps) * (size_t) data->batch
      + (size_t) number;
  memcpy (input, data->images.bytes + at * data->picture, data->picture);
  *target = (CnnTarget){ .label = data->labels.bytes[at] };
}

static CnnTrainer *
make_trainer (const char *path, int batch, CnnPool *pool, Data *data)
{
  File file = read_file (path);
  CnnModel *model;
  CnnTrainer *trainer;
  CnnError error;
  CnnTrainOptions options = {
    .momentum = 0.9,
    .batch = batch,
    .keep_weights = 1,
  };
  if (cnn_onnx_read (file.bytes, file.size, &model, &error))
    fail (path, error.message);
  if (cnn_trainer_new (model, &options, pool, &trainer, &error))
    fail (path, error.message);
  const CnnModelInfo *info = cnn_model_info (model);
  data->picture =
      sizeof (float) * (size_t) (info->channels * info->height * info->width);
  data->batch = batch;
  data->steps = (int) (data->labels.size / (size_t) batch);
  if (data->images.size != data->labels.size * data->picture || !data->steps)
    fail (path, "images and labels don't fit");
  free (file.bytes);
  cnn_model_unref (model);
  return trainer;
}

int
main (int argc, char **argv)
{
  Data data = { 0 };
  CnnPool *pool;
  int steps;
  if (argc != 6)
    fail ("usage", "training MODEL IMAGES LABELS BATCH THREADS");
  data.images = read_file (argv[2]);
  data.labels = read_file (argv[3]);
  if (cnn_pool_new ((unsigned) atoi (argv[5]), &pool))
    fail ("threads", "out of memory");
  CnnTrainer *trainer = make_trainer (argv[1], atoi (argv[4]), pool, &data);

  while (scanf ("%d", &steps) == 1 && steps > 0) {
    double *loss = malloc ((size_t) steps * sizeof *loss);
    double begin = now ();
    for (int i = 0; loss && i < steps; i++, data.step++) {
      CnnTrainResult result;
      cnn_trainer_step (trainer, sample, &data, RATE, &result);
      loss[i] = result.loss;
    }
    printf ("%.9f", now () - begin);
    for (int i = 0; loss && i < steps; i++)
      printf (" %.9g", loss[i]);
    printf ("\n");
    fflush (stdout);
    free (loss);
  }
  cnn_trainer_free (trainer);
  cnn_pool_free (pool);
  free (data.images.bytes);
  free (data.labels.bytes);
  return 0;
}
