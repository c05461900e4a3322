#ifndef TRPO_L_BUILDER_H
#define TRPO_L_BUILDER_H

#include <lua.h>

#include "mdp/builder.h"

/** What constructors of processes share: a Builder on the stack, and messages for numbers that make no process. */

/** Argument 1 must be a table of options with keys of a NULL-terminated list; other arguments are dropped. */
void l_builder_options(lua_State *L, const char *what, const char *const *keys);

/** A builder that an error leaves to the collector. */
Builder *l_builder_push(lua_State *L, ptrdiff_t S, ptrdiff_t A);

/** builder_add; raises when memory runs out. */
void l_builder_add(lua_State *L, const char *what, Builder *b, ptrdiff_t s, ptrdiff_t a,
                   double prob, ptrdiff_t next, double reward, int done);

/** The process of a builder, with rho0 and gamma of the options at t: pushes it, or nil, message, code; returns how many. */
int l_builder_finish(lua_State *L, int t, const char *what, Builder *b);

/** A problem of the numbers: pushes nil, "what: formatted text" and the status's name; returns 3. */
int l_builder_refuse(lua_State *L, const char *what, Status status, const char *format, ...);

/** A number as messages show it; it stays on the stack. */
const char *l_builder_shown(lua_State *L, double x);

#endif
