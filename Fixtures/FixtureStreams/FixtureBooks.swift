internal import TradingTypes

/// The resting orders of all symbols of a generated stream, in queue order: flat arrays, sized once.
///
/// A side of a symbol is a sorted run of price levels, the best one last; a level is a queue of orders linked by index.
struct FixtureBooks {
  struct Order {
    var reference: UInt64 = 0
    var shares: UInt32 = 0
    var next: Int32 = -1
    var previous: Int32 = -1
  }

  struct Level {
    /// Price in cents × the side's sign (+1 buy, −1 sell), so that better is always larger.
    var key: Int32 = 0
    var head: Int32 = -1
    var tail: Int32 = -1
    var count: Int32 = 0
  }

  /// One order of one level: enough to change or remove it without a search.
  struct Place {
    var level: Int
    var order: Int32
  }

  private var orders: [Order]
  private var levels: [Level]
  private var levelCounts: [Int32]
  private var orderCounts: [Int32]
  private var free: Int32
  private let levelCapacity: Int
  private(set) var liveCount = 0

  init(symbols: Int, orderCapacity: Int, levelCapacity: Int) {
    orders = [Order](repeating: Order(), count: orderCapacity)
    for index in orders.indices { orders[index].next = Int32(index + 1) }
    orders[orderCapacity - 1].next = -1
    free = 0
    levels = [Level](repeating: Level(), count: symbols * 2 * levelCapacity)
    levelCounts = [Int32](repeating: 0, count: symbols * 2)
    orderCounts = [Int32](repeating: 0, count: symbols * 2)
    self.levelCapacity = levelCapacity
  }

  var isFull: Bool { free < 0 }

  /// Index of a symbol's side in the flat arrays.
  @inline(__always) static func row(_ symbol: Int, _ side: Side) -> Int { symbol * 2 + Int(side.rawValue) }

  @inline(__always) func levelCount(_ row: Int) -> Int { Int(levelCounts[row]) }
  @inline(__always) func orderCount(_ row: Int) -> Int { Int(orderCounts[row]) }

  /// The key of the level `depth` levels behind the best one.
  @inline(__always) func key(_ row: Int, depth: Int) -> Int {
    Int(levels[row * levelCapacity + levelCount(row) - 1 - depth].key)
  }

  @inline(__always) func reference(_ place: Place) -> UInt64 { orders[Int(place.order)].reference }
  @inline(__always) func shares(_ place: Place) -> UInt32 { orders[Int(place.order)].shares }
  @inline(__always) func key(_ place: Place) -> Int { Int(levels[place.level].key) }

  /// The order at the front of the level `depth` levels behind the best one.
  func front(_ row: Int, depth: Int) -> Place {
    let level = row * levelCapacity + levelCount(row) - 1 - depth
    return Place(level: level, order: levels[level].head)
  }

  /// The order with `rank` orders before it, counted from the front of the best level.
  func ranked(_ row: Int, _ rank: Int) -> Place {
    var level = row * levelCapacity + levelCount(row) - 1
    var rest = min(rank, orderCount(row) - 1)
    while rest >= Int(levels[level].count) {
      rest -= Int(levels[level].count)
      level -= 1
    }
    var order = levels[level].head
    for _ in 0..<rest { order = orders[Int(order)].next }
    return Place(level: level, order: order)
  }

  /// Rests an order at the back of `key`, or of the worst level where a level more does not fit; the key it rests at.
  mutating func add(_ row: Int, key: Int, reference: UInt64, shares: UInt32) -> Int {
    let start = row * levelCapacity
    var level = start + levelCount(row)
    while level > start, Int(levels[level - 1].key) > key { level -= 1 }
    if level > start, Int(levels[level - 1].key) == key {
      level -= 1
    } else if levelCount(row) == levelCapacity {
      level = max(level - 1, start)
    } else {
      var move = start + levelCount(row)
      while move > level {
        levels[move] = levels[move - 1]
        move -= 1
      }
      levels[level] = Level(key: Int32(key))
      levelCounts[row] += 1
    }
    let index = free
    free = orders[Int(index)].next
    let tail = levels[level].tail
    orders[Int(index)] = Order(reference: reference, shares: shares, next: -1, previous: tail)
    if tail >= 0 { orders[Int(tail)].next = index } else { levels[level].head = index }
    levels[level].tail = index
    levels[level].count += 1
    orderCounts[row] += 1
    liveCount += 1
    return Int(levels[level].key)
  }

  mutating func reduce(_ place: Place, by shares: UInt32) { orders[Int(place.order)].shares -= shares }

  mutating func remove(_ row: Int, _ place: Place) {
    let order = orders[Int(place.order)]
    if order.previous >= 0 {
      orders[Int(order.previous)].next = order.next
    } else {
      levels[place.level].head = order.next
    }
    if order.next >= 0 {
      orders[Int(order.next)].previous = order.previous
    } else {
      levels[place.level].tail = order.previous
    }
    orders[Int(place.order)].next = free
    free = place.order
    levels[place.level].count -= 1
    orderCounts[row] -= 1
    liveCount -= 1
    guard levels[place.level].count == 0 else { return }
    let end = row * levelCapacity + levelCount(row)
    var move = place.level
    while move + 1 < end {
      levels[move] = levels[move + 1]
      move += 1
    }
    levelCounts[row] -= 1
  }
}
