"""Fits the part detector and runs it as the device does."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from .augment import Augmentation
from .classifier import Fit, ahead
from .crops import read_picture
from .frames import reduced
from .geometry import iou, letterbox, letterbox_placement, suppress, to_tensor
from .networks import Detector, DetectorExport, MovingAverage
from .progress import Progress, say


@dataclass
class DetectorPlan:
    """What the command line may set. Width and height are the network's input, multiples of 16."""

    width: int = 160
    height: int = 120
    widths: tuple = (8, 16, 32)
    epochs: int = 40
    patience: int = 12
    batch: int = 16
    rate: float = 4e-3
    decay: float = 0.01
    score: float = 0.5
    overlap: float = 0.5
    flips: bool = True
    seed: int = 1
    budget: float = None


def grid(plan):
    stride = Detector.stride
    return (plan.width + stride - 1) // stride, (plan.height + stride - 1) // stride


def targets(boxes, labels, ignored, plan, classes):
    """Heat of shape (classes, rows, columns), sides (4, rows, columns), the sides' weights and the heat's (rows,
    columns): the last is 0 where an ignored box lies and no part does."""
    stride = Detector.stride
    columns, rows = grid(plan)
    heat = np.zeros((classes, rows, columns), np.float32)
    sides = np.zeros((4, rows, columns), np.float32)
    weight = np.zeros((rows, columns), np.float32)
    judged = np.ones((rows, columns), np.float32)
    ys, xs = np.mgrid[:rows, :columns].astype(np.float32)
    for (x1, y1, x2, y2), label in zip(boxes, labels):
        # Every cell whose middle is within 0.6 cells of the box's is a full hit, so that a part between two cells
        # gets two sure answers for the suppression to merge rather than two halves that both fail the threshold.
        beside_x = np.maximum(np.abs(xs + 0.5 - (x1 + x2) / 2 / stride) - 0.6, 0)
        beside_y = np.maximum(np.abs(ys + 0.5 - (y1 + y2) / 2 / stride) - 0.6, 0)
        # The slope is gentle enough to forgive a cell, steep enough that touching neighbours keep a valley.
        sigma_x = np.clip((x2 - x1) / stride * 0.13, 0.3, 2.0)
        sigma_y = np.clip((y2 - y1) / stride * 0.13, 0.3, 2.0)
        bump = np.exp(-(beside_x / sigma_x) ** 2 / 2 - (beside_y / sigma_y) ** 2 / 2)
        heat[label] = np.maximum(heat[label], bump)
        mine = (bump > 0.1) & (bump > weight)
        weight[mine] = bump[mine]
        centre_x, centre_y = (xs + 0.5) * stride, (ys + 0.5) * stride
        values = np.stack([centre_x - x1, centre_y - y1, x2 - centre_x, y2 - centre_y]) / stride
        sides[:, mine] = values[:, mine]
    for x1, y1, x2, y2 in ignored:
        inside = ((xs + 1) * stride > x1) & (xs * stride < x2) & ((ys + 1) * stride > y1) & (ys * stride < y2)
        judged[inside & (heat.max(0) < 0.1)] = 0
    return heat, sides, weight, judged


LEAST_VISIBLE = 0.4  # of a part: below it the data sets ask for no box, and punish none


def view_of(picture, boxes, labels, ignored, scale, plan, light, rng):
    """One augmented input picture with its boxes, labels and ignored boxes: mirrored, shifted, zoomed."""
    height, width = picture.shape[:2]
    fit, left, top, _, _ = letterbox_placement(width, height, plan.width, plan.height)
    zoom = fit * rng.uniform(0.85, 1.18)
    # Around the picture's middle, shifted by up to a quarter of the input.
    dx, dy = rng.uniform(-0.25, 0.25) * plan.width, rng.uniform(-0.25, 0.25) * plan.height
    if rng.random() < 0.3:
        zoom, dx, dy = fit, 0.0, 0.0
    mirror_x = plan.flips and rng.random() < 0.5
    mirror_y = plan.flips and rng.random() < 0.5
    turn = np.array([[-zoom if mirror_x else zoom, 0], [0, -zoom if mirror_y else zoom]])
    offset = np.array([plan.width / 2 + dx, plan.height / 2 + dy]) - turn @ np.array([width / 2, height / 2])
    # Boxes are in continuous coordinates, pixels sit half a unit further.
    at = turn @ np.array([0.5, 0.5]) + offset - 0.5
    matrix = np.hstack([turn, at[:, None]])
    ground = 114
    if rng.random() < 0.5:
        ground = int(rng.integers(20, 200))
    view = cv2.warpAffine(picture, matrix, (plan.width, plan.height), flags=cv2.INTER_LINEAR,
                          borderMode=cv2.BORDER_CONSTANT, borderValue=(ground,) * 3)
    limits = np.array([plan.width, plan.height, plan.width, plan.height], float)

    def moved(some):
        """The boxes in the view, cut at its edge, and the share of each that is left."""
        corners = some.reshape(-1, 2, 2) * scale @ turn.T + offset
        whole = np.concatenate([corners.min(1), corners.max(1)], 1)
        cut = np.clip(whole, 0, limits)
        return cut, np.prod(cut[:, 2:] - cut[:, :2], 1) / np.maximum(np.prod(whole[:, 2:] - whole[:, :2], 1), 1e-6)

    cut, share = moved(boxes)
    keep = share >= LEAST_VISIBLE
    ignored, _ = moved(np.concatenate([ignored, np.zeros((0, 4))]))
    ignored = np.concatenate([ignored, cut[~keep & (share > 0)]])
    return light.light(view, rng), cut[keep], labels[keep], ignored


