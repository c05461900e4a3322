#include "mdp/quotient.h"

#include <string.h>

#include "mdp/topology.h"

int quotient_row_ends(const Mdp *mdp, ptrdiff_t k) {
  const MdpOutcomes *o = &mdp->outcomes;
  for (int64_t j = o->start != NULL ? o->start[k] : 0; o->start != NULL && j < o->start[k + 1];
       j++) {
    if (o->done[j] && o->prob[j] > 0.0) {
      return 1;
    }
  }
  return 0; /* without outcomes none ends */
}

/* --- end components ------------------------------------------------------------------------------------------------- */

/* the graph of the marked rows, packed: start [S + 1] and next */
typedef struct Packed {
  int64_t *start;
  int32_t *next, *order, *begin;
} Packed;

static Status pack_init(Packed *p, const Mdp *mdp, Arena *ws) {
  p->start = ARENA_PUSH(ws, int64_t, mdp->S + 1);
  p->next = ARENA_PUSH(ws, int32_t, mdp->start[mdp->rows] + 1);
  p->order = ARENA_PUSH(ws, int32_t, mdp->S);
  p->begin = ARENA_PUSH(ws, int32_t, mdp->S + 1);
  return p->start && p->next && p->order && p->begin ? OK : E_NOMEM;
}

static void pack(Packed *p, const Mdp *mdp, const unsigned char *rows) {
  int64_t at = 0;
  for (ptrdiff_t s = 0; s < mdp->S; s++) {
    p->start[s] = at;
    for (int64_t k = mdp->first[s]; k < mdp->first[s + 1]; k++) {
      for (int64_t j = mdp->start[k]; rows[k] && j < mdp->start[k + 1]; j++) {
        p->next[at++] = mdp->next[j];
      }
    }
  }
  p->start[mdp->S] = at;
}

/* unmarks rows that lead out of the component of their state; 1 when there were any */
static int drop_leaving(const Mdp *mdp, unsigned char *rows, const int32_t *component) {
  int dropped = 0;
  for (ptrdiff_t s = 0; s < mdp->S; s++) {
    for (int64_t k = mdp->first[s]; k < mdp->first[s + 1]; k++) {
      for (int64_t j = mdp->start[k]; rows[k] && j < mdp->start[k + 1]; j++) {
        if (component[mdp->next[j]] != component[s]) {
          rows[k] = 0;
          dropped = 1;
        }
      }
    }
  }
  return dropped;
}

/* strongly connected components with a marked row are numbered from 0; all other states get -1 */
static ptrdiff_t number_components(const Mdp *mdp, const unsigned char *rows, int32_t *component,
                                   const Packed *p, ptrdiff_t count) {
  ptrdiff_t number = 0;
  for (ptrdiff_t i = 0; i < count; i++) {
    int any = 0;
    for (int32_t n = p->begin[i]; n < p->begin[i + 1]; n++) {
      const int32_t s = p->order[n];
      for (int64_t k = mdp->first[s]; k < mdp->first[s + 1]; k++) {
        any |= rows[k];
      }
    }
    for (int32_t n = p->begin[i]; n < p->begin[i + 1]; n++) {
      component[p->order[n]] = any ? (int32_t)number : -1;
    }
    number += any;
  }
  return number;
}

Status quotient_end_components(const Mdp *mdp, unsigned char *rows, int32_t *component,
                               ptrdiff_t *count, Arena *ws) {
  const ArenaMark mark = arena_mark(ws);
  Packed p;
  Status status = pack_init(&p, mdp, ws);
  for (ptrdiff_t k = 0; status == OK && k < mdp->rows; k++) {
    rows[k] = rows[k] && mdp->start[k + 1] > mdp->start[k];
  }
  for (int again = 1; status == OK && again;) {
    const TopologyGraph graph = {mdp->S, NULL, p.start, p.next};
    ptrdiff_t found;
    pack(&p, mdp, rows);
    status = topology_components(&graph, p.order, p.begin, &found, ws);
    if (status == OK) {
      for (ptrdiff_t i = 0; i < found; i++) {
        for (int32_t n = p.begin[i]; n < p.begin[i + 1]; n++) {
          component[p.order[n]] = (int32_t)i;
        }
      }
      again = drop_leaving(mdp, rows, component);
      *count = again ? 0 : number_components(mdp, rows, component, &p, found);
    }
  }
  arena_release(ws, mark);
  return status;
}

