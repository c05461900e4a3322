/*
 * Kernels of jacobian.h for one instruction set and one precision; included once per instance, after simd_f32.h or
 * simd_f64.h. Rows of a layer are `stride` Reals apart, a multiple of KERNEL_PAD, and padded with zeros. The sums of a
 * group of up to GROUP outputs stay in registers while the loop runs over a row.
 */
#ifndef TRPO_JACOBIAN_TEMPLATE_H
#define TRPO_JACOBIAN_TEMPLATE_H

enum { GROUP = 4 };

/* calls f(a, k) for outputs a .. a + k - 1 of A: k = GROUP at a time, in the end what is left, as constants */
#define IN_GROUPS(A, f)                                                                            \
  do {                                                                                             \
    int from = 0;                                                                                  \
    for (; from + GROUP <= (A); from += GROUP) f(from, GROUP);                                     \
    switch ((A)-from) {                                                                            \
    case 3: f(from, 3); break;                                                                     \
    case 2: f(from, 2); break;                                                                     \
    case 1: f(from, 1); break;                                                                     \
    default: break;                                                                                \
    }                                                                                              \
  } while (0)

/* calls f with the activation as a constant */
#define WITH_ACTIVATION(activation, f)                                                             \
  switch (activation) {                                                                            \
  case ACT_TANH: f(ACT_TANH); break;                                                               \
  case ACT_RELU: f(ACT_RELU); break;                                                               \
  default: f(ACT_IDENTITY); break;                                                                 \
  }

/* the same names in both precisions */
#define dot_group R(dot_group)
#define dot R(dot)
#define dot_last_group R(dot_last_group)
#define dot_last_groups R(dot_last_groups)
#define dot_last R(dot_last)
#define spread_group R(spread_group)
#define spread R(spread)
#define spread_last_groups R(spread_last_groups)
#define spread_last R(spread_last)
#define slopes R(slopes)
#define build_strip R(build_strip)
#define product_strip R(product_strip)

#endif

/* ---- J v ------------------------------------------------------------------------------------------------- */

/* sum_ia (+)= r_i . e_ia for k outputs, element by element of a vector; sum [n][A][LANES] */
SIMD_INLINE void dot_group(REAL *sum, const REAL *r, const REAL *e, int n, int A, long stride,
                           int first, int k) {
  for (int i = 0; i < n; i++, sum += A * LANES, r += stride, e += A * stride) {
    Vec s[GROUP];
    UNROLL for (int a = 0; a < k; a++) s[a] = first ? vzero() : vload(sum + a * LANES);
    for (long j = 0; j < stride; j += LANES) {
      const Vec x = vload(r + j);
      UNROLL for (int a = 0; a < k; a++) s[a] = vfma(x, vload(e + a * stride + j), s[a]);
    }
    UNROLL for (int a = 0; a < k; a++) vstore(sum + a * LANES, s[a]);
  }
}

#define DOT(a, k) dot_group(sum + (a)*LANES, r, e + (a)*stride, n, A, stride, first, k)
static void dot(REAL *sum, const REAL *r, const REAL *e, int n, int A, long stride, int first) {
  IN_GROUPS(A, DOT);
}
#undef DOT

/* u_ia = b_a + the elements of sum_ia + (r_i act'_i) . w_a + h_i . v_a for k outputs */
SIMD_INLINE void dot_last_group(REAL *u, const REAL *sum_, const REAL *r, const REAL *h,
                                const REAL *w, const REAL *v, const REAL *b, int n, int A,
                                long stride, Activation activation, int k) {
  for (int i = 0; i < n; i++, u += A, r += stride, h += stride) {
    Vec s[GROUP];
    UNROLL for (int a = 0; a < k; a++) s[a] = sum_ ? vload(sum_ + (i * A + a) * LANES) : vzero();
    for (long j = 0; j < stride; j += LANES) {
      const Vec y = vload(h + j), x = vslope(activation, vload(r + j), y);
      UNROLL for (int a = 0; a < k; a++) {
        s[a] = vfma(y, vload(v + a * stride + j), s[a]);
        s[a] = vfma(x, vload(w + a * stride + j), s[a]);
      }
    }
    UNROLL for (int a = 0; a < k; a++) u[a] = b[a] + vsum(s[a]);
  }
}

