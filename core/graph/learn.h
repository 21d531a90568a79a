/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* learn.h: sessions that learn, for core/train only. */

#ifndef CNN_GRAPH_LEARN_H
#define CNN_GRAPH_LEARN_H

#include <cnn/session.h>

#include "graph/program.h"

/**
 * CnnLearn:
 * @weights: for each value of the model's graph the data that stands in for
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
 * @input: n c h w of the pictures of one run
 *
 * A session that keeps every activation and has room for every gradient.
 * Weights are packed anew in each run.
 *
 * Errors: as cnn_session_new(); CNN_ERROR_UNSUPPORTED naming an operator
 * between a learned value and output 0 that has no backward().
 */
CnnStatus cnn_session_new_learning (CnnModel *model, const CnnShape *input,
    const CnnLearn *learn, CnnSession **session, CnnError *error);

/** cnn_session_learn_forward: as cnn_session_run(), with Dropout dropping
 * as @seed says. */
void cnn_session_learn_forward (CnnSession *session, uint64_t seed);

/** cnn_session_output_grad: Returns: where the caller writes the gradient of
 * the loss by output 0, before cnn_session_learn_backward(). */
CnnTensor *cnn_session_output_grad (CnnSession *session);

/**
 * cnn_session_learn_backward:
 * @grads: for each value with learned set, where its gradient (its own shape)
 *   is ADDED; other entries are not read
 *
 * After cnn_session_learn_forward() with the same seed.
 */
void cnn_session_learn_backward (CnnSession *session, uint64_t seed,
    float *const *grads);

#endif
