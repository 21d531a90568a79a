/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* compile.h: the inside of a session, for session.c and learn.c only. */

#ifndef CNN_GRAPH_COMPILE_H
#define CNN_GRAPH_COMPILE_H

#include "graph/chunks.h"
#include "graph/incremental.h"
#include "graph/infer.h"
#include "graph/learn.h"
#include "graph/program.h"

/**
 * CnnSession:
 * @learner: @graph, if it learns: a copy of the model's, fused
 * @graph: what runs: the model's program, or its graph as given if it only
 *   informs
 * @tensors: one a value, data in the arena or the model
 * @known: memory of what is known before the session runs
 * @todo: the @n_todo nodes that do have to run, in order
 * @calls: one a node, ready to run; @ins and @outs are the arrays they point
 *   to
 * @arena: activations and scratch; NULL if it only informs
 * @own_arena: what @arena is part of, unless that was given
 * @kept: outputs, where others may use @arena between two runs; all values, if
 *   it is incremental
 * @redo: (nullable): one a node, if it may run where the input has changed;
 *   @changes: one a value. @has_run: all activations are there. @changed: of
 *   output 0
 * @learn: what it learns, if it does. @chunks: (nullable): how, with @pool
 * @grads: gradient of each value that matters, data NULL elsewhere
 */
struct CnnSession
{
  CnnModel *model;
  const CnnGraph *graph;
  CnnGraph *learner;
  CnnTensor *tensors;
  CnnPlace *places;
  CnnKnown known;
  int *todo;
  size_t n_todo;
  CnnOpCall *calls;
  const CnnTensor **ins;
  CnnTensor **outs;
  char *arena;
  CnnArena *own_arena;
  char *kept;
  CnnMemoryInfo memory;

  CnnRedoNode *redo;
  CnnChange *changes, changed;
  bool has_run;

  CnnLearn learn;
  CnnChunks *chunks;
  CnnPool *pool;
  CnnTensor *grads;
};

/** What cnn_session_compile() is to make: a session that runs, one that only
 * informs, or one that learns (@learn set). */
typedef struct
{
  const CnnTensor *inputs;
  int n_inputs;
  CnnPool *pool;
  CnnArena *arena;
  CnnPrecision precision;
  bool info_only, incremental;
  const CnnLearn *learn;
} CnnCompile;

/** cnn_session_compile: plans memory and fills in the calls. */
CnnStatus cnn_session_compile (CnnModel *model, const CnnCompile *how,
    CnnSession **session, CnnError *error);

/** cnn_session_mark_grads: which values of @graph lie between a learned one
 * and output 0. @wanted: (out): one a value. Errors: CNN_ERROR_UNSUPPORTED
 * naming an operator without backward(). */
CnnStatus cnn_session_mark_grads (const CnnGraph *graph, const CnnLearn *learn,
    bool *wanted, CnnError *error);

#endif
