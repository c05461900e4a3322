#define _GNU_SOURCE /* sched_getaffinity */
#include "base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

/*
 * One job of a caller from outside at a time, and one of each of the two tasks of pool_beside. The caller writes the job
 * while the gate is closed and nobody is inside, opens the gate, and takes chunks like everybody else. A helper enters
 * through the gate (which counts it in), takes chunks until none are left, and leaves. The caller then closes the gate
 * and waits until the last helper has left. A helper that comes late finds the gate closed and goes on waiting: nobody
 * waits for sleepers. Who waits for a task of pool_beside is a helper of its jobs meanwhile.
 */
enum {
  GATE_OPEN = 1 << 30,         /* helpers may enter */
  GATE_WAITED = 1 << 29,       /* the caller sleeps until the last helper leaves */
  GATE_INSIDE = (1 << 29) - 1, /* mask: number of helpers inside */
  SPIN_NANOSECONDS = 20000,    /* a thread that waits so long lends its core to whoever wants it */
  REST_NANOSECONDS = 200000,   /* and one that waits so long sleeps */
  LINE = 64                    /* bytes of a cache line: what is written often has one of its own */
};

typedef struct Job {
  _Alignas(LINE) atomic_int left;  /* chunks to hand out */
  _Alignas(LINE) atomic_uint gate; /* GATE_* */

  /* written only while the gate is closed and empty */
  PoolTask task;
  void *context;
  int chunks;
  struct Job *inner; /* [chunks] of a long job: where calls of its chunks go; or NULL */
} Job;

/* where jobs lie: of callers from outside, and of pool_beside's two tasks */
enum { OUTSIDE, INSIDE, JOBS = INSIDE + 2 };

static struct {
  Job job[JOBS];
  _Alignas(LINE) atomic_uint parked; /* helpers asleep or about to be */
  _Alignas(LINE) atomic_uint epoch;  /* grows with every job, end of a long one, order to quit */

  atomic_int quit;   /* helpers must end */
  atomic_int spins;  /* every worker has a core of its own, so spinning makes sense */
  atomic_int wanted; /* workers, the caller included; 0 until first asked for */

  _Alignas(LINE) pthread_mutex_t owner; /* held to post a job or change the number of threads */
  pthread_mutex_t sleep;                /* guards the two conditions */
  pthread_cond_t posted;                /* the epoch has moved */
  pthread_cond_t left;                  /* the last helper has left some job */

  /* under owner */
  int helpers; /* threads in existence */
  pthread_t thread[POOL_LIMIT];
  unsigned born[POOL_LIMIT]; /* the epoch at which each was made */
} pool = {.owner = PTHREAD_MUTEX_INITIALIZER,
          .sleep = PTHREAD_MUTEX_INITIALIZER,
          .posted = PTHREAD_COND_INITIALIZER,
          .left = PTHREAD_COND_INITIALIZER};

/* 1 + worker while this thread runs a task: nested calls are of the same worker */
static _Thread_local int in_task;

/* where they are shared, or NULL: in place */
static _Thread_local Job *inner;

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
  const unsigned parked = atomic_load(&pool.parked);
  if (parked == 0) {
    return;
  }
  /* who has announced itself sees the new epoch or waits by now; it need not wait for the lock as well */
  pthread_mutex_lock(&pool.sleep);
  pthread_mutex_unlock(&pool.sleep);
  if (count >= parked) {
    pthread_cond_broadcast(&pool.posted);
  } else {
    for (unsigned i = 0; i < count; i++) {
      pthread_cond_signal(&pool.posted);
    }
  }
}

/* --- working ------------------------------------------------------------------------------------------- */

static void run_chunks(Job *job, int worker) {
  const int outer_task = in_task;
  Job *const outer_inner = inner;
  in_task = 1 + worker;
  for (;;) {
    int left = atomic_fetch_sub_explicit(&job->left, 1, memory_order_relaxed);
    if (left <= 0) {
      break;
    }
    int chunk = job->chunks - left;
    inner = job->inner ? job->inner + chunk : NULL;
    job->task(job->context, chunk, worker);
  }
  in_task = outer_task;
  inner = outer_inner;
}

static int enter(Job *job) {
  unsigned gate = atomic_load_explicit(&job->gate, memory_order_relaxed);
  while ((gate & GATE_OPEN) && atomic_load_explicit(&job->left, memory_order_relaxed) > 0) {
    if (atomic_compare_exchange_weak_explicit(&job->gate, &gate, gate + 1, memory_order_acquire,
                                              memory_order_relaxed)) {
      return 1;
    }
  }
  return 0;
}

