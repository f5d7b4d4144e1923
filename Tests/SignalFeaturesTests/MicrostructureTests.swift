import LockFreeRings
import SignalFeatures
import TestSupport
import Testing
import TradingTypes

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

  @Test func `trade slots match the golden series`() throws {
    let golden = try MicrostructureGolden.load()
    let (rows, vectors) = try vectors()
    let atTrades = zip(rows, vectors).filter(\.0.isTrade).map(\.1)
    let slots: [(String, FeatureSlot)] = [
      ("ewma_trade_sign_09", .tradeSignEwma), ("trade_imbalance_20", .tradeImbalance20),
      ("signed_volume_20", .signedVolume20), ("trade_sign_autocorr1_50", .signAutocorr1),
      ("effective_spread_bps", .effectiveSpread), ("kyle_lambda_30", .kyleLambda), ("hawkes_buy", .hawkesBuy),
      ("hawkes_sell", .hawkesSell),
    ]
    for (key, slot) in slots {
      let mismatches = golden.perTrade[key]!.mismatches(atTrades.map { $0[slot] })
      #expect(mismatches.isEmpty, "\(key)")
    }
    let prices = atTrades.map { $0[.mid] * (1 + 1e-4 * $0[.vwapDev]) }
    #expect(golden.perTrade["vwap_30"]!.mismatches(prices).isEmpty)
    let vpin = atTrades.map { $0.valid[.vpin] ? $0[.vpin] : nil }
    #expect(golden.perTrade["vpin"]!.mismatches(vpin).isEmpty)
    for vector in atTrades {
      let buy = vector[.hawkesBuy]
      let sell = vector[.hawkesSell]
      #expect(vector[.hawkesImbalance] == (buy - sell) / (buy + sell))
    }
  }

  // Goal: each trade's realised spread, in order. Method: ask for a vector just after each trade's horizon; row n is moved by
  // n nanoseconds, so that trades of one moment are published one by one.
  @Test func `realised spreads come five seconds late and match the golden series`() throws {
    let golden = try MicrostructureGolden.load()
    let rows = try lobsterRows()
    var engine = try makeEngine()
    var pending: [Timestamp] = []
    var realised: [Double?] = []
    var effective: [Double] = []
    var vector = FeatureVector()
    var depth = DepthView()
    for (number, original) in rows.enumerated() {
      var row = original
      row.event.time = row.event.time + TimeSpan(nanoseconds: Int64(number))
      while let due = pending.first, due < row.event.time {
        let just = Timestamp(nanoseconds: due.nanoseconds + 1)
        engine.vector(of: InstrumentID(index: 0), depth: depth, at: just, into: &vector)
        realised.append(vector[.realisedSpread5s])
        let impact = effective[realised.count - 1] - vector[.realisedSpread5s]
        #expect(abs(vector[.priceImpact5s] - impact) < 1e-9)
        pending.removeFirst()
      }
      engine.update(row.event, effect: row.effect, depth: row.depth)
      depth = row.depth
      engine.vector(of: InstrumentID(index: 0), depth: depth, at: row.event.time, into: &vector)
      if row.isTrade {
        pending.append(row.event.time + .seconds(5))
        effective.append(vector[.effectiveSpread])
      }
    }
    while realised.count < effective.count { realised.append(nil) }
    #expect(golden.perTrade["realised_spread_bps"]!.mismatches(realised).isEmpty)
  }
}
