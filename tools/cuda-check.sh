#!/usr/bin/env bash
# Compiles everything with CUDA on a machine without a GPU: the core's kernels, the binding crate, and the program that
# trains from files, which is linked to a stand-in for NVIDIA's driver. Nothing of it is run on a device here.
#   tools/cuda-check.sh <target folder> [dev|release]
# The program is then <target folder>/{debug,release}/spax-train. It needs the driver and libcublas, libcublasLt, libcurand
# and libnvrtc of CUDA 13 on the machine where it runs.
set -euo pipefail
target=$1
profile=${2:-dev}
cd "$(dirname "$0")/.."
home=$(tools/cuda-toolkit.sh)
export CUDA_HOME=$home CUDA_PATH=$home CUDA_ROOT=$home CUDA_TOOLKIT_ROOT_DIR=$home
export PATH=$home/bin:$PATH CUDA_COMPUTE_CAP=${CUDA_COMPUTE_CAP:-80}
built=$target/$([ "$profile" = dev ] && echo debug || echo release)
manifest=(--locked --profile "$profile" --manifest-path src/rust/cuda/Cargo.toml --target-dir "$target")

cargo build --lib "${manifest[@]}"

# A libcuda.so that has every function of the driver that we call, and refuses each.
stub=$target/stub
mkdir -p "$stub"
nm --undefined-only "$built/libspaxR.a" 2>/dev/null | grep -oE '\bcu[A-Z][A-Za-z0-9_]*' | sort -u |
  sed 's/.*/int &(void) { return 34; }/' >"$stub/libcuda.c"
gcc -shared -fPIC -Wl,-soname,libcuda.so.1 -o "$stub/libcuda.so.1" "$stub/libcuda.c"
ln -sf libcuda.so.1 "$stub/libcuda.so"

cargo rustc --bin spax-train "${manifest[@]}" -- -L "native=$stub" -L "native=$home/lib"
ls -l "$built/spax-train"

# With the stand-in it starts, and says what it lacks.
export LD_LIBRARY_PATH=$stub:$home/lib
"$built/spax-train" --devices
"$built/spax-train" --bench 500 --epochs 3 --device auto
"$built/spax-train" --bench-spalora 500 --genes 200 --epochs 3 --device auto
for command in "--bench 500" "--bench-spalora 500" "--check src/rust/core/tests/conformance"; do
  if "$built/spax-train" $command --device cuda; then
    echo "A GPU that is not there was found." >&2
    exit 1
  fi
done
