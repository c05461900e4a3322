/* The thread pool: every chunk once, at any number of threads, nested, from several callers, after a fork, at rest. */
#define _GNU_SOURCE
#include "base/pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { CHUNKS = 97 };

typedef struct Job {
  int count[CHUNKS]; /* how often each chunk ran; plain, so that a thread sanitizer sees sharing */
  atomic_int bad_worker;
} Job;

static void count_chunk(void *context, int chunk, int worker) {
  Job *job = context;
  job->count[chunk]++;
  if (worker < 0 || worker >= pool_threads()) {
    atomic_store(&job->bad_worker, 1);
  }
}

/* runs a job and says whether each chunk ran once */
static int run_once(int chunks) {
  Job job;
  memset(&job, 0, sizeof job);
  pool_run(count_chunk, &job, chunks);
  int good = !atomic_load(&job.bad_worker);
  for (int i = 0; i < CHUNKS; i++) {
    good &= job.count[i] == (i < chunks);
  }
  return good;
}

static int run_many(int times) {
  int good = 1;
  for (int i = 0; i < times; i++) {
    good &= run_once(i % (CHUNKS + 1));
  }
  return good;
}

static void run_nested(void *context, int chunk, int worker) {
  int *good = context;
  (void)worker;
  good[chunk] = run_once(CHUNKS) && pool_set_threads(7) == pool_threads();
}

static void *run_from_thread(void *argument) {
  *(int *)argument = run_many(200);
  return NULL;
}

static void check_counts(void) {
  static const int threads[] = {1, 2, 3, 8, 2, 1, 64, 4};
  for (int i = 0; i < 8; i++) {
    int now = pool_set_threads(threads[i]);
    CHECK(now == threads[i] && pool_threads() == now && run_many(300),
          "each chunk once on %d threads", now);
  }
  CHECK(pool_set_threads(0) == 1 && pool_set_threads(1000) == POOL_LIMIT,
        "numbers outside the range are clamped");
}

static void check_callers(void) {
  int nested[CHUNKS], good = 1, other = 0;
  pool_set_threads(3);
  pool_run(run_nested, nested, CHUNKS);
  for (int i = 0; i < CHUNKS; i++) {
    good &= nested[i];
  }
  CHECK(good, "calls from inside a task run in place");
  pthread_t thread;
  pthread_create(&thread, NULL, run_from_thread, &other);
  good = run_many(200);
  pthread_join(thread, NULL);
  CHECK(good && other, "two callers at once");
}

/* two tasks beside each other: how often each runs jobs of its own, and how long it sleeps first */
typedef struct Pair {
  int times[2], milliseconds[2], good[2];
} Pair;

static void run_part(void *context, int part, int worker) {
  Pair *pair = context;
  struct timespec pause = {0, 1000000L * pair->milliseconds[part]};
  (void)worker;
  if (pair->milliseconds[part]) nanosleep(&pause, NULL);
  pair->good[part] = run_many(pair->times[part]) && pool_set_threads(7) == pool_threads();
}

static int run_pair(int first, int second, int first_sleeps, int second_sleeps) {
  Pair pair = {.times = {first, second}, .milliseconds = {first_sleeps, second_sleeps}};
  pool_beside(run_part, &pair);
  return pair.good[0] && pair.good[1];
}

static void run_pair_nested(void *context, int chunk, int worker) {
  int *good = context;
  (void)worker;
  good[chunk] = run_pair(2, 3, 0, 0);
}

static void *run_pairs(void *argument) {
  int good = 1;
  for (int i = 0; i < 50; i++) good &= run_pair(i % 5, i % 7, 0, 0);
  *(int *)argument = good;
  return NULL;
}

/* a meeting of two chunks: neither goes on before the other has come; a minute at most */
typedef struct Meeting {
  atomic_int come; /* of the present meeting */
  atomic_int met;  /* chunks that have seen another one, of all meetings */
  int idle;        /* the task that has nothing to do, or -1 */
} Meeting;

