/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* op.h: what an operator is, and the list of all.
 *
 * Every operator is a const CnnOp, one family per file, listed once in
 * table.c. The graph, the planner, the sessions, the trainer, the gradient
 * check and `convnet info` know operators through this table only; adding one
 * is a new CnnOp and a line in table.c (docs/adding-an-operator.md). */

#ifndef CNN_OPS_OP_H
#define CNN_OPS_OP_H

#include <stdbool.h>

#include <cnn/graph.h>
#include <cnn/pool.h>
#include <cnn/region.h>
#include <cnn/session.h>

/** CNN_MAX_VARIANTS: most ways that one operator has. */
#define CNN_MAX_VARIANTS 8

typedef struct CnnOp CnnOp;
typedef struct CnnKernels CnnKernels;

/**
 * CnnAttributes:
 * @items: @count attributes of a node, untrusted
 * @opset: version of the operator set that they follow
 */
typedef struct
{
  const CnnAttribute *items;
  int count;
  int opset;
} CnnAttributes;

/**
 * CnnOpCall:
 * @params: what parse() wrote
 * @in: @n_in inputs; NULL where an optional one is left out
 * @out: @n_out outputs; NULL where one is not wanted
 * @variant: what variant() said
 * @packed: (nullable): what pack() wrote for it
 * @scratch: scratch_bytes() of memory, CNN_ALIGN_BYTES aligned, contents
 *   undefined
 * @kept: kept_bytes() of memory that backward() finds as forward() left it
 * @kernels: functions for this processor
 * @pool: (nullable): threads to use
 * @training: 1 while training: Dropout drops
 * @seed: for Dropout: differs from run to run and node to node
 * @turn: runs of this call before: who reads more than a cache holds may go the
 *   other way every other time, and find what was read last
 * @region: (nullable): compute these cells of the last two axes of out[0] only,
 *   and leave its others as they are. Set for operators with @regional, within
 *   the map and as region_grid() wants it; never while training
 *
 * One call of forward() or backward(). All shapes are what infer() agreed to,
 * all data pointers are set.
 */
typedef struct
{
  const void *params;
  const CnnTensor *const *in;
  int n_in;
  CnnTensor *const *out;
  int n_out;
  int variant;
  const void *packed;
  void *scratch, *kept;
  const CnnKernels *kernels;
  CnnPool *pool;
  int training;
  uint64_t seed;
  unsigned turn;
  const CnnRegion *region;
} CnnOpCall;

/**
 * CnnOpGrad:
 * @d_out: gradient of the loss by each output, its shape; NULL = zero
 * @d_in: gradient by each input; backward() ADDS to it; NULL = not wanted
 * @fresh: bit i is set if d_in[i] holds nothing yet and is to be written, not
 *   added to: only for operators whose writes_fresh has that bit
 */
typedef struct
{
  const CnnTensor *const *d_out;
  CnnTensor *const *d_in;
  uint32_t fresh;
} CnnOpGrad;

/**
 * CnnOpGeometry:
 * How cell i of the output looks back on the input's cells, per axis ([0]
 * vertical, [1] horizontal): cells
 *   floor ((offset + i*stride) / up) ... + window - 1
 * @up is 1 but for operators that make maps larger (0 stands for 1 too). Cells
 * outside the input are padding: cnn_graph_geometry() finds out who sees it.
 */
typedef struct
{
  int window[2], stride[2], offset[2], up[2];
} CnnOpGeometry;

/** CnnSamples: may samples go through an operator a few at a time? */
typedef enum
{
  CNN_SAMPLES_TOGETHER, /* no, or it is faster with all of them */
  CNN_SAMPLES_APART,    /* yes, the same constants with each */
  CNN_SAMPLES_STRETCHED /* yes, where constants are stretched over samples */
} CnnSamples;

/**
 * CnnOpFusion:
 * @in: @n_in inputs of the operator that may take over
 * @next, @next_params: what it may take over
 * @next_in: @next_n_in inputs of that; the first is the value between both,
 *   others are constants
 * @learning: both are to be trained
 *
 * Shapes as far as the model fixes them.
 */
typedef struct
{
  const CnnTensor *const *in;
  int n_in;
  const CnnOp *next;
  const void *next_params;
  const CnnTensor *const *next_in;
  int next_n_in;
  bool learning;
} CnnOpFusion;

