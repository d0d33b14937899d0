// Rows that take other rows, and what goes back (nn/gather.rs).
#include "common.cuh"

// Row i of `out` is row rows[i] of x, or the token (zeros where there is none). Threads: columns (x), rows (y).
// sizes: x rows.bound * width, token? width, rows n, out n * width
// grid: rows n, width
KERNEL gather(const float *x, const float *token, const RowOrNone *rows, float *out, u64 n, u32 width) {
    u64 row = row_of_thread();
    if (row >= n) return;
    u32 source = rows[row];
    for (u32 c = threadIdx.x; c < width; c += blockDim.x) {
        float value = source == NONE ? (token ? token[c] : 0.0f) : x[(u64)source * width + c];
        out[row * width + c] = value;
    }
}

// The rows of the target view (masked nodes show, the others take the token) and of the projector's input (the
// other way round). `place` is a node's position among the masked ones.
// sizes: place n, target n, remasked n
// grid: threads n
KERNEL views(const RowOrNone *place, u32 *target, u32 *remasked, u64 n) {
    u64 i = flat_thread();
    if (i >= n) return;
    bool masked = place[i] != NONE;
    target[i] = masked ? (u32)i : NONE;
    remasked[i] = masked ? NONE : (u32)i;
}

// The gradient of x, but for rows that went elsewhere: rows that stayed where they were.
// sizes: grad n * width, rows n, dx n * width
// grid: rows n, width
KERNEL gather_back(const float *grad, const RowOrNone *rows, float *dx, u64 n, u32 width) {
    u64 row = row_of_thread();
    if (row >= n) return;
    bool stayed = rows[row] == row;
    for (u32 c = threadIdx.x; c < width; c += blockDim.x) dx[row * width + c] = stayed ? grad[row * width + c] : 0.0f;
}

// Adds the rows that went elsewhere: source s of `sources` went to targets[starts[s]..starts[s + 1]].
// sizes: grad targets.bound * width, sources n_sources, starts n_sources + 1, targets starts.end,
//     dx sources.bound * width
// grid: rows n_sources, width
KERNEL gather_moved(const float *grad, const Row *sources, const Start *starts, const Row *targets, float *dx, u64 n_sources, u32 width) {
    u64 s = row_of_thread();
    if (s >= n_sources) return;
    for (u32 c = threadIdx.x; c < width; c += blockDim.x) {
        float sum = dx[(u64)sources[s] * width + c];
        for (u32 e = starts[s]; e < starts[s + 1]; e++) sum += grad[(u64)targets[e] * width + c];
        dx[(u64)sources[s] * width + c] = sum;
    }
}

// Sums of the rows of a chunk that took the token. Grid: chunks (x), groups of columns (y); block 8 x 32.
// sizes: grad n * width, rows n, parts ceil(n / chunk) * width
// grid: groups ceil(n / chunk), width
KERNEL token_parts(const float *grad, const RowOrNone *rows, double *parts, u64 n, u32 width, u32 chunk) {
    SHARED(double, held, 8 * GROUP);
    u32 lane = threadIdx.x, group = blockIdx.y, t = thread_in_block();
    u64 first = (u64)blockIdx.x * chunk, end = first + chunk < n ? first + chunk : n;
    double sums[8] = {0, 0, 0, 0, 0, 0, 0, 0};
    for (u64 row = first + threadIdx.y; row < end; row += 32) {
        if (rows[row] != NONE) continue;
        for (int r = 0; r < 8; r++) {
            u32 c = group * GROUP + r * LANES + lane;
            if (c < width) sums[r] += grad[row * width + c];
        }
    }
    for (int r = 0; r < 8; r++) {
        double s = sums[r];
        s += __shfl_xor_sync(FULL, s, 8);
        s += __shfl_xor_sync(FULL, s, 16);
        if (t % 32 < 8) held[t / 32 * GROUP + r * LANES + lane] = s;
    }
    __syncthreads();
    u32 c = group * GROUP + t;
    if (t < GROUP && c < width) {
        double total = 0.0;
        for (int w = 0; w < 8; w++) total += held[w * GROUP + t];
        parts[(u64)blockIdx.x * width + c] = total;
    }
}

// The sum of equally long parts, in their order, as f32. A block a column.
// sizes: parts n_parts * width, out width
// grid: blocks width
KERNEL sum_parts(const double *parts, float *out, u32 n_parts, u32 width) {
    SHARED(double, held, BLOCK / 32);
    double sum = 0.0;
    for (u32 p = threadIdx.x; p < n_parts; p += BLOCK) sum += parts[(u64)p * width + blockIdx.x];
    sum = block_sum(sum, held);
    if (threadIdx.x == 0) out[blockIdx.x] = (float)sum;
}

// The same for f32 parts. A thread a column.
// sizes: parts n_parts * len, out len
// grid: threads len
KERNEL sum_products(const float *parts, float *out, u32 n_parts, u64 len) {
    u64 t = flat_thread();
    if (t >= len) return;
    double sum = 0.0;
    for (u32 p = 0; p < n_parts; p++) sum += parts[(u64)p * len + t];
    out[t] = (float)sum;
}

// x <- factor x, with the factor on the device.
// sizes: x n, factor 1
// grid: threads n
KERNEL scale_by(float *x, const float *factor, u64 n) {
    u64 t = flat_thread();
    if (t < n) x[t] *= *factor;
}
