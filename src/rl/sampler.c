#include "rl/sampler.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/pool.h"

/* A group of lanes that step together, and the memory they step in. */
typedef struct Group {
  int a, b; /* lanes [a, b) */
  Status status;
  EnvCall call;
  void *tape;       /* one block of activations */
  double *action;   /* [lanes of the group][A] */
  double *log_prob; /* [lanes of the group] */
  double *work;     /* dist_work */
  Rng *rng;         /* [lanes of the group] */
} Group;

/* What all groups share. */
typedef struct Walk {
  Env *env;
  const Policy *policy;
  const SamplerOptions *options;
  Batch *batch; /* NULL for evaluation */
  Group *group;
  int groups;
  /* per lane */
  long *row;     /* next row */
  long *cut;     /* next last observation */
  long *episode; /* next ended episode */
  long *quota;   /* rows or episodes left */
  /* evaluation: one entry per episode */
  double *returns, *lengths;
} Walk;

/* ---- one step ----------------------------------------------------------------------------------------- */

/* Draws actions of the group's lanes into env->action_in. */
static Status act(const Walk *walk, Group *g) {
  Env *env = walk->env;
  const Policy *policy = walk->policy;
  const Precision precision = policy->net.mlp.precision;
  const int n = g->b - g->a, A = env->A;
  const void *out = network_forward(&policy->net, g->tape, env->obs + (long)g->a * env->O, env->O,
                                    n);
  if (walk->options->deterministic) {
    policy->dist->mode(precision, g->action, out, n, policy->A);
  } else {
    for (int i = 0; i < n; i++) g->rng[i] = env_rng(env, RNG_ACTION, g->a + i);
    policy->dist->sample(precision, g->action, out, policy_extra(policy), g->rng, n, policy->A,
                         g->work);
  }
  policy->dist->log_prob(precision, g->log_prob, out, policy_extra(policy), g->action, n, policy->A,
                         g->work);
  for (int i = 0; i < n; i++) {
    if (!isfinite(g->log_prob[i]))
      return env_fail(env, &g->call, E_NOT_FINITE, g->a + i,
                      "the policy's distribution is not finite");
    double *to = env->action_in + (long)(g->a + i) * A;
    if (env->action.kind == SPACE_BOX)
      space_clip(&env->action, to, g->action + (long)i * A);
    else
      *to = g->action[i];
  }
  return OK;
}

/* The half of a row that is known before the step. */
static void record_before(const Walk *walk, const Group *g) {
  const Env *env = walk->env;
  Batch *batch = walk->batch;
  for (int lane = g->a; lane < g->b; lane++) {
    const long row = walk->row[lane], i = lane - g->a;
    memcpy(batch->obs + row * env->O, env->obs + (long)lane * env->O,
           (size_t)env->O * sizeof(double));
    memcpy(batch->action + row * env->A, g->action + i * env->A, (size_t)env->A * sizeof(double));
    batch->log_prob[row] = g->log_prob[i];
    batch->time[row] = (double)env->elapsed[lane];
  }
}

/* The other half. last: the lane's part of the batch ends here, whatever the episode does. */
static void record_after(const Walk *walk, int lane, int last) {
  const Env *env = walk->env;
  Batch *batch = walk->batch;
  const long row = walk->row[lane]++;
  batch->reward[row] = env->reward[lane];
  batch->terminated[row] = env->terminated[lane];
  batch->truncated[row] = env->truncated[lane];
  batch->cut[row] = -1;
  if (env->truncated[lane] || (last && !env->terminated[lane])) {
    const long k = walk->cut[lane]++;
    batch->cut[row] = (int32_t)k;
    batch->cut_time[k] = (double)env->elapsed[lane];
    memcpy(batch->cut_obs + k * env->O, env->obs + (long)lane * env->O,
           (size_t)env->O * sizeof(double));
  }
}

/* Notes the sums of an episode that just ended. */
static void record_episode(const Walk *walk, int lane) {
  const long k = walk->episode[lane]++;
  const double sum = walk->env->episode_return[lane], steps = (double)walk->env->elapsed[lane];
  (walk->batch ? walk->batch->episode_return : walk->returns)[k] = sum;
  (walk->batch ? walk->batch->episode_length : walk->lengths)[k] = steps;
}

