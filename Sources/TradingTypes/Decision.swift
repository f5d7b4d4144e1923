// What the stages hand to each other after the feature vector. All are plain values; none holds NaN or infinity.

/// What the ensemble says of the next move of one instrument.
@frozen public struct Forecast: BitwiseCopyable, Sendable {
  /// Calibrated probability that the price goes up, in [0, 1].
  public var probabilityUp: Double
  /// `2 × probabilityUp − 1`, in [−1, 1].
  public var signal: Double
  /// `max(p, 1 − p) × (1 − sd(member p) / 0.5)`, in [0, 1].
  public var confidence: Double
  /// Members that took part, a bit each.
  public var members: UInt32
  /// At least one member took part; a forecast that is not usable ends the decision with `noSignal`.
  public var isUsable: Bool

  /// A forecast from a probability and the members' agreement.
  @inlinable public init(probabilityUp: Double, confidence: Double, members: UInt32, isUsable: Bool = true) {
    self.probabilityUp = probabilityUp
    signal = 2 * probabilityUp - 1
    self.confidence = confidence
    self.members = members
    self.isUsable = isUsable
  }

  /// No member could speak.
  @inlinable public static var unusable: Forecast {
    Forecast(probabilityUp: 0.5, confidence: 0, members: 0, isUsable: false)
  }
}

/// The market regimes of the regime table, in the order of slots 82–84.
@frozen public enum Regime: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
  /// High variance.
  case bear = 0
  /// Between the two.
  case sideways = 1
  /// Low variance.
  case bull = 2
}

/// A forecast after the regime table: what sizing trades on.
@frozen public struct RegimeSignal: BitwiseCopyable, Sendable {
  /// The regime in force, after hysteresis.
  public var regime: Regime
  /// The filtered probability of that regime.
  public var probability: Double
  /// Forecast signal × the regime's multiplier; may exceed 1 in size.
  public var signal: Double
  /// Forecast confidence × `probability`.
  public var confidence: Double
  /// Probability of the direction that is traded (the sign of `signal`), in [0, 1].
  public var directionProbability: Double

  /// A regime-adjusted signal.
  @inlinable public init(
    regime: Regime, probability: Double, signal: Double, confidence: Double, directionProbability: Double
  ) {
    self.regime = regime
    self.probability = probability
    self.signal = signal
    self.confidence = confidence
    self.directionProbability = directionProbability
  }
}

/// How an order trades.
@frozen public enum OrderType: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
  /// At the limit or better.
  case limit = 1
  /// At any price.
  case market = 2
}

/// How long an order stays.
@frozen public enum TimeInForce: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
  /// Trades at once; the rest is cancelled.
  case immediateOrCancel = 1
  /// Until the end of the day.
  case day = 2
}

/// An order the sizing stage wants: one cache line.
@frozen public struct OrderIntent: BitwiseCopyable, Sendable {
  /// Unique for the account.
  public var clientOrderID: ClientOrderID
  /// Sequence of the market event that caused it; the low half of its `TraceID`.
  public var causeSequence: UInt64
  /// Event time of the decision.
  public var time: Timestamp
  /// The worst acceptable price; zero for a market order.
  public var price: Price
  /// Lots, positive.
  public var quantity: Quantity
  /// The instrument.
  public var instrument: InstrumentID
  /// The strategy it is for.
  public var strategy: StrategyID
  /// The account it is for.
  public var account: AccountID
  /// Direction.
  public var side: Side
  /// How it trades.
  public var type: OrderType
  /// How long it stays.
  public var timeInForce: TimeInForce
  /// It only closes a position, and may pass a halt.
  public var isExit: Bool

  /// An order intent.
  @inlinable public init(
    clientOrderID: ClientOrderID, causeSequence: UInt64, time: Timestamp, instrument: InstrumentID,
    strategy: StrategyID = StrategyID(index: 0), account: AccountID = AccountID(index: 0), side: Side,
    price: Price, quantity: Quantity, type: OrderType = .limit, timeInForce: TimeInForce = .immediateOrCancel,
    isExit: Bool = false
  ) {
    self.clientOrderID = clientOrderID
    self.causeSequence = causeSequence
    self.time = time
    self.price = price
    self.quantity = quantity
    self.instrument = instrument
    self.strategy = strategy
    self.account = account
    self.side = side
    self.type = type
    self.timeInForce = timeInForce
    self.isExit = isExit
  }
}

/// How a decision ended.
@frozen public enum DecisionVerdict: UInt16, BitwiseCopyable, Hashable, Sendable, CaseIterable {
  /// No usable forecast, or a signal of zero.
  case noSignal = 1
  /// Confidence after the regime is below the mode's minimum.
  case belowConfidence = 2
  /// The target is within the no-trade band, or rounds to no lots.
  case noSize = 3
  /// A pre-trade check refused it; the decision's `check` says which.
  case rejected = 4
  /// Sent to venues.
  case routed = 5
  /// No venue could take any of it.
  case noRoute = 6
}

/// One decision as journaled and check-summed, without its child orders.
@frozen public struct Decision: BitwiseCopyable, Sendable {
  /// Number of the causing message, from 1.
  public var sequence: UInt64
  /// Event time.
  public var time: Timestamp
  /// Limit price of the intent, else zero.
  public var price: Price
  /// Lots of the intent, else zero.
  public var quantity: Quantity
  /// The instrument.
  public var instrument: InstrumentID
  /// How it ended.
  public var verdict: DecisionVerdict
  /// The check that refused, else 0.
  public var check: UInt16
  /// Side of the intent as its raw value, 0 where there is none.
  public var side: UInt8

  /// A decision that ended before there was an intent.
  @inlinable public init(sequence: UInt64, time: Timestamp, instrument: InstrumentID, verdict: DecisionVerdict) {
    self.sequence = sequence
    self.time = time
    self.instrument = instrument
    self.verdict = verdict
    price = .zero
    quantity = .zero
    check = 0
    side = 0
  }

  /// A decision that reached the checks with `intent`.
  @inlinable public init(intent: OrderIntent, verdict: DecisionVerdict, check: UInt16 = 0) {
    sequence = intent.causeSequence
    time = intent.time
    instrument = intent.instrument
    self.verdict = verdict
    self.check = check
    side = intent.side.rawValue
    price = intent.price
    quantity = intent.quantity
  }
}
