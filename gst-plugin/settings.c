/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* settings.c: property ids, defaults, ranges, descriptions, storage.
 *
 * Nothing is checked or opened here: the element does that when it starts, or
 * between two frames. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "settings.h"

#include <cnn/detect.h>

#define DEFAULT_MODEL_FILE                 NULL
#define DEFAULT_LABEL_FILE                 NULL
#define DEFAULT_LABELS                     NULL
#define DEFAULT_BACKGROUND_CLASS           NULL
#define DEFAULT_CLASS_CONFIDENCE_THRESHOLD 0.0f
#define DEFAULT_IOU_THRESHOLD              ((gfloat) CNN_DEFAULT_IOU_THRESHOLD)
#define DEFAULT_MAX_DETECTIONS             CNN_DEFAULT_MAX_DETECTIONS
#define DEFAULT_SCALE_FACTOR               CNN_DEFAULT_SCALE_FACTOR
#define DEFAULT_MIN_SIZE                   0
#define DEFAULT_MAX_SIZE                   0
#define DEFAULT_WINDOW_STRIDE              0
#define MAX_WINDOW_STRIDE                  4096
#define DEFAULT_THREADS                    0
#define DEFAULT_POST_MESSAGES              TRUE
#define DEFAULT_ATTACH_MAP                 GST_CONVNET_ATTACH_MAP_SCORES
#define DEFAULT_PRECISION                  GST_CONVNET_PRECISION_FAST
#define DEFAULT_REUSE                      GST_CONVNET_REUSE_NONE

#define MAX_SCALE_FACTOR                   10.0
#define MAX_MAX_DETECTIONS                 10000
#define MAX_THREADS                        256

enum
{
  PROP_0,
  PROP_MODEL_FILE,
  PROP_LABEL_FILE,
  PROP_LABELS,
  PROP_BACKGROUND_CLASS,
  PROP_CLASS_CONFIDENCE_THRESHOLD,
  PROP_IOU_THRESHOLD,
  PROP_MAX_DETECTIONS,
  PROP_SCALE_FACTOR,
  PROP_MIN_SIZE,
  PROP_MAX_SIZE,
  PROP_WINDOW_STRIDE,
  PROP_THREADS,
  PROP_POST_MESSAGES,
  PROP_ATTACH_MAP,
  PROP_PRECISION,
  PROP_REUSE,
  PROP_STATS,
  PROP_RECEPTIVE_FIELD,
  PROP_MAP_STRIDE,
  PROP_MACS_PER_FRAME
};

GType
gst_convnet_attach_map_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { GST_CONVNET_ATTACH_MAP_NONE, "Only boxes", "none" },
    { GST_CONVNET_ATTACH_MAP_SCORES,
        "The class map of every level as GstConvnetMapMeta", "scores" },
    { GST_CONVNET_ATTACH_MAP_TENSOR,
        "The class map as GstTensorMeta; as scores where that is missing",
        "tensor" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type)) {
    GType registered = g_enum_register_static ("GstConvnetAttachMap", values);
    g_once_init_leave (&type, registered);
  }
  return type;
}

GType
gst_convnet_precision_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { GST_CONVNET_PRECISION_FAST,
        "Winograd's algorithms where they are faster, within their bound",
        "fast" },
    { GST_CONVNET_PRECISION_EXACT, "Direct convolution only", "exact" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type)) {
    GType registered = g_enum_register_static ("GstConvnetPrecision", values);
    g_once_init_leave (&type, registered);
  }
  return type;
}

GType
gst_convnet_reuse_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
    { GST_CONVNET_REUSE_NONE, "Compute every frame", "none" },
    { GST_CONVNET_REUSE_EXACT,
        "Compute what follows from changed pixels, with the same result",
        "exact" },
    { 0, NULL, NULL },
  };

  if (g_once_init_enter (&type)) {
    GType registered = g_enum_register_static ("GstConvnetReuse", values);
    g_once_init_leave (&type, registered);
  }
  return type;
}

