import BacktestHarness
import EngineTelemetry
import MarketIngest
import OrderBooks
import TradingEngine

/// Inputs of the single stages as they occur: an engine walks the input, and what its stages are given is kept.
struct WalkSamples {
  /// Inputs kept of a kind at most.
  static let countMax = 2_048

  /// Consecutive events with what they did and the book behind them.
  var events: [MarketEvent] = []
  var effects: [BookEffect] = []
  var depths: [DepthView] = []
  /// Feature vectors of triggers.
  var vectors: [FeatureVector] = []
  /// Changes of the mid over a second of event time, in percent, scaled to a minute.
  var returns: [Double] = []
  /// What stage 5 was given.
  var signals: [RegimeSignal] = []
  var sizing: [SizingInputs] = []
  /// What stage 6 was given, and passes by it.
  var intents: [OrderIntent] = []
  var risks: [RiskInputs] = []
  /// What stage 7 was given for those intents.
  var ladders: [InlineArray<3, VenueLadder>] = []
  /// The books at those moments, and the child orders that came out.
  var routedDepths: [DepthView] = []
  var children: [ChildOrder] = []
  /// Decisions as the journal gets them.
  var decisions: [Decision] = []
  /// Event time from the first to the last message of the walk.
  var span = TimeSpan.zero
  /// The ledger of the engine at the end of the walk, as a snapshot.
  var ledger: LedgerSnapshot
  /// The terms the engine used, by instrument.
  let terms: [Instrument]

  /// The kind of which least was found.
  var smallest: (name: String, count: Int) {
    let counts = [
      ("events", events.count), ("feature vectors", vectors.count), ("returns", returns.count),
      ("signals", signals.count), ("intents", intents.count), ("child orders", children.count),
    ]
    return counts.min { $0.1 < $1.1 } ?? ("anything", 0)
  }

  /// Walks at most `messagesMax` messages of framed ITCH.
  init(_ setup: ReplaySetup, _ bytes: [UInt8], messagesMax: Int) throws {
    let venueCount = setup.configuration.venues.count
    terms = setup.directory.instruments.map { instrument in
      var instrument = instrument
      instrument.venueMask = .max >> UInt64(64 - venueCount)
      return instrument
    }
    let split = try setup.configuration.displaySplit()
    let policy = PolicySnapshot.standard(setup.configuration.mode)
    var pipeline = try setup.makePipeline(probe: NoProbe(), sink: DecisionChecksum())
    var lastMids = [Int64](repeating: 0, count: terms.count)
    var lastSeconds = [Int64](repeating: .min, count: terms.count)
    var vector = FeatureVector()
    var frames = ItchFrames(bytes.rawBytes)
    var sequence: UInt64 = 0
    var first: Timestamp?
    var triggers: UInt64 = 0
    let thin = UInt64(messagesMax) / 5
    while sequence < UInt64(messagesMax), let message = frames.next() {
      sequence += 1
      guard case .event(let event) = pipeline.decoder.decode(message, sequence: sequence) else { continue }
      let before = pipeline.counts.triggers
      let effect = pipeline.ingest(event)
      if first == nil { first = event.time }
      span = event.time - (first ?? event.time)
      let id = event.instrument
      let index = Int(id.index)
      // In the first fifth books fill and the engine takes positions. Then it is halted, so that what it does with a sample does not
      // take away the reason for the same order here.
      guard index < terms.count, sequence > thin else { continue }
      if pipeline.kill.globalLevel == .active { pipeline.kill.trip(.global, to: .halted, .manual, at: event.time) }
      let depth = pipeline.books[depth: id]
      guard depth.isTwoSided else { continue }
      if events.count < Self.countMax {
        events.append(event)
        effects.append(effect)
        depths.append(depth)
      }
      let second = event.time.nanoseconds / 1_000_000_000
      if second != lastSeconds[index], returns.count < Self.countMax {
        lastSeconds[index] = second
        if lastMids[index] > 0 {
          let ratio = DeterministicMath.logRatio(Double(depth.midNanosTwice), Double(lastMids[index]))
          returns.append(100 * ratio * 60.0.squareRoot())
        }
        lastMids[index] = depth.midNanosTwice
      }

      // A trigger: once more what the stages were given. Every third, so that more of the walk is covered.
      guard pipeline.counts.triggers != before else { continue }
      triggers += 1
      guard triggers % 3 == 0 else { continue }
      pipeline.features.vector(of: id, depth: depth, at: event.time, into: &vector)
      if vectors.count < Self.countMax { vectors.append(vector) }
      let signal = pipeline.regimes.adjust(pipeline.model.forecast(vector), for: id)
      guard signal.signal != 0, signal.confidence >= policy.confidenceMin, intents.count < Self.countMax else {
        continue
      }
      var quote = BestQuote()
      quote.bid = depth.bids[0]
      quote.ask = depth.asks[0]
      quote.bidVenues = terms[index].venueMask
      quote.askVenues = terms[index].venueMask
      quote.time = event.time
      quote.state = .normal
      let inputs = SizingInputs(
        instrument: terms[index], policy: policy, equity: pipeline.ledger.equity,
        otherExposure: pipeline.ledger.grossExposure(without: id), openPositions: Int64(pipeline.ledger.positionsHeld),
        position: pipeline.ledger.position(of: id), openBuy: pipeline.ledger.openBuy(of: id),
        openSell: pipeline.ledger.openSell(of: id), quote: quote, time: event.time, causeSequence: sequence,
        nextClientOrderID: ClientOrderID(value: sequence << 8))
      if signals.count < Self.countMax {
        signals.append(signal)
        sizing.append(inputs)
      }
      guard case .intent(let intent) = pipeline.sizer.size(signal, inputs) else { continue }
      let risk = RiskInputs(
        now: event.time, kill: KillState(), quote: quote, bookTime: event.time, lastTrade: intent.price,
        lastTradeTime: event.time)
      guard pipeline.gate.check(intent, risk, pipeline.ledger).isPass else { continue }
      var shown = InlineArray<3, VenueLadder>(repeating: VenueLadder(venue: VenueID(index: 0)))
      for venue in 0..<min(3, split.venueCount) {
        shown[venue] = split.ladder(of: VenueID(index: UInt16(venue)), taking: intent.side, from: depth)
      }
      intents.append(intent)
      risks.append(risk)
      ladders.append(shown)
      routedDepths.append(depth)
      decisions.append(Decision(intent: intent, verdict: .routed))
      children.append(
        ChildOrder(
          part: intent, clientOrderID: ClientOrderID(value: intent.clientOrderID.value + 1),
          venue: VenueID(index: UInt16(intents.count % min(3, split.venueCount))), price: intent.price,
          quantity: intent.quantity, isSweep: false))
    }
    ledger = pipeline.ledger.snapshot()
  }
}
