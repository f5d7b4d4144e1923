import CAllocationCounter
import PositionSizing
import TestSupport
import Testing
import TradingTypes

// Goal: several assets at once are sized exactly, long only too, and never to NaN.
// Method: golden Fama-French figures, the enumeration of all sets in plain arrays as the slow twin, and bad input.
@Suite struct MultiAssetSizingTests {
  private func matrix(_ rows: [[Double]]) throws -> SymmetricMatrix {
    try SymmetricMatrix(count: rows.count, values: rows.flatMap(\.self))
  }

  private func sizing(_ share: Double, _ leverage: Double, isLongOnly: Bool) -> MultiAssetSizing {
    var sizing = MultiAssetSizing()
    sizing.kellyFraction = share
    sizing.leverageMax = leverage
    sizing.isLongOnly = isLongOnly
    return sizing
  }

  @Test(.enabled(if: GoldenKelly.isThere, "shared golden files are missing"), arguments: [false, true])
  func `the golden factors`(isShort: Bool) throws {
    let file = try GoldenKelly.load()
    let golden = isShort ? file.multi_asset_last_120 : file.multi_asset
    let all = try GoldenKelly.fractions("french_factors_monthly.csv", columns: 3)
    let rows = isShort ? Array(all.suffix(120)) : all
    let moments = try ReturnMoments(rows: rows)
    #expect(moments.observations == golden.n_obs)
    #expect(agrees(moments.mean, golden.mean, 1e-12))
    #expect(agrees(moments.covariance.values, golden.cov_sample_ddof1.flatMap(\.self), 1e-12))

    let portfolio = try PortfolioKelly(mean: moments.mean, covariance: moments.covariance)
    #expect(portfolio.factor.ridge == 0)
    #expect(agrees(portfolio.full, golden.full_kelly, 1e-8))
    #expect(agrees(portfolio.growth(portfolio.full), golden.growth_rate_full, 1e-8))
    #expect(agrees(portfolio.full.reduce(0) { $0 + abs($1) }, golden.gross_leverage_full, 1e-8))
    #expect(agrees(portfolio.scaled(share: 0.5, leverageMax: .infinity), golden.half_kelly, 1e-8))
    #expect(agrees(portfolio.scaled(leverageMax: 2), golden.scaled_to_gross_2, 1e-8))

    let shrunk = try LedoitWolfCovariance(rows: rows)
    #expect(agrees(shrunk.shrinkage, golden.ledoit_wolf_shrinkage, 1e-8))
    #expect(agrees(shrunk.covariance.values, golden.ledoit_wolf_cov.flatMap(\.self), 1e-8))
    let shrunkKelly = try PortfolioKelly(mean: moments.mean, covariance: shrunk.covariance)
    #expect(agrees(shrunkKelly.full, golden.kelly_ledoit_wolf_cov, 1e-8))

    let stein = try BayesSteinMean(moments)
    #expect(agrees(stein.weight, golden.bayes_stein.weight, 1e-8))
    #expect(agrees(stein.grandMean, golden.bayes_stein.grand_mean, 1e-8))
    #expect(agrees(stein.mean, golden.bayes_stein.mean, 1e-8))
    let steinKelly = try PortfolioKelly(mean: stein.mean, covariance: moments.covariance)
    #expect(agrees(steinKelly.full, golden.bayes_stein.kelly, 1e-8))

    // The hot form gives the same.
    let (mean, covariance) = (AssetVector(moments.mean), AssetCovariance(moments.covariance))
    let full = sizing(1, 1000, isLongOnly: false).size(mean: mean, covariance: covariance)
    #expect(full.reason == .complete && full.scale == 1 && agrees(full.fractions.array, golden.full_kelly, 1e-8))
    let scaled = sizing(1, 2, isLongOnly: false).size(mean: mean, covariance: covariance)
    #expect(agrees(scaled.fractions.array, golden.scaled_to_gross_2, 1e-8))
    #expect(agrees(scaled.scale, 2 / golden.gross_leverage_full, 1e-8))
    for (leverage, long) in [(1.0, golden.long_only_sum_le_1), (2.0, golden.long_only_sum_le_2)] {
      let outcome = sizing(1, leverage, isLongOnly: true).size(mean: mean, covariance: covariance)
      #expect(outcome.reason == .complete && outcome.leveragePrice > 0)
      #expect(agrees(outcome.fractions.array, long.f, 1e-8))
      #expect(agrees(portfolio.growth(outcome.fractions.array), long.objective, 1e-8))
      let slow = try portfolio.longOnly(leverageMax: leverage)
      #expect(slow.isConverged && agrees(slow.fractions, long.f, 1e-8))
    }
  }

