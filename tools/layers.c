/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* layers.c: the layer grammar of recipes, one function a kind of layer.
 *
 * A layer is a word, then what it must be told ("conv 16 5x5"), then options
 * ("stride=2"). Shapes are followed only as far as sizes of weights need it;
 * the library checks the graph as a whole. Weights are zero: the trainer
 * draws them. */

#include "layers.h"

#include <string.h>

#include "connections.h"
#include "layers-build.h"

#define MAX_WEIGHTS ((gint64) 1 << 28)

typedef struct
{
  const char *kind;
  const char *usage;
  int n_words, more_words;
  const char *keys[TOOL_BUILD_OPTIONS];
  gboolean (*add) (ToolBuild *build, const ToolLayer *layer, GError **error);
} LayerKind;

const ToolOption *
tool_build_option (const ToolLayer *layer, const char *key)
{
  for (int i = 0; i < TOOL_BUILD_OPTIONS && layer->options[i].key; i++)
    if (strcmp (layer->options[i].key, key) == 0)
      return &layer->options[i];
  return NULL;
}

/* Height into values[0], width into values[1], as everywhere in ONNX. */
static void
option_size (const ToolLayer *layer, const char *key, int fallback,
    gint64 values[2])
{
  const ToolOption *option = tool_build_option (layer, key);

  values[0] = option ? option->y : fallback;
  values[1] = option ? option->x : fallback;
}

char *
tool_build_name (ToolBuild *build, const char *kind)
{
  int number = GPOINTER_TO_INT (g_hash_table_lookup (build->numbers, kind)) + 1;

  g_hash_table_insert (build->numbers, (gpointer) kind,
      GINT_TO_POINTER (number));
  return g_strdup_printf ("%s%d", kind, number);
}

gboolean
tool_build_weights (ToolBuild *build, const char *name, const CnnShape *shape,
    GError **error)
{
  gint64 count = 1;
  CnnTensor tensor = { CNN_TYPE_FLOAT32, *shape, NULL };
  CnnStatus status;

  /* Each factor is at most 2^32, and count is capped before the next. */
  for (int i = 0; i < shape->rank; i++) {
    count *= shape->dims[i];
    if (count > MAX_WEIGHTS)
      return tool_fail (error, "more than %d million weights",
          (int) (MAX_WEIGHTS >> 20));
  }
  tensor.data = g_malloc0 ((gsize) count * sizeof (float));
  status = cnn_graph_add_constant (build->graph, name, &tensor, &build->cause);
  g_free (tensor.data);
  if (status != CNN_OK)
    return tool_fail_cnn (error, name, &build->cause);
  return TRUE;
}

/* Adds one node that reads the present value and up to two constants. */
gboolean
tool_build_node (ToolBuild *build, const char *op, const char *name,
    const char *const *constants, const CnnAttribute *attributes, int count,
    GError **error)
{
  const char *inputs[3] = { build->value, NULL, NULL };
  char *out = build->last ? g_strdup (TOOL_LAYERS_OUTPUT)
                          : g_strdup_printf ("%s.out", name);
  const char *outputs[1] = { out };
  int n_inputs = 1;
  CnnStatus status;

  while (constants && n_inputs < 3 && constants[n_inputs - 1]) {
    inputs[n_inputs] = constants[n_inputs - 1];
    n_inputs++;
  }
  status = cnn_graph_add_node (build->graph, op, name, inputs, n_inputs,
      outputs, 1, attributes, count, &build->cause);
  if (status != CNN_OK) {
    g_free (out);
    return tool_fail_cnn (error, name, &build->cause);
  }
  g_free (build->value);
  build->value = out;
  return TRUE;
}

/* Weights of @shape and, if @bias, a bias of shape->dims[0], then the node. */
static gboolean
add_weighted (ToolBuild *build, const char *op, const char *name,
    const CnnShape *shape, gboolean bias, const CnnAttribute *attributes,
    int count, GError **error)
{
  char *weights = g_strdup_printf ("%s.weight", name);
  char *biases = bias ? g_strdup_printf ("%s.bias", name) : NULL;
  const char *constants[] = { weights, biases, NULL };
  CnnShape bias_shape = { 1, { shape->dims[0] } };
  gboolean ok = tool_build_weights (build, weights, shape, error)
      && (!bias || tool_build_weights (build, biases, &bias_shape, error))
      && tool_build_node (build, op, name, constants, attributes, count, error);

  g_free (biases);
  g_free (weights);
  return ok;
}

