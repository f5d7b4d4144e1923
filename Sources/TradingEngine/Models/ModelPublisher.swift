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
  private var standing: InlineArray<3, ModelSwap?>

  init(
    slot: consuming ExchangeSlot<ModelChange>.Publisher, notices: consuming LatencyRing<ModelNotice>.Consumer,
    champion: (id: UInt64, version: UInt32), instrumentCount: Int, windowMax: Int
  ) {
    self.slot = slot
    self.notices = notices
    self.instrumentCount = instrumentCount
    self.windowMax = windowMax
    standing = [
      ModelSwap(
        sequence: 0, time: .distantPast, place: .champion, model: champion.id, version: champion.version), nil, nil,
    ]
  }

  /// How the model at `place` came there, as far as changes were collected; nil where there is none. The first champion's sequence is 0.
  public func standing(at place: ModelPlace) -> ModelSwap? { standing[Int(place.rawValue)] }

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
  public mutating func collect() -> ModelChange? {
    guard let change = slot.collect() else { return nil }
    if let effect = change.effect { standing[Int(effect.place.rawValue)] = effect.model == 0 ? nil : effect }
    return change
  }

  /// The oldest notice, or nil.
  public mutating func nextNotice() -> ModelNotice? { notices.tryPop() }
}
