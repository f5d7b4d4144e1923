/// Scores of one range beside what came true: a point of the reliability diagram.
public struct ReliabilityBin: Codable, Hashable, Sendable {
  /// The bin's number, from 0.
  public let bin: Int
  /// Rows in it.
  public let count: Int
  /// Mean score.
  public let meanScore: Double
  /// Share of rows that came true.
  public let frequency: Double

  /// How far the scores are from the truth.
  public var gap: Double { abs(frequency - meanScore) }

  /// The bins that are not empty: `places[i]` is the bin of row `i`.
  static func table(_ scores: [Double], _ truths: [Bool], places: [Int], binCount: Int) -> [ReliabilityBin] {
    var counts = [Int](repeating: 0, count: binCount)
    var sums = [Double](repeating: 0, count: binCount)
    var trues = [Int](repeating: 0, count: binCount)
    for (row, place) in places.enumerated() {
      counts[place] += 1
      sums[place] += scores[row]
      trues[place] += truths[row] ? 1 : 0
    }
    return (0..<binCount).filter { counts[$0] > 0 }.map {
      let count = Double(counts[$0])
      return ReliabilityBin(
        bin: $0, count: counts[$0], meanScore: sums[$0] / count, frequency: Double(trues[$0]) / count)
    }
  }

  /// The bins of equal width over [0, 1], right-closed: bin k holds `k / binCount < score <= (k + 1) / binCount`, and a score of 0
  /// is in bin 0.
  static func ofEqualWidth(_ scores: [Double], _ truths: [Bool], binCount: Int) -> [ReliabilityBin] {
    let edges = (1..<binCount).map { Double($0) / Double(binCount) }
    let places = scores.map { score in edges.count { $0 < score } }
    return table(scores, truths, places: places, binCount: binCount)
  }

  /// The bins of equal count: rows in the order of their scores, equal ones as they came, cut at ⌊k n / binCount⌋.
  static func ofEqualCount(_ scores: [Double], _ truths: [Bool], binCount: Int) -> [ReliabilityBin] {
    let order = scores.indices.sorted { (scores[$0], $0) < (scores[$1], $1) }
    var places = [Int](repeating: 0, count: scores.count)
    for bin in 0..<binCount {
      for place in (bin * scores.count / binCount)..<((bin + 1) * scores.count / binCount) {
        places[order[place]] = bin
      }
    }
    return table(scores, truths, places: places, binCount: binCount)
  }

  /// The mean gap, weighted by rows.
  static func expectedGap(_ bins: [ReliabilityBin]) -> Double {
    let count = Double(bins.reduce(0) { $0 + $1.count })
    return bins.reduce(0) { $0 + Double($1.count) / count * $1.gap }
  }
}
