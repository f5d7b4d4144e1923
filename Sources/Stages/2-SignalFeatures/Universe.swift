internal import LockFreeRings
public import TradingTypes

/// What some of an engine's instruments add to the cross-section at a bar's end; parts of several engines add up.
///
/// Everything is an integer, so the order of the additions does not matter: however the instruments are spread over engines,
/// the total is the same.
@frozen public struct UniverseSample: BitwiseCopyable, Hashable, Sendable {
  /// Instruments with a `return20`, and Σ and Σ² of it in units of 2^−40.
  public var count: Int64 = 0
  /// Σ of the returns.
  public var sum: Int128 = 0
  /// Σ of their squares.
  public var squareSum: Int128 = 0
  /// Instruments whose last bar closed above the one before.
  public var advances: Int64 = 0
  /// Instruments whose last bar closed below the one before.
  public var declines: Int64 = 0

  /// Of no instruments.
  @inlinable public init() {}

  /// Adds another engine's part.
  @inlinable public mutating func add(_ other: UniverseSample) {
    // Wrapping: returns are below 2^43 units and instruments at most 2^20, so sums stay below 2^107.
    count &+= other.count
    sum &+= other.sum
    squareSum &+= other.squareSum
    advances &+= other.advances
    declines &+= other.declines
  }
}

/// One instrument of the cross-section.
@frozen @usableFromInline struct UniverseMember: BitwiseCopyable {
  /// End of the last closed bar, its returns over one and twenty bars, and whether those are known.
  @usableFromInline var endTime: Timestamp
  @usableFromInline var return1: Double
  @usableFromInline var return20: Double
  @usableFromInline var hasReturn1: Bool
  @usableFromInline var hasReturn20: Bool
  /// The return over twenty bars was part of the last sample, and what it was, in units of 2^−40.
  @usableFromInline var isSampled: Bool
  @usableFromInline var sampled: Int64

  @inlinable init() {
    endTime = .distantPast
    return1 = 0
    return20 = 0
    hasReturn1 = false
    hasReturn20 = false
    isSampled = false
    sampled = 0
  }

  /// The return from one price to another, both positive and below 2^53.
  static func change(of price: Int64, from start: Int64) -> Double { Double(price &- start) / Double(start) }

  /// A return in units of 2^−40, held within ±800 %.
  @inlinable static func units(_ value: Double) -> Int64 {
    Int64((max(-8, min(8, value)) * 0x1p40).rounded())
  }
}

/// Slots 85 and 86: the universe at the last bar's end.
@frozen @usableFromInline struct UniverseState: BitwiseCopyable {
  /// When it was sampled.
  @usableFromInline var time: Timestamp
  /// Mean and sample standard deviation of `return20` in units of 2^−40; the latter 0 where there is none.
  @usableFromInline var mean: Double
  @usableFromInline var deviation: Double
  /// Average of advances over advances and declines, its weight that of an EMA of ten bars, begun by the first sample.
  @usableFromInline var breadth: ExponentialAverage
  @usableFromInline var sampleCount: Int64

  @inlinable init() {
    time = .distantPast
    mean = 0
    deviation = 0
    breadth = ExponentialAverage(length: 10, seedCount: 1)
    sampleCount = 0
  }

  /// At least two instruments have differing returns.
  @inlinable var hasSpread: Bool { deviation > 0 }
  /// Ten samples are in the average.
  @inlinable var isWarm: Bool { sampleCount >= 10 }

  /// A member's sampled return in standard deviations from the universe's mean; 0 where there is no spread.
  ///
  /// - Source: Jegadeesh and Titman 1993 rank by past return; the score is ours.
  @inlinable @inline(__always) func strength(of sampled: Int64) -> Double {
    FeatureArithmetic.ratio(Double(sampled) - mean, deviation)
  }

