# SPDX-License-Identifier: LGPL-2.1-or-later
"""layers.py: an ONNX file as bench-onednn reads it, which has no ONNX reader.

FILE.layers has one operator a line, as words KEY=VALUE, and FILE.weights the
floats that the lines point into, by number. BatchNormalization is folded into
the convolution before it and Relu into what it follows: what every runtime
does when it loads. QuantizeLinear and DequantizeLinear become scales of the
lines between them; zero points are 0."""

import numpy as np
import onnx
from onnx import helper, numpy_helper


class Layers:
    def __init__(self, graph):
        self.graph = graph
        self.constants = {w.name: numpy_helper.to_array(w) for w in graph.initializer}
        self.lines = []
        self.floats = []
        self.count = 0
        # Values that are another one's, since what made them was folded.
        self.same = {}
        # Scales of values that are 8 bits wide, and of constants that were.
        self.scales = {}

    def store(self, array):
        """Returns: place of @array in FILE.weights."""
        place = self.count
        self.floats.append(np.ascontiguousarray(array, np.float32).reshape(-1))
        self.count += array.size
        return place

    def line(self, op, node, **words):
        words.update({"in": self.value(node.input[0]), "out": node.output[0]})
        self.lines.append([op, words])

    def value(self, name):
        while name in self.same:
            name = self.same[name]
        return name

    def maker(self, name):
        """Returns: words of the line that made @name."""
        return next(words for _, words in self.lines if words["out"] == self.value(name))

    def conv(self, node, attributes):
        weights = self.constants[node.input[1]]
        bias = self.constants[node.input[2]] if len(node.input) > 2 else np.zeros(len(weights))
        if attributes.get("group", 1) != 1 or set(attributes.get("dilations", [1])) != {1}:
            raise ValueError("%s: groups and dilations are not written" % node.name)
        words = window(weights.shape[2:], attributes)
        if node.input[1] in self.scales:
            words["weight_scales"] = self.scales[node.input[1]]
            words["in_scale"] = self.scales[self.value(node.input[0])]
        self.line("conv", node, oc=weights.shape[0], weights=weights, bias=bias, **words)

    def gemm(self, node, attributes):
        weights = self.constants[node.input[1]]
        self.line("dense", node, oc=len(weights), weights=weights,
                  bias=self.constants[node.input[2]])
        assert attributes.get("transB") == 1

    def fold_norm(self, node, attributes):
        words = self.maker(node.input[0])
        scale, shift, mean, variance = (self.constants[name] for name in node.input[1:])
        factor = scale / np.sqrt(variance + attributes.get("epsilon", 1e-5))
        words["weights"] = words["weights"] * factor.reshape(-1, 1, 1, 1)
        words["bias"] = (words["bias"] - mean) * factor + shift
        self.same[node.output[0]] = node.input[0]

    def fold_relu(self, node):
        self.maker(node.input[0])["relu"] = 1
        self.same[node.output[0]] = node.input[0]

    def add(self, node):
        """Becomes a part of the later one of the two convolutions."""
        a, b = (self.value(name) for name in node.input)
        order = [words["out"] for _, words in self.lines]
        if order.index(a) > order.index(b):
            a, b = b, a
        self.maker(b)["add"] = a
        self.same[node.output[0]] = b

    def quantize(self, node):
        """Of the frame: the 8-bit frame itself. Else what made the value rounds
        its results."""
        scale, zero = (self.constants[name] for name in node.input[1:])
        name = self.value(node.input[0])
        assert zero == 0, "%s: zero points are not written" % node.name
        if name == self.graph.input[0].name:
            assert zero.dtype == np.uint8 and abs(255 * scale - 1) < 1e-6
            self.lines.append(["bytes", {"out": node.output[0]}])
            name = node.output[0]
        else:
            self.maker(name).update(out_scale=float(scale), signed=int(zero.dtype == np.int8))
            self.same[node.output[0]] = name
        self.scales[name] = float(scale)

    def dequantize(self, node):
        name = node.input[0]
        if name in self.constants:
            # Weights stay whole numbers, their scales go beside them.
            scale = self.constants[node.input[1]]
            whole = self.constants[name].dtype == np.int8
            self.constants[node.output[0]] = self.constants[name] * (1 if whole else scale)
            if whole:
                self.scales[node.output[0]] = scale
        elif node.output[0] == self.graph.output[0].name:
            self.line("floats", node, in_scale=self.scales[self.value(name)])
        else:
            self.same[node.output[0]] = name

    def node(self, node):
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        if node.op_type == "Conv":
            self.conv(node, attributes)
        elif node.op_type == "Gemm":
            self.gemm(node, attributes)
        elif node.op_type == "MaxPool":
            self.line("maxpool", node, **window(attributes["kernel_shape"], attributes))
        elif node.op_type == "GlobalAveragePool":
            self.line("average", node)
        elif node.op_type == "BatchNormalization":
            self.fold_norm(node, attributes)
        elif node.op_type == "Relu":
            self.fold_relu(node)
        elif node.op_type == "Add":
            self.add(node)
        elif node.op_type == "QuantizeLinear":
            self.quantize(node)
        elif node.op_type == "DequantizeLinear":
            self.dequantize(node)
        elif node.op_type == "Flatten":
            self.same[node.output[0]] = node.input[0]
        else:
            raise ValueError("%s is not written" % node.op_type)

    def write(self, path):
        for node in self.graph.node:
            self.node(node)
        with open(path + ".layers", "w") as file:
            for op, words in self.lines:
                words = {key: self.store(value) if isinstance(value, np.ndarray) else value
                         for key, value in words.items()}
                file.write(" ".join([op] + ["%s=%s" % word for word in words.items()]) + "\n")
        np.concatenate(self.floats).tofile(path + ".weights")


def window(kernel, attributes):
    pads = attributes.get("pads", [0] * 4)
    strides = attributes.get("strides", [1, 1])
    return {"kh": kernel[0], "kw": kernel[1], "sh": strides[0], "sw": strides[1],
            "top": pads[0], "left": pads[1], "bottom": pads[2], "right": pads[3]}


def dump(path):
    """Returns: what bench-onednn takes as MODEL."""
    stem = path[:-len(".onnx")]
    Layers(onnx.load(path).graph).write(stem)
    return stem
