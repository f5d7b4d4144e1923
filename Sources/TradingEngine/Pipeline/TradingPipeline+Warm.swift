public import LockFreeRings
public import OrderRouting
public import PositionSizing
public import PreTradeRisk
public import RegimeDetection
public import SignalFeatures
public import TradingTypes

/// What the last decision looked like: what a dry run goes over again.
@frozen @usableFromInline struct WarmPath: BitwiseCopyable {
  @usableFromInline var hasEvent = false
  @usableFromInline var hasIntent = false
  @usableFromInline var slice = 0
  @usableFromInline var event: MarketEvent
  @usableFromInline var forecast = Forecast.unusable
  @usableFromInline var intent: OrderIntent

  @inlinable init(event: MarketEvent, intent: OrderIntent) {
    self.event = event
    self.intent = intent
  }
}

extension TradingPipeline where Model: ~Copyable, Gateway: ~Copyable, Probe: ~Copyable, Sink: ~Copyable {
  /// Uses a moment without messages: a slice of the model's work that can wait, if there is any.
  ///
  /// To be called whenever nothing is due. What is not done between messages is done when it is needed, on the path of a
  /// message; results are the same.
  ///
  /// - Returns: false where there was nothing to do.
  /// - Complexity: about a microsecond, no allocation.
  @inlinable public mutating func advanceModel() -> Bool { model.advance() }

  /// Uses a moment without messages: a slice of the model's work that can wait, or of a dry run of stages 2–7.
  ///
  /// A millisecond without work costs the next decision several times its usual time, because caches and branch
  /// predictors have gone to others; a dry run over the last decision every 10 to 30 µs keeps them. It works on memory
  /// of its own, and no decision, count or record shows whether it ran.
  ///
  /// - Complexity: a slice is about a microsecond; no allocation.
  @inlinable @inline(never) public mutating func keepWarm() {
    guard !model.advance(), warm.hasEvent else { return }
    let slice = warm.slice
    let forecasts = model.warmSliceCount
    // Wrapping: a few slices.
    warm.slice = slice &+ 1 > forecasts &+ 1 ? 0 : slice &+ 1
    if slice == 0 {
      let id = warm.event.instrument
      features.vector(of: id, depth: books[depth: id], at: warm.event.time, into: &warmVector)
      customFeatures.write(of: id, depth: books[depth: id], at: warm.event.time, into: &warmVector)
    } else if slice <= forecasts {
      model.warm(slice &- 1)
    } else {
      warmOrder()
    }
  }

  /// A dry run of stages 4 to 7 over the last intent.
  @inlinable mutating func warmOrder() {
    guard warm.hasIntent else { return }
    let id = warm.intent.instrument
    let quote = consolidated.best(of: id)
    let record = sizer.record
    let signal = regimes.adjust(warm.forecast, for: id)
    let inputs = sizingInputs(for: id, cause: warm.event, quote: quote, policy: control.value.policy)
    _ = sizer.size(signal, inputs)
    sizer.restore(record)
    let killState = killState(of: warm.intent)
    let riskInputs = riskInputs(for: id, at: warm.event.time, quote: quote, kill: killState)
    _ = gate.evaluate(warm.intent, riskInputs, ledger)
    for venue in 0..<rules.split.venueCount { setLadder(venue, for: warm.intent) }
    _ = router.route(
      warm.intent, ladders: ladders, terms: states[Int(id.index)].terms, kill: killState,
      nextChildID: ClientOrderID(value: lastClientOrderID &+ 1), into: &warmPlan)
  }

  /// The model takes the vector as it was at the close of a bar.
  @inlinable @inline(never) mutating func closeModelBar(_ bar: ClosedBar, of id: InstrumentID) {
    features.vector(of: id, depth: books[depth: id], at: bar.endTime, into: &warmVector)
    customFeatures.write(of: id, depth: books[depth: id], at: bar.endTime, into: &warmVector)
    model.close(warmVector, for: id, at: bar.endTime, isFirst: bar.isFirst)
  }
}
