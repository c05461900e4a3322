#ifndef TRPO_POOL_H
#define TRPO_POOL_H

/**
 * The one thread pool of the process: spin, then park.
 *
 * Work comes as a fixed number of chunks that depends on the problem only. Chunks are handed out in any order
 * to any thread, so a task must write nothing that another chunk reads; then results do not depend
 * on the number of threads. The caller takes part. Calls from inside a task (but for those of pool_beside) run
 * serially in place, and so do calls while another thread of the process is using the pool. A forked child starts
 * without threads and makes its own when it needs them. Threads are joined at exit. Nothing is allocated once they run.
 */
typedef void (*PoolTask)(void *context, int chunk, int worker);

/** Most workers a pool can have, the caller included. */
enum { POOL_LIMIT = 64 };

/** Number of workers, the caller included; at first TRPO_THREADS or the number of usable cores. */
int pool_threads(void);

/** Sets the number of workers, 1..POOL_LIMIT. Returns the number now in force: fewer than asked for if threads cannot
 * be made, and unchanged when called from inside a task. */
int pool_set_threads(int threads);

/** Runs task(context, chunk, worker) for every chunk in [0, chunks); worker in [0, pool_threads()). Returns when all are done. */
void pool_run(PoolTask task, void *context, int chunks);

/**
 * Runs task(context, 0, worker) and task(context, 1, worker) beside each other; returns when both are done. Their own
 * calls of pool_run are shared with threads that have nothing else to do: each begins on one thread, and the longer one
 * ends on all of them. On one thread, and where pool_run would run in place, one runs after the other.
 */
void pool_beside(PoolTask task, void *context);

#endif
