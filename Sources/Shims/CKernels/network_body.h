// The kernels, once for all instruction sets: included by a file that has defined `accumulator`, the dot product of its
// set and how many rows and channels fit its registers.
#include "network_math.h"

// ---- products

// Four inputs of `columns` times 16 channels.
INLINE void net_quad(accumulator *total, const uint8_t *codes, const int8_t *weights, const int columns) {
  four_codes four = four_codes_load(codes);
  for (int column = 0; column < columns; column++) accumulator_add(&total[column], four, weights + 64 * column);
}

// Sums of one row, `columns` times 16 channels. Two or four chains hide the latency of the dot product; the two bytes of
// wide codes have a chain each.
INLINE void net_row_tile(
    const int8_t *weights, size_t quad_bytes, uint32_t inputs, size_t low, const uint8_t *codes, const int32_t *start,
    int32_t *sums, const int columns) {
  accumulator even[NET_COLUMNS], odd[NET_COLUMNS];
  for (int column = 0; column < columns; column++) {
    accumulator_clear(&even[column]);
    accumulator_clear(&odd[column]);
  }
  if (low) {
    for (uint32_t input = 0; input < inputs; input += 4, weights += quad_bytes) {
      net_quad(even, codes + input, weights, columns);
      net_quad(odd, codes + low + input, weights, columns);
    }
    for (int column = 0; column < columns; column++) {
      wholes sum = wholes_joined(accumulator_total(&even[column]), accumulator_total(&odd[column]));
      wholes_store(sums + 16 * column, wholes_sum(sum, wholes_load(start + 16 * column)));
    }
    return;
  }
  for (int column = 0; column < columns; column++) accumulator_begin(&even[column], start + 16 * column);
  uint32_t input = 0;
  if (NET_COLUMNS > 1) {
    accumulator third[NET_COLUMNS], fourth[NET_COLUMNS];
    for (int column = 0; column < columns; column++) {
      accumulator_clear(&third[column]);
      accumulator_clear(&fourth[column]);
    }
    for (; input + 16 <= inputs; input += 16, weights += 4 * quad_bytes) {
      const int8_t *second_pair = weights + 2 * quad_bytes;
      net_quad(even, codes + input, weights, columns);
      net_quad(odd, codes + input + 4, weights + quad_bytes, columns);
      net_quad(third, codes + input + 8, second_pair, columns);
      net_quad(fourth, codes + input + 12, second_pair + quad_bytes, columns);
    }
    for (int column = 0; column < columns; column++) {
      accumulator_join(&even[column], &third[column]);
      accumulator_join(&odd[column], &fourth[column]);
    }
  }
  for (; input < inputs; input += 8, weights += 2 * quad_bytes) {
    net_quad(even, codes + input, weights, columns);
    net_quad(odd, codes + input + 4, weights + quad_bytes, columns);
  }
  for (int column = 0; column < columns; column++) {
    accumulator_join(&even[column], &odd[column]);
    wholes_store(sums + 16 * column, accumulator_end(&even[column], start + 16 * column));
  }
}

#if NET_COLUMNS > 1
// The same of 2 or 4 tiles of 64 channels: the codes are read once, and what follows a tile's last input waits for none.
INLINE void net_row_tiles(
    const int8_t *weights, uint32_t inputs, const uint8_t *codes, const int32_t *start, int32_t *sums, const int tiles) {
  const int chains = tiles == 2 ? 2 : 1;
  accumulator total[2][16];
  NET_UNROLLED for (int column = 0; column < 4 * tiles; column++) {
    accumulator_begin(&total[0][column], start + 16 * column);
    accumulator_clear(&total[1][column]);
  }
  size_t tile_bytes = 64 * (size_t)inputs;
  for (uint32_t input = 0; input < inputs; input += 4 * (uint32_t)chains, weights += 256 * chains) {
    NET_UNROLLED for (int chain = 0; chain < chains; chain++) {
      four_codes four = four_codes_load(codes + input + 4 * (uint32_t)chain);
      NET_UNROLLED for (int column = 0; column < 4 * tiles; column++) {
        accumulator_add(
            &total[chain][column], four, weights + tile_bytes * (column / 4) + 256 * chain + 64 * (column % 4));
      }
    }
  }
  NET_UNROLLED for (int column = 0; column < 4 * tiles; column++) {
    if (chains > 1) accumulator_join(&total[0][column], &total[1][column]);
    wholes_store(sums + 16 * column, accumulator_end(&total[0][column], start + 16 * column));
  }
}
#endif

