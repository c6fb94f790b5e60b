"""Judges the classifier of a finished package on pictures from elsewhere, through its ONNX file."""

import json
from pathlib import Path

import numpy as np

from .classifier import as_seen
from .crops import load_crops
from .errors import TrainingError
from .export import scorer
from .geometry import to_tensor
from .measures import statement, verdict_rates
from .progress import say


def evaluate(package, folder, context, edge_inspector, name_wrong):
    """Prints the rates at the package's own threshold. Nothing is chosen here: one look is an honest look."""
    path = Path(package) / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        stage = manifest["classifier"]
    except (OSError, ValueError, KeyError):
        raise TrainingError(
            f"{path}: not the manifest of a package with a classifier; give the package's folder") from None
    crops = load_crops(folder, context, [name for name in stage["good"] if (Path(folder) / name).is_dir()])
    views = as_seen(crops, range(len(crops)), stage["cropMargin"], stage["input"]["width"])
    engine, score = scorer(edge_inspector)
    x = to_tensor(views)
    probabilities = np.concatenate([
        score(Path(package) / stage["file"], x[i:i + 64]) for i in range(0, len(x), 64)]).astype(float)
    defect = 1 - probabilities[:, [stage["labels"].index(name) for name in stage["good"]]].sum(1)
    truth = np.array([crops.classes[label] not in stage["good"] for label in crops.labels])
    rates = verdict_rates(defect, truth, stage["defectThreshold"])
    say(f"{folder}: {len(crops)} pictures through {engine}, threshold {stage['defectThreshold']}")
    for key, words in (("missedDefects", "defects missed"), ("goodRejected", "good parts rejected"),
                       ("wrong", "verdicts wrong")):
        r = rates[key]
        say(f"  {words}: {r['count']} of {r['of']} = {r['rate'] or 0:.2%}, 95 % interval "
            f"{r['interval95'][0]:.2%} to {r['interval95'][1]:.2%}")
    say(statement(rates, 8000, 280))
    if name_wrong:
        for index in np.flatnonzero((defect >= stage["defectThreshold"]) != truth):
            say(f"  wrong: {crops.names[index]} defect score {defect[index]:.3f}")
    return rates
