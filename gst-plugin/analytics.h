/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* analytics.h: the same results in the terms of GStreamer's analytics library,
 * where there is one (1.24), and class maps as tensors (1.26).
 *
 * Without the library the functions do nothing, so that callers need not ask.
 */

#ifndef GST_CONVNET_ANALYTICS_H
#define GST_CONVNET_ANALYTICS_H

#include <cnn/detect.h>

#include "mapmeta.h"
#include "meta.h"

G_BEGIN_DECLS

#ifdef HAVE_TENSOR_META
#define GST_CONVNET_HAS_TENSORS TRUE
#else
#define GST_CONVNET_HAS_TENSORS FALSE
#endif

#ifdef HAVE_ANALYTICS

/**
 * gst_convnet_analytics_add:
 * @buffer: writable
 * @object: what gst_convnet_meta_add_object() got
 * @detection: the same before rounding
 * @detector: after the run that found it
 *
 * Adds an ODMtd and, related to it, a ClsMtd with all classes: the object's
 * own first, the others in the order of the model.
 */
void gst_convnet_analytics_add (GstBuffer *buffer,
    const GstConvnetObject *object, const CnnDetection *detection,
    const GstConvnetModel *model, const CnnDetector *detector);

#else

static inline void
gst_convnet_analytics_add (GstBuffer *buffer G_GNUC_UNUSED,
    const GstConvnetObject *object G_GNUC_UNUSED,
    const CnnDetection *detection G_GNUC_UNUSED,
    const GstConvnetModel *model G_GNUC_UNUSED,
    const CnnDetector *detector G_GNUC_UNUSED)
{
}

#endif

#ifdef HAVE_TENSOR_META

/**
 * gst_convnet_analytics_add_tensors:
 * @writer: after an update
 *
 * Adds a GstTensorMeta with one tensor a level, 1 x classes x height x width,
 * of the id `Gst.Model.FCN.Map`. Scores are shared, not copied.
 */
void gst_convnet_analytics_add_tensors (GstBuffer *buffer,
    const GstConvnetMapWriter *writer);

#else

static inline void
gst_convnet_analytics_add_tensors (GstBuffer *buffer G_GNUC_UNUSED,
    const GstConvnetMapWriter *writer G_GNUC_UNUSED)
{
}

#endif

G_END_DECLS

#endif