// The same of several rows of 8-bit codes: each weight that is read serves all of them.
INLINE void net_rows_tile(
    const int8_t *weights, size_t quad_bytes, uint32_t inputs, const uint8_t *const *codes, const int32_t *const *start,
    int32_t *const *sums, const int columns) {
  accumulator total[NET_ROWS][NET_COLUMNS];
  for (int row = 0; row < NET_ROWS; row++) {
    for (int column = 0; column < columns; column++) accumulator_begin(&total[row][column], start[row] + 16 * column);
  }
  for (uint32_t input = 0; input < inputs; input += 4, weights += quad_bytes) {
    for (int row = 0; row < NET_ROWS; row++) {
      four_codes four = four_codes_load(codes[row] + input);
      for (int column = 0; column < columns; column++) {
        accumulator_add(&total[row][column], four, weights + 64 * column);
      }
    }
  }
  for (int row = 0; row < NET_ROWS; row++) {
    for (int column = 0; column < columns; column++) {
      wholes_store(sums[row] + 16 * column, accumulator_end(&total[row][column], start[row] + 16 * column));
    }
  }
}

// Calls `use(first channel, columns, bytes of a quad, weights)` with each part of the channels that the registers hold.
#define NET_FOR_EACH_TILE(first, use)                                                       \
  for (uint32_t tile = first; tile < product->channels; tile += 64) {                       \
    uint32_t left = product->channels - tile;                                               \
    uint32_t wide = left < 64 ? left : 64;                                                  \
    const int8_t *weights = product->weights + (size_t)tile * product->inputs;              \
    for (uint32_t part = 0; part < wide; part += 16 * NET_COLUMNS) {                        \
      uint32_t columns = (wide - part) / 16;                                                \
      switch (columns < NET_COLUMNS ? columns : NET_COLUMNS) {                              \
        NET_TILE_CASES(use)                                                                 \
      }                                                                                     \
    }                                                                                       \
  }

INLINE void net_row_sums(
    const martlet_net_product *product, const uint8_t *codes, const int32_t *start, int32_t *sums) {
#define USE(columns)                                                                                  \
  net_row_tile(weights + 4 * part, 4 * wide, product->inputs, product->low, codes, start + tile + part, \
      sums + tile + part, columns)
  NET_FOR_EACH_TILE(0, USE)
#undef USE
}

#if NET_ROWS > 1
INLINE void net_rows_sums(
    const martlet_net_product *product, const uint8_t *const *codes, const int32_t *const *starts,
    int32_t *const *sums) {
  const int32_t *start[NET_ROWS];
  int32_t *sum[NET_ROWS];
#define USE(columns)                                                                                  \
  for (int row = 0; row < NET_ROWS; row++) {                                                          \
    start[row] = starts[row] + tile + part;                                                           \
    sum[row] = sums[row] + tile + part;                                                               \
  }                                                                                                   \
  net_rows_tile(weights + 4 * part, 4 * wide, product->inputs, codes, start, sum, columns)
  NET_FOR_EACH_TILE(0, USE)
#undef USE
}
#endif

INLINE size_t net_row(martlet_net_rows rows, uint32_t number) { return rows.list ? rows.list[number] : number; }

VECTOR void NET(martlet_net_sums)(
    const martlet_net_product *product, martlet_net_rows rows, const uint8_t *codes, size_t code_stride,
    const int32_t *starts, int32_t *sums, size_t sum_stride) {
  uint32_t row = 0;
#if NET_ROWS > 1
  for (; !product->low && row + NET_ROWS <= rows.count; row += NET_ROWS) {
    const uint8_t *code[NET_ROWS];
    const int32_t *start[NET_ROWS];
    int32_t *sum[NET_ROWS];
    for (uint32_t i = 0; i < NET_ROWS; i++) {
      code[i] = codes + net_row(rows, row + i) * code_stride;
      start[i] = starts ? starts + (row + i) * sum_stride : product->start;
      sum[i] = sums + (row + i) * sum_stride;
    }
    net_rows_sums(product, code, start, sum);
  }
#endif
  for (; row < rows.count; row++) {
    net_row_sums(
        product, codes + net_row(rows, row) * code_stride, starts ? starts + row * sum_stride : product->start,
        sums + row * sum_stride);
  }
}

