#include "policy/gauss_newton.h"

#include <string.h>

#include "base/pool.h"
#include "nn/jacobian_cost.h"

const char *const gauss_newton_forms[] = {[GAUSS_NEWTON_AUTO] = "auto",
                                          [GAUSS_NEWTON_CLASSICAL] = "classical",
                                          [GAUSS_NEWTON_CACHED] = "cached",
                                          NULL};

/* ---- classical form --------------------------------------------------------------------------------------- */

static void classical_block(void *context, const TapeBlock *block) {
  const GaussNewton *gn = context;
  const Mlp *mlp = &gn->net->mlp;
  void *dot = block->out;
  mlp_jvp(mlp, dot, gn->net->weights, gn->v, block->n, block->tape, block->work); /* J v */
  if (gn->metric_)
    gn->metric_(gn->context, dot, mlp->width[mlp->layers], block->first, block->n); /* M J v */
  mlp_vjp(mlp, tape_partial(gn->tape, block->chunk), gn->net->weights, block->n, block->tape, dot,
          block->work); /* J' M J v */
}

static void classical_apply(GaussNewton *gn, double *out, const double *v, double scale) {
  mlp_prepare_direction(&gn->net->mlp, gn->v, v);
  tape_gradient(gn->tape, classical_block, gn, out, scale);
}

/* ---- cached form ------------------------------------------------------------------------------------------ */

/* the first block of a chunk */
static long chunk_begin(const Tape *tape, int chunk) {
  return chunk * tape->blocks / tape->chunks;
}

/* block b; the thread goes on with block next */
static JacobianBlock cached_block(const GaussNewton *gn, long b, long next) {
  const Tape *tape = gn->tape;
  const int rows = tape->rows;
  const long left = tape->N - b * rows;
  JacobianBlock block = {.first = b * rows,
                         .n = left < rows ? (int)left : rows,
                         .tape = tape_block(tape, b),
                         .cache = gn->cache + (size_t)b * gn->cache_bytes};
  if (next < tape->blocks) {
    block.next_tape_ = tape_block(tape, next);
    block.next_cache_ = gn->cache + (size_t)next * gn->cache_bytes;
  }
  return block;
}

static void cached_chunk(void *context, int chunk, int worker) {
  const GaussNewton *gn = context;
  char *gradient = gn->gradient + (size_t)chunk * gn->gradient_bytes;
  char *work = gn->work + (size_t)worker * gn->work_bytes;
  const long end = chunk_begin(gn->tape, chunk + 1);
  const long then = chunk_begin(gn->tape, chunk + pool_threads()); /* at a guess */
  memset(gradient, 0, gn->gradient_bytes);
  for (long b = chunk_begin(gn->tape, chunk); b < end; b++) {
    const JacobianBlock block = cached_block(gn, b, b + 1 < end ? b + 1 : then);
    jacobian_product(&gn->jacobian, gradient, gn->weights, gn->v, &block, gn->metric_, gn->context,
                     work);
  }
}

/* columns of the chunks' gradients summed by one task */
enum { COLUMNS = 1024 };

static void collect_columns(void *context, int task, int worker) {
  const GaussNewton *gn = context;
  const Precision precision = gn->net->mlp.precision;
  const size_t real = mlp_real(&gn->net->mlp);
  const long begin = (long)task * COLUMNS, left = gn->jacobian.packed - begin;
  (void)worker;
  kernel(precision)->collect(gn->sum + begin, gn->gradient + (size_t)begin * real, gn->tape->chunks,
                             (long)(gn->gradient_bytes / real),
                             left < COLUMNS ? (int)left : COLUMNS);
}

static void cached_apply(GaussNewton *gn, double *out, const double *v, double scale) {
  jacobian_pack(&gn->jacobian, gn->v, v);
  pool_run(cached_chunk, gn, gn->tape->chunks);
  pool_run(collect_columns, gn, (int)((gn->jacobian.packed + COLUMNS - 1) / COLUMNS));
  jacobian_unpack(&gn->jacobian, out, gn->sum);
  for (long i = 0; i < gn->net->mlp.P; i++) out[i] *= scale;
}

