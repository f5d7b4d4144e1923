public import LockFreeRings
public import TradingTypes

/// One trade.
@frozen @usableFromInline struct TradeEntry: BitwiseCopyable {
  /// Billionths.
  @usableFromInline var price: Int64
  /// Lots, positive.
  @usableFromInline var size: Int64
  /// +1 buyer-initiated, −1 seller-initiated, 0 unknown.
  @usableFromInline var sign: Int64
  @inlinable init(price: Int64, size: Int64, sign: Int64) {
    self.price = price
    self.size = size
    self.sign = sign
  }
}

/// Slots 23–27 and 33–36: the signs, sizes and times of the last trades. Auction trades count for slot 36 alone.
///
/// Sums are integers and therefore exact. `TradeImpact` has the slots that need the mid after a trade, `VolumeBuckets` VPIN.
@frozen @usableFromInline struct TradeFlow: BitwiseCopyable {
  /// Entries an instrument has in the ring of trades.
  @inlinable static var entryCount: Int { 64 }

  /// Trades so far.
  @usableFromInline var count: Int64
  @usableFromInline var lastTime: Timestamp
  /// Window of 20 trades.
  @usableFromInline var sizeSum20: Int64
  @usableFromInline var signedSum20: Int64
  /// Window of 30 trades.
  @usableFromInline var sizeSum30: Int64
  @usableFromInline var notionalSum30: Int128
  /// Window of 50 trades: signs, their squares, and products of neighbours.
  @usableFromInline var signSum50: Int64
  @usableFromInline var signSquareSum50: Int64
  @usableFromInline var signProductSum50: Int64
  /// Signs of the last trade and of the first in the window of 50.
  @usableFromInline var lastSign: Int64
  @usableFromInline var firstSign50: Int64
  @usableFromInline var signAverage: Double
  /// Trades with auctions, time of the last, and the average time between them.
  @usableFromInline var printCount: Int64
  @usableFromInline var printTime: Timestamp
  @usableFromInline var durationAverage: Double
  /// Excess of the trade intensities over their base at `lastTime`.
  @usableFromInline var buyExcess: Double
  @usableFromInline var sellExcess: Double

  @inlinable init() {
    count = 0
    lastTime = .distantPast
    sizeSum20 = 0
    signedSum20 = 0
    sizeSum30 = 0
    notionalSum30 = 0
    signSum50 = 0
    signSquareSum50 = 0
    signProductSum50 = 0
    lastSign = 0
    firstSign50 = 0
    signAverage = 0
    printCount = 0
    printTime = .distantPast
    durationAverage = 0
    buyExcess = 0
    sellExcess = 0
  }

  /// Place of the trade `age` trades before the next one in the ring; `age` is 0…64.
  @inlinable @inline(__always) func place(age: Int64, base: Int) -> Int {
    base &+ Int(truncatingIfNeeded: (count &- age) & 63)
  }

  /// The sign of a trade whose feed gives none: above the mid bought, below sold, at the mid as the trade before.
  ///
  /// - Parameter midTwice: twice the mid before the trade, 0 where there was none.
  /// - Source: Lee and Ready 1991, without their five-second lag, which was a property of the tapes of that time.
  @inlinable @inline(__always) func inferredSign(price: Int64, midTwice: Int64) -> Int64 {
    // Wrapping: prices are below 2^53 where a mid exists, and the guard in `update` bounds the trade's.
    let distance = midTwice == 0 ? 0 : 2 &* price &- midTwice
    return distance > 0 ? 1 : distance < 0 ? -1 : lastSign
  }

  /// Takes in the time of a trade, auctions included.
  @inlinable @inline(__always) mutating func note(at time: Timestamp) {
    if printCount > 0 {
      let passed = FeatureArithmetic.seconds(from: printTime, to: time)
      durationAverage = printCount == 1 ? passed : 0.9 * durationAverage + 0.1 * passed
    }
    printTime = time
    // Wrapping: a count.
    printCount &+= 1
  }

