/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* chunks.h: which part of a network learns from a minibatch in chunks, for
 * compile.c, session.c and learn.c only. */

#ifndef CNN_GRAPH_CHUNKS_H
#define CNN_GRAPH_CHUNKS_H

#include "graph/learn.h"
#include "graph/nodes.h"

/**
 * CnnChunks:
 * @batch: samples of a minibatch
 * @count: chunks of it
 * @n_nodes: so many nodes of a session's todo, from the first on, take chunks
 * @sampled: whether a value has a part for each sample, and comes from them
 * @whole: whether a constant is read by other nodes only
 * @kept_bytes: for each node, what it keeps of a chunk
 * @scratch_bytes: of the one that needs most
 * @scratch: so much for each of @n_workers threads
 * @touched: for the whole minibatch and for each thread: which of @n_values
 *   gradients have been written to
 */
typedef struct
{
  int batch, count;
  size_t n_nodes, n_values;
  bool *sampled, *whole;
  size_t *kept_bytes, scratch_bytes;
  char *scratch;
  int n_workers;
  bool *touched;
} CnnChunks;

/** What cnn_chunks_new() cuts: a session's @graph with @tensors, of which the
 * @n_todo nodes @todo run, with @pool. */
typedef struct
{
  const CnnGraph *graph;
  const CnnTensor *tensors;
  const int *todo;
  size_t n_todo;
  const CnnPool *pool;
} CnnChunkPlan;

CnnStatus
cnn_chunks_new (const CnnChunkPlan *plan, CnnChunks **chunks, CnnError *error);
void cnn_chunks_free (CnnChunks *chunks);

/** cnn_chunks_samples: Returns: samples of chunk @i. */
int cnn_chunks_samples (const CnnChunks *chunks, int i);

/** cnn_chunks_view: @tensor of value @v as chunk @i, or all if it is negative,
 * sees it. */
CnnTensor cnn_chunks_view (const CnnChunks *chunks, const CnnTensor *tensor,
    int v, int i);

#endif
