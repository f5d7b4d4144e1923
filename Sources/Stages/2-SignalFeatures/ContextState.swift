public import TradingTypes

/// The last value of something outside the market.
@frozen @usableFromInline struct ContextValue: BitwiseCopyable {
  @usableFromInline var value: Double
  @usableFromInline var time: Timestamp
  @usableFromInline var isKnown: Bool

  @inlinable init() {
    value = 0
    time = .distantPast
    isKnown = false
  }

  /// The value of an event.
  @inlinable init(_ event: ContextEvent) {
    value = event.value
    time = event.time
    isKnown = true
  }

  /// The value that was there at `end`: this one or, where it came after, the one it replaced; `held` where both came after.
  func known(by end: Timestamp, before earlier: ContextValue, held: ContextValue) -> ContextValue {
    guard isKnown, time > end else { return self }
    return !earlier.isKnown || earlier.time <= end ? earlier : held
  }

  /// Takes over a newer value; what it replaces goes to `earlier`, unless that is of the same time.
  mutating func replace(by newer: ContextValue, keeping earlier: inout ContextValue) {
    if isKnown && newer.time > time { earlier = self }
    self = newer
  }

  @inlinable func isStale(at now: Timestamp, _ constants: borrowing FeatureConstants) -> Bool {
    now - time > constants.contextStaleAge
  }
}

/// What holds for every instrument: VIX, yields, and the market's sentiment.
@frozen @usableFromInline struct MarketContext: BitwiseCopyable {
  @usableFromInline var vix: ContextValue
  @usableFromInline var yield10y: ContextValue
  @usableFromInline var yield2y: ContextValue
  @usableFromInline var sentiment: ContextValue
  /// What the VIX and the sentiment were before, for bars that ended before they came.
  @usableFromInline var earlierVix: ContextValue
  @usableFromInline var earlierSentiment: ContextValue

  @inlinable init() {
    earlierVix = ContextValue()
    earlierSentiment = ContextValue()
    vix = ContextValue()
    yield10y = ContextValue()
    yield2y = ContextValue()
    sentiment = ContextValue()
  }

  /// Whether a value is one its kind can have: finite, a sentiment in [−1, 1], the VIX not negative, yields within ±1000 %.
  @inlinable static func accepts(_ event: ContextEvent) -> Bool {
    guard event.value.isFinite else { return false }
    switch event.kind {
    case .sentiment: return abs(event.value) <= 1
    case .vix: return (0...100_000).contains(event.value)
    case .yield10y, .yield2y: return abs(event.value) <= 1_000
    }
  }
}
