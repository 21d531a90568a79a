/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* export.c: `convnet export`: the map network that a classifier becomes, as an
 * ONNX file for other runtimes. */

#include <string.h>

#include <cnn/session.h>

#include "model-file.h"
#include "tool.h"

typedef struct
{
  char *size, *output;
  int width, height, stride;
} Export;

static const ToolUsage usage = { "MODEL",
  "Writes the fully convolutional network that MODEL becomes: its output is a "
  "class map. Checked for pictures of --size; it takes others too.",
  1, 1 };

/* Would it run over a picture of that size? */
static CnnStatus
check_size (CnnModel *map, const Export *export, CnnError *cause)
{
  CnnSessionOptions options = { .info_only = 1 };
  CnnSession *session = NULL;
  CnnShape shape = { 4,
    { 1, cnn_model_info (map)->channels, export->height, export->width } };
  CnnStatus status = cnn_session_new (map, &shape, &options, &session, cause);

  cnn_session_free (session);
  return status;
}

static gboolean
write_map (const Export *export, const char *name, GError **error)
{
  CnnModel *model = tool_model_load (name, error), *map = NULL, *dense = NULL;
  CnnError cause = { 0 };
  CnnStatus status;
  gboolean ok;

  if (!model)
    return FALSE;
  status = cnn_model_to_map (model, &map, &cause);
  if (status == CNN_OK && export->stride)
    status = cnn_model_with_stride (map, export->stride, &dense, &cause);
  if (status == CNN_OK)
    status = check_size (dense ? dense : map, export, &cause);
  ok = status == CNN_OK
      ? tool_model_save (dense ? dense : map, export->output, error)
      : tool_fail_cnn (error, name, &cause);
  cnn_model_unref (dense);
  cnn_model_unref (map);
  cnn_model_unref (model);
  return ok;
}

gboolean
tool_export (int argc, char **argv, GError **error)
{
  Export export = { 0 };
  char **args = NULL;
  GOptionEntry entries[] = { { "size", 's', 0, G_OPTION_ARG_STRING,
                                 &export.size, "Size of the picture, in pixels",
                                 "WxH" },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &export.output, "File to write",
        "FILE" },
    { "window-stride", 0, 0, G_OPTION_ARG_INT, &export.stride,
        "Distance of windows in pixels, less is denser (0 = the model's own)",
        "PIXELS" },
    G_OPTION_ENTRY_NULL };
  gboolean ok = tool_parse_options (&usage, entries, argc, argv, &args, error)
      && (export.output || tool_fail_usage (error, "-o: no file to write"))
      && (export.stride >= 0
          || tool_fail_usage (error, "--window-stride: not negative"))
      && tool_parse_frame (export.size ? export.size : "", &export.width,
          &export.height, error)
      && write_map (&export, args[0], error);

  g_strfreev (args);
  g_free (export.output);
  g_free (export.size);
  return ok;
}
