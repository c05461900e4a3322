#ifndef TRPO_TILT_H
#define TRPO_TILT_H

#include "mdp/gap.h"

/**
 * A state's policy tilted along a direction y of its logits: q = p exp(b y)/sum p exp(b y), and
 *
 *   KL(p || q) = log sum p exp(b (y - p.y)) =: K(b),   K'(b) = (q - p).y
 *
 * K is convex, K(0) = 0. Sums are over the support of p; other actions keep probability 0.
 */
typedef struct Tilt {
  double kl;    /* K(b) = shift + rest */
  double shift; /* log q/p = (b y - shift) - rest, in this order */
  double rest;
  double slope; /* K'(b) */
  double gain;  /* (q - p).A */
  double tv;
} Tilt;

/** Direction of each entry of gap, less its mean, into y [gap->n]: A itself, in units. */
void tilt_natural(const Gap *gap, double *y);

/** The gradient of weight sum p A with respect to the logits: weight p (A - p.A), less its mean under p. */
void tilt_gradient(const Gap *gap, double weight, double *y);

/** Evaluates at b; gain is in the gap's unit. */
void tilt_evaluate(const Gap *gap, const double *y, double b, Tilt *tilt);

/** Writes q [A] and log_q_ [A] (NULL: not wanted) from the evaluation at b. */
void tilt_write(const Gap *gap, const double *y, double b, const Tilt *tilt, double *q,
                double *log_q_);

#endif
