/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* conv_choose.c: which way of computing a convolution should be fastest.
 *
 * A model of the work, in vector operations, of which a core does about two a
 * cycle: multiply-adds, Winograd's transforms, and weights that have to come
 * from beyond the second cache. Its constants are measured, for kernels of 16,
 * 8 and 4 lanes alike; what it says depends on sizes only. */

#include "ops/conv.h"

#include "base/size.h"
#include "ops/winograd_weights.h"

/* Larger maps are refused by the session, which has to be told their size. */
#define MOST_CELLS (1 << 26)
/* Operations that a multiply-add counts for, by what the kernels reach. */
#define DIRECT_FACTOR  1.2
#define PRODUCT_FACTOR 1.25
/* Operations a vector of tiles and value of alpha^2. */
#define INPUT_FACTOR  9.0
#define OUTPUT_FACTOR 6.0
/* Operations to begin a product; a transform, and for each of its values. */
#define PRODUCT_CALL    60.0
#define TRANSFORM_CALL  200.0
#define TRANSFORM_VALUE 12.0
/* Bytes that come from afar in the time of an operation; fewer in all are taken
 * to be near. */
#define FAR_BYTES  2.5
#define NEAR_BYTES (1 << 17)

static double
weights_cost (double count, double passes)
{
  double bytes = count * sizeof (float);
  return bytes > NEAR_BYTES ? passes * bytes / FAR_BYTES : 0;
}

/* Rows are cut into vectors, or laid end to end with what lies between. */
static double
direct_cost (const CnnConvSizes *s, int lanes)
{
  double scale = s->pooling ? 2 : 1, w = s->ow * scale;
  double by_row = ((int) (w + lanes - 1) / lanes) * s->oh * scale;
  double flat = (w + s->kernel[1] - 1) * s->oh * scale / lanes + 1;
  double weights = (double) s->oc * s->ic * s->kernel[0] * s->kernel[1];
  return (flat < by_row ? flat : by_row) * weights * DIRECT_FACTOR
      + weights_cost (weights, 1);
}

/* Of a channel, in @calls with @vecs vectors together. */
static double
transform_cost (int products, double vecs, double calls, double factor)
{
  return vecs * products * factor
      + calls * (TRANSFORM_CALL + products * TRANSFORM_VALUE);
}

/* Going in, tiles of one row are transformed together; going out, all. */
static double
transforms_cost (const CnnConvSizes *s, int products, int rows, int across,
    int lanes)
{
  int tiles = rows * across;
  return s->ic
      * transform_cost (products, rows * cnn_ceil_div (across, lanes),
          rows * cnn_ceil_div (across, CNN_WINOGRAD_TILES), INPUT_FACTOR)
      + s->oc
      * transform_cost (products, cnn_ceil_div (tiles, lanes),
          cnn_ceil_div (tiles, CNN_WINOGRAD_TILES), OUTPUT_FACTOR);
}

static double
winograd_cost (const CnnConvSizes *s, CnnWinogradForm form, int lanes)
{
  CnnWinogradSizes w = cnn_winograd_sizes (form);
  int scale = s->pooling ? 2 : 1, products = w.alpha * w.alpha;
  int rows = cnn_ceil_div (s->oh * scale, w.m);
  int across = cnn_ceil_div (s->ow * scale, w.m);
  double tiles = (double) rows * across;
  double vecs = (double) ((int) (tiles + lanes - 1) / lanes);
  double weights = (double) s->oc * s->ic * products;
  double blocks = (double) ((int) tiles / CNN_WINOGRAD_TILES + 1);
  double calls = blocks * products * cnn_ceil_div (s->oc, CNN_CONV_BLOCK);
  return calls * PRODUCT_CALL + vecs * weights * PRODUCT_FACTOR
      + transforms_cost (s, products, rows, across, lanes)
      + weights_cost (weights, 1 + tiles / (8 * CNN_WINOGRAD_TILES));
}

static bool
is_plain (const CnnConvSizes *s)
{
  return s->stride[0] == 1 && s->stride[1] == 1 && s->dilation[0] == 1
      && s->dilation[1] == 1 && s->kernel[0] == s->kernel[1] && s->n && s->ic
      && s->oc && s->oh && s->ow && (int64_t) s->oh * s->ow <= MOST_CELLS;
}

int
cnn_conv_choose (const CnnConvSizes *s, int lanes)
{
  int best = CNN_CONV_DIRECT;
  if (!is_plain (s))
    return best;
  double least = direct_cost (s, lanes);
  for (int form = 0; form < CNN_WINOGRAD_FORMS; form++) {
    double cost = cnn_winograd_sizes (form).r == s->kernel[0]
        ? winograd_cost (s, form, lanes)
        : least;
    if (cost < least) {
      least = cost;
      best = CNN_CONV_WINOGRAD + form;
    }
  }
  return best;
}
