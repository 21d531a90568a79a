/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* metadata.c: what a model's metadata says, read and checked once.
 *
 * Keys are those of docs/formats.md. Everything here comes from files. */

#define _GNU_SOURCE /* strtod_l */

#include "graph/metadata.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"

/** Networks with more output channels than this are no classifiers. */
#define MAX_CLASSES 65536
/** Bounds of convnet.border and convnet.min-size, in pixels. */
#define MAX_BORDER 256
#define MAX_SIZE   32768

typedef struct
{
  const char *name;
  int value;
} Choice;

static CnnStatus
read_choice (const CnnGraph *graph, const char *key, const Choice *choices,
    int *value, CnnError *error)
{
  const char *text = cnn_graph_metadata (graph, key);
  if (!text)
    return CNN_OK;
  for (; choices->name; choices++)
    if (!strcasecmp (text, choices->name)) {
      *value = choices->value;
      return CNN_OK;
    }
  return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
      "metadata %s has the unknown value '%.80s'", key, text);
}

/* Files have a decimal point, wherever the program runs. */
static double
parse_number (const char *text, char **end)
{
  locale_t c = newlocale (LC_ALL_MASK, "C", (locale_t) 0);
  if (c == (locale_t) 0)
    return strtod (text, end);
  double number = strtod_l (text, end, c);
  freelocale (c);
  return number;
}

static CnnStatus
read_fraction (const CnnGraph *graph, const char *key, double *value,
    CnnError *error)
{
  const char *text = cnn_graph_metadata (graph, key);
  char *end;
  if (!text)
    return CNN_OK;
  double number = parse_number (text, &end);
  if (end == text || *end || !isfinite (number) || number < 0 || number > 1)
    return cnn_error_set (error, CNN_ERROR_FORMAT,
        "metadata %s is '%.80s', not a number from 0 to 1", key, text);
  *value = number;
  return CNN_OK;
}

static CnnStatus
read_format (const CnnGraph *graph, CnnModelInfo *info, CnnError *error)
{
  static const Choice formats[] = {
    { "Gray8", CNN_PIXEL_GRAY8 },
    { "Rgb8", CNN_PIXEL_RGB8 },
    { "Rgba8", CNN_PIXEL_RGB8 },
    { "Bgr8", CNN_PIXEL_BGR8 },
    { "Bgra8", CNN_PIXEL_BGR8 },
    { NULL, 0 },
  };
  static const Choice ranges[] = {
    { "NominalRange_0_255", CNN_RANGE_0_255 },
    { "Normalized_0_1", CNN_RANGE_0_1 },
    { "Normalized_1_1", CNN_RANGE_1_1 },
    { "NominalRange_16_235", CNN_RANGE_16_235 },
    { NULL, 0 },
  };
  int format = info->channels == 3 ? CNN_PIXEL_RGB8 : CNN_PIXEL_GRAY8;
  int range = CNN_RANGE_0_1;
  CnnStatus status =
      read_choice (graph, "Image.BitmapPixelFormat", formats, &format, error);
  if (!status)
    status =
        read_choice (graph, "Image.NominalPixelRange", ranges, &range, error);
  if (status)
    return status;
  if ((info->channels == 1) != (format == CNN_PIXEL_GRAY8)
      && (info->channels == 1 || info->channels == 3))
    return cnn_error_set (error, CNN_ERROR_FORMAT,
        "metadata Image.BitmapPixelFormat does not fit an input of %d "
        "channels",
        info->channels);
  info->format = (CnnPixelFormat) format;
  info->range = (CnnPixelRange) range;
  return CNN_OK;
}

static const CnnNode *
producer (const CnnGraph *graph, int value)
{
  int n = graph->values[value].producer;
  return n < 0 ? NULL : &graph->nodes[n];
}

/* Operators that leave probabilities what they are. */
static bool
looks_through (const CnnNode *node)
{
  static const char *const names[] = { "Cast", "DequantizeLinear", "Flatten",
    "Identity", "QuantizeLinear", "Reshape", "Squeeze", "Transpose",
    "Unsqueeze", NULL };
  return cnn_node_is_one_of (node, names);
}

