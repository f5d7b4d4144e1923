// The other side of the inference league: what people run models with, through C, one row a call.
//
//   inference-peers FOLDER [--passes N] [--only TEXT] [--values FOLDER]
//
// FOLDER as README.md lays it out. The libraries are found by environment variables that ./run sets. Every pass times every
// contender once, in an order that rotates, and prints one line of JSON each.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "timing.h"

enum { FEATURES = 64, WINDOW = 32, CHANNELS = 16, HIDDEN = 64, CALLS_MAX = 5 * ROWS, CONTENDERS_MAX = 64 };

static void fail(const char *what, const char *why) {
  fprintf(stderr, "league: %s: %s\n", what, why ? why : "unknown reason");
  exit(2);
}

static const char *folder;
static float *rows, *scaled, *sequence;
static double *wide;

static float *read_floats(const char *name, size_t count) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "rb");
  float *values = aligned_alloc(64, (count * sizeof(float) + 63) & ~(size_t)63);
  if (!file || !values || fread(values, sizeof(float), count, file) != count) fail(path, "expected more values");
  fclose(file);
  return values;
}

typedef struct Contender Contender;
struct Contender {
  const char *name, *set, *form;
  double (*call)(Contender *, uint32_t row);
  void *state;
};

static Contender contenders[CONTENDERS_MAX];
static int contender_count;
static const char *only;

static int wanted(const char *name, const char *set, const char *form) {
  char whole[256];
  snprintf(whole, sizeof whole, "%s %s %s", name, set, form);
  return !only || strstr(whole, only);
}

static void enter(const char *name, const char *set, const char *form, double (*call)(Contender *, uint32_t), void *state) {
  contenders[contender_count++] = (Contender){name, set, form, call, state};
}

static void *library(const char *variable) {
  const char *path = getenv(variable);
  void *handle = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
  if (!handle) fail(variable, path ? dlerror() : "not set");
  return handle;
}

static void *symbol(void *handle, const char *name) {
  void *found = dlsym(handle, name);
  if (!found) fail(name, dlerror());
  return found;
}

// lleaves: the function its compiler made, raw scores of rows [start, end) of doubles.

typedef struct {
  void (*forest)(double *, double *, int, int);
} Compiled;

static double call_lleaves(Contender *self, uint32_t row) {
  double score;
  ((Compiled *)self->state)->forest(wide + (size_t)row * FEATURES, &score, 0, 1);
  return score;
}

// TL2cgen: the generated function overwrites its row with bins, so each call fills one afresh, as its own runtime does.

typedef union {
  int missing;
  double value;
} Entry;

typedef struct {
  void (*predict)(Entry *, int, double *);
  Entry entries[FEATURES];
} Generated;

static double call_generated(Contender *self, uint32_t row) {
  Generated *state = self->state;
  const float *values = rows + (size_t)row * FEATURES;
  for (int column = 0; column < FEATURES; ++column) state->entries[column].value = values[column];
  double score = 0;
  state->predict(state->entries, 1, &score);
  return score;
}

static void enter_compiled(const char *set) {
  char path[4096];
  if (wanted("lleaves", set, "compiled")) {
    snprintf(path, sizeof path, "%s/lleaves-%s.so", folder, set);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) fail(path, dlerror());
    Compiled *state = malloc(sizeof *state);
    state->forest = symbol(handle, "forest_root");
    enter("lleaves", set, "compiled", call_lleaves, state);
  }
  if (wanted("TL2cgen", set, "quantized")) {
    snprintf(path, sizeof path, "%s/tl2cgen-%s.so", folder, set);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) fail(path, dlerror());
    Generated *state = calloc(1, sizeof *state);
    state->predict = symbol(handle, "predict");
    enter("TL2cgen", set, "quantized", call_generated, state);
  }
}

// LightGBM: the call for one row whose parameters are parsed before.

typedef struct {
  int (*predict)(void *, const void *, int64_t *, double *);
  void *configuration;
} Fast;

static double call_lightgbm(Contender *self, uint32_t row) {
  Fast *state = self->state;
  int64_t length;
  double score;
  state->predict(state->configuration, wide + (size_t)row * FEATURES, &length, &score);
  return score;
}