/* Follows a sliding window of @kernel; both sides get the same padding. */
gboolean
tool_build_slide (ToolBuild *build, const gint64 kernel[2],
    const gint64 stride[2], const gint64 pad[2], const gint64 dilation[2],
    GError **error)
{
  gint64 *sides[2] = { &build->h, &build->w };

  if (build->flat)
    return tool_fail (error, "it comes after a dense layer");
  for (int i = 0; i < 2; i++) {
    gint64 reach = dilation[i] * (kernel[i] - 1) + 1;
    gint64 room = *sides[i] + 2 * pad[i] - reach;

    if (room < 0)
      return tool_fail (error,
          "its window of %" G_GINT64_FORMAT
          " is larger than its input, %" G_GINT64_FORMAT "x%" G_GINT64_FORMAT,
          reach, build->h, build->w);
    *sides[i] = room / stride[i] + 1;
  }
  return TRUE;
}

gboolean
tool_build_conv_node (ToolBuild *build, const ToolConv *conv, const char *name,
    gint64 channels, gboolean bias, GError **error)
{
  gint64 kernel[2] = { conv->kernel[0], conv->kernel[1] };
  gint64 stride[2] = { conv->stride[0], conv->stride[1] };
  gint64 dilation[2] = { conv->dilation[0], conv->dilation[1] };
  gint64 pads[4] = { conv->pad[0], conv->pad[1], conv->pad[0], conv->pad[1] };
  CnnShape shape = { 4,
    { conv->oc, channels / conv->group, kernel[0], kernel[1] } };
  CnnAttribute attributes[] = {
    { .name = "kernel_shape",
        .type = CNN_ATTRIBUTE_INTS,
        .count = 2,
        .ints = kernel },
    { .name = "strides",
        .type = CNN_ATTRIBUTE_INTS,
        .count = 2,
        .ints = stride },
    { .name = "pads", .type = CNN_ATTRIBUTE_INTS, .count = 4, .ints = pads },
    { .name = "dilations",
        .type = CNN_ATTRIBUTE_INTS,
        .count = 2,
        .ints = dilation },
    { .name = "group", .type = CNN_ATTRIBUTE_INT, .i = conv->group },
  };
  return add_weighted (build, "Conv", name, &shape, bias, attributes,
      G_N_ELEMENTS (attributes), error);
}

/* "from table-lenet5" behind the kernel, border and bias. */
static gboolean
parse_early (const ToolLayer *layer, ToolConv *conv, GError **error)
{
  const ToolOption *border = tool_build_option (layer, "border");
  const ToolOption *bias = tool_build_option (layer, "bias");

  if (layer->n_words > 2) {
    if (layer->n_words != 4 || strcmp (layer->words[2], "from") != 0)
      return tool_fail (error, "'%s' is not like: from table-lenet5",
          layer->words[2]);
    conv->table = tool_table_find (layer->words[3]);
    if (!conv->table)
      return tool_fail (error, "there is no '%s'", layer->words[3]);
  }
  if (bias && strcmp (bias->text, "unit") != 0
      && strcmp (bias->text, "map") != 0)
    return tool_fail (error, "bias is neither map nor unit");
  conv->unit_bias = bias && strcmp (bias->text, "unit") == 0;
  return !border
      || tool_parse_double (border->text, -1e6, 1e6, &conv->border, error);
}

static gboolean
add_conv (ToolBuild *build, const ToolLayer *layer, GError **error)
{
  ToolConv conv = { 0 };
  gint64 group[2];
  int kw, kh;

  if (!tool_parse_int (layer->words[0], 1, TOOL_BUILD_CHANNELS, &conv.oc, error)
      || !tool_parse_size (layer->words[1], TOOL_BUILD_KERNEL, &kh, &kw, error)
      || !parse_early (layer, &conv, error))
    return FALSE;
  conv.kernel[0] = kh;
  conv.kernel[1] = kw;
  option_size (layer, "stride", 1, conv.stride);
  option_size (layer, "pad", 0, conv.pad);
  option_size (layer, "dilation", 1, conv.dilation);
  option_size (layer, "group", 1, group);
  conv.group = group[1];
  if (build->c % conv.group || conv.oc % conv.group)
    return tool_fail (error, "%d groups divide neither %d nor %d channels",
        (int) conv.group, (int) build->c, (int) conv.oc);
  return tool_early_conv (build, &conv, error);
}

