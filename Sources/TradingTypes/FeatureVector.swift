/// The model's input: 88 named slots and room for eight of a host's own, with the state of each.
@frozen public struct FeatureVector: BitwiseCopyable, Sendable {
  /// Slots of the catalogue, then the eight of `CustomFeatures`, 0 without any.
  @inlinable public static var count: Int { 96 }

  /// One value a slot, never NaN or infinite; the partial value while warming, 0 where undefined.
  public var values: InlineArray<96, Double>
  /// Slots with a full window and fresh input.
  public var valid: FeatureMask
  /// Slots whose input is older than configured. A slot neither valid nor stale is warming.
  public var stale: FeatureMask

  /// All slots 0 and warming.
  @inlinable public init() {
    values = InlineArray(repeating: 0)
    valid = FeatureMask()
    stale = FeatureMask()
  }

  /// The value of a slot.
  @inlinable public subscript(slot: FeatureSlot) -> Double {
    get { values[slot.index] }
    set { values[slot.index] = newValue }
  }
}

/// One bit for each slot of a `FeatureVector`.
@frozen public struct FeatureMask: BitwiseCopyable, Hashable, Sendable {
  /// Slots 0–63.
  public var low: UInt64
  /// Slots 64–95.
  public var high: UInt32

  /// The mask with these bits.
  @inlinable public init(low: UInt64 = 0, high: UInt32 = 0) {
    self.low = low
    self.high = high
  }

  /// Whether the bit of slot `index`, below 96, is set.
  @inlinable public subscript(index: Int) -> Bool {
    get { index < 64 ? low >> UInt64(index) & 1 == 1 : high >> UInt32(index - 64) & 1 == 1 }
    set {
      if index < 64 {
        let bit: UInt64 = 1 << UInt64(index)
        low = newValue ? low | bit : low & ~bit
      } else {
        let bit: UInt32 = 1 << UInt32(index - 64)
        high = newValue ? high | bit : high & ~bit
      }
    }
  }

  /// Whether the bit of `slot` is set.
  @inlinable public subscript(slot: FeatureSlot) -> Bool {
    get { self[slot.index] }
    set { self[slot.index] = newValue }
  }

  /// Whether every bit of `other` is set here.
  @inlinable public func contains(_ other: FeatureMask) -> Bool { other.low & ~low == 0 && other.high & ~high == 0 }

  /// 24 lower-case hexadecimal digits, bit 0 rightmost.
  public var hex: String {
    let top = String(high, radix: 16)
    return String(repeating: "0", count: 8 - top.count) + top + hexadecimal(low)
  }
}
