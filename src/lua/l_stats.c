/* aggregates of the scores of many runs, with intervals */
#include "lua/l_stats.h"

#include <lauxlib.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "lua/l_arena.h"
#include "lua/l_check.h"
#include "lua/l_rng.h"
#include "lua/l_tensor.h"
#include "stats/explained.h"
#include "stats/improvement.h"
#include "stats/profile.h"
#include "stats/scores.h"
#include "stats/sobol.h"

/***
Statistics of many runs, as Agarwal et al. 2021 (arXiv:2108.13264) advise and their package rliable computes them.

Scores are a tensor [runs, tasks], or [runs] of one task. They must be finite, at most `trpo.stats.LARGEST` = 1e300 in size,
but where they are only compared (`performance_profile`, `probability_of_improvement`): there they may be infinite. A NaN is
refused everywhere, and named: the score of a run that failed is for the user to choose.

Intervals are percentile intervals of a stratified bootstrap: each task's runs are drawn anew, with replacement and
independently of the other tasks' runs. Equal generators give equal intervals, at any number of threads.
@module trpo.stats
*/

/* --- arguments --------------------------------------------------------------------------------------------------- */

/* a matrix of scores; a vector has one task */
typedef struct Matrix {
  const double *data;
  long runs, tasks;
  int vector;
} Matrix;

/* raises with the place of a score: "row 3", or "row 3, task 2" */
static void fail_score(lua_State *L, const char *what, const char *name, const Matrix *m, long i,
                       const char *rule) {
  lua_pushnumber(L, m->data[i]);
  const char *got = l_describe(L, lua_gettop(L));
  const int row = (int)(i / m->tasks) + 1, task = (int)(i % m->tasks) + 1;
  if (m->vector) l_fail(L, what, "%s must be %s, row %d is %s", name, rule, row, got);
  l_fail(L, what, "%s must be %s, row %d, task %d is %s", name, rule, row, task, got);
}

/* the scores at arg; compared: only their order matters, so they may be infinite */
static Matrix check_scores(lua_State *L, int arg, const char *what, const char *name,
                           int compared) {
  const Tensor *t = l_tensor_check(L, arg, what, name);
  const ptrdiff_t n = tensor_count(t->ndim, t->size);
  if (t->ndim < 1 || t->ndim > 2 || n == 0) {
    l_fail(L, what, "%s must have size [runs] or [runs, tasks] and not be empty, got %s", name,
           l_describe(L, arg));
  }
  if (n > INT_MAX / 2) l_fail(L, what, "%s has more than 2^30 elements", name);
  const Matrix m = {l_tensor_data(L, t), t->size[0], t->ndim == 2 ? t->size[1] : 1, t->ndim == 1};
  for (long i = 0; i < n; i++) {
    if (compared && isnan(m.data[i])) fail_score(L, what, name, &m, i, "numbers");
    if (!compared && !(fabs(m.data[i]) <= STATS_LARGEST))
      fail_score(L, what, name, &m, i, "finite numbers up to 1e300");
  }
  return m;
}

/* a number strictly between 0 and 1 */
static double check_confidence(lua_State *L, int t, const char *what) {
  lua_getfield(L, t, "confidence");
  const double x = lua_isnil(L, -1) ? 0.95 : lua_tonumber(L, -1);
  if ((!lua_isnil(L, -1) && lua_type(L, -1) != LUA_TNUMBER) || !(x > 0 && x < 1)) {
    l_fail(L, what, "confidence must be a number between 0 and 1, got %s",
           l_describe(L, lua_gettop(L)));
  }
  lua_pop(L, 1);
  return x;
}

Bootstrap l_stats_bootstrap(lua_State *L, int t, const char *what) {
  Rng first = rng_at(rng_key(0, 0), RNG_USER, 0, 0);
  Bootstrap plan = {.reps = 2000, .confidence = 0.95};
  if (t == 0) {
    plan.key = bootstrap_key(&first);
    return plan;
  }
  plan.reps = l_field_integer(L, t, what, "reps", 1, BOOTSTRAP_REPS, 2000);
  plan.confidence = check_confidence(L, t, what);
  lua_getfield(L, t, "rng");
  Rng *rng = lua_isnil(L, -1) ? &first : l_rng_check(L, lua_gettop(L), what, "rng");
  lua_pop(L, 1);
  plan.key = bootstrap_key(rng);
  return plan;
}

/* the table of options at arg, or 0 without */
static int check_options(lua_State *L, int arg, const char *what, const char *const *keys) {
  if (lua_isnoneornil(L, arg)) return 0;
  if (!lua_istable(L, arg)) l_fail(L, what, "options must be a table, got %s", l_describe(L, arg));
  l_known_keys(L, arg, what, keys);
  return arg;
}

static const char *const bootstrap_keys[] = {"reps", "confidence", "rng", NULL};

