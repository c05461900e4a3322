#include "policy/policy.h"

#include <math.h>
#include <string.h>

#include "base/sum.h"

Status policy_init(Policy *policy, const PolicySpec *spec, Rng *rng) {
  *policy = (Policy){0};
  policy->dist = spec->action->kind == SPACE_DISCRETE ? &dist_categorical : &dist_gaussian;
  policy->A = spec->action->kind == SPACE_DISCRETE ? spec->action->n : spec->action->size;
  policy->extras = dist_extras(policy->dist, policy->A);
  policy->D = policy->A + policy->extras;
  const NetworkSpec net = {.observation = spec->observation,
                           .hidden_layers = spec->hidden_layers,
                           .hidden = spec->hidden,
                           .outputs = policy->A,
                           .tail = policy->extras,
                           .activation = spec->activation,
                           .precision = spec->precision,
                           .normalize = spec->normalize};
  Status status = network_init(&policy->net, &net);
  if (status != OK) return status;
  space_share(&policy->action, spec->action);
  status = mlp_orthogonal(&policy->net.mlp, policy->net.theta, rng, sqrt(2), 0.01);
  for (int a = 0; a < policy->extras; a++) policy->net.theta[policy->net.mlp.P + a] = spec->log_std;
  network_set(&policy->net, policy->net.theta);
  if (status != OK) policy_free(policy);
  return status;
}

void policy_free(Policy *policy) {
  network_free(&policy->net);
  space_free(&policy->action);
  *policy = (Policy){0};
}

Status policy_copy(Policy *policy, const Policy *source) {
  *policy = *source;
  policy->net = (Network){0};
  policy->action = (Space){0};
  Status status = network_copy(&policy->net, &source->net);
  if (status == OK) space_share(&policy->action, &source->action);
  return status;
}

const double *policy_extra(const Policy *policy) {
  return policy->net.theta + policy->net.mlp.P;
}

/*
 * The functions below walk over the rows block by block; Pass is what their tasks share.
 * `row` scratch of a block: dist_work doubles, then A doubles for gradients of the extras.
 */
typedef struct Pass {
  const Policy *policy, *other_;
  const double *obs;
  const double *in_; /* actions [N][action size], or u [N][D] */
  double *out_;      /* results per row */
  void *v_;          /* prepared direction */
  const double *v_extra_;
  double *extras_; /* [chunks][extras] gradients of the extras */
  Tape tape;
} Pass;

static Status pass_init(Pass *pass, const Policy *policy, const double *obs, long N, int gradients,
                        Arena *arena) {
  const int rows = policy->net.mlp.rows;
  pass->policy = policy;
  pass->obs = obs;
  return tape_init(&pass->tape, arena, &policy->net, N, 0, gradients,
                   dist_work(rows, policy->A) + rows * policy->A);
}

/* Outputs of a block's rows under policy. The block's tape is overwritten. */
static void *outputs(const Pass *pass, const Policy *policy, const TapeBlock *block) {
  const long O = policy->net.observation.size;
  return network_forward(&policy->net, block->tape, pass->obs + block->first * O, O, block->n);
}

/* Runs a task that writes per-row results and gives the arena back. */
static Status pass_rows(Pass *pass, const Policy *policy, const double *obs, long N, TapeTask task,
                        Arena *arena) {
  const ArenaMark mark = arena_mark(arena);
  Status status = pass_init(pass, policy, obs, N, 0, arena);
  if (status == OK) tape_run(&pass->tape, task, pass);
  arena_release(arena, mark);
  return status;
}

static void forward_block(void *context, const TapeBlock *block) {
  const Pass *pass = context;
  const Policy *policy = pass->policy;
  const void *out = outputs(pass, policy, block);
  dist_widen(policy->net.mlp.precision, block->row, out, (long)block->n * policy->A);
  for (int i = 0; i < block->n; i++) {
    double *to = pass->out_ + (block->first + i) * policy->D;
    memcpy(to, block->row + (long)i * policy->A, (size_t)policy->A * sizeof *to);
    memcpy(to + policy->A, policy_extra(policy), (size_t)policy->extras * sizeof *to);
  }
}

Status policy_forward(const Policy *policy, double *out, const double *obs, long N, Arena *arena) {
  Pass pass = {.out_ = out};
  return pass_rows(&pass, policy, obs, N, forward_block, arena);
}

/* What acting needs for one block of rows after another. */
typedef struct Acting {
  void *tape;
  double *noise, *work;
} Acting;

