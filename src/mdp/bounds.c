#include "mdp/bounds.h"

#include <float.h>
#include <math.h>

#include "base/pool.h"
#include "base/sum.h"
#include "mdp/chain.h"
#include "mdp/divergence.h"

/* --- state by state ---------------------------------------------------------------------------------------------- */

/* what a chunk finds; maxima do not depend on the order */
typedef struct Part {
  double epsilon, omega, alpha;
} Part;

typedef struct Scan {
  const Mdp *mdp;
  const double *pi, *pi_new, *adv;
  BoundsStates *states;
  Part *part; /* [chunks] */
} Scan;

/* how much of p has to be given up for q: the least alpha with q >= (1 - alpha) p */
static double given_up(double p, double q) {
  return q < p ? (p - q) / p : 0.0;
}

static void scan_state(const Scan *scan, ptrdiff_t s, Part *part) {
  const Mdp *mdp = scan->mdp;
  double most = -INFINITY, least = INFINITY, abar = 0.0;
  for (int64_t k = mdp->first[s]; k < mdp->first[s + 1]; k++) {
    const ptrdiff_t i = s * mdp->A + mdp->action[k];
    const double advantage = scan->adv[i];
    most = fmax(most, advantage);
    least = fmin(least, advantage);
    abar += (scan->pi_new[i] - scan->pi[i]) * advantage; /* sum_a (pi~ - pi) A */
    part->alpha = fmax(part->alpha, given_up(scan->pi[i], scan->pi_new[i]));
  }
  scan->states->abar[s] = abar;
  scan->states->span[s] = most - least;
  part->epsilon = fmax(part->epsilon, fmax(most, -least));
  part->omega = fmax(part->omega, most - least);
}

static void scan_task(void *context, int chunk, int worker) {
  const Scan *scan = context;
  const ptrdiff_t S = scan->mdp->S;
  Part part = {0};
  (void)worker;
  for (ptrdiff_t s = mdp_chunk_begin(S, chunk); s < mdp_chunk_begin(S, chunk + 1); s++) {
    scan_state(scan, s, &part);
  }
  scan->part[chunk] = part;
}

/* --- numbers ----------------------------------------------------------------------------------------------------- */

int bounds_can_end(const Mdp *mdp) {
  for (ptrdiff_t k = 0; k < mdp->rows; k++) {
    if (sum_pairwise(mdp->prob + mdp->start[k], (size_t)(mdp->start[k + 1] - mdp->start[k]))
        < 1.0 - MDP_SUM_TOLERANCE) {
      return 1;
    }
  }
  return 0;
}

/* largest and smallest Abar, and what follows from them */
static void set_extremes(BoundsNumbers *n, const double *abar, ptrdiff_t S, int can_end) {
  double most = can_end ? 0.0 : -INFINITY, bottom = can_end ? 0.0 : INFINITY;
  n->least = INFINITY;
  for (ptrdiff_t s = 0; s < S; s++) {
    most = fmax(most, abar[s]);
    bottom = fmin(bottom, abar[s]);
    n->least = fmin(n->least, abar[s]);
    n->epsilon_bar = fmax(n->epsilon_bar, fabs(abar[s]));
  }
  n->span_bar = most - bottom;
}

/* sums over states; work [S] */
static void set_sums(BoundsNumbers *n, const BoundsStates *states, const Mdp *mdp,
                     const double *rho, double *work) {
  const ptrdiff_t S = mdp->S;
  const double normal = 1.0 - mdp->gamma;
  n->gain = divergence_weighted(states->abar, rho, S, work);
  n->start = divergence_weighted(states->abar, mdp->rho0, S, work);
  n->tv_mean = normal * divergence_weighted(states->tv, rho, S, work);
  n->kl_mean = normal > 0.0 ? normal * divergence_weighted(states->kl, rho, S, work) : 0.0;
  for (ptrdiff_t s = 0; s < S; s++) {
    work[s] = rho[s] * fabs(states->abar[s]);
  }
  n->gain_size = sum_pairwise(work, (size_t)S);
}