static int fail_memory(lua_State *L, const char *what) {
  return l_fail(L, what, "not enough memory");
}

/* --- aggregates -------------------------------------------------------------------------------------------------- */

/* ranked scores in the arena, until the mark is released */
static Scores make_scores(lua_State *L, const char *what, const Matrix *m, double ceiling,
                          ArenaMark mark) {
  Scores scores;
  if (scores_init(&scores, m->data, m->runs, m->tasks, m->vector, ceiling, l_arena(L)) != OK) {
    arena_release(l_arena(L), mark);
    fail_memory(L, what);
  }
  return scores;
}

/* pushes a statistic of the scores at 1 */
static int push_statistic(lua_State *L, const char *what, ScoresStatistic statistic,
                          double ceiling) {
  const Matrix m = check_scores(L, 1, what, "scores", 0);
  Arena *arena = l_arena(L);
  const ArenaMark mark = arena_mark(arena);
  const Scores scores = make_scores(L, what, &m, ceiling, mark);
  void *work = arena_push(arena, scores_bytes(&scores));
  const double x = work ? scores_statistic(&scores, statistic, NULL, work) : 0;
  arena_release(arena, mark);
  if (!work) return fail_memory(L, what);
  lua_pushnumber(L, x);
  return 1;
}

/***
Interquartile mean: the mean of all scores but the floor(n / 4) smallest and the floor(n / 4) largest, n = runs · tasks.
@function iqm
@tparam trpo.Tensor scores [runs] or [runs, tasks]
@treturn number
@raise when there are no scores, or one is not finite
*/
static int l_stats_iqm(lua_State *L) {
  return push_statistic(L, "trpo.stats.iqm", SCORES_IQM, INFINITY);
}

/***
Median over the tasks of the means over the runs; of a vector [runs] the median over the runs.
@function median
@tparam trpo.Tensor scores [runs] or [runs, tasks]
@treturn number
@raise when there are no scores, or one is not finite
*/
static int l_stats_median(lua_State *L) {
  return push_statistic(L, "trpo.stats.median", SCORES_MEDIAN, INFINITY);
}

/***
Mean of all scores.
@function mean
@tparam trpo.Tensor scores [runs] or [runs, tasks]
@treturn number
@raise when there are no scores, or one is not finite
*/
static int l_stats_mean(lua_State *L) {
  return push_statistic(L, "trpo.stats.mean", SCORES_MEAN, INFINITY);
}

/***
Optimality gap: gamma − mean of min(score, gamma), by how much scores fall short of gamma on average.
@function optimality_gap
@tparam trpo.Tensor scores [runs] or [runs, tasks]
@tparam[opt=1] number gamma the score that is good enough, finite
@treturn number >= 0
@raise when there are no scores, or a number is not finite
*/
static int l_stats_optimality_gap(lua_State *L) {
  static const char what[] = "trpo.stats.optimality_gap";
  double gamma = 1;
  lua_settop(L, 2);
  if (!lua_isnil(L, 2)) gamma = l_number_in(L, 2, what, "gamma", -STATS_LARGEST, STATS_LARGEST);
  return push_statistic(L, what, SCORES_GAP, gamma);
}

static const char *const statistics[] = {"iqm", "median", "mean", "optimality_gap", NULL};

/* the statistic that the options at t name */
static ScoresStatistic read_statistic(lua_State *L, int t, const char *what) {
  const char *name = t ? l_field_string(L, t, what, "statistic", "iqm") : "iqm";
  if (strcmp(name, "probability_of_improvement") == 0)
    l_fail(L, what, "the interval of probability_of_improvement is what that function returns");
  for (int i = 0; statistics[i]; i++)
    if (strcmp(name, statistics[i]) == 0) return (ScoresStatistic)i;
  const char *nearest = l_suggest(name, statistics);
  if (nearest) l_fail(L, what, "unknown statistic '%s', did you mean '%s'?", name, nearest);
  l_fail(L, what, "unknown statistic '%s', expected one of: iqm, median, mean, optimality_gap",
         name);
  return SCORES_IQM;
}

/* the ceiling of the optimality gap; gamma goes with it only */
static double read_gamma(lua_State *L, int t, const char *what, ScoresStatistic statistic) {
  if (statistic == SCORES_GAP)
    return l_field_number(L, t, what, "gamma", -STATS_LARGEST, STATS_LARGEST, 1);
  if (t) {
    lua_getfield(L, t, "gamma");
    if (!lua_isnil(L, -1)) l_fail(L, what, "gamma goes with statistic = \"optimality_gap\" only");
    lua_pop(L, 1);
  }
  return INFINITY;
}