static void leave(Job *job) {
  /* read now: once we have left, the job is its caller's again, who may be waiting for the epoch */
  const int is_long = job->inner != NULL;
  unsigned gate = atomic_fetch_sub_explicit(&job->gate, 1, memory_order_acq_rel);
  if ((gate & GATE_WAITED) && (gate & GATE_INSIDE) == 1) {
    pthread_mutex_lock(&pool.sleep);
    pthread_cond_broadcast(&pool.left);
    pthread_mutex_unlock(&pool.sleep);
  }
  if (is_long) {
    announce(POOL_LIMIT);
  }
}

/* helps with the jobs that are there; returns whether there was one */
static int help(int worker) {
  int helped = 0;
  for (int i = 0; i < JOBS; i++) {
    if (enter(&pool.job[i])) {
      run_chunks(&pool.job[i], worker);
      leave(&pool.job[i]);
      helped = 1;
    }
  }
  return helped;
}

static int somebody_inside(Job *job) {
  return (atomic_load_explicit(&job->gate, memory_order_acquire) & GATE_INSIDE) != 0;
}

/* lets nobody in any more and returns when all helpers have left */
static void close_gate(Job *job, int worker) {
  atomic_fetch_and_explicit(&job->gate, ~(unsigned)GATE_OPEN, memory_order_relaxed);
  /* a long job: tasks that run beside each other, and share their own */
  while (job->inner && somebody_inside(job)) {
    unsigned seen = atomic_load(&pool.epoch);
    if (!help(worker) && somebody_inside(job)) {
      wait_for_job(seen);
    }
  }
  spin(&job->gate, GATE_INSIDE, 0, 1);
  if (somebody_inside(job)) {
    pthread_mutex_lock(&pool.sleep);
    atomic_fetch_or(&job->gate, GATE_WAITED);
    while (somebody_inside(job)) {
      pthread_cond_wait(&pool.left, &pool.sleep);
    }
    pthread_mutex_unlock(&pool.sleep);
  }
  atomic_store_explicit(&job->gate, 0, memory_order_relaxed);
}

/* runs a job with whoever comes to help */
static void share(Job *job, PoolTask task, void *context, int chunks, Job *chunks_inner) {
  const int worker = in_task > 0 ? in_task - 1 : 0, threads = pool_threads();
  job->task = task;
  job->context = context;
  job->chunks = chunks;
  job->inner = chunks_inner;
  atomic_store_explicit(&job->left, chunks, memory_order_relaxed);
  atomic_store_explicit(&job->gate, GATE_OPEN, memory_order_release);
  announce((unsigned)((chunks < threads ? chunks : threads) - 1));
  run_chunks(job, worker);
  close_gate(job, worker);
}

static void *helper_main(void *argument) {
  int worker = (int)(long)argument;
  unsigned seen = pool.born[worker];
  for (;;) {
    seen = wait_for_job(seen);
    if (atomic_load(&pool.quit)) {
      return NULL;
    }
    while (help(worker)) {
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
  for (int i = 0; i < JOBS; i++) {
    atomic_store(&pool.job[i].gate, 0);
  }
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

/* takes the pool for a job, unless called from a task or while another thread uses it; then returns 0 */
static int begin(int threads) {
  if (in_task || pthread_mutex_trylock(&pool.owner) != 0) {
    return 0;
  }
  start_helpers(threads - 1);
  return 1;
}

void pool_run(PoolTask task, void *context, int chunks) {
  int threads = pool_threads();
  if (chunks <= 1 || threads <= 1) {
    run_serially(task, context, chunks);
  } else if (inner) {
    share(inner, task, context, chunks, NULL);
  } else if (begin(threads)) {
    share(&pool.job[OUTSIDE], task, context, chunks, NULL);
    pthread_mutex_unlock(&pool.owner);
  } else {
    run_serially(task, context, chunks);
  }
}

void pool_beside(PoolTask task, void *context) {
  int threads = pool_threads();
  if (threads > 1 && begin(threads)) {
    share(&pool.job[OUTSIDE], task, context, 2, &pool.job[INSIDE]);
    pthread_mutex_unlock(&pool.owner);
  } else {
    run_serially(task, context, 2);
  }
}
