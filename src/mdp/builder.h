#ifndef TRPO_BUILDER_H
#define TRPO_BUILDER_H

#include "base/arena.h"
#include "mdp/mdp.h"

/**
 * Makes an Mdp from outcomes, one by one and in any order. Outcomes of a pair with the same next state, reward and mark
 * are merged; pairs without outcomes do not exist.
 *
 *   Builder b;
 *   builder_init(&b, S, A);
 *   status = builder_add(&b, s, a, p, next, reward, done);  ...
 *   status = builder_finish(&b, mdp, rho0, gamma, &fault, ws);
 *   builder_free(&b);
 */
typedef struct BuilderOutcome {
  int64_t pair; /* s A + a */
  int32_t next;
  int32_t done;
  double prob, reward;
} BuilderOutcome;

typedef struct Builder {
  ptrdiff_t S, A;
  Buffer *storage; /* room for outcomes */
  ptrdiff_t count;
  int sorted; /* so far pairs came in ascending order */
} Builder;

/** What is wrong with a process: the pair at fault and the number that shows it. */
typedef enum BuilderFaultKind {
  BUILDER_SUM,       /* the probabilities of a pair sum to value */
  BUILDER_NO_ACTION, /* the state has no action */
  BUILDER_START,     /* rho0 sums to value */
  BUILDER_START_AT,  /* rho0(state) is value */
  BUILDER_REWARD     /* the expected reward of the pair overflows */
} BuilderFaultKind;

typedef struct BuilderFault {
  BuilderFaultKind kind;
  ptrdiff_t state, action; /* 0-based; -1 where it makes no sense */
  double value;
} BuilderFault;

/** S and A at least 1, S at most MDP_LIMIT. Holds no memory yet. */
void builder_init(Builder *b, ptrdiff_t S, ptrdiff_t A);

/** Frees what it holds; *b stays usable. */
void builder_free(Builder *b);

/** Room for count outcomes altogether; optional. E_NOMEM. */
Status builder_reserve(Builder *b, ptrdiff_t count);

/**
 * One outcome of (s, a): with probability prob in [0, 1] the next state is next, the reward is reward (finite), and the
 * episode ends if done. The caller has checked the ranges. An outcome of probability 0 makes the pair exist, no more.
 * E_NOMEM.
 */
Status builder_add(Builder *b, ptrdiff_t s, ptrdiff_t a, double prob, ptrdiff_t next, double reward,
                   int done);

/**
 * The process of all outcomes. rho0 [S], gamma in [0, 1]. E_NOT_STOCHASTIC with *fault filled when probabilities of a
 * pair do not sum to 1 within MDP_SUM_TOLERANCE, when a state has no action, or when rho0 is no distribution;
 * E_NOT_FINITE (*fault) when an expected reward overflows; E_NOMEM. *mdp is untouched then.
 */
Status builder_finish(Builder *b, Mdp *mdp, const double *rho0, double gamma, BuilderFault *fault,
                      Arena *ws);

#endif