  @Test func `a singular covariance takes the ridge once and is never NaN`() throws {
    let covariance = try matrix([[0.04, 0.04], [0.04, 0.04]])
    let portfolio = try PortfolioKelly(mean: [0.05, 0.03], covariance: covariance)
    #expect(agrees(portfolio.factor.ridge, 4e-10, 1e-12))
    #expect(portfolio.full.allSatisfy { $0.isFinite })
    let (mean, fixed) = (AssetVector([0.05, 0.03]), AssetCovariance(covariance))
    let short = sizing(1, 2, isLongOnly: false).size(mean: mean, covariance: fixed)
    #expect(short.reason == .complete && agrees(short.ridge, 4e-10, 1e-12))
    #expect(agrees(short.fractions.array, [1, -1], 1e-6))
    let long = sizing(1, 2, isLongOnly: true).size(mean: mean, covariance: fixed)
    // The better of two assets that move as one: 0.05 / 0.04.
    #expect(long.reason == .complete && agrees(long.fractions.array, [1.25, 0], 1e-6))
    // Not a covariance: the ridge does not help.
    let wrong = try matrix([[0.04, 0.09], [0.09, 0.04]])
    #expect(throws: ConfigurationError.self) { try PortfolioKelly(mean: [0.05, 0.03], covariance: wrong) }
    let refused = sizing(1, 2, isLongOnly: true).size(mean: mean, covariance: AssetCovariance(wrong))
    #expect(refused.reason == .singular && refused.fractions.array == [0, 0])
    let zeros = sizing(1, 2, isLongOnly: true).size(mean: mean, covariance: AssetCovariance(zeros: 2))
    #expect(zeros.reason == .singular && zeros.fractions.array == [0, 0])
  }

