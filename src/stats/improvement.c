#include "stats/improvement.h"

#include <string.h>

#include "base/sum.h"
#include "stats/order.h"

/* Scores of both, ranked together within each task; the runs of X come before those of Y. */
typedef struct Pair {
  long runs_x, runs_y, tasks;
  int32_t *rank; /* [tasks][runs_x + runs_y] */
  long *levels;  /* different scores                              [tasks] */
} Pair;

/* Workspace of one computation. */
typedef struct Room {
  double *p;                   /* [tasks] */
  uint32_t *count_x, *count_y; /* [runs_x + runs_y] */
  uint32_t *draw;              /* [runs_x + runs_y] */
} Room;

static size_t room_bytes(const Pair *pair) {
  const size_t n = (size_t)(pair->runs_x + pair->runs_y);
  return (size_t)pair->tasks * sizeof(double) + 3 * n * sizeof(uint32_t);
}

static Room room_in(const Pair *pair, void *work) {
  const long n = pair->runs_x + pair->runs_y;
  double *p = work;
  uint32_t *count = (uint32_t *)(p + pair->tasks);
  return (Room){p, count, count + n, count + 2 * n};
}

/* Counts of the levels among n runs, or a resample of them. */
static void count_levels(uint32_t *count, long levels, const int32_t *rank, const uint32_t *draw_,
                         long n) {
  memset(count, 0, (size_t)levels * sizeof *count);
  for (long i = 0; i < n; i++) count[rank[draw_ ? draw_[i] : i]]++;
}

/* U / (N K) of one task, after counting. */
static double task_probability(const Pair *pair, const Room *room, long levels) {
  double twice = 0; /* 2 U, a whole number */
  double below = 0; /* scores of Y less than this level */
  for (long k = 0; k < levels; k++) {
    twice += room->count_x[k] * (2 * below + room->count_y[k]);
    below += room->count_y[k];
  }
  return twice / (2.0 * (double)pair->runs_x * (double)pair->runs_y);
}

/* P of the scores, or of a resample when there is a generator. */
static double probability(const Pair *pair, Rng *rng_, void *work) {
  const Room room = room_in(pair, work);
  const long nx = pair->runs_x, ny = pair->runs_y;
  uint32_t *draw_x = rng_ ? room.draw : NULL, *draw_y = rng_ ? room.draw + nx : NULL;
  for (long task = 0; task < pair->tasks; task++) {
    const int32_t *rank = pair->rank + task * (nx + ny);
    if (rng_) {
      rng_fill_below(rng_, draw_x, (size_t)nx, (uint32_t)nx);
      rng_fill_below(rng_, draw_y, (size_t)ny, (uint32_t)ny);
    }
    count_levels(room.count_x, pair->levels[task], rank, draw_x, nx);
    count_levels(room.count_y, pair->levels[task], rank + nx, draw_y, ny);
    room.p[task] = task_probability(pair, &room, pair->levels[task]);
  }
  return sum_mean(room.p, (size_t)pair->tasks);
}

static void draw_probability(const void *context, Rng *rng, double *out, void *work) {
  *out = probability(context, rng, work);
}

/* Ranks both within each task. */
static Status rank_pair(Pair *pair, const double *x, const double *y, Arena *arena) {
  const long nx = pair->runs_x, ny = pair->runs_y, n = nx + ny, tasks = pair->tasks;
  pair->rank = ARENA_PUSH(arena, int32_t, n * tasks);
  pair->levels = ARENA_PUSH(arena, long, tasks);
  double *both = ARENA_PUSH(arena, double, n), *value = ARENA_PUSH(arena, double, n);
  OrderEntry *work = ARENA_PUSH(arena, OrderEntry, n);
  if (!pair->rank || !pair->levels || !both || !value || !work) return E_NOMEM;
  for (long task = 0; task < tasks; task++) {
    for (long i = 0; i < nx; i++) both[i] = x[i * tasks + task];
    for (long i = 0; i < ny; i++) both[nx + i] = y[i * tasks + task];
    pair->levels[task] = order_rank(value, pair->rank + task * n, both, n, work);
  }
  return OK;
}

Status improvement_compute(double *p, double *low_, double *high_, const double *x, long runs_x,
                           const double *y, long runs_y, long tasks, const Bootstrap *plan_,
                           Arena *arena) {
  const ArenaMark mark = arena_mark(arena);
  Pair pair = {.runs_x = runs_x, .runs_y = runs_y, .tasks = tasks};
  void *work = arena_push(arena, room_bytes(&pair));
  Status status = work ? rank_pair(&pair, x, y, arena) : E_NOMEM;
  if (status == OK) *p = probability(&pair, NULL, work);
  if (status == OK && plan_)
    status = bootstrap_run(low_, high_, 1, draw_probability, &pair, room_bytes(&pair), plan_,
                           arena);
  arena_release(arena, mark);
  return status;
}
