/***
Tensors: strided views of doubles in memory that C owns, up to 8 dimensions, 1-based.

Arithmetic allocates its result and broadcasts like NumPy: dimensions are aligned at the end, sizes agree or one of them
is 1. Views (`select`, `narrow`, `transpose`, `t[i]`, `t[{ {1, 3}, 2 }]`, ...) share their storage.

A method whose name ends in `_` changes the tensor and returns it: `t:add_(1)`, `t:exp_()`. Besides these only `fill`,
`copy` and assignments `t[i] = x` change a tensor. Every method that makes numbers takes a tensor `out` as its last
argument, which gets the result and is returned; it must have the result's size. It may share elements with the operands
in any way: where they would be overwritten too early, the result is computed aside first.

Dimensions and indices count from 1; negative ones from the end, -1 being the last. Where indexing or a reduction leaves no
dimension, the result is a number.

`a == b` tells whether both are the same object; @{Tensor:equal} compares elements, `a:eq(b)` gives a tensor of 0 and 1.
`#t` is the size of the first dimension.
@classmod trpo.Tensor
*/
#include "lua/l_tensor.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "lua/l_check.h"
#include "tensor/elementwise.h"

static const char *const TYPE = "trpo.Tensor";

/* what the userdata holds; the tag tells it from any other without a look into the registry */
typedef struct Object {
  Tensor tensor;
  const void *tag; /* TAG, until it is finalized */
} Object;

static const char TAG = 0;

/* --- making and finding ---------------------------------------------------------------------------------- */

Tensor *l_tensor_test(lua_State *L, int arg) {
  Object *object = lua_touserdata(L, arg);
  /* a light userdata has length 0 */
  if (object == NULL || lua_objlen(L, arg) != sizeof *object || object->tag != &TAG) {
    return NULL;
  }
  return &object->tensor;
}

Tensor *l_tensor_check(lua_State *L, int arg, const char *what, const char *name) {
  Tensor *t = l_tensor_test(L, arg);
  if (t == NULL) {
    l_fail(L, what, "%s must be a tensor, got %s", name, l_describe(L, arg));
  }
  return t;
}

Tensor *l_tensor_sized(lua_State *L, int arg, const char *what, const char *name, int ndim,
                       const ptrdiff_t *size) {
  Tensor *t = l_tensor_check(L, arg, what, name);
  int fits = t->ndim == ndim;
  for (int d = 0; fits && d < ndim; d++) {
    fits = size[d] == -1 || size[d] == t->size[d];
  }
  if (!fits) {
    const char *wanted = l_tensor_describe_size(L, ndim, size);
    const char *got = l_tensor_describe_size(L, t->ndim, t->size);
    l_fail(L, what, "%s must have size %s, got %s", name, wanted, got);
  }
  return t;
}

static int l_tensor_gc(lua_State *L) {
  /* another finalizer may still reach the object: it is no tensor any more */
  Object *object = lua_touserdata(L, 1);
  object->tag = NULL;
  buffer_release(object->tensor.storage);
  return 0;
}

Tensor *l_tensor_push_empty(lua_State *L) {
  Object *object = lua_newuserdata(L, sizeof *object);
  memset(object, 0, sizeof *object);
  object->tag = &TAG;
  /* the metatable also stands under the tag's address, which is found faster than a name */
  lua_pushlightuserdata(L, (void *)&TAG);
  lua_rawget(L, LUA_REGISTRYINDEX);
  lua_setmetatable(L, -2);
  return &object->tensor;
}

static Tensor *push(lua_State *L, int ndim, const ptrdiff_t *size,
                    Status (*init)(Tensor *, int, const ptrdiff_t *)) {
  Tensor *t = l_tensor_push_empty(L);
  Status status = init(t, ndim, size);
  if (status != OK && tensor_count(ndim, size) >= 0) {
    /* perhaps the memory is held by garbage: finalizers run in the first cycle, the rest goes in the second */
    lua_gc(L, LUA_GCCOLLECT, 0);
    lua_gc(L, LUA_GCCOLLECT, 0);
    status = init(t, ndim, size);
  }
  if (status != OK && tensor_count(ndim, size) < 0) {
    l_fail(L, "tensor", "size %s has more than 2^53 elements",
           l_tensor_describe_size(L, ndim, size));
  }
  if (status != OK) {
    l_fail(L, "tensor", "not enough memory for size %s", l_tensor_describe_size(L, ndim, size));
  }
  l_nudge(L);
  return t;
}

