#include "policy/tape.h"

#include <string.h>

#include "base/pool.h"

enum { TAPE_NEAR = 4 << 20 }; /* bytes of a tape that the last-level cache holds for sure */

/* Bytes of one row block of outputs. */
static size_t out_bytes(const Network *net) {
  const Mlp *mlp = &net->mlp;
  return arena_aligned((size_t)mlp->rows * mlp->width[mlp->layers] * mlp_real(mlp));
}

static size_t partial_bytes(const Network *net) {
  return arena_aligned(mlp_gradient_bytes(&net->mlp));
}

/*
 * Enough chunks to share among threads, but none so small that adding up its gradient would count: 256 rows and more,
 * or 64 where that leaves a few threads without work. Their number is a multiple of 8 where it can be.
 */
static int chunk_count(long N) {
  enum { ROWS = 256, FEW = 4, FEW_ROWS = 64 };
  const long chunks = N / ROWS;
  if (chunks >= TAPE_CHUNKS) return TAPE_CHUNKS;
  if (chunks >= 8) return (int)(chunks / 8 * 8);
  const long few = (N + FEW_ROWS - 1) / FEW_ROWS;
  return few < 1 ? 1 : few < FEW ? (int)few : FEW;
}

static long ratio_up(long a, long b) {
  return (a + b - 1) / b;
}

void tape_resize(Tape *tape, long N) {
  enum { TILE = 6 }; /* rows that the kernels like to have */
  const long most = tape->net->mlp.rows, chunks = chunk_count(N);
  const long blocks = chunks * ratio_up(N, chunks * most); /* as many for every chunk */
  const long even = blocks ? TILE * ratio_up(ratio_up(N, blocks), TILE) : most;
  tape->N = N;
  tape->rows = (int)(even < most ? even : most);
  tape->blocks = ratio_up(N, tape->rows);
  tape->chunks = (int)(chunks < tape->blocks ? chunks : tape->blocks);
}

Status tape_init(Tape *tape, Arena *arena, const Network *net, long N, int keep, int gradients,
                 long row_doubles) {
  const Mlp *mlp = &net->mlp;
  *tape = (Tape){.net = net, .block_bytes = arena_aligned(mlp_tape_bytes(mlp))};
  tape_resize(tape, N);
  /* each worker's scratch: workspace, outputs, row scalars and, without kept activations, one block of them */
  tape->scratch_bytes = arena_aligned(mlp_work_bytes(mlp)) + out_bytes(net)
                        + arena_aligned((size_t)row_doubles * sizeof(double))
                        + (keep ? 0 : tape->block_bytes);
  tape->scratch = arena_push(arena, (size_t)pool_threads() * tape->scratch_bytes);
  if (!tape->scratch) return E_NOMEM;
  if (keep && !(tape->data = arena_push(arena, (size_t)tape->blocks * tape->block_bytes)))
    return E_NOMEM;
  if (gradients && !(tape->partial = arena_push(arena, (size_t)tape->chunks * partial_bytes(net))))
    return E_NOMEM;
  return OK;
}

typedef struct Run {
  const Tape *tape;
  TapeTask task;
  void *context;
  int gradient; /* whether the chunk's gradient begins at 0 */
} Run;

/* Reads a block once, in order: that streams from memory, where a pass that stops for its arithmetic would wait for it.
 * (Prefetches interleaved with the passes gained less: they are dropped where translations are missing.) */
static void read_ahead(const void *block, size_t bytes) {
  for (size_t i = 0; i < bytes; i += 64) (void)*((const volatile char *)block + i);
}

static void run_chunk(void *context, int chunk, int worker) {
  const Run *run = context;
  const Tape *tape = run->tape;
  const Mlp *mlp = &tape->net->mlp;
  char *scratch = tape->scratch + (size_t)worker * tape->scratch_bytes;
  TapeBlock block = {.chunk = chunk, .work = scratch};
  block.out = scratch + arena_aligned(mlp_work_bytes(mlp));
  block.row = (double *)((char *)block.out + out_bytes(tape->net));
  if (run->gradient) memset(tape_partial(tape, chunk), 0, partial_bytes(tape->net));
  /* blocks [begin, end) belong to this chunk */
  const long begin = chunk * tape->blocks / tape->chunks;
  const long end = (chunk + 1) * tape->blocks / tape->chunks;
  const int distant = tape->data && (size_t)tape->blocks * tape->block_bytes > TAPE_NEAR;
  for (long b = begin; b < end; b++) {
    const long left = tape->N - b * tape->rows;
    block.first = b * tape->rows;
    block.n = left < tape->rows ? (int)left : tape->rows;
    block.tape = tape->data ? tape_block(tape, b)
                            : scratch + tape->scratch_bytes - tape->block_bytes;
    if (distant) read_ahead(block.tape, tape->block_bytes);
    run->task(run->context, &block);
  }
}

void tape_run(const Tape *tape, TapeTask task, void *context) {
  pool_run(run_chunk, &(Run){tape, task, context, 0}, tape->chunks);
}

typedef struct Record {
  const Tape *tape;
  const double *obs;
  long stride;
} Record;

static void record_block(void *context, const TapeBlock *block) {
  const Record *record = context;
  network_forward(record->tape->net, block->tape, record->obs + block->first * record->stride,
                  record->stride, block->n);
}

void tape_record(const Tape *tape, const double *obs, long stride) {
  tape_run(tape, record_block, &(Record){tape, obs, stride});
}

void tape_gradient(const Tape *tape, TapeTask task, void *context, double *out, double scale) {
  const Mlp *mlp = &tape->net->mlp;
  const size_t bytes = partial_bytes(tape->net);
  pool_run(run_chunk, &(Run){tape, task, context, 1}, tape->chunks);
  mlp_collect(mlp, out, tape->partial, tape->chunks, bytes, scale);
}

void *tape_partial(const Tape *tape, int chunk) {
  return tape->partial + (size_t)chunk * partial_bytes(tape->net);
}

void *tape_block(const Tape *tape, long b) {
  return tape->data + (size_t)b * tape->block_bytes;
}

void *tape_outputs(const Tape *tape, const TapeBlock *block) {
  return mlp_layer(&tape->net->mlp, block->tape, tape->net->mlp.layers);
}