void
gst_convnet_settings_init (GstConvnetSettings *settings)
{
  *settings = (GstConvnetSettings){
    .model_file = g_strdup (DEFAULT_MODEL_FILE),
    .label_file = g_strdup (DEFAULT_LABEL_FILE),
    .labels = g_strdup (DEFAULT_LABELS),
    .background_class = g_strdup (DEFAULT_BACKGROUND_CLASS),
    .class_confidence_threshold = DEFAULT_CLASS_CONFIDENCE_THRESHOLD,
    .iou_threshold = DEFAULT_IOU_THRESHOLD,
    .max_detections = DEFAULT_MAX_DETECTIONS,
    .scale_factor = DEFAULT_SCALE_FACTOR,
    .min_size = DEFAULT_MIN_SIZE,
    .max_size = DEFAULT_MAX_SIZE,
    .window_stride = DEFAULT_WINDOW_STRIDE,
    .threads = DEFAULT_THREADS,
    .post_messages = DEFAULT_POST_MESSAGES,
    .attach_map = DEFAULT_ATTACH_MAP,
    .precision = DEFAULT_PRECISION,
    .reuse = DEFAULT_REUSE,
  };
}

void
gst_convnet_settings_clear (GstConvnetSettings *settings)
{
  g_free (settings->model_file);
  g_free (settings->label_file);
  g_free (settings->labels);
  g_free (settings->background_class);
}

static void
set_string (gchar **field, const GValue *value)
{
  g_free (*field);
  *field = g_value_dup_string (value);
}

gboolean
gst_convnet_settings_set (GstConvnetSettings *settings, guint id,
    const GValue *value)
{
  switch (id) {
    case PROP_MODEL_FILE:
      set_string (&settings->model_file, value);
      settings->model_changed = TRUE;
      break;
    case PROP_LABEL_FILE:
      set_string (&settings->label_file, value);
      break;
    case PROP_LABELS:
      set_string (&settings->labels, value);
      break;
    case PROP_BACKGROUND_CLASS:
      set_string (&settings->background_class, value);
      break;
    case PROP_CLASS_CONFIDENCE_THRESHOLD:
      settings->class_confidence_threshold = g_value_get_float (value);
      break;
    case PROP_IOU_THRESHOLD:
      settings->iou_threshold = g_value_get_float (value);
      break;
    case PROP_MAX_DETECTIONS:
      settings->max_detections = g_value_get_uint (value);
      break;
    case PROP_SCALE_FACTOR:
      settings->scale_factor = g_value_get_double (value);
      settings->pyramid_changed = TRUE;
      break;
    case PROP_MIN_SIZE:
      settings->min_size = g_value_get_uint (value);
      settings->pyramid_changed = TRUE;
      break;
    case PROP_MAX_SIZE:
      settings->max_size = g_value_get_uint (value);
      settings->pyramid_changed = TRUE;
      break;
    case PROP_WINDOW_STRIDE:
      settings->window_stride = g_value_get_uint (value);
      settings->pyramid_changed = TRUE;
      break;
    case PROP_THREADS:
      settings->threads = g_value_get_uint (value);
      break;
    case PROP_POST_MESSAGES:
      settings->post_messages = g_value_get_boolean (value);
      break;
    case PROP_ATTACH_MAP:
      settings->attach_map = g_value_get_enum (value);
      break;
    case PROP_PRECISION:
      settings->precision = g_value_get_enum (value);
      settings->pyramid_changed = TRUE;
      break;
    case PROP_REUSE:
      settings->reuse = g_value_get_enum (value);
      settings->pyramid_changed = TRUE;
      break;
    default:
      return FALSE;
  }
  return TRUE;
}

static GstStructure *
create_stats (const GstConvnetStats *stats)
{
  GstClockTime average =
      stats->processed ? stats->total_time / stats->processed : 0;

  /* clang-format off */
  return gst_structure_new ("application/x-convnet-stats",
      "processed", G_TYPE_UINT64, stats->processed,
      "reused", G_TYPE_UINT64, stats->reused,
      "late", G_TYPE_UINT64, stats->late,
      "objects", G_TYPE_UINT64, stats->objects,
      "avg-inference-time", G_TYPE_UINT64, average,
      "last-inference-time", G_TYPE_UINT64, stats->last_time, NULL);
  /* clang-format on */
}

