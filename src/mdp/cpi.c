#include "mdp/cpi.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/sum.h"
#include "mdp/bounds.h"
#include "mdp/chain.h"
#include "solve/chebyshev.h"

const char *cpi_rule_name(CpiRule rule) {
  static const char *const names[CPI_RULES] = {
      [CPI_KL02] = "kl02", [CPI_SIMPLE] = "simple", [CPI_BOUND] = "bound", [CPI_EXACT] = "exact"};
  return names[rule];
}

/* --- the greedy policy --------------------------------------------------------------------------------------------- */

/* largest advantage of a state, and how many actions have it */
static double best_of(const Mdp *mdp, const double *adv, ptrdiff_t s, int *ties) {
  double best = -INFINITY;
  *ties = 0;
  for (int64_t k = mdp->first[s]; k < mdp->first[s + 1]; k++) {
    const double a = adv[s * mdp->A + mdp->action[k]];
    *ties = a > best ? 1 : *ties + (a == best);
    best = fmax(best, a);
  }
  return best;
}

void cpi_greedy(double *greedy, const Mdp *mdp, const double *adv, CpiTies ties) {
  memset(greedy, 0, (size_t)(mdp->S * mdp->A) * sizeof *greedy);
  for (ptrdiff_t s = 0; s < mdp->S; s++) {
    int count;
    const double best = best_of(mdp, adv, s, &count);
    for (int64_t k = mdp->first[s]; k < mdp->first[s + 1]; k++) {
      const ptrdiff_t i = s * mdp->A + mdp->action[k];
      if (adv[i] == best) {
        greedy[i] = ties == CPI_UNIFORM ? 1.0 / count : 1.0;
        if (ties == CPI_LOWEST) {
          break;
        }
      }
    }
  }
}

Status cpi_advantage(CpiStep *step, const Mdp *mdp, const double *adv, const double *rho,
                     double rounding, Arena *ws) {
  const ArenaMark mark = arena_mark(ws);
  double *term = ARENA_PUSH(ws, double, mdp->S), most = 0.0;
  if (term == NULL) {
    return E_NOMEM;
  }
  for (ptrdiff_t s = 0; s < mdp->S; s++) {
    int ties;
    double best = best_of(mdp, adv, s, &ties);
    best = best > rounding ? best : 0.0;
    most = fmax(most, best);
    term[s] = rho[s] * best;
  }
  *step = (CpiStep){.advantage = sum_pairwise(term, (size_t)mdp->S), .epsilon_bar = most};
  arena_release(ws, mark);
  return OK;
}

double cpi_reward_range(const Mdp *mdp) {
  double most = -INFINITY, least = INFINITY;
  for (ptrdiff_t k = 0; k < mdp->rows; k++) {
    most = fmax(most, mdp->reward[k]);
    least = fmin(least, mdp->reward[k]);
  }
  if (least >= 0.0) {
    return most;
  }
  return (bounds_can_end(mdp) ? fmax(most, 0.0) : most) - least;
}

void cpi_mixture(double *out, const double *p, const double *q, double alpha, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) {
    out[i] = (1.0 - alpha) * p[i] + alpha * q[i];
  }
}

/* --- closed forms -------------------------------------------------------------------------------------------------- */

static void rule_kl02(CpiStep *step, double c, double range) {
  const double x = c * c * c * step->advantage / range;
  step->alpha = fmin(1.0, x / 4.0);
  step->gain = x * step->advantage / 8.0;
}

static void rule_simple(CpiStep *step, double gamma, double c) {
  const double k = 2.0 * step->epsilon_bar * gamma
                   / (c * c); /* the bound is alpha PA - k alpha^2 */
  if (step->advantage >= 2.0 * k) {
    step->alpha = 1.0;
    step->gain = step->advantage - k;
  } else {
    step->alpha = step->advantage / (2.0 * k);
    step->gain = step->advantage * step->alpha / 2.0;
  }
}

/* With y = c + gamma alpha the bound is stationary where 1 - c^2 / y^2 = z, z = c PA / (2 epsilon_bar) in [0, 1/2]:
 * alpha = c / gamma (1 / sqrt(1 - z) - 1), and its value there is 2 epsilon_bar / gamma (1 - sqrt(1 - z))^2. */
static void rule_bound(CpiStep *step, double gamma, double c) {
  const double z = fmin(0.5, c * step->advantage / (2.0 * step->epsilon_bar));
  const double root = 0.5 * log1p(-z); /* log sqrt(1 - z) */
  const double x = c * expm1(-root);
  if (x >= gamma) {
    step->alpha = 1.0;
    step->gain = step->advantage - 2.0 * step->epsilon_bar * gamma / c;
  } else {
    step->alpha = x / gamma;
    step->gain = 2.0 * step->epsilon_bar / gamma * expm1(root) * expm1(root);
  }
}

