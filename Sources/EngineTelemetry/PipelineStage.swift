/// The seven stages, in order, as reports name them.
@frozen public enum PipelineStage: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
  /// Bytes to market event to book.
  case ingest = 0
  /// Book and trades to feature vector.
  case features = 1
  /// Feature vector to forecast.
  case inference = 2
  /// Forecast to regime-adjusted signal.
  case regime = 3
  /// Signal to order intent.
  case sizing = 4
  /// Order intent to verdict.
  case pretrade = 5
  /// Approved order to child orders.
  case routing = 6

  /// Its place, from 0.
  @inlinable public var index: Int { Int(rawValue) }

  /// Its name in reports and metrics.
  public var name: String { "\(self)" }
}
