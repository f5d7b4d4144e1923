// Networks in ONNX Runtime.
#include "peers.h"

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

static void reset_step(Contender *self) {
  Session *state = self->state;
  state->turn = 0;
  for (int part = 0; part < 2; ++part) memset(state->states[0][part], 0, HIDDEN * sizeof(float));
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
  enter((Contender){"ONNX Runtime", set, form, step ? call_step : call_session, step ? reset_step : NULL, state});
}

void enter_sessions(const char *set, const float *source, size_t stride, int steps, int columns) {
  enter_session(set, "fp32", "", source, stride, steps, columns);
  enter_session(set, "static int8", ".static", source, stride, steps, columns);
  enter_session(set, "dynamic int8", ".dynamic", source, stride, steps, columns);
}
