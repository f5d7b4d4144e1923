internal import CKernels
public import LockFreeRings
public import TradingTypes

/// One row of features as the kernels read it: single precision, NaN where there is no value.
///
/// Invariant: 64-byte aligned, padded with NaN to a multiple of 64 values. Finite values keep their bits: small
/// magnitudes are not flushed to 0.
@safe public struct KernelRow: ~Copyable {
  /// Values that can be set.
  public let featureCount: Int
  /// `featureCount` values and the padding behind them.
  let values: UnsafeMutablePointer<Float>
  // Keeps the memory alive; not touched after `init`.
  private let owner: Arena

  /// A row without any value.
  ///
  /// - Precondition: `featureCount` is from 1 to `DecisionForest.featureCountMax`; the arena has room.
  public init(featureCount: Int, in arena: Arena) {
    precondition(
      (1...DecisionForest.featureCountMax).contains(featureCount),
      "KernelRow: from 1 to \(DecisionForest.featureCountMax) features")
    self.featureCount = featureCount
    let padded = Self.paddedCount(featureCount)
    // The arena aligns to 128 bytes.
    unsafe values = arena.room(for: Float.self, count: padded)
    unsafe values.initialize(repeating: .nan, count: padded)
    owner = arena
  }

  /// Bytes a row takes from its arena, padding included.
  public static func arenaBytes(featureCount: Int) -> Int {
    MemoryLayout<Float>.stride * paddedCount(max(featureCount, 1)) + 128
  }

  private static func paddedCount(_ featureCount: Int) -> Int { (featureCount + 63) / 64 * 64 }

  /// Value of a feature; NaN where there is none.
  public subscript(feature: Int) -> Float {
    precondition((0..<featureCount).contains(feature), "KernelRow: the feature is one of the row")
    // In bounds: checked above.
    return unsafe values[feature]
  }

  /// Sets every value.
  ///
  /// - Parameter list: Float, `[featureCount]`, NaN where there is no value.
  /// - Complexity: O(`featureCount`), no allocation.
  public mutating func load(_ list: [Float]) { load(list.span) }

  /// Sets every value.
  ///
  /// - Parameter span: Float, `[featureCount]`, NaN where there is no value.
  /// - Complexity: O(`featureCount`), no allocation.
  public mutating func load(_ span: Span<Float>) {
    precondition(span.count == featureCount, "KernelRow: a value for each feature")
    // In bounds: both have `featureCount` values.
    unsafe span.withUnsafeBufferPointer { buffer in
      unsafe values.update(from: buffer.baseAddress!, count: featureCount)
    }
  }

  /// Sets one value.
  mutating func set(_ feature: Int, _ value: Float) {
    precondition((0..<featureCount).contains(feature), "KernelRow: the feature is one of the row")
    // In bounds: checked above.
    unsafe values[feature] = value
  }

  /// Sets every value from places of another row.
  ///
  /// - Parameter places: Int32, `[featureCount]`, each a feature of `row`.
  /// - Complexity: O(`featureCount`), no allocation.
  @unsafe mutating func gather(_ places: UnsafePointer<Int32>, from row: borrowing KernelRow) {
    // In bounds: the caller made the places from the features of such a row.
    for index in 0..<featureCount { unsafe values[index] = row.values[Int(places[index])] }
  }

  /// Sets every value from the slots of a feature vector, narrowed to the nearest single, ties to even; NaN where a
  /// slot is not valid.
  ///
  /// - Parameter set: instructions to use; all give the same bits.
  /// - Returns: false where a valid value is not finite in single precision; the row must not be used then.
  /// - Precondition: the row has as many features as a vector has slots; `set` is supported and not `best`.
  /// - Complexity: O(`featureCount`), no allocation.
  public mutating func load(_ vector: borrowing FeatureVector, set: KernelSet) -> Bool {
    precondition(featureCount == FeatureVector.count, "KernelRow: a feature for each slot of the vector")
    let slots = vector.values.span
    let row = unsafe values
    let low = vector.valid.low
    let high = vector.valid.high
    return unsafe slots.withUnsafeBufferPointer { buffer in
      // In bounds: the vector has the 96 values that are read, the row room for 128.
      unsafe martlet_kernel_row_load(
        Int32(set.rawValue), buffer.baseAddress!, low, high, UInt32(FeatureVector.count), row)
    }
  }
}