gboolean
gst_convnet_settings_get (const GstConvnetSettings *settings,
    const GstConvnetStats *stats, guint id, GValue *value)
{
  switch (id) {
    case PROP_MODEL_FILE:
      g_value_set_string (value, settings->model_file);
      break;
    case PROP_LABEL_FILE:
      g_value_set_string (value, settings->label_file);
      break;
    case PROP_LABELS:
      g_value_set_string (value, settings->labels);
      break;
    case PROP_BACKGROUND_CLASS:
      g_value_set_string (value, settings->background_class);
      break;
    case PROP_CLASS_CONFIDENCE_THRESHOLD:
      g_value_set_float (value, settings->class_confidence_threshold);
      break;
    case PROP_IOU_THRESHOLD:
      g_value_set_float (value, settings->iou_threshold);
      break;
    case PROP_MAX_DETECTIONS:
      g_value_set_uint (value, settings->max_detections);
      break;
    case PROP_SCALE_FACTOR:
      g_value_set_double (value, settings->scale_factor);
      break;
    case PROP_MIN_SIZE:
      g_value_set_uint (value, settings->min_size);
      break;
    case PROP_MAX_SIZE:
      g_value_set_uint (value, settings->max_size);
      break;
    case PROP_WINDOW_STRIDE:
      g_value_set_uint (value, settings->window_stride);
      break;
    case PROP_THREADS:
      g_value_set_uint (value, settings->threads);
      break;
    case PROP_POST_MESSAGES:
      g_value_set_boolean (value, settings->post_messages);
      break;
    case PROP_ATTACH_MAP:
      g_value_set_enum (value, settings->attach_map);
      break;
    case PROP_PRECISION:
      g_value_set_enum (value, settings->precision);
      break;
    case PROP_REUSE:
      g_value_set_enum (value, settings->reuse);
      break;
    case PROP_STATS:
      g_value_take_boxed (value, create_stats (stats));
      break;
    case PROP_RECEPTIVE_FIELD:
      g_value_set_uint (value, stats->receptive_field);
      break;
    case PROP_MAP_STRIDE:
      g_value_set_uint (value, stats->map_stride);
      break;
    case PROP_MACS_PER_FRAME:
      g_value_set_uint64 (value, stats->macs_per_frame);
      break;
    default:
      return FALSE;
  }
  return TRUE;
}

#define READABLE (G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)
#define WRITABLE (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS)
#define READY    (WRITABLE | GST_PARAM_MUTABLE_READY)
#define PLAYING  (WRITABLE | GST_PARAM_MUTABLE_PLAYING)
#define LIVE     (PLAYING | GST_PARAM_CONTROLLABLE)

static void
install_model (GObjectClass *klass)
{
  /**
   * GstConvnet:model-file:
   *
   * Path of an ONNX file: a classifier of fixed size, or a network that ends
   * in a class map. NULL is the built-in digit model.
   *
   * A new value while playing is loaded and compiled beside the old model and
   * takes over between two frames. If that fails, the old one stays and a
   * warning says why. Labels that were set stay if their number fits.
   */
  g_object_class_install_property (klass, PROP_MODEL_FILE,
      g_param_spec_string ("model-file", "Model file",
          "Path of an ONNX model (null = the built-in digit model)",
          DEFAULT_MODEL_FILE, PLAYING));
  /**
   * GstConvnet:label-file:
   *
   * Path of a UTF-8 text file with one class name a line, as many as the model
   * has classes. NULL: the names in the model, else those in a labels.txt
   * beside it.
   */
  g_object_class_install_property (klass, PROP_LABEL_FILE,
      g_param_spec_string ("label-file", "Label file",
          "Path of a file with one class name a line (null = as the model "
          "says)",
          DEFAULT_LABEL_FILE, READY));
  /**
   * GstConvnet:labels:
   *
   * Class names separated by commas, as many as the model has classes. Wins
   * over #GstConvnet:label-file.
   */
  g_object_class_install_property (klass, PROP_LABELS,
      g_param_spec_string ("labels", "Labels",
          "Class names separated by commas (null = label-file, else as the "
          "model says)",
          DEFAULT_LABELS, READY));
  /**
   * GstConvnet:background-class:
   *
   * The class that means "nothing here" and never becomes an object: a label,
   * else an index from 0. The empty string: no class does. NULL: as the model
   * says.
   */
  g_object_class_install_property (klass, PROP_BACKGROUND_CLASS,
      g_param_spec_string ("background-class", "Background class",
          "Label or index of the class that means \"nothing here\" (empty = "
          "none, null = as the model says)",
          DEFAULT_BACKGROUND_CLASS, READY));
}

