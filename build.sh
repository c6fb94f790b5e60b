#!/usr/bin/env bash
# Builds, tests and shows EdgeInspector on a machine that has git and the .NET 10 SDK; sets up the rest itself.
# It bootstraps Cake: the steps are tasks in build.cake. ./build.sh --help tells what there is.
set -euo pipefail

readonly root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
readonly artifacts="$root/artifacts"
readonly program="$artifacts/edge-inspector/edge-inspector"

usage() {
  cat <<'TEXT'
usage: ./build.sh TARGET [OPTIONS] [-- ARGUMENTS]

  demo                show a whole line at work: virtual belt, broker, service, live view, web page
                      arguments go to the program: ./build.sh demo -- --headless --for 30s
  test                build everything and run every test; the last line is "N passed, N failed"
                      arguments go to each .NET test program: ./build.sh test -- -class '*.FramePoolTests'
      --no-training     leave out the tests of src/training (they need PyTorch: 1 GB through apt)
  line-lab            the right part at the right instant: random lines, faults, lateness beside a C program
      --seed=N          everything random follows from it (default 1)
      --scale=short     within three minutes (default); full: a million parts, 20,000 pulses
      --only=PART       worlds, controls, settings, lateness or faults
      --world=N         replay one world of the seed and say what went wrong in it; --part=N looks at one part
  bench               what a model costs beyond its own arithmetic, beside other ways to run it
      --seed=N          everything random follows from it (default 1)
      --scale=short     within three minutes (default); full: an hour, and writes docs/benchmarks.md
      --only=W1,W2      some works; --no-peers: ours and the raw run alone
  publish             the program into artifacts/edge-inspector
      --rid RID         for another machine, e.g. linux-arm64, into artifacts/edge-inspector-RID
      --ort FLAVOR      which ONNX Runtime comes along: Cpu (default), Gpu, External
  build | restore     compile or restore everything, as the tests do
  format              lay out all C# with CSharpier
  clean               remove artifacts, bin and obj

A first run installs missing system packages through apt when it may (root, or sudo without a password);
otherwise it prints the command to run and stops. Exit codes are those of the step or the program.
TEXT
}

say() { printf '%s\n' "build.sh: $*" >&2; }
die() { say "$*"; exit 1; }

# ---------------------------------------------------------------------------------------------- arguments

# A closed descriptor would be handed to the next file opened, and written to.
{ : <&0; } 2>/dev/null || exec </dev/null
{ : >&1; } 2>/dev/null || exec >/dev/null
{ : >&2; } 2>/dev/null || exec 2>/dev/null

target=""
training=yes
cake_arguments=()
program_arguments=()
while (($#)); do
  case "$1" in
    -h | --help | help) usage; exit 0 ;;
    --) shift; program_arguments=("$@"); break ;;
    --no-training) training=no ;;
    --rid | --ort)
      (($# > 1)) || die "$1 needs a value; see ./build.sh --help"
      cake_arguments+=("$1=$2"); shift ;;
    --seed=* | --scale=* | --only=* | --world=* | --part=* | --no-peers | --page=*) program_arguments+=("$1") ;;
    --rid=* | --ort=*) cake_arguments+=("$1") ;;
    -*) die "unknown option $1; see ./build.sh --help (what is meant for the program follows --)" ;;
    *)
      [[ -z $target ]] || die "one target at a time: $target or $1; see ./build.sh --help"
      target="$1" ;;
  esac
  shift
done

case "$target" in
  demo | test | line-lab | bench | publish | build | restore | format | clean) ;;
  "") usage; exit 2 ;;
  *) die "no target $target; see ./build.sh --help" ;;
esac

# -------------------------------------------------------------------------------------------- environment

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_CLI_UI_LANGUAGE=en
# A bare machine has no ICU library, and .NET refuses to start without one unless told that none is needed.
export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
# ONNX Runtime reports its use home unless told not to before it starts.
export ORT_DISABLE_TELEMETRY=1
# Compiler and MSBuild servers would outlive this script, which on a build machine reads as a hang.
export MSBUILDDISABLENODEREUSE=1 UseSharedCompilation=false
# An account without a home still has somewhere to put packages.
[[ -n ${HOME:-} ]] || export HOME="$artifacts/home"

find_dotnet() {
  local candidate found
  for candidate in "${DOTNET_ROOT:-}/dotnet" "$(command -v dotnet || true)" "$HOME/.dotnet/dotnet" \
    /usr/share/dotnet/dotnet /usr/lib/dotnet/dotnet /usr/local/share/dotnet/dotnet; do
    [[ -x $candidate ]] || continue
    found="$(dirname "$(readlink -f "$candidate")")"
    # Asked from the repository, so that global.json has its say.
    if (cd "$root" && DOTNET_ROOT="$found" "$found/dotnet" --version) >/dev/null 2>&1; then
      export DOTNET_ROOT="$found" PATH="$found:$PATH"
      return
    fi
  done
  die "no .NET 10 SDK here. Get it from https://dot.net/download, or for this account alone:" \
    "curl -sSL https://dot.net/v1/dotnet-install.sh | bash -s -- --channel 10.0"
}