static gboolean
add_pool (ToolBuild *build, const ToolLayer *layer, GError **error)
{
  gboolean max = strcmp (layer->kind, "maxpool") == 0;
  gint64 kernel[2], stride[2], pad[2], dilation[2] = { 1, 1 };
  int kw, kh;
  char *name;
  gboolean ok;

  if (!tool_parse_size (layer->words[0], TOOL_BUILD_KERNEL, &kh, &kw, error))
    return FALSE;
  kernel[0] = kh;
  kernel[1] = kw;
  option_size (layer, "stride", 0, stride);
  option_size (layer, "pad", 0, pad);
  for (int i = 0; i < 2; i++)
    if (!stride[i])
      stride[i] = kernel[i];
  if (!tool_build_slide (build, kernel, stride, pad, dilation, error))
    return FALSE;

  gint64 pads[4] = { pad[0], pad[1], pad[0], pad[1] };
  CnnAttribute attributes[] = {
    { .name = "kernel_shape",
        .type = CNN_ATTRIBUTE_INTS,
        .count = 2,
        .ints = kernel },
    { .name = "strides",
        .type = CNN_ATTRIBUTE_INTS,
        .count = 2,
        .ints = stride },
    { .name = "pads", .type = CNN_ATTRIBUTE_INTS, .count = 4, .ints = pads },
  };
  name = tool_build_name (build, layer->kind);
  ok = tool_build_node (build, max ? "MaxPool" : "AveragePool", name, NULL,
      attributes, G_N_ELEMENTS (attributes), error);
  g_free (name);
  return ok;
}

gboolean
tool_build_flatten (ToolBuild *build, GError **error)
{
  CnnAttribute axis = { .name = "axis", .type = CNN_ATTRIBUTE_INT, .i = 1 };
  gboolean last = build->last, ok;
  char *name;

  if (build->flat)
    return TRUE;
  build->last = FALSE;
  name = tool_build_name (build, "flatten");
  ok = tool_build_node (build, "Flatten", name, NULL, &axis, 1, error);
  g_free (name);
  build->last = last;
  build->c *= build->h * build->w;
  build->h = build->w = 1;
  build->flat = TRUE;
  return ok;
}

static gboolean
add_dense (ToolBuild *build, const ToolLayer *layer, GError **error)
{
  CnnAttribute transposed = { .name = "transB",
    .type = CNN_ATTRIBUTE_INT,
    .i = 1 };
  gint64 units;

  if (!tool_parse_int (layer->words[0], 1, TOOL_BUILD_CHANNELS, &units, error)
      || !tool_build_flatten (build, error))
    return FALSE;

  CnnShape shape = { 2, { units, build->c } };
  char *name = tool_build_name (build, "dense");
  gboolean ok =
      add_weighted (build, "Gemm", name, &shape, TRUE, &transposed, 1, error);

  build->c = units;
  g_free (name);
  return ok;
}

static gboolean
add_activation (ToolBuild *build, const ToolLayer *layer, GError **error)
{
  static const char *const ops[][2] = { { "relu", "Relu" }, { "tanh", "Tanh" },
    { "sigmoid", "Sigmoid" } };
  char *name = tool_build_name (build, layer->kind);
  gboolean ok = FALSE;

  for (gsize i = 0; i < G_N_ELEMENTS (ops); i++)
    if (strcmp (ops[i][0], layer->kind) == 0)
      ok = tool_build_node (build, ops[i][1], name, NULL, NULL, 0, error);
  g_free (name);
  return ok;
}

static gboolean
add_dropout (ToolBuild *build, const ToolLayer *layer, GError **error)
{
  double share;
  float ratio;
  char *name, *constant;
  CnnTensor tensor = { CNN_TYPE_FLOAT32, { 0 }, &ratio };
  gboolean ok;

  if (!tool_parse_double (layer->words[0], 0, 0.99, &share, error))
    return FALSE;
  ratio = (float) share;
  name = tool_build_name (build, "dropout");
  constant = g_strdup_printf ("%s.ratio", name);
  const char *constants[] = { constant, NULL };
  if (cnn_graph_add_constant (build->graph, constant, &tensor, &build->cause)
      != CNN_OK)
    ok = tool_fail_cnn (error, name, &build->cause);
  else
    ok = tool_build_node (build, "Dropout", name, constants, NULL, 0, error);
  g_free (constant);
  g_free (name);
  return ok;
}

