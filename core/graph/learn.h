/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* learn.h: sessions that learn, for core/train only.
 *
 * The first operators of a network, convolutions and pools, take a minibatch in
 * chunks, each of which goes through all of them while it is cached; chunks are
 * shared out to threads, and their gradients by weights stand in rows of their
 * own. From the first dense layer on, operators take the whole minibatch:
 * weights are then read once for all. Where a network is cut does not depend on
 * the number of threads. */

#ifndef CNN_GRAPH_LEARN_H
#define CNN_GRAPH_LEARN_H

#include <cnn/session.h>

#include "graph/program.h"

/** CNN_LEARN_CHUNK: samples of a chunk: the kernels' widest vector. */
#define CNN_LEARN_CHUNK 16

/**
 * CnnLearn:
 * @weights: for each value of the model's program the data that stands in for
 *   the constant's, or NULL = the model's own. Borrowed; may change between
 *   runs
 * @learned: for each value whether a gradient is wanted for it
 */
typedef struct
{
  float *const *weights;
  const unsigned char *learned;
} CnnLearn;

/**
 * cnn_session_new_learning:
 * @input: n c h w of a minibatch
 * @pool: (nullable): threads to use, borrowed
 *
 * A session that keeps every activation and has room for every gradient.
 *
 * Errors: as cnn_session_new(); CNN_ERROR_UNSUPPORTED naming an operator
 * between a learned value and an output that has no backward().
 */
CnnStatus cnn_session_new_learning (CnnModel *model, const CnnShape *input,
    const CnnLearn *learn, CnnPool *pool, CnnSession **session,
    CnnError *error);

/** cnn_session_learn_chunks: Returns: chunks of a minibatch. */
int cnn_session_learn_chunks (const CnnSession *session);

/** cnn_session_learn_rows: Returns: how many gradients by @value, a learned
 * one, there are: one for each chunk, or one for all. */
int cnn_session_learn_rows (const CnnSession *session, int value);

/** cnn_session_learn_forward: as cnn_session_run(), with Dropout dropping
 * as @seed says. */
void cnn_session_learn_forward (CnnSession *session, uint64_t seed);

/** cnn_session_output_grad: Returns: where the caller writes the gradient of
 * the loss by output @i, before cnn_session_learn_backward(); its type is
 * CNN_TYPE_NONE if nothing that is learned leads there. */
CnnTensor *cnn_session_output_grad (CnnSession *session, int i);

/**
 * cnn_session_learn_backward:
 * @grads: for each chunk, for each value with learned set, where its gradient
 *   (its own shape) is written; other entries, and those beyond
 *   cnn_session_learn_rows(), are not read
 *
 * After cnn_session_learn_forward() with the same seed.
 */
void cnn_session_learn_backward (CnnSession *session, uint64_t seed,
    float *const *const *grads);

#endif
