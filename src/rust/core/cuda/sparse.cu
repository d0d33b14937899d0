// Sparse matrices in compressed rows times dense ones (nn/propagate.rs, design).
#include "common.cuh"

// out = A x (- the row of `offset` that belongs to the row's slice). Threads: columns (x), rows (y).
// sizes: starts rows + 1, columns starts.end, values starts.end, x columns.bound * width,
//     offset? (slices.bound or 1) * width, slices? rows, out rows * width
// grid: rows rows, width
KERNEL spmm(const LongStart *starts, const Row *columns, const float *values, const float *x, const float *offset, const Row *slices,
            float *out, u64 rows, u32 width) {
    u64 row = row_of_thread();
    if (row >= rows) return;
    for (u32 c = threadIdx.x; c < width; c += blockDim.x) {
        float sum = 0.0f;
        for (i64 e = starts[row]; e < starts[row + 1]; e++) sum += values[e] * x[(u64)columns[e] * width + c];
        if (offset) sum -= offset[(u64)(slices ? slices[row] : 0) * width + c];
        out[row * width + c] = sum;
    }
}

// The same for a width that is a multiple of four: a thread has four columns.
// sizes: starts rows + 1, columns starts.end, values starts.end, x columns.bound * quads,
//     offset? (slices.bound or 1) * quads, slices? rows, out rows * quads
// grid: rows rows, quads
KERNEL spmm4(const LongStart *starts, const Row *columns, const float *values, const float4 *x, const float4 *offset, const Row *slices,
             float4 *out, u64 rows, u32 quads) {
    u64 row = row_of_thread();
    if (row >= rows) return;
    i64 first = starts[row], end = starts[row + 1];
    for (u32 q = threadIdx.x; q < quads; q += blockDim.x) {
        float4 sum = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
        for (i64 e = first; e < end; e++) {
            float v = values[e];
            float4 s = x[(u64)columns[e] * quads + q];
            sum.x += v * s.x;
            sum.y += v * s.y;
            sum.z += v * s.z;
            sum.w += v * s.w;
        }
        if (offset) {
            float4 o = offset[(u64)(slices ? slices[row] : 0) * quads + q];
            sum.x -= o.x;
            sum.y -= o.y;
            sum.z -= o.z;
            sum.w -= o.w;
        }
        out[row * quads + q] = sum;
    }
}

// The same for rows of many entries: a block has one row and four columns a thread in x; the parts of
// the row in y are summed in order. blockDim.x * blockDim.y <= BLOCK.
// sizes: starts starts.rows + 1, columns starts.end, values starts.end, x columns.bound * quads, out starts.rows * quads
// grid: long_rows starts.rows, quads
KERNEL spmm4_long(const LongStart *starts, const Row *columns, const float *values, const float4 *x, float4 *out, u32 quads) {
    SHARED(float4, held, BLOCK);
    u64 row = blockIdx.x;
    i64 first = starts[row], n = starts[row + 1] - first;
    i64 part = (n + blockDim.y - 1) / blockDim.y;
    i64 from = first + (i64)threadIdx.y * part;
    i64 to = from + part < first + n ? from + part : first + n;
    for (u32 base = 0; base < quads; base += blockDim.x) {
        u32 q = base + threadIdx.x;
        float4 sum = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
        for (i64 e = from; q < quads && e < to; e++) {
            float v = values[e];
            float4 s = x[(u64)columns[e] * quads + q];
            sum.x += v * s.x;
            sum.y += v * s.y;
            sum.z += v * s.z;
            sum.w += v * s.w;
        }
        held[thread_in_block()] = sum;
        __syncthreads();
        if (threadIdx.y == 0 && q < quads) {
            for (u32 y = 1; y < blockDim.y; y++) {
                float4 s = held[y * blockDim.x + threadIdx.x];
                sum.x += s.x;
                sum.y += s.y;
                sum.z += s.z;
                sum.w += s.w;
            }
            out[row * quads + q] = sum;
        }
        __syncthreads();
    }
}

// Scaled genes, X = (L - S mu) D^-1: w (outer x p) becomes D^-1 w' (p x outer).
// sizes: w outer * p, inverse_sd p, out p * outer
// grid: threads p * outer
KERNEL scaled_weights(const float *w, const float *inverse_sd, float *out, u32 p, u32 outer) {
    u64 t = flat_thread();
    if (t >= (u64)p * outer) return;
    u32 c = t / outer, o = t % outer;
    out[t] = w[(u64)o * p + c] * inverse_sd[c];
}

// (L'g - mu' (S'g))' D^-1 from L'g (p x outer) and S'g (slices x outer), as outer x p.
// sizes: product p * outer, sums slices * outer, mean slices * p, inverse_sd p, out outer * p
// grid: threads p * outer
KERNEL scaled_gram(const float *product, const float *sums, const float *mean, const float *inverse_sd, float *out, u32 p, u32 outer,
                   u32 slices) {
    u64 t = flat_thread();
    if (t >= (u64)p * outer) return;
    u32 o = t / p, c = t % p;
    float value = product[(u64)c * outer + o];
    for (u32 s = 0; s < slices; s++) value -= mean[(u64)s * p + c] * sums[(u64)s * outer + o];
    out[t] = value * inverse_sd[c];
}
