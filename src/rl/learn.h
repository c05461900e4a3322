#ifndef TRPO_LEARN_H
#define TRPO_LEARN_H

#include "policy/value.h"
#include "rl/batch.h"
#include "rl/trpo.h"

/**
 * What one batch teaches a policy and its value baseline: trpo_update and value_fit, which do not need each other's
 * results, beside each other where that pays. Small batches, and above all small minibatches, do not keep several threads busy; two
 * such computations do. The results are those of one after the other, bit for bit.
 */
typedef struct Learn {
  const TrpoConfig *config;
  const Batch *batch;
  Policy *policy;
  Value *value;
  TrpoInfo *info; /* [out] of the update */
  ValueFit *fit;  /* [out] of the fit */
} Learn;

/** Whether a status of the update says that the fit is left out, too: E_NOT_FINITE, E_NOMEM. */
int learn_ends(Status status);

/**
 * info->status is the update's, as trpo_update gives it; the fit's is returned. The value is as it was when the fit fails
 * and when it is left out. The two computations have a workspace each, so what fits one after the other may be E_NOMEM
 * beside each other. E_NOMEM, E_NOT_FINITE, E_NOT_POSITIVE.
 */
Status learn_batch(const Learn *learn, Arena *update, Arena *fit);

#endif
