#ifndef TRPO_L_VALUE_OPTIMIZER_H
#define TRPO_L_VALUE_OPTIMIZER_H

#include <lua.h>

#include "policy/value.h"

/** In the order of ValueOptimizer; NULL ends the list. */
extern const char *const l_value_optimizer_names[];

/** Reads the options of trpo.value that say how a network is fitted, from the table at index t. Raises on bad ones, and on one that belongs to another optimizer. */
void l_value_optimizer_read(lua_State *L, int t, const char *what, ValueOptions *options);

/** Puts those that belong to the optimizer into the table on the top. */
void l_value_optimizer_push(lua_State *L, const ValueOptions *options);

#endif