/* --- the quotient --------------------------------------------------------------------------------------------------- */

/* classes: components first, then the other states; returns their number */
static ptrdiff_t name_classes(int32_t *class_, ptrdiff_t S, ptrdiff_t components) {
  ptrdiff_t next = components;
  for (ptrdiff_t s = 0; s < S; s++) {
    if (class_[s] < 0) {
      class_[s] = (int32_t)next++;
    }
  }
  return next;
}

/* the states ordered by class, as offsets at [classes + 1] and list [S] */
static void sort_by_class(int32_t *list, int32_t *at, const int32_t *class_, ptrdiff_t S,
                          ptrdiff_t classes) {
  memset(at, 0, (size_t)(classes + 2) * sizeof *at);
  for (ptrdiff_t s = 0; s < S; s++) {
    at[class_[s] + 2]++;
  }
  for (ptrdiff_t c = 0; c < classes; c++) {
    at[c + 2] += at[c + 1];
  }
  for (ptrdiff_t s = 0; s < S; s++) {
    list[at[class_[s] + 1]++] = (int32_t)s;
  }
}

/* row k of the process between classes: successors of one class are summed, and sorted by insertion */
static void append_row(Mdp *to, ptrdiff_t at, const Mdp *from, int64_t k, const int32_t *class_) {
  const int64_t begin = to->start[at];
  int64_t end = begin;
  for (int64_t j = from->start[k]; j < from->start[k + 1]; j++) {
    const int32_t c = class_[from->next[j]];
    int64_t i = end;
    while (i > begin && to->next[i - 1] > c) {
      i--;
    }
    if (i > begin && to->next[i - 1] == c) {
      to->prob[i - 1] += from->prob[j];
      continue;
    }
    memmove(to->next + i + 1, to->next + i, (size_t)(end - i) * sizeof *to->next);
    memmove(to->prob + i + 1, to->prob + i, (size_t)(end - i) * sizeof *to->prob);
    to->next[i] = c;
    to->prob[i] = from->prob[j];
    end++;
  }
  to->reward[at] = from->reward[k];
  to->start[at + 1] = end;
}

static void fill(Quotient *q, const Mdp *mdp, const int32_t *list, const int32_t *at,
                 ptrdiff_t components) {
  Mdp *m = &q->mdp;
  ptrdiff_t row = 0;
  m->gamma = 1.0;
  m->start[0] = 0;
  for (ptrdiff_t c = 0; c < m->S; c++) {
    m->first[c] = row;
    for (int32_t i = at[c]; i < at[c + 1]; i++) {
      const int32_t s = list[i];
      m->rho0[c] += mdp->rho0[s];
      for (int64_t k = mdp->first[s]; k < mdp->first[s + 1]; k++) {
        if (!q->inner[k]) {
          append_row(m, row, mdp, k, q->class_);
          m->action[row] = (int32_t)(row - m->first[c]);
          q->ends[row] = (unsigned char)quotient_row_ends(mdp, k);
          q->row[row++] = k;
        }
      }
    }
    if (c < components) { /* to stay */
      m->start[row + 1] = m->start[row];
      m->action[row] = (int32_t)(row - m->first[c]);
      q->ends[row] = 1;
      q->row[row++] = -1;
    }
  }
  m->first[m->S] = row;
}

/* rows, entries and most rows of a class */
static void measure(const Quotient *q, const Mdp *mdp, const int32_t *list, const int32_t *at,
                    ptrdiff_t classes, ptrdiff_t components, ptrdiff_t *rows, ptrdiff_t *count,
                    ptrdiff_t *most) {
  *rows = *count = *most = 0;
  for (ptrdiff_t c = 0; c < classes; c++) {
    ptrdiff_t own = c < components;
    for (int32_t i = at[c]; i < at[c + 1]; i++) {
      for (int64_t k = mdp->first[list[i]]; k < mdp->first[list[i] + 1]; k++) {
        own += !q->inner[k];
        *count += q->inner[k] ? 0 : (ptrdiff_t)(mdp->start[k + 1] - mdp->start[k]);
      }
    }
    *rows += own;
    *most = own > *most ? own : *most;
  }
}

