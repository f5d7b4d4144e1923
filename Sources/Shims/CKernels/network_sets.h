// Every kernel in each instruction set: what network.c chooses between.
#pragma once

#include "include/CNetwork.h"

#define NET_DECLARE(set)                                                                                         \
  void martlet_net_input_codes_##set(                                                                            \
      const martlet_net_input *input, const float *rows, size_t row_stride, uint32_t count, uint8_t *codes,      \
      size_t code_stride);                                                                                       \
  void martlet_net_input_values_##set(                                                                           \
      const martlet_net_input *input, const float *rows, size_t row_stride, uint32_t count, float *values,       \
      size_t value_stride);                                                                                      \
  void martlet_net_layers_##set(const martlet_net_layer *layers, uint32_t count);                                \
  void martlet_net_sums_##set(                                                                                   \
      const martlet_net_product *product, martlet_net_rows rows, const uint8_t *codes, size_t code_stride, const \
      int32_t *starts, int32_t *sums, size_t sum_stride);                                                        \
  void martlet_net_product_rows_##set(                                                                           \
      const martlet_net_product *product, martlet_net_rows rows, const uint8_t *codes, size_t code_stride, const \
      int32_t *starts, size_t start_stride, float *values, size_t value_stride, uint8_t *result, size_t          \
      result_stride, const martlet_net_codes *coding);                                                           \
  void martlet_net_convolution_##set(                                                                            \
      const martlet_net_product *earlier, const martlet_net_product *product, martlet_net_rows rows,             \
      const uint8_t *codes, size_t stride, uint32_t taps, uint32_t dilation, const uint8_t *padding,             \
      float *values, size_t value_stride, uint8_t *result, size_t result_stride,                                 \
      const martlet_net_codes *coding);                                                                          \
  void martlet_net_lstm_##set(                                                                                   \
      uint32_t units, const int32_t *sums, const float *scale, const float *before, const float *c, float        \
      *next_c, float *h, uint8_t *codes, const martlet_net_codes *coding);                                       \
  void martlet_net_lstm_input_##set(                                                                             \
      const martlet_net_product *input, const uint8_t *source, const float *before, const float *c, float        \
      *next_c, float *h, uint8_t *codes, const martlet_net_codes *coding);                                       \
  void martlet_net_lstm_rows_##set(                                                                              \
      const martlet_net_product *recurrent, uint32_t count, const int32_t *sums, const float *scale, float *c,   \
      uint8_t *hidden, float *h, size_t h_stride, uint8_t *codes, size_t code_stride,                            \
      const martlet_net_codes *coding);                                                                          \
  void martlet_net_gru_##set(                                                                                    \
      uint32_t units, const int32_t *sums, const float *scale, const float *bias, const float *before, const     \
      float *h, float *next_h, uint8_t *codes, const martlet_net_codes *coding);                                 \
  void martlet_net_gru_reset_##set(                                                                              \
      uint32_t units, const int32_t *sums, const float *scale, const float *before, const float *h, uint8_t      \
      *codes, const martlet_net_codes *coding);                                                                  \
  void martlet_net_gru_after_##set(                                                                              \
      uint32_t units, const int32_t *sums, const float *scale, const float *bias, const float *before, const     \
      float *after, const float *h, float *next_h, uint8_t *codes, const martlet_net_codes *coding);             \
  void martlet_net_codes_rows_##set(                                                                             \
      martlet_net_rows rows, uint32_t width, const float *values, size_t value_stride, uint8_t *codes, size_t    \
      code_stride, const martlet_net_codes *coding);                                                             \
  void martlet_net_activate_##set(                                                                               \
      martlet_net_rows rows, uint32_t width, const float *values, float *result, size_t stride, uint32_t         \
      activation, float slope);                                                                                  \
  void martlet_net_add_##set(                                                                                    \
      martlet_net_rows rows, uint32_t width, const float *first, const float *second, float *result, size_t      \
      stride);                                                                                                   \
  void martlet_net_affine_##set(                                                                                 \
      martlet_net_rows rows, uint32_t width, const float *values, float *result, size_t stride, const float      \
      *gain, const float *shift);                                                                                \
  void martlet_net_normalise_##set(                                                                              \
      martlet_net_rows rows, uint32_t width, const float *values, float *result, size_t stride, const float      \
      *gain, const float *shift, float epsilon);                                                                 \
  void martlet_net_attention_##set(                                                                              \
      uint32_t heads, uint32_t size, float scale, const float *query, const float *keys, const float *values,    \
      size_t stride, uint32_t count, float *result);

NET_DECLARE(scalar)
#if defined(__x86_64__)
NET_DECLARE(avx2)
NET_DECLARE(avx512)
#endif
