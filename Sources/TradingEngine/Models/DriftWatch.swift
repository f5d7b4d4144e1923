public import LockFreeRings
internal import ModelInference
public import TradingTypes

/// Watches the forecasts' probability and some of the slots for drift, on the pipeline's thread, in fixed memory.
///
/// Every forecast of the model it belongs to counts its probability, and one slot chosen by a hash of the forecast's number: a sample
/// that no rhythm of the feed can follow. Each time an eighth of a window has come the population stability index is computed; crossing
/// the thresholds gives a notice. It only counts: no forecast depends on it.
///
/// - Source: the index and its floor as in `DriftStatistics.psi` of ModelGovernance, which judges the same counts.
public struct DriftWatch: ~Copyable {
  /// How something was distributed in training: `DriftReference` of ModelGovernance as plain values.
  public struct Reference: Hashable, Sendable {
    /// Nine edges to count by, in order.
    public var edges: [Double]
    /// Values in each of the ten bins between them.
    public var binCounts: [Int]
    /// Whether the lowest two quantiles are one number: bins 0 and 1 count as one then.
    public var isTiedBelow: Bool

    /// A distribution.
    public init(edges: [Double], binCounts: [Int], isTiedBelow: Bool = false) {
      self.edges = edges
      self.binCounts = binCounts
      self.isTiedBelow = isTiedBelow
    }

    /// The first rule the values break, or nil.
    public var fault: String? {
      guard edges.count == DriftCounter.binCount - 1, edges.allSatisfy(\.isFinite),
        zip(edges, edges.dropFirst()).allSatisfy({ $0 <= $1 })
      else { return "nine finite edges in order" }
      guard binCounts.count == DriftCounter.binCount, binCounts.allSatisfy({ $0 >= 0 && $0 <= 1 << 53 }),
        binCounts.contains(where: { $0 > 0 })
      else { return "ten counts, one of them above 0" }
      return nil
    }
  }

  /// When a difference is drift: the values of `DriftThresholds` of ModelGovernance.
  @frozen public struct Thresholds: BitwiseCopyable, Hashable, Sendable {
    /// Drift above it.
    public var psiAlert = 0.25
    /// An alert clears at or below it.
    public var psiClear = 0.1
    /// Values in the window for a verdict.
    public var liveCountMin = 200

    /// The standard thresholds.
    public init() {}
  }

  /// Something watched.
  private struct Watched: BitwiseCopyable {
    var counter: DriftCounter
    var shares: InlineArray<10, Double>
    var isTiedBelow: Bool
    var isAlerted = false
    var slot: UInt16
    // Values until the index is computed again.
    var untilCheck: Int

    init(_ reference: Reference, slot: UInt16, window: Int) {
      counter = DriftCounter(edges: reference.edges, window: window)
      let sum = reference.binCounts.reduce(0.0) { $0 + Double($1) }
      var counts = reference.binCounts
      if reference.isTiedBelow { (counts[0], counts[1]) = (counts[0] + counts[1], 0) }
      shares = InlineArray { Double(counts[$0]) / sum }
      isTiedBelow = reference.isTiedBelow
      self.slot = slot
      untilCheck = window / DriftCounter.blockCount
    }
  }

  /// The model whose forecasts are counted; others are not.
  public let model: UInt64
  private let thresholds: Thresholds
  private let checkInterval: Int
  // The probability, then the slots.
  private var watched: Slab<Watched>
  private var forecasts: UInt64 = 0

