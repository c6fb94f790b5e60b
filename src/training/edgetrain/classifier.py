"""Fits the defect classifier."""

import threading
import queue
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.nn import functional

from .augment import Augmentation
from .geometry import crop_part, to_tensor
from .networks import Classifier, MovingAverage
from .progress import Progress, say


@dataclass
class ClassifierPlan:
    """What the command line may set."""

    augmentation: Augmentation
    widths: tuple = (16, 32, 64, 96)
    dropout: float = 0.2
    smoothing: float = 0.02
    epochs: int = 40
    patience: int = 12
    batch: int = 32
    rate: float = 3e-3
    decay: float = 0.02
    seed: int = 1
    budget: float = None          # seconds, None for no limit


@dataclass
class Fit:
    """A fitted network and how it came to be."""

    network: torch.nn.Module
    curves: dict = field(default_factory=dict)
    epochs: int = 0
    best: int = 0
    seconds: float = 0.0


def ahead(produce):
    """Runs a generator on a thread of its own, a few items ahead: OpenCV works while PyTorch does."""
    items, end = queue.Queue(4), object()

    def work():
        try:
            for item in produce:
                items.put(item)
            items.put(end)
        except BaseException as error:  # handed to the reader, who raises it
            items.put(error)

    threading.Thread(target=work, daemon=True).start()
    while True:
        item = items.get()
        if item is end:
            return
        if isinstance(item, BaseException):
            raise item
        yield item


def as_seen(crops, indices, margin, size):
    """What the device feeds the classifier for an exact box: uint8 pictures."""
    out = []
    for i in indices:
        picture = crops.pictures[i]
        picture = np.repeat(picture[..., None], 3, 2) if picture.ndim == 2 else picture
        side, half = picture.shape[0] / crops.context, picture.shape[0] / 2
        wide = picture.shape[1] / 2
        out.append(crop_part(picture, (wide - side / 2, half - side / 2, wide + side / 2, half + side / 2), margin, size))
    return out


def disturbed(crops, indices, augmentation, seed, strength=0.6):
    """One view of each part as another pass of the line would give it; the same views for the same seed."""
    return [augmentation(crops.pictures[i], crops.context, np.random.default_rng([seed, int(i)]), strength)
            for i in indices]


def predict(network, pictures, batch=64):
    """Probabilities of shape (pictures, classes)."""
    network.eval()
    out = []
    with torch.no_grad():
        for start in range(0, len(pictures), batch):
            x = torch.from_numpy(to_tensor(pictures[start:start + batch]))
            out.append(torch.softmax(network(x.contiguous(memory_format=torch.channels_last)), 1))
    return torch.cat(out).double().numpy() if out else np.zeros((0, network.head.out_features))


def cross_entropy(probabilities, labels):
    return float(-np.log(np.maximum(probabilities[np.arange(len(labels)), labels], 1e-7)).mean())


def fit_classifier(crops, train, validation, plan, good):
    """Trains on `train`, keeps the epoch with the least loss on `validation`."""
    torch.manual_seed(plan.seed)
    network = Classifier(len(crops.classes), plan.widths, plan.dropout).to(memory_format=torch.channels_last)
    average = MovingAverage(network)
    decayed = [p for p in network.parameters() if p.dim() > 1]
    plain = [p for p in network.parameters() if p.dim() <= 1]
    optimiser = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": plan.decay}, {"params": plain, "weight_decay": 0.0}], lr=plan.rate)
    counts = np.bincount(crops.labels[train], minlength=len(crops.classes))
    weights = torch.tensor((counts.mean() / np.maximum(counts, 1)) ** 0.5, dtype=torch.float32)

    size, margin = plan.augmentation.size, plan.augmentation.margin
    # Validation looks at each part as it is and as two more passes of the line would show it.
    shown = as_seen(crops, validation, margin, size)
    for turn in (1, 2):
        shown += disturbed(crops, validation, plan.augmentation, plan.seed + turn)
    truth = np.tile(crops.labels[validation], 3)
    good_index = [crops.classes.index(name) for name in good]

    fit = Fit(network, {"train loss": [], "validation loss": [], "validation error": []})
    progress = Progress("classifier epoch", plan.epochs, plan.budget)
    best, kept = np.inf, None
    steps = max(len(train) // plan.batch, 1)

    def batches(epoch):
        rng = np.random.default_rng([plan.seed, epoch])
        order = rng.permutation(train)
        for step in range(steps):
            chosen = order[step * plan.batch:(step + 1) * plan.batch]
            yield to_tensor([plan.augmentation(crops.pictures[i], crops.context, rng) for i in chosen]), \
                crops.labels[chosen]

    epoch = 0
    while epoch < progress.steps:
        network.train()
        losses = []
        for step, (x, y) in enumerate(ahead(batches(epoch))):
            way = (epoch + step / steps) / progress.steps
            warm = min((epoch * steps + step + 1) / (2 * steps), 1)
            for group in optimiser.param_groups:
                group["lr"] = plan.rate * warm * (0.01 + 0.99 * 0.5 * (1 + np.cos(np.pi * way)))
            x = torch.from_numpy(x).contiguous(memory_format=torch.channels_last)
            loss = functional.cross_entropy(
                network(x), torch.from_numpy(y), weights, label_smoothing=plan.smoothing)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimiser.step()
            average.update(network)
            losses.append(loss.item())
        epoch += 1
        judge = Classifier(len(crops.classes), plan.widths)
        judge.load_state_dict(average.state)
        judge = judge.to(memory_format=torch.channels_last)
        probabilities = predict(judge, shown)
        value = cross_entropy(probabilities, truth)
        defect = 1 - probabilities[:, good_index].sum(1)
        wrong = float(((defect >= 0.5) != ~np.isin(truth, good_index)).mean())
        fit.curves["train loss"].append(float(np.mean(losses)))
        fit.curves["validation loss"].append(value)
        fit.curves["validation error"].append(wrong)
        mark = ""
        if value < best:
            best, fit.best, mark = value, epoch, " *"
            kept = {name: tensor.clone() for name, tensor in average.state.items()}
        affordable = progress.affordable(epoch)
        if affordable < progress.steps:
            say(f"classifier: {progress.steps} epochs do not fit the time budget, ending after {affordable}")
            progress.steps = affordable
        progress.line(epoch, f"loss {np.mean(losses):.4f}  validation {value:.4f}, {wrong:.2%} of verdicts wrong{mark}")
        if epoch - fit.best >= plan.patience:
            say(f"classifier: no better for {plan.patience} epochs, stopping early; epoch {fit.best} is kept")
            break
    network.load_state_dict(kept)
    network.eval()
    fit.epochs, fit.seconds = epoch, progress.elapsed
    return fit
