public import ModelGovernance
public import TradingEngine

extension DriftWatch.Reference {
  /// The distribution as the engine's watch counts by it.
  public init(_ reference: DriftReference) {
    self.init(
      edges: reference.countingEdges, binCounts: reference.binCounts, isTiedBelow: reference.isTiedBelow)
  }
}

extension DriftWatch.Thresholds {
  /// The thresholds as the engine's watch applies them.
  public init(_ thresholds: DriftThresholds) {
    self.init()
    psiAlert = thresholds.psiAlert
    psiClear = thresholds.psiClear
    liveCountMin = thresholds.liveCountMin
  }
}
