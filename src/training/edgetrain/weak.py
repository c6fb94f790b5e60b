"""Boxes from a colour: a first data set for a product nobody has labelled yet."""

import json
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from .errors import TrainingError
from .progress import Progress


@dataclass
class ColourRule:
    """HSV range in OpenCV's units (hue 0-179, saturation and value 0-255), and what a blob must be."""

    low: tuple
    high: tuple
    least_area: float = 0.01      # of the picture
    close: int = 9                # pixels: holes and print up to this wide are filled
    open: int = 5                 # pixels: bridges and specks up to this wide are removed
    fill: float = 0.5             # of its box that a blob covers at least


def colour_rule(text, **more):
    """Parses `H1,S1,V1-H2,S2,V2`."""
    found = re.fullmatch(r"(\d+),(\d+),(\d+)-(\d+),(\d+),(\d+)", text.replace(" ", ""))
    if not found:
        raise TrainingError(f"--colour-range {text}: not a range; write it as 15,90,90-40,255,255 "
                            "(hue 0-179, saturation, value)")
    numbers = [int(n) for n in found.groups()]
    return ColourRule(tuple(numbers[:3]), tuple(numbers[3:]), **more)


def boxes_by_colour(picture, rule):
    """x1, y1, x2, y2 of the blobs of the colour. A range whose low hue is above its high one wraps around red."""
    hsv = cv2.cvtColor(picture, cv2.COLOR_BGR2HSV)
    if rule.low[0] <= rule.high[0]:
        mask = cv2.inRange(hsv, rule.low, rule.high)
    else:
        mask = cv2.inRange(hsv, rule.low, (179,) + rule.high[1:]) | cv2.inRange(hsv, (0,) + rule.low[1:], rule.high)
    for size, what in ((rule.open, cv2.MORPH_OPEN), (rule.close, cv2.MORPH_CLOSE)):
        if size > 1:
            mask = cv2.morphologyEx(mask, what, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask)
    least = rule.least_area * picture.shape[0] * picture.shape[1]
    return np.array([[x, y, x + w, y + h] for x, y, w, h, area in stats[1:]
                     if area >= least and area >= rule.fill * w * h], float).reshape(-1, 4)


def weak_label(video, rule, out, label, every=1, region=None):
    """Writes OUT/frames/NNNNN.jpg and OUT/frames/annotations.json. `region` is x1,y1,x2,y2: blobs centred elsewhere
    are no parts."""
    out = Path(out)
    if not Path(video).is_file():
        raise TrainingError(f"{video}: no such file; give a video file")
    if out.exists() and any(out.iterdir()):
        raise TrainingError(f"{out}: it is not empty; give another --out")
    capture = cv2.VideoCapture(str(video))
    count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) if capture.isOpened() else 0
    ok, picture = capture.read()
    if not ok:
        raise TrainingError(f"{video}: no frame can be read from it; give a video that plays")
    out.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        (work / "frames").mkdir()
        images, notes = [], []
        progress = Progress("frame", max(count, 1))
        index = 0
        while ok:
            if index % every == 0:
                name = f"{index:05d}.jpg"
                cv2.imwrite(str(work / "frames" / name), picture, [cv2.IMWRITE_JPEG_QUALITY, 92])
                images.append({"id": index + 1, "file_name": name, "width": picture.shape[1],
                               "height": picture.shape[0]})
                for x1, y1, x2, y2 in boxes_by_colour(picture, rule):
                    if region and not (region[0] <= (x1 + x2) / 2 <= region[2]
                                       and region[1] <= (y1 + y2) / 2 <= region[3]):
                        continue
                    notes.append({"id": len(notes) + 1, "image_id": index + 1, "category_id": 1,
                                  "bbox": [x1, y1, x2 - x1, y2 - y1], "area": (x2 - x1) * (y2 - y1), "iscrowd": 0})
            index += 1
            if index % 100 == 0:
                progress.line(min(index, progress.steps), f"{len(notes)} boxes")
            ok, picture = capture.read()
        content = {"info": {"description": f"boxes by colour {rule.low}-{rule.high}"}, "images": images,
                   "annotations": notes, "categories": [{"id": 1, "name": label}]}
        (work / "frames" / "annotations.json").write_text(json.dumps(content), encoding="utf-8")
        work.chmod(0o755)
        if out.exists():
            out.rmdir()
        work.rename(out)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    return len(images), len(notes)
