"""Labelled crops on disk (one folder per class), their groups and their split."""

import re
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from .errors import TrainingError

PICTURES = {".png", ".jpg", ".jpeg", ".bmp"}

# `edge-inspector simulate` names a crop PART-FRAME by their numbers; others may write part-NUMBER anywhere.
PART = re.compile(r"^(\d+)-(\d+)$|part[-_]?(\d+)", re.IGNORECASE)


@dataclass
class Crops:
    """Pictures of single parts. `context` is the side of a picture in units of the part's longer side."""

    classes: list
    pictures: list
    labels: np.ndarray
    names: list
    context: float

    def __len__(self):
        return len(self.pictures)

    def counts(self):
        return {name: int((self.labels == index).sum()) for index, name in enumerate(self.classes)}


def part_number(name):
    """The part that a crop shows, by its file's name, or None."""
    match = PART.search(Path(name).stem)
    return int(match.group(1) or match.group(3)) if match else None


def read_picture(path):
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise TrainingError(f"{path}: not a readable picture; delete it or replace it")
    return picture


def load_crops(folder, context, good):
    """Reads DIR/<class>/<picture>. A grey photograph is kept with one channel, a third of the memory."""
    folder = Path(folder)
    if not folder.is_dir():
        raise TrainingError(f"{folder}: no such folder; give a folder with one sub-folder of pictures per class")
    named = {sub.name: sorted(p for p in sub.iterdir() if p.suffix.lower() in PICTURES)
             for sub in sorted(folder.iterdir()) if sub.is_dir()}
    named = {name: files for name, files in named.items() if files}
    if len(named) < 2:
        raise TrainingError(f"{folder}: {len(named)} class folders with pictures; at least two are needed, "
                            "for example ok and defect")
    missing = [name for name in good if name not in named]
    if missing:
        raise TrainingError(f"{folder}: no folder for the good label '{missing[0]}'; name the good classes with --good "
                            f"(folders: {', '.join(named)})")
    if not set(named) - set(good):
        raise TrainingError(f"{folder}: every class is called good; leave at least one defect class out of --good")
    # Good labels first, as people read them.
    classes = list(good) + [name for name in named if name not in good]
    pictures, labels, names = [], [], []
    for index, name in enumerate(classes):
        for path in named[name]:
            picture = read_picture(path)
            if (picture[..., :1] == picture).all():
                picture = np.ascontiguousarray(picture[..., 0])
            pictures.append(picture)
            labels.append(index)
            names.append(f"{name}/{path.name}")
    return Crops(classes, pictures, np.array(labels), names, context)


def group_crops(crops, distance=2.0):
    """One group number per picture: pictures of one part, and near-duplicates, share it.

    Near-duplicates differ by less than `distance` grey levels, as the mean over 16 x 16 thumbnails and the best of
    the eight flips and right-angle turns. Data sets of photographs are often multiplied that way before they are
    published; the twins must not straddle a split. Where every picture tells its part, that is the truth already
    and no likeness is looked for: biscuits of one bake are alike and yet not one.
    """
    parent = list(range(len(crops)))

    def root(i):
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    first = {}
    told = [part_number(name) for name in crops.names]
    for i, part in enumerate(told):
        if part is not None:
            parent[root(i)] = root(first.setdefault(part, i))
    if None not in told or distance <= 0:
        return numbered([root(i) for i in range(len(crops))])

    small = [cv2.resize(p if p.ndim == 2 else cv2.cvtColor(p, cv2.COLOR_BGR2GRAY), (16, 16),
                        interpolation=cv2.INTER_AREA) for p in crops.pictures]
    small = np.stack(small).astype(np.int16)
    turns = [np.rot90(m, k, (1, 2)) for m in (small, small[:, :, ::-1]) for k in range(4)]
    turns = np.stack(turns).reshape(8, len(crops), 256)
    # A mean difference below `distance` needs means that differ by less: only neighbours in brightness are compared.
    means = turns[0].mean(1)
    order = np.argsort(means, kind="stable")
    ordered = means[order]
    for place, i in enumerate(order):
        after = order[place + 1:np.searchsorted(ordered, ordered[place] + distance, "right")]
        if len(after) == 0:
            continue
        difference = np.abs(turns[:, after] - turns[0, i]).mean(2).min(0)
        for j in after[difference < distance]:
            parent[root(int(j))] = root(int(i))
    return numbered([root(i) for i in range(len(crops))])


def numbered(keys):
    """Group numbers from 0 in order of first appearance."""
    numbers = {}
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys])


def split_groups(labels, groups, fractions, seed):
    """Index arrays, one per fraction and the rest last. Whole groups only; each class keeps about its share."""
    labels, groups = np.asarray(labels), np.asarray(groups)
    rng = np.random.default_rng(seed)
    members = {}
    for index, group in enumerate(groups):
        members.setdefault(int(group), []).append(index)
    keys = sorted(members)
    rng.shuffle(keys)
    # Large groups go to the rest: a tenth of the data in one group would make a hold-out of a single part.
    sets = [[] for _ in range(len(fractions) + 1)]
    want = [{c: fraction * int((labels == c).sum()) for c in np.unique(labels)} for fraction in fractions]
    for key in keys:
        label = int(np.bincount(labels[members[key]]).argmax())
        for number, room in enumerate(want):
            if room[label] >= len(members[key]) * 0.5:
                room[label] -= len(members[key])
                sets[number] += members[key]
                break
        else:
            sets[-1] += members[key]
    return [np.array(sorted(s), int) for s in sets]
