/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* quantized_copy.h (internal): where a network is to be quantised, and the
 * network that is. */

#ifndef CNN_GRAPH_QUANTIZED_COPY_H
#define CNN_GRAPH_QUANTIZED_COPY_H

#include "graph/nodes.h"

/**
 * CnnQuantum:
 * x = (q - zero) * scale, q = 0 ... 255
 */
typedef struct
{
  float scale;
  int zero;
} CnnQuantum;

/**
 * cnn_graph_quantized_points:
 * @like: (out): for every value: the value whose quantum it is given, which is
 *   itself, or what a pool before it read; -1 where it stays a float
 *
 * What convolutions and dense layers with constant weights read, be it through
 * pools and Flatten, is quantised where it is computed.
 *
 * Returns: how many such layers there are.
 */
int cnn_graph_quantized_points (const CnnGraph *graph, int *like);

/**
 * cnn_graph_quantized_copy:
 * @like: from cnn_graph_quantized_points()
 * @quanta: one a value; those that @like names count
 * @copy: (out) (transfer full): a new graph
 *
 *   x--Conv w--Relu--MaxPool--Flatten--Gemm v--y
 *   ->
 *   x--Q--DQ--Conv [w]--Relu--Q--DQ--MaxPool--Q--DQ--Flatten--Gemm [v]--y
 *
 * [w]: int8 constants behind a DequantizeLinear.
 */
CnnStatus cnn_graph_quantized_copy (const CnnGraph *graph, const int *like,
    const CnnQuantum *quanta, CnnGraph **copy, CnnError *error);

#endif