Status cpi_alpha(CpiStep *step, CpiRule rule, double gamma, double range) {
  const double c = 1.0 - gamma;
  step->alpha = step->gain = 0.0;
  if (step->epsilon_bar == 0.0) {
    return OPTIMAL;
  }
  if (step->advantage == 0.0) {
    return STALLED;
  }
  if (rule == CPI_KL02) {
    rule_kl02(step, c, range);
  } else if (rule == CPI_SIMPLE) {
    rule_simple(step, gamma, c);
  } else {
    rule_bound(step, gamma, c);
  }
  return OK;
}

/* --- the global maximum along the mixture ------------------------------------------------------------------------------ */

typedef struct Search {
  const Mdp *mdp;
  const double *pi, *pi2;
  double scale; /* max |R| / (1 - gamma) */
  Chain chain;
  double *mixed; /* [S, A] */
  double *v;     /* [S] values of the last policy evaluated */
  double open;   /* largest error of a value of eta so far */
  Arena *ws;
} Search;

/* eta(pi_alpha) */
static Status eta_at(Search *x, double alpha, double *eta) {
  const ptrdiff_t S = x->mdp->S;
  ChainInfo info = {0};
  cpi_mixture(x->mixed, x->pi, x->pi2, alpha, S * x->mdp->A);
  Status status = chain_init(&x->chain, x->mdp, x->mixed, x->ws);
  if (status == OK) {
    /* 1e-13 of the largest value that is possible, where double precision allows that */
    const double tolerance = fmax(1e-13 * (1.0 - x->mdp->gamma), 2.0 * DBL_EPSILON) * x->scale;
    status = chain_solve(&x->chain, x->v, x->chain.reward, tolerance, &info, x->ws);
  }
  if (status >= 0) {
    *eta = sum_dot(x->mdp->rho0, x->v, (size_t)S);
    x->open = fmax(x->open, info.residual / (1.0 - x->mdp->gamma));
    status = isfinite(*eta) ? OK : E_NOT_FINITE;
  }
  return status;
}

static double alpha_of(double x) {
  return 0.5 * (1.0 + x);
}

/* log of 4 M / (r - 1) in units of the scale; inf outside of the ellipse where eta is bounded */
static double log_front(double gamma, double r) {
  const double s = 0.5 * (r + 1.0 / r);
  return gamma * s < 1.0 ? log(4.0 * s * (1.0 - gamma) / (1.0 - gamma * s) / (r - 1.0)) : INFINITY;
}

/* The best of many ellipses: any one is rigorous. find: the least n for log_tolerance; otherwise the least error for n. */
static double best_ellipse(double gamma, double n, double log_tolerance, int find) {
  enum { ELLIPSES = 400 };
  const double largest = 1.0 / gamma + sqrt(1.0 / gamma - 1.0) * sqrt(1.0 / gamma + 1.0);
  const double log_largest = log(fmin(largest, 1e8)); /* gamma = 0 has no largest */
  double best = INFINITY;
  for (int i = 1; i < ELLIPSES; i++) {
    const double log_r = log_largest * i / ELLIPSES, front = log_front(gamma, exp(log_r));
    best = fmin(best, find ? (front - log_tolerance) / log_r : front - n * log_r);
  }
  return best;
}

double cpi_nodes(double gamma, double tolerance) {
  return fmax(1.0, ceil(best_ellipse(gamma, 0.0, log(tolerance), 1)));
}

/* values in the points of n from those of n / 2 (old = 1), or all of them; f [n + 1] */
static Status sample(Search *x, double *f, int n, int old) {
  for (int j = n / 2; old && j >= 0; j--) {
    f[2 * j] = f[j];
  }
  Status status = OK;
  for (int j = 0; j <= n && status == OK; j++) {
    if (!old || j % 2 == 1) {
      status = eta_at(x, alpha_of(chebyshev_point(j, n)), &f[j]);
    }
  }
  return status;
}

/* largest of c [from .. n] */
static double tail(const double *c, int from, int n) {
  double most = 0.0;
  for (int k = from; k <= n; k++) {
    most = fmax(most, fabs(c[k]));
  }
  return most;
}

/* cuts coefficients off whose sum does not matter; *dropped is that sum */
static int trim(const double *c, int n, double negligible, double *dropped) {
  *dropped = 0.0;
  while (n > 1 && *dropped + fabs(c[n]) <= negligible) {
    *dropped += fabs(c[n--]);
  }
  return n;
}

