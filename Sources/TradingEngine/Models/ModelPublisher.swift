internal import LockFreeRings
internal import ModelInference
public import TradingTypes

/// How another thread changes the models of a `ModelDesk`, and hears what happened there; for one thread at a time.
///
/// A change that took effect comes back with `collect`, with the former model and `ModelChange.effect`: the record that a replay
/// needs. Notices are for people and counts, and may be lost when nobody reads them; changes are not.
public struct ModelPublisher: ~Copyable, Sendable {
  /// Instruments of the desk.
  public let instrumentCount: Int
  /// Rows that the windows of a model may have.
  public let windowMax: Int
  private var slot: ExchangeSlot<ModelChange>.Publisher
  private var notices: LatencyRing<ModelNotice>.Consumer

  init(
    slot: consuming ExchangeSlot<ModelChange>.Publisher, notices: consuming LatencyRing<ModelNotice>.Consumer,
    instrumentCount: Int, windowMax: Int
  ) {
    self.slot = slot
    self.notices = notices
    self.instrumentCount = instrumentCount
    self.windowMax = windowMax
  }

  /// What keeps the desk from taking `model`, or nil.
  public func fault(of model: borrowing DeskModel) -> String? {
    guard model.instrumentCount == instrumentCount else {
      return "a model of \(instrumentCount) instruments, not \(model.instrumentCount)"
    }
    guard model.window <= windowMax else {
      return "a model with windows of at most \(windowMax) rows, not \(model.window)"
    }
    return nil
  }

  /// Whether `publish` would take a change; once it is so, it stays so until the next `publish`.
  public var isFree: Bool { slot.isFree }

  /// Hands a change over; false, and its model is ended, while the one before it has not taken effect or was not collected.
  /// `isFree` tells beforehand.
  ///
  /// - Precondition: `fault` has nothing against its model.
  /// - Complexity: O(instruments), no allocation.
  public mutating func publish(_ change: consuming ModelChange) -> Bool {
    if change.model != nil {
      precondition(
        change.model!.fits(instrumentCount: instrumentCount, windowMax: windowMax),
        "ModelPublisher: a model that fits the desk")
      // It may have stood here before.
      change.model!.forgetRows()
    }
    change.effect = nil
    return slot.publish(change)
  }

  /// The last change as it took effect, with the former model, to be kept or ended here; nil while there is none.
  public mutating func collect() -> ModelChange? { slot.collect() }

  /// The oldest notice, or nil.
  public mutating func nextNotice() -> ModelNotice? { notices.tryPop() }
}