Status bounds_numbers(BoundsNumbers *numbers, BoundsStates *states, const Mdp *mdp,
                      const BoundsPolicy *old, const double *pi_new, Arena *ws) {
  const ArenaMark mark = arena_mark(ws);
  const int chunks = mdp_chunks(mdp->S);
  Part *part = ARENA_PUSH(ws, Part, chunks);
  double *work = ARENA_PUSH(ws, double, mdp->S);
  if (part == NULL || work == NULL) {
    arena_release(ws, mark);
    return E_NOMEM;
  }
  divergence_rows(states->tv, states->kl, old->pi, pi_new, mdp->S, mdp->A);
  Scan scan = {mdp, old->pi, pi_new, old->adv, states, part};
  pool_run(scan_task, &scan, chunks);

  BoundsNumbers n = {.gamma = mdp->gamma};
  for (int i = 0; i < chunks; i++) {
    n.epsilon = fmax(n.epsilon, part[i].epsilon);
    n.omega = fmax(n.omega, part[i].omega);
    n.alpha = fmax(n.alpha, part[i].alpha);
  }
  n.tv_max = divergence_max(states->tv, mdp->S, NULL);
  n.kl_max = divergence_max(states->kl, mdp->S, NULL);
  set_extremes(&n, states->abar, mdp->S, bounds_can_end(mdp));
  set_sums(&n, states, mdp, old->rho, work);
  *numbers = n;
  arena_release(ws, mark);
  return OK;
}

/* --- bounds ------------------------------------------------------------------------------------------------------ */

/* x y with 0 inf = 0: policies that agree, or a process without a future, leave nothing open */
static double times(double x, double y) {
  return x == 0.0 || y == 0.0 ? 0.0 : x * y;
}

/* factor gamma alpha^2 / ((1 - gamma) (1 - gamma (1 - alpha))) */
static double sharp(double gamma, double factor, double alpha) {
  const double c = 1.0 - gamma;
  return times(factor * gamma, alpha == 0.0 ? 0.0 : alpha * alpha / (c * (c + gamma * alpha)));
}

static double relaxed(double gamma, double factor, double alpha) {
  const double c = 1.0 - gamma;
  return times(factor * gamma, alpha == 0.0 ? 0.0 : alpha * alpha / (c * c));
}

double bounds_theorem1(double gamma, double epsilon, double alpha) {
  return sharp(gamma, 4.0 * epsilon, alpha);
}

double bounds_theorem1_relaxed(double gamma, double epsilon, double alpha) {
  return relaxed(gamma, 4.0 * epsilon, alpha);
}

double bounds_penalty(double gamma, double epsilon, double constant) {
  return relaxed(gamma, constant * epsilon, 1.0);
}

double bounds_mixture(double gamma, double epsilon_bar, double alpha) {
  return sharp(gamma, 2.0 * epsilon_bar, alpha);
}

double bounds_mixture_relaxed(double gamma, double epsilon_bar, double alpha) {
  return relaxed(gamma, 2.0 * epsilon_bar, alpha);
}

double bounds_average_kl(double gamma, double epsilon, double kl_mean) {
  const double c = 1.0 - gamma, h = gamma / c;
  return gamma == 1.0 ? INFINITY : times(epsilon / c * (h + 2.0 * sqrt(2.0 * h)), kl_mean);
}

double bounds_average_kl_refined(double gamma, double omega, double epsilon_bar, double kl_mean) {
  const double c = 1.0 - gamma, h = gamma / c;
  return gamma == 1.0 ? INFINITY : times((sqrt(2.0 * h) * omega + epsilon_bar * h) / c, kl_mean);
}

double bounds_average_tv(double gamma, double span_bar, double tv_mean) {
  const double c = 1.0 - gamma;
  return gamma == 1.0 ? INFINITY : times(gamma * span_bar / (c * c), tv_mean);
}

double bounds_improvement(double gamma, double start, double least) {
  return least < 0.0 ? start + times(gamma / (1.0 - gamma), least) : start;
}

