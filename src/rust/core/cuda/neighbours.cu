// The hybrid graph (systems/spacross/hybrid.rs): most similar nodes without a similarity matrix, and which of them
// are pairs.
#include "common.cuh"

// Rows of length 1; a row without length stays 0. A thread a row.
// sizes: x n * d, out n * d
// grid: threads n
KERNEL unit_rows(const float *x, float *out, u64 n, u32 d) {
    u64 i = flat_thread();
    if (i >= n) return;
    float length = 0.0f;
    for (u32 a = 0; a < d; a++) length += x[i * d + a] * x[i * d + a];
    length = fmaxf(sqrtf(length), 1e-12f);
    for (u32 a = 0; a < d; a++) out[i * d + a] = x[i * d + a] / length;
}

// Most neighbours that a thread can keep, coordinates that it holds, items of a tile.
#define KEEP 64
#define WIDE 32
#define TILE 128

// The k items with the largest inner products with each query, best first, ties by lower index; not the item
// of the query's own number where `others`. Exact: every query sees every item, tile by tile. A thread a
// query; blocks of TILE threads. d <= WIDE and k <= KEEP; scores and ids have room for n k.
// sizes: queries n * d, items n_items * d, scores n * k, ids n * k
// needs: d <= WIDE, 1 <= k, k <= KEEP, k + others <= n_items
// grid: tiles ceil(n / TILE), TILE
KERNEL top_k(const float *queries, const float *items, float *scores, u32 *ids, u64 n, u64 n_items, u32 d, u32 k, u32 others) {
    // Read by fours, so it must start at a multiple of 16 bytes.
    SHARED(float4, tiles, TILE * WIDE / 4);
    float *tile = (float *)tiles;
    u64 query = flat_thread();
    bool here = query < n;
    float mine[WIDE];
    for (u32 a = 0; a < WIDE; a++) mine[a] = here && a < d ? queries[query * d + a] : 0.0f;
    float best[KEEP];
    u32 who[KEEP];
    u32 held = 0;
    u32 quads = (d + 3) / 4;
    for (u64 base = 0; base < n_items; base += TILE) {
        u32 size = n_items - base < TILE ? (u32)(n_items - base) : TILE;
        __syncthreads();
        // Rows padded with zeros to a multiple of four.
        for (u32 e = threadIdx.x; e < size * quads * 4; e += TILE) {
            u32 item = e / (quads * 4), a = e % (quads * 4);
            tile[e] = a < d ? items[(base + item) * d + a] : 0.0f;
        }
        __syncthreads();
        for (u32 item = 0; here && item < size; item++) {
            const float4 *row = (const float4 *)(tile + item * quads * 4);
            float score = 0.0f;
#ifdef __CUDACC__
#pragma unroll
#endif
            for (u32 q = 0; q < WIDE / 4; q++)
                if (q < quads) {
                    float4 v = row[q];
                    score += mine[4 * q] * v.x + mine[4 * q + 1] * v.y + mine[4 * q + 2] * v.z + mine[4 * q + 3] * v.w;
                }
            // Items come by rising number, so an equal score is no better.
            if (held == k && score <= best[k - 1]) continue;
            if (others && base + item == query) continue;
            u32 at = held < k ? held++ : k - 1;
            for (; at > 0 && best[at - 1] < score; at--) {
                best[at] = best[at - 1];
                who[at] = who[at - 1];
            }
            best[at] = score;
            who[at] = (u32)(base + item);
        }
    }
    for (u32 e = 0; here && e < k; e++) {
        scores[query * k + e] = best[e];
        ids[query * k + e] = who[e];
    }
}

// Whether a node and each of its candidates are a pair: neighbours in space, or together in a cluster of one
// run (labels: runs x n; no runs keep every pair). Threads: candidates (x), nodes (y). A 1 or 0 an entry.
// sizes: candidates n * k, starts n + 1, neighbours starts.end, labels runs * n, keep n * k
// needs: candidates.bound <= n
// grid: rows n, k
KERNEL keep_pairs(const Row *candidates, const LongStart *starts, const u32 *neighbours, const u32 *labels, u32 *keep, u64 n, u32 k, u32 runs) {
    u64 node = row_of_thread();
    if (node >= n) return;
    for (u32 e = threadIdx.x; e < k; e += blockDim.x) {
        u32 other = candidates[node * k + e];
        bool kept = runs == 0;
        for (u32 r = 0; !kept && r < runs; r++) kept = labels[(u64)r * n + node] == labels[(u64)r * n + other];
        i64 low = starts[node], high = starts[node + 1];
        while (!kept && low < high) {
            i64 middle = (low + high) / 2;
            u32 there = neighbours[middle];
            kept = there == other;
            if (there < other) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        keep[node * k + e] = kept;
    }
}
