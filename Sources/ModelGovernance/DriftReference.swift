/// How a feature was distributed in training: nine edges and what lay between them.
///
/// The edges are the reference's quantiles 0.1 … 0.9 with linear interpolation; a value equal to an edge belongs to the bin below it.
/// Ties make edges equal and bins empty. Where the lowest edges tie, nothing could tell values of that number from values below it,
/// so the first edge of the *counting* moves to the next number below: bin 0 then holds what is less, bin 1 the number
/// itself, and the golden definition is the two together.
public struct DriftReference: Codable, Hashable, Sendable {
  /// Bins of a reference.
  public static let binCount = 10

  /// The quantiles, nine.
  public let edges: [Double]
  /// Finite values of the reference.
  public let count: Int
  /// Values in each bin between the counting edges, ten.
  public let binCounts: [Int]

  /// The distribution of `values`; those that are not finite are missing and left out.
  ///
  /// - Throws: fewer than one finite value.
  /// - Complexity: O(values log values).
  public init(_ values: [Double]) throws(GovernanceError) {
    try self.init(sorted: values.filter(\.isFinite).sorted())
  }

  init(sorted values: [Double]) throws(GovernanceError) {
    guard !values.isEmpty else { throw GovernanceError("reference: at least 1 finite value expected, none found") }
    edges = (1..<Self.binCount).map { Self.quantile(Double($0) / Double(Self.binCount), of: values) }
    count = values.count
    binCounts = Self.counts(of: values, edges: Self.countingEdges(edges))
  }

  /// The first rule the values break, or nil: for references that were read.
  public var fault: String? {
    guard edges.count == Self.binCount - 1, edges.allSatisfy(\.isFinite),
      zip(edges, edges.dropFirst()).allSatisfy({ $0 <= $1 })
    else { return "nine finite edges in order" }
    guard binCounts.count == Self.binCount, binCounts.allSatisfy({ $0 >= 0 && $0 <= 1 << 53 }) else {
      return "ten counts"
    }
    guard count >= 1, binCounts.reduce(0, +) == count else { return "counts that sum to the count" }
    return nil
  }

  /// Whether the lowest two edges are the same number.
  public var isTiedBelow: Bool { edges[0] == edges[1] }

  /// The edges to count by: for `DriftCounter`.
  public var countingEdges: [Double] { Self.countingEdges(edges) }

  /// How many of `values` lie in each bin between the counting edges; those that are not finite in none.
  public func counts(of values: [Double]) -> [Int] { Self.counts(of: values, edges: countingEdges) }

  /// Counts as the golden definition has them: bins 0 and 1 together where the lowest edges tie.
  func golden(_ counts: [Int]) -> [Int] {
    guard isTiedBelow else { return counts }
    return [counts[0] + counts[1], 0] + counts.dropFirst(2)
  }

  private static func countingEdges(_ edges: [Double]) -> [Double] {
    edges[0] == edges[1] ? [edges[0].nextDown] + edges.dropFirst() : edges
  }

  private static func counts(of values: [Double], edges: [Double]) -> [Int] {
    var counts = [Int](repeating: 0, count: binCount)
    for value in values where value.isFinite { counts[edges.count { $0 < value }] += 1 }
    return counts
  }

  /// Linear between the two neighbours, from the nearer one, so that both ends are exact.
  private static func quantile(_ share: Double, of sorted: [Double]) -> Double {
    let place = share * Double(sorted.count - 1)
    let low = Int(place)
    let high = min(low + 1, sorted.count - 1)
    let part = place - Double(low)
    let (a, b) = (sorted[low], sorted[high])
    // A difference of two finite numbers may overflow; half of it does not.
    let half = b / 2 - a / 2
    let value = part < 0.5 ? a + half * part * 2 : b - half * (1 - part) * 2
    return min(max(value, a), b)
  }
}
