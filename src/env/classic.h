#ifndef TRPO_CLASSIC_H
#define TRPO_CLASSIC_H

#include "env/env.h"

/**
 * One step of many lanes of the classic control environments, as vector code: one table for each instruction set.
 * No operation is fused and sines are those of base/trig.h, so a lane's bits depend neither on the lanes beside it
 * nor on the processor. (Angles beyond TRIG_LIMIT, which no episode of ordinary length reaches, take the C library's.)
 */
typedef struct ClassicTable {
  /*
   * Equations in env/cartpole.h. state [in,out] [n][4]; obs [out] [n][4]; reward, terminated [out] [n]; action [in] [n].
   */
  void (*cartpole)(double *state, double *obs, double *reward, EnvMark *terminated,
                   const double *action, int n);
  /* Equations in env/pendulum.h. state [in,out] [n][2]; obs [out] [n][3]; the rest as above, action in Nm. */
  void (*pendulum)(double *state, double *obs, double *reward, EnvMark *terminated,
                   const double *action, int n);
  /* What a lane at state shows: obs [n][3]. */
  void (*pendulum_observe)(double *obs, const double *state, int n);
} ClassicTable;

/** The table in force. */
const ClassicTable *classic(void);

#endif
