#include "include/CBuiltinModels.h"

// `#embed` is C23; clang has it in every mode and warns in the older ones.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const _Alignas(64) uint8_t ensemble[] = {
#embed "../../../Fixtures/models/ensemble.martlet"
};

const uint8_t *martlet_builtin_ensemble(void) { return ensemble; }

size_t martlet_builtin_ensemble_length(void) { return sizeof ensemble; }
