#ifndef TRPO_TAPE_H
#define TRPO_TAPE_H

#include "base/arena.h"
#include "policy/network.h"

/**
 * The activations of a network for N observations, kept so that tangents and gradients at the same parameters cost
 * no forward pass. Rows lie in blocks (see nn/mlp.h), each block's activations together; blocks are grouped in a fixed
 * grid of chunks that depends on N and the network only. Work on a tape runs over the chunks in parallel, and they are
 * alike, so that two or four threads end together.
 */
enum { TAPE_CHUNKS = 64 };

typedef struct Tape {
  const Network *net;
  long N;
  int rows; /* of every block but the last; at most the network's */
  long blocks;
  int chunks;
  size_t block_bytes; /* of the activations of a block */
  char *data;         /* [blocks][block_bytes]; NULL for a tape that is only walked over */
  char *scratch;      /* [workers][scratch_bytes] */
  size_t scratch_bytes;
  char *partial; /* [chunks][mlp_gradient_bytes, rounded up]: gradients of chunks */
} Tape;

/** One block as a task sees it. */
typedef struct TapeBlock {
  long first; /* its first row */
  int n;      /* its rows */
  int chunk;
  void
      *tape; /* the block's activations; for a tape without data, scratch memory of the same size */
  void *work;  /* mlp_work_bytes */
  void *out;   /* Real [n][outputs], scratch */
  double *row; /* doubles of scratch asked for by tape_init */
} TapeBlock;

typedef void (*TapeTask)(void *context, const TapeBlock *block);

/**
 * Lays out a tape in the arena. keep: activations are kept; gradients: tape_gradient will be used;
 * row_doubles: scratch doubles a block's task wants. E_NOMEM.
 */
Status tape_init(Tape *tape, Arena *arena, const Network *net, long N, int keep, int gradients,
                 long row_doubles);

/** The same tape, if it keeps no activations, for fewer rows, 1 <= N <= the number it was made for. */
void tape_resize(Tape *tape, long N);

/** Runs task on every block, chunks in parallel. */
void tape_run(const Tape *tape, TapeTask task, void *context);

/** Forward pass over obs (rows stride doubles apart), keeping the activations. */
void tape_record(const Tape *tape, const double *obs, long stride);

/** Clears the chunks' gradients, runs a task that adds to them (tape_partial), and sums them:
 * out [mlp.P] = scale * sum over chunks, in double and in a fixed tree. */
void tape_gradient(const Tape *tape, TapeTask task, void *context, double *out, double scale);

/** The gradient of the block's chunk, for mlp_vjp. */
void *tape_partial(const Tape *tape, int chunk);

/** The activations that a tape keeps of block b. */
void *tape_block(const Tape *tape, long b);

/** Outputs of a block, Real [n][outputs]. */
void *tape_outputs(const Tape *tape, const TapeBlock *block);

#endif
