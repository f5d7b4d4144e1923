/// A series that was looked through: every value finite and in range, what each dimension is like.
struct ObservedSeries {
  let observations: [Double]
  let dimensionCount: Int
  let count: Int
  /// `[dimensions]`.
  let means: [Double]
  /// `[dimensions]`, over the count.
  let variances: [Double]

  /// The observation that alone holds more than half of a dimension's sum of squares, if there is one.
  var outlier: HiddenMarkovError? {
    for dimension in 0..<dimensionCount {
      for row in 0..<count {
        let value = observations[row * dimensionCount + dimension]
        let distance = value - means[dimension]
        if distance * distance > 0.5 * Double(count) * variances[dimension] {
          return .outlier(row: row, dimension: dimension, value: value)
        }
      }
    }
    return nil
  }

  /// - Parameters:
  ///   - observations: `[rows × dimensions]`, row-major.
  init(_ observations: [Double], dimensionCount: Int) throws(HiddenMarkovError) {
    guard (1...HiddenMarkovModel.dimensionCountMax).contains(dimensionCount) else {
      throw .badRequest("\(dimensionCount) dimensions, 1 to \(HiddenMarkovModel.dimensionCountMax) expected")
    }
    guard observations.count.isMultiple(of: dimensionCount) else {
      throw .badRequest("\(observations.count) values are no rows of \(dimensionCount)")
    }
    let count = observations.count / dimensionCount
    for (place, value) in observations.enumerated() {
      let (row, dimension) = place.quotientAndRemainder(dividingBy: dimensionCount)
      guard value.isFinite else { throw .notFinite(row: row, dimension: dimension) }
      guard value.magnitude <= 1e6 else { throw .outOfRange(row: row, dimension: dimension, value: value) }
    }
    func mean(_ value: (Int) -> Double) -> Double {
      count == 0 ? 0 : (0..<count).reduce(0) { $0 + value($1) } / Double(count)
    }
    let means = (0..<dimensionCount).map { place in mean { observations[$0 * dimensionCount + place] } }
    variances = (0..<dimensionCount).map { place in
      mean {
        let distance = observations[$0 * dimensionCount + place] - means[place]
        return distance * distance
      }
    }
    self.means = means
    self.observations = observations
    self.dimensionCount = dimensionCount
    self.count = count
  }
}
