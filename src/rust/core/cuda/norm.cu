// Batch norm, activation and dropout in one pass over the rows (nn/norm_act.rs).
// Grid: rows or chunks of rows (x), groups of columns (y); blocks of 8 lanes x 32 rows.
#include "common.cuh"

#define RELU 1
#define ELU 2

DEVICE float activate(u32 kind, float y) {
    if (kind == RELU) return fmaxf(y, 0.0f);
    if (kind == ELU) return y > 0.0f ? y : expf(y) - 1.0f;
    return y;
}

// PyTorch's convention at 0: 0 for ReLU, 1 for ELU.
DEVICE float slope(u32 kind, float y) {
    if (kind == RELU) return y > 0.0f ? 1.0f : 0.0f;
    if (kind == ELU) return expf(fminf(y, 0.0f));
    return 1.0f;
}

// Adds up two sums a column over the rows of a block, and writes them to row `chunk` of the parts.
DEVICE void store_parts(double *first, double *second, double *held, double *parts, u32 width) {
    u32 lane = threadIdx.x, group = blockIdx.y, t = thread_in_block();
    for (int r = 0; r < 8; r++) {
        double a = first[r], b = second[r];
        a += __shfl_xor_sync(FULL, a, 8);
        a += __shfl_xor_sync(FULL, a, 16);
        b += __shfl_xor_sync(FULL, b, 8);
        b += __shfl_xor_sync(FULL, b, 16);
        if (t % 32 < 8) {
            held[t / 32 * 2 * GROUP + r * LANES + lane] = a;
            held[(t / 32 * 2 + 1) * GROUP + r * LANES + lane] = b;
        }
    }
    __syncthreads();
    u32 c = group * GROUP + t % GROUP;
    if (t < 2 * GROUP && c < width) {
        double total = 0.0;
        for (int w = 0; w < 8; w++) total += held[w * 2 * GROUP + t];
        parts[((u64)blockIdx.x * 2 + t / GROUP) * width + c] = total;
    }
}

// Sums of x and x^2.
// sizes: x n * width, parts ceil(n / chunk) * 2 * width
// grid: groups ceil(n / chunk), width
KERNEL norm_moments(const float *x, double *parts, u64 n, u32 width, u32 chunk) {
    SHARED(double, held, 16 * GROUP);
    u64 first = (u64)blockIdx.x * chunk, end = first + chunk < n ? first + chunk : n;
    double sum[8] = {0, 0, 0, 0, 0, 0, 0, 0}, square[8] = {0, 0, 0, 0, 0, 0, 0, 0};
    for (u64 row = first + threadIdx.y; row < end; row += 32)
        for (int r = 0; r < 8; r++) {
            u32 c = blockIdx.y * GROUP + r * LANES + threadIdx.x;
            if (c >= width) continue;
            double v = x[row * width + c];
            sum[r] += v;
            square[r] += v * v;
        }
    store_parts(sum, square, held, parts, width);
}

// y = scale x + shift of a column, with and without the affine part.
DEVICE void store_lines(float *lines, u32 c, u32 width, double gamma, double beta, double mean, double variance, double epsilon) {
    double root = sqrt(variance + epsilon);
    double scale = gamma / root;
    lines[c] = (float)scale;
    lines[width + c] = (float)(beta - mean * scale);
    lines[2 * width + c] = (float)(1.0 / root);
    lines[3 * width + c] = (float)(0.0 - mean * (1.0 / root));
}

// From the parts to mean and variance of each column, the running moments and the lines. A block a column.
// sizes: parts n_parts * 2 * width, affine 2 * width, running 2 * width, lines 4 * width
// grid: blocks width
KERNEL norm_finish(const double *parts, const float *affine, double *running, float *lines, u32 n_parts, u64 n, u32 width, double epsilon,
                   double momentum) {
    SHARED(double, held, BLOCK / 32);
    u32 c = blockIdx.x;
    double sum = 0.0, square = 0.0;
    for (u32 p = threadIdx.x; p < n_parts; p += BLOCK) {
        sum += parts[(u64)p * 2 * width + c];
        square += parts[((u64)p * 2 + 1) * width + c];
    }
    sum = block_sum(sum, held);
    square = block_sum(square, held);
    if (threadIdx.x != 0) return;
    double mean = sum / (double)n;
    double variance = fmax(square / (double)n - mean * mean, 0.0);
    double unbiased = (double)n / fmax((double)n - 1.0, 1.0);
    running[c] += momentum * (mean - running[c]);
    running[width + c] += momentum * (variance * unbiased - running[width + c]);
    store_lines(lines, c, width, affine[c], affine[width + c], mean, variance, epsilon);
}