/***
Percentile interval of a statistic by a stratified bootstrap. Of one run it is the value itself, twice.
@function interval
@tparam trpo.Tensor scores [runs] or [runs, tasks]
@tparam[opt] table options
 `statistic` `"iqm"` (default), `"median"`, `"mean"` or `"optimality_gap"` (with `gamma`, default 1);
 `reps` resamples (default 2000); `confidence` between 0 and 1 (default 0.95);
 `rng` a generator, which goes on by two words (default a new `trpo.rng(0)`)
@treturn number low
@treturn number high
@raise when there are no scores, one is not finite, or an option is wrong
*/
static int l_stats_interval(lua_State *L) {
  static const char what[] = "trpo.stats.interval";
  static const char *const keys[] = {"statistic", "gamma", "reps", "confidence", "rng", NULL};
  double low, high;
  lua_settop(L, 2);
  const int t = check_options(L, 2, what, keys);
  const Matrix m = check_scores(L, 1, what, "scores", 0);
  const ScoresStatistic statistic = read_statistic(L, t, what);
  const double ceiling = read_gamma(L, t, what, statistic);
  const Bootstrap plan = l_stats_bootstrap(L, t, what);
  Arena *arena = l_arena(L);
  const ArenaMark mark = arena_mark(arena);
  const Scores scores = make_scores(L, what, &m, ceiling, mark);
  const Status status = scores_interval(&low, &high, &scores, statistic, &plan, arena);
  arena_release(arena, mark);
  if (status != OK) return fail_memory(L, what);
  lua_pushnumber(L, low);
  lua_pushnumber(L, high);
  return 2;
}

/* --- comparisons ------------------------------------------------------------------------------------------------- */

/* thresholds at arg [K] */
static const Tensor *check_taus(lua_State *L, int arg, const char *what) {
  const Tensor *t = l_tensor_sized(L, arg, what, "taus", 1, (ptrdiff_t[]){-1});
  const double *tau = l_tensor_data(L, t);
  if (t->size[0] == 0) l_fail(L, what, "taus must not be empty");
  for (ptrdiff_t i = 0; i < t->size[0]; i++)
    if (isnan(tau[i])) l_fail(L, what, "taus must be numbers, element %d is nan", (int)i + 1);
  return t;
}

/***
Performance profile: for each threshold tau the share of runs whose score is above tau, averaged over the tasks.
@function performance_profile
@tparam trpo.Tensor scores [runs] or [runs, tasks], may be infinite
@tparam trpo.Tensor taus thresholds [K] in any order
@tparam[opt] table options of the bootstrap: `reps`, `confidence`, `rng` as `interval`
@treturn trpo.Tensor shares [K]
@treturn ?trpo.Tensor low [K], with options (an empty table will do): pointwise intervals
@treturn ?trpo.Tensor high [K]
@raise when there are no scores, a score or tau is NaN, or an option is wrong
*/
static int l_stats_performance_profile(lua_State *L) {
  static const char what[] = "trpo.stats.performance_profile";
  lua_settop(L, 3);
  const int t = check_options(L, 3, what, bootstrap_keys);
  const Matrix m = check_scores(L, 1, what, "scores", 1);
  const Tensor *taus = check_taus(L, 2, what);
  const double *tau = l_tensor_data(L, taus);
  const long K = taus->size[0];
  const Bootstrap plan = l_stats_bootstrap(L, t, what);
  double *share = l_tensor_push_unset(L, 1, &taus->size[0])->data;
  double *low = t ? l_tensor_push_unset(L, 1, &taus->size[0])->data : NULL;
  double *high = t ? l_tensor_push_unset(L, 1, &taus->size[0])->data : NULL;
  Arena *arena = l_arena(L);
  const ArenaMark mark = arena_mark(arena);
  const Scores scores = make_scores(L, what, &m, INFINITY, mark);
  const Status status = profile_compute(share, low, high, &scores, tau, K, t ? &plan : NULL, arena);
  arena_release(arena, mark);
  return status == OK ? (t ? 3 : 1) : fail_memory(L, what);
}

/***
Probability that a run of x scores higher than a run of y on the same task, averaged over the tasks; ties count one half.
@function probability_of_improvement
@tparam trpo.Tensor x scores [runs] or [runs, tasks], may be infinite
@tparam trpo.Tensor y as many tasks, any number of runs
@tparam[opt] table options of the bootstrap, which draws the runs of both: `reps`, `confidence`, `rng` as `interval`
@treturn number in [0, 1]
@treturn ?number low, with options (an empty table will do)
@treturn ?number high
@raise when there are no scores, a score is NaN, the tasks are not as many, or an option is wrong
*/
static int l_stats_probability_of_improvement(lua_State *L) {
  static const char what[] = "trpo.stats.probability_of_improvement";
  double p, low, high;
  lua_settop(L, 3);
  const int t = check_options(L, 3, what, bootstrap_keys);
  const Matrix x = check_scores(L, 1, what, "x", 1), y = check_scores(L, 2, what, "y", 1);
  if (x.tasks != y.tasks)
    l_fail(L, what, "x and y must have as many tasks, got %d and %d", (int)x.tasks, (int)y.tasks);
  const Bootstrap plan = l_stats_bootstrap(L, t, what);
  const Status status = improvement_compute(&p, &low, &high, x.data, x.runs, y.data, y.runs,
                                            x.tasks, t ? &plan : NULL, l_arena(L));
  if (status != OK) return fail_memory(L, what);
  lua_pushnumber(L, p);
  if (!t) return 1;
  lua_pushnumber(L, low);
  lua_pushnumber(L, high);
  return 3;
}

