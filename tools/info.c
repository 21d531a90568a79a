/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* info.c: `convnet info`: what a model is made of and what it costs. */

#include <stdio.h>
#include <string.h>

#include <cnn/detect.h>
#include <cnn/session.h>

#include "filters.h"
#include "json.h"
#include "model-file.h"
#include "tool.h"

#define DEFAULT_WIDTH     640
#define DEFAULT_HEIGHT    480

#define MAX_PYRAMID_BYTES ((size_t) 1 << 30)

/* detector is NULL where the network has no class map. */
typedef struct
{
  gboolean json;
  char *size, *filters;
  int width, height; /* of the frame, 0 = as the model declares */
  CnnModel *model;
  const CnnModelInfo *info;
  CnnSession *session;
  CnnDetector *detector;
  int frame_width, frame_height; /* of the detector */
  gboolean has_map, equal;       /* is a cell the answer to its window? */
} Info;

static const ToolUsage usage = { "MODEL",
  "Prints MODEL's layers: output shape, parameters, multiply-accumulates, and "
  "which window of the picture one cell sees. With --size as a map network "
  "over a picture of that size, else as the file declares it.",
  1, 1 };

static const char *const range_names[] = { "0..1", "0..255", "-1..1",
  "16..235" };
static const char *const output_names[] = { "logits", "log-softmax", "softmax",
  "sigmoid" };

static gboolean
open_session (Info *info, GError **error)
{
  CnnSessionOptions options = { .info_only = 1 };
  const CnnModelInfo *m = info->info;
  int width = m->width ? m->width : DEFAULT_WIDTH;
  int height = m->height ? m->height : DEFAULT_HEIGHT;
  CnnModel *model = NULL;
  CnnError cause = { 0 };
  CnnStatus status = CNN_OK;

  if (info->width) {
    width = info->width;
    height = info->height;
    status = cnn_model_to_map (info->model, &model, &cause);
  } else {
    model = cnn_model_ref (info->model);
  }

  CnnShape shape = { 4, { 1, m->channels, height, width } };
  if (status == CNN_OK)
    status = cnn_session_new (model, &shape, &options, &info->session, &cause);
  cnn_model_unref (model);
  return status == CNN_OK || tool_fail_cnn (error, "network", &cause);
}

/* A cell of the class map is what the network says of its window alone, unless
 * the classifier pads: at the borders of each window, the map only at those of
 * the frame. */
static void
find_equality (Info *info)
{
  const CnnModelInfo *m = info->info;
  CnnSessionOptions options = { .info_only = 1 };
  CnnShape shape = { 4,
    { 1, m->channels, m->height ? m->height : DEFAULT_HEIGHT,
        m->width ? m->width : DEFAULT_WIDTH } };
  CnnModel *map = NULL;
  CnnSession *session = NULL;
  CnnGeometry geometry;

  if (cnn_model_to_map (info->model, &map, NULL) == CNN_OK
      && cnn_session_new (map, &shape, &options, &session, NULL) == CNN_OK
      && cnn_session_geometry (session, &geometry, NULL) == CNN_OK) {
    info->has_map = TRUE;
    info->equal = !geometry.padded;
  }
  cnn_session_free (session);
  cnn_model_unref (map);
}

/* No class map is no error: then there is no pyramid to tell about. Nor is
 * there for frames that need more memory than it is worth. */
static void
open_detector (Info *info)
{
  CnnDetectorConfig config = { .width =
                                   info->width ? info->width : DEFAULT_WIDTH,
    .height = info->height ? info->height : DEFAULT_HEIGHT };

  CnnMemoryInfo memory;

  cnn_session_memory (info->session, &memory);
  if (memory.arena_bytes > MAX_PYRAMID_BYTES)
    return;
  info->frame_width = config.width;
  info->frame_height = config.height;
  if (cnn_detector_new (info->model, &config, &info->detector, NULL) != CNN_OK)
    info->detector = NULL;
}

/* Sizes after the batch; a flat answer of k counts as k x 1 x 1. */
static void
layer_output (const CnnLayerInfo *layer, gint64 chw[3])
{
  chw[0] = chw[1] = chw[2] = 1;
  for (int i = 1; i < layer->output.rank && i < 4; i++)
    chw[i - 1] = layer->output.dims[i];
}

static void
print_facts (const Info *info, const char *name)
{
  const CnnModelInfo *m = info->info;

  printf ("%s: %d x %d x %d in (%s, pixels %s), %d classes out (%s%s)\n", name,
      m->channels, m->height, m->width,
      m->format == CNN_PIXEL_GRAY8      ? "grey"
          : m->format == CNN_PIXEL_RGB8 ? "RGB"
                                        : "BGR",
      range_names[m->range], m->classes, output_names[m->output],
      m->is_map ? ", a map" : "");
  printf ("labels:");
  for (int i = 0; i < m->classes && i < 40; i++)
    printf (" %s", m->labels[i]);
  printf ("%s\n", m->classes > 40 ? " ..." : "");
  printf ("background: %s, object size %.4g of the window, threshold %.4g\n\n",
      m->background < 0 ? "none" : m->labels[m->background], m->object_size,
      m->threshold);
}

