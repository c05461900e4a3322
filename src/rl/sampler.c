#include "rl/sampler.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/pool.h"

/* A group of lanes that step together, and the memory they step in. */
typedef struct Group {
  int a, b; /* lanes [a, b) */
  int n;    /* those of them that still have something to do */
  Status status;
  EnvCall call;
  int *lane;        /* [n] */
  uint64_t *clock;  /* [n] */
  void *tape;       /* one block of activations */
  double *obs;      /* [n][O], when some lanes are done */
  double *noise;    /* [n][A] */
  double *action;   /* [n][A] */
  double *log_prob; /* [n] */
  double *work;     /* dist_work */
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

/* n doubles, mostly few: no call for those */
static inline void copy_row(double *to, const double *from, long n) {
  for (; n >= 4; n -= 4, to += 4, from += 4) memcpy(to, from, 4 * sizeof *to);
  if (n & 2) memcpy(to, from, 2 * sizeof *to);
  if (n & 1) to[n & 2] = from[n & 2];
}

/* Observations of the group's lanes, side by side. */
static const double *gather(const Env *env, Group *g) {
  const int O = env->O;
  if (g->n == g->b - g->a) return env->obs + (long)g->a * O;
  for (int i = 0; i < g->n; i++) copy_row(g->obs + (long)i * O, env->obs + (long)g->lane[i] * O, O);
  return g->obs;
}

/* The most probable actions of the group; their log_prob, where a batch keeps it. Returns whether all is finite. */
static int choose(const Walk *walk, Group *g, const void *out) {
  const Policy *policy = walk->policy;
  const Precision precision = policy->net.mlp.precision;
  const double *extra = policy_extra(policy);
  policy->dist->mode(precision, g->action, out, g->n, policy->A);
  const int proper = policy->dist->proper(precision, out, extra, g->n, policy->A);
  if (walk->batch || !proper)
    policy->dist->log_prob(precision, g->log_prob, out, extra, g->action, g->n, policy->A, g->work);
  return proper;
}

/* Draws the group's actions, each lane with the noise of its own clock. Returns whether all is finite. */
static int draw(const Walk *walk, Group *g, const void *out) {
  const Policy *policy = walk->policy;
  const Env *env = walk->env;
  const int n = g->n, A = policy->A;
  for (int i = 0; i < n; i++) g->clock[i] = env->clock[g->lane[i]];
  const RngLanes lanes = {
      .key = env->key, .purpose = RNG_ACTION, .n = n, .lane = g->lane, .step = g->clock};
  dist_noise_lanes(policy->dist, g->noise, &lanes, A);
  policy->dist->sample(policy->net.mlp.precision, g->action, g->log_prob, out, policy_extra(policy),
                       g->noise, n, A, g->work);
  double sum = 0; /* of zeros, or NaN */
  for (int i = 0; i < n; i++) sum += 0 * g->log_prob[i];
  return !isnan(sum);
}

/* Names the lane whose distribution is not finite. */
static Status fail_action(const Walk *walk, Group *g) {
  int i = 0;
  while (i < g->n - 1 && isfinite(g->log_prob[i])) i++;
  return env_fail(walk->env, &g->call, E_NOT_FINITE, g->lane[i],
                  "the policy's distribution is not finite");
}

/* Puts actions of the group's lanes into env->action_in. */
static Status act(const Walk *walk, Group *g) {
  Env *env = walk->env;
  const int A = env->A;
  const void *out = network_forward(&walk->policy->net, g->tape, gather(env, g), env->O, g->n);
  if (!(walk->options->deterministic ? choose(walk, g, out) : draw(walk, g, out)))
    return fail_action(walk, g);
  for (int i = 0; i < g->n; i++) {
    double *to = env->action_in + (long)g->lane[i] * A;
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
  const Batch batch = *walk->batch;
  for (int i = 0; i < g->n; i++) {
    const int lane = g->lane[i];
    const long row = walk->row[lane];
    copy_row(batch.obs + row * env->O, env->obs + (long)lane * env->O, env->O);
    copy_row(batch.action + row * env->A, g->action + (long)i * env->A, env->A);
    batch.log_prob[row] = g->log_prob[i];
    batch.time[row] = (double)env->elapsed[lane];
  }
}

/* The lane's last observation, where its trajectory stops without a terminal state. */
static void record_cut(const Walk *walk, int lane, long row) {
  const Env *env = walk->env;
  const Batch *batch = walk->batch;
  const long k = walk->cut[lane]++;
  batch->cut[row] = (int32_t)k;
  batch->cut_time[k] = (double)env->elapsed[lane];
  copy_row(batch->cut_obs + k * env->O, env->obs + (long)lane * env->O, env->O);
}

/* The other half. last: the lanes' parts of the batch end here, whatever the episodes do. */
static void record_after(const Walk *walk, const Group *g, int last) {
  const Env *env = walk->env;
  const Batch batch = *walk->batch;
  for (int i = 0; i < g->n; i++) {
    const int lane = g->lane[i];
    const long row = walk->row[lane]++;
    batch.reward[row] = env->reward[lane];
    batch.terminated[row] = (double)env->terminated[lane];
    batch.truncated[row] = (double)env->truncated[lane];
    batch.cut[row] = -1;
    if (env->truncated[lane] || (last && !env->terminated[lane])) record_cut(walk, lane, row);
  }
}

/* Notes the sums of the episodes that just ended. */
static void record_episodes(const Walk *walk, const Group *g) {
  const Env *env = walk->env;
  for (int i = 0; i < g->n; i++) {
    const int lane = g->lane[i];
    if (!env->ended[lane]) continue;
    const long k = walk->episode[lane]++;
    (walk->batch ? walk->batch->episode_return : walk->returns)[k] = env->episode_return[lane];
    (walk->batch ? walk->batch->episode_length : walk->lengths)[k] = (double)env->elapsed[lane];
  }
}

/* Resets the group's lanes that wait for it. */
static Status begin(const Walk *walk, Group *g) {
  Status status = OK;
  for (int i = 0; i < g->n && status == OK; i++)
    if (walk->env->ended[g->lane[i]]) status = env_reset(walk->env, &g->call, g->lane[i]);
  return status;
}

/* Steps the group's lanes: one call for each run of neighbours. */
static Status step_lanes(const Walk *walk, Group *g) {
  Status status = OK;
  for (int i = 0, next; i < g->n && status == OK; i = next) {
    for (next = i + 1; next < g->n && g->lane[next] == g->lane[next - 1] + 1;) next++;
    status = env_step(walk->env, &g->call, g->lane[i], g->lane[next - 1] + 1);
  }
  return status;
}

/* One step of the group. last: see record_after. */
static Status step(const Walk *walk, Group *g, int last) {
  Status status = begin(walk, g);
  if (status == OK) status = act(walk, g);
  if (status != OK) return status;
  if (walk->batch) record_before(walk, g);
  status = step_lanes(walk, g);
  if (status != OK) return status;
  if (walk->batch) record_after(walk, g, last);
  record_episodes(walk, g);
  return OK;
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

/* Takes what the ended episodes used off their lanes' quotas, of steps (batch) or episodes (evaluation), and lets go of
 * the lanes that have none left. */
static void settle(const Walk *walk, Group *g) {
  const Env *env = walk->env;
  int kept = 0;
  for (int i = 0; i < g->n; i++) {
    const int lane = g->lane[i];
    if (env->ended[lane]) walk->quota[lane] -= walk->batch ? (long)env->elapsed[lane] : 1;
    if (!env->ended[lane] || walk->quota[lane] > 0) g->lane[kept++] = lane;
  }
  g->n = kept;
}

/* Whole episodes: lanes begin them until their quotas are used up. */
static void walk_episodes(void *context, int index, int worker) {
  Walk *walk = context;
  Group *g = walk->group + index;
  const int interruptible = walk->options->interruptible;
  (void)worker;
  int n = 0;
  for (int lane = g->a; lane < g->b; lane++) {
    if (walk->quota[lane] <= 0) continue;
    walk->env->ended[lane] = 1;
    g->lane[n++] = lane;
  }
  g->n = n;
  while (g->n > 0 && g->status == OK) {
    g->status = interruptible && interrupt_asked() ? E_INTERRUPTED : step(walk, g, 0);
    if (g->status == OK) settle(walk, g);
  }
}

/* ---- set-up -------------------------------------------------------------------------------------------- */

static Status group_init(Group *g, const Walk *walk, int a, int b, void *host, Arena *arena) {
  const Policy *policy = walk->policy;
  const Env *env = walk->env;
  const int n = b - a;
  *g = (Group){.a = a, .b = b, .n = n, .call.host = host};
  g->lane = ARENA_PUSH(arena, int, n);
  g->clock = ARENA_PUSH(arena, uint64_t, n);
  g->tape = arena_push(arena, mlp_tape_bytes(&policy->net.mlp));
  g->obs = ARENA_PUSH(arena, double, (long)n * env->O);
  g->noise = ARENA_PUSH(arena, double, (long)n * env->A);
  g->action = ARENA_PUSH(arena, double, (long)n * env->A);
  g->log_prob = ARENA_PUSH(arena, double, n);
  g->work = ARENA_PUSH(arena, double, dist_work(n, policy->A));
  if (!g->lane || !g->clock || !g->tape || !g->obs || !g->noise || !g->action || !g->log_prob
      || !g->work)
    return E_NOMEM;
  for (int i = 0; i < n; i++) g->lane[i] = a + i;
  return OK;
}

/* Lanes of a group. */
static int group_lanes(const Env *env, int rows) {
  const int lanes = env->grain && env->grain < env->lanes ? env->grain : env->lanes;
  return lanes < rows ? lanes : rows; /* at most a block of the network */
}

static Status walk_init(Walk *walk, void *host, Arena *arena) {
  const int lanes = walk->env->lanes, each = group_lanes(walk->env, walk->policy->net.mlp.rows);
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
  Status status = walk_init(&walk, call->host, arena);
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
  Status status = walk_init(&walk, call->host, arena);
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
