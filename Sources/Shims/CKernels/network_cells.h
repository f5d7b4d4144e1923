// Recurrent cells, from the sums of their gates to states and codes: the second part of `network_body.h`.

// ---- cells

// Calls `use(blocks)` with how many blocks of 16 units are computed beside each other.
#if NET_COLUMNS > 1
#define NET_FOR_BLOCKS(use) use(4) use(1)
#else
#define NET_FOR_BLOCKS(use) use(1)
#endif

// `count` blocks of 16 units from their gates, gate by gate: `gates[gate][block]`, input, output and forget halved.
INLINE void net_lstm_blocks(
    lanes (*gates)[4], const float *c, float *next_c, float *h, uint8_t *codes, const martlet_net_codes *coding,
    const int count) {
  net_ratio i[4], o[4], f[4], g[4], cell[4];
  lanes kept[4], added[4], below[4], next[4], hidden[4];
  net_tanh_ratios(gates[0], i, count);
  net_tanh_ratios(gates[3], g, count);
  NET_EACH(count, added[k] = (i[k].q + i[k].p) * g[k].p)
  NET_EACH(count, below[k] = i[k].q * g[k].q)
  net_tanh_ratios(gates[2], f, count);
  NET_EACH(count, kept[k] = (f[k].q + f[k].p) * lanes_load(c + 16 * k))
  NET_EACH(count, added[k] *= f[k].q)
  NET_EACH(count, next[k] = lanes_fused(kept[k], below[k], added[k]))
  // Doubled early: a power of two changes no rounding, and the division need not wait for it.
  NET_EACH(count, below[k] *= f[k].q + f[k].q)
  NET_EACH(count, next[k] /= below[k])
  net_tanh_ratios(gates[1], o, count);
  if (next_c) NET_EACH(count, lanes_store(next_c + 16 * k, next[k]))
  net_tanh_ratios(next, cell, count);
  NET_EACH(count, below[k] = (o[k].q + o[k].q) * cell[k].q)
  NET_EACH(count, hidden[k] = (o[k].q + o[k].p) * cell[k].p)
  NET_EACH(count, hidden[k] /= below[k])
  if (h) NET_EACH(count, lanes_store(h + 16 * k, hidden[k]))
  NET_EACH(count, octets_store(codes + 16 * k, net_code(hidden[k], coding)))
}

VECTOR void NET(martlet_net_lstm)(
    uint32_t units, const int32_t *sums, const float *scale, const float *before, const float *c, float *next_c,
    float *h, uint8_t *codes, const martlet_net_codes *coding) {
  const martlet_net_codes own = *coding;
  uint32_t unit = 0;
#define USE(blocks)                                                                                                \
  for (; unit + 16 * blocks <= units; unit += 16 * blocks) {                                                       \
    lanes gates[4][4];                                                                                             \
    for (uint32_t gate = 0; gate < 4; gate++) {                                                                    \
      NET_UNROLLED for (uint32_t k = 0; k < blocks; k++) {                                                         \
        uint32_t channel = 4 * unit + 64 * k + 16 * gate;                                                          \
        gates[gate][k] = net_scaled(sums + channel, scale + channel, lanes_load(before + channel));                \
      }                                                                                                            \
    }                                                                                                              \
    net_lstm_blocks(                                                                                               \
        gates, c + unit, next_c ? next_c + unit : NULL, h ? h + unit : NULL, codes + unit, &own, blocks);          \
  }
  NET_FOR_BLOCKS(USE)
#undef USE
}

// Sums of the four gates of a block of 16 units: one tile of the weights.
INLINE void net_block_sums(const martlet_net_product *product, uint32_t unit, const uint8_t *codes, int32_t *sums) {
  const int8_t *weights = product->weights + (size_t)(4 * unit) * product->inputs;
  for (uint32_t part = 0; part < 4; part += NET_COLUMNS) {
    net_row_tile(
        weights + 64 * part, 256, product->inputs, product->low, codes, product->start + 4 * unit + 16 * part,
        sums + 16 * part, NET_COLUMNS);
  }
}

// Sums of `blocks` of them.
INLINE void net_blocks_sums(
    const martlet_net_product *product, uint32_t unit, const uint8_t *codes, int32_t *sums, const int blocks) {
#if NET_COLUMNS > 1
  if (blocks == 4 && !product->low) {
    net_row_tiles(
        product->weights + (size_t)(4 * unit) * product->inputs, product->inputs, codes, product->start + 4 * unit,
        sums, 4);
    return;
  }
#endif
  for (int k = 0; k < blocks; k++) net_block_sums(product, unit + 16 * (uint32_t)k, codes, sums + 64 * k);
}