def losses(heat, sides, truth_heat, truth_sides, weight, judged):
    """Focal loss of the heat (CornerNet, arXiv:1808.01244) and GIoU plus distance loss of the sides."""
    score = torch.sigmoid(heat).clamp(1e-5, 1 - 1e-5)
    peak = truth_heat.eq(1).float()
    hit = torch.log(score) * (1 - score) ** 2 * peak
    miss = torch.log(1 - score) * score ** 2 * (1 - truth_heat) ** 4 * (1 - peak) * judged[:, None]
    count = peak.sum().clamp(min=1)
    focal = -(hit.sum() + miss.sum()) / count
    low = torch.minimum(sides, truth_sides)
    high = torch.maximum(sides, truth_sides)
    shared = (low[:, 0] + low[:, 2]).clamp(min=0) * (low[:, 1] + low[:, 3]).clamp(min=0)
    area = (sides[:, 0] + sides[:, 2]) * (sides[:, 1] + sides[:, 3])
    truth_area = (truth_sides[:, 0] + truth_sides[:, 2]) * (truth_sides[:, 1] + truth_sides[:, 3])
    union = area + truth_area - shared
    hull = (high[:, 0] + high[:, 2]) * (high[:, 1] + high[:, 3])
    overlap = shared / union.clamp(min=1e-4) - (hull - union) / hull.clamp(min=1e-4)
    total = weight.sum().clamp(min=1)
    box = ((1 - overlap) * weight).sum() / total
    distance = ((sides - truth_sides).abs().mean(1) * weight).sum() / total
    return focal, 2 * box + 0.5 * distance


def decode(output, threshold, overlap, limit=64):
    """Boxes, scores and labels from one [4 + C, N] output, in network input pixels, after suppression per class."""
    scores = output[4:]
    best = scores.max(0)
    chosen = np.flatnonzero(best >= threshold)
    centre, extent = output[:2, chosen].T, output[2:4, chosen].T
    boxes = np.concatenate([centre - extent / 2, centre + extent / 2], 1)
    labels, values = scores[:, chosen].argmax(0), best[chosen]
    kept = []
    for label in np.unique(labels):
        mine = np.flatnonzero(labels == label)
        kept += [mine[k] for k in suppress(boxes[mine], values[mine], overlap)]
    kept = sorted(kept, key=lambda k: -values[k])[:limit]
    return boxes[kept].reshape(-1, 4), values[kept], labels[kept]


def to_picture(boxes, placement, width, height):
    """Boxes of the letterboxed input back in the picture's own pixels, clipped to it."""
    scale, left, top = placement
    moved = (np.asarray(boxes, float).reshape(-1, 4) - [left, top, left, top]) / scale
    return np.clip(moved, 0, [width, height, width, height])


def detect(run, picture, plan, threshold=None):
    """The parts on one picture: `run` maps an input tensor to the exported network's output."""
    fitted, placement = letterbox(picture, plan.width, plan.height)
    output = run(to_tensor([fitted]))[0]
    boxes, scores, labels = decode(output, plan.score if threshold is None else threshold, plan.overlap)
    return to_picture(boxes, placement, picture.shape[1], picture.shape[0]), scores, labels


def runner(network, plan):
    """A function from input tensor to output of the network as it will be exported."""
    exported = DetectorExport(network, plan.width, plan.height).eval()

    def run(x):
        with torch.no_grad():
            return exported(torch.from_numpy(x)).numpy()

    return run


