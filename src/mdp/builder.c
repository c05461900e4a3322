#include "mdp/builder.h"

#include <math.h>
#include <string.h>

/* --- collecting ---------------------------------------------------------------------------------------------------- */

enum { FIRST_ROOM = 256 };

void builder_init(Builder *b, ptrdiff_t S, ptrdiff_t A) {
  *b = (Builder){.S = S, .A = A, .sorted = 1};
}

void builder_free(Builder *b) {
  buffer_release(b->storage);
  builder_init(b, b->S, b->A);
}

static ptrdiff_t room(const Builder *b) {
  return b->storage != NULL ? (ptrdiff_t)(b->storage->bytes / sizeof(BuilderOutcome)) : 0;
}

static BuilderOutcome *outcomes_of(const Builder *b) {
  return b->storage != NULL ? b->storage->data : NULL;
}

Status builder_reserve(Builder *b, ptrdiff_t count) {
  if (count <= room(b)) {
    return OK;
  }
  if (count > PTRDIFF_MAX / 64) {
    return E_NOMEM;
  }
  Buffer *larger = buffer_new_unset((size_t)count * sizeof(BuilderOutcome));
  if (larger == NULL) {
    return E_NOMEM;
  }
  if (b->count > 0) {
    memcpy(larger->data, outcomes_of(b), (size_t)b->count * sizeof(BuilderOutcome));
  }
  buffer_release(b->storage);
  b->storage = larger;
  return OK;
}

Status builder_add(Builder *b, ptrdiff_t s, ptrdiff_t a, double prob, ptrdiff_t next, double reward,
                   int done) {
  if (b->count == room(b)) {
    const Status status = builder_reserve(b, b->count > 0 ? 2 * b->count : FIRST_ROOM);
    if (status != OK) {
      return status;
    }
  }
  BuilderOutcome *o = outcomes_of(b) + b->count;
  *o = (BuilderOutcome){(int64_t)s * b->A + a, (int32_t)next, done != 0, prob, reward};
  b->sorted = b->sorted && (b->count == 0 || o[-1].pair <= o->pair);
  b->count++;
  return OK;
}

/* --- order: by pair, within a pair by next state, mark and reward; equals keep their order ---------------------------- */

static int precedes(const BuilderOutcome *x, const BuilderOutcome *y) {
  if (x->pair != y->pair) return x->pair < y->pair;
  if (x->next != y->next) return x->next < y->next;
  if (x->done != y->done) return x->done < y->done;
  return x->reward < y->reward;
}

/* most input is nearly in order, where insertion is fast */
enum { SHORT_RUN = 16 };

static void insertion_sort(BuilderOutcome *o, ptrdiff_t n) {
  for (ptrdiff_t i = 1; i < n; i++) {
    const BuilderOutcome moved = o[i];
    ptrdiff_t j = i;
    for (; j > 0 && precedes(&moved, &o[j - 1]); j--) {
      o[j] = o[j - 1];
    }
    o[j] = moved;
  }
}

/* work [n / 2] */
static void merge_sort(BuilderOutcome *o, ptrdiff_t n, BuilderOutcome *work) {
  if (n <= SHORT_RUN) {
    insertion_sort(o, n);
    return;
  }
  const ptrdiff_t half = n / 2;
  merge_sort(o, half, work);
  merge_sort(o + half, n - half, work);
  if (!precedes(&o[half], &o[half - 1])) {
    return; /* already in order */
  }
  memcpy(work, o, (size_t)half * sizeof *work);
  ptrdiff_t left = 0, right = half, out = 0;
  while (left < half) {
    const int take_right = right < n && precedes(&o[right], &work[left]);
    o[out++] = take_right ? o[right++] : work[left++];
  }
}

/* pairs that came in order are sorted one by one, which stays in the cache */
static void sort_outcomes(Builder *b, BuilderOutcome *work) {
  BuilderOutcome *o = outcomes_of(b);
  if (!b->sorted) {
    merge_sort(o, b->count, work);
    return;
  }
  for (ptrdiff_t i = 0, end; i < b->count; i = end) {
    for (end = i + 1; end < b->count && o[end].pair == o[i].pair;) end++;
    merge_sort(o + i, end - i, work);
  }
}

