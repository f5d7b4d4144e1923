// Dot products of codes and weights, and what becomes of their sums: the first part of `network_body.h`.

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

// The same of 2 tiles from codes of two bytes, a chain for each: what is read of the weights serves both.
INLINE void net_wide_tiles(
    const int8_t *weights, uint32_t inputs, size_t low, const uint8_t *codes, const int32_t *start, int32_t *sums) {
  accumulator highs[8], lows[8];
  NET_UNROLLED for (int column = 0; column < 8; column++) {
    accumulator_clear(&highs[column]);
    accumulator_clear(&lows[column]);
  }
  size_t tile_bytes = 64 * (size_t)inputs;
  for (uint32_t input = 0; input < inputs; input += 4, weights += 256) {
    four_codes high = four_codes_load(codes + input), below = four_codes_load(codes + low + input);
    NET_UNROLLED for (int column = 0; column < 8; column++) {
      const int8_t *weight = weights + tile_bytes * (column / 4) + 64 * (column % 4);
      accumulator_add(&highs[column], high, weight);
      accumulator_add(&lows[column], below, weight);
    }
  }
  NET_UNROLLED for (int column = 0; column < 8; column++) {
    wholes sum = wholes_joined(accumulator_total(&highs[column]), accumulator_total(&lows[column]));
    wholes_store(sums + 16 * column, wholes_sum(sum, wholes_load(start + 16 * column)));
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
  for (; done + 128 <= product->channels; done += 128) {
    const int8_t *weights = product->weights + (size_t)done * inputs;
    if (low) {
      net_wide_tiles(weights, inputs, low, source, start + done, sums);
    } else {
      net_row_tiles(weights, inputs, source, start + done, sums, 2);
    }
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
