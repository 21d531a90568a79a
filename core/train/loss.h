/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* loss.h: how wrong an answer is, and in which direction. */

#ifndef CNN_TRAIN_LOSS_H
#define CNN_TRAIN_LOSS_H

#include <cnn/train.h>

/**
 * cnn_loss_cross_entropy:
 * @logits: @count rows of @classes
 * @labels: the class of each row
 * @smoothing: 0..1: the target is 1 - smoothing for the label, and smoothing
 *   shared out over all classes
 * @scale: factor of the gradient, 1 / size of the minibatch
 * @gradient: (out caller-allocates): by each logit:
 *   (softmax (z) - target) * scale
 * @result: (inout): loss and errors are added, the loss not scaled
 *
 *   loss = -sum over c of target_c * log softmax_c (z)
 */
void cnn_loss_cross_entropy (const float *logits, const int *labels, int count,
    int classes, double smoothing, double scale, float *gradient,
    CnnTrainResult *result);

#endif
