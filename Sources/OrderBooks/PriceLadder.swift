public import LockFreeRings
internal import TradingTypes

/// A price level: half a cache line. It stays where it is while the window moves, so orders never learn of that.
///
/// ```
/// 0 price │ 8 lots │ 16 head │ 20 tail │ 24 orders │ 28 place
/// ```
@frozen @usableFromInline struct LevelRecord: BitwiseCopyable {
  @usableFromInline var price: Int64
  @usableFromInline var lots: Int64
  /// First order of the queue, 0 when the level is aggregated; the next free level of a free one.
  @usableFromInline var head: UInt32
  /// Last order of the queue.
  @usableFromInline var tail: UInt32
  /// Orders in the queue, 0 when the level is aggregated.
  @usableFromInline var count: UInt32
  /// Its slot in the window, or `overflow`.
  @usableFromInline var place: UInt32

  @inlinable init(price: Int64, lots: Int64, head: UInt32, tail: UInt32, count: UInt32, place: UInt32) {
    self.price = price
    self.lots = lots
    self.head = head
    self.tail = tail
    self.count = count
    self.place = place
  }

  @inlinable static var overflow: UInt32 { .max }
}

/// An overflow level in the tree: a walk reads nothing else, so that a step costs one cache line.
@frozen @usableFromInline struct TreeNode: BitwiseCopyable {
  /// The level's price.
  @usableFromInline var price: Int64 = 0
  /// The level that is the root of the worse levels below this one.
  @usableFromInline var left: UInt32 = 0
  /// That of the better ones.
  @usableFromInline var right: UInt32 = 0
  init() {}
}

/// A price grid with its reciprocal, so that a price becomes a tick without a division.
@frozen @usableFromInline struct PriceGrid: BitwiseCopyable, Equatable {
  /// Billionths a tick, positive.
  @usableFromInline let tick: UInt64
  /// ⌊(2^64 − 1) / tick⌋.
  @usableFromInline let reciprocal: UInt64

  init(tick: Price) {
    self.tick = UInt64(tick.nanos)
    reciprocal = UInt64.max / self.tick
  }

  /// Tick below or at `nanos`, which is positive, and what is left over (0 on the grid).
  @inlinable @inline(__always) func split(_ nanos: Int64) -> (tick: Int64, rest: UInt64) {
    let value = UInt64(bitPattern: nanos)
    // The estimate is the quotient or one below it: n·(2^64 − reciprocal·tick) / (tick·2^64) < 1.
    var quotient = value.multipliedFullWidth(by: reciprocal).high
    // Wrapping: quotient × tick ≤ value.
    var rest = value &- quotient &* tick
    if rest >= tick {
      quotient &+= 1
      rest &-= tick
    }
    return (Int64(bitPattern: quotient), rest)
  }
}

/// One side of one book: where its window stands. A cache line.
///
/// Both sides are worked on alike, without a branch: what is counted and compared are *keys*, which are higher where a price is better.
/// The key of a bid's price or tick is itself; that of an ask's is its complement, −1 − x.
@frozen @usableFromInline struct LadderSide: BitwiseCopyable {
  @usableFromInline var grid: PriceGrid
  /// Lowest tick key of the window, a multiple of 64.
  @usableFromInline var base: Int64
  /// A bit for each word of the occupancy bitmap that is not 0.
  @usableFromInline var summary: UInt64
  /// Root of the overflow tree, 0 when it is empty.
  @usableFromInline var root: UInt32
  /// Adds outside the window less adds inside it, not below 0.
  @usableFromInline var pressure: Int32
  @usableFromInline var levelCount: Int32
  @usableFromInline var orderCount: Int32
  /// Highest price key of the overflow tree, `noKey` when it is empty.
  @usableFromInline var treeKeyMax: Int64
  /// Price key of the best level, `noKey` without one; kept where the depth view shows the best level alone.
  @usableFromInline var bestKey: Int64

  /// Below every key.
  @inlinable static var noKey: Int64 { .min }

  init(grid: PriceGrid) {
    self.grid = grid
    base = 0
    summary = 0
    root = 0
    pressure = 0
    levelCount = 0
    orderCount = 0
    treeKeyMax = Self.noKey
    bestKey = Self.noKey
  }
}

/// The price levels of both sides of all books, by price.
///
/// A side has a window of W consecutive ticks: the slot of a tick key is `key & (W − 1)`, an occupancy bitmap with a summary word finds
/// the next level. Levels off the tick grid or outside the window are in a tree sorted by price. A side's levels are the union of both.
/// When most adds miss the window it moves to where they are (and to the finer grid if they need it).
///
/// ```
/// slots  [side index × W + slot] -> level      words [side index × W/64 + slot/64]
/// levels [level] -> price, lots, queue         tree   [level] -> price, left, right
/// ```
@frozen @usableFromInline struct PriceLadder: ~Copyable {
  @usableFromInline var levels: Slab<LevelRecord>
  @usableFromInline var sides: Slab<LadderSide>
  @usableFromInline var slots: Slab<UInt32>
  @usableFromInline var words: Slab<UInt64>
  @usableFromInline var tree: Slab<TreeNode>
  @usableFromInline var freeLevel: UInt32
  @usableFromInline var liveCount = 0
  @usableFromInline var moveCount: UInt64 = 0
  @usableFromInline let windowShift: Int
  @usableFromInline let coarse: PriceGrid
  @usableFromInline let fine: PriceGrid

