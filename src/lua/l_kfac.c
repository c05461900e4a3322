#include "lua/l_kfac.h"

#include <float.h>
#include <lauxlib.h>
#include <string.h>

#include "lua/l_arena.h"
#include "lua/l_check.h"
#include "lua/l_policy.h"
#include "lua/l_rows.h"
#include "rl/fisher.h"
#include "rl/kfac.h"

/***
K-FAC: the inverse of a Kronecker-factored Fisher matrix (Martens and Grosse 2015, arXiv:1503.05671).
@module trpo.kfac
*/

#define TYPE "trpo.Kfac"

static const char WHAT[] = "trpo.kfac";

/* The approximation and the memory it lies in. */
typedef struct Object {
  Arena arena;
  Kfac kfac;
} Object;

static int l_kfac_gc(lua_State *L) {
  arena_free(&((Object *)lua_touserdata(L, 1))->arena);
  return 0;
}

/* r → inverse applied to r; upvalues: the object, and the policy it points to */
static int l_kfac_solve(lua_State *L) {
  Object *object = lua_touserdata(L, lua_upvalueindex(1));
  const long P = object->kfac.policy->net.P;
  lua_settop(L, 1);
  const double *r = l_rows_vector(L, 1, "the preconditioner of trpo.kfac", "r", P);
  kfac_apply(&object->kfac, l_rows_push_vector(L, P), r);
  return 1;
}

/* { A = [in + 1, in + 1], S = [out, out] } per layer */
static void push_factors(lua_State *L, const Kfac *kfac) {
  const int layers = kfac->policy->net.mlp.layers;
  lua_createtable(L, layers, 0);
  for (int l = 0; l < layers; l++) {
    const Kronecker *k = &kfac->layer[l];
    lua_createtable(L, 0, 2);
    memcpy(l_rows_push_matrix(L, k->p, k->p), k->A, (size_t)k->p * k->p * sizeof *k->A);
    lua_setfield(L, -2, "A");
    memcpy(l_rows_push_matrix(L, k->m, k->m), k->S, (size_t)k->m * k->m * sizeof *k->S);
    lua_setfield(L, -2, "S");
    lua_rawseti(L, -2, l + 1);
  }
}

/* the factors; the tape lies in the workspace only */
static Status compute(Object *object, const Policy *policy, const double *obs, long N,
                      Arena *workspace) {
  const ArenaMark mark = arena_mark(workspace);
  Fisher fisher;
  Status status = fisher_subset(&fisher, policy, obs, N, 1, 1, GAUSS_NEWTON_CLASSICAL, workspace);
  if (status == OK) status = kfac_init(&object->kfac, policy, fisher.product.tape, &object->arena);
  if (status == OK) kfac_factors(&object->kfac);
  arena_release(workspace, mark);
  return status;
}

/***
A preconditioner for `trpo.cg` on the Fisher matrix of a policy, the one of `trpo.TRPO { preconditioner = "kfac" }`.

The block of layer l of the Fisher matrix is taken for a Kronecker product A (x) S: A = mean of h h' over the states, h the inputs of the
layer and a 1 for its bias; S = mean of J'M J, J = d outputs / d (the layer's sums), M the Fisher information of the outputs, so that no
action is drawn. Blocks between layers count as zero; the information of the log-deviations is exact. With many observations the means
are over every k-th: see docs/learning.md.

    local kfac = trpo.kfac(policy, observations, { damping = 0.1 })
    local x, info = trpo.cg(function(v) return policy:fisher_product(observations, v) end, gradient,
      { damping = 0.1, preconditioner = kfac.solve })

@function trpo.kfac
@tparam trpo.Policy policy
@tparam trpo.Tensor observations [N, O], N >= 1
@tparam[opt] table options `damping` >= 0 (0.1)
@treturn[1] table `solve`, a function r [P] → (K + damping I)^-1 r [P], K the approximation; `factors`, a list with
 `A` [in + 1, in + 1] and `S` [out, out] of each layer
@treturn[2] nil, message, `"not_finite"`
@raise on wrong arguments
*/
static int l_kfac_kfac(lua_State *L) {
  static const char *const keys[] = {"damping", NULL};
  lua_settop(L, 3);
  const Policy *policy = l_policy_check(L, 1, WHAT);
  int single;
  long N;
  double damping = 0.1;
  if (!lua_isnil(L, 3)) {
    if (!lua_istable(L, 3))
      return l_fail(L, WHAT, "options must be a table, got %s", l_describe(L, 3));
    l_known_keys(L, 3, WHAT, keys);
    damping = l_field_number(L, 3, WHAT, "damping", 0, DBL_MAX, damping);
  }
  const double *obs = l_rows_observations(L, 2, WHAT, &policy->net.observation, &N, &single);
  if (N == 0) return l_fail(L, WHAT, "observations must have at least one row, got none");
  lua_createtable(L, 0, 2);
  Object *object = lua_newuserdata(L, sizeof *object);
  memset(object, 0, sizeof *object);
  luaL_getmetatable(L, TYPE);
  lua_setmetatable(L, -2);
  Status status = compute(object, policy, obs, N, l_arena(L));
  if (status == E_NOMEM) return l_fail(L, WHAT, "%s", status_text(status));
  if (status == OK) {
    push_factors(L, &object->kfac); /* the inverse takes their place */
    status = kfac_invert(&object->kfac, damping);
  }
  if (status != OK) return l_status(L, status);
  /* stack: result, object, factors */
  lua_setfield(L, -3, "factors");
  lua_pushvalue(L, 1);
  lua_pushcclosure(L, l_kfac_solve, 2);
  lua_setfield(L, -2, "solve");
  return 1;
}

void l_kfac_open(lua_State *L) {
  luaL_newmetatable(L, TYPE);
  lua_pushcfunction(L, l_kfac_gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
  lua_pushcfunction(L, l_kfac_kfac);
  lua_setfield(L, -2, "kfac");
}
