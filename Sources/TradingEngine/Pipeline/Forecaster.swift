public import ModelInference
public import SignalFeatures
public import TradingTypes

/// Stage 3 as the pipeline sees it: the built-in `Ensemble`, or a host's own model.
///
/// Pure: the same features give the same forecast, and nothing outside is read, so that a replay repeats every decision.
public protocol Forecaster: ~Copyable {
  /// Features that the model needs beside the catalogue's, in slots 88–95; none unless it says so.
  associatedtype Features: CustomFeatures = NoCustomFeatures

  /// The forecast for the next move of `instrument`, from its feature vector at `time`.
  ///
  /// A forecast that holds a non-finite number, or a probability or confidence outside [0, 1], counts as unusable.
  mutating func forecast(
    _ features: borrowing FeatureVector, for instrument: InstrumentID, at time: Timestamp
  ) -> Forecast
}

extension Ensemble: Forecaster {
  /// The ensemble's forecast; it depends on the features alone.
  @inlinable public mutating func forecast(
    _ features: borrowing FeatureVector, for instrument: InstrumentID, at time: Timestamp
  ) -> Forecast {
    forecast(features)
  }
}

extension Forecast {
  /// Every number is finite and every probability lies in [0, 1].
  @inlinable var isSane: Bool {
    // A comparison with NaN is false, so NaN is refused too.
    probabilityUp >= 0 && probabilityUp <= 1 && confidence >= 0 && confidence <= 1 && signal >= -1 && signal <= 1
  }
}
