/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* quantized_conv.c: convolutions between packed maps, without floats.
 *
 *   y = saturate (round ((bias + sum over (x - zero) w) * multiplier) + zero)
 * x - zero is x here: the zero point's share is part of the bias.
 *
 * Rows are cut into tasks. A packed input without padding is used where it
 * lies; otherwise a task writes the rows that it reads, quantised or padded,
 * into memory of its own first, where they are still cached when they are
 * needed. With one channel, a pixel's four bytes are four neighbours. */

#include "ops/quantized_conv.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "kernels/kernels.h"
#include "ops/shapes.h"

/* Multiply-adds of one task, and rows where input has to be prepared. */
#define TASK_MACS     ((size_t) 1 << 22)
#define PREPARED_ROWS 32

/**
 * Sizes:
 * @groups: of four channels, or of four neighbours
 * @oh: @ow: of the output, after the pool
 * @step: rows of the convolution to a row of the output
 * @words: 32-bit words of a kernel's row
 * @line: @row: bytes from a line, a row of pixels to the next
 */
typedef struct
{
  int n, ic, groups, oc, h, w, oh, ow, step;
  int kernel[2], dilation[2], pad[2];
  bool floats, neighbours, prepared;
  int words, padded_width, n_segments, n_lines;
  size_t line, row;
} Sizes;

static bool
has_neighbours (const CnnTensor *x, const CnnTensor *w)
{
  return x->type == CNN_TYPE_FLOAT32 && w->shape.dims[1] == 1;
}

/* What follows from parameters and weights: the form of packed weights. */
static Sizes
kernel_sizes (const CnnQuantizedConvParams *p, const CnnTensor *w,
    bool neighbours)
{
  CnnWindow window = cnn_window_with_weights (&p->window, &w->shape);
  Sizes s = {
    .ic = (int) w->shape.dims[1],
    .groups = (int) (w->shape.dims[1] + 3) / 4,
    .oc = (int) (w->shape.dims[0] + 3) / 4 * 4,
    .neighbours = neighbours,
    .step = p->pool ? 2 : 1,
  };
  for (int axis = 0; axis < 2; axis++) {
    s.kernel[axis] = (int) window.kernel[axis];
    s.dilation[axis] = (int) window.dilation[axis];
  }
  s.words = neighbours ? (s.kernel[1] + 3) / 4 : s.kernel[1];
  bool dense = s.dilation[0] == 1;
  s.n_segments = s.words * (dense ? 1 : s.kernel[0]);
  s.n_lines = s.groups * (dense ? s.kernel[0] : 1);
  return s;
}

static Sizes
sizes_of (const CnnQuantizedConvParams *p, const CnnTensor *x,
    const CnnTensor *w, const CnnTensor *y)
{
  Sizes s = kernel_sizes (p, w, has_neighbours (x, w));
  CnnWindow window = cnn_window_with_weights (&p->window, &w->shape);
  int64_t size[2] = { x->shape.dims[2], x->shape.dims[3] };
  int64_t begin, total[2];
  for (int axis = 0; axis < 2; axis++) {
    cnn_window_pad (&window, axis, size[axis], &begin, &total[axis]);
    s.pad[axis] = (int) begin;
  }
  s.n = (int) x->shape.dims[0];
  s.h = (int) size[0];
  s.w = (int) size[1];
  s.oh = (int) y->shape.dims[2];
  s.ow = (int) y->shape.dims[3];
  s.floats = x->type == CNN_TYPE_FLOAT32;
  s.prepared = s.floats || total[0] > 0 || total[1] > 0;
  s.padded_width = s.w + (int) total[1];
  s.line = 4 * (size_t) s.padded_width;
  s.row = s.line * (size_t) s.groups;
  return s;
}

/* Rows of input that @rows rows of output look at. */
static int
input_rows (const Sizes *s, int rows)
{
  return rows * s->step + (s->kernel[0] - 1) * s->dilation[0];
}

static int
rows_of_task (const Sizes *s)
{
  size_t macs = (size_t) (s->oc * s->step * s->step) * (size_t) s->ow
      * (size_t) (s->n_segments * s->n_lines) * 4;
  size_t rows = TASK_MACS / (macs + 1) + 1;
  if (s->prepared && rows < (size_t) (PREPARED_ROWS / s->step))
    rows = (size_t) (PREPARED_ROWS / s->step);
  if (rows > (size_t) s->oh)
    rows = (size_t) s->oh;
  size_t tasks = rows ? ((size_t) s->oh + rows - 1) / rows : 1;
  return (int) (((size_t) s->oh + tasks - 1) / tasks);
}

