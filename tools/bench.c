/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* bench.c: `convnet bench`: how long a network takes over one picture, layer by
 * layer, and which part of the machine's peak that is.
 *
 * Medians over runs; the peak is measured before and after, on as many threads
 * at once, and the larger figure counts. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cnn/session.h>

#include "json.h"
#include "model-file.h"
#include "tool.h"

#define DEFAULT_RUNS 20
#define MAX_RUNS     10000
#define PEAK_ROUNDS  200000
#define MAX_THREADS  256

/* times: runs x (layers + 1) seconds, the whole run last. */
typedef struct
{
  gboolean json;
  char *size;
  int width, height, threads, runs;
  CnnPrecision precision;
  CnnPool *pool;
  CnnSession *session;
  int n_layers;
  double *times;
  double peak; /* operations a second */
  double last; /* when the last layer was done */
  double *row;
} Bench;

static const ToolUsage usage = { "MODEL",
  "Measures MODEL over a picture, layer by layer: ms, GFLOP/s, percent of the "
  "peak that this machine reaches on as many threads. With --size as a map "
  "network, else as the file declares it.",
  1, 1 };

static double
now (void)
{
  struct timespec t;

  clock_gettime (CLOCK_MONOTONIC, &t);
  return (double) t.tv_sec + 1e-9 * (double) t.tv_nsec;
}

static gpointer
peak_thread (gpointer data)
{
  double start = now (), *rate = data;

  *rate = cnn_peak_flops (PEAK_ROUNDS);
  *rate /= now () - start;
  return NULL;
}

/* Operations a second of @threads threads at once. */
static double
measure_peak (int threads)
{
  GThread *others[MAX_THREADS];
  double rates[MAX_THREADS], sum = 0;

  for (int i = 1; i < threads; i++)
    others[i] = g_thread_new ("peak", peak_thread, &rates[i]);
  peak_thread (&rates[0]);
  for (int i = 1; i < threads; i++)
    g_thread_join (others[i]);
  for (int i = 0; i < threads; i++)
    sum += rates[i];
  return sum;
}

static void
watch (void *data, int layer)
{
  Bench *bench = data;
  double end = now ();

  bench->row[layer] = end - bench->last;
  bench->last = end;
}

/* Noise, so that no layer finds zeros. */
static void
fill (CnnTensor *picture)
{
  size_t count = 0;
  guint32 state = 1;

  cnn_shape_elements (&picture->shape, &count);
  for (size_t i = 0; i < count; i++) {
    state = state * 1664525u + 1013904223u;
    ((float *) picture->data)[i] = (float) (state >> 8) * 0x1p-24f;
  }
}

static void
run_all (Bench *bench)
{
  for (int run = -2; run < bench->runs; run++) {
    double start;

    /* The first runs warm up. */
    bench->row = bench->times + (run < 0 ? 0 : run) * (bench->n_layers + 1);
    fill (cnn_session_input (bench->session, 0));
    start = bench->last = now ();
    cnn_session_run_watched (bench->session, watch, bench);
    bench->row[bench->n_layers] = now () - start;
  }
}

static int
by_value (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return x < y ? -1 : x > y;
}

/* Median of column @layer. */
static double
median (const Bench *bench, int layer)
{
  double *column = g_new (double, bench->runs), result;

  for (int i = 0; i < bench->runs; i++)
    column[i] = bench->times[i * (bench->n_layers + 1) + layer];
  qsort (column, (size_t) bench->runs, sizeof *column, by_value);
  result = column[bench->runs / 2];
  g_free (column);
  return result;
}

static double
gflops (guint64 macs, double seconds)
{
  return seconds > 0 ? 2e-9 * (double) macs / seconds : 0;
}

static guint64
all_macs (const Bench *bench)
{
  guint64 sum = 0;

  for (int i = 0; i < bench->n_layers; i++) {
    CnnLayerInfo layer;

    cnn_session_layer (bench->session, i, &layer);
    sum += layer.macs;
  }
  return sum;
}

static void
print_row (const Bench *bench, const char *name, const char *op,
    const char *shape, guint64 macs, double seconds)
{
  double rate = gflops (macs, seconds);

  printf ("%-20.20s %-18s %-16s %10.3f %10.1f %6.1f %%\n", name, op, shape,
      seconds * 1e3, rate, 100e9 * rate / bench->peak);
}

static void
print_table (const Bench *bench)
{
  printf ("%dx%d, %d threads, %d runs, peak %.1f GFLOP/s\n\n", bench->width,
      bench->height, bench->threads, bench->runs, bench->peak * 1e-9);
  printf ("%-20s %-18s %-16s %10s %10s %8s\n", "name", "operator", "output",
      "ms", "GFLOP/s", "of peak");
  for (int i = 0; i < bench->n_layers; i++) {
    CnnLayerInfo layer;
    char shape[160];

    cnn_session_layer (bench->session, i, &layer);
    print_row (bench, layer.name, layer.op,
        cnn_shape_format (&layer.output, shape, sizeof shape), layer.macs,
        median (bench, i));
  }
  print_row (bench, "total", "", "", all_macs (bench),
      median (bench, bench->n_layers));
}

