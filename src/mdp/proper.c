#include "mdp/proper.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "mdp/bellman.h"
#include "mdp/chain.h"
#include "mdp/quotient.h"
#include "mdp/refine.h"
#include "mdp/topology.h"

/* the problem on the quotient, whose states the vectors have */
typedef struct Proper {
  const Mdp *mdp;
  const unsigned char *ends; /* [rows] 1: the row can end the episode */
  Chain chain;
  double *v, *lo; /* values as pairs */
  double *y;      /* a longest time to the end */
  double *work;   /* [S] */
  double *z;      /* [S, A] advantages in doubled precision */
  int64_t *choice, *other;
  ptrdiff_t mixed; /* a state that can be kept near for ever at rewards of both signs, or -1 */
  int pairs;       /* values are given as pairs */
  double size;     /* largest |reward| and |v| */
  double rounding; /* how far any z can be from the exact one */
} Proper;

/* --- is there an answer? -------------------------------------------------------------------------------------------- */

/* what can be collected for ever inside an end component */
enum { GAIN = 1, LOSS = 2 };

static const char *const reasons[] = {
    "is -inf: the episode cannot end from there", "is +inf: rewards can be collected for ever",
    NULL, "is not defined: rewards of both signs can be collected for ever"};

/* the first state that spoils the problem, or else may do so, or -1 */
static ptrdiff_t find_fault(const Mdp *mdp, const unsigned char *rows, const int32_t *component,
                            unsigned char *kinds, const char **reason) {
  for (ptrdiff_t s = 0; s < mdp->S; s++) {
    for (int64_t k = mdp->first[s]; k < mdp->first[s + 1]; k++) {
      if (rows[k] && mdp->reward[k] != 0.0) {
        kinds[component[s]] |= mdp->reward[k] > 0.0 ? GAIN : LOSS;
      }
    }
  }
  ptrdiff_t mixed = -1;
  for (ptrdiff_t s = 0; s < mdp->S; s++) {
    const int kind = component[s] >= 0 ? kinds[component[s]] : 0;
    if (kind == GAIN) {
      *reason = reasons[GAIN];
      return s;
    }
    mixed = kind == (GAIN | LOSS) && mixed < 0 ? s : mixed;
  }
  *reason = mixed >= 0 ? reasons[GAIN | LOSS] : NULL;
  return mixed;
}

/* E_IMPROPER for rewards without end. Where signs are mixed, p->mixed is the first such state: the values decide. */
static Status check_components(Proper *p, ptrdiff_t *state, const char **reason, Arena *ws) {
  const Mdp *mdp = p->mdp;
  const ArenaMark mark = arena_mark(ws);
  unsigned char *rows = ARENA_PUSH(ws, unsigned char, mdp->rows);
  unsigned char *kinds = ARENA_PUSH(ws, unsigned char, mdp->S);
  int32_t *component = ARENA_PUSH(ws, int32_t, mdp->S);
  ptrdiff_t count;
  Status status = E_NOMEM;
  if (rows != NULL && kinds != NULL && component != NULL) {
    for (ptrdiff_t k = 0; k < mdp->rows; k++) {
      rows[k] = !p->ends[k];
    }
    memset(kinds, 0, (size_t)mdp->S);
    status = quotient_end_components(mdp, rows, component, &count, ws);
  }
  if (status == OK) {
    *state = find_fault(mdp, rows, component, kinds, reason);
    p->mixed = *reason == reasons[GAIN | LOSS] ? *state : -1;
    status = *state >= 0 && p->mixed < 0 ? E_IMPROPER : OK;
  }
  arena_release(ws, mark);
  return status;
}

static int64_t ending_row(const Proper *p, ptrdiff_t s) {
  for (int64_t k = p->mdp->first[s]; k < p->mdp->first[s + 1]; k++) {
    if (p->ends[k]) {
      return k;
    }
  }
  return -1;
}

