/* the one entry point of the shared object */
#include <lauxlib.h>
#include <lua.h>

#include "lua/l_batch.h"
#include "lua/l_cg.h"
#include "lua/l_check.h"
#include "lua/l_dist.h"
#include "lua/l_divergence.h"
#include "lua/l_env.h"
#include "lua/l_files.h"
#include "lua/l_hash.h"
#include "lua/l_kfac.h"
#include "lua/l_linalg.h"
#include "lua/l_log.h"
#include "lua/l_mdp.h"
#include "lua/l_mdp_certify.h"
#include "lua/l_mdp_cpi.h"
#include "lua/l_mdp_step.h"
#include "lua/l_policy.h"
#include "lua/l_process.h"
#include "lua/l_rng.h"
#include "lua/l_signal.h"
#include "lua/l_space.h"
#include "lua/l_sparse.h"
#include "lua/l_stats.h"
#include "lua/l_system.h"
#include "lua/l_tensor.h"
#include "lua/l_trpo.h"
#include "lua/l_value.h"

/* each registers its type and adds its functions to the module at the stack top */
static void (*const openers[])(lua_State *L) = {
    l_check_open,    l_system_open, l_rng_open,        l_tensor_open,      l_linalg_open,
    l_cg_open,       l_space_open,  l_env_open,        l_dist_open,        l_policy_open,
    l_value_open,    l_batch_open,  l_trpo_open,       l_signal_open,      l_files_open,
    l_sparse_open,   l_mdp_open,    l_divergence_open, l_mdp_certify_open, l_mdp_cpi_open,
    l_mdp_step_open, l_hash_open,   l_process_open,    l_log_open,         l_stats_open,
    l_kfac_open,
};

/* the learner's face relies on the FFI and on LuaJIT's exact semantics */
static void check_luajit(lua_State *L) {
  lua_getglobal(L, "jit");
  if (!lua_istable(L, -1)) {
    luaL_error(L, "trpo: LuaJIT 2.1 is needed, this is %s", LUA_VERSION);
  }
  lua_pop(L, 1);
}

__attribute__((visibility("default"))) int luaopen_trpo_core(lua_State *L);

int luaopen_trpo_core(lua_State *L) {
  check_luajit(L);
  lua_newtable(L);
  for (size_t i = 0; i < sizeof openers / sizeof *openers; i++) {
    openers[i](L);
  }
  return 1;
}
