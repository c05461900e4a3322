#ifndef TRPO_DRAFT_H
#define TRPO_DRAFT_H

#include "mdp/builder.h"

/**
 * A named process being written down: a builder and the distribution of the first state, with a status that sticks, so
 * that the lines that say what the process is need no checks between them.
 *
 *   Draft d;
 *   draft_init(&d, S, A);
 *   draft_start(&d, s, p);  draft_add(&d, s, a, p, next, reward, done);  ...
 *   return draft_finish(&d, mdp, gamma, ws);
 */
typedef struct Draft {
  Builder builder;
  Buffer *rho0;  /* [S] */
  Status status; /* the first failure; after it nothing is done */
} Draft;

/** As builder_init. */
void draft_init(Draft *d, ptrdiff_t S, ptrdiff_t A);

/** rho0(s) += p */
void draft_start(Draft *d, ptrdiff_t s, double p);

/** As builder_add. */
void draft_add(Draft *d, ptrdiff_t s, ptrdiff_t a, double p, ptrdiff_t next, double reward,
               int done);

/** A state in which episodes have ended: each of its actions stays, without reward, and ends. */
void draft_end(Draft *d, ptrdiff_t s);

/** Makes the process and frees the draft. E_NOMEM; E_NOT_STOCHASTIC for a draft that is wrong. */
Status draft_finish(Draft *d, Mdp *mdp, double gamma, Arena *ws);

#endif