/* first row of s with a successor earlier in the order */
static int64_t nearer(const Mdp *mdp, ptrdiff_t s, const int32_t *place) {
  for (int64_t j = mdp->start[mdp->first[s]], k = mdp->first[s]; k < mdp->first[s + 1]; k++) {
    for (; j < mdp->start[k + 1]; j++) {
      if (place[mdp->next[j]] < place[s]) {
        return k;
      }
    }
  }
  return mdp->first[s];
}

/* a policy that ends surely: every state takes a step nearer to an end; E_IMPROPER when a state cannot */
static Status choose_ending(Proper *p, ptrdiff_t *state, Arena *ws) {
  const Mdp *mdp = p->mdp;
  const ArenaMark mark = arena_mark(ws);
  const TopologyGraph graph = topology_of_mdp(mdp);
  int32_t *order = ARENA_PUSH(ws, int32_t, mdp->S), *place = ARENA_PUSH(ws, int32_t, mdp->S);
  unsigned char *ends = ARENA_PUSH(ws, unsigned char, mdp->S);
  ptrdiff_t reached = 0;
  Status status = E_NOMEM;
  if (order != NULL && place != NULL && ends != NULL) {
    for (ptrdiff_t s = 0; s < mdp->S; s++) {
      p->choice[s] = ending_row(p, s);
      ends[s] = p->choice[s] >= 0;
    }
    status = topology_from_exits(&graph, order, ends, &reached, ws);
  }
  if (status == OK && reached < mdp->S) {
    *state = order[reached];
    status = E_IMPROPER;
  }
  for (ptrdiff_t i = 0; status == OK && i < mdp->S; i++) {
    place[order[i]] = (int32_t)i;
  }
  for (ptrdiff_t s = 0; status == OK && s < mdp->S; s++) {
    p->choice[s] = p->choice[s] >= 0 ? p->choice[s] : nearer(mdp, s, place);
  }
  arena_release(ws, mark);
  return status;
}

/* --- policy iteration ----------------------------------------------------------------------------------------------- */

static double largest(const double *x, ptrdiff_t n) {
  double most = 0.0;
  for (ptrdiff_t i = 0; i < n; i++) {
    most = fabs(x[i]) <= most ? most : fabs(x[i]);
  }
  return most;
}

/* values of the choice, to the precision of the numbers */
static Status evaluate(Proper *p, IterationInfo *info, Arena *ws) {
  ChainInfo solved;
  Status status = chain_select(&p->chain, p->mdp, p->choice);
  if (status == OK) {
    const double reward = largest(p->chain.reward, p->mdp->S);
    status = chain_solve(&p->chain, p->v, p->chain.reward, DBL_EPSILON * reward, &solved, ws);
    p->size = reward + largest(p->v, p->mdp->S);
    info->sweeps += solved.iterations * (double)p->mdp->S / (double)p->mdp->rows;
  }
  if (status >= 0 && !(p->size <= DBL_MAX)) {
    status = E_NOT_FINITE;
  }
  return status < 0 ? status : OK;
}

/* the rows p->other as p->chain; in order first the *reached states from which they can end */
static Status select_other(Proper *p, int32_t *order, ptrdiff_t *reached, Arena *ws) {
  const ArenaMark mark = arena_mark(ws);
  unsigned char *ends = ARENA_PUSH(ws, unsigned char, p->mdp->S);
  Status status = ends != NULL ? chain_select(&p->chain, p->mdp, p->other) : E_NOMEM;
  if (status == OK) {
    const TopologyGraph graph = topology_of_chain(&p->chain);
    for (ptrdiff_t s = 0; s < p->mdp->S; s++) {
      ends[s] = p->ends[p->other[s]];
    }
    status = topology_from_exits(&graph, order, ends, reached, ws);
  }
  arena_release(ws, mark);
  return status;
}

/*
 * Whether the greedy rows p->other still end surely. A class that they never leave holds a row that is better than the
 * choice's, which ended: the mean of T v - v over the class is its mean reward, so that this is > 0.
 */
