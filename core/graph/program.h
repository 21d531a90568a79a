/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* program.h: the inside of a model, for sessions, writer, trainer. */

#ifndef CNN_GRAPH_PROGRAM_H
#define CNN_GRAPH_PROGRAM_H

#include <cnn/model.h>

#include "graph/nodes.h"

/** cnn_model_graph: Returns: its checked, sorted graph, borrowed. Constants
 * (weights) are values with tensor.data set. */
const CnnGraph *cnn_model_graph (const CnnModel *model);

/** cnn_model_written: Returns: the same for writing to a file: quantised
 * constants are bytes behind a DequantizeLinear. */
const CnnGraph *cnn_model_written (const CnnModel *model);

/** cnn_model_program: Returns: the same network as it runs, operators fused. */
const CnnGraph *cnn_model_program (const CnnModel *model);

/**
 * cnn_model_pack:
 * @node: of the program
 * @variant: what it runs as
 * @in: its inputs, with data for constants only
 * @packed: (out) (nullable): its weights as the kernels want them, or NULL if
 *   it has nothing to pack; lives as long as the model
 *
 * Weights are packed when a session asks for them first: models that only
 * inform, or are rewritten, do without. Threads: any.
 */
CnnStatus cnn_model_pack (CnnModel *model, int node, int variant,
    const CnnTensor *const *in, const void **packed, CnnError *error);

/** cnn_model_weight_bytes: Returns: constants and their packed copies. */
size_t cnn_model_weight_bytes (const CnnModel *model);

/** CnnRewrite: makes a graph of another. @rewritten: (out) (transfer full). */
typedef CnnStatus (*CnnRewrite) (const CnnGraph *graph, int argument,
    CnnGraph **rewritten, CnnError *error);

/**
 * cnn_model_rewrite:
 * @argument: for @rewrite
 * @rewritten: (out) (transfer full): the model of the graph that @rewrite makes;
 *   another call for the same has the same model
 *
 * It lives as long as @model at least, so that detectors which come and go
 * rewrite and pack once. Threads: any.
 */
CnnStatus cnn_model_rewrite (CnnModel *model, CnnRewrite rewrite, int argument,
    CnnModel **rewritten, CnnError *error);

/** cnn_model_to_probabilities: a map whose output holds logits or their log
 * softmax gets a Softmax over the classes behind it. @probabilities: (out)
 * (transfer full): @map itself, with a new reference, if there is nothing to
 * do. */
CnnStatus cnn_model_to_probabilities (CnnModel *map, CnnModel **probabilities,
    CnnError *error);

#endif
