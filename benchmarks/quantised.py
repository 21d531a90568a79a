# SPDX-License-Identifier: LGPL-2.1-or-later
"""quantised.py: a chain of Conv, Relu and MaxPool on 8 bits, as QuantizeLinear
and DequantizeLinear around each (QDQ), the form that every runtime reads.

Activations are uint8 with one scale, from the largest value over a small
picture; weights int8 with one scale for each output channel; biases int32; the
output int8."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from onnx import helper, numpy_helper

# More than the largest value seen: other pictures may give larger ones.
MARGIN = 1.1


def conv(x, weights, bias):
    windows = sliding_window_view(x, weights.shape[2:], axis=(2, 3))
    return np.einsum("nchwij,ocij->nohw", windows, weights, optimize=True) \
        + bias.reshape(-1, 1, 1)


def max_pool(x):
    n, c, h, w = x.shape
    return x[:, :, :h // 2 * 2, :w // 2 * 2].reshape(n, c, h // 2, 2, w // 2, 2).max((3, 5))


class Quantised:
    """Walks the nodes of @graph with @picture, and writes them anew."""

    def __init__(self, graph, picture):
        self.graph = graph
        self.floats = {w.name: numpy_helper.to_array(w) for w in graph.initializer}
        self.constants = []
        self.nodes = []
        self.values = {graph.input[0].name: picture}
        # Of a float value: its scale, and the name of what comes out of its Q, DQ.
        self.scales = {}
        self.turned = {}

    def constant(self, name, array):
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def node(self, op, inputs, output, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [output], name=output + "/" + op,
                                           **attributes))
        return output

    def turn(self, value, scale, kind=np.uint8, output=None):
        """Q and DQ behind @value; @output: name of the result."""
        names = [self.constant(value + "/scale", np.float32(scale)),
                 self.constant(value + "/zero", kind(0))]
        self.scales[value] = scale
        self.node("QuantizeLinear", [value] + names, value + "/q")
        self.turned[value] = self.node("DequantizeLinear", [value + "/q"] + names,
                                       output or value + "/dq")

    def weights(self, node):
        """Returns: the convolution's inputs."""
        weights, bias = self.floats[node.input[1]], self.floats[node.input[2]]
        scales = (np.abs(weights).max((1, 2, 3)) / 127).astype(np.float32)
        whole = np.rint(weights / scales.reshape(-1, 1, 1, 1)).astype(np.int8)
        unit = (scales * np.float32(self.scales[node.input[0]])).astype(np.float32)
        name = node.output[0]
        parts = {"w": (whole, scales), "b": (np.rint(bias / unit).astype(np.int32), unit)}
        inputs = [self.turned[node.input[0]]]
        for key, (numbers, scale) in parts.items():
            part = "%s/%s" % (name, key)
            inputs.append(self.node("DequantizeLinear", [
                self.constant(part + "8", numbers), self.constant(part + "/scale", scale),
                self.constant(part + "/zero", np.zeros(len(scale), numbers.dtype))], part, axis=0))
        return inputs

    def compute(self, node):
        x = self.values[node.input[0]]
        if node.op_type == "Conv":
            return conv(x, self.floats[node.input[1]], self.floats[node.input[2]])
        return np.maximum(x, 0) if node.op_type == "Relu" else max_pool(x)

    def visit(self, node, last):
        output = self.values[node.output[0]] = self.compute(node)
        name = node.output[0]
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        if node.op_type == "Conv":
            made = name + "/float" if last else name
            self.node("Conv", self.weights(node), made, **attributes)
            if last:
                self.turn(made, MARGIN * np.abs(output).max() / 127, np.int8, name)
        elif node.op_type == "Relu":
            self.node("Relu", [node.input[0]], name)
            self.turn(name, MARGIN * output.max() / 255)
        else:
            self.node("MaxPool", [self.turned[node.input[0]]], name, **attributes)
            self.turn(name, self.scales[node.input[0]])

    def model(self):
        # An 8-bit frame as it is.
        self.turn(self.graph.input[0].name, 1 / 255)
        for i, node in enumerate(self.graph.node):
            self.visit(node, i == len(self.graph.node) - 1)
        graph = helper.make_graph(self.nodes, self.graph.name, self.graph.input,
                                  self.graph.output, self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
        model.ir_version = 8
        return model
