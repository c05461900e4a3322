#ifndef TRPO_L_VALUE_H
#define TRPO_L_VALUE_H

#include <lua.h>

#include "policy/value.h"

/** The value baseline at arg; raises "<what>: value must be a value baseline, got ..." otherwise. */
Value *l_value_check(lua_State *L, int arg, const char *what);

/** What value:fit returns: a table, or nil, message, code. */
int l_value_push_fit(lua_State *L, const Value *value, const ValueFit *info, Status status);

void l_value_open(lua_State *L);

#endif
