#ifndef TRPO_QUOTIENT_H
#define TRPO_QUOTIENT_H

#include "base/arena.h"
#include "mdp/mdp.h"

/**
 * A process without discount in which one cannot stay for ever without reward: its maximal end components by rows of
 * reward zero are states of their own, with all rows that leave them or cost something, and a row that ends (to stay for
 * ever is worth 0). Source: de Alfaro 1997, section 3.3; Haddad and Monmege 2018 (MEC quotient).
 *
 * An end component is a set of states and rows that can be kept to for ever, from each to each.
 */
typedef struct Quotient {
  Mdp mdp; /* the quotient, gamma = 1; rows that end have no successor for the missing mass */
  unsigned char *ends;  /* [mdp.rows] 1: the row can end the episode */
  int32_t *class_;      /* [S] state of the quotient of each state */
  int64_t *row;         /* [mdp.rows] row of the process; -1: to stay */
  unsigned char *inner; /* [rows of the process] 1: a row inside a collapsed component */
} Quotient;

/** 1 when row k of a process (no quotient) can end the episode: by its marks, however small the probability. */
int quotient_row_ends(const Mdp *mdp, ptrdiff_t k);

/** The arrays are taken from ws and remain the caller's to release; mdp is freed by quotient_free. E_NOMEM. */
Status quotient_init(Quotient *q, const Mdp *mdp, Arena *ws);

void quotient_free(Quotient *q);

/**
 * Marks rows [rows] that lie inside maximal end components made of the rows marked before, none of which ends; component [S] gets a number
 * from 0 of the component of each state, -1 for states in none. E_NOMEM.
 */
Status quotient_end_components(const Mdp *mdp, unsigned char *rows, int32_t *component,
                               ptrdiff_t *count, Arena *ws);

/**
 * The rows of the process for the rows chosen in the quotient: inside a component all states walk to where it is left.
 * choice [S] out, chosen [mdp.S] rows of the quotient. E_NOMEM.
 */
Status quotient_lift(const Quotient *q, const Mdp *mdp, int64_t *choice, const int64_t *chosen,
                     Arena *ws);

#endif
