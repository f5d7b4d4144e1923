#include "CZstd.h"

#include <stdlib.h>

#ifdef MARTLET_HAS_LIBRARY
#include <zstd.h>
#include <zstd_errors.h>

bool martlet_unzstd_available(void) { return true; }

// The code of a failed call.
static int answer_of(size_t failure) {
  switch (ZSTD_getErrorCode(failure)) {
    case ZSTD_error_memory_allocation: return 3;
    case ZSTD_error_frameParameter_windowTooLarge: return 5;
    default: return 2;
  }
}

int martlet_unzstd(const uint8_t *source, size_t length, size_t limit, uint8_t **result, size_t *result_length) {
  // A first block to write to; after that the size doubles whenever it is full.
  size_t capacity = limit < 1u << 17 ? limit : 1u << 17;
  uint8_t *bytes = malloc(capacity ? capacity : 1);
  ZSTD_DCtx *context = ZSTD_createDCtx();
  int answer = bytes && context ? 0 : 3;
  ZSTD_inBuffer in = {source, length, 0};
  ZSTD_outBuffer out = {bytes, capacity, 0};
  // 0 between two frames, and before the first.
  size_t pending = 0;
  // A byte more than the limit is asked for through this one, so that a result of exactly the limit is told from a longer one.
  uint8_t beyond;
  while (answer == 0 && (in.pos < in.size || pending != 0)) {
    if (out.pos == capacity && capacity == limit) {
      ZSTD_outBuffer more = {&beyond, 1, 0};
      size_t before = in.pos;
      pending = ZSTD_decompressStream(context, &more, &in);
      if (ZSTD_isError(pending)) {
        answer = answer_of(pending);
      } else if (more.pos != 0) {
        answer = 4;
      } else if (pending != 0 && in.pos == before && in.pos == in.size) {
        answer = 2;  // the data ended inside a frame
      }
      continue;
    }
    if (out.pos == capacity) {
      capacity = capacity > limit / 2 ? limit : capacity * 2;
      uint8_t *larger = realloc(bytes, capacity);
      if (!larger) {
        answer = 3;
        break;
      }
      bytes = larger;
      out.dst = bytes;
      out.size = capacity;
    }
    size_t read = in.pos, written = out.pos;
    pending = ZSTD_decompressStream(context, &out, &in);
    if (ZSTD_isError(pending)) {
      answer = answer_of(pending);
    } else if (pending != 0 && in.pos == read && out.pos == written && out.pos < capacity) {
      answer = 2;  // the data ended inside a frame
    }
  }
  ZSTD_freeDCtx(context);
  if (answer != 0) {
    free(bytes);
    return answer;
  }
  // Shrinking cannot fail in a way that matters: the larger block is as good.
  uint8_t *fitting = realloc(bytes, out.pos ? out.pos : 1);
  *result = fitting ? fitting : bytes;
  *result_length = out.pos;
  return 0;
}
#else
bool martlet_unzstd_available(void) { return false; }

int martlet_unzstd(const uint8_t *source, size_t length, size_t limit, uint8_t **result, size_t *result_length) {
  (void)source, (void)length, (void)limit, (void)result, (void)result_length;
  return 1;
}
#endif