/* -- shapes ------------------------------------------------------------- */

static CnnStatus
infer (const void *params, const CnnTensor *const *in, CNN_UNUSED int n_in,
    CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  const CnnQuantizedConvParams *p = params;
  CnnWindow window = cnn_window_with_weights (&p->window, &in[1]->shape);
  CnnShape y = in[0]->shape;
  CnnStatus status = CNN_OK;
  for (int axis = 0; axis < 2 && !status; axis++) {
    int64_t *to = &y.dims[2 + axis];
    status = cnn_window_output (&window, axis, in[0]->shape.dims[2 + axis], to,
        error);
    if (!status && p->pool && *to >= 0 && *to < 2)
      status = cnn_error_set (error, CNN_ERROR_SHAPE,
          "a pool of 2 is larger than its input");
    if (p->pool && *to > 0)
      *to /= 2;
  }
  y.dims[1] = in[1]->shape.dims[0];
  if (!p->to_float)
    y.dims[1] = (y.dims[1] + 3) / 4 * 4;
  return status ? status
                : cnn_infer_output (&out[0],
                    p->to_float ? CNN_TYPE_FLOAT32 : CNN_TYPE_UINT8, &y, error);
}

static bool
geometry (const void *params, const CnnTensor *const *in,
    CnnOpGeometry *geometry_)
{
  const CnnQuantizedConvParams *p = params;
  CnnWindow window = cnn_window_with_weights (&p->window, &in[1]->shape);
  if (!cnn_window_geometry (&window, &in[0]->shape, geometry_))
    return false;
  for (int axis = 0; axis < 2 && p->pool; axis++) {
    geometry_->window[axis] += geometry_->stride[axis];
    geometry_->stride[axis] *= 2;
  }
  return true;
}

static uint64_t
macs (const void *params, const CnnTensor *const *in, CNN_UNUSED int n_in,
    const CnnTensor *out)
{
  const CnnQuantizedConvParams *p = params;
  const CnnShape *y = &out->shape;
  return cnn_product (&in[1]->shape, 0, 4) * cnn_product (y, 2, 4)
      * (uint64_t) y->dims[0] * (p->pool ? 4 : 1);
}

/* -- weights ------------------------------------------------------------ */

/* Packed: bias, multipliers, each oc rounded up to 4; the kernels' own. */
static size_t
constants_bytes (const Sizes *s)
{
  return cnn_align_up (2 * (size_t) s->oc * sizeof (int32_t));
}

/* Input channel and column of byte @b of a word; false where it has none. */
static bool
byte_source (const Sizes *s, int word, int group, int b, int *c, int *q)
{
  *c = s->neighbours ? 0 : 4 * group + b;
  *q = s->neighbours ? 4 * word + b : word;
  return *c < s->ic && *q < s->kernel[1];
}

/* Word of segment @segment, line @line of one kernel, ic kh kw. */
static uint32_t
word_at (const Sizes *s, const int8_t *kernel, int segment, int line)
{
  bool dense = s->dilation[0] == 1;
  int p = dense ? line / s->groups : segment / s->words;
  uint32_t word = 0;
  for (int b = 0; b < 4; b++) {
    int c, q;
    if (byte_source (s, segment % s->words, line % s->groups, b, &c, &q))
      word |=
          (uint32_t) (uint8_t) kernel[(c * s->kernel[0] + p) * s->kernel[1] + q]
          << 8 * b;
  }
  return word;
}

static void
make_words (const Sizes *s, const CnnTensor *w, uint32_t *words)
{
  size_t size = (size_t) (s->ic * s->kernel[0] * s->kernel[1]);
  for (int o = 0; o < s->oc; o++)
    for (int i = 0; i < s->n_segments; i++)
      for (int l = 0; l < s->n_lines; l++)
        *words++ = o < w->shape.dims[0]
            ? word_at (s, (const int8_t *) w->data + (size_t) o * size, i, l)
            : 0;
}

static CnnConvU8Weights
weights_of (const Sizes *s, const uint32_t *words)
{
  return (CnnConvU8Weights){ words, s->oc, s->n_segments, s->n_lines };
}

/* Whether the input is float32 is known from the parameters, too: its type is
 * not, when weights are packed. */
