/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* json.h: members of JSON objects, a call each. */

#ifndef TOOL_JSON_H
#define TOOL_JSON_H

#include <json-glib/json-glib.h>

void tool_json_int (JsonBuilder *builder, const char *name, gint64 value);
void tool_json_double (JsonBuilder *builder, const char *name, double value);
void
tool_json_string (JsonBuilder *builder, const char *name, const char *value);

/** tool_json_pair: an array of two. */
void tool_json_pair (JsonBuilder *builder, const char *name, const int pair[2]);

/** tool_json_print: the finished object as one line on stdout.
 * @builder: (transfer full) */
void tool_json_print (JsonBuilder *builder);

#endif
