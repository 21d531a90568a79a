/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bench-onnxruntime.c: ONNX Runtime as `compare` measures it, through its C
 * interface. OPTION is the path of libonnxruntime.so.
 *
 * What npm brings is the library without its header. The interface is a table
 * of functions of which versions only ever append, so numbers of entries do. */

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench-runner.h"

/* Since version 1 of the table. */
#define API_VERSION 1

/* Places in the table, by the names of the functions there. */
enum
{
  GET_ERROR_MESSAGE = 2,
  CREATE_ENV = 3,
  CREATE_SESSION = 7,
  RUN = 9,
  CREATE_SESSION_OPTIONS = 10,
  SET_SESSION_GRAPH_OPTIMIZATION_LEVEL = 23,
  SET_INTRA_OP_NUM_THREADS = 24,
  SET_INTER_OP_NUM_THREADS = 25,
  SESSION_GET_INPUT_NAME = 36,
  SESSION_GET_OUTPUT_NAME = 37,
  CREATE_TENSOR_WITH_DATA_AS_ORT_VALUE = 49,
  GET_TENSOR_MUTABLE_DATA = 51,
  GET_TENSOR_SHAPE_ELEMENT_COUNT = 64,
  GET_TENSOR_TYPE_AND_SHAPE = 65,
  CREATE_CPU_MEMORY_INFO = 69,
  GET_ALLOCATOR_WITH_DEFAULT_OPTIONS = 78
};

/* Values of its enumerations. */
#define LOG_ERROR        3
#define OPTIMIZE_ALL     99
#define DEVICE_ALLOCATOR 0
#define DEFAULT_MEMORY   0
#define TYPE_FLOAT       1

typedef void *Status; /* NULL is success */
typedef void (*Function) (void);

typedef struct
{
  const Function *(*get_api) (uint32_t version);
  const char *(*get_version) (void);
} ApiBase;

typedef struct
{
  const Function *api;
  void *session, *input, *output;
  const char *input_name, *output_name;
} Peer;

/* Entry @place of @table as a function of @arguments that returns a Status. */
#define CALL(table, place, arguments) ((Status (*) arguments) (table)[place])

static void
check (const Function *api, Status status)
{
  if (status)
    bench_fail ("ONNX Runtime",
        ((const char *(*) (Status)) api[GET_ERROR_MESSAGE]) (status));
}

static const Function *
open_library (const char *path)
{
  void *library = path ? dlopen (path, RTLD_NOW) : NULL;
  const ApiBase *(*get_base) (void);

  if (!library)
    bench_fail (path ? path : "library", "can't be loaded");
  get_base = (const ApiBase *(*) (void) ) dlsym (library, "OrtGetApiBase");
  if (!get_base)
    bench_fail (path, "has no OrtGetApiBase");
  printf ("version %s\n", get_base ()->get_version ());
  return get_base ()->get_api (API_VERSION);
}

static void *
open_session (const Function *api, const BenchJob *job)
{
  void *env, *options, *session;

  check (api,
      CALL (api, CREATE_ENV, (int, const char *, void **) ) (LOG_ERROR,
          "compare", &env));
  check (api, CALL (api, CREATE_SESSION_OPTIONS, (void **) ) (&options));
  check (api,
      CALL (api, SET_SESSION_GRAPH_OPTIMIZATION_LEVEL, (void *, int) ) (options,
          OPTIMIZE_ALL));
  check (api,
      CALL (api, SET_INTRA_OP_NUM_THREADS, (void *, int) ) (options,
          job->threads));
  check (api,
      CALL (api, SET_INTER_OP_NUM_THREADS, (void *, int) ) (options, 1));
  check (api,
      CALL (api, CREATE_SESSION, (void *, const char *, void *, void **) ) (env,
          job->model, options, &session));
  return session;
}

static void
find_names (Peer *peer)
{
  const Function *api = peer->api;
  void *allocator;
  char *name;

  check (api,
      CALL (api, GET_ALLOCATOR_WITH_DEFAULT_OPTIONS, (void **) ) (&allocator));
  check (api,
      CALL (api, SESSION_GET_INPUT_NAME,
          (void *, size_t, void *, char **) ) (peer->session, 0, allocator,
          &name));
  peer->input_name = name;
  check (api,
      CALL (api, SESSION_GET_OUTPUT_NAME,
          (void *, size_t, void *, char **) ) (peer->session, 0, allocator,
          &name));
  peer->output_name = name;
}

static void
make_input (Peer *peer, const BenchJob *job)
{
  const Function *api = peer->api;
  int64_t shape[4] = { 1, job->channels, job->height, job->width };
  size_t bytes = sizeof (float) * (size_t) (shape[1] * shape[2] * shape[3]);
  void *memory;

  check (api,
      CALL (api, CREATE_CPU_MEMORY_INFO,
          (int, int, void **) ) (DEVICE_ALLOCATOR, DEFAULT_MEMORY, &memory));
  check (api,
      CALL (api, CREATE_TENSOR_WITH_DATA_AS_ORT_VALUE,
          (void *, void *, size_t, const int64_t *, size_t, int,
              void **) ) (memory, bench_input (job), bytes, shape, 4,
          TYPE_FLOAT, &peer->input));
}

static void *
load (const BenchJob *job)
{
  Peer *peer = calloc (1, sizeof *peer);

  if (!peer)
    bench_fail (job->model, "no memory");
  peer->api = open_library (job->option);
  peer->session = open_session (peer->api, job);
  find_names (peer);
  make_input (peer, job);
  return peer;
}

/* The first run makes the output, others write into it again. */
static void
run (void *state)
{
  Peer *peer = state;

  check (peer->api,
      CALL (peer->api, RUN,
          (void *, void *, const char *const *, void *const *, size_t,
              const char *const *, size_t, void **) ) (peer->session, NULL,
          &peer->input_name, &peer->input, 1, &peer->output_name, 1,
          &peer->output));
}

static const float *
output (void *state, size_t *count)
{
  Peer *peer = state;
  void *values, *info;

  check (peer->api,
      CALL (peer->api, GET_TENSOR_TYPE_AND_SHAPE,
          (void *, void **) ) (peer->output, &info));
  check (peer->api,
      CALL (peer->api, GET_TENSOR_SHAPE_ELEMENT_COUNT,
          (void *, size_t *) ) (info, count));
  check (peer->api,
      CALL (peer->api, GET_TENSOR_MUTABLE_DATA,
          (void *, void **) ) (peer->output, &values));
  return values;
}

int
main (int argc, char **argv)
{
  const BenchRunner runner = { load, run, output, NULL };

  return bench_main (argc, argv, &runner);
}
