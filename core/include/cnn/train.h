/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* train.h: stochastic gradient descent on a model, and the pictures for it.
 *
 * Takes arrays and callbacks: files, recipes and progress bars are the
 * program's business. Results depend on the data, the options and the seed,
 * never on the number of threads. */

#ifndef CNN_TRAIN_H
#define CNN_TRAIN_H

#include <cnn/image.h>
#include <cnn/model.h>
#include <cnn/pool.h>

CNN_BEGIN_DECLS

/**
 * CnnDigits:
 * @count: pictures
 * @width, @height: size of each, in pixels
 * @pixels: count x height x width, 0 = paper, 255 = ink, borrowed
 * @labels: count classes, borrowed
 */
typedef struct
{
  int count, width, height;
  const uint8_t *pixels;
  const uint8_t *labels;
} CnnDigits;

/**
 * CnnPenStyle:
 * @name: of the styles that come with the library
 * @size_min, @size_max: the longer side of the ink, as a fraction of the
 *   picture's shorter one
 * @by_mass: 1 = the ink's centre of mass stands in the middle, as in MNIST; 0 =
 *   the centre of its box
 * @shift: greatest displacement from there, as a fraction of the picture's
 *   shorter side, each way
 * @width_min, @width_max: of the stroke, in heights of the digit, above 0; all
 *   orders of magnitude between are as likely
 * @slant: greatest slope, each way, a little more often to the right
 * @turn: greatest rotation, degrees, each way
 * @aspect: greatest factor by which digits are wider or narrower, at least 1
 * @jitter: standard deviation of the points of strokes, in heights of the digit
 * @bend: greatest amplitude of waves through the whole digit, in its heights
 * @haste: how much curves become straight and corners round, 0..1
 * @pressure: how much thinner strokes get where they begin and end, 0..1
 * @flat_nibs: share of digits written with a flat nib, 0..1
 * @writer: 0 = each digit is somebody else's; else one person's, who writes
 *   each digit in one way, with much the same pen and slant
 */
typedef struct
{
  const char *name;
  double size_min, size_max, shift;
  double width_min, width_max;
  double slant, turn, aspect, jitter, bend, haste, pressure, flat_nibs;
  int by_mass;
  uint64_t writer;
} CnnPenStyle;

/**
 * cnn_pen_style:
 * @name: "hand": as people write with care, framed as MNIST is; "any": from
 *   hairline to marker, neat to wild; "mouse": thin and even, for pictures of
 *   16x16
 *
 * Returns: (nullable): a style to use or to copy and change; NULL = no such
 * name
 */
CNN_API const CnnPenStyle *cnn_pen_style (const char *name);

/**
 * cnn_pen_digit:
 * @label: 0 to 9
 * @seed: the same seed gives the same picture
 * @style: (nullable): NULL = "hand"
 * @width, @height: of the picture, in pixels; digits can be read from 12 on
 * @pixels: (out caller-allocates): height x width, 0 = paper, 255 = ink
 *
 * Draws a digit as with a pen, in one of the ways in which people write it.
 *
 * Cost: grows with the pixels and the width of the stroke.
 * Threads: any; nothing is allocated.
 */
CNN_API void cnn_pen_digit (int label, uint64_t seed, const CnnPenStyle *style,
    int width, int height, uint8_t *pixels);

/**
 * CnnSceneSources:
 * @digits: handwriting of a data set
 * @pen: (nullable): digits of another hand, @pen_share of all
 * @letters: (nullable): what looks like writing and is no digit; labels are not
 *   read
 * @sheets: @n_sheets pictures of print without digits, 255 = ink
 * @backgrounds: @n_backgrounds grey photographs without handwriting
 * @black_share: scenes of white digits on black, as they are
 * @empty_share: of the others those without digits
 * @invert: share of light ink on dark ground
 * @contrast_min: least difference of ink and paper, 0..1
 * @noise: greatest standard deviation of the pixel noise, 0..1
 * @turned: share of photographs that are turned on their sides, and of those
 *   that are negatives
 * @bare_share: of the scenes that are not black those that are a photograph
 *   and nothing else
 *
 * What scenes to learn from are made of; everything is borrowed.
 */
