#ifndef TRPO_L_LOG_H
#define TRPO_L_LOG_H

#include <lua.h>

/** trpo.log: the texts of a run's files, and the files that they are appended to. */
void l_log_open(lua_State *L);

#endif