typedef struct Build {
  const GaussNewton *gn;
  const void *transposed;
} Build;

static void build_chunk(void *context, int chunk, int worker) {
  const Build *build = context;
  const GaussNewton *gn = build->gn;
  for (long b = chunk_begin(gn->tape, chunk); b < chunk_begin(gn->tape, chunk + 1); b++) {
    const JacobianBlock block = cached_block(gn, b, gn->tape->blocks);
    jacobian_build(&gn->jacobian, &block, gn->weights, build->transposed,
                   gn->work + (size_t)worker * gn->work_bytes);
  }
}

static Status cached_init(GaussNewton *gn, Arena *arena) {
  const Jacobian *j = &gn->jacobian;
  const Mlp *mlp = &gn->net->mlp;
  const size_t real = mlp_real(mlp);
  gn->cache_bytes = arena_aligned((size_t)mlp->rows * (size_t)j->extra * real);
  gn->work_bytes = arena_aligned((size_t)j->work * real);
  gn->gradient_bytes = arena_aligned((size_t)j->packed * real);
  gn->v = arena_push(arena, gn->gradient_bytes);
  gn->weights = arena_push(arena, gn->gradient_bytes);
  gn->sum = ARENA_PUSH(arena, double, j->packed);
  gn->gradient = arena_push(arena, (size_t)gn->tape->chunks * gn->gradient_bytes);
  gn->work = arena_push(arena, (size_t)pool_threads() * gn->work_bytes);
  gn->cache = arena_push(arena, (size_t)gn->tape->blocks * gn->cache_bytes);
  void *transposed = arena_push(arena, (size_t)j->reversed * real);
  if (!gn->v || !gn->weights || !gn->sum || !gn->gradient || !gn->work || !gn->cache || !transposed)
    return E_NOMEM;
  jacobian_pack(j, gn->weights, gn->net->theta);
  jacobian_transpose(j, transposed, gn->net->theta);
  if (j->extra) pool_run(build_chunk, &(Build){gn, transposed}, gn->tape->chunks);
  return OK;
}

/* ---- both ------------------------------------------------------------------------------------------------- */

static int cached_wanted(const GaussNewton *gn, const GaussNewtonSpec *spec) {
  if (spec->form != GAUSS_NEWTON_AUTO) return spec->form == GAUSS_NEWTON_CACHED;
  return jacobian_cost_worthwhile(&gn->jacobian, spec->products, gn->tape->blocks);
}

Status gauss_newton_make(GaussNewton *gn, const Network *net, const Tape *tape,
                         const GaussNewtonSpec *spec, Arena *arena) {
  *gn = (GaussNewton){.net = net,
                      .tape = tape,
                      .metric_ = spec->metric_,
                      .context = spec->context,
                      .form = GAUSS_NEWTON_CLASSICAL};
  if (net->mlp.layers > 1) {
    jacobian_init(&gn->jacobian, &net->mlp, spec->contrast && net->mlp.width[net->mlp.layers] > 1);
    if (cached_wanted(gn, spec)) {
      gn->form = GAUSS_NEWTON_CACHED;
      return cached_init(gn, arena);
    }
  }
  gn->v = arena_push(arena, mlp_weights_bytes(&net->mlp));
  return gn->v ? OK : E_NOMEM;
}

Status gauss_newton_init(GaussNewton *gn, const Network *net, const Tape *tape, int products,
                         GaussNewtonMetric metric_, void *context, Arena *arena) {
  const GaussNewtonSpec spec = {.products = products, .metric_ = metric_, .context = context};
  return gauss_newton_make(gn, net, tape, &spec, arena);
}

void gauss_newton_apply(GaussNewton *gn, double *out, const double *v, double scale) {
  if (gn->form == GAUSS_NEWTON_CACHED)
    cached_apply(gn, out, v, scale);
  else
    classical_apply(gn, out, v, scale);
}
