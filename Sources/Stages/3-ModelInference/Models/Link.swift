internal import TradingTypes

/// From a model's raw score to what it predicts.
public enum Link: Hashable, Sendable {
  /// The raw score itself: a regression or a ranking.
  case identity
  /// `1 / (1 + exp(−scale × raw))`, each output for itself.
  case logistic(scale: Double)
  /// `exp(raw_k) / Σ exp(raw_j)` over the outputs.
  case softmax
  /// `exp(raw)`: a logarithmic link.
  case exponential

  /// What the raw scores predict, one value an output.
  ///
  /// - Complexity: O(outputs), allocates the list.
  public func predictions(_ raw: [Double]) -> [Double] {
    switch self {
    case .identity: return raw
    case .logistic(let scale): return raw.map { DeterministicMath.sigmoid(scale * $0) }
    case .exponential: return raw.map { DeterministicMath.exp($0) }
    case .softmax:
      // The largest becomes exp(0), so that nothing overflows.
      let most = raw.max() ?? 0
      let powers = raw.map { DeterministicMath.exp($0 - most) }
      let sum = powers.reduce(0, +)
      return powers.map { $0 / sum }
    }
  }

  /// Whether its numbers are finite and positive where they must be.
  var isSound: Bool {
    if case .logistic(let scale) = self { return scale.isFinite && scale > 0 }
    return true
  }
}
