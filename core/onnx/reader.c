/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* reader.c: from an unpacked ONNX file to a model.
 *
 * This file knows what ONNX says about files: versions, domains, which values
 * are inputs, where numbers are. What an operator accepts is the operator's
 * own business (its parse() and infer()), and what a graph must be is
 * cnn_model_new()'s. */

#include "onnx/reader.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/size.h"
#include "graph/nodes.h"
#include "onnx/scan.h"
#include "onnx/tensorproto.h"
#include "onnx/unpack.h"

/* The unpacked weights are as large as the file, everything else is bounded
 * by the scan's limits. */
#define BUDGET_BYTES ((size_t) 256 << 20)

/* Fields of ONNX that onnx.proto leaves out and that change what a file
 * means. */
enum
{
  ATTRIBUTE_REF_ATTR_NAME = 21,
  GRAPH_SPARSE_INITIALIZER = 15
};

static const char *
text_of (const char *text)
{
  return text ? text : "";
}

static bool
is_standard_domain (const char *domain)
{
  return !domain || !*domain || !strcmp (domain, "ai.onnx");
}

static CnnStatus
read_versions (const Onnx__ModelProto *proto, int *opset, CnnError *error)
{
  if (!proto->graph)
    return cnn_error_set (error, CNN_ERROR_FORMAT,
        "not an ONNX model: there is no graph");
  if (!proto->has_ir_version || proto->ir_version < CNN_ONNX_MIN_IR
      || proto->ir_version > CNN_ONNX_MAX_IR)
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "the model has IR version %" PRId64 ", supported are %d to %d",
        proto->has_ir_version ? proto->ir_version : 0, CNN_ONNX_MIN_IR,
        CNN_ONNX_MAX_IR);

  int64_t version = 0;
  for (size_t i = 0; i < proto->n_opset_import; i++)
    if (is_standard_domain (proto->opset_import[i]->domain)
        && proto->opset_import[i]->version > version)
      version = proto->opset_import[i]->version;
  if (!version && proto->n_opset_import
      && !is_standard_domain (proto->opset_import[0]->domain))
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "the model uses operators of domain '%s' only",
        proto->opset_import[0]->domain);
  if (!version)
    return cnn_error_set (error, CNN_ERROR_FORMAT,
        "the model does not say which version of ONNX's operators it uses");
  if (version < CNN_ONNX_MIN_OPSET || version > CNN_ONNX_MAX_OPSET)
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "the model uses opset %" PRId64 ", supported are %d to %d", version,
        CNN_ONNX_MIN_OPSET, CNN_ONNX_MAX_OPSET);
  *opset = (int) version;
  return CNN_OK;
}

static CnnStatus
add_initializer (CnnGraph *graph, Onnx__TensorProto *proto, CnnError *error)
{
  const char *name = text_of (proto->name);
  CnnTensor tensor;
  void *owned = NULL;

  if (!*name)
    return cnn_error_set (error, CNN_ERROR_FORMAT,
        "an initializer has no name");
  CnnStatus status = cnn_onnx_read_tensor (proto, &tensor, &owned, error);
  if (status != CNN_OK) {
    cnn_error_prefix (error, "initializer '%s'", name);
    return status;
  }
  status = cnn_graph_add_constant (graph, name, &tensor, error);
  free (owned);
  return status;
}

static CnnStatus
read_input_shape (const Onnx__TensorShapeProto *proto, CnnShape *shape,
    CnnError *error)
{
  if (proto->n_dim > CNN_MAX_RANK)
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "it has %zu dimensions, more than %d", proto->n_dim, CNN_MAX_RANK);

  shape->rank = (int) proto->n_dim;
  for (int i = 0; i < shape->rank; i++) {
    const Onnx__TensorShapeProto__Dimension *dim = proto->dim[i];
    bool fixed =
        dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
    if (fixed && dim->dim_value < 0)
      return cnn_error_set (error, CNN_ERROR_FORMAT,
          "dimension %d is negative: %" PRId64, i, dim->dim_value);
    shape->dims[i] = fixed ? dim->dim_value : -1;
  }
  return CNN_OK;
}