# ----------------------------------------------------------------------------------------- system packages

installed() { [[ "$(dpkg-query -W -f='${Status}' "$1" 2>/dev/null)" == "install ok installed" ]]; }
# apt-cache show would succeed for a name that is only mentioned.
offered() { [[ "$(LC_ALL=C apt-cache policy "$1" 2>/dev/null)" == *"Candidate: "[0-9]* ]]; }

# Who may call apt: root itself, or sudo where it asks for no password. Sets as_root; false when nobody may.
as_root=()
may_install() {
  if ((EUID == 0)); then as_root=(env); return 0; fi
  if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then as_root=(sudo -n env); return 0; fi
  return 1
}

apt() {
  "${as_root[@]}" DEBIAN_FRONTEND=noninteractive \
    apt-get -q -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" </dev/null >&2
}

# Installs the packages named, or stops with the command that does.
install_packages() {
  local package unknown=no
  if ! may_install; then
    say "these packages are missing: $*"
    say "to install them:  sudo apt-get update && sudo apt-get install -y --no-install-recommends $*"
    [[ " $* " != *" python3-torch "* ]] || say "or leave the training tests out:  ./build.sh test --no-training"
    exit 1
  fi
  say "installing through apt: $*"
  for package; do offered "$package" || unknown=yes; done
  if [[ $unknown == yes ]]; then apt update || die "apt-get update failed; mend the package sources and start again"; fi
  # A package list from last month names files that are gone; a fresh one is tried before giving up.
  apt install -y --no-install-recommends "$@" \
    || { apt update && apt install -y --no-install-recommends "$@"; } \
    || die "apt could not install: $*"
}

# Prints the packages that OpenCV's own library needs and this machine lacks.
missing_for_pictures() {
  local package
  # Debian 13 and Ubuntu 24.04 renamed GTK 3 when time became 64 bits wide.
  if ! installed libgtk-3-0 && ! installed libgtk-3-0t64; then
    if offered libgtk-3-0t64; then echo libgtk-3-0t64; else echo libgtk-3-0; fi
  fi
  # Linked directly, and not brought along by GTK everywhere.
  for package in libatomic1 libdrm2; do installed "$package" || echo "$package"; done
}

# The Python that has what src/training imports: PYTHON, the one in PATH, or the system's, which apt serves.
readonly training_modules="torch numpy cv2 matplotlib"
find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3 /usr/bin/python3; do
    [[ -n $candidate ]] && command -v "$candidate" >/dev/null || continue
    if "$candidate" -c 'import sys, importlib.util as u; sys.exit(not all(map(u.find_spec, sys.argv[1:])))' \
      $training_modules 2>/dev/null; then
      command -v "$candidate"
      return 0
    fi
  done
  return 1
}

# Debian has a package of PyTorch, Ubuntu 24.04 has none. Where the package lists are empty, it is taken to be offered.
pytorch_offered() {
  offered python3-torch && return
  ! offered python3-numpy || return 1
  ! may_install || { apt update && offered python3-torch; }
}

