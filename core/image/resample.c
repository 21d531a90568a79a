/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* resample.c: frame plane -> network input, resized and normalised.
 *
 * Runs once a pyramid level and frame, over the whole frame each time, so it
 * must cost little beside the network. Rows are mixed first (long, contiguous
 * loops of bytes that the compiler vectorises; where many rows are averaged,
 * the ones that count in full are added up in 16 bits), then the mixed row is
 * squeezed, four rows at a time so that lanes are rows and no gather is
 * needed. Normalisation is one multiply-add and a clamp on the result.
 *
 * Work is cut into bands of output rows, each with scratch of its own while it
 * lasts: every row is computed alone, so neither bands nor threads show in the
 * result. */

#include <cnn/image.h>

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "image/axis.h"
#include "image/rows.h"
#include "tensor/regions.h"

#define LANES         4
#define MAX_BANDS     16
#define MIN_BAND_ROWS 16
/* 257 * 255 is the last sum that fits 16 bits. */
#define MAX_SUMMED_ROWS 257
/* Rows of bytes that one mixed row needs at a time. */
#define BYTE_ROWS 3

typedef float Lanes __attribute__ ((vector_size (LANES * sizeof (float))));

typedef struct
{
  Lanes *columns;            /* src_width: four mixed rows, interleaved */
  float *mixed[LANES];       /* src_width each */
  uint16_t *sum;             /* src_width */
  uint8_t *bytes[BYTE_ROWS]; /* src_width each: rows without the steps */
} Scratch;

/* busy: bit i is set while scratch i is in use. The lowest that is free is
 * taken, so that few threads touch little memory, and that again and again. */
struct CnnResampler
{
  int src_width, src_height, dst_width, dst_height, border;
  CnnSpan *across, *down;
  int n_bands, band_rows;
  Scratch scratch[MAX_BANDS];
  atomic_uint busy;
  void *memory;
};

/* Black and white of the source and of the result as one line, and its ends */
typedef struct
{
  float gain, bias, low, high;
} Tone;

/* image: of the source, the columns from @first on that @region, without the
 * border, needs. out: the first pixel within the border; pitch, plane: of the
 * result. */
typedef struct
{
  CnnResampler *resampler;
  CnnImage image;
  int first;
  CnnRegion region;
  Tone tone;
  float *out;
  size_t pitch, plane;
} Job;

/* -- mixing rows ------------------------------------------------------- */

static void
mix_one (const uint8_t *restrict a, int n, float *restrict out)
{
  for (int x = 0; x < n; x++)
    out[x] = (float) a[x];
}

static void
mix_two (const uint8_t *restrict a, float wa, const uint8_t *restrict b,
    float wb, int n, float *restrict out)
{
  for (int x = 0; x < n; x++)
    out[x] = wa * (float) a[x] + wb * (float) b[x];
}

static void
mix_three (const uint8_t *const rows[3], const CnnSpan *span, int n,
    float *restrict out)
{
  const uint8_t *restrict a = rows[0], *restrict b = rows[1],
                          *restrict c = rows[2];
  float wa = span->w_first, wb = span->w_mid, wc = span->w_last;
  for (int x = 0; x < n; x++)
    out[x] = wa * (float) a[x] + wb * (float) b[x] + wc * (float) c[x];
}

static void
add_bytes (const uint8_t *restrict a, int n, uint16_t *restrict sum)
{
  for (int x = 0; x < n; x++)
    sum[x] = (uint16_t) (sum[x] + a[x]);
}

static void
add_bytes_twice (const uint8_t *restrict a, const uint8_t *restrict b, int n,
    uint16_t *restrict sum)
{
  for (int x = 0; x < n; x++)
    sum[x] = (uint16_t) (sum[x] + (a[x] + b[x]));
}

static void
add_sum (const uint16_t *restrict sum, float weight, int n, float *restrict out)
{
  for (int x = 0; x < n; x++)
    out[x] += weight * (float) sum[x];
}

/* out += w_mid * (rows first to end - 1), all counting in full */
static void
add_full_rows (const CnnImage *image, int channel, int first, int end,
    float weight, Scratch *s, float *out)
{
  int n = image->width;
  while (first < end) {
    int stop = end - first > MAX_SUMMED_ROWS ? first + MAX_SUMMED_ROWS : end;
    memset (s->sum, 0, (size_t) n * sizeof *s->sum);
    int y = first;
    for (; y + 1 < stop; y += 2)
      add_bytes_twice (cnn_image_row (image, channel, y, s->bytes[0]),
          cnn_image_row (image, channel, y + 1, s->bytes[1]), n, s->sum);
    if (y < stop)
      add_bytes (cnn_image_row (image, channel, y, s->bytes[0]), n, s->sum);
    add_sum (s->sum, weight, n, out);
    first = stop;
  }
}

