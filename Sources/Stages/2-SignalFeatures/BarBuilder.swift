public import TradingTypes

/// A bar of trades that is complete.
@frozen public struct ClosedBar: BitwiseCopyable, Hashable, Sendable {
  /// The bar's end, which it does not contain.
  public var endTime: Timestamp
  /// First price.
  public var open: Price
  /// Highest price.
  public var high: Price
  /// Lowest price.
  public var low: Price
  /// Last price.
  public var close: Price
  /// Lots traded; 0 in a flat bar, which fills a gap at the last close.
  public var volume: Quantity
  /// 100 × ln(close / previous close); 0 in a first bar.
  public var returnPercent: Double
  /// There is no previous close: the instrument's first bar, or the first after a gap too long to fill.
  public var isFirst: Bool

  /// A bar that ended at `endTime`.
  ///
  /// - Parameters:
  ///   - previousClose: the close before it; nil makes it a first bar.
  public init(
    endTime: Timestamp, open: Price, high: Price, low: Price, close: Price, volume: Quantity, previousClose: Price?
  ) {
    self.init(
      endTime: endTime, open: open, high: high, low: low, close: close, volume: volume,
      returnPercent: previousClose.map {
        100 * DeterministicMath.logRatio(Double(close.nanos), Double($0.nanos))
      } ?? 0,
      isFirst: previousClose == nil)
  }

  init(
    endTime: Timestamp, open: Price, high: Price, low: Price, close: Price, volume: Quantity, returnPercent: Double,
    isFirst: Bool
  ) {
    self.endTime = endTime
    self.open = open
    self.high = high
    self.low = low
    self.close = close
    self.volume = volume
    self.returnPercent = returnPercent
    self.isFirst = isFirst
  }
}

/// Collects the trades of an instrument into bars of one rule.
///
/// Time bars are [k·T, (k+1)·T) from midnight. A gap between two of a day is filled by flat bars once a trade proves that it
/// has an end: they are due at the message after that trade, before the bar of the trade. So no flat bar follows the day's last
/// trade. A volume or dollar bar ends at the time of the trade that fills it and is due at the next message.
@frozen @usableFromInline struct BarBuilder: BitwiseCopyable {
  /// Flat bars at most for one gap.
  @inlinable static var flatCountMax: Int64 { 1_000 }

  /// From when on `close` has something to give; the end of time while nothing is.
  @usableFromInline var dueTime: Timestamp
  /// End of the open bar; the end of time while it is not known.
  @usableFromInline var endTime: Timestamp
  @usableFromInline let rule: BarRule
  /// What fills a volume or dollar bar, in lots or billionths, and how much of it the open bar has.
  @usableFromInline let threshold: Int128
  @usableFromInline var gathered: Int128
  /// Number of the open time bar.
  @usableFromInline var index: Int64
  @usableFromInline var open: Int64
  @usableFromInline var high: Int64
  @usableFromInline var low: Int64
  @usableFromInline var last: Int64
  @usableFromInline var volume: Int64
  /// Flat bars to give before the open bar, and whether the gap was longer still.
  @usableFromInline var flatsLeft: Int64
  @usableFromInline var isResetDue: Bool
  @usableFromInline var isOpen: Bool
  /// Number and close of the last bar that was closed.
  @usableFromInline var hasClosed: Bool
  @usableFromInline var closedIndex: Int64
  @usableFromInline var closedLast: Int64

  @inlinable init(_ rule: BarRule) {
    self.rule = rule
    threshold =
      rule.measure == .time
      ? .max : rule.measure == .volume ? Int128(rule.amount) : Int128(rule.amount) &* 1_000_000_000
    gathered = 0
    dueTime = .distantFuture
    endTime = .distantFuture
    index = 0
    isOpen = false
    open = 0
    high = 0
    low = 0
    last = 0
    volume = 0
    flatsLeft = 0
    isResetDue = false
    closedIndex = 0
    closedLast = 0
    hasClosed = false
  }