static void
pair_text (char text[32], const char *format, const int pair[2])
{
  g_snprintf (text, 32, format, pair[0], pair[1]);
}

static void
print_layer (const CnnLayerInfo *layer)
{
  char shape[160], window[32] = "-", stride[32] = "-", offset[32] = "-";

  cnn_shape_format (&layer->output, shape, sizeof shape);
  if (layer->has_geometry) {
    pair_text (window, "%dx%d", layer->geometry.window);
    pair_text (stride, "%dx%d", layer->geometry.stride);
    pair_text (offset, "%d,%d", layer->geometry.offset);
  }
  printf ("%-16s %-16s %-16s %12" G_GUINT64_FORMAT " %14" G_GUINT64_FORMAT
          " %9s %7s %7s%s\n",
      layer->name, layer->op, shape, layer->parameters, layer->macs, window,
      stride, offset,
      layer->has_geometry && layer->geometry.padded ? " padded" : "");
}

static void
sum_layers (const CnnSession *session, CnnLayerInfo *sum)
{
  *sum = (CnnLayerInfo){ 0 };
  for (int i = 0; i < cnn_session_n_layers (session); i++) {
    CnnLayerInfo layer;

    cnn_session_layer (session, i, &layer);
    sum->parameters += layer.parameters;
    sum->links += layer.links;
    sum->macs += layer.macs;
  }
}

static void
print_layers (const Info *info)
{
  CnnLayerInfo sum;

  printf ("%-16s %-16s %-16s %12s %14s %9s %7s %7s\n", "name", "operator",
      "output", "parameters", "MACs", "window", "stride", "offset");
  for (int i = 0; i < cnn_session_n_layers (info->session); i++) {
    CnnLayerInfo layer;

    cnn_session_layer (info->session, i, &layer);
    print_layer (&layer);
  }
  sum_layers (info->session, &sum);
  printf ("%-16s %-16s %-16s %12" G_GUINT64_FORMAT " %14" G_GUINT64_FORMAT
          "\n\n",
      "total", "", "", sum.parameters, sum.macs);
}

static void
print_equality (const Info *info)
{
  if (!info->has_map)
    printf ("window equality: there is no class map\n");
  else
    printf ("window equality: %s\n",
        info->equal ? "yes, a cell of the class map is the answer to its window"
                    : "no, windows are padded, in the class map only the frame "
                      "is");
}

static void
print_memory (const Info *info)
{
  CnnMemoryInfo memory;

  cnn_session_memory (info->session, &memory);
  printf ("memory: %.1f KiB planned (%.1f if nothing were shared, %.1f alive "
          "at once), weights %.1f KiB\n",
      (double) memory.arena_bytes / 1024, (double) memory.sum_bytes / 1024,
      (double) memory.live_bytes / 1024, (double) memory.weight_bytes / 1024);
}

static void
print_pyramid (const Info *info)
{
  int levels = info->detector ? cnn_detector_n_levels (info->detector) : 0;

  if (!info->detector)
    return;
  printf ("pyramid at %dx%d: %d levels, %.1f million MACs\n", info->frame_width,
      info->frame_height, levels,
      (double) cnn_detector_macs (info->detector) * 1e-6);
  for (int i = 0; i < levels; i++) {
    CnnMap map;

    cnn_detector_map (info->detector, i, &map);
    printf ("  level %-2d %4.0f x %-4.0f pixels, %4d x %-4d cells, objects "
            "of %.0f px\n",
        i, info->frame_width / map.scale_x, info->frame_height / map.scale_y,
        map.width, map.height,
        info->info->object_size * map.geometry.window[0] * map.scale_y);
  }
}

static void
build_geometry (JsonBuilder *b, const CnnLayerInfo *layer)
{
  static const char *const names[] = { "window", "stride", "offset" };

  if (layer->has_geometry) {
    tool_json_pair (b, "window", layer->geometry.window);
    tool_json_pair (b, "stride", layer->geometry.stride);
    tool_json_pair (b, "offset", layer->geometry.offset);
  } else {
    for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
      json_builder_set_member_name (b, names[i]);
      json_builder_add_null_value (b);
    }
  }
  json_builder_set_member_name (b, "padded");
  json_builder_add_boolean_value (b,
      layer->has_geometry && layer->geometry.padded);
}

static void
build_layers (JsonBuilder *b, const Info *info)
{
  json_builder_set_member_name (b, "layers");
  json_builder_begin_array (b);
  for (int i = 0; i < cnn_session_n_layers (info->session); i++) {
    CnnLayerInfo layer;
    gint64 chw[3];

    cnn_session_layer (info->session, i, &layer);
    layer_output (&layer, chw);
    json_builder_begin_object (b);
    tool_json_string (b, "name", layer.name);
    tool_json_string (b, "op", layer.op);
    json_builder_set_member_name (b, "output");
    json_builder_begin_array (b);
    for (int k = 0; k < 3; k++)
      json_builder_add_int_value (b, chw[k]);
    json_builder_end_array (b);
    tool_json_int (b, "parameters", layer.parameters);
    tool_json_int (b, "links", layer.links);
    tool_json_int (b, "macs", layer.macs);
    build_geometry (b, &layer);
    json_builder_end_object (b);
  }
  json_builder_end_array (b);
}

