#ifndef TRPO_ITERATION_H
#define TRPO_ITERATION_H

#include "base/arena.h"
#include "mdp/mdp.h"

/**
 * Optimal control of a discounted process: values within a certified distance of V*, and a policy that is greedy for them.
 *
 *   V*(s) = max_a [R(s, a) + gamma sum_s' P(s' | s, a) V*(s')]
 *
 * The certificate does not depend on the method: one last optimality pass over V brackets T V - V with the rounding of the
 * pass itself, and ||V - V*|| follows by contraction (bellman_bounds).
 */
typedef enum IterationMethod {
  ITERATION_AUTO,         /* watches the first sweeps and chooses among the others */
  ITERATION_VALUE,        /* with bounds of MacQueen's kind and action elimination */
  ITERATION_GAUSS_SEIDEL, /* in an order that carries values far */
  ITERATION_POLICY,       /* values of each policy as exactly as can be */
  ITERATION_MODIFIED,     /* about 20 sweeps for each policy */
  ITERATION_KRYLOV,       /* values of each policy roughly, by a Krylov method */
  ITERATION_TOPOLOGICAL   /* component by component */
} IterationMethod;

typedef struct IterationOptions {
  IterationMethod method;
  double tolerance; /* on ||V - V*||, > 0 */
  double certify;   /* > 0: the same by double-double refinement, for the pair V + V_lo */
  int deepen; /* 1: where double precision cannot certify the tolerance, go on as with certify */
  long iterations;  /* most optimality passes or sweeps; 0: as many as it takes */
  const double *v0; /* first guess [S], or NULL */
  int warm;         /* choice holds the rows of a first policy */
} IterationOptions;

typedef struct IterationInfo {
  const char *method;
  long iterations;      /* optimality passes and Gauss-Seidel sweeps */
  double sweeps;        /* work, in passes over all rows */
  double bound;         /* ||V + V_lo - V*|| is at most this; infinite: not known */
  double bound_rounded; /* ||V - V*|| */
  ptrdiff_t state;      /* 0-based: the state at fault of E_IMPROPER */
  const char *reason;   /* what E_IMPROPER means there */
} IterationInfo;

/**
 * v      [out]    values                                              [S]
 * v_lo   [out]    what is to be added to them; zeros without certify  [S]
 * choice [in,out] a first policy when options->warm; greedy rows      [S]
 *
 * gamma = 1 goes to proper_solve. OK; LIMIT when the iterations ran out (info->bound holds for what was found);
 * UNCERTIFIED (gamma = 1 only); E_TOLERANCE when double precision cannot certify the tolerance (info->bound tells what it
 * can); E_IMPROPER, E_NOT_FINITE, E_NOMEM.
 */
Status iteration_solve(const IterationOptions *options, const Mdp *mdp, double *v, double *v_lo,
                       int64_t *choice, IterationInfo *info, Arena *ws);

#endif
