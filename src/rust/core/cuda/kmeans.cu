// Lloyd's iterations (cluster/lloyd.rs): the nearest centre of each row, and sums of the rows of each centre.
#include "common.cuh"

// Rows of a block, one a thread.
#define ROWS 256

// The nearest centre of each row, its squared distance, and for the block's rows: sums of the coordinates and
// numbers of rows a centre (k x (d + 1)), rows that changed centre, and the sum of the distances.
// sizes: x n * d, centres k * d, labels n, distances n, parts ceil(n / ROWS) * (k * (d + 1) + 2)
// grid: threads n
KERNEL assign_rows(const float *x, const float *centres, u32 *labels, float *distances, double *parts, u64 n, u32 d, u32 k) {
    SHARED(u32, nearest, ROWS);
    SHARED(double, held, BLOCK / 32);
    u64 i = flat_thread();
    bool here = i < n;
    float best = INFINITY;
    u32 label = 0;
    for (u32 c = 0; here && c < k; c++) {
        float sum = 0.0f;
        for (u32 a = 0; a < d; a++) {
            float gap = x[i * d + a] - centres[c * d + a];
            sum += gap * gap;
        }
        if (sum < best) {
            best = sum;
            label = c;
        }
    }
    nearest[threadIdx.x] = here ? label : NONE;
    double moved = here && labels[i] != label ? 1.0 : 0.0;
    if (here) {
        labels[i] = label;
        distances[i] = best;
    }
    moved = block_sum(moved, held);
    double inertia = block_sum(here ? (double)best : 0.0, held);
    u32 width = k * (d + 1);
    double *out = parts + (u64)blockIdx.x * (width + 2);
    u64 first = (u64)blockIdx.x * ROWS;
    for (u32 e = threadIdx.x; e < width; e += ROWS) {
        u32 centre = e / (d + 1), a = e % (d + 1);
        double sum = 0.0;
        for (u32 r = 0; r < ROWS; r++)
            if (nearest[r] == centre) sum += a < d ? (double)x[(first + r) * d + a] : 1.0;
        out[e] = sum;
    }
    if (threadIdx.x == 0) {
        out[width] = moved;
        out[width + 1] = inertia;
    }
}
