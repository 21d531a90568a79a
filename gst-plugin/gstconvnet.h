/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstconvnet.h: the element `convnet`. */

#ifndef GST_CONVNET_H
#define GST_CONVNET_H

#include <gst/base/gstbasetransform.h>
#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * GstConvnetAttachMap:
 * @GST_CONVNET_ATTACH_MAP_NONE: only boxes
 * @GST_CONVNET_ATTACH_MAP_SCORES: also the class map of every level, as
 *   GstConvnetMapMeta
 * @GST_CONVNET_ATTACH_MAP_TENSOR: as GstTensorMeta, where GStreamer has it
 *
 * What `convnet` attaches besides boxes.
 */
typedef enum
{
  GST_CONVNET_ATTACH_MAP_NONE,
  GST_CONVNET_ATTACH_MAP_SCORES,
  GST_CONVNET_ATTACH_MAP_TENSOR
} GstConvnetAttachMap;

#define GST_TYPE_CONVNET_ATTACH_MAP (gst_convnet_attach_map_get_type ())
GType gst_convnet_attach_map_get_type (void);

/**
 * GstConvnetPrecision:
 * @GST_CONVNET_PRECISION_FAST: convolutions may be computed by Winograd's
 *   algorithms
 * @GST_CONVNET_PRECISION_EXACT: every convolution is computed directly
 *
 * How `convnet` computes convolutions.
 */
typedef enum
{
  GST_CONVNET_PRECISION_FAST,
  GST_CONVNET_PRECISION_EXACT
} GstConvnetPrecision;

#define GST_TYPE_CONVNET_PRECISION (gst_convnet_precision_get_type ())
GType gst_convnet_precision_get_type (void);

/**
 * GstConvnetReuse:
 * @GST_CONVNET_REUSE_NONE: every frame is computed
 * @GST_CONVNET_REUSE_EXACT: of a frame only what follows from pixels that are
 *   not those of the frame before
 *
 * What `convnet` does not compute again.
 */
typedef enum
{
  GST_CONVNET_REUSE_NONE,
  GST_CONVNET_REUSE_EXACT
} GstConvnetReuse;

#define GST_TYPE_CONVNET_REUSE (gst_convnet_reuse_get_type ())
GType gst_convnet_reuse_get_type (void);

#define GST_TYPE_CONVNET (gst_convnet_get_type ())
G_DECLARE_FINAL_TYPE (GstConvnet, gst_convnet, GST, CONVNET, GstBaseTransform)

GST_ELEMENT_REGISTER_DECLARE (convnet);

G_END_DECLS

#endif
