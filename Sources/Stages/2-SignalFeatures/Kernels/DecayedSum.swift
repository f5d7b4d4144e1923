public import TradingTypes

/// A sum whose terms lose weight with the time since they came: `S ← S · 2^(−Δt / half-life) + value`.
///
/// Time is the events' own. An event that is older than the last one counts in full and leaves the time where it is.
/// - Complexity: `update` O(1), about 30 operations, no allocation.
@frozen public struct DecayedSum: RollingKernel {
  /// A term and its time.
  public typealias Input = (value: Double, time: Timestamp)

  @usableFromInline var sum = 0.0
  @usableFromInline var time = Timestamp.distantPast
  // Halvings in a second.
  @usableFromInline let halvings: Double

  /// A sum that is halved in so many seconds.
  ///
  /// - Precondition: the half-life is positive and finite.
  @inlinable public init(halfLife seconds: Double) {
    precondition(seconds > 0 && seconds < .infinity, "DecayedSum: the half-life is positive and finite")
    halvings = 1 / seconds
  }

  /// A sum that decays as `e^(−rate · seconds)`.
  ///
  /// - Precondition: the rate is not negative, and finite.
  @inlinable public init(rate: Double) {
    precondition(rate >= 0 && rate < .infinity, "DecayedSum: the rate is not negative, and finite")
    halvings = rate * 1.44269504088896340736
  }

  /// The sum at the time of the last term.
  @inlinable public var value: Double { sum }

  /// When the sum is `value`: the latest time of a term.
  @inlinable public var lastTime: Timestamp { time }

  /// The sum at `now`; no decay where that is before the last term.
  @inlinable @inline(__always) public func value(at now: Timestamp) -> Double {
    // Before the first term there is nothing to decay, and the distance from the beginning of time is no number of seconds.
    guard time > .distantPast, now > time else { return sum }
    return sum * DeterministicMath.exp2(-halvings * FeatureArithmetic.seconds(from: time, to: now))
  }

  /// Takes in a term, a finite number.
  @inlinable @inline(__always) public mutating func update(_ next: Input) { update(next.value, at: next.time) }

  /// Takes in a term, a finite number, at its time.
  @inlinable @inline(__always) public mutating func update(_ value: Double, at now: Timestamp) {
    sum = self.value(at: now) + value
    time = max(time, now)
  }
}
