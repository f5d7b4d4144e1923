public import TradingTypes

/// The money flow index: what was traded at a rising typical price, in percent of all that was traded at a changing one.
///
/// Three times the typical price is an integer, so the sums are exact: nothing drifts, and equal prices are equal.
/// - Complexity: `update` O(1) in the window, no allocation.
/// - Source: Quong and Soudack 1989; as TA-Lib's MFI, a tie adds to neither side.
@frozen public struct MoneyFlowIndex<let capacity: Int>: RollingKernel {
  /// A bar.
  public typealias Input = (high: Price, low: Price, close: Price, volume: Quantity)

  // Three times the notional of a bar in billionths, 0 where the typical price did not change, or did not rise.
  @usableFromInline var flows: InlineArray<capacity, Int128>
  @usableFromInline var rises: InlineArray<capacity, Int128>
  @usableFromInline var all: Int128 = 0
  @usableFromInline var rising: Int128 = 0
  @usableFromInline var lastTypical: Int64 = 0
  @usableFromInline var place = 0
  // Bars so far, at most one more than the length counted.
  @usableFromInline var count = 0
  @usableFromInline let length: Int

  /// The largest price taken as it is, 2^53 billionths (9 million); higher ones are cut to it.
  @inlinable static var priceMax: Int64 { 1 << 53 }
  /// The largest volume taken as it is, 2^62 lots; higher ones are cut to it.
  @inlinable static var volumeMax: Int64 { 1 << 62 }

  /// An index over `length` bars after the first.
  ///
  /// - Precondition: `0 < length <= capacity <= 1024`.
  @inlinable public init(length: Int) {
    precondition(
      length > 0 && length <= capacity && capacity <= 1024,
      "MoneyFlowIndex: the length is positive and fits the capacity")
    flows = InlineArray(repeating: 0)
    rises = InlineArray(repeating: 0)
    self.length = length
  }

  /// The index in [0, 100]; 0 where nothing was traded at a changing price.
  ///
  /// Mutating only in form: a large value that is merely borrowed is copied whole.
  @inlinable @inline(__always) public var value: Double {
    mutating get { 100 * FeatureArithmetic.ratio(FeatureArithmetic.real(rising), FeatureArithmetic.real(all)) }
  }

  /// As many changes as the length are in.
  @inlinable public var isSeeded: Bool { count > length }

  /// Takes in the next bar.
  @inlinable @inline(__always) public mutating func update(_ next: Input) {
    update(high: next.high, low: next.low, close: next.close, volume: next.volume)
  }

  /// Takes in the next bar; prices and volume are cut to [0, 2^53] billionths and [0, 2^62] lots.
  @inlinable @inline(__always) public mutating func update(high: Price, low: Price, close: Price, volume: Quantity) {
    let most = MoneyFlowIndex.priceMax
    // Wrapping throughout: three prices are at most 3 · 2^53, a flow 3 · 2^115, 1,024 of them 3 · 2^125 < 2^127.
    let typical =
      min(max(high.nanos, 0), most) &+ min(max(low.nanos, 0), most) &+ min(max(close.nanos, 0), most)
    if count > 0 {
      let notional = Int128(typical) &* Int128(min(max(volume.lots, 0), MoneyFlowIndex.volumeMax))
      // Masks and not branches: whether a price rises is anyone's guess, the processor's too.
      let rise = notional & MoneyFlowIndex.mask(typical > lastTypical)
      let flow = notional & MoneyFlowIndex.mask(typical != lastTypical)
      rising &+= rise &- rises[place]
      all &+= flow &- flows[place]
      rises[place] = rise
      flows[place] = flow
      place = place &+ 1 == length ? 0 : place &+ 1
    }
    if count <= length { count &+= 1 }
    lastTypical = typical
  }

  /// All bits, or none.
  @inlinable @inline(__always) static func mask(_ isSet: Bool) -> Int128 {
    let half: Int64 = isSet ? -1 : 0
    return Int128(half)
  }
}