/* A node between any values, which stays beside the row of layers. Returns:
 * name of its output, NULL on error. */
static const char *
add_beside (ToolBuild *build, const char *op, const char *layer,
    const char *what, const char *const *inputs, const CnnAttribute *attributes,
    int count, GError **error)
{
  char *name = g_strdup_printf ("%s.%s", layer, what);
  const char *outputs[] = { name };
  const char *kept;

  if (cnn_graph_add_node (build->graph, op, name, inputs,
          (int) g_strv_length ((char **) inputs), outputs, 1, attributes, count,
          &build->cause)
      != CNN_OK)
    tool_fail_cnn (error, name, &build->cause);
  kept = build->cause.status == CNN_OK ? g_intern_string (name) : NULL;
  g_free (name);
  return kept;
}

/* The mean over the layer's window, along rows, then along columns. */
static const char *
add_mean (ToolBuild *build, const char *layer, const char *what,
    const char *value, const gint64 kernel[2], GError **error)
{
  for (int i = 1; i >= 0 && value; i--) {
    gint64 sides[2] = { i ? 1 : kernel[0], i ? kernel[1] : 1 };
    CnnAttribute attribute = { .name = "kernel_shape",
      .type = CNN_ATTRIBUTE_INTS,
      .count = 2,
      .ints = sides };
    char *name = g_strdup_printf ("%s%s", what, i ? "-rows" : "");

    value = add_beside (build, "AveragePool", layer, name,
        (const char *const[]){ value, NULL }, &attribute, 1, error);
    g_free (name);
  }
  return value;
}

/* The middle of each window. */
static const char *
add_middle (ToolBuild *build, const char *layer, const gint64 kernel[2],
    GError **error)
{
  gint64 lists[][2] = { { kernel[0] / 2, kernel[1] / 2 },
    { build->h - (kernel[0] - 1) / 2, build->w - (kernel[1] - 1) / 2 },
    { 2, 3 } };
  static const char *const whats[] = { "starts", "ends", "axes" };
  const char *inputs[5] = { build->value, NULL };

  for (gsize i = 0; i < G_N_ELEMENTS (whats); i++) {
    CnnTensor tensor = { CNN_TYPE_INT64, { 1, { 2 } }, lists[i] };
    char *name = g_strdup_printf ("%s.%s", layer, whats[i]);
    gboolean ok =
        cnn_graph_add_constant (build->graph, name, &tensor, &build->cause)
        == CNN_OK;

    inputs[i + 1] = g_intern_string (name);
    g_free (name);
    if (!ok) {
      tool_fail_cnn (error, layer, &build->cause);
      return NULL;
    }
  }
  return add_beside (build, "Slice", layer, "middle", inputs, NULL, 0, error);
}

/* (x - mean) / sqrt (max (mean of squares - mean^2, 0) + floor^2) */
static const char *
normalise (ToolBuild *build, const char *name, const gint64 kernel[2],
    const char *floor_name, GError **error)
{
  const char *x = build->value, *mean, *squares, *v;

#define BESIDE(op, what, ...)                                                  \
  add_beside (build, op, name, what,                                           \
      (const char *const[]){ __VA_ARGS__, NULL }, NULL, 0, error)
  if (!(mean = add_mean (build, name, "mean", x, kernel, error))
      || !(v = BESIDE ("Mul", "square", x, x))
      || !(squares = add_mean (build, name, "squares", v, kernel, error))
      || !(v = BESIDE ("Mul", "mean-squared", mean, mean))
      || !(v = BESIDE ("Sub", "variance", squares, v))
      || !(v = BESIDE ("Relu", "positive", v))
      || !(v = BESIDE ("Add", "floored", v, floor_name))
      || !(v = BESIDE ("Sqrt", "deviation", v))
      || !(x = add_middle (build, name, kernel, error))
      || !(x = BESIDE ("Sub", "centred", x, mean)))
    return NULL;
  return BESIDE ("Div", "out", x, v);
#undef BESIDE
}

