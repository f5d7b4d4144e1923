// LockFreeRingsTests
