public import LockFreeRings
internal import MarketIngest
internal import OrderBooks
internal import OrderRouting
internal import PortfolioLedger
internal import PositionSizing
internal import PreTradeRisk
internal import RegimeDetection
internal import SignalFeatures
public import TradingTypes

extension TradingPipeline where Model: ~Copyable, Gateway: ~Copyable, Probe: ~Copyable, Sink: ~Copyable {
  /// Builds all seven stages in memory of `arena`.
  ///
  /// - Parameters:
  ///   - midnight: start of the feed's day; bars and session times count from it.
  ///   - control: policy and manual kill switch; several pipelines may share one.
  ///   - arena: a few hundred bytes a resting order and about 64 KiB an instrument and 16 KiB a further timeframe of each are taken from it.
  /// - Throws: one line that names the value and what was expected.
  public init(
    configuration: EngineConfiguration, instruments directory: InstrumentDirectory, midnight: Timestamp,
    model: consuming Model, gateway: consuming Gateway, probe: consuming Probe, sink: consuming Sink,
    control: EngineControl, in arena: Arena
  ) throws(ConfigurationError) {
    try configuration.validate(source: "configuration")
    let venues = try configuration.venueDirectory()
    let count = directory.count
    guard count > 0 else { throw ConfigurationError("the engine trades no instrument: at least one expected") }
    let rules = try PipelineRules(configuration, midnight: midnight)

    let allVenues = UInt64.max >> UInt64(64 - venues.count)
    var terms = directory.instruments
    for index in terms.indices {
      terms[index].venueMask &= allVenues
      guard terms[index].venueMask != 0 else {
        throw ConfigurationError("instrument \(terms[index].symbol): trades at none of the \(venues.count) venues")
      }
    }
    let grid = terms[0].ticks

    // Everything that can fail comes first: a move-only pipeline is either whole or not there.
    let map = try InstrumentMap(listed: terms.map(\.symbol), in: arena)
    let decoder = ItchDecoder(midnight: midnight, venue: VenueID(index: 0), map: map, in: arena)
    let capacity = try BookCapacity(
      instruments: count, orders: Int(configuration.capacity.restingOrders),
      windowTicks: Int(configuration.capacity.windowTicks))
    let books = try OrderBookSet(capacity: capacity, feedIncrement: grid.low, tick: grid.high, in: arena)
    let health = try BookHealth(capacity, rules: configuration.bookHealthRules(), in: arena)
    var consolidated = try ConsolidatedBook(instruments: count, venues: venues.count, in: arena)
    for venue in venues.venues { consolidated.setVenue(venue.id, isUp: true, isProtected: venue.isProtected) }
    let features = try FeatureEngine(
      instrumentCount: count, configuration: configuration.features(midnight: midnight, increment: grid.low), in: arena)
    let customFeatures = try CustomFeatureSet<Model.Features>(instrumentCount: count, in: arena)
    let regimes = try RegimeFilter(
      instrumentCount: count, parameters: configuration.regimeParameters(), table: configuration.regimeTable(),
      in: arena)
    let sizer = try PositionSizer(
      instrumentCount: count, parameters: configuration.sizingParameters(),
      volatility: configuration.volatilityParameters(), in: arena)
    let gate = try RiskGate(
      configuration: RiskGateConfiguration(
        instruments: terms, venueCount: venues.count, limits: configuration.limits,
        permissions: .everything(
          venueCount: venues.count, heartbeat: .distantPast, heartbeatAgeMax: configuration.limits.marketDataAgeMax)),
      in: arena)
    let router = try OrderRouter(venues: venues, in: arena)
    var ledger = try Ledger(
      configuration: LedgerConfiguration(
        instruments: terms, venueCount: venues.count, openOrderCapacity: Int(configuration.capacity.openOrders),
        startingCash: configuration.startingCash),
      in: arena)
    ledger.startDay()
    let reader: SnapshotReader<ControlOrder>
    do throws(ArenaError) { reader = try control.reader() } catch { throw ConfigurationError(error.description) }
    let share = try PortfolioShare(in: arena)

    self.rules = rules
    self.decoder = decoder
    self.books = books
    self.health = health
    self.consolidated = consolidated
    self.features = features
    self.customFeatures = customFeatures
    self.regimes = regimes
    self.sizer = sizer
    self.gate = gate
    self.router = router
    self.ledger = ledger
    self.control = reader
    self.share = share
    refits = nil
    sizingReason = nil
    kill = KillSwitch(instrumentCount: count, in: arena)
    triggers = KillTriggers(rules: configuration.kill, instrumentCount: count, in: arena)
    states = Slab(repeating: InstrumentState(terms: terms[0]), count: count, in: arena)
    for (index, terms) in terms.enumerated() { states[index] = InstrumentState(terms: terms) }
    barrier = .distantPast
    equity = configuration.startingCash
    peakEquity = max(configuration.startingCash, configuration.continuousSizing.peakEquity)
    ladders = Slab(repeating: VenueLadder(venue: VenueID(index: 0)), count: rules.split.venueCount, in: arena)
    let nothing = OrderIntent(
      clientOrderID: .none, causeSequence: 0, time: .distantPast, instrument: .none, side: .buy, price: .zero,
      quantity: .zero)
    plan = RoutePlan(
      filler: ChildOrder(
        part: nothing, clientOrderID: .none, venue: VenueID(index: 0), price: .zero, quantity: .zero, isSweep: false))
    warmPlan = plan
    warm = WarmPath(
      event: MarketEvent(kind: .clearBook, time: .distantPast, instrument: .none), intent: nothing)
    self.model = model
    self.gateway = gateway
    self.probe = probe
    self.sink = sink
    // A reader tells of changes only: what was asked for before this pipeline was there holds from the start.
    let order = self.control.value
    rearmCount = order.rearmCount
    if order.requestedLevel > .active { kill.trip(.global, to: order.requestedLevel, .manual, at: midnight) }
  }

  /// Takes a context value: VIX, sentiment, a yield. False when it is not finite or names an unknown instrument.
  @discardableResult
  public mutating func context(_ event: ContextEvent) -> Bool {
    // What the features refuse (not finite, out of range, older than what is held) must not reach sizing either.
    guard features.receive(event) else { return false }
    if event.kind == .vix {
      context.vix = event.value
      context.vixTime = event.time
    }
    return true
  }

  /// Ends the day gracefully: takes in every report that is still due, whatever its time.
  public mutating func finish() { settle(by: .distantFuture) }

  /// How far the feed's messages are all there, as its line says (`LineAction.stateChanged`): the host sets it.
  public var line: LineState {
    get { health.line }
    set { health.line = newValue }
  }

  /// The day's loss has passed the warning level of the configuration.
  public var hasWarnedOfDailyLoss: Bool { triggers.hasWarnedOfLoss }

  /// Equity as sampled at the last closed primary bar.
  public var sampledEquity: Money { equity }

  /// The highest of those samples, and of what the configuration says of the days before.
  public var sampledPeakEquity: Money { peakEquity }
}
