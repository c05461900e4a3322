#ifndef TRPO_GAP_H
#define TRPO_GAP_H

#include <stddef.h>

/**
 * One state's old policy and advantages, in the form that loses no digits: by gaps to the best supported action.
 *
 *   S = {a: p_a > 0},  M = max_S A,  D_a = M - A_a >= 0,  m1 = sum_S p_a D_a  (the mean of A is M - m1)
 *
 * The problems of ball.h and penalty.h have the solution q_a = lambda p_a / (nu - A_a) on S, with nu = M + e, e > 0.
 * With u = 1/(e + m1), v_a = (m1 - D_a) u, w_a = e + D_a, c_a = w_a u = 1 - v_a and r_a = (m1 - D_a)/w_a = v_a/c_a
 *
 *   W - 1  = sum p_a v_a r_a,   z_a = q_a/p_a - 1 = (r_a - (W - 1))/W
 *   KL     = sum p_a (z_a - log(1 + z_a))                          (no term of the two sums is negative)
 *   q_a    = p_a / (c_a W),  q.A - p.A = (W - 1)/(u W),  lambda = 1/(u W)
 *
 * Means are never subtracted from advantages. Source: the rational form q = lambda p/(nu - A) is that of Grill et al.
 * 2020, arXiv:2007.12509; the constrained problem is met in Filippi, Cappe and Garivier 2010, arXiv:1004.5229.
 *
 * Gaps are scaled by a power of two such that the largest is in [1/2, 1): gaps, e and lambda below are in that unit.
 */
typedef struct Gap {
  ptrdiff_t A;       /* actions, supported or not */
  ptrdiff_t n;       /* of S */
  ptrdiff_t *at;     /* [n] action of entry i */
  double *p;         /* [n] old policy, summing to 1 */
  double *D;         /* [n] scaled gaps */
  double *dev;       /* [n] m1 - D: advantage less its mean */
  double *r;         /* [n] of the last evaluation */
  double unit;       /* a true gap is unit times a scaled one */
  double m1;         /* mean gap */
  double var;        /* variance of the advantage, unit^2 */
  double above;      /* max A outside S, less M; -inf when S is everything */
  ptrdiff_t better;  /* number of actions that attain it */
  const double *adv; /* the row of advantages */
  const double *old; /* the row of the old policy */
} Gap;

/** What follows from e: d KL/d log e = -u e W spread, d lambda/d log e = e (1 + spread). */
typedef struct GapPoint {
  double e, u;
  double excess; /* W - 1 */
  double spread; /* sum p (q/p - 1)^2 */
  double kl;     /* KL(p || q) */
} GapPoint;

/** What the new policy of a state looks like. */
typedef enum GapKind {
  GAP_SAME,     /* q = p */
  GAP_INTERIOR, /* q = lambda p/(e + D) on S, nothing elsewhere */
  GAP_BOUNDARY, /* the same with e = above, and the mass that is left goes to the better actions outside S */
  GAP_DEEP, /* e is negligible: p restricted to the best of S, the rest known by its logarithm */
  GAP_LIMIT /* all mass on the best actions */
} GapKind;

typedef struct GapSolution {
  GapKind kind;
  GapPoint at;       /* of INTERIOR and BOUNDARY (e, u, excess) */
  double log_e;      /* of INTERIOR and DEEP: in units, a good first guess for a similar problem */
  double lambda;     /* multiplier, in units; may underflow to 0 */
  double log_lambda; /* its logarithm, of BOUNDARY and DEEP */
  double left;       /* of BOUNDARY: the mass outside S */
  double gain;       /* q.A - p.A, in units */
  double kl;         /* KL(p || q) */
  double slope;      /* ball: d lambda/d radius in units; penalty: d KL/d log lambda */
} GapSolution;

/** Doubles of workspace of a Gap for A actions. */
ptrdiff_t gap_work(ptrdiff_t A);

/** Lays the arrays of a Gap for A actions into work [gap_work(A)]. */
void gap_init(Gap *gap, ptrdiff_t A, double *work);

/**
 * The state with old policy p [A], which sums to about 1 (it is normalised), and advantages adv [A], finite or -inf
 * where the action is missing and p = 0. Both rows must outlive the use of *gap.
 */
void gap_set(Gap *gap, const double *p, const double *adv);

/** A is constant on S and nothing outside is better. */
static inline int gap_is_flat(const Gap *gap) {
  return gap->m1 == 0.0 && !(gap->above > 0.0);
}

/** What the greedy policy gains: max A - p.A, in advantage's own unit. */
static inline double gap_greedy(const Gap *gap) {
  return ((gap->above > 0.0 ? gap->above : 0.0) + gap->m1) * gap->unit;
}

/** log(1 - v) + v without cancellation, v <= 1. */
double gap_log(double v);

/** Evaluates at e > 0. */
void gap_evaluate(const Gap *gap, double e, GapPoint *point);

/** GAP_DEEP holds: lambda, and with it e and every q off the best, is at most 4e-18 of the least gap that is not 0. */
int gap_is_deep(const Gap *gap, double log_lambda);

/** sum p log D over the gaps that are not 0, and their p: *rest; what the deep form is made of. */
double gap_deep_sum(const Gap *gap, double *rest);

/** Fills the rest of a DEEP solution from log_e, or of a LIMIT one. */
void gap_finish_deep(const Gap *gap, GapSolution *s);
void gap_finish_limit(const Gap *gap, GapSolution *s);

/** The boundary solution with mass exp(log_mass) on S, from *at evaluated at e = above (m1 = 0: not needed). */
void gap_finish_boundary(const Gap *gap, GapSolution *s, double log_mass);

/** The solution q = p with this multiplier. */
void gap_finish_same(GapSolution *s, double lambda);

/**
 * Writes the new policy. q [A] must not be the rows of gap_set; log_q_ [A] its logarithms, which stay finite where q
 * underflows; NULL: not wanted. Returns the total variation distance.
 */
double gap_write(const Gap *gap, const GapSolution *s, double *q, double *log_q_);

/**
 * Largest violation, by the q that was written, of stationarity, lambda p_a/q_a + A_a = nu on S and nu >= A_a elsewhere,
 * and of sum q = 1, which counts with the largest gap; in the unit of A. Where lambda exceeds the gaps stationarity counts
 * relative to it: the rounding of q is that of lambda p/q.
 */
double gap_residual(const Gap *gap, const GapSolution *s, const double *q);

#endif
