#ifndef TRPO_ARENA_H
#define TRPO_ARENA_H

#include <stddef.h>

#include "base/buffer.h"

/**
 * Workspace with mark and release: push what an algorithm needs, release it all at once.
 * Grows by chunks; when everything is released the chunks are merged into one large enough for all,
 * so that the second identical use allocates nothing.
 */
enum { ARENA_CHUNKS = 32 };

typedef struct Arena {
  Buffer *chunk[ARENA_CHUNKS];
  int chunks;  /* chunks held */
  int current; /* chunk being filled */
  size_t used; /* bytes used of the current chunk */
} Arena;

typedef struct ArenaMark {
  int current;
  size_t used;
} ArenaMark;

/** An empty arena holds no memory; a zeroed Arena is one too. */
void arena_init(Arena *arena);

/** Frees everything. */
void arena_free(Arena *arena);

/** bytes, rounded up to what keeps something behind them as aligned. */
static inline size_t arena_aligned(size_t bytes) {
  return (bytes + 63) / 64 * 64;
}

/** bytes of 64-byte aligned memory, contents unspecified; NULL when memory runs out. */
void *arena_push(Arena *arena, size_t bytes);

/** Remembers the current fill. */
ArenaMark arena_mark(const Arena *arena);

/** Forgets everything pushed after the mark. */
void arena_release(Arena *arena, ArenaMark mark);

/** count elements of a type. */
#define ARENA_PUSH(arena, type, count) ((type *)arena_push((arena), (size_t)(count) * sizeof(type)))

#endif
