/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* check-u8.c: convolution of bytes against plain loops: equal, to the bit. */

#include <math.h>
#include <string.h>

#include "check.h"

#include "base/memory.h"

#define GROUPS 3   /* of four input channels */
#define LINE   400 /* bytes */
#define LINES  (4 * GROUPS)

static const ptrdiff_t segments[] = { 0, 4, 12 };

typedef struct
{
  CnnConvU8Run run;
  guint8 *in;
  guint32 *words;
  gint32 bias[16];
  float scale[16];
} Case;

static int
weight_at (const Case *c, int o, int s, int l, int byte)
{
  int at = (o * c->run.n_segments + s) * c->run.n_lines + l;
  return (gint8) (c->words[at] >> 8 * byte);
}

static int
sum_at (const Case *c, int o, int row, int x)
{
  const CnnConvU8Run *r = &c->run;
  int sum = r->bias[o];
  for (int s = 0; s < r->n_segments; s++)
    for (int l = 0; l < r->n_lines; l++)
      for (int b = 0; b < 4; b++)
        sum += weight_at (c, o, s, l, b)
            * r->in[(gsize) row * r->row_bytes + (gsize) l * r->line_bytes
                + (gsize) (r->segments[s] + 4 * x + b)];
  return sum;
}

static int
expected_sum (const Case *c, int o, int x)
{
  int most = G_MININT;
  if (!c->run.pool)
    return sum_at (c, o, 0, x);
  for (int i = 0; i < 4; i++)
    most = MAX (most, sum_at (c, o, i / 2, 2 * x + i % 2));
  return most;
}

static int
expected_byte (const Case *c, int o, int x)
{
  float y = (float) expected_sum (c, o, x) * c->run.scale[o];
  int whole = (int) CLAMP (nearbyintf (y), -1000.f, 1000.f) + c->run.zero;
  return CLAMP (whole, c->run.low, c->run.high);
}

/* Extreme bytes often, so that anything that saturates would show. */
static guint8
extreme_byte (CnnRng *rng)
{
  guint32 x = (guint32) cnn_rng_int (rng, 1024);
  return (guint8) (x < 512 ? x : x < 768 ? 255 : 128);
}

static Case
make_case (CnnRng *rng, int oc, int n, int n_segments, int n_lines, int pool)
{
  gsize lines = (gsize) (n_lines + (pool ? GROUPS : 0));
  gsize bytes = lines * LINE + CNN_SLACK_BYTES;
  gsize words = (gsize) (oc * n_segments * n_lines);
  Case c = { .in = g_malloc (bytes), .words = g_new (guint32, words) };
  for (gsize i = 0; i < bytes; i++)
    c.in[i] = extreme_byte (rng);
  for (gsize i = 0; i < 4 * words; i++)
    ((guint8 *) c.words)[i] = extreme_byte (rng);
  for (int o = 0; o < oc; o++) {
    c.bias[o] = (int) (cnn_rng_range (rng, -1, 1) * 1e5f);
    c.scale[o] = cnn_rng_range (rng, 1e-4f, 1e-2f);
  }
  /* Ties: halves that have to go to the even neighbour. */
  c.scale[oc - 1] = 0.5f;
  c.run = (CnnConvU8Run){
    .in = c.in,
    .line_bytes = LINE,
    .n_lines = n_lines,
    .segments = segments,
    .n_segments = n_segments,
    .row_bytes = GROUPS * LINE,
    .oc = oc,
    .zero = n % 3 ? 0 : 117,
    .low = n % 5 ? 0 : 117,
    .high = n % 7 ? 255 : 200,
    .pool = pool,
    .n = n,
  };
  return c;
}

static void
check_bytes (Case *c, const CnnKernels *k)
{
  CnnConvU8Run run = c->run;
  gsize group = 4 * (gsize) run.n + 8, size = (gsize) (run.oc / 4) * group;
  guint8 *out = g_malloc (size);
  memset (out, 0xa5, size);
  run.out = out;
  run.out_group = group;
  k->conv_u8 (&run);
  for (int o = 0; o < run.oc; o++)
    for (int x = 0; x < run.n + 2; x++) {
      int got = out[(gsize) (o / 4) * group + (gsize) (4 * x + o % 4)];
      int want = x < run.n ? expected_byte (c, o, x) : 0xa5;
      if (got != want)
        g_error ("conv_u8: channel %d, pixel %d of %d is %d, not %d", o, x,
            run.n, got, want);
    }
  g_free (out);
}

static void
check_floats (Case *c, const CnnKernels *k)
{
  CnnConvU8Run run = c->run;
  gsize plane = (gsize) run.n + 2;
  run.n_floats = run.oc - 1;
  float *out = g_new0 (float, (gsize) run.oc *plane);
  run.floats = out;
  run.float_plane = plane;
  k->conv_u8 (&run);
  for (int o = 0; o < run.oc; o++)
    for (int x = 0; x < run.n + 2; x++) {
      float want = o < run.n_floats && x < run.n
          ? (float) expected_sum (c, o, x) * run.scale[o]
          : 0;
      g_assert_cmpfloat (out[(gsize) o * plane + (gsize) x], ==, want);
    }
  g_free (out);
}

static void
u8_case (const CnnKernels *k, CnnRng *rng, int oc, int n, int n_segments,
    int n_lines, int pool)
{
  Case c = make_case (rng, oc, n, n_segments, n_lines, pool);
  CnnConvU8Weights weights = { c.words, oc, n_segments, n_lines };
  gsize bytes = k->pack_u8 (&weights, NULL);
  void *packed = g_aligned_alloc0 (1, bytes + CNN_SLACK_BYTES, 64);
  g_assert_cmpuint (k->pack_u8 (&weights, packed), ==, bytes);
  c.run.weights = packed;
  c.run.bias = c.bias;
  c.run.scale = c.scale;
  check_bytes (&c, k);
  check_floats (&c, k);
  g_aligned_free (packed);
  g_free (c.words);
  g_free (c.in);
}

void
check_conv_u8 (gconstpointer kernels)
{
  CnnRng rng;
  cnn_rng_init (&rng, 11, 0);
  for (int oc = 4; oc <= 16; oc += 4)
    for (int n = 0; n <= 70; n++) {
      u8_case (kernels, &rng, oc, n, 3, 2 * GROUPS, 0);
      u8_case (kernels, &rng, oc, n / 2, 3, 2 * GROUPS, 1);
      u8_case (kernels, &rng, oc, n, 1, 1 + n % LINES, 0);
    }
}

void
check_quantise_u8 (gconstpointer kernels)
{
  const CnnKernels *k = kernels;
  CnnRng rng;
  cnn_rng_init (&rng, 12, 0);
  for (int n = 0; n <= 70; n++) {
    float *x = check_input (&rng, 4 * 70);
    guint8 out[4 * 72];
    memset (out, 0xa5, sizeof out);
    x[0] = NAN;
    x[1] = -INFINITY;
    x[2] = 1e30f;
    CnnQuantiseRun run = { { x, x + 70, x + 140, x + 210 }, 200, n, out, n };
    k->quantise (&run);
    for (int i = 0; i < 4 * 72; i++) {
      float v = x[i % 4 * 70 + i / 4 % 70] * 200;
      int want = isnan (v) ? 0
          : v > 1000       ? 255
          : v < -1000      ? 0
                           : (int) nearbyintf (v) + n;
      want = i < 4 * n ? CLAMP (want, 0, 255) : 0xa5;
      g_assert_cmpint (out[i], ==, want);
    }
    g_free (x);
  }
}
