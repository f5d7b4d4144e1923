import SignalFeatures
import TestSupport
import Testing
import TradingTypes

@Suite struct TimeframeTests {
  // Goal: a further timeframe is what a primary one of the same rule is. Method: one engine with all of them beside an engine
  // for each, on random streams, bit for bit after every message, asked rarely and often.
  @Test(arguments: Seeds.brief) func `a block equals the slots of an engine with that primary timeframe`(seed: UInt64)
    throws
  {
    let rules: [BarRule] = [.time(.seconds(1)), .time(.seconds(5)), .volume(2_000), .dollar(300)]
    var stream = RandomStream(seed: seed)
    let rows = stream.rows(1_500)
    var whole = try makeEngine { $0.furtherBars = rules }
    for (place, rule) in rules.enumerated() {
      var alone = try makeEngine {
        $0.primaryBars = rule
        $0.furtherBars = []
      }
      whole = try makeEngine { $0.furtherBars = rules }
      var block = BarBlock()
      for (number, row) in rows.enumerated() {
        feed(row, to: &whole)
        feed(row, to: &alone)
        guard number % (place == 0 ? 1 : 13) == 0 else { continue }
        let expected = vector(of: alone, after: row)
        whole.bars(of: row.event.instrument, timeframe: place + 1, at: row.event.time, into: &block)
        for slot in FeatureSlot.allCases where (37...79).contains(slot.index) && ![48, 74, 78].contains(slot.index) {
          #expect(block[slot].bitPattern == expected[slot].bitPattern, "\(rule.name), message \(number), \(slot)")
          #expect(block.valid[slot] == expected.valid[slot] && block.stale[slot] == expected.stale[slot])
        }
      }
      #expect(block.valid.low != 0, "\(rule.name): the stream is long enough to fill windows")
    }
  }

