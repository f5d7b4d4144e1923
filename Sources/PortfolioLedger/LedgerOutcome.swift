/// What became of an order or a report in the ledger.
@frozen public enum LedgerOutcome: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
  /// Booked as it says.
  case applied = 0
  /// No room for another open order; nothing changed.
  case full = 1
  /// An order of that number is open or finished a short while ago; nothing changed.
  case duplicate = 2
  /// The report names no order we know, so that its owner is unknown; nothing changed: reconcile by hand.
  case unknownOrder = 3
  /// The instrument is not in the books; nothing changed.
  case unknownInstrument = 4
  /// The strategy, account or venue is not in the books; nothing changed.
  case unknownOwner = 5
  /// The report cannot follow the order's state; nothing changed.
  case illegalTransition = 6
  /// The report names another instrument, side or venue than the order; nothing changed.
  case mismatch = 7
  /// More was filled than still worked. It happened, so it is booked; trading must stop.
  case overfill = 8
  /// A quantity that is not positive, or no order number; nothing changed.
  case invalid = 9
  /// Beyond the amounts the books can hold; nothing changed: reconcile by hand.
  case outOfRange = 10

  /// The ledger is different from before.
  @inlinable public var changedLedger: Bool { self == .applied || self == .overfill }

  /// The venue and the books no longer tell the same story: the engine's kill switch should trip.
  @inlinable public var isAlarming: Bool {
    switch self {
    case .applied, .full, .duplicate: false
    default: true
    }
  }
}
