/// What stands between the columns of a value and single features: an imputer and scalers, in single precision.
///
/// Trees behind them can ask the features themselves, because each step is monotone also after rounding: `scaled(x) <= t` holds
/// exactly up to some largest `x`.
struct FeatureFront: Hashable {
  /// One column.
  struct Column: Hashable {
    var feature: Int
    /// Stands in for NaN.
    var missing: Float?
    /// `(x − offset) × scale`, one after the other.
    var steps: [Step] = []
  }

  struct Step: Hashable {
    var offset: Float
    var scale: Float
  }

  var columns: [Column]

  init(count: Int) { columns = (0..<count).map { Column(feature: $0) } }

  func selected(_ order: [Int]) -> FeatureFront {
    var result = self
    result.columns = order.map { columns[$0] }
    return result
  }

  mutating func append(_ other: FeatureFront) { columns += other.columns }
}

extension FeatureFront.Column {
  /// The column of a feature value.
  func value(_ x: Float) -> Float { steps.reduce(x) { ($0 - $1.offset) * $1.scale } }

  /// Whether larger features make smaller columns; nil where a scale is 0 or no number.
  var isReversed: Bool? {
    var isReversed = false
    for step in steps {
      guard step.scale.isFinite, step.scale != 0, step.offset.isFinite else { return nil }
      if step.scale < 0 { isReversed.toggle() }
    }
    return isReversed
  }

  /// The largest feature value that `holds`, where it holds for all below and for none above; nil where there is no finite one.
  static func largest(where holds: (Float) -> Bool) -> Float? {
    // Floats in order: the bit patterns, those of negative numbers turned around.
    func float(_ rank: Int64) -> Float {
      rank >= 0 ? Float(bitPattern: UInt32(rank)) : -Float(bitPattern: UInt32(-rank))
    }
    let top = Int64(Float.greatestFiniteMagnitude.bitPattern)
    var low = -top
    var high = top
    guard holds(float(low)) else { return nil }
    if holds(float(high)) { return float(high) }
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if holds(float(middle)) { low = middle } else { high = middle }
    }
    return float(low)
  }
}
