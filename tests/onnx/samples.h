/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* samples.h: random small networks, for round trips and for comparing with
 * another implementation. */

#ifndef TESTS_ONNX_SAMPLES_H
#define TESTS_ONNX_SAMPLES_H

#include <glib.h>

#include <cnn/model.h>

/**
 * sample_graph:
 * @seed: the same network and weights for the same number
 *
 * A LeNet: one to three blocks of convolution, batch normalisation,
 * activation, arithmetic with constants, pooling; then dense layers; then
 * perhaps a softmax. With metadata. A few seeds in a row use every operator.
 *
 * Returns: (transfer full): a graph for cnn_model_new().
 */
CnnGraph *sample_graph (guint32 seed);

/** sample_model: Returns: (transfer full): the model of sample_graph(). */
CnnModel *sample_model (guint32 seed);

/** sample_bytes: Returns: (transfer full): cnn_onnx_write() of @model. */
GBytes *sample_bytes (const CnnModel *model);

/** sample_picture: fills @count floats with numbers in -1..1. */
void sample_picture (guint32 seed, float *elements, gsize count);

#endif
