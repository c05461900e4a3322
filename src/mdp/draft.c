#include "mdp/draft.h"

void draft_init(Draft *d, ptrdiff_t S, ptrdiff_t A) {
  builder_init(&d->builder, S, A);
  d->rho0 = buffer_new((size_t)S * sizeof(double));
  d->status = d->rho0 != NULL ? OK : E_NOMEM;
}

void draft_start(Draft *d, ptrdiff_t s, double p) {
  if (d->status == OK) {
    ((double *)d->rho0->data)[s] += p;
  }
}

void draft_add(Draft *d, ptrdiff_t s, ptrdiff_t a, double p, ptrdiff_t next, double reward,
               int done) {
  if (d->status == OK) {
    d->status = builder_add(&d->builder, s, a, p, next, reward, done);
  }
}

void draft_end(Draft *d, ptrdiff_t s) {
  for (ptrdiff_t a = 0; a < d->builder.A; a++) {
    draft_add(d, s, a, 1.0, s, 0.0, 1);
  }
}

Status draft_finish(Draft *d, Mdp *mdp, double gamma, Arena *ws) {
  BuilderFault fault;
  if (d->status == OK) {
    d->status = builder_finish(&d->builder, mdp, d->rho0->data, gamma, &fault, ws);
  }
  builder_free(&d->builder);
  buffer_release(d->rho0);
  d->rho0 = NULL;
  return d->status;
}
