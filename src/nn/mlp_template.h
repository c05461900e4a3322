/* Forward, tangent and reverse pass of mlp.h for one precision; included once each for float and double. */

/* y = x W + b.  x [n][in], W [in][out], y [n][out] with rows dx and dy apart; y's padding becomes 0 */
static void R(affine)(REAL *y, int dy, const REAL *x, int dx, const REAL *w, const REAL *b, int n,
                      int in, int out) {
  for (int i = 0; i < n; i++) {
    memcpy(y + (size_t)i * dy, b, (size_t)out * sizeof *y);
    memset(y + (size_t)i * dy + out, 0, (size_t)(dy - out) * sizeof *y);
  }
  GEMM(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, out, in, 1, x, dx, w, out, 1, y, dy);
}

static void R(activate)(Activation activation, REAL *h, size_t n) {
  if (activation == ACT_TANH) VTANH(h, h, n);
  if (activation == ACT_RELU)
    for (size_t i = 0; i < n; i++) h[i] = h[i] < 0 ? 0 : h[i]; /* keeps NaN */
}

/* d *= act'(z), from the activation h = act(z) */
static void R(derivative)(Activation activation, REAL *d, const REAL *h, size_t n) {
  if (activation == ACT_TANH)
    for (size_t i = 0; i < n; i++) d[i] *= 1 - h[i] * h[i];
  if (activation == ACT_RELU)
    for (size_t i = 0; i < n; i++) d[i] = h[i] > 0 ? d[i] : 0;
}

static void R(transpose)(REAL *to, const REAL *from, int rows, int columns) {
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < columns; j++) to[(size_t)j * rows + i] = from[(size_t)i * columns + j];
}

static void R(mlp_prepare)(const Mlp *net, REAL *weights, const double *theta) {
  for (long i = 0; i < net->P; i++) weights[i] = (REAL)theta[i];
  for (int l = 1; l < net->layers; l++) {
    const REAL *w = weights + net->weight[l];
    R(transpose)(weights + net->transposed[l], w, net->width[l], net->width[l + 1]);
  }
}

static void R(mlp_forward)(const Mlp *net, const REAL *weights, int n, REAL *tape) {
  for (int l = 0; l < net->layers; l++) {
    const int out = net->stride[l + 1];
    REAL *h = tape + net->column[l + 1];
    R(affine)
    (h, out, tape + net->column[l], net->stride[l], weights + net->weight[l],
     weights + net->bias[l], n, net->width[l], net->width[l + 1]);
    if (l + 1 < net->layers) R(activate)(net->activation, h, (size_t)n * out);
  }
}

static void R(mlp_jvp)(const Mlp *net, REAL *out_dot, const REAL *weights, const REAL *v, int n,
                       const REAL *tape, REAL *work) {
  REAL *h_dot = NULL;
  for (int l = 0; l < net->layers; l++) {
    const int in = net->width[l], out = net->width[l + 1], last = l + 1 == net->layers;
    const int dx = net->stride[l], dy = net->stride[l + 1];
    const REAL *h = tape + net->column[l];
    REAL *z_dot = last ? out_dot : work + (size_t)(l & 1) * net->rows * net->widest;
    /* z_dot = h V + v_b + h_dot W;  the input has no tangent */
    R(affine)(z_dot, dy, h, dx, v + net->weight[l], v + net->bias[l], n, in, out);
    if (h_dot)
      GEMM(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, out, in, 1, h_dot, dx,
           weights + net->weight[l], out, 1, z_dot, dy);
    if (!last) R(derivative)(net->activation, z_dot, tape + net->column[l + 1], (size_t)n * dy);
    h_dot = z_dot;
  }
}

static void R(mlp_vjp)(const Mlp *net, REAL *dtheta, const REAL *weights, int n, const REAL *tape,
                       const REAL *dout, REAL *work) {
  const REAL *d = dout;
  for (int l = net->layers - 1; l >= 0; l--) {
    const int in = net->width[l], out = net->width[l + 1];
    const int dx = net->stride[l], dy = net->stride[l + 1];
    const REAL *h = tape + net->column[l];
    REAL *db = dtheta + net->bias[l];
    GEMM(CblasRowMajor, CblasTrans, CblasNoTrans, in, out, n, 1, h, dx, d, dy, 1,
         dtheta + net->weight[l], out); /* dW += h' d */
    for (int i = 0; i < n; i++)
      for (int j = 0; j < out; j++) db[j] += d[(size_t)i * dy + j]; /* db += sum of rows of d */
    if (l == 0) break;
    REAL *dh = work + (size_t)(l & 1) * net->rows * net->widest; /* dh = d W' * act'(z) */
    for (int i = 0; i < n; i++) memset(dh + (size_t)i * dx + in, 0, (size_t)(dx - in) * sizeof *dh);
    GEMM(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, in, out, 1, d, dy,
         weights + net->transposed[l], in, 0, dh, dx);
    R(derivative)(net->activation, dh, h, (size_t)n * dx);
    d = dh;
  }
}
