#ifndef TRPO_L_POLICY_ROWS_H
#define TRPO_L_POLICY_ROWS_H

#include <lauxlib.h>

/** Methods of the policy that take a batch of observations. Ends with NULL. */
extern const luaL_Reg l_policy_rows_methods[];

#endif