/* equal outcomes of a pair become one; impossible ones go, but for one when a pair has no other */
static void merge_equals(Builder *b) {
  BuilderOutcome *o = outcomes_of(b);
  ptrdiff_t kept = 0;
  for (ptrdiff_t i = 0; i < b->count; i++) {
    BuilderOutcome *last = kept > 0 ? &o[kept - 1] : NULL;
    const int same_pair = last != NULL && last->pair == o[i].pair;
    if (same_pair && !precedes(last, &o[i])) {
      last->prob += o[i].prob;
    } else if (same_pair && last->prob == 0.0) {
      *last = o[i];
    } else if (!same_pair || o[i].prob > 0.0) {
      o[kept++] = o[i];
    }
  }
  b->count = kept;
}

/* --- checking ------------------------------------------------------------------------------------------------------ */

/* sum and mean in two parts, so that cancelling rewards and long rows lose nothing that a reader would miss */
static void accumulate(double *sum, double *lost, double x) {
  const double t = *sum + x;
  *lost += fabs(*sum) >= fabs(x) ? (*sum - t) + x : (x - t) + *sum;
  *sum = t;
}

typedef struct Row {
  double sum, reward;
  ptrdiff_t going_on; /* distinct next states that do not end */
} Row;

/* what outcomes [i, end) of one pair come to */
static Row measure(const BuilderOutcome *o, ptrdiff_t i, ptrdiff_t end) {
  double sum = 0.0, sum_lost = 0.0, reward = 0.0, reward_lost = 0.0;
  ptrdiff_t going_on = 0;
  int32_t last = -1;
  for (; i < end; i++) {
    accumulate(&sum, &sum_lost, o[i].prob);
    accumulate(&reward, &reward_lost, o[i].prob * o[i].reward);
    going_on += !o[i].done && o[i].prob > 0.0 && o[i].next != last;
    last = o[i].done || o[i].prob == 0.0 ? last : o[i].next;
  }
  return (Row){sum + sum_lost, reward + reward_lost, going_on};
}

/* the sizes of the process to be made */
typedef struct Sizes {
  ptrdiff_t rows, count;
  int plain; /* every outcome of a pair has the same reward, and none ends */
} Sizes;

static Status fail(BuilderFault *fault, Status status, BuilderFaultKind kind, ptrdiff_t state,
                   ptrdiff_t action, double value) {
  *fault = (BuilderFault){kind, state, action, value};
  return status;
}

static Status check_pairs(const Builder *b, Sizes *sizes, BuilderFault *fault) {
  const BuilderOutcome *o = outcomes_of(b);
  ptrdiff_t expected = 0; /* the next state that must have an action */
  *sizes = (Sizes){.plain = 1};
  for (ptrdiff_t i = 0, end; i < b->count; i = end) {
    for (end = i + 1; end < b->count && o[end].pair == o[i].pair;) end++;
    const ptrdiff_t s = (ptrdiff_t)(o[i].pair / b->A), a = (ptrdiff_t)(o[i].pair % b->A);
    const Row row = measure(o, i, end);
    if (s > expected) {
      break;
    }
    expected = s + 1;
    if (!(fabs(row.sum - 1.0) <= MDP_SUM_TOLERANCE)) {
      return fail(fault, E_NOT_STOCHASTIC, BUILDER_SUM, s, a, row.sum);
    }
    if (!isfinite(row.reward)) {
      return fail(fault, E_NOT_FINITE, BUILDER_REWARD, s, a, row.reward);
    }
    for (ptrdiff_t j = i; j < end; j++) {
      sizes->plain = sizes->plain && !o[j].done && o[j].reward == o[i].reward;
    }
    sizes->rows++;
    sizes->count += row.going_on;
  }
  return expected == b->S ? OK
                          : fail(fault, E_NOT_STOCHASTIC, BUILDER_NO_ACTION, expected, -1, 0.0);
}

