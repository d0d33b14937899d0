// Runs the kernels on the CPU, thread by thread, for the tests of machines without a GPU. Slow and strict:
// - every thread of a block is a fiber; __syncthreads() and shuffles switch fibers, so that the memory seen
//   is that of a device which runs the threads between two barriers one after the other;
// - threads that wait for each other in different places are an error, as is a barrier that only some reach;
// - shared memory starts as NaN, as does all memory that nobody wrote (the caller sees to that);
// - the order of the threads can be turned round: results that change with it come from a race.
// One launch at a time: the caller holds a lock.
#include "kernels.cu"

#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <utility>

EmulatedDim threadIdx, blockIdx, blockDim, gridDim;

namespace {

const size_t STACK = 64 * 1024, SHARED_BYTES = 48 * 1024;
const unsigned MAX_THREADS = 1024;

enum State { READY, AT_BARRIER, AT_SHUFFLE, DONE };

struct Fiber {
    jmp_buf context;
    bool made;
    State state;
    // Bytes of shared memory that it has asked for, and shuffles it took part in.
    size_t shared;
    unsigned shuffles;
    // What it sends: two places in turn, so that nobody overwrites what another has yet to read.
    char sent[2][16];
};

Fiber fibers[MAX_THREADS];
char *stacks;
jmp_buf scheduler;
ucontext_t maker;
unsigned current;
alignas(16) char shared_memory[SHARED_BYTES];
bool failed;
void (*body)();

// Waits for its turn, in a state. Jumps are much faster than ucontext's switches, which ask the kernel.
void wait_in(State state) {
    Fiber &self = fibers[current];
    self.state = state;
    if (_setjmp(self.context) == 0) _longjmp(scheduler, 1);
}

// A fiber lives for ever, and runs one kernel's thread after the other.
void live() {
    for (;;) {
        body();
        wait_in(DONE);
    }
}

void make(Fiber &f, unsigned t) {
    ucontext_t context;
    getcontext(&context);
    context.uc_stack.ss_sp = stacks + t * STACK;
    context.uc_stack.ss_size = STACK;
    context.uc_link = &maker;
    makecontext(&context, live, 0);
    f.made = true;
    if (_setjmp(scheduler) == 0) swapcontext(&maker, &context);
}

void resume(unsigned t) {
    current = t;
    threadIdx.x = t % blockDim.x;
    threadIdx.y = t / blockDim.x;
    Fiber &f = fibers[t];
    if (!f.made) return make(f, t);
    if (_setjmp(scheduler) == 0) _longjmp(f.context, 1);
}

void start(unsigned threads) {
    if (!stacks) stacks = (char *)malloc(MAX_THREADS * STACK);
    for (unsigned t = 0; t < threads; t++) {
        fibers[t].state = READY;
        fibers[t].shared = 0;
        fibers[t].shuffles = 0;
    }
    memset(shared_memory, 0xff, SHARED_BYTES);
}

// Runs a warp until all of it is at a barrier or done.
void run_warp(unsigned first, unsigned end, bool reversed) {
    while (!failed) {
        for (unsigned i = first; i < end; i++) {
            unsigned t = reversed ? end - 1 - (i - first) : i;
            if (fibers[t].state == READY) resume(t);
        }
        unsigned shuffling = 0;
        for (unsigned t = first; t < end; t++) shuffling += fibers[t].state == AT_SHUFFLE;
        if (shuffling == 0) return;
        // A shuffle wants all 32 lanes.
        if (shuffling != 32) failed = true;
        for (unsigned t = first; t < end; t++) fibers[t].state = READY;
    }
}

void run_block(unsigned threads, bool reversed) {
    start(threads);
    unsigned warps = (threads + 31) / 32;
    while (!failed) {
        for (unsigned w = 0; w < warps; w++) {
            unsigned at = reversed ? warps - 1 - w : w;
            unsigned end = (at + 1) * 32 < threads ? (at + 1) * 32 : threads;
            run_warp(at * 32, end, reversed);
        }
        unsigned waiting = 0;
        for (unsigned t = 0; t < threads; t++) waiting += fibers[t].state == AT_BARRIER;
        if (waiting == 0) return;
        if (waiting != threads) failed = true;
        for (unsigned t = 0; t < threads; t++) fibers[t].state = READY;
    }
}

void **arguments;

// Calls a kernel with the arguments that lie where `arguments` points.
template <class... A, size_t... I> void call(void (*kernel)(A...), std::index_sequence<I...>) { kernel(*(A *)arguments[I]...); }

template <auto K> struct Entry;
template <class... A, void (*K)(A...)> struct Entry<K> {
    static void run() { call(K, std::index_sequence_for<A...>()); }
    static bool fits(const uint32_t *sizes, uint32_t n) {
        const size_t wanted[] = {sizeof(A)...};
        if (n != sizeof...(A)) return false;
        for (uint32_t i = 0; i < n; i++)
            if (wanted[i] != sizes[i]) return false;
        return true;
    }
};

struct Named {
    const char *name;
    void (*run)();
    bool (*fits)(const uint32_t *, uint32_t);
};

#define K(name) {#name, Entry<&name>::run, Entry<&name>::fits}
const Named kernels[] = {
// A line a kernel, made by build.rs.
#include "kernels.inc"
};

}  // namespace

void __syncthreads() { wait_in(AT_BARRIER); }

// As a shuffle that nobody reads.
void __syncwarp() { wait_in(AT_SHUFFLE); }

void emulated_shuffle(const void *value, void *out, size_t size, int lane_mask) {
    unsigned turn = fibers[current].shuffles++ % 2, other = current ^ (unsigned)lane_mask;
    memcpy(fibers[current].sent[turn], value, size);
    wait_in(AT_SHUFFLE);
    memcpy(out, fibers[other].sent[turn], size);
}

void *emulated_shared(size_t size) {
    Fiber &self = fibers[current];
    char *memory = shared_memory + self.shared;
    self.shared += (size + 15) / 16 * 16;
    if (self.shared > SHARED_BYTES) abort();
    return memory;
}

// 0: done; 1: no such kernel; 2: other arguments; 3: a barrier or shuffle that not all threads reach.
extern "C" int spax_emulate(const char *name, const uint32_t *grid, const uint32_t *block, void **args, const uint32_t *sizes, uint32_t n_args,
                            int reversed) {
    const Named *found = nullptr;
    for (const Named &k : kernels)
        if (strcmp(k.name, name) == 0) found = &k;
    if (!found) return 1;
    if (!found->fits(sizes, n_args)) return 2;
    body = found->run;
    arguments = args;
    failed = false;
    gridDim = {grid[0], grid[1], 1};
    blockDim = {block[0], block[1], 1};
    for (unsigned y = 0; y < gridDim.y && !failed; y++)
        for (unsigned x = 0; x < gridDim.x && !failed; x++) {
            blockIdx = {x, y, 0};
            run_block(blockDim.x * blockDim.y, reversed != 0);
        }
    // Threads that were left waiting are not taken up again.
    for (unsigned t = 0; failed && t < MAX_THREADS; t++) fibers[t].made = false;
    return failed ? 3 : 0;
}
