#define _GNU_SOURCE /* sched_getaffinity */
#include "base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

/*
 * One job at a time. The caller writes the job while the gate is closed and nobody is inside, opens the gate,
 * and takes chunks like everybody else. A helper enters through the gate (which counts it in), takes chunks
 * until none are left, and leaves. The caller then closes the gate and waits until the last helper has left.
 * A helper that comes late finds the gate closed and goes on waiting: nobody waits for sleepers.
 */
enum {
  GATE_OPEN = 1 << 30,         /* helpers may enter */
  GATE_WAITED = 1 << 29,       /* the caller sleeps until the last helper leaves */
  GATE_INSIDE = (1 << 29) - 1, /* mask: number of helpers inside */
  SPIN_NANOSECONDS = 20000,    /* a thread that waits so long lends its core to whoever wants it */
  REST_NANOSECONDS = 200000,   /* and one that waits so long sleeps */
  LINE = 64                    /* bytes of a cache line: what is written often has one of its own */
};

static struct {
  _Alignas(LINE) atomic_int next;    /* the next chunk to hand out */
  _Alignas(LINE) atomic_uint gate;   /* GATE_* */
  _Alignas(LINE) atomic_uint parked; /* helpers asleep or about to be */
  _Alignas(LINE) atomic_uint epoch;  /* grows with every job and with every order to quit */

  /* the job; written only while the gate is closed and empty */
  PoolTask task;
  void *context;
  int chunks;

  atomic_int quit;   /* helpers must end */
  atomic_int spins;  /* every worker has a core of its own, so spinning makes sense */
  atomic_int wanted; /* workers, the caller included; 0 until first asked for */

  _Alignas(LINE) pthread_mutex_t owner; /* held to post a job or change the number of threads */
  pthread_mutex_t sleep;                /* guards the two conditions */
  pthread_cond_t posted;                /* the epoch has moved */
  pthread_cond_t left;                  /* the last helper has left */

  /* under owner */
  int helpers; /* threads in existence */
  pthread_t thread[POOL_LIMIT];
  unsigned born[POOL_LIMIT]; /* the epoch at which each was made */
} pool = {.owner = PTHREAD_MUTEX_INITIALIZER,
          .sleep = PTHREAD_MUTEX_INITIALIZER,
          .posted = PTHREAD_COND_INITIALIZER,
          .left = PTHREAD_COND_INITIALIZER};

/* 1 + worker while this thread runs a task: nested calls run in place, as the same worker */
static _Thread_local int in_task;

static int usable_cores(void) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) {
    return 1;
  }
  return CPU_COUNT(&set) < 1 ? 1 : CPU_COUNT(&set);
}

/* --- waiting ------------------------------------------------------------------------------------------- */

static void relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static long nanoseconds_since(const struct timespec *start) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (now.tv_sec - start->tv_sec) * 1000000000L + (now.tv_nsec - start->tv_nsec);
}

/* spins for a while, until (*word & mask) == value equals wish: jobs of one update follow each other within that */
static void spin(atomic_uint *word, unsigned mask, unsigned value, int wish) {
  struct timespec start;
  long waited = 0;
  if (!atomic_load_explicit(&pool.spins, memory_order_relaxed)) {
    return;
  }
  clock_gettime(CLOCK_MONOTONIC, &start);
  while (waited < REST_NANOSECONDS) {
    for (int i = 0; i < 16; i++) {
      if (((atomic_load_explicit(word, memory_order_relaxed) & mask) == value) == wish) {
        return;
      }
      relax();
    }
    if (waited > SPIN_NANOSECONDS) {
      sched_yield();
    }
    waited = nanoseconds_since(&start);
  }
}

