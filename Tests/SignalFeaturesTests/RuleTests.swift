import SignalFeatures
import TestSupport
import Testing
import TradingTypes

/// A book of one level a side; nil leaves the side empty. Prices in steps of one cent.
func book(_ bid: Int64?, _ ask: Int64?, bidLots: Int64 = 100, askLots: Int64 = 100) -> DepthView {
  var depth = DepthView()
  if let bid {
    depth.bids[0] = DepthLevel(price: Price(nanos: bid * 10_000_000), quantity: Quantity(lots: bidLots))
    depth.bidCount = 1
  }
  if let ask {
    depth.asks[0] = DepthLevel(price: Price(nanos: ask * 10_000_000), quantity: Quantity(lots: askLots))
    depth.askCount = 1
  }
  return depth
}

/// An add at `seconds` that leaves `depth` behind.
func add(_ depth: DepthView, at seconds: Int64) -> BookRow {
  BookRow(
    event: MarketEvent(
      kind: .addOrder, time: Timestamp(nanoseconds: seconds * 1_000_000_000), instrument: InstrumentID(index: 0)),
    effect: BookEffect(.applied, bestChanged: true, depthChanged: true), depth: depth)
}

/// A hidden or auction trade at `seconds` over `depth`.
func print(_ cents: Int64, _ lots: Int64, at seconds: Int64, _ depth: DepthView, kind: MarketEventKind = .trade)
  -> BookRow
{
  var event = trade(cents * 10_000_000, lots, at: seconds * 1_000_000_000)
  event.kind = kind
  return BookRow(event: event, effect: BookEffect(.ignored), depth: depth)
}

// Goal: the catalogue's zero and edge rules, one by one. Method: the smallest stream that meets each.
@Suite struct RuleTests {
  /// The vector after the last of `rows`.
  func last(_ rows: [BookRow]) throws -> FeatureVector {
    var engine = try makeEngine()
    for row in rows { feed(row, to: &engine) }
    return vector(of: engine, after: rows.last!)
  }

