// What the kernels share. The same files are compiled by nvcc for the device and by a C++ compiler for
// the emulator (emulate.cpp), which runs them in the tests of machines without a GPU.
//
// No atomics anywhere: every sum has a fixed order, so that the same input gives the same bytes.
//
// Each kernel states, in the comment above it, what build.rs (wrappers/) makes its typed launch of:
//   sizes: for each pointer the values that the kernel may touch behind it; `name?` for one that may be null.
//   needs: what must hold besides, as a <= b.
//   grid:  threads n          a thread a value, in blocks of BLOCK
//          blocks n[, y]      blocks of BLOCK threads
//          rows n, columns    columns in x, as many rows in y as a block of BLOCK takes
//          long_rows n, columns   the same, with all of a block for one row
//          groups n, columns  n blocks of 8 lanes x 32 rows, for each group of 64 columns
//          tiles n, threads   n blocks of that many threads
// Numbers in them are parameters, constants (#define) and, of lists: list.len, list.bound (what its rows are below),
// starts.rows, starts.end; `list.bound or n` where the list may be missing.
#pragma once

typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;

// Numbers that the host checked, so that a kernel may follow them: rows below a bound, the same with NONE among
// them, and where the entries of each row start (rising; the last is their number).
typedef u32 Row;
typedef u32 RowOrNone;
typedef u32 Start;
typedef i64 LongStart;

#ifdef __CUDACC__
#define KERNEL extern "C" __global__ void
#define DEVICE static __device__ __forceinline__
#define SHARED(type, name, count) __shared__ type name[count]
#else
#include "emulate.h"
#endif

#define FULL 0xffffffffu
// No row: the token's row of a gather, the place of a node that is not masked.
#define NONE 0xffffffffu
// Threads of a block in the kernels that sum over one.
#define BLOCK 256
// Warps of such a block, where each has a row.
#define WARPS 8

DEVICE u64 row_of_thread() { return (u64)blockIdx.x * blockDim.y + threadIdx.y; }

DEVICE u64 flat_thread() { return (u64)blockIdx.x * blockDim.x + threadIdx.x; }

// ---- Random numbers: Philox4x32-10, as in rng.rs ----

struct Dropout {
    u32 key0, key1, purpose, round;
    // An element is dropped when its sixteen bits are below this.
    u32 threshold;
    // 1 / (1 - p)
    float scale;
};

DEVICE void philox(const Dropout &d, u64 index, u32 *out) {
    u32 c0 = (u32)index, c1 = (u32)(index >> 32), c2 = d.round, c3 = d.purpose;
    u32 k0 = d.key0, k1 = d.key1;
    for (int i = 0; i < 10; i++) {
        u64 p0 = (u64)0xD2511F53u * c0, p1 = (u64)0xCD9E8D57u * c2;
        c0 = (u32)(p1 >> 32) ^ c1 ^ k0;
        c1 = (u32)p1;
        c2 = (u32)(p0 >> 32) ^ c3 ^ k1;
        c3 = (u32)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

// Columns are handled in groups of 64: lane l of 8 has the columns 64 group + 8 r + l for r in 0..8,
// whose factors (0 or 1 / (1 - p)) come from one block of the generator (nn/dropout.rs).
#define GROUP 64
#define LANES 8

DEVICE u32 groups_of(u32 width) { return (width + GROUP - 1) / GROUP; }

DEVICE void dropout_factors(const Dropout &d, u64 row, u32 group, u32 lane, u32 width, float *factors) {
    if (d.threshold == 0) {
        for (int r = 0; r < 8; r++) factors[r] = 1.0f;
        return;
    }
    u32 words[4];
    philox(d, (row * groups_of(width) + group) * LANES + lane, words);
    for (int r = 0; r < 8; r++) {
        u32 bits = (r & 1) ? words[r >> 1] >> 16 : words[r >> 1] & 0xffffu;
        factors[r] = bits < d.threshold ? 0.0f : d.scale;
    }
}

// ---- Sums over threads, in a fixed order ----

DEVICE float warp_sum(float x) {
    for (int o = 16; o > 0; o >>= 1) x += __shfl_xor_sync(FULL, x, o);
    return x;
}

DEVICE double warp_sum(double x) {
    for (int o = 16; o > 0; o >>= 1) x += __shfl_xor_sync(FULL, x, o);
    return x;
}

DEVICE u32 thread_in_block() { return threadIdx.y * blockDim.x + threadIdx.x; }

// The sum over the BLOCK threads of a block, known to thread 0. `held` has room for BLOCK / 32.
DEVICE double block_sum(double x, double *held) {
    u32 t = thread_in_block();
    x = warp_sum(x);
    if (t % 32 == 0) held[t / 32] = x;
    __syncthreads();
    double total = 0.0;
    if (t == 0)
        for (int w = 0; w < BLOCK / 32; w++) total += held[w];
    __syncthreads();
    return total;
}

// ---- Losses (systems/spacross/rows.rs) ----

#define SHORTEST 1e-12f
#define FLOOR 1e-7f

// fmaxf and fminf would turn NaN into a number, and hide a training that went astray.
DEVICE float at_least(float x, float bound) { return x < bound ? bound : x; }

DEVICE float bounded_cosine(float x) { return x < -1.0f ? -1.0f : x > 1.0f ? 1.0f : x; }

// -log(((1 + cos) / 2)^t) and its derivative: small when two vectors point the same way.
DEVICE float apart(float cosine, float t, float *slope) {
    float half = at_least((1.0f + cosine) / 2.0f, FLOOR);
    *slope = -t / (2.0f * half);
    return -t * logf(half);
}

// -log(1 - ((1 + cos) / 2)^t) and its derivative: small when they do not.
DEVICE float alike(float cosine, float t, float *slope) {
    float half = at_least((1.0f + cosine) / 2.0f, FLOOR);
    float rest = at_least(1.0f - powf(half, t), FLOOR);
    *slope = t * powf(half, t - 1.0f) / (2.0f * rest);
    return -logf(rest);
}

// The cosine of two vectors from their products; the lengths come back bounded from below.
DEVICE float cosine_of(float ab, float *a, float *b) {
    *a = at_least(sqrtf(*a), SHORTEST);
    *b = at_least(sqrtf(*b), SHORTEST);
    return bounded_cosine(ab / (*a * *b));
}
