/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* metadata.h: what a model's metadata says, read and checked once. */

#ifndef CNN_GRAPH_METADATA_H
#define CNN_GRAPH_METADATA_H

#include "graph/nodes.h"

#include <cnn/model.h>

/**
 * cnn_info_read:
 * @graph: sorted, with declared shapes inferred
 * @info: (out): release with cnn_info_clear()
 *
 * Errors: CNN_ERROR_FORMAT for a value that its key does not allow.
 */
CnnStatus
cnn_info_read (const CnnGraph *graph, CnnModelInfo *info, CnnError *error);

/** cnn_info_clear: frees the labels. */
void cnn_info_clear (CnnModelInfo *info);

#endif