static CnnOutputKind
told_by_last_operator (const CnnGraph *graph)
{
  const CnnNode *node = producer (graph, graph->outputs[0]);
  while (node && node->in[0] >= 0 && looks_through (node))
    node = producer (graph, node->in[0]);
  if (node && !strcmp (node->op->name, "Softmax"))
    return CNN_OUTPUT_SOFTMAX;
  if (node && !strcmp (node->op->name, "LogSoftmax"))
    return CNN_OUTPUT_LOG_SOFTMAX;
  if (node && !strcmp (node->op->name, "Sigmoid"))
    return CNN_OUTPUT_SIGMOID;
  return CNN_OUTPUT_LOGITS;
}

static CnnStatus
read_output (const CnnGraph *graph, CnnModelInfo *info, CnnError *error)
{
  static const Choice kinds[] = {
    { "logits", CNN_OUTPUT_LOGITS },
    { "log-softmax", CNN_OUTPUT_LOG_SOFTMAX },
    { "softmax", CNN_OUTPUT_SOFTMAX },
    { "sigmoid", CNN_OUTPUT_SIGMOID },
    { NULL, 0 },
  };
  int kind = (int) told_by_last_operator (graph);
  CnnStatus status = read_choice (graph, "convnet.output", kinds, &kind, error);
  info->output = (CnnOutputKind) kind;
  return status;
}

/* Lines of @text, empty ones at the end left out. */
static int
count_lines (const char *text)
{
  int lines = 0, used = 0;
  for (const char *c = text; *c;) {
    size_t length = strcspn (c, "\n");
    lines++;
    if (length && c[0] != '\r')
      used = lines;
    c += length + (c[length] == '\n');
  }
  return used;
}

static char *
copy_line (const char **text)
{
  size_t length = strcspn (*text, "\n"), kept = length;
  if (kept && (*text)[kept - 1] == '\r')
    kept--;
  char *line = strndup (*text, kept);
  *text += length + ((*text)[length] == '\n');
  return line;
}

static CnnStatus
read_labels (const CnnGraph *graph, CnnModelInfo *info, CnnError *error)
{
  const char *text = cnn_graph_metadata (graph, "convnet.labels");
  int lines = text ? count_lines (text) : info->classes;
  if (lines != info->classes)
    return cnn_error_set (error, CNN_ERROR_FORMAT,
        "metadata convnet.labels has %d names, the output has %d classes",
        lines, info->classes);

  char **labels = calloc ((size_t) info->classes + 1, sizeof *labels);
  info->labels = (const char *const *) labels;
  if (!labels)
    return cnn_error_memory (error, (size_t) lines, "labels");
  for (int i = 0; i < lines; i++) {
    char number[16];
    snprintf (number, sizeof number, "%d", i);
    labels[i] = text ? copy_line (&text) : strdup (number);
    if (!labels[i])
      return cnn_error_memory (error, sizeof number, "a label");
  }
  return CNN_OK;
}

static CnnStatus
read_background (const CnnGraph *graph, CnnModelInfo *info, CnnError *error)
{
  const char *name = cnn_graph_metadata (graph, "convnet.background");
  info->background = -1;
  if (!name || !*name)
    return CNN_OK;
  for (int i = 0; i < info->classes; i++)
    if (!strcmp (info->labels[i], name))
      info->background = i;
  if (info->background < 0)
    return cnn_error_set (error, CNN_ERROR_FORMAT,
        "metadata convnet.background is '%.80s', which is none of the %d "
        "labels",
        name, info->classes);
  return CNN_OK;
}

static int
small_dim (const CnnShape *shape, int axis, int limit)
{
  if (axis >= shape->rank || shape->dims[axis] < 0 || shape->dims[axis] > limit)
    return 0;
  return (int) shape->dims[axis];
}

/* Of a map its channels; of a row, however many dimensions of 1 it has, its
 * elements. */