SIMD_INLINE void dot_last_groups(REAL *u, const REAL *sum_, const REAL *r, const REAL *h,
                                 const REAL *w, const REAL *v, const REAL *b, int n, int A,
                                 long stride, Activation activation) {
#define DOT(a, k)                                                                                  \
  dot_last_group(u + (a), sum_ ? sum_ + (a)*LANES : NULL, r, h, w + (a)*stride, v + (a)*stride,    \
                 b + (a), n, A, stride, activation, k)
  IN_GROUPS(A, DOT);
#undef DOT
}

#define DOT(known) dot_last_groups(u, sum_, r, h, w, v, b, n, A, stride, known)
static void dot_last(REAL *u, const REAL *sum_, const REAL *r, const REAL *h, const REAL *w,
                     const REAL *v, const REAL *b, int n, int A, long stride,
                     Activation activation) {
  WITH_ACTIVATION(activation, DOT);
}
#undef DOT

/* ---- J' u ------------------------------------------------------------------------------------------------ */

/* d_i (+)= sum_a u_ia e_ia for k outputs; with h_, e_a are weights and e_ia = e_a act'_i. de: from row to row of e */
SIMD_INLINE void spread_group(REAL *d, const REAL *u, const REAL *e, long de, const REAL *h_, int n,
                              int A, long stride, Activation activation, int first, int k) {
  for (int i = 0; i < n; i++, d += stride, u += A, e += de) {
    Vec weight[GROUP];
    UNROLL for (int a = 0; a < k; a++) weight[a] = vset1(u[a]);
    for (long j = 0; j < stride; j += LANES) {
      Vec x = vmul(weight[0], vload(e + j));
      UNROLL for (int a = 1; a < k; a++) x = vfma(weight[a], vload(e + a * stride + j), x);
      if (h_) x = vslope(activation, x, vload(h_ + i * stride + j));
      vstore(d + j, first ? x : vadd(vload(d + j), x));
    }
  }
}

#define SPREAD(a, k)                                                                               \
  spread_group(d, u + (a), e + (a)*stride, A * stride, NULL, n, A, stride, ACT_IDENTITY, (a) == 0, \
               k)
static void spread(REAL *d, const REAL *u, const REAL *e, int n, int A, long stride) {
  IN_GROUPS(A, SPREAD);
}
#undef SPREAD

SIMD_INLINE void spread_last_groups(REAL *d, const REAL *u, const REAL *w, const REAL *h, int n,
                                    int A, long stride, Activation activation) {
#define SPREAD(a, k)                                                                               \
  spread_group(d, u + (a), w + (a)*stride, 0, h, n, A, stride, activation, (a) == 0, k)
  IN_GROUPS(A, SPREAD);
#undef SPREAD
}

static void spread_last(REAL *d, const REAL *u, const REAL *w, const REAL *h, int n, int A,
                        long stride, Activation activation) {
#define SPREAD(known) spread_last_groups(d, u, w, h, n, A, stride, known)
  WITH_ACTIVATION(activation, SPREAD);
#undef SPREAD
}

/* ---- the functions of jacobian.h -------------------------------------------------------------------------- */

/* e [n][A][stride] *= act', h [n][stride] */
static void slopes(REAL *e, const REAL *h, int n, int A, long stride, Activation activation) {
  for (int i = 0; i < n; i++, h += stride)
    for (int a = 0; a < A; a++, e += stride)
      for (long j = 0; j < stride; j += LANES)
        vstore(e + j, vslope(activation, vload(e + j), vload(h + j)));
}

/* e_l of the n rows from row i on, l = L - 1 .. 1; work: e_L */
static void build_strip(const Jacobian *jacobian, const JacobianBlock *block, const REAL *weights,
                        const REAL *transposed, long i, int n, REAL *work) {
  const Mlp *net = jacobian->net;
  const int A = jacobian->outputs, last = net->layers - 1, top = net->stride[last];
  const REAL *tape = block->tape, *w = weights + jacobian->weight[last];
  /* e_L = w_a act' */
  for (int k = 0; k < n; k++) memcpy(work + (long)k * A * top, w, (size_t)A * top * sizeof *w);
  slopes(work, tape + net->column[last] + i * top, n, A, top, net->activation);
  /* e_l = (e_{l+1} W_{l+1}') act' */
  const REAL *above = work;
  for (int l = last - 1; l > 0; l--) {
    const long stride = net->stride[l];
    REAL *e = (REAL *)block->cache + jacobian->kept[l] + i * A * stride;
    const KernelAffine map = {.n = n * A,
                              .columns = net->width[l],
                              .y = e,
                              .dy = net->stride[l],
                              .operand = {{above, net->stride[l + 1], net->width[l + 1],
                                           transposed + jacobian->transposed[l]}}};
    kernel(net->precision)->affine(&map);
    slopes(e, tape + net->column[l] + i * stride, n, A, stride, net->activation);
    above = e;
  }
}

