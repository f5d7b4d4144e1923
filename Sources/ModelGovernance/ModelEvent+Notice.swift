public import TradingTypes

extension ModelEvent {
  /// The long form of a notice that an engine gave, for the registry's history.
  ///
  /// Its subject is the slot's name (`probability` for a drift of the forecasts themselves) where the notice is about drift.
  ///
  /// - Parameter model: the name of the model that `notice.model` means; the registry knows the digits.
  public init(_ notice: ModelNotice, model: String) {
    var subject: String?
    if notice.kind == .driftAlert || notice.kind == .driftCleared {
      let slot = Int(notice.slot)
      let known = FeatureSlot.allCases.first { $0.index == slot }?.name
      subject = known ?? (notice.slot == .max ? "probability" : "slot \(slot)")
    }
    self.init(
      Kind(notice.kind), model: model, version: Int(notice.version), at: notice.time, subject: subject,
      value: notice.value)
  }
}

extension ModelEvent.Kind {
  /// The long form of a notice's kind.
  public init(_ kind: ModelNotice.Kind) {
    switch kind {
    case .registered: self = .registered
    case .staged: self = .staged
    case .approved: self = .approved
    case .promoted: self = .promoted
    case .rolledBack: self = .rolledBack
    case .archived: self = .archived
    case .swapped: self = .swapped
    case .challengerStarted: self = .challengerStarted
    case .challengerStopped: self = .challengerStopped
    case .shadowDisagreement: self = .shadowDisagreement
    case .driftAlert: self = .driftAlert
    case .driftCleared: self = .driftCleared
    case .gatePassed: self = .gatePassed
    case .gateFailed: self = .gateFailed
    }
  }
}
