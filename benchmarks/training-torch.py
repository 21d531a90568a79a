# SPDX-License-Identifier: LGPL-2.1-or-later
"""The same as training.c in PyTorch, eager: training-torch.py MODEL IMAGES LABELS BATCH THREADS."""

import sys
import time

import numpy
import onnx
import torch
from onnx import numpy_helper
from torch import nn

RATE = 0.01


class LeNet5(nn.Module):
    def __init__(self, weights):
        super().__init__()
        w = [nn.Parameter(torch.from_numpy(a.copy())) for a in weights]
        self.conv1 = nn.Conv2d(*reversed(w[0].shape[:2]), w[0].shape[2:])
        self.conv2 = nn.Conv2d(*reversed(w[2].shape[:2]), w[2].shape[2:])
        self.fc1 = nn.Linear(*reversed(w[4].shape))
        self.fc2 = nn.Linear(*reversed(w[6].shape))
        for i, layer in enumerate((self.conv1, self.conv2, self.fc1, self.fc2)):
            layer.weight, layer.bias = w[2 * i], w[2 * i + 1]

    def forward(self, x):
        x = torch.max_pool2d(torch.relu(self.conv1(x)), 2)
        x = torch.max_pool2d(torch.relu(self.conv2(x)), 2)
        x = torch.relu(self.fc1(torch.flatten(x, 1)))
        return self.fc2(x)


def main(model, images, labels, batch, threads):
    torch.set_num_threads(threads)
    graph = onnx.load(model).graph
    size = [d.dim_value for d in graph.input[0].type.tensor_type.shape.dim[1:]]
    x = torch.from_numpy(numpy.fromfile(images, numpy.float32).reshape(-1, *size))
    y = torch.from_numpy(numpy.fromfile(labels, numpy.uint8).astype(numpy.int64))
    net = LeNet5([numpy_helper.to_array(t) for t in graph.initializer])
    optimiser = torch.optim.SGD(net.parameters(), lr=RATE, momentum=0.9)
    cross_entropy = nn.CrossEntropyLoss()
    count, step = len(y) // batch, 0
    for line in sys.stdin:
        losses = []
        begin = time.perf_counter()
        for _ in range(int(line)):
            at = step % count * batch
            step += 1
            optimiser.zero_grad(set_to_none=True)
            loss = cross_entropy(net(x[at:at + batch]), y[at:at + batch])
            loss.backward()
            optimiser.step()
            losses.append(loss.detach())
        seconds = time.perf_counter() - begin
        print("%.9f" % seconds, *("%.9g" % l.item() for l in losses), flush=True)


main(*sys.argv[1:4], int(sys.argv[4]), int(sys.argv[5]))
