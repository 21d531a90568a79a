/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* plugin.c: registration of the elements, and nothing else. */

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "gstconvnet.h"
#include "gstconvnetjson.h"
#include "gstconvnetoverlay.h"

static gboolean
plugin_init (GstPlugin *plugin)
{
  gboolean registered = FALSE;

  registered |= GST_ELEMENT_REGISTER (convnet, plugin);
  registered |= GST_ELEMENT_REGISTER (convnetoverlay, plugin);
  registered |= GST_ELEMENT_REGISTER (convnetjson, plugin);
  return registered;
}

GST_PLUGIN_DEFINE (GST_VERSION_MAJOR, GST_VERSION_MINOR, convnet,
    "Slides small convolutional networks over video and says what is where",
    plugin_init, VERSION, "LGPL", PACKAGE, "Unknown package origin")
