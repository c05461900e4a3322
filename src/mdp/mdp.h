#ifndef TRPO_MDP_H
#define TRPO_MDP_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"

/**
 * A finite Markov decision process by rows, one row for each pair (s, a) that exists.
 *
 * Row k of state s, first[s] <= k < first[s + 1], belongs to action[k], has the expected reward R(s, a) = reward[k] and
 * goes on to state next[j] with probability prob[j], start[k] <= j < start[k + 1]. What is missing to 1 ends the episode:
 * an ending transition contributes its reward and no further value. Self-loops of absorbing states are stored as they are.
 *
 * Everything is 0-based here, 1-based in Lua. An Mdp never changes; it owns one count of its storage, and copies with
 * another gamma share it.
 *
 * Matrices over pairs (policies, Q, A) are dense [S, A], row by row; where a state lacks an action, pi = 0 and
 * Q = A = -inf. Values and visitations are [S].
 */
typedef struct MdpOutcomes {
  int64_t *
      start; /* [rows + 1]; NULL: the outcomes of a row are its (next, prob), with reward R(s, a), none ends */
  int32_t *next;       /* [start[rows]] state that is seen next, also by an ending transition */
  double *prob;        /* [start[rows]] a row sums to 1 */
  double *reward;      /* [start[rows]] */
  unsigned char *done; /* [start[rows]] the transition ends the episode */
} MdpOutcomes;

typedef struct Mdp {
  Buffer *storage; /* the arrays; NULL in a zeroed Mdp */
  ptrdiff_t S;     /* states, 1 .. MDP_LIMIT */
  ptrdiff_t A;     /* 1 + the highest action */
  ptrdiff_t rows;  /* pairs that exist; at least one of each state */
  double gamma;    /* in [0, 1] */
  double
      row_sum; /* largest sum of a row of prob: 1 but for rounding, less when every transition can end */
  int64_t *first;  /* [S + 1] */
  int32_t *action; /* [rows] ascending within a state */
  double *reward;  /* [rows] expected reward */
  int64_t *start;  /* [rows + 1] */
  int32_t *next;   /* [start[rows]] ascending and distinct within a row */
  double *prob;    /* [start[rows]] > 0 */
  double *rho0;    /* [S] distribution of the first state */
  MdpOutcomes outcomes;
} Mdp;

enum { MDP_LIMIT = 0x7fffffff };

/** Sums of probabilities may differ from one by this much; they are used as they are. */
#define MDP_SUM_TOLERANCE 1e-9

/**
 * New process with room for rows pairs, count transitions and outcomes outcomes (0: none are kept). All zero, arrays to be
 * filled by the maker, who then calls mdp_settle. E_NOMEM leaves *mdp untouched.
 */
Status mdp_init(Mdp *mdp, ptrdiff_t S, ptrdiff_t A, ptrdiff_t rows, ptrdiff_t count,
                ptrdiff_t outcomes);

/** Computes what follows from the arrays: row_sum. */
void mdp_settle(Mdp *mdp);

/** Another owner of the same process. */
void mdp_share(Mdp *mdp, const Mdp *source);

/** Gives up the storage; *mdp becomes zeroed. */
void mdp_free(Mdp *mdp);

/** 1 when every state has all A actions; then row k belongs to state k / A. */
static inline int mdp_is_full(const Mdp *mdp) {
  return mdp->rows == mdp->S * mdp->A;
}

/** The row of a pair, or -1 when the state lacks the action. */
ptrdiff_t mdp_row(const Mdp *mdp, ptrdiff_t s, ptrdiff_t a);

/** sum_j P(s' | row k) v(s'): the value of where a row leads, without reward and discount. v [S] */
static inline double mdp_row_dot(const Mdp *mdp, ptrdiff_t k, const double *v) {
  double sum = 0.0;
  for (int64_t j = mdp->start[k]; j < mdp->start[k + 1]; j++) {
    sum += mdp->prob[j] * v[mdp->next[j]];
  }
  return sum;
}

/* --- policies, [S, A] ---------------------------------------------------------------------------------------------- */

/** What is wrong with a policy: the first bad state, and its sum or entry. */
typedef struct MdpFault {
  ptrdiff_t state;  /* 0-based */
  ptrdiff_t action; /* 0-based; -1 when the whole row is meant */
  double value;     /* the sum of the row, or the entry */
} MdpFault;

/**
 * OK when pi is a policy: entries finite and >= 0, none on an action that the state lacks, rows that sum to
 * 1 within MDP_SUM_TOLERANCE. Otherwise E_NOT_STOCHASTIC, with *fault filled.
 */
Status mdp_check_policy(const Mdp *mdp, const double *pi, MdpFault *fault);

/** pi(a | s) = 1 / number of actions of s. */
void mdp_uniform_policy(const Mdp *mdp, double *pi);

/** pi(a | s) = exp(logits(s, a)) / sum, over the actions of s; logits [S, A], those of missing actions are not read. */
void mdp_softmax_policy(const Mdp *mdp, double *pi, const double *logits);

/** All probability on the lowest action among those with the largest value; value [S, A], missing actions are not read. */
void mdp_greedy_policy(const Mdp *mdp, double *pi, const double *value);

/* --- the fixed grid of chunks that the pool works on: it depends on S only --------------------------------------- */

enum { MDP_CHUNK = 2048 };

static inline int mdp_chunks(ptrdiff_t S) {
  return (int)((S + MDP_CHUNK - 1) / MDP_CHUNK);
}

/** States of a chunk: mdp_chunk_begin(S, i) <= s < mdp_chunk_begin(S, i + 1). */
static inline ptrdiff_t mdp_chunk_begin(ptrdiff_t S, int chunk) {
  const ptrdiff_t s = (ptrdiff_t)chunk * MDP_CHUNK;
  return s < S ? s : S;
}

#endif
