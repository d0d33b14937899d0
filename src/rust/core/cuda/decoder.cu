// The decoders and their losses: reconstruction of dense input without an N x p array, and of genes without
// an N x genes array (systems/spacross/reconstruction.rs, imputation.rs).
#include "common.cuh"

// Sums over the rows of a chunk of x_a and of x_a x_b, with an optional weight a row and an optional list of
// rows, the second of a pair of numbers; `one` (0 or 1) extends each row by a 1. d is the row's length with that 1.
// Parts hold d + d d sums.
// sizes: x (list.bound or n) * width, list? n, weight? 2 * n,
//     parts ceil(n / chunk) * (width + one) * (width + one + 1)
// grid: blocks ceil(n / chunk)
KERNEL outer_parts(const float *x, const Row *list, const float *weight, double *parts, u64 n, u32 width, u32 one, u32 chunk) {
    u64 first = (u64)blockIdx.x * chunk, end = first + chunk < n ? first + chunk : n;
    u32 d = width + one;
    double *out = parts + (u64)blockIdx.x * (d + d * d);
    for (u32 e = threadIdx.x; e < d + d * d; e += blockDim.x) {
        bool pair = e >= d;
        u32 a = pair ? (e - d) / d : e, b = pair ? (e - d) % d : 0;
        double sum = 0.0;
        for (u64 i = first; i < end; i++) {
            const float *row = x + (list ? (u64)list[i] : i) * width;
            double left = a < width ? row[a] : 1.0, right = !pair ? 1.0 : b < width ? row[b] : 1.0;
            if (weight) left *= weight[2 * i + 1];
            sum += left * right;
        }
        out[e] = sum;
    }
}

// Totals of the parts, in order. A block an entry.
// sizes: parts n_parts * len, totals len
// grid: blocks len
KERNEL outer_totals(const double *parts, double *totals, u32 n_parts, u32 len) {
    SHARED(double, held, BLOCK / 32);
    double sum = 0.0;
    for (u32 p = threadIdx.x; p < n_parts; p += BLOCK) sum += parts[(u64)p * len + blockIdx.x];
    sum = block_sum(sum, held);
    if (threadIdx.x == 0) totals[blockIdx.x] = sum;
}

// Mean (d) and covariance (d x d) from the totals over n rows. A thread an entry.
// sizes: totals d + d * d, out d + d * d
// grid: threads d + d * d
KERNEL centre(const double *totals, double *out, u64 n, u32 d) {
    u32 e = flat_thread();
    if (e >= d + d * d) return;
    double value = totals[e] / (double)n;
    if (e >= d) value -= totals[(e - d) / d] / (double)n * (totals[(e - d) % d] / (double)n);
    out[e] = value;
}

// The outputs' moments from those of h: mean = V mean(h), variance = v' Cov(h) v. A thread an output. Writes
// the covariances of h with each output, 1 / sd, the running moments.
// sizes: moments d + d * d, v p * d, mean p, cov_v p * d, inverse p, running 2 * p
// grid: threads p
KERNEL decoder_moments(const double *moments, const float *v, double *mean, double *cov_v, float *inverse, double *running, u64 n, u32 p, u32 d,
                       double epsilon, double momentum) {
    u64 c = flat_thread();
    if (c >= p) return;
    double m = 0.0, variance = 0.0;
    for (u32 a = 0; a < d; a++) {
        double w = v[c * d + a], cov = 0.0;
        for (u32 b = 0; b < d; b++) cov += (double)v[c * d + b] * moments[d + a * d + b];
        cov_v[c * d + a] = cov;
        variance += w * cov;
        m += w * moments[a];
    }
    variance = fmax(variance, 0.0);
    mean[c] = m;
    inverse[c] = (float)(1.0 / sqrt(variance + epsilon));
    double unbiased = (double)n / fmax((double)n - 1.0, 1.0);
    running[c] += momentum * (m - running[c]);
    running[p + c] += momentum * (variance * unbiased - running[p + c]);
}

