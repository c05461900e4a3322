#ifndef TRPO_ROOT_H
#define TRPO_ROOT_H

/**
 * The root of a decreasing function of one number, by Newton's method inside a bracket, corrected by the cubic through the
 * last two points and slopes; the caller evaluates.
 *
 *   Root root;
 *   root_init(&root, first, tolerance);
 *   while (!root.done) {
 *     ... f and df = f'(root.x) at root.x ...
 *     root_next(&root, f, df);
 *   }
 *
 * Steps that leave the bracket, and the third in a row that is not half as long as the one before, are replaced by
 * bisection; while one end is unknown the bracket is widened by doubling. f may be infinite. Done when a step is at most
 * tolerance max(1, |x|), when f = 0, when tiny steps stop shrinking, or after ROOT_LIMIT evaluations.
 */
enum { ROOT_LIMIT = 300 };

typedef struct Root {
  double x;      /* where to evaluate; when done, the root */
  double lo, hi; /* f(lo) > 0 > f(hi); infinite while unknown */
  double tolerance;
  double before, f, df; /* of the last evaluation; df = 0: none yet */
  double reach;         /* next widening */
  int slow;             /* steps in a row that were not half as long as the one before */
  int rounds;           /* evaluations so far */
  int done;
} Root;

void root_init(Root *root, double first, double tolerance);

void root_next(Root *root, double f, double df);

#endif
