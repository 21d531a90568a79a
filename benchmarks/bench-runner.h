/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bench-runner.h: what the programs that `compare` measures have in common.
 *
 *   PROGRAM MODEL CxHxW FRAME THREADS OUTPUT [OPTION]
 *
 * loads MODEL, runs it once on FRAME (planes of 8-bit pixels), writes what came
 * out to OUTPUT (plain floats) and says "ready". Then, for each line N on
 * standard input, it runs one frame to warm up and N more, and answers with the
 * median and the least time of those, in nanoseconds. */

#ifndef BENCH_RUNNER_H
#define BENCH_RUNNER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * BenchJob:
 * @model: path of what to load
 * @frame: channels x height x width pixels
 * @option: (nullable): what else the runner was told
 */
typedef struct
{
  const char *model;
  int channels, height, width, threads;
  const uint8_t *frame;
  const char *option;
} BenchJob;

/**
 * BenchRunner:
 * @load: Returns: state for the others; does not return on failure
 * @run: one frame
 * @output: Returns: the floats of the last run; @count: (out)
 * @peak: (nullable): Returns: operations a second that @threads threads reach
 */
typedef struct
{
  void *(*load) (const BenchJob *job);
  void (*run) (void *state);
  const float *(*output) (void *state, size_t *count);
  double (*peak) (int threads);
} BenchRunner;

/** bench_main: Returns: what main() is to return. */
int bench_main (int argc, char **argv, const BenchRunner *runner);

/** bench_fail: prints "@what: @why" and exits. */
void bench_fail (const char *what, const char *why)
    __attribute__ ((__noreturn__));

/** bench_input: Returns: (transfer full): the frame as peers take it, 0..1. */
float *bench_input (const BenchJob *job);

/** bench_now: Returns: seconds. */
double bench_now (void);

#ifdef __cplusplus
}
#endif

#endif