  /// Adds outside the window, net of those inside, that move it.
  static var pressureMax: Int32 { 32 }

  @inlinable var windowTicks: Int { 1 &<< windowShift }
  @inlinable var wordCount: Int { 1 &<< (windowShift &- 6) }

  static func arenaBytes(_ capacity: BookCapacity) -> Int {
    let sides = capacity.instruments * 2
    return arenaBytesOf(LevelRecord.self, count: capacity.levels + 1)
      + arenaBytesOf(LadderSide.self, count: sides)
      + arenaBytesOf(UInt32.self, count: sides * capacity.windowTicks)
      + arenaBytesOf(UInt64.self, count: sides * capacity.windowTicks / 64)
      + arenaBytesOf(TreeNode.self, count: capacity.levels + 1)
  }

  init(_ capacity: BookCapacity, feedIncrement: Price, tick: Price, in arena: Arena) {
    let sideCount = capacity.instruments * 2
    coarse = PriceGrid(tick: tick)
    fine = PriceGrid(tick: feedIncrement)
    windowShift = capacity.windowTicks.trailingZeroBitCount
    levels = Slab(
      repeating: LevelRecord(price: 0, lots: 0, head: 0, tail: 0, count: 0, place: 0), count: capacity.levels + 1,
      in: arena)
    sides = Slab(repeating: LadderSide(grid: coarse), count: sideCount, in: arena)
    slots = Slab(repeating: 0, count: sideCount * capacity.windowTicks, in: arena)
    words = Slab(repeating: 0, count: sideCount * capacity.windowTicks / 64, in: arena)
    tree = Slab(repeating: TreeNode(), count: capacity.levels + 1, in: arena)
    // Level 0 is no level.
    freeLevel = 1
    for level in 1...capacity.levels {
      levels[level].head = level < capacity.levels ? UInt32(level + 1) : 0
    }
  }

  // MARK: - By price

  /// The key of a price or tick of `side`, or the price or tick of a key: higher keys are better.
  @inlinable @inline(__always) static func key(_ value: Int64, side: Int) -> Int64 {
    value ^ (0 &- Int64(truncatingIfNeeded: side & 1))
  }

  /// The window slot of `price` on `side`, or nil when it is off the grid or outside.
  @inlinable @inline(__always) func slot(of price: Int64, side: Int) -> Int? {
    let (tick, rest) = sides[side].grid.split(price)
    let key = Self.key(tick, side: side)
    // Wrapping: keys of one side have one sign, and the base is at most 2^12 beyond them, so the difference is exact.
    let distance = UInt64(bitPattern: key &- sides[side].base)
    guard rest == 0, distance < UInt64(truncatingIfNeeded: windowTicks) else { return nil }
    return Int(truncatingIfNeeded: key) & (windowTicks &- 1)
  }

  /// The level at `price` on `side`, or 0.
  @inlinable @inline(__always) func find(_ price: Int64, side: Int) -> UInt32 {
    guard let slot = slot(of: price, side: side) else {
      return Self.findInTree(price, side: side, root: sides[side].root, tree)
    }
    return level(in: slot, side: side)
  }

  /// The level in a slot of the window, or 0.
  @inlinable @inline(__always) func level(in slot: Int, side: Int) -> UInt32 { slots[side &<< windowShift | slot] }

  /// Notes that the window holds the price something was added at.
  @inlinable @inline(__always) mutating func countInside(_ side: Int) {
    // One less, but not below 0, where it is nearly always.
    if sides[side].pressure > 0 { sides[side].pressure &-= 1 }
  }

  /// A new level (no lots) at `price`, which belongs into `slot`; 0 without room.
  @inlinable @inline(__always) mutating func create(_ price: Int64, in slot: Int, side: Int) -> UInt32 {
    let level = takeLevel(price, place: UInt32(truncatingIfNeeded: slot), side: side)
    if level != 0 { occupy(slot, by: level, side: side) }
    return level
  }

  /// The level at `price` on `side` for size to rest there, created empty (no lots) where there is none; 0 without room.
  mutating func findOrCreate(_ price: Int64, side: Int) -> UInt32 {
    guard let slot = slot(of: price, side: side) else { return findOrCreateOutside(price, side: side) }
    countInside(side)
    let found = level(in: slot, side: side)
    return found != 0 ? found : create(price, in: slot, side: side)
  }

  /// Removes a level that holds no order.
  @inlinable @inline(__always) mutating func remove(_ level: UInt32, side: Int) {
    let place = levels[Int(level)].place
    if place == LevelRecord.overflow {
      removeFromTree(level, side: side)
    } else {
      vacate(Int(place), side: side)
    }
    levels[Int(level)].lots = 0
    levels[Int(level)].head = freeLevel
    freeLevel = level
    liveCount &-= 1
    sides[side].levelCount &-= 1
  }