static void
build_model (JsonBuilder *b, const CnnModelInfo *m)
{
  const int sides[2] = { m->height, m->width };

  json_builder_set_member_name (b, "model");
  json_builder_begin_object (b);
  tool_json_int (b, "channels", (guint64) m->channels);
  tool_json_pair (b, "size", sides);
  tool_json_string (b, "range", range_names[m->range]);
  tool_json_string (b, "output", output_names[m->output]);
  json_builder_set_member_name (b, "labels");
  json_builder_begin_array (b);
  for (int i = 0; i < m->classes; i++)
    json_builder_add_string_value (b, m->labels[i]);
  json_builder_end_array (b);
  json_builder_set_member_name (b, "background");
  json_builder_add_int_value (b, m->background);
  tool_json_double (b, "object_size", m->object_size);
  tool_json_double (b, "threshold", m->threshold);
  json_builder_end_object (b);
}

static void
build_memory (JsonBuilder *b, const Info *info)
{
  CnnMemoryInfo memory;

  cnn_session_memory (info->session, &memory);
  json_builder_set_member_name (b, "memory");
  json_builder_begin_object (b);
  tool_json_int (b, "arena_bytes", memory.arena_bytes);
  tool_json_int (b, "sum_bytes", memory.sum_bytes);
  tool_json_int (b, "live_bytes", memory.live_bytes);
  tool_json_int (b, "weight_bytes", memory.weight_bytes);
  json_builder_end_object (b);
}

static void
build_pyramid (JsonBuilder *b, const Info *info)
{
  if (!info->detector)
    return;
  json_builder_set_member_name (b, "pyramid");
  json_builder_begin_object (b);
  tool_json_int (b, "width", (guint64) info->frame_width);
  tool_json_int (b, "height", (guint64) info->frame_height);
  tool_json_int (b, "macs", cnn_detector_macs (info->detector));
  json_builder_set_member_name (b, "levels");
  json_builder_begin_array (b);
  for (int i = 0; i < cnn_detector_n_levels (info->detector); i++) {
    CnnMap map;

    cnn_detector_map (info->detector, i, &map);
    const int cells[2] = { map.height, map.width };
    json_builder_begin_object (b);
    tool_json_double (b, "scale", map.scale_y);
    tool_json_pair (b, "cells", cells);
    json_builder_end_object (b);
  }
  json_builder_end_array (b);
  json_builder_end_object (b);
}

static void
print_json (const Info *info)
{
  JsonBuilder *b = json_builder_new ();
  CnnLayerInfo sum;

  sum_layers (info->session, &sum);
  json_builder_begin_object (b);
  build_layers (b, info);
  tool_json_int (b, "parameters", sum.parameters);
  tool_json_int (b, "links", sum.links);
  tool_json_int (b, "macs", sum.macs);
  build_model (b, info->info);
  if (info->has_map) {
    json_builder_set_member_name (b, "window_equality");
    json_builder_add_boolean_value (b, info->equal);
  }
  build_memory (b, info);
  build_pyramid (b, info);
  json_builder_end_object (b);
  tool_json_print (b);
}

static gboolean
show (Info *info, const char *name, GError **error)
{
  info->model = tool_model_load (name, error);
  if (!info->model)
    return FALSE;
  info->info = cnn_model_info (info->model);
  if (!open_session (info, error)) {
    g_prefix_error (error, "%s: ", name);
    return FALSE;
  }
  if (info->filters && !tool_filters_write (info->model, info->filters, error))
    return FALSE;
  find_equality (info);
  open_detector (info);
  if (info->json) {
    print_json (info);
    return TRUE;
  }
  print_facts (info, name);
  print_layers (info);
  print_equality (info);
  print_memory (info);
  print_pyramid (info);
  return TRUE;
}

gboolean
tool_info (int argc, char **argv, GError **error)
{
  Info info = { 0 };
  char **args = NULL;
  GOptionEntry entries[] = { { "size", 's', 0, G_OPTION_ARG_STRING, &info.size,
                                 "Size of the picture, in pixels", "WxH" },
    { "filters", 0, 0, G_OPTION_ARG_FILENAME, &info.filters,
        "Write the filters of the first convolution as PNG", "FILE" },
    { "json", 'j', 0, G_OPTION_ARG_NONE, &info.json, "Print JSON", NULL },
    G_OPTION_ENTRY_NULL };
  gboolean ok = tool_parse_options (&usage, entries, argc, argv, &args, error)
      && (!info.size
          || tool_parse_frame (info.size, &info.width, &info.height, error))
      && show (&info, args[0], error);

  cnn_detector_free (info.detector);
  cnn_session_free (info.session);
  cnn_model_unref (info.model);
  g_strfreev (args);
  g_free (info.size);
  g_free (info.filters);
  return ok;
}
