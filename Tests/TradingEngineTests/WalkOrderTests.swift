// Goal: the order in which things happen around an event is the one the design names. Method: crafted events, one rule a test.

import FixtureStreams
import LockFreeRings
import SimulatedVenue
import Testing
import TradingEngine
import TradingTypes

@Suite struct WalkOrderTests {
  private func venues(_ configuration: EngineConfiguration = Rig.configuration(), latency: Int64 = 0) throws
    -> SimulatedVenues
  {
    try SimulatedVenues(
      venues: configuration.venueDirectory(), split: configuration.displaySplit(), instruments: Rig.directory(),
      latency: TimeSpan(nanoseconds: latency), queueCapacity: 64, in: Arena(capacityBytes: 1 << 20))
  }

  /// A pipeline over a market that has just routed its first order; the order went out at the session's start.
  private func afterFirstOrder(latency: Int64) throws -> HostPipeline<SimulatedVenues> {
    var pipeline = try Rig.pipeline(venues(latency: latency))
    for event in Rig.market() { pipeline.ingest(event) }
    return pipeline
  }

  @Test func `without latency acks and fills are booked before the next event`() throws {
    let pipeline = try afterFirstOrder(latency: 0)
    #expect(pipeline.sink.decisions.map(\.verdict) == [.noSize, .routed])
    #expect(pipeline.sink.reports.map(\.kind) == [.accepted, .filled])
    let held = pipeline.ledger.position(of: Rig.instrument).lots
    #expect(held == pipeline.sink.children[0].quantity.lots && held > 0)
    let open = pipeline.ledger.openOrderCount
    #expect(open == 0)
    // Decision first, then what came of it.
    guard case .decision? = pipeline.sink.entries.dropFirst().first, case .report? = pipeline.sink.entries.last else {
      Issue.record("a decision is recorded before its reports")
      return
    }
  }

  @Test func `an event before a pending ack does not see it, one at its time does`() throws {
    let latency: Int64 = 1_000
    var pipeline = try afterFirstOrder(latency: latency)
    var reports = pipeline.sink.reports.count
    #expect(reports == 0)
    var open = pipeline.ledger.openOrderCount
    #expect(open == 1)
    pipeline.ingest(Rig.nothing(at: latency - 1))
    reports = pipeline.sink.reports.count
    open = pipeline.ledger.openOrderCount
    #expect(reports == 0 && open == 1)
    pipeline.ingest(Rig.nothing(at: latency))
    #expect(pipeline.sink.reports.map(\.kind) == [.accepted, .filled])
    #expect(pipeline.sink.reports.allSatisfy { $0.time.nanoseconds == Rig.open.nanoseconds + latency })
    open = pipeline.ledger.openOrderCount
    #expect(open == 0)
  }

  @Test func `a bar's end before midnight takes no report from the future`() throws {
    // Orders go out 130 s before midnight and are reported 30 s before it; a bar ends a minute before it.
    let start = ItchFixture.midnight.nanoseconds - Rig.open.nanoseconds - 130_000_000_000
    var pipeline = try Rig.pipeline(venues(latency: 100_000_000_000))
    for event in Rig.market(at: start) { pipeline.ingest(event) }
    #expect(pipeline.sink.decisions.last?.verdict == .routed)
    pipeline.ingest(Rig.nothing(at: start + 80_000_000_000))
    #expect(pipeline.sink.reports.isEmpty)
    pipeline.ingest(Rig.nothing(at: start + 100_000_000_000))
    #expect(!pipeline.sink.reports.isEmpty)
  }

  @Test func `a fill sees the book as it was before the event at its time`() throws {
    let latency: Int64 = 1_000
    // The ask is gone by an event before the fill is due: nothing is left to take.
    var late = try afterFirstOrder(latency: latency)
    late.ingest(
      MarketEvent(
        kind: .deleteOrder, sequence: 3, time: Timestamp(nanoseconds: Rig.open.nanoseconds + latency - 1),
        instrument: Rig.instrument, reference: OrderReference(value: 2)))
    late.finish()
    #expect(late.sink.reports.map(\.kind) == [.accepted, .cancelled])
    // The same event at the time of the ack: the fill came first.
    var early = try afterFirstOrder(latency: latency)
    early.ingest(
      MarketEvent(
        kind: .deleteOrder, sequence: 3, time: Timestamp(nanoseconds: Rig.open.nanoseconds + latency),
        instrument: Rig.instrument, reference: OrderReference(value: 2)))
    #expect(early.sink.reports.map(\.kind) == [.accepted, .filled])
  }

