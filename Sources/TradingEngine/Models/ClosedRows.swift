public import LockFreeRings
internal import TradingTypes

/// The newest closed rows of every instrument, kept once for whichever model comes.
///
/// Rows are numbered from the start of the run, an instrument at a time. A row is what a model reads of a vector: its slots
/// in single precision, ties to even, NaN where one is not valid.
///
///     instrument i:  first ≤ … ≤ closed    rows max(first, closed − capacity) ..< closed are there
///                    row n lies in place n mod capacity
@frozen @usableFromInline struct ClosedRows: ~Copyable {
  @frozen @usableFromInline struct Count: BitwiseCopyable {
    /// Number of the oldest row that is past of the next one.
    @usableFromInline var first: UInt64 = 0
    /// Rows closed: the number of the next one.
    @usableFromInline var closed: UInt64 = 0

    @inlinable init() {}
  }

  /// Rows kept of an instrument.
  @usableFromInline let capacity: Int
  @usableFromInline var counts: Slab<Count>
  @usableFromInline var values: Slab<Float>

  /// No row of any instrument.
  ///
  /// - Precondition: the arena has room for `instrumentCount × capacity` rows of 384 bytes.
  init(instrumentCount: Int, capacity: Int, in arena: Arena) {
    self.capacity = capacity
    counts = Slab(repeating: Count(), count: instrumentCount, in: arena)
    values = Slab(repeating: .nan, count: instrumentCount * capacity * FeatureVector.count, in: arena)
  }

  static func arenaBytes(instrumentCount: Int, capacity: Int) -> Int {
    instrumentCount * (MemoryLayout<Count>.stride + capacity * FeatureVector.count * 4) + 512
  }

  @usableFromInline func place(_ number: UInt64, of instrument: Int) -> Int {
    // The remainder is below the capacity, which is an Int.
    (instrument * capacity + Int(truncatingIfNeeded: number % UInt64(capacity))) * FeatureVector.count
  }

  /// Forgets the past of `instrument`.
  mutating func empty(_ instrument: Int) { counts[instrument].first = counts[instrument].closed }

  /// Adds the row of `vector`; where a valid slot is not finite in single precision there is none, and the past is forgotten.
  ///
  /// - Complexity: O(slots), no allocation.
  mutating func close(_ vector: borrowing FeatureVector, of instrument: Int, isFirst: Bool) {
    close(vector.values.span, valid: vector.valid, of: instrument, isFirst: isFirst)
  }

  // By parts: a borrowed vector in a loop costs the compiler minutes.
  private mutating func close(_ slots: Span<Double>, valid: FeatureMask, of instrument: Int, isFirst: Bool) {
    if isFirst { empty(instrument) }
    guard capacity > 0 else { return }
    let start = place(counts[instrument].closed, of: instrument)
    for slot in slots.indices {
      let value = valid[slot] ? Float(slots[slot]) : .nan
      guard value.isFinite || !valid[slot] else { return empty(instrument) }
      values[start + slot] = value
    }
    // Wrapping: a count of 2^64 bars takes longer than any machine lives.
    counts[instrument].closed &+= 1
  }

  /// Writes row `number` to `vector` as a model reads it.
  ///
  /// - Precondition: the row is there.
  /// - Complexity: O(slots), no allocation.
  func read(_ number: UInt64, of instrument: Int, into vector: inout FeatureVector) {
    let start = place(number, of: instrument)
    var valid = FeatureMask()
    for slot in 0..<FeatureVector.count {
      let value = values[start + slot]
      if !value.isNaN { valid[slot] = true }
      vector.values[slot] = value.isNaN ? 0 : Double(value)
    }
    vector.valid = valid
  }

  /// Number of the oldest row that a window of `window` rows reads besides the one asked about.
  @inlinable func start(window: Int, of instrument: Int) -> UInt64 {
    let count = counts[instrument]
    let wanted = UInt64(truncatingIfNeeded: window - 1)
    // Cannot overflow: no more is taken than there is.
    return max(count.first, count.closed - min(count.closed, wanted))
  }
}
