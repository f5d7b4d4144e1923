internal import LockFreeRings
public import ModelInference
internal import TradingTypes

/// A model ready to stand at a `ModelDesk`, with the memory it runs in.
///
/// Made and ended away from the hot path: it may change threads, and its arena goes with it.
public struct DeskModel: ~Copyable {
  /// What the windows of an instrument hold of the desk's closed rows.
  struct Fill: BitwiseCopyable {
    enum State: UInt8, BitwiseCopyable {
      /// Rows of another time: to be emptied first.
      case unknown
      /// Nothing.
      case empty
      /// The rows before `next`.
      case running
    }
    /// Number of the row that comes next.
    var next: UInt64 = 0
    var state = State.empty
  }

  private let identity: (id: UInt64, version: UInt32)
  private let shape: (window: Int, instrumentCount: Int, isStateful: Bool)
  var ensemble: OwnedBox<Ensemble>
  var fills: Slab<Fill>

  /// A model from a verified artifact, in an arena of its own.
  ///
  /// - Parameters:
  ///   - version: its version in the registry.
  ///   - instrumentCount: instruments of the desk.
  ///   - kernels: the instruction set, forced for tests and comparisons.
  ///   - customNames: names of slots 88–95 in order (`CustomFeatures.names`).
  /// - Throws: `ArtifactError` for a model that does not read slots of this engine, or cannot run in it.
  /// - Complexity: O(model × instruments); allocates.
  public init(
    _ artifact: ModelArtifact, version: UInt32 = 0, instrumentCount: Int, kernels: KernelSet = .best,
    customNames: [String] = []
  ) throws(ArtifactError) {
    self.init(
      try artifact.onSlots(customNames: customNames, kernels: kernels),
      id: ModelNotice.model(sha256: artifact.sha256) ?? 0,
      version: version, instrumentCount: instrumentCount, kernels: kernels)
  }

  /// As above, from a model over the slots of a vector (`ModelArtifact.onSlots`).
  ///
  /// - Parameter id: what notices and records call it; not 0.
  /// - Precondition: the model is sound, forecasts a direction and has 96 features.
  public init(
    _ model: EnsembleModel, id: UInt64, version: UInt32 = 0, instrumentCount: Int, kernels: KernelSet = .best
  ) {
    precondition(instrumentCount > 0, "DeskModel: at least one instrument")
    let fillBytes = instrumentCount * MemoryLayout<Fill>.stride
    let arena = Arena(
      capacityBytes: Ensemble.arenaBytes(for: model, instrumentCount: instrumentCount) + fillBytes + 4_096)
    identity = (id, version)
    let isStateful = model.members.contains { member in
      if case .network(let network) = member.kind { return network.looksBack && network.mode == .stateful }
      return false
    }
    shape = (model.window, instrumentCount, isStateful)
    ensemble = OwnedBox(Ensemble(model, instrumentCount: instrumentCount, kernels: kernels, in: arena))
    fills = Slab(repeating: Fill(), count: instrumentCount, in: arena)
  }

  /// First 64 bits of the artifact's SHA-256, first byte highest, as in `ModelNotice.model`.
  public var id: UInt64 { identity.id }
  /// Its version in the registry, from 1; 0 where it has none.
  public var version: UInt32 { identity.version }
  /// Rows a forecast reads.
  public var window: Int { shape.window }
  /// Instruments it keeps windows of.
  public var instrumentCount: Int { shape.instrumentCount }
  /// Whether a member's memory is longer than its window, so that it matters when it began.
  var isStateful: Bool { shape.isStateful }

  /// How its forecasts went.
  public var counters: Ensemble.Counters { ensemble.value.counters }

  /// Declares what its windows hold to be of another time.
  mutating func forgetRows() {
    for place in 0..<fills.count where fills[place].state != .empty { fills[place].state = .unknown }
  }

  // MARK: - At the desk

  /// What it is, for a model in an optional: mutating, because reading a part of that would take the model out.
  mutating func traits() -> (id: UInt64, version: UInt32, isStateful: Bool, sliceCount: Int) {
    (id, version, isStateful, ensemble.value.warmSliceCount)
  }

  /// Whether it fits a desk; mutating as above.
  mutating func fits(instrumentCount: Int, windowMax: Int) -> Bool {
    self.instrumentCount == instrumentCount && window <= windowMax
  }

  /// Whether the windows of `instrument` hold what they would if the model had always been there.
  mutating func isFilled(_ instrument: Int, from rows: borrowing ClosedRows) -> Bool {
    guard window > 1 else { return true }
    let fill = fills[instrument]
    switch fill.state {
    case .unknown: return false
    case .empty: return rows.counts[instrument].first == rows.counts[instrument].closed
    case .running: return fill.next == rows.counts[instrument].closed
    }
  }

  /// Takes the next row that the windows of `instrument` lack; false when they lack none.
  ///
  /// - Complexity: one row, no allocation.
  mutating func fillOne(_ instrument: Int, from rows: borrowing ClosedRows, by scratch: inout FeatureVector) -> Bool {
    guard !isFilled(instrument, from: rows) else { return false }
    let start = rows.start(window: window, of: instrument)
    var fill = fills[instrument]
    // Rows that the window has lost since: from its beginning again.
    let isLate = fill.state == .running && fill.next < start
    if fill.state == .unknown || isLate { ensemble.value.reset(instrument) }
    if fill.state != .running || isLate { fill.next = start }
    fill.state = .running
    let isLeft = fill.next < rows.counts[instrument].closed
    if isLeft {
      rows.read(fill.next, of: instrument, into: &scratch)
      ensemble.value.close(scratch, of: instrument)
      // Cannot overflow: below the rows closed.
      fill.next += 1
    }
    fills[instrument] = fill
    return isLeft
  }

  /// Takes every row that the windows of `instrument` lack.
  mutating func fill(_ instrument: Int, from rows: borrowing ClosedRows, by scratch: inout FeatureVector) {
    while fillOne(instrument, from: rows, by: &scratch) {}
  }

  /// The forecast, after whatever its windows lack.
  mutating func forecast(
    _ vector: borrowing FeatureVector, of instrument: Int, from rows: borrowing ClosedRows,
    by scratch: inout FeatureVector
  ) -> Forecast {
    if !isFilled(instrument, from: rows) { fill(instrument, from: rows, by: &scratch) }
    return ensemble.value.forecast(vector, of: instrument)
  }

  /// Takes the row that `rows` took last, or the news that it forgot its past; `wasFilled` says whether nothing lacked before.
  mutating func close(
    _ vector: borrowing FeatureVector, of instrument: Int, isFirst: Bool, wasFilled: Bool,
    from rows: borrowing ClosedRows
  ) {
    guard wasFilled else { return }
    ensemble.value.close(vector, of: instrument, isFirst: isFirst)
    fills[instrument].next = rows.counts[instrument].closed
    fills[instrument].state = .running
  }
}

// The only owner of its memory: it may move to another thread.
extension DeskModel: @unchecked Sendable {}
