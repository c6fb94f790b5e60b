#!/bin/sh
# Makes the factory package again: a data set from the virtual line, both stages, and int8 of both. Five to six minutes on
# two idle cores.
#   src/training/factory.sh [OUT]      OUT is firmware-config/models/biscuit where not given; OUT-float is made beside it
# PYTHON names the interpreter (default /usr/bin/python3, where Debian puts python3-torch, else python3),
# DATA the folder for the data set (default data/biscuit: about 400 MB; it is used again where it is there).
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
out=${1:-$root/firmware-config/models/biscuit}
data=${DATA:-$root/data/biscuit}
python=${PYTHON:-/usr/bin/python3}
command -v "$python" >/dev/null 2>&1 || python=python3

if ! "$python" -c 'import torch, cv2, matplotlib' 2>/dev/null; then
    echo "factory.sh: $python lacks PyTorch, OpenCV or matplotlib; run: apt install python3-torch python3-opencv python3-matplotlib" >&2
    exit 1
fi

dotnet build "$root/src/EdgeInspector" -c Release -v q --nologo
inspector=$root/src/EdgeInspector/bin/Release/net10.0/edge-inspector.dll

if [ ! -f "$data/dataset.json" ]; then
    mkdir -p "$(dirname "$data")"
    dotnet "$inspector" simulate --out "$data" --count 4000 --seed 2025
fi

"$python" "$root/src/training/train.py" package \
    --frames "$data/frames" --crops "$data/crops" --name biscuit --package-version 1.0.0 \
    --description "Biscuits of the virtual line: broken, burnt, foreign body, hole, misshapen" \
    --seed 1 --threads 1 --detector-epochs 12 --detector-score 0.4 --epochs 12 --patience 8 --miss-cost 2 --time-budget 36m \
    --edge-inspector "$inspector" --out "$out-float"

# Compared on biscuits of another seed. Seven-bit weights score alike on every x86 processor, with VNNI or without.
if [ ! -f "$data-held-out/dataset.json" ]; then
    dotnet "$inspector" simulate --out "$data-held-out" --count 2500 --seed 77
fi
rm -rf "$out"
dotnet "$inspector" model quantize "$out-float" --calibrate "$data" --pictures 600 --holdout "$data-held-out" \
    --method percentile --reduce-range yes --out "$out"