typedef struct
{
  const CnnDigits *digits, *pen, *letters;
  const CnnImage *sheets, *backgrounds;
  int n_sheets, n_backgrounds;
  double pen_share, black_share, empty_share, invert, contrast_min, noise;
  double turned, bare_share;
} CnnSceneSources;

/**
 * CnnWarp:
 * @window: side of the square patch to make, in pixels, at most 64
 * @zoom: pixels of the window for a pixel of the digit's picture; 1 = as large
 *   as it is
 * @shift: greatest displacement, in pixels of the window, each way
 * @scale_min, @scale_max: range of the height, and of the width, 1 = as it is
 * @rotate: greatest rotation, degrees, each way
 * @shear: greatest horizontal shear, as a slope, each way
 * @elastic: standard deviation of the elastic distortion, in pixels of the
 *   digit's picture
 * @smooth: how far it hangs together: standard deviation of the Gaussian that
 *   smooths it, in pixels of the window, above 0 to 16
 *
 * With scales of 1 and nothing else, the picture itself in the middle of the
 * window.
 */
typedef struct
{
  int window;
  double zoom, shift, scale_min, scale_max, rotate, shear, elastic, smooth;
} CnnWarp;

/**
 * cnn_warp_digit:
 * @warp: what to vary, and by how much; every value in range is as likely
 * @digits: at most 32x32 pixels
 * @index: which digit
 * @seed: the same seed gives the same patch
 * @patch: (out caller-allocates): window x window values, 0 = paper, 1 = ink
 *
 * The digit as its own picture has it, light on dark, with what stands around
 * it: for networks that answer to centred digits.
 *
 * Threads: any.
 */
CNN_API void cnn_warp_digit (const CnnWarp *warp, const CnnDigits *digits,
    int index, uint64_t seed, float *patch);

/** CnnOptimiser */
typedef enum
{
  CNN_OPTIMISER_SGD,
  CNN_OPTIMISER_ADAM
} CnnOptimiser;

/**
 * CnnLoss:
 * @CNN_LOSS_CROSS_ENTROPY: of softmax over the outputs, which are logits
 * @CNN_LOSS_SQUARED_ERROR: half the sum of squares of what the outputs are off
 *   their targets, 1 for the sample's class, -1 for the others
 */
typedef enum
{
  CNN_LOSS_CROSS_ENTROPY,
  CNN_LOSS_SQUARED_ERROR
} CnnLoss;

/**
 * CnnTrainOptions:
 * @loss: of the classes
 * @optimiser: SGD with momentum, or Adam
 * @momentum: of SGD, 0..1 exclusive; Adam's beta1
 * @beta2: Adam's second moment; 0 = 0.999
 * @weight_decay: decoupled; times rate, on weights, not on biases
 * @batch: pictures in a minibatch, 1 to 65536; best a multiple of 16
 * @label_smoothing: of cross-entropy, 0..1
 * @box_weight: of the box head's loss beside the cross-entropy, 0 or more
 * @average: decay of the running average of the weights, 0..1; what
 *   cnn_trainer_model() gives; 0 = the last weights themselves
 * @seed: of the initial weights and of dropout
 * @keep_weights: 1 = begin with the model's weights; 0 = draw new ones (He
 *   before ReLU, else Glorot; biases 0)
 */
typedef struct
{
  CnnLoss loss;
  CnnOptimiser optimiser;
  double momentum, beta2, weight_decay, label_smoothing, box_weight, average;
  int batch;
  uint64_t seed;
  int keep_weights;
} CnnTrainOptions;

/**
 * CnnTarget:
 * @label: the class
 * @has_box: 1 = there is an object, @box says where; 0 = the box head may
 *   answer what it likes
 * @box: left, top, right, bottom distances of its edges from the window's
 *   centre, in window heights, positive outwards
 */
typedef struct
{
  int label, has_box;
  float box[4];
} CnnTarget;

/**
 * CnnSampleFunction:
 * @data: as given to cnn_trainer_step()
 * @sample: which sample of the minibatch, 0 to batch - 1
 * @input: (out): c x h x w floats
 * @target: (out): what the network is to answer
 *
 * Threads: called from several threads at a time, in any order; what it
 * writes may depend on @sample and @data only.
 */
typedef void (*CnnSampleFunction) (void *data, int sample, float *input,
    CnnTarget *target);

