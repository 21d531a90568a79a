/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layers-build.h (internal): what the files that turn recipes' layers into
 * nodes share. layers.c has the grammar and today's layers, layers-early.c
 * those of the first convolutional networks. */

#ifndef TOOL_LAYERS_BUILD_H
#define TOOL_LAYERS_BUILD_H

#include "layers.h"

#define TOOL_BUILD_WORDS    4
#define TOOL_BUILD_OPTIONS  6
#define TOOL_BUILD_CHANNELS 65536
#define TOOL_BUILD_KERNEL   1024

/**
 * ToolOption:
 * @text: as written
 * @x, @y: of a size
 */
typedef struct
{
  const char *key, *text;
  int x, y;
} ToolOption;

/** ToolLayer: a layer as written: @words are those behind @kind. */
typedef struct
{
  const char *kind;
  int n_words;
  char *words[TOOL_BUILD_WORDS];
  ToolOption options[TOOL_BUILD_OPTIONS];
} ToolLayer;

/**
 * ToolBuild:
 * @value: name of what the next layer reads
 * @c, @h, @w: its shape; @flat: that is n c
 * @last: whether the next node writes the network's output
 * @numbers: how many layers of each kind there are
 */
typedef struct
{
  CnnGraph *graph;
  char *value;
  gint64 c, h, w;
  gboolean flat, last;
  GHashTable *numbers;
  CnnError cause;
} ToolBuild;

/**
 * ToolConv:
 * @border: value of what padding adds
 * @table: (nullable): maps that each map sees
 * @unit_bias: a bias for each cell, not for each map
 */
typedef struct
{
  gint64 oc, kernel[2], stride[2], pad[2], dilation[2], group;
  double border;
  gboolean unit_bias;
  const struct _ToolTable *table;
} ToolConv;

/** tool_build_name: Returns: (transfer full): "conv3". */
char *tool_build_name (ToolBuild *build, const char *kind);

/** tool_build_option: Returns: (nullable): the option, if it was given. */
const ToolOption *tool_build_option (const ToolLayer *layer, const char *key);

/** tool_build_weights: adds a constant of zeros. */
gboolean tool_build_weights (ToolBuild *build, const char *name,
    const CnnShape *shape, GError **error);

/** tool_build_node: adds a node that reads the present value and @constants
 * (nullable, NULL-terminated, at most two); its output becomes the present
 * value. */
gboolean tool_build_node (ToolBuild *build, const char *op, const char *name,
    const char *const *constants, const CnnAttribute *attributes, int count,
    GError **error);

/** tool_build_slide: follows a window over the present value's sides; both
 * ends get the same padding. */
gboolean tool_build_slide (ToolBuild *build, const gint64 kernel[2],
    const gint64 stride[2], const gint64 pad[2], const gint64 dilation[2],
    GError **error);

/** tool_build_conv_node: the node, with weights and, if @bias, biases, of
 * constants called @name; the present value has the padding already. */
gboolean tool_build_conv_node (ToolBuild *build, const ToolConv *conv,
    const char *name, gint64 channels, gboolean bias, GError **error);

/** tool_build_flatten: n c h w to n c, unless it is that already. */
gboolean tool_build_flatten (ToolBuild *build, GError **error);

/* layers-early.c: */

/** tool_early_conv: a convolution with a border, a table or a bias for each
 * cell. @build has the shape in front of it. */
gboolean
tool_early_conv (ToolBuild *build, const ToolConv *conv, GError **error);

gboolean
tool_early_local (ToolBuild *build, const ToolLayer *layer, GError **error);
gboolean
tool_early_subsample (ToolBuild *build, const ToolLayer *layer, GError **error);
gboolean
tool_early_ltanh (ToolBuild *build, const ToolLayer *layer, GError **error);
gboolean
tool_early_codes (ToolBuild *build, const ToolLayer *layer, GError **error);

#endif