// ---- from sums to numbers and codes

// `f32(sum) * scale + more`, rounded once behind the conversion.
INLINE lanes net_scaled(const int32_t *sums, const float *scale, lanes more) {
  return lanes_fused(lanes_from(wholes_load(sums)), lanes_load(scale), more);
}

// `saturate(round(steps) + zero_point)`; NaN gets the lower bound.
INLINE octets net_code_of(lanes steps, int32_t zero_point) {
  // Saturated before it is rounded: the bound is whole, so the order does not matter.
  steps = lanes_larger(steps, lanes_of(-(float)zero_point));
#ifdef NET_SATURATES
  return octets_saturated(steps, zero_point);
#else
  steps = lanes_smaller(steps, lanes_of(255.0f - (float)zero_point));
  return octets_of(wholes_nearest(steps) + zero_point);
#endif
}

INLINE octets net_code(lanes value, const martlet_net_codes *coding) {
  return net_code_of(coding->divides ? value / coding->factor : value * coding->factor, coding->zero_point);
}

// Numbers and codes of `count` sums, which begin at `channel` of the product.
INLINE void net_finish_as(
    const martlet_net_product *product, uint32_t channel, uint32_t count, const int32_t *sums, float *values,
    uint8_t *result, const martlet_net_codes *coding, const uint32_t activation) {
  const float *scale = product->scale + channel, *bias = product->bias + channel;
  for (uint32_t i = 0; i < count; i += 16) {
    lanes x = net_scaled(sums + i, scale + i, lanes_load(bias + i));
    x = net_activation(x, activation, product->slope);
    if (values) lanes_store(values + channel + i, x);
    if (result) octets_store(result + channel + i, net_code(x, coding));
  }
}

// Calls `use(kind)` with the activation as a constant.
#define NET_FOR_ACTIVATION(activation, use)            \
  switch (activation) {                                \
    case MARTLET_NET_IDENTITY: use(MARTLET_NET_IDENTITY); break;     \
    case MARTLET_NET_RELU: use(MARTLET_NET_RELU); break;             \
    case MARTLET_NET_LEAKY_RELU: use(MARTLET_NET_LEAKY_RELU); break; \
    case MARTLET_NET_SIGMOID: use(MARTLET_NET_SIGMOID); break;       \
    case MARTLET_NET_TANH: use(MARTLET_NET_TANH); break;             \
    case MARTLET_NET_GELU: use(MARTLET_NET_GELU); break;             \
    case MARTLET_NET_GELU_TANH: use(MARTLET_NET_GELU_TANH); break;   \
    default: use(MARTLET_NET_SILU);                                  \
  }

// Apart, so that the numbers these need are not loaded for everything else.
static __attribute__((noinline)) VECTOR void net_finish_curved(
    const martlet_net_product *product, const int32_t *sums, float *values, uint8_t *result,
    const martlet_net_codes *coding) {
#define USE(kind) net_finish_as(product, 0, product->channels, sums, values, result, coding, kind)
  NET_FOR_ACTIVATION(product->activation, USE)
#undef USE
}

INLINE void net_finish(
    const martlet_net_product *product, const int32_t *sums, float *values, uint8_t *result,
    const martlet_net_codes *coding) {
  if (product->activation > MARTLET_NET_RELU) {
    net_finish_curved(product, sums, values, result, coding);
    return;
  }
  const float *scale = product->scale, *bias = product->bias;
  // ReLU as a bound: a number above minus infinity is itself.
  lanes least = lanes_of(product->activation == MARTLET_NET_RELU ? 0.0f : -__builtin_inff());
  // A copy: for all the compiler knows, writing a code may change the original.
  martlet_net_codes own = {};
  if (result) own = *coding;
  for (uint32_t i = 0; i < product->channels; i += 16) {
    lanes x = lanes_larger(net_scaled(sums + i, scale + i, lanes_load(bias + i)), least);
    if (values) lanes_store(values + i, x);
    if (result) octets_store(result + i, net_code(x, &own));
  }
}

