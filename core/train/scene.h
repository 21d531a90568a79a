/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* scene.h: pages of digits as a camera sees them, for detectors to learn from.
 *
 * A scene is drawn as ink on paper: what is no digit first (print, letters,
 * scribbles), then digits, then what crosses them (ruled lines); then light,
 * shadow, lens, sensor and codec are laid over it. */

#ifndef CNN_TRAIN_SCENE_H
#define CNN_TRAIN_SCENE_H

#include "base/rng.h"
#include "train/ink.h"

/** CNN_SCENE_SIDE: of the square scenes, in pixels; CNN_SCENE_DIGITS: most
 * digits in one. */
#define CNN_SCENE_SIDE   240
#define CNN_SCENE_DIGITS 48

/** CnnSceneDigit: @label: its class, -1 = hardly to be seen; @box: of its ink, in pixels. */
typedef struct
{
  int label;
  CnnInkBox box;
} CnnSceneDigit;

/**
 * CnnScene:
 * @pixels: CNN_SCENE_SIDE x CNN_SCENE_SIDE, 0 (black) to 255
 * @digits: @count of them
 */
typedef struct
{
  uint8_t pixels[CNN_SCENE_SIDE * CNN_SCENE_SIDE];
  int count;
  CnnSceneDigit digits[CNN_SCENE_DIGITS];
} CnnScene;

/** CnnScenePaper: planes to draw in, CNN_SCENE_SIDE x CNN_SCENE_SIDE each. */
typedef struct
{
  float ink[CNN_SCENE_SIDE * CNN_SCENE_SIDE];
  float paper[CNN_SCENE_SIDE * CNN_SCENE_SIDE];
  float spare[CNN_SCENE_SIDE * CNN_SCENE_SIDE];
} CnnScenePaper;

/**
 * cnn_scene_draw:
 * @sources: what scenes are made of
 * @seed: the same seed gives the same scene
 * @planes: scratch
 *
 * Threads: any, each with planes of its own.
 */
void cnn_scene_draw (const CnnSceneSources *sources, uint64_t seed,
    CnnScenePaper *planes, CnnScene *scene);

/**
 * cnn_scene_shade:
 * @ink: what is drawn, CNN_SCENE_SIDE x CNN_SCENE_SIDE
 * @bare: no paper, but a photograph as it is; there are some
 * @planes: its paper and spare are used
 *
 * Ink on paper as a camera sees it. Digits too faint lose their label.
 */
void cnn_scene_shade (const CnnSceneSources *sources, CnnRng *rng,
    const CnnInk *ink, bool bare, CnnScenePaper *planes, CnnScene *scene);

#endif
