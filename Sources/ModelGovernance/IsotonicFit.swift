public import ModelInference

/// The best function of the score that never falls, by pooling adjacent violators.
///
/// `x` and `y` are its corners: straight lines between them, level outside. They are what the fit found, answers of 0 and 1 among
/// them; `calibration()` is what production may use.
///
/// - Source: Ayer, Brunk, Ewing, Reid, Silverman 1955; Zadrozny, Elkan 2002 for calibration. Corners as scikit-learn's
///   `IsotonicRegression` keeps them: rows of equal score are averaged first, and of a level stretch only the ends remain.
public struct IsotonicFit: Hashable, Sendable {
  /// Rows that a fit needs before production may use it.
  public static let productionCountMin = 1_000

  /// Scores of the corners, rising strictly.
  public let x: [Double]
  /// The function there, not falling.
  public let y: [Double]
  /// Rows fitted.
  public let count: Int

  private struct Block {
    var first: Double
    var last: Double
    var sum: Double
    var weight: Double
    var mean: Double { sum / weight }
  }

  private let blocks: [Block]

  /// Equal where the corners and rows are.
  public static func == (left: IsotonicFit, right: IsotonicFit) -> Bool {
    left.x == right.x && left.y == right.y && left.count == right.count
  }

  /// Hashes what `==` compares.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(x)
    hasher.combine(y)
    hasher.combine(count)
  }

  /// Fits scores to outcomes.
  ///
  /// - Throws: no rows, or values that are none.
  /// - Complexity: O(rows log rows).
  public init(scores: [Double], labels: [Bool]) throws(GovernanceError) {
    try CalibrationFit.check(scores, labels)
    count = scores.count
    var blocks: [Block] = []
    for row in scores.indices.sorted(by: { scores[$0] < scores[$1] }) {
      let truth = labels[row] ? 1.0 : 0.0
      if let last = blocks.last, last.last == scores[row] {
        blocks[blocks.count - 1].sum += truth
        blocks[blocks.count - 1].weight += 1
      } else {
        blocks.append(Block(first: scores[row], last: scores[row], sum: truth, weight: 1))
      }
    }
    var pooled: [Block] = []
    for block in blocks {
      var block = block
      while let before = pooled.last, before.mean >= block.mean {
        block = Block(
          first: before.first, last: block.last, sum: before.sum + block.sum, weight: before.weight + block.weight)
        pooled.removeLast()
      }
      pooled.append(block)
    }
    self.blocks = pooled
    (x, y) = Self.corners(pooled)
  }

  private static func corners(_ blocks: [Block]) -> (x: [Double], y: [Double]) {
    var x: [Double] = []
    var y: [Double] = []
    for block in blocks {
      x.append(block.first)
      y.append(block.mean)
      guard block.last > block.first else { continue }
      x.append(block.last)
      y.append(block.mean)
    }
    return (x, y)
  }

  /// The function at a score.
  public func probability(of score: Double) -> Double {
    guard let right = x.firstIndex(where: { $0 > score }) else { return y[y.count - 1] }
    guard right > 0 else { return y[0] }
    let slope = (y[right] - y[right - 1]) / (x[right] - x[right - 1])
    return slope.isFinite ? y[right - 1] + slope * (score - x[right - 1]) : y[right - 1]
  }

  /// The fit as production may use it: answers held in [0.001, 0.999], at most 256 corners.
  ///
  /// Where there are more, neighbouring stretches whose union costs least squared error are joined.
  ///
  /// - Throws: fewer than 1,000 rows, whose fit answers 0 and 1 from a handful of rows.
  public func calibration() throws(GovernanceError) -> Calibration {
    guard count >= Self.productionCountMin else {
      throw GovernanceError(
        "isotonic: at least \(Self.productionCountMin) rows expected, \(count) found; Platt's needs fewer")
    }
    let (x, y) = Self.corners(Self.joined(blocks, countMax: Calibration.knotsMax / 2))
    let range = Calibration.isotonicRange
    return .isotonic(x: x, y: y.map { min(max($0, range.lowerBound), range.upperBound) })
  }

  private static func joined(_ blocks: [Block], countMax: Int) -> [Block] {
    var blocks = blocks
    while blocks.count > countMax {
      // Ward's cost of each union; the cheapest unions without a common block, as many as are still too many.
      let costs = zip(blocks, blocks.dropFirst()).map { left, right in
        left.weight * right.weight / (left.weight + right.weight) * (right.mean - left.mean) * (right.mean - left.mean)
      }
      var isTaken = [Bool](repeating: false, count: blocks.count)
      var joinsNext = isTaken
      var excess = blocks.count - countMax
      for place in costs.indices.sorted(by: { (costs[$0], $0) < (costs[$1], $1) }) where excess > 0 {
        guard !isTaken[place], !isTaken[place + 1] else { continue }
        isTaken[place] = true
        isTaken[place + 1] = true
        joinsNext[place] = true
        excess -= 1
      }
      var next: [Block] = []
      for place in blocks.indices {
        if place > 0, joinsNext[place - 1] {
          next[next.count - 1].last = blocks[place].last
          next[next.count - 1].sum += blocks[place].sum
          next[next.count - 1].weight += blocks[place].weight
        } else {
          next.append(blocks[place])
        }
      }
      blocks = next
    }
    return blocks
  }
}
