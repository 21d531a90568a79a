/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gstconvnetmodel.h: a model as an element needs it: the network, the names of
 * its classes, and which of them means "nothing here". */

#ifndef GST_CONVNET_MODEL_H
#define GST_CONVNET_MODEL_H

#include <gst/gst.h>

#include "network.h"

G_BEGIN_DECLS

/**
 * GstConvnetModelSettings:
 * @model_file: (nullable): path of an ONNX file; NULL = the built-in model
 * @label_file: (nullable): path of a file with one name a line
 * @labels: (nullable): names, separated by commas; wins over @label_file
 * @background_class: (nullable): a label, else an index; "" = none; NULL = as
 *   the model says
 * @keep_fitting_labels: TRUE = names whose number differs from the model's
 *   classes are left out; FALSE = they are an error
 *
 * What the user asked for. Strings are borrowed.
 */
typedef struct
{
  const gchar *model_file;
  const gchar *label_file;
  const gchar *labels;
  const gchar *background_class;
  gboolean keep_fitting_labels;
} GstConvnetModelSettings;

/**
 * GstConvnetModel:
 * @network: shared with other elements; the detector makes a map of it
 * @info: what @network says of itself, borrowed from it
 * @labels: @classes names, NULL-terminated
 * @quarks: the same as quarks
 * @classes: classes, background included
 * @background: index of the class that means "nothing here"; -1 = none
 * @window, @stride: of a cell of the map in pixels, [0] vertical; 0 while
 *   they are not known, which is so for networks without a declared size
 *
 * Immutable once made.
 */
typedef struct
{
  GstConvnetNetwork *network;
  const CnnModelInfo *info;
  gchar **labels;
  GQuark *quarks;
  gint classes;
  gint background;
  guint window[2], stride[2];
} GstConvnetModel;

/**
 * gst_convnet_model_new:
 * @error: (out): domain and code as for an element's error message
 *
 * Reads the file, checks it, rewrites it to a class map network.
 *
 * Errors: GST_RESOURCE_ERROR_NOT_FOUND and _OPEN_READ for files,
 * GST_RESOURCE_ERROR_SETTINGS for labels or a background class that don't
 * fit, GST_STREAM_ERROR_DECODE for a broken model,
 * GST_STREAM_ERROR_NOT_IMPLEMENTED for what the engine can't do.
 *
 * Returns: (transfer full) (nullable): gst_convnet_model_unref() it.
 */
GstConvnetModel *
gst_convnet_model_new (const GstConvnetModelSettings *settings, GError **error);

GstConvnetModel *gst_convnet_model_ref (GstConvnetModel *model);

/** gst_convnet_model_unref: @model: (nullable) */
void gst_convnet_model_unref (GstConvnetModel *model);

G_END_DECLS

#endif
