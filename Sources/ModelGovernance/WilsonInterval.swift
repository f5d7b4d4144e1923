/// Where the true share of a count lies: Wilson's score interval, which stays in [0, 1] and holds for small samples.
///
/// - Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference", JASA 22.
public struct WilsonInterval: Codable, Hashable, Sendable {
  /// The lower end.
  public let lower: Double
  /// The upper end.
  public let upper: Double

  /// The interval of `correct` in `count`; [0, 1] for nothing counted.
  ///
  /// - Precondition: `0 <= correct <= count` and `0 < confidence < 1`.
  public init(correct: Int, count: Int, confidence: Double = 0.95) {
    self.init(correct: correct, count: count, halfWidth: NormalDistribution.halfWidth(confidence: confidence))
  }

  private init(correct: Int, count: Int, halfWidth z: Double) {
    precondition(correct >= 0 && correct <= count, "WilsonInterval: no more correct than counted")
    guard count > 0 else {
      (lower, upper) = (0, 1)
      return
    }
    let n = Double(count)
    let p = Double(correct) / n
    let spread = 1 + z * z / n
    let middle = (p + z * z / (2 * n)) / spread
    let half = z * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot() / spread
    lower = correct == 0 ? 0 : max(0, middle - half)
    upper = correct == count ? 1 : min(1, middle + half)
  }

  /// The least number of rows at which a model of this accuracy shows a lower end of at least `lowerBound`, or nil where it
  /// never does.
  ///
  /// At each candidate, `accuracy × n` to the nearest even integer are taken as correct.
  ///
  /// - Parameters:
  ///   - step: candidates are its multiples.
  /// - Complexity: O(1 / (distance × step)).
  public static func neededCount(
    accuracy: Double, lowerBound: Double, confidence: Double = 0.95, step: Int = 10
  ) -> Int? {
    // The answer grows with 1 / distance²; below this distance it is beyond 10^8 rows, which nobody has.
    guard accuracy <= 1, lowerBound >= 0, accuracy - lowerBound > 1e-4, step > 0 else { return nil }
    // Rounding helps by half a row at most, which the closed form does not know: the search starts that much below it.
    let z = NormalDistribution.halfWidth(confidence: confidence)
    let distance = accuracy - lowerBound
    let closed = z * z * lowerBound * (1 - lowerBound) / (distance * distance)
    var count = max(step, Int(closed - 2 / distance) / step * step)
    while true {
      let correct = Int((accuracy * Double(count)).rounded(.toNearestOrEven))
      if WilsonInterval(correct: correct, count: count, halfWidth: z).lower >= lowerBound { return count }
      count += step
    }
  }
}