static Sizes
pack_sizes (const CnnQuantizedConvParams *p, const CnnTensor *w)
{
  return kernel_sizes (p, w, p->inverse != 0 && w->shape.dims[1] == 1);
}

static size_t
words_bytes (const Sizes *s)
{
  return cnn_align_up (
      (size_t) (s->oc * s->n_segments * s->n_lines) * sizeof (uint32_t));
}

static size_t
packed_bytes (const void *params, const CnnTensor *const *in,
    CNN_UNUSED int n_in, CNN_UNUSED int variant)
{
  Sizes s = pack_sizes (params, in[1]);
  CnnConvU8Weights weights = weights_of (&s, NULL);
  return constants_bytes (&s) + cnn_kernels ()->pack_u8 (&weights, NULL)
      + words_bytes (&s);
}

static void
pack (const void *params, const CnnTensor *const *in, CNN_UNUSED int n_in,
    CNN_UNUSED int variant, void *packed)
{
  Sizes s = pack_sizes (params, in[1]);
  size_t oc = (size_t) in[1]->shape.dims[0];
  char *to = packed;
  memset (to, 0, constants_bytes (&s));
  memcpy (to, in[2]->data, oc * sizeof (int32_t));
  memcpy (to + (size_t) s.oc * sizeof (int32_t), in[3]->data,
      oc * sizeof (float));
  to += constants_bytes (&s);
  CnnConvU8Weights weights = weights_of (&s, NULL);
  uint32_t *words =
      (uint32_t *) (to + cnn_kernels ()->pack_u8 (&weights, NULL));
  make_words (&s, in[1], words);
  weights.words = words;
  cnn_kernels ()->pack_u8 (&weights, to);
}

/* -- forward ------------------------------------------------------------ */

typedef struct
{
  const CnnOpCall *call;
  const CnnQuantizedConvParams *params;
  Sizes sizes;
  const ptrdiff_t *segments;
  char *bands;
  size_t band_bytes;
  CnnRegion region; /* of the output */
  int rows, tasks;
} Job;

/* Scratch: segments; a band of prepared input and four padded rows of floats
 * for each thread. */
static size_t
segments_bytes (const Sizes *s)
{
  return cnn_align_up ((size_t) s->n_segments * sizeof (ptrdiff_t));
}

static size_t
floats_pitch (const Sizes *s)
{
  return cnn_align_up ((size_t) s->padded_width * sizeof (float)
             + (size_t) s->dilation[1] * 3 * sizeof (float) + CNN_SLACK_BYTES)
      / sizeof (float);
}

static size_t
lines_bytes (const Sizes *s)
{
  size_t rows = (size_t) input_rows (s, rows_of_task (s));
  return cnn_align_up (rows * s->row + CNN_SLACK_BYTES);
}

static size_t
band_bytes (const Sizes *s)
{
  size_t floats = s->floats ? 4 * floats_pitch (s) * sizeof (float) : 0;
  return s->prepared ? lines_bytes (s) + floats : 0;
}

static size_t
scratch_bytes (const void *params, const CnnTensor *const *in,
    CNN_UNUSED int n_in, const CnnTensor *out, CNN_UNUSED int variant,
    const CnnPool *pool, CNN_UNUSED int training)
{
  Sizes s = sizes_of (params, in[0], in[1], out);
  return segments_bytes (&s)
      + (size_t) cnn_pool_threads (pool) * band_bytes (&s);
}

static void
write_segments (const Sizes *s, ptrdiff_t *segments)
{
  int rows = s->n_segments / s->words;
  int step = 4 * s->dilation[1] * (s->neighbours ? 4 : 1);
  for (int p = 0; p < rows; p++)
    for (int q = 0; q < s->words; q++)
      *segments++ = (ptrdiff_t) s->row * p * s->dilation[0] + q * step;
}

static void
fill_pixels (uint8_t *to, int zero, int n)
{
  memset (to, zero, 4 * (size_t) n);
}

/* One line of a group of channels, from floats. With padding it goes through
 * @spare, since 0 becomes the zero point. */
