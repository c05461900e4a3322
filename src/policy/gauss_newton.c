#include "policy/gauss_newton.h"

Status gauss_newton_init(GaussNewton *gn, const Network *net, const Tape *tape, int products,
                         GaussNewtonMetric metric_, void *context, Arena *arena) {
  (void)products;
  *gn = (GaussNewton){.net = net, .tape = tape, .metric_ = metric_, .context = context};
  gn->v = arena_push(arena, mlp_weights_bytes(&net->mlp));
  return gn->v ? OK : E_NOMEM;
}

static void product_block(void *context, const TapeBlock *block) {
  const GaussNewton *gn = context;
  const Mlp *mlp = &gn->net->mlp;
  void *dot = block->out;
  mlp_jvp(mlp, dot, gn->net->weights, gn->v, block->n, block->tape, block->work); /* J v */
  if (gn->metric_) gn->metric_(gn->context, dot, block);                          /* M J v */
  mlp_vjp(mlp, tape_partial(gn->tape, block->chunk), gn->net->weights, block->n, block->tape, dot,
          block->work); /* J' M J v */
}

void gauss_newton_apply(GaussNewton *gn, double *out, const double *v, double scale) {
  mlp_prepare(&gn->net->mlp, gn->v, v);
  tape_gradient(gn->tape, product_block, gn, out, scale);
}
