/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* writer.c: from a model to the bytes of an ONNX file.
 *
 * The messages are built in memory that lives as long as the writer and
 * borrows names and weights from the model; libprotobuf-c packs them in the
 * order of field numbers, so the same model gives the same bytes.
 *
 * The operator set comes last, out of order, which protobuf allows: a file
 * that was cut off anywhere, even between two fields, is thus known to be. */

#include <cnn/onnx.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/size.h"
#include "graph/program.h"
#include "onnx/tensorproto.h"
#include "onnx/upgrade.h"
#include "tensor/convert.h"

#define IR_VERSION 8

typedef struct Block
{
  struct Block *next;
  max_align_t memory[];
} Block;

/* @error receives what is not a lack of memory, together with @status. */
typedef struct
{
  const CnnGraph *graph;
  int opset;
  CnnStatus status;
  CnnError *error;
  Block *blocks;
  size_t bytes;
} Writer;

/* Zeroed memory for @count elements until the writer ends; NULL if there is
 * none. */
static void *
take (Writer *writer, size_t count, size_t element_bytes)
{
  size_t bytes;
  if (!cnn_size_mul (count, element_bytes, &bytes)
      || !cnn_size_add (bytes, sizeof (Block), &bytes))
    return NULL;
  writer->bytes += bytes;
  Block *block = calloc (1, bytes);
  if (!block)
    return NULL;
  block->next = writer->blocks;
  writer->blocks = block;
  return block->memory;
}

static void
release (Writer *writer)
{
  while (writer->blocks) {
    Block *next = writer->blocks->next;
    free (writer->blocks);
    writer->blocks = next;
  }
}

/* libprotobuf-c's structs have no const, but packing does not write. */
static char *
borrow (const char *text)
{
  return (char *) text;
}

static const char *
value_name (const Writer *writer, int value)
{
  return value < 0 ? "" : writer->graph->values[value].name;
}

/* Two elements a byte, the first in the lower half. */
static void *
packed_nibbles (Writer *writer, const CnnTensor *tensor, size_t elements)
{
  unsigned char *packed =
      take (writer, cnn_onnx_raw_bytes (tensor->type, elements) + 1, 1);
  const unsigned char *from = tensor->data;
  for (size_t i = 0; packed && i < elements; i++)
    packed[i / 2] |= (unsigned char) ((from[i] & 15) << (i % 2 * 4));
  return packed;
}

static void *
raw_data (Writer *writer, const CnnTensor *tensor, size_t elements)
{
  if (cnn_type_is_nibble (tensor->type))
    return packed_nibbles (writer, tensor, elements);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  size_t width = cnn_type_bytes (tensor->type);
  void *copy = take (writer, elements, width);
  if (copy)
    cnn_onnx_swap_bytes (memcpy (copy, tensor->data, elements * width),
        elements, width);
  return copy;
#else
  return tensor->data;
#endif
}

static Onnx__TensorProto *
make_tensor (Writer *writer, const CnnTensor *tensor, const char *name)
{
  size_t elements;
  Onnx__TensorProto *proto = take (writer, 1, sizeof *proto);
  if (!proto || cnn_shape_elements (&tensor->shape, &elements) != CNN_OK)
    return NULL;

  onnx__tensor_proto__init (proto);
  proto->n_dims = (size_t) tensor->shape.rank;
  proto->dims = (int64_t *) tensor->shape.dims;
  proto->has_data_type = 1;
  proto->data_type = (int32_t) tensor->type;
  proto->name = borrow (name);
  proto->has_raw_data = 1;
  proto->raw_data.len = cnn_onnx_raw_bytes (tensor->type, elements);
  proto->raw_data.data = raw_data (writer, tensor, elements);
  return proto->raw_data.data || !elements ? proto : NULL;
}

static Onnx__AttributeProto *
make_attribute (Writer *writer, const CnnAttribute *attribute)
{
  Onnx__AttributeProto *proto = take (writer, 1, sizeof *proto);
  if (!proto)
    return NULL;

  onnx__attribute_proto__init (proto);
  proto->name = borrow (attribute->name);
  proto->has_type = 1;
  proto->type = (Onnx__AttributeProto__AttributeType) attribute->type;
  switch (attribute->type) {
    case CNN_ATTRIBUTE_FLOAT:
      proto->has_f = 1;
      proto->f = attribute->f;
      break;
    case CNN_ATTRIBUTE_INT:
      proto->has_i = 1;
      proto->i = attribute->i;
      break;
    case CNN_ATTRIBUTE_STRING:
      proto->has_s = 1;
      proto->s.len = strlen (attribute->s);
      proto->s.data = (uint8_t *) attribute->s;
      break;
    case CNN_ATTRIBUTE_TENSOR:
      proto->t = make_tensor (writer, attribute->t, NULL);
      return proto->t ? proto : NULL;
    case CNN_ATTRIBUTE_FLOATS:
      proto->n_floats = (size_t) attribute->count;
      proto->floats = (float *) attribute->floats;
      break;
    case CNN_ATTRIBUTE_INTS:
      proto->n_ints = (size_t) attribute->count;
      proto->ints = (int64_t *) attribute->ints;
      break;
  }
  return proto;
}