Tensor *l_tensor_push(lua_State *L, int ndim, const ptrdiff_t *size) {
  return push(L, ndim, size, tensor_init);
}

Tensor *l_tensor_push_unset(lua_State *L, int ndim, const ptrdiff_t *size) {
  return push(L, ndim, size, tensor_init_unset);
}

Tensor *l_tensor_push_view(lua_State *L, Buffer *storage, double *data, int ndim,
                           const ptrdiff_t *size) {
  Tensor *t = l_tensor_push_empty(L);
  tensor_wrap(t, storage, data, ndim, size, NULL);
  return t;
}

static int l_tensor_release(lua_State *L) {
  buffer_release(*(Buffer **)lua_touserdata(L, 1));
  return 0;
}

void l_tensor_push_storage(lua_State *L, Buffer *storage) {
  static const char *const type = "trpo.Storage";
  Buffer **owner = lua_newuserdata(L, sizeof *owner);
  *owner = buffer_retain(storage);
  if (luaL_newmetatable(L, type)) {
    lua_pushcfunction(L, l_tensor_release);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
}

const double *l_tensor_data(lua_State *L, const Tensor *t) {
  if (tensor_is_contiguous(t)) {
    return t->data;
  }
  Tensor *copy = l_tensor_push_unset(L, t->ndim, t->size);
  tensor_copy(copy, t);
  return copy->data;
}

void l_tensor_push_rest(lua_State *L, const Tensor *t) {
  if (t->ndim == 0) {
    lua_pushnumber(L, *t->data);
  } else {
    tensor_share(l_tensor_push_empty(L), t);
  }
}

/* --- results --------------------------------------------------------------------------------------------- */

void l_tensor_check_writable(lua_State *L, const Tensor *t, const char *what, const char *name) {
  if (tensor_repeats(t)) {
    l_fail(L, what, "%s repeats its elements, as expanded tensors do: it cannot be written", name);
  }
}

Tensor *l_tensor_result(lua_State *L, int arg, const char *what, int ndim, const ptrdiff_t *size) {
  if (lua_isnoneornil(L, arg)) {
    return l_tensor_push_unset(L, ndim, size);
  }
  Tensor *out = l_tensor_sized(L, arg, what, "out", ndim, size);
  l_tensor_check_writable(L, out, what, "out");
  lua_pushvalue(L, arg);
  return out;
}

Tensor *l_tensor_target(lua_State *L, Tensor *out, int exact, int count,
                        const Tensor *const *operands) {
  for (int k = 0; k < count; k++) {
    const Tensor *t = operands[k];
    if (t == NULL || !tensor_overlap(out, t)) continue;
    if (!exact || !tensor_same_size(out, t) || !tensor_same_elements(out, t)) {
      return l_tensor_push_unset(L, out->ndim, out->size);
    }
  }
  return out;
}

void l_tensor_settle(Tensor *out, const Tensor *target) {
  if (target != out) tensor_copy(out, target);
}

void l_tensor_add_family(lua_State *L, const TensorOp *family, lua_CFunction f,
                         lua_CFunction twin_) {
  for (; family->name != NULL; family++) {
    lua_pushlightuserdata(L, (void *)family);
    lua_pushcclosure(L, f, 1);
    lua_setfield(L, -2, family->name);
    if (family->twin_ != NULL) {
      lua_pushlightuserdata(L, (void *)family);
      lua_pushcclosure(L, twin_, 1);
      lua_pushfstring(L, "%s_", family->name);
      lua_insert(L, -2);
      lua_settable(L, -3);
    }
  }
}

/* --- sizes ----------------------------------------------------------------------------------------------- */

/* the size at the stack top, which is popped */
static ptrdiff_t pop_size(lua_State *L, const char *what, int d) {
  char name[32];
  snprintf(name, sizeof name, "size %d", d + 1);
  long n = l_integer_in(L, lua_gettop(L), what, name, 0, LONG_MAX);
  lua_pop(L, 1);
  return n;
}

int l_tensor_read_size(lua_State *L, int first, const char *what, ptrdiff_t *size) {
  int table = lua_istable(L, first);
  int ndim = table ? (int)lua_objlen(L, first) : lua_gettop(L) - first + 1;
  if (ndim < (table ? 0 : 1) || ndim > TENSOR_DIMS) {
    l_fail(L, what, "the number of sizes must be in [1, %d], got %d", TENSOR_DIMS,
           ndim < 0 ? 0 : ndim);
  }
  for (int d = 0; d < ndim; d++) {
    if (table) {
      lua_rawgeti(L, first, d + 1);
    } else {
      lua_pushvalue(L, first + d);
    }
    size[d] = pop_size(L, what, d);
  }
  if (tensor_count(ndim, size) < 0) {
    l_fail(L, what, "size %s has more than 2^53 elements", l_tensor_describe_size(L, ndim, size));
  }
  return ndim;
}

/* an integer in [1, n] or [-n, -1], from 0; -1 for anything else */
static ptrdiff_t place(double i, ptrdiff_t n) {
  i = i < 0.0 ? i + (double)n + 1.0 : i;
  return i >= 1.0 && i <= (double)n && i == (double)(ptrdiff_t)i ? (ptrdiff_t)i - 1 : -1;
}

ptrdiff_t l_tensor_read_index(lua_State *L, int arg, const char *what, const char *name,
                              ptrdiff_t n) {
  ptrdiff_t i = lua_type(L, arg) == LUA_TNUMBER ? place(lua_tonumber(L, arg), n) : -1;
  if (i < 0 && n == 0) {
    l_fail(L, what, "%s must be in an empty range, got %s", name, l_describe(L, arg));
  }
  if (i < 0) {
    l_fail(L, what, "%s must be an integer in [1, %f], got %s", name, (double)n,
           l_describe(L, arg));
  }
  return i;
}

int l_tensor_read_dim(lua_State *L, int arg, const char *what, const char *name, const Tensor *t) {
  return (int)l_tensor_read_index(L, arg, what, name, t->ndim);
}

void l_tensor_add_size(luaL_Buffer *text, int ndim, const ptrdiff_t *size) {
  luaL_addchar(text, '[');
  for (int d = 0; d < ndim; d++) {
    char item[32];
    snprintf(item, sizeof item, size[d] < 0 ? "%sN" : "%s%td", d > 0 ? ", " : "", size[d]);
    luaL_addstring(text, item);
  }
  luaL_addchar(text, ']');
}

const char *l_tensor_describe_size(lua_State *L, int ndim, const ptrdiff_t *size) {
  luaL_Buffer text;
  luaL_buffinit(L, &text);
  l_tensor_add_size(&text, ndim, size);
  luaL_pushresult(&text);
  return lua_tostring(L, -1);
}

/* --- elements -------------------------------------------------------------------------------------------- */

void l_tensor_assign(lua_State *L, Tensor *t, const Tensor *source, const char *what) {
  ptrdiff_t size[TENSOR_DIMS];
  memcpy(size, t->size, sizeof size);
  if (elementwise_widen(t->ndim, size, source) != t->ndim
      || memcmp(size, t->size, (size_t)t->ndim * sizeof *size) != 0) {
    l_fail(L, what, "the source must have size %s or broadcast to it, got %s",
           l_tensor_describe_size(L, t->ndim, t->size),
           l_tensor_describe_size(L, source->ndim, source->size));
  }
  l_tensor_check_writable(L, t, what, "the tensor");
  if (!tensor_overlap(t, source)) {
    tensor_copy(t, source);
  } else if (!tensor_same_size(t, source) || !tensor_same_elements(t, source)) {
    Tensor *copy = l_tensor_push_unset(L, t->ndim, t->size);
    tensor_copy(copy, source);
    tensor_copy(t, copy);
    lua_pop(L, 1);
  }
}

/* what has no dimensions has nothing to index */
static void check_indexable(lua_State *L, const Tensor *t) {
  if (t->ndim == 0) {
    l_fail(L, "tensor", "a tensor without dimensions has no index, its number is t:item()");
  }
}

/* t[i]: the element of a vector, a view otherwise; t[{...}] and t[mask]; names without a method give nil */
static int l_tensor_index(lua_State *L) {
  if (lua_type(L, 2) == LUA_TSTRING) {
    return 0;
  }
  const Tensor *t = l_tensor_check(L, 1, "tensor", "self");
  if (lua_type(L, 2) == LUA_TTABLE || lua_type(L, 2) == LUA_TUSERDATA) {
    return l_tensor_index_get(L, t);
  }
  check_indexable(L, t);
  ptrdiff_t i = l_tensor_read_index(L, 2, "tensor", "index", t->size[0]);
  if (t->ndim == 1) {
    lua_pushnumber(L, t->data[i * t->stride[0]]);
  } else {
    tensor_select(l_tensor_push_empty(L), t, 0, i);
  }
  return 1;
}

/* t[i] = number or tensor, t[{...}] = ..., t[mask] = ... */
static int l_tensor_newindex(lua_State *L) {
  Tensor *t = l_tensor_check(L, 1, "tensor", "self");
  if (lua_type(L, 2) == LUA_TTABLE || lua_type(L, 2) == LUA_TUSERDATA) {
    return l_tensor_index_set(L, t);
  }
  if (lua_type(L, 2) != LUA_TNUMBER) {
    l_fail(L, "tensor", "index must be an integer, got %s", l_describe(L, 2));
  }
  check_indexable(L, t);
  ptrdiff_t i = l_tensor_read_index(L, 2, "tensor", "index", t->size[0]);
  const Tensor *source = l_tensor_test(L, 3);
  if (source == NULL && lua_type(L, 3) != LUA_TNUMBER) {
    l_fail(L, "tensor", "value must be a number or a tensor, got %s", l_describe(L, 3));
  }
  l_tensor_check_writable(L, t, "tensor", "the tensor");
  if (source == NULL && t->ndim == 1) {
    t->data[i * t->stride[0]] = lua_tonumber(L, 3);
    return 0;
  }
  if (t->ndim == 1) {
    l_fail(L, "tensor", "an element must be a number, got %s", l_describe(L, 3));
  }
  Tensor *row = l_tensor_push_empty(L);
  tensor_select(row, t, 0, i);
  if (source != NULL) {
    l_tensor_assign(L, row, source, "tensor");
  } else {
    tensor_fill(row, lua_tonumber(L, 3));
  }
  return 0;
}

static int l_tensor_len(lua_State *L) {
  const Tensor *t = l_tensor_check(L, 1, "tensor", "self");
  if (t->ndim == 0) {
    l_fail(L, "tensor", "a tensor without dimensions has no length");
  }
  lua_pushnumber(L, (double)t->size[0]);
  return 1;
}

/* a < b could only give one truth value */
static int l_tensor_order(lua_State *L) {
  return l_fail(L, "tensor", "tensors have no order, use a:lt(b), a:le(b), a:gt(b), a:ge(b)");
}

void l_tensor_push_methods(lua_State *L) {
  luaL_getmetatable(L, TYPE);
  lua_getfield(L, -1, "methods");
  lua_remove(L, -2);
}

static const luaL_Reg metamethods[] = {
    {"__newindex", l_tensor_newindex},
    {"__len", l_tensor_len},
    {"__gc", l_tensor_gc},
    {"__tostring", l_tensor_print},
    {"__lt", l_tensor_order},
    {"__le", l_tensor_order},
    {NULL, NULL},
};

void l_tensor_open(lua_State *L) {
  luaL_newmetatable(L, TYPE);
  lua_pushlightuserdata(L, (void *)&TAG);
  lua_pushvalue(L, -2);
  lua_rawset(L, LUA_REGISTRYINDEX);
  lua_insert(L, -2); /* the metatable below the module, which the parts add to */
  lua_newtable(L);
  l_tensor_make_open(L);
  l_tensor_shape_open(L);
  l_tensor_math_open(L);
  l_tensor_reduce_open(L);
  l_tensor_scan_open(L);
  l_tensor_sort_open(L);
  l_tensor_index_open(L);
  /* metatable, module, methods */
  lua_pushvalue(L, -1);
  lua_setfield(L, -4, "methods");
  l_index(L, l_tensor_index);
  lua_setfield(L, -3, "__index");
  lua_insert(L, -2);
  luaL_register(L, NULL, metamethods);
  lua_pushliteral(L, "tensor");
  lua_setfield(L, -2, "__metatable"); /* a script cannot take the finalizer away */
  lua_pop(L, 1);
}