  // Goal: volume and dollar bars hold whole trades until the amount is reached. Method: the definition in a loop over all trades.
  @Test(arguments: Seeds.brief) func `volume and dollar bars end with the trade that fills them`(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for rule in [BarRule.volume(700), .dollar(9)] {
      var engine = try makeEngine {
        $0.primaryBars = rule
        $0.furtherBars = []
      }
      var expected: [ClosedBar] = []
      var closed: [ClosedBar] = []
      var open: [(price: Int64, size: Int64)] = []
      var previous: Price?
      for second in 0..<400 {
        let price = Int64(9_000_000 + random.below(2_000_000))
        let size = Int64(1 + random.below(500))
        let time = Timestamp(nanoseconds: Int64(second) * 1_000_000_000)
        while let bar = engine.closeBar(InstrumentID(index: 0), at: time) { closed.append(bar) }
        engine.update(
          trade(price, size, at: time.nanoseconds), effect: BookEffect(.ignored), depth: DepthView())
        open.append((price, size))
        let lots = open.reduce(0) { $0 + $1.size }
        let money = open.reduce(0) { $0 + $1.price * $1.size }
        guard rule.measure == .volume ? lots >= 700 : money >= 9_000_000_000 else { continue }
        expected.append(
          ClosedBar(
            endTime: time, open: Price(nanos: open[0].price), high: Price(nanos: open.map(\.price).max()!),
            low: Price(nanos: open.map(\.price).min()!), close: Price(nanos: open.last!.price),
            volume: Quantity(lots: lots), previousClose: previous))
        previous = expected.last!.close
        open = []
      }
      // The last bar is closed by a message after it.
      while let bar = engine.closeBar(InstrumentID(index: 0), at: .distantFuture) { closed.append(bar) }
      #expect(closed.count == expected.count && closed.count > 30)
      for (actual, wanted) in zip(closed, expected) { #expect(actual == wanted) }
    }
  }

  @Test func `bar rules are read and written by name`() {
    for text in ["1s", "90s", "5m", "1h", "1d", "volume:1000", "dollar:5000000"] {
      #expect(BarRule(text)?.name == text)
    }
    #expect(BarRule("120s")?.name == "2m" && BarRule("24h")?.name == "1d")
    for text in [
      "", "s", "0s", "-1m", "7s", "2d", "1w", "volume:", "volume:0", "lots:5", "dollar:1e6", "9999999999999999s",
    ] {
      #expect(BarRule(text) == nil, "\(text)")
    }
  }

  // Goal: a snapshot belongs to its timeframes. Method: one of other bars is refused and changes nothing.
  @Test func `a snapshot of other timeframes is refused`() throws {
    let first = try makeEngine { $0.furtherBars = [.volume(5)] }
    var second = try makeEngine { $0.furtherBars = [.volume(6)] }
    var third = try makeEngine { $0.furtherBars = [] }
    let snapshot = first.snapshot()
    #expect(throws: ConfigurationError.self) { try second.restore(snapshot) }
    #expect(throws: ConfigurationError.self) { try third.restore(snapshot) }
  }

  @Test func `bars that are forgotten leave every slot 0 and warming`() throws {
    var engine = try makeEngine { $0.furtherBars = [.time(.seconds(1))] }
    for second in 0..<40 { pass(&engine, 1_000_000_000 + Int64(second % 7) * 10_000_000, at: Int64(second)) }
    var block = BarBlock()
    let id = InstrumentID(index: 0)
    engine.bars(of: id, timeframe: 1, at: Timestamp(nanoseconds: 40_000_000_000), into: &block)
    #expect(block.valid[.zScore20] && block[.bollingerPctB] != 0)
    // More than a thousand bars without a trade: the gap is filled, then everything starts anew.
    pass(&engine, 1_000_000_000, at: 1_200)
    let later = Timestamp(nanoseconds: 1_200_500_000_000)
    while engine.closeBar(id, at: later) != nil {}
    engine.bars(of: id, timeframe: 1, at: later, into: &block)
    for slot in 0..<BarBlock.count { #expect(block.values[slot] == 0) }
    #expect(block.valid == FeatureMask() && block.stale == FeatureMask())
  }

  @Test func `a block turns stale after two of its bars, or its configured age`() throws {
    for (span, ages) in [(Int64(1), [200, 290, 310]), (3_600, [200, 7_100, 7_300])] {
      var engine = try makeEngine { $0.furtherBars = [.time(.seconds(span))] }
      for bar in 0..<25 as Range<Int64> { pass(&engine, 1_000_000_000 + bar % 3 * 10_000_000, at: bar * span) }
      var block = BarBlock()
      for (age, isStale) in zip(ages, [false, false, true]) {
        // The last closed bar ended with the start of the open one.
        let now = Timestamp(nanoseconds: (24 * span + Int64(age)) * 1_000_000_000)
        engine.bars(of: InstrumentID(index: 0), timeframe: 1, at: now, into: &block)
        #expect(block.stale[.return1] == isStale && block.valid[.return1] == !isStale, "\(span) s bars, \(age) s old")
      }
    }
  }

  @Test func `volume bars age with the last trade, not with their slow end`() throws {
    for isPrimary in [true, false] {
      var engine = try makeEngine {
        $0.primaryBars = isPrimary ? .volume(5) : .time(.seconds(60))
        $0.furtherBars = isPrimary ? [] : [.volume(5)]
      }
      func state(at second: Int64) -> (isValid: Bool, isStale: Bool) {
        var block = BarBlock()
        let now = Timestamp(nanoseconds: second * 1_000_000_000)
        engine.bars(of: InstrumentID(index: 0), timeframe: isPrimary ? 0 : 1, at: now, into: &block)
        guard isPrimary else { return (block.valid[.return1], block.stale[.return1]) }
        var vector = FeatureVector()
        engine.vector(of: InstrumentID(index: 0), depth: DepthView(), at: now, into: &vector)
        return (vector.valid[.return1], vector.stale[.return1])
      }
      for second in 0..<5 as Range<Int64> { pass(&engine, 1_000_000_000, at: second) }
      // The next bar is long in coming: one lot each hundred seconds.
      for second in [100, 200, 300, 400] as [Int64] {
        engine.update(
          trade(1_000_000_000, 1, at: second * 1_000_000_000), effect: BookEffect(.ignored), depth: DepthView())
      }
      #expect(state(at: 500) == (true, false) && state(at: 690) == (true, false) && state(at: 710) == (false, true))
    }
  }

  private func pass(_ engine: inout FeatureEngine, _ price: Int64, at second: Int64) {
    let time = Timestamp(nanoseconds: second * 1_000_000_000)
    while engine.closeBar(InstrumentID(index: 0), at: time) != nil {}
    engine.update(trade(price, 5, at: time.nanoseconds), effect: BookEffect(.ignored), depth: DepthView())
  }
}
