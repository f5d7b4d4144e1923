import TradingTypes

/// Why realised variances have no fit.
public enum HARFitRefusal: Error, Hashable, Sendable, CustomStringConvertible {
  /// Fewer variances than a fit needs.
  case tooFewVariances(count: Int, minimum: Int)
  /// A variance that is NaN, infinite, not positive, or above 1e6.
  case badVariance(index: Int, value: Double)
  /// The averages cannot be told apart, as in a constant series.
  case collinear

  /// One line for a person.
  public var description: String {
    switch self {
    case .tooFewVariances(let count, let minimum): "\(count) realised variances, at least \(minimum) expected"
    case .badVariance(let index, let value): "realised variance \(index) is \(value), expected in (0, 1e6]"
    case .collinear: "the daily, weekly and monthly averages cannot be told apart: is the series constant?"
    }
  }
}

/// A HAR model fitted to realised variances by least squares.
public struct HARFit: Hashable, Sendable {
  /// Variances a fit needs at least: a month to start, then two hundred days to learn from.
  public static let countMin = 222

  /// The estimates.
  public let parameters: HARParameters
  /// Share of the variance of RV that the model explains within the sample.
  public let rSquared: Double
  /// Days of the regression: the variances less the first 22.
  public let observations: Int

  /// Fits the model to the realised variances of successive days, oldest first.
  ///
  /// - Throws: `HARFitRefusal`.
  /// - Complexity: O(`variances.count`) in two passes.
  /// - Source: Corsi 2009, section 2.3: ordinary least squares.
  public init(_ variances: [Double]) throws(HARFitRefusal) {
    guard variances.count >= Self.countMin else {
      throw .tooFewVariances(count: variances.count, minimum: Self.countMin)
    }
    if let index = variances.firstIndex(where: { !($0 > 0 && $0 <= 1e6) }) {
      throw .badVariance(index: index, value: variances[index])
    }
    let month = HARState.monthDays
    let count = Double(variances.count - month)
    // Two passes, because sums of products of numbers far from their mean lose digits.
    var means = SIMD4<Double>()
    Self.forEachRow(variances) { means += $0 / count }
    var products = InlineArray<4, SIMD4<Double>>(repeating: SIMD4())
    Self.forEachRow(variances) { row in
      let centred = row - means
      for place in 0..<4 { products[place] += centred * centred[place] }
    }
    // Places 0 to 2 are the averages, 3 is the variance they explain. Scaled, so that a pivot says what is left of 1.
    let scale = SIMD4(products[0][0], products[1][1], products[2][2], 1).squareRoot()
    guard scale.min() > 0 else { throw .collinear }
    var lower = InlineArray<3, SIMD4<Double>>(repeating: SIMD4())
    var solution = SIMD4<Double>()
    for row in 0..<3 {
      for column in 0...row {
        var rest = products[row][column] / (scale[row] * scale[column])
        for k in 0..<column { rest -= lower[row][k] * lower[column][k] }
        guard column == row else {
          lower[row][column] = rest / lower[column][column]
          continue
        }
        guard rest > 1e-10 else { throw .collinear }
        lower[row][row] = rest.squareRoot()
      }
      var rest = products[row][3] / scale[row]
      for k in 0..<row { rest -= lower[row][k] * solution[k] }
      solution[row] = rest / lower[row][row]
    }
    // The explained sum of squares, before the last substitution.
    let explained = (solution * solution).sum()
    for row in (0..<3).reversed() {
      for k in (row + 1)..<3 { solution[row] -= lower[k][row] * solution[k] }
      solution[row] /= lower[row][row]
    }
    solution /= scale
    rSquared = products[3][3] > 0 ? explained / products[3][3] : 0
    observations = variances.count - month
    // Place 3 of the solution is 0.
    do {
      parameters = try HARParameters(
        constant: means[3] - (solution * means).sum(),
        daily: solution[0], weekly: solution[1], monthly: solution[2], varianceMin: variances.min() ?? 0)
    } catch { throw .collinear }
  }

  /// Calls `body` with the averages and the variance of the day after, for each day that has a month before it.
  private static func forEachRow(_ variances: [Double], _ body: (SIMD4<Double>) -> Void) {
    var state = HARState(after: variances.prefix(HARState.monthDays))
    for value in variances.dropFirst(HARState.monthDays) {
      body(SIMD4(state.daily, state.weekly, state.monthly, value))
      _ = state.take(value)
    }
  }
}
