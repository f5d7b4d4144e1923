// swift-tools-version: 6.2
import Foundation
import PackageDescription

// The package is the architecture: targets stand in pipeline order, and a dependency may only point up this page.
// Docs/Architecture.md has the picture.

// MARK: - What the machine offers

/// Whether a recommended C library is used: its header is installed and `MARTLET_WITHOUT` does not name it.
///
/// SwiftPM caches the evaluated manifest; after installing a library run `swift package purge-cache` (`./setup` does).
func offers(_ library: String, header: String) -> Bool {
  let without = Context.environment["MARTLET_WITHOUT"]?.split(separator: ",").map(String.init) ?? []
  return !without.contains(library) && FileManager.default.fileExists(atPath: "/usr/include/\(header)")
}

let hasUring = offers("uring", header: "liburing.h")
let hasNuma = offers("numa", header: "numa.h")
let hasZlib = offers("zlib", header: "zlib.h")
let hasZstd = offers("zstd", header: "zstd.h")

// MARK: - Kinds of target

let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("ExistentialAny"),
  .enableExperimentalFeature("Lifetimes"),
  .treatAllWarnings(as: .error),
]

/// Thin C beside the hardware or a system library: no decisions inside.
func shim(_ name: String, library: String? = nil, isUsed: Bool = true) -> Target {
  .target(
    name: name,
    path: "Sources/Shims/\(name)",
    cSettings: library != nil && isUsed ? [.define("MARTLET_HAS_LIBRARY")] : [],
    linkerSettings: isUsed ? (library.map { [.linkedLibrary($0)] } ?? []) : [])
}

func module(
  _ name: String, path: String? = nil, _ dependencies: [Target.Dependency] = [], exclude: [String] = []
) -> Target {
  .target(
    name: name, dependencies: dependencies, path: path ?? "Sources/\(name)", exclude: exclude, swiftSettings: strict)
}

/// A stage sees the tiers below it and at most one shim. It cannot name a stage.
func stage(_ number: Int, _ name: String, shim: Target.Dependency? = nil) -> Target {
  module(
    name, path: "Sources/Stages/\(number)-\(name)",
    ["TradingTypes", "LockFreeRings", "OrderBooks", "PortfolioLedger"] + (shim.map { [$0] } ?? []))
}

