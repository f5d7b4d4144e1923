public import EngineTelemetry
public import LockFreeRings
public import MarketIngest
public import OrderBooks
public import OrderRouting
public import PortfolioLedger
public import PositionSizing
public import PreTradeRisk
public import RegimeDetection
public import SignalFeatures
public import TradingTypes

/// The seven stages on one thread, from a market event to child orders at the venues: the inline topology.
///
/// `walk` and `decide` are the whole of it, to be read from top to bottom. Everything is event time: the same events give the same decisions,
/// whenever and however fast they are replayed. After `init` nothing allocates, locks or calls the system.
///
/// Generic over what a host may bring, so that every call is direct: the model, the venues, the probe that times the
/// stages, and the sink that takes the decisions.
@frozen
public struct TradingPipeline<
  Model: Forecaster & ~Copyable, Gateway: VenueGateway & ~Copyable, Probe: PipelineProbe & ~Copyable,
  Sink: DecisionSink & ~Copyable
>: ~Copyable {
  /// 1: bytes to market events.
  public var decoder: ItchDecoder
  /// 1: the books of all instruments.
  public var books: OrderBookSet
  /// How far each book can be trusted: stage 6 refuses every order on one that is not `valid`.
  public var health: BookHealth
  /// The best quotes over all venues.
  public var consolidated: ConsolidatedBook
  /// 2: incremental features and bars.
  public var features: FeatureEngine
  /// 2: the features that the model brings along.
  public var customFeatures: CustomFeatureSet<Model.Features>
  /// 3: the model.
  public var model: Model
  /// 4: the regime filter of each instrument.
  public var regimes: RegimeFilter
  /// 5: volatility and position size.
  public var sizer: PositionSizer
  /// 6: the pre-trade checks.
  public var gate: RiskGate
  /// 7: the smart order router.
  public var router: OrderRouter
  /// Positions, open orders, exposure and P&L.
  public var ledger: Ledger
  /// The venues.
  public var gateway: Gateway
  /// Times the stages.
  public var probe: Probe
  /// Takes the decisions.
  public var sink: Sink
  /// Stops trading.
  public var kill: KillSwitch
  /// What has been done.
  public var counts = PipelineCounts()
  // Why stage 5 gave no order when it was last asked; nil where it gave one.
  @usableFromInline var sizingReason: SizingReason?
  /// Where refitted parameters of stages 4 and 5 come in, if they ever do; in a box, so that it is one word of this struct.
  public var refits: OwnedBox<RefitDesk>?

  @usableFromInline var control: SnapshotReader<ControlOrder>
  @usableFromInline var rearmCount: UInt64 = 0
  @usableFromInline var triggers: KillTriggers
  @usableFromInline var states: Slab<InstrumentState>
  @usableFromInline let rules: PipelineRules
  @usableFromInline var barrier: Timestamp
  @usableFromInline var equity: Money
  @usableFromInline var peakEquity: Money
  @usableFromInline var context = ContextState()
  @usableFromInline var lastClientOrderID: UInt64 = 0
  // What a shard knows of the others; nothing outside the sharded topology.
  @usableFromInline var share: PortfolioShare
  // Working memory of a decision: here, not on the stack, because together they are some 3 KB.
  @usableFromInline var vector = FeatureVector()
  @usableFromInline var ladders: Slab<VenueLadder>
  @usableFromInline var plan: RoutePlan
  // The same of dry runs, and what they go over.
  @usableFromInline var warm: WarmPath
  @usableFromInline var warmVector = FeatureVector()
  @usableFromInline var warmPlan: RoutePlan

  // MARK: - The walk

  /// Takes one ITCH 5.0 message through the stages; messages come in feed order. What is no event is counted by the decoder.
  ///
  /// - Parameters:
  ///   - message: the body, without its length.
  ///   - sequence: its number in the session, from 1.
  /// - Returns: what it did to its book; `ignored` where it was no event.
  @inlinable @discardableResult public mutating func ingest(_ message: ByteView, sequence: UInt64) -> BookEffect {
    probe.begin()
    guard case .event(let event) = decoder.decode(message, sequence: sequence) else { return BookEffect(.ignored) }
    return walk(event)
  }

  /// Takes one market event of any feed through the stages; events come in feed order.
  ///
  /// - Returns: what it did to its book.
  @inlinable @discardableResult public mutating func ingest(_ event: MarketEvent) -> BookEffect {
    probe.begin()
    return walk(event)
  }

  /// The seven stages.
  ///
  /// - Complexity: O(1) beside bars that close; no allocation.
  @inlinable mutating func walk(_ event: MarketEvent) -> BookEffect {
    counts.messages &+= 1
    while let swap = model.takeSwap(before: event.sequence, at: event.time) { sink.record(swap) }
    // Acks and fills that are due, and bars that have ended, come before the event.
    if event.time >= barrier { crossBarrier(at: event.time) }
    settle(by: event.time)
    if share.isOld { tellShare(at: event.time, tag: event.sequence) }
    closeBars(before: event)

    // 1: the book.
    let effect = books.apply(event)
    probe.mark(.ingest)
    let index = Int(event.instrument.index)
    guard index < states.count else { return effect }

    // 2: the features of every event.
    health.observe(event, effect.status)
    features.update(event, effect: effect, depth: books[depth: event.instrument])
    customFeatures.update(event, effect: effect, depth: books[depth: event.instrument])
    note(event, effect)
    probe.skip()
    guard isTrigger(event, effect) else { return effect }

    // 2–7: a decision, which always ends with a verdict.
    counts.triggers &+= 1
    let decision = decide(event)
    probe.end(decision.verdict)
    counts.verdicts[Int(decision.verdict.rawValue)] &+= 1
    if decision.verdict.rawValue >= DecisionVerdict.noSize.rawValue { recordSize(of: event) }
    sink.record(decision, plan: plan)
    settle(by: event.time)
    if share.isOld { tellShare(at: event.time, tag: event.sequence) }
    return effect
  }

  /// Tells the sink how a decision's size was found.
  @inlinable mutating func recordSize(of event: MarketEvent) {
    sink.record(
      SizedDecision(
        sequence: event.sequence, time: event.time, instrument: event.instrument, reason: sizingReason,
        record: sizer.record))
  }

  /// Stages 2 to 7 for one trigger.
  @inlinable mutating func decide(_ event: MarketEvent) -> Decision {
    let id = event.instrument
    warm.event = event
    warm.hasEvent = true
    if control.refresh() { obeyControl(at: event.time) }
    let policy = control.value.policy
    func ended(_ verdict: DecisionVerdict) -> Decision {
      Decision(sequence: event.sequence, time: event.time, instrument: id, verdict: verdict)
    }

    // 2: the feature vector.
    features.vector(of: id, depth: books[depth: id], at: event.time, into: &vector)
    customFeatures.write(of: id, depth: books[depth: id], at: event.time, into: &vector)
    probe.mark(.features)

    // 3: the forecast.
    var forecast = model.forecast(vector, for: id, at: event.time)
    if !forecast.isSane {
      counts.insaneForecasts &+= 1
      forecast = .unusable
    }
    probe.mark(.inference)
    guard forecast.isUsable else {
      counts.unusableForecasts &+= 1
      return ended(.noSignal)
    }

    // 4: the regime.
    let signal = regimes.adjust(forecast, for: id)
    probe.mark(.regime)
    guard signal.signal != 0 else { return ended(.noSignal) }
    guard signal.confidence >= policy.confidenceMin else { return ended(.belowConfidence) }

    // 5: the size.
    let quote = refreshQuote(of: id)
    let inputs = sizingInputs(for: id, cause: event, quote: quote, policy: policy)
    let outcome = sizer.size(signal, inputs)
    probe.mark(.sizing)
    sizingReason = nil
    guard case .intent(let intent) = outcome else {
      if case .noSize(let reason) = outcome { sizingReason = reason }
      return ended(.noSize)
    }
    lastClientOrderID = intent.clientOrderID.value
    warm.intent = intent
    warm.forecast = forecast
    warm.hasIntent = true

    // 6: the checks.
    let killState = killState(of: intent)
    gate.noteHeartbeat(at: gateway.heartbeat(asOf: event.time))
    let riskInputs = riskInputs(for: id, at: event.time, quote: quote, kill: killState)
    if share.isLimited, let refused = reserveShare(of: intent, riskInputs, policy) {
      probe.mark(.pretrade)
      return refused
    }
    let verdict = gate.check(intent, riskInputs, ledger)
    probe.mark(.pretrade)
    guard verdict.isPass else {
      counts.rejects[Int(min(verdict.check, 40))] &+= 1
      return Decision(intent: intent, verdict: .rejected, check: verdict.check)
    }

    // 7: the route.
    let isRouted = route(intent, kill: killState)
    probe.mark(.routing)
    return Decision(intent: intent, verdict: isRouted ? .routed : .noRoute)
  }
}
