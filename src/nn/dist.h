#ifndef TRPO_DIST_H
#define TRPO_DIST_H

#include "base/rng.h"
#include "base/rng_lanes.h"
#include "nn/mlp.h"

/** What score gives of n rows. */
typedef struct DistScore {
  void *dout;          /* Real [n][A]: weight_i d log pi(action_i) / d out_i */
  double *dextra;      /* [extras]: sum_i weight_i d log pi / d extra is added */
  double *logp;        /* [n]: as log_prob gives it */
  double *entropy;     /* [n]: as entropy gives it */
  double *information; /* [n][A]: as information gives it */
} DistScore;

/**
 * A distribution over actions whose parameters are the outputs of a network (out, Real [n][A]) and, for some,
 * a few numbers that do not depend on the state (extra, double [extras(A)], the tail of theta).
 * One file per distribution: dist_categorical.c, dist_gaussian.c.
 *
 * Every function works on n rows; row scalars are doubles and computed in double. work is
 * dist_work(n, A) doubles. Logarithms are natural, entropies and divergences in nats.
 * A discrete action is its 0-based index, held in one double; a Gaussian action is A doubles.
 */
typedef struct Dist {
  const char *name;
  int discrete;        /* an action is one double; otherwise A doubles */
  int extras_per_out;  /* 0 or 1: numbers in extra per output */
  int contrast;        /* only differences of outputs matter */
  double extra_fisher; /* Fisher information of every number in extra; cross terms are zero */

  /* logp[i] = log pi(action_i) */
  void (*log_prob)(Precision p, double *logp, const void *out, const double *extra,
                   const double *action, int n, int A, double *work);
  /* h[i] = -E log pi */
  void (*entropy)(Precision p, double *h, const void *out, const double *extra, int n, int A,
                  double *work);
  /* kl[i] = KL(old || new); exactly 0 for equal parameters, +inf where new excludes what old allows.
   * Unless action_ is NULL, logp_[i] = new's log pi(action_i), as log_prob gives it. */
  void (*kl)(Precision p, double *kl, double *logp_, const void *out_old, const double *extra_old,
             const void *out, const double *extra, const double *action_, int n, int A,
             double *work);
  /* action_i ~ pi, made of noise [n][action size] as dist_noise draws it; logp [n] as log_prob gives it */
  void (*sample)(Precision p, double *action, double *logp, const void *out, const double *extra,
                 const double *noise, int n, int A, double *work);
  /* action_i = arg max pi (lowest index on ties) */
  void (*mode)(Precision p, double *action, const void *out, int n, int A);
  /* 1 when every row has a proper distribution, so that modes and samples have finite log-probabilities */
  int (*proper)(Precision p, const void *out, const double *extra, int n, int A);
  /* all that a policy update wants to know at old, from one look at each row */
  void (*score)(Precision p, const DistScore *to, const void *out, const double *extra,
                const double *action, const double *weight, int n, int A, double *work);
  /* dout_i = d KL(old || new) / d new's out_i;  dextra += sum_i d KL / d new's extra */
  void (*kl_score)(Precision p, void *dout, double *dextra, const void *out_old,
                   const double *extra_old, const void *out, const double *extra, int n, int A,
                   double *work);
  /* information_i [A] = what the metric of row i is made of */
  void (*information)(Precision p, double *information, const void *out, const double *extra, int n,
                      int A);
  /* in place: dot_i = M_i dot_i, M_i the Hessian of KL(old || new) in out at new = old, = Fisher information.
   * dot [n][outputs], outputs = A; or, with contrast, A - 1: the first outputs less the last one */
  void (*metric)(Precision p, void *dot, const double *information, int n, int outputs, int A);
} Dist;

/** Softmax over A >= 1 logits. */
extern const Dist dist_categorical;

/** Independent normals: out is the mean, extra the logarithm of the standard deviations. */
extern const Dist dist_gaussian;

/** Numbers in extra for A outputs. */
int dist_extras(const Dist *dist, int A);

/** Doubles that hold one action. */
int dist_action_size(const Dist *dist, int A);

/** Noise of n actions: a uniform number in [0, 1) for each discrete one, A standard normals for the others. */
void dist_noise(const Dist *dist, double *noise, Rng *rng, int n, int A);

/** The same for many lanes at once, from the beginning of each one's numbers. */
void dist_noise_lanes(const Dist *dist, double *noise, const RngLanes *lanes, int A);

/** Doubles of workspace for n rows. */
long dist_work(int n, int A);

/** out [n A] in double. */
void dist_widen(Precision p, double *to, const void *from, long n);

/** from [n A] in the given precision. */
void dist_narrow(Precision p, void *to, const double *from, long n);

#endif
