/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reproduce-scenes.h: a detector's scores on scenes that are made for it. */

#ifndef TOOL_REPRODUCE_SCENES_H
#define TOOL_REPRODUCE_SCENES_H

#include "tool.h"

/**
 * tool_reproduce_scenes:
 * @model: file of a detector
 * @data: folder that holds mnist/ and backgrounds/
 * @folder: where scenes are made; those that are there already are used
 * @count: pictures of each kind
 * @table: gets a row for each kind
 */
gboolean tool_reproduce_scenes (const char *model, const char *name,
    const char *data, const char *folder, int count, GString *table,
    GError **error);

#endif
