/// Why a hidden Markov model could not be fitted or run over a series.
///
/// Nothing is changed when one is thrown: who has parameters in force keeps them.
public enum HiddenMarkovError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Fewer observations than the model's free parameters can be estimated from.
  case tooFewObservations(count: Int, minimum: Int, freeParameters: Int)
  /// An observation is NaN or infinite.
  case notFinite(row: Int, dimension: Int)
  /// An observation so large that its square would drown all others, such as a price in place of a return.
  case outOfRange(row: Int, dimension: Int, value: Double)
  /// All observations of a dimension are equal, or nearly: no state differs from another.
  case constant(dimension: Int)
  /// One observation alone holds more than half of a dimension's sum of squares: a fit would describe it and nothing else.
  case outlier(row: Int, dimension: Int, value: Double)
  /// A state came to rest on a few observations, or on none: its likelihood grows without limit and says nothing.
  case collapsed(state: Int, occupancy: Double, variance: Double)
  /// No state that can be reached explains an observation: zero transitions or zero start probabilities rule it out.
  case impossible(row: Int)
  /// A number of the call itself is out of its range.
  case badRequest(String)

  /// One line for a person: what, where, what was expected.
  public var description: String {
    switch self {
    case .tooFewObservations(let count, let minimum, let freeParameters):
      "hidden Markov fit: \(count) observations, \(minimum) or more expected for \(freeParameters) free parameters"
    case .notFinite(let row, let dimension):
      "hidden Markov model: observation \(row), dimension \(dimension), is not a finite number"
    case .outOfRange(let row, let dimension, let value):
      "hidden Markov model: observation \(row), dimension \(dimension), is \(value), expected within ±1e6"
    case .constant(let dimension):
      "hidden Markov fit: dimension \(dimension) is constant, expected a variance above 1e-12"
    case .outlier(let row, let dimension, let value):
      "hidden Markov fit: observation \(row), dimension \(dimension), is \(value) and holds more than half of the sum "
        + "of squares; a series without the outlier expected"
    case .collapsed(let state, let occupancy, let variance):
      "hidden Markov fit: state \(state) collapsed onto \(occupancy) observations with variance \(variance); "
        + "fewer states, or a series without outliers, expected"
    case .impossible(let row):
      "hidden Markov model: observation \(row) is impossible in every state that can be reached; "
        + "positive transition and start probabilities expected"
    case .badRequest(let line):
      "hidden Markov model: \(line)"
    }
  }
}