/* until the epoch is no longer seen; returns the new one */
static unsigned wait_for_job(unsigned seen) {
  spin(&pool.epoch, ~0u, seen, 0);
  if (atomic_load(&pool.epoch) == seen) {
    pthread_mutex_lock(&pool.sleep);
    /* announce, then look again: whoever moves the epoch looks at parked afterwards */
    atomic_fetch_add(&pool.parked, 1);
    while (atomic_load(&pool.epoch) == seen) {
      pthread_cond_wait(&pool.posted, &pool.sleep);
    }
    atomic_fetch_sub(&pool.parked, 1);
    pthread_mutex_unlock(&pool.sleep);
  }
  return atomic_load(&pool.epoch);
}

/* moves the epoch and wakes up to count sleeping helpers */
static void announce(unsigned count) {
  atomic_fetch_add(&pool.epoch, 1);
  if (atomic_load(&pool.parked) > 0) {
    /* who has announced itself sees the new epoch or waits by now; it need not wait for the lock as well */
    pthread_mutex_lock(&pool.sleep);
    pthread_mutex_unlock(&pool.sleep);
    for (unsigned i = 0; i < count; i++) {
      pthread_cond_signal(&pool.posted);
    }
  }
}

/* --- working ------------------------------------------------------------------------------------------- */

static void run_chunks(int worker) {
  in_task = 1 + worker;
  for (;;) {
    int chunk = atomic_fetch_add_explicit(&pool.next, 1, memory_order_relaxed);
    if (chunk >= pool.chunks) {
      break;
    }
    pool.task(pool.context, chunk, worker);
  }
  in_task = 0;
}

static int enter(void) {
  unsigned gate = atomic_load_explicit(&pool.gate, memory_order_relaxed);
  while (gate & GATE_OPEN) {
    if (atomic_compare_exchange_weak_explicit(&pool.gate, &gate, gate + 1, memory_order_acquire,
                                              memory_order_relaxed)) {
      return 1;
    }
  }
  return 0;
}

static void leave(void) {
  unsigned gate = atomic_fetch_sub_explicit(&pool.gate, 1, memory_order_acq_rel);
  if ((gate & GATE_WAITED) && (gate & GATE_INSIDE) == 1) {
    pthread_mutex_lock(&pool.sleep);
    pthread_cond_signal(&pool.left);
    pthread_mutex_unlock(&pool.sleep);
  }
}

/* lets nobody in any more and returns when all helpers have left */
static void close_gate(void) {
  atomic_fetch_and_explicit(&pool.gate, ~(unsigned)GATE_OPEN, memory_order_relaxed);
  spin(&pool.gate, GATE_INSIDE, 0, 1);
  if (atomic_load_explicit(&pool.gate, memory_order_acquire) & GATE_INSIDE) {
    pthread_mutex_lock(&pool.sleep);
    atomic_fetch_or(&pool.gate, GATE_WAITED);
    while (atomic_load_explicit(&pool.gate, memory_order_acquire) & GATE_INSIDE) {
      pthread_cond_wait(&pool.left, &pool.sleep);
    }
    pthread_mutex_unlock(&pool.sleep);
  }
  atomic_store_explicit(&pool.gate, 0, memory_order_relaxed);
}

static void *helper_main(void *argument) {
  int worker = (int)(long)argument;
  unsigned seen = pool.born[worker];
  for (;;) {
    seen = wait_for_job(seen);
    if (atomic_load(&pool.quit)) {
      return NULL;
    }
    if (enter()) {
      run_chunks(worker);
      leave();
    }
  }
}

/* --- threads ------------------------------------------------------------------------------------------- */

