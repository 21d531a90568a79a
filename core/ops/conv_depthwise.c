/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* conv_depthwise.c: convolutions of each channel by itself.
 *
 * There is so little to do for a pixel that it should be touched once: a task
 * takes some channels, or bands of rows of one, pads a band into memory that
 * stays in the first cache and computes all that follows from it. */

#include "ops/conv.h"

#include "base/memory.h"
#include "base/size.h"

/* Output channels of an input channel, strides and pixels under the kernel, in
 * each direction, beyond which this does not pay. */
#define MOST_OC     4
#define MOST_STRIDE 4
#define MOST_REACH  64
/* What is padded at a time: floats, columns of the result, rows go in fours. */
#define BAND_FLOATS  4096
#define BAND_WIDTH   256
#define BAND_ROWS    4
#define LEAST_ROWS   (2 * BAND_ROWS)

#define TASK_MACS    ((size_t) 1 << 18)
#define WANTED_TASKS 8

/* Rows of the result, cells of each, floats from padded row to padded row. */
typedef struct
{
  int rows, width;
  size_t pitch;
} Band;

typedef struct
{
  const CnnConvDepthwise *run;
  Band band;
  int bands; /* of a channel */
  int units; /* bands of all channels and samples */
  int per_task;
  ptrdiff_t columns[MOST_REACH];
} Cut;

static int
reach (const CnnConvSizes *s, int axis)
{
  return (s->kernel[axis] - 1) * s->dilation[axis];
}

bool
cnn_conv_is_depthwise (const CnnConvSizes *s)
{
  bool small = s->group > 1 && s->ic == 1 && s->oc <= MOST_OC && !s->pooling;
  for (int axis = 0; axis < 2; axis++)
    small &= s->stride[axis] <= MOST_STRIDE && reach (s, axis) < MOST_REACH;
  return small;
}

/* Elements from one padded row of @width cells to the next. */
static size_t
pitch_of (const CnnConvSizes *s, int width)
{
  int phase = width + reach (s, 1) / s->stride[1];
  return (size_t) (s->phases[1] * cnn_ceil_div (phase, CNN_MAX_LANES))
      * CNN_MAX_LANES;
}

static int
lines_of (const CnnConvSizes *s, int rows)
{
  return (rows - 1) * s->stride[0] + reach (s, 0) + 1;
}

/* Of a map of @oh x @ow cells, which is cut evenly. */
static Band
band_of (const CnnConvSizes *s, int oh, int ow)
{
  Band b = { .width = cnn_ceil_div (ow, cnn_ceil_div (ow, BAND_WIDTH)) };
  b.pitch = pitch_of (s, b.width);
  int lines = (int) (BAND_FLOATS / b.pitch) - reach (s, 0);
  b.rows = lines / s->stride[0] / BAND_ROWS * BAND_ROWS;
  if (b.rows < LEAST_ROWS)
    b.rows = LEAST_ROWS;
  b.rows = cnn_ceil_div (oh, cnn_ceil_div (oh, b.rows));
  b.rows = cnn_ceil_div (b.rows, BAND_ROWS) * BAND_ROWS;
  return b;
}

/* For any band of any part of the map. */
size_t
cnn_conv_depthwise_bytes (const CnnConvSizes *s)
{
  if (!s->copied)
    return 0;
  size_t pitch = pitch_of (s, s->ow < BAND_WIDTH ? s->ow : BAND_WIDTH);
  size_t floats = (size_t) lines_of (s, LEAST_ROWS) * pitch;
  if (floats < BAND_FLOATS)
    floats = BAND_FLOATS;
  return cnn_align_up (
      (floats + CNN_MAX_LANES) * sizeof (float) + CNN_SLACK_BYTES);
}

/* Where padded rows begin in @spare: so that what is not padding is aligned. */
static float *
begin (const CnnConvSizes *s, float *spare, int x)
{
  int before = s->pad[1] - x * s->stride[1];
  return s->phases[1] == 1 && before > 0
      ? spare + (CNN_MAX_LANES - before % CNN_MAX_LANES) % CNN_MAX_LANES
      : spare;
}

