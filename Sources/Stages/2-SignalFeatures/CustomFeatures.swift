public import LockFreeRings
public import TradingTypes

/// Features of a host's own: one value of the type for each instrument, up to eight slots from 88 on.
///
/// The compiler knows the type, so every call is direct; state is plain data, so that snapshots are copies. Vectors and decisions
/// are replayable as long as a value depends on nothing but what it is given.
///
/// ```swift
/// struct TradeStreak: CustomFeatures {
///   static let names = ["tradeStreak"]
///   var streak = 0
///   mutating func update(_ event: borrowing MarketEvent, effect: BookEffect, depth: borrowing DepthView) {
///     guard let trade = TradePrint(event, effect: effect), trade.sign != 0 else { return }
///     streak = trade.sign > 0 ? max(streak, 0) + 1 : min(streak, 0) - 1
///   }
///   func write(depth: borrowing DepthView, at now: Timestamp, into slots: inout CustomSlots) {
///     slots.set(0, Double(streak))
///   }
/// }
/// ```
public protocol CustomFeatures: BitwiseCopyable, Sendable {
  /// Names of the slots in order, distinct from each other and from the catalogue's: at most eight.
  static var names: [String] { get }

  /// The state before the first message.
  init()

  /// Takes in a message of the instrument and the book after it.
  ///
  /// Called for every message: O(1), without allocation.
  mutating func update(_ event: borrowing MarketEvent, effect: BookEffect, depth: borrowing DepthView)

  /// Takes in a closed bar of the primary timeframe, before the message after its end.
  mutating func close(_ bar: ClosedBar)

  /// Writes the slots as of `now`; asking changes nothing. A slot that is not set is 0 and warming.
  func write(depth: borrowing DepthView, at now: Timestamp, into slots: inout CustomSlots)
}

extension CustomFeatures {
  /// Does nothing: features that need no bars.
  @inlinable public mutating func close(_ bar: ClosedBar) {}
}

/// No features beside the catalogue's.
@frozen public struct NoCustomFeatures: CustomFeatures {
  /// None.
  @inlinable public static var names: [String] { [] }
  /// Of nothing.
  @inlinable public init() {}
  /// Does nothing.
  @inlinable @inline(__always) public mutating func update(
    _ event: borrowing MarketEvent, effect: BookEffect, depth: borrowing DepthView
  ) {}
  /// Writes nothing.
  @inlinable @inline(__always) public func write(
    depth: borrowing DepthView, at now: Timestamp, into slots: inout CustomSlots
  ) {}
}

/// Slots 88–95 while a host's features write them.
@frozen public struct CustomSlots: BitwiseCopyable, Sendable {
  /// Slots there are.
  @inlinable public static var count: Int { 8 }
  /// The first one's index in the vector.
  @inlinable public static var firstSlot: Int { 88 }

  @usableFromInline var values = InlineArray<8, Double>(repeating: 0)
  @usableFromInline var valid: UInt32 = 0
  @usableFromInline var refused: Int64 = 0
  /// Slots that have a name.
  @usableFromInline let named: Int

  @inlinable init(named: Int) { self.named = named }

  /// Sets the slot of the `index`-th name; `isValid` false marks a value whose window is not full yet.
  ///
  /// A value that is not finite, or a place without a name, is refused: the slot stays 0 and warming, and it is counted.
  @inlinable public mutating func set(_ index: Int, _ value: Double, isValid: Bool = true) {
    guard index >= 0, index < named else {
      // Wrapping here and below: counts.
      refused &+= 1
      return
    }
    let bit = 1 as UInt32 &<< UInt32(truncatingIfNeeded: index)
    // The last call counts: what an earlier one set must not show beside a refusal.
    values[index] = value.isFinite ? value : 0
    valid = isValid && value.isFinite ? valid | bit : valid & ~bit
    if !value.isFinite { refused &+= 1 }
  }
}

/// A host's features of all instruments of an engine.
@frozen public struct CustomFeatureSet<Features: CustomFeatures>: ~Copyable {
  @usableFromInline var features: Slab<Features>
  @usableFromInline let slotCount: Int
  /// Values that were not finite, or had no name; the slot was left warming.
  @inlinable public var refusedValues: Int64 { refused }
  @usableFromInline var refused: Int64 = 0
  // Borrowed without a copy.
  @usableFromInline let place = InPlace()

  /// Takes the memory of all instruments from `arena`.
  ///
  /// - Throws: `ConfigurationError` for more than eight names, an empty one, one with a character that a CSV header cannot hold, or
  ///   one that the catalogue or another slot has.
  public init(instrumentCount: Int, in arena: Arena) throws(ConfigurationError) {
    let names = Features.names
    guard names.count <= CustomSlots.count else {
      throw ConfigurationError("custom features: \(names.count) names, expected at most \(CustomSlots.count)")
    }
    for (place, name) in names.enumerated() {
      guard !name.isEmpty, name.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: ",") }) else {
        throw ConfigurationError(
          "custom feature \(place): name \"\(name)\", expected printable characters without a comma")
      }
      guard !names[..<place].contains(name), !FeatureSlot.allCases.contains(where: { $0.name == name }) else {
        throw ConfigurationError("custom feature \(place): the name \(name) is taken")
      }
    }
    slotCount = names.count
    features = Slab(repeating: Features(), count: names.isEmpty ? 0 : instrumentCount, in: arena)
  }

  /// Takes in a message of an instrument and the book after it.
  @inlinable @inline(__always) public mutating func update(
    _ event: borrowing MarketEvent, effect: BookEffect, depth: borrowing DepthView
  ) {
    let index = Int(event.instrument.index)
    guard index < features.count else { return }
    features[index].update(event, effect: effect, depth: depth)
  }

  /// Takes in a closed primary bar of an instrument.
  @inlinable @inline(__always) public mutating func close(_ bar: ClosedBar, of instrument: InstrumentID) {
    let index = Int(instrument.index)
    guard index < features.count else { return }
    features[index].close(bar)
  }

  /// Writes slots 88–95 and their bits of an instrument's vector as of `now`, after the engine has written the others.
  @inlinable @inline(__always) public mutating func write(
    of instrument: InstrumentID, depth: borrowing DepthView, at now: Timestamp, into vector: inout FeatureVector
  ) {
    let index = Int(instrument.index)
    guard index < features.count else { return }
    var slots = CustomSlots(named: slotCount)
    features[index].write(depth: depth, at: now, into: &slots)
    for place in 0..<slotCount { vector.values[CustomSlots.firstSlot &+ place] = slots.values[place] }
    vector.valid.high |= slots.valid &<< UInt32(CustomSlots.firstSlot - 64)
    // Wrapping: a count.
    refused &+= slots.refused
  }

  /// A copy of every instrument's state; off the hot path.
  public func snapshot() -> [Features] { (0..<features.count).map { features[$0] } }

  /// Replaces every instrument's state.
  ///
  /// - Throws: `ConfigurationError` when the snapshot is of another number of instruments; nothing changes.
  public mutating func restore(_ snapshot: [Features]) throws(ConfigurationError) {
    guard snapshot.count == features.count else {
      throw ConfigurationError("custom features of \(snapshot.count) instruments, expected \(features.count)")
    }
    for index in 0..<features.count { features[index] = snapshot[index] }
  }
}