static Status acting_init(Acting *acting, const Policy *policy, Arena *arena) {
  const int rows = policy->net.mlp.rows;
  acting->tape = arena_push(arena, mlp_tape_bytes(&policy->net.mlp));
  acting->noise = ARENA_PUSH(arena, double, (long)rows * policy->A);
  acting->work = ARENA_PUSH(arena, double, dist_work(rows, policy->A));
  return acting->tape && acting->noise && acting->work ? OK : E_NOMEM;
}

/* rows of the block that begins at row i */
static int block_rows(const Policy *policy, long i, long N) {
  return N - i < policy->net.mlp.rows ? (int)(N - i) : policy->net.mlp.rows;
}

Status policy_sample(const Policy *policy, double *action, double *log_prob, const double *obs,
                     long N, Rng *rng, Arena *arena) {
  const int O = policy->net.observation.size, A = policy->A;
  const int size = dist_action_size(policy->dist, A), rows = policy->net.mlp.rows;
  const ArenaMark mark = arena_mark(arena);
  Acting acting;
  const Status status = acting_init(&acting, policy, arena);
  for (long i = 0; status == OK && i < N; i += rows) {
    const int n = block_rows(policy, i, N);
    const void *out = network_forward(&policy->net, acting.tape, obs + i * O, O, n);
    dist_noise(policy->dist, acting.noise, rng, n, A);
    policy->dist->sample(policy->net.mlp.precision, action + i * size, log_prob + i, out,
                         policy_extra(policy), acting.noise, n, A, acting.work);
  }
  arena_release(arena, mark);
  if (status != OK) return status;
  return isfinite(sum_pairwise(log_prob, (size_t)N)) ? OK : E_NOT_FINITE;
}

Status policy_mode(const Policy *policy, double *action, const double *obs, long N, Arena *arena) {
  const int O = policy->net.observation.size, A = policy->A;
  const int size = dist_action_size(policy->dist, A), rows = policy->net.mlp.rows;
  const ArenaMark mark = arena_mark(arena);
  void *tape = arena_push(arena, mlp_tape_bytes(&policy->net.mlp));
  int proper = 1;
  for (long i = 0; tape && i < N; i += rows) {
    const int n = block_rows(policy, i, N);
    const void *out = network_forward(&policy->net, tape, obs + i * O, O, n);
    policy->dist->mode(policy->net.mlp.precision, action + i * size, out, n, A);
    proper &= policy->dist->proper(policy->net.mlp.precision, out, policy_extra(policy), n, A);
  }
  arena_release(arena, mark);
  if (!tape) return E_NOMEM;
  return proper ? OK : E_NOT_FINITE;
}

static void log_prob_block(void *context, const TapeBlock *block) {
  const Pass *pass = context;
  const Policy *policy = pass->policy;
  const void *out = outputs(pass, policy, block);
  const double *action = pass->in_ + block->first * dist_action_size(policy->dist, policy->A);
  policy->dist->log_prob(policy->net.mlp.precision, pass->out_ + block->first, out,
                         policy_extra(policy), action, block->n, policy->A, block->row);
}

Status policy_log_prob(const Policy *policy, double *out, const double *obs, const double *action,
                       long N, Arena *arena) {
  Pass pass = {.out_ = out, .in_ = action};
  return pass_rows(&pass, policy, obs, N, log_prob_block, arena);
}

static void entropy_block(void *context, const TapeBlock *block) {
  const Pass *pass = context;
  const Policy *policy = pass->policy;
  const void *out = outputs(pass, policy, block);
  policy->dist->entropy(policy->net.mlp.precision, pass->out_ + block->first, out,
                        policy_extra(policy), block->n, policy->A, block->row);
}

Status policy_entropy(const Policy *policy, double *out, const double *obs, long N, Arena *arena) {
  Pass pass = {.out_ = out};
  return pass_rows(&pass, policy, obs, N, entropy_block, arena);
}

/* Outputs of the first policy, moved out of the way of the second's. */
static void *outputs_aside(const Pass *pass, const Policy *policy, const TapeBlock *block) {
  const void *out = outputs(pass, policy, block);
  return memcpy(block->out, out, (size_t)block->n * policy->A * mlp_real(&policy->net.mlp));
}

static void kl_block(void *context, const TapeBlock *block) {
  const Pass *pass = context;
  const Policy *policy = pass->policy, *other = pass->other_;
  const void *old = outputs_aside(pass, policy, block);
  const void *new = outputs(pass, other, block);
  policy->dist->kl(policy->net.mlp.precision, pass->out_ + block->first, NULL, old,
                   policy_extra(policy), new, policy_extra(other), NULL, block->n, policy->A,
                   block->row);
}