// The value of an output behind norm and dropout, and the normed one.
DEVICE float output_of(float y, u64 c, u32 p, const double *mean, const float *inverse, const float *affine, float factor, float *hat) {
    *hat = (y - (float)mean[c]) * inverse[c];
    return (affine[c] * *hat + affine[p + c]) * factor;
}

// Norm, dropout and cosine of masked rows, one warp a row; y holds V h and becomes the gradient g behind the
// batch norm, `weighted` g y_hat. Blocks of BLOCK threads, 8 rows each.
// sizes: y m * p, weighted m * p, x list.bound * p, list m, mean p, inverse p, affine 2 * p, parts ceil(m / WARPS)
// grid: blocks ceil(m / WARPS)
KERNEL decoder_rows(float *y, float *weighted, const float *x, const Row *list, const double *mean, const float *inverse, const float *affine,
                    double *parts, u64 m, u32 p, float t, float share, Dropout dropout) {
    SHARED(double, held, BLOCK / 32);
    u32 warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    u64 i = (u64)blockIdx.x * WARPS + warp;
    bool here = i < m;
    u64 node = here ? list[i] : 0;
    float oo = 0.0f, xx = 0.0f, ox = 0.0f, factors[8], hat;
    // A quarter of the warp has a group of 64 columns.
    for (u32 group = lane / LANES; here && group < groups_of(p); group += 32 / LANES) {
        dropout_factors(dropout, node, group, lane % LANES, p, factors);
        for (int r = 0; r < 8; r++) {
            u32 c = group * GROUP + r * LANES + lane % LANES;
            if (c >= p) continue;
            float out = output_of(y[i * p + c], c, p, mean, inverse, affine, factors[r], &hat);
            float target = x[node * p + c];
            oo += out * out;
            xx += target * target;
            ox += out * target;
        }
    }
    oo = warp_sum(oo);
    xx = warp_sum(xx);
    ox = warp_sum(ox);
    float cosine = cosine_of(ox, &oo, &xx), d;
    float loss = apart(cosine, t, &d);
    float along_x = d * share / (oo * xx), along_out = d * share * cosine / (oo * oo);
    for (u32 group = lane / LANES; here && group < groups_of(p); group += 32 / LANES) {
        dropout_factors(dropout, node, group, lane % LANES, p, factors);
        for (int r = 0; r < 8; r++) {
            u32 c = group * GROUP + r * LANES + lane % LANES;
            if (c >= p) continue;
            float out = output_of(y[i * p + c], c, p, mean, inverse, affine, factors[r], &hat);
            float g = (along_x * x[node * p + c] - along_out * out) * factors[r];
            y[i * p + c] = g;
            weighted[i * p + c] = g * hat;
        }
    }
    double sum = block_sum(here && lane == 0 ? (double)loss : 0.0, held);
    if (threadIdx.x == 0) parts[blockIdx.x] = sum;
}

// Sums of the columns of two matrices over a chunk of rows. A thread a column; grid: columns (x), chunks (y).
// sizes: a m * p, b m * p, parts (first_part + ceil(m / chunk)) * 2 * p
// grid: blocks ceil(p / BLOCK), ceil(m / chunk)
KERNEL column_parts(const float *a, const float *b, double *parts, u64 m, u32 p, u32 chunk, u32 first_part) {
    u64 c = flat_thread();
    if (c >= p) return;
    u64 first = (u64)blockIdx.y * chunk, end = first + chunk < m ? first + chunk : m;
    double sum_a = 0.0, sum_b = 0.0;
    for (u64 i = first; i < end; i++) {
        sum_a += a[i * p + c];
        sum_b += b[i * p + c];
    }
    double *out = parts + (u64)(first_part + blockIdx.y) * 2 * p;
    out[c] = sum_a;
    out[p + c] = sum_b;
}

