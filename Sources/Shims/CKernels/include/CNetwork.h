// The inner loops of quantised networks: products of 8-bit codes, cells with memory, attention and what lies between,
// each in up to three instruction sets that agree bit for bit.
//
// Nothing here allocates, fails or decides: the caller lays out every table and has checked every size. Rows of codes and
// of single precision values start at multiples of 64 bytes and are padded to multiples of 64 entries, so that whole
// vectors may be read and written. A product that is added to something is rounded once with
// it; everything has a fixed order.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

enum {
  /// The most entries of a row of any value.
  MARTLET_NET_WIDTH = 1024,
  /// The most channels of a product: four gates of the widest layer.
  MARTLET_NET_CHANNELS = 4096,
  /// The most rows of a window.
  MARTLET_NET_ROWS = 512,
  /// The most earlier taps of a convolution that is computed in one call.
  MARTLET_NET_TAPS = 15,
};

/// What is applied to each number of a result.
enum {
  MARTLET_NET_IDENTITY = 0,
  MARTLET_NET_RELU = 1,
  MARTLET_NET_LEAKY_RELU = 2,
  MARTLET_NET_SIGMOID = 3,
  MARTLET_NET_TANH = 4,
  MARTLET_NET_GELU = 5,
  MARTLET_NET_SILU = 6,
  MARTLET_NET_GELU_TANH = 7,
};

/// From single precision to a code: `saturate(round(x * factor) + zero_point)`, or `x / factor` where it divides.
typedef struct {
  float factor;
  int32_t zero_point;
  bool divides;
} martlet_net_codes;

/// Int8 weights and what turns their sums into numbers.
///
/// ```
/// weights: [ tile of 64 channels | ... | last tile of 16, 32, 48 or 64 ], a tile = [inputs / 4][channels][4]
/// ```
typedef struct {
  /// Codes of a row that are read: a multiple of 8; weights of padding are 0.
  uint32_t inputs;
  /// Bytes from the high byte of a 16-bit code to its low byte; 0 where codes have 8 bits. Sums of both bytes by the same
  /// weights are joined as `(high << 8) + low`, wrapping.
  uint32_t low;
  /// Channels: a multiple of 16; padding has weights, start, scale and bias 0.
  uint32_t channels;
  const int8_t *weights;
  /// Where each sum starts: zero points folded in.
  const int32_t *start;
  /// A sum's unit.
  const float *scale;
  const float *bias;
  uint32_t activation;
  float slope;
} martlet_net_product;

/// Rows of a matrix in memory: row `i` of `count` is `list[i]`, or `i` where there is no list.
typedef struct {
  const uint16_t *_Nullable list;
  uint32_t count;
} martlet_net_rows;

/// How a row of features becomes codes: `x - center` as `martlet_net_codes` does, a factor a feature; NaN becomes the value
/// that stands for it first.
typedef struct {
  /// Features, up to whole vectors of 16.
  uint32_t count;
  /// As in the products that read it: codes have 16 bits then, and the zero point is 32,768.
  uint32_t low;
  int32_t zero_point;
  bool divides;
  const float *centers;
  const float *factors;
  const float *missing_values;
} martlet_net_input;

/// A layer over a single row: where it reads and writes; `values`, or `result` and `coding`, may be missing.
typedef struct {
  const martlet_net_product *product;
  const uint8_t *source;
  float *_Nullable values;
  uint8_t *_Nullable result;
  const martlet_net_codes *_Nullable coding;
} martlet_net_layer;

/// `count` input rows as codes; strides are in entries. Up to 15 entries past each row are read.
void martlet_net_input_codes(
    int set, const martlet_net_input *input, const float *rows, size_t row_stride, uint32_t count, uint8_t *codes,
    size_t code_stride);

/// `count` input rows with NaN replaced.
void martlet_net_input_values(
    int set, const martlet_net_input *input, const float *rows, size_t row_stride, uint32_t count, float *values,
    size_t value_stride);

/// Layers one after the other, each as `martlet_net_product_rows` of its row.
void martlet_net_layers(int set, const martlet_net_layer *layers, uint32_t count);

/// `sums[i] = start + weights * codes[row i]` for each row; `starts` instead of the product's own start where given.
///
/// Strides are in entries; row `i` of sums and starts is the i-th, whatever row of codes it was made from.
void martlet_net_sums(
    int set, const martlet_net_product *product, martlet_net_rows rows, const uint8_t *codes, size_t code_stride,
    const int32_t *_Nullable starts, int32_t *sums, size_t sum_stride);

/// `activation(f32(sum) * scale + bias)` for each row, as values, as codes, or as both.
void martlet_net_product_rows(
    int set, const martlet_net_product *product, martlet_net_rows rows, const uint8_t *codes, size_t code_stride,
    const int32_t *_Nullable starts, size_t start_stride, float *_Nullable values, size_t value_stride,
    uint8_t *_Nullable result, size_t result_stride, const martlet_net_codes *_Nullable coding);

/// A causal convolution of rows of 8-bit codes, up to MARTLET_NET_TAPS earlier taps: `earlier` reads those, the oldest first,
/// each as many codes as `product` reads of the newest one; sums start where those of `earlier` do. A tap before the first
/// row reads `padding`. Otherwise as `martlet_net_product_rows`.
void martlet_net_convolution(
    int set, const martlet_net_product *earlier, const martlet_net_product *product, martlet_net_rows rows,
    const uint8_t *codes, size_t stride, uint32_t taps, uint32_t dilation, const uint8_t *padding,
    float *_Nullable values, size_t value_stride, uint8_t *_Nullable result, size_t result_stride,
    const martlet_net_codes *_Nullable coding);

