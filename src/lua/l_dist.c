#include "lua/l_dist.h"

#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lua/l_arena.h"
#include "lua/l_check.h"
#include "lua/l_rng.h"
#include "lua/l_rows.h"
#include "lua/l_tensor.h"
#include "nn/dist.h"

/***
The distributions of policies by themselves, for loops of one's own: functions of parameter tensors [N, D], one distribution per row,
in double precision. `trpo.distribution.categorical` has D = A logits (-inf masks an action, as long as one is finite);
`trpo.distribution.gaussian` has D = 2A: A means, then A logarithms of standard deviations, which here may differ
from row to row. `policy:forward` returns such parameters. Logarithms are natural; all functions
raise when sizes do not fit, and name the argument.
@module trpo.distribution
*/

/* A call as all functions see it: params [N][D] at argument 1. Rows are handed to the core one by one, since
 * every row has numbers of its own that a policy shares between its rows (extra). */
typedef struct Call {
  const Dist *dist;
  char what[64];
  const double *params;
  long N;
  int A, D;
  double *work; /* dist_work(1, A) */
} Call;

/* arguments keep their places; first names argument 1 */
static Call begin(lua_State *L, const char *function, const char *first) {
  Call c = {.dist = lua_touserdata(L, lua_upvalueindex(1))};
  snprintf(c.what, sizeof c.what, "trpo.distribution.%s.%s", c.dist->name, function);
  lua_settop(L, 2);
  const Tensor *t = l_tensor_check(L, 1, c.what, first);
  const int parts = 1 + c.dist->extras_per_out;
  if (t->ndim != 2 || t->size[1] < 1 || t->size[1] % parts != 0 || t->size[1] > 2 * MLP_WIDTH)
    l_fail(L, c.what, "%s must have size [N, %s], got %s", first, parts == 1 ? "A" : "2A",
           l_tensor_describe_size(L, t->ndim, t->size));
  c.N = (long)t->size[0];
  c.D = (int)t->size[1];
  c.A = c.D / parts;
  c.params = l_tensor_data(L, t);
  c.work = l_rows_push_vector(L, dist_work(1, c.A));
  return c;
}

/* outputs and extra of a row */
static const double *out(const Call *c, const double *params, long i) {
  return params + i * c->D;
}

static const double *extra(const Call *c, const double *params, long i) {
  return params + i * c->D + c->A;
}

/* the space of the actions: only its sizes count */
static Space actions(const Call *c) {
  return (Space){.kind = c->dist->discrete ? SPACE_DISCRETE : SPACE_BOX,
                 .n = c->A,
                 .size = dist_action_size(c->dist, c->A)};
}

/***
Logarithm of the probability or density of actions, in nats.
@function log_prob
@tparam trpo.Tensor params [N, D]
@tparam trpo.Tensor actions [N] of integers 1..A, or [N, A]
@treturn trpo.Tensor [N]
*/
static int l_dist_log_prob(lua_State *L) {
  const Call c = begin(L, "log_prob", "params");
  const Space space = actions(&c);
  const double *action = l_rows_actions(L, 2, c.what, &space, c.N);
  double *logp = l_rows_push_vector(L, c.N);
  for (long i = 0; i < c.N; i++)
    c.dist->log_prob(DOUBLE, logp + i, out(&c, c.params, i), extra(&c, c.params, i),
                     action + i * space.size, 1, c.A, c.work);
  return 1;
}

/***
Gradient of log_prob in the parameters.
@function log_prob_gradient
@tparam trpo.Tensor params [N, D]
@tparam trpo.Tensor actions [N] of integers 1..A, or [N, A]
@treturn trpo.Tensor [N, D]
*/
static int l_dist_log_prob_gradient(lua_State *L) {
  const Call c = begin(L, "log_prob_gradient", "params");
  const Space space = actions(&c);
  const double *action = l_rows_actions(L, 2, c.what, &space, c.N), one = 1;
  double *information = l_rows_push_vector(L, c.A), logp, h;
  double *d = l_rows_push_matrix(L, c.N, c.D);
  for (long i = 0; i < c.N; i++, d += c.D)
    c.dist->score(DOUBLE, &(DistScore){d, d + c.A, &logp, &h, information}, out(&c, c.params, i),
                  extra(&c, c.params, i), action + i * space.size, &one, 1, c.A, c.work);
  return 1;
}

/***
Entropy in nats.
@function entropy
@tparam trpo.Tensor params [N, D]
@treturn trpo.Tensor [N]
*/
static int l_dist_entropy(lua_State *L) {
  const Call c = begin(L, "entropy", "params");
  double *h = l_rows_push_vector(L, c.N);
  for (long i = 0; i < c.N; i++)
    c.dist->entropy(DOUBLE, h + i, out(&c, c.params, i), extra(&c, c.params, i), 1, c.A, c.work);
  return 1;
}

/***
Kullback-Leibler divergence KL(old || new) in nats: exactly 0 for equal parameters, inf where new excludes what
old allows.
@function kl
@tparam trpo.Tensor params_old [N, D]
@tparam trpo.Tensor params_new [N, D]
@treturn trpo.Tensor [N]
*/
static int l_dist_kl(lua_State *L) {
  const Call c = begin(L, "kl", "params_old");
  const double *new = l_rows_matrix(L, 2, c.what, "params_new", c.N, c.D);
  double *kl = l_rows_push_vector(L, c.N);
  for (long i = 0; i < c.N; i++)
    c.dist->kl(DOUBLE, kl + i, NULL, out(&c, c.params, i), extra(&c, c.params, i), out(&c, new, i),
               extra(&c, new, i), NULL, 1, c.A, c.work);
  return 1;
}

