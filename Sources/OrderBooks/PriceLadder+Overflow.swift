public import LockFreeRings
internal import TradingTypes

// Levels off the grid or outside the window: a treap sorted by price key, whose priorities are hashes of the prices. Its shape depends on the
// levels it holds only, its expected depth is logarithmic, and moving a level in or out touches no order.
//
// Source: Seidel, Aragon 1996, "Randomized search trees", section 3; here with a hash for the random priority.
extension PriceLadder {
  /// A link of the tree: a child of `parent`, or the root where `parent` is 0.
  struct Link {
    var parent: UInt32
    var isRight: Bool
  }

  func priority(_ level: UInt32) -> UInt64 {
    // Wrapping: the mix of SplitMix64 is defined modulo 2^64.
    var z = UInt64(bitPattern: tree[Int(level)].price) &* 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    return z ^ (z >> 27)
  }

  mutating func set(_ link: Link, to level: UInt32, side: Int) {
    if link.parent == 0 {
      sides[side].root = level
    } else if link.isRight {
      tree[Int(link.parent)].right = level
    } else {
      tree[Int(link.parent)].left = level
    }
  }

  // The searches are static over what they read: a call of a borrowing method that is not inlined would copy the whole ladder to the stack
  // first (measured: 200 bytes and 50 instructions an event).

  @usableFromInline @inline(never) static func findInTree(
    _ price: Int64, side: Int, root: UInt32, _ tree: borrowing Slab<TreeNode>
  ) -> UInt32 {
    var current = root
    while current != 0, tree[Int(current)].price != price {
      let isRight = key(price, side: side) > key(tree[Int(current)].price, side: side)
      current = isRight ? tree[Int(current)].right : tree[Int(current)].left
    }
    return current
  }

  /// The best level of the tree that is worse than `price`, or 0.
  @usableFromInline @inline(never) static func nextInTree(
    worseThan price: Int64, side: Int, root: UInt32, _ tree: borrowing Slab<TreeNode>
  ) -> UInt32 {
    let limit = key(price, side: side)
    var current = root
    var found: UInt32 = 0
    while current != 0 {
      if key(tree[Int(current)].price, side: side) < limit {
        found = current
        current = tree[Int(current)].right
      } else {
        current = tree[Int(current)].left
      }
    }
    return found
  }

  mutating func insertIntoTree(_ level: UInt32, side: Int) {
    tree[Int(level)].price = levels[Int(level)].price
    let ownKey = key(of: level, side: side)
    let own = priority(level)
    sides[side].treeKeyMax = max(sides[side].treeKeyMax, ownKey)
    var link = Link(parent: 0, isRight: false)
    var current = sides[side].root
    while current != 0, priority(current) > own {
      link = Link(parent: current, isRight: ownKey > key(of: current, side: side))
      current = link.isRight ? tree[Int(current)].right : tree[Int(current)].left
    }
    set(link, to: level, side: side)
    // Split what was below into the part under and the part over the new level.
    var lower = Link(parent: level, isRight: false)
    var upper = Link(parent: level, isRight: true)
    while current != 0 {
      if key(of: current, side: side) < ownKey {
        set(lower, to: current, side: side)
        lower = Link(parent: current, isRight: true)
        current = tree[Int(current)].right
      } else {
        set(upper, to: current, side: side)
        upper = Link(parent: current, isRight: false)
        current = tree[Int(current)].left
      }
    }
    set(lower, to: 0, side: side)
    set(upper, to: 0, side: side)
  }

  @usableFromInline @inline(never) mutating func removeFromTree(_ level: UInt32, side: Int) {
    let ownKey = key(of: level, side: side)
    var link = Link(parent: 0, isRight: false)
    var current = sides[side].root
    while current != level {
      link = Link(parent: current, isRight: ownKey > key(of: current, side: side))
      current = link.isRight ? tree[Int(current)].right : tree[Int(current)].left
    }
    // Merge both subtrees into its place.
    var left = tree[Int(level)].left
    var right = tree[Int(level)].right
    while left != 0, right != 0 {
      if priority(left) > priority(right) {
        set(link, to: left, side: side)
        link = Link(parent: left, isRight: true)
        left = tree[Int(left)].right
      } else {
        set(link, to: right, side: side)
        link = Link(parent: right, isRight: false)
        right = tree[Int(right)].left
      }
    }
    set(link, to: left | right, side: side)
    if ownKey == sides[side].treeKeyMax { sides[side].treeKeyMax = treeKeyMax(side: side) }
  }

