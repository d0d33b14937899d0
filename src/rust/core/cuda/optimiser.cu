// Adam with L2 decay after clipping of the global norm, over all parameters at once (nn/adam.rs), and the
// target encoder that follows the online one.
#include "common.cuh"

#define PARAMETERS 32
// Blocks that share the values of a parameter.
#define SHARES 32

struct Table {
    // Zero where the loss does not depend on the parameter.
    const float *gradient[PARAMETERS];
    float *value[PARAMETERS];
    float *first[PARAMETERS];
    float *second[PARAMETERS];
    u64 length[PARAMETERS];
};

// Parameters, and those that they follow.
struct Pairs {
    const float *followed[PARAMETERS];
    float *value[PARAMETERS];
    u64 length[PARAMETERS];
};

// The sum of squares of each gradient: a block a parameter.
// sizes: squares table.count
// grid: blocks table.count
KERNEL adam_squares(Table table, double *squares) {
    SHARED(double, held, BLOCK / 32);
    u32 p = blockIdx.x;
    double sum = 0.0;
    if (table.gradient[p])
        for (u64 i = threadIdx.x; i < table.length[p]; i += BLOCK) {
            double g = table.gradient[p][i];
            sum += g * g;
        }
    sum = block_sum(sum, held);
    if (threadIdx.x == 0) squares[p] = sum;
}

// One step. Grid: parts of a parameter (x), parameters (y). `norm` gets the norm before clipping.
// sizes: squares n_squares, norm 1
// grid: blocks SHARES, table.count
KERNEL adam_update(Table table, const double *squares, double *norm, u32 n_squares, double clip, float rate, float root, float decay) {
    double total = 0.0;
    for (u32 p = 0; p < n_squares; p++) total += squares[p];
    total = sqrt(total);
    if (blockIdx.x == 0 && blockIdx.y == 0 && threadIdx.x == 0) *norm = total;
    u32 p = blockIdx.y;
    const float *gradient = table.gradient[p];
    if (!gradient) return;
    // PyTorch's clip_grad_norm_ adds 1e-6 to the norm.
    float factor = (float)fmin(clip / (total + 1e-6), 1.0);
    const float b1 = 0.9f, b2 = 0.999f;
    for (u64 i = flat_thread(); i < table.length[p]; i += (u64)gridDim.x * blockDim.x) {
        float value = table.value[p][i];
        float g = gradient[i] * factor + decay * value;
        float first = b1 * table.first[p][i] + (1.0f - b1) * g;
        float second = b2 * table.second[p][i] + (1.0f - b2) * g * g;
        table.first[p][i] = first;
        table.second[p][i] = second;
        table.value[p][i] = value - rate * first / (sqrtf(second) / root + 1e-8f);
    }
}

// value <- m value + (1 - m) followed. Grid as above.
// grid: blocks SHARES, pairs.count
KERNEL follow(Pairs pairs, float m) {
    u32 p = blockIdx.y;
    for (u64 i = flat_thread(); i < pairs.length[p]; i += (u64)gridDim.x * blockDim.x) {
        float theirs = pairs.followed[p][i];
        pairs.value[p][i] = m == 0.0f ? theirs : m * pairs.value[p][i] + (1.0f - m) * theirs;
    }
}
