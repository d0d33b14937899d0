// The losses over lists of rows (systems/spacross/consistency.rs, contrast.rs): one thread an entry of a list for
// the terms, then one thread a node and column for the gradients. A node may stand several times in a list
// of random nodes: its entries are `positions[starts[node]..starts[node + 1]]`, in rising order.
#include "common.cuh"

// Sum over the block of the terms of its threads.
DEVICE void store_loss(float loss, double *parts) {
    SHARED(double, held, BLOCK / 32);
    double sum = block_sum((double)loss, held);
    if (threadIdx.x == 0) parts[blockIdx.x] = sum;
}

// out = weight_a sum(a) + weight_b sum(b), one block.
// sizes: a n_a, b n_b, out 1
// grid: blocks 1
KERNEL sum_terms(const double *a, u32 n_a, double weight_a, const double *b, u32 n_b, double weight_b, float *out) {
    SHARED(double, held, BLOCK / 32);
    double sum_a = 0.0, sum_b = 0.0;
    for (u32 i = threadIdx.x; i < n_a; i += BLOCK) sum_a += a[i];
    for (u32 i = threadIdx.x; i < n_b; i += BLOCK) sum_b += b[i];
    sum_a = block_sum(sum_a, held);
    sum_b = block_sum(sum_b, held);
    if (threadIdx.x == 0) *out = (float)(weight_a * sum_a + weight_b * sum_b);
}

// out[0] = the weighted sum of up to three losses; then each of them, for the record.
// sizes: a 1, b 1, c? 1, out 1
// grid: threads 1
KERNEL weigh(const float *a, const float *b, const float *c, float weight_a, float weight_b, float weight_c, float *out) {
    if (flat_thread() != 0) return;
    float total = *a * weight_a + *b * weight_b;
    if (c) total += *c * weight_c;
    *out = total;
}

// The gradients of the losses: the upstream one times each weight.
// sizes: upstream 1, out 3
// grid: threads 1
KERNEL weigh_back(const float *upstream, float weight_a, float weight_b, float weight_c, float *out) {
    if (flat_thread() != 0) return;
    out[0] = *upstream * weight_a;
    out[1] = *upstream * weight_b;
    out[2] = *upstream * weight_c;
}

// A row of the record of losses: total, reconstruction, consistency, contrast (NaN where there is none), norm.
// sizes: total 1, reconstruction 1, consistency 1, contrast? 1, norm 1, out 5
// grid: threads 1
KERNEL record(const float *total, const float *reconstruction, const float *consistency, const float *contrast, const double *norm,
              double *out) {
    if (flat_thread() != 0) return;
    out[0] = *total;
    out[1] = *reconstruction;
    out[2] = *consistency;
    out[3] = contrast ? (double)*contrast : nan("");
    out[4] = *norm;
}

// The terms of rows a_list of r against rows b_list of z: the loss, and by how much a row of the gradient
// goes along b and along a.
// sizes: r a_list.bound * width, z b_list.bound * width, a_list m, b_list m, along 2 * m, parts ceil(m / BLOCK)
// grid: threads m
KERNEL consistency_terms(const float *r, const float *z, const Row *a_list, const Row *b_list, float *along, double *parts, u64 m, u32 width,
                         float t, float share, u32 same) {
    u64 p = flat_thread();
    float loss = 0.0f;
    if (p < m) {
        const float *a = r + (u64)a_list[p] * width, *b = z + (u64)b_list[p] * width;
        float aa = 0.0f, bb = 0.0f, ab = 0.0f, d = 0.0f;
        for (u32 c = 0; c < width; c++) {
            aa += a[c] * a[c];
            bb += b[c] * b[c];
            ab += a[c] * b[c];
        }
        float cosine = cosine_of(ab, &aa, &bb);
        loss = same ? apart(cosine, t, &d) : alike(cosine, t, &d);
        along[2 * p] = d * share / (aa * bb);
        along[2 * p + 1] = d * share * cosine / (aa * aa);
    }
    store_loss(loss, parts);
}

