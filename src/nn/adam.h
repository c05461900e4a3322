#ifndef TRPO_ADAM_H
#define TRPO_ADAM_H

/**
 * Adam. Source: Kingma and Ba 2015, arXiv:1412.6980, algorithm 1 (the efficient form at the end of section 2:
 * the step size carries the bias corrections).
 */
typedef struct Adam {
  double rate;         /* step size, > 0 */
  double beta1, beta2; /* decay of the moments, in [0, 1) */
  double epsilon;
  double *m, *v; /* first and second moment [P], zero at first */
  long step;     /* steps taken */
} Adam;

/** theta -= step along gradient g. theta [in,out] [P], g [in] [P]. The bits are those of any instruction set. */
void adam_step(Adam *adam, double *theta, const double *g, long P);

/** What an instruction set makes of the loop: m, v and theta by the rates of one step. */
typedef struct AdamUpdate {
  double rate, epsilon; /* with the bias corrections in them */
  double beta1, beta2;
} AdamUpdate;

typedef struct AdamTable {
  void (*update)(const AdamUpdate *u, double *theta, double *m, double *v, const double *g, long P);
} AdamTable;

#endif
