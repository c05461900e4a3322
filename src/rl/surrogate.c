#include "rl/surrogate.h"

#include <math.h>
#include <string.h>

#include "base/sum.h"
#include "base/vmath.h"
#include "rl/advantage.h"

static Precision precision(const Surrogate *s) {
  return s->policy->net.mlp.precision;
}

static const double *actions(const Surrogate *s, const TapeBlock *block) {
  return s->action + block->first * dist_action_size(s->policy->dist, s->policy->A);
}

/* ---- set-up -------------------------------------------------------------------------------------------- */

static Status allocate(Surrogate *s, Arena *arena) {
  const Policy *policy = s->policy;
  const long row = dist_work(policy->net.mlp.rows, policy->A);
  s->advantage = ARENA_PUSH(arena, double, s->N);
  s->old_log_prob = ARENA_PUSH(arena, double, s->N);
  s->term = ARENA_PUSH(arena, double, s->N);
  s->kl = ARENA_PUSH(arena, double, s->N);
  s->information = ARENA_PUSH(arena, double, s->N * policy->A);
  s->old_extra = ARENA_PUSH(arena, double, policy->extras);
  s->extras = ARENA_PUSH(arena, double, TAPE_CHUNKS * policy->extras);
  if (!s->advantage || !s->old_log_prob || !s->term || !s->kl || !s->information || !s->old_extra
      || !s->extras)
    return E_NOMEM;
  Status status = tape_init(&s->tape, arena, &policy->net, s->N, 1, 1, row);
  return status == OK ? tape_init(&s->trial, arena, &policy->net, s->N, 0, 0, row) : status;
}

static void copy_advantage(Surrogate *s, const double *advantage) {
  s->unit = advantage_unit(advantage, s->N);
  for (long i = 0; i < s->N; i++) s->advantage[i] = advantage[i] / s->unit;
}

Status surrogate_init(Surrogate *s, Policy *policy, const double *obs, const double *action,
                      const double *advantage, long N, Arena *arena) {
  *s = (Surrogate){.policy = policy, .N = N, .obs = obs, .action = action};
  Status status = allocate(s, arena);
  if (status != OK) return status;
  copy_advantage(s, advantage);
  memcpy(s->old_extra, policy_extra(policy), (size_t)policy->extras * sizeof(double));
  return isfinite(sum_pairwise(s->advantage, (size_t)N)) ? OK : E_NOT_FINITE;
}

/* ---- gradient ------------------------------------------------------------------------------------------ */

/* Everything about old that a block is needed for, while it is in the caches. */
static void gradient_block(void *context, const TapeBlock *block) {
  Surrogate *s = context;
  const Policy *policy = s->policy;
  const long O = policy->net.observation.size, first = block->first;
  const void *out = network_forward(&policy->net, block->tape, s->obs + first * O, O, block->n);
  const DistScore to = {.dout = block->out,
                        .dextra = s->extras + (long)block->chunk * policy->extras,
                        .logp = s->old_log_prob + first,
                        .entropy = s->term + first,
                        .information = s->information + first * policy->A};
  policy->dist->score(precision(s), &to, out, s->old_extra, actions(s, block), s->advantage + first,
                      block->n, policy->A, block->row);
  mlp_vjp(&policy->net.mlp, tape_partial(&s->tape, block->chunk), policy->net.weights, block->n,
          block->tape, block->out, block->work);
}

Status surrogate_gradient(Surrogate *s, double *out) {
  const Policy *policy = s->policy;
  const size_t extras = (size_t)policy->extras;
  const double scale = 1 / (double)s->N;
  memset(s->extras, 0, (size_t)s->tape.chunks * extras * sizeof(double));
  tape_gradient(&s->tape, gradient_block, s, out, scale);
  sum_rows(out + policy->net.mlp.P, s->extras, s->tape.chunks, extras, extras, scale);
  s->entropy = sum_mean(s->term, (size_t)s->N);
  const double check = sum_pairwise(s->old_log_prob, (size_t)s->N)
                       + sum_pairwise(out, (size_t)policy->net.P);
  return isfinite(check) ? OK : E_NOT_FINITE;
}

/* ---- value at trial parameters -------------------------------------------------------------------------- */

static void trial_block(void *context, const TapeBlock *block) {
  Surrogate *s = context;
  const Policy *policy = s->policy;
  const Mlp *mlp = &policy->net.mlp;
  const long O = policy->net.observation.size;
  double *term = s->term + block->first;
  void *old_tape = tape_block(&s->tape, block->first / s->tape.rows);
  const void *old = mlp_layer(mlp, old_tape, mlp->layers);
  const void *new = network_forward(&policy->net, block->tape, s->obs + block->first * O, O,
                                    block->n);
  policy->dist->kl(precision(s), s->kl + block->first, term, old, s->old_extra, new,
                   policy_extra(policy), actions(s, block), block->n, policy->A, block->row);
  const double *old_log_prob = s->old_log_prob + block->first;
  const double *advantage = s->advantage + block->first;
  for (int i = 0; i < block->n; i++) term[i] -= old_log_prob[i];
  vmath()->exp_f64(term, term, (size_t)block->n); /* exactly 1 at 0 */
  for (int i = 0; i < block->n; i++) term[i] *= advantage[i];
}

SurrogateValue surrogate_evaluate(Surrogate *s) {
  SurrogateValue value = {0};
  tape_run(&s->trial, trial_block, s);
  value.surrogate = s->unit * sum_mean(s->term, (size_t)s->N);
  value.kl_mean = sum_mean(s->kl, (size_t)s->N);
  for (long i = 0; i < s->N; i++) /* a NaN stays */
    if (!(s->kl[i] <= value.kl_max)) value.kl_max = s->kl[i];
  return value;
}
