#ifndef TRPO_L_STATE_H
#define TRPO_L_STATE_H

#include <lua.h>

#include "policy/network.h"

/**
 * The state of an object as a table from names to tensors, there and back: what a checkpoint holds.
 * An object lists its arrays as fields; numbers that are not doubles pass through doubles of the caller's.
 */

/** What the entries of a field may be. */
typedef enum StateRule {
  STATE_ANY,
  STATE_FINITE,
  STATE_SQUARE,   /* finite and >= 0 */
  STATE_POSITIVE, /* finite and > 0 */
  STATE_COUNT,    /* an integer in [0, 2^48) */
  STATE_WORD,     /* an integer in [0, 2^32) */
  STATE_MARK,     /* 0 or 1 */
  STATE_INDEX     /* an integer in [0, limit) */
} StateRule;

typedef struct StateField {
  const char *name;
  double *data; /* [rows][columns] */
  long rows;
  long columns; /* 0: a vector [rows] */
  StateRule rule;
  double limit; /* of STATE_INDEX */
} StateField;

enum { STATE_FIELDS = 16 };

/** A list of fields under construction. */
typedef struct State {
  StateField field[STATE_FIELDS];
  int count;
} State;

/** Adds a field; returns it. */
StateField *l_state_add(State *state, const char *name, double *data, long rows, long columns,
                        StateRule rule);

/** Adds the parameters of a network and, if it has one, its normaliser. */
void l_state_network(State *state, Network *net);

/** Pushes a table with a copy of each field. */
void l_state_push(lua_State *L, const State *state);

/**
 * Checks the table at arg, which must have these fields and no other: sizes and entries. Pushes what keeps
 * from [count], the checked data of each field, alive. Raises what differs; nothing has been written then.
 */
void l_state_check(lua_State *L, int arg, const char *what, const State *state,
                   const double **from);

/** Copies checked data into the fields. */
void l_state_commit(const State *state, const double *const *from);

#endif