  func treeKeyMax(side: Int) -> Int64 {
    var current = sides[side].root
    guard current != 0 else { return LadderSide.noKey }
    while tree[Int(current)].right != 0 { current = tree[Int(current)].right }
    return key(of: current, side: side)
  }

  func key(of level: UInt32, side: Int) -> Int64 { Self.key(tree[Int(level)].price, side: side) }

  // MARK: - The window moves

  @usableFromInline @inline(never) mutating func findOrCreateOutside(_ price: Int64, side: Int) -> UInt32 {
    sides[side].pressure += 1
    if sides[side].pressure >= Self.pressureMax || sides[side].summary == 0 {
      moveWindow(to: price, side: side)
      if let slot = slot(of: price, side: side) {
        let found = level(in: slot, side: side)
        return found != 0 ? found : create(price, in: slot, side: side)
      }
    }
    let found = Self.findInTree(price, side: side, root: sides[side].root, tree)
    if found != 0 { return found }
    let level = takeLevel(price, place: LevelRecord.overflow, side: side)
    if level != 0 { insertIntoTree(level, side: side) }
    return level
  }

  /// Moves the window of `side` so that `price` lies in it with more room towards worse prices, on the coarsest grid that has it.
  mutating func moveWindow(to price: Int64, side: Int) {
    sides[side].pressure = 0
    let needsFine = coarse.split(price).rest != 0 && fine.split(price).rest == 0
    let grid = needsFine ? fine : coarse
    let worse = Int64(windowTicks / 8 * 5)
    let base = (Self.key(grid.split(price).tick, side: side) - worse) & ~63
    guard base != sides[side].base || grid != sides[side].grid else { return }
    moveCount += 1
    expel(base: base, grid: grid, side: side)
    sides[side].base = base
    sides[side].grid = grid
    admit(side: side)
  }

  /// Moves the levels that a window at `base` on `grid` does not hold from the window into the tree.
  private mutating func expel(base: Int64, grid: PriceGrid, side: Int) {
    for word in 0..<wordCount {
      var bits = words[side << (windowShift - 6) | word]
      while bits != 0 {
        let slot = word << 6 | bits.trailingZeroBitCount
        bits &= bits - 1
        let level = slots[side << windowShift | slot]
        let tick = Self.key(grid.split(levels[Int(level)].price).tick, side: side)
        guard grid != sides[side].grid || tick < base || tick >= base + Int64(windowTicks) else { continue }
        vacate(slot, side: side)
        levels[Int(level)].place = LevelRecord.overflow
        insertIntoTree(level, side: side)
      }
    }
  }

  /// Moves the levels of the tree that the window can hold into it.
  private mutating func admit(side: Int) {
    let grid = sides[side].grid
    let base = sides[side].base
    // From the best that the window can hold on: the tick above it as a price. Exact or saturated: prices are 1 to 2^62, so a limit
    // beyond either end changes nothing.
    let above = side & 1 == 0 ? base + Int64(windowTicks) : Self.key(base + Int64(windowTicks) - 1, side: side) - 1
    let (limit, overflow) = above.multipliedReportingOverflow(by: Int64(grid.tick))
    var price = above <= 0 ? 0 : overflow ? Int64.max : limit
    while true {
      let level = Self.nextInTree(worseThan: price, side: side, root: sides[side].root, tree)
      guard level != 0 else { return }
      price = levels[Int(level)].price
      let (tick, rest) = grid.split(price)
      let key = Self.key(tick, side: side)
      guard key >= base else { return }
      guard rest == 0, key < base + Int64(windowTicks) else { continue }
      removeFromTree(level, side: side)
      let slot = Int(truncatingIfNeeded: key) & (windowTicks - 1)
      levels[Int(level)].place = UInt32(slot)
      occupy(slot, by: level, side: side)
    }
  }
}
