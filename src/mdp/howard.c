#include "mdp/howard.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/pool.h"
#include "mdp/chain.h"
#include "mdp/relaxation.h"
#include "solve/bicgstab.h"

enum {
  SWEEPS = 20,          /* over one policy, at most */
  SWEEPS_STABLE = 60,   /* while it does not change */
  SWEEPS_UNSETTLED = 3, /* while many choices change and a linear system is to follow */
  SETTLE = 4,           /* rounds of those between two linear systems */
  SETTLE_MANY = 40,     /* the same while many choices change: round a circle they might for ever */
  PATIENCE = 10,        /* iterations without headway near the floor of rounding */
  PLAIN_PRODUCTS = 1000, /* of BiCGStab without preconditioner */
  SLOW = 100,            /* so many further sweeps are too many */
  LONG = 2000            /* sweeps after which the same is believed of a process that ends */
};
/* the shares of the bounds' distance to which sweeps go, of the residual to which linear systems are solved, while the
 * policy changes and then, and of the states above which many choices change */
static const double ENOUGH = 0.1, FORCING = 1e-2, FORCING_STABLE = 1e-3, UNSETTLED = 0.01;

typedef struct Extremes {
  double low, high;
  char padding[48];
} Extremes;

typedef struct Sweep {
  const Chain *chain;
  double *out;
  const double *v;
  Extremes seen[POOL_LIMIT];
} Sweep;

static void sweep_chunk(void *context, int chunk, int worker) {
  Sweep *job = context;
  const Chain *c = job->chain;
  const double *v = job->v;
  const ptrdiff_t begin = mdp_chunk_begin(c->S, chunk), end = mdp_chunk_begin(c->S, chunk + 1);
  double low = job->seen[worker].low, high = job->seen[worker].high;
  for (ptrdiff_t s = begin; s < end; s++) {
    double sum = 0.0;
    for (int64_t j = c->start[s]; j < c->start[s + 1]; j++) {
      sum += c->prob[j] * v[c->next[j]];
    }
    const double value = c->reward[s] + c->gamma * sum, d = value - v[s];
    job->out[s] = value;
    low = d < low ? d : low;
    high = d > high ? d : high;
  }
  job->seen[worker].low = low;
  job->seen[worker].high = high;
}

/* out = r + gamma P v; the extremes of out - v */
static void sweep(const Chain *chain, double *out, const double *v, double *low, double *high) {
  Sweep job = {.chain = chain, .out = out, .v = v};
  for (int i = 0; i < POOL_LIMIT; i++) {
    job.seen[i] = (Extremes){.low = INFINITY, .high = -INFINITY};
  }
  pool_run(sweep_chunk, &job, mdp_chunks(chain->S));
  *low = INFINITY;
  *high = -INFINITY;
  for (int i = 0; i < POOL_LIMIT; i++) {
    *low = fmin(*low, job.seen[i].low);
    *high = fmax(*high, job.seen[i].high);
  }
}

/* one iteration's choice and its chain */
typedef struct Howard {
  Control *control;
  Chain chain;
  double share;         /* what a pass over the chain costs, in passes over all rows */
  double rate;          /* contraction of one sweep; 0 as long as it is not known */
  const int32_t *order; /* that of Gauss-Seidel sweeps, or NULL */
  int settled;          /* rounds of settle since the last linear system */
  int stale;            /* the chain is older than the choice */
  int plain_fails;      /* BiCGStab without preconditioner did not get there */
  double forcing;       /* share of the residual that a linear system may leave */
  double best;          /* least width when the last one was solved */
  int stuck;            /* the Krylov method did not reach what was asked */
} Howard;

static Status select_chain(Howard *h) {
  const Mdp *mdp = h->control->mdp;
  if (h->chain.storage != NULL && h->control->changed == 0 && !h->stale) {
    return OK;
  }
  const Status status = chain_select(&h->chain, mdp, h->control->choice);
  h->stale = 0;
  if (status == OK) {
    const double all = (double)mdp->start[mdp->rows] + (double)mdp->rows;
    h->share = ((double)h->chain.start[h->chain.S] + (double)h->chain.S) / all;
  }
  return status;
}

/* half the distance between the bounds that the last sweep of the chain gives */
static double sweep_width(const Control *control, double low, double high) {
  double below, above;
  bellman_bounds(control->mdp->gamma, &control->shape, low, high, &below, &above);
  return control_uniform(control) ? 0.5 * (above - below) : fmax(-below, above);
}

/* v = values of the chain, nearer; the optimality pass itself was the first sweep */
static void evaluate_by_sweeps(Howard *h, int many) {
  Control *control = h->control;
  const int stable = control->changed == 0, most = stable ? SWEEPS_STABLE : many;
  double first = 0.0, width = 0.0;
  int k = 0;
  while (k < most) {
    double low, high;
    sweep(&h->chain, control->spare, control->v, &low, &high);
    double *v = control->spare;
    control->spare = control->v;
    control->v = v;
    width = sweep_width(control, low, high);
    first = k == 0 ? width : first;
    k++;
    if (width <= (stable ? 0.5 * control->target : fmax(ENOUGH * first, 0.5 * control->target))
        || width <= control->floor) {
      break;
    }
  }
  control->sweeps += k * h->share;
  h->rate = k >= 3 && width > control->floor ? pow(width / first, 1.0 / (k - 1)) : 0.0;
}

/* Whether sweeps would take long from here. Where episodes end, news from the ends speeds them up as it spreads, and the
 * rate says little before it has arrived everywhere. */
