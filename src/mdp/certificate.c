#include "mdp/certificate.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/sum.h"
#include "mdp/chain.h"
#include "mdp/divergence.h"

const char *certificate_name(CertificateId id) {
  static const char *const names[] = {
#define CERTIFICATE_NAME(id, name, kind, claim) name,
      CERTIFICATE_LIST(CERTIFICATE_NAME)
#undef CERTIFICATE_NAME
  };
  return names[id];
}

const char *certificate_claim(CertificateId id) {
  static const char *const claims[] = {
#define CERTIFICATE_CLAIM(id, name, kind, claim) claim,
      CERTIFICATE_LIST(CERTIFICATE_CLAIM)
#undef CERTIFICATE_CLAIM
  };
  return claims[id];
}

/* everything that the statements are about */
typedef struct Pair {
  const Mdp *mdp;
  const BoundsPolicy *old, *new;
  const BoundsNumbers *n;
  const BoundsStates *states;
  const CertificateOptions *options;
  double L;
  double scale;       /* max |V| + max |V~| */
  double tolerance;   /* of values */
  double epsilon;     /* max |A|, or omega / 2 */
  double epsilon_bar; /* max |Abar|, or half its span */
  Certificate *all;
  Arena *ws;
} Pair;

/* --- statements -------------------------------------------------------------------------------------------------- */

static void start_all(Certificate *all) {
  static const CertificateKind kinds[] = {
#define CERTIFICATE_KIND(id, name, kind, claim) CERTIFICATE_##kind,
      CERTIFICATE_LIST(CERTIFICATE_KIND)
#undef CERTIFICATE_KIND
  };
  for (int i = 0; i < CERTIFICATE_COUNT; i++) {
    all[i] = (Certificate){.kind = kinds[i], .holds = 1, .state = -1, .step = -1};
  }
}

static void state_it(const Pair *x, CertificateId id, double left, double right, double tolerance) {
  Certificate *c = &x->all[id];
  c->left = left;
  c->right = right;
  c->tolerance = tolerance;
  c->applies = 1;
  /* a NaN does not hold */
  c->holds = c->kind == CERTIFICATE_IDENTITY ? fabs(left - right) <= tolerance
                                             : left <= right + tolerance;
}

/* one more place of a statement about all of them; returns 1 when it is the one to show */
static int consider(const Pair *x, CertificateId id, double left, double right, double tolerance) {
  Certificate *c = &x->all[id];
  const int first = !c->applies, held = c->holds;
  const int tighter = c->left == 0.0 ? left > 0.0 : left * c->right > c->left * right;
  const int worse = tighter || !(left <= right + tolerance);
  if (first || (held && worse)) {
    state_it(x, id, left, right, tolerance);
    return 1;
  }
  return 0;
}

/* --- identities -------------------------------------------------------------------------------------------------- */

/* sum_s weight(s) sum_a pi(a | s) x(row), x the reward (NULL) or the advantage */
static double expected(const Pair *x, const double *weight, const double *pi, const double *adv_,
                       double *work) {
  const Mdp *mdp = x->mdp;
  for (ptrdiff_t s = 0; s < mdp->S; s++) {
    double sum = 0.0;
    for (int64_t k = mdp->first[s]; k < mdp->first[s + 1]; k++) {
      const ptrdiff_t i = s * mdp->A + mdp->action[k];
      sum += pi[i] * (adv_ == NULL ? mdp->reward[k] : adv_[i]);
    }
    work[s] = weight[s] == 0.0 ? 0.0 : weight[s] * sum;
  }
  return sum_pairwise(work, (size_t)mdp->S);
}

static void identities(const Pair *x, double *work) {
  const BoundsPolicy *old = x->old, *new = x->new;
  const size_t S = (size_t)x->mdp->S;
  /* eta~ = eta + sum rho~ Abar */
  state_it(x, CERTIFICATE_DIFFERENCE, new->eta,
           old->eta + divergence_weighted(x->states->abar, new->rho, x->mdp->S, work),
           x->tolerance);
  state_it(x, CERTIFICATE_TWO_WAYS, sum_dot(x->mdp->rho0, new->V, S),
           expected(x, new->rho, new->pi, NULL, work), x->tolerance);
  state_it(x, CERTIFICATE_AT_OLD, old->eta + expected(x, old->rho, old->pi, old->adv, work),
           old->eta, x->tolerance);
}

/* --- gradients ---------------------------------------------------------------------------------------------------- */

