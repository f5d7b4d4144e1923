#include "CTool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int martlet_format_g17(double value, char *text) { return snprintf(text, 32, "%.17g", value); }

#ifdef MARTLET_HAS_LIBRARY
#include <zlib.h>

bool martlet_gunzip_available(void) { return true; }

int martlet_gunzip(const uint8_t *source, size_t length, size_t limit, uint8_t **result, size_t *result_length) {
  size_t capacity = length * 4 + 65536;
  if (capacity > limit) capacity = limit;
  uint8_t *bytes = malloc(capacity ? capacity : 1);
  if (!bytes) return 3;
  size_t used = 0, read = 0;
  z_stream stream;
  memset(&stream, 0, sizeof stream);
  // 15 + 16: the largest window, and a gzip header.
  if (inflateInit2(&stream, 15 + 16) != Z_OK) {
    free(bytes);
    return 3;
  }
  int status = Z_OK, answer = 0;
  while (answer == 0) {
    if (used == capacity) {
      if (capacity == limit) {
        answer = 4;
        break;
      }
      capacity = capacity > limit / 2 ? limit : capacity * 2;
      uint8_t *larger = realloc(bytes, capacity);
      if (!larger) {
        answer = 3;
        break;
      }
      bytes = larger;
    }
    // zlib counts in 32 bits: no more than 1 GiB in either direction at a time.
    size_t in = length - read, out = capacity - used;
    if (in > 1u << 30) in = 1u << 30;
    if (out > 1u << 30) out = 1u << 30;
    stream.next_in = (Bytef *)(source + read);
    stream.avail_in = (uInt)in;
    stream.next_out = bytes + used;
    stream.avail_out = (uInt)out;
    status = inflate(&stream, Z_NO_FLUSH);
    read += in - stream.avail_in;
    used += out - stream.avail_out;
    if (status == Z_STREAM_END) {
      if (read == length) break;
      if (inflateReset(&stream) != Z_OK) answer = 2;
    } else if (status != Z_OK && !(status == Z_BUF_ERROR && stream.avail_out == 0)) {
      answer = 2;
    } else if (read == length && stream.avail_out != 0) {
      answer = 2;  // the data ended inside a member
    }
  }
  inflateEnd(&stream);
  if (answer != 0) {
    free(bytes);
    return answer;
  }
  *result = bytes;
  *result_length = used;
  return 0;
}
#else
bool martlet_gunzip_available(void) { return false; }

int martlet_gunzip(const uint8_t *source, size_t length, size_t limit, uint8_t **result, size_t *result_length) {
  (void)source, (void)length, (void)limit, (void)result, (void)result_length;
  return 1;
}
#endif