static void enter_lightgbm(const char *set) {
  if (!wanted("LightGBM", set, "SingleRowFast")) return;
  static void *handle;
  if (!handle) handle = library("LEAGUE_LIGHTGBM");
  int (*create)(const char *, int *, void **) = symbol(handle, "LGBM_BoosterCreateFromModelfile");
  int (*prepare)(void *, int, int, int, int, int32_t, const char *, void **) =
    symbol(handle, "LGBM_BoosterPredictForMatSingleRowFastInit");
  const char *(*reason)(void) = symbol(handle, "LGBM_GetLastError");
  Fast *state = malloc(sizeof *state);
  state->predict = symbol(handle, "LGBM_BoosterPredictForMatSingleRowFast");
  char path[4096];
  snprintf(path, sizeof path, "%s/%s.txt", folder, set);
  int iterations;
  void *booster;
  // Raw scores (1) of rows of doubles (1): the form in which it converts nothing.
  if (create(path, &iterations, &booster) ||
      prepare(booster, 1, 0, -1, 1, FEATURES, "num_threads=1", &state->configuration))
    fail(path, reason());
  enter("LightGBM", set, "SingleRowFast", call_lightgbm, state);
}

// XGBoost: one dense row in place. The row's address travels in text; the texts are made before.

typedef struct {
  int (*predict)(void *, const char *, const char *, void *, const uint64_t **, uint64_t *, const float **);
  void *booster;
  char (*texts)[112];
} Boosted;

static double call_xgboost(Contender *self, uint32_t row) {
  static const char configuration[] =
    "{\"type\":1,\"training\":false,\"iteration_begin\":0,\"iteration_end\":0,\"strict_shape\":false,\"missing\":NaN}";
  Boosted *state = self->state;
  const uint64_t *shape;
  uint64_t dimensions;
  const float *result = NULL;
  if (state->predict(state->booster, state->texts[row], configuration, NULL, &shape, &dimensions, &result) || !result)
    fail(self->set, "XGBoost refuses a row");
  return result[0];
}

static void enter_xgboost(const char *set) {
  if (!wanted("XGBoost", set, "PredictFromDense")) return;
  static void *handle;
  if (!handle) handle = library("LEAGUE_XGBOOST");
  int (*create)(const void *, uint64_t, void **) = symbol(handle, "XGBoosterCreate");
  int (*load)(void *, const char *) = symbol(handle, "XGBoosterLoadModel");
  int (*set_parameter)(void *, const char *, const char *) = symbol(handle, "XGBoosterSetParam");
  const char *(*reason)(void) = symbol(handle, "XGBGetLastError");
  Boosted *state = malloc(sizeof *state);
  state->predict = symbol(handle, "XGBoosterPredictFromDense");
  state->texts = malloc(sizeof *state->texts * ROWS);
  for (int row = 0; row < ROWS; ++row)
    snprintf(state->texts[row], sizeof *state->texts, "{\"data\":[%zu,true],\"shape\":[1,%d],\"typestr\":\"<f4\",\"version\":3}",
             (size_t)(rows + (size_t)row * FEATURES), FEATURES);
  char path[4096];
  snprintf(path, sizeof path, "%s/%s.ubj", folder, set);
  if (create(NULL, 0, &state->booster) || load(state->booster, path) || set_parameter(state->booster, "nthread", "1"))
    fail(path, reason());
  enter("XGBoost", set, "PredictFromDense", call_xgboost, state);
}

// ONNX Runtime: the table of its C functions by place, which it promises never to change.

enum {
  ERROR_MESSAGE = 2, CREATE_ENVIRONMENT = 3, CREATE_SESSION = 7, RUN = 9, CREATE_OPTIONS = 10, SET_OPTIMISATION = 23,
  SET_THREADS_WITHIN = 24, SET_THREADS_BETWEEN = 25, CREATE_TENSOR = 49, CREATE_MEMORY = 69,
  OPTIMISE_ALL = 99, FLOAT = 1, VERSION = 16,
};

typedef struct {
  const void *const *(*functions)(uint32_t version);
  const char *(*version)(void);
} Base;

typedef void *(*Run)(void *, const void *, const char *const *, void *const *, size_t, const char *const *, size_t, void **);

typedef struct {
  Run run;
  void *session;
  const float *source;
  size_t stride, count;
  float *input, *output;
  float *states[2][2];
  void *inputs[2][3], *outputs[2][3];
  int turn;
} Session;

static const void *const *ort;

static void check(void *status, const char *what) {
  if (status) fail(what, ((const char *(*)(const void *))ort[ERROR_MESSAGE])(status));
}

static void *tensor(float *values, const int64_t *shape, size_t dimensions) {
  static void *memory;
  if (!memory) check(((void *(*)(int, int, void **))ort[CREATE_MEMORY])(1, 0, &memory), "memory");
  size_t count = 1;
  for (size_t index = 0; index < dimensions; ++index) count *= (size_t)shape[index];
  void *value = NULL;
  check(((void *(*)(const void *, void *, size_t, const int64_t *, size_t, int, void **))ort[CREATE_TENSOR])(
          memory, values, count * sizeof(float), shape, dimensions, FLOAT, &value), "tensor");
  return value;
}

