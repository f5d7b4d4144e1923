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
INLINE lanes lanes_from(wholes value) { return __builtin_convertvector(value, lanes); }

// Where a mask lane is all ones the first, else the second.
INLINE lanes choose(wholes mask, lanes first, lanes second) {
  return (lanes)(((wholes)first & mask) | ((wholes)second & ~mask));
}

// `a > b ? a : b` and `a < b ? a : b`: the second where they are equal or one is NaN, as vector instructions do.
INLINE lanes lanes_larger(lanes a, lanes b) { return choose(a > b, a, b); }
INLINE lanes lanes_smaller(lanes a, lanes b) { return choose(a < b, a, b); }

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

INLINE float lanes_greatest(lanes value) {
  float most = value[0];
  for (int lane = 1; lane < 16; lane++) most = value[lane] > most ? value[lane] : most;
  return most;
}

// The low byte of each lane; lanes hold 0 to 255.
INLINE void octets_store(uint8_t *to, wholes value) { *(octets *)to = __builtin_convertvector(value, octets); }
