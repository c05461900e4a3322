#include "rl/fisher.h"

#include <math.h>

#include "base/sum.h"

static void metric(void *context, void *dot, int outputs, long first, int n) {
  const Fisher *fisher = context;
  const Policy *policy = fisher->policy;
  policy->dist->metric(policy->net.mlp.precision, dot, fisher->information + first * policy->A, n,
                       outputs, policy->A);
}

static void information_block(void *context, const TapeBlock *block) {
  const Fisher *fisher = context;
  const Policy *policy = fisher->policy;
  policy->dist->information(
      policy->net.mlp.precision, fisher->information + block->first * policy->A,
      tape_outputs(fisher->product.tape, block), policy_extra(policy), block->n, policy->A);
}

Status fisher_init(Fisher *fisher, const Policy *policy, const Tape *tape, int products,
                   GaussNewtonForm form, Arena *arena) {
  const GaussNewtonSpec spec = {.form = form,
                                .products = products,
                                .contrast = policy->dist->contrast,
                                .metric_ = metric,
                                .context = fisher};
  fisher->policy = policy;
  fisher->information = ARENA_PUSH(arena, double, tape->N * policy->A);
  if (!fisher->information) return E_NOMEM;
  const Status status = gauss_newton_make(&fisher->product, &policy->net, tape, &spec, arena);
  if (status == OK) tape_run(tape, information_block, fisher);
  return status;
}

Status fisher_subset(Fisher *fisher, const Policy *policy, const double *obs, long N, long stride,
                     int products, GaussNewtonForm form, Arena *arena) {
  const Status status = tape_init(&fisher->own, arena, &policy->net, (N + stride - 1) / stride, 1,
                                  1, 0);
  if (status != OK) return status;
  tape_record(&fisher->own, obs, stride * policy->net.observation.size);
  return fisher_init(fisher, policy, &fisher->own, products, form, arena);
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
