#!/usr/bin/env bash
# Prints a folder with nvcc and CUDA's libraries, for compiling without a GPU: CUDA_HOME where that has them, else a copy
# made of NVIDIA's wheels on PyPI (about 700 MB, kept in SPAXR_CUDA_CACHE or ~/.cache/spaxr-cuda).
set -euo pipefail

if [ -n "${CUDA_HOME:-}" ] && [ -x "$CUDA_HOME/bin/nvcc" ]; then
  echo "$CUDA_HOME"
  exit
fi

cache=${SPAXR_CUDA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/spaxr-cuda}
home=$cache/13.0
if [ -e "$home/.complete" ]; then
  echo "$home"
  exit
fi

rm -rf "$home" "$cache/wheels"
mkdir -p "$home" "$cache/wheels"
python3 -m pip download --quiet --no-deps --dest "$cache/wheels" \
  nvidia-cuda-nvcc==13.0.88 nvidia-nvvm==13.0.88 nvidia-cuda-crt==13.0.88 nvidia-cuda-runtime==13.0.96 nvidia-cuda-cccl==13.0.85 \
  nvidia-cuda-nvrtc==13.0.88 nvidia-curand==10.4.0.35 nvidia-cublas==13.0.2.14 >&2
for wheel in "$cache"/wheels/*.whl; do
  unzip -q -o "$wheel" -d "$cache/wheels/open"
done
# All of them unpack to nvidia/cu13: one tree.
cp -r "$cache"/wheels/open/nvidia/cu13/. "$home"
rm -rf "$cache/wheels"
chmod +x "$home"/bin/* "$home"/nvvm/bin/*
for library in "$home"/lib/*.so.*; do
  ln -sf "$(basename "$library")" "${library%%.so.*}.so"
done
ln -sfn lib "$home/lib64"
touch "$home/.complete"
echo "$home"
