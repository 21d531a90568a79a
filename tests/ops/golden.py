#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes golden.txt: operators of ONNX computed by another implementation.

Everything here is written from ONNX's operator descriptions, on numpy, with
plain loops over windows and in double precision, and shares nothing with the
library. Run it by hand when cases are added: ./golden.py > golden.txt

A case is a line `case NAME OPERATOR OPSET`, its attributes, inputs and output:
  int NAME VALUE | float NAME VALUE | string NAME VALUE | ints NAME VALUE...
  input TYPE RANK SIZE... VALUE...     (`skip` for one that is left out)
  constant ...                         (an input that is known to infer)
  output TYPE RANK SIZE... VALUE...
"""
import itertools
import numpy as np

rng = np.random.default_rng(20240229)


def draw(*shape, low=-2.0, high=2.0):
    """Multiples of 1/64, so that few digits are exact."""
    return np.round(rng.uniform(low, high, shape) * 64) / 64


class Case:
    def __init__(self, name, op, opset, inputs, output, attributes=(),
                 constants=()):
        print(f"case {name} {op} {opset}")
        for key, value in dict(attributes).items():
            if isinstance(value, str):
                print(f"string {key} {value}")
            elif isinstance(value, float):
                print(f"float {key} {value:.9g}")
            elif isinstance(value, int):
                print(f"int {key} {value}")
            else:
                print(f"ints {key}", *value)
        for i, x in enumerate(inputs):
            self.tensor("constant" if i in constants else "input", x)
        self.tensor("output", output)

    @staticmethod
    def tensor(word, x):
        if x is None:
            print("skip")
            return
        x = np.asarray(x)
        whole = x.dtype.kind == "i"
        print(word, "int64" if whole else "float32", x.ndim, *x.shape, end="")
        for v in x.ravel():
            print(f" {v}" if whole else f" {v:.8g}", end="")
        print()


def pads_of(size, kernel, stride, dilation, a):
    """Begin and end padding of each axis, as auto_pad says."""
    axes = len(size)
    auto = a.get("auto_pad", "NOTSET")
    if auto == "NOTSET":
        p = a.get("pads", [0] * 2 * axes)
        return list(zip(p[:axes], p[axes:]))
    if auto == "VALID":
        return [(0, 0)] * axes
    pads = []
    for i in range(axes):
        out = -(-size[i] // stride[i])
        total = max((out - 1) * stride[i] + (kernel[i] - 1) * dilation[i] + 1
                    - size[i], 0)
        small, large = total // 2, total - total // 2
        pads.append((small, large) if auto == "SAME_UPPER" else (large, small))
    return pads


def windows(size, kernel, a):
    """Yields per axis a list (one entry a cell) of lists of positions."""
    axes = len(size)
    stride = a.get("strides", [1] * axes)
    dilation = a.get("dilations", [1] * axes)
    pads = pads_of(size, kernel, stride, dilation, a)
    result = []
    for i in range(axes):
        extent = (kernel[i] - 1) * dilation[i] + 1
        room = size[i] + sum(pads[i]) - extent
        if a.get("ceil_mode"):
            n = -(-room // stride[i]) + 1
            if (n - 1) * stride[i] >= size[i] + pads[i][0]:
                n -= 1
        else:
            n = room // stride[i] + 1
        result.append([[c * stride[i] - pads[i][0] + k * dilation[i]
                        for k in range(kernel[i])] for c in range(n)])
    return result, pads


def conv(x, w, b, a):
    size, kernel = x.shape[2:], w.shape[2:]
    cells, _ = windows(size, kernel, a)
    group = a.get("group", 1)
    y = np.zeros((x.shape[0], w.shape[0], *[len(c) for c in cells]))
    per = w.shape[0] // group
    for n, o in itertools.product(range(x.shape[0]), range(w.shape[0])):
        first = o // per * w.shape[1]
        for at in itertools.product(*[range(len(c)) for c in cells]):
            total = 0.0 if b is None else b[o]
            for c in range(w.shape[1]):
                for k in itertools.product(*[range(s) for s in kernel]):
                    p = [cells[i][at[i]][k[i]] for i in range(len(size))]
                    if all(0 <= p[i] < size[i] for i in range(len(size))):
                        total += x[(n, first + c, *p)] * w[(o, c, *k)]
            y[(n, o, *at)] = total
    return y


def pool(x, a, kind):
    size, kernel = x.shape[2:], a["kernel_shape"]
    cells, pads = windows(size, kernel, a)
    y = np.zeros((*x.shape[:2], *[len(c) for c in cells]))
    for n, c in itertools.product(range(x.shape[0]), range(x.shape[1])):
        for at in itertools.product(*[range(len(c)) for c in cells]):
            values, counted = [], 0
            for k in itertools.product(*[range(s) for s in kernel]):
                p = [cells[i][at[i]][k[i]] for i in range(len(size))]
                counted += all(p[i] < size[i] + pads[i][1]
                               for i in range(len(size)))
                if all(0 <= p[i] < size[i] for i in range(len(size))):
                    values.append(x[(n, c, *p)])
            if kind == "max":
                y[(n, c, *at)] = max(values)
            else:
                whole = a.get("count_include_pad", 0)
                y[(n, c, *at)] = sum(values) / (counted if whole
                                                else len(values))
    return y


def softmax(x, axis):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def conv_case(name, x, w, b, opset=17, **a):
    inputs = [x, w] if b is None else [x, w, b]
    Case(name, "Conv", opset, inputs, conv(x, w, b, a), a, (1, 2))


def pool_case(name, x, op, opset=17, **a):
    Case(name, op, opset, [x],
         pool(x, a, "max" if op == "MaxPool" else "mean"), a)


def gemm_case(name, a, b, c, opset=17, **k):
    left = a.T if k.get("transA") else a
    right = b.T if k.get("transB") else b
    y = k.get("alpha", 1.0) * (left @ right)
    if c is not None:
        y = y + k.get("beta", 1.0) * c
    Case(name, "Gemm", opset, [a, b] if c is None else [a, b, c], y, k)


def convs():
    conv_case("lenet-first", draw(1, 1, 9, 12), draw(6, 1, 5, 5), draw(6))
    conv_case("two-samples", draw(2, 3, 6, 7), draw(4, 3, 3, 3), draw(4))
    conv_case("no-bias", draw(1, 2, 5, 5), draw(3, 2, 2, 2), None)
    conv_case("one-tap", draw(2, 5, 3, 4), draw(11, 5, 1, 1), draw(11))
    conv_case("to-one-cell", draw(2, 4, 5, 5), draw(17, 4, 5, 5), draw(17))
    conv_case("padded", draw(1, 2, 4, 5), draw(3, 2, 3, 3), draw(3),
              pads=[1, 1, 1, 1], kernel_shape=[3, 3])
    conv_case("uneven-pads", draw(1, 2, 4, 5), draw(3, 2, 3, 4), draw(3),
              pads=[0, 3, 2, 1])
    conv_case("pads-beyond-kernel", draw(1, 1, 2, 2), draw(1, 1, 2, 2), None,
              pads=[3, 2, 1, 4])
    conv_case("strided", draw(1, 2, 9, 11), draw(3, 2, 3, 3), draw(3),
              strides=[2, 3])
    conv_case("stride-beyond-kernel", draw(1, 2, 7, 9), draw(3, 2, 2, 1), None,
              strides=[3, 4])
    conv_case("dilated", draw(1, 2, 8, 9), draw(2, 2, 3, 3), draw(2),
              dilations=[2, 3])
    conv_case("dilated-strided-padded", draw(1, 2, 9, 10), draw(2, 2, 3, 4),
              draw(2), dilations=[2, 2], strides=[2, 3], pads=[2, 1, 0, 3])
    conv_case("groups", draw(2, 6, 5, 6), draw(4, 3, 3, 3), draw(4), group=2)
    conv_case("depthwise", draw(1, 5, 6, 6), draw(5, 1, 3, 3), draw(5),
              group=5, pads=[1, 1, 1, 1])
    for auto in ("SAME_UPPER", "SAME_LOWER", "VALID"):
        conv_case("auto-" + auto.lower().replace("_", "-"), draw(1, 1, 6, 7),
                  draw(2, 1, 4, 2), None, auto_pad=auto, strides=[1, 2])
    conv_case("one-axis", draw(2, 3, 13), draw(4, 3, 5), draw(4))
    conv_case("one-axis-all", draw(1, 2, 14), draw(4, 1, 3), draw(4),
              strides=[2], pads=[1, 2], dilations=[2], group=2)
    conv_case("wide", draw(1, 1, 3, 75), draw(2, 1, 3, 3), draw(2))


def pools():
    x = draw(2, 2, 6, 8)
    for op, short in (("MaxPool", "max"), ("AveragePool", "average")):
        pool_case(short + "-2x2", x, op, kernel_shape=[2, 2], strides=[2, 2])
        pool_case(short + "-2x2-odd", draw(1, 2, 5, 7), op,
                  kernel_shape=[2, 2], strides=[2, 2])
        pool_case(short + "-2x2-wide", draw(1, 1, 2, 70), op,
                  kernel_shape=[2, 2], strides=[2, 2])
        pool_case(short + "-overlapping", draw(1, 2, 7, 7), op,
                  kernel_shape=[3, 3], strides=[2, 2])
        pool_case(short + "-padded", draw(1, 2, 5, 6), op,
                  kernel_shape=[3, 2], strides=[2, 1], pads=[1, 1, 2, 0])
        pool_case(short + "-ceil", draw(1, 1, 6, 7), op, kernel_shape=[3, 3],
                  strides=[2, 2], ceil_mode=1)
        pool_case(short + "-ceil-padded", draw(1, 1, 6, 6), op,
                  kernel_shape=[3, 3], strides=[4, 3], pads=[1, 2, 1, 2],
                  ceil_mode=1)
        pool_case(short + "-same", draw(1, 1, 5, 6), op, kernel_shape=[3, 2],
                  strides=[2, 2], auto_pad="SAME_UPPER")
        pool_case(short + "-one-axis", draw(1, 3, 9), op, kernel_shape=[3],
                  strides=[2], pads=[1, 1])
    pool_case("average-counting", draw(1, 1, 5, 6), "AveragePool",
              kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1],
              count_include_pad=1)
    pool_case("average-counting-ceil", draw(1, 1, 6, 6), "AveragePool",
              kernel_shape=[3, 3], strides=[2, 2], pads=[1, 0, 1, 1],
              count_include_pad=1, ceil_mode=1)
    pool_case("max-dilated", draw(1, 1, 7, 8), "MaxPool", kernel_shape=[2, 3],
              dilations=[3, 2])


def matrices():
    for ta, tb in itertools.product((0, 1), (0, 1)):
        a = draw(7, 5) if ta else draw(5, 7)
        b = draw(19, 7) if tb else draw(7, 19)
        gemm_case(f"gemm-{ta}{tb}", a, b, draw(19), transA=ta, transB=tb,
                  alpha=0.5, beta=2.0)
    gemm_case("gemm-plain", draw(2, 3), draw(3, 4), None)
    gemm_case("gemm-column", draw(3, 2), draw(2, 4), draw(3, 1))
    gemm_case("gemm-scalar", draw(3, 2), draw(2, 4), draw())
    gemm_case("gemm-matrix", draw(3, 2), draw(2, 4), draw(3, 4))
    gemm_case("gemm-old", draw(3, 2), draw(2, 4), draw(4), opset=6,
              broadcast=1)
    gemm_case("gemm-long", draw(1, 41), draw(10, 41), draw(10), transB=1)
    for name, a, b in (
            ("plain", (5, 6), (6, 7)), ("batch", (2, 3, 4), (2, 4, 3)),
            ("stretched", (2, 1, 3, 4), (5, 4, 2)),
            ("weights", (2, 3, 4), (4, 5)), ("row", (4,), (4, 5)),
            ("column", (3, 4), (4,)), ("dot", (6,), (6,)),
            ("batch-column", (2, 3, 4), (4,)), ("row-batch", (4,), (3, 4, 2))):
        x, y = draw(*a), draw(*b)
        Case("matmul-" + name, "MatMul", 17, [x, y], np.matmul(x, y))


def elements():
    shapes = (("same", (3, 7), (3, 7)), ("scalar", (2, 3), ()),
              ("channels", (2, 3, 2, 2), (3, 1, 1)),
              ("row", (4, 5), (5,)), ("column", (4, 1), (1, 5)),
              ("left", (3,), (2, 1, 3)), ("inner", (2, 3, 2), (2, 1, 2)),
              ("ones", (1, 1, 1), (1,)))
    for op, f in (("Add", np.add), ("Sub", np.subtract),
                  ("Mul", np.multiply), ("Div", np.divide)):
        for name, a, b in shapes:
            x, y = draw(*a), draw(*b)
            if op == "Div":
                y = np.where(np.abs(y) < 0.25, 0.75, y)
            Case(f"{op.lower()}-{name}", op, 17, [x, y], f(x, y))
    x, y = draw(2, 3, 2, 2), draw(3)
    Case("add-old-axis", "Add", 6, [x, y], x + y[:, None, None],
         {"broadcast": 1, "axis": 1})
    Case("sub-old-end", "Sub", 6, [x, x[0, 0]], x - x[0, 0], {"broadcast": 1})

    x = np.concatenate([draw(30, low=-1, high=1), draw(30, low=-12, high=12),
                        [0, -0.625, 0.625, 90, -90, 20, -20]])
    Case("relu", "Relu", 17, [x], np.maximum(x, 0))
    Case("tanh", "Tanh", 17, [x], np.tanh(x))
    Case("sigmoid", "Sigmoid", 17, [x], 1 / (1 + np.exp(-x)))
    Case("identity", "Identity", 17, [x], x)
    Case("dropout-old", "Dropout", 7, [x], x, {"ratio": 0.25})
    Case("dropout", "Dropout", 17, [x, draw(low=0.2, high=0.8)], x, (), (1,))


def softmaxes():
    for op, f in (("Softmax", lambda v: v), ("LogSoftmax", np.log)):
        short = op.lower()
        x = draw(2, 3, 4, low=-9, high=9)
        Case(short, op, 17, [x], f(softmax(x, -1)))
        Case(short + "-axis0", op, 13, [x], f(softmax(x, 0)), {"axis": 0})
        Case(short + "-axis-2", op, 13, [x], f(softmax(x, -2)), {"axis": -2})
        flat = softmax(x.reshape(2, 12), 1).reshape(x.shape)
        Case(short + "-old", op, 11, [x], f(flat))
        flat = softmax(x.reshape(6, 4), 1).reshape(x.shape)
        Case(short + "-old-axis", op, 6, [x], f(flat), {"axis": 2})
        x = draw(1, 11, 9, 9, low=-30, high=30)
        Case(short + "-map", op, 17, [x], f(softmax(x, 1)), {"axis": 1})
        x = draw(2, 70, low=-30, high=30)
        Case(short + "-long", op, 17, [x], f(softmax(x, 1)))


def shapes():
    x = draw(2, 3, 4)
    Case("flatten", "Flatten", 17, [x], x.reshape(2, 12))
    Case("flatten-0", "Flatten", 17, [x], x.reshape(1, 24), {"axis": 0})
    Case("flatten-end", "Flatten", 17, [x], x.reshape(24, 1), {"axis": 3})
    Case("flatten-negative", "Flatten", 17, [x], x.reshape(6, 4),
         {"axis": -1})
    for name, target, shape in (
            ("plain", [4, 6], (4, 6)), ("free", [3, -1], (3, 8)),
            ("copied", [0, -1], (2, 12)), ("all", [0, 0, 2, 2], (2, 3, 2, 2))):
        Case("reshape-" + name, "Reshape", 17, [x, np.array(target)],
             x.reshape(shape), (), (1,))
    n = np.arange(6)
    Case("reshape-whole", "Reshape", 17, [n, np.array([2, 3])],
         n.reshape(2, 3), (), (1,))
    x, s, b, m = draw(2, 3, 2, 3), draw(3), draw(3), draw(3)
    v = draw(3, low=0.5, high=2)
    c = lambda t: t[:, None, None]
    Case("batch-norm", "BatchNormalization", 17, [x, s, b, m, v],
         c(s) * (x - c(m)) / np.sqrt(c(v) + 1e-5) + c(b))
    Case("batch-norm-epsilon", "BatchNormalization", 9, [x[:, :, 0, 0], s, b,
         m, v], s * (x[:, :, 0, 0] - m) / np.sqrt(v + 0.25) + b,
         {"epsilon": 0.25, "momentum": 0.5})


convs()
pools()
matrices()
elements()
softmaxes()
shapes()