  @Test func `finish takes in what is still under way`() throws {
    var pipeline = try afterFirstOrder(latency: 60_000_000_000)
    pipeline.finish()
    let open = pipeline.ledger.openOrderCount
    #expect(open == 0)
    #expect(pipeline.sink.fills.count == 1)
  }

  @Test func `a bar closes before the event at its end, and model slots are from the bar before`() throws {
    var pipeline = try Rig.pipeline(venues(), forecast: .unusable)
    let minute: Int64 = 60_000_000_000
    for event in Rig.market() { pipeline.ingest(event) }
    // Trades at 100.00, 101.00, 102.00 and 103.00, one a minute from the first on.
    for number in 0..<4 {
      pipeline.ingest(Rig.trade(UInt64(10 + number), 10_000 + 100 * Int64(number), at: Int64(number) * minute + 1))
    }
    // At 3 min + 1 ns the bar of the third minute closed with 102, and the trade at 103 is not in it.
    let vector = try #require(pipeline.model.vectors.last)
    let expectedVariance = pipeline.sizer.volatility.variance(of: Rig.instrument)
    #expect(vector[.garchVar] == expectedVariance)
    #expect(vector.valid[.garchVar] && vector.valid[.regimeBull])
    // Twins: stages of our own, stepped in the stated order with the two returns that exist after three closed bars.
    let configuration = Rig.configuration()
    var regimes = try RegimeFilter(
      instrumentCount: 1,
      parameters: RegimeParameters(
        start: configuration.regime.start, transition: configuration.regime.transition,
        means: configuration.regime.means, variances: configuration.regime.variances),
      table: RegimeTable(roles: [.bull, .bear]), in: Arena(capacityBytes: 1 << 20))
    let first = 100 * DeterministicMath.logRatio(101, 100)
    let second = 100 * DeterministicMath.logRatio(102, 101)
    regimes.step(Rig.instrument, returnPercent: first)
    let before = regimes.probabilities(of: Rig.instrument)
    #expect(vector[.regimeBull] == before.bull && vector[.regimeBear] == before.bear)
    regimes.step(Rig.instrument, returnPercent: second)
    let after = regimes.probabilities(of: Rig.instrument)
    let own = pipeline.regimes.probabilities(of: Rig.instrument)
    #expect(own.bull == after.bull && own.bear == after.bear)
    #expect(before.bull != after.bull)
    // The first forecast takes the variance before the first bar for shock and variance alike.
    let rules = configuration.volatility
    var model = rules.omega + (rules.alpha + rules.gamma / 2 + rules.beta) * rules.initialVariance
    for bar in [first, second] {
      let shock = bar - configuration.volatility.mean
      let weight = configuration.volatility.alpha + (shock < 0 ? configuration.volatility.gamma : 0)
      model = configuration.volatility.omega + weight * shock * shock + configuration.volatility.beta * model
    }
    #expect(abs(model - expectedVariance) < 1e-12)
  }

  @Test func `an event one nanosecond before the bar's end closes nothing`() throws {
    var pipeline = try Rig.pipeline(venues(), forecast: .unusable)
    let minute: Int64 = 60_000_000_000
    pipeline.ingest(Rig.trade(1, 10_000, at: 1))
    pipeline.ingest(Rig.trade(2, 10_100, at: minute + 1))
    pipeline.ingest(Rig.nothing(at: 2 * minute))
    let before = pipeline.regimes.snapshot(of: Rig.instrument).observations
    // A message of another kind closes no bar of this instrument; one of its own at the end does.
    pipeline.ingest(Rig.add(3, .buy, 9_000, at: 2 * minute - 1))
    let still = pipeline.regimes.snapshot(of: Rig.instrument).observations
    pipeline.ingest(Rig.add(4, .buy, 8_999, at: 2 * minute))
    let after = pipeline.regimes.snapshot(of: Rig.instrument).observations
    #expect(before == 0 && still == 0 && after == 1)
  }

  @Test func `equity is sampled at the barrier only`() throws {
    var pipeline = try afterFirstOrder(latency: 0)
    let start = Rig.configuration().startingCash
    var sampled = pipeline.sampledEquity
    #expect(sampled == start)
    // The fill cost fees and the spread: the equity moved, the sample did not.
    let equity = pipeline.ledger.equity
    #expect(equity != start)
    let minute: Int64 = 60_000_000_000
    pipeline.ingest(Rig.nothing(at: minute - 1))
    sampled = pipeline.sampledEquity
    #expect(sampled == start)
    pipeline.ingest(Rig.nothing(at: minute))
    sampled = pipeline.sampledEquity
    let now = pipeline.ledger.equity
    #expect(sampled == now && sampled != start)
  }