static Status collapse(Quotient *q, const Mdp *mdp, ptrdiff_t components, Arena *ws) {
  const ptrdiff_t classes = name_classes(q->class_, mdp->S, components);
  int32_t *list = ARENA_PUSH(ws, int32_t, mdp->S), *at = ARENA_PUSH(ws, int32_t, classes + 2);
  ptrdiff_t rows, count, most;
  if (list == NULL || at == NULL) {
    return E_NOMEM;
  }
  sort_by_class(list, at, q->class_, mdp->S, classes);
  measure(q, mdp, list, at, classes, components, &rows, &count, &most);
  q->row = ARENA_PUSH(ws, int64_t, rows);
  q->ends = ARENA_PUSH(ws, unsigned char, rows);
  if (q->row == NULL || q->ends == NULL) {
    return E_NOMEM;
  }
  /* room for one more entry: rows are built by insertion */
  const Status status = mdp_init(&q->mdp, classes, most, rows, count + 1, 0);
  if (status == OK) {
    fill(q, mdp, list, at, components);
    mdp_settle(&q->mdp);
  }
  return status;
}

Status quotient_init(Quotient *q, const Mdp *mdp, Arena *ws) {
  ptrdiff_t components;
  *q = (Quotient){.class_ = ARENA_PUSH(ws, int32_t, mdp->S),
                  .inner = ARENA_PUSH(ws, unsigned char, mdp->rows)};
  if (q->class_ == NULL || q->inner == NULL) {
    return E_NOMEM;
  }
  for (ptrdiff_t k = 0; k < mdp->rows; k++) {
    q->inner[k] = mdp->reward[k] == 0.0 && !quotient_row_ends(mdp, k);
  }
  const Status status = quotient_end_components(mdp, q->inner, q->class_, &components, ws);
  return status == OK ? collapse(q, mdp, components, ws) : status;
}

void quotient_free(Quotient *q) {
  mdp_free(&q->mdp);
}

/* --- back ------------------------------------------------------------------------------------------------------------ */

/* first inner row of s that leads to a state whose place in the order is smaller, or -1 */
static int64_t nearer(const Quotient *q, const Mdp *mdp, ptrdiff_t s, const int32_t *place) {
  for (int64_t k = mdp->first[s]; k < mdp->first[s + 1]; k++) {
    for (int64_t j = mdp->start[k]; q->inner[k] && j < mdp->start[k + 1]; j++) {
      if (place[mdp->next[j]] < place[s]) {
        return k;
      }
    }
  }
  return -1;
}

/* the lowest inner row: to stay */
static int64_t staying(const Quotient *q, const Mdp *mdp, ptrdiff_t s) {
  int64_t k = mdp->first[s];
  while (k + 1 < mdp->first[s + 1] && !q->inner[k]) {
    k++;
  }
  return k;
}

Status quotient_lift(const Quotient *q, const Mdp *mdp, int64_t *choice, const int64_t *chosen,
                     Arena *ws) {
  const ArenaMark mark = arena_mark(ws);
  const ptrdiff_t S = mdp->S;
  Packed p;
  int32_t *place = ARENA_PUSH(ws, int32_t, S);
  unsigned char *leaves = ARENA_PUSH(ws, unsigned char, S);
  Status status = pack_init(&p, mdp, ws);
  if (status != OK || place == NULL || leaves == NULL) {
    arena_release(ws, mark);
    return E_NOMEM;
  }
  /* the states that take their class's row themselves */
  for (ptrdiff_t s = 0; s < S; s++) {
    const int64_t k = q->row[chosen[q->class_[s]]];
    leaves[s] = k >= mdp->first[s] && k < mdp->first[s + 1];
    choice[s] = leaves[s] ? k : -1;
  }
  pack(&p, mdp, q->inner);
  const TopologyGraph graph = {S, NULL, p.start, p.next};
  status = topology_from_exits(&graph, p.order, leaves, NULL, ws);
  for (ptrdiff_t i = 0; status == OK && i < S; i++) {
    place[p.order[i]] = (int32_t)i;
  }
  for (ptrdiff_t s = 0; status == OK && s < S; s++) {
    if (choice[s] < 0) {
      const int stays = q->row[chosen[q->class_[s]]] < 0;
      choice[s] = stays ? staying(q, mdp, s) : nearer(q, mdp, s, place);
    }
  }
  arena_release(ws, mark);
  return status;
}
