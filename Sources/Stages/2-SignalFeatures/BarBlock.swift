public import TradingTypes

/// The bar slots of one timeframe: 37–73, 75–77 and 79, with the state of each.
///
/// Slots that other stages or all instruments make (48, 82–86) exist for the primary timeframe only; here they stay 0 and
/// warming.
@frozen public struct BarBlock: BitwiseCopyable, Sendable {
  /// Slots in a block, from `firstSlot` on.
  @inlinable public static var count: Int { 50 }
  /// The slot of the first value.
  @inlinable public static var firstSlot: Int { 37 }

  /// Values of slots 37–86, never NaN or infinite.
  public var values: InlineArray<50, Double>
  /// Slots with a full window and a fresh bar.
  public var valid: FeatureMask
  /// Slots whose last bar, or whose context, is older than configured.
  public var stale: FeatureMask

  /// All slots 0 and warming.
  @inlinable public init() {
    values = InlineArray(repeating: 0)
    valid = FeatureMask()
    stale = FeatureMask()
  }

  /// The value of a slot in 37…86.
  @inlinable public subscript(slot: FeatureSlot) -> Double { values[slot.index - BarBlock.firstSlot] }
}

/// Which bar slots of an instrument and timeframe are full, as of the end of its last bar.
@frozen @usableFromInline struct BarBlockState: BitwiseCopyable {
  @usableFromInline var valid: FeatureMask
  @usableFromInline var endTime: Timestamp
  /// The slots are those of the last bar.
  @usableFromInline var isEvaluated: Bool

  @inlinable init() {
    valid = FeatureMask()
    endTime = .distantPast
    isEvaluated = true
  }
}
