// The kernels, once for all instruction sets: included by a file that has defined `accumulator`, the dot product of its
// set and how many rows and channels fit its registers.
#include "network_math.h"
#include "network_products.h"
#include "network_cells.h"

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
