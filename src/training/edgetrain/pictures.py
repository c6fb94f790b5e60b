"""Learning curves and the gallery of failures, for people."""

import os

os.environ.setdefault("MPLBACKEND", "Agg")

import cv2
import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402  (the backend must be chosen first: there is no screen)

from .geometry import letterbox  # noqa: E402


def learning_curves(fits, path):
    """`fits` maps a stage's name to its Fit."""
    figure, axes = pyplot.subplots(1, len(fits), figsize=(5.2 * len(fits), 3.4), squeeze=False)
    for axis, (name, fit) in zip(axes[0], fits.items()):
        for curve, values in fit.curves.items():
            if "error" not in curve:
                axis.plot(range(1, len(values) + 1), values, label=curve)
        if "validation error" in fit.curves:
            second = axis.twinx()
            error = np.array(fit.curves["validation error"]) * 100
            second.plot(range(1, len(error) + 1), error, color="tab:red", linewidth=0.8, linestyle=":")
            second.set_ylabel("wrong verdicts in validation, % (dotted)", fontsize=7)
            second.set_ylim(0, max(min(error.max(), 20), 1))
        axis.axvline(fit.best, color="grey", linewidth=0.8)
        axis.set_title(f"{name}: epoch {fit.best} kept", fontsize=9)
        axis.set_xlabel("epoch")
        axis.set_yscale("log")
        axis.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=72, metadata={"Software": None})
    pyplot.close(figure)


def gallery(entries, path, columns=8, cell=100, limit=32):
    """`entries` are (picture, first line, second line, wrong): the worst first. A red frame marks a mistake."""
    entries = entries[:limit]
    rows = max((len(entries) + columns - 1) // columns, 1)
    sheet = np.full((rows * (cell + 30), columns * cell, 3), 255, np.uint8)
    for number, (picture, first, second, wrong) in enumerate(entries):
        y, x = number // columns * (cell + 30), number % columns * cell
        scale = (cell - 4) / max(picture.shape[:2])
        small = cv2.resize(picture, (max(int(picture.shape[1] * scale), 1), max(int(picture.shape[0] * scale), 1)),
                           interpolation=cv2.INTER_AREA)
        tile, _ = letterbox(small, cell - 4, cell - 4, pad=235)
        sheet[y:y + cell, x:x + cell] = (40, 40, 220) if wrong else (200, 200, 200)
        sheet[y + 2:y + cell - 2, x + 2:x + cell - 2] = tile
        for line, text in enumerate((first, second)):
            cv2.putText(sheet, text[:18], (x + 3, y + cell + 11 + 12 * line), cv2.FONT_HERSHEY_SIMPLEX, 0.33,
                        (0, 0, 0), 1, cv2.LINE_AA)
    cv2.imwrite(str(path), sheet, [cv2.IMWRITE_PNG_COMPRESSION, 9])