/* Padded rows for @rows x @n cells from @y, @x on; or where they lie. */
static CnnDepthwiseRun
look (const Cut *cut, const float *in, int y, int x, int rows, int n,
    float *spare)
{
  const CnnConvSizes *s = cut->run->sizes;
  CnnDepthwiseRun run = {
    .in = begin (s, spare, x),
    .in_pitch = cut->band.pitch,
    .columns = cut->columns,
    .kh = s->kernel[0],
    .kw = s->kernel[1],
    .dilation = s->dilation[0],
    .stride = s->stride[0],
    .w_step = s->oc,
    .rows = rows,
    .n = n,
    .activation = cut->run->activation,
  };
  if (!s->copied) {
    run.in_pitch = (size_t) s->w;
    run.in = in + (size_t) (y * s->stride[0]) * run.in_pitch + x;
    return run;
  }
  cut->run->kernels->pad (&(CnnPadRun){
      .in = in,
      .w = s->w,
      .h = s->h,
      .x = x * s->stride[1] - s->pad[1],
      .y = y * s->stride[0] - s->pad[0],
      .step = s->stride[1],
      .row_step = 1,
      .phases = s->phases[1],
      .out = begin (s, spare, x),
      .out_pitch = cut->band.pitch,
      .out_phase = cut->band.pitch / (size_t) s->phases[1],
      .rows = lines_of (s, rows),
      .n = n + reach (s, 1) / s->stride[1],
  });
  return run;
}

/* Band @unit % bands of channel @unit / bands of all samples. */
static void
compute (const Cut *cut, int unit, float *spare)
{
  const CnnConvDepthwise *d = cut->run;
  const CnnConvSizes *s = d->sizes;
  const CnnRegion *region = &d->region;
  size_t channel = (size_t) (unit / cut->bands);
  size_t first = channel % (size_t) s->group * (size_t) s->oc;
  size_t plane = (size_t) s->oh * (size_t) s->ow;
  const float *in = d->in + channel * (size_t) s->h * (size_t) s->w;
  int y = region->y0 + unit % cut->bands * cut->band.rows;
  int rows = region->y1 - y < cut->band.rows ? region->y1 - y : cut->band.rows;
  for (int x = region->x0, n; x < region->x1; x += n) {
    n = region->x1 - x < cut->band.width ? region->x1 - x : cut->band.width;
    CnnDepthwiseRun run = look (cut, in, y, x, rows, n, spare);
    run.out_pitch = (size_t) s->ow;
    for (size_t o = 0; o < (size_t) s->oc; o++) {
      run.weights = d->weights + first * (size_t) (run.kh * run.kw) + o;
      run.bias = d->bias ? d->bias[first + o] : 0;
      run.out = d->out + (channel * (size_t) s->oc + o) * plane
          + (size_t) y * run.out_pitch + (size_t) x;
      d->kernels->depthwise (&run);
    }
  }
}

static void
task (void *data, int number, int worker)
{
  const Cut *cut = data;
  float *spare = (float *) ((char *) cut->run->spare
      + (size_t) worker * cnn_conv_depthwise_bytes (cut->run->sizes));
  int first = number * cut->per_task, end = first + cut->per_task;
  for (int unit = first; unit < end && unit < cut->units; unit++)
    compute (cut, unit, spare);
}

/* Where in a padded row the pixels under the kernel are. */
static void
list_columns (const CnnConvSizes *s, const Band *band, ptrdiff_t *columns)
{
  int step = s->copied ? s->stride[1] : 1;
  size_t phase = band->pitch / (size_t) s->phases[1];
  for (int q = 0; q < s->kernel[1]; q++) {
    int x = q * s->dilation[1];
    columns[q] = (ptrdiff_t) ((size_t) (x % step) * phase) + x / step;
  }
}

void
cnn_conv_depthwise_run (const CnnConvDepthwise *run)
{
  const CnnConvSizes *s = run->sizes;
  const CnnRegion *region = &run->region;
  if (region->x0 >= region->x1 || region->y0 >= region->y1)
    return;
  Cut cut = { .run = run,
    .band = band_of (s, region->y1 - region->y0, region->x1 - region->x0) };
  list_columns (s, &cut.band, cut.columns);
  cut.bands = cnn_ceil_div (region->y1 - region->y0, cut.band.rows);
  cut.units = s->n * s->group * cut.bands;
  size_t macs = (size_t) (cut.band.rows * (region->x1 - region->x0))
      * (size_t) (s->oc * s->kernel[0] * s->kernel[1]);
  int enough = (int) (TASK_MACS / (macs + 1)) + 1;
  int most = cut.units / WANTED_TASKS > 1 ? cut.units / WANTED_TASKS : 1;
  cut.per_task = enough < most ? enough : most;
  cnn_pool_run (run->pool, cnn_ceil_div (cut.units, cut.per_task), task, &cut);
}
