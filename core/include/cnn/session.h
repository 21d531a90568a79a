/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* session.h: a model compiled for one input size, and its geometry.
 *
 * Making a session plans the memory and chooses kernels; running it neither
 * allocates nor fails. */

#ifndef CNN_SESSION_H
#define CNN_SESSION_H

#include <cnn/model.h>
#include <cnn/pool.h>
#include <cnn/region.h>

CNN_BEGIN_DECLS

typedef struct CnnSession CnnSession;
typedef struct CnnArena CnnArena;

/** CNN_MAX_ARENA_BYTES: a session that would need more memory is refused. */
#define CNN_MAX_ARENA_BYTES ((size_t) 8 << 30)

/**
 * cnn_arena_new:
 * @arena: (out) (transfer full): free with cnn_arena_free(), after all sessions
 *   that use it
 *
 * Memory that sessions share which never run at the same time: as much as the
 * largest of them needs, if that is made first.
 *
 * Threads: one at a time, of all calls that concern its sessions.
 */
CNN_API CnnStatus cnn_arena_new (CnnArena **arena);

/** cnn_arena_free: @arena: (nullable) */
CNN_API void cnn_arena_free (CnnArena *arena);

/**
 * CnnPrecision:
 * @CNN_PRECISION_FAST: convolutions may be computed by Winograd's algorithms,
 *   where that is faster, within the bound of docs/winograd.md
 * @CNN_PRECISION_EXACT: every sum is of the products that the definition names
 */
typedef enum
{
  CNN_PRECISION_FAST,
  CNN_PRECISION_EXACT
} CnnPrecision;

/**
 * CnnSessionOptions:
 * @pool: (nullable): threads to use, borrowed, must outlive the session; NULL
 *   = the calling thread
 * @arena: (nullable): memory to use, borrowed, must outlive the session; NULL =
 *   its own. With it, running another session of the arena overwrites the
 *   inputs of this one; its outputs stay until it runs again
 * @precision: how convolutions may round
 * @info_only: 1 = shapes, geometry and memory plan only: no arena, can't run
 * @incremental: 1 = for cnn_session_run_changed(): every activation has memory
 *   of its own (CnnMemoryInfo.sum_bytes, several times what is needed else)
 *
 * {0} is a sane default.
 */
typedef struct
{
  CnnPool *pool;
  CnnArena *arena;
  CnnPrecision precision;
  int info_only;
  int incremental;
} CnnSessionOptions;

/**
 * CnnGeometry:
 * @window: size of the input region that one cell sees (receptive field)
 * @stride: distance of the regions of neighbouring cells
 * @offset: where the region of cell 0 begins; negative with padding
 * @padded: 1 if cells at the border have seen padding
 * @clean_begin: @clean_end: cells (i, j) with clean_begin[0] <= i <
 *   clean_end[0], and j alike, have not
 *
 * Pixels of the input, [0] vertical, [1] horizontal. Cell (i, j) looks at
 * y = offset[0] + i*stride[0] ... + window[0] - 1, and x alike. Where a network
 * makes its maps larger again, window is what the cell sees at most.
 */
typedef struct
{
  int window[2], stride[2], offset[2];
  int padded;
  int clean_begin[2], clean_end[2];
} CnnGeometry;

/**
 * CnnLayerInfo:
 * @name: name of the node; its output's name if it has none
 * @op: ONNX's name of the operator
 * @output: shape of its first output
 * @parameters: elements of constants that it trains (weights, biases)
 * @links: multiply-adds plus biases, the "connections" of the early papers;
 *   of an average pool, the cells that its cells see
 * @macs: multiply-accumulates
 * @has_geometry: 0 where cells have no place in the picture (after Flatten)
 * @geometry: of its output with respect to the network's input
 *
 * Pointers live as long as the session.
 */
typedef struct
{
  const char *name;
  const char *op;
  CnnShape output;
  uint64_t parameters, links, macs;
  int has_geometry;
  CnnGeometry geometry;
} CnnLayerInfo;

/**
 * cnn_session_new:
 * @model: a new reference is taken
 * @input: shape of the only input, n c h w, all sizes fixed; its type is the
 *   model's, float32 for class maps
 * @options: (nullable)
 * @session: (out) (transfer full): free with cnn_session_free()
 *
 * Errors: CNN_ERROR_SHAPE naming the node for which the input is too small or
 * does not fit; CNN_ERROR_MEMORY beyond CNN_MAX_ARENA_BYTES.
 */
CNN_API CnnStatus cnn_session_new (CnnModel *model, const CnnShape *input,
    const CnnSessionOptions *options, CnnSession **session, CnnError *error);

/**
 * cnn_session_new_with_inputs:
 * @inputs: @n_inputs tensors, one for each input of the model: type and shape;
 *   where data is set, it is copied, and the input's value for the life of the
 *   session: shapes may depend on it
 *
 * As cnn_session_new(), for networks that take other things than one picture.
 *
 * Errors: CNN_ERROR_SHAPE also for a wrong type, and for a size that depends on
 * a value which is not given.
 */
