"""Frames with COCO boxes on disk."""

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from .crops import read_picture
from .errors import TrainingError


@dataclass
class Frames:
    """Paths and boxes of the frames. `boxes[i]` is (n, 4) x1, y1, x2, y2; `labels[i]` is (n,) into `names`."""

    names: list
    paths: list
    boxes: list
    labels: list

    def __len__(self):
        return len(self.paths)


def annotation_file(folder):
    """The COCO file of a folder of frames: inside it or beside it."""
    for place in (folder, folder.parent):
        for path in sorted(place.glob("*.json")):
            try:
                content = json.loads(path.read_text(encoding="utf-8"))
            except (ValueError, UnicodeDecodeError):
                continue
            if isinstance(content, dict) and {"images", "annotations", "categories"} <= set(content):
                return path, content
    raise TrainingError(f"{folder}: no COCO file (JSON with images, annotations and categories) in it or beside it; "
                        "write one with `edge-inspector simulate` or `train.py weak-label`")


def load_frames(folder, label=None):
    """Reads the COCO file. With `label` every category becomes that one: the detector then only finds parts."""
    folder = Path(folder)
    if not folder.is_dir():
        raise TrainingError(f"{folder}: no such folder; give the folder that holds the frames")
    path, content = annotation_file(folder)
    categories = {c["id"]: c["name"] for c in content["categories"]}
    names = [label] if label else [categories[key] for key in sorted(categories)]
    found = {}
    for note in content["annotations"]:
        x, y, width, height = note["bbox"]
        if width > 1 and height > 1:
            number = 0 if label else names.index(categories[note["category_id"]])
            found.setdefault(note["image_id"], []).append((x, y, x + width, y + height, number))
    frames = Frames(names, [], [], [])
    for image in content["images"]:
        name = image["file_name"]
        picture = next((p for p in (folder / name, path.parent / name, folder / Path(name).name) if p.is_file()), None)
        if picture is None:
            raise TrainingError(f"{path}: it lists {name}, which is not in {folder}; write the data set again")
        rows = np.array(found.get(image["id"], []), float).reshape(-1, 5)
        frames.paths.append(picture)
        frames.boxes.append(rows[:, :4])
        frames.labels.append(rows[:, 4].astype(int))
    if sum(len(b) for b in frames.boxes) < 10:
        raise TrainingError(f"{path}: fewer than ten boxes; the detector needs some hundreds to learn from")
    return frames


def split_frames(count, fractions, seed, run=8):
    """Index arrays, one per fraction and the rest last.

    Whole runs of neighbouring frames stay together, since a part is seen on several frames in a row.
    """
    run = max(1, min(run, count // 20))
    numbers = np.arange(count) // run
    keys = np.random.default_rng(seed).permutation(numbers.max() + 1)
    sets, start = [], 0
    for fraction in fractions:
        stop = start + max(1, int(round(len(keys) * fraction)))
        sets.append(np.flatnonzero(np.isin(numbers, keys[start:stop])))
        start = stop
    sets.append(np.flatnonzero(np.isin(numbers, keys[start:])))
    return sets


def reduced(path, width, height):
    """The picture, halved while it stays at least twice the network's input: training need not hold more."""
    picture = read_picture(path)
    scale = 1.0
    while picture.shape[1] >= 4 * width and picture.shape[0] >= 4 * height:
        picture = cv2.resize(picture, (picture.shape[1] // 2, picture.shape[0] // 2), interpolation=cv2.INTER_LINEAR)
        scale /= 2
    return picture, scale