/**
 * CnnOp:
 * @name: ONNX's name
 * @since: first opset whose definition of it we follow
 * @min_in, @max_in, @max_out: how many tensors it may have
 * @params_bytes: size of its parameters
 * @inplace: out[0] may share memory with in[0] (equal element count and type)
 * @writes_fresh: bit i is set if backward() looks at that bit of @fresh
 * @fixed_in: bit i is set if input i is never learned though it is a float
 *   constant (running mean and variance)
 * @value_in: bit i is set if infer() needs the elements of input i, not just
 *   its shape (axes, target shapes, repeats). Where they are not known yet,
 *   in[i]->data is NULL and infer() gives outputs of the right rank with sizes
 *   of -1; a session is made only when they are known
 * @float32_only: infer() accepts no float16, bfloat16 or float64 where it
 *   accepts float32: the graph puts Casts around the node then, so that other
 *   precisions compute in float32
 * @reads_shape: forward() reads the shape of in[0], not its elements
 * @regional: for maps n c h w with n = 1, forward() heeds call->region, and
 *   geometry() says which cells of in[0] a cell of out[0] follows from. The
 *   other inputs must not change for that
 *
 * Integers, bool and other types are infer()'s business: an operator takes the
 * types that ONNX gives it. Tensors of no elements are possible: forward()
 * does nothing for them, or writes what an empty sum is.
 *
 * @parse: attributes to parameters (@params is zeroed, @params_bytes long).
 *   The only member that sees untrusted attributes. NULL = takes none.
 *   Unknown attributes are CNN_ERROR_UNSUPPORTED.
 * @infer: types and shapes of the outputs; also checks everything that the
 *   other members rely on. `in[i]->data` is set for values that are known
 *   before anything runs (constants, shape arithmetic). A size of -1 in an
 *   input means "not fixed": the outputs that depend on it get -1 too.
 * @geometry: cells of out[0] on in[0]; @in has max_in entries, NULL where left
 *   out. NULL = cells have no place (Flatten).
 *   cnn_op_geometry_pointwise() for element-wise operators.
 * @cellwise: true if, where geometry() says that a cell of out[0] looks at one
 *   cell of the inputs, it follows from that alone, all channels of it: then
 *   forward() on a piece of the maps gives that piece of the result, to the
 *   bit. NULL = no
 * @region_grid: sides of the squares ([0] vertical) in which forward() computes
 *   out[0], all cells of one from all that one of them looks at, so that each
 *   may show in the others' rounding: regions consist of whole squares, but for
 *   the map's end. NULL = 1
 * @samples: in training, where sample i of each output follows from sample i of
 *   the inputs and from constants; NULL = CNN_SAMPLES_TOGETHER.
 *   cnn_op_samples_apart() for operators of which that is always true
 * @macs: multiply-accumulates of a forward pass; NULL = 0
 * @links: "connections" of the early papers, where they are others than @macs
 *   and one more for each output with a bias (input 2); NULL = those
 * @variant: which of its ways to compute forward() is to take for these sizes,
 *   0 to CNN_MAX_VARIANTS - 1; the functions below are told. 0 is exact, and
 *   what training takes; others may round differently and are taken only where
 *   @precision permits. NULL = there is only one
 * @scratch_bytes: for forward(), and where @training for backward() too; NULL
 *   = 0. May depend on cnn_pool_threads(@pool)
 * @packed_bytes, @pack: a copy of constant inputs in the kernels' own layout,
 *   made once a model and variant, not for training. packed_bytes() returns 0
 *   where nothing is to pack. NULL = never. @in has data for constants only
 * @kept_bytes: for backward() to know of forward(); NULL = 0
 * @fuse: try to take over the next operator, the only user of out[0]; changes
 *   @params and returns true if forward() and, where it is learning, backward()
 *   compute both from now on. Its inputs but the first then follow those of
 *   this one, as many as both may have at most. NULL = never
 * @forward: computes the outputs
 * @backward: NULL = can't be trained. May read in and out
 *
 * forward() and backward() neither allocate nor fail, and what they compute
 * does not depend on the number of threads.
 */