// V with each row times gamma / sd.
// sizes: v p * d, affine p, inverse p, out p * d
// grid: threads p * d
KERNEL scaled_rows(const float *v, const float *affine, const float *inverse, float *out, u32 p, u32 d) {
    u64 t = flat_thread();
    if (t < (u64)p * d) out[t] = v[t] * affine[t / d] * inverse[t / d];
}

// What the batch's moments send to every row, -q - Q (h - mean h): Q (d x d), then q - Q mean h, which is
// sum_c s_c v_c (sum(g) - sum(g y_hat) mean_c / sd_c). A block an entry.
// sizes: sums 2 * p, v p * d, affine p, inverse p, mean p, map d * d + d
// grid: blocks d * d + d
KERNEL decoder_map(const double *sums, const float *v, const float *affine, const float *inverse, const double *mean, float *map, u64 n, u32 p,
                   u32 d) {
    SHARED(double, held, BLOCK / 32);
    u32 e = blockIdx.x;
    bool square = e < d * d;
    u32 a = square ? e / d : e - d * d, b = e % d;
    double sum = 0.0;
    for (u32 c = threadIdx.x; c < p; c += BLOCK) {
        double scale = (double)affine[c] * inverse[c] / (double)n * v[(u64)c * d + a];
        double hat = inverse[c] * sums[p + c];
        sum += square ? scale * hat * v[(u64)c * d + b] : scale * (sums[c] - hat * mean[c]);
    }
    sum = block_sum(sum, held);
    if (threadIdx.x == 0) map[e] = (float)sum;
}

// The gradient of h: the masked rows' own, and what the moments send. Threads: columns (x), nodes (y).
// sizes: h n * d, map d * d + d, place n, masked place.bound * d, dh n * d
// grid: rows n, d
KERNEL decoder_back(const float *h, const float *map, const RowOrNone *place, const float *masked, float *dh, u64 n, u32 d) {
    u64 i = row_of_thread();
    if (i >= n) return;
    u32 p = place[i];
    for (u32 a = threadIdx.x; a < d; a += blockDim.x) {
        float sum = map[d * d + a];
        for (u32 b = 0; b < d; b++) sum += map[a * d + b] * h[i * d + b];
        dh[i * d + a] = (p != NONE ? masked[(u64)p * d + a] : 0.0f) - sum;
    }
}

// dV_c = a_c (sum g h - sum(g) mean h - sum(g y_hat) / sd_c  C v_c), and the gradients of scale and shift.
// sizes: products p * d, sums 2 * p, moments d, cov_v p * d, affine p, inverse p, dv p * d, d_affine 2 * p
// grid: threads p * d
KERNEL decoder_weights(const float *products, const double *sums, const double *moments, const double *cov_v, const float *affine,
                       const float *inverse, float *dv, float *d_affine, u32 p, u32 d) {
    u64 t = flat_thread();
    if (t >= (u64)p * d) return;
    u64 c = t / d;
    u32 a = t % d;
    double scale = (double)affine[c] * inverse[c];
    double shift = sums[c] * moments[a] + sums[p + c] * inverse[c] * cov_v[t];
    dv[t] = (float)(scale * (products[t] - shift));
    if (a == 0) {
        d_affine[c] = (float)sums[p + c];
        d_affine[p + c] = (float)sums[c];
    }
}

// ---- Linear decoder of genes ----

// [V b] with zeros up to `wide` columns, by rows (genes x wide) and by columns (wide x genes).
// sizes: v genes * d, b genes, rows genes * wide, columns wide * genes
// grid: threads genes * wide
KERNEL stack_decoder(const float *v, const float *b, float *rows, float *columns, u32 genes, u32 d, u32 wide) {
    u64 t = flat_thread();
    if (t >= (u64)genes * wide) return;
    u64 gene = t / wide;
    u32 a = t % wide;
    float value = a < d ? v[gene * d + a] : a == d ? b[gene] : 0.0f;
    rows[t] = value;
    columns[(u64)a * genes + gene] = value;
}