CNN_API CnnStatus cnn_session_new_with_inputs (CnnModel *model,
    const CnnTensor *inputs, int n_inputs, const CnnSessionOptions *options,
    CnnSession **session, CnnError *error);

/** cnn_session_free: @session: (nullable) */
CNN_API void cnn_session_free (CnnSession *session);

/** cnn_session_n_inputs: Returns: inputs of the model. */
CNN_API int cnn_session_n_inputs (const CnnSession *session);

/**
 * cnn_session_input:
 * Returns: input @i, in the session's own memory (64-byte aligned); the caller
 * writes the picture there before each run, unless its value was given.
 */
CNN_API CnnTensor *cnn_session_input (CnnSession *session, int i);

/** cnn_session_n_outputs: Returns: outputs of the model, at least 1. */
CNN_API int cnn_session_n_outputs (const CnnSession *session);

/**
 * cnn_session_output:
 * Returns: output @i, in the session's own memory, valid until the next run.
 */
CNN_API const CnnTensor *cnn_session_output (const CnnSession *session, int i);

/**
 * cnn_session_run:
 *
 * Cost: the MACs of the layers. Neither allocates nor fails.
 *
 * Threads: one run of a session at a time; sessions of one model run side by
 * side. Results do not depend on the number of threads.
 */
CNN_API void cnn_session_run (CnnSession *session);

/**
 * cnn_session_run_changed:
 * @changed: @n_changed rectangles of input 0, which may overlap or reach over
 *   its edges: nothing outside of them has been written since the last run
 *
 * As cnn_session_run(), with the same result to the bit, for the second run on
 * of an incremental session: computes only what follows from the rectangles.
 * All of a layer is computed where its operator can't do less, or where it is
 * no faster. Inputs after the first count as changed. Other sessions, and the
 * first run, compute everything.
 *
 * Cost: the MACs of the cells that see a changed pixel. Neither allocates nor
 * fails. Threads: as cnn_session_run().
 */
CNN_API void cnn_session_run_changed (CnnSession *session,
    const CnnRegion *changed, int n_changed);

/**
 * cnn_session_run_watched:
 * @watch: is called after each layer with @data and the layer's number
 *
 * As cnn_session_run(), for measuring: layers whose result is known beforehand
 * do not run and are not reported.
 */
CNN_API void cnn_session_run_watched (CnnSession *session,
    void (*watch) (void *data, int layer), void *data);

/**
 * cnn_peak_flops:
 * @rounds: how long to compute; 10000 takes some 0.1 ms
 *
 * Keeps one thread's multipliers and adders busy with nothing else: what layers
 * are measured against.
 *
 * Returns: floating point operations that were done.
 */
CNN_API double cnn_peak_flops (long rounds);

/** cnn_session_n_layers: Returns: nodes in the order in which they run, those
 * whose result is known beforehand included. */
CNN_API int cnn_session_n_layers (const CnnSession *session);

/** cnn_session_layer: @info: (out): facts about layer @i, from 0. */
CNN_API void
cnn_session_layer (const CnnSession *session, int i, CnnLayerInfo *info);

/**
 * cnn_session_layer_output:
 * Returns: (nullable): layer @i's first output after a run, in the session's
 * own memory; what is there is the layer's if nothing has overwritten it, as in
 * sessions of cnn_model_with_layers() and in incremental ones. NULL if it has
 * none, or the session only informs.
 */
CNN_API const CnnTensor *
cnn_session_layer_output (const CnnSession *session, int i);

/**
 * cnn_session_layer_weights:
 * Returns: (nullable): what layer @i, a convolution, multiplies with, oc ic kh
 * kw, if that is a constant; NULL for other operators.
 */
CNN_API const CnnTensor *
cnn_session_layer_weights (const CnnSession *session, int i);

/**
 * cnn_session_geometry:
 * @geometry: (out): of output 0
 *
 * Errors: CNN_ERROR_UNSUPPORTED naming the operator that has none.
 */
CNN_API CnnStatus cnn_session_geometry (const CnnSession *session,
    CnnGeometry *geometry, CnnError *error);

/**
 * CnnMemoryInfo:
 * @arena_bytes: memory for activations and scratch
 * @sum_bytes: all activations, if none shared memory
 * @live_bytes: the largest set of activations alive at once: the lower bound
 * @weight_bytes: constants of the model, and what is packed of them for
 *   sessions that run
 */
typedef struct
{
  size_t arena_bytes, sum_bytes, live_bytes, weight_bytes;
} CnnMemoryInfo;

CNN_API void
cnn_session_memory (const CnnSession *session, CnnMemoryInfo *memory);

CNN_END_DECLS

#endif