VECTOR void NET(martlet_net_product_rows)(
    const martlet_net_product *product, martlet_net_rows rows, const uint8_t *codes, size_t code_stride,
    const int32_t *starts, size_t start_stride, float *values, size_t value_stride, uint8_t *result,
    size_t result_stride, const martlet_net_codes *coding) {
  _Alignas(64) int32_t sums[NET_ROWS * MARTLET_NET_CHANNELS];
  uint32_t row = 0;
#if NET_ROWS > 1
  for (; !product->low && row + NET_ROWS <= rows.count; row += NET_ROWS) {
    const uint8_t *code[NET_ROWS];
    const int32_t *start[NET_ROWS];
    int32_t *sum[NET_ROWS];
    for (uint32_t i = 0; i < NET_ROWS; i++) {
      code[i] = codes + net_row(rows, row + i) * code_stride;
      start[i] = starts ? starts + (row + i) * start_stride : product->start;
      sum[i] = sums + i * product->channels;
    }
    net_rows_sums(product, code, start, sum);
    for (uint32_t i = 0; i < NET_ROWS; i++) {
      size_t at = net_row(rows, row + i);
      net_finish(
          product, sum[i], values ? values + at * value_stride : NULL, result ? result + at * result_stride : NULL,
          coding);
    }
  }
#endif
  for (; row < rows.count; row++) {
    size_t at = net_row(rows, row);
    net_row_sums(
        product, codes + at * code_stride, starts ? starts + row * start_stride : product->start, sums);
    net_finish(
        product, sums, values ? values + at * value_stride : NULL, result ? result + at * result_stride : NULL, coding);
  }
}

// Sums of some rows of a causal convolution: tap after tap, each where its row lies.
INLINE void net_taps_tile(
    const int8_t *const *weights, size_t quad_bytes, uint32_t taps,
    uint32_t inputs, const uint8_t *(*codes)[NET_ROWS], int32_t *const *sums, const int32_t *start,
    const int columns) {
  accumulator total[NET_ROWS][NET_COLUMNS];
  for (int row = 0; row < NET_ROWS; row++) {
    for (int column = 0; column < columns; column++) accumulator_begin(&total[row][column], start + 16 * column);
  }
  const int8_t *weight = weights[0];
  for (uint32_t tap = 0; tap <= taps; tap++) {
    if (tap == taps) weight = weights[1];
    for (uint32_t input = 0; input < inputs; input += 4, weight += quad_bytes) {
      for (int row = 0; row < NET_ROWS; row++) net_quad(total[row], codes[tap][row] + input, weight, columns);
    }
  }
  for (int row = 0; row < NET_ROWS; row++) {
    for (int column = 0; column < columns; column++) {
      wholes_store(sums[row] + 16 * column, accumulator_end(&total[row][column], start + 16 * column));
    }
  }
}

VECTOR void NET(martlet_net_convolution)(
    const martlet_net_product *earlier, const martlet_net_product *product, martlet_net_rows rows, const uint8_t *codes,
    size_t stride, uint32_t taps, uint32_t dilation, const uint8_t *padding, float *values, size_t value_stride,
    uint8_t *result, size_t result_stride, const martlet_net_codes *coding) {
  _Alignas(64) int32_t sums[NET_ROWS * MARTLET_NET_CHANNELS];
  const uint8_t *code[MARTLET_NET_TAPS + 1][NET_ROWS];
  for (uint32_t first = 0; first < rows.count; first += NET_ROWS) {
    for (uint32_t i = 0; i < NET_ROWS; i++) {
      // Behind the last row it stands in once more: registers are there for it.
      uint32_t number = first + i < rows.count ? first + i : rows.count - 1;
      size_t row = net_row(rows, number);
      for (uint32_t tap = 0; tap <= taps; tap++) {
        size_t back = (size_t)(taps - tap) * dilation;
        code[tap][i] = row < back ? padding : codes + (row - back) * stride;
      }
    }
#define USE(columns)                                                                                                 \
  {                                                                                                                  \
  const int8_t *weight[2] = {                                                                                        \
      earlier->weights + (size_t)tile * earlier->inputs + 4 * part, weights + 4 * part};                             \
  int32_t *sum[NET_ROWS];                                                                                            \
  for (int i = 0; i < NET_ROWS; i++) sum[i] = sums + i * (int)product->channels + tile + part;                       \
  net_taps_tile(weight, 4 * wide, taps, product->inputs, code, sum, earlier->start + tile + part, columns);           \
  }
    NET_FOR_EACH_TILE(0, USE)
#undef USE
    for (uint32_t i = 0; i < NET_ROWS && first + i < rows.count; i++) {
      size_t row = net_row(rows, first + i);
      net_finish(
          product, sums + i * product->channels, values ? values + row * value_stride : NULL,
          result ? result + row * result_stride : NULL, coding);
    }
  }
}