static Status check_start(const Builder *b, const double *rho0, BuilderFault *fault) {
  double sum = 0.0, lost = 0.0;
  for (ptrdiff_t s = 0; s < b->S; s++) {
    if (!(rho0[s] >= 0.0 && rho0[s] <= 1.0 + MDP_SUM_TOLERANCE)) {
      return fail(fault, E_NOT_STOCHASTIC, BUILDER_START_AT, s, -1, rho0[s]);
    }
    accumulate(&sum, &lost, rho0[s]);
  }
  sum += lost;
  return fabs(sum - 1.0) <= MDP_SUM_TOLERANCE
             ? OK
             : fail(fault, E_NOT_STOCHASTIC, BUILDER_START, -1, -1, sum);
}

/* --- filling ------------------------------------------------------------------------------------------------------- */

/* outcomes [i, end) as the transitions of row k: next states in order, those that end left out */
static void fill_transitions(Mdp *mdp, ptrdiff_t k, const BuilderOutcome *o, ptrdiff_t i,
                             ptrdiff_t end) {
  int64_t j = mdp->start[k];
  for (; i < end; i++) {
    if (o[i].done || o[i].prob == 0.0) {
      continue;
    }
    if (j > mdp->start[k] && mdp->next[j - 1] == o[i].next) {
      mdp->prob[j - 1] += o[i].prob; /* the same state with another reward */
    } else {
      mdp->next[j] = o[i].next;
      mdp->prob[j++] = o[i].prob;
    }
  }
  mdp->start[k + 1] = j;
}

static void fill_outcomes(MdpOutcomes *out, ptrdiff_t k, const BuilderOutcome *o, ptrdiff_t i,
                          ptrdiff_t end) {
  for (; i < end; i++) {
    out->next[i] = o[i].next;
    out->prob[i] = o[i].prob;
    out->reward[i] = o[i].reward;
    out->done[i] = (unsigned char)o[i].done;
  }
  out->start[k + 1] = end;
}

static void fill(const Builder *b, Mdp *mdp) {
  const BuilderOutcome *o = outcomes_of(b);
  ptrdiff_t k = 0;
  for (ptrdiff_t i = 0, end; i < b->count; i = end, k++) {
    for (end = i + 1; end < b->count && o[end].pair == o[i].pair;) end++;
    mdp->action[k] = (int32_t)(o[i].pair % b->A);
    mdp->first[o[i].pair / b->A + 1] = k + 1;
    if (mdp->outcomes.start != NULL) {
      mdp->reward[k] = measure(o, i, end).reward;
      fill_outcomes(&mdp->outcomes, k, o, i, end);
    } else {
      mdp->reward[k] = o[i].reward; /* the same for all: as it was given */
    }
    fill_transitions(mdp, k, o, i, end);
  }
}

Status builder_finish(Builder *b, Mdp *mdp, const double *rho0, double gamma, BuilderFault *fault,
                      Arena *ws) {
  Mdp made;
  Sizes sizes;
  Status status = check_start(b, rho0, fault);
  if (status != OK) {
    return status;
  }
  /* bring the outcomes in order */
  const ArenaMark mark = arena_mark(ws);
  BuilderOutcome *work = ARENA_PUSH(ws, BuilderOutcome, b->count / 2 + 1);
  if (work == NULL) {
    return E_NOMEM;
  }
  sort_outcomes(b, work);
  arena_release(ws, mark);
  merge_equals(b);
  b->sorted = 1;

  /* then the process follows in one pass */
  status = check_pairs(b, &sizes, fault);
  if (status == OK) {
    status = mdp_init(&made, b->S, b->A, sizes.rows, sizes.count, sizes.plain ? 0 : b->count);
  }
  if (status != OK) {
    return status;
  }
  fill(b, &made);
  memcpy(made.rho0, rho0, (size_t)b->S * sizeof *rho0);
  made.gamma = gamma;
  mdp_settle(&made);
  *mdp = made;
  return OK;
}