static void
mix_rows (const CnnImage *image, int channel, const CnnSpan *span, Scratch *s,
    float *out)
{
  int n = image->width, first = span->first, last = first + span->count - 1;
  const uint8_t *rows[BYTE_ROWS];

  rows[0] = cnn_image_row (image, channel, first, s->bytes[0]);
  if (span->count == 1) {
    mix_one (rows[0], n, out);
    return;
  }
  rows[2] = cnn_image_row (image, channel, last, s->bytes[2]);
  if (span->count == 3) {
    rows[1] = cnn_image_row (image, channel, first + 1, s->bytes[1]);
    mix_three (rows, span, n, out);
    return;
  }
  mix_two (rows[0], span->w_first, rows[2], span->w_last, n, out);
  add_full_rows (image, channel, first + 1, last, span->w_mid, s, out);
}

/* -- squeezing or stretching the mixed row ------------------------------ */

static inline float
tone_apply (const Tone *t, float v)
{
  v = t->gain * v + t->bias;
  v = v < t->low ? t->low : v;
  return v > t->high ? t->high : v;
}

static void
tone_row (const float *restrict in, int n, const Tone *tone,
    float *restrict out)
{
  Tone t = *tone;
  for (int x = 0; x < n; x++)
    out[x] = tone_apply (&t, in[x]);
}

static void
interleave (float *const rows[LANES], int n, Lanes *restrict columns)
{
  const float *restrict a = rows[0], *restrict b = rows[1];
  const float *restrict c = rows[2], *restrict d = rows[3];
  for (int x = 0; x < n; x++)
    columns[x] = (Lanes){ a[x], b[x], c[x], d[x] };
}

static inline Lanes
span_apply (const CnnSpan *span, const Lanes *restrict columns)
{
  const Lanes *at = columns + span->first;
  int last = span->count - 1;
  Lanes v = at[0] * span->w_first + at[last] * span->w_last;
  if (last > 1) {
    Lanes middle = at[1];
    for (int k = 2; k < last; k++)
      middle += at[k];
    v += middle * span->w_mid;
  }
  return v;
}

/* Four rows of the result; fewer at a band's end, where the lanes behind hold
 * old rows that nobody stores. */
static void
squeeze (const Job *job, const Lanes *columns, int n_rows, float *out)
{
  const CnnResampler *r = job->resampler;
  Tone t = job->tone;
  size_t pitch = job->pitch;
  for (int x = job->region.x0; x < job->region.x1; x++) {
    CnnSpan span = r->across[x];
    span.first -= job->first;
    Lanes v = span_apply (&span, columns);
    for (int i = 0; i < n_rows; i++)
      out[(size_t) i * pitch + (size_t) x] = tone_apply (&t, v[i]);
  }
}

static void
do_rows (const Job *job, int channel, int y, int n_rows, Scratch *s)
{
  const CnnResampler *r = job->resampler;
  size_t pitch = job->pitch;
  float *out = job->out + (size_t) channel * job->plane + (size_t) y * pitch;

  for (int i = 0; i < n_rows; i++)
    mix_rows (&job->image, channel, &r->down[y + i], s, s->mixed[i]);
  if (r->src_width == r->dst_width) {
    for (int i = 0; i < n_rows; i++)
      tone_row (s->mixed[i], job->image.width, &job->tone,
          out + (size_t) i * pitch + job->first);
    return;
  }
  interleave (s->mixed, job->image.width, s->columns);
  squeeze (job, s->columns, n_rows, out);
}

static void
repeat (float value, int n, float *out)
{
  for (int i = 0; i < n; i++)
    out[i] = value;
}

/* What lies beside row @y, and above or below it. */
static void
do_border (const Job *job, int channel, int y)
{
  const CnnResampler *r = job->resampler;
  int border = r->border, first = job->region.x0, end = job->region.x1;
  float *row =
      job->out + (size_t) channel * job->plane + (size_t) y * job->pitch;
  if (!first) {
    repeat (row[0], border, row - border);
    first = -border;
  }
  if (end == r->dst_width) {
    repeat (row[end - 1], border, row + end);
    end += border;
  }
  size_t bytes = (size_t) (end - first) * sizeof *row;
  for (int i = 1; i <= border && !y; i++)
    memcpy (row + first - (size_t) i * job->pitch, row + first, bytes);
  for (int i = 1; i <= border && y == r->dst_height - 1; i++)
    memcpy (row + first + (size_t) i * job->pitch, row + first, bytes);
}

