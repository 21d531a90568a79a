/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* model.h: a checked network with its weights, immutable and shared.
 *
 * A CnnModel is what a file holds: any number of sessions, elements and
 * threads may use one at a time. Networks on pictures have one input, float32
 * n c h w; others may have any. */

#ifndef CNN_MODEL_H
#define CNN_MODEL_H

#include <cnn/graph.h>

CNN_BEGIN_DECLS

typedef struct CnnModel CnnModel;

/** What the channels of the input are, from `Image.BitmapPixelFormat`. */
typedef enum
{
  CNN_PIXEL_GRAY8,
  CNN_PIXEL_RGB8,
  CNN_PIXEL_BGR8
} CnnPixelFormat;

/** What the first operator expects 0 (black) and 255 (white) to be, from
 * `Image.NominalPixelRange`. */
typedef enum
{
  CNN_RANGE_0_1,   /* 0 -> 0, 255 -> 1: the default */
  CNN_RANGE_0_255, /* as it is */
  CNN_RANGE_1_1,   /* 0 -> -1, 255 -> 1 */
  CNN_RANGE_16_235 /* 0 -> 16, 255 -> 235 */
} CnnPixelRange;

/** What the output's numbers are, from `convnet.output` or, without it, the
 * last operator. */
typedef enum
{
  CNN_OUTPUT_LOGITS,      /* softmax is still to be taken */
  CNN_OUTPUT_LOG_SOFTMAX, /* exp is still to be taken */
  CNN_OUTPUT_SOFTMAX,     /* probabilities that sum to 1 */
  CNN_OUTPUT_SIGMOID      /* one probability a class, independent */
} CnnOutputKind;

/**
 * CnnModelInfo:
 * @channels: channels of the input, 1 or 3
 * @height: @width: the input's declared size in pixels; 0 where not fixed
 * @format: order of the channels
 * @range: what pixel values become
 * @classes: channels of the output, background included
 * @labels: @classes names, UTF-8
 * @background: index of the class that means "nothing here"; -1 = none
 * @output: what the output's numbers are
 * @object_size: height of the trained object as a fraction of the window, in
 *   (0, 1]; 1 if the model does not say
 * @threshold: confidence threshold chosen in validation, 0..1; 0.5 if the
 *   model does not say
 * @boxes: which output is the box head, n 4 (h w); -1 = none
 * @border: pixels around each level of a frame, repeating its edge, that
 *   windows may reach over; 0 if the model does not say
 * @min_size: height in frame pixels of the smallest objects that the model is
 *   meant to look for; 0 if it does not say
 * @is_map: 1 if the output is n c h w, a class map; 0 if it is n c, the
 *   answer of a fixed-size classifier, which cnn_model_to_map() rewrites
 *
 * Metadata of the model, read and checked. Pointers live as long as the model.
 */
typedef struct
{
  int channels, height, width;
  CnnPixelFormat format;
  CnnPixelRange range;
  int classes;
  const char *const *labels;
  int background;
  CnnOutputKind output;
  double object_size;
  double threshold;
  int boxes, border, min_size;
  int is_map;
} CnnModelInfo;

/**
 * cnn_model_new:
 * @graph: (transfer full): a finished graph, consumed whether it worked or not
 * @model: (out) (transfer full): release with cnn_model_unref()
 *
 * Sorts the nodes, infers every type and shape for the declared input size
 * (sizes not fixed stay so), folds constant shape arithmetic, reads the
 * metadata.
 *
 * Errors: CNN_ERROR_FORMAT for a cycle, a missing value, no input or output;
 * CNN_ERROR_SHAPE from the operators. Each names the node.
 */
CNN_API CnnStatus cnn_model_new (CnnGraph *graph, CnnModel **model,
    CnnError *error);

/** cnn_model_ref: Returns: (transfer full): @model. Threads: any. */
CNN_API CnnModel *cnn_model_ref (CnnModel *model);