/// An LSTM cell. Gates lie in blocks of 16 units: 16 of input, output, forget and candidate each.
///
/// `gate = f32(sum) * scale + before`, then `NetworkMath.lstmCell`; the hidden state as values, codes or both.
/// `units` is a multiple of 16; `before` is what the last hidden state and the bias add. Scales and `before` of all gates but
/// the candidate are halved, since their sigmoid is read at half the sum.
void martlet_net_lstm(
    int set, uint32_t units, const int32_t *sums, const float *scale, const float *before, const float *c,
    float *_Nullable next_c, float *_Nullable h, uint8_t *codes, const martlet_net_codes *coding);

/// The same with the product of the input's codes in front.
void martlet_net_lstm_input(
    int set, const martlet_net_product *input, const uint8_t *source, const float *before, const float *c,
    float *_Nullable next_c, float *_Nullable h, uint8_t *codes, const martlet_net_codes *coding);

/// `count` rows of an LSTM one after the other: `sums` as of `martlet_net_lstm`, `recurrent` of the codes of the row before.
///
/// Cells and codes of the last hidden state are read from `c` and `hidden` and written back; the codes of each row follow
/// each other.
void martlet_net_lstm_rows(
    int set, const martlet_net_product *recurrent, uint32_t count, const int32_t *sums, const float *scale, float *c,
    uint8_t *hidden, float *_Nullable h, size_t h_stride, uint8_t *codes, size_t code_stride,
    const martlet_net_codes *coding);

/// A GRU cell that is linear before reset. Gates lie in blocks of 16 units: 16 of update, reset and candidate each.
void martlet_net_gru(
    int set, uint32_t units, const int32_t *sums, const float *scale, const float *bias, const float *before,
    const float *h, float *next_h, uint8_t *codes, const martlet_net_codes *coding);

/// The codes of `reset * h`, which the candidate's product reads in a GRU that is not linear before reset.
void martlet_net_gru_reset(
    int set, uint32_t units, const int32_t *sums, const float *scale, const float *before, const float *h,
    uint8_t *codes, const martlet_net_codes *coding);

/// The rest of that cell; `after` is the product of those codes with its bias.
void martlet_net_gru_after(
    int set, uint32_t units, const int32_t *sums, const float *scale, const float *bias, const float *before,
    const float *after, const float *h, float *next_h, uint8_t *codes, const martlet_net_codes *coding);

/// Codes of values, row by row.
void martlet_net_codes_rows(
    int set, martlet_net_rows rows, uint32_t width, const float *values, size_t value_stride, uint8_t *codes,
    size_t code_stride, const martlet_net_codes *coding);

/// A function of each number.
void martlet_net_activate(
    int set, martlet_net_rows rows, uint32_t width, const float *values, float *result, size_t stride,
    uint32_t activation, float slope);

/// `first + second`.
void martlet_net_add(
    int set, martlet_net_rows rows, uint32_t width, const float *first, const float *second, float *result,
    size_t stride);

/// `(x * gain) + shift`, a number of each a column.
void martlet_net_affine(
    int set, martlet_net_rows rows, uint32_t width, const float *values, float *result, size_t stride,
    const float *gain, const float *shift);

/// `((x - mean) * (1 / sqrt(variance + epsilon)) * gain) + shift`, row by row.
void martlet_net_normalise(
    int set, martlet_net_rows rows, uint32_t width, const float *values, float *result, size_t stride,
    const float *gain, const float *shift, float epsilon);

/// Scaled dot-product attention of one query row over `count` rows of keys and values, up to MARTLET_NET_ROWS.
///
/// A head is `size` neighbouring entries of a row. Up to 15 entries past the last head are read, none written.
void martlet_net_attention(
    int set, uint32_t heads, uint32_t size, float scale, const float *query, const float *keys, const float *values,
    size_t stride, uint32_t count, float *result);

/// The earlier taps of a causal convolution, a row of codes each, gathered side by side: `taps` pieces of `width` bytes.
///
/// Row `i` of the result belongs to row `i` of `rows` and begins `patch_stride` bytes after the one before; a tap before the
/// first row reads `padding`. The newest tap is left out. Whole vectors of 16 bytes are read and written: what is written past
/// a piece is overwritten by the next one, or lies past the row's pieces.
static inline void martlet_net_patches(
    martlet_net_rows rows, const uint8_t *codes, size_t stride, uint32_t width, uint32_t taps, uint32_t dilation,
    const uint8_t *padding, uint8_t *patches, size_t patch_stride) {
  for (uint32_t number = 0; number < rows.count; number++) {
    uint32_t row = rows.list ? rows.list[number] : number;
    uint8_t *to = patches + number * patch_stride;
    for (uint32_t tap = taps; tap > 0; tap--, to += width) {
      const uint8_t *from = row < tap * dilation ? padding : codes + (row - tap * dilation) * stride;
      for (uint32_t i = 0; i < width; i += 16) __builtin_memcpy(to + i, from + i, 16);
    }
  }
}

#pragma clang assume_nonnull end
