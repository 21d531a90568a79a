/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* image.h: planes of 8-bit pixels to the numbers that a network expects.
 *
 * One definition for trainer, program and element: the same scene gives the
 * same input. */

#ifndef CNN_IMAGE_H
#define CNN_IMAGE_H

#include <cnn/model.h>
#include <cnn/pool.h>
#include <cnn/region.h>

CNN_BEGIN_DECLS

/** CNN_MAX_IMAGE_SIDE: largest width and height of a frame, in pixels. */
#define CNN_MAX_IMAGE_SIDE 32768

/**
 * CnnImageLevels:
 * @CNN_LEVELS_FULL: 0 is black, 255 white (JPEG, GRAY8, RGB)
 * @CNN_LEVELS_VIDEO: 16 is black, 235 white (most video)
 */
typedef enum
{
  CNN_LEVELS_FULL,
  CNN_LEVELS_VIDEO
} CnnImageLevels;

/**
 * CnnImage:
 * @width, @height: in pixels, 1 to CNN_MAX_IMAGE_SIDE
 * @channels: 1 or 3
 * @data: for each channel its first sample, borrowed. For interleaved pixels
 *   these are three pointers into the same memory. In the order of the model
 *   (CnnModelInfo.format)
 * @pitch_bytes: for each channel the distance of rows, may be negative
 * @step_bytes: distance of samples in a row: 1 for planes, 2 for the luma of
 *   YUY2, 3 or 4 for RGB
 * @levels: meaning of 0..255
 *
 * A view of somebody's frame, as it lies; nothing is copied.
 */
typedef struct
{
  int width, height, channels;
  const uint8_t *data[3];
  ptrdiff_t pitch_bytes[3];
  int step_bytes;
  CnnImageLevels levels;
} CnnImage;

typedef struct CnnResampler CnnResampler;

/**
 * cnn_resampler_new:
 * @src_width, @src_height: size of the pictures to come
 * @dst_width, @dst_height: size to make of them, each 1 or more; smaller in
 *   one direction and larger in the other is allowed
 * @border: pixels to put around that, each as the nearest one within, 0 or
 *   more
 * @resampler: (out) (transfer full): free with cnn_resampler_free()
 *
 * Sizes, weights and scratch for one pair of sizes, so that running it
 * neither allocates nor fails. Shrinking averages over the area that each
 * pixel covers; enlarging interpolates linearly between pixel centres.
 *
 * Errors: CNN_ERROR_ARGUMENT, CNN_ERROR_MEMORY.
 */
CNN_API CnnStatus cnn_resampler_new (int src_width, int src_height,
    int dst_width, int dst_height, int border, CnnResampler **resampler,
    CnnError *error);

/** cnn_resampler_free: @resampler: (nullable) */
CNN_API void cnn_resampler_free (CnnResampler *resampler);

/**
 * cnn_resampler_run:
 * @image: a picture of the size that was announced
 * @range: what black and white become
 * @pool: (nullable): threads to use; the result does not depend on it
 * @out: (out caller-allocates): channels x (dst_height + 2 border) x (dst_width
 *   + 2 border) floats, dense
 *
 * Threads: one run of a resampler at a time.
 */
CNN_API void cnn_resampler_run (CnnResampler *resampler, const CnnImage *image,
    CnnPixelRange range, CnnPool *pool, float *out);

/** cnn_resampler_region: Returns: which pixels of the result, the border
 * included, look at @changed of the picture. */
CNN_API CnnRegion cnn_resampler_region (const CnnResampler *resampler,
    const CnnRegion *changed);

/** cnn_resampler_run_region: as cnn_resampler_run(), the same bits, but writes
 * only @region of each channel of @out; @region lies within the result. */
CNN_API void cnn_resampler_run_region (CnnResampler *resampler,
    const CnnImage *image, CnnPixelRange range, const CnnRegion *region,
    CnnPool *pool, float *out);

CNN_END_DECLS

#endif
