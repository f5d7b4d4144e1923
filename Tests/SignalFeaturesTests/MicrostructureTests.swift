import LockFreeRings
import SignalFeatures
import TestSupport
import Testing
import TradingTypes

/// One instrument's engine with a configuration, in an arena of its own.
func makeEngine(
  instruments: Int = 1, _ change: (inout FeatureConfiguration) -> Void = { _ in }
) throws -> FeatureEngine {
  var configuration = FeatureConfiguration()
  change(&configuration)
  return try FeatureEngine(
    instrumentCount: instruments, configuration: configuration, in: Arena(capacityBytes: instruments << 20))
}

// Goal: the event slots are the catalogue's. Method: feed the 999 real messages, compare with the batch values.
@Suite(.enabled(if: hasGolden, "the shared golden files are missing")) struct MicrostructureTests {
  /// One vector after every message.
  func vectors() throws -> (rows: [BookRow], vectors: [FeatureVector]) {
    let rows = try lobsterRows()
    var engine = try makeEngine()
    var vectors: [FeatureVector] = []
    for row in rows {
      engine.update(row.event, effect: row.effect, depth: row.depth)
      var vector = FeatureVector()
      engine.vector(of: InstrumentID(index: 0), depth: row.depth, at: row.event.time, into: &vector)
      vectors.append(vector)
    }
    return (rows, vectors)
  }

  @Test func `book and flow slots match the golden series`() throws {
    let golden = try MicrostructureGolden.load()
    let (_, vectors) = try vectors()
    let slots: [(String, FeatureSlot)] = [
      ("mid", .mid), ("spread", .spread), ("rel_spread_bps", .relSpread), ("microprice_minus_mid_bps", .weightedMidDev),
      ("queue_imbalance", .queueImbalance), ("depth_imbalance_3", .depthImbalance3),
      ("depth_imbalance_5", .depthImbalance5), ("depth_imbalance_10", .depthImbalance10),
      ("exp_weighted_imbalance_5", .expImbalance5), ("bid_liquidity_distance_5_bps", .bidLiqDistance),
      ("ask_liquidity_distance_5_bps", .askLiqDistance), ("ofi_50_depth_normalised", .ofiNorm),
      ("ofi_decay_halflife_1s", .ofiDecay1s), ("mlofi_5_levels_sum_50", .mlofi5),
      ("cancel_to_add_100", .cancelAddRatio), ("event_rate_last_100", .eventRate), ("spread_z_100", .spreadZ),
    ]
    for (key, slot) in slots {
      let mismatches = golden.perEvent[key]!.mismatches(vectors.map { $0[slot] })
      #expect(mismatches.isEmpty, "\(key)")
    }
    let prices = vectors.map { $0[.mid] * (1 + 1e-4 * $0[.vampDev]) }
    #expect(golden.perEvent["vamp_5"]!.mismatches(prices).isEmpty)
    let weighted = vectors.map { $0[.mid] * (1 + 1e-4 * $0[.weightedMidDev]) }
    #expect(golden.perEvent["microprice"]!.mismatches(weighted).isEmpty)
  }
}
