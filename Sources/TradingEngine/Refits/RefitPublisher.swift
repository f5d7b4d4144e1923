internal import LockFreeRings

/// The other thread's end of a `RefitDesk`: takes closed returns, hands refits over and hears what became of them; for one thread at a time.
public struct RefitPublisher: ~Copyable, Sendable {
  /// Instruments of the desk.
  public let instrumentCount: Int
  /// Desks that change together with this one, itself included.
  public let deskCount: Int
  /// Which shard's desk it is of.
  public let shard: Int
  private var slot: ExchangeSlot<RefitChange>.Publisher
  private var returns: LatencyRing<ClosedReturn>.Consumer

  init(
    slot: consuming ExchangeSlot<RefitChange>.Publisher, returns: consuming LatencyRing<ClosedReturn>.Consumer,
    instrumentCount: Int, deskCount: Int, shard: Int
  ) {
    self.slot = slot
    self.returns = returns
    self.instrumentCount = instrumentCount
    self.deskCount = deskCount
    self.shard = shard
  }

  /// The oldest return that was not taken yet, or nil.
  public mutating func nextReturn() -> ClosedReturn? { returns.tryPop() }

  /// Whether `publish` would take a change; once it is so, it stays so until the next `publish`.
  public var isFree: Bool { slot.isFree }

  /// The same where this is a part of something that would be taken out by reading.
  mutating func isFreeNow() -> Bool { slot.isFree }

  /// Hands a change over; false, and it is ended, while the one before it has not come back or was not collected. `isFree` tells
  /// beforehand.
  ///
  /// Desks that change together get their parts from a `Refitter` over `RefitPublishers`, which counts the records of all.
  ///
  /// - Precondition: it was made for as many instruments, and the desk changes alone.
  /// - Complexity: O(1), no allocation, wait-free.
  public mutating func publish(_ change: consuming RefitChange) -> Bool {
    precondition(deskCount == 1, "RefitPublisher: a desk that changes alone; others get their parts from a Refitter")
    return publishPart(change)
  }

  /// The same for a desk's part of a change.
  mutating func publishPart(_ change: consuming RefitChange) -> Bool {
    var change = change
    precondition(
      change.traits().instrumentCount == instrumentCount, "RefitPublisher: a change for the instruments of the desk")
    change.outcome = nil
    return slot.publish(change)
  }

  /// The last change with its outcome, to be ended here; nil while there is none.
  public mutating func collect() -> RefitChange? { slot.collect() }
}