static void
print_json (const Bench *bench)
{
  JsonBuilder *b = json_builder_new ();
  double total = median (bench, bench->n_layers);

  json_builder_begin_object (b);
  tool_json_double (b, "median_ms", total * 1e3);
  tool_json_double (b, "gflops", gflops (all_macs (bench), total));
  tool_json_double (b, "peak_gflops", bench->peak * 1e-9);
  tool_json_int (b, "threads", bench->threads);
  tool_json_int (b, "width", bench->width);
  tool_json_int (b, "height", bench->height);
  json_builder_set_member_name (b, "layers");
  json_builder_begin_array (b);
  for (int i = 0; i < bench->n_layers; i++) {
    CnnLayerInfo layer;
    double seconds = median (bench, i);

    cnn_session_layer (bench->session, i, &layer);
    json_builder_begin_object (b);
    tool_json_string (b, "name", layer.name);
    tool_json_string (b, "op", layer.op);
    tool_json_double (b, "ms", seconds * 1e3);
    tool_json_double (b, "gflops", gflops (layer.macs, seconds));
    json_builder_end_object (b);
  }
  json_builder_end_array (b);
  json_builder_end_object (b);
  tool_json_print (b);
}

static gboolean
open_session (Bench *bench, const char *name, GError **error)
{
  CnnModel *model = tool_model_load (name, error), *map = NULL;
  CnnSessionOptions options = { .pool = bench->pool,
    .precision = bench->precision };
  CnnError cause = { 0 };
  CnnStatus status = CNN_OK;

  if (!model)
    return FALSE;
  const CnnModelInfo *info = cnn_model_info (model);
  if (bench->width)
    status = cnn_model_to_map (model, &map, &cause);
  else
    map = cnn_model_ref (model);
  if (!bench->width) {
    bench->width = info->width;
    bench->height = info->height;
  }
  if (status == CNN_OK && (!bench->width || !bench->height)) {
    cnn_model_unref (map);
    cnn_model_unref (model);
    return tool_fail_usage (error,
        "%s has no size of its own: --size says over what to run it", name);
  }
  CnnShape shape = { 4, { 1, info->channels, bench->height, bench->width } };
  if (status == CNN_OK)
    status = cnn_session_new (map, &shape, &options, &bench->session, &cause);
  cnn_model_unref (map);
  cnn_model_unref (model);
  return status == CNN_OK || tool_fail_cnn (error, name, &cause);
}

static gboolean
measure (Bench *bench, const char *name, GError **error)
{
  bench->pool = tool_pool_new (bench->threads, error);
  if (!bench->pool || !open_session (bench, name, error))
    return FALSE;
  bench->threads = cnn_pool_threads (bench->pool);
  bench->n_layers = cnn_session_n_layers (bench->session);
  bench->times =
      g_new0 (double, (gsize) bench->runs *((gsize) bench->n_layers + 1));
  bench->peak = measure_peak (bench->threads);
  run_all (bench);
  bench->peak = MAX (bench->peak, measure_peak (bench->threads));
  if (bench->json)
    print_json (bench);
  else
    print_table (bench);
  return TRUE;
}

gboolean
tool_bench (int argc, char **argv, GError **error)
{
  Bench bench = { .runs = DEFAULT_RUNS, .threads = 1 };
  char **args = NULL, *precision = NULL;
  GOptionEntry entries[] = { { "size", 's', 0, G_OPTION_ARG_STRING, &bench.size,
                                 "Size of the picture, in pixels", "WxH" },
    { "threads", 't', 0, G_OPTION_ARG_INT, &bench.threads,
        "Threads to use (1; 0 = one for each core)", "N" },
    { "runs", 'n', 0, G_OPTION_ARG_INT, &bench.runs, "Runs to measure (20)",
        "N" },
    { "precision", 0, 0, G_OPTION_ARG_STRING, &precision,
        "fast or exact: direct convolution only (fast)", "P" },
    { "json", 'j', 0, G_OPTION_ARG_NONE, &bench.json, "Print JSON", NULL },
    G_OPTION_ENTRY_NULL };
  gboolean ok = tool_parse_options (&usage, entries, argc, argv, &args, error)
      && tool_parse_precision (precision, &bench.precision, error)
      && (!bench.size
          || tool_parse_frame (bench.size, &bench.width, &bench.height, error))
      && ((bench.runs >= 1 && bench.runs <= MAX_RUNS)
          || tool_fail_usage (error, "--runs: %d is not between 1 and %d",
              bench.runs, MAX_RUNS))
      && measure (&bench, args[0], error);

  g_free (bench.times);
  cnn_session_free (bench.session);
  cnn_pool_free (bench.pool);
  g_strfreev (args);
  g_free (precision);
  g_free (bench.size);
  return ok;
}
