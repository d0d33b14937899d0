// What nvcc knows and a C++ compiler does not: the part of CUDA that the kernels use, for the emulator.
#pragma once
#include <math.h>
#include <stddef.h>

struct EmulatedDim {
    unsigned int x, y, z;
};
extern EmulatedDim threadIdx, blockIdx, blockDim, gridDim;

struct float4 {
    float x, y, z, w;
};
static inline float4 make_float4(float x, float y, float z, float w) { return float4{x, y, z, w}; }

void __syncthreads();
void __syncwarp();
void emulated_shuffle(const void *value, void *out, size_t size, int lane_mask);
void *emulated_shared(size_t size);

template <class T> static T __shfl_xor_sync(unsigned int, T value, int lane_mask) {
    T out;
    emulated_shuffle(&value, &out, sizeof(T), lane_mask);
    return out;
}

#define KERNEL static void
#define DEVICE static inline
// All threads of a block ask in the same order, so they get the same memory.
#define SHARED(type, name, count) type *name = (type *)emulated_shared(sizeof(type) * (count))
