import TradingTypes

/// The densities of a series under a model, an observation at a time.
struct SeriesEmissions {
  private let observations: [Double]
  private let isScalar: Bool
  private let scalar: ScalarEmissions
  private let vector: VectorEmissions

  init(_ series: ObservedSeries, _ model: HiddenMarkovModel) {
    observations = series.observations
    isScalar = model.dimensionCount == 1
    scalar = ScalarEmissions(model)
    vector = VectorEmissions(model)
  }

  /// Logarithms of the densities of observation `row`.
  func logDensities(at row: Int) -> StateVector {
    isScalar ? scalar.logDensities(at: observations[row]) : vector.logDensities(observations.span, row: row)
  }

  /// The densities divided by the largest, and the logarithm of that.
  func densities(at row: Int) -> (densities: StateVector, shift: Double) {
    let logarithms = logDensities(at: row)
    let shift = logarithms.largest
    return (.densities(ofLogarithms: logarithms, shift: shift, stateCount: scalar.stateCount), shift)
  }
}