/* b(s) = sum_a (pi~ - pi) (R + gamma P V): how V changes at once when pi moves towards pi~ */
static void first_change(const Pair *x, double *b) {
  const Mdp *mdp = x->mdp;
  for (ptrdiff_t s = 0; s < mdp->S; s++) {
    b[s] = 0.0;
    for (int64_t k = mdp->first[s]; k < mdp->first[s + 1]; k++) {
      const ptrdiff_t i = s * mdp->A + mdp->action[k];
      const double Q = mdp->reward[k] + mdp->gamma * mdp_row_dot(mdp, k, x->old->V);
      b[s] += (x->new->pi[i] - x->old->pi[i]) * Q;
    }
  }
}

/* d eta = rho0' (I - gamma P)^-1 b against d L = sum rho Abar */
static Status exact_gradient(const Pair *x, Chain *chain, double *b, double *v) {
  ChainInfo info = {0};
  Status status = chain_init(chain, x->mdp, x->old->pi, x->ws);
  if (status == OK) {
    first_change(x, b);
    memset(v, 0, (size_t)x->mdp->S * sizeof *v);
    status = chain_solve(
        chain, v, b, 2.0 * DBL_EPSILON * (x->n->epsilon_bar / (1.0 - x->mdp->gamma)), &info, x->ws);
  }
  if (status >= 0) {
    /* b is rounded relative to Q, and a visit of the future repeats that */
    const double horizon = 1.0 / (1.0 - x->mdp->gamma);
    state_it(x, CERTIFICATE_GRADIENT, sum_dot(x->mdp->rho0, v, (size_t)x->mdp->S), x->n->gain,
             x->tolerance + 16.0 * DBL_EPSILON * horizon * x->scale);
  }
  return status;
}

/* eta of the policy at pi + h (pi~ - pi); v starts near its values */
static Status eta_towards(const Pair *x, Chain *chain, double h, double *pi, double *v,
                          double *eta) {
  const ptrdiff_t count = x->mdp->S * x->mdp->A;
  ChainInfo info = {0};
  for (ptrdiff_t i = 0; i < count; i++) {
    pi[i] = x->old->pi[i] + h * (x->new->pi[i] - x->old->pi[i]);
  }
  memcpy(v, x->old->V, (size_t)x->mdp->S * sizeof *v);
  Status status = chain_init(chain, x->mdp, pi, x->ws);
  if (status == OK) {
    status = chain_solve(chain, v, chain->reward, 2.0 * DBL_EPSILON * x->scale, &info, x->ws);
  }
  *eta = sum_dot(x->mdp->rho0, v, (size_t)x->mdp->S);
  return status;
}

/* (4 eta(h) - eta(2h) - 3 eta) / 2h: one-sided, since pi may lie on the edge of what policies can be */
static Status difference_quotient(const Pair *x, Chain *chain, double *pi, double *v) {
  const double c = 1.0 - x->mdp->gamma, h = 5e-5 * c;
  double once, twice;
  Status status = eta_towards(x, chain, h, pi, v, &once);
  if (status >= 0) {
    status = eta_towards(x, chain, 2.0 * h, pi, v, &twice);
  }
  if (status >= 0) {
    /* the error of the formula: h^2 / 3 |eta'''|, and |eta'''| <= 6 (2 gamma / c)^2 max |Abar| / c */
    const double formula = 8.0 * (h / c) * (h / c) * x->n->epsilon_bar / c;
    const double rounding = (DBL_EPSILON / c + DBL_EPSILON * 8.0) * 16.0 * x->scale / h;
    state_it(x, CERTIFICATE_QUOTIENT,
             (4.0 * (once - x->old->eta) - (twice - x->old->eta)) / (2.0 * h), x->n->gain,
             formula + rounding + 4.0 * x->old->bound / h);
  }
  return status;
}

/* --- Lemma 3 ------------------------------------------------------------------------------------------------------ */

/* after = P' before: where the chain is one step later */
static void propagate(const Chain *chain, double *after, const double *before) {
  memset(after, 0, (size_t)chain->S * sizeof *after);
  for (ptrdiff_t s = 0; s < chain->S; s++) {
    for (int64_t j = chain->start[s]; j < chain->start[s + 1] && before[s] != 0.0; j++) {
      after[chain->next[j]] += chain->prob[j] * before[s];
    }
  }
}

ptrdiff_t certificate_steps(const Mdp *mdp) {
  const double affordable = 2e7 / ((double)mdp->start[mdp->rows] + 1.0);
  return (ptrdiff_t)fmin(1000.0, fmax(8.0, affordable));
}

