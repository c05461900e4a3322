/**
 * Seconds of one Fisher-vector product by itself, over a batch whose activations are kept, as an update uses it.
 *
 * Each line of the input is a number of threads and of products; the answer is the seconds of one product, those that the
 * first one costs more (what an update does once), and the form in use.
 *
 *   build/bench/fisher OBSERVATIONS ACTIONS discrete|box N single|double [auto|classical|cached]      64-64 tanh
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/pool.h"
#include "rl/fisher.h"
#include "subject.h"

enum { PRODUCTS = 10 };

typedef struct Problem {
  Policy policy;
  Tape tape;
  Arena arena;
  double *v, *out; /* [P] */
  GaussNewtonForm form;
} Problem;

/* normal observations, and a normal direction */
static Status record(Problem *p, long N) {
  const Network *net = &p->policy.net;
  Rng rng = rng_at(rng_key(2, 0), RNG_USER, 0, 0);
  double *obs = ARENA_PUSH(&p->arena, double, N * net->observation.size);
  p->v = ARENA_PUSH(&p->arena, double, net->P);
  p->out = ARENA_PUSH(&p->arena, double, net->P);
  if (obs == NULL || p->v == NULL || p->out == NULL) return E_NOMEM;
  rng_fill_normal(&rng, obs, (size_t)(N * net->observation.size));
  rng_fill_normal(&rng, p->v, (size_t)net->P);
  const long work = dist_work(net->mlp.rows, p->policy.A);
  if (tape_init(&p->tape, &p->arena, net, N, 1, 1, work) != OK) return E_NOMEM;
  tape_record(&p->tape, obs, net->observation.size);
  return OK;
}

/* Seconds of the first product with what makes it possible, and then of each of `calls` more. */
static Status measure(Problem *p, int calls, double *first, double *each, GaussNewtonForm *form) {
  const ArenaMark mark = arena_mark(&p->arena);
  Fisher fisher;
  const double start = clock_seconds();
  Status status = fisher_init(&fisher, &p->policy, &p->tape, NULL, PRODUCTS, p->form, &p->arena);
  if (status == OK) status = fisher_apply(&fisher, p->out, p->v);
  const double middle = clock_seconds();
  for (int i = 0; i < calls && status == OK; i++) status = fisher_apply(&fisher, p->out, p->v);
  *form = fisher.product.form;
  *first = middle - start;
  *each = (clock_seconds() - middle) / calls;
  arena_release(&p->arena, mark);
  return status;
}

int main(int argc, char **argv) {
  static Problem p;
  const char *usage = "usage: fisher OBSERVATIONS ACTIONS discrete|box N single|double [form]\n";
  if (argc != 6 && argc != 7) return fputs(usage, stderr), 1;
  for (int i = 0; argc == 7 && gauss_newton_forms[i] != NULL; i++)
    if (strcmp(argv[6], gauss_newton_forms[i]) == 0) p.form = (GaussNewtonForm)i;
  const Precision precision = strcmp(argv[5], "double") == 0 ? DOUBLE : SINGLE;
  Status status = subject_policy(&p.policy, atoi(argv[1]), atoi(argv[2]),
                                 strcmp(argv[3], "discrete") == 0, precision);
  if (status == OK) status = record(&p, atol(argv[4]));
  int threads, calls;
  while (status == OK && scanf("%d %d", &threads, &calls) == 2 && threads >= 1 && calls >= 1) {
    double first, each;
    GaussNewtonForm form;
    pool_set_threads(threads);
    status = measure(&p, calls, &first, &each, &form);
    printf("%.6g %.6g %s\n", each, first - each, gauss_newton_forms[form]);
    fflush(stdout);
  }
  if (status != OK) fprintf(stderr, "fisher: status %d\n", status);
  return status != OK;
}