/* makes helpers until there are count, or until the system refuses; owner is held */
static void start_helpers(int count) {
  sigset_t all, before;
  if (pool.helpers >= count) {
    return;
  }
  /* signals belong to the host's threads */
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  while (pool.helpers < count) {
    int worker = pool.helpers + 1;
    pool.born[worker] = atomic_load(&pool.epoch);
    if (pthread_create(&pool.thread[worker], NULL, helper_main, (void *)(long)worker) != 0) {
      break;
    }
    pool.helpers = worker;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  atomic_store(&pool.wanted, pool.helpers + 1);
  atomic_store(&pool.spins, pool.helpers < usable_cores());
}

/* ends and joins all helpers; owner is held */
static void stop_helpers(void) {
  atomic_store(&pool.quit, 1);
  announce(POOL_LIMIT);
  for (int worker = 1; worker <= pool.helpers; worker++) {
    pthread_join(pool.thread[worker], NULL);
  }
  pool.helpers = 0;
  atomic_store(&pool.quit, 0);
}

/* fork copies only the calling thread: keep the locks consistent, and let the child begin without helpers */
static void before_fork(void) {
  pthread_mutex_lock(&pool.sleep);
}

static void after_fork_parent(void) {
  pthread_mutex_unlock(&pool.sleep);
}

static void after_fork_child(void) {
  pthread_mutex_init(&pool.owner, NULL);
  pthread_mutex_init(&pool.sleep, NULL);
  pthread_cond_init(&pool.posted, NULL);
  pthread_cond_init(&pool.left, NULL);
  atomic_store(&pool.gate, 0);
  atomic_store(&pool.parked, 0);
  atomic_store(&pool.quit, 0);
  pool.helpers = 0;
}

__attribute__((constructor)) static void watch_forks(void) {
  pthread_atfork(before_fork, after_fork_parent, after_fork_child);
}

/* at exit, or when the module is unloaded; an exit from inside a task leaves the helpers to the system */
__attribute__((destructor)) static void end_pool(void) {
  if (pthread_mutex_trylock(&pool.owner) == 0) {
    stop_helpers();
    pthread_mutex_unlock(&pool.owner);
  }
}

/* --- interface ----------------------------------------------------------------------------------------- */

static int clamp(long threads) {
  return threads < 1 ? 1 : threads > POOL_LIMIT ? POOL_LIMIT : (int)threads;
}

int pool_threads(void) {
  int wanted = atomic_load(&pool.wanted);
  if (wanted == 0) {
    const char *text = getenv("TRPO_THREADS");
    long asked = text != NULL ? strtol(text, NULL, 10) : 0;
    int first = clamp(asked >= 1 ? asked : usable_cores());
    /* another thread may have been faster */
    atomic_compare_exchange_strong(&pool.wanted, &wanted, first);
    wanted = atomic_load(&pool.wanted);
  }
  return wanted;
}

int pool_set_threads(int threads) {
  if (in_task) {
    return pool_threads();
  }
  pthread_mutex_lock(&pool.owner);
  stop_helpers();
  atomic_store(&pool.wanted, clamp(threads));
  start_helpers(clamp(threads) - 1);
  pthread_mutex_unlock(&pool.owner);
  return atomic_load(&pool.wanted);
}

static void run_serially(PoolTask task, void *context, int chunks) {
  int outer = in_task;
  int worker = outer > 0 ? outer - 1 : 0;
  in_task = 1 + worker;
  for (int chunk = 0; chunk < chunks; chunk++) {
    task(context, chunk, worker);
  }
  in_task = outer;
}

void pool_run(PoolTask task, void *context, int chunks) {
  int threads = pool_threads();
  /* in place: nothing to share, called from a task, or another thread uses the pool */
  if (chunks <= 1 || threads <= 1 || in_task || pthread_mutex_trylock(&pool.owner) != 0) {
    run_serially(task, context, chunks);
    return;
  }
  start_helpers(threads - 1);
  pool.task = task;
  pool.context = context;
  pool.chunks = chunks;
  atomic_store_explicit(&pool.next, 0, memory_order_relaxed);
  atomic_store_explicit(&pool.gate, GATE_OPEN, memory_order_release);
  announce((unsigned)(chunks - 1 < pool.helpers ? chunks - 1 : pool.helpers));
  run_chunks(0);
  close_gate();
  pthread_mutex_unlock(&pool.owner);
}
