#include "mdp/gallery.h"

#include <math.h>
#include <string.h>

#include "mdp/draft.h"

static ptrdiff_t smaller(ptrdiff_t a, ptrdiff_t b) {
  return a < b ? a : b;
}

/* --- gambler ------------------------------------------------------------------------------------------------------- */

Status gallery_gambler(Mdp *mdp, const GalleryGambler *gambler, Arena *ws) {
  const ptrdiff_t goal = gambler->goal;
  Draft d;
  draft_init(&d, goal + 1, goal / 2);
  draft_add(&d, 0, 0, 1.0, 0, 0.0, 1);
  draft_add(&d, goal, 0, 1.0, goal, 0.0, 1);
  for (ptrdiff_t s = 1; s < goal; s++) {
    draft_start(&d, s, 1.0 / (double)(goal - 1));
    for (ptrdiff_t stake = 1; stake <= smaller(s, goal - s); stake++) {
      const ptrdiff_t won = s + stake, lost = s - stake;
      draft_add(&d, s, stake - 1, gambler->p, won, won == goal ? 1.0 : 0.0, won == goal);
      draft_add(&d, s, stake - 1, 1.0 - gambler->p, lost, 0.0, lost == 0);
    }
  }
  return draft_finish(&d, mdp, gambler->gamma, ws);
}

/* --- chains -------------------------------------------------------------------------------------------------------- */

/* swimming right */
typedef struct Current {
  double first_right, left, keep, right, last_left;
} Current;

Status gallery_river_swim(Mdp *mdp, const GalleryRiverSwim *river, Arena *ws) {
  const int strehl = river->variant == GALLERY_STREHL;
  const Current c = strehl ? (Current){0.3, 0.1, 0.6, 0.3, 0.7}
                           : (Current){0.6, 0.05, 0.6, 0.35, 0.4};
  const ptrdiff_t last = river->states - 1;
  Draft d;
  draft_init(&d, river->states, 2);
  draft_start(&d, strehl ? 1 : 0, 0.5);
  draft_start(&d, strehl ? 2 : 0, 0.5);

  /* left: the current helps */
  draft_add(&d, 0, 0, 1.0, 0, strehl ? 5.0 : 0.005, 0);
  for (ptrdiff_t s = 1; s <= last; s++) {
    draft_add(&d, s, 0, 1.0, s - 1, 0.0, 0);
  }
  /* right */
  draft_add(&d, 0, 1, 1.0 - c.first_right, 0, 0.0, 0);
  draft_add(&d, 0, 1, c.first_right, 1, 0.0, 0);
  for (ptrdiff_t s = 1; s < last; s++) {
    draft_add(&d, s, 1, c.left, s - 1, 0.0, 0);
    draft_add(&d, s, 1, c.keep, s, 0.0, 0);
    draft_add(&d, s, 1, c.right, s + 1, 0.0, 0);
  }
  draft_add(&d, last, 1, c.last_left, last - 1, strehl ? 0.0 : 1.0, 0);
  draft_add(&d, last, 1, 1.0 - c.last_left, last, strehl ? 10000.0 : 1.0, 0);
  return draft_finish(&d, mdp, river->gamma, ws);
}

Status gallery_chain(Mdp *mdp, const GalleryChain *chain, Arena *ws) {
  const ptrdiff_t last = chain->states - 1;
  Draft d;
  draft_init(&d, chain->states, 2);
  draft_start(&d, 0, 1.0);
  for (ptrdiff_t s = 0; s <= last; s++) {
    for (int a = 0; a < 2; a++) {
      const double forward = a == 0 ? 1.0 - chain->slip : chain->slip;
      const double back = a == 0 ? chain->slip : 1.0 - chain->slip;
      draft_add(&d, s, a, forward, smaller(s + 1, last), s == last ? chain->large : 0.0, 0);
      draft_add(&d, s, a, back, 0, chain->small, 0);
    }
  }
  return draft_finish(&d, mdp, chain->gamma, ws);
}

