/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstconvnetjson.h: the element `convnetjson`. */

#ifndef GST_CONVNET_JSON_H
#define GST_CONVNET_JSON_H

#include <gst/base/gstbasetransform.h>
#include <gst/gst.h>

G_BEGIN_DECLS

#define GST_TYPE_CONVNET_JSON (gst_convnet_json_get_type ())
G_DECLARE_FINAL_TYPE (GstConvnetJson, gst_convnet_json, GST, CONVNET_JSON,
    GstBaseTransform)

GST_ELEMENT_REGISTER_DECLARE (convnetjson);

G_END_DECLS

#endif
