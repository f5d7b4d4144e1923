// The functions of `NetworkMath`, sixteen lanes at a time: the same operations in the same order.
#pragma once

#include "network_vector.h"

// From `-most` to `most`; NaN, whose sign is always set where an operation makes one, becomes `-most`.
INLINE lanes lanes_bounded(lanes x, float most) {
#ifdef NET_BOUNDS
  return lanes_least_magnitude(x, lanes_of(most));
#else
  return lanes_smaller(lanes_larger(x, lanes_of(-most)), lanes_of(most));
#endif
}

INLINE lanes net_exp(lanes x) {
  x = lanes_larger(lanes_smaller(x, lanes_of(88.0f)), lanes_of(-87.0f));
  // The lowest bits of the shifted number are the nearest whole one, and it loses them when shifted back.
  lanes shifted = lanes_fused(x, lanes_of(1.44269504f), lanes_of(0x1.8p23f));
  lanes n = shifted - 0x1.8p23f;
  lanes r = lanes_fused(n, lanes_of(-0.693359375f), x);
  r = lanes_fused(n, lanes_of(2.12194440e-4f), r);
  lanes p = lanes_of(0.008312521502375603f);
  p = lanes_fused(p, r, lanes_of(0.041890159249305725f));
  p = lanes_fused(p, r, lanes_of(0.16667114198207855f));
  p = lanes_fused(p, r, lanes_of(0.499992311000824f));
  lanes v = lanes_fused(p, r * r, r) + 1.0f;
  return v * (lanes)(((wholes)shifted - 0x4B400000 + 127) << 23);
}

typedef struct {
  lanes p;
  lanes q;
} net_ratio;

INLINE net_ratio net_tanh_ratio(lanes x) {
  x = lanes_bounded(x, 7.620522975921631f);
  lanes y = x * x;
  lanes p = lanes_of(-6.386792872348224e-09f);
  p = lanes_fused(p, y, lanes_of(7.296319836314069e-06f));
  p = lanes_fused(p, y, lanes_of(0.002714018803089857f));
  p = lanes_fused(p, y, lanes_of(0.12729527056217194f));
  p = lanes_fused(p, y, lanes_of(0.9999998211860657f));
  lanes q = lanes_of(0.00019901886116713285f);
  q = lanes_fused(q, y, lanes_of(0.022925013676285744f));
  q = lanes_fused(q, y, lanes_of(0.4606271982192993f));
  q = lanes_fused(q, y, lanes_of(1.0f));
  return (net_ratio){x * p, q};
}

// A loop that must not stay one: what it counts are registers.
#define NET_UNROLLED _Pragma("clang loop unroll(full)")
// A step of several vectors: their chains of operations run beside each other, which a processor's queue of waiting
// operations is too short to find by itself.
#define NET_EACH(count, step) \
  NET_UNROLLED for (int k = 0; k < count; k++) { step; }

// `net_tanh_ratio` of `count` vectors.
INLINE void net_tanh_ratios(const lanes *x, net_ratio *ratio, const int count) {
  lanes z[4], y[4], p[4], q[4];
  NET_EACH(count, z[k] = lanes_bounded(x[k], 7.620522975921631f))
  NET_EACH(count, y[k] = z[k] * z[k])
  NET_EACH(count, p[k] = lanes_fused(lanes_of(-6.386792872348224e-09f), y[k], lanes_of(7.296319836314069e-06f)))
  NET_EACH(count, q[k] = lanes_fused(lanes_of(0.00019901886116713285f), y[k], lanes_of(0.022925013676285744f)))
  NET_EACH(count, p[k] = lanes_fused(p[k], y[k], lanes_of(0.002714018803089857f)))
  NET_EACH(count, q[k] = lanes_fused(q[k], y[k], lanes_of(0.4606271982192993f)))
  NET_EACH(count, p[k] = lanes_fused(p[k], y[k], lanes_of(0.12729527056217194f)))
  NET_EACH(count, q[k] = lanes_fused(q[k], y[k], lanes_of(1.0f)))
  NET_EACH(count, p[k] = lanes_fused(p[k], y[k], lanes_of(0.9999998211860657f)))
  NET_EACH(count, p[k] = z[k] * p[k])
  NET_EACH(count, ratio[k] = ((net_ratio){p[k], q[k]}))
}

INLINE lanes net_tanh(lanes x) {
  net_ratio ratio = net_tanh_ratio(x);
  return ratio.p / ratio.q;
}

INLINE lanes net_sigmoid(lanes x) { return 1.0f / (1.0f + net_exp(0.0f - x)); }
INLINE lanes net_silu(lanes x) { return x / (1.0f + net_exp(0.0f - x)); }

INLINE lanes net_erf(lanes x) {
  x = lanes_bounded(x, 3.627911329269409f);
  lanes y = x * x;
  lanes p = lanes_of(2.1510427359316964e-06f);
  p = lanes_fused(p, y, lanes_of(0.000286498834611848f));
  p = lanes_fused(p, y, lanes_of(0.0036147632636129856f));
  p = lanes_fused(p, y, lanes_of(0.05230974033474922f));
  p = lanes_fused(p, y, lanes_of(0.18624275922775269f));
  p = lanes_fused(p, y, lanes_of(1.1283791065216064f));
  lanes q = lanes_of(3.9213060517795384e-05f);
  q = lanes_fused(q, y, lanes_of(0.0011350197019055486f));
  q = lanes_fused(q, y, lanes_of(0.014666641131043434f));
  q = lanes_fused(q, y, lanes_of(0.11248905956745148f));
  q = lanes_fused(q, y, lanes_of(0.49838629364967346f));
  q = lanes_fused(q, y, lanes_of(1.0f));
  return (x * p) / q;
}

INLINE lanes net_gelu(lanes x) { return (0.5f * x) * (1.0f + net_erf(x * 0.70710678f)); }

INLINE lanes net_gelu_tanh(lanes x) {
  return (0.5f * x) * (1.0f + net_tanh(x * ((x * x) * 0.035677408f + 0.79788456f)));
}

// `(1 - z) n + z h` of a GRU with one division.
INLINE lanes net_gru_state(lanes update, lanes candidate, lanes hidden) {
  net_ratio z = net_tanh_ratio(0.5f * update), n = net_tanh_ratio(candidate);
  lanes below = z.q * n.q;
  return lanes_fused(z.q - z.p, n.p, ((z.q + z.p) * hidden) * n.q) / (below + below);
}

INLINE lanes net_gate(lanes x) {
  net_ratio ratio = net_tanh_ratio(0.5f * x);
  return (ratio.q + ratio.p) / (ratio.q + ratio.q);
}

INLINE lanes net_activation(lanes x, const uint32_t activation, float slope) {
  switch (activation) {
    case MARTLET_NET_RELU: return lanes_larger(x, lanes_of(0.0f));
    case MARTLET_NET_LEAKY_RELU: return choose(x > 0.0f, x, slope * x);
    case MARTLET_NET_SIGMOID: return net_sigmoid(x);
    case MARTLET_NET_TANH: return net_tanh(x);
    case MARTLET_NET_GELU: return net_gelu(x);
    case MARTLET_NET_SILU: return net_silu(x);
    case MARTLET_NET_GELU_TANH: return net_gelu_tanh(x);
    default: return x;
  }
}
