#include "mdp/iteration.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "mdp/bellman.h"
#include "mdp/blocks.h"
#include "mdp/chain.h"
#include "mdp/control.h"
#include "mdp/elimination.h"
#include "mdp/howard.h"
#include "mdp/proper.h"
#include "mdp/refine.h"
#include "mdp/relaxation.h"
#include "mdp/topology.h"

/* --- value iteration ------------------------------------------------------------------------------------------------ */

/* the process without rows that were eliminated, and what its rows were called before */
typedef struct Reduction {
  Mdp mdp; /* zeroed at first */
  int64_t *kept;
  double width; /* of the bounds when it was last tried */
} Reduction;

/* drops rows that the bounds exclude, once those have come ten times nearer */
static Status eliminate(Control *control, Reduction *r, int64_t *kept, Arena *ws) {
  Mdp reduced = {0};
  const double size = control->floor * (1.0 - control->mdp->gamma * control->shape.mass_high);
  const double margin = control->above - control->below + 8 * size;
  if (!(control->width < 0.1 * r->width)) {
    return OK;
  }
  r->width = control->width;
  const Status status = elimination_reduce(&reduced, kept, control->choice, control->mdp,
                                           control->v, margin, ws);
  if (status == OK && reduced.storage != NULL) {
    for (ptrdiff_t k = 0; k < reduced.rows; k++) {
      r->kept[k] = r->mdp.storage != NULL ? r->kept[kept[k]] : kept[k];
    }
    mdp_free(&r->mdp);
    r->mdp = reduced;
    control->mdp = &r->mdp;
  }
  return status;
}

static Status sweep_values(Control *control, Reduction *r, int64_t *kept, Arena *ws) {
  const double all = (double)control->mdp->rows;
  for (;;) {
    Status status = control_step(control);
    control->sweeps += (double)control->mdp->rows / all - 1.0;
    if (status != OK || control_done(control) || control_spent(control)) {
      return status;
    }
    status = eliminate(control, r, kept, ws);
    if (status != OK) {
      return status;
    }
  }
}

static Status run_values(Control *control, Arena *ws) {
  const Mdp *whole = control->mdp;
  const ArenaMark mark = arena_mark(ws);
  Reduction r = {.width = INFINITY, .kept = ARENA_PUSH(ws, int64_t, whole->rows)};
  int64_t *kept = ARENA_PUSH(ws, int64_t, whole->rows);
  Status status = r.kept != NULL && kept != NULL ? OK : E_NOMEM;
  if (status == OK) {
    status = sweep_values(control, &r, kept, ws);
  }
  for (ptrdiff_t s = 0; status == OK && r.mdp.storage != NULL && s < whole->S; s++) {
    control->choice[s] = r.kept[control->choice[s]];
  }
  control->mdp = whole;
  mdp_free(&r.mdp);
  arena_release(ws, mark);
  return status;
}

/* --- structure ------------------------------------------------------------------------------------------------------- */

/* linear systems where values travel slowly, settled by Gauss-Seidel sweeps where episodes end */
static Status run_krylov(Control *control, Arena *ws) {
  const ArenaMark mark = arena_mark(ws);
  int32_t *order = NULL;
  HowardInfo howard;
  Status status = OK;
  if (!control_uniform(control)) {
    order = ARENA_PUSH(ws, int32_t, control->mdp->S);
    status = order != NULL ? relaxation_order(control->mdp, order, ws) : E_NOMEM;
  }
  if (status == OK) {
    status = howard_run(control, HOWARD_KRYLOV, 0, order, &howard, ws);
  }
  arena_release(ws, mark);
  return status;
}

/* sweeps as long as they pay, then linear systems */
static Status run_watched(Control *control, Arena *ws) {
  HowardInfo howard;
  const Status status = howard_run(control, HOWARD_SWEEPS, 1, NULL, &howard, ws);
  return status == OK && howard.slow ? run_krylov(control, ws) : status;
}

/* Component by component, unless one holds most of the states and always is 0. Sets *done when it did so. */
static Status run_blocks(Control *control, int always, int *done, Arena *ws) {
  const ArenaMark mark = arena_mark(ws);
  const TopologyGraph graph = topology_of_mdp(control->mdp);
  int32_t *order = ARENA_PUSH(ws, int32_t, graph.S), *begin = ARENA_PUSH(ws, int32_t, graph.S + 1);
  ptrdiff_t count = 0, largest = 0;
  Status status = E_NOMEM;
  *done = 0;
  if (order != NULL && begin != NULL) {
    status = topology_components(&graph, order, begin, &count, ws);
  }
  for (ptrdiff_t i = 0; status == OK && i < count; i++) {
    largest = begin[i + 1] - begin[i] > largest ? begin[i + 1] - begin[i] : largest;
  }
  if (status == OK && (always || largest <= graph.S / 2)) {
    *done = 1;
    status = blocks_run(control, order, begin, count, run_watched, ws);
  }
  arena_release(ws, mark);
  return status;
}

/* the bounds of what was found by components, and what they leave to do */
static Status run_topological(Control *control, Arena *ws) {
  int done;
  const Status status = run_blocks(control, 1, &done, ws);
  return status == OK ? run_watched(control, ws) : status;
}

