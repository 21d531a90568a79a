/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* loss.h: how wrong an answer is, and in which direction. */

#ifndef CNN_TRAIN_LOSS_H
#define CNN_TRAIN_LOSS_H

#include <cnn/train.h>

/**
 * cnn_loss_cross_entropy:
 * @logits: @count rows of @classes
 * @targets: of each row; its class
 * @smoothing: 0..1: the target is 1 - smoothing for the label, and smoothing
 *   shared out over all classes
 * @scale: factor of the gradient, 1 / size of the minibatch
 * @gradient: (out caller-allocates): by each logit:
 *   (softmax (z) - target) * scale
 * @result: (inout): loss and errors are added, the loss not scaled
 *
 *   loss = -sum over c of target_c * log softmax_c (z)
 */
void cnn_loss_cross_entropy (const float *logits, const CnnTarget *targets,
    int count, int classes, double smoothing, double scale, float *gradient,
    CnnTrainResult *result);

/**
 * cnn_loss_boxes:
 * @boxes: @count rows of left, top, right, bottom
 * @targets: of each row; those without a box cost nothing
 * @scale: factor of the gradient
 * @gradient: (out caller-allocates): by each of @boxes
 * @result: (inout): the loss is added to box_loss, not scaled
 *
 * Smooth absolute error of each edge, relative to the true box's own side: half
 * a pixel matters to a 1 and not to a 0, as it does to their overlap.
 *
 * Source of the smooth error: Girshick, "Fast R-CNN", 2015.
 */
void cnn_loss_boxes (const float *boxes, const CnnTarget *targets, int count,
    double scale, float *gradient, CnnTrainResult *result);

/**
 * cnn_loss_squared_error: as cnn_loss_cross_entropy(), but
 *
 *   loss = sum over c of (y_c - target_c)^2 / 2
 *
 * with targets of 1 for the label and -1 for the other classes.
 */
void cnn_loss_squared_error (const float *outputs, const CnnTarget *targets,
    int count, int classes, double scale, float *gradient,
    CnnTrainResult *result);

#endif