static Status check_ending(Proper *p, IterationInfo *info, Arena *ws) {
  const ptrdiff_t S = p->mdp->S;
  const ArenaMark mark = arena_mark(ws);
  int32_t *order = ARENA_PUSH(ws, int32_t, S);
  ptrdiff_t reached = 0;
  Status status = order != NULL ? select_other(p, order, &reached, ws) : E_NOMEM;
  if (status == OK && reached < S) {
    double least = INFINITY; /* what a changed choice gains; little may be rounding */
    for (ptrdiff_t i = reached; i < S; i++) {
      const ptrdiff_t s = order[i];
      least = p->other[s] != p->choice[s] ? fmin(least, p->work[s] - p->v[s]) : least;
    }
    const int sure = least > 1e-9 * p->size;
    info->state = sure ? order[reached] : p->mixed;
    info->reason = reasons[sure ? GAIN : GAIN | LOSS];
    status = E_IMPROPER;
  }
  arena_release(ws, mark);
  return status;
}

/* until no choice improves by more than rounding; the choice stays one that ends surely */
static Status improve(Proper *p, long limit, int *spent, IterationInfo *info, Arena *ws) {
  const size_t bytes = (size_t)p->mdp->S * sizeof *p->choice;
  *spent = 0;
  for (;;) {
    BellmanInfo seen;
    Status status = evaluate(p, info, ws);
    if (status != OK) {
      return status;
    }
    memcpy(p->other, p->choice, bytes);
    bellman_backup(p->mdp, p->work, p->other, p->v, &seen);
    info->iterations++;
    info->sweeps += 1.0;
    if (isnan(seen.low)) {
      return E_NOT_FINITE;
    }
    if (seen.changed == 0 || seen.high <= 64 * DBL_EPSILON * p->size) {
      return OK;
    }
    if (limit > 0 && info->iterations >= limit) {
      *spent = 1;
      return OK;
    }
    status = p->mixed >= 0 ? check_ending(p, info, ws) : OK;
    if (status != OK) {
      return status;
    }
    memcpy(p->choice, p->other, bytes);
  }
}

/* --- refinement and certificate -------------------------------------------------------------------------------------- */

/* the pair's residuals: of the choice into work, of all rows into z */
static Status measure(Proper *p, RefineBound *own, Arena *ws) {
  const RefinePass chosen = {.v = p->v, .lo = p->lo, .choice = p->choice, .residual = p->work};
  const RefinePass all = {.v = p->v, .lo = p->lo, .adv = p->z};
  RefineBound every;
  Status status = refine_pass(p->mdp, &chosen, own, ws);
  if (status == OK) {
    status = refine_pass(p->mdp, &all, &every, ws);
    p->rounding = every.rounding + own->rounding;
  }
  return status;
}

static Status refine(Proper *p, RefineBound *own, Arena *ws) {
  Status status = measure(p, own, ws);
  for (int round = 0; status == OK && round < 4; round++) {
    const double before = own->residual;
    ChainInfo solved;
    if (before <= DBL_EPSILON * DBL_EPSILON * p->size) {
      break;
    }
    memset(p->y, 0, (size_t)p->mdp->S * sizeof *p->y);
    status = chain_solve(&p->chain, p->y, p->work, 1e-6 * before, &solved, ws);
    if (status >= 0) {
      refine_add(p->v, p->lo, p->y, p->mdp->S);
      status = measure(p, own, ws);
    }
    if (status != OK || !(own->residual < 0.1 * before)) {
      break;
    }
  }
  return status;
}

/* y(s) - sum prob y of a row, from below */
static double lag(const Mdp *mdp, ptrdiff_t s, int64_t k, const double *y) {
  double sum = 0.0;
  for (int64_t j = mdp->start[k]; j < mdp->start[k + 1]; j++) {
    sum += mdp->prob[j] * y[mdp->next[j]];
  }
  const double n = (double)(mdp->start[k + 1] - mdp->start[k]);
  return y[s] - sum - (n + 4) * DBL_EPSILON * (sum + y[s]);
}