static void consider_step(const Pair *x, ptrdiff_t t, double left) {
  const double alpha = x->n->tv_max;
  const double apart = -expm1((double)t * log1p(-alpha)); /* 1 - (1 - alpha)^t */
  const double rounding = 64.0 * DBL_EPSILON * (double)t * x->n->epsilon_bar;
  if (consider(x, CERTIFICATE_STEP, left, 2.0 * apart * x->epsilon_bar, rounding)) {
    x->all[CERTIFICATE_STEP].step = t;
  }
  if (consider(x, CERTIFICATE_STEP_RELAXED, left, 4.0 * alpha * apart * x->epsilon,
               rounding + x->tolerance)) {
    x->all[CERTIFICATE_STEP_RELAXED].step = t;
  }
}

/* the distributions of both chains, step by step; four vectors [S] of work */
static void all_steps(const Pair *x, const Chain *old, const Chain *new, double *mu, double *nu,
                      double *next, double *work) {
  const ptrdiff_t S = x->mdp->S;
  const size_t bytes = (size_t)S * sizeof *mu;
  memcpy(mu, x->mdp->rho0, bytes);
  memcpy(nu, x->mdp->rho0, bytes);
  for (ptrdiff_t t = 1; t <= x->options->steps; t++) {
    propagate(old, next, mu);
    memcpy(mu, next, bytes);
    propagate(new, next, nu);
    memcpy(nu, next, bytes);
    for (ptrdiff_t s = 0; s < S; s++) {
      work[s] = (nu[s] - mu[s]) * x->states->abar[s];
    }
    consider_step(x, t, fabs(sum_pairwise(work, (size_t)S)));
  }
}

/* all statements that need the chains; not for gamma = 1, where their sums may be infinite */
static Status follow_chains(const Pair *x, double *work) {
  const size_t S = (size_t)x->mdp->S;
  double *pi = ARENA_PUSH(x->ws, double, x->mdp->S * x->mdp->A);
  double *v = ARENA_PUSH(x->ws, double, S), *b = ARENA_PUSH(x->ws, double, S);
  double *next = ARENA_PUSH(x->ws, double, S);
  Chain chain = {0}, other = {0};
  Status status = pi == NULL || v == NULL || b == NULL || next == NULL ? E_NOMEM : OK;
  if (status == OK) {
    status = difference_quotient(x, &chain, pi, v);
  }
  if (status >= 0) {
    status = exact_gradient(x, &chain, b, v); /* leaves the chain of pi */
  }
  if (status >= 0) {
    status = chain_init(&other, x->mdp, x->new->pi, x->ws);
  }
  if (status >= 0) {
    all_steps(x, &chain, &other, v, b, next, work);
  }
  chain_free(&chain);
  chain_free(&other);
  return status;
}

/* --- bounds ------------------------------------------------------------------------------------------------------- */

static void bounds_by_state(const Pair *x) {
  const BoundsStates *states = x->states;
  const double rounding = 8.0 * DBL_EPSILON;
  for (ptrdiff_t s = 0; s < x->mdp->S; s++) {
    /* sum_a pi A = 0 but for the rounding of A */
    if (consider(x, CERTIFICATE_ADVANTAGE, fabs(states->abar[s]), states->tv[s] * states->span[s],
                 rounding * (x->scale + x->n->epsilon))) {
      x->all[CERTIFICATE_ADVANTAGE].state = s;
    }
    if (consider(x, CERTIFICATE_PINSKER, states->tv[s], sqrt(states->kl[s] / 2.0), rounding)) {
      x->all[CERTIFICATE_PINSKER].state = s;
    }
  }
  state_it(x, CERTIFICATE_ADVANTAGE_MAX, x->n->epsilon_bar, 2.0 * x->n->tv_max * x->epsilon,
           rounding * (x->scale + x->n->epsilon));
}

/* L - C KL, where a C of 0 leaves no penalty */
static double penalised(const Pair *x, double constant) {
  const double C = bounds_penalty(x->mdp->gamma, x->epsilon, constant);
  return C == 0.0 || x->n->kl_max == 0.0 ? x->L : x->L - C * x->n->kl_max;
}