Status gallery_random_walk(Mdp *mdp, ptrdiff_t n, double gamma, Arena *ws) {
  Draft d;
  draft_init(&d, n + 2, 2);
  draft_start(&d, (n + 1) / 2, 1.0);
  draft_end(&d, 0);
  draft_end(&d, n + 1);
  for (ptrdiff_t s = 1; s <= n; s++) {
    draft_add(&d, s, 0, 1.0, s - 1, 0.0, s == 1);
    draft_add(&d, s, 1, 1.0, s + 1, s == n ? 1.0 : 0.0, s == n);
  }
  return draft_finish(&d, mdp, gamma, ws);
}

Status gallery_forest(Mdp *mdp, const GalleryForest *forest, Arena *ws) {
  const ptrdiff_t last = forest->states - 1;
  Draft d;
  draft_init(&d, forest->states, 2);
  draft_start(&d, 0, 1.0);
  for (ptrdiff_t s = 0; s <= last; s++) {
    const double wait = s == last ? forest->r1 : 0.0;
    draft_add(&d, s, 0, forest->p, 0, wait, 0);
    draft_add(&d, s, 0, 1.0 - forest->p, smaller(s + 1, last), wait, 0);
    draft_add(&d, s, 1, 1.0, 0, s == last ? forest->r2 : s > 0 ? 1.0 : 0.0, 0);
  }
  return draft_finish(&d, mdp, forest->gamma, ws);
}

/* --- examples of a few states -------------------------------------------------------------------------------------- */

Status gallery_puterman(Mdp *mdp, double gamma, Arena *ws) {
  Draft d;
  draft_init(&d, 2, 2);
  draft_start(&d, 0, 1.0);
  draft_add(&d, 0, 0, 0.5, 0, 5.0, 0);
  draft_add(&d, 0, 0, 0.5, 1, 5.0, 0);
  draft_add(&d, 0, 1, 1.0, 1, 10.0, 0);
  draft_add(&d, 1, 0, 1.0, 1, -1.0, 0);
  return draft_finish(&d, mdp, gamma, ws);
}

Status gallery_short_corridor(Mdp *mdp, double gamma, Arena *ws) {
  Draft d;
  draft_init(&d, 4, 2);
  draft_start(&d, 0, 1.0);
  draft_add(&d, 0, 0, 1.0, 0, -1.0, 0);
  draft_add(&d, 0, 1, 1.0, 1, -1.0, 0);
  draft_add(&d, 1, 0, 1.0, 2, -1.0, 0);
  draft_add(&d, 1, 1, 1.0, 0, -1.0, 0);
  draft_add(&d, 2, 0, 1.0, 1, -1.0, 0);
  draft_add(&d, 2, 1, 1.0, 3, -1.0, 1);
  draft_end(&d, 3);
  return draft_finish(&d, mdp, gamma, ws);
}

Status gallery_two_policies(Mdp *mdp, double *pi, double *other, double gamma, Arena *ws) {
  static const double first[6] = {0.0, 1.0, 0.5, 0.5, 0.5, 0.5};
  static const double second[6] = {0.5, 0.5, 0.25, 0.75, 0.5, 0.5};
  Draft d;
  draft_init(&d, 3, 2);
  draft_start(&d, 0, 1.0);
  draft_add(&d, 0, 0, 1.0, 2, 1.0, 1);
  draft_add(&d, 0, 1, 1.0, 1, 0.0, 0);
  draft_add(&d, 1, 0, 1.0, 2, 3.0 / gamma, 1);
  draft_add(&d, 1, 1, 1.0, 2, 5.0 / gamma, 1);
  draft_end(&d, 2);
  memcpy(pi, first, sizeof first);
  memcpy(other, second, sizeof second);
  return draft_finish(&d, mdp, gamma, ws);
}

/* --- car rental ---------------------------------------------------------------------------------------------------- */

