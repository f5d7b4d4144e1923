// The other side of the inference league: what people run models with, through C, one row a call.
//
//   inference-peers FOLDER [--passes N|asked] [--only TEXT,…] [--values FOLDER]
//
// FOLDER as README.md lays it out. The libraries are found by environment variables that ./run sets. Every pass times every
// contender once, in an order that rotates, and prints one line of JSON each.
#include "peers.h"

#include <dlfcn.h>
#include <sched.h>
#include <unistd.h>

// What takes longer a call gets fewer of them, and its answers are summed in the first pass only.
enum { CALLS_MAX = 5 * ROWS, CONTENDERS_MAX = 64, SLOW_NS = 100000 };

void fail(const char *what, const char *why) {
  fprintf(stderr, "league: %s: %s\n", what, why ? why : "unknown reason");
  exit(2);
}

const char *folder;
float *rows, *scaled, *sequence;
double *wide;

static float *read_floats(const char *name, size_t count) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "rb");
  float *values = aligned_alloc(64, (count * sizeof(float) + 63) & ~(size_t)63);
  if (!file || !values || fread(values, sizeof(float), count, file) != count) fail(path, "expected more values");
  fclose(file);
  return values;
}

static Contender contenders[CONTENDERS_MAX];
static int contender_count;
static const char *only;

int wanted(const char *name, const char *set, const char *form) {
  char whole[256], part[256];
  snprintf(whole, sizeof whole, "%s %s %s", name, set, form);
  for (const char *rest = only; rest; rest = strchr(rest, ',') ? strchr(rest, ',') + 1 : NULL) {
    snprintf(part, sizeof part, "%.*s", (int)strcspn(rest, ","), rest);
    if (strstr(whole, part)) return 1;
  }
  return !only;
}

void enter(Contender contender) {
  if (contender_count == CONTENDERS_MAX) fail(contender.set, "too many contenders");
  contenders[contender_count++] = contender;
}

void *open_library(const char *path) {
  void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!handle) fail(path, dlerror());
  return handle;
}

void *library(const char *variable) {
  const char *path = getenv(variable);
  if (!path) fail(variable, "expected the path of a library");
  return open_library(path);
}

void *symbol(void *handle, const char *name) {
  void *found = dlsym(handle, name);
  if (!found) fail(name, dlerror());
  return found;
}

static uint64_t samples[CALLS_MAX];
static double nanoseconds_a_tick;

static void time_pass(Contender *contender, int pass) {
  volatile double kept = 0;
  // Consecutive rows for a state that moves along the stream, hashed order for all others.
  const int consecutive = contender->reset != NULL;
  uint64_t pilot = clock_before();
  for (uint64_t call = 0; call < 1024; ++call) kept = contender->call(contender, consecutive ? call : row_at(call));
  pilot = (clock_after() - pilot) / 1024;
  const double expected = (double)pilot * nanoseconds_a_tick;
  const int calls = expected < 10000 ? 5 * ROWS : expected < 30000 ? 2 * ROWS : expected < SLOW_NS ? ROWS : ROWS / 4;
  for (int call = 0; call < calls; ++call) {
    const uint32_t row = consecutive ? (uint32_t)call & (ROWS - 1) : row_at((uint64_t)call);
    const uint64_t start = clock_before();
    kept = contender->call(contender, row);
    samples[call] = clock_after() - start;
  }
  (void)kept;
  qsort(samples, (size_t)calls, sizeof *samples, compare_ticks);
  // The sum of the answers in the order of the rows: nothing was optimised away and nobody changed the question.
  char checksum[32] = "null";
  if (pass == 0 || expected < SLOW_NS) {
    double sum = 0;
    if (contender->reset) contender->reset(contender);
    for (uint32_t row = 0; row < ROWS; ++row) sum += contender->call(contender, row);
    snprintf(checksum, sizeof checksum, "%.9g", sum);
  }
  printf("{\"name\":\"%s\",\"set\":\"%s\",\"form\":\"%s\",\"pass\":%d,\"calls\":%d,\"p50_ns\":%.1f,\"p99_ns\":%.1f,\"checksum\":%s}\n",
         contender->name, contender->set, contender->form, pass, calls, (double)samples[calls / 2] * nanoseconds_a_tick,
         (double)samples[(size_t)calls * 99 / 100] * nanoseconds_a_tick, checksum);
  fflush(stdout);
}

static void write_values(Contender *contender, const char *target) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s.%s.%s.f64", target, contender->name, contender->set, contender->form);
  FILE *file = fopen(path, "wb");
  if (!file) fail(path, "cannot be written");
  if (contender->reset) contender->reset(contender);
  for (uint32_t row = 0; row < ROWS; ++row) {
    const double value = contender->call(contender, row);
    if (fwrite(&value, sizeof value, 1, file) != 1) fail(path, "cannot be written");
  }
  fclose(file);
}

// An empty line: the answers are written, or a pass is done.
static void say_done(void) {
  puts("");
  fflush(stdout);
}

// Whether a line came that asks for a pass.
static int is_next_asked(void) {
  int letter;
  while ((letter = getchar()) != EOF && letter != '\n') {
  }
  return letter == '\n';
}

int main(int count, char **arguments) {
  if (count < 2) fail("usage", "inference-peers FOLDER [--passes N|asked] [--only TEXT,…] [--values FOLDER]");
  folder = arguments[1];
  int passes = 3, is_asked = 0;
  const char *values = NULL;
  for (int index = 2; index + 1 < count; index += 2) {
    if (!strcmp(arguments[index], "--passes")) {
      is_asked = !strcmp(arguments[index + 1], "asked");
      passes = atoi(arguments[index + 1]);
    }
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

  enter_lightgbm_peers("trees100");
  enter_lightgbm_peers("trees500");
  enter_xgboost("xgb100");
  enter_xgboost("xgb500");
  enter_sessions("mlp", scaled, FEATURES, 1, FEATURES);
  enter_sessions("lstm", sequence, CHANNELS, WINDOW, CHANNELS);
  enter_sessions("step", sequence, CHANNELS, 1, CHANNELS);
  enter_sessions("tcn", sequence, CHANNELS, WINDOW, CHANNELS);
  enter_sessions("transformer", sequence, CHANNELS, WINDOW, CHANNELS);
  if (!contender_count && !is_asked) fail("--only", "no contender has it in its name");
  if (values)
    for (int index = 0; index < contender_count; ++index) write_values(&contenders[index], values);
  nanoseconds_a_tick = nanoseconds_per_tick();
  if (is_asked) say_done();
  for (int pass = 0; is_asked ? is_next_asked() : pass < passes; ++pass) {
    for (int index = 0; index < contender_count; ++index) time_pass(&contenders[(index + pass) % contender_count], pass);
    if (is_asked) say_done();
  }
  return 0;
}
