public import TradingTypes

/// How many levels a side a book shows at any moment in its depth view.
public enum BookDepth: Sendable, Hashable, CaseIterable {
  /// The ten best: what features, router and simulated fills read.
  case ten
  /// The best alone: for whoever wants the touch and the queues. An event then costs a third less; further levels are walked to.
  case best

  /// Levels a side.
  public var levelCount: Int { self == .ten ? DepthView.levelCountMax : 1 }
}

/// How much an `OrderBookSet` can hold; all of it is taken from the arena at start-up.
public struct BookCapacity: Sendable, Hashable {
  /// Instruments, one book each.
  public let instruments: Int
  /// Orders that may rest at once, over all books.
  public let orders: Int
  /// Pages of 128 consecutive references each: the fast way from a reference to its order.
  public let pages: Int
  /// Orders whose reference has no page: random references, and all when the pages are used up.
  public let sparseOrders: Int
  /// Price levels at once, over all books and both sides.
  public let levels: Int
  /// Ticks of the directly addressed price window of one side of one book: a power of two.
  public let windowTicks: Int
  /// Levels in the depth view of a book.
  public let depth: BookDepth

  /// A capacity.
  ///
  /// - Parameters:
  ///   - pages: default 16 times what `orders` fill when they are consecutive, 4 times above 262,144 orders, at least 64. Old orders that
  ///     stay behind hold a page each; when pages run out, the emptiest give theirs up and their orders are found through a table.
  ///   - sparseOrders: default `orders`, which makes `orders` the only limit whatever the references are.
  ///   - levels: default `orders`, at most 1,024 a book, at least 64.
  ///   - windowTicks: 64 to 4,096; default 4,096 for up to 256 books (33 KiB each, all but a few orders of a liquid stock at 500 USD are in
  ///     it), else 512. What is outside costs a walk through a tree.
  ///   - depth: levels in the depth view of a book.
  /// - Throws: `ConfigurationError` that names the value and what was expected.
  public init(
    instruments: Int, orders: Int = 131_072, pages: Int? = nil, sparseOrders: Int? = nil, levels: Int? = nil,
    windowTicks: Int? = nil, depth: BookDepth = .ten
  ) throws(ConfigurationError) {
    func check(_ name: String, _ value: Int, _ range: ClosedRange<Int>) throws(ConfigurationError) {
      guard range.contains(value) else {
        throw ConfigurationError("book capacity: \(name) \(value), expected \(range.lowerBound) to \(range.upperBound)")
      }
    }
    try check("instruments", instruments, 1...(1 << 20))
    try check("orders", orders, 1...(1 << 28))
    let pages = pages ?? max(64, orders / OrderIndex.pageOrders * (orders <= 1 << 18 ? 16 : 4))
    let sparseOrders = sparseOrders ?? orders
    let windowTicks = windowTicks ?? (instruments <= 256 ? 4_096 : 512)
    let levels = levels ?? max(64, min(orders, instruments * 1_024))
    try check("pages", pages, 1...(1 << 23))
    try check("sparse orders", sparseOrders, 1...(1 << 28))
    try check("levels", levels, 1...(1 << 28))
    try check("window ticks", windowTicks, 64...4_096)
    guard windowTicks & (windowTicks - 1) == 0 else {
      throw ConfigurationError("book capacity: window ticks \(windowTicks), expected a power of two")
    }
    self.instruments = instruments
    self.orders = orders
    self.pages = pages
    self.sparseOrders = sparseOrders
    self.levels = levels
    self.windowTicks = windowTicks
    self.depth = depth
  }

  /// The most lots one order or aggregated level may have: the sum over all orders cannot overflow.
  public var quantityMax: Quantity { Quantity(lots: Int64.max / Int64(orders + 1)) }

  /// The highest price accepted: the sum of two prices cannot overflow.
  public static var priceMax: Price { Price(nanos: 1 << 62) }

  /// Bytes an `OrderBookSet` of this capacity takes from its arena.
  public var arenaBytes: Int {
    var bytes = OrderIndex.arenaBytes(self) + PriceLadder.arenaBytes(self)
    bytes += arenaBytesOf(DepthView.self, count: instruments) + arenaBytesOf(UInt8.self, count: instruments)
    return bytes
  }
}

/// Bytes a slab of `count` elements takes, with the padding an arena may add.
func arenaBytesOf<Element>(_ element: Element.Type, count: Int) -> Int {
  (MemoryLayout<Element>.stride * count + 127) & ~127
}

/// The smallest power of two that is at least `count`, which is positive.
func powerOfTwo(atLeast count: Int) -> Int {
  count <= 1 ? 1 : 1 << (Int.bitWidth - (count - 1).leadingZeroBitCount)
}