static CnnStatus
read_input_type (const Onnx__TypeProto *proto, CnnTensor *tensor,
    CnnError *error)
{
  if (!proto || proto->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE)
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "it is not said to be a tensor");

  const Onnx__TypeProto__Tensor *type = proto->tensor_type;
  CnnStatus status = cnn_onnx_check_type (type->elem_type, error);
  if (status != CNN_OK)
    return status;
  if (!type->shape)
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "its number of dimensions is not said");
  tensor->type = (CnnType) type->elem_type;
  return read_input_shape (type->shape, &tensor->shape, error);
}

/* Until IR version 4 every initializer was listed as an input too. */
static bool
is_constant (const CnnGraph *graph, const char *name)
{
  int i = cnn_graph_find (graph, name);
  return i >= 0 && !graph->values[i].is_input && graph->values[i].tensor.data;
}

static CnnStatus
add_input (CnnGraph *graph, const Onnx__ValueInfoProto *proto, CnnError *error)
{
  const char *name = text_of (proto->name);
  CnnTensor tensor = { 0 };

  if (!*name)
    return cnn_error_set (error, CNN_ERROR_FORMAT, "an input has no name");
  if (is_constant (graph, name))
    return CNN_OK;
  CnnStatus status = read_input_type (proto->type, &tensor, error);
  if (status != CNN_OK) {
    cnn_error_prefix (error, "input '%s'", name);
    return status;
  }
  return cnn_graph_add_input (graph, name, tensor.type, &tensor.shape, error);
}

/* What a node's attribute needs beside the CnnAttribute itself. */
typedef struct
{
  CnnTensor tensor;
  void *owned;
  char *string;
} Extra;

static CnnStatus
read_string (const Onnx__AttributeProto *proto, CnnAttribute *attribute,
    Extra *extra, CnnError *error)
{
  if (!cnn_onnx_is_text (proto->s.data, proto->s.len))
    return cnn_error_set (error, CNN_ERROR_FORMAT,
        "its value is not UTF-8 text, or contains a NUL");
  extra->string = calloc (proto->s.len + 1, 1);
  if (!extra->string)
    return cnn_error_memory (error, proto->s.len + 1, "an attribute");
  if (proto->s.len)
    memcpy (extra->string, proto->s.data, proto->s.len);
  attribute->s = extra->string;
  return CNN_OK;
}

static CnnStatus
read_tensor_attribute (const Onnx__AttributeProto *proto,
    CnnAttribute *attribute, Extra *extra, CnnError *error)
{
  if (!proto->t)
    return cnn_error_set (error, CNN_ERROR_FORMAT, "it has no tensor");
  attribute->t = &extra->tensor;
  return cnn_onnx_read_tensor (proto->t, &extra->tensor, &extra->owned, error);
}

static CnnStatus
read_list_length (size_t count, CnnAttribute *attribute, CnnError *error)
{
  if (count > INT32_MAX)
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED, "it has %zu numbers",
        count);
  attribute->count = (int) count;
  return CNN_OK;
}

static CnnStatus
read_attribute_value (const Onnx__AttributeProto *proto,
    CnnAttribute *attribute, Extra *extra, CnnError *error)
{
  const ProtobufCEnumValue *type = protobuf_c_enum_descriptor_get_value (
      &onnx__attribute_proto__attribute_type__descriptor, proto->type);

  if (cnn_onnx_has_unknown (&proto->base, ATTRIBUTE_REF_ATTR_NAME))
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "it stands for a function's attribute");
  attribute->type = (CnnAttributeType) proto->type;
  attribute->i = proto->i;
  attribute->f = proto->f;
  attribute->ints = proto->ints;
  attribute->floats = proto->floats;
  switch (proto->type) {
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT:
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT:
      return CNN_OK;
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING:
      return read_string (proto, attribute, extra, error);
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR:
      return read_tensor_attribute (proto, attribute, extra, error);
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS:
      return read_list_length (proto->n_floats, attribute, error);
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS:
      return read_list_length (proto->n_ints, attribute, error);
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__UNDEFINED:
      return cnn_error_set (error, CNN_ERROR_FORMAT, "its type is not said");
    default:
      return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
          "attributes of type %s (%d) are not supported",
          type ? type->name : "unknown", (int) proto->type);
  }
}

