"""PyTorch's side of bench/train.mjs. Reads a JSON job a line, `{net, batch, layout, threads, steps}`, and answers each with the
milliseconds of every step. The networks, the loss and the optimizer are those of bench/train.mjs."""

import json
import sys
import time

import torch
from torch import nn


def conv_bn_relu(inputs, outputs, kernel=3, stride=1, groups=1):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Block(nn.Module):
    """A residual block with He's shortcut without parameters."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first = conv_bn_relu(inputs, outputs, stride=stride)
        self.second = nn.Sequential(nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs))
        self.stride, self.missing = stride, outputs - inputs

    def forward(self, x):
        y = self.second(self.first(x))
        if self.missing:
            half = self.missing // 2
            x = nn.functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, half, self.missing - half))
        return torch.relu(y + x)


def conv_net():
    return nn.Sequential(
        conv_bn_relu(3, 32), conv_bn_relu(32, 32), nn.MaxPool2d(2), conv_bn_relu(32, 64), conv_bn_relu(64, 64),
        nn.MaxPool2d(2), nn.Flatten(), nn.Linear(4096, 10),
    )  # fmt: skip


def lenet_5():
    return nn.Sequential(
        nn.Conv2d(1, 20, 5), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10),
    )  # fmt: skip


def resnet_20():
    layers, width = [conv_bn_relu(3, 16)], 16
    for stage, outputs in enumerate((16, 32, 64)):
        for block in range(3):
            layers.append(Block(width, outputs, 2 if stage > 0 and block == 0 else 1))
            width = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def mobile_block():
    return nn.Sequential(
        conv_bn_relu(3, 64, stride=2), conv_bn_relu(64, 64, groups=64), conv_bn_relu(64, 128, kernel=1),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10),
    )  # fmt: skip


nets = {
    "conv net": (conv_net, (3, 32, 32)),
    "lenet-5": (lenet_5, (1, 28, 28)),
    "resnet-20": (resnet_20, (3, 32, 32)),
    "mobile block": (mobile_block, (3, 32, 32)),
}


def prepare(net, batch, layout):
    torch.manual_seed(1)
    build, shape = nets[net]
    form = torch.channels_last if layout == "channels_last" else torch.contiguous_format
    model = build().to(memory_format=form).train()
    images = torch.randn(batch, *shape).to(memory_format=form)
    labels = torch.arange(batch) % 10
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=5e-4)

    def step():
        optimizer.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()

    return step


steps = {}
print(json.dumps({"version": torch.__version__}), flush=True)
for line in sys.stdin:
    job = json.loads(line)
    torch.set_num_threads(job["threads"])
    key = (job["net"], job["batch"], job["layout"])
    if key not in steps:
        steps[key] = prepare(*key)
    times = []
    for _ in range(job["steps"]):
        begun = time.perf_counter()
        steps[key]()
        times.append((time.perf_counter() - begun) * 1000)
    print(json.dumps(times), flush=True)