static int is_slow(const Howard *h) {
  const Control *control = h->control;
  const double goal = fmax(control->target, control->floor);
  const int settled = control_uniform(control) || control->changed == 0 || control->sweeps > LONG;
  return settled && h->rate > 0.0 && log(goal / control->width) < SLOW * log(h->rate);
}

static Status apply(void *context, double *out, const double *v) {
  chain_apply(context, out, v);
  return OK;
}

/* BiCGStab as it is, without preconditioner, is parallel and cheap: worth a try before chain_solve, until it has failed */
static Status try_plain(Howard *h, double tolerance, ChainInfo *solved, Arena *ws) {
  const ptrdiff_t S = h->chain.S;
  const ArenaMark mark = arena_mark(ws);
  const KrylovSystem system = {S, apply, NULL, &h->chain, KRYLOV_SUP};
  const KrylovOptions options = {PLAIN_PRODUCTS, tolerance};
  double *work = ARENA_PUSH(ws, double, bicgstab_work(S, 0));
  KrylovInfo info = {0};
  Status status = E_NOMEM;
  if (work != NULL) {
    status = bicgstab_solve(&system, &options, h->control->v, &info, h->chain.reward, work);
  }
  arena_release(ws, mark);
  *solved = (ChainInfo){"bicgstab", (int)info.products, info.residual};
  h->plain_fails = status == LIMIT && info.residual > 4 * info.floor;
  return status;
}

/* v = solution of the chain's linear system to a residual */
static Status evaluate_by_solving(Howard *h, HowardInner inner, HowardInfo *info, Arena *ws) {
  Control *control = h->control;
  const double lost = 1.0 - control->mdp->gamma * control->shape.mass_high;
  const double last = fmax(0.25 * control->target, 0.5 * control->floor) * lost;
  ChainInfo solved;
  control_centre(control);
  h->forcing = control->best < 0.9 * h->best ? fmin(4 * h->forcing, FORCING) : 0.1 * h->forcing;
  h->best = control->best;
  const double forcing = fmax(control->changed == 0 ? fmin(h->forcing, FORCING_STABLE) : h->forcing,
                              1e-8);
  const double tolerance = inner == HOWARD_EXACT ? last
                                                 : fmax(forcing * control->width * lost, last);
  Status status = LIMIT;
  int products = 0;
  if (inner == HOWARD_KRYLOV && h->chain.S > CHAIN_DENSE && !h->plain_fails) {
    status = try_plain(h, tolerance, &solved, ws);
    products = solved.iterations;
  }
  if (status == LIMIT && (products == 0 || h->plain_fails)) {
    status = chain_solve(&h->chain, control->v, h->chain.reward, tolerance, &solved, ws);
    products += solved.iterations;
  }
  if (status < 0) {
    return status;
  }
  control->sweeps += products * h->share;
  info->solver = solved.method;
  h->stuck = status == LIMIT && solved.residual > 4 * tolerance;
  return OK;
}

/* While many choices change the values of one policy are not worth a linear system: news travels by one state with an
 * optimality pass, and across many with Gauss-Seidel sweeps. */
static void settle(Howard *h) {
  Control *control = h->control;
  if (h->order == NULL) {
    evaluate_by_sweeps(h, SWEEPS_UNSETTLED);
    return;
  }
  relaxation_shift(control);
  for (int k = 0; k < 4; k++) {
    RelaxationInfo info;
    relaxation_sweep(control->mdp, control->v, control->choice, h->order, k % 2, &info);
    control->sweeps += 1.0;
  }
  h->stale = 1;
}

/* Whether to sweep once more before a linear system. Few states have their system solved at once, by LU. */
static int is_unsettled(const Howard *h) {
  const Control *control = h->control;
  const int many = control->changed > UNSETTLED * (double)control->mdp->S;
  return control->mdp->S > CHAIN_DENSE && control->changed > 0
         && h->settled < (many ? SETTLE_MANY : SETTLE);
}

static Status iterate(Howard *h, HowardInner inner, int watch, HowardInfo *info, Arena *ws) {
  Control *control = h->control;
  for (;;) {
    Status status = control_step(control);
    if (status != OK || control_done(control) || control_spent(control)) {
      return status;
    }
    if (watch && is_slow(h)) {
      info->slow = 1;
      return OK;
    }
    status = select_chain(h);
    if (status != OK) {
      return status;
    }
    if (inner == HOWARD_SWEEPS || h->stuck) {
      h->stuck = 0;
      if (control->changed == 0) {
        /* bounds are only as good as the sums of rows, times T v - v: both small */
        control_centre(control);
      }
      evaluate_by_sweeps(h, SWEEPS);
    } else if (inner == HOWARD_KRYLOV && is_unsettled(h)) {
      h->settled++;
      settle(h);
    } else {
      h->settled = 0;
      status = evaluate_by_solving(h, inner, info, ws);
      if (status != OK) {
        return status;
      }
    }
  }
}

Status howard_run(Control *control, HowardInner inner, int watch, const int32_t *order,
                  HowardInfo *info, Arena *ws) {
  const ArenaMark mark = arena_mark(ws);
  Howard h = {.control = control,
              .order = order,
              .forcing = FORCING,
              .best = INFINITY,
              .plain_fails = order != NULL};
  *info = (HowardInfo){0};
  control->patience = PATIENCE;
  const Status status = iterate(&h, inner, watch, info, ws);
  chain_free(&h.chain);
  arena_release(ws, mark);
  return status;
}
