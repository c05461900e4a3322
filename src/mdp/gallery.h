#ifndef TRPO_GALLERY_H
#define TRPO_GALLERY_H

#include "base/arena.h"
#include "mdp/mdp.h"

/**
 * Small processes of textbooks and papers. States and actions count from 0 here. All: E_NOMEM.
 * In a state where episodes have ended every action stays there, without reward.
 */

/**
 * Gambler's problem: state = capital 0 .. goal, action a stakes a + 1, up to min(capital, goal - capital); with
 * probability p the stake is won, otherwise lost. Reaching the goal gives 1; it and ruin end the episode. The first
 * state is uniform over 1 .. goal - 1. Source: Sutton and Barto 2018, example 4.3 (goal 100, p 0.4, gamma 1).
 */
typedef struct GalleryGambler {
  ptrdiff_t goal; /* >= 2 */
  double p;       /* in [0, 1] */
  double gamma;
} GalleryGambler;

Status gallery_gambler(Mdp *mdp, const GalleryGambler *gambler, Arena *ws);

/**
 * RiverSwim: a chain of states; action 0 swims left, with the current, action 1 right, against it.
 *
 * Swimming left always succeeds; in state 0 it stays and pays `small`. Swimming right, with l, k, r the probabilities to
 * go left, keep the place and go right:
 *
 *   Strehl and Littman 2008, figure 2:  state 0: k .7, r .3   between: l .1,  k .6, r .3    last: l .7, k .3 pays 10000
 *                                       small 5; the first state is 1 or 2, each with probability 1/2
 *   Osband, Russo, Van Roy 2013:        state 0: k .4, r .6   between: l .05, k .6, r .35   last: l .4, k .6; right pays 1
 *                                       there, whatever happens; small 0.005; the first state is 0
 */
typedef enum GalleryRiver { GALLERY_STREHL, GALLERY_OSBAND } GalleryRiver;

typedef struct GalleryRiverSwim {
  ptrdiff_t states; /* >= 3; 6 in the sources */
  GalleryRiver variant;
  double gamma;
} GalleryRiverSwim;

Status gallery_river_swim(Mdp *mdp, const GalleryRiverSwim *river, Arena *ws);

/**
 * Chain: action 0 goes forward, and stays in the last state with reward `large`; action 1 goes back to state 0 with
 * reward `small`. With probability slip the agent does the other of the two. The first state is 0.
 * Source: Strens 2000, "A Bayesian framework for reinforcement learning"; Dearden, Friedman, Russell 1998 (5 states, slip
 * 0.2, rewards 2 and 10).
 */
typedef struct GalleryChain {
  ptrdiff_t states; /* >= 2 */
  double slip;      /* in [0, 1] */
  double small, large;
  double gamma;
} GalleryChain;

Status gallery_chain(Mdp *mdp, const GalleryChain *chain, Arena *ws);

/**
 * Random walk: states 1 .. n between two ends 0 and n + 1; actions left and right. Reaching the right end gives 1; both
 * end the episode. The first state is the middle one, (n + 1) / 2. Source: Sutton and Barto 2018, example 6.2 (n 5, gamma 1).
 */
Status gallery_random_walk(Mdp *mdp, ptrdiff_t n, double gamma, Arena *ws);

/**
 * Forest management: state = age of a stand. Action 0 waits: with probability p a fire sets the age to 0, otherwise it
 * grows; in the last state waiting gives r1. Action 1 cuts: 0 in state 0, r2 in the last one, 1 between.
 * The first state is 0. Source: pymdptoolbox, mdptoolbox.example.forest (3 states, r1 4, r2 2, p 0.1).
 */
typedef struct GalleryForest {
  ptrdiff_t states; /* >= 2 */
  double r1, r2;
  double p; /* in [0, 1] */
  double gamma;
} GalleryForest;

Status gallery_forest(Mdp *mdp, const GalleryForest *forest, Arena *ws);

/**
 * Two states. In 0, action 0 gives 5 and leads to 0 or 1, each with probability 1/2; action 1 gives 10 and leads to 1. In
 * 1, action 0, the only one, gives -1 and stays. The first state is 0.
 * Source: Puterman 1994, section 3.1 (gamma 0.95).
 */
Status gallery_puterman(Mdp *mdp, double gamma, Arena *ws);

/**
 * Short corridor: states 0, 1, 2 and the end 3; actions left and right, which are swapped in state 1; each step costs 1.
 * The first state is 0. An agent that cannot tell the states apart goes right with probability 2 - sqrt 2 at best, which
 * is worth -(6 + 4 sqrt 2). Source: Sutton and Barto 2018, example 13.1 (gamma 1).
 */
Status gallery_short_corridor(Mdp *mdp, double gamma, Arena *ws);

/**
 * Two policies: in state 0, action 0 gives 1 and ends the episode, action 1 leads to 1; in state 1 both actions end it,
 * with 3/gamma and 5/gamma. State 2 is the end. The first state is 0.
 *
 * mdp    [out]
 * pi     [out] (0, 1), (1/2, 1/2), (1/2, 1/2): eta = 4                                              [3, 2]
 * other  [out] (1/2, 1/2), (1/4, 3/4), (1/2, 1/2): eta = 2.75, and L_pi(other) = 3                  [3, 2]
 *
 * gamma in (0, 1].
 */
Status gallery_two_policies(Mdp *mdp, double *pi, double *other, double gamma, Arena *ws);

/**
 * Jack's car rental: two places with at most `cars` cars each. State = (n1, n2) at night, numbered n1 (cars + 1) + n2.
 *
 * Action a moves a - moves cars from the first place to the second (that many must be there), for `cost` each; more than
 * `cars` are taken away. Then requests come (Poisson), each car rented gives `rent`, and returns come (Poisson), which
 * are for rent the next day. The tails of the Poisson laws are folded into the last state: nothing is cut off.
 * The reward is the expected one. The first state is (cars, cars) / 2, rounded down.
 * Source: Sutton and Barto 2018, example 4.2 (cars 20, moves 5, rent 10, cost 2, requests 3 and 4, returns 3 and 2,
 * gamma 0.9).
 */
typedef struct GalleryRental {
  ptrdiff_t cars;                 /* 1 .. 1000 */
  ptrdiff_t moves;                /* 0 .. cars */
  double rent, cost;              /* per car */
  double requests[2], returns[2]; /* expected cars a day, in [0, 500] */
  double gamma;
} GalleryRental;

Status gallery_car_rental(Mdp *mdp, const GalleryRental *rental, Arena *ws);

#endif
