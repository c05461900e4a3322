#include "lua/l_cg.h"

#include <float.h>
#include <lauxlib.h>
#include <string.h>

#include "lua/l_check.h"
#include "lua/l_tensor.h"
#include "solve/cg.h"

/***
The conjugate gradient method for symmetric positive definite systems given by a function.
@module trpo.cg
*/

static const char *const WHAT = "trpo.cg";

/* a function at a stack index; it gets a copy of v, so it may keep or change it */
typedef struct Operator {
  lua_State *L;
  ptrdiff_t n;
  int at;
  const char *result; /* its result, for messages */
} Operator;

static Status call_operator(void *context, double *out, const double *v) {
  const Operator *operator= context;
  lua_State *L = operator->L;
  lua_pushvalue(L, operator->at);
  Tensor *argument = l_tensor_push(L, 1, &operator->n);
  memcpy(argument->data, v, (size_t) operator->n * sizeof * v);
  /* an error passes through cg_solve, which owns nothing */
  lua_call(L, 1, 1);
  tensor_read(l_tensor_sized(L, lua_gettop(L), WHAT, operator->result, 1, &operator->n), out);
  lua_pop(L, 1);
  return OK;
}

static CgOptions check_options(lua_State *L, int arg) {
  static const char *const keys[] = {"iterations", "tolerance", "damping", "preconditioner", NULL};
  CgOptions options = {.iterations = 10, .tolerance = 1e-10};
  if (lua_isnoneornil(L, arg)) {
    return options;
  }
  if (!lua_istable(L, arg)) {
    l_fail(L, WHAT, "options must be a table, got %s", l_describe(L, arg));
  }
  l_known_keys(L, arg, WHAT, keys);
  options.iterations = (int)l_field_integer(L, arg, WHAT, "iterations", 1, 1000000000, 10);
  options.tolerance = l_field_number(L, arg, WHAT, "tolerance", 0.0, DBL_MAX, 1e-10);
  options.damping = l_field_number(L, arg, WHAT, "damping", 0.0, DBL_MAX, 0.0);
  return options;
}

/* pushes the preconditioner among the options at arg, or nil; whether there is one */
static int push_preconditioner(lua_State *L, int arg) {
  if (lua_istable(L, arg)) {
    lua_getfield(L, arg, "preconditioner");
  } else {
    lua_pushnil(L);
  }
  if (!lua_isnil(L, -1) && !lua_isfunction(L, -1)) {
    l_fail(L, WHAT, "preconditioner must be a function, got %s", l_describe(L, lua_gettop(L)));
  }
  return !lua_isnil(L, -1);
}

static void push_info(lua_State *L, const CgInfo *info, Status status) {
  lua_createtable(L, 0, 4);
  lua_pushinteger(L, info->iterations);
  lua_setfield(L, -2, "iterations");
  lua_pushnumber(L, info->residual);
  lua_setfield(L, -2, "residual");
  lua_pushnumber(L, info->xbx);
  lua_setfield(L, -2, "xbx");
  lua_pushstring(L, status_name(status));
  lua_setfield(L, -2, "status");
}

/***
Conjugate gradients for (B + damping I) x = b, with B symmetric positive semidefinite.

After k iterations x minimises x'(B + damping I)x / 2 - b'x over the k-th Krylov space. B is given by a function, which
gets a tensor of its own with each call. b is not changed.

With a preconditioner, a function r → M r with M symmetric positive definite and near (B + damping I)^-1, the Krylov space is that of
M (B + damping I) from M b, which needs fewer products the nearer M is. The residual, x'Bx and the tolerance mean the same. The
function gets the residual divided by a power of two. `trpo.kfac` makes one for the Fisher matrix of a policy.
@function trpo.cg
@tparam function fn v [n] → B v [n]
@tparam Tensor b right-hand side [n]
@tparam[opt] table options `iterations` = 10, `tolerance` = 1e-10 (relative residual), `damping` = 0,
 `preconditioner` r [n] → M r [n] (none)
@treturn[1] Tensor x [n]
@treturn[1] table info: `iterations`, `residual` (relative, by recurrence), `xbx` (x'Bx without damping), `status`
 ("ok", "cg_limit", or "zero_gradient" when b = 0)
@treturn[2] nil
@treturn[2] string message
@treturn[2] string code: "negative_curvature", "preconditioner" (r'Mr <= 0: it is not positive definite) or "not_finite"
@raise on wrong arguments, and whatever fn and the preconditioner raise
*/
static int l_cg_cg(lua_State *L) {
  if (!lua_isfunction(L, 1)) {
    l_fail(L, WHAT, "fn must be a function, got %s", l_describe(L, 1));
  }
  const Tensor *b = l_tensor_sized(L, 2, WHAT, "b", 1, (ptrdiff_t[]){-1});
  CgOptions options = check_options(L, 3);
  lua_settop(L, 3);
  Operator operator= {L, b->size[0], 1, "the operator's result"};
  Operator preconditioner = {L, b->size[0], 4, "the preconditioner's result"};
  if (push_preconditioner(L, 3)) {
    options.precondition = call_operator;
    options.precondition_context = &preconditioner;
  }
  ptrdiff_t work_size = cg_work(operator.n);
  /* an own copy: fn could change b */
  Tensor *rhs = l_tensor_push(L, 1, b->size);
  tensor_copy(rhs, b);
  Tensor *work = l_tensor_push(L, 1, &work_size);
  Tensor *x = l_tensor_push(L, 1, b->size);
  CgInfo info;
  Status status = cg_solve(&options, x->data, &info, call_operator, &operator, rhs->data,
                           (long)operator.n, work->data);
  if (status < 0) {
    return l_status(L, status);
  }
  push_info(L, &info, status);
  return 2;
}

void l_cg_open(lua_State *L) {
  lua_pushcfunction(L, l_cg_cg);
  lua_setfield(L, -2, "cg");
}
