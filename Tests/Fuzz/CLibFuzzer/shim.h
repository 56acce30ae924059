#ifndef COUNTERSIGN_CLIBFUZZER_H
#define COUNTERSIGN_CLIBFUZZER_H

#include <stddef.h>
#include <stdint.h>

// libFuzzer's documented entry for programs with a main of their own ("Using libFuzzer as a library"); no header
// comes with it. The package manager gives every executable its own main, so libFuzzer's cannot be used.
extern int LLVMFuzzerRunDriver(
    int *argument_count, char ***arguments, int (*one_input)(const uint8_t *start, size_t count));

#endif