/* the chain that goes on only while both policies agree: weights min(pi, pi~) [S, A] */
static void common_part(double *common, const double *pi, const double *pi_new, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) {
    common[i] = fmin(pi[i], pi_new[i]);
  }
}

Status bounds_disagreement(double *disagreement, const Mdp *mdp, const double *pi,
                           const double *pi_new, const double *tv, Arena *ws) {
  const double gamma = mdp->gamma, most = divergence_max(tv, mdp->S, NULL);
  if (most == 0.0 || gamma == 0.0 || gamma == 1.0) {
    *disagreement = most == 0.0 || gamma == 0.0 ? 0.0 : INFINITY;
    return OK;
  }
  const ArenaMark mark = arena_mark(ws);
  double *common = ARENA_PUSH(ws, double, mdp->S * mdp->A);
  double *b = ARENA_PUSH(ws, double, mdp->S), *v = ARENA_PUSH(ws, double, mdp->S);
  Chain chain = {0};
  ChainInfo info = {0};
  Status status = common == NULL || b == NULL || v == NULL ? E_NOMEM : OK;
  if (status == OK) {
    common_part(common, pi, pi_new, mdp->S * mdp->A);
    status = chain_init(&chain, mdp, common, ws);
  }
  if (status == OK) {
    for (ptrdiff_t s = 0; s < mdp->S; s++) {
      b[s] = v[s] = gamma / (1.0 - gamma) * tv[s];
    }
    /* what double precision can reach: values are up to 1 / (1 - gamma) times b */
    const double tolerance = fmax(1e-13, 2.0 * DBL_EPSILON / (1.0 - gamma));
    status = chain_solve(&chain, v, b, tolerance * gamma / (1.0 - gamma) * most, &info, ws);
  }
  if (status >= 0) {
    /* what the solver left open goes to the safe side */
    *disagreement = sum_dot(mdp->rho0, v, (size_t)mdp->S) + info.residual / (1.0 - gamma);
    status = OK;
  }
  chain_free(&chain);
  arena_release(ws, mark);
  return status;
}

/* --- lower bounds ------------------------------------------------------------------------------------------------ */

const char *bounds_lower_name(BoundsLower which) {
  static const char *const names[BOUNDS_LOWER_COUNT] = {
      [BOUNDS_IMPROVEMENT] = "improvement", [BOUNDS_THEOREM1] = "theorem1",
      [BOUNDS_PENALTY] = "penalty",         [BOUNDS_AVERAGE_KL] = "average_kl",
      [BOUNDS_AVERAGE_TV] = "average_tv",   [BOUNDS_MIXTURE] = "kakade_langford",
      [BOUNDS_COUPLING] = "coupling_exact",
  };
  return names[which];
}

void bounds_lower(double *lower, const BoundsNumbers *n, double eta, double disagreement) {
  const double gamma = n->gamma, L = eta + n->gain, half = n->omega / 2.0;
  /* of the mixture's partner; the mixture with the least alpha has the best bound */
  const double partner = n->alpha > 0.0 ? n->span_bar / 2.0 / n->alpha : 0.0;
  lower[BOUNDS_IMPROVEMENT] = eta + bounds_improvement(gamma, n->start, n->least);
  lower[BOUNDS_THEOREM1] = L - bounds_theorem1(gamma, half, n->tv_max);
  lower[BOUNDS_PENALTY] = L - times(bounds_penalty(gamma, half, 2.0), n->kl_max);
  lower[BOUNDS_AVERAGE_KL] = L
                             - bounds_average_kl_refined(gamma, n->omega, n->epsilon_bar,
                                                         n->kl_mean);
  lower[BOUNDS_AVERAGE_TV] = L - bounds_average_tv(gamma, n->span_bar, n->tv_mean);
  lower[BOUNDS_MIXTURE] = L - bounds_mixture(gamma, partner, n->alpha);
  lower[BOUNDS_COUPLING] = L - times(n->span_bar, disagreement);
}
