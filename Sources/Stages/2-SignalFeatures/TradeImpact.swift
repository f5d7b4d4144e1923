public import LockFreeRings
public import TradingTypes

/// A trade that waits for the mid a horizon later.
@frozen @usableFromInline struct PendingTrade: BitwiseCopyable {
  /// When the mid is taken.
  @usableFromInline var due: Timestamp
  /// Twice the price, billionths.
  @usableFromInline var priceTwice: Int64
  /// Twice the mid before the trade.
  @usableFromInline var midTwice: Int64
  @usableFromInline var sign: Int64
  @inlinable init(due: Timestamp, priceTwice: Int64, midTwice: Int64, sign: Int64) {
    self.due = due
    self.priceTwice = priceTwice
    self.midTwice = midTwice
    self.sign = sign
  }

  /// Slot 29 given twice the mid at the horizon.
  @inlinable func realisedSpread(midTwice later: Int64) -> Double {
    // Wrapping here and below: prices and mids are below 2^54.
    2e4 * Double(sign &* (priceTwice &- later)) / Double(midTwice)
  }

  /// Slot 30 given twice the mid at the horizon.
  @inlinable func priceImpact(midTwice later: Int64) -> Double {
    2e4 * Double(sign &* (later &- midTwice)) / Double(midTwice)
  }
}

/// Signed size of a trade and the move of twice the mid from before it to before the next.
@frozen @usableFromInline struct TradeMove: BitwiseCopyable {
  @usableFromInline var size: Int64
  @usableFromInline var midTwice: Int64
  @inlinable init(size: Int64, midTwice: Int64) {
    self.size = size
    self.midTwice = midTwice
  }
}

/// Slots 28–31: what trades cost and how they move the mid.
@frozen @usableFromInline struct TradeImpact: BitwiseCopyable {
  /// Moves an instrument has in the ring.
  @inlinable static var moveRingCount: Int { 32 }

  @usableFromInline var effectiveSpread: Double
  @usableFromInline var realisedSpread: Double
  @usableFromInline var priceImpact: Double
  /// Trades with a mid before them, and trades whose realised spread is known.
  @usableFromInline var measuredCount: Int64
  @usableFromInline var resolvedCount: Int64
  /// Pending trades are `head ..< tail` of the instrument's ring.
  @usableFromInline var head: Int64
  @usableFromInline var tail: Int64
  /// The last trade with a mid, whose move completes at the next one.
  @usableFromInline var lastMidTwice: Int64
  @usableFromInline var lastSignedSize: Int64
  /// Completed moves so far, and exact sums over the last 30.
  @usableFromInline var moveCount: Int64
  @usableFromInline var sizeSum: Int64
  @usableFromInline var midSum: Int128
  @usableFromInline var sizeSquareSum: Int128
  @usableFromInline var productSum: Int128

  @inlinable init() {
    effectiveSpread = 0
    realisedSpread = 0
    priceImpact = 0
    measuredCount = 0
    resolvedCount = 0
    head = 0
    tail = 0
    lastMidTwice = 0
    lastSignedSize = 0
    moveCount = 0
    sizeSum = 0
    midSum = 0
    sizeSquareSum = 0
    productSum = 0
  }

  /// Takes in a trade; `midTwice` is twice the mid before it, positive.
  @inlinable @inline(__always) mutating func append(
    _ trade: TradeEntry, midTwice: Int64, _ moves: inout Slab<TradeMove>, base: Int
  ) {
    // Wrapping: prices and mids are below 2^54.
    let offset = trade.sign &* (2 &* trade.price &- midTwice)
    effectiveSpread = 2e4 * Double(offset) / Double(midTwice)
    if measuredCount > 0 {
      append(TradeMove(size: lastSignedSize, midTwice: midTwice &- lastMidTwice), &moves, base: base)
    }
    measuredCount &+= 1
    lastMidTwice = midTwice
    lastSignedSize = trade.sign &* trade.size
  }

  /// Moves the regression's window on by one completed move.
  @inlinable @inline(__always) mutating func append(_ move: TradeMove, _ moves: inout Slab<TradeMove>, base: Int) {
    add(move, times: 1)
    if moveCount >= 30 { add(moves[base &+ Int(truncatingIfNeeded: (moveCount &- 30) & 31)], times: -1) }
    moves[base &+ Int(truncatingIfNeeded: moveCount & 31)] = move
    moveCount &+= 1
  }

  @inlinable @inline(__always) mutating func add(_ move: TradeMove, times: Int64) {
    let size = Int128(move.size)
    // Wrapping: 30 terms of sizes below 2^40 and moves below 2^55 stay below 2^100.
    sizeSum &+= times &* move.size
    midSum &+= Int128(times &* move.midTwice)
    sizeSquareSum &+= Int128(times) &* size &* size
    productSum &+= Int128(times) &* size &* Int128(move.midTwice)
  }

  /// Publishes the realised spread of a trade given twice the mid at its horizon.
  @inlinable @inline(__always) mutating func resolve(_ trade: PendingTrade, midTwice: Int64) {
    realisedSpread = trade.realisedSpread(midTwice: midTwice)
    priceImpact = trade.priceImpact(midTwice: midTwice)
    resolvedCount &+= 1
  }

  /// Writes slots 28–31.
  @inlinable @inline(__always) func write(_ constants: borrowing FeatureConstants, into vector: inout FeatureVector) {
    vector[.effectiveSpread] = effectiveSpread
    vector[.realisedSpread5s] = realisedSpread
    vector[.priceImpact5s] = priceImpact
    // Exact up to the division: (nΣxy − ΣxΣy) / (nΣx² − (Σx)²), y in half billionths. No overflow: below 2^110.
    let n = Int128(min(moveCount, 30))
    let products = n &* productSum &- Int128(sizeSum) &* midSum
    let squares = n &* sizeSquareSum &- Int128(sizeSum) &* Int128(sizeSum)
    vector[.kyleLambda] =
      FeatureArithmetic.ratio(Double(approximating: products), Double(approximating: squares))
      / constants.incrementTwice
  }
}
