// The functions of `NetworkMath`, sixteen lanes at a time: the same operations in the same order.
#pragma once

#include "network_vector.h"

INLINE lanes net_exp(lanes x) {
  x = lanes_larger(lanes_smaller(x, lanes_of(88.0f)), lanes_of(-87.0f));
  // The lowest bits of the shifted number are the nearest whole one, and it loses them when shifted back.
  lanes shifted = x * 1.44269504f + 0x1.8p23f;
  lanes n = shifted - 0x1.8p23f;
  lanes r = x - n * 0.693359375f;
  r = r - n * -2.12194440e-4f;
  lanes p = lanes_of(0.008312521502375603f);
  p = p * r + 0.041890159249305725f;
  p = p * r + 0.16667114198207855f;
  p = p * r + 0.499992311000824f;
  lanes v = (p * (r * r) + r) + 1.0f;
  return v * (lanes)(((wholes)shifted - 0x4B400000 + 127) << 23);
}

typedef struct {
  lanes p;
  lanes q;
} net_ratio;

INLINE net_ratio net_tanh_ratio(lanes x) {
  const float most = 7.621625900268555f;
  x = lanes_smaller(lanes_larger(x, lanes_of(-most)), lanes_of(most));
  lanes y = x * x;
  lanes p = lanes_of(-6.38695274446377e-09f);
  p = p * y + 7.296319836314069e-06f;
  p = p * y + 0.002714018803089857f;
  p = p * y + 0.12729527056217194f;
  p = p * y + 0.9999998211860657f;
  lanes q = lanes_of(0.00019901886116713285f);
  q = q * y + 0.022925013676285744f;
  q = q * y + 0.4606271982192993f;
  q = q * y + 1.0f;
  return (net_ratio){x * p, q};
}

INLINE lanes net_tanh(lanes x) {
  net_ratio ratio = net_tanh_ratio(x);
  return ratio.p / ratio.q;
}

INLINE lanes net_sigmoid(lanes x) { return 1.0f / (1.0f + net_exp(0.0f - x)); }
INLINE lanes net_silu(lanes x) { return x / (1.0f + net_exp(0.0f - x)); }

INLINE lanes net_erf(lanes x) {
  const float most = 3.604891061782837f;
  x = lanes_smaller(lanes_larger(x, lanes_of(-most)), lanes_of(most));
  lanes y = x * x;
  lanes p = lanes_of(2.1510427359316964e-06f);
  p = p * y + 0.000286498834611848f;
  p = p * y + 0.0036147632636129856f;
  p = p * y + 0.05230974033474922f;
  p = p * y + 0.18624275922775269f;
  p = p * y + 1.1283791065216064f;
  lanes q = lanes_of(3.9213060517795384e-05f);
  q = q * y + 0.0011350197019055486f;
  q = q * y + 0.014666641131043434f;
  q = q * y + 0.11248905956745148f;
  q = q * y + 0.49838629364967346f;
  q = q * y + 1.0f;
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
  return ((z.q - z.p) * n.p + ((z.q + z.p) * hidden) * n.q) / (below + below);
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
