import SignalFeatures
import TestSupport
import Testing
import TradingTypes

@Suite struct UniverseTests {
  let minute: Int64 = 60_000_000_000

  /// The closes of an instrument's bars from its trades, flat bars in gaps included: what the cross-section is defined on.
  func closes(_ trades: [(time: Int64, price: Int64)], until end: Int64) -> [(bar: Int64, price: Double)] {
    var bars: [(bar: Int64, price: Double)] = []
    for trade in trades where trade.time / minute * minute + minute <= end {
      let bar = trade.time / minute
      if let last = bars.last, last.bar == bar {
        bars[bars.count - 1].price = Double(trade.price)
        continue
      }
      if let last = bars.last, last.bar + 1 < bar {
        for flat in (last.bar + 1)..<bar { bars.append((flat, last.price)) }
      }
      bars.append((bar, Double(trade.price)))
    }
    return bars
  }

  // Goal: slots 85 and 86 are their definitions at every bar's end, however the instruments are spread over engines. Method: random
  // trades of seven instruments, some of them rare; one engine, and two that share the instruments, beside the definition over all
  // trades so far.
  @Test(arguments: Seeds.brief) func `relative strength and breadth equal their definition`(seed: UInt64) throws {
    let count = 7
    var random = SplitMix64(seed: seed)
    var whole = try makeEngine(instruments: count) { $0.furtherBars = [] }
    var left = try makeEngine(instruments: 3) { $0.furtherBars = [] }
    var right = try makeEngine(instruments: 4) { $0.furtherBars = [] }
    var trades = [[(time: Int64, price: Int64)]](repeating: [], count: count)
    var prices = [Int64](repeating: 10_000_000_000, count: count)
    var breadth: Double?
    var samples = 0
    var time = 34_200_000_000_000 as Int64
    var barrier = Int64.min
    var previousEnd = Int64.min
    var compared = 0
    for number in 0..<4_000 {
      time += Int64(random.below(4_000_000_000))
      let index = random.below(20) == 0 ? 0 : 1 + random.below(count - 1)
      if time >= barrier {
        let end = time / minute * minute
        let stamp = Timestamp(nanoseconds: end)
        let sample = whole.sampleUniverse(at: stamp)
        whole.takeUniverse(sample, at: stamp)
        var total = right.sampleUniverse(at: stamp)
        total.add(left.sampleUniverse(at: stamp))
        left.takeUniverse(total, at: stamp)
        right.takeUniverse(total, at: stamp)
        #expect(total == sample)
        barrier = end + minute

        // The definition.
        let series = trades.map { closes($0, until: end) }
        let returns = series.map { bars -> Double? in
          guard bars.count > 20, end - (bars.last!.bar + 1) * minute <= 5 * minute else { return nil }
          return bars.last!.price / bars[bars.count - 21].price - 1
        }
        let moves = series.map { bars -> Double in
          guard bars.count > 1, (bars.last!.bar + 1) * minute > previousEnd else { return 0 }
          return end - (bars.last!.bar + 1) * minute <= 5 * minute ? bars.last!.price - bars[bars.count - 2].price : 0
        }
        let advances = Double(moves.filter { $0 > 0 }.count)
        let declines = Double(moves.filter { $0 < 0 }.count)
        let share = advances + declines == 0 ? 0 : advances / (advances + declines)
        breadth = breadth.map { $0 + (share - $0) * 2 / 11 } ?? share
        samples += 1
        previousEnd = end
        let known = returns.compactMap { $0 }
        let mean = known.reduce(0, +) / Double(max(1, known.count))
        let variance = known.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(max(1, known.count - 1))
        for place in 0..<count {
          let id = InstrumentID(index: UInt32(place))
          var vector = FeatureVector()
          whole.vector(of: id, depth: DepthView(), at: stamp, into: &vector)
          let expected = known.count > 1 ? returns[place].map { ($0 - mean) / variance.squareRoot() } : nil
          #expect(abs(vector[.relativeStrength] - (expected ?? 0)) < 1e-7, "message \(number), instrument \(place)")
          #expect(abs(vector[.breadthThrust] - breadth!) < 1e-12 && vector.valid[.breadthThrust] == (samples >= 10))
          #expect(vector.valid[.relativeStrength] == (expected != nil))
          if expected != nil { compared += 1 }
          var part = FeatureVector()
          if place < 3 {
            left.vector(of: id, depth: DepthView(), at: stamp, into: &part)
          } else {
            right.vector(of: InstrumentID(index: UInt32(place - 3)), depth: DepthView(), at: stamp, into: &part)
          }
          #expect(
            part[.relativeStrength] == vector[.relativeStrength] && part[.breadthThrust] == vector[.breadthThrust])
        }
      }
      prices[index] += Int64(random.below(2_000_001)) - 1_000_000
      trades[index].append((time, prices[index]))
      pass(&whole, index, prices[index], at: time)
      if index < 3 {
        pass(&left, index, prices[index], at: time)
      } else {
        pass(&right, index - 3, prices[index], at: time)
      }
    }
    #expect(compared > 300)
  }

  private func pass(_ engine: inout FeatureEngine, _ index: Int, _ price: Int64, at time: Int64) {
    var event = trade(price, 1, at: time)
    event.instrument = InstrumentID(index: UInt32(index))
    while engine.closeBar(event.instrument, at: event.time) != nil {}
    engine.update(event, effect: BookEffect(.ignored), depth: DepthView())
  }

  @Test func `a universe of one, or of equal returns, has no strength`() throws {
    for prices in [[100], [100, 100]] as [[Int64]] {
      var engine = try makeEngine(instruments: prices.count) { $0.furtherBars = [] }
      for bar in 0..<25 {
        for (index, price) in prices.enumerated() { pass(&engine, index, price + Int64(bar), at: Int64(bar) * minute) }
      }
      let end = Timestamp(nanoseconds: 25 * minute)
      let sample = engine.sampleUniverse(at: end)
      engine.takeUniverse(sample, at: end)
      var vector = FeatureVector()
      engine.vector(of: InstrumentID(index: 0), depth: DepthView(), at: end, into: &vector)
      #expect(sample.count == prices.count && sample.advances == prices.count)
      #expect(vector[.relativeStrength] == 0 && !vector.valid[.relativeStrength] && vector[.breadthThrust] == 1)
    }
  }

  @Test func `an instrument that has not traded for the age of stale bars leaves the cross-section`() throws {
    for (minutes, count) in [(Int64(4), Int64(3)), (5, 3), (6, 2)] {
      var engine = try makeEngine(instruments: 3) { $0.furtherBars = [] }
      for bar in 0..<25 {
        for index in 0..<3 { pass(&engine, index, 100 + Int64(bar * index), at: Int64(bar) * minute) }
      }
      // The first one stops; its last bar ends with the 25th minute.
      for bar in 25..<(25 + minutes) { for index in 1..<3 { pass(&engine, index, 100, at: bar * minute) } }
      let end = Timestamp(nanoseconds: (25 + minutes) * minute)
      let sample = engine.sampleUniverse(at: end)
      engine.takeUniverse(sample, at: end)
      var vector = FeatureVector()
      engine.vector(of: InstrumentID(index: 0), depth: DepthView(), at: end, into: &vector)
      #expect(sample.count == count, "\(minutes) minutes")
      // No message has closed its last bar: the sample knows it all the same.
      #expect(vector.valid[.relativeStrength] == (count == 3) && !vector.stale[.breadthThrust], "\(minutes) minutes")
    }
  }

  @Test func `after a gap too long to fill an instrument starts anew, closed or not`() throws {
    for isClosed in [false, true] {
      var engine = try makeEngine(instruments: 1) { $0.furtherBars = [] }
      for bar in 0..<25 { pass(&engine, 0, 100 + Int64(bar), at: Int64(bar) * minute) }
      pass(&engine, 0, 200, at: 1_100 * minute)
      // Its flat bars are given, its own bar is not closed yet, or is.
      let id = InstrumentID(index: 0)
      let later = Timestamp(nanoseconds: 1_101 * minute - (isClosed ? 0 : 1))
      if isClosed { while engine.closeBar(id, at: later) != nil {} }
      let sample = engine.sampleUniverse(at: Timestamp(nanoseconds: 1_101 * minute))
      #expect(sample == UniverseSample(), "closed: \(isClosed)")
    }
  }

  @Test func `a return beyond eight hundred percent counts as eight hundred`() throws {
    var engine = try makeEngine(instruments: 1) { $0.furtherBars = [] }
    for bar in 0..<25 { pass(&engine, 0, bar < 24 ? 1 : 1 << 50, at: Int64(bar) * minute) }
    let sample = engine.sampleUniverse(at: Timestamp(nanoseconds: 25 * minute))
    #expect(sample.count == 1 && sample.sum == 8 << 40 && sample.squareSum == 64 << 80)
  }

  @Test func `an old universe turns slots 85 and 86 stale`() throws {
    var engine = try makeEngine(instruments: 2) { $0.furtherBars = [] }
    for bar in 0..<25 {
      pass(&engine, 0, 100 + Int64(bar), at: Int64(bar) * minute)
      pass(&engine, 1, 200 - Int64(bar), at: Int64(bar) * minute)
      let end = Timestamp(nanoseconds: Int64(bar + 1) * minute)
      let sample = engine.sampleUniverse(at: end)
      engine.takeUniverse(sample, at: end)
    }
    var vector = FeatureVector()
    for (later, isStale) in [(Int64(1), false), (4, false), (6, true)] {
      engine.vector(
        of: InstrumentID(index: 0), depth: DepthView(), at: Timestamp(nanoseconds: (25 + later) * minute), into: &vector
      )
      for slot in [FeatureSlot.relativeStrength, .breadthThrust] {
        #expect(vector.stale[slot] == isStale && vector.valid[slot] != isStale)
      }
    }
    // The first bar has no move: the average begins at 0 and rises to a half.
    #expect(vector[.breadthThrust] > 0.49 && vector[.breadthThrust] < 0.5 && vector[.relativeStrength] > 0)
  }
}
