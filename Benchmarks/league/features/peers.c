// TA-Lib's streams in the feature league: one process measures one workload once, as swift/ does for ours.
//
//   feature-peers WORKLOAD BARS OUTPUT PASSES
//
// Each pass goes over all series, in an order that rotates. A stream is opened on the first bars of a series, untimed, and
// updated with the others one by one, timed. The values of the last pass go to OUTPUT, nanoseconds an update to standard output.
#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// What is called of the library, as its manual declares it: 0 is success.
int TA_Initialize(void);
const char *TA_GetVersionString(void);
#define DECLARE(NAME, INPUTS, OPTIONS, OUTPUTS, HISTORY)                                                               \
  typedef struct TA_##NAME##_Stream TA_##NAME##_Stream;                                                                \
  int TA_##NAME##_Open(TA_##NAME##_Stream **, HISTORY, int OPTIONS, OUTPUTS);                                          \
  int TA_##NAME##_Update(TA_##NAME##_Stream *, INPUTS, OUTPUTS);                                                       \
  int TA_##NAME##_Close(TA_##NAME##_Stream *);
#define LIST(...) __VA_ARGS__
#define ONE double
#define THREE LIST(double, double, double)
#define FOUR LIST(double, double, double, double)
#define IN1 const double *
#define IN3 LIST(const double *, const double *, const double *)
#define IN4 LIST(const double *, const double *, const double *, const double *)
#define OUT1 double *
#define OUT3 LIST(double *, double *, double *)
DECLARE(EMA, ONE, LIST(, int), OUT1, IN1)
DECLARE(SMA, ONE, LIST(, int), OUT1, IN1)
DECLARE(RSI, ONE, LIST(, int), OUT1, IN1)
DECLARE(VAR, ONE, LIST(, int, double), OUT1, IN1)
DECLARE(STDDEV, ONE, LIST(, int, double), OUT1, IN1)
DECLARE(MACD, ONE, LIST(, int, int, int), OUT3, IN1)
DECLARE(BBANDS, ONE, LIST(, int, double, double, int), OUT3, IN1)
DECLARE(ATR, THREE, LIST(, int), OUT1, IN3)
DECLARE(NATR, THREE, LIST(, int), OUT1, IN3)
DECLARE(ADX, THREE, LIST(, int), OUT1, IN3)
DECLARE(PLUS_DI, THREE, LIST(, int), OUT1, IN3)
DECLARE(MINUS_DI, THREE, LIST(, int), OUT1, IN3)
DECLARE(MFI, FOUR, LIST(, int), OUT1, IN4)

typedef struct {
  const double *high, *low, *close, *volume;
} Series;

static int series_count, bar_count, history;
static Series *series;
static double *values;
static uint64_t nanoseconds;
static uint64_t updates;

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void fail(const char *text) {
  printf("league: %s\n", text);
  exit(2);
}

static void check(int code) {
  if (code != 0) fail("the library refuses a call");
}

// A pass over one series: `OPEN` and `CLOSE` untimed, `UPDATE` for each bar `i` into `o`, where `WIDTH` values have room.
#define PASS(WIDTH, OPEN, UPDATE, CLOSE)                                                                               \
  {                                                                                                                    \
    const Series s = series[which];                                                                                    \
    double *o = values + (size_t)which * (size_t)(bar_count - history) * (WIDTH);                                      \
    double a[4];                                                                                                       \
    int code = 0;                                                                                                      \
    OPEN;                                                                                                              \
    const uint64_t start = now();                                                                                      \
    for (int i = history; i < bar_count; ++i, o += (WIDTH)) UPDATE;                                                    \
    nanoseconds += now() - start;                                                                                      \
    check(code);                                                                                                       \
    CLOSE;                                                                                                             \
    updates += (uint64_t)(bar_count - history);                                                                        \
    return WIDTH;                                                                                                      \
  }

