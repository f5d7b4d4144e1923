/// The tiers of the house in pipeline order, and what each may see. The rules are those of `Docs/Architecture.md`.
enum Tier: Int, CaseIterable {
  case shim, vocabulary, memory, market, stage, venue, record, network, modelImport, onnxImport, engine, deployment,
    harness
  case fixtures, testSupport, executable, tests

  /// Tiers whose modules this one may import. No tier but the last two sees itself: equal parts do not know each other.
  var sees: Set<Tier> {
    switch self {
    case .shim, .vocabulary: []
    case .memory: [.shim]
    case .market, .venue: below(self).intersection([.vocabulary, .memory, .market]).subtracting([self])
    case .stage: below(self)
    case .record, .network: [.shim, .vocabulary, .memory]
    case .modelImport: [.shim, .vocabulary, .stage]
    case .onnxImport: [.vocabulary, .stage, .modelImport]
    case .engine: below(self).subtracting([.shim, .venue, .modelImport, .onnxImport])
    case .deployment: [.vocabulary, .memory, .modelImport, .engine]
    case .harness: below(self).subtracting([.shim, .stage, .modelImport, .onnxImport, .deployment])
    case .fixtures: [.vocabulary]
    case .testSupport: [.shim, .vocabulary, .stage, .modelImport, .fixtures]
    case .executable: below(self)
    case .tests: below(self)
    }
  }

  /// Shims one module of this tier may import: a stage is pure, so one kernel shim is all it can need.
  var shimsMax: Int {
    switch self {
    case .stage, .record, .modelImport, .testSupport: 1
    case .memory, .network: 2
    case .executable, .tests: .max
    default: 0
    }
  }

  /// Stages one module of this tier may import: only the engine, and what sits on top of it, composes them.
  var stagesMax: Int {
    switch self {
    case .engine, .executable, .tests: .max
    case .modelImport, .onnxImport, .testSupport: 1
    default: 0
    }
  }

  /// Modules of the toolchain this tier may import. Pure tiers get arithmetic only: no clock, thread, file or lock.
  var system: Set<String> {
    let arithmetic: Set<String> = ["Swift", "Glibc"]
    switch self {
    case .shim: return []
    case .vocabulary, .market, .stage, .venue: return arithmetic
    case .memory, .record, .network, .engine: return arithmetic.union(["Synchronization", "Foundation", "Dispatch"])
    case .modelImport, .harness, .fixtures, .testSupport:
      return arithmetic.union(["Synchronization", "Foundation", "Dispatch"])
    case .deployment: return arithmetic
    case .onnxImport: return arithmetic.union(["Foundation", "FoundationEssentials", "SwiftProtobuf"])
    case .executable: return arithmetic.union(["Synchronization", "Foundation", "Dispatch", "ArgumentParser"])
    case .tests:
      return arithmetic.union(["Synchronization", "Foundation", "FoundationXML", "Dispatch", "Testing"])
    }
  }

  private func below(_ tier: Tier) -> Set<Tier> { Set(Tier.allCases.filter { $0.rawValue < tier.rawValue }) }
}

/// Which module stands in which tier.
enum House {
  static let modules: [String: Tier] = [
    "CPlatform": .shim, "CKernels": .shim, "CUring": .shim, "CNuma": .shim, "CAllocationCounter": .shim,
    "CBuiltinModels": .shim, "CTool": .shim, "CZstd": .shim, "CNet": .shim,
    "TradingTypes": .vocabulary, "LockFreeRings": .memory,
    "OrderBooks": .market, "PortfolioLedger": .market,
    "MarketIngest": .stage, "SignalFeatures": .stage, "ModelInference": .stage, "RegimeDetection": .stage,
    "PositionSizing": .stage, "PreTradeRisk": .stage, "OrderRouting": .stage,
    "SimulatedVenue": .venue, "EventJournal": .record, "EngineTelemetry": .record,
    "MarketReceive": .network, "ModelImport": .modelImport, "ModelGovernance": .modelImport,
    "OnnxImport": .onnxImport,
    "BuiltinModels": .modelImport,
    "TradingEngine": .engine, "ModelDeployment": .deployment, "BacktestHarness": .harness,
    "FixtureStreams": .fixtures, "TestSupport": .testSupport, "ModelFixtures": .testSupport,
    "martlet": .executable, "bench": .executable, "league": .executable, "featureleague": .executable,
    "inferenceleague": .executable, "quantleague": .executable, "proof": .executable, "fixtures": .executable,
    "host": .executable,
    "live": .executable, "modelhost": .executable, "refithost": .executable, "FuzzTargets": .executable, "fuzz": .tests,
  ]

  /// Counts allocations by taking the place of the allocator: never part of what users link.
  static let allocationCounter = "CAllocationCounter"

  static func tier(of module: String) -> Tier? {
    modules[module] ?? (module.hasSuffix("Tests") ? .tests : nil)
  }
}
