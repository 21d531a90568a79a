/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layers-early.c: layers of the first convolutional networks, of 1989 to 1998,
 * made of operators that every runtime has: connections without sharing,
 * tables of who sees whom, a bias for each cell, averages with a gain, codes.
 *
 * Indices are integers, which nobody counts as parameters or trains: so
 * parameters and connections come out as the papers have them. */

#include "layers-build.h"

#include <string.h>

#include "connections.h"

/* The codes' scale: answers differ by about ten bits at least, which makes
 * five between the best and the next of softmax's logits. */
#define CODE_SCALE 0.25f

static gboolean
add_constant (ToolBuild *build, const char *name, const CnnTensor *tensor,
    GError **error)
{
  return cnn_graph_add_constant (build->graph, name, tensor, &build->cause)
      == CNN_OK
      || tool_fail_cnn (error, name, &build->cause);
}

static gboolean
add_scalar (ToolBuild *build, const char *name, float value, GError **error)
{
  CnnTensor tensor = { CNN_TYPE_FLOAT32, { 0 }, &value };

  return add_constant (build, name, &tensor, error);
}

static gboolean
add_integers (ToolBuild *build, const char *name, gint64 *values, gint64 count,
    GError **error)
{
  CnnTensor tensor = { CNN_TYPE_INT64, { 1, { count } }, values };

  return add_constant (build, name, &tensor, error);
}

/* Name of a part: "conv2.border"; it lives as long as the program, as names in
 * a network do not often differ from run to run. */
static const char *
part (const char *layer, const char *what)
{
  char *name = g_strdup_printf ("%s.%s", layer, what);
  const char *kept = g_intern_string (name);

  g_free (name);
  return kept;
}

/* A node that reads the present value and integers. */
static gboolean
add_indexed (ToolBuild *build, const char *op, const char *name, gint64 *values,
    gint64 count, const CnnAttribute *attribute, GError **error)
{
  const char *indices = part (name, "indices");

  return add_integers (build, indices, values, count, error)
      && tool_build_node (build, op, name,
          (const char *const[]){ indices, NULL }, attribute, attribute != NULL,
          error);
}

static gboolean
add_gather (ToolBuild *build, const char *name, gint64 *channels, gint64 count,
    GError **error)
{
  CnnAttribute axis = { .name = "axis", .type = CNN_ATTRIBUTE_INT, .i = 1 };

  return add_indexed (build, "Gather", name, channels, count, &axis, error);
}

/* To n (as it is) c h w. */
static gboolean
add_reshape (ToolBuild *build, const char *name, gint64 c, gint64 h, gint64 w,
    GError **error)
{
  gint64 shape[] = { 0, c, h, w };

  return add_indexed (build, "Reshape", name, shape, 4, NULL, error);
}

static gboolean
add_border (ToolBuild *build, const char *layer, const gint64 pad[2],
    double value, GError **error)
{
  gint64 pads[] = { 0, 0, pad[0], pad[1], 0, 0, pad[0], pad[1] };
  const char *sizes = part (layer, "pads"), *border = part (layer, "border");

  return add_integers (build, sizes, pads, 8, error)
      && add_scalar (build, border, (float) value, error)
      && tool_build_node (build, "Pad", part (layer, "pad"),
          (const char *const[]){ sizes, border, NULL }, NULL, 0, error);
}

/* A number for each map, or for each of its cells, multiplied or added. */
static gboolean
add_of_maps (ToolBuild *build, const char *op, const char *layer,
    const char *what, const CnnShape *shape, GError **error)
{
  const char *constant = part (layer, what);
  char *node = g_strdup_printf ("%s.%s", layer, op);
  gboolean ok = tool_build_weights (build, constant, shape, error)
      && tool_build_node (build, op, node,
          (const char *const[]){ constant, NULL }, NULL, 0, error);

  g_free (node);
  return ok;
}

static int
count_seen (const ToolTable *table, int map)
{
  int count = 0;

  for (int i = 0; i < table->in; i++)
    count += table->sees[map] >> i & 1;
  return count;
}