static CnnStatus
read_attribute (const Onnx__AttributeProto *proto, CnnAttribute *attribute,
    Extra *extra, CnnError *error)
{
  attribute->name = text_of (proto->name);
  if (!*attribute->name)
    return cnn_error_set (error, CNN_ERROR_FORMAT, "an attribute has no name");
  CnnStatus status = read_attribute_value (proto, attribute, extra, error);
  if (status != CNN_OK)
    cnn_error_prefix (error, "attribute '%s'", attribute->name);
  return status;
}

static CnnStatus
check_node (const Onnx__NodeProto *proto, CnnError *error)
{
  if (!is_standard_domain (proto->domain))
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "operators of domain '%s' are not supported", proto->domain);
  if (!*text_of (proto->op_type))
    return cnn_error_set (error, CNN_ERROR_FORMAT, "it has no operator");
  if (proto->n_input > CNN_MAX_NODE_TENSORS
      || proto->n_output > CNN_MAX_NODE_TENSORS)
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "it has %zu inputs and %zu outputs, more than %d", proto->n_input,
        proto->n_output, CNN_MAX_NODE_TENSORS);
  return CNN_OK;
}

/* The attributes' memory, then the node. */
static CnnStatus
add_checked_node (CnnGraph *graph, const Onnx__NodeProto *proto,
    CnnError *error)
{
  size_t count = proto->n_attribute;
  CnnAttribute *attributes = calloc (count + 1, sizeof *attributes);
  Extra *extras = calloc (count + 1, sizeof *extras);
  CnnStatus status = attributes && extras
      ? CNN_OK
      : cnn_error_memory (error, count * (sizeof *attributes + sizeof *extras),
          "attributes");

  for (size_t i = 0; i < count && status == CNN_OK; i++)
    status =
        read_attribute (proto->attribute[i], &attributes[i], &extras[i], error);
  if (status != CNN_OK)
    cnn_error_prefix (error, "%s '%s'", proto->op_type, text_of (proto->name));
  else
    status = cnn_graph_add_node (graph, proto->op_type, text_of (proto->name),
        (const char *const *) proto->input, (int) proto->n_input,
        (const char *const *) proto->output, (int) proto->n_output, attributes,
        (int) count, error);

  for (size_t i = 0; extras && i < count; i++) {
    free (extras[i].owned);
    free (extras[i].string);
  }
  free (extras);
  free (attributes);
  return status;
}

static CnnStatus
add_node (CnnGraph *graph, const Onnx__NodeProto *proto, CnnError *error)
{
  CnnStatus status = check_node (proto, error);
  if (status == CNN_OK)
    return add_checked_node (graph, proto, error);
  cnn_error_prefix (error, "%s '%s'",
      *text_of (proto->op_type) ? proto->op_type : "node",
      text_of (proto->name));
  return status;
}

static CnnStatus
add_metadata (CnnGraph *graph, const Onnx__StringStringEntryProto *proto,
    CnnError *error)
{
  const char *key = text_of (proto->key);
  if (!*key)
    return cnn_error_set (error, CNN_ERROR_FORMAT,
        "an entry of metadata_props has no key");
  if (cnn_graph_metadata (graph, key))
    return cnn_error_set (error, CNN_ERROR_FORMAT,
        "metadata_props has the key '%s' a second time", key);
  return cnn_graph_set_metadata (graph, key, text_of (proto->value), error);
}