/* Subtractive and divisive local contrast normalisation of one channel.
 * Source: Jarrett, Kavukcuoglu, Ranzato, LeCun, "What is the best multi-stage
 * architecture for object recognition?", 2009; here with a square window. */
static gboolean
add_lcn (ToolBuild *build, const ToolLayer *layer, GError **error)
{
  const gint64 one[2] = { 1, 1 }, none[2] = { 0, 0 };
  gint64 kernel[2];
  double least;
  int kh, kw;
  float square;
  CnnTensor tensor = { CNN_TYPE_FLOAT32, { 0 }, &square };
  char *name, *constant;
  const char *out = NULL;
  ToolBuild before = *build;

  if (!tool_parse_size (layer->words[0], TOOL_BUILD_KERNEL, &kh, &kw, error)
      || !tool_parse_double (layer->words[1], 1e-4, 1e6, &least, error))
    return FALSE;
  kernel[0] = kh;
  kernel[1] = kw;
  if (!tool_build_slide (build, kernel, one, none, one, error))
    return FALSE;
  square = (float) (least * least);
  name = tool_build_name (build, "lcn");
  constant = g_strdup_printf ("%s.floor", name);
  before.cause = (CnnError){ 0 };
  if (cnn_graph_add_constant (build->graph, constant, &tensor, &build->cause)
      != CNN_OK)
    tool_fail_cnn (error, name, &build->cause);
  else
    out = normalise (&before, name, kernel, constant, error);
  g_free (constant);
  g_free (name);
  if (!out)
    return FALSE;
  g_free (build->value);
  build->value = g_strdup (out);
  return TRUE;
}

static const LayerKind kinds[] = {
  { "lcn", "HxW FLOOR", 2, 0, { NULL }, add_lcn },
  { "conv",
      "CHANNELS HxW [from table-NAME] [stride=] [pad=] [dilation=] [group=] "
      "[border=] [bias=]",
      2, 2, { "stride", "pad", "dilation", "group", "border", "bias" },
      add_conv },
  { "local", "MAPS HxW [stride=] [pad=] [border=]", 2, 0,
      { "stride", "pad", "border" }, tool_early_local },
  { "maxpool", "HxW [stride=] [pad=]", 1, 0, { "stride", "pad" }, add_pool },
  { "avgpool", "HxW [stride=] [pad=]", 1, 0, { "stride", "pad" }, add_pool },
  { "subsample", "HxW", 1, 0, { NULL }, tool_early_subsample },
  { "dense", "UNITS", 1, 0, { NULL }, add_dense },
  { "codes", "", 0, 0, { NULL }, tool_early_codes },
  { "relu", "", 0, 0, { NULL }, add_activation },
  { "tanh", "", 0, 0, { NULL }, add_activation },
  { "ltanh", "", 0, 0, { NULL }, tool_early_ltanh },
  { "sigmoid", "", 0, 0, { NULL }, add_activation },
  { "dropout", "SHARE", 1, 0, { NULL }, add_dropout },
};

static gboolean
parse_option (const LayerKind *kind, char *word, ToolLayer *layer,
    GError **error)
{
  char *equals = strchr (word, '=');
  const char *key = NULL;
  int i, at = 0;

  *equals = '\0';
  for (i = 0; i < TOOL_BUILD_OPTIONS && kind->keys[i]; i++)
    if (strcmp (kind->keys[i], word) == 0)
      key = kind->keys[i];
  if (!key)
    return tool_fail (error, "no option '%s'", word);
  if (tool_build_option (layer, key))
    return tool_fail (error, "option '%s' given twice", word);
  while (layer->options[at].key)
    at++;
  layer->options[at].key = key;
  layer->options[at].text = equals + 1;
  if (strcmp (key, "border") == 0 || strcmp (key, "bias") == 0)
    return TRUE;
  return tool_parse_size (equals + 1, TOOL_BUILD_KERNEL, &layer->options[at].y,
      &layer->options[at].x, error);
}

static gboolean
parse_layer (const LayerKind *kind, char **words, ToolLayer *layer,
    GError **error)
{
  for (int i = 1; words[i]; i++) {
    if (!*words[i])
      continue;
    if (strchr (words[i], '=')) {
      if (!parse_option (kind, words[i], layer, error))
        return FALSE;
    } else if (layer->n_words == kind->n_words + kind->more_words) {
      return tool_fail (error, "'%s' is too much, wanted: %s %s", words[i],
          kind->kind, kind->usage);
    } else {
      layer->words[layer->n_words++] = words[i];
    }
  }
  if (layer->n_words < kind->n_words)
    return tool_fail (error, "too little, wanted: %s %s", kind->kind,
        kind->usage);
  return TRUE;
}