// A masked row: loss, gradient of z, and the slopes of inner product and squared length (2 an entry).
// sizes: z list.bound * d, products list.bound * wide, gram (d + 1) * wide, norms list.bound, list m, dz m * d,
//     slopes 2 * m, parts ceil(m / BLOCK)
// needs: d + 1 <= wide
// grid: threads m
KERNEL imputation_terms(const float *z, const float *products, const float *gram, const float *norms, const Row *list, float *dz, float *slopes,
                        double *parts, u64 m, u32 d, u32 wide, float t, float share) {
    SHARED(double, held, BLOCK / 32);
    u64 i = flat_thread();
    float loss = 0.0f;
    if (i < m) {
        u64 node = list[i];
        const float *row = z + node * d, *xv = products + node * wide;
        float length2 = gram[d * wide + d], inner = xv[d];
        for (u32 a = 0; a < d; a++) {
            float gz = 0.0f, g = gram[a * wide + d];
            for (u32 b = 0; b < d; b++) gz += gram[a * wide + b] * row[b];
            dz[i * d + a] = gz + g;
            length2 += row[a] * (gz + 2.0f * g);
            inner += row[a] * xv[a];
        }
        float length = at_least(sqrtf(at_least(length2, 0.0f)), SHORTEST), norm = at_least(norms[node], SHORTEST), slope;
        float cosine = bounded_cosine(inner / (length * norm));
        loss = apart(cosine, t, &slope);
        float d_inner = slope * share / (length * norm), d_length2 = -0.5f * slope * share * cosine / (length * length);
        for (u32 a = 0; a < d; a++) dz[i * d + a] = d_inner * xv[a] + 2.0f * d_length2 * dz[i * d + a];
        slopes[2 * i] = d_inner;
        slopes[2 * i + 1] = 2.0f * d_length2;
    }
    double sum = block_sum((double)loss, held);
    if (threadIdx.x == 0) parts[blockIdx.x] = sum;
}

// Rows d_inner [z 1] of masked nodes, zeros elsewhere, `wide` columns; and dz of all nodes. Threads: columns
// (x), nodes (y).
// sizes: z n * d, place n, slopes 2 * place.bound, dz_masked place.bound * d, inner n * wide, dz n * d
// grid: rows n, wide
KERNEL imputation_rows(const float *z, const RowOrNone *place, const float *slopes, const float *dz_masked, float *inner, float *dz, u64 n, u32 d,
                       u32 wide) {
    u64 i = row_of_thread();
    if (i >= n) return;
    u64 p = place[i];
    bool here = p != NONE;
    for (u32 a = threadIdx.x; a < wide; a += blockDim.x) {
        float one = a < d ? z[i * d + a] : a == d ? 1.0f : 0.0f;
        inner[i * wide + a] = here ? slopes[2 * p] * one : 0.0f;
        if (a < d) dz[i * d + a] = here ? dz_masked[p * d + a] : 0.0f;
    }
}

// dV and db: the inner products' part (wide x genes) and [V b] times the lengths' (d + 1 square, behind d + 1
// sums that are not used here).
// sizes: by_inner (d + 1) * genes, lengths (d + 1) * (d + 2), v genes * d, b genes, dv genes * d, db genes
// grid: threads genes * (d + 1)
KERNEL imputation_weights(const float *by_inner, const double *lengths, const float *v, const float *b, float *dv, float *db, u32 genes, u32 d) {
    u64 t = flat_thread();
    if (t >= (u64)genes * (d + 1)) return;
    u64 gene = t / (d + 1);
    u32 a = t % (d + 1), wide = d + 1;
    const double *row = lengths + wide + (u64)a * wide;
    float sum = by_inner[(u64)a * genes + gene];
    float from_length = 0.0f;
    for (u32 e = 0; e < d; e++) from_length += v[gene * d + e] * (float)row[e];
    sum += from_length + b[gene] * (float)row[d];
    if (a < d) {
        dv[gene * d + a] = sum;
    } else {
        db[gene] = sum;
    }
}
