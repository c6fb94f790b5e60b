"""Writes ONNX and proves that ONNX Runtime scores it as PyTorch does."""

import copy
import inspect
import os
import shutil
import subprocess
import tempfile
import warnings
from pathlib import Path

import cv2
import numpy as np
import torch

from .errors import TrainingError
from .networks import fold_batch_norm

LARGEST_DIFFERENCE = 1e-4
OPSET = 13


def export(module, shape, path, dynamic_batch):
    """Folds the batch normalisation of a copy and writes it. Returns the folded copy, the reference for parity."""
    folded = fold_batch_norm(copy.deepcopy(module).to(memory_format=torch.contiguous_format).eval())
    options = {}
    if "dynamo" in inspect.signature(torch.onnx.export).parameters:
        options["dynamo"] = False  # newer PyTorch defaults to an exporter that needs packages we do not ask for
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            folded, torch.zeros(1, *shape), str(path), input_names=["images"], output_names=["output0"],
            opset_version=OPSET, do_constant_folding=True,
            dynamic_axes={"images": {0: "batch"}, "output0": {0: "batch"}} if dynamic_batch else None, **options)
    return folded


def repository_root():
    return Path(__file__).resolve().parents[3]


def find_edge_inspector(given=None):
    """The command that runs edge-inspector, as a list, or None. `given` is an executable or a .dll."""
    if given:
        path = Path(given)
        if not path.is_file():
            raise TrainingError(
                f"{given}: no such file; --edge-inspector takes the edge-inspector executable or its .dll")
        return ["dotnet", str(path)] if path.suffix == ".dll" else [str(path.resolve())]
    built = sorted((repository_root() / "src" / "EdgeInspector" / "bin").glob("*/net*/edge-inspector.dll"),
                   key=lambda p: p.stat().st_mtime, reverse=True)
    if built and shutil.which("dotnet"):
        return ["dotnet", str(built[0])]
    installed = shutil.which("edge-inspector")
    return [installed] if installed else None


def score_by_onnxruntime(path, x):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: x})[0]


def score_by_edge_inspector(command, path, x):
    """The product's own ONNX Runtime: `edge-inspector model score MODEL --input IN.npy --output OUT.npy`."""
    with tempfile.TemporaryDirectory() as folder:
        np.save(os.path.join(folder, "in.npy"), np.ascontiguousarray(x, dtype=np.float32))
        done = subprocess.run(
            command + ["model", "score", str(Path(path).resolve()), "--input", os.path.join(folder, "in.npy"),
                       "--output", os.path.join(folder, "out.npy")],
            capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            lines = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
            raise TrainingError(f"{' '.join(command)} model score: exit code {done.returncode}: {lines[-1]}")
        return np.load(os.path.join(folder, "out.npy"))


def score_by_opencv(path, x):
    rows = []
    for row in x:  # one by one, each with a fresh reader: OpenCV keeps shapes of the first picture
        network = cv2.dnn.readNetFromONNX(str(path))
        network.setInput(row[None])
        rows.append(network.forward())
    return np.concatenate(rows)


def scorer(edge_inspector=None):
    """(name, function) of the best engine here: ONNX Runtime in Python, in edge-inspector, or OpenCV's reader."""
    try:
        import onnxruntime

        return f"onnxruntime {onnxruntime.__version__}", score_by_onnxruntime
    except ImportError:
        pass
    command = find_edge_inspector(edge_inspector)
    if command:
        try:
            done = subprocess.run(command + ["model", "score", "--help"], capture_output=True, text=True, timeout=120)
            usable = done.returncode == 0 and "--input" in done.stdout
        except (OSError, subprocess.TimeoutExpired):
            usable = False
        if usable:
            return "edge-inspector", lambda path, x: score_by_edge_inspector(command, path, x)
        if edge_inspector:
            raise TrainingError(f"{edge_inspector}: it has no `model score`; give an edge-inspector of this version")
    return f"opencv {cv2.__version__}", score_by_opencv


def check_parity(folded, path, x, edge_inspector=None):
    """Largest absolute difference between PyTorch and the ONNX file over the batch x; refused above 1e-4.

    Box coordinates (values in pixels, not in 0..1) are compared relative to the input's width.
    """
    with torch.no_grad():
        expected = np.concatenate([folded(torch.from_numpy(x[i:i + 1])).numpy() for i in range(len(x))])
    name, score = scorer(edge_inspector)
    if expected.ndim == 3:
        found = np.concatenate([score(path, x[i:i + 1]) for i in range(len(x))])
    else:
        found = score(path, x)
    if found.shape != expected.shape:
        raise TrainingError(f"{path}: {name} answers with shape {found.shape}, PyTorch with {expected.shape}")
    difference = np.abs(found.astype(np.float64) - expected)
    if expected.ndim == 3:
        difference[:, :4] /= x.shape[3]
    worst = float(difference.max())
    if not worst <= LARGEST_DIFFERENCE:
        raise TrainingError(f"{path}: scores differ by {worst:.2g} between PyTorch and {name}, more than "
                            f"{LARGEST_DIFFERENCE:g}; the export is not the network, nothing was written")
    return {"engine": name, "samples": int(len(x)), "largestDifference": worst, "allowed": LARGEST_DIFFERENCE}
