internal import TradingTypes

/// How the range that codes cover is chosen from what a value was seen to hold.
public enum RangeCalibration: Hashable, Sendable, CustomStringConvertible {
  /// From the smallest to the largest number seen: nothing seen is clipped.
  case minimumMaximum
  /// The same, both ends so many percent further from 0: rows to come go a little beyond what some hundreds show, and a
  /// value that saturates costs more than coarser codes.
  case headroom(Double)
  /// Leaves out a share of the numbers, half of it at each end: `percentile(99.99)` leaves out one in 10,000.
  case percentile(Double)
  /// The clipping of magnitudes that loses the least information, over a histogram of 2,048 bins.
  ///
  /// A histogram of few numbers is mostly gaps and would clip far too much: below 32,768 of them it is `minimumMaximum`.
  ///
  /// - Source: Migacz, "8-bit inference with TensorRT", GTC 2017: the Kullback-Leibler divergence of the codes' distribution
  ///   from the clipped one. Differs: non-negative values get 256 levels instead of 128.
  case entropy

  /// Its name as the tool takes it.
  public var description: String {
    switch self {
    case .minimumMaximum: "min-max"
    case .headroom(let percent): "headroom \(percent)"
    case .percentile(let percent): "percentile \(percent)"
    case .entropy: "entropy"
    }
  }

  /// The range for the numbers seen.
  ///
  /// - Complexity: O(samples × log samples), allocates.
  func range(of seen: CalibrationSamples) -> ClosedRange<Float> {
    guard seen.minimum < seen.maximum else { return seen.minimum...seen.minimum }
    switch self {
    case .minimumMaximum: return seen.minimum...seen.maximum
    case .headroom(let percent):
      // Non-negative values keep their 0.
      let factor = Float(1 + percent / 100)
      let low = seen.minimum < 0 ? seen.minimum * factor : seen.minimum
      return low...max(seen.maximum, seen.maximum * factor)
    case .percentile(let percent):
      let sorted = seen.numbers.sorted()
      let last = Double(sorted.count - 1)
      let tail = (100 - percent) / 200
      // Outwards: with few samples nothing is left out.
      let low = sorted[Int((last * tail).rounded(.down))]
      let high = sorted[Int((last * (1 - tail)).rounded(.up))]
      // The smallest and largest of all numbers stand at the ends, which a sample may have missed.
      let isWhole = Int((last * tail).rounded(.down)) == 0
      return isWhole ? seen.minimum...seen.maximum : low...max(low, high)
    case .entropy:
      guard seen.numbers.count >= 1 << 15 else { return seen.minimum...seen.maximum }
      let most = max(abs(seen.minimum), abs(seen.maximum))
      let levels = seen.minimum >= 0 || seen.maximum <= 0 ? 256 : 128
      let clip = Self.leastLoss(of: seen.numbers, upTo: most, levels: levels)
      return max(seen.minimum, -clip)...min(seen.maximum, clip)
    }
  }

  /// The magnitude at which clipping loses the least.
  private static func leastLoss(of numbers: [Float], upTo most: Float, levels: Int) -> Float {
    let binCount = 2_048
    var counts = [Double](repeating: 0, count: binCount)
    for number in numbers {
      counts[min(binCount - 1, Int(Double(abs(number)) / Double(most) * Double(binCount)))] += 1
    }
    var best = (loss: Double.infinity, bins: binCount)
    for bins in stride(from: levels, through: binCount, by: 8) {
      let loss = loss(of: counts, bins: bins, levels: levels)
      // On a tie the wider range: it clips less.
      if loss <= best.loss { best = (loss, bins) }
    }
    return most * Float(best.bins) / Float(binCount)
  }

  /// The divergence of `levels` codes over the first bins from those bins with everything beyond put into the last.
  private static func loss(of counts: [Double], bins: Int, levels: Int) -> Double {
    let kept = counts[..<bins]
    let clipped = counts[bins...].reduce(0, +)
    let total = kept.reduce(0, +) + clipped
    let keptTotal = total - clipped
    guard total > 0, keptTotal > 0 else { return .infinity }
    var loss = 0.0
    for level in 0..<levels {
      let range = level * bins / levels..<(level + 1) * bins / levels
      let sum = range.reduce(0) { $0 + kept[$1] }
      let filled = range.count { kept[$0] > 0 }
      for bin in range {
        let wanted = (kept[bin] + (bin == bins - 1 ? clipped : 0)) / total
        guard wanted > 0 else { continue }
        // A bin that the codes leave empty costs as if it held a millionth.
        let given = kept[bin] > 0 ? sum / Double(filled) / keptTotal : 1e-6
        loss += wanted * (DeterministicMath.log(wanted) - DeterministicMath.log(given))
      }
    }
    return loss
  }
}

/// Numbers seen in one place: their ends, and at most about a million of them.
struct CalibrationSamples {
  /// The smallest.
  private(set) var minimum = Float.infinity
  /// The largest.
  private(set) var maximum = -Float.infinity
  /// Some, spread evenly.
  private(set) var numbers: [Float] = []
  private var seenCount = 0
  private let stride: Int

  /// - Parameter expectedCount: numbers to come; of more than 2^20 every so manieth is kept.
  init(expectedCount: Int) { stride = max(1, expectedCount >> 20) }

  /// Standard deviation of the numbers kept.
  var deviation: Float {
    let mean = numbers.reduce(0.0) { $0 + Double($1) } / Double(max(1, numbers.count))
    let squares = numbers.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
    return Float((squares / Double(max(1, numbers.count))).squareRoot())
  }

  mutating func add(_ number: Float) {
    minimum = min(minimum, number)
    maximum = max(maximum, number)
    if seenCount % stride == 0 { numbers.append(number) }
    seenCount += 1
  }
}