static float *room(size_t count) {
  float *values = aligned_alloc(64, (count * sizeof(float) + 63) & ~(size_t)63);
  memset(values, 0, count * sizeof(float));
  return values;
}

// The row is copied into the tensor inside the timing: tens of bytes a nanosecond, against microseconds.
static double call_session(Contender *self, uint32_t row) {
  static const char *const input[] = {"rows"}, *const output[] = {"logit"};
  Session *state = self->state;
  memcpy(state->input, state->source + row * state->stride, state->count * sizeof(float));
  check(state->run(state->session, NULL, input, state->inputs[0], 1, output, 1, state->outputs[0]), self->set);
  return state->output[0];
}

// One step with the state kept: the state written by one call is read by the next, without a copy.
static double call_step(Contender *self, uint32_t row) {
  static const char *const input[] = {"rows", "hidden", "cell"}, *const output[] = {"logit", "hidden_out", "cell_out"};
  Session *state = self->state;
  memcpy(state->input, state->source + row * state->stride, state->count * sizeof(float));
  check(state->run(state->session, NULL, input, state->inputs[state->turn], 3, output, 3, state->outputs[state->turn]), self->set);
  state->turn ^= 1;
  return state->output[0];
}

static void enter_session(const char *set, const char *form, const char *suffix, const float *source, size_t stride, int steps,
                          int columns) {
  if (!wanted("ONNX Runtime", set, form)) return;
  static void *environment;
  if (!ort) {
    const Base *(*base)(void) = symbol(library("LEAGUE_ONNXRUNTIME"), "OrtGetApiBase");
    ort = base()->functions(VERSION);
    if (!ort) fail("ONNX Runtime", "it no longer gives version 16 of its functions");
    // Warnings about a core that cannot be pinned are of no use here: errors only (3).
    check(((void *(*)(int, const char *, void **))ort[CREATE_ENVIRONMENT])(3, "league", &environment), "environment");
  }
  char path[4096];
  snprintf(path, sizeof path, "%s/%s%s.onnx", folder, set, suffix);
  void *options;
  check(((void *(*)(void **))ort[CREATE_OPTIONS])(&options), "options");
  check(((void *(*)(void *, int))ort[SET_THREADS_WITHIN])(options, 1), "threads");
  check(((void *(*)(void *, int))ort[SET_THREADS_BETWEEN])(options, 1), "threads");
  check(((void *(*)(void *, int))ort[SET_OPTIMISATION])(options, OPTIMISE_ALL), "optimisation");
  Session *state = calloc(1, sizeof *state);
  check(((void *(*)(const void *, const char *, const void *, void **))ort[CREATE_SESSION])(
          environment, path, options, &state->session), path);
  state->run = (Run)ort[RUN];
  state->source = source;
  state->stride = stride;
  state->count = (size_t)steps * (size_t)columns;
  state->input = room(state->count);
  state->output = room(1);
  const int step = !strcmp(set, "step");
  const int64_t flat[] = {1, columns}, window[] = {1, steps, columns}, one[] = {1, 1}, kept[] = {1, 1, HIDDEN};
  for (int index = 0; index < 4; ++index) state->states[index / 2][index % 2] = room(HIDDEN);
  for (int turn = 0; turn < 2; ++turn) {
    state->inputs[turn][0] = tensor(state->input, columns == FEATURES ? flat : window, columns == FEATURES ? 2 : 3);
    state->outputs[turn][0] = tensor(state->output, one, 2);
    for (int part = 0; part < 2; ++part) {
      state->inputs[turn][1 + part] = tensor(state->states[turn][part], kept, 3);
      state->outputs[turn][1 + part] = tensor(state->states[1 - turn][part], kept, 3);
    }
  }
  enter("ONNX Runtime", set, form, step ? call_step : call_session, state);
}

static int is_step(const Contender *contender) {
  return !strcmp(contender->set, "step");
}

// The state kept by a step starts from zero wherever answers are compared.
static void reset(Contender *contender) {
  if (!is_step(contender)) return;
  Session *state = contender->state;
  state->turn = 0;
  for (int part = 0; part < 2; ++part) memset(state->states[0][part], 0, HIDDEN * sizeof(float));
}

static uint64_t samples[CALLS_MAX];
static double nanoseconds_a_tick;