// What layers mostly are: codes or numbers with ReLU or nothing. Apart, so that nothing else takes registers here; a part's
// numbers are made while the weights of the next one arrive.
static __attribute__((noinline)) VECTOR void net_plain_layer(
    const martlet_net_product *product, const uint8_t *source, float *values, uint8_t *result,
    const martlet_net_codes *coding) {
  // ReLU as a bound: a number above minus infinity is itself.
  lanes least = lanes_of(product->activation == MARTLET_NET_RELU ? 0.0f : -__builtin_inff());
  // Copies: for all the compiler knows, writing a code may change the originals.
  const float *scale = product->scale, *bias = product->bias;
  const int32_t *start = product->start;
  uint32_t inputs = product->inputs;
  size_t low = product->low;
  float factor = result ? coding->factor : 0;
  int32_t zero_point = result ? coding->zero_point : 0;
  _Alignas(64) int32_t sums[32 * NET_COLUMNS];
#define FINISH(first, columns)                                                                                       \
  for (int column = 0; column < columns; column++) {                                                                 \
    uint32_t channel = first + 16 * (uint32_t)column;                                                                \
    lanes x = lanes_larger(net_scaled(sums + 16 * column, scale + channel, lanes_load(bias + channel)), least);      \
    if (values) lanes_store(values + channel, x);                                                                    \
    if (result) octets_store(result + channel, net_code_of(x * factor, zero_point));                                 \
  }
  uint32_t done = 0;
#if NET_COLUMNS > 1
  for (; !low && done + 128 <= product->channels; done += 128) {
    net_row_tiles(product->weights + (size_t)done * inputs, inputs, source, start + done, sums, 2);
    FINISH(done, 8)
  }
#endif
#define USE(columns)                                                                                                 \
  net_row_tile(weights + 4 * part, 4 * wide, inputs, low, source, start + tile + part, sums, columns);               \
  FINISH(tile + part, columns)
  NET_FOR_EACH_TILE(done, USE)
#undef USE
#undef FINISH
}

VECTOR void NET(martlet_net_layers)(const martlet_net_layer *layer, uint32_t count) {
  for (const martlet_net_layer *end = layer + count; layer < end; layer++) {
    const martlet_net_product *product = layer->product;
    if (product->activation <= MARTLET_NET_RELU && !(layer->result && layer->coding->divides)) {
      net_plain_layer(product, layer->source, layer->values, layer->result, layer->coding);
    } else {
      martlet_net_rows one = {NULL, 1};
      NET(martlet_net_product_rows)(
          product, one, layer->source, 0, NULL, 0, layer->values, 0, layer->result, 0, layer->coding);
    }
  }
}

// ---- the input

VECTOR void NET(martlet_net_input_codes)(
    const martlet_net_input *input, const float *rows, size_t row_stride, uint32_t count, uint8_t *codes,
    size_t code_stride) {
  for (; count > 0; count--, rows += row_stride, codes += code_stride) {
    for (uint32_t feature = 0; feature < input->count; feature += 16) {
      lanes x = lanes_load(rows + feature), factor = lanes_load(input->factors + feature);
      x = choose(x == x, x, lanes_load(input->missing_values + feature)) - lanes_load(input->centers + feature);
      lanes steps = input->divides ? x / factor : x * factor;
      if (input->low) {
        // As `net_code_of`: the bounds are whole.
        steps = lanes_smaller(lanes_larger(steps, lanes_of(-32768.0f)), lanes_of(32767.0f));
        wholes code = wholes_nearest(steps) + 32768;
        octets_store(codes + feature, octets_of(code >> 8));
        octets_store(codes + input->low + feature, octets_of(code & 255));
      } else {
        octets_store(codes + feature, net_code_of(steps, input->zero_point));
      }
    }
  }
}

