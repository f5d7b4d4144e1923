/// Where `unsafe` and pointers may appear: the one list. `*` stands for any characters.
///
/// A new line here is a decision: each place keeps a safe face over memory that nothing else can express.
enum UnsafePlaces {
  static let patterns = [
    // Rings, arenas and pools: memory shared between threads.
    "Sources/LockFreeRings/*",
    "Sources/Shims/*",
    // Bytes of files and packets, read without copying.
    "Sources/Stages/1-MarketIngest/*Byte*",
    "Sources/Stages/1-MarketIngest/*Mapped*",
    // The model artifact lies mapped in memory; kernels take pointers into it.
    "Sources/Stages/3-ModelInference/*Mapping*",
    "Sources/Stages/3-ModelInference/*Artifact*",
    "Sources/Stages/3-ModelInference/*Kernel*",
    // Beside its shim, whose bytes it hands out.
    "Fixtures/models/BuiltinModels/BuiltinModels.swift",
    // The journal's checksums stand beside their shim; its storage calls io_uring, pwrite and mmap.
    "Sources/EventJournal/Checksums.swift",
    "Sources/EventJournal/*Storage*",
    "Sources/EventJournal/*Uring*",
    // Buffers that the kernel writes datagrams into and sends them from, beside the shims that pass them on.
    "Sources/MarketReceive/*Socket*",
    "Sources/MarketReceive/*Slots*",
    "Sources/MarketReceive/*Ring*",
    "Sources/MarketReceive/UringProbe.swift",
    "Sources/MarketReceive/Packet*",
    // The registry opens, locks and renames files: paths go to the system as C strings.
    "Sources/ModelGovernance/RegistryFiles.swift",
    // The tool hands bytes to zlib and zstd and text to printf, and renames files.
    "Sources/martlet/InputBytes.swift",
    "Sources/martlet/OutputText.swift",
    // Replaces the debug process by an optimised one: execv takes a vector of C strings.
    "Benchmarks/bench/Report/OptimisedRestart.swift",
  ]
}
