// Goal: every number a histogram gives is as exact as it says. Method: a sorted array of the same values is the twin; seeded
// values of every size, with edges of buckets among them.
import CAllocationCounter
import EngineTelemetry
import LockFreeRings
import TestSupport
import Testing
import TradingTypes

/// The slow twin: keeps all values, clamped below, and sorts.
private struct SortedLatencies {
  var values: [Int64] = []
  mutating func record(_ value: Int64) { values.append(max(0, value)) }
  /// The value of nearest rank, by counting: the smallest with at least the share of all values at or below it.
  func nearestRank(_ percentile: Percentile) -> Int64? {
    let needed = Int128(10) * 1_000_000
    guard Int128(values.count) * Int128(1_000_000 - percentile.millionths) >= needed else { return nil }
    let sorted = values.sorted()
    let index = sorted.indices.first {
      Int128($0 + 1) * 1_000_000 >= Int128(values.count) * Int128(percentile.millionths)
    }
    return sorted[index!]
  }
}

/// Values of every magnitude: edges of powers of two, small ones, and some out of range on both sides.
private func latencies(count: Int, seed: UInt64) -> [Int64] {
  var random = SplitMix64(seed: seed)
  return (0..<count).map { _ in
    switch random.below(10) {
    case 0: return Int64(random.below(3)) - 1
    case 1, 2: return Int64(random.below(256))
    case 3: return (Int64(1) << Int64(random.below(41))) + Int64(random.below(3)) - 1
    case 4: return random.below(50) == 0 ? (Int64(1) << 40) + Int64(random.below(1_000_000)) : 1000
    default: return Int64(random.next() >> UInt64(24 + random.below(40)))
    }
  }
}

private let shares = [
  Percentile.p50, .p90, .p99, .p999, .p9999, Percentile(millionths: 0), Percentile(millionths: 333_333),
]

@Test(arguments: Seeds.brief)
func `percentiles lie at most one bucket above a sorted array's`(seed: UInt64) {
  let arena = Arena(capacityBytes: 1 << 20)
  for count in [1, 9, 10, 19, 20, 99, 100, 999, 1000, 1001, 10_000, 20_000] {
    var histogram = LatencyHistogram(in: arena)
    var twin = SortedLatencies()
    for value in latencies(count: count, seed: seed &+ UInt64(count)) {
      histogram.record(value)
      twin.record(value)
    }
    for share in shares {
      let given = histogram.percentile(share)
      let exact = twin.nearestRank(share)
      #expect((given == nil) == (exact == nil), "seed \(seed), \(count) values, \(share.fraction)")
      guard let given, let exact else { continue }
      #expect(given >= exact, "seed \(seed), \(count) values, \(share.fraction)")
      if exact < 256 {
        #expect(given == exact, "seed \(seed), \(count) values, \(share.fraction)")
      } else if exact <= LatencyHistogram.trackedMax {
        #expect(given - exact <= exact / 128, "seed \(seed), \(count) values, \(share.fraction)")
      }
    }
    let (smallest, largest, sum) = (histogram.nanosecondsMin, histogram.nanosecondsMax, histogram.nanosecondsSum)
    #expect(smallest == twin.values.min() && largest == twin.values.max(), "seed \(seed)")
    #expect(sum == twin.values.reduce(0) { $0 + UInt128($1) }, "seed \(seed)")
    let (nonPositive, overflow) = (histogram.nonPositiveCount, histogram.overflowCount)
    #expect(nonPositive == UInt64(twin.values.count { $0 == 0 }), "seed \(seed)")
    #expect(overflow == UInt64(twin.values.count { $0 > LatencyHistogram.trackedMax }), "seed \(seed)")
  }
}

@Test func `every bucket ends where the next begins and is narrow`() {
  var last: Int64 = -1
  for bucket in 0..<LatencyHistogram.bucketCount - 1 {
    let upper = LatencyHistogram.upperBound(ofBucket: bucket)
    let first = last + 1
    #expect(LatencyHistogram.bucket(of: UInt64(first)) == bucket)
    #expect(LatencyHistogram.bucket(of: UInt64(upper)) == bucket)
    #expect(Double(upper - first) <= Double(first) / 128)
    last = upper
  }
  #expect(last == LatencyHistogram.trackedMax)
  #expect(LatencyHistogram.upperBound(ofBucket: LatencyHistogram.bucketCount - 1) == .max)
}

@Test(arguments: Seeds.brief)
func `merging gives what recording both would have given`(seed: UInt64) {
  let arena = Arena(capacityBytes: 1 << 20)
  var left = LatencyHistogram(in: arena)
  var right = LatencyHistogram(in: arena)
  var both = LatencyHistogram(in: arena)
  for value in latencies(count: 700, seed: seed) {
    left.record(value)
    both.record(value)
  }
  for value in latencies(count: 1300, seed: ~seed) {
    right.record(value)
    both.record(value)
  }
  left.merge(right)
  expectEqual(left, both, "seed \(seed)")
  // An empty one changes nothing, and takes over everything.
  let empty = LatencyHistogram(in: arena)
  left.merge(empty)
  expectEqual(left, both, "seed \(seed)")
  right.reset()
  expectEqual(right, empty, "seed \(seed)")
  right.merge(left)
  expectEqual(right, both, "seed \(seed)")
}