static void time_pass(Contender *contender, int pass) {
  volatile double kept = 0;
  // Consecutive rows for a state that moves along the stream, hashed order for all others.
  const int consecutive = is_step(contender);
  uint64_t pilot = clock_before();
  for (uint64_t call = 0; call < 1024; ++call) kept = contender->call(contender, consecutive ? call : row_at(call));
  pilot = (clock_after() - pilot) / 1024;
  const double expected = (double)pilot * nanoseconds_a_tick;
  const int rotations = expected < 10000 ? 5 : expected < 30000 ? 2 : 1;
  const int calls = rotations * ROWS;
  for (int call = 0; call < calls; ++call) {
    const uint32_t row = consecutive ? (uint32_t)call & (ROWS - 1) : row_at((uint64_t)call);
    const uint64_t start = clock_before();
    kept = contender->call(contender, row);
    samples[call] = clock_after() - start;
  }
  (void)kept;
  qsort(samples, (size_t)calls, sizeof *samples, compare_ticks);
  // The sum of the answers in the order of the rows: nothing was optimised away and nobody changed the question.
  double checksum = 0;
  reset(contender);
  for (uint32_t row = 0; row < ROWS; ++row) checksum += contender->call(contender, row);
  printf("{\"name\":\"%s\",\"set\":\"%s\",\"form\":\"%s\",\"pass\":%d,\"calls\":%d,\"p50_ns\":%.1f,\"p99_ns\":%.1f,\"checksum\":%.9g}\n",
         contender->name, contender->set, contender->form, pass, calls, (double)samples[calls / 2] * nanoseconds_a_tick,
         (double)samples[(size_t)calls * 99 / 100] * nanoseconds_a_tick, checksum);
  fflush(stdout);
}

static void write_values(Contender *contender, const char *target) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s.%s.%s.f64", target, contender->name, contender->set, contender->form);
  FILE *file = fopen(path, "wb");
  if (!file) fail(path, "cannot be written");
  reset(contender);
  for (uint32_t row = 0; row < ROWS; ++row) {
    const double value = contender->call(contender, row);
    if (fwrite(&value, sizeof value, 1, file) != 1) fail(path, "cannot be written");
  }
  fclose(file);
}

int main(int count, char **arguments) {
  if (count < 2) fail("usage", "inference-peers FOLDER [--passes N] [--only TEXT] [--values FOLDER]");
  folder = arguments[1];
  int passes = 3;
  const char *values = NULL;
  for (int index = 2; index + 1 < count; index += 2) {
    if (!strcmp(arguments[index], "--passes")) passes = atoi(arguments[index + 1]);
    else if (!strcmp(arguments[index], "--only")) only = arguments[index + 1];
    else if (!strcmp(arguments[index], "--values")) values = arguments[index + 1];
    else fail(arguments[index], "unknown option");
  }
  setenv("OMP_NUM_THREADS", "1", 1);
  cpu_set_t processors;
  CPU_ZERO(&processors);
  CPU_SET((size_t)sysconf(_SC_NPROCESSORS_ONLN) - 1, &processors);
  sched_setaffinity(0, sizeof processors, &processors);

  rows = read_floats("rows.f32", (size_t)ROWS * FEATURES);
  scaled = read_floats("scaled.f32", (size_t)ROWS * FEATURES);
  sequence = read_floats("sequence.f32", (size_t)(ROWS + WINDOW - 1) * CHANNELS);
  wide = aligned_alloc(64, sizeof(double) * ROWS * FEATURES);
  for (size_t index = 0; index < (size_t)ROWS * FEATURES; ++index) wide[index] = rows[index];

  static const char *const forests[] = {"trees100", "trees500"}, *const boosted[] = {"xgb100", "xgb500"};
  static const char *const forms[] = {"fp32", "static int8", "dynamic int8"}, *const suffixes[] = {"", ".static", ".dynamic"};
  for (int index = 0; index < 2; ++index) {
    enter_compiled(forests[index]);
    enter_lightgbm(forests[index]);
  }
  for (int index = 0; index < 2; ++index) enter_xgboost(boosted[index]);
  for (int index = 0; index < 3; ++index) {
    enter_session("mlp", forms[index], suffixes[index], scaled, FEATURES, 1, FEATURES);
    enter_session("lstm", forms[index], suffixes[index], sequence, CHANNELS, WINDOW, CHANNELS);
    enter_session("step", forms[index], suffixes[index], sequence, CHANNELS, 1, CHANNELS);
    enter_session("tcn", forms[index], suffixes[index], sequence, CHANNELS, WINDOW, CHANNELS);
    enter_session("transformer", forms[index], suffixes[index], sequence, CHANNELS, WINDOW, CHANNELS);
  }
  if (!contender_count) fail("--only", "no contender has it in its name");
  if (values)
    for (int index = 0; index < contender_count; ++index) write_values(&contenders[index], values);
  nanoseconds_a_tick = nanoseconds_per_tick();
  for (int pass = 0; pass < passes; ++pass)
    for (int index = 0; index < contender_count; ++index) time_pass(&contenders[(index + pass) % contender_count], pass);
  return 0;
}
