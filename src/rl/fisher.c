#include "rl/fisher.h"

#include <math.h>

#include "base/sum.h"

static void metric(void *context, void *dot, int outputs, long first, int n) {
  const Fisher *fisher = context;
  const Policy *policy = fisher->policy;
  policy->dist->metric(policy->net.mlp.precision, dot, fisher->information + first * policy->A, n,
                       outputs, policy->A);
}

/* What a walk over a tape needs to know to write the information of its rows. */
typedef struct Information {
  const Policy *policy;
  const Tape *tape;
  double *out; /* [N][A] */
} Information;

static void information_block(void *context, const TapeBlock *block) {
  const Information *run = context;
  const Policy *policy = run->policy;
  policy->dist->information(policy->net.mlp.precision, run->out + block->first * policy->A,
                            tape_outputs(run->tape, block), policy_extra(policy), block->n,
                            policy->A);
}

/* The information of all rows. NULL when memory runs out. */
static const double *make_information(const Policy *policy, const Tape *tape, Arena *arena) {
  Information run = {policy, tape, ARENA_PUSH(arena, double, tape->N * policy->A)};
  if (run.out) tape_run(tape, information_block, &run);
  return run.out;
}

Status fisher_init(Fisher *fisher, const Policy *policy, const Tape *tape,
                   const double *information_, int products, GaussNewtonForm form, Arena *arena) {
  const GaussNewtonSpec spec = {.form = form,
                                .products = products,
                                .contrast = policy->dist->contrast,
                                .metric_ = metric,
                                .context = fisher};
  fisher->policy = policy;
  fisher->information = information_ ? information_ : make_information(policy, tape, arena);
  if (!fisher->information) return E_NOMEM;
  return gauss_newton_make(&fisher->product, &policy->net, tape, &spec, arena);
}

Status fisher_subset(Fisher *fisher, const Policy *policy, const double *obs, long N, long stride,
                     int products, GaussNewtonForm form, Arena *arena) {
  const Status status = tape_init(&fisher->own, arena, &policy->net, (N + stride - 1) / stride, 1,
                                  1, 0);
  if (status != OK) return status;
  tape_record(&fisher->own, obs, stride * policy->net.observation.size);
  return fisher_init(fisher, policy, &fisher->own, NULL, products, form, arena);
}

Status fisher_apply(void *context, double *out, const double *v) {
  Fisher *fisher = context;
  const Policy *policy = fisher->policy;
  const long P = policy->net.P, P_net = policy->net.mlp.P;
  gauss_newton_apply(&fisher->product, out, v, 1 / (double)fisher->product.tape->N);
  /* the state-independent parameters have a constant information of their own and no cross terms */
  for (long i = P_net; i < P; i++) out[i] = policy->dist->extra_fisher * v[i];
  return isfinite(sum_pairwise(out, (size_t)P)) ? OK : E_NOT_FINITE;
}