static gboolean
add_layer (ToolBuild *build, const char *text, GError **error)
{
  char **words = g_strsplit_set (text, " \t", -1);
  const LayerKind *kind = NULL;
  ToolLayer layer = { 0 };
  gboolean ok;

  for (gsize i = 0; words[0] && i < G_N_ELEMENTS (kinds); i++)
    if (strcmp (kinds[i].kind, words[0]) == 0)
      kind = &kinds[i];
  if (kind) {
    layer.kind = kind->kind;
    ok = parse_layer (kind, words, &layer, error)
        && kind->add (build, &layer, error);
  } else {
    ok = tool_fail (error, "no such kind of layer");
  }
  if (!ok)
    g_prefix_error (error, "layer '%s': ", text);
  g_strfreev (words);
  return ok;
}

/* Layers without blanks around them, and without empty ones at the end. */
static char **
split_layers (const char *layers)
{
  char **parts = g_strsplit (layers, ";", -1);
  guint count = g_strv_length (parts);

  for (guint i = 0; i < count; i++)
    g_strstrip (parts[i]);
  while (count > 0 && !*parts[count - 1])
    g_clear_pointer (&parts[--count], g_free);
  return parts;
}

static gboolean
add_ends (ToolBuild *build, GError **error)
{
  CnnShape input = { 4, { 1, build->c, build->h, build->w } };

  if (cnn_graph_add_input (build->graph, TOOL_LAYERS_INPUT, CNN_TYPE_FLOAT32,
          &input, &build->cause)
          != CNN_OK
      || cnn_graph_add_output (build->graph, TOOL_LAYERS_OUTPUT, &build->cause)
          != CNN_OK)
    return tool_fail_cnn (error, "network", &build->cause);
  return TRUE;
}

/* The last layer's units, parted into classes and box. */
static gboolean
split_heads (ToolBuild *build, int classes, GError **error)
{
  gint64 sizes[] = { classes, 4 };
  CnnTensor tensor = { CNN_TYPE_INT64, { 1, { 2 } }, sizes };
  CnnAttribute axis = { .name = "axis", .type = CNN_ATTRIBUTE_INT, .i = 1 };
  const char *inputs[] = { build->value, "heads.sizes" };
  const char *outputs[] = { TOOL_LAYERS_OUTPUT, TOOL_LAYERS_BOXES };

  if (cnn_graph_add_constant (build->graph, inputs[1], &tensor, &build->cause)
          != CNN_OK
      || cnn_graph_add_node (build->graph, "Split", "heads", inputs, 2, outputs,
             2, &axis, 1, &build->cause)
          != CNN_OK
      || cnn_graph_add_output (build->graph, TOOL_LAYERS_BOXES, &build->cause)
          != CNN_OK)
    return tool_fail_cnn (error, "heads", &build->cause);
  build->c = classes;
  return TRUE;
}

gboolean
tool_layers_build (CnnGraph *graph, const char *layers, int channels,
    int height, int width, int classes, gboolean boxes, GError **error)
{
  ToolBuild build = { .graph = graph,
    .value = g_strdup (TOOL_LAYERS_INPUT),
    .c = channels,
    .h = height,
    .w = width,
    .numbers = g_hash_table_new (g_str_hash, g_str_equal) };
  char **parts = split_layers (layers);
  gboolean ok = add_ends (&build, error);

  if (ok && !parts[0])
    ok = tool_fail (error, "no layers");
  for (int i = 0; ok && parts[i]; i++) {
    build.last = !parts[i + 1] && !boxes;
    ok = add_layer (&build, parts[i], error);
  }
  if (ok && (build.c != classes + (boxes ? 4 : 0) || !build.flat))
    ok = tool_fail (error,
        "the last layer must be dense with %d units, one for each label%s",
        classes + (boxes ? 4 : 0), boxes ? " and four for the box" : "");
  ok = ok && (!boxes || split_heads (&build, classes, error));
  g_strfreev (parts);
  g_hash_table_unref (build.numbers);
  g_free (build.value);
  return ok;
}