  /// A watch without values.
  ///
  /// - Parameters:
  ///   - model: the model that the references belong to, as in `ModelNotice.model`.
  ///   - probability: the distribution of its probabilities.
  ///   - slots: the slots watched, by index, with their distributions.
  ///   - window: values that each distribution is compared over; rounded up to a multiple of 8.
  /// - Precondition: references without fault, slots of a vector, `8 <= window <= 1 << 30`.
  public init(
    model: UInt64, probability: Reference, slots: [(slot: Int, reference: Reference)] = [], window: Int = 2_000,
    thresholds: Thresholds = Thresholds(), in arena: Arena
  ) {
    precondition(
      probability.fault == nil && slots.allSatisfy { $0.reference.fault == nil },
      "DriftWatch: references with nine edges in order and ten counts")
    precondition(
      slots.allSatisfy { (0..<FeatureVector.count).contains($0.slot) }, "DriftWatch: slots of a feature vector")
    self.model = model
    self.thresholds = thresholds
    checkInterval = (window + DriftCounter.blockCount - 1) / DriftCounter.blockCount
    let first = Watched(probability, slot: .max, window: window)
    watched = Slab(repeating: first, count: slots.count + 1, in: arena)
    for (place, entry) in slots.enumerated() {
      watched[place + 1] = Watched(entry.reference, slot: UInt16(entry.slot), window: window)
    }
  }

  /// Counts a forecast and the vector it came from; notices of what crossed a threshold by it.
  ///
  /// - Complexity: O(1), no allocation.
  public mutating func observe(
    _ vector: borrowing FeatureVector, _ forecast: Forecast, of model: UInt64, at time: Timestamp
  ) -> (ModelNotice?, ModelNotice?) {
    observe(vector.values.span, valid: vector.valid, forecast, of: model, at: time)
  }

  private mutating func observe(
    _ slots: Span<Double>, valid: FeatureMask, _ forecast: Forecast, of model: UInt64, at time: Timestamp
  ) -> (ModelNotice?, ModelNotice?) {
    guard model == self.model else { return (nil, nil) }
    // Wrapping: 2^64 forecasts take longer than any machine lives.
    forecasts &+= 1
    let first = forecast.isUsable ? record(forecast.probabilityUp, at: 0, time) : nil
    guard watched.count > 1 else { return (first, nil) }
    let place = 1 + Int(truncatingIfNeeded: ChallengerSplit.mixed(forecasts) % UInt64(watched.count - 1))
    let slot = Int(watched[place].slot)
    return (first, record(valid[slot] ? slots[slot] : .nan, at: place, time))
  }

  private mutating func record(_ value: Double, at place: Int, _ time: Timestamp) -> ModelNotice? {
    watched[place].counter.record(value)
    watched[place].untilCheck -= 1
    guard watched[place].untilCheck <= 0 else { return nil }
    watched[place].untilCheck = checkInterval
    return check(place, at: time)
  }

  @inline(never) private mutating func check(_ place: Int, at time: Timestamp) -> ModelNotice? {
    let count = watched[place].counter.windowCount
    guard count >= thresholds.liveCountMin else { return nil }
    let psi = psi(place, count: count)
    let isAlert = watched[place].isAlerted ? psi > thresholds.psiClear : psi > thresholds.psiAlert
    guard isAlert != watched[place].isAlerted else { return nil }
    watched[place].isAlerted = isAlert
    return ModelNotice(
      isAlert ? .driftAlert : .driftCleared, model: model, slot: watched[place].slot, value: psi, at: time)
  }

  private func psi(_ place: Int, count: Int) -> Double {
    var counts = watched[place].counter.binCounts
    if watched[place].isTiedBelow { (counts[0], counts[1]) = (counts[0] &+ counts[1], 0) }
    var sum = 0.0
    for bin in 0..<10 {
      let reference = max(watched[place].shares[bin], 1e-4)
      let live = max(Double(counts[bin]) / Double(count), 1e-4)
      sum += (live - reference) * DeterministicMath.log(live / reference)
    }
    return sum
  }

  /// Number of things watched: the probability, then the slots.
  public var count: Int { watched.count }

  /// Values in each bin of the window, and how many were missing since the start; 0 is the probability, then the slots in order.
  ///
  /// - Precondition: `place` is below `count`.
  public func counts(_ place: Int) -> (bins: InlineArray<10, UInt32>, missing: UInt64) {
    (watched[place].counter.binCounts, watched[place].counter.missing)
  }
}

// The only owner of its memory: it may move to another thread.
extension DriftWatch: @unchecked Sendable {}