static void
quantise_line (const Job *job, const float *x, int group, float *spare,
    uint8_t *to)
{
  const Sizes *s = &job->sizes;
  size_t plane = (size_t) s->h * (size_t) s->w;
  CnnQuantiseRun run = { .inverse = job->params->inverse,
    .zero = job->params->in_zero,
    .out = to,
    .n = s->padded_width };
  for (int b = 0; b < 4; b++) {
    int c = s->neighbours || 4 * group + b >= s->ic ? 4 * group : 4 * group + b;
    run.planes[b] = x + (size_t) c * plane;
    if (s->padded_width > s->w && (!b || !s->neighbours)) {
      float *row = spare + (size_t) b * floats_pitch (s);
      memset (row, 0, floats_pitch (s) * sizeof *row);
      memcpy (row + s->pad[1], run.planes[b], (size_t) s->w * sizeof *row);
      run.planes[b] = row;
    } else if (s->neighbours) {
      run.planes[b] = run.planes[0] + b * s->dilation[1];
    }
  }
  job->call->kernels->quantise (&run);
}

static void
pad_line (const Sizes *s, const uint8_t *from, int zero, uint8_t *to)
{
  int behind = s->padded_width - s->w - s->pad[1];
  fill_pixels (to, zero, s->pad[1]);
  memcpy (to + 4 * s->pad[1], from, 4 * (size_t) s->w);
  fill_pixels (to + 4 * (size_t) (s->pad[1] + s->w), zero, behind);
}

/* Rows @first ... of sample @n, some of which may be padding, into a band. */
static void
prepare (const Job *job, int n, int first, int rows, char *band)
{
  const Sizes *s = &job->sizes;
  const CnnTensor *x = job->call->in[0];
  uint8_t *to = (uint8_t *) band;
  float *spare = (float *) (band + lines_bytes (s));
  size_t samples = (size_t) n * (size_t) s->h * (size_t) s->w;
  for (int y = first; y < first + rows; y++)
    for (int g = 0; g < s->groups; g++, to += s->line) {
      size_t from = (size_t) y * (size_t) s->w;
      if (y < 0 || y >= s->h)
        fill_pixels (to, job->params->in_zero, s->padded_width);
      else if (s->floats)
        quantise_line (job,
            (const float *) x->data + samples * (size_t) s->ic + from, g, spare,
            to);
      else
        pad_line (s,
            (const uint8_t *) x->data
                + 4
                    * ((samples + from) * (size_t) s->groups
                        + (size_t) g * (size_t) s->w),
            job->params->in_zero, to);
    }
}

static CnnConvU8Run
run_of (const Job *job)
{
  const Sizes *s = &job->sizes;
  const char *packed = job->call->packed;
  return (CnnConvU8Run){
    .line_bytes = s->line,
    .n_lines = s->n_lines,
    .segments = job->segments,
    .n_segments = s->n_segments,
    .row_bytes = s->row,
    .weights = packed + constants_bytes (s),
    .bias = (const int32_t *) packed,
    .scale = (const float *) packed + s->oc,
    .oc = s->oc,
    .zero = job->params->zero,
    .low = job->params->low,
    .high = 255,
    .pool = job->params->pool,
    .n = job->region.x1 - job->region.x0,
  };
}

/* Where row @y of sample @n goes, from the region's first column on. */
static void
aim (const Job *job, CnnConvU8Run *run, int n, int y)
{
  const Sizes *s = &job->sizes;
  const CnnTensor *out = job->call->out[0];
  size_t width = (size_t) s->ow, plane = (size_t) s->oh * width;
  size_t x0 = (size_t) job->region.x0;
  if (job->params->to_float) {
    size_t oc = (size_t) out->shape.dims[1];
    run->n_floats = (int) oc;
    run->float_plane = plane;
    run->floats =
        (float *) out->data + (size_t) n * oc * plane + (size_t) y * width + x0;
  } else {
    run->out_group = 4 * width;
    run->out = (uint8_t *) out->data
        + (size_t) (n * s->oh + y) * width * (size_t) s->oc + 4 * x0;
  }
}

static void
task (void *data, int number, int worker)
{
  const Job *job = data;
  const Sizes *s = &job->sizes;
  int n = number / job->tasks;
  int y0 = job->region.y0 + number % job->tasks * job->rows;
  int y1 = y0 + job->rows < job->region.y1 ? y0 + job->rows : job->region.y1;
  int first = y0 * s->step - s->pad[0];
  const uint8_t *in;
  if (y0 >= y1)
    return;
  if (s->prepared) {
    char *band = job->bands + (size_t) worker * job->band_bytes;
    prepare (job, n, first, input_rows (s, y1 - y0), band);
    in = (const uint8_t *) band;
  } else {
    in = (const uint8_t *) job->call->in[0]->data
        + ((size_t) n * (size_t) s->h + (size_t) first) * s->row;
  }
  CnnConvU8Run run = run_of (job);
  for (int y = y0; y < y1; y++) {
    run.in = in + (size_t) ((y - y0) * s->step) * s->row
        + 4 * (size_t) (job->region.x0 * s->step);
    aim (job, &run, n, y);
    job->call->kernels->conv_u8 (&run);
  }
}

