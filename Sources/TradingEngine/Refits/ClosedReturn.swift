public import TradingTypes

/// A return that closed with a primary bar, on its way to the refits.
@frozen public struct ClosedReturn: BitwiseCopyable, Hashable, Sendable {
  /// Its number among those of the instrument, from 0.
  public var number: UInt64
  /// The return, percent.
  public var returnPercent: Double
  /// The instrument.
  public var instrument: InstrumentID

  /// Return `number` of `instrument`.
  @inlinable public init(number: UInt64, returnPercent: Double, instrument: InstrumentID) {
    self.number = number
    self.returnPercent = returnPercent
    self.instrument = instrument
  }
}