static char **
make_names (Writer *writer, const int *values, int count)
{
  char **names = take (writer, (size_t) count, sizeof *names);
  for (int i = 0; names && i < count; i++)
    names[i] = borrow (value_name (writer, values[i]));
  return names;
}

/* The node's attributes as the file's opset has them. */
static const CnnAttribute *
attributes_of (Writer *writer, const CnnNode *node, int *count)
{
  *count = node->n_attributes;
  if (node->opset == writer->opset)
    return node->attributes;
  CnnAttribute *kept = take (writer, (size_t) *count, sizeof *kept);
  if (kept)
    writer->status = cnn_onnx_upgrade_node (writer->graph, node, writer->opset,
        kept, count, writer->error);
  return writer->status ? NULL : kept;
}

static Onnx__NodeProto *
make_node (Writer *writer, const CnnNode *node)
{
  Onnx__NodeProto *proto = take (writer, 1, sizeof *proto);
  if (!proto)
    return NULL;

  int count;
  const CnnAttribute *attributes = attributes_of (writer, node, &count);
  onnx__node_proto__init (proto);
  proto->op_type = borrow (node->op->name);
  proto->name = node->name && *node->name ? node->name : NULL;
  proto->n_input = (size_t) node->n_in;
  proto->input = make_names (writer, node->in, node->n_in);
  proto->n_output = (size_t) node->n_out;
  proto->output = make_names (writer, node->out, node->n_out);
  proto->n_attribute = (size_t) count;
  proto->attribute = take (writer, (size_t) count, sizeof *proto->attribute);
  if (!attributes || !proto->input || !proto->output || !proto->attribute)
    return NULL;
  for (int i = 0; i < count; i++) {
    proto->attribute[i] = make_attribute (writer, &attributes[i]);
    if (!proto->attribute[i])
      return NULL;
  }
  return proto;
}

/* What the dimensions of a picture are called in ONNX. */
static const char *
dimension_denotation (int axis)
{
  static const char *const names[] = { "DATA_BATCH", "DATA_CHANNEL",
    "DATA_FEATURE", "DATA_FEATURE" };
  return names[axis];
}

static Onnx__TensorShapeProto *
make_shape (Writer *writer, const CnnShape *shape, bool is_image)
{
  size_t rank = (size_t) shape->rank;
  Onnx__TensorShapeProto *proto = take (writer, 1, sizeof *proto);
  Onnx__TensorShapeProto__Dimension *dims = take (writer, rank, sizeof *dims),
                                    **list = take (writer, rank, sizeof *list);
  if (!proto || !dims || !list)
    return NULL;

  onnx__tensor_shape_proto__init (proto);
  proto->n_dim = rank;
  proto->dim = list;
  for (int i = 0; i < shape->rank; i++) {
    list[i] = &dims[i];
    onnx__tensor_shape_proto__dimension__init (&dims[i]);
    if (shape->dims[i] >= 0) {
      dims[i].value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
      dims[i].dim_value = shape->dims[i];
    }
    if (is_image)
      dims[i].denotation = borrow (dimension_denotation (i));
  }
  return proto;
}

static Onnx__ValueInfoProto *
make_value (Writer *writer, int value, bool is_image)
{
  const CnnTensor *tensor = &writer->graph->values[value].tensor;
  Onnx__ValueInfoProto *proto = take (writer, 1, sizeof *proto);
  Onnx__TypeProto *type = take (writer, 1, sizeof *type);
  Onnx__TypeProto__Tensor *what = take (writer, 1, sizeof *what);
  if (!proto || !type || !what)
    return NULL;

  onnx__value_info_proto__init (proto);
  onnx__type_proto__init (type);
  onnx__type_proto__tensor__init (what);
  proto->name = borrow (value_name (writer, value));
  proto->type = type;
  type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
  type->tensor_type = what;
  type->denotation = is_image ? borrow ("IMAGE") : NULL;
  what->has_elem_type = 1;
  what->elem_type = (int32_t) tensor->type;
  what->shape = make_shape (writer, &tensor->shape, is_image);
  return what->shape ? proto : NULL;
}

static bool
is_image (const CnnGraph *graph, int value)
{
  return graph->values[value].tensor.shape.rank == 4
      && (cnn_graph_metadata (graph, "Image.BitmapPixelFormat")
          || cnn_graph_metadata (graph, "Image.NominalPixelRange"));
}

static Onnx__ValueInfoProto **
make_values (Writer *writer, const int *values, size_t count, bool inputs)
{
  Onnx__ValueInfoProto **list = take (writer, count, sizeof *list);
  for (size_t i = 0; list && i < count; i++) {
    list[i] = make_value (writer, values[i],
        inputs && is_image (writer->graph, values[i]));
    if (!list[i])
      return NULL;
  }
  return list;
}

