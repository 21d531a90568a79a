/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* incremental.h: running a session again where its input has changed. */

#ifndef CNN_GRAPH_INCREMENTAL_H
#define CNN_GRAPH_INCREMENTAL_H

#include "graph/nodes.h"
#include "tensor/regions.h"

/** How a node is computed again. */
typedef enum
{
  CNN_REDO_WHOLE,  /* all of it */
  CNN_REDO_REGION, /* forward() with a region */
  CNN_REDO_CELLS   /* forward() on copies of pieces of the maps */
} CnnRedo;

/**
 * CnnRedoNode:
 * @look: for CNN_REDO_REGION: how cells look back on input 0
 * @crops: for CNN_REDO_CELLS: cnn_redo_scratch_bytes() of memory
 */
typedef struct
{
  CnnRedo how;
  CnnOpGeometry look;
  char *crops;
} CnnRedoNode;

/**
 * CnnChange:
 * What is not as it was in the run before: @all of a value, or @regions of its
 * last two axes.
 */
typedef struct
{
  bool all;
  CnnRegions regions;
} CnnChange;

/** cnn_redo_plan: how node @node of @graph can be computed again. @tensors as
 * from cnn_graph_infer(). */
CnnRedoNode cnn_redo_plan (const CnnNode *node, const CnnTensor *tensors);

/** cnn_redo_scratch_bytes: memory for CNN_REDO_CELLS, 0 for the others. */
size_t cnn_redo_scratch_bytes (const CnnNode *node, const CnnRedoNode *redo,
    const CnnTensor *tensors);

/**
 * cnn_redo_run:
 * @call: as it runs
 * @changes: of all values; of @node's inputs they are known, those of its
 *   outputs are written
 *
 * Computes what follows from the changes of the inputs: the outputs are as
 * after a run of everything.
 */
void cnn_redo_run (const CnnNode *node, const CnnRedoNode *redo,
    const CnnOpCall *call, CnnChange *changes);

/** cnn_session_changes: Returns: what was new of output 0 after the last run,
 * which was incremental or of everything; borrowed. */
const CnnChange *cnn_session_changes (const CnnSession *session);

#endif
