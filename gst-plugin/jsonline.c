/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* jsonline.c: the fields and their order are those of docs/formats.md.
 *
 * Strings are quoted and tags are read by json-glib. Numbers are written here,
 * because its generator prints 0.98 as 0.97999999999999998. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "jsonline.h"

#include <json-glib/json-glib.h>

#include "meta.h"

static void
append_string (GString *out, const gchar *name, const gchar *value)
{
  JsonNode *node = json_node_init_string (json_node_alloc (), value);
  gchar *quoted = json_to_string (node, FALSE);

  g_string_append_printf (out, "\"%s\":%s", name, quoted);
  g_free (quoted);
  json_node_unref (node);
}

static void
append_number (GString *out, const gchar *name, gdouble value)
{
  gchar text[G_ASCII_DTOSTR_BUF_SIZE];

  g_ascii_formatd (text, sizeof text, "%.6g", value);
  g_string_append_printf (out, "\"%s\":%s", name, text);
}

static void
append_detection (GString *out, const GstConvnetObject *object)
{
  g_string_append (out, ",\"detection\":{");
  append_string (out, "label", object->label);
  g_string_append_printf (out, ",\"label_id\":%d,", object->label_id);
  append_number (out, "confidence", object->confidence);
  g_string_append (out, ",\"bounding_box\":{");
  append_number (out, "x_min", object->x_min);
  g_string_append_c (out, ',');
  append_number (out, "y_min", object->y_min);
  g_string_append_c (out, ',');
  append_number (out, "x_max", object->x_max);
  g_string_append_c (out, ',');
  append_number (out, "y_max", object->y_max);
  g_string_append (out, "}}");
}

static void
append_object (GString *out, const GstConvnetObject *object)
{
  g_string_append_printf (out, "{\"x\":%d,\"y\":%d,\"w\":%d,\"h\":%d,",
      object->x, object->y, object->width, object->height);
  append_string (out, "roi_type", object->region_type);
  if (object->label)
    append_detection (out, object);
  g_string_append_c (out, '}');
}

GString *
gst_convnet_json_line (const GstConvnetJsonLine *line, GstBuffer *buffer,
    guint *objects)
{
  GString *out = g_string_new ("{");
  GstConvnetObject object;
  gpointer state = NULL;

  if (line->source) {
    append_string (out, "source", line->source);
    g_string_append_c (out, ',');
  }
  if (GST_BUFFER_PTS_IS_VALID (buffer))
    g_string_append_printf (out, "\"timestamp\":%" G_GUINT64_FORMAT ",",
        GST_BUFFER_PTS (buffer));
  g_string_append_printf (out,
      "\"resolution\":{\"width\":%d,\"height\":%d},\"objects\":[", line->width,
      line->height);

  *objects = 0;
  while (gst_convnet_meta_next_object (buffer, &state, line->all_regions,
      line->width, line->height, &object)) {
    if ((*objects)++ > 0)
      g_string_append_c (out, ',');
    append_object (out, &object);
  }
  g_string_append_c (out, ']');
  if (line->tags)
    g_string_append_printf (out, ",\"tags\":%s", line->tags);
  g_string_append (out, "}\n");
  return out;
}

gchar *
gst_convnet_json_check_object (const gchar *text, GError **error)
{
  JsonNode *node = json_from_string (text, error);
  gchar *compact = NULL;

  if (node && JSON_NODE_HOLDS_OBJECT (node))
    compact = json_to_string (node, FALSE);
  else if (!error || !*error)
    g_set_error (error, JSON_PARSER_ERROR, JSON_PARSER_ERROR_INVALID_DATA,
        "it is no JSON object");
  g_clear_pointer (&node, json_node_unref);
  return compact;
}
