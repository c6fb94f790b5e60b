#!/usr/bin/env python3
"""Trains EdgeInspector model packages. Needs python3 with PyTorch 1.13 or newer, OpenCV, NumPy and matplotlib
(Debian: apt install python3-torch python3-opencv python3-matplotlib)."""

import argparse
import json
import os
import re
import sys
from pathlib import Path

# Before PyTorch is loaded: waiting threads sleep. On a busy machine their spinning costs more than the work itself.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def duration(text):
    """35m, 90s, 1h, 1h30m or plain seconds."""
    found = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?", text.strip())
    if not text.strip() or not found:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time; write 35m, 90s or 1h30m")
    hours, minutes, seconds = (int(g or 0) for g in found.groups())
    return hours * 3600 + minutes * 60 + seconds


def extent(text):
    """160x120"""
    found = re.fullmatch(r"(\d+)x(\d+)", text)
    if not found or any(int(v) < 32 or int(v) > 1280 or int(v) % 8 for v in found.groups()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size; write WIDTHxHEIGHT in multiples of 8, as 160x120")
    return int(found.group(1)), int(found.group(2))


def widths(text):
    try:
        values = tuple(int(v) for v in text.split(","))
    except ValueError:
        values = ()
    if len(values) < 2 or min(values) < 4:
        raise argparse.ArgumentTypeError(f"{text!r} are not channel widths; write them as 16,32,48,64")
    return values


def corners(text):
    try:
        values = tuple(float(v) for v in text.split(","))
    except ValueError:
        values = ()
    if len(values) != 4:
        raise argparse.ArgumentTypeError(f"{text!r} is not a region; write x1,y1,x2,y2 in pixels")
    return values


def arguments():
    root = argparse.ArgumentParser(
        prog="train.py", description="Trains EdgeInspector model packages from a data set of labelled pictures.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="""examples:
  edge-inspector simulate --out DATA --count 3000
  train.py package --frames DATA/frames --crops DATA/crops --name biscuit --out PACKAGE
      both stages from a data set
  train.py package --crops PHOTOS --crop-context 1 --good ok --name casting --out PACKAGE
      a classifier of photographs that show the whole part
  train.py package --frames DATA/frames --name pouch --out PACKAGE
      a detector alone
  train.py evaluate PACKAGE --crops OTHER-PHOTOS --crop-context 1
      a package against pictures that it has never seen
  train.py weak-label VIDEO --colour-range 15,90,90-40,255,255 --out DATA
      a first data set for a new product, by its colour

A data set is a folder of frames with one COCO file (JSON) and a folder of crops with one sub-folder per class.""")
    verbs = root.add_subparsers(dest="verb", required=True, metavar="VERB")

    package = verbs.add_parser(
        "package", help="train and write a model package", formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    data = package.add_argument_group("what to learn from")
    data.add_argument("--frames", type=Path, help="folder of frames with a COCO file: trains the detector")
    data.add_argument("--crops", type=Path, help="folder with one sub-folder per class: trains the classifier")
    data.add_argument("--good", default=None, help="the classes that pass, with commas between (default: good, or ok)")
    data.add_argument("--crop-context", type=float, default=None,
                      help="side of a crop picture in units of the part's longer side; 1 where a photograph is the "
                           "whole part (default: as dataset.json beside the folder says, else 1.5 beside --frames, "
                           "else 1)")
    data.add_argument("--test-share", type=float, default=0.15, help="share of the parts kept for the last judgement")
    data.add_argument("--validation-share", type=float, default=0.12, help="share kept for early stopping")
    data.add_argument("--duplicate-distance", type=float, default=2.0,
                      help="pictures that differ by less than this many grey levels count as one part; 0 for none")

    result = package.add_argument_group("what to write")
    result.add_argument("--name", required=True, help="of the package")
    result.add_argument("--out", type=Path, required=True, help="folder of the package; an older package is replaced")
    result.add_argument("--package-version", default="1.0.0", help="as the manifest states it")
    result.add_argument("--description", default="", help="one sentence for people")
    result.add_argument("--label", default=None, help="the detector's one label (default: the name)")
    result.add_argument("--goldens", type=int, default=8, help="golden pictures to choose")
    result.add_argument("--golden-quality", type=int, default=92, help="of their JPEG")

    how = package.add_argument_group("how to learn")
    how.add_argument("--seed", type=int, default=1, help="same seed, machine and threads: same package")
    how.add_argument("--threads", type=int, default=1,
                     help="of PyTorch; one more prepares the pictures, so two cores are busy with 1")
    how.add_argument("--time-budget", type=duration, default=None,
                     help="such as 35m: plans fewer epochs where the machine is slow")
    how.add_argument("--detector-input", type=extent, default=(160, 120), help="WIDTHxHEIGHT")
    how.add_argument("--detector-widths", type=widths, default=(8, 16, 32), help="channels of its stages")
    how.add_argument("--detector-epochs", type=int, default=40)
    how.add_argument("--detector-score", type=float, default=0.5, help="score threshold of the manifest")
    how.add_argument("--no-flips", action="store_true", help="do not mirror frames: for products with a direction")
    how.add_argument("--input", type=int, default=64, help="side of the classifier's input")
    how.add_argument("--crop-margin", type=float, default=0.1,
                     help="the classifier sees a square of the box's longer side x (1 + 2 x margin)")
    how.add_argument("--widths", type=widths, default=(16, 32, 48, 64), help="channels of the classifier's stages")
    how.add_argument("--epochs", type=int, default=40, help="of the classifier")
    how.add_argument("--patience", type=int, default=12, help="epochs without gain before it stops early")
    how.add_argument("--batch", type=int, default=32)
    how.add_argument("--rate", type=float, default=3e-3, help="highest learning rate")
    how.add_argument("--dropout", type=float, default=0.2)
    how.add_argument("--rotation", choices=["full", "right-angles", "upright", "none"], default=None,
                     help="how a part may lie (default: full with context, right-angles for whole photographs)")
    how.add_argument("--shift", type=float, default=0.06, help="largest shift of a training crop, share of the part")
    how.add_argument("--zoom", type=float, default=0.07, help="largest change of a training crop's side, likewise")
    how.add_argument("--least-resolution", type=float, default=None,
                     help="whole photographs are shrunk down to this share of their pixels in training (default 0.7)")

    how.add_argument("--keep", type=Path, default=None,
                     help="folder where fitted stages are kept, and taken from while their data and settings are the "
                          "same: to change one stage and not fit the other again")

    why = package.add_argument_group("the threshold")
    why.add_argument("--miss-cost", type=float, default=5.0, help="good parts that a missed defect is worth")
    why.add_argument("--good-per-day", type=int, default=8000, help="for the statement in plain words")
    why.add_argument("--defects-per-day", type=int, default=280, help="likewise")
    prove = package.add_argument_group("the proof of the export")
    prove.add_argument("--edge-inspector", default=None,
                       help="executable or .dll whose ONNX Runtime must agree with PyTorch (default: Python's "
                            "onnxruntime, else the one built in this repository, else OpenCV)")

    evaluate = verbs.add_parser("evaluate", help="judge a package's classifier on pictures it has never seen",
                                formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    evaluate.add_argument("package", type=Path)
    evaluate.add_argument("--crops", type=Path, required=True, help="folder with one sub-folder per class")
    evaluate.add_argument("--crop-context", type=float, default=1.5)
    evaluate.add_argument("--edge-inspector", default=None)
    evaluate.add_argument("--list", action="store_true", help="name each wrong picture")

    weak = verbs.add_parser("weak-label", help="frames of a video with boxes by colour",
                            formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    weak.add_argument("video", type=Path)
    weak.add_argument("--colour-range", required=True, help="HSV as H,S,V-H,S,V with hue 0-179")
    weak.add_argument("--out", type=Path, required=True)
    weak.add_argument("--label", default="part")
    weak.add_argument("--every", type=int, default=1, help="take every n-th frame")
    weak.add_argument("--least-area", type=float, default=0.01, help="of the picture")
    weak.add_argument("--open", type=int, default=5, help="specks and bridges up to so many pixels go")
    weak.add_argument("--close", type=int, default=9, help="holes up to so many pixels are filled")
    weak.add_argument("--fill", type=float, default=0.5, help="least share of its box that a blob covers")
    weak.add_argument("--region", type=corners, default=None, help="x1,y1,x2,y2: blobs centred elsewhere are no parts")
    return root


def told_context(crops):
    """The crop side that a data set of `edge-inspector simulate` was written with, or None."""
    try:
        return float(json.loads((crops.parent / "dataset.json").read_text(encoding="utf-8"))["options"]["cropSide"])
    except (AttributeError, OSError, ValueError, KeyError, TypeError):
        return None


def package(options):
    from edgetrain.augment import Augmentation
    from edgetrain.classifier import ClassifierPlan
    from edgetrain.detector import DetectorPlan
    from edgetrain.errors import TrainingError
    from edgetrain.package import PackagePlan, build, prepare

    if options.frames is None and options.crops is None:
        raise TrainingError("package: nothing to learn from; give --frames, --crops or both")
    if not 0.02 <= options.test_share <= 0.5 or not 0.02 <= options.validation_share <= 0.4:
        raise TrainingError("package: --test-share and --validation-share must lie between 0.02 and 0.5")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", options.name):
        raise TrainingError(f"--name {options.name}: use letters, digits, dot, dash and underscore only")
    context = options.crop_context or told_context(options.crops) or (1.5 if options.frames is not None else 1.0)
    whole = context <= 1.05
    good = options.good.split(",") if options.good else None
    if good is None:
        named = {p.name for p in options.crops.iterdir()} if options.crops and options.crops.is_dir() else set()
        good = ["ok"] if "ok" in named and "good" not in named else ["good"]
    least = options.least_resolution if options.least_resolution is not None else (0.7 if whole else 1.0)
    augmentation = Augmentation(
        margin=options.crop_margin, size=options.input, shift=options.shift, scale=options.zoom,
        rotation=options.rotation or ("right-angles" if whole else "full"), resolution=(least, 1.0))
    prepare(options.seed, options.threads)
    build(PackagePlan(
        name=options.name, out=options.out, version=options.package_version, description=options.description,
        frames=options.frames, crops=options.crops, crop_context=context, good=tuple(good),
        label=options.label or options.name, seed=options.seed, test_share=options.test_share,
        validation_share=options.validation_share, duplicate_distance=options.duplicate_distance,
        miss_cost=options.miss_cost, good_per_day=options.good_per_day, defects_per_day=options.defects_per_day,
        goldens=options.goldens, golden_quality=options.golden_quality, budget=options.time_budget,
        edge_inspector=options.edge_inspector, keep=options.keep,
        detector=DetectorPlan(
            width=options.detector_input[0], height=options.detector_input[1], widths=options.detector_widths,
            epochs=options.detector_epochs, patience=options.patience, score=options.detector_score,
            flips=not options.no_flips, seed=options.seed),
        classifier=ClassifierPlan(
            augmentation, widths=options.widths, dropout=options.dropout, epochs=options.epochs,
            patience=options.patience, batch=options.batch, rate=options.rate, seed=options.seed)))


def evaluate(options):
    from edgetrain.evaluate import evaluate as judge

    judge(options.package, options.crops, options.crop_context, options.edge_inspector, options.list)


def weak_label(options):
    from edgetrain.weak import colour_rule, weak_label as label

    rule = colour_rule(options.colour_range, least_area=options.least_area, open=options.open, close=options.close,
                       fill=options.fill)
    frames, boxes = label(options.video, rule, options.out, options.label, options.every, options.region)
    print(f"{options.out}: {frames} frames, {boxes} boxes; look at some before you train on them")


def main(words=None):
    options = arguments().parse_args(words)
    try:
        from edgetrain.errors import TrainingError
    except ImportError as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 1
    try:
        {"package": package, "evaluate": evaluate, "weak-label": weak_label}[options.verb](options)
        return 0
    except TrainingError as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        print(f"train.py: Python has no module {error.name}; on Debian: "
              "apt install python3-torch python3-opencv python3-matplotlib", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"train.py: {error.filename or ''}: {error.strerror or error}; check the path and its rights",
              file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("train.py: stopped; nothing was written", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
