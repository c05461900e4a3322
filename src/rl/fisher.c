#include "rl/fisher.h"

#include <math.h>

#include "base/sum.h"

static void metric(void *context, void *dot, const TapeBlock *block) {
  const Fisher *fisher = context;
  const Policy *policy = fisher->policy;
  policy->dist->metric(policy->net.mlp.precision, dot, tape_outputs(fisher->product.tape, block),
                       policy_extra(policy), block->n, policy->A, block->row);
}

Status fisher_init(Fisher *fisher, const Policy *policy, const Tape *tape, int products,
                   Arena *arena) {
  fisher->policy = policy;
  return gauss_newton_init(&fisher->product, &policy->net, tape, products, metric, fisher, arena);
}

Status fisher_subset(Fisher *fisher, const Policy *policy, const double *obs, long N, long stride,
                     int products, Arena *arena) {
  Status status = tape_init(&fisher->own, arena, &policy->net, (N + stride - 1) / stride, 1, 1,
                            dist_work(policy->net.mlp.rows, policy->A));
  if (status != OK) return status;
  tape_record(&fisher->own, obs, stride * policy->net.observation.size);
  return fisher_init(fisher, policy, &fisher->own, products, arena);
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