/* out [n + 1] = Pr(X = 0), ..., Pr(X = n - 1), Pr(X >= n) for a Poisson X of mean <= 500 */
static void fold_poisson(double *out, ptrdiff_t n, double mean) {
  const ptrdiff_t far = n + (ptrdiff_t)(mean + 20.0 * sqrt(mean)) + 60; /* less than 1e-40 beyond */
  double p = exp(-mean);
  out[n] = 0.0;
  for (ptrdiff_t k = 0; k < far; k++) {
    if (k < n) {
      out[k] = p;
    } else {
      out[n] += p;
    }
    p *= mean / (double)(k + 1);
  }
}

/* one day at a place that has n cars in the morning: to [cars + 1] in the evening; returns the expected cars rented */
static double pass_day(double *to, ptrdiff_t cars, ptrdiff_t n, const double *returned,
                       double requests, double *rented) {
  double expected = 0.0;
  memset(to, 0, (size_t)(cars + 1) * sizeof *to);
  fold_poisson(rented, n, requests);
  for (ptrdiff_t out = 0; out <= n; out++) {
    expected += (double)out * rented[out];
    for (ptrdiff_t back = 0; back <= cars; back++) {
      to[smaller(n - out + back, cars)] += rented[out] * returned[back];
    }
  }
  return expected;
}

/* a place: what a day does to it */
typedef struct Place {
  double *to;     /* [cars + 1, cars + 1] */
  double *rented; /* [cars + 1] expected */
} Place;

static Status init_place(Place *place, const GalleryRental *r, int i, Arena *ws) {
  const ptrdiff_t n = r->cars + 1;
  place->to = ARENA_PUSH(ws, double, n *n);
  place->rented = ARENA_PUSH(ws, double, n);
  double *returned = ARENA_PUSH(ws, double, n), *scratch = ARENA_PUSH(ws, double, n);
  if (place->to == NULL || place->rented == NULL || returned == NULL || scratch == NULL) {
    return E_NOMEM;
  }
  fold_poisson(returned, r->cars, r->returns[i]);
  for (ptrdiff_t k = 0; k < n; k++) {
    place->rented[k] = pass_day(place->to + k * n, r->cars, k, returned, r->requests[i], scratch);
  }
  return OK;
}

/* state (n1, n2): all moves that are possible, each followed by a day */
static void add_night(Draft *d, const GalleryRental *r, const Place place[2], ptrdiff_t n1,
                      ptrdiff_t n2) {
  const ptrdiff_t n = r->cars + 1, s = n1 * n + n2;
  for (ptrdiff_t move = -smaller(r->moves, n2); move <= smaller(r->moves, n1); move++) {
    const ptrdiff_t m1 = smaller(n1 - move, r->cars), m2 = smaller(n2 + move, r->cars);
    const double reward = r->rent * (place[0].rented[m1] + place[1].rented[m2])
                          - r->cost * fabs((double)move);
    for (ptrdiff_t next = 0; next < n * n; next++) {
      const double p = place[0].to[m1 * n + next / n] * place[1].to[m2 * n + next % n];
      draft_add(d, s, move + r->moves, p, next, reward, 0);
    }
  }
}

Status gallery_car_rental(Mdp *mdp, const GalleryRental *rental, Arena *ws) {
  const ptrdiff_t n = rental->cars + 1;
  const ArenaMark mark = arena_mark(ws);
  Place place[2];
  Draft d;
  draft_init(&d, n * n, 2 * rental->moves + 1);
  for (int i = 0; i < 2 && d.status == OK; i++) {
    d.status = init_place(&place[i], rental, i, ws);
  }
  draft_start(&d, rental->cars / 2 * n + rental->cars / 2, 1.0);
  for (ptrdiff_t s = 0; s < n * n && d.status == OK; s++) {
    add_night(&d, rental, place, s / n, s % n);
  }
  const Status status = draft_finish(&d, mdp, rental->gamma, ws);
  arena_release(ws, mark);
  return status;
}