/* Maps @first to @end - 1 of the table, which see as many each: what they see,
 * one beside the other, then a group for each map. */
static gboolean
add_run (ToolBuild *build, const ToolConv *conv, const char *name, int first,
    int end, GError **error)
{
  const ToolTable *table = conv->table;
  int seen = count_seen (table, first);
  ToolConv run = *conv;
  gint64 channels[TOOL_TABLE_MAPS * 32], count = 0;

  run.oc = end - first;
  if (seen == table->in)
    return tool_build_conv_node (build, &run, name, table->in, !conv->unit_bias,
        error);
  for (int o = first; o < end; o++)
    for (int i = 0; i < table->in; i++)
      if (table->sees[o] >> i & 1)
        channels[count++] = i;
  run.group = end - first;
  return add_gather (build, part (name, "maps"), channels, count, error)
      && tool_build_conv_node (build, &run, name, count, !conv->unit_bias,
          error);
}

/* Runs of maps that see as many, then all beside each other. */
static gboolean
add_table (ToolBuild *build, const ToolConv *conv, const char *name,
    GError **error)
{
  CnnAttribute axis = { .name = "axis", .type = CNN_ATTRIBUTE_INT, .i = 1 };
  const ToolTable *table = conv->table;
  char *input = g_strdup (build->value);
  const char *parts[TOOL_TABLE_MAPS];
  gboolean last = build->last, ok = TRUE;
  int n = 0, end;

  build->last = FALSE;
  for (int first = 0; ok && first < table->out; first = end) {
    char number[16];

    for (end = first; end < table->out
         && count_seen (table, end) == count_seen (table, first);)
      end++;
    g_snprintf (number, sizeof number, "%d", n + 1);
    g_free (build->value);
    build->value = g_strdup (input);
    ok = add_run (build, conv, part (name, number), first, end, error);
    parts[n++] = g_intern_string (build->value);
  }
  build->last = last;
  g_free (input);
  if (!ok || n == 1)
    return ok;

  const char *out = part (name, "all");
  if (cnn_graph_add_node (build->graph, "Concat", out, parts, n, &out, 1, &axis,
          1, &build->cause)
      != CNN_OK)
    return tool_fail_cnn (error, out, &build->cause);
  g_free (build->value);
  build->value = g_strdup (out);
  return TRUE;
}

gboolean
tool_early_conv (ToolBuild *build, const ToolConv *conv, GError **error)
{
  char *name = tool_build_name (build, "conv");
  gint64 channels = build->c;
  ToolConv rest = *conv;
  gboolean ok = TRUE;

  if (conv->table
      && (conv->table->in != channels || conv->table->out != conv->oc
          || conv->group != 1))
    ok = tool_fail (error, "table-%s is for %d maps from %d", conv->table->name,
        conv->table->out, conv->table->in);
  if (ok && conv->border != 0 && (conv->pad[0] || conv->pad[1])) {
    ok = add_border (build, name, conv->pad, conv->border, error);
    rest.pad[0] = rest.pad[1] = 0;
  }
  ok = ok
      && tool_build_slide (build, conv->kernel, conv->stride, conv->pad,
          conv->dilation, error);
  if (ok && conv->table)
    ok = add_table (build, &rest, name, error);
  else if (ok)
    ok = tool_build_conv_node (build, &rest, name, channels, !conv->unit_bias,
        error);
  build->c = conv->oc;
  if (ok && conv->unit_bias)
    ok = add_of_maps (build, "Add", name, "bias",
        &(CnnShape){ 3, { conv->oc, build->h, build->w } }, error);
  g_free (name);
  return ok;
}