/* Constants before inputs, so that inputs which are constants are known. */
static CnnStatus
fill_graph (CnnGraph *graph, const Onnx__ModelProto *model, CnnError *error)
{
  const Onnx__GraphProto *proto = model->graph;
  CnnStatus status = CNN_OK;

  if (cnn_onnx_has_unknown (&proto->base, GRAPH_SPARSE_INITIALIZER))
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "the model has sparse initializers, which are not supported");
  if (model->n_metadata_props > CNN_ONNX_MAX_METADATA)
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "the model has %zu entries of metadata_props, more than %d",
        model->n_metadata_props, CNN_ONNX_MAX_METADATA);
  if (proto->n_output > CNN_ONNX_MAX_OUTPUTS)
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "the model has %zu outputs, more than %d", proto->n_output,
        CNN_ONNX_MAX_OUTPUTS);

  for (size_t i = 0; i < model->n_metadata_props && status == CNN_OK; i++)
    status = add_metadata (graph, model->metadata_props[i], error);
  for (size_t i = 0; i < proto->n_initializer && status == CNN_OK; i++)
    status = add_initializer (graph, proto->initializer[i], error);
  for (size_t i = 0; i < proto->n_input && status == CNN_OK; i++)
    status = add_input (graph, proto->input[i], error);
  for (size_t i = 0; i < proto->n_node && status == CNN_OK; i++)
    status = add_node (graph, proto->node[i], error);
  for (size_t i = 0; i < proto->n_output && status == CNN_OK; i++)
    status =
        cnn_graph_add_output (graph, text_of (proto->output[i]->name), error);
  return status;
}

static CnnStatus
build_graph (const Onnx__ModelProto *proto, CnnGraph **graph, CnnError *error)
{
  int opset = 0;
  CnnGraph *built = NULL;
  CnnStatus status = read_versions (proto, &opset, error);
  if (status == CNN_OK)
    status = cnn_graph_new (opset, &built, error);
  if (status == CNN_OK)
    status = fill_graph (built, proto, error);
  if (status != CNN_OK) {
    cnn_graph_free (built);
    return status;
  }
  *graph = built;
  return CNN_OK;
}

CnnStatus
cnn_onnx_read_within (const void *bytes, size_t size, size_t budget_bytes,
    CnnModel **model, CnnError *error)
{
  CnnOnnxFile file = { 0 };
  CnnGraph *graph = NULL;

  CnnStatus status = cnn_onnx_scan (bytes, size, error);
  if (status == CNN_OK)
    status = cnn_onnx_unpack (bytes, size, budget_bytes, &file, error);
  if (status == CNN_OK)
    status = build_graph (file.proto, &graph, error);
  /* The graph has its own copies; don't hold two while the model packs. */
  cnn_onnx_file_clear (&file);
  if (status != CNN_OK)
    return status;
  return cnn_model_new (graph, model, error);
}

CnnStatus
cnn_onnx_read (const void *bytes, size_t size, CnnModel **model,
    CnnError *error)
{
  return cnn_onnx_read_within (bytes, size, 2 * size + BUDGET_BYTES, model,
      error);
}

CnnStatus
cnn_onnx_read_tensor_file (const void *bytes, size_t size, CnnTensor *tensor,
    CnnError *error)
{
  CnnOnnxFile file = { 0 };
  CnnTensor borrowed = { 0 };
  void *owned = NULL;
  size_t n_bytes = 0;

  CnnStatus status = cnn_onnx_scan_tensor (bytes, size, error);
  if (status == CNN_OK)
    status = cnn_onnx_unpack_tensor (bytes, size, 2 * size + BUDGET_BYTES,
        &file, error);
  if (status == CNN_OK)
    status = cnn_onnx_read_tensor (file.tensor, &borrowed, &owned, error);
  if (status == CNN_OK && !cnn_tensor_bytes (&borrowed, &n_bytes)) {
    void *data = cnn_aligned_alloc (n_bytes);
    if (data)
      cnn_copy (data, borrowed.data, n_bytes);
    else
      status = cnn_error_memory (error, n_bytes, "a tensor");
    borrowed.data = data;
  }
  free (owned);
  cnn_onnx_file_clear (&file);
  if (status == CNN_OK)
    *tensor = borrowed;
  return status;
}
