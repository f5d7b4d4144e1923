public import LockFreeRings
public import TradingTypes

extension BookFlow {
  /// Writes slots 0–17 and 20–22 as of `now`.
  @inlinable @inline(__always) func write(
    depth: borrowing DepthView, at now: Timestamp, _ constants: borrowing FeatureConstants,
    _ levels: borrowing Slab<DepthLevel>, _ microprice: borrowing Slab<Double>, index: Int,
    into vector: inout FeatureVector
  ) {
    if midTwice != 0 {
      writeLevels(levels, at: index &* BookFlow.levelCount &+ viewOffset, constants, microprice, into: &vector)
    }
    let window = min(count, 50)
    vector[.ofiNorm] = FeatureArithmetic.ratio(
      Double(contributionSum) * Double(2 * window), Double(topSizeSum))
    vector[.mlofi5] = Double(depthContributionSum)
    // An unusable book freezes the decay at its last usable moment.
    let passed = FeatureArithmetic.seconds(
      from: decayTime, to: BookFlow.isUsable(depth) ? now : min(now, usableTime))
    vector[.ofiDecay1s] = decayed1s * DeterministicMath.exp2(-passed)
    vector[.ofiDecay10s] = decayed10s * DeterministicMath.exp2(-0.1 * passed)
    vector[.spreadZ] = spreadZ
    let top = depth.bids[0].quantity.lots &+ depth.asks[0].quantity.lots
    vector[.logDepth1] = FeatureArithmetic.log(1 + Double(max(0, top)))
    vector[.timeSinceMidMove] = midTwice == 0 ? 0 : FeatureArithmetic.seconds(from: midMoveTime, to: now)
  }

  /// The last spread in sample standard deviations from its mean over 100 events; exact up to the last division and root.
  @inlinable @inline(__always) var spreadZ: Double {
    let window = min(count, 100)
    guard window >= 2 else { return 0 }
    // No overflow: spreads are below 2^53 and the window is at most 100.
    let deviation = window &* spread &- spreadSum
    let squares = Int128(window) &* spreadSquareSum &- Int128(spreadSum) &* Int128(spreadSum)
    guard squares > 0 else { return 0 }
    // (S − Σ/n) / √((nΣ² − (Σ)²) / (n(n−1)))
    let n = Double(window)
    return Double(deviation) / n / (Double(approximating: squares) / (n * (n - 1))).squareRoot()
  }

  /// Writes slots 0–13 of a usable book. Prices stay integers until the last division.
  ///
  /// - Source: the catalogue's formulas; distances from the mid are taken in half billionths, `2p − (a₁ + b₁)`.
  @inlinable @inline(__always) func writeLevels(
    _ levels: borrowing Slab<DepthLevel>, at place: Int, _ constants: borrowing FeatureConstants,
    _ microprice: borrowing Slab<Double>, into vector: inout FeatureVector
  ) {
    let mid2 = Double(midTwice)
    vector[.mid] = mid2 / constants.incrementTwice
    vector[.spread] = Double(spread) / constants.increment
    let relative = 2e4 * Double(spread) / mid2
    vector[.relSpread] = relative

    let bid1 = Double(levels[place].quantity.lots)
    let ask1 = Double(levels[place &+ 10].quantity.lots)
    let imbalance = FeatureArithmetic.ratio(bid1 - ask1, bid1 + ask1)
    // P_w − m = (a₁ − b₁)(B₁ − A₁) / (2(B₁ + A₁))
    vector[.weightedMidDev] = 0.5 * relative * imbalance
    vector[.queueImbalance] = imbalance
    let bucket = spread <= constants.spreadStep ? 0 : spread <= 2 &* constants.spreadStep ? 1 : 2
    vector[.micropriceAdj] = microprice[MicropriceTable.imbalanceBucket(bid: bid1, ask: ask1) &* 3 &+ bucket]

    var bids = 0.0
    var asks = 0.0
    var bidWeighted = 0.0
    var askWeighted = 0.0
    var bidDistance = 0.0
    var askDistance = 0.0
    var crossed = 0.0
    var paired = 0.0
    // e^{−0.5(k−1)} for level k.
    var weight = 1.0
    var bidShare = 0.0
    var askShare = 0.0
    for level in 0..<5 {
      let bid = levels[place &+ level]
      let ask = levels[place &+ 10 &+ level]
      let bidSize = Double(bid.quantity.lots)
      let askSize = Double(ask.quantity.lots)
      // Distances of the two prices from the mid in half billionths; a missing level has size 0.
      let below = Double(midTwice &- 2 &* bid.price.nanos)
      let above = Double(2 &* ask.price.nanos &- midTwice)
      bids += bidSize
      asks += askSize
      bidWeighted += weight * bidSize
      askWeighted += weight * askSize
      weight *= 0.606530659712633423604
      bidDistance += bidSize * below
      askDistance += askSize * above
      if level < Int(bidCount) { bidShare += FeatureArithmetic.ratio(bids, below) }
      if level < Int(askCount) { askShare += FeatureArithmetic.ratio(asks, above) }
      if level < Int(min(bidCount, askCount)) {
        // The volume-adjusted mid prices each level at the size of the opposite side.
        crossed += bidSize * above - askSize * below
        paired += bidSize + askSize
      }
      if level == 2 { vector[.depthImbalance3] = FeatureArithmetic.ratio(bids - asks, bids + asks) }
    }
    vector[.depthImbalance5] = FeatureArithmetic.ratio(bids - asks, bids + asks)
    vector[.expImbalance5] = FeatureArithmetic.ratio(bidWeighted - askWeighted, bidWeighted + askWeighted)
    vector[.bidLiqDistance] = FeatureArithmetic.ratio(1e4 * bidDistance, bids * mid2)
    vector[.askLiqDistance] = FeatureArithmetic.ratio(1e4 * askDistance, asks * mid2)
    vector[.vampDev] = FeatureArithmetic.ratio(1e4 * crossed, paired * mid2)
    // Share per bps: Σ(cumulative size / total) / (1e4 · distance / mid2), averaged over levels and sides.
    let bidLevels = Double(max(1, min(5, bidCount)))
    let askLevels = Double(max(1, min(5, askCount)))
    let slopes =
      FeatureArithmetic.ratio(bidShare, bids * bidLevels) + FeatureArithmetic.ratio(askShare, asks * askLevels)
    vector[.bookSlope] = 0.5e-4 * mid2 * slopes
    for level in 5..<10 {
      bids += Double(levels[place &+ level].quantity.lots)
      asks += Double(levels[place &+ 10 &+ level].quantity.lots)
    }
    vector[.depthImbalance10] = FeatureArithmetic.ratio(bids - asks, bids + asks)
  }
}