  /// Takes over the total of all instruments.
  ///
  /// - Source: Zweig 1986, "Winning on Wall Street", for the breadth thrust.
  mutating func take(_ total: UniverseSample, at end: Timestamp) {
    time = end
    sampleCount += 1
    let n = Int128(total.count)
    mean = n > 0 ? Double(approximating: total.sum) / Double(total.count) : 0
    // Exact: n ≤ 2^20, sums as in `UniverseSample.add`; so products are below 2^127.
    let squares = n &* total.squareSum &- total.sum &* total.sum
    deviation =
      n > 1 && squares > 0 ? (Double(approximating: squares) / Double(approximating: n * (n - 1))).squareRoot() : 0
    breadth.update(FeatureArithmetic.ratio(Double(total.advances), Double(total.advances + total.declines)))
  }
}

extension FeatureEngine {
  /// What this engine's instruments add to the cross-section at `end`, a bar's end that time has reached.
  ///
  /// A primary bar that ended at or before `end` counts, whether or not a message has closed it yet. Instruments whose last
  /// bar is older than the bars' age of staleness have no return; only bars that ended since the last sample advance or decline.
  /// - Complexity: O(instruments), a few nanoseconds each; no allocation.
  public mutating func sampleUniverse(at end: Timestamp) -> UniverseSample {
    var sample = UniverseSample()
    for index in 0..<instrumentCount {
      let member = lastBar(of: index, at: end)
      members[index].isSampled = false
      guard member.endTime > .distantPast, end - member.endTime <= constants.primaryStaleAge else { continue }
      if member.hasReturn1 && member.endTime > universe.time {
        sample.advances += member.return1 > 0 ? 1 : 0
        sample.declines += member.return1 < 0 ? 1 : 0
      }
      guard member.hasReturn20 else { continue }
      let units = UniverseMember.units(member.return20)
      members[index].isSampled = true
      members[index].sampled = units
      sample.count += 1
      sample.sum += Int128(units)
      sample.squareSum += Int128(units) * Int128(units)
    }
    return sample
  }

  /// Sets slots 85 and 86 from the samples of all engines at `end`, added up; sums that no samples have change nothing.
  public mutating func takeUniverse(_ total: UniverseSample, at end: Timestamp) {
    let isSound =
      (0...1 << 20).contains(total.count) && total.sum.magnitude <= UInt128(total.count) << 43
      && total.squareSum >= 0 && total.squareSum.magnitude <= UInt128(total.count) << 86
      && (0...1 << 20).contains(total.advances) && (0...1 << 20).contains(total.declines)
    guard isSound, end > universe.time else { return }
    universe.take(total, at: end)
  }

  /// The last primary bar that ended at or before `end`: the last closed one, or the open one where it is complete.
  private mutating func lastBar(of index: Int, at end: Timestamp) -> UniverseMember {
    let place = index * timeframeCount
    var member = members[index]
    guard builders[place].isOpen, builders[place].endTime <= end else { return member }
    member.endTime = builders[place].endTime
    let isFirst = !builders[place].hasClosed || builders[place].isResetDue
    let price = builders[place].last
    member.hasReturn1 = !isFirst
    member.return1 = isFirst ? 0 : UniverseMember.change(of: price, from: builders[place].closedLast)
    // Flat bars that are still to come lie between the last closed bar and this one.
    let flats = Int(builders[place].flatsLeft)
    let count = bars[place].features.count + flats
    member.hasReturn20 = !isFirst && count >= 20
    guard member.hasReturn20 else { return member }
    let start = flats >= 20 ? builders[place].closedLast : bars[place].features.closes.value(age: 19 - flats)
    member.return20 = UniverseMember.change(of: price, from: start)
    return member
  }

  /// Remembers the returns of a primary bar that has been closed.
  mutating func noteClose(_ index: Int, endTime: Timestamp) {
    let place = index * timeframeCount
    let count = bars[place].features.count
    members[index].endTime = endTime
    members[index].hasReturn1 = count > 1
    members[index].hasReturn20 = count > 20
    members[index].return1 = bars[place].features.simpleReturn(lag: 1)
    members[index].return20 = bars[place].features.simpleReturn(lag: 20)
  }
}
