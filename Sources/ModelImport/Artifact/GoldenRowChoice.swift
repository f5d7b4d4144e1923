public import ModelInference

/// Rows worth keeping in an artifact when nobody brings any: values at and beside what a model asks, and gaps.
public enum GoldenRowChoice {
  /// Rows for `model`, the same each time: at thresholds and the next numbers beside them, or within the reach of a
  /// network's inputs; one value in sixteen is missing.
  ///
  /// - Parameter count: windows to make; `window − 1` rows more are made.
  public static func rows(for model: EnsembleModel, count: Int = 32) -> [[Float]] {
    var random = Numbers(state: model.schemaHash | 1)
    let choices = model.features.indices.map { values(of: $0, in: model) }
    return (0..<(count + model.window - 1)).map { _ in
      choices.map { list in
        if random.below(16) == 0 || list.isEmpty { return list.isEmpty && random.below(2) == 0 ? 0 : .nan }
        let value = list[random.below(list.count)]
        let near = [value, value.nextUp, value.nextDown][random.below(3)]
        return near.isFinite ? near : value
      }
    }
  }

  private static func values(of feature: Int, in model: EnsembleModel) -> [Float] {
    var list: [Float] = []
    for member in model.members {
      switch member.kind {
      case .forest(let forest):
        for column in forest.columns where column.feature == feature {
          switch column.sight {
          case .thresholds(let thresholds, _): list += thresholds
          case .categories(let sets, _): list += (0..<(32 * (sets.map(\.count).max() ?? 1))).map { Float($0) }
          }
        }
      case .network(let network):
        guard let place = network.inputs.firstIndex(of: feature) else { continue }
        if let quantised = network.quantised {
          let step = 1 / quantised.input.factors[place]
          let unit = quantised.input.divides ? quantised.input.factors[place] : step
          // Over all 255 codes, and beyond them.
          list += (-8...8).map { quantised.input.centers[place] + Float(20 * $0) * unit }
        } else if let float = network.float {
          let middle = float.missingValues[place]
          list += (-4...4).map { middle + Float($0) * max(abs(middle), 1) / 2 }
        }
      }
    }
    return list.filter(\.isFinite)
  }

  /// SplitMix64 (Steele, Lea, Flood 2014).
  private struct Numbers {
    var state: UInt64

    mutating func below(_ count: Int) -> Int {
      // Wrapping: the generator is defined modulo 2^64.
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return Int((z ^ (z >> 31)) % UInt64(count))
    }
  }
}