  @Test(arguments: Seeds.brief) func `every size equals its slow twins`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    var bound = 0
    var partly = 0
    var guesses = 0
    for _ in 0..<40 {
      let count = 1 + random.below(8)
      let (mean, covariance) = try draw(count, &random)
      let share = 0.1 + 0.9 * random.unit()
      let leverage = [0.2, 1, 3][random.below(3)] * (0.5 + random.unit())
      let outcome = sizing(share, leverage, isLongOnly: true).size(
        mean: AssetVector(mean), covariance: AssetCovariance(covariance))
      let twin = ReferenceLongOnly.solve(
        mean: mean.map { share * $0 }, covariance: covariance, sumMax: leverage)
      let fractions = outcome.fractions.array
      #expect(outcome.reason == .complete, "seed \(seed)")
      #expect(agrees(fractions, twin, 1e-7) || zip(fractions, twin).allSatisfy { abs($0 - $1) < 1e-9 }, "seed \(seed)")
      #expect(fractions.allSatisfy { $0 >= 0 } && fractions.reduce(0, +) <= leverage * (1 + 1e-12), "seed \(seed)")
      bound += outcome.leveragePrice > 0 ? 1 : 0
      partly += fractions.contains(0) ? 1 : 0
      guesses = max(guesses, outcome.guesses)
      let portfolio = try PortfolioKelly(mean: mean, covariance: covariance)
      let slow = try portfolio.longOnly(share: share, leverageMax: leverage)
      #expect(slow.isConverged && zip(slow.fractions, twin).allSatisfy { abs($0 - $1) < 1e-6 }, "seed \(seed)")
      let short = sizing(share, leverage, isLongOnly: false).size(
        mean: AssetVector(mean), covariance: AssetCovariance(covariance))
      #expect(
        agrees(short.fractions.array, portfolio.scaled(share: share, leverageMax: leverage), 1e-8), "seed \(seed)")
    }
    #expect(bound > 5 && partly > 5 && guesses > 1, "seed \(seed): \(bound) \(partly) \(guesses)")
  }

  // Where assets are nearly alike guesses go in circles: then the climb answers, in some steps more and never by trying every set.
  @Test(arguments: Seeds.brief) func `assets that are nearly alike are sized in few steps`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    var climbs = 0
    for round in 0..<400 {
      let loads = (0..<8).map { _ in (0..<6).map { _ in random.unit() - 0.5 } }
      let noise = [1e-2, 1e-3, 1e-4][round % 3]
      var values: [Double] = []
      for row in 0..<8 {
        for column in 0..<8 {
          let common = zip(loads[row], loads[column]).map { $0 * $1 }.reduce(0, +)
          values.append(common + (row == column ? noise : 0))
        }
      }
      let mean: [Double] = (0..<8).map { _ in 0.1 * (random.unit() - 0.5) }
      let covariance = try SymmetricMatrix(count: 8, values: values)
      let leverage = [0.1, 1.5, 1000][random.below(3)]
      let outcome = sizing(1, leverage, isLongOnly: true).size(
        mean: AssetVector(mean), covariance: AssetCovariance(covariance))
      #expect(outcome.reason == .complete && outcome.guesses <= 30, "seed \(seed), round \(round): \(outcome)")
      guard outcome.guesses > 6 else { continue }
      climbs += 1
      let twin = ReferenceLongOnly.solve(mean: mean, covariance: covariance, sumMax: leverage)
      func objective(_ f: [Double]) -> Double {
        let gain: Double = zip(mean, f).map { $0 * $1 }.reduce(0, +)
        return gain - 0.5 * covariance.quadratic(f)
      }
      let found = outcome.fractions.array
      #expect(
        found.allSatisfy { $0 >= 0 } && found.reduce(0, +) <= leverage * (1 + 1e-9), "seed \(seed), round \(round)")
      #expect(abs(objective(found) - objective(twin)) <= 1e-9 * objective(twin), "seed \(seed), round \(round)")
    }
    #expect(climbs > 0, "seed \(seed)")
  }

  /// Means of either sign, and a covariance of a few common factors.
  private func draw(_ count: Int, _ random: inout SplitMix64) throws -> ([Double], SymmetricMatrix) {
    let loads = (0..<count).map { _ in (0..<3).map { _ in 0.03 * (random.unit() - 0.3) } }
    var covariance = SymmetricMatrix(zeros: count)
    for row in 0..<count {
      for column in 0...row {
        var sum = row == column ? 1e-4 + 1e-3 * random.unit() : 0
        for factor in 0..<3 { sum += loads[row][factor] * loads[column][factor] }
        covariance[row, column] = sum
      }
    }
    return ((0..<count).map { _ in 0.002 * (random.unit() - 0.4) }, covariance)
  }

  @Test(arguments: Seeds.brief) func `whatever goes in, finite fractions within the leverage come out`(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let strange = [Double.nan, .infinity, -.infinity, 0, 1e308, -1e308, .leastNonzeroMagnitude, -1, 1]
    for _ in 0..<2_000 {
      let count = 1 + random.below(8)
      var mean = AssetVector(zeros: count)
      var covariance = AssetCovariance(zeros: count)
      let isWild = random.below(2) == 0
      func number() -> Double { isWild ? strange[random.below(strange.count)] : random.unit() - 0.5 }
      for row in 0..<count {
        mean[row] = number()
        for column in 0...row { covariance[row, column] = number() }
      }
      let sizing = sizing(random.unit(), 2 * random.unit(), isLongOnly: random.below(2) == 0)
      let outcome = sizing.size(mean: mean, covariance: covariance)
      let fractions = outcome.fractions.array
      let gross = fractions.reduce(0) { $0 + abs($1) }
      #expect(gross.isFinite && gross <= sizing.leverageMax * (1 + 1e-9), "seed \(seed) \(fractions)")
      #expect(!sizing.isLongOnly || fractions.allSatisfy { $0 >= 0 }, "seed \(seed)")
      #expect(outcome.reason == .complete || gross == 0, "seed \(seed)")
    }
  }

  @Test func `moments and matrices refuse what they cannot use`() {
    func refuses(_ reason: String, _ body: () throws -> Void) {
      do {
        try body()
        Issue.record("not refused: \(reason)")
      } catch { #expect("\(error)".contains(reason), "\(error)") }
    }
    refuses("row 1, asset 0 is nan") { _ = try ReturnMoments(rows: [[0.1], [.nan]]) }
    refuses("row 1 has 2 values") { _ = try LedoitWolfCovariance(rows: [[0.1], [0.1, 0.2]]) }
    refuses("1 rows") { _ = try ReturnMoments(rows: [[0.1]]) }
    refuses("its mirror") { _ = try SymmetricMatrix(count: 2, values: [1, 0.5, 0.4, 1]) }
    refuses("row 0, column 1 is nan") { _ = try SymmetricMatrix(count: 2, values: [1, .nan, .nan, 1]) }
    refuses("expected 4") { _ = try SymmetricMatrix(count: 2, values: [1]) }
    refuses("2 means for 1 assets") { _ = try PortfolioKelly(mean: [1, 2], covariance: SymmetricMatrix(zeros: 1)) }
    refuses("kellyFraction is 2.0") { try sizing(2, 1, isLongOnly: true).validate() }
  }

  @Test func `constant returns shrink to nothing and say so`() throws {
    let shrunk = try LedoitWolfCovariance(rows: [[0.1, 0.2], [0.1, 0.2], [0.1, 0.2]])
    #expect(shrunk.shrinkage == 0 && shrunk.covariance.values.allSatisfy { $0.magnitude < 1e-30 })
  }

  @Test(.enabled(if: countsAllocations)) func `sizing eight assets allocates nothing`() throws {
    var random = SplitMix64(seed: 7)
    let (mean, matrix) = try draw(8, &random)
    let (vector, covariance) = (AssetVector(mean), AssetCovariance(matrix))
    let sizing = MultiAssetSizing()
    var sum = 0.0
    let counts = counting {
      for round in 0..<1_000 {
        var changed = vector
        changed[round & 7] += 1e-4
        sum += sizing.size(mean: changed, covariance: covariance).fractions[0]
      }
    }
    #expect(counts.allocations == 0 && counts.retains == 0 && sum.isFinite, "\(counts)")
  }
}