/* Where in c h w each tap of each unit looks. */
static gint64 *
local_taps (const gint64 chw[3], const ToolConv *conv, gint64 oh, gint64 ow)
{
  gint64 taps = chw[0] * conv->kernel[0] * conv->kernel[1];
  gint64 *index = g_new (gint64, conv->oc * oh * ow * taps), *to = index;

  for (gint64 unit = 0; unit < conv->oc * oh * ow; unit++) {
    gint64 y = unit / ow % oh * conv->stride[0];
    gint64 x = unit % ow * conv->stride[1];

    for (gint64 t = 0; t < taps; t++) {
      gint64 c = t / (conv->kernel[0] * conv->kernel[1]);
      gint64 i = y + t / conv->kernel[1] % conv->kernel[0];
      gint64 j = x + t % conv->kernel[1];

      *to++ = (c * chw[1] + i) * chw[2] + j;
    }
  }
  return index;
}

/* What each unit sees becomes channels of its own, a group a unit:
 *   c h w -> Flatten -> Gather -> (units * taps) 1 1 -> Conv -> n oh ow */
static gboolean
add_units (ToolBuild *build, const ToolConv *conv, const char *name,
    const gint64 chw[3], GError **error)
{
  gint64 oh = build->h, ow = build->w, units = conv->oc * oh * ow;
  gint64 taps = chw[0] * conv->kernel[0] * conv->kernel[1];
  gint64 *index = local_taps (chw, conv, oh, ow);
  gboolean last = build->last, ok;
  ToolConv each = { .oc = units,
    .kernel = { 1, 1 },
    .stride = { 1, 1 },
    .dilation = { 1, 1 },
    .group = units };
  CnnAttribute axis = { .name = "axis", .type = CNN_ATTRIBUTE_INT, .i = 1 };

  build->last = FALSE;
  ok = tool_build_node (build, "Flatten", part (name, "cells"), NULL, &axis, 1,
           error)
      && add_gather (build, part (name, "taps"), index, units * taps, error)
      && add_reshape (build, part (name, "units"), units * taps, 1, 1, error)
      && tool_build_conv_node (build, &each, name, units * taps, TRUE, error);
  build->last = last;
  g_free (index);
  return ok
      && add_reshape (build, part (name, "maps"), conv->oc, oh, ow, error);
}

gboolean
tool_early_local (ToolBuild *build, const ToolLayer *layer, GError **error)
{
  const ToolOption *stride = tool_build_option (layer, "stride");
  const ToolOption *pad = tool_build_option (layer, "pad");
  const ToolOption *border = tool_build_option (layer, "border");
  ToolConv conv = { .dilation = { 1, 1 } };
  gint64 chw[3];
  int kh, kw;
  char *name;
  gboolean ok = TRUE;

  if (!tool_parse_int (layer->words[0], 1, TOOL_BUILD_CHANNELS, &conv.oc, error)
      || !tool_parse_size (layer->words[1], TOOL_BUILD_KERNEL, &kh, &kw, error)
      || (border
          && !tool_parse_double (border->text, -1e6, 1e6, &conv.border, error)))
    return FALSE;
  conv.kernel[0] = kh;
  conv.kernel[1] = kw;
  conv.stride[0] = stride ? stride->y : 1;
  conv.stride[1] = stride ? stride->x : 1;
  conv.pad[0] = pad ? pad->y : 0;
  conv.pad[1] = pad ? pad->x : 0;
  chw[0] = build->c;
  chw[1] = build->h + 2 * conv.pad[0];
  chw[2] = build->w + 2 * conv.pad[1];
  if (!tool_build_slide (build, conv.kernel, conv.stride, conv.pad,
          conv.dilation, error))
    return FALSE;
  if (conv.oc * build->h * build->w > TOOL_BUILD_CHANNELS
      || chw[0] * kh * kw > TOOL_BUILD_CHANNELS)
    return tool_fail (error, "it has too many units");
  name = tool_build_name (build, "local");
  if (conv.pad[0] || conv.pad[1])
    ok = add_border (build, name, conv.pad, conv.border, error);
  ok = ok && add_units (build, &conv, name, chw, error);
  build->c = conv.oc;
  g_free (name);
  return ok;
}

