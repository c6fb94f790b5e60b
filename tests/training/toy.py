"""A toy line: plain discs on a plain belt, enough to see whether the trainer learns at all."""

import json

import cv2
import numpy as np

KINDS = ("good", "burnt", "hole")


def draw(picture, x, y, radius, kind):
    cv2.ellipse(picture, (x, y), (radius, int(radius * 0.8)), 0, 0, 360,
                (40, 60, 80) if kind == "burnt" else (90, 150, 200), -1)
    if kind == "hole":
        cv2.circle(picture, (x + 8, y), radius // 3, (60, 60, 60), -1)


def belt(rng, height, width):
    return rng.normal(60, 6, (height, width, 3)).clip(0, 255).astype(np.uint8)


def write_frames(folder, count, seed=0):
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    images, notes = [], []
    for index in range(count):
        picture = belt(rng, 240, 320)
        x = int(rng.integers(-10, 45))
        while x < 330:
            radius, y = int(rng.integers(22, 30)), int(rng.integers(90, 150))
            draw(picture, x, y, radius, KINDS[rng.integers(3)])
            left, right = max(x - radius, 0), min(x + radius + 1, 320)
            if right - left > 12:
                half = int(0.8 * radius)
                notes.append({"id": len(notes) + 1, "image_id": index, "category_id": 3,
                              "bbox": [left, y - half, right - left, 2 * half + 1]})
            x += 2 * radius + int(rng.integers(0, 40))
        cv2.imwrite(str(folder / f"{index:05d}.png"), picture)
        images.append({"id": index, "file_name": f"{index:05d}.png", "width": 320, "height": 240})
    (folder / "annotations.json").write_text(json.dumps(
        {"images": images, "annotations": notes, "categories": [{"id": 3, "name": "disc"}]}))


def write_crops(folder, count, seed=0, size=96, context=1.5, kinds=KINDS):
    rng = np.random.default_rng(seed)
    for kind in kinds:
        (folder / kind).mkdir(parents=True)
        for index in range(count):
            picture = belt(rng, size, size)
            radius = int(size / context / 2)
            draw(picture, size // 2, size // 2, int(radius * rng.uniform(0.9, 1)), kind)
            cv2.imwrite(str(folder / kind / f"{kind}-{index:03d}.png"), picture)
