#include "solve/cg.h"

#include <math.h>
#include <string.h>

enum { LANES = 8 };

/* sum x_i y_i in eight interleaved sums: fast, and the same bits wherever it runs */
static double dot(const double *x, const double *y, long n) {
  double sum[LANES] = {0};
  long whole = n / LANES * LANES;
  for (long i = 0; i < whole; i += LANES) {
    for (int j = 0; j < LANES; j++) {
      sum[j] += x[i + j] * y[i + j];
    }
  }
  for (long i = whole; i < n; i++) {
    sum[i - whole] += x[i] * y[i];
  }
  return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

/* y += a x */
static void add_scaled(double *y, double a, const double *x, long n) {
  for (long i = 0; i < n; i++) {
    y[i] += a * x[i];
  }
}

/* The power of two near the largest |b_i|, by which b is divided so that squares neither overflow nor vanish; it changes
 * no digit. 0 when b = 0, NaN when an element is not finite. */
static double scale_of(const double *b, long n) {
  double largest = 0.0;
  for (long i = 0; i < n; i++) {
    if (!isfinite(b[i])) {
      return NAN;
    }
    largest = fmax(largest, fabs(b[i]));
  }
  int exponent;
  frexp(largest, &exponent);
  return largest == 0.0 ? 0.0 : ldexp(1.0, exponent < 1000 ? exponent : 1000);
}

long cg_work(long n) {
  return 4 * n;
}

/* x = s x and the two quadratic forms; s is the scale of b */
static void finish(double *x, const double *y, CgInfo *info, double s, long n) {
  info->xbx = dot(x, y, n) * s * s;
  info->xx = dot(x, x, n) * s * s;
  for (long i = 0; i < n; i++) {
    x[i] *= s;
  }
}

/* *z_ = M r, kept in space, or r itself without a preconditioner; *rz = r'z, which is already known as rr without one */
static Status precondition(const CgOptions *options, const double **z_, double *rz, double *space,
                           const double *r, double rr, long n) {
  *z_ = r;
  *rz = rr;
  if (options->precondition == NULL) {
    return CG_LIMIT;
  }
  const Status status = options->precondition(options->precondition_context, space, r);
  if (status < 0) {
    return status;
  }
  *z_ = space;
  *rz = dot(r, space, n);
  return !isfinite(*rz) ? E_NOT_FINITE : *rz <= 0.0 ? E_PRECONDITIONER : CG_LIMIT;
}

Status cg_solve(const CgOptions *options, double *x, CgInfo *info, CgApply apply, void *context,
                const double *b, long n, double *work) {
  double *r = work, *p = r + n, *q = p + n, *y = q + n;
  double damping = options->damping;
  double s = scale_of(b, n), rz = 0.0;
  const double *z;

  memset(x, 0, (size_t)n * sizeof *x);
  memset(y, 0, (size_t)n * sizeof *y);
  *info = (CgInfo){.residual = s == 0.0 ? 0.0 : 1.0};
  if (isnan(s)) {
    return E_NOT_FINITE;
  }
  if (s == 0.0) {
    return ZERO_GRADIENT;
  }
  for (long i = 0; i < n; i++) {
    r[i] = b[i] / s; /* r = b - (B + damping I) 0 */
  }
  const double bb = dot(r, r, n);
  /* p = z = M r; q is free to hold z until the next product */
  Status status = precondition(options, &z, &rz, q, r, bb, n);
  if (status >= 0) {
    memcpy(p, z, (size_t)n * sizeof *p);
  }

  for (int k = 0; k < options->iterations && status >= 0; k++) {
    /* curvature along p */
    status = apply(context, q, p); /* q = B p */
    if (status < 0) {
      break;
    }
    info->iterations = k + 1;
    double pp = damping > 0.0 ? dot(p, p, n) : 0.0;
    double pap = dot(p, q, n) + damping * pp; /* p'(B + damping I) p */
    status = !isfinite(pap) ? E_NOT_FINITE : pap <= 0.0 ? E_CURVATURE : CG_LIMIT;
    if (status < 0) {
      break;
    }
    /* the minimiser along p */
    double alpha = rz / pap;
    add_scaled(x, alpha, p, n);
    add_scaled(y, alpha, q, n);  /* y = B x */
    add_scaled(r, -alpha, q, n); /* r = b - (B + damping I) x */
    if (damping > 0.0) {
      add_scaled(r, -alpha * damping, p, n);
    }
    double rr = dot(r, r, n), rz_old = rz;
    if (!isfinite(rr)) {
      status = E_NOT_FINITE;
      break;
    }
    info->residual = sqrt(rr / bb);
    if (info->residual <= options->tolerance) {
      status = OK;
      break;
    }
    /* the next direction, conjugate to all before */
    if (k + 1 == options->iterations) {
      break;
    }
    status = precondition(options, &z, &rz, q, r, rr, n);
    double beta = rz / rz_old;
    for (long i = 0; i < n; i++) {
      p[i] = z[i] + beta * p[i];
    }
  }
  finish(x, y, info, s, n);
  return status;
}
