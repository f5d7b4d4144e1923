// Chooses the instruction set of a call. The set is picked once, when a network is loaded, so the branch never surprises.
#include "include/CKernels.h"
#include "network_sets.h"

#if defined(__x86_64__)
#define CHOOSE(name, ...)                                     \
  switch (set) {                                              \
    case MARTLET_AVX512: name##_avx512(__VA_ARGS__); return;  \
    case MARTLET_AVX2: name##_avx2(__VA_ARGS__); return;      \
    default: name##_scalar(__VA_ARGS__);                      \
  }
#else
#define CHOOSE(name, ...) \
  (void)set;              \
  name##_scalar(__VA_ARGS__);
#endif

#pragma clang assume_nonnull begin

void martlet_net_input_codes(
    int set, const martlet_net_input *input, const float *rows, size_t row_stride, uint32_t count, uint8_t *codes,
    size_t code_stride) {
  CHOOSE(martlet_net_input_codes, input, rows, row_stride, count, codes, code_stride)
}

void martlet_net_input_values(
    int set, const martlet_net_input *input, const float *rows, size_t row_stride, uint32_t count, float *values,
    size_t value_stride) {
  CHOOSE(martlet_net_input_values, input, rows, row_stride, count, values, value_stride)
}

void martlet_net_layers(int set, const martlet_net_layer *layers, uint32_t count) {
  CHOOSE(martlet_net_layers, layers, count)
}

void martlet_net_sums(
    int set, const martlet_net_product *product, martlet_net_rows rows, const uint8_t *codes, size_t code_stride,
    const int32_t *_Nullable starts, int32_t *sums, size_t sum_stride) {
  CHOOSE(martlet_net_sums, product, rows, codes, code_stride, starts, sums, sum_stride)
}

void martlet_net_product_rows(
    int set, const martlet_net_product *product, martlet_net_rows rows, const uint8_t *codes, size_t code_stride,
    const int32_t *_Nullable starts, size_t start_stride, float *_Nullable values, size_t value_stride,
    uint8_t *_Nullable result, size_t result_stride, const martlet_net_codes *_Nullable coding) {
  CHOOSE(martlet_net_product_rows, product, rows, codes, code_stride, starts, start_stride, values, value_stride,
      result, result_stride, coding)
}

void martlet_net_convolution(
    int set, const martlet_net_product *earlier, const martlet_net_product *product, martlet_net_rows rows,
    const uint8_t *codes, size_t stride, uint32_t taps, uint32_t dilation, const uint8_t *padding,
    float *_Nullable values, size_t value_stride, uint8_t *_Nullable result, size_t result_stride,
    const martlet_net_codes *_Nullable coding) {
  CHOOSE(martlet_net_convolution, earlier, product, rows, codes, stride, taps, dilation, padding, values, value_stride,
      result, result_stride, coding)
}

void martlet_net_lstm(
    int set, uint32_t units, const int32_t *sums, const float *scale, const float *before, const float *c,
    float *_Nullable next_c, float *_Nullable h, uint8_t *codes, const martlet_net_codes *coding) {
  CHOOSE(martlet_net_lstm, units, sums, scale, before, c, next_c, h, codes, coding)
}

void martlet_net_lstm_input(
    int set, const martlet_net_product *input, const uint8_t *source, const float *before, const float *c,
    float *_Nullable next_c, float *_Nullable h, uint8_t *codes, const martlet_net_codes *coding) {
  CHOOSE(martlet_net_lstm_input, input, source, before, c, next_c, h, codes, coding)
}

void martlet_net_lstm_rows(
    int set, const martlet_net_product *recurrent, uint32_t count, const int32_t *sums, const float *scale, float *c,
    uint8_t *hidden, float *_Nullable h, size_t h_stride, uint8_t *codes, size_t code_stride,
    const martlet_net_codes *coding) {
  CHOOSE(martlet_net_lstm_rows, recurrent, count, sums, scale, c, hidden, h, h_stride, codes, code_stride, coding)
}

void martlet_net_gru(
    int set, uint32_t units, const int32_t *sums, const float *scale, const float *bias, const float *before, const
    float *h, float *next_h, uint8_t *codes, const martlet_net_codes *coding) {
  CHOOSE(martlet_net_gru, units, sums, scale, bias, before, h, next_h, codes, coding)
}

void martlet_net_gru_reset(
    int set, uint32_t units, const int32_t *sums, const float *scale, const float *before, const float *h,
    uint8_t *codes, const martlet_net_codes *coding) {
  CHOOSE(martlet_net_gru_reset, units, sums, scale, before, h, codes, coding)
}

void martlet_net_gru_after(
    int set, uint32_t units, const int32_t *sums, const float *scale, const float *bias, const float *before, const
    float *after, const float *h, float *next_h, uint8_t *codes, const martlet_net_codes *coding) {
  CHOOSE(martlet_net_gru_after, units, sums, scale, bias, before, after, h, next_h, codes, coding)
}

void martlet_net_codes_rows(
    int set, martlet_net_rows rows, uint32_t width, const float *values, size_t value_stride, uint8_t *codes, size_t
    code_stride, const martlet_net_codes *coding) {
  CHOOSE(martlet_net_codes_rows, rows, width, values, value_stride, codes, code_stride, coding)
}

void martlet_net_activate(
    int set, martlet_net_rows rows, uint32_t width, const float *values, float *result, size_t stride, uint32_t
    activation, float slope) {
  CHOOSE(martlet_net_activate, rows, width, values, result, stride, activation, slope)
}

void martlet_net_add(
    int set, martlet_net_rows rows, uint32_t width, const float *first, const float *second, float *result, size_t
    stride) {
  CHOOSE(martlet_net_add, rows, width, first, second, result, stride)
}

void martlet_net_affine(
    int set, martlet_net_rows rows, uint32_t width, const float *values, float *result, size_t stride, const
    float *gain, const float *shift) {
  CHOOSE(martlet_net_affine, rows, width, values, result, stride, gain, shift)
}

void martlet_net_normalise(
    int set, martlet_net_rows rows, uint32_t width, const float *values, float *result, size_t stride, const
    float *gain, const float *shift, float epsilon) {
  CHOOSE(martlet_net_normalise, rows, width, values, result, stride, gain, shift, epsilon)
}

void martlet_net_attention(
    int set, uint32_t heads, uint32_t size, float scale, const float *query, const float *keys, const float *values,
    size_t stride, uint32_t count, float *result) {
  CHOOSE(martlet_net_attention, heads, size, scale, query, keys, values, stride, count, result)
}

#pragma clang assume_nonnull end
