#include "policy/network.h"

#include <string.h>

#include "base/arena.h"

Status network_init(Network *net, const NetworkSpec *spec) {
  int width[MLP_LAYERS + 1];
  *net = (Network){0};
  /* inputs, hidden layers, outputs */
  width[0] = space_features(spec->observation);
  memcpy(width + 1, spec->hidden, (size_t)spec->hidden_layers * sizeof *width);
  width[spec->hidden_layers + 1] = spec->outputs;
  mlp_init(&net->mlp, spec->precision, spec->activation, spec->hidden_layers + 1, width);
  net->P = net->mlp.P + spec->tail;
  /* parameters and their copy share one storage */
  const size_t theta_bytes = arena_aligned((size_t)net->P * sizeof(double));
  net->storage = buffer_new(theta_bytes + mlp_weights_bytes(&net->mlp));
  if (!net->storage) return E_NOMEM;
  net->theta = net->storage->data;
  net->weights = (char *)net->storage->data + theta_bytes;
  space_share(&net->observation, spec->observation);
  net->normalize = spec->normalize;
  if (net->normalize && normalizer_init(&net->normalizer, width[0]) != OK) {
    network_free(net);
    return E_NOMEM;
  }
  return OK;
}

void network_free(Network *net) {
  normalizer_free(&net->normalizer);
  space_free(&net->observation);
  buffer_release(net->storage);
  *net = (Network){0};
}

Status network_copy(Network *net, const Network *source) {
  const Mlp *mlp = &source->mlp;
  const NetworkSpec spec = {.observation = &source->observation,
                            .hidden_layers = mlp->layers - 1,
                            .hidden = mlp->width + 1,
                            .outputs = mlp->width[mlp->layers],
                            .tail = (int)(source->P - mlp->P),
                            .activation = mlp->activation,
                            .precision = mlp->precision,
                            .normalize = source->normalize};
  Status status = network_init(net, &spec);
  if (status != OK) return status;
  network_set(net, source->theta);
  if (net->normalize) {
    net->normalizer.count = source->normalizer.count;
    memcpy(net->normalizer.storage->data, source->normalizer.storage->data,
           source->normalizer.storage->bytes);
  }
  return OK;
}

void network_set(Network *net, const double *theta) {
  if (theta != net->theta) memcpy(net->theta, theta, (size_t)net->P * sizeof *theta);
  mlp_prepare(&net->mlp, net->weights, net->theta);
}

/* One-hot rows, of states obs[0], obs[stride], ... */
static void encode_states(const Mlp *mlp, char *x, const double *obs, long stride, int n) {
  const int F = mlp->width[0];
  const size_t real = mlp_real(mlp);
  const double one = 1;
  memset(x, 0, (size_t)n * (size_t)F * real);
  for (int i = 0; i < n; i++, x += (size_t)F * real, obs += stride)
    if (*obs >= 0 && *obs < F) mlp->kernel->narrow(x + (size_t)*obs * real, &one, 1);
}

void network_encode(const Network *net, void *tape, const double *obs, long stride, int n) {
  const Mlp *mlp = &net->mlp;
  const int F = mlp->width[0];
  const Normalizer *z = &net->normalizer;
  char *x = mlp_layer(mlp, tape, 0);
  if (net->observation.kind == SPACE_DISCRETE) {
    encode_states(mlp, x, obs, stride, n);
  } else if (!net->normalize && stride == F) {
    mlp->kernel->narrow(x, obs, (long)n * F);
  } else {
    for (int i = 0; i < n; i++, x += (size_t)F * mlp_real(mlp), obs += stride)
      if (net->normalize)
        mlp->kernel->normalize(x, obs, z->shift, z->scale, NORMALIZER_CLIP, F);
      else
        mlp->kernel->narrow(x, obs, F);
  }
}

void *network_forward(const Network *net, void *tape, const double *obs, long stride, int n) {
  network_encode(net, tape, obs, stride, n);
  mlp_forward(&net->mlp, net->weights, n, tape);
  return mlp_layer(&net->mlp, tape, net->mlp.layers);
}
