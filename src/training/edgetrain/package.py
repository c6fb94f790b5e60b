"""From a data set to a model package: split, fit, judge, export, prove, write."""

import hashlib
import json
import os
import shutil
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import cv2
import numpy as np
import torch

from .classifier import ClassifierPlan, Fit, as_seen, disturbed, fit_classifier, predict
from .crops import group_crops, load_crops, part_number, read_picture, split_groups
from .detector import DetectorPlan, detect, fit_detector, match, runner
from .errors import TrainingError
from .export import check_parity, export
from .frames import load_frames, split_frames
from .geometry import crop_part, iou, letterbox, to_tensor
from .measures import (choose_threshold, picture_features, rate, simple_rule, statement, threshold_table,
                       verdict_rates)
from .networks import Classifier, Detector, DetectorExport, Probabilities, multiplications
from .pictures import gallery, learning_curves
from .progress import clock, say

SCHEMA = "edge-inspector.package/1"


@dataclass
class PackagePlan:
    """Everything a package is made from."""

    name: str
    out: Path
    version: str = "1.0.0"
    description: str = ""
    frames: Path = None
    crops: Path = None
    crop_context: float = 1.5
    good: tuple = ("good",)
    label: str = None
    seed: int = 1
    test_share: float = 0.15
    validation_share: float = 0.12
    duplicate_distance: float = 2.0
    miss_cost: float = 5.0
    good_per_day: int = 8000
    defects_per_day: int = 280
    goldens: int = 8
    golden_quality: int = 92
    budget: float = None
    edge_inspector: str = None
    keep: Path = None
    detector: DetectorPlan = field(default_factory=DetectorPlan)
    classifier: ClassifierPlan = None


def prepare(seed, threads):
    """Same seed, same machine, same package."""
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)
    if threads:
        torch.set_num_threads(threads)
    cv2.setNumThreads(1)  # pictures are small: OpenCV's own threads only get into PyTorch's way


def kept_fit(keep, stage, facts, network, fit):
    """The stage's fit from the folder `keep` where data and settings are unchanged, else a new one, kept there."""
    if keep is None:
        return fit()
    key = hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()
    path = Path(keep) / f"{stage}.pt"
    if path.is_file():
        stored = torch.load(path)
        if stored["key"] == key:
            say(f"{stage}: taken from {path}")
            net = network()
            net.load_state_dict(stored["state"])
            return Fit(net.eval(), stored["curves"], stored["epochs"], stored["best"], stored["seconds"])
    result = fit()
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"key": key, "state": result.network.state_dict(), "curves": result.curves, "epochs": result.epochs,
                "best": result.best, "seconds": result.seconds}, path)
    return result


def settings(plan):
    """A plan as plain values, without the time budget, which says nothing about the result wished for."""
    return {k: v for k, v in asdict(plan).items() if k != "budget"}


def percent(measured):
    return "none" if measured["rate"] is None else f"{measured['rate']:.2%}"


