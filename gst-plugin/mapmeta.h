/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* mapmeta.h: GstConvnetMapMeta, the class maps of a frame on its buffer.
 *
 * A GstCustomMeta, so that any language reads it as a GstStructure without
 * linking to us. Its fields are described in docs/metadata.md. */

#ifndef GST_CONVNET_MAP_META_H
#define GST_CONVNET_MAP_META_H

#include <cnn/detect.h>
#include <gst/gst.h>

#include "gstconvnetmodel.h"

G_BEGIN_DECLS

#define GST_CONVNET_MAP_META_NAME "GstConvnetMapMeta"

/** gst_convnet_map_meta_register: as often as one likes. Threads: any. */
void gst_convnet_map_meta_register (void);

/**
 * GstConvnetMapWriter:
 * @pools: memory for the scores of each level
 * @fields: what the next gst_convnet_map_writer_attach() puts on a buffer
 *
 * {0} is an empty one.
 */
typedef struct
{
  GstBufferPool *pools[CNN_MAX_LEVELS];
  GstStructure *fields;
} GstConvnetMapWriter;

void gst_convnet_map_writer_clear (GstConvnetMapWriter *writer);

/**
 * gst_convnet_map_writer_update:
 * @detector: after a run; the same one until the writer is cleared
 *
 * Cost: one copy of the scores: the detector's own memory is overwritten by
 * the next frame, while buffers may live on downstream.
 */
void gst_convnet_map_writer_update (GstConvnetMapWriter *writer,
    const GstConvnetModel *model, const CnnDetector *detector);

/** gst_convnet_map_writer_forget: attach nothing until the next update. */
void gst_convnet_map_writer_forget (GstConvnetMapWriter *writer);

/**
 * gst_convnet_map_writer_attach:
 * @buffer: writable
 * @age: frames since the maps were computed
 *
 * Scores are shared with earlier buffers, not copied. Does nothing before the
 * first update.
 */
void gst_convnet_map_writer_attach (const GstConvnetMapWriter *writer,
    GstBuffer *buffer, gint age);

G_END_DECLS

#endif