static void R(build)(const Jacobian *jacobian, const JacobianBlock *block, const void *weights,
                     const void *transposed, void *work) {
  for (int i = 0; i < block->n; i += jacobian->strip) {
    const int left = block->n - i, n = left < jacobian->strip ? left : jacobian->strip;
    build_strip(jacobian, block, weights, transposed, i, n, work);
  }
}

/* u = M J v and the deltas of the n rows from row i on, in the workspace */
static void product_strip(const Jacobian *jacobian, const REAL *w, const REAL *v,
                          const JacobianBlock *block, long i, int n, JacobianMetric metric_,
                          void *context, REAL *work, KernelAhead *ahead) {
  const Mlp *net = jacobian->net;
  const int A = jacobian->outputs, last = net->layers - 1;
  const REAL *h[MLP_LAYERS], *e[MLP_LAYERS];
  REAL *r[MLP_LAYERS], *u = work + jacobian->tangent[0] + i * A, *sum = work + jacobian->sums;
  for (int l = 0; l <= last; l++) {
    h[l] = (const REAL *)block->tape + net->column[l] + i * net->stride[l];
    e[l] = (const REAL *)block->cache + jacobian->kept[l] + i * A * net->stride[l];
    r[l] = work + jacobian->tangent[l] + i * net->stride[l];
  }
  /* every layer's own tangent, r_l = h_{l-1} V_l + vb_l */
  for (int l = 1; l <= last; l++) {
    const KernelAffine map = {.n = n,
                              .columns = net->width[l],
                              .y = r[l],
                              .dy = net->stride[l],
                              .b_ = v + jacobian->bias[l - 1],
                              .ahead_ = ahead,
                              .operand = {{h[l - 1], net->stride[l - 1], net->width[l - 1],
                                           v + jacobian->weight[l - 1]}}};
    kernel(net->precision)->affine(&map);
  }
  /* u = M J v */
  const REAL *w_out = w + jacobian->weight[last], *v_out = v + jacobian->weight[last];
  for (int l = 1; l < last; l++) dot(sum, r[l], e[l], n, A, net->stride[l], l == 1);
  dot_last(u, last > 1 ? sum : NULL, r[last], h[last], w_out, v_out, v + jacobian->bias[last], n, A,
           net->stride[last], net->activation);
  if (metric_) metric_(context, u, A, block->first + i, n);
  /* delta_l takes the place of r_l */
  for (int l = 1; l < last; l++) spread(r[l], u, e[l], n, A, net->stride[l]);
  spread_last(r[last], u, w_out, h[last], n, A, net->stride[last], net->activation);
}

static void R(product)(const Jacobian *jacobian, void *gradient, const void *weights, const void *v,
                       const JacobianBlock *block, JacobianMetric metric_, void *context,
                       void *work) {
  const Mlp *net = jacobian->net;
  const KernelTable *table = kernel(net->precision);
  const int last = net->layers - 1, A = jacobian->outputs;
  const REAL *tape = block->tape;
  REAL *g = gradient, *r = work, *u = r + jacobian->tangent[0];
  KernelAhead ahead = {block->next_tape_, block->next_tape_, jacobian->tape_pace};
  if (block->next_tape_) ahead.end += jacobian->tape_bytes;
  for (int i = 0; i < block->n; i += jacobian->strip) {
    const int left = block->n - i, n = left < jacobian->strip ? left : jacobian->strip;
    product_strip(jacobian, weights, v, block, i, n, metric_, context, r, &ahead);
  }
  ahead = (KernelAhead){block->next_cache_, block->next_cache_, jacobian->cache_pace};
  if (block->next_cache_) ahead.end += jacobian->cache_bytes;
  /* G_l += h_{l-1}' delta_l and the sum of delta_l */
  for (int l = 1; l <= last; l++)
    table->gradient(g + jacobian->weight[l - 1], net->stride[l], tape + net->column[l - 1],
                    net->stride[l - 1], net->width[l - 1], 1, r + jacobian->tangent[l],
                    net->stride[l], block->n, &ahead);
  /* those of the outputs transposed: u' h_L */
  table->gradient(g + jacobian->weight[last], net->stride[last], u, A, A, 0,
                  tape + net->column[last], net->stride[last], block->n, NULL);
  table->sum_rows(g + jacobian->bias[last], u, block->n, A);
}
