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
  @inline(__always) public static func sum(_ x: Span<Double>) -> Double { sum(x, less: 0) }

  /// Σ(x − origin).
  @inline(__always) static func sum(_ x: Span<Double>, less origin: Double) -> Double {
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
  @inline(__always) public static func mean(_ x: Span<Double>) -> Double {
    guard x.count > 0 else { return 0 }
    let newest = x[x.count - 1]
    return newest + sum(x, less: newest) / Double(x.count)
  }

  /// Mean and second central sum.
  @inline(__always) public static func secondSum(_ x: Span<Double>) -> CentralSums {
    var sums = CentralSums()
    guard x.count > 0 else { return sums }
    sums.count = x.count
    sums.mean = mean(x)
    let mean = SIMD4(repeating: sums.mean)
    var first = SIMD4<Double>(repeating: 0)
    var second = first
    var place = 0
    while place + 4 <= x.count {
      let d = four(x, place) - mean
      first += d
      second += d * d
      place += 4
    }
    var rest = total(first)
    var squares = total(second)
    while place < x.count {
      let d = x[place] - sums.mean
      rest += d
      squares += d * d
      place += 1
    }
    sums.second = max(0, squares - rest * rest / Double(x.count))
    return sums
  }

  /// Mean and central sums up to the fourth.
  public static func centralSums(_ x: Span<Double>) -> CentralSums {
    var sums = secondSum(x)
    let mean = SIMD4(repeating: sums.mean)
    var third = SIMD4<Double>(repeating: 0)
    var fourth = third
    var place = 0
    while place + 4 <= x.count {
      let d = four(x, place) - mean
      let square = d * d
      third += square * d
      fourth += square * square
      place += 4
    }
    sums.third = total(third)
    sums.fourth = total(fourth)
    while place < x.count {
      let d = x[place] - sums.mean
      sums.third += d * d * d
      sums.fourth += d * d * (d * d)
      place += 1
    }
    return sums
  }

  /// Sum of the squares.
  @inline(__always) public static func squareSum(_ x: Span<Double>) -> Double {
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

  /// Sum of the magnitudes, and of the positive values alone.
  @inline(__always) public static func magnitudeSums(_ x: Span<Double>) -> (all: Double, positive: Double) {
    var all = 0.0
    var positive = 0.0
    for place in x.indices {
      all += abs(x[place])
      positive += max(0, x[place])
    }
    return (all, positive)
  }

  /// Mean of the values that are not negative, 0 of none.
  @inline(__always) public static func meanOfNonNegative(_ x: Span<Double>) -> Double {
    var sum = 0.0
    var terms = 0.0
    for place in x.indices where x[place] >= 0 {
      sum += x[place]
      terms += 1
    }
    return FeatureArithmetic.ratio(sum, terms)
  }

  /// Σ(x_t − newer)(x_{t−1} − older) over all neighbours.
  @inline(__always) static func neighbourProducts(_ x: Span<Double>, newer: Double, older: Double) -> Double {
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

  /// Autocorrelation at lag 1 about the mean, given the window's `secondSum` or `centralSums`.
  @inline(__always) public static func autocorrelation(_ x: Span<Double>, _ sums: CentralSums) -> Double {
    guard x.count > 1 else { return 0 }
    return FeatureArithmetic.ratio(neighbourProducts(x, newer: sums.mean, older: sums.mean), sums.second)
  }

  /// Population covariance of the neighbours (x_t, x_{t−1}).
  public static func neighbourCovariance(_ x: Span<Double>) -> Double {
    guard x.count > 1 else { return 0 }
    let pairs = Double(x.count - 1)
    let inner = sum(x.extracting(1..<(x.count - 1)))
    let newer = (inner + x[x.count - 1]) / pairs
    let older = (inner + x[0]) / pairs
    return neighbourProducts(x, newer: newer, older: older) / pairs
  }

  /// Least-squares slope of `y` on `x`, pair by pair, with both means; 0 where `x` is constant.
  ///
  /// - Precondition: the windows have equally many values.
  public static func regression(of y: Span<Double>, on x: Span<Double>) -> (
    slope: Double, mean: Double, otherMean: Double
  ) {
    precondition(x.count == y.count, "WindowMoments: both windows have equally many values")
    let sums = secondSum(x)
    let other = mean(y)
    var products = 0.0
    for place in x.indices { products += (x[place] - sums.mean) * (y[place] - other) }
    return (FeatureArithmetic.ratio(products, sums.second), sums.mean, other)
  }

  /// Variance of overlapping sums of five values over five times that of one value, both unbiased.
  ///
  /// Each sum of five is formed afresh.
  /// - Source: Lo and MacKinlay 1988, equations 12–13, for q = 5.
  public static func varianceRatio5(_ x: Span<Double>) -> Double {
    guard x.count > 5 else { return 0 }
    let sums = secondSum(x)
    let drift = 5 * sums.mean
    let drifts = SIMD4(repeating: drift)
    var lanes = SIMD4<Double>(repeating: 0)
    var place = 4
    while place + 4 <= x.count {
      let five =
        ((four(x, place) + four(x, place - 1)) + (four(x, place - 2) + four(x, place - 3))) + four(x, place - 4)
      lanes += (five - drifts) * (five - drifts)
      place += 4
    }
    var squares = total(lanes)
    while place < x.count {
      let five = ((x[place] + x[place - 1]) + (x[place - 2] + x[place - 3])) + x[place - 4]
      squares += (five - drift) * (five - drift)
      place += 1
    }
    let size = Double(x.count)
    let weight = 5 * (size - 4) * (1 - 5 / size)
    return FeatureArithmetic.ratio(squares / weight, sums.variance(missing: 1))
  }

  /// Four values from `place` on.
  @inline(__always) private static func four(_ x: Span<Double>, _ place: Int) -> SIMD4<Double> {
    SIMD4(x[place], x[place + 1], x[place + 2], x[place + 3])
  }

  @inline(__always) private static func total(_ lanes: SIMD4<Double>) -> Double {
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
  }
}
