internal import Foundation

/// Distances between two distributions. Off the hot path.
public enum DriftStatistics {
  /// What an empty bin's share counts as in the population stability index.
  public static let shareFloor = 1e-4

  /// Population stability index: `Σ (live − reference) · ln(live / reference)` over shares held at least 1e-4, not rescaled.
  ///
  /// 0 where either has no values.
  ///
  /// - Precondition: as many live bins as reference bins.
  public static func psi(reference: [Int], live: [Int]) -> Double {
    precondition(reference.count == live.count, "DriftStatistics: the same bins")
    guard let (p, q) = shares(reference, live) else { return 0 }
    return zip(p, q).reduce(0) {
      let (p, q) = (max($1.0, shareFloor), max($1.1, shareFloor))
      return $0 + (q - p) * log(q / p)
    }
  }

  /// What the index is on average when nothing changed: `(bins − 1)(1/n + 1/m)`.
  public static func psiNullMean(reference: Int, live: Int, binCount: Int = DriftReference.binCount) -> Double {
    Double(binCount - 1) * (1 / Double(reference) + 1 / Double(live))
  }

  /// Jensen–Shannon divergence over the bins, natural logarithm, not its root: from 0 to ln 2.
  ///
  /// 0 where either has no values; empty bins need no floor.
  ///
  /// - Precondition: as many live bins as reference bins.
  /// - Source: Lin 1991, "Divergence measures based on the Shannon entropy", IEEE IT 37, equal weights.
  public static func jsd(reference: [Int], live: [Int]) -> Double {
    precondition(reference.count == live.count, "DriftStatistics: the same bins")
    guard let (p, q) = shares(reference, live) else { return 0 }
    let sum = zip(p, q).reduce(0) {
      let (p, q) = $1
      let middle = (p + q) / 2
      return $0 + (p > 0 ? p * log(p / middle) : 0) + (q > 0 ? q * log(q / middle) : 0)
    }
    return max(0, sum / 2)
  }

  /// Kolmogorov–Smirnov: the largest distance between the two distribution functions; 0 where either has no values.
  ///
  /// - Precondition: both are sorted and finite.
  /// - Complexity: O(values).
  public static func ks(sortedReference a: [Double], sortedLive b: [Double]) -> Double {
    guard !a.isEmpty, !b.isEmpty else { return 0 }
    var most = 0.0
    var i = 0
    var j = 0
    while i < a.count, j < b.count {
      // Past every value equal to the least one, in both: the functions are compared between values only.
      let value = min(a[i], b[j])
      while i < a.count, a[i] == value { i += 1 }
      while j < b.count, b[j] == value { j += 1 }
      most = max(most, abs(Double(i) / Double(a.count) - Double(j) / Double(b.count)))
    }
    return most
  }

  /// Kolmogorov–Smirnov at the bins' edges only: at most the distance over all values, and all a counter can know.
  ///
  /// - Precondition: as many live bins as reference bins.
  public static func ks(referenceBins: [Int], liveBins: [Int]) -> Double {
    precondition(referenceBins.count == liveBins.count, "DriftStatistics: the same bins")
    guard let (p, q) = shares(referenceBins, liveBins) else { return 0 }
    var most = 0.0
    var gap = 0.0
    for (p, q) in zip(p, q) {
      gap += p - q
      most = max(most, abs(gap))
    }
    return min(1, most)
  }

  /// The chance of a Kolmogorov–Smirnov distance at least this large between two samples of one continuous distribution.
  ///
  /// - Source: Stephens 1970, JRSS B 32: Kolmogorov's series at `(√n + 0.12 + 0.11/√n) · distance`, n the samples' harmonic size;
  ///   within a few percent of the exact chance from 20 values of each on. Ties make it too large.
  public static func ksChance(distance: Double, reference: Int, live: Int) -> Double {
    guard reference > 0, live > 0, distance > 0 else { return 1 }
    let size = (Double(reference) * Double(live) / Double(reference + live)).squareRoot()
    let x = (size + 0.12 + 0.11 / size) * distance
    // Below it the series converges slowly and its sum is above 0.9999999.
    guard x > 0.3 else { return 1 }
    var sum = 0.0
    for k in 1...100 {
      let term = exp(-2 * Double(k * k) * x * x)
      sum += k % 2 == 1 ? term : -term
      if term < 1e-18 { break }
    }
    return min(1, max(0, 2 * sum))
  }

  private static func shares(_ reference: [Int], _ live: [Int]) -> ([Double], [Double])? {
    let (n, m) = (reference.reduce(0, +), live.reduce(0, +))
    guard n > 0, m > 0 else { return nil }
    return (reference.map { Double($0) / Double(n) }, live.map { Double($0) / Double(m) })
  }
}