/* Resets the group's lanes that wait for it. */
static Status begin(const Walk *walk, Group *g) {
  Status status = OK;
  for (int lane = g->a; lane < g->b && status == OK; lane++)
    if (walk->env->ended[lane]) status = env_reset(walk->env, &g->call, lane);
  return status;
}

/* One step of the group. last: see record_after. */
static Status step(const Walk *walk, Group *g, int last) {
  Env *env = walk->env;
  Status status = begin(walk, g);
  if (status == OK) status = act(walk, g);
  if (status != OK) return status;
  if (walk->batch) record_before(walk, g);
  status = env_step(env, &g->call, g->a, g->b);
  for (int lane = g->a; lane < g->b && status == OK; lane++) {
    if (walk->batch) record_after(walk, lane, last);
    if (env->ended[lane]) record_episode(walk, lane);
  }
  return status;
}

/* ---- a group's whole walk ------------------------------------------------------------------------------ */

static void walk_horizon(void *context, int index, int worker) {
  Walk *walk = context;
  Group *g = walk->group + index;
  const long T = walk->options->horizon;
  (void)worker;
  for (long t = 0; t < T && g->status == OK; t++) g->status = step(walk, g, t + 1 == T);
  /* the next call finds fresh episodes where this one saw an end */
  if (g->status == OK) g->status = begin(walk, g);
}

/* Whole episodes of a group of one lane. The quota counts steps (batch) or episodes (evaluation). */
static void walk_episodes(void *context, int index, int worker) {
  Walk *walk = context;
  Group *g = walk->group + index;
  const int lane = g->a;
  (void)worker;
  while (walk->quota[lane] > 0 && g->status == OK) {
    walk->env->ended[lane] = 1;
    long steps = 0;
    do {
      g->status = walk->options->interruptible && interrupt_asked() ? E_INTERRUPTED
                                                                    : step(walk, g, 0);
      steps++;
    } while (g->status == OK && !walk->env->ended[lane]);
    walk->quota[lane] -= walk->batch ? steps : 1;
  }
}

/* ---- set-up -------------------------------------------------------------------------------------------- */

static Status group_init(Group *g, const Walk *walk, int a, int b, void *host, Arena *arena) {
  const Policy *policy = walk->policy;
  const int n = b - a;
  *g = (Group){.a = a, .b = b, .call.host = host};
  g->tape = arena_push(arena, mlp_tape_bytes(&policy->net.mlp));
  g->action = ARENA_PUSH(arena, double, (long)n * walk->env->A);
  g->log_prob = ARENA_PUSH(arena, double, n);
  g->work = ARENA_PUSH(arena, double, dist_work(n, policy->A));
  g->rng = ARENA_PUSH(arena, Rng, n);
  return g->tape && g->action && g->log_prob && g->work && g->rng ? OK : E_NOMEM;
}

/* Lanes of a group; one for whole episodes, which end at different times. */
static int group_lanes(const Env *env, int rows, int whole) {
  if (whole) return 1;
  const int lanes = env->grain && env->grain < env->lanes ? env->grain : env->lanes;
  return lanes < rows ? lanes : rows; /* at most a block of the network */
}

static Status walk_init(Walk *walk, void *host, int whole, Arena *arena) {
  const int lanes = walk->env->lanes,
            each = group_lanes(walk->env, walk->policy->net.mlp.rows, whole);
  walk->groups = (lanes + each - 1) / each;
  walk->group = ARENA_PUSH(arena, Group, walk->groups);
  walk->row = ARENA_PUSH(arena, long, 4 * lanes);
  if (!walk->group || !walk->row) return E_NOMEM;
  walk->cut = walk->row + lanes;
  walk->episode = walk->cut + lanes;
  walk->quota = walk->episode + lanes;
  memset(walk->row, 0, 4 * (size_t)lanes * sizeof *walk->row);
  for (int k = 0; k < walk->groups; k++) {
    const int a = k * each, b = a + each < lanes ? a + each : lanes;
    if (group_init(walk->group + k, walk, a, b, host, arena) != OK) return E_NOMEM;
  }
  return OK;
}

/* Runs all groups; the first that failed, in the order of lanes, tells why. */
static Status run(Walk *walk, PoolTask task, EnvCall *call) {
  if (walk->env->grain)
    pool_run(task, walk, walk->groups);
  else
    for (int k = 0; k < walk->groups; k++) {
      task(walk, k, 0);
      if (walk->group[k].status != OK) break;
    }
  for (int k = 0; k < walk->groups; k++)
    if (walk->group[k].status != OK) {
      *call = walk->group[k].call;
      return walk->group[k].status;
    }
  return OK;
}

