#include "lua/l_value_optimizer.h"

#include "lua/l_check.h"

const char *const l_value_optimizer_names[] = {"gauss_newton", "lbfgs", "last_layer", "adam", NULL};

enum {
  GAUSS_NEWTON = 1 << VALUE_GAUSS_NEWTON,
  LBFGS = 1 << VALUE_LBFGS,
  LAST_LAYER = 1 << VALUE_LAST_LAYER,
  ADAM = 1 << VALUE_ADAM
};

/* whose an option is */
static const struct {
  const char *key;
  unsigned owners;
} owned[] = {{"learning_rate", ADAM},
             {"epochs", ADAM},
             {"minibatch", ADAM},
             {"iterations", GAUSS_NEWTON | LBFGS},
             {"cg_products", GAUSS_NEWTON},
             {"lm_damping", GAUSS_NEWTON | LAST_LAYER},
             {"curvature_rows", GAUSS_NEWTON},
             {"solve_last_layer", GAUSS_NEWTON}};

enum { OWNED = sizeof owned / sizeof *owned };

/* "'gauss_newton' or 'lbfgs'" */
static const char *list_owners(lua_State *L, unsigned owners) {
  lua_pushliteral(L, "");
  for (int i = 0, n = 0; l_value_optimizer_names[i]; i++)
    if (owners & 1u << i) {
      lua_pushfstring(L, "%s%s'%s'", lua_tostring(L, -1), n++ ? " or " : "",
                      l_value_optimizer_names[i]);
      lua_remove(L, -2);
    }
  return lua_tostring(L, -1);
}

/* raises on an option of another optimizer */
static void check_owners(lua_State *L, int t, const char *what, ValueOptimizer optimizer) {
  for (int i = 0; i < OWNED; i++) {
    lua_getfield(L, t, owned[i].key);
    if (!lua_isnil(L, -1) && !(owned[i].owners & 1u << optimizer))
      l_fail(L, what, "%s belongs to optimizer %s, and the optimizer is '%s'", owned[i].key,
             list_owners(L, owned[i].owners), l_value_optimizer_names[optimizer]);
    lua_pop(L, 1);
  }
}

void l_value_optimizer_read(lua_State *L, int t, const char *what, ValueOptions *options) {
  const ValueOptimizer optimizer = (ValueOptimizer)l_field_choice(
      L, t, what, "optimizer", l_value_optimizer_names, VALUE_GAUSS_NEWTON);
  check_owners(L, t, what, optimizer);
  *options = (ValueOptions){.optimizer = optimizer};
  options->learning_rate = l_field_number(L, t, what, "learning_rate", 1e-12, 1e3, 1e-3);
  options->epochs = (int)l_field_integer(L, t, what, "epochs", 1, 1000000, 10);
  options->minibatch = (int)l_field_integer(L, t, what, "minibatch", 1, 1 << 30, 128);
  options->iterations = (int)l_field_integer(L, t, what, "iterations", 1, 1000000,
                                             optimizer == VALUE_LBFGS ? 25 : 4);
  options->cg_products = (int)l_field_integer(L, t, what, "cg_products", 1, 1000000, 10);
  options->lm_damping = l_field_number(L, t, what, "lm_damping", 1e-12, 1e6,
                                       optimizer == VALUE_LAST_LAYER ? 0.01 : 0.1);
  options->curvature_rows = l_field_integer(L, t, what, "curvature_rows", 1, 1 << 30, 256);
  options->solve_last_layer = l_field_boolean(L, t, what, "solve_last_layer", 0);
}

static void set_number(lua_State *L, const char *key, double x) {
  lua_pushnumber(L, x);
  lua_setfield(L, -2, key);
}

void l_value_optimizer_push(lua_State *L, const ValueOptions *options) {
  const ValueOptimizer optimizer = options->optimizer;
  lua_pushstring(L, l_value_optimizer_names[optimizer]);
  lua_setfield(L, -2, "optimizer");
  if (optimizer == VALUE_ADAM) {
    set_number(L, "learning_rate", options->learning_rate);
    set_number(L, "epochs", options->epochs);
    set_number(L, "minibatch", options->minibatch);
    return;
  }
  if (optimizer != VALUE_LAST_LAYER) set_number(L, "iterations", options->iterations);
  if (optimizer != VALUE_LBFGS) set_number(L, "lm_damping", options->lm_damping);
  if (optimizer != VALUE_GAUSS_NEWTON) return;
  set_number(L, "cg_products", options->cg_products);
  set_number(L, "curvature_rows", (double)options->curvature_rows);
  lua_pushboolean(L, options->solve_last_layer);
  lua_setfield(L, -2, "solve_last_layer");
}