  @Test func `an empty or crossed side keeps slots 0 to 17 and turns them stale`() throws {
    let whole = book(100, 102, bidLots: 300)
    let before = try last([add(whole, at: 1), add(book(100, 102, bidLots: 400), at: 2)])
    for broken in [book(nil, 102), book(100, nil), book(103, 102), DepthView()] {
      let rows = [add(whole, at: 1), add(book(100, 102, bidLots: 400), at: 2), add(broken, at: 9)]
      let after = try last(rows)
      for slot in 0..<18 { #expect(after.values[slot] == before.values[slot], "slot \(slot)") }
      #expect(after.stale.low & 0x3FFF == 0x3FFF && after.valid.low & 0x3FFFF == 0)
      #expect(before.valid.low & 0x3FFF == 0x3FFF && before.stale.low == 0)
    }
  }

  @Test func `a locked book has a spread of zero and stays valid`() throws {
    let vector = try last([add(book(100, 100), at: 1)])
    #expect(vector[.spread] == 0 && vector[.bookSlope] == 0 && vector[.mid] == 10_000)
    #expect(vector.valid[.mid])
  }

  @Test func `a constant spread has a z-score of exactly zero`() throws {
    let rows = (0..<150).map { add(book(100 + $0 % 7, 103 + $0 % 7), at: $0) }
    let vector = try last(rows)
    #expect(vector[.spreadZ] == 0 && vector.valid[.spreadZ])
  }

  @Test func `a table of moves is read at the exact tenth of the bid's share`() {
    for total in 1...400 as ClosedRange<Int64> {
      for bid in 0...total {
        let bucket = MicropriceTable.imbalanceBucket(bid: Double(bid), ask: Double(total - bid))
        #expect(bucket == Int(min(9, 10 * bid / total)))
      }
    }
    #expect(MicropriceTable.imbalanceBucket(bid: 0, ask: 0) == 5)
  }

  @Test func `late messages count as of their predecessor and raise a counter`() throws {
    var engine = try makeEngine()
    for row in [add(book(100, 102), at: 5), add(book(100, 102, bidLots: 150), at: 3)] { feed(row, to: &engine) }
    let result = vector(of: engine, after: add(book(100, 102, bidLots: 150), at: 3))
    let late = engine.counters.outOfOrder
    #expect(late == 1)
    #expect(result[.ofiDecay1s] == 50 && result[.eventRate] == 0)
  }

  @Test func `a trade without a sign is signed by the mid, at the mid as the trade before`() throws {
    let depth = book(100, 102)
    for (cents, signed) in [(Int64(102), 10.0), (100, -10), (101, 0)] {
      let vector = try last([add(depth, at: 1), print(cents, 10, at: 2, depth)])
      #expect(vector[.signedVolume20] == signed)
    }
    let tie = try last([add(depth, at: 1), print(100, 10, at: 2, depth), print(101, 5, at: 3, depth)])
    #expect(tie[.signedVolume20] == -15)
  }

  @Test func `auction trades make bars and durations but no other trade slot`() throws {
    let depth = book(100, 102)
    var engine = try makeEngine()
    feed(add(depth, at: 1), to: &engine)
    let row = print(102, 50, at: 2, depth, kind: .crossTrade)
    feed(row, to: &engine)
    let result = vector(of: engine, after: row)
    for slot in 23..<33 { #expect(result.values[slot] == 0) }
    #expect(result[.durationEwma] == 0 && result.valid.low >> 23 & 0x3FFF == 0)
    let next = print(102, 50, at: 5, depth)
    feed(next, to: &engine)
    let later = vector(of: engine, after: next)
    #expect(later[.durationEwma] == 3 && later.valid[.durationEwma] && later[.signedVolume20] == 50)
    let bar = engine.closeBar(InstrumentID(index: 0), at: Timestamp(nanoseconds: 60_000_000_000))
    #expect(bar?.volume.lots == 100)
  }

  @Test func `executions at another price trade at it, and not at all unless printable`() throws {
    let depth = book(100, 102)
    for (flags, count) in [(MarketEventFlags.printable, 1.0), ([], 0)] {
      var row = add(depth, at: 2)
      row.event.kind = .executeOrderAtPrice
      row.event.price = Price(nanos: 1_010_000_000 + 5_000_000)
      row.event.flags = flags
      row.effect = BookEffect(.applied, side: .sell, price: Price(nanos: 1_020_000_000), quantity: Quantity(lots: 10))
      let vector = try last([add(depth, at: 1), row])
      #expect(vector[.signedVolume20] == 10 * count)
      #expect(abs(vector[.effectiveSpread] - count * 2e4 * 0.5 / 101) < 1e-9)
    }
  }

  @Test func `old input turns slots stale, and a warming slot never`() throws {
    let depth = book(100, 102)
    var engine = try makeEngine()
    for row in [add(depth, at: 1), print(102, 1, at: 2, depth)] { feed(row, to: &engine) }
    var result = FeatureVector()
    engine.vector(of: InstrumentID(index: 0), depth: depth, at: Timestamp(nanoseconds: 63_000_000_000), into: &result)
    #expect(result.stale[.mid] && !result.valid[.mid] && result.valid[.tradeSignEwma])
    #expect(!result.stale[.ofiNorm] && !result.valid[.ofiNorm])
    engine.vector(of: InstrumentID(index: 0), depth: depth, at: Timestamp(nanoseconds: 400_000_000_000), into: &result)
    #expect(result.stale[.tradeSignEwma])
  }

  @Test func `context and model slots hold their values, turn stale, and refuse what is no number`() throws {
    let id = InstrumentID(index: 0)
    let depth = book(100, 102)
    var engine = try makeEngine()
    let now = Timestamp(nanoseconds: 40_000 * 1_000_000_000)
    for (kind, value) in [(ContextEvent.Kind.vix, 21.5), (.yield10y, 4.5), (.yield2y, 4), (.sentiment, 0.25)] {
      let isTaken = engine.receive(ContextEvent(kind: kind, value: value, time: now))
      let isRefused = engine.receive(ContextEvent(kind: kind, value: .nan, time: now))
      #expect(isTaken && !isRefused)
    }
    let isTaken = engine.setModelSlots(id, garchVariance: 2, regimeProbabilities: (0.25, 0.25, 0.5))
    let isRefused = engine.setModelSlots(id, garchVariance: .infinity, regimeProbabilities: (0, 0, 1))
    #expect(isTaken && !isRefused)
    // Bars give the model slots their age.
    engine.update(trade(1_000_000_000, 1, at: now.nanoseconds), effect: BookEffect(.ignored), depth: depth)
    let end = now + .seconds(60)
    while engine.closeBar(id, at: end) != nil {}
    var result = FeatureVector()
    engine.vector(of: id, depth: depth, at: end, into: &result)
    #expect(result[.vix] == 21.5 && result[.yieldCurve] == 0.5 && result[.sentiment] == 0.25)
    #expect(result[.garchVar] == 2 && result[.regimeBull] == 0.5 && result[.regimeBear] == 0.25)
    for slot in [FeatureSlot.vix, .yield10y, .yieldCurve, .sentiment, .garchVar, .regimeBull, .sessionFraction] {
      #expect(result.valid[slot])
    }
    #expect(abs(result[.sessionFraction] - 5_860.0 / 23_400) < 1e-12)
    engine.vector(of: id, depth: depth, at: now + .seconds(90_000), into: &result)
    #expect(result.stale[.vix] && result.stale[.yieldCurve] && result.stale[.garchVar] && !result.valid[.vix])
  }

  @Test func `bars align to midnight, fill gaps of a day and reset after a thousand`() throws {
    let id = InstrumentID(index: 0)
    let empty = DepthView()
    var engine = try makeEngine { $0.furtherBars = [] }
    var closed: [ClosedBar] = []
    func pass(_ engine: inout FeatureEngine, _ price: Int64?, at seconds: Int64) {
      let now = Timestamp(nanoseconds: seconds * 1_000_000_000)
      let isDue = engine.barIsDue(id, at: now)
      let before = closed.count
      while let bar = engine.closeBar(id, at: now) { closed.append(bar) }
      #expect(isDue == (closed.count > before))
      if let price { engine.update(trade(price, 7, at: now.nanoseconds), effect: BookEffect(.ignored), depth: empty) }
    }
    pass(&engine, nil, at: 10)
    pass(&engine, 100, at: 70)
    pass(&engine, 110, at: 119)
    pass(&engine, nil, at: 120)
    #expect(closed.count == 1)
    #expect(closed[0].endTime.nanoseconds == 120_000_000_000 && closed[0].isFirst && closed[0].returnPercent == 0)
    #expect(closed[0].open.nanos == 100 && closed[0].close.nanos == 110 && closed[0].volume.lots == 14)
    // Nothing follows the last trade until another one proves the gap: then three flat bars, then the bar itself.
    pass(&engine, nil, at: 300)
    #expect(closed.count == 1)
    pass(&engine, 121, at: 301)
    pass(&engine, nil, at: 302)
    #expect(closed.count == 4)
    for bar in closed.dropFirst() { #expect(bar.volume.lots == 0 && bar.close.nanos == 110 && bar.open.nanos == 110) }
    pass(&engine, nil, at: 361)
    #expect(closed.count == 5 && closed[4].endTime.nanoseconds == 360_000_000_000)
    #expect(abs(closed[4].returnPercent - 100 * 0.09531017980432493) < 1e-12)
    // 1,000 flat bars of a longer gap, then a first bar.
    pass(&engine, 130, at: 360 + 60 * 1_200)
    pass(&engine, nil, at: 500_000)
    #expect(closed.count == 5 + 1_000 + 1 && closed.last!.isFirst && closed.last!.returnPercent == 0)
    // The next trade is on another day: no flat bars between.
    pass(&engine, 143, at: 600_000)
    pass(&engine, nil, at: 700_000)
    #expect(closed.count == 1_007 && !closed.last!.isFirst)
  }

  @Test func `a message at the horizon of a trade still makes its mid`() throws {
    let depth = book(100, 102)
    var engine = try makeEngine()
    // Bought at 102 around a mid of 101; five seconds later, to the nanosecond, the mid is 103, and 105 after that.
    let rows = [
      add(depth, at: 1), print(102, 10, at: 2, depth), add(book(102, 104), at: 7), add(book(104, 106), at: 8),
    ]
    for row in rows { feed(row, to: &engine) }
    let result = vector(of: engine, after: rows.last!)
    #expect(abs(result[.realisedSpread5s] - 2e4 * (102 - 103) / 101) < 1e-9)
    #expect(abs(result[.priceImpact5s] - 2e4 * (103 - 101) / 101) < 1e-9)
  }

  @Test func `a trade of more buckets than the window leaves none of the old`() throws {
    let depth = book(100, 102)
    // Five balanced buckets, then a bought trade of exactly six.
    var rows = [add(depth, at: 1)]
    for number in 0..<10 as Range<Int64> { rows.append(print(number % 2 == 0 ? 102 : 100, 500, at: 2 + number, depth)) }
    let balanced = try last(rows)
    #expect(balanced[.vpin] == 0 && balanced.valid[.vpin])
    let bought = try last(rows + [print(102, 6_000, at: 20, depth)])
    #expect(bought[.vpin] == 1)
    let half = try last(
      rows + [print(102, 250, at: 20, depth), print(100, 250, at: 20, depth), print(102, 5_500, at: 20, depth)])
    #expect(half[.vpin] == 1)
  }

  @Test func `an instrument's own score is held against its own last one, not the market's`() throws {
    var engine = try makeEngine(instruments: 2)
    let id = InstrumentID(index: 1)
    func score(_ value: Double, _ name: InstrumentID, at seconds: Int64) -> Bool {
      engine.receive(
        ContextEvent(
          kind: .sentiment, instrument: name, value: value, time: Timestamp(nanoseconds: seconds * 1_000_000_000)))
    }
    let taken = [
      score(0.1, .none, at: 10), score(0.2, id, at: 5), score(0.3, id, at: 4), score(0.4, id, at: 5),
      score(0.5, .none, at: 9),
    ]
    #expect(taken == [true, true, false, true, false])
    var result = FeatureVector()
    for (index, value) in [(UInt32(0), 0.1), (1, 0.4)] {
      engine.vector(
        of: InstrumentID(index: index), depth: DepthView(), at: Timestamp(nanoseconds: 11_000_000_000), into: &result)
      #expect(result[.sentiment] == value)
    }
  }

  @Test func `a gap of a thousand bars is filled without a reset, one more resets`() throws {
    for (gap, isFirst) in [(Int64(1_000), false), (1_001, true)] {
      var engine = try makeEngine { $0.furtherBars = [] }
      let id = InstrumentID(index: 0)
      var closed: [ClosedBar] = []
      for bar in [0, gap + 1, gap + 2] {
        let now = Timestamp(nanoseconds: bar * 60_000_000_000)
        while let bar = engine.closeBar(id, at: now) { closed.append(bar) }
        engine.update(trade(100, 7, at: now.nanoseconds), effect: BookEffect(.ignored), depth: DepthView())
      }
      #expect(closed.count == 1_002 && closed.last!.isFirst == isFirst, "a gap of \(gap) bars")
    }
  }

  @Test func `a configuration out of range is refused by name`() {
    var configuration = FeatureConfiguration()
    #expect(throws: Never.self) { try configuration.validate() }
    configuration.primaryBars = .time(.seconds(7))
    #expect(throws: ConfigurationError.self) { try configuration.validate() }
    configuration.primaryBars = .time(.seconds(60))
    configuration.vpinBucketCount = 51
    #expect(throws: ConfigurationError.self) { try configuration.validate() }
    configuration.vpinBucketCount = 5
    configuration.hawkesDecay = .nan
    #expect(throws: ConfigurationError.self) { try configuration.validate() }
  }
}
