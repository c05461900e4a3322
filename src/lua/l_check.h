#ifndef TRPO_L_CHECK_H
#define TRPO_L_CHECK_H

#include <lua.h>

#include "base/status.h"

/**
 * Argument checks with one-sentence messages: "what: name must be EXPECTED, got WHAT".
 * what names the function as its user wrote it ("trpo.zeros", "tensor:select"), name the argument.
 * Ranges: an infinite bound is no bound, +-DBL_MAX stands for "finite", and a lower bound of at most DBL_MIN for "> 0".
 */

/** Raises "position: what: formatted text". Knows lua_pushfstring's formats. Never returns. */
int l_fail(lua_State *L, const char *what, const char *format, ...);

/** What stands at arg, for a message: "nil", "the string 'x'", "3.5", "a tensor [3, 4]"; pushes the text it returns. */
const char *l_describe(lua_State *L, int arg);

/** The userdata at arg whose metatable is registered as type, or NULL. */
void *l_object(lua_State *L, int arg, const char *type);

/**
 * The userdata of that many bytes at arg whose last bytes hold the address tag, or NULL: l_object in a fraction of the
 * time. The finalizer of the type must take the tag away.
 */
void *l_tagged(lua_State *L, int arg, size_t bytes, const void *tag);

/** Turns the table of methods at the stack top into an __index that finds them by Lua, and asks other(object, key) next. */
void l_index(lua_State *L, lua_CFunction other);

/** A number, finite or not. */
double l_number(lua_State *L, int arg, const char *what, const char *name);

/** A number with lo <= x <= hi; NaN is refused. */
double l_number_in(lua_State *L, int arg, const char *what, const char *name, double lo, double hi);

/** A number without fraction, lo <= x <= hi; hi = INT_MAX or LONG_MAX is shown as no bound. */
long l_integer_in(lua_State *L, int arg, const char *what, const char *name, long lo, long hi);

/** Fields of an options table at index t; an absent one gets the default. def = NaN: the field is required. */
double l_field_number(lua_State *L, int t, const char *what, const char *key, double lo, double hi,
                      double def);

/** def < lo: the field is required. */
long l_field_integer(lua_State *L, int t, const char *what, const char *key, long lo, long hi,
                     long def);

/** true and false only. */
int l_field_boolean(lua_State *L, int t, const char *what, const char *key, int def);

/** The table keeps the string alive. def may be NULL. */
const char *l_field_string(lua_State *L, int t, const char *what, const char *key, const char *def);

/** The place of the string in the NULL-terminated list of names; def is that of an absent one. */
int l_field_choice(lua_State *L, int t, const char *what, const char *key, const char *const *names,
                   int def);

/** Raises on a key of the table at t that is not in the NULL-terminated list, with a suggestion. */
void l_known_keys(lua_State *L, int t, const char *what, const char *const *keys);

/** The word of a NULL-terminated list that is nearest to a mistyped one, or NULL when none is near. */
const char *l_suggest(const char *word, const char *const *words);

/** Adds suggest(word, words), the nearest word of a list or nil, to the module at the stack top. */
void l_check_open(lua_State *L);

/** Pushes nil, the text and the name of a status that is no success; returns 3. */
int l_status(lua_State *L, Status status);

/**
 * Keeps the collector in step with memory it cannot see: works off a share of a collection cycle as the bytes in
 * buffers grow, such that a cycle ends before they have doubled. Call after making tensors.
 */
void l_nudge(lua_State *L);

#endif