struct CnnOp
{
  const char *name;
  int since;
  int min_in, max_in, max_out;
  size_t params_bytes;
  bool inplace;
  bool float32_only;
  bool reads_shape;
  bool regional;
  uint32_t fixed_in, value_in, writes_fresh;

  CnnStatus (
      *parse) (const CnnAttributes *attributes, void *params, CnnError *error);
  CnnStatus (*infer) (const void *params, const CnnTensor *const *in, int n_in,
      CnnTensor *out, int n_out, CnnError *error);
  bool (*geometry) (const void *params, const CnnTensor *const *in,
      CnnOpGeometry *geometry);
  bool (*cellwise) (const void *params, const CnnTensor *const *in);
  void (*region_grid) (const CnnOpCall *call, int grid[2]);
  CnnSamples (*samples) (const void *params);
  uint64_t (*macs) (const void *params, const CnnTensor *const *in, int n_in,
      const CnnTensor *out);
  uint64_t (*links) (const void *params, const CnnTensor *const *in,
      const CnnTensor *out);
  int (*variant) (const void *params, const CnnTensor *const *in, int n_in,
      const CnnTensor *out, CnnPrecision precision);
  size_t (*scratch_bytes) (const void *params, const CnnTensor *const *in,
      int n_in, const CnnTensor *out, int variant, const CnnPool *pool,
      int training);
  size_t (*kept_bytes) (const void *params, const CnnTensor *const *in,
      const CnnTensor *out);
  size_t (*packed_bytes) (const void *params, const CnnTensor *const *in,
      int n_in, int variant);
  void (*pack) (const void *params, const CnnTensor *const *in, int n_in,
      int variant, void *packed);
  bool (*fuse) (void *params, const CnnOpFusion *fusion);
  void (*forward) (const CnnOpCall *call);
  void (*backward) (const CnnOpCall *call, const CnnOpGrad *grad);
};

/** cnn_op_find: Returns: (nullable): the operator of that ONNX name. */
const CnnOp *cnn_op_find (const char *name);

/** cnn_op_at: Returns: (nullable): operator @i of the table, NULL past the
 * end. */
const CnnOp *cnn_op_at (int i);

/** cnn_op_geometry_pointwise: window 1, stride 1, offset 0. */
bool cnn_op_geometry_pointwise (const void *params, const CnnTensor *const *in,
    CnnOpGeometry *geometry);

/** cnn_op_cellwise: Returns: true. */
bool cnn_op_cellwise (const void *params, const CnnTensor *const *in);

/** cnn_op_samples_apart: Returns: CNN_SAMPLES_APART. */
CnnSamples cnn_op_samples_apart (const void *params);

/* Reading attributes in parse(): each finds the attribute by name, checks its
 * type and writes the value; where it is missing the value is left as it is
 * (the default). */

/** cnn_attributes_check: CNN_ERROR_UNSUPPORTED if an attribute is not among
 * @known, a NULL-terminated list. */
CnnStatus cnn_attributes_check (const CnnAttributes *attributes,
    const char *const *known, CnnError *error);
/** cnn_attributes_int: CNN_ERROR_FORMAT outside @low..@high. */
CnnStatus cnn_attributes_int (const CnnAttributes *attributes, const char *name,
    int64_t low, int64_t high, int64_t *value, CnnError *error);
/** cnn_attributes_float: CNN_ERROR_FORMAT for NaN and infinity. */
CnnStatus cnn_attributes_float (const CnnAttributes *attributes,
    const char *name, float *value, CnnError *error);
/** cnn_attributes_ints: writes at most @max values, each within @low..@high,
 * and how many to @count; @count stays if it is missing. */
CnnStatus cnn_attributes_ints (const CnnAttributes *attributes,
    const char *name, int64_t low, int64_t high, int max, int64_t *values,
    int *count, CnnError *error);
/** cnn_attributes_string: @value is borrowed from the attributes. */
CnnStatus cnn_attributes_string (const CnnAttributes *attributes,
    const char *name, const char **value, CnnError *error);
/** cnn_attributes_choice: which of @words, a NULL-terminated list, it is.
 * CNN_ERROR_FORMAT if it is none of them. */
CnnStatus cnn_attributes_choice (const CnnAttributes *attributes,
    const char *name, const char *const *words, int *choice, CnnError *error);

#endif