private func expectEqual(_ left: borrowing LatencyHistogram, _ right: borrowing LatencyHistogram, _ note: String) {
  for bucket in 0..<LatencyHistogram.bucketCount {
    let (one, other) = (left.count(inBucket: bucket), right.count(inBucket: bucket))
    guard one == other else {
      Issue.record("bucket \(bucket): \(one) and \(other), \(note)")
      return
    }
  }
  let equal =
    left.count == right.count && left.nanosecondsSum == right.nanosecondsSum
    && left.nanosecondsMin == right.nanosecondsMin && left.nanosecondsMax == right.nanosecondsMax
  #expect(equal, "\(note)")
}

@Test func `a percentile needs ten values above it`() {
  let arena = Arena(capacityBytes: 1 << 20)
  for (share, needed) in [(Percentile.p50, 20), (.p90, 100), (.p99, 1000), (.p999, 10_000), (.p9999, 100_000)] {
    var histogram = LatencyHistogram(in: arena)
    for _ in 1..<needed { histogram.record(7) }
    let early = histogram.percentile(share)
    histogram.record(7)
    let enough = histogram.percentile(share)
    #expect(early == nil && enough == 7, "\(share.fraction)")
  }
}

@Test func `an empty histogram says nothing`() {
  let histogram = LatencyHistogram(in: Arena(capacityBytes: 1 << 20))
  let (count, smallest, largest) = (histogram.count, histogram.nanosecondsMin, histogram.nanosecondsMax)
  let percentile = histogram.percentile(Percentile(millionths: 0))
  #expect(count == 0 && smallest == nil && largest == nil && percentile == nil)
}

@Test func `the extreme values of an integer are counted, not trapped`() {
  var histogram = LatencyHistogram(in: Arena(capacityBytes: 1 << 20))
  for value in [Int64.min, -1, 0, .max, .max] { histogram.record(value) }
  let (nonPositive, overflow, sum) = (histogram.nonPositiveCount, histogram.overflowCount, histogram.nanosecondsSum)
  let (smallest, largest) = (histogram.nanosecondsMin, histogram.nanosecondsMax)
  #expect(nonPositive == 3 && overflow == 2 && smallest == 0 && largest == .max)
  #expect(sum == 2 * UInt128(Int64.max))
  let top = histogram.value(atRank: 5)
  #expect(top == .max)
}

@Test func `a percentile is an exact share`() {
  #expect(Percentile.p999.fraction == "0.999" && Percentile.p50.fraction == "0.5")
  #expect(Percentile(millionths: 0).fraction == "0.0" && Percentile(millionths: 10).fraction == "0.00001")
  #expect(Percentile.p999.rank(ofCount: 10_000) == 9990)
  #expect(Percentile.p999.rank(ofCount: 10_001) == 9991)
  #expect(Percentile(millionths: 0).rank(ofCount: 5) == 1)
  #expect(Percentile(millionths: 999_999).rank(ofCount: .max) < .max)
}

@Test func `misuse ends the program`() async {
  await #expect(processExitsWith: .failure) { _ = Percentile(millionths: 1_000_000) }
  await #expect(processExitsWith: .failure) {
    _ = LatencyHistogram(in: Arena(capacityBytes: 1 << 20)).value(atRank: 1)
  }
}

@Test(.enabled(if: countsAllocations))
func `recording a latency allocates nothing`() {
  let arena = Arena(capacityBytes: 1 << 20)
  var histogram = LatencyHistogram(in: arena)
  var other = LatencyHistogram(in: arena)
  let values = latencies(count: 1000, seed: 1)
  var answer: Int64? = 0
  for value in values { histogram.record(value) }
  let counts = counting {
    for value in values { histogram.record(value) }
    other.merge(histogram)
    answer = other.percentile(.p99)
    histogram.reset()
  }
  #expect(counts.allocations == 0 && counts.retains == 0 && answer != nil)
}

@Test(.enabled(if: countsAllocations, "counts mean something in release builds only"))
func `one allocation among a thousand recordings is counted`() {
  var histogram = LatencyHistogram(in: Arena(capacityBytes: 1 << 20))
  let values = latencies(count: 1000, seed: 1)
  var planted: [Int64] = []
  let counts = counting {
    for (number, value) in values.enumerated() {
      histogram.record(value)
      if number == 500 { planted = Array(repeating: value, count: 3) }
    }
  }
  #expect(counts.allocations == 1 && planted.count == 3)
}