/* --- the rest ---------------------------------------------------------------------------------------------------- */

/* finite numbers [n] at arg, any n >= 1 when n < 0; squares of them stay finite */
static const double *check_numbers(lua_State *L, int arg, const char *what, const char *name,
                                   long *n) {
  const Tensor *t = l_tensor_sized(L, arg, what, name, 1, (ptrdiff_t[]){*n});
  const double *x = l_tensor_data(L, t);
  *n = t->size[0];
  if (*n == 0) l_fail(L, what, "%s must not be empty", name);
  for (long i = 0; i < *n; i++) {
    if (fabs(x[i]) <= 1e150) continue;
    lua_pushnumber(L, x[i]);
    l_fail(L, what, "%s must be finite numbers up to 1e150, row %d is %s", name, (int)i + 1,
           l_describe(L, lua_gettop(L)));
  }
  return x;
}

/***
Explained variance: 1 − Var(returns − predictions) / Var(returns). 1 for perfect predictions, 0 for a constant.
@function explained_variance
@tparam trpo.Tensor predictions [N]
@tparam trpo.Tensor returns [N]
@treturn number at most 1; NaN when all returns are equal
@raise when sizes differ, there are none, or a number is not finite
*/
static int l_stats_explained_variance(lua_State *L) {
  static const char what[] = "trpo.stats.explained_variance";
  long N = -1;
  lua_settop(L, 2);
  const double *prediction = check_numbers(L, 1, what, "predictions", &N);
  const double *ret = check_numbers(L, 2, what, "returns", &N);
  lua_pushnumber(L, explained_variance(prediction, ret, N));
  return 1;
}

/***
Points of the Sobol' sequence (direction numbers of Joe and Kuo 2008), which fill the unit cube more evenly than random ones;
most evenly when n is a power of two. The first point is the origin.
@function sobol
@tparam integer n points
@tparam integer d dimensions, 1 to 64
@tparam[opt] table options
 `skip` points to leave out at the beginning (default 0, n + skip <= 2^32);
 `rng` a generator for a random scrambling that keeps the evenness: linear, and a digital shift (Matousek 1998).
 It goes on by 33 d words, so that a clone of it gives further points of the same scrambled sequence
@treturn trpo.Tensor [n, d] in [0, 1)
@raise when an argument is out of its range
*/
static int l_stats_sobol(lua_State *L) {
  static const char what[] = "trpo.stats.sobol";
  static const char *const keys[] = {"skip", "rng", NULL};
  long skip = 0;
  Rng *rng = NULL;
  lua_settop(L, 3);
  const long n = l_integer_in(L, 1, what, "n", 1, 1L << 32);
  const int d = (int)l_integer_in(L, 2, what, "d", 1, SOBOL_DIMENSIONS);
  const int t = check_options(L, 3, what, keys);
  if (t) {
    skip = l_field_integer(L, t, what, "skip", 0, (1L << 32) - n, 0);
    lua_getfield(L, t, "rng");
    if (!lua_isnil(L, -1)) rng = l_rng_check(L, lua_gettop(L), what, "rng");
  }
  double *out = l_tensor_push_unset(L, 2, (ptrdiff_t[]){n, d})->data;
  sobol_points(out, n, d, (uint64_t)skip, rng);
  return 1;
}

static const luaL_Reg functions[] = {
    {"iqm", l_stats_iqm},
    {"median", l_stats_median},
    {"mean", l_stats_mean},
    {"optimality_gap", l_stats_optimality_gap},
    {"interval", l_stats_interval},
    {"performance_profile", l_stats_performance_profile},
    {"probability_of_improvement", l_stats_probability_of_improvement},
    {"explained_variance", l_stats_explained_variance},
    {"sobol", l_stats_sobol},
    {NULL, NULL},
};

void l_stats_open(lua_State *L) {
  lua_newtable(L);
  luaL_register(L, NULL, functions);
  l_stats_curve_open(L);
  lua_pushnumber(L, STATS_LARGEST);
  lua_setfield(L, -2, "LARGEST");
  lua_setfield(L, -2, "stats");
}
