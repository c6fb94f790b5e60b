"""The two networks: plain convolution, batch normalisation and ReLU, so that every runtime runs them fast."""

import torch
from torch import nn


def conv(inputs, outputs, stride=1, size=3):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class Residual(nn.Module):
    """Two 3x3 convolutions beside a straight wire."""

    def __init__(self, channels):
        super().__init__()
        self.first = conv(channels, channels)
        self.second = nn.Sequential(
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x):
        return torch.relu(x + self.second(self.first(x)))


class Classifier(nn.Module):
    """Logits of one class per label. The widths name the stages; each stage halves the picture.

    The head looks at the mean and at the maximum of each feature: a blow-hole of three pixels drowns in a mean.
    """

    def __init__(self, classes, widths=(16, 32, 64, 96), dropout=0.2):
        super().__init__()
        stages = [conv(3, widths[0], stride=2)]
        for inputs, outputs in zip(widths, widths[1:]):
            stages += [conv(inputs, outputs, stride=2), Residual(outputs)]
        self.body = nn.Sequential(*stages)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * widths[-1], classes)

    def forward(self, x):
        x = self.body(x)
        pooled = torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1)
        return self.head(self.dropout(pooled))


class Detector(nn.Module):
    """Anchor-free detector of stride 8: per cell a score for each label and the box's four distances.

    A cell holds one part. Distances are to the box's sides from the cell's centre, in units of `stride`, kept
    positive by softplus. It returns raw maps; DetectorExport makes boxes of them.
    """

    stride = 8

    def __init__(self, classes=1, widths=(8, 16, 32)):
        super().__init__()
        self.classes = classes
        first, second, third = widths
        self.body = nn.Sequential(
            conv(3, first, stride=2), conv(first, second, stride=2), conv(second, third, stride=2), Residual(third))
        # A second look at half the resolution widens the view to whole parts, then adds what it saw.
        self.wide = nn.Sequential(conv(third, third, stride=2), Residual(third))
        self.merge = nn.Sequential(conv(third, third), conv(third, third))
        self.heat = nn.Conv2d(third, classes, 1)
        self.sides = nn.Conv2d(third, 4, 1)
        nn.init.constant_(self.heat.bias, -3.5)  # a part is rare: start near the prior, or focal loss explodes
        nn.init.constant_(self.sides.bias, 3.0)

    def forward(self, x):
        fine = self.body(x)
        coarse = self.wide(fine)
        coarse = nn.functional.interpolate(coarse, scale_factor=2.0, mode="nearest")
        x = self.merge(fine + coarse[:, :, :fine.shape[2], :fine.shape[3]])
        return self.heat(x), nn.functional.softplus(self.sides(x))


def within(value, limit):
    """The value held between 0 and the limit; of ReLUs alone, since not every ONNX reader knows a Clip of 3 inputs."""
    return torch.relu(value) - torch.relu(value - limit)


class DetectorExport(nn.Module):
    """The detector with its grid decoded: [1, 4 + C, N] of centre x, centre y, width, height in input pixels, scores.

    A cell is let through only where it is the peak of its 3x3 neighbourhood, so that two touching parts stay two
    even where their boxes overlap, and one part does not answer many times. The rule is written with a steep slope
    in place of a comparison: cells that tie within rounding live on together, on every runtime alike, and the
    device's own suppression merges them. Boxes end at the picture's edge.
    """

    def __init__(self, detector, width, height):
        super().__init__()
        self.detector = detector
        self.width, self.height = float(width), float(height)
        stride = detector.stride
        columns, rows = (width + stride - 1) // stride, (height + stride - 1) // stride
        ys, xs = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
        self.register_buffer("centre_x", ((xs.float() + 0.5) * stride)[None, None])
        self.register_buffer("centre_y", ((ys.float() + 0.5) * stride)[None, None])

    def forward(self, x):
        heat, sides = self.detector(x)
        score = torch.sigmoid(heat)
        peak = nn.functional.max_pool2d(score, 3, 1, 1)
        score = torch.relu(score - (peak - score) * 100.0)
        sides = sides * float(self.detector.stride)
        x1, x2 = (within(v, self.width) for v in (self.centre_x - sides[:, 0:1], self.centre_x + sides[:, 2:3]))
        y1, y2 = (within(v, self.height) for v in (self.centre_y - sides[:, 1:2], self.centre_y + sides[:, 3:4]))
        out = torch.cat([(x1 + x2) * 0.5, (y1 + y2) * 0.5, x2 - x1, y2 - y1, score], 1)
        return out.flatten(2)


class Probabilities(nn.Module):
    """The classifier with softmax inside, as the package's `softmax` format wants it."""

    def __init__(self, classifier):
        super().__init__()
        self.classifier = classifier

    def forward(self, x):
        return torch.softmax(self.classifier(x), 1)


class MovingAverage:
    """An exponential moving average of a network's weights and statistics: steadier than its last step."""

    def __init__(self, network, decay=0.998):
        self.decay = decay
        self.steps = 0
        self.state = {name: value.detach().clone() for name, value in network.state_dict().items()}

    def update(self, network):
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for name, value in network.state_dict().items():
            if value.dtype.is_floating_point:
                self.state[name].mul_(decay).add_(value.detach(), alpha=1 - decay)
            else:
                self.state[name].copy_(value)


def fold_batch_norm(network):
    """Multiplies every batch normalisation into the convolution before it, in place. For export, in eval mode."""
    for parent in list(network.modules()):
        if not isinstance(parent, nn.Sequential):
            continue
        children = list(parent.named_children())
        for (name, first), (after, second) in zip(children, children[1:]):
            if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                setattr(parent, name, nn.utils.fusion.fuse_conv_bn_eval(first.eval(), second.eval()))
                setattr(parent, after, nn.Identity())
    return network


def multiplications(network, size):
    """Multiply-accumulates of one forward pass over a (height, width) picture, counted over the convolutions."""
    total = [0]

    def count(module, _, output):
        kernel = module.kernel_size[0] * module.kernel_size[1] * module.in_channels // module.groups
        total[0] += output.shape[1] * output.shape[2] * output.shape[3] * kernel

    hooks = [m.register_forward_hook(count) for m in network.modules() if isinstance(m, nn.Conv2d)]
    training = network.training
    network.eval()
    with torch.no_grad():
        network(torch.zeros(1, 3, *size))
    network.train(training)
    for hook in hooks:
        hook.remove()
    return total[0]
