/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* shade.h: ink on paper as a camera sees it. */

#ifndef CNN_TRAIN_SHADE_H
#define CNN_TRAIN_SHADE_H

#include <stdbool.h>

#include "base/rng.h"
#include "train/ink.h"

/**
 * cnn_shade:
 * @ink: what is drawn
 * @ground: (nullable): side x side, 0..1: a photograph to draw on; NULL =
 *   paper
 * @clean: pure black and white, nothing else
 * @patch: (out): side x side, 0 (black) to 1
 *
 * Paper with light and shadow, ink of some contrast, polarity, blur, noise.
 */
void cnn_shade (const CnnAugment *augment, CnnRng *rng, const CnnInk *ink,
    const float *ground, bool clean, float *patch);

/** cnn_shade_photograph: fills @ground, side x side, with a piece of one of
 * @count pictures at a random place and size. */
void cnn_shade_photograph (const CnnImage *pictures, int count, CnnRng *rng,
    int side, float *ground);

#endif