#define FROM_CLOSE(NAME, ...)                                                                                          \
  PASS(1, TA_##NAME##_Stream *t; check(TA_##NAME##_Open(&t, s.close, history, __VA_ARGS__, a)),                        \
       code |= TA_##NAME##_Update(t, s.close[i], o), TA_##NAME##_Close(t))
#define THREE_FROM_CLOSE(NAME, ...)                                                                                    \
  PASS(3, TA_##NAME##_Stream *t; check(TA_##NAME##_Open(&t, s.close, history, __VA_ARGS__, a, a + 1, a + 2)),          \
       code |= TA_##NAME##_Update(t, s.close[i], o, o + 1, o + 2), TA_##NAME##_Close(t))
#define FROM_BARS(NAME, ...)                                                                                           \
  PASS(1, TA_##NAME##_Stream *t; check(TA_##NAME##_Open(&t, s.high, s.low, s.close, history, __VA_ARGS__, a)),         \
       code |= TA_##NAME##_Update(t, s.high[i], s.low[i], s.close[i], o), TA_##NAME##_Close(t))

static int ema5(int which) FROM_CLOSE(EMA, 5)
static int ema60(int which) FROM_CLOSE(EMA, 60)
static int rsi14(int which) FROM_CLOSE(RSI, 14)
static int macd(int which) THREE_FROM_CLOSE(MACD, 12, 26, 9)
static int atr14(int which) FROM_BARS(ATR, 14)
static int natr14(int which) FROM_BARS(NATR, 14)
static int adx14(int which) FROM_BARS(ADX, 14)
// What ours gives at once takes three streams.
static int dmi14(int which)
    PASS(3, TA_ADX_Stream *x; TA_PLUS_DI_Stream *p; TA_MINUS_DI_Stream *m;
         check(TA_ADX_Open(&x, s.high, s.low, s.close, history, 14, a));
         check(TA_PLUS_DI_Open(&p, s.high, s.low, s.close, history, 14, a));
         check(TA_MINUS_DI_Open(&m, s.high, s.low, s.close, history, 14, a)),
         {
           code |= TA_ADX_Update(x, s.high[i], s.low[i], s.close[i], o);
           code |= TA_PLUS_DI_Update(p, s.high[i], s.low[i], s.close[i], o + 1);
           code |= TA_MINUS_DI_Update(m, s.high[i], s.low[i], s.close[i], o + 2);
         },
         TA_ADX_Close(x);
         TA_PLUS_DI_Close(p); TA_MINUS_DI_Close(m))
static int mfi14(int which)
    PASS(1, TA_MFI_Stream *t; check(TA_MFI_Open(&t, s.high, s.low, s.close, s.volume, history, 14, a)),
         code |= TA_MFI_Update(t, s.high[i], s.low[i], s.close[i], s.volume[i], o), TA_MFI_Close(t))
static int sma9(int which) FROM_CLOSE(SMA, 9)
static int sma12(int which) FROM_CLOSE(SMA, 12)
static int sma20(int which) FROM_CLOSE(SMA, 20)
static int sma50(int which) FROM_CLOSE(SMA, 50)
static int sma200(int which) FROM_CLOSE(SMA, 200)
static int variance20(int which) FROM_CLOSE(VAR, 20, 1.0)
static int deviation20(int which) FROM_CLOSE(STDDEV, 20, 1.0)
static int bands20(int which) THREE_FROM_CLOSE(BBANDS, 20, 2.0, 2.0, 0)

static const struct {
  const char *name;
  int (*run)(int);
} workloads[] = {
    {"ema5", ema5},         {"ema60", ema60},       {"rsi14", rsi14},
    {"macd", macd},         {"atr14", atr14},       {"natr14", natr14},
    {"adx14", adx14},       {"dmi14", dmi14},       {"mfi14", mfi14},
    {"sma9", sma9},         {"sma12", sma12},       {"sma20", sma20},
    {"sma50", sma50},       {"sma200", sma200},     {"variance20", variance20},
    {"deviation20", deviation20}, {"bands20", bands20},
};

/// BARS holds three counts (series, bars of each, bars of history) and for each series four columns: high, low and close in
/// billionths, volume in lots; all of them little-endian 64-bit integers.
static void load(const char *path) {
  FILE *file = fopen(path, "rb");
  int64_t head[3];
  if (!file || fread(head, 8, 3, file) != 3) fail("the bars are not readable");
  series_count = (int)head[0], bar_count = (int)head[1], history = (int)head[2];
  const size_t cells = (size_t)series_count * 4 * (size_t)bar_count;
  int64_t *raw = malloc(cells * 8);
  double *real = malloc(cells * 8);
  series = malloc((size_t)series_count * sizeof(Series));
  values = calloc((size_t)series_count * (size_t)bar_count * 3, 8);
  if (!raw || !real || !series || !values || fread(raw, 8, cells, file) != cells) fail("the bars are incomplete");
  fclose(file);
  for (size_t cell = 0; cell < cells; ++cell) {
    const int is_volume = cell / (size_t)bar_count % 4 == 3;
    real[cell] = is_volume ? (double)raw[cell] : (double)raw[cell] / 1e9;
  }
  free(raw);
  for (int which = 0; which < series_count; ++which) {
    const double *start = real + (size_t)which * 4 * (size_t)bar_count;
    series[which] = (Series){start, start + bar_count, start + 2 * bar_count, start + 3 * bar_count};
  }
}

static int ascending(const void *left, const void *right) {
  const double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

int main(int count, char **arguments) {
  if (count == 2 && !strcmp(arguments[1], "--version")) return printf("%s\n", TA_GetVersionString()) < 0;
  if (count != 5) fail("usage: feature-peers WORKLOAD BARS OUTPUT PASSES");
  cpu_set_t processors;
  CPU_ZERO(&processors);
  CPU_SET(0, &processors);
  sched_setaffinity(0, sizeof processors, &processors);
  check(TA_Initialize());
  load(arguments[2]);
  int (*run)(int) = NULL;
  for (size_t index = 0; index < sizeof workloads / sizeof *workloads; ++index)
    if (!strcmp(workloads[index].name, arguments[1])) run = workloads[index].run;
  if (!run) fail("no such workload");
  const int passes = atoi(arguments[4]);
  double figures[1024];
  int width = 0;
  // The first pass is thrown away.
  for (int pass = 0; pass <= passes && pass <= 1024; ++pass) {
    nanoseconds = 0, updates = 0;
    for (int turn = 0; turn < series_count; ++turn) width = run((turn + pass) % series_count);
    if (pass > 0) figures[pass - 1] = (double)nanoseconds / (double)updates;
  }
  qsort(figures, (size_t)passes, sizeof *figures, ascending);
  printf("%.4f\n", figures[passes / 2]);
  FILE *file = fopen(arguments[3], "wb");
  const size_t cells = (size_t)series_count * (size_t)(bar_count - history) * (size_t)width;
  if (!file || fwrite(values, 8, cells, file) != cells || fclose(file)) fail("the values are not writable");
  return 0;
}
