public import TradingTypes

/// Everything stage 2 remembers of one instrument's events.
@frozen @usableFromInline struct InstrumentState: BitwiseCopyable {
  /// Time of the last message, never running backwards.
  @usableFromInline var clock: Timestamp
  @usableFromInline var book: BookFlow
  @usableFromInline var events: EventFlow

  @inlinable init() {
    clock = .distantPast
    book = BookFlow()
    events = EventFlow()
  }
}

/// What stage 2 met and did not use, since its start.
@frozen public struct FeatureCounters: BitwiseCopyable, Hashable, Sendable {
  /// Messages older than their predecessor; they count as of the predecessor's time.
  public var outOfOrder: Int64 = 0
  /// Messages of an instrument the engine does not hold.
  public var unknownInstrument: Int64 = 0

  /// Nothing met.
  @inlinable public init() {}
}