  /// Takes in a trade of `0 < size < 2^40` lots at `0 < price < 2^53`.
  @inlinable @inline(__always) mutating func append(
    _ trade: TradeEntry, at time: Timestamp, _ constants: borrowing FeatureConstants,
    _ entries: inout Slab<TradeEntry>, base: Int
  ) {
    if count > 0 {
      let passed = FeatureArithmetic.seconds(from: lastTime, to: time)
      let decay = DeterministicMath.exp2(-constants.hawkesDecayBinary * passed)
      buyExcess *= decay
      sellExcess *= decay
      // Wrapping throughout: at most 50 terms of the bounds above fit each sum.
      signProductSum50 &+= lastSign &* trade.sign
    }
    lastTime = time
    buyExcess += trade.sign > 0 ? constants.hawkesJump : 0
    sellExcess += trade.sign < 0 ? constants.hawkesJump : 0
    signAverage = 0.9 * signAverage + 0.1 * Double(trade.sign)

    sizeSum20 &+= trade.size
    signedSum20 &+= trade.sign &* trade.size
    sizeSum30 &+= trade.size
    notionalSum30 &+= Int128(trade.price) &* Int128(trade.size)
    signSum50 &+= trade.sign
    signSquareSum50 &+= trade.sign &* trade.sign
    if count >= 20 {
      let old = entries[place(age: 20, base: base)]
      sizeSum20 &-= old.size
      signedSum20 &-= old.sign &* old.size
    }
    if count >= 30 {
      let old = entries[place(age: 30, base: base)]
      sizeSum30 &-= old.size
      notionalSum30 &-= Int128(old.price) &* Int128(old.size)
    }
    if count >= 50 {
      let old = entries[place(age: 50, base: base)].sign
      let next = entries[place(age: 49, base: base)].sign
      signSum50 &-= old
      signSquareSum50 &-= old &* old
      signProductSum50 &-= old &* next
      firstSign50 = next
    }
    if count == 0 { firstSign50 = trade.sign }
    lastSign = trade.sign
    entries[place(age: 0, base: base)] = trade
    count &+= 1
  }

  /// Writes slots 23–27 and 33–36 as of `now`.
  @inlinable @inline(__always) func write(
    midTwice: Int64, at now: Timestamp, _ constants: borrowing FeatureConstants, into vector: inout FeatureVector
  ) {
    vector[.tradeSignEwma] = signAverage
    vector[.tradeImbalance20] = FeatureArithmetic.ratio(Double(signedSum20), Double(sizeSum20))
    vector[.signedVolume20] = Double(signedSum20)
    vector[.signAutocorr1] = signAutocorrelation
    // (Σpv/Σv − m)/m = (2Σpv − (a₁+b₁)Σv) / ((a₁+b₁)Σv)
    let middle = Int128(midTwice) &* Int128(sizeSum30)
    vector[.vwapDev] =
      1e4
      * FeatureArithmetic.ratio(Double(approximating: 2 &* notionalSum30 &- middle), Double(approximating: middle))
    let passed = count == 0 ? 0 : FeatureArithmetic.seconds(from: lastTime, to: now)
    let decay = DeterministicMath.exp2(-constants.hawkesDecayBinary * passed)
    let buy = constants.hawkesBase + buyExcess * decay
    let sell = constants.hawkesBase + sellExcess * decay
    vector[.hawkesBuy] = buy
    vector[.hawkesSell] = sell
    vector[.hawkesImbalance] = FeatureArithmetic.ratio(buy - sell, buy + sell)
    vector[.durationEwma] = durationAverage
  }

  /// Autocorrelation of the last 50 signs at lag 1 about their mean, exact up to the last division.
  @inlinable @inline(__always) var signAutocorrelation: Double {
    let n = min(count, 50)
    guard n >= 2 else { return 0 }
    // Everything times n²: Σ(d−m)(d'−m) over the n−1 neighbours, and Σ(d−m)². No overflow: |each sum| <= 50.
    let products =
      n * n * signProductSum50 - n * signSum50 * (2 * signSum50 - firstSign50 - lastSign) + (n - 1) * signSum50
      * signSum50
    let squares = n * n * signSquareSum50 - n * signSum50 * signSum50
    return FeatureArithmetic.ratio(Double(products), Double(squares))
  }
}
