/// The last values of a series, newest first, and their moments by two passes.
///
/// Nothing is added and removed incrementally, so an outlier leaves no trace once it has left the window.
/// - Note: `capacity` is a power of two.
@frozen public struct RollingWindow<let capacity: Int>: BitwiseCopyable, Sendable {
  @usableFromInline var values: InlineArray<capacity, Double>
  /// Values taken in since the start.
  public private(set) var count: Int

  /// An empty window.
  public init() {
    precondition(capacity > 0 && capacity & (capacity - 1) == 0, "RollingWindow: the capacity is a power of two")
    values = InlineArray(repeating: 0)
    count = 0
  }

  /// Takes in the next value; the oldest leaves a full window.
  public mutating func update(_ value: Double) {
    values[count & (capacity - 1)] = value
    // Wrapping: a count.
    count &+= 1
  }

  /// The value `age` updates ago, 0 being the newest; `age` is below `capacity` and `count`.
  public subscript(age: Int) -> Double { values.span[place(age)] }

  /// Where the value `age` updates ago lies.
  @inline(__always) private func place(_ age: Int) -> Int { (count &- 1 &- age) & (capacity - 1) }

  /// How many of the last `length` values there are.
  public func available(_ length: Int) -> Int { min(count, length, capacity) }

  /// Sum of the last `length` values.
  public func sum(_ length: Int) -> Double {
    let values = values.span
    var sum = 0.0
    for age in 0..<available(length) { sum += values[place(age)] }
    return sum
  }

  /// Mean of the last `length` values, 0 of none; exactly the value where all are equal.
  public func mean(_ length: Int) -> Double {
    let values = values.span
    let n = available(length)
    guard n > 0 else { return 0 }
    let newest = values[place(0)]
    var sum = 0.0
    for age in 0..<n { sum += values[place(age)] - newest }
    return newest + sum / Double(n)
  }

  /// Σ(x − mean)^p over the last `length` values for p = 2, 3, 4, with the mean; a second-order correction removes what
  /// rounding left in the mean.
  public func centralSums(_ length: Int) -> (mean: Double, second: Double, third: Double, fourth: Double) {
    let values = values.span
    let n = available(length)
    let mean = mean(length)
    var first = 0.0
    var second = 0.0
    var third = 0.0
    var fourth = 0.0
    for age in 0..<n {
      let d = values[place(age)] - mean
      first += d
      second += d * d
      third += d * d * d
      fourth += d * d * d * d
    }
    return (mean, n == 0 ? 0 : max(0, second - first * first / Double(n)), third, fourth)
  }

  /// Variance of the last `length` values, dividing by their number less `missing` (1: sample, 0: population).
  public func variance(_ length: Int, missing: Int) -> Double {
    let n = available(length)
    guard n > missing else { return 0 }
    return centralSums(length).second / Double(n - missing)
  }

  /// The newest value in sample standard deviations from the mean of the last `length`.
  public func zScore(_ length: Int) -> Double {
    let values = values.span
    guard count > 1 else { return 0 }
    let sums = centralSums(length)
    let deviation = (sums.second / Double(available(length) - 1)).squareRoot()
    return FeatureArithmetic.ratio(values[place(0)] - sums.mean, deviation)
  }

  /// Autocorrelation at lag 1 of the last `length` values about their mean.
  public func autocorrelation(_ length: Int) -> Double {
    let values = values.span
    let n = available(length)
    guard n > 1 else { return 0 }
    let sums = centralSums(length)
    var products = 0.0
    for age in 0..<(n - 1) { products += (values[place(age)] - sums.mean) * (values[place(age + 1)] - sums.mean) }
    return FeatureArithmetic.ratio(products, sums.second)
  }

  /// Population covariance of the last `length` neighbours (x_t, x_{t−1}).
  public func neighbourCovariance(_ length: Int) -> Double {
    let values = values.span
    let n = min(length, available(length + 1) - 1)
    guard n > 0 else { return 0 }
    var newer = 0.0
    var older = 0.0
    for age in 0..<n {
      newer += values[place(age)]
      older += values[place(age + 1)]
    }
    newer /= Double(n)
    older /= Double(n)
    var products = 0.0
    for age in 0..<n { products += (values[place(age)] - newer) * (values[place(age + 1)] - older) }
    return products / Double(n)
  }

  /// Sum of the magnitudes of the last `length` values, and of the positive ones alone.
  public func magnitudeSums(_ length: Int) -> (all: Double, positive: Double) {
    let values = values.span
    var all = 0.0
    var positive = 0.0
    for age in 0..<available(length) {
      all += abs(values[place(age)])
      positive += max(0, values[place(age)])
    }
    return (all, positive)
  }

  /// Sum of the squares of the last `length` values.
  public func squareSum(_ length: Int) -> Double {
    let values = values.span
    var sum = 0.0
    for age in 0..<available(length) { sum += values[place(age)] * values[place(age)] }
    return sum
  }

  /// Mean of those of the last `length` values that are not negative, 0 of none.
  public func meanOfNonNegative(_ length: Int) -> Double {
    let values = values.span
    var sum = 0.0
    var terms = 0.0
    for age in 0..<available(length) where values[place(age)] >= 0 {
      sum += values[place(age)]
      terms += 1
    }
    return FeatureArithmetic.ratio(sum, terms)
  }

  /// Least-squares slope of `other` on this series over the last `length` pairs, with both means; 0 where this one is constant.
  public func regression(of other: borrowing RollingWindow<capacity>, _ length: Int) -> (
    slope: Double, mean: Double, otherMean: Double
  ) {
    let x = centralSums(length)
    let y = other.mean(length)
    let values = values.span
    let others = other.values.span
    var products = 0.0
    for age in 0..<available(length) {
      products += (values[place(age)] - x.mean) * (others[other.place(age)] - y)
    }
    return (FeatureArithmetic.ratio(products, x.second), x.mean, y)
  }

  /// Variance of overlapping sums of `q` values over `q` times that of one value, both unbiased, over the last `length`.
  ///
  /// - Source: Lo and MacKinlay 1988, equations 12–13.
  public func varianceRatio(_ q: Int, _ length: Int) -> Double {
    let n = available(length)
    guard q > 0, n > q else { return 0 }
    let sums = centralSums(length)
    let drift = Double(q) * sums.mean
    let values = values.span
    var squares = 0.0
    for age in 0...(n - q) {
      var sum = 0.0
      for step in 0..<q { sum += values[place(age + step)] }
      squares += (sum - drift) * (sum - drift)
    }
    let size = Double(n)
    let weight = Double(q) * (size - Double(q) + 1) * (1 - Double(q) / size)
    return FeatureArithmetic.ratio(squares / weight, sums.second / (size - 1))
  }
}