/* There are as many as bands, so one is free. */
static unsigned
take_scratch (CnnResampler *r)
{
  unsigned busy = atomic_load (&r->busy);
  while (!atomic_compare_exchange_weak (&r->busy, &busy, busy | (busy + 1)))
    ;
  return (unsigned) __builtin_ctz (~busy);
}

static void
do_band (void *data, int task, int CNN_UNUSED worker)
{
  const Job *job = data;
  CnnResampler *r = job->resampler;
  unsigned slot = take_scratch (r);
  int begin = job->region.y0 + task * r->band_rows, end = begin + r->band_rows;
  if (end > job->region.y1)
    end = job->region.y1;

  for (int channel = 0; channel < job->image.channels; channel++) {
    for (int y = begin; y < end; y += LANES)
      do_rows (job, channel, y, end - y < LANES ? end - y : LANES,
          &r->scratch[slot]);
    for (int y = begin; y < end && r->border; y++)
      do_border (job, channel, y);
  }
  atomic_fetch_and (&r->busy, ~(1u << slot));
}

/* -- the object --------------------------------------------------------- */

static Tone
tone_for (CnnImageLevels levels, CnnPixelRange range)
{
  float black = levels == CNN_LEVELS_VIDEO ? 16 : 0;
  float white = levels == CNN_LEVELS_VIDEO ? 235 : 255;
  Tone t = { .low = 0, .high = 1 };
  switch (range) {
    case CNN_RANGE_0_1:
      break;
    case CNN_RANGE_0_255:
      t.high = 255;
      break;
    case CNN_RANGE_1_1:
      t.low = -1;
      break;
    case CNN_RANGE_16_235:
      t.low = 16;
      t.high = 235;
      break;
  }
  t.gain = (t.high - t.low) / (white - black);
  t.bias = t.low - black * t.gain;
  return t;
}

/* How many of @n spans, whose ends both ascend, begin before pixel @at, or,
 * with @all of them, end before it. */
static int
spans_before (const CnnSpan *spans, int n, int at, bool all)
{
  int low = 0;
  while (low < n) {
    int i = low + (n - low) / 2;
    if (spans[i].first + (all ? spans[i].count - 1 : 0) < at)
      low = i + 1;
    else
      n = i;
  }
  return low;
}

CnnRegion
cnn_resampler_region (const CnnResampler *resampler, const CnnRegion *changed)
{
  const CnnResampler *r = resampler;
  int b = r->border;
  CnnRegion region = {
    .x0 = spans_before (r->across, r->dst_width, changed->x0, true),
    .y0 = spans_before (r->down, r->dst_height, changed->y0, true),
    .x1 = spans_before (r->across, r->dst_width, changed->x1, false),
    .y1 = spans_before (r->down, r->dst_height, changed->y1, false),
  };
  if (region.x0 >= region.x1 || region.y0 >= region.y1)
    return region;
  return (CnnRegion){
    .x0 = region.x0 ? region.x0 + b : 0,
    .y0 = region.y0 ? region.y0 + b : 0,
    .x1 = region.x1 + (region.x1 == r->dst_width ? 2 * b : b),
    .y1 = region.y1 + (region.y1 == r->dst_height ? 2 * b : b),
  };
}

/* @region of the result without the border; what it has of that comes from the
 * pixel next to it. */
static CnnRegion
within_border (const CnnResampler *r, const CnnRegion *region)
{
  CnnRegion moved = {
    region->x0 - r->border,
    region->y0 - r->border,
    region->x1 - r->border,
    region->y1 - r->border,
  };
  CnnRegion clipped = cnn_region_clip (&moved, r->dst_width, r->dst_height);
  clipped.x0 = clipped.x0 < r->dst_width ? clipped.x0 : r->dst_width - 1;
  clipped.y0 = clipped.y0 < r->dst_height ? clipped.y0 : r->dst_height - 1;
  clipped.x1 = clipped.x1 > 0 ? clipped.x1 : 1;
  clipped.y1 = clipped.y1 > 0 ? clipped.y1 : 1;
  return clipped;
}