set_up() {
  local missing=() brought_broker=no
  if [[ "$(uname -m)" != x86_64 ]]; then
    # There is no package of it; the error that follows without one would name a library nobody has heard of.
    ldconfig -p 2>/dev/null | grep -q libOpenCvSharpExtern || [[ -n ${LD_LIBRARY_PATH:-} ]] \
      || say "OpenCvSharp's library must be built for $(uname -m) first: see firmware-config/README.md"
  fi
  if ! command -v dpkg-query >/dev/null; then
    say "not Debian or Ubuntu: libgtk-3.so.0, libdrm.so.2 and libatomic.so.1 must be here," \
      "for the tests also mosquitto and ffmpeg"
  else
    [[ "$(uname -m)" != x86_64 ]] || mapfile -t missing < <(missing_for_pictures)
    if [[ $target == test ]]; then
      # A foreign broker, which must hear what the embedded one hears.
      [[ -x /usr/sbin/mosquitto ]] || { missing+=(mosquitto); brought_broker=yes; }
      # Plays the network camera: OpenCV's own FFmpeg comes without a network.
      command -v ffmpeg >/dev/null || missing+=(ffmpeg)
      if [[ $training == yes ]] && ! find_python >/dev/null; then
        if pytorch_offered; then
          missing+=(python3 python3-numpy python3-opencv python3-matplotlib python3-torch)
        else
          training=no
          export BUILD_TRAINING_SKIPPED="no Python here has $training_modules, and apt offers no python3-torch"
          say "the training tests are left out: $BUILD_TRAINING_SKIPPED (name a Python that has them in PYTHON)"
        fi
      fi
    fi
  fi
  ((${#missing[@]} == 0)) || install_packages "${missing[@]}"

  # The tests start brokers of their own; the package leaves one running for good, on the demo's port.
  if [[ $brought_broker == yes && -d /run/systemd/system ]]; then
    "${as_root[@]}" systemctl disable --now mosquitto >/dev/null 2>&1 || true
  fi
  if [[ $target == test && $training == yes ]]; then
    BUILD_PYTHON="$(find_python)" \
      || die "no Python 3 with $training_modules here: name one in PYTHON, or leave its tests out with --no-training"
    export BUILD_PYTHON
  fi
}

# ---------------------------------------------------------------------------------------------------- Cake

child=""
# Runs a command in a process group of its own and passes on what ends this script, so that nothing is left behind.
supervise() {
  local code=0
  set -m
  "$@" </dev/null &
  child=$!
  set +m
  trap 'kill -TERM -- "-$child" 2>/dev/null || true' INT TERM HUP
  wait "$child" || code=$?
  # A trapped signal ends the first wait early; the child's own end is what counts.
  while kill -0 "$child" 2>/dev/null; do code=0; wait "$child" || code=$?; done
  trap - INT TERM HUP
  return "$code"
}

# Runs a task. In this very shell and no subshell: a signal that ends the script finds the trap here.
cake() {
  cd "$root"
  # Colours are for people: Cake looks at TERM alone.
  [[ -t 1 ]] || export TERM=dumb NO_COLOR=1
  dotnet tool restore >/dev/null || die "dotnet tool restore failed: is the NuGet source reachable?"
  supervise dotnet cake build.cake --target="$1" "${cake_arguments[@]}"
}

# What the published program is made of, as one hash: a second demo starts without asking Cake.
inputs() {
  cd "$root"
  find src firmware-config build.cake global.json Directory.*.props \
    \( -name bin -o -name obj -o -name node_modules -o -name __pycache__ -o -path src/training \) -prune \
    -o -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum
}

# With "ahead" compiled ahead of its first use, which costs a longer download once; without, either way will do.
publish_if_changed() {
  local stamp="$artifacts/edge-inspector.inputs" now have
  mkdir -p "$artifacts"
  # Two demos started together build once.
  exec 9>"$artifacts/.lock"
  flock -n 9 || { say "another build is at work here; waiting for it"; flock 9; }
  now="$(inputs)"
  have="$(cat "$stamp" 2>/dev/null || true)"
  if [[ ! -x $program || ( "$have" != "$now ahead" && ( "${1:-}" == ahead || "$have" != "$now" ) ) ]]; then
    say "building the program (a first time takes a minute or two)"
    rm -f "$stamp"
    local code=0 caller="$PWD"
    if [[ "${1:-}" == ahead ]]; then now+=" ahead"; else export BUILD_AHEAD=no; fi
    cake Publish >&2 9>&- || code=$?
    cd "$caller"
    ((code == 0)) || { say "the program could not be built; the reason stands above"; exit "$code"; }
    printf '%s\n' "$now" >"$stamp"
  fi
  exec 9>&-
}

# ------------------------------------------------------------------------------------------------- targets

find_dotnet

case "$target" in
  demo)
    set_up
    publish_if_changed
    exec "$program" "$target" "${program_arguments[@]}"
    ;;
  test)
    set_up
    export BUILD_TEST_ARGUMENTS=""
    ((${#program_arguments[@]} == 0)) || printf -v BUILD_TEST_ARGUMENTS '%s\n' "${program_arguments[@]}"
    summary="$artifacts/tests/summary.txt"
    rm -f "$summary"
    code=0
    cake Test || code=$?
    [[ -f $summary ]] || { say "the tests could not be run; the reason stands above"; exit "$((code ? code : 1))"; }
    cat "$summary"
    exit "$code"
    ;;
  line-lab)
    set_up
    cake Lab >&2
    code=0
    "$root/tests/EdgeInspector.Lab/bin/Release/net10.0/EdgeInspector.Lab" line "${program_arguments[@]}" || code=$?
    exit "$code"
    ;;
  bench)
    set_up
    # A cold start is stated of the program as it is published.
    [[ " ${program_arguments[*]} " != *" --scale=full "* ]] || publish_if_changed ahead
    cake Bench >&2
    code=0
    "$root/tests/EdgeInspector.Benchmarks/bin/Release/net10.0/EdgeInspector.Benchmarks" "${program_arguments[@]}" || code=$?
    exit "$code"
    ;;
  *)
    ((${#program_arguments[@]} == 0)) || die "$target takes no arguments after --"
    code=0
    cake "${target^}" || code=$?
    ((code == 0)) || say "$target failed; the reason stands above"
    exit "$code"
    ;;
esac