static void
install_thresholds (GObjectClass *klass)
{
  /**
   * GstConvnet:class-confidence-threshold:
   *
   * Least probability of an object's class, 0 to 1. 0, the default, is the
   * model's own threshold, which its training chose (0.5 if it has none); for
   * nearly everything that is not background set a small number like 0.01.
   */
  g_object_class_install_property (klass, PROP_CLASS_CONFIDENCE_THRESHOLD,
      g_param_spec_float ("class-confidence-threshold",
          "Class confidence threshold",
          "Least probability of an object's class (0 = the model's own "
          "threshold)",
          0.0f, 1.0f, DEFAULT_CLASS_CONFIDENCE_THRESHOLD, LIVE));
  /**
   * GstConvnet:iou-threshold:
   *
   * Of two boxes that overlap by more than this, as area of the intersection
   * over area of the union, only the more confident is kept, whatever its
   * class. 1 keeps all.
   */
  g_object_class_install_property (klass, PROP_IOU_THRESHOLD,
      g_param_spec_float ("iou-threshold", "IoU threshold",
          "Of boxes that overlap by more than this (intersection over union) "
          "only the most confident is kept",
          0.0f, 1.0f, DEFAULT_IOU_THRESHOLD, LIVE));
  /**
   * GstConvnet:max-detections:
   *
   * Most objects of a frame; the most confident ones are kept.
   */
  g_object_class_install_property (klass, PROP_MAX_DETECTIONS,
      g_param_spec_uint ("max-detections", "Max detections",
          "Most objects of a frame, the most confident ones", 1,
          MAX_MAX_DETECTIONS, DEFAULT_MAX_DETECTIONS, LIVE));
}

static void
install_pyramid (GObjectClass *klass)
{
  /**
   * GstConvnet:scale-factor:
   *
   * Step of the pyramid: each level is the one before, divided by this in
   * width and height. Smaller steps find objects of sizes in between more
   * surely and cost more: all levels together cost about 1 / (1 - 1/f^2) times
   * the first, that is 1.8 times at 1.5.
   */
  g_object_class_install_property (klass, PROP_SCALE_FACTOR,
      g_param_spec_double ("scale-factor", "Scale factor",
          "Each level of the pyramid is the one before divided by this",
          CNN_MIN_SCALE_FACTOR, MAX_SCALE_FACTOR, DEFAULT_SCALE_FACTOR,
          PLAYING));
  /**
   * GstConvnet:min-size:
   *
   * Height of the smallest object wanted, in frame pixels. 0: what the model
   * asks for, or the size that it was trained on, at full resolution. Less than that adds enlarged
   * levels, which are costly; more leaves out the largest levels.
   */
  g_object_class_install_property (klass, PROP_MIN_SIZE,
      g_param_spec_uint ("min-size", "Min size",
          "Height of the smallest object wanted, in pixels of the frame (0 = "
          "the model's own)",
          0, CNN_MAX_IMAGE_SIDE, DEFAULT_MIN_SIZE, PLAYING));
  /**
   * GstConvnet:max-size:
   *
   * Height of the largest object wanted, in frame pixels. 0: the height of the
   * frame.
   */
  g_object_class_install_property (klass, PROP_MAX_SIZE,
      g_param_spec_uint ("max-size", "Max size",
          "Height of the largest object wanted, in pixels of the frame (0 = "
          "the frame's height)",
          0, CNN_MAX_IMAGE_SIDE, DEFAULT_MAX_SIZE, PLAYING));
  /**
   * GstConvnet:window-stride:
   *
   * Distance of neighbouring windows, in pixels of their level of the pyramid.
   * 0: the network's own. Less makes the class map denser, each cell still
   * exactly what the network says of its window; the largest divisor of the
   * network's own stride that is not larger is taken. Halving it costs up to
   * four times as much.
   */
  g_object_class_install_property (klass, PROP_WINDOW_STRIDE,
      g_param_spec_uint ("window-stride", "Window stride",
          "Distance of neighbouring windows in pixels (0 = the network's own; "
          "less is denser, and exact)",
          0, MAX_WINDOW_STRIDE, DEFAULT_WINDOW_STRIDE, PLAYING));
}

