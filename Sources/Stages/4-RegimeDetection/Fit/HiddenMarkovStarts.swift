/// Where fits begin when nobody says: the series cut by its own recent variance.
///
/// Start `n` takes, at each observation, the mean squared distance from the series' mean over the window of observations
/// around it, in the first dimension. Observations are ranked by it, and the ranking is cut into one group a state: equal
/// parts, or parts of which each is half of the one before (calm times are longer than wild ones). Means and covariances
/// are the groups'; transitions are counted from group to group with a tenth of an observation added everywhere; the start
/// probabilities are equal.
public enum HiddenMarkovStarts {
  /// Starts there are.
  public static let countMax = 8

  /// Observations around each, and the share of each group of the one before it, from the most to the least promising.
  private static let kinds: [(window: Int, share: Double)] = [
    (21, 1), (21, 0.5), (5, 1), (5, 0.5), (63, 1), (63, 0.5), (1, 1), (1, 0.5),
  ]

  /// Start `number` for a series.
  static func model(
    _ number: Int, of series: ObservedSeries, _ stateCount: Int, _ form: HiddenMarkovModel.CovarianceForm,
    _ limits: ExpectationMaximisation.Limits
  ) -> (HiddenMarkovFit.Start, HiddenMarkovModel) {
    let kind = kinds[number]
    let groups = groups(of: series, stateCount, window: kind.window, share: kind.share)
    let dimensions = series.dimensionCount
    var counts = [Double](repeating: 0, count: stateCount)
    var means = [[Double]](repeating: [Double](repeating: 0, count: dimensions), count: stateCount)
    var transition = [[Double]](repeating: [Double](repeating: 0.1, count: stateCount), count: stateCount)
    for row in 0..<series.count {
      counts[groups[row]] += 1
      for place in 0..<dimensions { means[groups[row]][place] += series.observations[row * dimensions + place] }
      if row > 0 { transition[groups[row - 1]][groups[row]] += 1 }
    }
    for state in 0..<stateCount {
      let sum = transition[state].reduce(0, +)
      for next in 0..<stateCount { transition[state][next] /= sum }
      for place in 0..<dimensions { means[state][place] /= max(1, counts[state]) }
    }
    let covariances = (0..<stateCount).map { state in
      covariance(of: state, groups, series, means[state], counts[state], form, limits)
    }
    let model = HiddenMarkovModel(
      unchecked: [Double](repeating: 1 / Double(stateCount), count: stateCount), transition: transition, means: means,
      covariances: covariances, form: form)
    return (.quantiles(window: kind.window, share: kind.share), model)
  }

  /// The group of each observation, 0 the calmest.
  private static func groups(of series: ObservedSeries, _ stateCount: Int, window: Int, share: Double) -> [Int] {
    let squares = (0..<series.count).map { row in
      let distance = series.observations[row * series.dimensionCount] - series.means[0]
      return distance * distance
    }
    let local = squares.indices.map { row in
      let around = max(0, row - window / 2)..<min(squares.count, row + window / 2 + 1)
      return squares[around].reduce(0, +) / Double(around.count)
    }
    let ranking = squares.indices.sorted { (local[$0], $0) < (local[$1], $1) }
    var weights = [1.0]
    while weights.count < stateCount { weights.append(weights[weights.count - 1] * share) }
    let sum = weights.reduce(0, +)
    var groups = [Int](repeating: 0, count: series.count)
    var (first, passed) = (0, 0.0)
    for state in 0..<stateCount {
      passed += weights[state]
      let end = state == stateCount - 1 ? series.count : Int((passed / sum * Double(series.count)).rounded())
      for place in first..<max(first, end) { groups[ranking[place]] = state }
      first = max(first, end)
    }
    return groups
  }

  /// The covariance of a group, its variances at least a thousandth of the whole series'; diagonal where the full one is singular.
  private static func covariance(
    of state: Int, _ groups: [Int], _ series: ObservedSeries, _ mean: [Double], _ count: Double,
    _ form: HiddenMarkovModel.CovarianceForm, _ limits: ExpectationMaximisation.Limits
  ) -> [Double] {
    let dimensions = series.dimensionCount
    var sums = [Double](repeating: 0, count: dimensions * dimensions)
    for row in 0..<series.count where groups[row] == state {
      for place in 0..<dimensions {
        let distance = series.observations[row * dimensions + place] - mean[place]
        for other in 0..<dimensions where form == .full || place == other {
          sums[place * dimensions + other] +=
            distance * (series.observations[row * dimensions + other] - mean[other])
        }
      }
    }
    for place in sums.indices { sums[place] /= max(1, count) }
    var diagonal = [Double](repeating: 0, count: dimensions * dimensions)
    for place in 0..<dimensions {
      let corner = place * dimensions + place
      sums[corner] = max(sums[corner], 1e-3 * series.variances[place], limits.varianceFloors[place])
      diagonal[corner] = sums[corner]
    }
    return form == .full && CholeskyFactor(sums, dimensions) != nil ? sums : diagonal
  }
}