// A block's cells are computed while the weights of the next one arrive: neither waits for the other.
VECTOR void NET(martlet_net_lstm_input)(
    const martlet_net_product *input, const uint8_t *source, const float *before, const float *c, float *next_c,
    float *h, uint8_t *codes, const martlet_net_codes *coding) {
  const martlet_net_codes own = *coding;
  uint32_t unit = 0, units = input->channels / 4;
  _Alignas(64) int32_t sums[256];
#define USE(blocks)                                                                                                \
  for (; unit + 16 * blocks <= units; unit += 16 * blocks) {                                                       \
    net_blocks_sums(input, unit, source, sums, blocks);                                                            \
    lanes gates[4][4];                                                                                             \
    for (uint32_t gate = 0; gate < 4; gate++) {                                                                    \
      NET_UNROLLED for (uint32_t k = 0; k < blocks; k++) {                                                         \
        uint32_t channel = 4 * unit + 64 * k + 16 * gate;                                                          \
        gates[gate][k] =                                                                                           \
            net_scaled(sums + 64 * k + 16 * gate, input->scale + channel, lanes_load(before + channel));           \
      }                                                                                                            \
    }                                                                                                              \
    net_lstm_blocks(                                                                                               \
        gates, c + unit, next_c ? next_c + unit : NULL, h ? h + unit : NULL, codes + unit, &own, blocks);          \
  }
  NET_FOR_BLOCKS(USE)
#undef USE
}

// Rows one after the other. Four blocks' sums are in registers, input by input: a row's first inputs are multiplied while
// the last units of the row before are computed.
VECTOR void NET(martlet_net_lstm_rows)(
    const martlet_net_product *recurrent, uint32_t count, const int32_t *sums, const float *scale, float *c,
    uint8_t *hidden, float *h, size_t h_stride, uint8_t *codes, size_t code_stride, const martlet_net_codes *coding) {
  const martlet_net_codes own = *coding;
  const float *weight = recurrent->scale, *bias = recurrent->bias;
  const uint8_t *last = hidden;
  uint32_t units = recurrent->channels / 4;
  _Alignas(64) int32_t recalled[256];
  for (; count > 0; count--, sums += 4 * units, last = codes, codes += code_stride) {
    uint32_t unit = 0;
#define USE(blocks)                                                                                                \
    for (; unit + 16 * blocks <= units; unit += 16 * blocks) {                                                     \
      net_blocks_sums(recurrent, unit, last, recalled, blocks);                                                    \
      lanes gates[4][4];                                                                                           \
      for (uint32_t gate = 0; gate < 4; gate++) {                                                                  \
        NET_UNROLLED for (uint32_t k = 0; k < blocks; k++) {                                                       \
          uint32_t channel = 4 * unit + 64 * k + 16 * gate;                                                        \
          lanes before =                                                                                           \
              net_scaled(recalled + 64 * k + 16 * gate, weight + channel, lanes_load(bias + channel));             \
          gates[gate][k] = net_scaled(sums + channel, scale + channel, before);                                    \
        }                                                                                                          \
      }                                                                                                            \
      net_lstm_blocks(gates, c + unit, c + unit, h ? h + unit : NULL, codes + unit, &own, blocks);                 \
    }
    NET_FOR_BLOCKS(USE)
#undef USE
    if (h) h += h_stride;
  }
  __builtin_memcpy(hidden, last, units);
}

// Update, reset and candidate of a unit; sums, scales and biases of 16 units lie together, a gate after the other.
#define NET_SEEN(k, more) net_scaled(sums + 16 * k, scale + 16 * k, lanes_load(more + 16 * k))

VECTOR void NET(martlet_net_gru)(
    uint32_t units, const int32_t *sums, const float *scale, const float *bias, const float *before, const float *h,
    float *next_h, uint8_t *codes, const martlet_net_codes *coding) {
  for (uint32_t unit = 0; unit < units; unit += 16, sums += 48, scale += 48, bias += 48, before += 48) {
    lanes update = NET_SEEN(0, before);
    lanes reset = net_gate(NET_SEEN(1, before));
    lanes seen = NET_SEEN(2, bias);
    lanes candidate = lanes_fused(reset, lanes_load(before + 32), seen);
    lanes next = net_gru_state(update, candidate, lanes_load(h + unit));
    lanes_store(next_h + unit, next);
    octets_store(codes + unit, net_code(next, coding));
  }
}

VECTOR void NET(martlet_net_gru_reset)(
    uint32_t units, const int32_t *sums, const float *scale, const float *before, const float *h, uint8_t *codes,
    const martlet_net_codes *coding) {
  for (uint32_t unit = 0; unit < units; unit += 16, sums += 48, scale += 48, before += 48) {
    lanes reset = net_gate(NET_SEEN(1, before));
    octets_store(codes + unit, net_code(reset * lanes_load(h + unit), coding));
  }
}

VECTOR void NET(martlet_net_gru_after)(
    uint32_t units, const int32_t *sums, const float *scale, const float *bias, const float *before,
    const float *after, const float *h, float *next_h, uint8_t *codes, const martlet_net_codes *coding) {
  for (uint32_t unit = 0; unit < units; unit += 16, sums += 48, scale += 48, bias += 48, before += 48, after += 48) {
    lanes update = NET_SEEN(0, before);
    lanes candidate = NET_SEEN(2, bias) + lanes_load(after + 32);
    lanes next = net_gru_state(update, candidate, lanes_load(h + unit));
    lanes_store(next_h + unit, next);
    octets_store(codes + unit, net_code(next, coding));
  }
}
