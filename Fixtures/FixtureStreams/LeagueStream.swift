public import TradingTypes

/// The league stream: one instrument's orders, made by integers alone, so that every engine can be given the same work.
///
/// About 1,000 to 3,000 orders rest around a mid that wanders by single ticks; an order that a moving mid reaches is deleted first, so the book
/// never crosses. A modified order keeps its place in the queue.
///
/// ```
/// var stream = LeagueStream()
/// while let record = stream.next() { … }
/// ```
public struct LeagueStream: Sendable {
  /// One message: what happens to one order.
  public struct Record: Hashable, Sendable {
    /// What happens.
    public enum Action: UInt8, Sendable, CaseIterable {
      /// The order rests at the back of its price.
      case add = 0
      /// The order's quantity changes; it keeps its place.
      case modify = 1
      /// The order leaves; the quantity is what was left of it.
      case delete = 2
    }
    /// What happens.
    public var action: Action
    /// The order's side.
    public var side: Side
    /// The order's price, ticks of 0.01.
    public var priceTicks: Int32
    /// Its quantity afterwards, or what leaves, in lots of one.
    public var quantity: Int32
    /// Its number, from 1.
    public var order: Int64
  }

  private struct Order {
    var id: Int64
    var side: Side
    var price: Int32
    var quantity: Int32
  }

  /// Orders at once, beyond which none is added.
  static let liveMax = 3_000
  /// Orders at once, below which one is added whatever was drawn.
  static let liveMin = 1_000

  private var random: SplitMix64
  private let messages: UInt64
  private var produced: UInt64 = 0
  private var mid: Int32 = 100_000
  private var nextOrder: Int64 = 1
  private var live: [Order] = []
  // Where the walk over orders that the mid has reached goes on; nil outside one.
  private var sweep: Int?
  private var draw: UInt64 = 0

  /// The first `messages` messages of the stream that `seed` begins.
  public init(seed: UInt64 = 42, messages: UInt64 = 1_000_000) {
    random = SplitMix64(seed: seed)
    self.messages = messages
    live.reserveCapacity(Self.liveMax)
  }

  /// The next message, or nil at the end.
  public mutating func next() -> Record? {
    guard produced < messages else { return nil }
    produced += 1
    if sweep == nil {
      draw = random.next()
      if (draw >> 8) % 64 == 0 {
        mid += isBuy ? 1 : -1
        sweep = 0
      }
    }
    if let record = sweepNext() { return record }
    return act()
  }

  private var isBuy: Bool { (draw >> 20) & 1 == 0 }

  /// Deletes the next order that the mid has reached.
  private mutating func sweepNext() -> Record? {
    guard var place = sweep else { return nil }
    while place < live.count {
      let order = live[place]
      if order.side == .sell ? order.price <= mid : order.price >= mid {
        sweep = place
        return remove(place)
      }
      place += 1
    }
    sweep = nil
    return nil
  }

  /// Adds, deletes or modifies, as drawn.
  private mutating func act() -> Record {
    let share = draw % 100
    let rest = (draw >> 24) & 0xF_FFFF
    let quantity = Int32(1 + (draw >> 44) % 100)
    if live.count < Self.liveMin || (share < 45 && live.count < Self.liveMax) {
      let ones = min((~rest).trailingZeroBitCount, 19)
      let distance = Int32(ones) + Int32((rest >> 10) % 8)
      let price = isBuy ? mid - 1 - distance : mid + 1 + distance
      let order = Order(id: nextOrder, side: isBuy ? .buy : .sell, price: price, quantity: quantity)
      nextOrder += 1
      live.append(order)
      return Record(
        action: .add, side: order.side, priceTicks: price, quantity: quantity, order: order.id)
    }
    let place = Int(rest % UInt64(live.count))
    if share < 85 || live.count >= Self.liveMax { return remove(place) }
    live[place].quantity = quantity
    let order = live[place]
    return Record(action: .modify, side: order.side, priceTicks: order.price, quantity: quantity, order: order.id)
  }

  private mutating func remove(_ place: Int) -> Record {
    let order = live[place]
    live[place] = live[live.count - 1]
    live.removeLast()
    return Record(
      action: .delete, side: order.side, priceTicks: order.price, quantity: order.quantity, order: order.id)
  }

  /// The whole stream as packed little-endian records: action, side (one byte each), price, quantity (32 bits each), order (64 bits).
  public static func packed(seed: UInt64 = 42, messages: UInt64 = 1_000_000) -> [UInt8] {
    var stream = LeagueStream(seed: seed, messages: messages)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Int(clamping: messages) * recordBytes)
    while let record = stream.next() {
      bytes.append(record.action.rawValue)
      bytes.append(record.side.rawValue)
      for shift in stride(from: 0, to: 32, by: 8) {
        bytes.append(UInt8(truncatingIfNeeded: record.priceTicks >> shift))
      }
      for shift in stride(from: 0, to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: record.quantity >> shift)) }
      for shift in stride(from: 0, to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: record.order >> shift)) }
    }
    return bytes
  }

  /// Bytes of a packed record.
  public static let recordBytes = 18
}