/* Longest expected times to the end along rows with z >= -margin, by policy iteration. UNCERTIFIED when there are none. */
static Status find_times(Proper *p, double margin, int32_t *order, Arena *ws) {
  const Mdp *mdp = p->mdp;
  memcpy(p->other, p->choice, (size_t)mdp->S * sizeof *p->choice);
  for (int round = 0; round < 100; round++) {
    ChainInfo solved;
    int changed = 0;
    ptrdiff_t reached = 0;
    Status status = select_other(p, order, &reached, ws);
    if (status == OK && reached < mdp->S) {
      return UNCERTIFIED; /* no end, no times */
    }
    for (ptrdiff_t s = 0; s < mdp->S; s++) {
      p->work[s] = 1.0;
      p->y[s] = round == 0 ? 1.0 : p->y[s];
    }
    if (status == OK) {
      status = chain_solve(&p->chain, p->y, p->work, 1e-6, &solved, ws);
    }
    if (status < 0) {
      return status == E_NOMEM ? status : UNCERTIFIED;
    }
    for (ptrdiff_t s = 0; s < mdp->S; s++) {
      double best = 1.0 - 1e-3;
      for (int64_t k = mdp->first[s]; k < mdp->first[s + 1]; k++) {
        const double left = p->z[s * mdp->A + mdp->action[k]] >= -margin ? lag(mdp, s, k, p->y)
                                                                         : 1.0;
        if (left < best) {
          best = left;
          p->other[s] = k;
          changed = 1;
        }
      }
      if (!(p->y[s] >= 0.0 && p->y[s] <= 1e15)) {
        return UNCERTIFIED;
      }
    }
    if (!changed) {
      return OK;
    }
  }
  return UNCERTIFIED;
}

/* the bound that y, whatever it is, proves: see the header */
static double prove(const Proper *p, double margin, double residual) {
  const Mdp *mdp = p->mdp;
  double k_up = 0.0, c = INFINITY;
  for (ptrdiff_t s = 0; s < mdp->S; s++) {
    for (int64_t k = mdp->first[s]; k < mdp->first[s + 1]; k++) {
      const double z = p->z[s * mdp->A + mdp->action[k]],
                   error = p->rounding + DBL_EPSILON * fabs(z);
      if (z >= -margin || k == p->choice[s]) {
        const double left = lag(mdp, s, k, p->y);
        if (!(left > 0.0 && p->y[s] >= 0.0)) {
          return INFINITY;
        }
        c = fmin(c, left);
        k_up = fmax(k_up, (z + error) / left);
      }
    }
  }
  k_up *= 1.0 + 4 * DBL_EPSILON;
  for (ptrdiff_t s = 0; s < mdp->S; s++) {
    for (int64_t k = mdp->first[s]; k < mdp->first[s + 1]; k++) {
      const double z = p->z[s * mdp->A + mdp->action[k]],
                   error = p->rounding + DBL_EPSILON * fabs(z);
      if (z < -margin && !(z + error <= k_up * lag(mdp, s, k, p->y) * (1.0 + 8 * DBL_EPSILON))) {
        return INFINITY;
      }
    }
  }
  const double down = residual / c;
  return fmax(k_up, down) * largest(p->y, mdp->S) * (1.0 + 8 * DBL_EPSILON);
}

static Status certify(Proper *p, double *bound, Arena *ws) {
  RefineBound own;
  int32_t *order = ARENA_PUSH(ws, int32_t, p->mdp->S);
  Status status = order != NULL ? refine(p, &own, ws) : E_NOMEM;
  *bound = INFINITY;
  for (double share = 1e-6; status == OK && share > 1e-15; share *= 1e-3) {
    const double margin = share * p->size;
    const Status found = find_times(p, margin, order, ws);
    if (found < 0) {
      status = found;
    } else if (found == OK) {
      *bound = fmin(*bound, prove(p, margin, own.residual + own.rounding));
    }
    if (isfinite(*bound)) {
      break;
    }
  }
  return status;
}