static void
install_behaviour (GObjectClass *klass)
{
  /**
   * GstConvnet:threads:
   *
   * Threads to compute with, the streaming thread included. 0: as many as
   * there are cores. Results don't depend on it.
   */
  g_object_class_install_property (klass, PROP_THREADS,
      g_param_spec_uint ("threads", "Threads",
          "Threads to compute with (0 = one for each core)", 0, MAX_THREADS,
          DEFAULT_THREADS, READY));
  /**
   * GstConvnet:post-messages:
   *
   * Post an element message `convnet` for every frame: `timestamp`,
   * `stream-time`, `running-time`, `duration` (guint64, ns) and `objects`, a
   * list of structures with `label`, `class-id`, `confidence`, `x`, `y`,
   * `width` and `height` in pixels of the frame.
   */
  g_object_class_install_property (klass, PROP_POST_MESSAGES,
      g_param_spec_boolean ("post-messages", "Post messages",
          "Post a \"convnet\" element message for every frame",
          DEFAULT_POST_MESSAGES, PLAYING));
  /**
   * GstConvnet:attach-map:
   *
   * What to attach besides boxes. The class map is the probability of every
   * class at every place on every level of the pyramid.
   */
  g_object_class_install_property (klass, PROP_ATTACH_MAP,
      g_param_spec_enum ("attach-map", "Attach map",
          "What to attach to buffers besides boxes",
          GST_TYPE_CONVNET_ATTACH_MAP, DEFAULT_ATTACH_MAP, PLAYING));
  /**
   * GstConvnet:precision:
   *
   * How convolutions are computed. `fast` uses Winograd's algorithms for 3x3 and
   * 5x5 kernels where that is faster, up to four times; a class map is then
   * within 1e-4 of the logits' range of the direct one, as a rule within 2e-6.
   * `exact` computes every convolution directly. A new value while playing
   * takes over between two frames.
   */
  g_object_class_install_property (klass, PROP_PRECISION,
      g_param_spec_enum ("precision", "Precision",
          "How convolutions are computed", GST_TYPE_CONVNET_PRECISION,
          DEFAULT_PRECISION, PLAYING));
  /**
   * GstConvnet:reuse:
   *
   * With `exact`, each frame is compared with the one before, and only what
   * follows from pixels that differ is computed; the result is what computing
   * everything would give, to the bit. Worth it for screen captures, slides and
   * decoded or synthetic scenes that stand still in part; noise of a camera
   * changes every pixel. Costs a copy of the plane that the model reads, and
   * memory for every activation of every level: several times as much as
   * without. A new value while playing takes over between two frames.
   */
  g_object_class_install_property (klass, PROP_REUSE,
      g_param_spec_enum ("reuse", "Reuse",
          "What of the last frame's work is not done again",
          GST_TYPE_CONVNET_REUSE, DEFAULT_REUSE, PLAYING));
}

static void
install_facts (GObjectClass *klass)
{
  /**
   * GstConvnet:stats:
   *
   * Since the element started: `processed` (frames that went through the
   * network, wholly or in part), `reused` (frames that got the result of an
   * earlier one: they came too late, or #GstConvnet:reuse found nothing new in
   * them), `late` (frames that came too late for the sink), `objects`,
   * `avg-inference-time` and `last-inference-time` (ns, of those processed).
   */
  g_object_class_install_property (klass, PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics",
          "Frames processed, reused and late, objects, inference times in ns",
          GST_TYPE_STRUCTURE, READABLE));
  /**
   * GstConvnet:receptive-field:
   *
   * Height of the window that the network looks at, in pixels of a level. 0
   * while it is not known.
   */
  g_object_class_install_property (klass, PROP_RECEPTIVE_FIELD,
      g_param_spec_uint ("receptive-field", "Receptive field",
          "Height of the network's window, in pixels (0 = not known yet)", 0,
          G_MAXUINT, 0, READABLE));
  /**
   * GstConvnet:map-stride:
   *
   * Distance of neighbouring windows, in pixels of a level. 0 while it is not
   * known.
   */
  g_object_class_install_property (klass, PROP_MAP_STRIDE,
      g_param_spec_uint ("map-stride", "Map stride",
          "Distance of neighbouring windows, in pixels (0 = not known yet)", 0,
          G_MAXUINT, 0, READABLE));
  /**
   * GstConvnet:macs-per-frame:
   *
   * Multiply-accumulates of one frame, all levels of the pyramid together. 0
   * before the caps are known.
   */
  g_object_class_install_property (klass, PROP_MACS_PER_FRAME,
      g_param_spec_uint64 ("macs-per-frame", "MACs per frame",
          "Multiply-accumulates of one frame, all levels (0 = not known yet)",
          0, G_MAXUINT64, 0, READABLE));
}

void
gst_convnet_settings_install (GObjectClass *klass)
{
  install_model (klass);
  install_thresholds (klass);
  install_pyramid (klass);
  install_behaviour (klass);
  install_facts (klass);
  gst_type_mark_as_plugin_api (GST_TYPE_CONVNET_ATTACH_MAP, 0);
  gst_type_mark_as_plugin_api (GST_TYPE_CONVNET_REUSE, 0);
}