static int
count_classes (const CnnGraph *graph, const CnnShape *y)
{
  if (y->rank == 4)
    return small_dim (y,
        cnn_graph_is_channels_last (graph) && y->dims[3] > 1 ? 3 : 1,
        MAX_CLASSES);
  int64_t classes = y->rank > 0;
  for (int d = y->rank > 1; d < y->rank && classes <= MAX_CLASSES; d++)
    classes *= y->dims[d] < 0 || y->dims[d] > MAX_CLASSES ? 0 : y->dims[d];
  return classes <= MAX_CLASSES ? (int) classes : 0;
}

static CnnStatus
read_boxes (const CnnGraph *graph, CnnModelInfo *info, CnnError *error)
{
  const char *name = cnn_graph_metadata (graph, "convnet.boxes");
  info->boxes = -1;
  if (!name || !*name)
    return CNN_OK;
  for (size_t i = 1; i < graph->n_outputs; i++)
    if (!strcmp (graph->values[graph->outputs[i]].name, name))
      info->boxes = (int) i;
  if (info->boxes < 0)
    return cnn_error_set (error, CNN_ERROR_FORMAT,
        "metadata convnet.boxes is '%.80s', which is none of the outputs but "
        "the first",
        name);
  const CnnShape *y = &graph->values[graph->outputs[info->boxes]].tensor.shape;
  if ((y->rank != 2 && y->rank != 4) || y->rank != (info->is_map ? 4 : 2)
      || (y->dims[1] >= 0 && y->dims[1] != 4))
    return cnn_error_set (error, CNN_ERROR_FORMAT,
        "output '%.80s' can't be the box head: it is not 4 numbers %s", name,
        info->is_map ? "a cell" : "a picture");
  return CNN_OK;
}

/* A whole number of pixels, 0 to @most. */
static CnnStatus
read_pixels (const CnnGraph *graph, const char *key, int most, int *pixels,
    CnnError *error)
{
  const char *text = cnn_graph_metadata (graph, key);
  char *end;
  if (!text)
    return CNN_OK;
  long value = strtol (text, &end, 10);
  if (end == text || *end || value < 0 || value > most)
    return cnn_error_set (error, CNN_ERROR_FORMAT,
        "metadata %s is '%.80s', not a number of pixels, 0 to %d", key, text,
        most);
  *pixels = (int) value;
  return CNN_OK;
}

CnnStatus
cnn_info_read (const CnnGraph *graph, CnnModelInfo *info, CnnError *error)
{
  static const CnnShape none;
  const CnnShape *x =
      graph->n_inputs ? &graph->values[graph->inputs[0]].tensor.shape : &none;
  const CnnShape *y = &graph->values[graph->outputs[0]].tensor.shape;
  *info = (CnnModelInfo){
    .background = -1,
    .boxes = -1,
    .object_size = 1,
    .threshold = 0.5,
    .is_map = y->rank == 4,
  };
  if (x->rank == 4) {
    bool last = cnn_graph_is_channels_last (graph);
    info->channels = small_dim (x, last ? 3 : 1, MAX_CLASSES);
    info->height = small_dim (x, last ? 1 : 2, INT32_MAX);
    info->width = small_dim (x, last ? 2 : 3, INT32_MAX);
  }
  info->classes = count_classes (graph, y);

  CnnStatus status = read_format (graph, info, error);
  if (!status)
    status = read_output (graph, info, error);
  if (!status && info->classes)
    status = read_labels (graph, info, error);
  if (!status && info->classes)
    status = read_background (graph, info, error);
  if (!status)
    status =
        read_fraction (graph, "convnet.object-size", &info->object_size, error);
  if (!status)
    status =
        read_fraction (graph, "convnet.threshold", &info->threshold, error);
  if (!status)
    status = read_boxes (graph, info, error);
  if (!status)
    status =
        read_pixels (graph, "convnet.border", MAX_BORDER, &info->border, error);
  if (!status)
    status = read_pixels (graph, "convnet.min-size", MAX_SIZE, &info->min_size,
        error);
  if (!status && info->object_size <= 0)
    status = cnn_error_set (error, CNN_ERROR_FORMAT,
        "metadata convnet.object-size must be larger than 0");
  return status;
}

void
cnn_info_clear (CnnModelInfo *info)
{
  for (int i = 0; info->labels && i < info->classes; i++)
    free ((void *) info->labels[i]);
  free ((void *) info->labels);
  info->labels = NULL;
}