// The lines of the running moments: evaluation mode. A thread a column.
// sizes: affine 2 * width, running 2 * width, lines 4 * width
// grid: threads width
KERNEL norm_fixed(const float *affine, const double *running, float *lines, u32 width, double epsilon) {
    u64 c = flat_thread();
    if (c >= width) return;
    store_lines(lines, (u32)c, width, affine[c], affine[width + c], running[c], running[width + c], epsilon);
}

// sizes: x n * width, lines 4 * width, out n * width
// grid: groups ceil(n / 32), width
KERNEL norm_forward(const float *x, const float *lines, float *out, u64 n, u32 width, u32 activation, Dropout dropout) {
    u64 row = row_of_thread();
    if (row >= n) return;
    float factors[8];
    dropout_factors(dropout, row, blockIdx.y, threadIdx.x, width, factors);
    for (int r = 0; r < 8; r++) {
        u32 c = blockIdx.y * GROUP + r * LANES + threadIdx.x;
        if (c >= width) continue;
        float y = lines[c] * x[row * width + c] + lines[width + c];
        out[row * width + c] = activate(activation, y) * factors[r];
    }
}

// The gradient g behind the batch norm: sums of g and of g x_hat.
// sizes: x n * width, grad n * width, lines 4 * width, parts ceil(n / chunk) * 2 * width
// grid: groups ceil(n / chunk), width
KERNEL norm_behind(const float *x, const float *grad, const float *lines, double *parts, u64 n, u32 width, u32 chunk, u32 activation,
                   Dropout dropout) {
    SHARED(double, held, 16 * GROUP);
    u64 first = (u64)blockIdx.x * chunk, end = first + chunk < n ? first + chunk : n;
    double sum[8] = {0, 0, 0, 0, 0, 0, 0, 0}, weighted[8] = {0, 0, 0, 0, 0, 0, 0, 0};
    for (u64 row = first + threadIdx.y; row < end; row += 32) {
        float factors[8];
        dropout_factors(dropout, row, blockIdx.y, threadIdx.x, width, factors);
        for (int r = 0; r < 8; r++) {
            u32 c = blockIdx.y * GROUP + r * LANES + threadIdx.x;
            if (c >= width) continue;
            float v = x[row * width + c];
            float g = grad[row * width + c] * factors[r] * slope(activation, lines[c] * v + lines[width + c]);
            sum[r] += g;
            weighted[r] += g * (lines[2 * width + c] * v + lines[3 * width + c]);
        }
    }
    store_parts(sum, weighted, held, parts, width);
}

// Totals of the parts: their means over the rows, and the gradients of scale and shift. A block a column.
// sizes: parts n_parts * 2 * width, means 2 * width, d_affine 2 * width
// grid: blocks width
KERNEL norm_totals(const double *parts, float *means, float *d_affine, u32 n_parts, u64 n, u32 width) {
    SHARED(double, held, BLOCK / 32);
    u32 c = blockIdx.x;
    double sum = 0.0, weighted = 0.0;
    for (u32 p = threadIdx.x; p < n_parts; p += BLOCK) {
        sum += parts[(u64)p * 2 * width + c];
        weighted += parts[((u64)p * 2 + 1) * width + c];
    }
    sum = block_sum(sum, held);
    weighted = block_sum(weighted, held);
    if (threadIdx.x != 0) return;
    means[c] = (float)(sum / (double)n);
    means[width + c] = (float)(weighted / (double)n);
    d_affine[c] = (float)weighted;
    d_affine[width + c] = (float)sum;
}

// The gradient of x.
// sizes: x n * width, grad n * width, lines 4 * width, means 2 * width, dx n * width
// grid: groups ceil(n / 32), width
KERNEL norm_through(const float *x, const float *grad, const float *lines, const float *means, float *dx, u64 n, u32 width, u32 activation,
                    Dropout dropout) {
    u64 row = row_of_thread();
    if (row >= n) return;
    float factors[8];
    dropout_factors(dropout, row, blockIdx.y, threadIdx.x, width, factors);
    for (int r = 0; r < 8; r++) {
        u32 c = blockIdx.y * GROUP + r * LANES + threadIdx.x;
        if (c >= width) continue;
        float v = x[row * width + c];
        float g = grad[row * width + c] * factors[r] * slope(activation, lines[c] * v + lines[width + c]);
        float hat = lines[2 * width + c] * v + lines[3 * width + c];
        dx[row * width + c] = lines[c] * (g - means[c] - hat * means[width + c]);
    }
}
