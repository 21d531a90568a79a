/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* quantize.h: from a float network to one that computes with 8 bits.
 *
 * Pictures are shown to a CnnQuantizer, which counts what values they bring
 * about; from that it makes a model with QuantizeLinear and DequantizeLinear
 * around its convolutions and dense layers, which other runtimes read too. */

#ifndef CNN_QUANTIZE_H
#define CNN_QUANTIZE_H

#include <cnn/model.h>
#include <cnn/pool.h>

CNN_BEGIN_DECLS

typedef struct CnnQuantizer CnnQuantizer;

/**
 * cnn_quantizer_new:
 * @model: a network on one picture, float32, of fixed size; a reference is
 *   taken
 * @pool: (nullable): threads to use, borrowed, must outlive the quantizer
 * @quantizer: (out) (transfer full): free with cnn_quantizer_free()
 *
 * Errors: CNN_ERROR_UNSUPPORTED if there is nothing to quantise, or if it is
 * quantised already.
 */
CNN_API CnnStatus cnn_quantizer_new (CnnModel *model, CnnPool *pool,
    CnnQuantizer **quantizer, CnnError *error);

/** cnn_quantizer_free: @quantizer: (nullable) */
CNN_API void cnn_quantizer_free (CnnQuantizer *quantizer);

/** cnn_quantizer_layers: Returns: convolutions and dense layers that will
 * compute with 8 bits. */
CNN_API int cnn_quantizer_layers (const CnnQuantizer *quantizer);

/**
 * cnn_quantizer_show:
 * @picture: c x h x w floats, as the network expects them; a picture such as it
 *   is to work on
 *
 * Threads: one at a time. Neither allocates nor fails.
 */
CNN_API void cnn_quantizer_show (CnnQuantizer *quantizer, const float *picture);

/**
 * cnn_quantizer_model:
 * @model: (out) (transfer full): the same network, metadata included
 *
 * Activations are uint8, one scale and zero point each, for the least squared
 * error over the pictures shown; those of the picture itself represent all
 * 8-bit levels exactly where the model says what they become. Weights are int8
 * from -127 to 127 with a scale for each output channel; biases are int32. The
 * last layer's results stay floats.
 *
 * Errors: CNN_ERROR_ARGUMENT if no picture was shown.
 */
CNN_API CnnStatus cnn_quantizer_model (const CnnQuantizer *quantizer,
    CnnModel **model, CnnError *error);

CNN_END_DECLS

#endif