static Status run_auto(Control *control, const char **method, Arena *ws) {
  HowardInfo howard;
  int done;
  *method = "modified_policy_iteration";
  Status status = howard_run(control, HOWARD_SWEEPS, 1, NULL, &howard, ws);
  if (status != OK || !howard.slow) {
    return status;
  }
  status = run_blocks(control, 0, &done, ws);
  *method = done ? "topological" : "krylov";
  return status == OK ? run_krylov(control, ws) : status;
}

/* --- methods ---------------------------------------------------------------------------------------------------------- */

static const char *const names[] = {
    "auto",   "value_iteration", "gauss_seidel", "policy_iteration", "modified_policy_iteration",
    "krylov", "topological"};

static Status run(IterationMethod method, Control *control, const char **name, Arena *ws) {
  HowardInfo howard;
  *name = names[method];
  switch (method) {
  case ITERATION_VALUE: return run_values(control, ws);
  case ITERATION_GAUSS_SEIDEL: return relaxation_run(control, ws);
  case ITERATION_POLICY: return howard_run(control, HOWARD_EXACT, 0, NULL, &howard, ws);
  case ITERATION_MODIFIED: return howard_run(control, HOWARD_SWEEPS, 0, NULL, &howard, ws);
  case ITERATION_KRYLOV: return run_krylov(control, ws);
  case ITERATION_TOPOLOGICAL: return run_topological(control, ws);
  default: return run_auto(control, name, ws);
  }
}

/* the certified distance of control->v from V* */
static double certify(const Control *control) {
  double low, high, below, above;
  bellman_bracket(control->mdp, control->v, &low, &high);
  bellman_bounds(control->mdp->gamma, &control->shape, low, high, &below, &above);
  const double bound = fmax(-below, above) * (1.0 + 4 * DBL_EPSILON);
  return isnan(bound) ? INFINITY : fmax(bound, 0.0);
}

/* values of the first policy, roughly, as a first guess */
static Status evaluate_first(const Mdp *mdp, double *v, const int64_t *choice, Arena *ws) {
  Chain chain = {0};
  ChainInfo solved;
  double largest = 0.0;
  Status status = chain_select(&chain, mdp, choice);
  for (ptrdiff_t s = 0; status == OK && s < mdp->S; s++) {
    largest = fmax(largest, fabs(chain.reward[s]));
  }
  if (status == OK) {
    status = chain_solve(&chain, v, chain.reward, 1e-6 * largest, &solved, ws);
  }
  chain_free(&chain);
  return status < 0 ? status : OK;
}

/* Where episodes end, a first guess below all values: T v >= v then, and what is known near the ends travels with the
 * sweeps over one policy. From above, every state looks as good as the ends, and news travels by one state an iteration. */
static void start_low(Control *control) {
  const Mdp *mdp = control->mdp;
  double least = 0.0;
  for (ptrdiff_t k = 0; k < mdp->rows; k++) {
    least = fmin(least, mdp->reward[k]);
  }
  for (ptrdiff_t s = 0; s < mdp->S; s++) {
    control->v[s] = least / (1.0 - mdp->gamma);
  }
}

/* runs the method until the certificate holds; a width that proved too wide is halved and more, as far as rounding lets it */
static Status run_certified(const IterationOptions *options, Control *control, IterationInfo *info,
                            Arena *ws) {
  for (;;) {
    const Status status = run(options->method, control, &info->method, ws);
    if (status != OK) {
      return status;
    }
    control_centre(control);
    info->bound = certify(control);
    if (info->bound <= options->tolerance) {
      return OK;
    }
    if (control_spent(control)) {
      return LIMIT;
    }
    if (control->target <= control->floor) {
      return E_TOLERANCE;
    }
    control->target *= 0.25;
  }
}

/* --- doubled precision ------------------------------------------------------------------------------------------------ */

/* rounds of refinement, and those without headway after which rounding is taken to be in the way */
enum { MOST_ROUNDS = 60, IDLE_ROUNDS = 6 };
static const double ROUND =
    1e-5; /* each leaves this share of the residual, as far as double goes */

/* (v, lo) += solution d of (I - gamma P) d = residual, P being the rows of choice: Newton's step, and policy iteration's */
static Status refine_step(const Mdp *mdp, Chain *chain, double *v, double *lo,
                          const int64_t *choice, const double *residual, double size, Arena *ws) {
  const ArenaMark mark = arena_mark(ws);
  double *d = ARENA_PUSH(ws, double, mdp->S);
  ChainInfo solved;
  Status status = d != NULL ? chain_select(chain, mdp, choice) : E_NOMEM;
  if (status == OK) {
    memset(d, 0, (size_t)mdp->S * sizeof *d);
    status = chain_solve(chain, d, residual, ROUND * size, &solved, ws);
  }
  if (status >= 0) {
    refine_add(v, lo, d, mdp->S);
    status = OK;
  }
  arena_release(ws, mark);
  return status;
}

