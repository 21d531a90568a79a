/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* json.c: what all JSON output of the program is made with. */

#include "json.h"

#include <stdio.h>

void
tool_json_int (JsonBuilder *builder, const char *name, gint64 value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, value);
}

void
tool_json_double (JsonBuilder *builder, const char *name, double value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_double_value (builder, value);
}

void
tool_json_string (JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_string_value (builder, value);
}

void
tool_json_pair (JsonBuilder *builder, const char *name, const int pair[2])
{
  json_builder_set_member_name (builder, name);
  json_builder_begin_array (builder);
  json_builder_add_int_value (builder, pair[0]);
  json_builder_add_int_value (builder, pair[1]);
  json_builder_end_array (builder);
}

void
tool_json_print (JsonBuilder *builder)
{
  JsonNode *root = json_builder_get_root (builder);
  char *text = json_to_string (root, FALSE);

  puts (text);
  g_free (text);
  json_node_unref (root);
  g_object_unref (builder);
}