/* lower bounds on eta~ */
static void lower_bounds(const Pair *x) {
  const BoundsNumbers *n = x->n;
  const double gamma = n->gamma, after = x->new->eta;
  const double alpha = isnan(x->options->alpha) ? n->alpha : x->options->alpha;
  const double partner = alpha > 0.0 ? x->epsilon_bar / alpha : 0.0;
  state_it(x, CERTIFICATE_IMPROVEMENT, x->old->eta + bounds_improvement(gamma, n->start, n->least),
           after, x->tolerance);
  state_it(x, CERTIFICATE_PENALTY_4, penalised(x, 4.0), after, x->tolerance);
  state_it(x, CERTIFICATE_PENALTY_2, penalised(x, 2.0), after, x->tolerance);
  state_it(x, CERTIFICATE_MM, penalised(x, x->options->constant), after, x->tolerance);
  state_it(x, CERTIFICATE_MIXTURE, x->L - bounds_mixture(gamma, partner, alpha), after,
           x->tolerance);
  state_it(x, CERTIFICATE_MIXTURE_RELAXED, x->L - bounds_mixture_relaxed(gamma, partner, alpha),
           after, x->tolerance);
}

/* |eta~ - L| <= right */
static void error_bound(const Pair *x, CertificateId id, double right) {
  state_it(x, id, fabs(x->new->eta - x->L), right, x->tolerance);
}

static void error_bounds(const Pair *x, double disagreement) {
  const BoundsNumbers *n = x->n;
  const double gamma = n->gamma;
  error_bound(x, CERTIFICATE_THEOREM1, bounds_theorem1(gamma, x->epsilon, n->tv_max));
  error_bound(x, CERTIFICATE_THEOREM1_RELAXED,
              bounds_theorem1_relaxed(gamma, x->epsilon, n->tv_max));
  /* omega / 2 cannot stand for epsilon here */
  error_bound(x, CERTIFICATE_AVERAGE_KL, bounds_average_kl(gamma, n->epsilon, n->kl_mean));
  error_bound(x, CERTIFICATE_AVERAGE_KL_REFINED,
              bounds_average_kl_refined(gamma, n->omega, n->epsilon_bar, n->kl_mean));
  error_bound(x, CERTIFICATE_AVERAGE_TV, bounds_average_tv(gamma, n->span_bar, n->tv_mean));
  error_bound(x, CERTIFICATE_COUPLING,
              n->span_bar == 0.0 || disagreement == 0.0 ? 0.0 : n->span_bar * disagreement);
}

/* --- all ---------------------------------------------------------------------------------------------------------- */

static double largest(const double *v, ptrdiff_t S) {
  double most = 0.0;
  for (ptrdiff_t s = 0; s < S; s++) {
    most = fmax(most, fabs(v[s]));
  }
  return most;
}

/* how long an episode goes on, for what rounding adds up to */
static double horizon_of(const Mdp *mdp, const BoundsPolicy *old, const BoundsPolicy *new) {
  const size_t S = (size_t)mdp->S;
  return mdp->gamma < 1.0 ? 1.0 / (1.0 - mdp->gamma)
                          : sum_pairwise(old->rho, S) + sum_pairwise(new->rho, S);
}

Status certificate_all(Certificate *all, const Mdp *mdp, const BoundsPolicy *old,
                       const BoundsPolicy *new, const BoundsNumbers *numbers,
                       const BoundsStates *states, const CertificateOptions *options, Arena *ws) {
  const ArenaMark mark = arena_mark(ws);
  double *work = ARENA_PUSH(ws, double, mdp->S), disagreement = 0.0;
  Pair x = {mdp, old, new, numbers, states, options, .all = all, .ws = ws};
  x.L = old->eta + numbers->gain;
  x.scale = largest(old->V, mdp->S) + largest(new->V, mdp->S);
  x.tolerance = (1e-12 + 16.0 * DBL_EPSILON * horizon_of(mdp, old, new))
                    * (x.scale + numbers->gain_size)
                + old->bound + new->bound;
  x.epsilon = options->span ? numbers->omega / 2.0 : numbers->epsilon;
  x.epsilon_bar = options->span ? numbers->span_bar / 2.0 : numbers->epsilon_bar;

  Status status = work == NULL ? E_NOMEM : OK;
  if (status == OK) {
    start_all(all);
    identities(&x, work);
    bounds_by_state(&x);
    lower_bounds(&x);
    status = bounds_disagreement(&disagreement, mdp, old->pi, new->pi, states->tv, ws);
  }
  if (status >= 0) {
    error_bounds(&x, disagreement);
    status = mdp->gamma < 1.0 ? follow_chains(&x, work) : OK;
  }
  arena_release(ws, mark);
  return status < 0 ? status : OK;
}
