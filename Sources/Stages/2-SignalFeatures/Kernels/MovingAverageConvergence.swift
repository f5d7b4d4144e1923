/// Moving average convergence and divergence (MACD): a fast less a slow exponential average, and its own average.
///
/// Both averages are kept as their distance from the close: their difference then keeps its digits where a market is quiet and
/// both are near to it.
/// - Complexity: `update` O(1), no allocation.
/// - Source: Appel 1979; seeding as in TA-Lib's MACD: both averages start at the slow one's first value, the fast one from the
///   `fast` closes up to it, the signal from the mean of the first `signal` lines.
@frozen public struct MovingAverageConvergence: RollingKernel {
  // Average less last close.
  @usableFromInline var fastDistance = 0.0
  @usableFromInline var slowDistance = 0.0
  @usableFromInline var lastClose = 0.0
  @usableFromInline var signalAverage: ExponentialAverage
  // Closes so far, at most `slow` counted.
  @usableFromInline var count = 0
  @usableFromInline let fast: Int
  @usableFromInline let slow: Int
  // What a seeded average keeps of its distance.
  @usableFromInline let fastKept: Double
  @usableFromInline let slowKept: Double

  /// Averages of `fast`, `slow` and `signal` closes.
  ///
  /// - Precondition: `0 < fast <= slow` and `0 < signal`.
  @inlinable public init(fast: Int, slow: Int, signal: Int) {
    precondition(fast > 0 && fast <= slow, "MovingAverageConvergence: the fast average is not longer than the slow one")
    self.fast = fast
    self.slow = slow
    fastKept = Double(fast - 1) / Double(fast + 1)
    slowKept = Double(slow - 1) / Double(slow + 1)
    signalAverage = ExponentialAverage(length: signal, seedCount: signal)
  }

  /// Fast less slow average, 0 until both are seeded.
  @inlinable public var line: Double { count == slow ? fastDistance - slowDistance : 0 }

  /// Average of the line, the mean so far while it seeds.
  @inlinable public var signal: Double { signalAverage.value }

  /// Line less signal.
  @inlinable public var histogram: Double { line - signal }

  /// Line, signal and histogram.
  @inlinable public var value: (line: Double, signal: Double, histogram: Double) { (line, signal, histogram) }

  /// The signal is seeded, the two averages before it too.
  @inlinable public var isSeeded: Bool { signalAverage.isSeeded }

  /// Takes in the next close.
  @inlinable @inline(__always) public mutating func update(_ close: Double) {
    let change = close - lastClose
    lastClose = close
    if count == slow {
      fastDistance = fastKept * (fastDistance - change)
      slowDistance = slowKept * (slowDistance - change)
    } else {
      seed(change)
    }
    if count == slow { signalAverage.update(fastDistance - slowDistance) }
  }

  /// One of the closes whose means the averages begin with.
  @usableFromInline mutating func seed(_ change: Double) {
    // Wrapping here and below: below `slow`.
    count &+= 1
    slowDistance = Double(count &- 1) / Double(count) * (slowDistance - change)
    let place = count &- (slow &- fast)
    if place > 0 { fastDistance = Double(place &- 1) / Double(place) * (fastDistance - change) }
  }
}
