import BacktestHarness
import EngineTelemetry
import FixtureStreams
import LockFreeRings
import TradingEngine

/// Stage 2, one call at a time: percentiles of single calls.
///
/// A call stands between two readings of the counter that wait for everything before them, so a time is that of the call alone,
/// from its first instruction to its last result; what two such readings in a row are apart is taken off. `features.event` is the
/// same work in a row, without the waits.
extension MicroBenchmarks {
  static let featureNames = ["features.update", "features.vector", "features.bar"]

  func featureRows(notes: inout [String], _ isSelected: (String) -> Bool) throws -> [MicroRow] {
    var samples = try FeatureSamples(setup, input.bytes, messagesMax: effort.walkMessages)
    var rows: [MicroRow] = []
    for name in Self.featureNames where isSelected(name) {
      var calls = CallTimes(capacity: callCount(name, samples), clock: clock)
      switch name {
      case "features.update": try updates(&samples, &calls)
      case "features.vector": try vectors(&samples, &calls)
      default: try closings(samples, &calls)
      }
      guard let row = calls.row(name) else { continue }
      rows.append(row)
      notes.append("\(name): \(calls.text)")
    }
    return rows
  }

  /// Rounds over the samples; the first is thrown away.
  private var rounds: Int { effort == .brief ? 2 : effort.repetitions * 4 + 1 }
  private var barsClosed: Int { effort == .brief ? 64 : 20_000 }

  private func callCount(_ name: String, _ samples: FeatureSamples) -> Int {
    name == "features.bar" ? barsClosed : rounds * samples.events.count
  }

  /// The places of the stretches in another order each round.
  private func order(_ samples: FeatureSamples, _ random: inout SplitMix64) -> [Range<Int>] {
    var stretches = samples.stretches
    for place in stride(from: stretches.count - 1, to: 0, by: -1) {
      stretches.swapAt(place, Int(random.next() % UInt64(place + 1)))
    }
    return stretches
  }

  private func makeEngine(further: [BarRule]? = nil) throws -> FeatureEngine {
    var setup = setup
    if let further { setup.configuration.bars.further = further }
    let pipeline = try setup.makePipeline(probe: NoProbe(), sink: DecisionChecksum())
    return pipeline.features
  }

  /// A call is one message taken in, after the book has changed. Bars are closed beforehand, untimed.
  @inline(never) private func updates(_ samples: inout FeatureSamples, _ calls: inout CallTimes) throws {
    var engine = try makeEngine()
    var random = SplitMix64(seed: input.seed)
    var time = samples.events.first?.time ?? .distantPast
    for round in 0..<rounds {
      for stretch in order(samples, &random) {
        time = samples.begin(stretch, at: time)
        let (events, effects, depths) = (samples.events.span, samples.effects.span, samples.depths.span)
        calls.startCounting()
        for place in stretch {
          closeBars(&engine, before: events[place])
          let start = calls.now()
          engine.update(events[place], effect: effects[place], depth: depths[place])
          calls.add(from: start, to: calls.now())
        }
        calls.stopCounting()
      }
      if round == 0 { calls.forget() }
    }
    keep(UInt64(bitPattern: Int64(engine.instrumentCount)))
  }

  /// A call is the vector of a trigger. The message before it is taken in untimed.
  @inline(never) private func vectors(_ samples: inout FeatureSamples, _ calls: inout CallTimes) throws {
    var engine = try makeEngine()
    var random = SplitMix64(seed: input.seed)
    var time = samples.events.first?.time ?? .distantPast
    // In memory that anyone may read, so that every slot must be written.
    var vectors = Slab(repeating: FeatureVector(), count: 64, in: Arena(capacityBytes: 1 << 20))
    var next = 0
    for round in 0..<rounds {
      for stretch in order(samples, &random) {
        time = samples.begin(stretch, at: time)
        let (events, effects, depths) = (samples.events.span, samples.effects.span, samples.depths.span)
        let triggers = samples.triggers.span
        calls.startCounting()
        for place in stretch {
          closeBars(&engine, before: events[place])
          engine.update(events[place], effect: effects[place], depth: depths[place])
          guard triggers[place] else { continue }
          let start = calls.now()
          engine.vector(
            of: events[place].instrument, depth: depths[place], at: events[place].time, into: &vectors[masked: next])
          calls.add(from: start, to: calls.now())
          // Wrapping: a place in a ring.
          next &+= 1
        }
        calls.stopCounting()
      }
      if round == 0 { calls.forget() }
    }
    keep(vectors[0].values[0])
  }

  @inline(__always) private func closeBars(_ engine: inout FeatureEngine, before event: MarketEvent) {
    guard engine.barIsDue(event.instrument, at: event.time) else { return }
    while engine.closeBar(event.instrument, at: event.time) != nil {}
  }

  /// A call is one bar of one instrument and one timeframe closed, with all its slots. Each has eight trades at mids of the samples.
  @inline(never) private func closings(_ samples: FeatureSamples, _ calls: inout CallTimes) throws {
    guard let mids = mids(samples) else { return }
    var engine = try makeEngine(further: [])
    let minute = setup.configuration.bars.primarySeconds * 1_000_000_000
    let trades = 8
    var place = 0
    var bar: Int64 = 600
    // A third of the calls fills the windows.
    for call in 0..<barsClosed {
      if call == barsClosed / 3 { calls.forget() }
      let id = InstrumentID(index: UInt32(call % engine.instrumentCount))
      if id.index == 0 { bar += 1 }
      let begin = setup.midnight.nanoseconds + bar * minute
      for trade in 0..<trades {
        let event = MarketEvent(
          kind: .trade, time: Timestamp(nanoseconds: begin + Int64(trade) + 1), instrument: id,
          price: Price(nanos: mids[place]), quantity: Quantity(lots: Int64(100 + place % 7)))
        engine.update(event, effect: BookEffect(.ignored), depth: samples.depths[place])
        place = place + 1 == mids.count ? 0 : place + 1
      }
      let end = Timestamp(nanoseconds: begin + minute)
      calls.startCounting()
      let start = calls.now()
      keep(engine.closeBar(id, at: end)?.returnPercent ?? 0)
      calls.add(from: start, to: calls.now())
      calls.stopCounting()
    }
  }

  /// The mids of the samples, the last one for books without any; nil when there is none at all.
  private func mids(_ samples: FeatureSamples) -> [Int64]? {
    guard var last = samples.depths.first(where: { $0.isTwoSided }).map({ $0.midNanosTwice / 2 }) else { return nil }
    return samples.depths.map {
      if $0.isTwoSided { last = $0.midNanosTwice / 2 }
      return last
    }
  }
}
