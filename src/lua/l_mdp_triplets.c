/* a process as columns of outcomes, for files and for other programs */
#include <lauxlib.h>

#include "lua/l_check.h"
#include "lua/l_mdp.h"
#include "lua/l_tensor.h"

/***
@submodule trpo.mdp
*/

enum { STATE, ACTION, NEXT, PROBABILITY, REWARD, DONE, COLUMNS };
static const char *const column_names[] = {"state",       "action", "next",
                                           "probability", "reward", "done"};

/* the outcomes of row k, which belongs to state s, from place n on; returns the place after them */
static ptrdiff_t fill_row(const Mdp *mdp, double **column, ptrdiff_t s, ptrdiff_t k, ptrdiff_t n) {
  const MdpOutcomes *o = &mdp->outcomes;
  const int plain = o->start == NULL;
  const int64_t *start = plain ? mdp->start : o->start;
  for (int64_t j = start[k]; j < start[k + 1]; j++, n++) {
    column[STATE][n] = (double)s + 1.0;
    column[ACTION][n] = (double)mdp->action[k] + 1.0;
    column[NEXT][n] = (plain ? mdp->next[j] : o->next[j]) + 1.0;
    column[PROBABILITY][n] = plain ? mdp->prob[j] : o->prob[j];
    column[REWARD][n] = plain ? mdp->reward[k] : o->reward[j];
    column[DONE][n] = plain ? 0.0 : o->done[j];
  }
  return n;
}

/***
Everything that can happen, in columns: what @{trpo.mdp.from_triplets} takes, in order of state, action, next state.
@function Mdp:triplets
@treturn table tensors `state`, `action`, `next` (from 1), `probability`, `reward`, `done` (0 or 1), all of one length
@usage local t = mdp:triplets()
t.S, t.A, t.gamma, t.rho0 = mdp.S, mdp.A, mdp.gamma, mdp.rho0
local same = trpo.mdp.from_triplets(t)
*/
static int l_mdp_triplets(lua_State *L) {
  const Mdp *mdp = l_mdp_check(L, 1, "mdp:triplets");
  const int64_t *start = mdp->outcomes.start != NULL ? mdp->outcomes.start : mdp->start;
  const ptrdiff_t count = (ptrdiff_t)start[mdp->rows];
  double *column[COLUMNS];
  lua_createtable(L, 0, COLUMNS);
  for (int c = 0; c < COLUMNS; c++) {
    column[c] = l_tensor_push_unset(L, 1, &count)->data;
    lua_setfield(L, -2, column_names[c]);
  }
  ptrdiff_t n = 0;
  for (ptrdiff_t s = 0; s < mdp->S; s++) {
    for (ptrdiff_t k = mdp->first[s]; k < mdp->first[s + 1]; k++) {
      n = fill_row(mdp, column, s, k, n);
    }
  }
  return 1;
}

void l_mdp_triplets_open(lua_State *L) {
  l_mdp_push_methods(L);
  lua_pushcfunction(L, l_mdp_triplets);
  lua_setfield(L, -2, "triplets");
  lua_pop(L, 1);
}