/* --- all of it -------------------------------------------------------------------------------------------------------- */

static Status proper_init(Proper *p, const Quotient *q, Arena *ws) {
  const Mdp *mdp = &q->mdp;
  const ptrdiff_t S = mdp->S;
  *p = (Proper){.mdp = mdp,
                .ends = q->ends,
                .v = ARENA_PUSH(ws, double, S),
                .lo = ARENA_PUSH(ws, double, S),
                .y = ARENA_PUSH(ws, double, S),
                .work = ARENA_PUSH(ws, double, S),
                .z = ARENA_PUSH(ws, double, S * mdp->A),
                .choice = ARENA_PUSH(ws, int64_t, S),
                .other = ARENA_PUSH(ws, int64_t, S)};
  if (!p->v || !p->lo || !p->y || !p->work || !p->z || !p->choice || !p->other) {
    return E_NOMEM;
  }
  memset(p->v, 0, (size_t)S * sizeof *p->v);
  memset(p->lo, 0, (size_t)S * sizeof *p->lo);
  return OK;
}

/* a state of the process for one of the quotient */
static ptrdiff_t member(const Quotient *q, ptrdiff_t S, ptrdiff_t state) {
  ptrdiff_t s = 0;
  while (s + 1 < S && q->class_[s] != state) {
    s++;
  }
  return s;
}

static Status solve_quotient(const IterationOptions *options, Proper *p, IterationInfo *info,
                             Arena *ws) {
  int spent = 0;
  Status status = check_components(p, &info->state, &info->reason, ws);
  if (status == OK) {
    status = choose_ending(p, &info->state, ws);
    info->reason = status == E_IMPROPER ? reasons[p->mixed >= 0 ? GAIN | LOSS : 0] : NULL;
  }
  if (status == OK) {
    status = improve(p, options->iterations, &spent, info, ws);
  }
  if (status == OK) {
    status = certify(p, &info->bound, ws);
  }
  if (status == OK && p->mixed >= 0 && !spent && !isfinite(info->bound)) {
    /* an upper solution would have shown that every class that is never left loses */
    info->state = p->mixed;
    info->reason = reasons[GAIN | LOSS];
    status = E_IMPROPER;
  }
  if (status != OK) {
    return status;
  }
  const double wanted = options->certify > 0.0 ? options->certify : options->tolerance;
  info->bound_rounded = (info->bound + largest(p->lo, p->mdp->S)) * (1.0 + 4 * DBL_EPSILON);
  p->pairs = options->certify > 0.0 || (options->deepen && info->bound_rounded > wanted);
  info->bound = p->pairs ? info->bound : info->bound_rounded;
  return spent                    ? LIMIT
         : !isfinite(info->bound) ? UNCERTIFIED
         : info->bound > wanted   ? E_TOLERANCE
                                  : OK;
}

Status proper_solve(const IterationOptions *options, const Mdp *mdp, double *v, double *v_lo,
                    int64_t *choice, IterationInfo *info, Arena *ws) {
  const ArenaMark mark = arena_mark(ws);
  Quotient q;
  Proper p = {0};
  Status status = quotient_init(&q, mdp, ws);
  info->method = "policy_iteration";
  if (status == OK) {
    status = proper_init(&p, &q, ws);
  }
  if (status == OK) {
    status = solve_quotient(options, &p, info, ws);
  }
  if (status == E_IMPROPER) {
    info->state = member(&q, mdp->S, info->state);
  }
  if (status == OK || status == LIMIT || status == UNCERTIFIED) {
    const Status lifted = quotient_lift(&q, mdp, choice, p.choice, ws);
    status = lifted == OK ? status : lifted;
    for (ptrdiff_t s = 0; s < mdp->S; s++) {
      v[s] = p.v[q.class_[s]];
      v_lo[s] = p.pairs ? p.lo[q.class_[s]] : 0.0;
    }
  }
  chain_free(&p.chain);
  quotient_free(&q);
  arena_release(ws, mark);
  return status;
}