/** cnn_model_unref: @model: (nullable). Threads: any. */
CNN_API void cnn_model_unref (CnnModel *model);

/** cnn_model_n_inputs: Returns: inputs of the network, 0 or more. */
CNN_API int cnn_model_n_inputs (const CnnModel *model);

/**
 * cnn_model_input:
 * @name: (out): name of input @i, borrowed
 * @tensor: (out): its declared type and shape, -1 where not fixed; no data
 */
CNN_API void cnn_model_input (const CnnModel *model, int i, const char **name,
    CnnTensor *tensor);

/** cnn_model_input_decides_shapes: Returns: 1 if shapes of other tensors depend
 * on the elements of input @i (the target of a Reshape), so that a session
 * can't be made without them; else 0. */
CNN_API int cnn_model_input_decides_shapes (const CnnModel *model, int i);

/** cnn_model_output_name: Returns: name of output @i, borrowed. */
CNN_API const char *cnn_model_output_name (const CnnModel *model, int i);

/** cnn_model_info: Returns: what the model says of itself, borrowed. */
CNN_API const CnnModelInfo *cnn_model_info (const CnnModel *model);

/**
 * cnn_model_metadata:
 * @key: compared without case
 *
 * Returns: (nullable): its value, borrowed; NULL if there is none.
 */
CNN_API const char *cnn_model_metadata (const CnnModel *model, const char *key);

/**
 * cnn_model_to_map:
 * @model: any model with one picture as input
 * @map: (out) (transfer full): a model whose output is a class map,
 *   n classes h w, for any picture of at least the window's size; @model
 *   itself, with a new reference, if it is one already
 *
 * FC -> conv: Flatten or Reshape followed by Gemm, or MatMul and Add, becomes
 * a convolution with kernels of the size that the flattened map had; dense
 * layers after it become 1x1 convolutions. Exact: cell (i, j) of the map
 * equals the classifier on the patch at (offset + i*stride, offset +
 * j*stride), for networks without padding.
 *
 * Errors: CNN_ERROR_UNSUPPORTED naming the node that can't be rewritten.
 *
 * Source: OverFeat (Sermanet et al., 2013), section 3.5; Long, Shelhamer,
 * Darrell, "Fully convolutional networks", 2015, section 3.1.
 */
CNN_API CnnStatus cnn_model_to_map (CnnModel *model, CnnModel **map,
    CnnError *error);

/**
 * cnn_model_with_stride:
 * @map: a model whose output is a class map
 * @stride: how far apart windows are to be, in pixels, 1 or more. The largest
 *   divisor of the network's own stride that is not larger is taken; the
 *   network's own from there on
 * @dense: (out) (transfer full): the same network with strides turned into
 *   dilations
 *
 * Each cell is what the network says of the window there: every (own / stride)
 * th cell of the denser map is a cell of @map.
 *
 * Cost: (own / stride)^2 times the operators behind the strides that go.
 *
 * Errors: CNN_ERROR_UNSUPPORTED naming an operator with a window and no
 * dilation, and for padding that depends on the picture's size.
 */
CNN_API CnnStatus cnn_model_with_stride (CnnModel *map, int stride,
    CnnModel **dense, CnnError *error);

/**
 * cnn_model_with_layers:
 * @layers: (out) (transfer full): the same network; what each of its layers
 *   computes is an output, too, behind those that it has
 *
 * For looking inside: nothing is fused, and after a run every
 * cnn_session_layer_output() is there.
 */
CNN_API CnnStatus cnn_model_with_layers (const CnnModel *model,
    CnnModel **layers, CnnError *error);

/**
 * cnn_model_with_metadata:
 * @keys, @values: @count pairs to set; a NULL value removes
 * @copy: (out) (transfer full): the same network and weights, other metadata
 */
CNN_API CnnStatus cnn_model_with_metadata (const CnnModel *model,
    const char *const *keys, const char *const *values, int count,
    CnnModel **copy, CnnError *error);

CNN_END_DECLS

#endif
