/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bench-runner.c: the loop of a program that `compare` measures. Times are of
 * whole frames, by the wall clock. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench-runner.h"

#define MAX_FRAMES 1000000

void
bench_fail (const char *what, const char *why)
{
  fprintf (stderr, "%s: %s\n", what, why);
  exit (1);
}

double
bench_now (void)
{
  struct timespec t;

  clock_gettime (CLOCK_MONOTONIC, &t);
  return (double) t.tv_sec + 1e-9 * (double) t.tv_nsec;
}

static size_t
frame_pixels (const BenchJob *job)
{
  return (size_t) job->channels * (size_t) job->height * (size_t) job->width;
}

float *
bench_input (const BenchJob *job)
{
  size_t count = frame_pixels (job);
  float *input = aligned_alloc (64, (count * sizeof *input + 63) / 64 * 64);

  for (size_t i = 0; input && i < count; i++)
    input[i] = (float) job->frame[i] / 255;
  return input;
}

static uint8_t *
read_frame (const BenchJob *job, const char *path)
{
  size_t count = frame_pixels (job);
  uint8_t *frame = malloc (count);
  FILE *file = fopen (path, "rb");

  if (!frame || !file || fread (frame, 1, count, file) != count)
    bench_fail (path, "no frame of that size");
  fclose (file);
  return frame;
}

static void
write_output (const BenchRunner *runner, void *state, const char *path)
{
  size_t count;
  const float *values = runner->output (state, &count);
  FILE *file = fopen (path, "wb");

  if (!file || fwrite (values, sizeof *values, count, file) != count
      || fclose (file))
    bench_fail (path, "can't be written");
}

static int
by_value (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return x < y ? -1 : x > y;
}

static void
measure (const BenchRunner *runner, void *state, int frames)
{
  double *times = malloc ((size_t) frames * sizeof *times);

  if (!times)
    bench_fail ("frames", "no memory");
  runner->run (state);
  for (int i = 0; i < frames; i++) {
    double start = bench_now ();
    runner->run (state);
    times[i] = bench_now () - start;
  }
  qsort (times, (size_t) frames, sizeof *times, by_value);
  printf ("%.0f %.0f\n", 1e9 * times[frames / 2], 1e9 * times[0]);
  free (times);
}

int
bench_main (int argc, char **argv, const BenchRunner *runner)
{
  BenchJob job = { 0 };
  char line[64];

  if (argc < 6
      || sscanf (argv[2], "%dx%dx%d", &job.channels, &job.height, &job.width)
          != 3)
    bench_fail (argv[0], "MODEL CxHxW FRAME THREADS OUTPUT [OPTION]");
  setvbuf (stdout, NULL, _IOLBF, 0);
  job.model = argv[1];
  job.frame = read_frame (&job, argv[3]);
  job.threads = atoi (argv[4]);
  job.option = argc > 6 ? argv[6] : NULL;
  void *state = runner->load (&job);
  runner->run (state);
  write_output (runner, state, argv[5]);
  puts ("ready");
  while (fgets (line, sizeof line, stdin)) {
    int frames = atoi (line);

    if (!strcmp (line, "peak\n") && runner->peak)
      printf ("%.0f\n", runner->peak (job.threads));
    else if (frames > 0 && frames <= MAX_FRAMES)
      measure (runner, state, frames);
    else
      bench_fail (line, "no number of frames");
  }
  return 0;
}
