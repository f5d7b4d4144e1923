public import TradingTypes

/// A message budget: `burst` messages at once, refilled by `perSecond` messages a second. Exact in integer nanoseconds.
///
/// It keeps what is missing to a full bucket, in billionths of a message: a refill of r messages a second is r billionths a
/// nanosecond, so that nothing is ever rounded. A new bucket is full under any limit.
///
/// - Source: the leaky bucket as a meter, ITU-T I.371 annex A. Differs: the level is kept, not the theoretical arrival time,
///   so that rate and burst may change at any time.
@frozen public struct TokenBucket: BitwiseCopyable, Hashable, Sendable {
  /// Billionths of a message missing to a full bucket at `time`, not negative.
  public var missing: Int64 = 0
  /// When `missing` was right.
  public var time = Timestamp.distantPast

  /// A full bucket.
  @inlinable public init() {}

  /// Billionths of a message in one message.
  @inlinable public static var message: Int64 { 1_000_000_000 }

  /// Messages a bucket can hold; a larger burst counts as this.
  @inlinable public static var burstMax: Int64 { Int64.max / message }

  /// What is missing at `now`: time that runs backwards refills nothing.
  @inlinable public func missing(at now: Timestamp, perSecond: Int64) -> Int64 {
    guard missing > 0 else { return 0 }
    let elapsed = (now - time).nanoseconds
    guard elapsed > 0, perSecond > 0 else { return missing }
    let (refill, overflow) = elapsed.multipliedReportingOverflow(by: perSecond)
    return overflow || refill >= missing ? 0 : missing - refill
  }

  /// Whether one message more fits at `now`; a rate or burst that is not positive fits none.
  @inlinable public func admits(at now: Timestamp, perSecond: Int64, burst: Int64) -> Bool {
    guard perSecond > 0, burst > 0 else { return false }
    let capacity = Swift.min(burst, Self.burstMax) * Self.message
    return missing(at: now, perSecond: perSecond) <= capacity - Self.message
  }

  /// Takes one message that fits.
  ///
  /// - Precondition: `admits` was true for the same arguments, which bounds the sum.
  @inlinable public mutating func take(at now: Timestamp, perSecond: Int64) {
    missing = missing(at: now, perSecond: perSecond) + Self.message
    time = Swift.max(time, now)
  }

  /// Messages the bucket would have to hold for one more to fit at `now`, rounded up.
  @inlinable public func messagesNeeded(at now: Timestamp, perSecond: Int64) -> Int64 {
    let (whole, rest) = missing(at: now, perSecond: perSecond).quotientAndRemainder(dividingBy: Self.message)
    return whole + (rest > 0 ? 2 : 1)
  }
}
