public import PositionSizing
public import RegimeDetection
public import TradingTypes

/// What a refit changed for one instrument as it took effect: parameters, and the state that the filters went on with.
///
/// A sink is told of it at the bar's end where it took effect, before anything that was decided under it: `JournalSink` keeps it, and
/// `recorded(inJournal:)` reads it back. States are in it, so a replay needs neither the fit nor returns of earlier days.
@frozen public struct RefitRecord: BitwiseCopyable, Sendable {
  /// A model of the regime filter, one for all instruments, and the state of this one.
  @frozen public struct RegimePart: BitwiseCopyable, Sendable {
    /// The model.
    public var parameters: RegimeParameters
    /// The regime table.
    public var table: RegimeTable
    /// What the filter knew of the instrument right after the change.
    public var state: RegimeState

    @inlinable init(parameters: RegimeParameters, table: RegimeTable, state: RegimeState) {
      self.parameters = parameters
      self.table = table
      self.state = state
    }
  }

  /// The instrument's volatility model, and its forecast.
  @frozen public struct VolatilityPart: BitwiseCopyable, Sendable {
    /// The model.
    public var parameters: VolatilityParameters
    /// The forecast right after the change.
    public var state: VolatilityState

    @inlinable init(parameters: VolatilityParameters, state: VolatilityState) {
      self.parameters = parameters
      self.state = state
    }
  }

  /// Refits of the desk that took effect, this one included: from 1.
  public var number: UInt64
  /// End of the primary bar at which it took effect.
  public var barrier: Timestamp
  /// The instrument.
  public var instrument: InstrumentID
  /// The desk's `shard`.
  public var shard: UInt16
  /// Returns that had closed since the refit's state was made, taken in under the new parameters.
  public var caughtUp: UInt16
  /// The regime filter's part, or nil where it stayed.
  public var regime: RegimePart?
  /// The volatility filter's part, or nil where it stayed.
  public var volatility: VolatilityPart?

  /// A change that took effect at `barrier`.
  @inlinable public init(
    number: UInt64, barrier: Timestamp, instrument: InstrumentID, shard: UInt16 = 0, caughtUp: UInt16 = 0,
    regime: RegimePart? = nil, volatility: VolatilityPart? = nil
  ) {
    self.number = number
    self.barrier = barrier
    self.instrument = instrument
    self.shard = shard
    self.caughtUp = caughtUp
    self.regime = regime
    self.volatility = volatility
  }
}

/// Refits that a replay repeats at the bars where they took effect. A plan serves one desk.
public struct RefitPlan: Sendable {
  /// Records of one refit after the other.
  private(set) var groups: [[RefitRecord]] = []

  /// No refit.
  public init() {}

  /// The plan that repeats `records`: those of one desk, in the order in which they took effect.
  public init(repeating records: [RefitRecord]) {
    for record in records {
      // A journal that goes on after a restart counts its refits from 1 again.
      if let last = groups.last?.first, last.number == record.number, last.barrier == record.barrier {
        groups[groups.count - 1].append(record)
      } else {
        groups.append([record])
      }
    }
  }

  /// Refits planned.
  public var count: Int { groups.count }
}
