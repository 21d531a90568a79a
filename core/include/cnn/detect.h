/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* detect.h: pictures to class maps to boxes.
 *
 * A detector runs one model over a pyramid of smaller (or larger) copies of a
 * frame, keeps the class map of every level, and turns cells that are sure of
 * a class into boxes in frame pixels, the best one at each place. */

#ifndef CNN_DETECT_H
#define CNN_DETECT_H

#include <cnn/image.h>
#include <cnn/session.h>

CNN_BEGIN_DECLS

/** CNN_MAX_LEVELS: most levels of a pyramid. */
#define CNN_MAX_LEVELS 64

/** CNN_MIN_SCALE_FACTOR: CNN_MAX_LEVELS levels of it reach from 1 to 21. */
#define CNN_MIN_SCALE_FACTOR 1.05

/** Defaults of the properties of the same names. */
#define CNN_DEFAULT_SCALE_FACTOR   1.5
#define CNN_DEFAULT_IOU_THRESHOLD  0.3
#define CNN_DEFAULT_MAX_DETECTIONS 100

/**
 * CnnDetection:
 * @x0, @y0, @x1, @y1: box in frame pixels, right and bottom exclusive,
 *   clipped to the frame
 * @confidence: probability of the class, 0..1
 * @class_id: index of the class, never the background
 * @level: level of the pyramid it was found on
 * @cell: number of the cell of that level's map that was best supported, row *
 *   width + column
 */
typedef struct
{
  float x0, y0, x1, y1;
  float confidence;
  int class_id;
  int level;
  int cell;
} CnnDetection;

/**
 * CnnMap:
 * @width, @height: cells
 * @classes: channels
 * @scale_x, @scale_y: frame pixels per pixel of this level
 * @geometry: cell (i, j) looks at y = offset[0] + i*stride[0], x alike, in
 *   pixels of this level
 * @scores: classes x height x width probabilities, row-major, borrowed, valid
 *   until the next run
 *
 * The class map of one level.
 */
typedef struct
{
  int width, height, classes;
  double scale_x, scale_y;
  CnnGeometry geometry;
  const float *scores;
} CnnMap;

/**
 * CnnDetectorConfig:
 * @width, @height: size of the frames, 1 to CNN_MAX_IMAGE_SIDE
 * @scale_factor: each level is the one before divided by it,
 *   CNN_MIN_SCALE_FACTOR or more; 0 = CNN_DEFAULT_SCALE_FACTOR
 * @min_size: height in frame pixels of the smallest object wanted; 0 = what the
 *   model asks for (`convnet.min-size`), or, without it, its own size (object
 *   size x window) at full resolution. Smaller than that
 *   adds enlarged levels
 * @max_size: height of the largest object wanted; 0 = the frame's height
 * @window_stride: windows are to be at most so many pixels of their level
 *   apart, see cnn_model_with_stride(); 0 = the network's own stride
 * @precision: how convolutions may round
 * @reuse: 1 = what follows from pixels that are those of the frame before is
 *   not computed again; results are the same, to the bit. Keeps a copy of the
 *   frame, and every activation in memory of its own: several times as much
 * @pool: (nullable): threads to use, borrowed, must outlive the detector
 */
typedef struct
{
  int width, height;
  double scale_factor;
  int min_size, max_size;
  int window_stride;
  CnnPrecision precision;
  int reuse;
  CnnPool *pool;
} CnnDetectorConfig;

/**
 * CnnDetectParams:
 * @background: class that means "nothing here", -1 = none
 * @threshold: least confidence, 0..1
 * @iou_threshold: of two boxes that overlap by more than this (intersection
 *   over union, 0..1) the less confident goes, whatever its class
 * @max_detections: most boxes, >= 1
 */
typedef struct
{
  int background;
  double threshold;
  double iou_threshold;
  int max_detections;
} CnnDetectParams;

typedef struct CnnDetector CnnDetector;

/**
 * cnn_detector_new:
 * @model: fixed-size classifier or map network; a reference is taken
 * @detector: (out) (transfer full): free with cnn_detector_free()
 *
 * A frame smaller than the window on every level is no error: the detector
 * has no levels then and finds nothing.
 *
 * A network that ends in a map with a cell for each pixel says what each pixel
 * is, not where objects are: it has one level, the frame as it is (or a little
 * smaller, if the network takes only multiples of something), and no
 * detections. One that says its objects' size (`convnet.object-size`) is a
 * detector all the same.
 *
 * Errors: CNN_ERROR_UNSUPPORTED if the network has no class map;
 * CNN_ERROR_ARGUMENT for a value out of its range; CNN_ERROR_MEMORY.
 */
CNN_API CnnStatus cnn_detector_new (CnnModel *model,
    const CnnDetectorConfig *config, CnnDetector **detector, CnnError *error);

/** cnn_detector_free: @detector: (nullable) */
CNN_API void cnn_detector_free (CnnDetector *detector);

/** cnn_detector_n_levels: Returns: levels of the pyramid, may be 0. */
CNN_API int cnn_detector_n_levels (const CnnDetector *detector);

/** cnn_detector_map: @map: (out): level @level's map. */
CNN_API void
cnn_detector_map (const CnnDetector *detector, int level, CnnMap *map);

/** cnn_detector_finds_objects: Returns: 1 if there can be detections, 0 if the
 * network only says what each pixel is. */
CNN_API int cnn_detector_finds_objects (const CnnDetector *detector);

/** cnn_detector_macs: Returns: multiply-accumulates of a run, all levels. */
CNN_API uint64_t cnn_detector_macs (const CnnDetector *detector);

/**
 * cnn_detector_run:
 * @image: a frame of the configured size, with the model's channels
 *
 * Computes the class map of every level. Neither allocates nor fails.
 *
 * Returns: 0 if the maps are what they were, which only a detector with
 * CnnDetectorConfig.reuse finds out; else 1.
 */
CNN_API int cnn_detector_run (CnnDetector *detector, const CnnImage *image);

/**
 * cnn_detector_detect:
 * @params: thresholds; may differ from frame to frame
 * @detections: (out): borrowed, most confident first, valid until the next
 *   call
 *
 * Decodes the maps of the last run. Neither allocates nor fails.
 *
 * Returns: number of detections.
 */
CNN_API int cnn_detector_detect (CnnDetector *detector,
    const CnnDetectParams *params, const CnnDetection **detections);

CNN_END_DECLS

#endif