// The gradient of r. Threads: columns (x), nodes (y).
// sizes: r n * width, z n * width, z b_list.bound * width, place n, own 2 * place.bound, starts n + 1,
//     positions starts.end, b_list positions.bound, other 2 * positions.bound, dr n * width
// grid: rows n, width
KERNEL consistency_rows(const float *r, const float *z, const RowOrNone *place, const float *own, const Start *starts, const Row *positions,
                        const Row *b_list, const float *other, float *dr, u64 n, u32 width) {
    u64 i = row_of_thread();
    if (i >= n) return;
    u32 p = place[i];
    for (u32 c = threadIdx.x; c < width; c += blockDim.x) {
        float x = r[i * width + c], sum = 0.0f;
        if (p != NONE) sum = own[2 * (u64)p] * z[i * width + c] - own[2 * (u64)p + 1] * x;
        for (u32 e = starts[i]; e < starts[i + 1]; e++) {
            u64 q = positions[e];
            sum += other[2 * q] * z[(u64)b_list[q] * width + c] - other[2 * q + 1] * x;
        }
        dr[i * width + c] = sum;
    }
}

// s = sigmoid(mean) for the rows of a list. Threads: columns (x), entries (y).
// sizes: mean list.bound * width, list m, out m * width
// grid: rows m, width
KERNEL summaries(const float *mean, const Row *list, float *out, u64 m, u32 width) {
    u64 p = row_of_thread();
    if (p >= m) return;
    for (u32 c = threadIdx.x; c < width; c += blockDim.x) out[p * width + c] = 1.0f / (1.0f + expf(-mean[(u64)list[p] * width + c]));
}

// -log sigma(x) for `positive`, -log(1 - sigma(x)) otherwise, and its derivative.
DEVICE float cross_entropy(float x, bool positive, float *slope) {
    float s = positive ? x : -x;
    float d = -1.0f / (1.0f + expf(s));
    *slope = positive ? d : -d;
    // log(1 + e^-s) without overflow
    return log1pf(expf(-fabsf(s))) + fmaxf(-s, 0.0f);
}

// Each masked node (and a random one) against its own summary, target = B s: the loss, and the gradients of
// own, other and target, m x width each.
// sizes: z masked.bound * width, z negative.bound * width, target m * width, masked m, negative m, d_own m * width,
//     d_other m * width, d_target m * width, parts ceil(m / BLOCK)
// grid: threads m
KERNEL contrast_terms(const float *z, const float *target, const Row *masked, const Row *negative, float *d_own, float *d_other,
                      float *d_target, double *parts, u64 m, u32 width, float share) {
    u64 p = flat_thread();
    float loss = 0.0f;
    if (p < m) {
        const float *own = z + (u64)masked[p] * width, *other = z + (u64)negative[p] * width, *t = target + p * width;
        float x = 0.0f, y = 0.0f, dx, dy;
        for (u32 c = 0; c < width; c++) {
            x += own[c] * t[c];
            y += other[c] * t[c];
        }
        loss = cross_entropy(x, true, &dx) + cross_entropy(y, false, &dy);
        dx *= share;
        dy *= share;
        for (u32 c = 0; c < width; c++) {
            d_own[p * width + c] = dx * t[c];
            d_other[p * width + c] = dy * t[c];
            d_target[p * width + c] = dx * own[c] + dy * other[c];
        }
    }
    store_loss(loss, parts);
}

// A block of logits (all pairs): their losses, and in place the derivative times `share`.
// sizes: logits n, parts ceil(n / BLOCK)
// grid: threads n
KERNEL cross_entropies(float *logits, double *parts, u64 n, u32 positive, float share) {
    u64 t = flat_thread();
    float loss = 0.0f;
    if (t < n) {
        float d;
        loss = cross_entropy(logits[t], positive != 0, &d);
        logits[t] = d * share;
    }
    store_loss(loss, parts);
}

// The gradients of z and of the neighbourhoods' means. Threads: columns (x), nodes (y).
// sizes: place n, starts n + 1, positions starts.end, d_own place.bound * width, d_other positions.bound * width,
//     d_summary place.bound * width, summary place.bound * width, dz n * width, d_mean n * width
// grid: rows n, width
KERNEL contrast_rows(const RowOrNone *place, const Start *starts, const Row *positions, const float *d_own, const float *d_other,
                     const float *d_summary, const float *summary, float *dz, float *d_mean, u64 n, u32 width) {
    u64 i = row_of_thread();
    if (i >= n) return;
    u64 p = place[i];
    for (u32 c = threadIdx.x; c < width; c += blockDim.x) {
        float sum = 0.0f, mean = 0.0f;
        if (p != NONE) {
            float s = summary[p * width + c];
            sum = d_own[p * width + c];
            mean = d_summary[p * width + c] * (s * (1.0f - s));
        }
        for (u32 e = starts[i]; e < starts[i + 1]; e++) sum += d_other[(u64)positions[e] * width + c];
        dz[i * width + c] = sum;
        d_mean[i * width + c] = mean;
    }
}
