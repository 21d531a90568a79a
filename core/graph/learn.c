/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* learn.c: sessions that keep every activation, and run backwards. */

#include "graph/learn.h"

#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "graph/compile.h"

CnnStatus
cnn_session_mark_grads (const CnnGraph *graph, const CnnLearn *learn,
    bool *wanted, CnnError *error)
{
  char text[CNN_NODE_TEXT];
  for (size_t v = 0; v < graph->n_values; v++)
    wanted[v] = learn->learned[v];

  for (size_t n = 0; n < graph->n_nodes; n++) {
    const CnnNode *node = &graph->nodes[n];
    bool any = false;
    for (int i = 0; i < node->n_in; i++)
      any = any || (node->in[i] >= 0 && wanted[node->in[i]]);
    if (any && !node->op->backward)
      return cnn_error_set (error, CNN_ERROR_UNSUPPORTED,
          "%s can't be trained: the operator has no backward pass",
          cnn_node_describe (graph, node, text, sizeof text));
    for (int i = 0; i < node->n_out && any; i++)
      if (node->out[i] >= 0)
        wanted[node->out[i]] = true;
  }
  return CNN_OK;
}

CnnStatus
cnn_session_new_learning (CnnModel *model, const CnnShape *input,
    const CnnLearn *learn, CnnSession **session, CnnError *error)
{
  CnnTensor pictures = { .type = CNN_TYPE_FLOAT32, .shape = *input };
  CnnCompile how = { .inputs = &pictures, .n_inputs = 1, .learn = learn };
  return cnn_session_compile (model, &how, session, error);
}

/* Differs from run to run and from node to node. */
static uint64_t
node_seed (uint64_t seed, size_t node)
{
  return cnn_rng_mix (seed ^ cnn_rng_mix (node + 1));
}

void
cnn_session_learn_forward (CnnSession *session, uint64_t seed)
{
  for (size_t k = 0; k < session->n_todo; k++) {
    size_t n = (size_t) session->todo[k];
    const CnnNode *node = &session->graph->nodes[n];
    CnnOpCall *call = &session->calls[n];
    call->seed = node_seed (seed, n);
    node->op->forward (call);
  }
}

CnnTensor *
cnn_session_output_grad (CnnSession *session)
{
  return &session->grads[session->graph->outputs[0]];
}

/* The caller's buffers stand in for the gradients of constants; those of
 * activations begin at zero, but for the output's. */
static void
begin_backward (CnnSession *session, float *const *grads)
{
  const CnnGraph *g = session->graph;
  for (size_t v = 0; v < g->n_values; v++) {
    CnnTensor *d = &session->grads[v];
    size_t bytes;
    if (d->type == CNN_TYPE_NONE)
      continue;
    if (g->values[v].buffer)
      d->data = grads[v];
    else if ((int) v != g->outputs[0] && !cnn_tensor_bytes (d, &bytes))
      memset (d->data, 0, bytes);
  }
}

void
cnn_session_learn_backward (CnnSession *session, uint64_t seed,
    float *const *grads)
{
  const CnnGraph *g = session->graph;
  begin_backward (session, grads);

  for (size_t k = session->n_todo; k-- > 0;) {
    size_t n = (size_t) session->todo[k];
    const CnnNode *node = &g->nodes[n];
    CnnOpCall *call = &session->calls[n];
    CnnTensor **din = session->dins + (call->in - session->ins);
    const CnnTensor **dout = session->douts + (call->out - session->outs);
    bool any = false;
    for (int i = 0; i < node->n_in; i++) {
      CnnTensor *d = node->in[i] < 0 ? NULL : &session->grads[node->in[i]];
      din[i] = d && d->data ? d : NULL;
      any = any || din[i];
    }
    for (int i = 0; i < node->n_out; i++) {
      CnnTensor *d = node->out[i] < 0 ? NULL : &session->grads[node->out[i]];
      dout[i] = d && d->data ? d : NULL;
    }
    call->seed = node_seed (seed, n);
    if (any)
      node->op->backward (call, &(CnnOpGrad){ .d_out = dout, .d_in = din });
  }
}