VECTOR void NET(martlet_net_input_values)(
    const martlet_net_input *input, const float *rows, size_t row_stride, uint32_t count, float *values,
    size_t value_stride) {
  for (; count > 0; count--, rows += row_stride, values += value_stride) {
    for (uint32_t feature = 0; feature < input->count; feature += 16) {
      lanes x = lanes_load(rows + feature);
      lanes_store(values + feature, choose(x == x, x, lanes_load(input->missing_values + feature)));
    }
  }
}

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

// ---- between products

VECTOR void NET(martlet_net_codes_rows)(
    martlet_net_rows rows, uint32_t width, const float *values, size_t value_stride, uint8_t *codes,
    size_t code_stride, const martlet_net_codes *coding) {
  for (uint32_t row = 0; row < rows.count; row++) {
    const float *from = values + net_row(rows, row) * value_stride;
    uint8_t *to = codes + net_row(rows, row) * code_stride;
    for (uint32_t i = 0; i < width; i += 16) octets_store(to + i, net_code(lanes_load(from + i), coding));
  }
}

VECTOR void NET(martlet_net_activate)(
    martlet_net_rows rows, uint32_t width, const float *values, float *result, size_t stride, uint32_t activation,
    float slope) {
#define USE(kind)                                                                            \
  for (uint32_t row = 0; row < rows.count; row++) {                                          \
    const float *from = values + net_row(rows, row) * stride;                                \
    float *to = result + net_row(rows, row) * stride;                                        \
    for (uint32_t i = 0; i < width; i += 16) {                                               \
      lanes_store(to + i, net_activation(lanes_load(from + i), kind, slope));                \
    }                                                                                        \
  }
  NET_FOR_ACTIVATION(activation, USE)
#undef USE
}

VECTOR void NET(martlet_net_add)(
    martlet_net_rows rows, uint32_t width, const float *first, const float *second, float *result, size_t stride) {
  for (uint32_t row = 0; row < rows.count; row++) {
    size_t at = net_row(rows, row) * stride;
    for (uint32_t i = 0; i < width; i += 16) {
      lanes_store(result + at + i, lanes_load(first + at + i) + lanes_load(second + at + i));
    }
  }
}

VECTOR void NET(martlet_net_affine)(
    martlet_net_rows rows, uint32_t width, const float *values, float *result, size_t stride, const float *gain,
    const float *shift) {
  for (uint32_t row = 0; row < rows.count; row++) {
    size_t at = net_row(rows, row) * stride;
    for (uint32_t i = 0; i < width; i += 16) {
      lanes_store(result + at + i, lanes_fused(lanes_load(values + at + i), lanes_load(gain + i), lanes_load(shift + i)));
    }
  }
}

// Sums of a row start at +0, and entries past its width add +0, so that they change no bit.
VECTOR void NET(martlet_net_normalise)(
    martlet_net_rows rows, uint32_t width, const float *values, float *result, size_t stride, const float *gain,
    const float *shift, float epsilon) {
  uint32_t whole = width / 16 * 16;
  wholes tail = lanes_first(width - whole);
  for (uint32_t row = 0; row < rows.count; row++) {
    const float *from = values + net_row(rows, row) * stride;
    float *to = result + net_row(rows, row) * stride;
    lanes sum = lanes_of(0.0f);
    for (uint32_t i = 0; i < whole; i += 16) sum += lanes_load(from + i);
    if (whole < width) sum += choose(tail, lanes_load(from + whole), lanes_of(0.0f));
    float mean = lanes_sum(sum) / (float)width;
    lanes squares = lanes_of(0.0f);
    for (uint32_t i = 0; i < whole; i += 16) {
      lanes offset = lanes_load(from + i) - mean;
      squares = lanes_fused(offset, offset, squares);
    }
    if (whole < width) {
      lanes offset = choose(tail, lanes_load(from + whole) - mean, lanes_of(0.0f));
      squares = lanes_fused(offset, offset, squares);
    }
    float variance = lanes_sum(squares) / (float)width;
    float unit = 1.0f / __builtin_elementwise_sqrt(variance + epsilon);
    for (uint32_t i = 0; i < width; i += 16) {
      lanes normal = (lanes_load(from + i) - mean) * unit;
      lanes_store(to + i, lanes_fused(normal, lanes_load(gain + i), lanes_load(shift + i)));
    }
  }
}

