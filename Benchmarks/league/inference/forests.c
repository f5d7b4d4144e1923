// Trees, as those who serve them call them: code compiled from the model, or the library that trained it.
#include "peers.h"

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
    Compiled *state = malloc(sizeof *state);
    state->forest = symbol(open_library(path), "forest_root");
    enter((Contender){"lleaves", set, "compiled", call_lleaves, NULL, state});
  }
  if (wanted("TL2cgen", set, "quantized")) {
    snprintf(path, sizeof path, "%s/tl2cgen-%s.so", folder, set);
    Generated *state = calloc(1, sizeof *state);
    state->predict = symbol(open_library(path), "predict");
    enter((Contender){"TL2cgen", set, "quantized", call_generated, NULL, state});
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
  enter((Contender){"LightGBM", set, "SingleRowFast", call_lightgbm, NULL, state});
}

void enter_lightgbm_peers(const char *set) {
  enter_compiled(set);
  enter_lightgbm(set);
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

void enter_xgboost(const char *set) {
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
  enter((Contender){"XGBoost", set, "PredictFromDense", call_xgboost, NULL, state});
}