/// The long-only maximum by trying every set of assets with and without the leverage limit, in plain arrays.
enum ReferenceLongOnly {
  static func solve(mean: [Double], covariance: SymmetricMatrix, sumMax: Double) -> [Double] {
    let count = mean.count
    var best = [Double](repeating: 0, count: count)
    var bestObjective = 0.0
    for set in 1..<(1 << count) {
      let members = (0..<count).filter { set >> $0 & 1 == 1 }
      for isBound in [false, true] {
        // Rows: Σ f + ν = μ for the members, and Σ f = sumMax where the limit binds.
        var rows = members.map { row in
          members.map { covariance[row, $0] } + (isBound ? [1] : []) + [mean[row]]
        }
        if isBound { rows.append(members.map { _ in 1 } + [0, sumMax]) }
        let x = eliminate(rows)
        var f = [Double](repeating: 0, count: count)
        for (place, asset) in members.enumerated() { f[asset] = x[place] }
        guard f.allSatisfy({ $0 >= 0 }), f.reduce(0, +) <= sumMax * (1 + 1e-12) else { continue }
        let objective = zip(mean, f).reduce(0) { $0 + $1.0 * $1.1 } - 0.5 * covariance.quadratic(f)
        if objective > bestObjective { (best, bestObjective) = (f, objective) }
      }
    }
    return best
  }

  /// Gaussian elimination with the largest pivot.
  private static func eliminate(_ augmented: [[Double]]) -> [Double] {
    var rows = augmented
    let count = rows.count
    for column in 0..<count {
      let pivot = (column..<count).max { abs(rows[$0][column]) < abs(rows[$1][column]) }!
      rows.swapAt(column, pivot)
      for row in 0..<count where row != column {
        let factor = rows[row][column] / rows[column][column]
        for place in column...count { rows[row][place] -= factor * rows[column][place] }
      }
    }
    return (0..<count).map { rows[$0][count] / rows[$0][$0] }
  }
}
