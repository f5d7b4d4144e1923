// The artifact that the executables carry, as bytes inside the program: no bundle, no path at run time.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// The first byte of Fixtures/models/ensemble.martlet.
const uint8_t *_Nonnull martlet_builtin_ensemble(void);

/// Its length in bytes.
size_t martlet_builtin_ensemble_length(void);