def sha256(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def input_of(width, height, fit):
    return {"width": width, "height": height, "channels": "rgb", "mean": [0, 0, 0], "std": [255, 255, 255],
            "fit": fit, "pad": 114}


def judge_detector(frames, test, run, plan):
    """Precision and recall at IoU 0.5 on frames never trained on, and the picture rule's for comparison."""
    hit = false = missed = 0
    overlaps, worst = [], []
    for i in test:
        boxes, scores, _ = detect(run, read_picture(frames.paths[i]), plan)
        pairs, wrong = match(boxes, scores, frames.boxes[i], frames.ignored[i])
        lost = len(frames.boxes[i]) - len(pairs)
        hit, false, missed = hit + len(pairs), false + wrong, missed + lost
        overlaps += [float(iou(boxes[found], frames.boxes[i][true])[0, 0]) for found, true in pairs]
        if wrong or lost:
            worst.append((wrong + lost, int(i), boxes))
    worst.sort(key=lambda w: (-w[0], w[1]))
    return {"frames": int(len(test)), "parts": int(hit + missed), "precision": rate(hit, hit + false),
            "recall": rate(hit, hit + missed), "iouOfMatched": {
                "mean": round(float(np.mean(overlaps)), 4) if overlaps else None,
                "p05": round(float(np.quantile(overlaps, 0.05)), 4) if overlaps else None},
            "scoreThreshold": plan.score, "iouThreshold": 0.5}, worst


def brightness_rule(frames, train, test):
    """The detector's baseline: blobs on the side of one brightness where parts are, the best of a few thresholds."""
    def found(path, threshold, bright):
        grey = cv2.cvtColor(read_picture(path), cv2.COLOR_BGR2GRAY)
        mask = ((grey > threshold) if bright else (grey < threshold)).astype(np.uint8)
        mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
        _, _, stats, _ = cv2.connectedComponentsWithStats(mask)
        return np.array([[x, y, x + w, y + h] for x, y, w, h, area in stats[1:] if area > 400], float).reshape(-1, 4)

    def score(indices, threshold, bright):
        hit = false = missed = 0
        for i in indices:
            boxes = found(frames.paths[i], threshold, bright)
            pairs, wrong = match(boxes, np.ones(len(boxes)), frames.boxes[i], frames.ignored[i])
            hit, false, missed = hit + len(pairs), false + wrong, missed + len(frames.boxes[i]) - len(pairs)
        return hit, false, missed

    some = train[:: max(len(train) // 25, 1)]
    best = max(((threshold, bright) for threshold in range(60, 220, 20) for bright in (True, False)),
               key=lambda c: (lambda h, f, m: 2 * h / max(2 * h + f + m, 1))(*score(some, *c)))
    hit, false, missed = score(test, *best)
    return {"rule": f"blobs {'above' if best[1] else 'below'} brightness {best[0]}",
            "precision": rate(hit, hit + false), "recall": rate(hit, hit + missed)}


def judge_classifier(crops, parts, network, plan, good, threshold=None):
    """Rates on the test part against the baselines. The threshold comes from the validation part alone."""
    test, validation, train = parts
    cp = plan.classifier
    size, margin = cp.augmentation.size, cp.augmentation.margin
    good_index = [crops.classes.index(name) for name in good]

    def scores_of(pictures):
        return 1 - predict(network, pictures)[:, good_index].sum(1)

    defective = ~np.isin(crops.labels, good_index)
    if threshold is None:
        views = [as_seen(crops, validation, margin, size)] + [
            disturbed(crops, validation, cp.augmentation, cp.seed + 100 + turn) for turn in range(3)]
        threshold = choose_threshold(
            np.concatenate([scores_of(v) for v in views]), np.tile(defective[validation], 4), plan.miss_cost)
        threshold = round(threshold, 4)
    seen = as_seen(crops, test, margin, size)
    probabilities = predict(network, seen)
    scores = 1 - probabilities[:, good_index].sum(1)
    truth = defective[test]
    rates = verdict_rates(scores, truth, threshold)
    # The same parts as three disturbed passes of the line would show them: one view each, and the mean of three.
    passes = np.stack([scores_of(disturbed(crops, test, cp.augmentation, cp.seed + 500 + turn)) for turn in range(3)])
    some = train[:: max(len(train) // 600, 1)]
    train_features = np.array([picture_features(p) for p in as_seen(crops, some, margin, size)])
    test_features = np.array([picture_features(p) for p in seen])
    confusion = np.zeros((len(crops.classes),) * 2, int)
    np.add.at(confusion, (crops.labels[test], probabilities.argmax(1)), 1)
    result = {
        "split": {"groups": "pictures of one part and near-duplicates stay together",
                  "train": int(len(train)), "validation": int(len(validation)), "test": int(len(test))},
        "classes": crops.counts(), "good": list(good), "threshold": threshold, "missCost": plan.miss_cost,
        "test": rates, "statement": statement(rates, plan.good_per_day, plan.defects_per_day),
        "perDay": {"good": plan.good_per_day, "defects": plan.defects_per_day},
        "disturbed": {"oneView": verdict_rates(passes.reshape(-1), np.tile(truth, 3), threshold),
                      "meanOfThree": verdict_rates(passes.mean(0), truth, threshold)},
        "thresholds": threshold_table(scores, truth, threshold),
        "baselines": {"alwaysPass": verdict_rates(np.zeros(len(test)), truth, 0.5),
                      "pictureRule": simple_rule(train_features, defective[some], test_features, truth)},
        "confusion": {"labels": crops.classes, "rowsTruthColumnsCalled": confusion.tolist()}}
    distance = np.where((scores >= threshold) != truth, 1, 0) * 10 - np.abs(scores - threshold)
    entries = []
    for k in np.argsort(-distance, kind="stable")[:24]:
        i = test[k]
        entries.append((seen[k], f"is {crops.classes[crops.labels[i]]}",
                        f"defect {scores[k]:.3f}", bool((scores[k] >= threshold) != truth[k])))
    return result, threshold, entries


def judge_pipeline(frames, test, run, network, plan, classes, good, threshold):
    """Both stages together on the test frames: parts all in view, found by the detector, cropped by its own box.

    Per view, and per part by the mean of its views where the data set tells which part a box belongs to.
    """
    good_index = [classes.index(name) for name in good]
    augmentation = plan.classifier.augmentation
    scores, truth, parts, unseen = [], [], [], 0
    for i in test:
        picture = read_picture(frames.paths[i])
        boxes, values, _ = detect(run, picture, plan.detector)
        pairs, _ = match(boxes, values, frames.boxes[i], frames.ignored[i])
        pairs = [(found, true) for found, true in pairs if frames.whole[i][true]]
        unseen += sum(frames.whole[i]) - len(pairs)
        if not pairs:
            continue
        views = [crop_part(picture, boxes[found], augmentation.margin, augmentation.size) for found, _ in pairs]
        scores += (1 - predict(network, views)[:, good_index].sum(1)).tolist()
        truth += [frames.kinds[i][true] not in good for _, true in pairs]
        parts += [frames.parts[i][true] for _, true in pairs]
    scores, truth = np.array(scores), np.array(truth)
    result = {"oneView": verdict_rates(scores, truth, threshold), "wholePartsNotFound": int(unseen)}
    if parts and None not in parts:
        numbers = np.unique(parts, return_inverse=True)[1]
        means = np.bincount(numbers, scores) / np.bincount(numbers)
        bad = np.bincount(numbers, truth) / np.bincount(numbers) > 0.5
        result["meanOfViews"] = verdict_rates(means, bad, threshold)
    return result


def follow_frames(crops, frames, sets):
    """Puts each crop on the side of the split on which its part's frames are; None where names tell no part.

    A part seen on both sides of a border belongs to the test, else to the validation.
    """
    numbers = [part_number(name) for name in crops.names]
    if None in numbers or any(part is None for parts in frames.parts for part in parts):
        return None
    side = {}
    for rank, indices in reversed(list(enumerate(sets))):
        for i in indices:
            for part in frames.parts[i]:
                side[part] = rank
    ranks = np.array([side.get(part, len(sets) - 1) for part in numbers])
    return [np.flatnonzero(ranks == rank) for rank in range(len(sets))]


def golden_parts(picture, run, network, plan, classes, good, threshold):
    """What this pipeline says of one picture: the device must say the same."""
    height, width = picture.shape[:2]
    if run is None:
        boxes, scores = np.array([[0.0, 0.0, width, height]]), np.array([1.0])
    else:
        boxes, scores, labels = detect(run, picture, plan.detector)
    parts = []
    if network is not None and len(boxes):
        augmentation = plan.classifier.augmentation
        views = [crop_part(picture, box, augmentation.margin, augmentation.size) for box in boxes]
        probabilities = predict(network, views)
        defect = 1 - probabilities[:, [classes.index(name) for name in good]].sum(1)
    for k, box in enumerate(boxes):
        part = {"box": [round(float(v), 2) for v in box], "score": round(float(scores[k]), 4)}
        if network is not None:
            part["label"] = classes[int(probabilities[k].argmax())]
            part["defectScore"] = round(float(defect[k]), 4)
        else:
            part["label"] = plan.label
        parts.append(part)
    return sorted(parts, key=lambda p: (p["box"][0], p["box"][1]))


def steady(picture, run, plan, parts, threshold):
    """Whether a picture's answers stand far enough from every decision that another runtime must agree."""
    if run is not None:
        # Anything between a lower and a higher threshold is a coin toss for the device.
        low, _, _ = detect(run, picture, plan.detector, plan.detector.score - 0.15)
        high, _, _ = detect(run, picture, plan.detector, min(plan.detector.score + 0.15, 0.95))
        if not len(low) == len(high) == len(parts) or not parts:
            return False
    return all("defectScore" not in p or p["defectScore"] < 0.03 or p["defectScore"] > 0.97 for p in parts)


def choose_goldens(paths, run, network, plan, classes, good, threshold, folder):
    """Writes pictures that between them show every class, and returns the manifest's list."""
    folder.mkdir()
    candidates = []
    for path in paths[:250]:
        picture = read_picture(path)
        # The device reads the JPEG, so the expected scores are those of the JPEG.
        encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, plan.golden_quality])[1]
        decoded = cv2.imdecode(encoded, cv2.IMREAD_COLOR)
        parts = golden_parts(decoded, run, network, plan, classes, good, threshold)
        candidates.append((steady(decoded, run, plan, parts, threshold), encoded, parts))
    chosen, shown = [], {}
    # Steady pictures first; unsteady ones with parts only fill up what is missing, empty ones last.
    tiers = [[c for c in candidates if c[0]], [c for c in candidates if not c[0] and c[2]],
             [c for c in candidates if not c[0] and not c[2]]]
    while any(tiers) and len(chosen) < plan.goldens:
        pool = next(tier for tier in tiers if tier)

        # The picture whose labels were shown least so far; among equals the one with more parts, then the earliest.
        def worth(index):
            labels = [p["label"] for p in pool[index][2]]
            return sum(1 / (1 + 4 * shown.get(label, 0)) for label in set(labels)), len(labels), -index
        best = max(range(len(pool)), key=worth)
        _, encoded, parts = pool.pop(best)
        for part in parts:
            shown[part["label"]] = shown.get(part["label"], 0) + 1
        name = f"golden/{len(chosen) + 1:02d}.jpg"
        (folder.parent / name).write_bytes(encoded.tobytes())
        chosen.append({"picture": name, "parts": parts})
    return chosen


def build(plan):
    """Makes the package in a folder beside the target and moves it there when it is complete."""
    started = time.monotonic()
    out = Path(plan.out)
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / "manifest.json").is_file())):
        raise TrainingError(f"{out}: it exists and is not a model package; give another --out")
    out.parent.mkdir(parents=True, exist_ok=True)
    frames = load_frames(plan.frames, plan.label) if plan.frames else None
    crops = load_crops(plan.crops, plan.crop_context, plan.good) if plan.crops else None
    work = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        manifest = {"schema": SCHEMA, "name": plan.name, "version": plan.version, "description": plan.description}
        metrics = {"seed": plan.seed, "torch": torch.__version__, "threads": torch.get_num_threads()}
        fits, run, network, classes, threshold = {}, None, None, [], 0.5
        gallery_entries, golden_paths = [], []

        if frames is not None:
            say(f"frames: {len(frames)} with {sum(len(b) for b in frames.boxes)} parts in {plan.frames}")
            dp = plan.detector
            if plan.budget:
                dp.budget = plan.budget * (0.4 if crops is not None else 0.92)
            frame_sets = split_frames(len(frames), (plan.test_share, plan.validation_share), plan.seed)
            test, validation, train = frame_sets
            facts = [settings(dp), frames.names, [p.name for p in frames.paths],
                     [b.round(2).tolist() for b in frames.boxes], train.tolist()]
            fit = kept_fit(plan.keep, "detector", facts, lambda: Detector(len(frames.names), dp.widths),
                           lambda: fit_detector(frames, train, validation, dp))
            fits["detector"] = fit
            exported = DetectorExport(fit.network, dp.width, dp.height).eval()
            folded = export(exported, (3, dp.height, dp.width), work / "detector.onnx", dynamic_batch=False)
            sample = to_tensor([letterbox(read_picture(frames.paths[i]), dp.width, dp.height)[0] for i in test[:8]])
            parity = check_parity(folded, work / "detector.onnx", sample, plan.edge_inspector)
            say(f"detector: parity with {parity['engine']}: largest difference {parity['largestDifference']:.1e}")
            run = runner(fit.network, dp)
            judged, worst = judge_detector(frames, test, run, dp)
            judged["baseline"] = brightness_rule(frames, train, test)
            judged["parity"] = parity
            judged["split"] = {"train": len(train), "validation": len(validation), "test": len(test)}
            judged["epochs"], judged["bestEpoch"], judged["seconds"] = fit.epochs, fit.best, round(fit.seconds, 1)
            judged["megaMultiplyAdds"] = round(multiplications(fit.network, (dp.height, dp.width)) / 1e6, 2)
            metrics["detector"] = judged
            say(f"detector: recall {percent(judged['recall'])}, precision {percent(judged['precision'])} on "
                f"{judged['parts']} parts of {len(test)} frames; the picture rule: "
                f"{percent(judged['baseline']['recall'])}, {percent(judged['baseline']['precision'])}")
            manifest["detector"] = {
                "file": "detector.onnx", "sha256": sha256(work / "detector.onnx"), "format": "yolov8",
                "input": input_of(dp.width, dp.height, "letterbox"), "labels": frames.names,
                "scoreThreshold": dp.score, "nmsThreshold": dp.overlap, "maxDetections": 64}
            golden_paths = [frames.paths[i] for i in test]
            for _, i, boxes in worst[:6]:
                picture = read_picture(frames.paths[i])
                for x1, y1, x2, y2 in frames.boxes[i].astype(int):
                    cv2.rectangle(picture, (x1, y1), (x2, y2), (60, 200, 60), 3)
                for x1, y1, x2, y2 in boxes.astype(int):
                    cv2.rectangle(picture, (x1, y1), (x2, y2), (40, 40, 220), 2)
                gallery_entries.append((picture, "frame: truth green", "found red", True))

        if crops is not None:
            cp, classes = plan.classifier, crops.classes
            groups = group_crops(crops, plan.duplicate_distance)
            largest = int(np.bincount(groups).max())
            say(f"crops: {len(crops)} in {plan.crops} ({', '.join(f'{k} {v}' for k, v in crops.counts().items())}); "
                f"{groups.max() + 1} groups, the largest of {largest}")
            parts = follow_frames(crops, frames, frame_sets) if frames is not None else None
            if parts is None:
                parts = split_groups(crops.labels, groups, (plan.test_share, plan.validation_share), plan.seed)
            for part, what in zip(parts, ("test", "validation", "training")):
                if len(np.unique(crops.labels[part])) < len(classes):
                    raise TrainingError(f"{plan.crops}: too few independent parts of a class for a {what} part; "
                                        "collect more, or give smaller --test-share and --validation-share")
            if plan.budget:
                cp.budget = plan.budget * 0.95 - (time.monotonic() - started)
            facts = [settings(cp), crops.names, crops.context, parts[2].tolist()]
            fit = kept_fit(plan.keep, "classifier", facts, lambda: Classifier(len(classes), cp.widths),
                           lambda: fit_classifier(crops, parts[2], parts[1], cp, plan.good))
            fits["classifier"], network = fit, fit.network
            size = cp.augmentation.size
            folded = export(Probabilities(network).eval(), (3, size, size), work / "classifier.onnx", dynamic_batch=True)
            sample = to_tensor(as_seen(crops, parts[0][:32], cp.augmentation.margin, size))
            parity = check_parity(folded, work / "classifier.onnx", sample, plan.edge_inspector)
            say(f"classifier: parity with {parity['engine']}: largest difference {parity['largestDifference']:.1e}")
            judged, threshold, entries = judge_classifier(crops, parts, network, plan, plan.good)
            judged["groups"] = {"count": int(groups.max() + 1), "largest": largest}
            judged["parity"] = parity
            judged["epochs"], judged["bestEpoch"], judged["seconds"] = fit.epochs, fit.best, round(fit.seconds, 1)
            judged["megaMultiplyAdds"] = round(multiplications(network, (size, size)) / 1e6, 2)
            metrics["classifier"] = judged
            gallery_entries += entries
            say(f"classifier: {judged['statement']}")
            manifest["classifier"] = {
                "file": "classifier.onnx", "sha256": sha256(work / "classifier.onnx"), "format": "softmax",
                "input": input_of(size, size, "stretch"), "cropMargin": cp.augmentation.margin,
                "labels": classes, "good": list(plan.good), "defectThreshold": threshold}
            if frames is not None and {k for kinds in frames.kinds for k in kinds} <= set(classes):
                judged["pipeline"] = judge_pipeline(
                    frames, frame_sets[0], run, network, plan, classes, plan.good, threshold)
                whole = judged["pipeline"].get("meanOfViews", judged["pipeline"]["oneView"])
                say(f"both stages on test frames: {whole['wrong']['count']} of {whole['wrong']['of']} verdicts wrong "
                    f"({percent(whole['wrong'])})")
            if frames is None:
                golden_paths = [Path(plan.crops) / crops.names[i] for i in parts[0]]

        manifest["golden"] = choose_goldens(
            golden_paths, run, network, plan, classes, plan.good, threshold, work / "golden")
        manifest["tolerance"] = {"score": 0.02, "pixels": 2.0}
        manifest["metrics"] = summary(metrics)
        learning_curves(fits, work / "learning-curves.png")
        gallery(gallery_entries, work / "failures.png")
        metrics["seconds"] = round(time.monotonic() - started, 1)
        write_json(work / "metrics.json", metrics)
        write_json(work / "manifest.json", manifest)
        os.chmod(work, 0o755)
        if out.exists():
            shutil.rmtree(out)
        os.replace(work, out)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    size = sum(p.stat().st_size for p in out.rglob("*") if p.is_file())
    say(f"package: {out}, {size / 1e6:.2f} MB, {len(manifest['golden'])} golden pictures, "
        f"{clock(time.monotonic() - started)}")
    return manifest, metrics


def summary(metrics):
    """The figures that travel in the manifest; the whole is in metrics.json."""
    short = {}
    if "detector" in metrics:
        short["detector"] = {k: metrics["detector"][k] for k in ("parts", "recall", "precision")}
    if "classifier" in metrics:
        judged = metrics["classifier"]
        short["classifier"] = {"missedDefects": judged["test"]["missedDefects"],
                               "goodRejected": judged["test"]["goodRejected"], "statement": judged["statement"]}
    return short


def write_json(path, content):
    Path(path).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