def match(boxes, scores, truth, ignored=(), least=0.5):
    """Greedy matching, best score first: pairs of (box, truth) indices, and the count of false boxes.

    A box that matches nothing and has its centre in an ignored one is not held against the detector.
    """
    free, pairs, false = list(range(len(truth))), [], 0
    for index in np.argsort(-np.asarray(scores), kind="stable"):
        values = iou(boxes[index], truth[free])[0] if free else np.zeros(0)
        if len(values) and values.max() >= least:
            pairs.append((int(index), free.pop(int(values.argmax()))))
            continue
        x, y = (boxes[index][:2] + boxes[index][2:]) / 2
        false += not any(x1 <= x <= x2 and y1 <= y <= y2 for x1, y1, x2, y2 in ignored)
    return pairs, false


def fit_detector(frames, train, validation, plan):
    """Trains on `train`, keeps the epoch with the least loss on `validation`."""
    torch.manual_seed(plan.seed)
    classes = len(frames.names)
    network = Detector(classes, plan.widths).to(memory_format=torch.channels_last)
    average = MovingAverage(network)
    decayed = [p for p in network.parameters() if p.dim() > 1]
    plain = [p for p in network.parameters() if p.dim() <= 1]
    optimiser = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": plan.decay}, {"params": plain, "weight_decay": 0.0}], lr=plan.rate)
    light = Augmentation(margin=0, size=plan.width)
    pictures = {int(i): reduced(frames.paths[i], plan.width, plan.height) for i in train}

    shown, truth = [], []
    for i in validation:
        fitted, (scale, left, top) = letterbox(read_picture(frames.paths[i]), plan.width, plan.height)
        shown.append(fitted)
        shift = [left, top, left, top]
        truth.append(targets(frames.boxes[i] * scale + shift, frames.labels[i], frames.ignored[i] * scale + shift,
                             plan, classes))

    fit = Fit(network, {"train loss": [], "validation loss": []})
    progress = Progress("detector epoch", plan.epochs, plan.budget)
    steps = max(len(train) // plan.batch, 1)
    best, kept = np.inf, None

    def batches(epoch):
        rng = np.random.default_rng([plan.seed, epoch, 7])
        order = rng.permutation(train)
        for step in range(steps):
            views, wanted = [], []
            for i in order[step * plan.batch:(step + 1) * plan.batch]:
                picture, scale = pictures[int(i)]
                view, *rest = view_of(picture, frames.boxes[i], frames.labels[i], frames.ignored[i], scale, plan,
                                      light, rng)
                views.append(view)
                wanted.append(targets(*rest, plan, classes))
            yield to_tensor(views), *(np.stack(part) for part in zip(*wanted))

    epoch = 0
    while epoch < progress.steps:
        network.train()
        seen = []
        for step, batch in enumerate(ahead(batches(epoch))):
            way = (epoch + step / steps) / progress.steps
            warm = min((epoch * steps + step + 1) / (2 * steps), 1)
            for group in optimiser.param_groups:
                group["lr"] = plan.rate * warm * (0.01 + 0.99 * 0.5 * (1 + np.cos(np.pi * way)))
            x, *wanted = (torch.from_numpy(part) for part in batch)
            focal, box = losses(*network(x.contiguous(memory_format=torch.channels_last)), *wanted)
            loss = focal + box
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 10.0)
            optimiser.step()
            average.update(network)
            seen.append(loss.item())
        epoch += 1
        judge = Detector(classes, plan.widths)
        judge.load_state_dict(average.state)
        judge.eval()
        value, tried = 0.0, 0
        with torch.no_grad():
            for start in range(0, len(shown), 32):
                wanted = [torch.from_numpy(np.stack(part)) for part in zip(*truth[start:start + 32])]
                focal, box = losses(*judge(torch.from_numpy(to_tensor(shown[start:start + 32]))), *wanted)
                count = len(wanted[0])
                value, tried = value + float(focal + box) * count, tried + count
        value /= max(tried, 1)
        fit.curves["train loss"].append(float(np.mean(seen)))
        fit.curves["validation loss"].append(value)
        mark = ""
        if value < best:
            best, fit.best, mark = value, epoch, " *"
            kept = {name: tensor.clone() for name, tensor in average.state.items()}
        affordable = progress.affordable(epoch)
        if affordable < progress.steps:
            say(f"detector: {progress.steps} epochs do not fit the time budget, ending after {affordable}")
            progress.steps = affordable
        progress.line(epoch, f"loss {np.mean(seen):.3f}  validation {value:.3f}{mark}")
        if epoch - fit.best >= plan.patience:
            say(f"detector: no better for {plan.patience} epochs, stopping early; epoch {fit.best} is kept")
            break
    network.load_state_dict(kept)
    network.eval()
    fit.epochs, fit.seconds = epoch, progress.elapsed
    return fit