typedef struct CnnTrainer CnnTrainer;

/**
 * CnnTrainResult:
 * @loss: mean loss of the classes: of cross-entropy, in nats
 * @box_loss: mean loss of the box head, over all samples
 * @errors: samples whose most probable class was not the label
 */
typedef struct
{
  double loss, box_loss;
  int errors;
} CnnTrainResult;

/**
 * cnn_trainer_new:
 * @model: a classifier, 1 c h w to n classes, logits, and perhaps a box head;
 *   a reference is taken
 * @pool: (nullable): threads to use, borrowed, must outlive the trainer
 * @trainer: (out) (transfer full): free with cnn_trainer_free()
 *
 * Errors: CNN_ERROR_UNSUPPORTED naming an operator without a backward pass.
 */
CNN_API CnnStatus cnn_trainer_new (CnnModel *model,
    const CnnTrainOptions *options, CnnPool *pool, CnnTrainer **trainer,
    CnnError *error);

/** cnn_trainer_free: @trainer: (nullable) */
CNN_API void cnn_trainer_free (CnnTrainer *trainer);

/**
 * cnn_trainer_step:
 * @sample: gives the pictures of the minibatch
 * @rate: learning rate of this step
 * @result: (out) (nullable): loss and errors before the step
 *
 * One minibatch: forward, losses, backward, update. Neither allocates
 * nor fails.
 */
CNN_API void cnn_trainer_step (CnnTrainer *trainer, CnnSampleFunction sample,
    void *data, double rate, CnnTrainResult *result);

/**
 * cnn_trainer_model:
 * @model: (out) (transfer full): the network with the weights of now
 */
CNN_API CnnStatus cnn_trainer_model (const CnnTrainer *trainer,
    CnnModel **model, CnnError *error);

/**
 * CnnScenesConfig:
 * @window: side of the network's window, in pixels
 * @border: pixels that windows may reach over a frame's edge
 * @object: height of the trained object, in pixels of the window
 * @scale_factor: of the pyramid that the network will be used with
 * @background: class of windows that show nothing
 * @count: scenes
 * @windows: how many of each are learned from
 * @enlarged_share: scenes that are as unsharp as an enlarged level of a frame
 * @off_centre: a window is a digit's if that lies so many pixels of the window
 *   from its middle, each way, at most
 * @size_min, @size_max: and if its size is that part of @object
 */
typedef struct
{
  int window, border;
  double object, scale_factor;
  int background, count, windows;
  double enlarged_share, off_centre, size_min, size_max;
} CnnScenesConfig;

typedef struct CnnScenes CnnScenes;

/**
 * cnn_scenes_new:
 * @sources: copied; what it points to is borrowed
 * @pool: (nullable): threads to use, borrowed
 * @scenes: (out) (transfer full): free with cnn_scenes_free()
 *
 * Room for windows; there are none before cnn_scenes_renew().
 *
 * Errors: CNN_ERROR_ARGUMENT, CNN_ERROR_MEMORY.
 */
CNN_API CnnStatus cnn_scenes_new (const CnnScenesConfig *config,
    const CnnSceneSources *sources, CnnPool *pool, CnnScenes **scenes,
    CnnError *error);

/** cnn_scenes_free: @scenes: (nullable) */
CNN_API void cnn_scenes_free (CnnScenes *scenes);

/**
 * cnn_scenes_renew:
 * @model: (nullable): the detector of now; what it takes for digits where there
 *   are none is half of the windows without a digit
 * @seed: the same seed and model give the same windows
 *
 * Draws all scenes anew and cuts windows from them.
 */
CNN_API CnnStatus cnn_scenes_renew (CnnScenes *scenes, CnnModel *model,
    uint64_t seed, CnnError *error);

/** cnn_scenes_size: Returns: windows. */
CNN_API int cnn_scenes_size (const CnnScenes *scenes);

/**
 * cnn_scenes_sample:
 * @i: which window
 * @input: (out caller-allocates): window x window values, 0 (black) to 1
 * @target: (out): what is to be answered
 *
 * Threads: any.
 */
CNN_API void cnn_scenes_sample (const CnnScenes *scenes, int i, float *input,
    CnnTarget *target);

CNN_END_DECLS

#endif