  @Test func `the least interval between two decisions of an instrument is kept`() throws {
    let configuration = Rig.configuration { $0.trigger.intervalNanosecondsMin = 1_000 }
    var pipeline = try Rig.pipeline(venues(), forecast: .unusable, instruments: 2, configuration: configuration)
    for (number, time) in [Int64(0), 999, 1_000, 1_500, 1_999, 2_000, 5_000].enumerated() {
      pipeline.ingest(Rig.trade(UInt64(number + 1), 10_000, at: time))
      pipeline.ingest(Rig.trade(UInt64(number + 101), 10_000, at: time + 10, of: 1))
    }
    let times = pipeline.sink.decisions.filter { $0.instrument == Rig.instrument }.map {
      $0.time.nanoseconds - Rig.open.nanoseconds
    }
    #expect(times == [0, 1_000, 2_000, 5_000])
    #expect(pipeline.sink.decisions.count == 8)
  }

  @Test func `triggers are what the configuration names`() throws {
    for (best, trade, expected) in [(true, true, 3), (true, false, 2), (false, true, 1), (false, false, 0)] {
      let configuration = Rig.configuration {
        $0.trigger.onBestChange = best
        $0.trigger.onTrade = trade
      }
      var pipeline = try Rig.pipeline(venues(), forecast: .unusable, configuration: configuration)
      for event in Rig.market() { pipeline.ingest(event) }
      // Behind the best, and a trade.
      pipeline.ingest(Rig.add(3, .buy, 9_990, at: 5))
      pipeline.ingest(Rig.trade(4, 10_000, at: 6))
      let triggers = pipeline.counts.triggers
      #expect(triggers == expected)
    }
  }

  @Test func `snapshot events build the book and trigger nothing`() throws {
    var pipeline = try Rig.pipeline(venues())
    for event in Rig.market() {
      var event = event
      event.flags.insert(.snapshot)
      let effect = pipeline.ingest(event)
      #expect(effect.bestChanged)
    }
    var triggers = pipeline.counts.triggers
    #expect(triggers == 0)
    let isTwoSided = pipeline.books[depth: Rig.instrument].isTwoSided
    #expect(isTwoSided)
    pipeline.ingest(Rig.add(3, .buy, 10_000, at: 5))
    triggers = pipeline.counts.triggers
    #expect(triggers == 1)
    #expect(pipeline.sink.decisions.map(\.verdict) == [.routed])
  }

  @Test(arguments: [UInt32(1), 2, 1_000, .max])
  func `events of unknown instruments are counted and change nothing`(index: UInt32) throws {
    var pipeline = try Rig.pipeline(venues())
    let before = pipeline.stateHash()
    for event in [
      Rig.add(1, .buy, 10_000, at: 0, of: index), Rig.trade(2, 10_000, at: 0, of: index), Rig.nothing(at: 3),
      MarketEvent(
        kind: .clearBook, time: Rig.open, instrument: InstrumentID(index: index)),
    ] {
      let effect = pipeline.ingest(event)
      #expect(!effect.status.changedBook)
    }
    let after = pipeline.stateHash()
    #expect(before == after)
    let counts = (pipeline.counts.messages, pipeline.counts.triggers)
    #expect(counts == (4, 0))
  }

  @Test func `an instrument that is not tradable never triggers`() throws {
    let directory = try InstrumentDirectory([
      Instrument(id: Rig.instrument, symbol: Symbol("M0")!, flags: [.acceptsOddLots])
    ])
    var pipeline = try TradingPipeline(
      configuration: Rig.configuration(), instruments: directory, midnight: ItchFixture.midnight,
      model: ScriptedModel(forecast: .up), gateway: HostVenue(), probe: NoProbe(), sink: RecordingSink(),
      control: Rig.control(), in: Arena(capacityBytes: 128 << 20))
    for event in Rig.market() { pipeline.ingest(event) }
    let counts = (pipeline.counts.messages, pipeline.counts.triggers)
    #expect(counts == (2, 0))
  }

