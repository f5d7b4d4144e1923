public import PositionSizing
public import RegimeDetection
public import TradingTypes

/// What a refit changed for one instrument as it took effect: parameters, and the state that the filters went on with.
///
/// A sink is told of it at the bar's end where it took effect, before anything that was decided under it: `JournalSink` keeps it, and
/// `RefitHistory` reads it back. States are in it, so a replay needs neither the fit nor returns of earlier days.
///
/// A refit of several instruments is as many records, and took effect as a whole. Each says how many they are and which of them it is, so
/// that a journal which was cut within them shows.
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
  /// The shard whose desk it was.
  public var shard: UInt16
  /// Returns that had closed since the refit's state was made, taken in under the new parameters.
  public var caughtUp: UInt16
  /// Which of the refit's records it is: from 0, in the order in which they are recorded, over the desks of all shards.
  public var place: UInt32
  /// Records of the refit, over the desks of all shards.
  public var recordCount: UInt32
  /// The regime filter's part, or nil where it stayed.
  public var regime: RegimePart?
  /// The volatility filter's part, or nil where it stayed.
  public var volatility: VolatilityPart?

  /// A change that took effect at `barrier`.
  @inlinable public init(
    number: UInt64, barrier: Timestamp, instrument: InstrumentID, shard: UInt16 = 0, caughtUp: UInt16 = 0,
    place: UInt32 = 0, recordCount: UInt32 = 1, regime: RegimePart? = nil, volatility: VolatilityPart? = nil
  ) {
    self.number = number
    self.barrier = barrier
    self.instrument = instrument
    self.shard = shard
    self.caughtUp = caughtUp
    self.place = place
    self.recordCount = recordCount
    self.regime = regime
    self.volatility = volatility
  }
}
