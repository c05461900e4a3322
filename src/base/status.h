#ifndef TRPO_STATUS_H
#define TRPO_STATUS_H

/**
 * What a core function reports. 0 done; > 0 done, but not as hoped; < 0 not done.
 * The core never raises and never prints: the caller decides what a status means to its user.
 */
#define STATUS_LIST(X)                                                                             \
  X(OK, 0, "ok", "done")                                                                           \
  X(CG_LIMIT, 1, "cg_limit", "conjugate gradients stopped at the iteration limit")                 \
  X(STEP_REJECTED, 2, "step_rejected", "the line search accepted no step")                         \
  X(ZERO_GRADIENT, 3, "zero_gradient", "the gradient is zero")                                     \
  X(OPTIMAL, 4, "optimal", "the policy is optimal")                                                \
  X(STALLED, 5, "stalled", "the method cannot move the policy, which is not optimal")              \
  X(UNCERTIFIED, 6, "uncertified", "the result has no certificate")                                \
  X(LIMIT, 7, "limit", "the iteration limit came first")                                           \
  X(E_NOMEM, -1, "no_memory", "not enough memory")                                                 \
  X(E_NOT_FINITE, -2, "not_finite", "a NaN or an infinite number appeared")                        \
  X(E_CURVATURE, -3, "negative_curvature", "the operator is not positive definite")                \
  X(E_SINGULAR, -4, "singular", "the matrix is singular")                                          \
  X(E_NOT_POSITIVE, -5, "not_positive_definite", "the matrix is not positive definite")            \
  X(E_ENV, -6, "environment", "the environment failed")                                            \
  X(E_ENDED, -7, "ended", "the episode has ended; reset first")                                    \
  X(E_NO_FILE, -8, "no_file", "there is no such file")                                             \
  X(E_IO, -9, "io", "a file cannot be read or written")                                            \
  X(E_FORMAT, -10, "format", "the file does not hold what its format asks for")                    \
  X(E_TOO_LARGE, -11, "too_large", "the file is larger than is allowed")                           \
  X(E_NOT_CONVERGED, -12, "not_converged", "the iteration did not converge")                       \
  X(E_NOT_STOCHASTIC, -13, "not_stochastic", "probabilities do not sum to one")                    \
  X(E_IMPROPER, -14, "improper", "with gamma = 1 a value that matters is not finite")              \
  X(E_TOLERANCE, -15, "tolerance", "double precision cannot certify this tolerance")               \
  X(E_INTERRUPTED, -16, "interrupted", "a signal asked it to end")                                 \
  X(E_PRECONDITIONER, -17, "preconditioner", "the preconditioner is not positive definite")

typedef enum Status {
#define STATUS_ENUM(code, value, name, text) code = value,
  STATUS_LIST(STATUS_ENUM)
#undef STATUS_ENUM
} Status;

/** Short machine-readable name of a status, e.g. "step_rejected"; "unknown" for any other number. */
const char *status_name(Status status);

/** One English clause that says what a status means. */
const char *status_text(Status status);

#endif