  static let insane: [Forecast] = [
    Forecast(probabilityUp: .nan, confidence: 0.9, members: 1),
    Forecast(probabilityUp: 0.9, confidence: .nan, members: 1),
    Forecast(probabilityUp: .infinity, confidence: 0.9, members: 1),
    Forecast(probabilityUp: 1.0000001, confidence: 0.9, members: 1),
    Forecast(probabilityUp: -0.0000001, confidence: 0.9, members: 1),
    Forecast(probabilityUp: 0.9, confidence: 1.1, members: 1),
    Forecast(probabilityUp: 0.9, confidence: -0.1, members: 1),
    {
      var forecast = Forecast.up
      forecast.signal = .nan
      return forecast
    }(),
    {
      var forecast = Forecast.up
      forecast.signal = -1.5
      return forecast
    }(),
  ]

  @Test(arguments: insane.indices)
  func `a forecast that is no number or out of range ends as no signal and is counted`(index: Int) throws {
    var pipeline = try Rig.pipeline(venues(), forecast: Self.insane[index])
    for event in Rig.market() { pipeline.ingest(event) }
    #expect(pipeline.sink.decisions.map(\.verdict) == [.noSignal, .noSignal])
    let counts = (pipeline.counts.insaneForecasts, pipeline.counts.unusableForecasts, pipeline.counts.orders)
    #expect(counts == (2, 2, 0))
    // The next good one trades.
    pipeline.model.forecast = .up
    pipeline.ingest(Rig.trade(3, 10_000, at: 5))
    #expect(pipeline.sink.decisions.last?.verdict == .routed)
  }

  @Test func `verdicts follow the stage that ends a decision`() throws {
    var pipeline = try Rig.pipeline(venues(), forecast: .unusable)
    for event in Rig.market() { pipeline.ingest(event) }
    for (number, forecast) in [
      Forecast(probabilityUp: 0.5, confidence: 0.9, members: 1),
      Forecast(probabilityUp: 0.9, confidence: 0.1, members: 1),
      .up, .up, .down,
    ].enumerated() {
      pipeline.model.forecast = forecast
      pipeline.ingest(Rig.trade(UInt64(number + 10), 10_000, at: 2_000_000 * Int64(number + 1)))
    }
    #expect(
      pipeline.sink.decisions.map(\.verdict) == [
        .noSignal, .noSignal, .noSignal, .belowConfidence, .routed, .noSize, .routed,
      ])
    // From long to short in one order, at the bid.
    let last = try #require(pipeline.sink.decisions.last)
    #expect(last.side == Side.sell.rawValue && last.price == Rig.price(10_000))
    let held = pipeline.ledger.position(of: Rig.instrument).lots
    #expect(held < 0)
  }

  @Test func `a context value that is refused reaches neither features nor sizing`() throws {
    var pipeline = try Rig.pipeline(venues())
    func take(_ value: Double, _ kind: ContextEvent.Kind = .vix, at nanoseconds: Int64 = 0, of id: InstrumentID = .none)
      -> Bool
    {
      pipeline.context(
        ContextEvent(
          kind: kind, instrument: id, value: value, time: Timestamp(nanoseconds: Rig.open.nanoseconds + nanoseconds)))
    }
    for bad in [Double.nan, .infinity, -.infinity, -1] {
      let isTaken = take(bad)
      #expect(!isTaken, "\(bad)")
    }
    for kind in ContextEvent.Kind.allCases {
      let isTaken = take(.nan, kind)
      #expect(!isTaken)
    }
    let stranger = take(0.5, .sentiment, of: InstrumentID(index: 7))
    #expect(!stranger)
    for event in Rig.market() { pipeline.ingest(event) }
    var isUsable = pipeline.sizer.record.isVIXUsable
    #expect(!isUsable)
    let isTaken = take(20)
    #expect(isTaken)
    pipeline.ingest(Rig.trade(3, 10_000, at: 5))
    isUsable = pipeline.sizer.record.isVIXUsable
    let factor = pipeline.sizer.record.vixFactor
    #expect(isUsable && factor == 1)
    #expect(pipeline.model.vectors.last?[.vix] == 20)
    // An older value, and a negative one, do not replace it.
    let older = take(80, at: -1_000_000_000)
    let negative = take(-5, at: 1)
    #expect(!older && !negative)
    pipeline.ingest(Rig.trade(4, 10_000, at: 6))
    let same = (pipeline.sizer.record.isVIXUsable, pipeline.sizer.record.vixFactor)
    #expect(same == (true, 1))
    let raised = take(26, at: 2)
    #expect(raised)
    pipeline.ingest(Rig.trade(5, 10_000, at: 7))
    let now = pipeline.sizer.record.vixFactor
    #expect(now == 0.7)
  }
}
