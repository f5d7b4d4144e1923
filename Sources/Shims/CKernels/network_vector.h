// Sixteen lanes of single precision or 32-bit integers, in whatever registers the target has.
//
// Every operation is exact or correctly rounded lane by lane, so that one source gives the same bits in each instruction
// set. A reduction is written once too: lanes first, then the fixed tree of `lanes_sum` and `lanes_max`.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma STDC FP_CONTRACT OFF
// Wide vectors are passed between functions that are always inlined, so their calling convention never matters.
#pragma clang diagnostic ignored "-Wpsabi"

#ifndef VECTOR
#define VECTOR
#endif
#define INLINE static inline __attribute__((always_inline)) VECTOR

typedef float lanes __attribute__((vector_size(64)));
typedef int32_t wholes __attribute__((vector_size(64)));
typedef uint8_t octets __attribute__((vector_size(16)));
typedef float lanes_anywhere __attribute__((vector_size(64), aligned(4)));

INLINE lanes lanes_of(float value) { return (lanes){} + value; }
INLINE wholes wholes_of(int32_t value) { return (wholes){} + value; }
INLINE lanes lanes_load(const float *from) { return *(const lanes_anywhere *)from; }
INLINE void lanes_store(float *to, lanes value) { *(lanes_anywhere *)to = value; }
INLINE wholes wholes_load(const int32_t *from) { return *(const wholes *)from; }
INLINE void wholes_store(int32_t *to, wholes value) { *(wholes *)to = value; }
// `(high << 8) + low`, wrapping.
INLINE wholes wholes_joined(wholes high, wholes low) {
  typedef uint32_t counts __attribute__((vector_size(64)));
  return (wholes)(((counts)high << 8) + (counts)low);
}

// `first + second`, wrapping.
INLINE wholes wholes_sum(wholes first, wholes second) {
  typedef uint32_t counts __attribute__((vector_size(64)));
  return (wholes)((counts)first + (counts)second);
}

INLINE lanes lanes_from(wholes value) { return __builtin_convertvector(value, lanes); }

// Where a mask lane is all ones the first, else the second.
INLINE lanes choose(wholes mask, lanes first, lanes second) {
  return (lanes)(((wholes)first & mask) | ((wholes)second & ~mask));
}

// `a > b ? a : b` and `a < b ? a : b`: the second where they are equal or one is NaN, as vector instructions do.
INLINE lanes lanes_larger(lanes a, lanes b) { return choose(a > b, a, b); }
INLINE lanes lanes_smaller(lanes a, lanes b) { return choose(a < b, a, b); }

// `a * b + c`, rounded once: an instruction where there is one, else the C library's exact function.
INLINE lanes lanes_fused(lanes a, lanes b, lanes c) { return __builtin_elementwise_fma(a, b, c); }

// The first `count` lanes.
INLINE wholes lanes_first(uint32_t count) {
  const wholes number = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return number < (int32_t)count;
}

// To the nearest whole number, halves to even, of magnitudes up to 2^22: the sum's unit in the last place is 1.
INLINE wholes wholes_nearest(lanes value) { return (wholes)(value + 0x1.8p23f) - 0x4B400000; }

INLINE float lanes_sum(lanes value) {
  typedef float half __attribute__((vector_size(32)));
  typedef float quarter __attribute__((vector_size(16)));
  half eight = __builtin_shufflevector(value, value, 0, 1, 2, 3, 4, 5, 6, 7) +
               __builtin_shufflevector(value, value, 8, 9, 10, 11, 12, 13, 14, 15);
  quarter four = __builtin_shufflevector(eight, eight, 0, 1, 2, 3) + __builtin_shufflevector(eight, eight, 4, 5, 6, 7);
  float first = four[0] + four[2], second = four[1] + four[3];
  return first + second;
}

// The larger of each lane and the lane given by the list.
#define LANES_LARGER(value, ...) lanes_larger(value, __builtin_shufflevector(value, value, __VA_ARGS__))

INLINE float lanes_greatest(lanes value) {
  value = LANES_LARGER(value, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
  value = LANES_LARGER(value, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
  value = LANES_LARGER(value, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
  value = LANES_LARGER(value, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
  return value[0];
}

// Lane `i` is `lanes_sum(value[i])`: the same tree, for sixteen vectors at once.
INLINE lanes lanes_sums(const lanes *value) {
  lanes eight[8], four[4], two[2];
  for (int i = 0; i < 8; i++) {
    lanes a = value[i], b = value[i + 8];
    eight[i] = __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
               __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
  }
  for (int i = 0; i < 4; i++) {
    lanes a = eight[i], b = eight[i + 4];
    four[i] = __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27) +
              __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31);
  }
  for (int i = 0; i < 2; i++) {
    lanes a = four[i], b = four[i + 2];
    two[i] = __builtin_shufflevector(a, b, 0, 1, 4, 5, 8, 9, 12, 13, 16, 17, 20, 21, 24, 25, 28, 29) +
             __builtin_shufflevector(a, b, 2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 22, 23, 26, 27, 30, 31);
  }
  // Sums of 0 8 4 12 2 10 6 14, then of 1 9 5 13 3 11 7 15.
  lanes a = two[0], b = two[1];
  lanes one = __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30) +
              __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
  return __builtin_shufflevector(one, one, 0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15);
}

// The low byte of each lane; lanes hold 0 to 255.
INLINE octets octets_of(wholes value) { return __builtin_convertvector(value, octets); }
INLINE void octets_store(uint8_t *to, octets value) { *(octets *)to = value; }
