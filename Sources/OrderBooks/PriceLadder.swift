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

/// Left and right subtree of an overflow level.
@frozen @usableFromInline struct TreeLinks: BitwiseCopyable {
  @usableFromInline var left: UInt32
  @usableFromInline var right: UInt32
  init(left: UInt32, right: UInt32) {
    self.left = left
    self.right = right
  }
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
@frozen @usableFromInline struct LadderSide: BitwiseCopyable {
  @usableFromInline var grid: PriceGrid
  /// First tick of the window, a multiple of 64.
  @usableFromInline var base: Int64
  /// A bit for each word of the occupancy bitmap that is not 0.
  @usableFromInline var summary: UInt64
  /// Root of the overflow tree, 0 when it is empty.
  @usableFromInline var root: UInt32
  /// Adds outside the window less adds inside it, not below 0.
  @usableFromInline var pressure: Int32
  @usableFromInline var levelCount: Int32
  @usableFromInline var orderCount: Int32
  @usableFromInline var padding: InlineArray<2, UInt64>

  init(grid: PriceGrid) {
    self.grid = grid
    base = 0
    summary = 0
    root = 0
    pressure = 0
    levelCount = 0
    orderCount = 0
    padding = InlineArray(repeating: 0)
  }
}

/// The price levels of both sides of all books, by price.
///
/// A side has a window of W consecutive ticks: the slot of a tick is `tick & (W − 1)`, an occupancy bitmap with a summary word finds the
/// next level. Levels off the tick grid or outside the window are in a tree sorted by price. A side's levels are the union of both.
/// When most adds miss the window it moves to where they are (and to the finer grid if they need it).
///
/// ```
/// slots  [side index × W + slot] -> level      words [side index × W/64 + slot/64]
/// levels [level] -> price, lots, queue         links [level] -> left, right
/// ```
@frozen @usableFromInline struct PriceLadder: ~Copyable {
  @usableFromInline var levels: Slab<LevelRecord>
  @usableFromInline var sides: Slab<LadderSide>
  @usableFromInline var slots: Slab<UInt32>
  @usableFromInline var words: Slab<UInt64>
  @usableFromInline var links: Slab<TreeLinks>
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
      + arenaBytesOf(TreeLinks.self, count: capacity.levels + 1)
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
    links = Slab(repeating: TreeLinks(left: 0, right: 0), count: capacity.levels + 1, in: arena)
    // Level 0 is no level.
    freeLevel = 1
    for level in 1...capacity.levels {
      levels[level].head = level < capacity.levels ? UInt32(level + 1) : 0
    }
  }

  // MARK: - By price

  /// The window slot of `price` on `side`, or nil when it is off the grid or outside.
  @inlinable @inline(__always) func slot(of price: Int64, side: Int) -> Int? {
    let (tick, rest) = sides[side].grid.split(price)
    // Wrapping: ticks are not negative and the base is above −2^12, so the difference is exact.
    let distance = UInt64(bitPattern: tick &- sides[side].base)
    guard rest == 0, distance < UInt64(truncatingIfNeeded: windowTicks) else { return nil }
    return Int(truncatingIfNeeded: tick) & (windowTicks &- 1)
  }

  /// The level at `price` on `side`, or 0.
  @inlinable @inline(__always) func find(_ price: Int64, side: Int) -> UInt32 {
    guard let slot = slot(of: price, side: side) else {
      return Self.findInTree(price, root: sides[side].root, levels, links)
    }
    return slots[side &<< windowShift | slot]
  }

  /// The level at `price` on `side` for an order or size to rest there, created empty (no lots) where there is none; 0 without room.
  @inlinable mutating func findOrCreate(_ price: Int64, side: Int) -> UInt32 {
    guard let slot = slot(of: price, side: side) else { return findOrCreateOutside(price, side: side) }
    if sides[side].pressure > 0 { sides[side].pressure &-= 1 }
    let found = slots[side &<< windowShift | slot]
    if found != 0 { return found }
    let level = takeLevel(price, place: UInt32(truncatingIfNeeded: slot), side: side)
    if level != 0 { occupy(slot, by: level, side: side) }
    return level
  }

  /// Removes a level that holds no order.
  @inlinable mutating func remove(_ level: UInt32, side: Int) {
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
    let inWindow = side & 1 == 0 ? nextBelow(price, side: side) : nextAbove(price, side: side)
    guard sides[side].root != 0 else { return inWindow }
    let root = sides[side].root
    let inTree =
      side & 1 == 0
      ? Self.highestInTree(below: price, root: root, levels, links)
      : Self.lowestInTree(above: price, root: root, levels, links)
    return better(inWindow, inTree, side: side)
  }

  /// A price better than every price of `side`.
  @inlinable static func bestLimit(side: Int) -> Int64 { side & 1 == 0 ? .max : 0 }

  @inlinable @inline(__always) func better(_ first: UInt32, _ second: UInt32, side: Int) -> UInt32 {
    guard first != 0, second != 0 else { return first | second }
    let isHigher = levels[Int(first)].price > levels[Int(second)].price
    return isHigher == (side & 1 == 0) ? first : second
  }

  /// The window's highest level below `price`.
  @inlinable @inline(__always) func nextBelow(_ price: Int64, side: Int) -> UInt32 {
    let base = sides[side].base
    let (tick, rest) = sides[side].grid.split(price)
    let last = min(rest > 0 ? tick : tick &- 1, base &+ Int64(windowTicks) &- 1)
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

  /// The window's lowest level above `price`.
  @inlinable @inline(__always) func nextAbove(_ price: Int64, side: Int) -> UInt32 {
    let base = sides[side].base
    let first = max(sides[side].grid.split(price).tick &+ 1, base)
    guard first &- base < Int64(windowTicks), sides[side].summary != 0 else { return 0 }
    let slot = Int(truncatingIfNeeded: first) & (windowTicks &- 1)
    let firstWord = side &<< (windowShift &- 6)
    // The bits at and above the slot, in its word.
    let bits = words[firstWord | slot &>> 6] & (UInt64.max &<< UInt64(truncatingIfNeeded: slot & 63))
    if bits != 0 { return slots[side &<< windowShift | (slot & ~63) | bits.trailingZeroBitCount] }
    let start = Int(truncatingIfNeeded: base &>> 6) & (wordCount &- 1)
    let before = (slot &>> 6 &- start) & (wordCount &- 1)
    // Smart shift: `before + 1` may be 64.
    let candidates = rotatedSummary(start, side: side) & (UInt64.max << (before &+ 1))
    guard candidates != 0 else { return 0 }
    let word = (candidates.trailingZeroBitCount &+ start) & (wordCount &- 1)
    let found = words[firstWord | word].trailingZeroBitCount
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