void
cnn_resampler_run_region (CnnResampler *resampler, const CnnImage *image,
    CnnPixelRange range, const CnnRegion *region, CnnPool *pool, float *out)
{
  const CnnResampler *r = resampler;
  assert (image->width == r->src_width && image->height == r->src_height);
  if (region->x0 >= region->x1 || region->y0 >= region->y1)
    return;
  CnnRegion inner = within_border (r, region);
  const CnnSpan *last = &r->across[inner.x1 - 1];
  size_t border = (size_t) r->border;
  size_t pitch = (size_t) r->dst_width + 2 * border;
  Job job = {
    .resampler = resampler,
    .image = *image,
    .first = r->across[inner.x0].first,
    .region = inner,
    .tone = tone_for (image->levels, range),
    .out = out + border * pitch + border,
    .pitch = pitch,
    .plane = pitch * ((size_t) r->dst_height + 2 * border),
  };
  job.image.width = last->first + last->count - job.first;
  for (int c = 0; c < image->channels; c++)
    job.image.data[c] += (ptrdiff_t) job.first * image->step_bytes;
  int rows = inner.y1 - inner.y0;
  cnn_pool_run (pool, (rows + r->band_rows - 1) / r->band_rows, do_band, &job);
}

void
cnn_resampler_run (CnnResampler *resampler, const CnnImage *image,
    CnnPixelRange range, CnnPool *pool, float *out)
{
  int both = 2 * resampler->border;
  CnnRegion all = { 0, 0, resampler->dst_width + both,
    resampler->dst_height + both };
  cnn_resampler_run_region (resampler, image, range, &all, pool, out);
}

/* One block holds the spans and, band by band, the scratch. */
static size_t
lay_out (CnnResampler *r, char *base)
{
  size_t n = (size_t) r->src_width, at = 0;
#define TAKE(member, bytes)                                                    \
  do {                                                                         \
    if (base)                                                                  \
      (member) = (void *) (base + at);                                         \
    at += cnn_align_up (bytes);                                                \
  } while (0)

  TAKE (r->across, (size_t) r->dst_width * sizeof *r->across);
  TAKE (r->down, (size_t) r->dst_height * sizeof *r->down);
  for (int band = 0; band < r->n_bands; band++) {
    Scratch *s = &r->scratch[band];
    TAKE (s->columns, n * sizeof *s->columns);
    for (int i = 0; i < LANES; i++)
      TAKE (s->mixed[i], n * sizeof *s->mixed[i]);
    TAKE (s->sum, n * sizeof *s->sum);
    for (int i = 0; i < BYTE_ROWS; i++)
      TAKE (s->bytes[i], n);
  }
#undef TAKE
  return at;
}

static void
cut_bands (CnnResampler *r)
{
  int rows = (r->dst_height + MAX_BANDS - 1) / MAX_BANDS;
  if (rows < MIN_BAND_ROWS)
    rows = MIN_BAND_ROWS;
  r->band_rows = (rows + LANES - 1) / LANES * LANES;
  r->n_bands = (r->dst_height + r->band_rows - 1) / r->band_rows;
}

static bool
side_fits (int side)
{
  return side >= 1 && side <= CNN_MAX_IMAGE_SIDE;
}

CnnStatus
cnn_resampler_new (int src_width, int src_height, int dst_width, int dst_height,
    int border, CnnResampler **resampler, CnnError *error)
{
  if (!side_fits (src_width) || !side_fits (src_height)
      || !side_fits (dst_width) || !side_fits (dst_height))
    return cnn_error_set (error, CNN_ERROR_ARGUMENT,
        "can't resize %dx%d to %dx%d: sides must be 1 to %d", src_width,
        src_height, dst_width, dst_height, CNN_MAX_IMAGE_SIDE);
  if (border < 0 || border > CNN_MAX_IMAGE_SIDE)
    return cnn_error_set (error, CNN_ERROR_ARGUMENT,
        "a border of %d pixels: 0 to %d are possible", border,
        CNN_MAX_IMAGE_SIDE);

  CnnResampler *r = calloc (1, sizeof *r);
  if (!r)
    return cnn_error_memory (error, sizeof *r, "a resampler");
  r->src_width = src_width;
  r->src_height = src_height;
  r->dst_width = dst_width;
  r->dst_height = dst_height;
  r->border = border;
  cut_bands (r);

  size_t bytes = lay_out (r, NULL);
  r->memory = cnn_aligned_reserve (bytes);
  if (!r->memory) {
    free (r);
    return cnn_error_memory (error, bytes, "a resampler");
  }
  lay_out (r, r->memory);
  cnn_axis_spans (src_width, dst_width, r->across);
  cnn_axis_spans (src_height, dst_height, r->down);
  *resampler = r;
  return CNN_OK;
}

void
cnn_resampler_free (CnnResampler *resampler)
{
  if (!resampler)
    return;
  free (resampler->memory);
  free (resampler);
}