static bool
make_nodes (Writer *writer, Onnx__GraphProto *proto)
{
  const CnnGraph *graph = writer->graph;
  proto->n_node = graph->n_nodes;
  proto->node = take (writer, graph->n_nodes, sizeof *proto->node);
  for (size_t i = 0; proto->node && i < graph->n_nodes; i++) {
    proto->node[i] = make_node (writer, &graph->nodes[i]);
    if (!proto->node[i])
      return false;
  }
  return proto->node != NULL;
}

/* Constants that something reads: folding may have left others behind. */
static bool
make_initializers (Writer *writer, Onnx__GraphProto *proto)
{
  const CnnGraph *graph = writer->graph;
  unsigned char *used = take (writer, graph->n_values, 1);
  proto->initializer =
      take (writer, graph->n_values, sizeof *proto->initializer);
  if (!used || !proto->initializer)
    return false;

  for (size_t i = 0; i < graph->n_nodes; i++)
    for (int k = 0; k < graph->nodes[i].n_in; k++)
      if (graph->nodes[i].in[k] >= 0)
        used[graph->nodes[i].in[k]] = 1;
  for (size_t i = 0; i < graph->n_outputs; i++)
    used[graph->outputs[i]] = 1;

  for (size_t i = 0; i < graph->n_values; i++) {
    const CnnValue *value = &graph->values[i];
    if (!used[i] || value->producer >= 0 || value->is_input)
      continue;
    Onnx__TensorProto *tensor =
        make_tensor (writer, &value->tensor, value->name);
    if (!tensor)
      return false;
    proto->initializer[proto->n_initializer++] = tensor;
  }
  return true;
}

static Onnx__GraphProto *
make_graph (Writer *writer)
{
  const CnnGraph *graph = writer->graph;
  Onnx__GraphProto *proto = take (writer, 1, sizeof *proto);
  if (!proto)
    return NULL;

  onnx__graph_proto__init (proto);
  proto->name = borrow ("convnet");
  proto->n_input = graph->n_inputs;
  proto->input = make_values (writer, graph->inputs, graph->n_inputs, true);
  proto->n_output = graph->n_outputs;
  proto->output = make_values (writer, graph->outputs, graph->n_outputs, false);
  return proto->input && proto->output && make_nodes (writer, proto)
          && make_initializers (writer, proto)
      ? proto
      : NULL;
}

static bool
make_metadata (Writer *writer, Onnx__ModelProto *proto)
{
  const CnnGraph *graph = writer->graph;
  size_t count = graph->n_metadata;
  Onnx__StringStringEntryProto *entries = take (writer, count, sizeof *entries);
  proto->n_metadata_props = count;
  proto->metadata_props = take (writer, count, sizeof *proto->metadata_props);
  if (!entries || !proto->metadata_props)
    return false;

  for (size_t i = 0; i < count; i++) {
    onnx__string_string_entry_proto__init (&entries[i]);
    entries[i].key = graph->keys[i];
    entries[i].value = graph->texts[i];
    proto->metadata_props[i] = &entries[i];
  }
  return true;
}

/* The two parts of the file: the operator set alone, and everything else. */
static CnnStatus
pack (const Onnx__ModelProto *model, int opset, void **bytes, size_t *size,
    CnnError *error)
{
  Onnx__OperatorSetIdProto set = ONNX__OPERATOR_SET_ID_PROTO__INIT;
  Onnx__OperatorSetIdProto *sets[] = { &set };
  Onnx__ModelProto tail = ONNX__MODEL_PROTO__INIT;
  set.domain = borrow ("");
  set.has_version = 1;
  set.version = opset;
  tail.n_opset_import = 1;
  tail.opset_import = sets;

  size_t head_bytes = onnx__model_proto__get_packed_size (model);
  size_t tail_bytes = onnx__model_proto__get_packed_size (&tail);
  if (head_bytes > CNN_ONNX_MAX_BYTES - tail_bytes)
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "the file would have %zu bytes, more than %zu", head_bytes + tail_bytes,
        CNN_ONNX_MAX_BYTES);
  uint8_t *packed = malloc (head_bytes + tail_bytes);
  if (!packed)
    return cnn_error_memory (error, head_bytes + tail_bytes, "the file");
  onnx__model_proto__pack (model, packed);
  onnx__model_proto__pack (&tail, packed + head_bytes);
  *bytes = packed;
  *size = head_bytes + tail_bytes;
  return CNN_OK;
}

CnnStatus
cnn_onnx_write (const CnnModel *model, void **bytes, size_t *size,
    CnnError *error)
{
  const CnnGraph *graph = cnn_model_written (model);
  Writer writer = {
    .graph = graph,
    .opset = cnn_onnx_graph_opset (graph),
    .error = error,
  };
  Onnx__ModelProto proto = ONNX__MODEL_PROTO__INIT;

  proto.has_ir_version = 1;
  proto.ir_version = IR_VERSION;
  proto.producer_name = borrow ("gst-convnet");
  proto.graph = make_graph (&writer);
  CnnStatus status = writer.status;
  if (!status)
    status = proto.graph && make_metadata (&writer, &proto)
        ? pack (&proto, writer.opset, bytes, size, error)
        : cnn_error_memory (error, writer.bytes, "the file's messages");
  release (&writer);
  return status;
}