func tool(
  _ name: String, path: String, _ dependencies: [Target.Dependency], resources: [Resource] = []
) -> Target {
  .executableTarget(
    name: name, dependencies: dependencies, path: path, resources: resources, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .testTarget(
    name: "\(name)Tests",
    dependencies: [.byName(name: name), "TestSupport"]
      + ["TradingTypes", "LockFreeRings"].filter { $0 != name }.map { .byName(name: $0) } + dependencies,
    swiftSettings: strict)
}

// MARK: - The house

let libraries: [Target] = [
  shim("CPlatform"),
  shim("CKernels"),
  shim("CUring", library: "uring", isUsed: hasUring),
  shim("CNuma", library: "numa", isUsed: hasNuma),
  shim("CNet"),

  module("TradingTypes"),
  module("LockFreeRings", ["CPlatform", "CNuma"]),
  module("OrderBooks", ["TradingTypes", "LockFreeRings"]),
  module("PortfolioLedger", ["TradingTypes", "LockFreeRings"]),

  stage(1, "MarketIngest"),
  stage(2, "SignalFeatures"),
  stage(3, "ModelInference", shim: "CKernels"),
  stage(4, "RegimeDetection"),
  stage(5, "PositionSizing"),
  stage(6, "PreTradeRisk"),
  stage(7, "OrderRouting"),

  module("SimulatedVenue", ["TradingTypes", "LockFreeRings", "OrderBooks"]),
  module("EventJournal", ["TradingTypes", "LockFreeRings", "CUring"]),
  module("MarketReceive", ["TradingTypes", "LockFreeRings", "CUring", "CNet"]),
  module("EngineTelemetry", ["TradingTypes", "LockFreeRings", "CPlatform"]),
  module("ModelImport", ["TradingTypes", "ModelInference"]),
  module("ModelGovernance", ["TradingTypes", "ModelInference"]),
  module(
    "TradingEngine",
    [
      "TradingTypes", "LockFreeRings", "OrderBooks", "PortfolioLedger",
      "MarketIngest", "SignalFeatures", "ModelInference", "RegimeDetection",
      "PositionSizing", "PreTradeRisk", "OrderRouting",
      "EventJournal", "EngineTelemetry",
    ]),
  module("ModelDeployment", ["TradingTypes", "LockFreeRings", "ModelGovernance", "TradingEngine"]),
  module(
    "BacktestHarness",
    ["TradingTypes", "LockFreeRings", "OrderBooks", "SimulatedVenue", "EngineTelemetry", "TradingEngine"]),
]

let support: [Target] = [
  // Counts mallocs and retains; linked by tests and bench only.
  .target(name: "CAllocationCounter", path: "Sources/Shims/CAllocationCounter"),
  // The artifact the executables carry, embedded at compile time.
  .target(name: "CBuiltinModels", path: "Sources/Shims/CBuiltinModels"),
  module("BuiltinModels", path: "Fixtures/models/BuiltinModels", ["ModelInference", "CBuiltinModels"]),
  // Decompress the tool's inputs (gzip, zstd); linked by the tool only.
  shim("CTool", library: "z", isUsed: hasZlib),
  shim("CZstd", library: "zstd", isUsed: hasZstd),
  module("FixtureStreams", path: "Fixtures/FixtureStreams", ["TradingTypes"]),
  // The decoders as fuzzers drive them; also for the replay of what fuzzers found.
  module(
    "FuzzTargets", path: "Tests/FuzzTargets",
    ["TradingTypes", "LockFreeRings", "OrderBooks", "MarketIngest", "ModelInference", "ModelImport"]),
  module("TestSupport", path: "Tests/TestSupport", ["TradingTypes", "FixtureStreams", "CAllocationCounter"]),
  // An ensemble small enough for debug builds.
  module(
    "ModelFixtures", path: "Tests/ModelFixtures", ["TradingTypes", "ModelInference", "ModelImport", "BuiltinModels"]),
]

let everything: [Target.Dependency] = libraries.map { .byName(name: $0.name) }

/// Reads ONNX through swift-protobuf: only the tool and tests link it, so that bench and the engine never build that package.
let onnxImport: Target = module(
  "OnnxImport",
  ["ModelImport", "ModelInference", "TradingTypes", .product(name: "SwiftProtobuf", package: "swift-protobuf")],
  exclude: ["Schema/onnx.proto", "Schema/generate"])

let executables: [Target] = [
  tool(
    "martlet", path: "Sources/martlet",
    everything + [
      "OnnxImport", "CTool", "CZstd", "BuiltinModels", "FixtureStreams",
      .product(name: "ArgumentParser", package: "swift-argument-parser"),
    ]),
  tool("bench", path: "Benchmarks/bench", everything + ["BuiltinModels", "FixtureStreams", "CAllocationCounter"]),
  tool(
    "proof", path: "Tests/proof",
    everything + ["BuiltinModels", "FixtureStreams", "FuzzTargets", "TestSupport", "CAllocationCounter"]),
  // Our side of the ring league, started by Benchmarks/league/rings/run.
  tool("league", path: "Benchmarks/league/rings/swift", ["LockFreeRings", "CPlatform"]),
  // The same of the feature league, started by Benchmarks/league/features/run.
  tool("featureleague", path: "Benchmarks/league/features/swift", ["SignalFeatures", "TradingTypes", "CPlatform"]),
  // The same of the quant league, started by Benchmarks/league/quant/run.
  tool(
    "quantleague", path: "Benchmarks/league/quant/swift",
    ["PositionSizing", "RegimeDetection", "TradingTypes", "LockFreeRings"]),
  // The same of the inference league, started by Benchmarks/league/inference/run; the only one that reads ONNX.
  tool(
    "inferenceleague", path: "Benchmarks/league/inference/swift",
    ["OnnxImport", "ModelImport", "ModelInference", "TradingTypes", "LockFreeRings", "CPlatform"]),
  tool("host", path: "Examples/Host", ["TradingEngine", "SimulatedVenue"]),
  tool("live", path: "Examples/LiveFeed", ["TradingEngine", "SimulatedVenue", "MarketReceive"]),
  tool(
    "modelhost", path: "Examples/ModelHost",
    ["TradingTypes", "LockFreeRings", "SimulatedVenue", "ModelGovernance", "TradingEngine", "ModelDeployment"]),
  tool("refithost", path: "Examples/RefitHost", ["TradingEngine", "SimulatedVenue"]),
  tool("fixtures", path: "Fixtures/fixtures", ["FixtureStreams", "TradingTypes"]),
]

let checks: [Target] = [
  tests("TradingTypes"),
  tests("LockFreeRings", ["CAllocationCounter"]),
  tests("OrderBooks", ["CAllocationCounter"]),
  tests("PortfolioLedger", ["CAllocationCounter"]),
  tests("MarketIngest", ["OrderBooks", "FixtureStreams", "CAllocationCounter"]),
  tests("SignalFeatures", ["OrderBooks", "MarketIngest", "FixtureStreams", "CAllocationCounter"]),
  tests("ModelInference", ["ModelImport", "CKernels", "CPlatform", "CAllocationCounter", "BuiltinModels"]),
  tests("ModelGovernance", ["ModelInference", "CAllocationCounter"]),
  tests("ModelDeployment", ["ModelGovernance", "ModelImport", "TradingEngine", "FixtureStreams", "modelhost"]),
  tests("ModelImport", ["ModelInference", "FuzzTargets"]),
  tests("OnnxImport", ["ModelImport", "ModelInference"]),
  tests("RegimeDetection", ["CAllocationCounter"]),
  tests("PositionSizing", ["PortfolioLedger", "CAllocationCounter"]),
  tests("PreTradeRisk", ["PortfolioLedger", "CAllocationCounter"]),
  tests("OrderRouting", ["OrderBooks", "PortfolioLedger", "CAllocationCounter"]),
  tests("SimulatedVenue", ["OrderBooks", "CAllocationCounter"]),
  tests("EventJournal", ["CUring"]),
  tests("MarketReceive", ["CNet", "CAllocationCounter"]),
  tests("EngineTelemetry", ["CPlatform", "CAllocationCounter"]),
  .testTarget(
    name: "TradingEngineTests",
    dependencies: everything + ["TestSupport", "ModelFixtures", "FixtureStreams", "CAllocationCounter"],
    swiftSettings: strict),
  .testTarget(
    name: "SimulationTests",
    dependencies: everything + ["TestSupport", "ModelFixtures", "FixtureStreams", "CAllocationCounter"],
    swiftSettings: strict),
  .testTarget(
    name: "ToolTests",
    dependencies: everything + [
      "OnnxImport", "martlet", "live", "refithost", "TestSupport", "BuiltinModels", "FixtureStreams",
    ],
    swiftSettings: strict),
  .testTarget(
    name: "BenchReportTests",
    dependencies: ["bench", "EngineTelemetry", "LockFreeRings", "ModelFixtures", "TradingTypes"],
    swiftSettings: strict),
  .testTarget(
    name: "FuzzReplayTests", dependencies: ["FuzzTargets", "TestSupport", "TradingTypes"], swiftSettings: strict),
  .testTarget(name: "ArchitectureTests", dependencies: ["TestSupport"], swiftSettings: strict),
]

// libFuzzer brings the main function, so this target builds only with `--sanitize fuzzer`: see Tests/fuzz/run.
let fuzzers: [Target] =
  Context.environment["MARTLET_FUZZ"] == nil ? [] : [tool("fuzz", path: "Tests/fuzz/Fuzz", ["FuzzTargets"])]

let package = Package(
  name: "martlet",
  products: libraries.filter { !$0.name.hasPrefix("C") }.map { .library(name: $0.name, targets: [$0.name]) }
    + executables.prefix(2).map { .executable(name: $0.name, targets: [$0.name]) },
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
  ],
  targets: libraries + [onnxImport] + support + executables + checks + fuzzers)