/***
Gradient of KL(old || new) in new's parameters.
@function kl_gradient
@tparam trpo.Tensor params_old [N, D]
@tparam trpo.Tensor params_new [N, D]
@treturn trpo.Tensor [N, D]
*/
static int l_dist_kl_gradient(lua_State *L) {
  const Call c = begin(L, "kl_gradient", "params_old");
  const double *new = l_rows_matrix(L, 2, c.what, "params_new", c.N, c.D);
  double *d = l_rows_push_matrix(L, c.N, c.D);
  for (long i = 0; i < c.N; i++, d += c.D)
    c.dist->kl_score(DOUBLE, d, d + c.A, out(&c, c.params, i), extra(&c, c.params, i),
                     out(&c, new, i), extra(&c, new, i), 1, c.A, c.work);
  return 1;
}

/***
Product with the metric M of every row, the Hessian of KL(old || new) in new's parameters at new = old, which is the Fisher
information: diag(p) - p p' for a categorical distribution; 1 / s^2 and 2 on the diagonal for a Gaussian one.
@function fisher
@tparam trpo.Tensor params [N, D]
@tparam trpo.Tensor v [N, D]
@treturn trpo.Tensor [N, D]
*/
static int l_dist_fisher(lua_State *L) {
  const Call c = begin(L, "fisher", "params");
  const double *v = l_rows_matrix(L, 2, c.what, "v", c.N, c.D);
  double *d = l_rows_push_matrix(L, c.N, c.D);
  for (long i = 0; i < c.N; i++, d += c.D, v += c.D) {
    memcpy(d, v, (size_t)c.A * sizeof *d);
    c.dist->information(DOUBLE, c.work, out(&c, c.params, i), extra(&c, c.params, i), 1, c.A);
    c.dist->metric(DOUBLE, d, c.work, 1, c.A, c.A);
    for (int k = c.A; k < c.D; k++) d[k] = c.dist->extra_fisher * v[k];
  }
  return 1;
}

/* Pushes the actions, or nil, message, code when a row's distribution is not one. */
static int push_actions(lua_State *L, const Call *c, const double *action) {
  const Space space = actions(c);
  for (long i = 0; i < c->N; i++) {
    double logp;
    c->dist->log_prob(DOUBLE, &logp, out(c, c->params, i), extra(c, c->params, i),
                      action + i * space.size, 1, c->A, c->work);
    if (isnan(logp)) return l_status(L, E_NOT_FINITE);
  }
  l_rows_push_actions(L, &space, action, c->N, 0);
  return 1;
}

/***
Draws an action from every row.
@function sample
@tparam trpo.Tensor params [N, D]
@tparam trpo.Rng rng a generator, which advances
@treturn[1] trpo.Tensor [N] of integers 1..A, or [N, A]
@treturn[2] nil, message, `"not_finite"` when a row's parameters are no distribution
*/
static int l_dist_sample(lua_State *L) {
  const Call c = begin(L, "sample", "params");
  Rng *rng = l_rng_check(L, 2, c.what, "rng");
  const Space space = actions(&c);
  double *action = l_rows_push_matrix(L, c.N, space.size);
  double *noise = l_rows_push_vector(L, space.size), log_prob;
  for (long i = 0; i < c.N; i++) {
    dist_noise(c.dist, noise, rng, 1, c.A);
    c.dist->sample(DOUBLE, action + i * space.size, &log_prob, out(&c, c.params, i),
                   extra(&c, c.params, i), noise, 1, c.A, c.work);
  }
  return push_actions(L, &c, action);
}

/***
The most probable action of every row: the lowest index on ties, or the mean.
@function mode
@tparam trpo.Tensor params [N, D]
@treturn[1] trpo.Tensor [N] of integers 1..A, or [N, A]
@treturn[2] nil, message, `"not_finite"` when a row's parameters are no distribution
*/
static int l_dist_mode(lua_State *L) {
  const Call c = begin(L, "mode", "params");
  const Space space = actions(&c);
  double *action = l_rows_push_matrix(L, c.N, space.size);
  for (long i = 0; i < c.N; i++)
    c.dist->mode(DOUBLE, action + i * space.size, out(&c, c.params, i), 1, c.A);
  return push_actions(L, &c, action);
}

static const luaL_Reg functions[] = {{"log_prob", l_dist_log_prob},
                                     {"log_prob_gradient", l_dist_log_prob_gradient},
                                     {"entropy", l_dist_entropy},
                                     {"kl", l_dist_kl},
                                     {"kl_gradient", l_dist_kl_gradient},
                                     {"fisher", l_dist_fisher},
                                     {"sample", l_dist_sample},
                                     {"mode", l_dist_mode},
                                     {NULL, NULL}};

/* The functions of one distribution, as a field of the table at the stack top. */
static void add(lua_State *L, const Dist *dist) {
  lua_newtable(L);
  for (const luaL_Reg *f = functions; f->name; f++) {
    lua_pushlightuserdata(L, (void *)dist);
    lua_pushcclosure(L, f->func, 1);
    lua_setfield(L, -2, f->name);
  }
  lua_setfield(L, -2, dist->name);
}

void l_dist_open(lua_State *L) {
  lua_newtable(L);
  add(L, &dist_categorical);
  add(L, &dist_gaussian);
  lua_setfield(L, -2, "distribution");
}
