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
    """Paths and boxes of the frames. `boxes[i]` is (n, 4) x1, y1, x2, y2; `labels[i]` is (n,) into `names`.

    `ignored[i]` are boxes that are neither parts nor background, such as parts mostly cut off by the frame's edge.
    `kinds[i]`, `parts[i]` and `whole[i]` say of each box its category, its part's number on the line (None where
    the data set does not tell) and whether the part is all in view.
    """

    names: list
    paths: list
    boxes: list
    labels: list
    ignored: list
    kinds: list
    parts: list
    whole: list

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
    notes = {}
    for note in content["annotations"]:
        if note["bbox"][2] > 1 and note["bbox"][3] > 1:
            notes.setdefault(note["image_id"], []).append(note)
    frames = Frames(names, [], [], [], [], [], [], [])
    for image in content["images"]:
        name = image["file_name"]
        places = (folder / name, folder / "images" / name, path.parent / name, folder / Path(name).name)
        picture = next((p for p in places if p.is_file()), None)
        if picture is None:
            raise TrainingError(f"{path}: it lists {name}, which is not in {folder}; write the data set again")
        mine = notes.get(image["id"], [])
        kept = [n for n in mine if not n.get("ignore") and not n.get("iscrowd")]
        kinds = [categories[n["category_id"]] for n in kept]
        frames.paths.append(picture)
        frames.boxes.append(corner_boxes(kept))
        frames.ignored.append(corner_boxes([n for n in mine if n.get("ignore") or n.get("iscrowd")]))
        frames.labels.append(np.array([0 if label else names.index(kind) for kind in kinds], int))
        frames.kinds.append(kinds)
        told = [n.get("attributes") or {} for n in kept]
        frames.parts.append([a.get("part") for a in told])
        frames.whole.append([a.get("visible", 1.0) >= 0.999 for a in told])
    if sum(len(b) for b in frames.boxes) < 10:
        raise TrainingError(f"{path}: fewer than ten boxes; the detector needs some hundreds to learn from")
    return frames


def corner_boxes(notes):
    boxes = np.array([n["bbox"] for n in notes], float).reshape(-1, 4)
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1)


def split_frames(count, fractions, seed):
    """Index arrays, one per fraction and the rest last.

    Whole runs of neighbouring frames stay together, since a part is seen on several frames in a row, and lamp and
    belt change slowly.
    """
    run = max(count // 40, 1)
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
