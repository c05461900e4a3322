#ifndef TRPO_L_POLICY_ACT_H
#define TRPO_L_POLICY_ACT_H

#include <lauxlib.h>

/** Methods of the policy that choose actions. Ends with NULL. */
extern const luaL_Reg l_policy_act_methods[];

#endif
