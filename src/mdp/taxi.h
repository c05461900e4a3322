#ifndef TRPO_TAXI_H
#define TRPO_TAXI_H

#include "base/arena.h"
#include "mdp/mdp.h"

/**
 * Taxi: fetch a passenger and bring him to his destination, on a 5 x 5 grid with walls.
 *
 * State ((row 5 + column) 5 + passenger) 4 + destination; the passenger waits at R, G, Y, B (0..3) or sits in the
 * taxi (4). Actions south, north, east, west, pick up, drop off. Each step costs 1, picking up or dropping off where that
 * is not possible 10; delivery gives 20 and ends the episode, though its next state is an ordinary one. The first state
 * is uniform over the 300 in which the passenger waits elsewhere than at his destination.
 * Source: Dietterich 2000, section 2; Gymnasium, toy_text/taxi.py (Taxi-v3).
 *
 * E_NOMEM.
 */
Status taxi_make(Mdp *mdp, double gamma, Arena *ws);

#endif