static void meet(void *context, int chunk, int worker) {
  Meeting *meeting = context;
  const struct timespec pause = {0, 1000000};
  (void)chunk, (void)worker;
  atomic_fetch_add(&meeting->come, 1);
  for (int i = 0; i < 60000 && atomic_load(&meeting->come) < 2; i++) nanosleep(&pause, NULL);
  if (atomic_load(&meeting->come) == 2) atomic_fetch_add(&meeting->met, 1);
}

/* both meet; or one is done and the other has chunks that meet, first at once, then when a thread waits asleep */
static void meet_part(void *context, int part, int worker) {
  Meeting *meeting = context;
  const struct timespec pause = {0, 3000000};
  if (meeting->idle < 0) meet(meeting, part, worker);
  if (meeting->idle < 0 || meeting->idle == part) return;
  pool_run(meet, meeting, 2);
  nanosleep(&pause, NULL);
  atomic_store(&meeting->come, 0);
  pool_run(meet, meeting, 2);
}

static void check_meetings(int threads) {
  Meeting both = {.idle = -1}, first = {.idle = 1}, second = {.idle = 0};
  pool_beside(meet_part, &both);
  pool_beside(meet_part, &first);
  pool_beside(meet_part, &second);
  CHECK(atomic_load(&both.met) == 2, "two tasks run beside each other on %d threads", threads);
  CHECK(atomic_load(&first.met) == 4 && atomic_load(&second.met) == 4,
        "whoever is done helps the other on %d threads", threads);
}

static void check_beside(void) {
  static const int threads[] = {1, 2, 3, 8, 2};
  for (int i = 0; i < 5; i++) {
    pool_set_threads(threads[i]);
    int good = 1, nested[CHUNKS], other = 0;
    for (int k = 0; k < 200; k++) good &= run_pair(k % 7, k % 3, 0, 0);
    good &= run_pair(1, 300, 0, 0) && run_pair(300, 1, 0, 0); /* uneven */
    good &= run_pair(50, 50, 0, 3)
            && run_pair(50, 50, 3, 0); /* long enough for the other to sleep */
    CHECK(good && run_many(100), "each chunk of both tasks once on %d threads", threads[i]);
    pool_run(run_pair_nested, nested, 20);
    for (int k = 0; k < 20; k++) good &= nested[k];
    CHECK(good, "two tasks inside a task on %d threads", threads[i]);
    pthread_t thread;
    pthread_create(&thread, NULL, run_pairs, &other);
    run_pairs(&good);
    pthread_join(thread, NULL);
    CHECK(good && other, "two callers of two tasks on %d threads", threads[i]);
    if (threads[i] > 1) check_meetings(threads[i]);
  }
}

/* processor time used while asleep */
static void check_rest(void) {
  struct rusage before, after;
  struct timespec pause = {0, 200000000};
  run_once(CHUNKS);
  getrusage(RUSAGE_SELF, &before);
  nanosleep(&pause, NULL);
  getrusage(RUSAGE_SELF, &after);
  double used = (double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec)
                + 1e-6 * (double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec);
  CHECK(used < 0.1, "an idle pool sleeps: %.4f s of 0.2 s used", used);
}

/* the thread sanitizer does not let a forked child make threads */
#ifdef __SANITIZE_THREAD__
static void check_fork(void) {
}
#else
static void check_fork(void) {
  pool_set_threads(3);
  run_many(10);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    int good = run_many(100) && pool_threads() == 3 && pool_set_threads(2) == 2 && run_many(100);
    _exit(good ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  CHECK(status == 0, "a forked child makes its own threads");
  CHECK(run_many(100), "and the parent goes on");
}
#endif

int main(void) {
  check_counts();
  check_callers();
  check_beside();
  check_rest();
  check_fork();
  return check_failures();
}
