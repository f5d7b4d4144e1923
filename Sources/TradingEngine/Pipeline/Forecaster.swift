public import ModelInference
public import SignalFeatures
public import TradingTypes

/// Stage 3 as the pipeline sees it: the built-in `Ensemble`, or a host's own model.
///
/// Deterministic: the same vectors and closed bars in the same order give the same forecasts, and nothing outside is read,
/// so that a replay repeats every decision.
public protocol Forecaster: ~Copyable {
  /// Features that the model needs beside the catalogue's, in slots 88–95; none unless it says so.
  associatedtype Features: CustomFeatures = NoCustomFeatures

  /// An event is next, with the bars that close before it and its decision: a change of models that is due takes effect now.
  ///
  /// Asked until it gives nil, once a change.
  ///
  /// - Parameter sequence: the event's number in the feed; numbers rise, and a replay repeats them.
  /// - Returns: the change, for the record; nil where no other one is due.
  mutating func takeSwap(before sequence: UInt64, at time: Timestamp) -> ModelSwap?

  /// The forecast for the next move of `instrument`, from its feature vector at `time`.
  ///
  /// A forecast that holds a non-finite number, or a probability or confidence outside [0, 1], counts as unusable.
  mutating func forecast(
    _ features: borrowing FeatureVector, for instrument: InstrumentID, at time: Timestamp
  ) -> Forecast

  /// Whether the model looks back over closed bars; false unless it says so, and `close` is not called then.
  var readsBars: Bool { get }

  /// Takes the feature vector of `instrument` as it was when a bar of the primary timeframe closed.
  ///
  /// Called after everything else of the bar: its slots, the volatility forecast and the regime are in.
  ///
  /// - Parameters:
  ///   - isFirst: the bar follows a gap or begins the day, so earlier bars are not its past.
  mutating func close(
    _ features: borrowing FeatureVector, for instrument: InstrumentID, at time: Timestamp, isFirst: Bool)

  /// One slice, about a microsecond, of work that can wait; false when there is none. Never seen in a forecast.
  mutating func advance() -> Bool

  /// Slices of a dry run of the last forecast; 0 unless the model says so.
  var warmSliceCount: Int { get }

  /// Goes over slice `slice` of the last forecast again, below `warmSliceCount`, for the caches' sake: changes nothing.
  mutating func warm(_ slice: Int)
}

extension Forecaster where Self: ~Copyable {
  /// Stays the same.
  @inlinable public mutating func takeSwap(before sequence: UInt64, at time: Timestamp) -> ModelSwap? { nil }

  /// Reads no bars.
  @inlinable public var readsBars: Bool { false }

  /// Does nothing.
  @inlinable public mutating func close(
    _ features: borrowing FeatureVector, for instrument: InstrumentID, at time: Timestamp, isFirst: Bool
  ) {}

  /// Has no work that can wait.
  @inlinable public mutating func advance() -> Bool { false }

  /// Has no dry run.
  @inlinable public var warmSliceCount: Int { 0 }

  /// Does nothing.
  @inlinable public mutating func warm(_ slice: Int) {}
}

extension Ensemble: Forecaster {
  /// The ensemble's forecast; it depends on the features and on closed bars.
  @inlinable public mutating func forecast(
    _ features: borrowing FeatureVector, for instrument: InstrumentID, at time: Timestamp
  ) -> Forecast {
    forecast(features, of: Int(instrument.index))
  }

  /// The vector becomes the newest closed row of the instrument's windows.
  @inlinable public mutating func close(
    _ features: borrowing FeatureVector, for instrument: InstrumentID, at time: Timestamp, isFirst: Bool
  ) {
    close(features, of: Int(instrument.index), isFirst: isFirst)
  }
}

extension Forecast {
  /// Every number is finite and every probability lies in [0, 1].
  @inlinable var isSane: Bool {
    // A comparison with NaN is false, so NaN is refused too.
    probabilityUp >= 0 && probabilityUp <= 1 && confidence >= 0 && confidence <= 1 && signal >= -1 && signal <= 1
  }
}
