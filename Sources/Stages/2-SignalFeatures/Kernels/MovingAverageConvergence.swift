/// Moving average convergence and divergence (MACD): a fast less a slow exponential average, and its own average.
///
/// - Complexity: `update` O(1), no allocation.
/// - Source: Appel 1979; seeding as in TA-Lib's MACD: both averages start at the slow one's first value, the fast one from the
///   `fast` closes up to it, the signal from the mean of the first `signal` lines.
@frozen public struct MovingAverageConvergence: RollingKernel {
  @usableFromInline var fastAverage: ExponentialAverage
  @usableFromInline var slowAverage: ExponentialAverage
  @usableFromInline var signalAverage: ExponentialAverage
  // Closes the fast average still lets pass before its seed.
  @usableFromInline var waiting: Int

  /// Averages of `fast`, `slow` and `signal` closes.
  ///
  /// - Precondition: `0 < fast <= slow` and `0 < signal`.
  @inlinable public init(fast: Int, slow: Int, signal: Int) {
    precondition(fast > 0 && fast <= slow, "MovingAverageConvergence: the fast average is not longer than the slow one")
    fastAverage = ExponentialAverage(length: fast, seedCount: fast)
    slowAverage = ExponentialAverage(length: slow, seedCount: slow)
    signalAverage = ExponentialAverage(length: signal, seedCount: signal)
    waiting = slow - fast
  }

  /// Fast less slow average, 0 until both are seeded.
  @inlinable public var line: Double { slowAverage.isSeeded ? fastAverage.value - slowAverage.value : 0 }

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
    slowAverage.update(close)
    if waiting == 0 {
      fastAverage.update(close)
    } else {
      // Wrapping: not 0.
      waiting &-= 1
    }
    if slowAverage.isSeeded { signalAverage.update(fastAverage.value - slowAverage.value) }
  }
}
