/* The policy that programs here measure: two hidden layers of 64 tanh units. */
#ifndef TRPO_BENCH_SUBJECT_H
#define TRPO_BENCH_SUBJECT_H

#include "policy/policy.h"

static Status subject_policy(Policy *policy, int O, int A, int discrete, Precision precision) {
  static const int hidden[] = {64, 64};
  Space observation, action = {0};
  Rng rng = rng_at(rng_key(1, 0), RNG_INIT, 0, 0);
  if (space_box(&observation, O, NULL, NULL) != OK) return E_NOMEM;
  if (discrete) space_discrete(&action, A);
  if (!discrete && space_box(&action, A, NULL, NULL) != OK) return E_NOMEM;
  const PolicySpec spec = {.observation = &observation,
                           .action = &action,
                           .hidden_layers = 2,
                           .hidden = hidden,
                           .activation = ACT_TANH,
                           .precision = precision};
  return policy_init(policy, &spec, &rng);
}

#endif
