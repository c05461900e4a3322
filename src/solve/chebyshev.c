#include "solve/chebyshev.h"

#include <math.h>
#include <string.h>

#include "base/blas.h"

/* pi to double precision */
static const double PI = 3.14159265358979323846;

double chebyshev_point(int j, int n) {
  return sin(PI * (double)(n - 2 * j) / (2.0 * n)); /* exactly symmetric */
}

Status chebyshev_fit(double *c, const double *f, int n, Arena *ws) {
  const ArenaMark mark = arena_mark(ws);
  const int period = 2 * n;
  double *cosine = ARENA_PUSH(ws, double, period);
  if (cosine == NULL) {
    return E_NOMEM;
  }
  for (int i = 0; i < period; i++) {
    cosine[i] = i <= n ? chebyshev_point(i, n) : chebyshev_point(period - i, n);
  }
  for (int k = 0; k <= n; k++) {
    /* c_k = 2/n sum'' f_j cos(j k pi / n), the first and last term halved, as are c_0 and c_n */
    double sum = 0.5 * (f[0] + (k % 2 == 0 ? f[n] : -f[n]));
    for (int j = 1; j < n; j++) {
      sum += f[j] * cosine[(int)((long long)j * k % period)];
    }
    c[k] = sum * (k == 0 || k == n ? 1.0 : 2.0) / n;
  }
  arena_release(ws, mark);
  return OK;
}

double chebyshev_value(const double *c, int n, double x) {
  double b1 = 0.0, b2 = 0.0;
  for (int k = n; k > 0; k--) {
    const double b = c[k] + 2.0 * x * b1 - b2;
    b2 = b1;
    b1 = b;
  }
  return c[0] + x * b1 - b2;
}

void chebyshev_derivative(double *d, const double *c, int n) {
  for (int k = n; k > 0; k--) {
    d[k - 1] = (k + 1 < n ? d[k + 1] : 0.0) + 2.0 * k * c[k]; /* d_{k-1} = d_{k+1} + 2 k c_k */
  }
  d[0] *= 0.5;
}

/* the transposed colleague matrix, column by column: upper Hessenberg; n >= 2 */
static void fill_colleague(double *h, const double *d, int n) {
  memset(h, 0, (size_t)n * (size_t)n * sizeof *h);
  h[1] = 1.0; /* x T_0 = T_1 */
  for (int k = 1; k < n; k++) {
    h[k * n + k - 1] = 0.5; /* x T_k = (T_{k-1} + T_{k+1}) / 2 */
    if (k + 1 < n) {
      h[k * n + k + 1] = 0.5;
    }
  }
  for (int k = 0; k < n; k++) {
    h[(n - 1) * n + k] -= d[k] / (2.0 * d[n]); /* T_n = -sum_k d_k / d_n T_k */
  }
}

static Status eigenvalues(double *re, double *im, const double *d, int n, Arena *ws) {
  double *h = ARENA_PUSH(ws, double, (size_t)n *(size_t)n), *scale = ARENA_PUSH(ws, double, n);
  double *work = ARENA_PUSH(ws, double, n);
  if (h == NULL || scale == NULL || work == NULL) {
    return E_NOMEM;
  }
  fill_colleague(h, d, n);
  lapack_int low, high;
  lapack_int info = LAPACKE_dgebal_work(LAPACK_COL_MAJOR, 'S', n, h, n, &low, &high, scale);
  if (info == 0) {
    info = LAPACKE_dhseqr_work(LAPACK_COL_MAJOR, 'E', 'N', n, low, high, h, n, re, im, NULL, 1,
                               work, n);
  }
  return info == 0 ? OK : E_NOT_CONVERGED;
}

/* keeps what lies on the interval, or next to it */
static int keep_real(double *root, const double *re, const double *im, int n) {
  int count = 0;
  for (int i = 0; i < n; i++) {
    if (fabs(im[i]) <= 1e-8 && fabs(re[i]) <= 1.0 + 1e-8) {
      root[count++] = fmax(-1.0, fmin(1.0, re[i]));
    }
  }
  return count;
}

Status chebyshev_roots(double *root, int *count, const double *d, int n, Arena *ws) {
  const ArenaMark mark = arena_mark(ws);
  *count = 0;
  for (int k = 0; k <= n; k++) {
    if (!isfinite(d[k])) {
      return E_NOT_FINITE;
    }
  }
  while (n > 0 && d[n] == 0.0) {
    n--;
  }
  double *re = ARENA_PUSH(ws, double, n + 1), *im = ARENA_PUSH(ws, double, n + 1);
  Status status = re == NULL || im == NULL ? E_NOMEM : OK;
  if (status == OK && n == 1) {
    re[0] = -d[0] / d[1];
    im[0] = 0.0;
  } else if (status == OK && n > 1) {
    status = eigenvalues(re, im, d, n, ws);
  }
  if (status == OK) {
    *count = keep_real(root, re, im, n);
  }
  arena_release(ws, mark);
  return status;
}