  @inlinable @inline(__always) mutating func takeLevel(_ price: Int64, place: UInt32, side: Int) -> UInt32 {
    let level = freeLevel
    guard level != 0 else { return 0 }
    freeLevel = levels[Int(level)].head
    levels[Int(level)] = LevelRecord(price: price, lots: 0, head: 0, tail: 0, count: 0, place: place)
    liveCount &+= 1
    sides[side].levelCount &+= 1
    return level
  }

  @inlinable @inline(__always) mutating func occupy(_ slot: Int, by level: UInt32, side: Int) {
    slots[side &<< windowShift | slot] = level
    words[side &<< (windowShift &- 6) | slot &>> 6] |= 1 &<< UInt64(truncatingIfNeeded: slot)
    sides[side].summary |= 1 &<< UInt64(truncatingIfNeeded: slot &>> 6)
  }

  @inlinable @inline(__always) mutating func vacate(_ slot: Int, side: Int) {
    slots[side &<< windowShift | slot] = 0
    let word = side &<< (windowShift &- 6) | slot &>> 6
    let bits = words[word] & ~(1 &<< UInt64(truncatingIfNeeded: slot))
    words[word] = bits
    if bits == 0 { sides[side].summary &= ~(1 &<< UInt64(truncatingIfNeeded: slot &>> 6)) }
  }

  // MARK: - In order

  /// The best level of `side` that is worse than `price`, or 0; pass `bestLimit` for the best of all.
  @inlinable @inline(__always) func next(worseThan price: Int64, side: Int) -> UInt32 {
    let inWindow = nextInWindow(worseThan: price, side: side)
    let treeKeyMax = sides[side].treeKeyMax
    // Mostly what is in the tree is worse than all that is in the window.
    if inWindow != 0, Self.key(levels[Int(inWindow)].price, side: side) > treeKeyMax { return inWindow }
    guard treeKeyMax != LadderSide.noKey else { return inWindow }
    let inTree = Self.nextInTree(worseThan: price, side: side, root: sides[side].root, tree)
    return better(inWindow, inTree, side: side)
  }

  /// A price better than every price of `side`.
  @inlinable static func bestLimit(side: Int) -> Int64 { side & 1 == 0 ? .max : 0 }

  @inlinable @inline(__always) func better(_ first: UInt32, _ second: UInt32, side: Int) -> UInt32 {
    guard first != 0, second != 0 else { return first | second }
    let isFirst = Self.key(levels[Int(first)].price, side: side) > Self.key(levels[Int(second)].price, side: side)
    return isFirst ? first : second
  }

  /// The window's best level that is worse than `price`, or 0.
  @inlinable @inline(__always) func nextInWindow(worseThan price: Int64, side: Int) -> UInt32 {
    let base = sides[side].base
    let (tick, rest) = sides[side].grid.split(price)
    // The tick below a price off the grid is worse for a bid, not for an ask.
    let isWorse: Int64 = rest != 0 && side & 1 == 0 ? 1 : 0
    let last = min(Self.key(tick, side: side) &- 1 &+ isWorse, base &+ Int64(windowTicks) &- 1)
    guard last >= base, sides[side].summary != 0 else { return 0 }
    let slot = Int(truncatingIfNeeded: last) & (windowTicks &- 1)
    let firstWord = side &<< (windowShift &- 6)
    // The bits at and below the slot, in its word.
    let bits = words[firstWord | slot &>> 6] & (UInt64.max &>> (63 &- UInt64(truncatingIfNeeded: slot & 63)))
    if bits != 0 { return slots[side &<< windowShift | (slot & ~63) | (63 &- bits.leadingZeroBitCount)] }
    // Then whole words, counted from the base: those before the slot's.
    let start = Int(truncatingIfNeeded: base &>> 6) & (wordCount &- 1)
    let before = (slot &>> 6 &- start) & (wordCount &- 1)
    let candidates = rotatedSummary(start, side: side) & ((1 &<< UInt64(truncatingIfNeeded: before)) &- 1)
    guard candidates != 0 else { return 0 }
    let word = (63 &- candidates.leadingZeroBitCount &+ start) & (wordCount &- 1)
    let found = 63 &- words[firstWord | word].leadingZeroBitCount
    return slots[side &<< windowShift | word &<< 6 | found]
  }

  /// The summary with the base's word at bit 0.
  @inlinable @inline(__always) func rotatedSummary(_ start: Int, side: Int) -> UInt64 {
    let summary = sides[side].summary
    // Smart shift: with 64 words and start 0 the shift is 64. Bits above the word count are cut off.
    let rotated = summary &>> UInt64(truncatingIfNeeded: start) | summary << (wordCount &- start)
    return wordCount == 64 ? rotated : rotated & ((1 &<< UInt64(truncatingIfNeeded: wordCount)) &- 1)
  }
}