// ---- attention

// Products of a query with 16 keys, each summed as `lanes_sum` does. Rows from `count` on are read as the last one.
INLINE lanes net_scores(
    const float *query, const float *keys, size_t stride, uint32_t row, uint32_t count, uint32_t whole, uint32_t size) {
  const float *key[16];
  for (uint32_t i = 0; i < 16; i++) key[i] = keys + (row + i < count ? row + i : count - 1) * stride;
  lanes sums[16];
  for (int i = 0; i < 16; i++) sums[i] = lanes_of(0.0f);
  for (uint32_t column = 0; column < whole; column += 16) {
    lanes own = lanes_load(query + column);
    for (int i = 0; i < 16; i++) sums[i] = lanes_fused(own, lanes_load(key[i] + column), sums[i]);
  }
  if (whole < size) {
    lanes own = lanes_load(query + whole);
    wholes tail = lanes_first(size - whole);
    for (int i = 0; i < 16; i++) {
      sums[i] = choose(tail, lanes_fused(own, lanes_load(key[i] + whole), sums[i]), sums[i]);
    }
  }
  return lanes_sums(sums);
}

// `columns` times 16 numbers of the rows' sum by their shares.
INLINE void net_mix(
    const float *shares, const float *values, size_t stride, uint32_t count, lanes *sums, const int columns) {
  for (int column = 0; column < columns; column++) sums[column] = lanes_of(0.0f);
  for (uint32_t row = 0; row < count; row++, values += stride) {
    for (int column = 0; column < columns; column++) {
      sums[column] = lanes_fused(lanes_of(shares[row]), lanes_load(values + 16 * column), sums[column]);
    }
  }
}

// One query row against `count` keys and values; a head is `size` neighbouring entries. Reads up to 15 entries past a row.
VECTOR void NET(martlet_net_attention)(
    uint32_t heads, uint32_t size, float scale, const float *query, const float *keys, const float *values,
    size_t stride, uint32_t count, float *result) {
  _Alignas(64) float scores[MARTLET_NET_ROWS];
  uint32_t whole = size / 16 * 16;
  wholes tail = lanes_first(size - whole);
  uint32_t last = (count - 1) / 16 * 16;
  wholes known = lanes_first(count - last);
  for (uint32_t head = 0; head < heads; head++, query += size, keys += size, values += size, result += size) {
    lanes most = lanes_of(-__builtin_inff());
    for (uint32_t row = 0; row < count; row += 16) {
      // Past the last row its score stands in: it changes no maximum.
      lanes score = net_scores(query, keys, stride, row, count, whole, size) * scale;
      lanes_store(scores + row, score);
      most = lanes_larger(score, most);
    }
    float greatest = lanes_greatest(most);
    lanes total = lanes_of(0.0f);
    for (uint32_t row = 0; row < last; row += 16) {
      lanes power = net_exp(lanes_load(scores + row) - greatest);
      lanes_store(scores + row, power);
      total += power;
    }
    lanes power = choose(known, net_exp(lanes_load(scores + last) - greatest), lanes_of(0.0f));
    lanes_store(scores + last, power);
    float share = 1.0f / lanes_sum(total + power);
    uint32_t i = 0;
    for (; i + 64 <= size; i += 64) {
      lanes sums[4];
      net_mix(scores, values + i, stride, count, sums, 4);
      for (int column = 0; column < 4; column++) lanes_store(result + i + 16 * column, sums[column] * share);
    }
    for (; i + 32 <= size; i += 32) {
      lanes sums[2];
      net_mix(scores, values + i, stride, count, sums, 2);
      for (int column = 0; column < 2; column++) lanes_store(result + i + 16 * column, sums[column] * share);
    }
    for (; i < size; i += 16) {
      lanes sum;
      net_mix(scores, values + i, stride, count, &sum, 1);
      sum *= share;
      if (i + 16 <= size) {
        lanes_store(result + i, sum);
      } else {
        // The next head's entries lie beside these.
        lanes_store(result + i, choose(tail, sum, lanes_load(result + i)));
      }
    }
  }
}