Status policy_kl(const Policy *policy, const Policy *other, double *out, const double *obs, long N,
                 Arena *arena) {
  Pass pass = {.out_ = out, .other_ = other};
  return pass_rows(&pass, policy, obs, N, kl_block, arena);
}

static void jvp_block(void *context, const TapeBlock *block) {
  const Pass *pass = context;
  const Policy *policy = pass->policy;
  const Mlp *mlp = &policy->net.mlp;
  outputs(pass, policy, block);
  mlp_jvp(mlp, block->out, policy->net.weights, pass->v_, block->n, block->tape, block->work);
  dist_widen(mlp->precision, block->row, block->out, (long)block->n * policy->A);
  for (int i = 0; i < block->n; i++) {
    double *to = pass->out_ + (block->first + i) * policy->D;
    memcpy(to, block->row + (long)i * policy->A, (size_t)policy->A * sizeof *to);
    memcpy(to + policy->A, pass->v_extra_, (size_t)policy->extras * sizeof *to);
  }
}

Status policy_jvp(const Policy *policy, double *out, const double *obs, const double *v, long N,
                  Arena *arena) {
  const Mlp *mlp = &policy->net.mlp;
  const ArenaMark mark = arena_mark(arena);
  Pass pass = {.out_ = out, .v_extra_ = v + mlp->P};
  pass.v_ = arena_push(arena, mlp_weights_bytes(mlp));
  Status status = E_NOMEM;
  if (pass.v_) {
    mlp_prepare(mlp, pass.v_, v);
    status = pass_rows(&pass, policy, obs, N, jvp_block, arena);
  }
  arena_release(arena, mark);
  return status;
}

/* Runs a gradient task and gives the arena back. The chunks' gradients of the extras are summed like the others. */
static Status pass_gradient(Pass *pass, const Policy *policy, const double *obs, long N,
                            TapeTask task, double *out, double scale, Arena *arena) {
  const ArenaMark mark = arena_mark(arena);
  Status status = pass_init(pass, policy, obs, N, 1, arena);
  if (status == OK) {
    const size_t count = (size_t)pass->tape.chunks * (size_t)policy->extras;
    pass->extras_ = ARENA_PUSH(arena, double, count);
    if (pass->extras_) {
      memset(pass->extras_, 0, count * sizeof(double));
      tape_gradient(&pass->tape, task, pass, out, scale);
      sum_rows(out + policy->net.mlp.P, pass->extras_, pass->tape.chunks, (size_t)policy->extras,
               (size_t)policy->extras, scale);
    } else {
      status = E_NOMEM;
    }
  }
  arena_release(arena, mark);
  return status;
}

static void vjp_block(void *context, const TapeBlock *block) {
  const Pass *pass = context;
  const Policy *policy = pass->policy;
  const Mlp *mlp = &policy->net.mlp;
  const int A = policy->A;
  double *extras = pass->extras_ + (long)block->chunk * policy->extras;
  outputs(pass, policy, block);
  for (int i = 0; i < block->n; i++) {
    const double *u = pass->in_ + (block->first + i) * policy->D;
    memcpy(block->row + (long)i * A, u, (size_t)A * sizeof *u);
    for (int a = 0; a < policy->extras; a++) extras[a] += u[A + a];
  }
  dist_narrow(mlp->precision, block->out, block->row, (long)block->n * A);
  mlp_vjp(mlp, tape_partial(&pass->tape, block->chunk), policy->net.weights, block->n, block->tape,
          block->out, block->work);
}

Status policy_vjp(const Policy *policy, double *out, const double *obs, const double *u, long N,
                  Arena *arena) {
  Pass pass = {.in_ = u};
  return pass_gradient(&pass, policy, obs, N, vjp_block, out, 1, arena);
}

static void kl_gradient_block(void *context, const TapeBlock *block) {
  const Pass *pass = context;
  const Policy *policy = pass->other_, *other = pass->policy; /* other's theta is differentiated */
  const Mlp *mlp = &other->net.mlp;
  const void *old = outputs_aside(pass, policy, block);
  const void *new = outputs(pass, other, block);
  other->dist->kl_score(
      mlp->precision, block->out, pass->extras_ + (long)block->chunk * other->extras, old,
      policy_extra(policy), new, policy_extra(other), block->n, other->A, block->row);
  mlp_vjp(mlp, tape_partial(&pass->tape, block->chunk), other->net.weights, block->n, block->tape,
          block->out, block->work);
}

Status policy_kl_gradient(const Policy *policy, const Policy *other, double *out, const double *obs,
                          long N, Arena *arena) {
  Pass pass = {.other_ = policy};
  return pass_gradient(&pass, other, obs, N, kl_gradient_block, out, N ? 1 / (double)N : 0, arena);
}