static Status refine_rounds(double wanted, const Control *control, Chain *chain, double *lo,
                            IterationInfo *info, Arena *ws) {
  const Mdp *mdp = control->mdp;
  double *residual = ARENA_PUSH(ws, double, mdp->S);
  int idle = 0;
  if (residual == NULL) {
    return E_NOMEM;
  }
  const RefinePass pass = {
      .v = control->v, .lo = lo, .residual = residual, .best = control->choice};
  info->bound = INFINITY;
  for (int round = 0;; round++) {
    RefineBound found;
    double below, above;
    Status status = refine_pass(mdp, &pass, &found, ws);
    if (status != OK) {
      return status;
    }
    const double size = (found.residual + found.rounding) * (1.0 + 4 * DBL_EPSILON);
    bellman_bounds(mdp->gamma, &control->shape, -size, size, &below, &above);
    idle = above < 0.5 * info->bound ? 0 : idle + 1;
    info->bound = above;
    info->sweeps += 5.0;
    if (!isfinite(size)) {
      return E_NOT_FINITE;
    }
    if (above <= wanted) {
      return OK;
    }
    if (idle > IDLE_ROUNDS || round == MOST_ROUNDS) {
      return E_TOLERANCE;
    }
    status = refine_step(mdp, chain, control->v, lo, control->choice, residual, found.residual, ws);
    if (status != OK) {
      return status;
    }
  }
}

/* values as pairs within the distance wanted; the pass that certifies is one over all actions in doubled precision */
static Status refine(double wanted, const Control *control, double *lo, IterationInfo *info,
                     Arena *ws) {
  const ArenaMark mark = arena_mark(ws);
  Chain chain = {0};
  double largest = 0.0;
  const Status status = refine_rounds(wanted, control, &chain, lo, info, ws);
  for (ptrdiff_t s = 0; s < control->mdp->S; s++) {
    largest = fmax(largest, fabs(lo[s]));
  }
  info->bound_rounded = (info->bound + largest) * (1.0 + 4 * DBL_EPSILON);
  chain_free(&chain);
  arena_release(ws, mark);
  return status;
}

/* --- all of it -------------------------------------------------------------------------------------------------------- */

static Status run_refined(const IterationOptions *options, Control *control, double *lo,
                          IterationInfo *info, Arena *ws) {
  const Status status = run(options->method, control, &info->method, ws);
  if (status != OK) {
    return status;
  }
  control_centre(control);
  if (control_spent(control) && !control_done(control)) {
    info->bound = info->bound_rounded = certify(control);
    return info->bound <= options->certify ? OK : LIMIT;
  }
  return refine(options->certify, control, lo, info, ws);
}

static Status run_control(const IterationOptions *options, Control *control, double *lo,
                          IterationInfo *info, Arena *ws) {
  if (options->certify > 0.0) {
    control->target = options->certify;
    return run_refined(options, control, lo, info, ws);
  }
  const Status status = run_certified(options, control, info, ws);
  info->bound_rounded = info->bound;
  return status == E_TOLERANCE && options->deepen
             ? refine(options->tolerance, control, lo, info, ws)
             : status;
}

static Status solve_discounted(const IterationOptions *options, const Mdp *mdp, double *v,
                               double *v_lo, int64_t *choice, IterationInfo *info, Arena *ws) {
  Control control;
  for (ptrdiff_t s = 0; !options->warm && s < mdp->S; s++) {
    choice[s] = -1;
  }
  Status status = control_init(&control, mdp, options->v0, choice, 0.5 * options->tolerance,
                               options->iterations, ws);
  if (status != OK) {
    return status;
  }
  if (!(mdp->gamma * control.shape.mass_high < 1.0 - 64 * DBL_EPSILON)) {
    return E_TOLERANCE; /* no contraction that could be certified */
  }
  if (status == OK && !options->warm && options->v0 == NULL && !control_uniform(&control)) {
    start_low(&control);
  }
  if (options->warm && options->v0 == NULL) {
    status = evaluate_first(mdp, control.v, choice, ws);
  }
  if (status == OK) {
    status = run_control(options, &control, v_lo, info, ws);
  }
  info->iterations = control.iterations;
  info->sweeps += control.sweeps;
  memcpy(v, control.v, (size_t)mdp->S * sizeof *v);
  return status;
}

Status iteration_solve(const IterationOptions *options, const Mdp *mdp, double *v, double *v_lo,
                       int64_t *choice, IterationInfo *info, Arena *ws) {
  const ArenaMark mark = arena_mark(ws);
  Status status;
  *info = (IterationInfo){.method = names[options->method], .bound = INFINITY, .state = -1};
  memset(v_lo, 0, (size_t)mdp->S * sizeof *v_lo);
  if (mdp->gamma >= 1.0) {
    status = proper_solve(options, mdp, v, v_lo, choice, info, ws);
  } else {
    status = solve_discounted(options, mdp, v, v_lo, choice, info, ws);
  }
  if (status == OK || status == LIMIT || status == UNCERTIFIED) {
    info->bound_rounded = fmax(info->bound, info->bound_rounded);
    if (mdp->gamma < 1.0) {
      bellman_greedy(mdp, choice, v);
    }
  }
  arena_release(ws, mark);
  return status;
}
