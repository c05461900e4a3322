#ifndef TRPO_L_PROCESS_H
#define TRPO_L_PROCESS_H

#include <lua.h>

/**
 * Puts the table `process` { started, boot, die_with_parent, touch, lock, unlock } into the module table at the top of
 * the stack.
 */
void l_process_open(lua_State *L);

#endif
