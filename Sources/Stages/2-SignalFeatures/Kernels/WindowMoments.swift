/// Sums and moments of a window of values, oldest first, by two passes over it.
///
/// Nothing is added and removed incrementally, so an outlier leaves no trace once it has left the window. Sums run in four lanes,
/// so that one addition need not wait for the one before it.
public enum WindowMoments {
  /// Σ(x − mean)^p for p = 2, 3, 4, with the mean.
  @frozen public struct CentralSums: BitwiseCopyable, Sendable {
    /// Mean, 0 of no values.
    public var mean = 0.0
    /// Σ(x − mean)², a correction removes what rounding left in the mean.
    public var second = 0.0
    /// Σ(x − mean)³.
    public var third = 0.0
    /// Σ(x − mean)⁴.
    public var fourth = 0.0
    /// Values.
    public var count = 0

    /// Of no values.
    @inlinable public init() {}

    /// `second` over the number of values less `missing` (1: sample variance, 0: population).
    @inlinable public func variance(missing: Int) -> Double { count > missing ? second / Double(count - missing) : 0 }
  }

  /// Sum of the values.
  @inlinable @inline(__always) public static func sum(_ x: Span<Double>) -> Double { sum(x, less: 0) }

  /// Σ(x − origin).
  @inlinable @inline(__always) static func sum(_ x: Span<Double>, less origin: Double) -> Double {
    var lanes = SIMD4<Double>(repeating: 0)
    let start = SIMD4(repeating: origin)
    var place = 0
    while place + 4 <= x.count {
      lanes += four(x, place) - start
      place += 4
    }
    var sum = total(lanes)
    while place < x.count {
      sum += x[place] - origin
      place += 1
    }
    return sum
  }

  /// Mean, 0 of no values; exactly the value where all are equal.
  @inlinable @inline(__always) public static func mean(_ x: Span<Double>) -> Double {
    guard x.count > 0 else { return 0 }
    let newest = x[x.count - 1]
    return newest + sum(x, less: newest) / Double(x.count)
  }

  /// Mean and second central sum.
  @inlinable @inline(__always) public static func secondSum(_ x: Span<Double>) -> CentralSums {
    guard x.count > 0 else { return CentralSums() }
    let newest = x[x.count - 1]
    var sums = secondSum(x, less: newest)
    sums.mean += newest
    return sums
  }

  /// Mean less `origin` and second central sum; the nearer the origin is to the values, the more digits the mean keeps.
  @inlinable @inline(__always) public static func secondSum(_ x: Span<Double>, less origin: Double) -> CentralSums {
    var sums = CentralSums()
    guard x.count > 0 else { return sums }
    sums.count = x.count
    sums.mean = sum(x, less: origin) / Double(x.count)
    let start = SIMD4(repeating: origin)
    let mean = SIMD4(repeating: sums.mean)
    var first = SIMD4<Double>(repeating: 0)
    var second = first
    var place = 0
    while place + 4 <= x.count {
      let d = four(x, place) - start - mean
      first += d
      second += d * d
      place += 4
    }
    var rest = total(first)
    var squares = total(second)
    while place < x.count {
      let d = x[place] - origin - sums.mean
      rest += d
      squares += d * d
      place += 1
    }
    sums.second = max(0, squares - rest * rest / Double(x.count))
    return sums
  }

  /// Mean and central sums up to the fourth.
  @inlinable public static func centralSums(_ x: Span<Double>) -> CentralSums {
    guard x.count > 0 else { return CentralSums() }
    let origin = x[x.count - 1]
    var sums = secondSum(x, less: origin)
    let start = SIMD4(repeating: origin)
    let mean = SIMD4(repeating: sums.mean)
    var third = SIMD4<Double>(repeating: 0)
    var fourth = third
    var place = 0
    while place + 4 <= x.count {
      let d = four(x, place) - start - mean
      let square = d * d
      third += square * d
      fourth += square * square
      place += 4
    }
    sums.third = total(third)
    sums.fourth = total(fourth)
    while place < x.count {
      let d = x[place] - origin - sums.mean
      sums.third += d * d * d
      sums.fourth += d * d * (d * d)
      place += 1
    }
    sums.mean += origin
    return sums
  }

  /// Sum of the squares.
  @inlinable @inline(__always) public static func squareSum(_ x: Span<Double>) -> Double {
    var lanes = SIMD4<Double>(repeating: 0)
    var place = 0
    while place + 4 <= x.count {
      let values = four(x, place)
      lanes += values * values
      place += 4
    }
    var sum = total(lanes)
    while place < x.count {
      sum += x[place] * x[place]
      place += 1
    }
    return sum
  }

  /// Σ(x_t − newer)(x_{t−1} − older) over all neighbours.
  @inlinable @inline(__always) static func neighbourProducts(_ x: Span<Double>, newer: Double, older: Double) -> Double
  {
    var lanes = SIMD4<Double>(repeating: 0)
    let newerMean = SIMD4(repeating: newer)
    let olderMean = SIMD4(repeating: older)
    var place = 1
    while place + 4 <= x.count {
      lanes += (four(x, place) - newerMean) * (four(x, place - 1) - olderMean)
      place += 4
    }
    var sum = total(lanes)
    while place < x.count {
      sum += (x[place] - newer) * (x[place - 1] - older)
      place += 1
    }
    return sum
  }

  /// Σ|x_t||x_{t−1}| over all neighbours.
  @inlinable @inline(__always) public static func neighbourMagnitudes(_ x: Span<Double>) -> Double {
    var lanes = SIMD4<Double>(repeating: 0)
    var place = 1
    while place + 4 <= x.count {
      let products = four(x, place) * four(x, place - 1)
      lanes += products.replacing(with: -products, where: products .< 0)
      place += 4
    }
    var sum = total(lanes)
    while place < x.count {
      sum += abs(x[place] * x[place - 1])
      place += 1
    }
    return sum
  }

  /// Autocorrelation at lag 1 about the mean, given the window's `secondSum` or `centralSums`.
  @inlinable @inline(__always) public static func autocorrelation(_ x: Span<Double>, _ sums: CentralSums) -> Double {
    guard x.count > 1 else { return 0 }
    return FeatureArithmetic.ratio(neighbourProducts(x, newer: sums.mean, older: sums.mean), sums.second)
  }

  /// Four values from `place` on.
  @inlinable @inline(__always) static func four(_ x: Span<Double>, _ place: Int) -> SIMD4<Double> {
    SIMD4(x[place], x[place + 1], x[place + 2], x[place + 3])
  }

  @inlinable @inline(__always) static func total(_ lanes: SIMD4<Double>) -> Double {
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
  }
}
