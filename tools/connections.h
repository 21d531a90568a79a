/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* connections.h: which maps see which, and codes for the answers: the tables
 * of the first convolutional networks. */

#ifndef TOOL_CONNECTIONS_H
#define TOOL_CONNECTIONS_H

#include <glib.h>

#define TOOL_TABLE_MAPS  16

#define TOOL_CODE_WIDTH  7
#define TOOL_CODE_HEIGHT 12
#define TOOL_CODE_BITS   (TOOL_CODE_WIDTH * TOOL_CODE_HEIGHT)

/**
 * ToolTable:
 * @name: in recipes, `table-NAME`
 * @in, @out: maps
 * @sees: bit i of entry o: map o sees map i
 */
typedef struct _ToolTable
{
  const char *name;
  int in, out;
  guint32 sees[TOOL_TABLE_MAPS];
} ToolTable;

/** tool_table_find: Returns: (nullable): the table that a recipe calls
 * @name. */
const ToolTable *tool_table_find (const char *name);

/** tool_code: Returns: for digit 0 to 9 a picture of TOOL_CODE_HEIGHT rows,
 * TOOL_CODE_WIDTH letters each: '#' is ink, '.' paper. */
const char *tool_code (int digit);

#endif