/* ---- batches ------------------------------------------------------------------------------------------- */

/* Rows and last observations of one lane, at most. */
static void lane_room(const Env *env, const SamplerOptions *options, long *rows, long *cuts) {
  const long share = (options->budget + env->lanes - 1) / env->lanes;
  *rows = options->horizon ? options->horizon : share + env->time_limit;
  *cuts = env->truncates ? *rows : env->time_limit ? *rows / env->time_limit + 2 : 1;
}

void sampler_room(const Env *env, const SamplerOptions *options, long *capacity, long *cuts) {
  lane_room(env, options, capacity, cuts);
  *capacity *= env->lanes;
  *cuts *= env->lanes;
}

/* Closes the gaps between the lanes' parts. */
static void pack(const Walk *walk, long lane_rows, long lane_cuts) {
  Batch *batch = walk->batch;
  for (int lane = 0; lane < batch->lanes; lane++) {
    const long first = lane * lane_rows, n = walk->row[lane] - first;
    const long ended = walk->episode[lane] - first, cut = lane * lane_cuts;
    const long moved = batch->cut_count - cut;
    if (batch->N != first) batch_move(batch, batch->N, first, n);
    for (long i = batch->N; i < batch->N + n; i++)
      if (batch->cut[i] >= 0) batch->cut[i] += (int32_t)moved;
    memmove(batch->cut_obs + batch->cut_count * batch->O, batch->cut_obs + cut * batch->O,
            (size_t)((walk->cut[lane] - cut) * batch->O) * sizeof(double));
    memmove(batch->cut_time + batch->cut_count, batch->cut_time + cut,
            (size_t)(walk->cut[lane] - cut) * sizeof(double));
    memmove(batch->episode_return + batch->episodes, batch->episode_return + first,
            (size_t)ended * sizeof(double));
    memmove(batch->episode_length + batch->episodes, batch->episode_length + first,
            (size_t)ended * sizeof(double));
    batch->lane_begin[lane] = batch->N;
    batch->N += n;
    batch->cut_count += walk->cut[lane] - cut;
    batch->episodes += ended;
  }
  batch->lane_begin[batch->lanes] = batch->N;
}

Status sampler_collect(Batch *batch, Env *env, EnvCall *call, const Policy *policy,
                       const SamplerOptions *options, Arena *arena) {
  const ArenaMark mark = arena_mark(arena);
  const int whole = options->horizon == 0;
  Walk walk = {.env = env, .policy = policy, .options = options, .batch = batch};
  const double start = clock_seconds();
  long rows, cuts;
  lane_room(env, options, &rows, &cuts);
  batch->N = batch->cut_count = batch->episodes = 0;
  Status status = walk_init(&walk, call->host, whole, arena);
  if (status == OK) {
    for (int lane = 0; lane < env->lanes; lane++) {
      walk.row[lane] = walk.episode[lane] = lane * rows;
      walk.cut[lane] = lane * cuts;
      walk.quota[lane] = rows - env->time_limit;
    }
    status = run(&walk, whole ? walk_episodes : walk_horizon, call);
  }
  if (status == OK) pack(&walk, rows, cuts);
  batch->seconds_rollout = clock_seconds() - start;
  arena_release(arena, mark);
  return status;
}

Status sampler_evaluate(double *returns, double *lengths, long episodes, Env *env, EnvCall *call,
                        const Policy *policy, const SamplerOptions *options, Arena *arena) {
  const ArenaMark mark = arena_mark(arena);
  Walk walk = {
      .env = env, .policy = policy, .options = options, .returns = returns, .lengths = lengths};
  Status status = walk_init(&walk, call->host, 1, arena);
  if (status == OK) {
    /* the first lanes play one episode more when they do not divide evenly */
    long next = 0;
    for (int lane = 0; lane < env->lanes; lane++) {
      walk.episode[lane] = next;
      walk.quota[lane] = episodes / env->lanes + (lane < episodes % env->lanes);
      next += walk.quota[lane];
    }
    status = run(&walk, walk_episodes, call);
  }
  arena_release(arena, mark);
  return status;
}
