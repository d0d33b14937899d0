// Attention over a few embeddings of the same nodes (nn/attention.rs), and the losses of SpaLORA (spalora/loss.rs).
#include "common.cuh"

// Blocks of BLOCK threads: a warp a node. x holds the embeddings side by side (m d a node); `hidden` holds x W and
// becomes its tanh. Gives the weights (m a node) and the weighted mean (d a node).
// sizes: x n * m * d, hidden n * m * d, u d, weights n * m, out n * d
// grid: blocks ceil(n / WARPS)
KERNEL attend(const float *x, float *hidden, const float *u, float *weights, float *out, u64 n, u32 m, u32 d) {
    u64 node = (u64)blockIdx.x * WARPS + threadIdx.x / 32;
    u32 lane = threadIdx.x % 32;
    if (node >= n) return;
    float most = -INFINITY, total = 0.0f;
    for (u32 j = 0; j < m; j++) {
        float score = 0.0f;
        for (u32 c = lane; c < d; c += 32) {
            u64 at = (node * m + j) * d + c;
            float h = tanhf(hidden[at]);
            hidden[at] = h;
            score += h * u[c];
        }
        score = warp_sum(score);
        if (lane == 0) weights[node * m + j] = score;
        most = fmaxf(most, score);
    }
    // What lane 0 wrote, all lanes read.
    __syncwarp();
    for (u32 j = 0; j < m; j++) total += expf(weights[node * m + j] - most);
    __syncwarp();
    for (u32 c = lane; c < d; c += 32) {
        float sum = 0.0f;
        for (u32 j = 0; j < m; j++) sum += expf(weights[node * m + j] - most) / total * x[(node * m + j) * d + c];
        out[node * d + c] = sum;
    }
    __syncwarp();
    if (lane == 0)
        for (u32 j = 0; j < m; j++) weights[node * m + j] = expf(weights[node * m + j] - most) / total;
}

// The gradient at x W, through softmax, score and tanh, and that of the scores (m a node). A warp a node.
// sizes: x n * m * d, hidden n * m * d, u d, weights n * m, grad n * d, inner n * m * d, scores n * m
// grid: blocks ceil(n / WARPS)
KERNEL attend_inwards(const float *x, const float *hidden, const float *u, const float *weights, const float *grad, float *inner, float *scores,
                      u64 n, u32 m, u32 d) {
    u64 node = (u64)blockIdx.x * WARPS + threadIdx.x / 32;
    u32 lane = threadIdx.x % 32;
    if (node >= n) return;
    float mean = 0.0f;
    for (u32 j = 0; j < m; j++) {
        float slope = 0.0f;
        for (u32 c = lane; c < d; c += 32) slope += grad[node * d + c] * x[(node * m + j) * d + c];
        slope = warp_sum(slope);
        mean += weights[node * m + j] * slope;
        if (lane == 0) scores[node * m + j] = slope;
    }
    __syncwarp();
    for (u32 j = 0; j < m; j++) {
        float score = weights[node * m + j] * (scores[node * m + j] - mean);
        for (u32 c = lane; c < d; c += 32) {
            u64 at = (node * m + j) * d + c;
            inner[at] = score * u[c] * (1.0f - hidden[at] * hidden[at]);
        }
        __syncwarp();
        if (lane == 0) scores[node * m + j] = score;
    }
}

// dx += weight times gradient. Threads: columns of the embeddings side by side (x), nodes (y).
// sizes: weights n * m, grad n * d, dx n * m * d
// grid: rows n, m * d
KERNEL attend_outwards(const float *weights, const float *grad, float *dx, u64 n, u32 m, u32 d) {
    u64 node = row_of_thread();
    if (node >= n) return;
    for (u32 c = threadIdx.x; c < m * d; c += blockDim.x) dx[node * m * d + c] += weights[node * m + c / d] * grad[node * d + c % d];
}

// Columns first..first + width of x (n x wide), and back, with zeros elsewhere. Threads: columns (x), rows (y).
// sizes: x n * wide, out n * width
// needs: first + width <= wide
// grid: rows n, width
KERNEL take_columns(const float *x, float *out, u64 n, u32 wide, u32 first, u32 width) {
    u64 row = row_of_thread();
    if (row >= n) return;
    for (u32 c = threadIdx.x; c < width; c += blockDim.x) out[row * width + c] = x[row * wide + first + c];
}

// sizes: grad n * width, dx n * wide
// needs: first + width <= wide
// grid: rows n, wide
KERNEL put_columns(const float *grad, float *dx, u64 n, u32 wide, u32 first, u32 width) {
    u64 row = row_of_thread();
    if (row >= n) return;
    for (u32 c = threadIdx.x; c < wide; c += blockDim.x)
        dx[row * wide + c] = c >= first && c < first + width ? grad[row * width + c - first] : 0.0f;
}

// v with each column times its weight.
// sizes: v n, weights p, out n
// needs: 1 <= p
// grid: threads n
KERNEL weigh_columns(const float *v, const float *weights, float *out, u64 n, u32 p) {
    u64 t = flat_thread();
    if (t < n) out[t] = v[t] * weights[t % p];
}

// dp holds P (V Omega V') and becomes scale (dp - y); dy = -scale p; the parts get the sums of p y.
// sizes: p n, y n, dp n, dy n, parts ceil(n / BLOCK)
// grid: threads n
KERNEL product_terms(const float *p, const float *y, float *dp, float *dy, double *parts, u64 n, float scale) {
    SHARED(double, held, BLOCK / 32);
    u64 t = flat_thread();
    double product = 0.0;
    if (t < n) {
        product = (double)p[t] * y[t];
        dp[t] = scale * (dp[t] - y[t]);
        dy[t] = -scale * p[t];
    }
    product = block_sum(product, held);
    if (threadIdx.x == 0) parts[blockIdx.x] = product;
}

// share (squares - 2 sum(parts) + <a, b>), one block.
// sizes: parts n_parts, a len, b len, out 1
// grid: blocks 1
KERNEL product_value(const double *parts, const float *a, const float *b, float *out, u32 n_parts, u32 len, double squares, double share) {
    SHARED(double, held, BLOCK / 32);
    double py = 0.0, ab = 0.0;
    for (u32 i = threadIdx.x; i < n_parts; i += BLOCK) py += parts[i];
    for (u32 i = threadIdx.x; i < len; i += BLOCK) ab += (double)a[i] * b[i];
    py = block_sum(py, held);
    ab = block_sum(ab, held);
    if (threadIdx.x == 0) *out = (float)(share * (squares - 2.0 * py + ab));
}

// x <- factor x
// sizes: x n
// grid: threads n
KERNEL scale_values(float *x, float factor, u64 n) {
    u64 t = flat_thread();
    if (t < n) x[t] *= factor;
}

// da = scale (a - b), db = -da, and the sums of (a - b)^2.
// sizes: a n, b n, da n, db n, parts ceil(n / BLOCK)
// grid: threads n
KERNEL squared_terms(const float *a, const float *b, float *da, float *db, double *parts, u64 n, float scale) {
    SHARED(double, held, BLOCK / 32);
    u64 t = flat_thread();
    double square = 0.0;
    if (t < n) {
        float gap = a[t] - b[t];
        square = (double)gap * gap;
        da[t] = scale * gap;
        db[t] = -scale * gap;
    }
    square = block_sum(square, held);
    if (threadIdx.x == 0) parts[blockIdx.x] = square;
}
