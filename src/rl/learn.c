#include "rl/learn.h"

#include "base/pool.h"

enum { UPDATE, FIT };

/* Rows of a batch that keeps all threads busy with one computation; two would only double the memory in use. */
enum { LARGE = 1 << 14 };

typedef struct Run {
  const Learn *learn;
  Arena *arena[2]; /* of UPDATE and FIT */
  Status fit;
} Run;

static void run_part(void *context, int part, int worker) {
  Run *run = context;
  const Learn *learn = run->learn;
  const Batch *b = learn->batch;
  (void)worker;
  if (part == UPDATE)
    trpo_update(learn->policy, learn->config, learn->info, b->obs, b->action, b->advantage, b->N,
                run->arena[UPDATE]);
  else
    run->fit = value_fit(learn->value, learn->fit, b->obs, b->time, b->ret, b->N, run->arena[FIT]);
}

int learn_ends(Status status) {
  return status == E_NOT_FINITE || status == E_NOMEM;
}

/* Whether there are threads, and enough to do for them in a fit whose every part is too small to share well. */
static int pays(const Learn *learn) {
  const Value *value = learn->value;
  return pool_threads() > 1 && value->kind == VALUE_NETWORK
         && (value->options.optimizer == VALUE_ADAM || learn->batch->N < LARGE);
}

static Status one_by_one(const Learn *learn, Arena *arena) {
  Run run = {.learn = learn, .arena = {arena, arena}, .fit = OK};
  run_part(&run, UPDATE, 0);
  if (!learn_ends(learn->info->status)) run_part(&run, FIT, 0);
  return run.fit;
}

Status learn_batch(const Learn *learn, Arena *update, Arena *fit) {
  Run run = {.learn = learn, .arena = {update, fit}};
  const ArenaMark mark = arena_mark(fit);
  ValueSaved before;
  if (!pays(learn) || value_save(&before, learn->value, fit) != OK) {
    arena_release(fit, mark);
    return one_by_one(learn, update);
  }
  pool_beside(run_part, &run);
  /* as if the fit came second */
  if (learn_ends(learn->info->status)) value_restore(learn->value, &before);
  arena_release(fit, mark);
  return run.fit;
}
