// What the parts of the other side share: the rows, and the list of who is timed.
#ifndef LEAGUE_PEERS_H
#define LEAGUE_PEERS_H
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "timing.h"

enum { FEATURES = 64, WINDOW = 32, CHANNELS = 16, HIDDEN = 64 };

typedef struct Contender Contender;
struct Contender {
  const char *name, *set, *form;
  double (*call)(Contender *, uint32_t row);
  // Back to a state of zeros; null where nothing is kept, and then rows come in hashed order.
  void (*reset)(Contender *);
  void *state;
};

// Rows as single and as double precision, the same for networks, and the stream of the windows.
extern const char *folder;
extern float *rows, *scaled, *sequence;
extern double *wide;

// Prints one line and ends the program.
_Noreturn void fail(const char *what, const char *why);
// Whether --only lets it take part.
int wanted(const char *name, const char *set, const char *form);
void enter(Contender contender);
// A shared library by path, and the one an environment variable names.
void *open_library(const char *path);
void *library(const char *variable);
void *symbol(void *handle, const char *name);

// Everybody of one model.
void enter_lightgbm_peers(const char *set);
void enter_xgboost(const char *set);
void enter_sessions(const char *set, const float *source, size_t stride, int steps, int columns);

#endif