gboolean
tool_early_subsample (ToolBuild *build, const ToolLayer *layer, GError **error)
{
  const gint64 pad[2] = { 0, 0 }, one[2] = { 1, 1 };
  gint64 kernel[2];
  int kh, kw;
  CnnShape each = { 3, { build->c, 1, 1 } };
  gboolean last = build->last, ok;
  char *name;

  if (!tool_parse_size (layer->words[0], TOOL_BUILD_KERNEL, &kh, &kw, error))
    return FALSE;
  kernel[0] = kh;
  kernel[1] = kw;
  if (!tool_build_slide (build, kernel, kernel, pad, one, error))
    return FALSE;

  CnnAttribute attributes[] = {
    { .name = "kernel_shape",
        .type = CNN_ATTRIBUTE_INTS,
        .count = 2,
        .ints = kernel },
    { .name = "strides",
        .type = CNN_ATTRIBUTE_INTS,
        .count = 2,
        .ints = kernel },
  };
  name = tool_build_name (build, "subsample");
  build->last = FALSE;
  ok = tool_build_node (build, "AveragePool", name, NULL, attributes,
           G_N_ELEMENTS (attributes), error)
      && add_of_maps (build, "Mul", name, "gain", &each, error);
  build->last = last;
  ok = ok && add_of_maps (build, "Add", name, "bias", &each, error);
  g_free (name);
  return ok;
}

/* Source: LeCun, "Generalization and network design strategies", 1989: 1 and
 * -1 are where the curve bends most, so targets are within reach. */
gboolean
tool_early_ltanh (ToolBuild *build, const ToolLayer *layer, GError **error)
{
  char *name = tool_build_name (build, layer->kind);
  const char *in = part (name, "slope"), *out = part (name, "limit");
  gboolean last = build->last, ok;

  build->last = FALSE;
  ok = add_scalar (build, in, 2 / 3.0f, error)
      && add_scalar (build, out, 1.7159f, error)
      && tool_build_node (build, "Mul", part (name, "steepness"),
          (const char *const[]){ in, NULL }, NULL, 0, error)
      && tool_build_node (build, "Tanh", name, NULL, NULL, 0, error);
  build->last = last;
  ok = ok
      && tool_build_node (build, "Mul", part (name, "height"),
          (const char *const[]){ out, NULL }, NULL, 0, error);
  g_free (name);
  return ok;
}

/* Which code is nearest? |x - code|^2 differs between codes by -2 x code only,
 * as all have as many bits: a dense layer that is not learned. */
gboolean
tool_early_codes (ToolBuild *build, const ToolLayer *layer, GError **error)
{
  float codes[10 * TOOL_CODE_BITS];
  CnnTensor tensor = { CNN_TYPE_FLOAT32, { 2, { 10, TOOL_CODE_BITS } }, codes };
  CnnAttribute transposed = { .name = "transB",
    .type = CNN_ATTRIBUTE_INT,
    .i = 1 };
  char *name;
  gboolean ok;

  if (!build->flat || build->c != TOOL_CODE_BITS)
    return tool_fail (error, "it comes after a dense layer of %d units",
        TOOL_CODE_BITS);
  for (int i = 0; i < 10 * TOOL_CODE_BITS; i++)
    codes[i] = tool_code (i / TOOL_CODE_BITS)[i % TOOL_CODE_BITS] == '#'
        ? CODE_SCALE
        : -CODE_SCALE;
  name = tool_build_name (build, layer->kind);
  ok = add_constant (build, part (name, "fixed"), &tensor, error)
      && tool_build_node (build, "Gemm", name,
          (const char *const[]){ part (name, "fixed"), NULL }, &transposed, 1,
          error);
  if (ok
      && cnn_graph_set_metadata (build->graph, "convnet.fixed",
             part (name, "fixed"), &build->cause)
          != CNN_OK)
    ok = tool_fail_cnn (error, name, &build->cause);
  build->c = 10;
  g_free (name);
  return ok;
}
