/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* quantizer.c: shows pictures to a network and counts what values they bring
 * about. The network runs as a copy whose outputs are all that will be
 * quantised. */

#include <cnn/quantize.h>

#include <stdlib.h>
#include <string.h>

#include <cnn/session.h>

#include "base/error.h"
#include "graph/program.h"
#include "graph/quantized_copy.h"
#include "train/histogram.h"

/**
 * CnnQuantizer:
 * @like: see cnn_graph_quantized_points()
 * @points: @n_points values that are quantised on their own; output @first_output
 *   + i of the session is point i
 * @shown: pictures
 */
struct CnnQuantizer
{
  CnnModel *model;
  const CnnGraph *graph;
  int *like, *points;
  int n_points, first_output, layers, shown;
  CnnSession *session;
  CnnHistogram *histograms;
};

static size_t
elements (const CnnTensor *tensor)
{
  size_t count;
  return cnn_shape_elements (&tensor->shape, &count) ? 0 : count;
}

static CnnStatus
check_model (const CnnGraph *g, CnnShape *window, CnnError *error)
{
  const CnnTensor *x = g->n_inputs ? &g->values[g->inputs[0]].tensor : NULL;
  size_t count;
  if (g->n_inputs != 1 || x->shape.rank != 4 || x->type != CNN_TYPE_FLOAT32)
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "a network with one picture, n c h w, as input is expected");
  if (cnn_graph_is_quantized (g))
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "it is quantised already");
  *window = x->shape;
  window->dims[0] = 1;
  if (window->dims[1] < 1 || window->dims[2] < 1 || window->dims[3] < 1
      || cnn_shape_elements (window, &count))
    return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "the size of its input is not fixed");
  return CNN_OK;
}

/* The network with one more output for each point; the input itself needs
 * none. */
static CnnStatus
make_session (CnnQuantizer *q, const CnnShape *window, CnnPool *pool,
    CnnError *error)
{
  CnnGraph *copy = NULL;
  CnnModel *open = NULL;
  CnnSessionOptions options = { .pool = pool };
  CnnStatus status = cnn_graph_copy (q->graph, &copy, error);
  if (status)
    return status;
  q->first_output = (int) copy->n_outputs;
  for (int i = 0; i < q->n_points && !status; i++)
    status =
        cnn_graph_add_output (copy, q->graph->values[q->points[i]].name, error);
  if (status) {
    cnn_graph_free (copy);
    return status;
  }
  status = cnn_model_new (copy, &open, error);
  if (!status)
    status = cnn_session_new (open, window, &options, &q->session, error);
  cnn_model_unref (open);
  return status;
}

CnnStatus
cnn_quantizer_new (CnnModel *model, CnnPool *pool, CnnQuantizer **quantizer,
    CnnError *error)
{
  const CnnGraph *g = cnn_model_graph (model);
  CnnShape window;
  CnnStatus status = check_model (g, &window, error);
  if (status)
    return status;
  CnnQuantizer *q = calloc (1, sizeof *q);
  if (!q)
    return cnn_error_memory (error, sizeof *q, "a quantizer");
  q->model = cnn_model_ref (model);
  q->graph = g;
  q->like = malloc ((g->n_values + 1) * sizeof *q->like);
  q->points = malloc ((g->n_values + 1) * sizeof *q->points);
  if (!q->like || !q->points)
    status = cnn_error_memory (error, g->n_values, "a quantizer");
  if (!status && !(q->layers = cnn_graph_quantized_points (g, q->like)))
    status = cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
        "it has no layer with constant weights");
  for (size_t v = 0; v < g->n_values && !status; v++)
    if (q->like[v] == (int) v)
      q->points[q->n_points++] = (int) v;
  if (!status
      && !(q->histograms =
               calloc ((size_t) q->n_points + 1, sizeof *q->histograms)))
    status = cnn_error_memory (error, sizeof *q->histograms, "histograms");
  if (!status)
    status = make_session (q, &window, pool, error);
  if (status) {
    cnn_quantizer_free (q);
    return status;
  }
  *quantizer = q;
  return CNN_OK;
}

void
cnn_quantizer_free (CnnQuantizer *q)
{
  if (!q)
    return;
  cnn_session_free (q->session);
  cnn_model_unref (q->model);
  free (q->histograms);
  free (q->points);
  free (q->like);
  free (q);
}

int
cnn_quantizer_layers (const CnnQuantizer *q)
{
  return q->layers;
}

void
cnn_quantizer_show (CnnQuantizer *q, const float *picture)
{
  CnnTensor *x = cnn_session_input (q->session, 0);
  memcpy (x->data, picture, elements (x) * sizeof *picture);
  cnn_session_run (q->session);
  for (int i = 0; i < q->n_points; i++) {
    const CnnTensor *y = cnn_session_output (q->session, q->first_output + i);
    cnn_histogram_add (&q->histograms[i], y->data, elements (y));
  }
  q->shown++;
}

/* A picture's levels are 256 numbers: each keeps its own, if 0 is one. */
static bool
picture_quantum (const CnnModelInfo *info, CnnQuantum *quantum)
{
  bool whole = info->range == CNN_RANGE_0_255;
  *quantum = (CnnQuantum){ whole ? 1 : 1.0f / 255, 0 };
  return whole || info->range == CNN_RANGE_0_1;
}

CnnStatus
cnn_quantizer_model (const CnnQuantizer *q, CnnModel **model, CnnError *error)
{
  CnnGraph *copy = NULL;
  CnnQuantum exact;
  if (!q->shown)
    return cnn_error_set (error, CNN_ERROR_ARGUMENT,
        "no pictures to choose scales by");
  CnnQuantum *quanta = calloc (q->graph->n_values + 1, sizeof *quanta);
  if (!quanta)
    return cnn_error_memory (error, q->graph->n_values, "scales");
  for (int i = 0; i < q->n_points; i++)
    quanta[q->points[i]] = q->points[i] == q->graph->inputs[0]
            && picture_quantum (cnn_model_info (q->model), &exact)
        ? exact
        : cnn_histogram_quantum (&q->histograms[i]);
  CnnStatus status =
      cnn_graph_quantized_copy (q->graph, q->like, quanta, &copy, error);
  free (quanta);
  return status ? status : cnn_model_new (copy, model, error);
}
