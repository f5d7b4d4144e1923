/// Gaussian emissions of several dimensions, diagonal or full.
struct VectorEmissions {
  let stateCount: Int
  let dimensions: Int
  let form: HiddenMarkovModel.CovarianceForm
  /// `[states × dimensions]`, row-major.
  private(set) var means: [Double]
  /// `[states × dimensions × dimensions]`, each row-major.
  private(set) var covariances: [Double]
  private var factors: [CholeskyFactor]

  init(_ model: borrowing HiddenMarkovModel) {
    stateCount = model.stateCount
    dimensions = model.dimensionCount
    form = model.form
    means = model.means.flatMap { $0 }
    covariances = model.covariances.flatMap { $0 }
    factors = model.covariances.map { [dimensions] covariance in
      guard let factor = CholeskyFactor(covariance, dimensions) else {
        preconditionFailure("VectorEmissions: the covariances of a model are positive definite")
      }
      return factor
    }
  }

  /// Logarithms of the densities at observation `row`.
  func logDensities(_ observations: Span<Double>, row: Int) -> StateVector {
    var logarithms = StateVector(repeating: -.infinity)
    for state in 0..<stateCount {
      logarithms[state] = factors[state].logDensity(observations, row: row, means: means, state: state)
    }
    return logarithms
  }

  /// As of `ScalarEmissions`.
  ///
  /// - Complexity: O(observations × states × dimensions²), no allocation.
  func fill(_ densities: inout [StateVector], at observations: [Double]) -> Double {
    var densities = densities.mutableSpan
    let observations = observations.span
    var shifts = 0.0
    for row in densities.indices {
      let logarithms = logDensities(observations, row: row)
      let shift = logarithms.largest
      densities[row] = .densities(ofLogarithms: logarithms, shift: shift, stateCount: stateCount)
      shifts += shift
    }
    return shifts
  }

  /// As of `ScalarEmissions`; the state whose covariance is no longer positive definite, or nil.
  ///
  /// - Parameters:
  ///   - varianceFloors: `[dimensions]`.
  mutating func maximise(
    _ weights: [StateVector], _ occupancy: StateVector, at observations: [Double], varianceFloors: [Double]
  ) -> Int? {
    let weights = weights.span
    let observations = observations.span
    for place in means.indices { means[place] = 0 }
    for row in weights.indices {
      let weight = weights[row]
      for state in 0..<stateCount {
        for place in 0..<dimensions {
          means[state * dimensions + place] += weight[state] * observations[row * dimensions + place]
        }
      }
    }
    for state in 0..<stateCount {
      for place in 0..<dimensions { means[state * dimensions + place] /= occupancy[state] }
    }
    for place in covariances.indices { covariances[place] = 0 }
    for row in weights.indices { addSquares(weights[row], observations, row) }
    for state in 0..<stateCount {
      let offset = state * dimensions * dimensions
      for place in 0..<dimensions {
        for other in 0..<place {
          let covariance = covariances[offset + place * dimensions + other] / occupancy[state]
          covariances[offset + place * dimensions + other] = covariance
          covariances[offset + other * dimensions + place] = covariance
        }
        let diagonal = offset + place * dimensions + place
        covariances[diagonal] = max(covariances[diagonal] / occupancy[state], varianceFloors[place])
      }
      guard factors[state].replace(by: covariances, offset: offset) else { return state }
    }
    return nil
  }

  /// Adds one observation to the sums of squares: the lower triangle, or the diagonal alone.
  private mutating func addSquares(_ weight: StateVector, _ observations: Span<Double>, _ row: Int) {
    for state in 0..<stateCount {
      let offset = state * dimensions * dimensions
      var distances = InlineArray<8, Double>(repeating: 0)
      for place in 0..<dimensions {
        distances[place] = observations[row * dimensions + place] - means[state * dimensions + place]
        let weighted = weight[state] * distances[place]
        if form == .full {
          for other in 0..<place {
            covariances[offset + place * dimensions + other] += weighted * distances[other]
          }
        }
        covariances[offset + place * dimensions + place] += weighted * distances[place]
      }
    }
  }
}