static void
forward (const CnnOpCall *call)
{
  Job job = { .call = call,
    .params = call->params,
    .sizes = sizes_of (call->params, call->in[0], call->in[1], call->out[0]),
    .segments = call->scratch };
  job.region = call->region ? *call->region
                            : (CnnRegion){ 0, 0, job.sizes.ow, job.sizes.oh };
  job.rows = rows_of_task (&job.sizes);
  if (job.rows)
    job.tasks = (job.region.y1 - job.region.y0 + job.rows - 1) / job.rows;
  job.bands = (char *) call->scratch + segments_bytes (&job.sizes);
  job.band_bytes = band_bytes (&job.sizes);
  write_segments (&job.sizes, call->scratch);
  cnn_pool_run (call->pool, job.sizes.n * job.tasks, task, &job);
}

const CnnOp cnn_op_quantized_conv = {
  .name = "QuantizedConv",
  .since = 1,
  .min_in = 4,
  .max_in = 4,
  .max_out = 1,
  .params_bytes = sizeof (CnnQuantizedConvParams),
  .regional = true,
  .infer = infer,
  .geometry = geometry,
  .macs = macs,
  .scratch_bytes = scratch_bytes,
  .packed_bytes = packed_bytes,
  .pack = pack,
  .forward = forward,
};

/* -- out of the packed form --------------------------------------------- */

static CnnStatus
infer_unpack (const void *params, const CnnTensor *const *in,
    CNN_UNUSED int n_in, CnnTensor *out, CNN_UNUSED int n_out, CnnError *error)
{
  const CnnUnpackParams *p = params;
  CnnShape y = in[0]->shape;
  CnnType type = p->scale != 0 ? CNN_TYPE_FLOAT32
      : p->shift               ? CNN_TYPE_INT8
                               : CNN_TYPE_UINT8;
  y.dims[1] = p->channels;
  return cnn_infer_output (&out[0], type, &y, error);
}

/* Every fourth of @from. */
static void
unpack_row (const CnnUnpackParams *p, const uint8_t *from, void *to, size_t at,
    size_t n)
{
  if (p->scale != 0) {
    float *y = (float *) to + at;
    for (size_t i = 0; i < n; i++)
      y[i] = (float) (from[4 * i] - p->shift) * p->scale;
  } else {
    uint8_t *y = (uint8_t *) to + at;
    for (size_t i = 0; i < n; i++)
      y[i] = (uint8_t) (from[4 * i] - p->shift);
  }
}

static void
unpack_task (void *data, int number, CNN_UNUSED int worker)
{
  const CnnOpCall *call = data;
  const CnnUnpackParams *p = call->params;
  const CnnShape *x = &call->in[0]->shape;
  size_t h = (size_t) x->dims[2], w = (size_t) x->dims[3];
  size_t groups = (size_t) x->dims[1] / 4, channels = (size_t) p->channels;
  size_t n = (size_t) number / h, y = (size_t) number % h;
  const uint8_t *row =
      (const uint8_t *) call->in[0]->data + 4 * (size_t) number * groups * w;
  for (size_t c = 0; c < channels; c++)
    unpack_row (p, row + 4 * (c / 4 * w) + c % 4, call->out[0]->data,
        ((n * channels + c) * h + y) * w, w);
}

static void
forward_unpack (const CnnOpCall *call)
{
  const CnnShape *x = &call->in[0]->shape;
  cnn_pool_run (call->pool, (int) (x->dims[0] * x->dims[2]), unpack_task,
      (void *) call);
}

const CnnOp cnn_op_unpack = {
  .name = "Unpack",
  .since = 1,
  .min_in = 1,
  .max_in = 1,
  .max_out = 1,
  .params_bytes = sizeof (CnnUnpackParams),
  .infer = infer_unpack,
  .geometry = cnn_op_geometry_pointwise,
  .forward = forward_unpack,
};