/* the interpolant: as many nodes as certify asks for, or doubled until the last quarter of coefficients vanishes */
static Status interpolate(Search *x, const CpiExactOptions *options, double *f, double *c,
                          CpiExact *out) {
  const double gamma = x->mdp->gamma;
  const double wanted = options->certify ? cpi_nodes(gamma, options->tolerance) : 8.0;
  if (wanted > CPI_NODES) {
    return LIMIT;
  }
  int n = (int)wanted;
  Status status = sample(x, f, n, 0);
  for (;;) {
    if (status == OK) {
      status = chebyshev_fit(c, f, n, x->ws);
    }
    if (status < 0) {
      return status;
    }
    out->nodes = n + 1;
    const double left = tail(c, n - n / 4, n);
    if (options->certify) {
      out->error = exp(best_ellipse(gamma, n, 0.0, 0)) * x->scale;
      return OK;
    }
    if (left <= options->tolerance * tail(c, 0, n)) {
      out->error = (double)(n / 4 + 1) * left;
      return OK;
    }
    if (2 * n > CPI_NODES) {
      return LIMIT;
    }
    n *= 2;
    status = sample(x, f, n, 1);
  }
}

/* the largest value of the interpolant and where; d and root [degree + 1] */
static Status maximise(const double *c, int degree, double *d, double *root, double *where,
                       double *value, Arena *ws) {
  int count = 0;
  chebyshev_derivative(d, c, degree);
  const Status status = chebyshev_roots(root, &count, d, degree - 1, ws);
  *where = 1.0;
  *value = chebyshev_value(c, degree, 1.0);
  for (int i = -1; i < count && status == OK; i++) {
    const double x = i < 0 ? -1.0 : root[i], y = chebyshev_value(c, degree, x);
    if (y > *value) {
      *where = x;
      *value = y;
    }
  }
  return status;
}

/* the best of both ends and the interpolant's maximum, by eta itself; f holds the values of the ends */
static Status settle(Search *x, CpiExact *out, double where, double top, const double *f) {
  const double at_one = f[0], at_zero = f[out->nodes - 1];
  double eta;
  const Status status = eta_at(x, alpha_of(where), &eta);
  if (status < 0) {
    return status;
  }
  out->alpha = 1.0;
  out->eta = at_one;
  if (eta > out->eta) {
    out->alpha = alpha_of(where);
    out->eta = eta;
  }
  if (at_zero >= out->eta) {
    out->alpha = 0.0;
    out->eta = at_zero;
  }
  out->gain = out->eta - at_zero;
  out->gap = fmax(0.0, top + out->error - out->eta);
  return OK;
}

static Status search(Search *x, CpiExact *out, const CpiExactOptions *options) {
  const size_t room = 2 * CPI_NODES + 2;
  double *f = ARENA_PUSH(x->ws, double, room), *c = ARENA_PUSH(x->ws, double, room);
  double *d = ARENA_PUSH(x->ws, double, room), *root = ARENA_PUSH(x->ws, double, room);
  if (f == NULL || c == NULL || d == NULL || root == NULL) {
    return E_NOMEM;
  }
  double dropped, where, top;
  Status status = interpolate(x, options, f, c, out);
  if (status != OK) {
    return status;
  }
  const int n = out->nodes - 1;
  /* errors of values grow by no more than the Lebesgue constant, 1 + 2/pi log(n + 1) */
  out->error += (1.0 + 0.64 * log(n + 1.0)) * (x->open + DBL_EPSILON * tail(f, 0, n));
  out->degree = trim(c, n, out->error, &dropped);
  out->error += dropped;
  status = maximise(c, out->degree, d, root, &where, &top, x->ws);
  return status == OK ? settle(x, out, where, top, f) : status;
}

static double largest_reward(const Mdp *mdp) {
  double most = 0.0;
  for (ptrdiff_t k = 0; k < mdp->rows; k++) {
    most = fmax(most, fabs(mdp->reward[k]));
  }
  return most;
}

Status cpi_exact(CpiExact *out, const Mdp *mdp, const double *pi, const double *pi2,
                 const CpiExactOptions *options, Arena *ws) {
  const ArenaMark mark = arena_mark(ws);
  Search x = {.mdp = mdp, .pi = pi, .pi2 = pi2, .ws = ws};
  CpiExact found = {0};
  x.scale = largest_reward(mdp) / (1.0 - mdp->gamma);
  x.mixed = ARENA_PUSH(ws, double, mdp->S * mdp->A);
  x.v = ARENA_PUSH(ws, double, mdp->S);
  Status status = x.mixed == NULL || x.v == NULL ? E_NOMEM : OK;
  if (status == OK) {
    memset(x.v, 0, (size_t)mdp->S * sizeof *x.v);
    status = search(&x, &found, options);
  }
  chain_free(&x.chain);
  arena_release(ws, mark);
  if (status == OK) {
    *out = found;
  }
  return status == OK && !options->certify ? UNCERTIFIED : status;
}
