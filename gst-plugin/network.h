/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* network.h: networks from files and resources, one copy for all elements. */

#ifndef GST_CONVNET_NETWORK_H
#define GST_CONVNET_NETWORK_H

#include <cnn/model.h>
#include <glib.h>

G_BEGIN_DECLS

/**
 * GstConvnetNetwork:
 * @model: the network as it stands in the file
 *
 * Elements whose model-file is the same file, unchanged, have the same one, and
 * with it the weights as the kernels want them. Threads: any.
 */
typedef struct
{
  CnnModel *model;
  /*< private >*/
  gchar *key;
  gint refs;
} GstConvnetNetwork;

/**
 * gst_convnet_network_get:
 * @path: (nullable): of an ONNX file; NULL = the built-in model
 * @error: (out): domain and code as for an element's error message
 *
 * Reads and checks it, whether it becomes a class map too, unless an element
 * has it already.
 *
 * Returns: (transfer full) (nullable): gst_convnet_network_release() it.
 */
GstConvnetNetwork *gst_convnet_network_get (const gchar *path, GError **error);

/** gst_convnet_network_release: @network: (nullable) */
void gst_convnet_network_release (GstConvnetNetwork *network);

/**
 * gst_convnet_error_set:
 * @what: which thing it was about, begins the sentence
 * @status: a failure
 * @failure: its sentence
 *
 * The engine's failure as an element's error.
 */
void gst_convnet_error_set (GError **error, const gchar *what, CnnStatus status,
    const CnnError *failure);

/** gst_convnet_file_error: Returns: the code of GST_RESOURCE_ERROR that says
 * what GLib's @error about a file does. */
gint gst_convnet_file_error (const GError *error);

G_END_DECLS

#endif
