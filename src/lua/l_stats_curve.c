/* learning curves on a common axis */
#include <lauxlib.h>
#include <math.h>

#include "lua/l_arena.h"
#include "lua/l_check.h"
#include "lua/l_stats.h"
#include "lua/l_tensor.h"
#include "stats/curve.h"

/***
@submodule trpo.stats
*/

static const char what[] = "trpo.stats.curve";

/* --- arguments --------------------------------------------------------------------------------------------------- */

/* raises unless x [n] is finite and strictly ascending */
static void check_ascending(lua_State *L, const char *name, const double *x, long n) {
  for (long i = 0; i < n; i++) {
    const int finite = fabs(x[i]) <= STATS_LARGEST;
    if (finite && (i == 0 || x[i] > x[i - 1])) continue;
    lua_pushnumber(L, x[i]);
    const char *got = l_describe(L, lua_gettop(L));
    if (!finite)
      l_fail(L, what, "%s must be finite numbers up to 1e300, element %d is %s", name, (int)i + 1,
             got);
    lua_pushnumber(L, x[i - 1]);
    l_fail(L, what, "%s must ascend, element %d is %s after %s", name, (int)i + 1, got,
           l_describe(L, lua_gettop(L)));
  }
}

/* raises on infinite values; NaN stands for a missing one */
static void check_values(lua_State *L, const char *name, const double *x, long n) {
  for (long i = 0; i < n; i++) {
    if (isnan(x[i]) || fabs(x[i]) <= STATS_LARGEST) continue;
    lua_pushnumber(L, x[i]);
    l_fail(L, what, "%s must be finite numbers up to 1e300 (nan where missing), element %d is %s",
           name, (int)i + 1, l_describe(L, lua_gettop(L)));
  }
}

/* pushes part 1, the steps, or 2, the values, of curve k of the list at `list`; n < 0: any number of them but none */
static const Tensor *push_part(lua_State *L, int list, long k, int part, ptrdiff_t n) {
  const char *name = lua_pushfstring(L, "the %s of curve %d", part == 1 ? "steps" : "values",
                                     (int)k + 1);
  lua_rawgeti(L, list, (int)k + 1);
  if (!lua_istable(L, -1)) {
    l_fail(L, what, "curve %d must be a table { steps, values }, got %s", (int)k + 1,
           l_describe(L, lua_gettop(L)));
  }
  lua_rawgeti(L, -1, part);
  const Tensor *t = l_tensor_sized(L, lua_gettop(L), what, name, 1, &n);
  if (t->size[0] == 0) l_fail(L, what, "%s must not be empty", name);
  return t;
}

/* checks the shapes of all curves; returns how many points they have together */
static long count_points(lua_State *L, int list, long count) {
  const int top = lua_gettop(L);
  long total = 0;
  for (long k = 0; k < count; k++) {
    const Tensor *steps = push_part(L, list, k, 1, -1);
    push_part(L, list, k, 2, steps->size[0]);
    total += steps->size[0];
    lua_settop(L, top);
  }
  return total;
}

/* pushes copies of the curves, their missing values left out */
static const Curve *push_curves(lua_State *L, int list, long count) {
  const long total = count_points(L, list, count);
  double *room = lua_newuserdata(L, (size_t)(2 * total) * sizeof *room);
  Curve *curves = lua_newuserdata(L, (size_t)count * sizeof *curves);
  const int top = lua_gettop(L);
  for (long k = 0; k < count; k++) {
    const Tensor *steps = push_part(L, list, k, 1, -1);
    const long n = steps->size[0];
    double *step = room, *value = room + n;
    room = value + n;
    tensor_read(steps, step);
    tensor_read(push_part(L, list, k, 2, n), value);
    check_ascending(L, lua_pushfstring(L, "the steps of curve %d", (int)k + 1), step, n);
    check_values(L, lua_pushfstring(L, "the values of curve %d", (int)k + 1), value, n);
    curves[k] = curve_of(step, value, n);
    lua_settop(L, top);
  }
  return curves;
}