  /// Takes in a trade.
  ///
  /// - Returns: false when the open bar was over and should have been closed; the trade counts for it all the same.
  @inlinable @inline(__always) mutating func append(
    price: Int64, size: Int64, at time: Timestamp, midnight: Timestamp
  ) -> Bool {
    var isInTime = true
    if isOpen {
      high = max(high, price)
      low = min(low, price)
      last = price
      // No overflow: at most 2^61, and a size is below 2^40. More than that nobody trades.
      volume = min(volume &+ size, 1 << 61)
      isInTime = time < endTime
    } else {
      start(at: time, midnight: midnight)
      open = price
      high = price
      low = price
      last = price
      volume = size
    }
    if rule.measure != .time { fill(price: price, size: size, at: time) }
    return isInTime
  }

  /// Counts a trade towards the volume or dollar bar that it may fill.
  @usableFromInline mutating func fill(price: Int64, size: Int64, at time: Timestamp) {
    // Wrapping: prices are below 2^53 and sizes below 2^40; a bar is given up long before 2^34 such trades.
    gathered &+= rule.measure == .volume ? Int128(size) : Int128(price) &* Int128(size)
    guard gathered >= threshold, endTime == .distantFuture else { return }
    endTime = time
    dueTime = .distantPast
  }

  /// Opens the bar of `time`, and finds the gap before it.
  @usableFromInline mutating func start(at time: Timestamp, midnight: Timestamp) {
    isOpen = true
    gathered = 0
    guard rule.measure == .time else { return endTime = .distantFuture }
    let span = rule.amount
    index = BarBuilder.floor((time - midnight).nanoseconds, span)
    if hasClosed { index = max(index, closedIndex &+ 1) }
    // Wrapping: only times at the ends of the range, which no feed gives, wrap; such a bar is due at once.
    endTime = midnight + TimeSpan(nanoseconds: (index &+ 1) &* span)
    dueTime = endTime
    let barsPerDay = 86_400_000_000_000 / span
    guard hasClosed, BarBuilder.floor(index, barsPerDay) == BarBuilder.floor(closedIndex, barsPerDay) else { return }
    let gap = index &- closedIndex &- 1
    guard gap > 0 else { return }
    flatsLeft = min(gap, BarBuilder.flatCountMax)
    isResetDue = gap > BarBuilder.flatCountMax
    dueTime = .distantPast
  }

  /// Quotient rounded down, `divisor > 0`.
  @usableFromInline static func floor(_ value: Int64, _ divisor: Int64) -> Int64 {
    let quotient = value / divisor
    return value % divisor < 0 ? quotient - 1 : quotient
  }

  /// The next complete bar, or nil; `isResetDue` with no flat bars left tells the caller to forget all bars and call `reset`.
  mutating func close(at time: Timestamp, midnight: Timestamp) -> ClosedBar? {
    guard isOpen, time >= dueTime, endTime < .distantFuture else { return nil }
    let isFlat = flatsLeft > 0
    // Wrapping as in `start`.
    let number = isFlat ? closedIndex &+ 1 : index
    let price = isFlat ? closedLast : last
    let bar = ClosedBar(
      endTime: isFlat ? midnight + TimeSpan(nanoseconds: (number &+ 1) &* rule.span) : endTime,
      open: Price(nanos: isFlat ? price : open), high: Price(nanos: isFlat ? price : high),
      low: Price(nanos: isFlat ? price : low), close: Price(nanos: price),
      volume: Quantity(lots: isFlat ? 0 : volume),
      returnPercent: hasClosed ? 100 * DeterministicMath.logRatio(Double(price), Double(closedLast)) : 0,
      isFirst: !hasClosed)
    closedIndex = number
    closedLast = price
    hasClosed = true
    if isFlat {
      flatsLeft -= 1
      if flatsLeft == 0 { dueTime = endTime }
    } else {
      isOpen = false
      dueTime = .distantFuture
      endTime = .distantFuture
    }
    return bar
  }

  /// Forgets the closed bars; the open one will be a first bar.
  mutating func reset() {
    hasClosed = false
    isResetDue = false
  }
}