/* pushes the axis: the grid of the options at 1, or one of `points` points over all curves */
static const Tensor *push_axis(lua_State *L, const Curve *curves, long count) {
  lua_getfield(L, 1, "grid");
  lua_getfield(L, 1, "points");
  const int at = lua_gettop(L) - 1, given = !lua_isnil(L, at);
  if (given && !lua_isnil(L, at + 1)) l_fail(L, what, "grid and points do not go together");
  if (given) {
    const Tensor *grid = l_tensor_sized(L, at, what, "grid", 1, (ptrdiff_t[]){-1});
    if (grid->size[0] == 0) l_fail(L, what, "grid must not be empty");
    Tensor *axis = l_tensor_push_unset(L, 1, grid->size);
    tensor_read(grid, axis->data);
    check_ascending(L, "grid", axis->data, axis->size[0]);
    lua_pushvalue(L, at + 2);
    return axis;
  }
  const long points = l_field_integer(L, 1, what, "points", 2, 1000000, 100);
  double *step = lua_newuserdata(L, (size_t)points * sizeof *step);
  const ptrdiff_t n = curve_axis(step, points, curves, count);
  if (n == 0) l_fail(L, what, "the curves have no values but nan");
  Tensor *axis = l_tensor_push_unset(L, 1, &n);
  for (ptrdiff_t i = 0; i < n; i++) axis->data[i] = step[i];
  return axis;
}

/* --- results ----------------------------------------------------------------------------------------------------- */

/* a new tensor [n] in field key of the table at t */
static double *add_field(lua_State *L, int t, const char *key, ptrdiff_t n) {
  double *x = l_tensor_push_unset(L, 1, &n)->data;
  lua_setfield(L, t, key);
  return x;
}

/***
Learning curves of several runs on a common axis: at each of its points the aggregates over the runs that have a value there.
Values between two points of a curve are interpolated linearly, as if points whose value is NaN were not there; nothing is
extrapolated, so outside of its own steps a curve is left out. The band is the percentile interval of the interquartile mean at each
point, from a bootstrap over the runs.
@function curve
@tparam table options
 `curves` list of `{ steps, values }`, tensors of one size, the steps strictly ascending;
 `points` of an even axis from the first to the last step of any curve (default 100; a single one when all lie at one step),
 or `grid` a tensor of ascending steps;
 `reps`, `confidence`, `rng` of the bootstrap as `interval`
@treturn table of tensors [points]: `steps`, `iqm`, `low`, `high`, `mean`, `median`, and `n`, the number of curves; where that
 is 0 the others are NaN
@raise when there are no curves, sizes differ, steps do not ascend, a number is infinite, or an option is wrong
*/
static int l_stats_curve_curve(lua_State *L) {
  static const char *const keys[] = {"curves", "points", "grid", "reps", "confidence", "rng", NULL};
  lua_settop(L, 1);
  if (!lua_istable(L, 1)) l_fail(L, what, "options must be a table, got %s", l_describe(L, 1));
  l_known_keys(L, 1, what, keys);
  lua_getfield(L, 1, "curves");
  if (!lua_istable(L, 2) || lua_objlen(L, 2) == 0)
    l_fail(L, what, "curves must be a list of tables { steps, values }%s%s",
           lua_istable(L, 2) ? "" : ", got ",
           lua_istable(L, 2) ? ", it is empty" : l_describe(L, 2));
  const long count = (long)lua_objlen(L, 2);
  const Curve *curves = push_curves(L, 2, count);
  const Tensor *axis = push_axis(L, curves, count);
  const int axis_at = lua_gettop(L);
  const ptrdiff_t n = axis->size[0];
  lua_newtable(L);
  const int t = lua_gettop(L);
  lua_pushvalue(L, axis_at);
  lua_setfield(L, t, "steps");
  CurveSummary out = {.iqm = add_field(L, t, "iqm", n),
                      .low = add_field(L, t, "low", n),
                      .high = add_field(L, t, "high", n),
                      .mean = add_field(L, t, "mean", n),
                      .median = add_field(L, t, "median", n),
                      .n = add_field(L, t, "n", n)};
  const Bootstrap plan = l_stats_bootstrap(L, 1, what);
  if (curve_aggregate(&out, axis->data, n, curves, count, &plan, l_arena(L)) != OK)
    l_fail(L, what, "not enough memory");
  return 1;
}

void l_stats_curve_open(lua_State *L) {
  lua_pushcfunction(L, l_stats_curve_curve);
  lua_setfield(L, -2, "curve");
}
