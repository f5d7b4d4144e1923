public import LockFreeRings
internal import TradingTypes

/// A resting order: half a cache line.
///
/// ```
/// 0 reference │ 8 lots │ 16 next │ 20 previous │ 24 level │ 28 side index
/// ```
@frozen @usableFromInline struct OrderNode: BitwiseCopyable {
  @usableFromInline var reference: UInt64
  @usableFromInline var lots: Int64
  /// The order behind in the queue, 0 for none; the next free node of a free one.
  @usableFromInline var next: UInt32
  /// The order ahead in the queue, 0 for none.
  @usableFromInline var previous: UInt32
  @usableFromInline var level: UInt32
  /// Instrument × 2 + side.
  @usableFromInline var side: UInt32

  @inlinable init(reference: UInt64, lots: Int64, next: UInt32, previous: UInt32, level: UInt32, side: UInt32) {
    self.reference = reference
    self.lots = lots
    self.next = next
    self.previous = previous
    self.level = level
    self.side = side
  }
}

/// A slot of the page directory: half a cache line.
///
/// The occupancy bits make a miss known without touching a node, so an add writes its node without having read it.
@frozen @usableFromInline struct PageEntry: BitwiseCopyable {
  /// The page number, reference >> 7, whose orders live in the page; `noTag` when there is no page.
  @usableFromInline var tag: UInt64
  /// A bit for each live order of the first and second half of the page.
  @usableFromInline var low: UInt64
  @usableFromInline var high: UInt64
  /// Handle of the page's first node.
  @usableFromInline var start: UInt32
  /// Live sparse orders whose page number falls on this slot: while 0, a miss in the page is a miss.
  @usableFromInline var sparse: UInt32

  @inlinable init(tag: UInt64, start: UInt32, sparse: UInt32) {
    self.tag = tag
    low = 0
    high = 0
    self.start = start
    self.sparse = sparse
  }

  /// No page number is this large: references have 64 bits, page numbers 57.
  @inlinable static var noTag: UInt64 { .max }

  /// Whether the order `reference` of this page lives.
  @inlinable @inline(__always) func isLive(_ reference: UInt64) -> Bool {
    ((reference & 64 == 0 ? low : high) &>> (reference & 63)) & 1 != 0
  }

  @inlinable @inline(__always) func handle(_ reference: UInt64) -> UInt32 {
    start | UInt32(truncatingIfNeeded: reference) & 127
  }

  /// Turns the bit of `reference`.
  @inlinable @inline(__always) mutating func toggle(_ reference: UInt64) {
    let bit: UInt64 = 1 &<< (reference & 63)
    let inLow: UInt64 = reference & 64 == 0 ? bit : 0
    low ^= inLow
    high ^= bit ^ inLow
  }
}

/// From any 64-bit order reference to its node, in memory that follows the live orders.
///
/// Consecutive references share a page of 128 nodes, found through a direct-mapped directory: two cache lines and no hash. A page
/// comes from a LIFO free list with its first order and goes back with its last, or when its last few have grown old and their page is
/// wanted: those move to the table. References without a page (random ones, those whose
/// directory slot another page holds, all when no page is free) sit in an open-addressing table with linear probing and
/// backward-shift deletion. Handles are 32-bit indices of one slab for both; 0 is no order.
@frozen @usableFromInline struct OrderIndex: ~Copyable {
  @usableFromInline var nodes: Slab<OrderNode>
  @usableFromInline var directory: Slab<PageEntry>
  @usableFromInline var freePages: Slab<UInt32>
  @usableFromInline var freePageCount: Int
  /// Hash << 32 | handle; 0 is empty.
  @usableFromInline var table: Slab<UInt64>
  @usableFromInline var freeSparse: UInt32
  @usableFromInline let sparseStart: UInt32
  @usableFromInline var sparseCount = 0
  @usableFromInline var liveCount = 0
  @usableFromInline var liveCountMax = 0
  @usableFromInline let capacity: Int
  /// The page number around which references are dense.
  @usableFromInline var densePage: UInt64 = 0
  /// The page number of the last sparse order, and how many in a row were near each other.
  @usableFromInline var nearPage: UInt64 = 0
  @usableFromInline var nearCount = 0
  /// Where the search for a page to empty goes on.
  @usableFromInline var evacuationHand = 0
  @usableFromInline var evacuationCount: UInt64 = 0

  @inlinable static var pageShift: UInt64 { 7 }
  @inlinable static var pageOrders: Int { 128 }

  /// Orders a page may have left to be worth emptying, and directory slots looked at to find one.
  static var evacuationOrders: Int { 16 }
  static var evacuationSearch: Int { 32 }

  /// Sparse orders near each other, in a row, that move the dense region there.
  static var nearCountMax: Int { 4 }

  static func directoryCount(_ capacity: BookCapacity) -> Int { powerOfTwo(atLeast: capacity.pages * 8) }
  static func tableCount(_ capacity: BookCapacity) -> Int { powerOfTwo(atLeast: capacity.sparseOrders * 2) }
  /// Page 0 is never handed out, so that handle 0 is no order.
  static func nodeCount(_ capacity: BookCapacity) -> Int {
    (capacity.pages + 1) * pageOrders + capacity.sparseOrders
  }

  static func arenaBytes(_ capacity: BookCapacity) -> Int {
    arenaBytesOf(OrderNode.self, count: nodeCount(capacity))
      + arenaBytesOf(PageEntry.self, count: directoryCount(capacity))
      + arenaBytesOf(UInt32.self, count: capacity.pages)
      + arenaBytesOf(UInt64.self, count: tableCount(capacity))
  }

  init(_ capacity: BookCapacity, in arena: Arena) {
    let empty = OrderNode(reference: 0, lots: 0, next: 0, previous: 0, level: 0, side: 0)
    nodes = Slab(repeating: empty, count: Self.nodeCount(capacity), in: arena)
    directory = Slab(
      repeating: PageEntry(tag: PageEntry.noTag, start: 0, sparse: 0), count: Self.directoryCount(capacity), in: arena)
    freePages = Slab(repeating: 0, count: capacity.pages, in: arena)
    table = Slab(repeating: 0, count: Self.tableCount(capacity), in: arena)
    self.capacity = capacity.orders
    sparseStart = UInt32((capacity.pages + 1) * Self.pageOrders)
    // Lowest page and node on top of their stacks, so that memory is used from the front.
    for place in 0..<capacity.pages { freePages[place] = UInt32(capacity.pages - place) }
    freePageCount = capacity.pages
    freeSparse = sparseStart
    for handle in Int(sparseStart)..<nodes.count {
      nodes[handle].next = handle + 1 < nodes.count ? UInt32(handle + 1) : 0
    }
  }

  // MARK: - Fast paths

  /// The handle of `reference` if it lives in a page, else 0.
  @inlinable @inline(__always) func handleInPage(_ reference: UInt64) -> UInt32 {
    let page = reference >> Self.pageShift
    let slot = Int(truncatingIfNeeded: page)
    guard directory[masked: slot].tag == page, directory[masked: slot].isLive(reference) else { return 0 }
    return directory[masked: slot].handle(reference)
  }

  /// Whether no order without a page falls on the directory slot of `reference`: a miss in the page is a miss then.
  @inlinable @inline(__always) func hasNoSparse(near reference: UInt64) -> Bool {
    directory[masked: Int(truncatingIfNeeded: reference >> Self.pageShift)].sparse == 0
  }

  /// The handle of `reference`, or 0.
  @inlinable @inline(__always) func find(_ reference: UInt64) -> UInt32 {
    let handle = handleInPage(reference)
    return handle != 0 || hasNoSparse(near: reference) ? handle : Self.findSparse(reference, table, nodes)
  }

  /// As `find`, for whoever may change the index: the call that nearly never comes then costs a pointer, not copies of what it reads.
  @inlinable @inline(__always) mutating func locate(_ reference: UInt64) -> UInt32 {
    let handle = handleInPage(reference)
    return handle != 0 || hasNoSparse(near: reference) ? handle : locateSparse(reference)
  }

  @usableFromInline @inline(never) mutating func locateSparse(_ reference: UInt64) -> UInt32 {
    Self.findSparse(reference, table, nodes)
  }

  /// A node for `reference`, which `find` does not find, in a page that is there already, or 0.
  @inlinable @inline(__always) mutating func acquireInPage(_ reference: UInt64) -> UInt32 {
    let page = reference >> Self.pageShift
    let slot = Int(truncatingIfNeeded: page)
    guard directory[masked: slot].tag == page else { return 0 }
    directory[masked: slot].toggle(reference)
    return directory[masked: slot].handle(reference)
  }

  @inlinable @inline(__always) mutating func countAcquired() {
    liveCount &+= 1
    if liveCount > liveCountMax { liveCountMax = liveCount }
  }

  /// Gives the node of `reference` back.
  @inlinable @inline(__always) mutating func release(_ handle: UInt32, _ reference: UInt64) {
    liveCount &-= 1
    guard handle < sparseStart else { return releaseSparse(handle, reference) }
    let slot = Int(truncatingIfNeeded: reference >> Self.pageShift)
    directory[masked: slot].toggle(reference)
    if directory[masked: slot].low | directory[masked: slot].high == 0 { releasePage(slot) }
  }

  // MARK: - Pages

  /// A node in a new page, or 0 when no page is free or another page has the directory slot.
  mutating func acquirePage(_ reference: UInt64) -> UInt32 {
    let page = reference >> Self.pageShift
    let slot = Int(truncatingIfNeeded: page)
    guard directory[masked: slot].tag == PageEntry.noTag, freePageCount > 0 else { return 0 }
    freePageCount -= 1
    densePage = page
    var entry = PageEntry(
      tag: page, start: freePages[freePageCount] << 7, sparse: directory[masked: slot].sparse)
    entry.toggle(reference)
    directory[masked: slot] = entry
    return entry.handle(reference)
  }

  /// A node found through the table, or 0 when all are taken.
  mutating func acquireSparse(_ reference: UInt64) -> UInt32 {
    let handle = freeSparse
    guard handle != 0 else { return 0 }
    freeSparse = nodes[Int(handle)].next
    nodes[Int(handle)].reference = reference
    sparseCount += 1
    directory[masked: Int(truncatingIfNeeded: reference >> Self.pageShift)].sparse += 1
    insertSparse(handle, hash: Self.hash(reference))
    return handle
  }

  /// The directory slot of an old page with few orders left, in whose place the page of `reference` could be; nil when none is needed or found.
  ///
  /// Orders that stay for hours would otherwise hold a page each until no page is left for the dense present.
  mutating func slotToEvacuate(for reference: UInt64) -> Int? {
    let slot = Int(truncatingIfNeeded: reference >> Self.pageShift) & (directory.count - 1)
    if directory[slot].tag != PageEntry.noTag { return isEvacuable(slot) ? slot : nil }
    guard freePageCount == 0 else { return nil }
    for _ in 0..<Self.evacuationSearch {
      evacuationHand = (evacuationHand + 1) & (directory.count - 1)
      if isEvacuable(evacuationHand) { return evacuationHand }
    }
    return nil
  }

  func isEvacuable(_ slot: Int) -> Bool {
    let entry = directory[slot]
    let live = entry.low.nonzeroBitCount + entry.high.nonzeroBitCount
    // Wrapping: a distance modulo 2^64; the latest pages are still filling.
    return entry.tag != PageEntry.noTag && live <= Self.evacuationOrders && densePage &- entry.tag > 8
      && sparseCount + live <= nodes.count - Int(sparseStart)
  }

  /// Whether a page for `page` is worth its 4 KiB: it lies within a directory's length of the dense region.
  ///
  /// A feed counts its references up, so new pages follow the last one. A reference far away is one of few (or random) and goes to the
  /// table; several in a row that are near each other show that the feed went on counting from there.
  mutating func isDense(_ page: UInt64) -> Bool {
    let half = UInt64(directory.count / 2)
    // Wrapping: a distance modulo 2^64, in both directions.
    if page &- densePage &+ half < half &* 2 { return true }
    let isNear = page &- nearPage &+ 4 < 8
    nearPage = page
    nearCount = isNear ? nearCount + 1 : 0
    return nearCount >= Self.nearCountMax
  }

  @usableFromInline @inline(never) mutating func releasePage(_ slot: Int) {
    freePages[freePageCount] = directory[masked: slot].start >> 7
    freePageCount += 1
    directory[masked: slot].tag = PageEntry.noTag
  }

  // MARK: - The table

  /// 32 well mixed bits, never 0 in the upper half of a table word because handles are not 0.
  ///
  /// - Source: the finaliser of SplitMix64 (Steele, Lea, Flood 2014, section 4).
  @inlinable static func hash(_ reference: UInt64) -> UInt64 {
    // Wrapping: the mix is defined modulo 2^64.
    var z = (reference ^ (reference >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z >> 32
  }

  // Static over what it reads: a call of a borrowing method that is not inlined would copy the whole index to the stack first.
  @usableFromInline @inline(never) static func findSparse(
    _ reference: UInt64, _ table: borrowing Slab<UInt64>, _ nodes: borrowing Slab<OrderNode>
  ) -> UInt32 {
    let hash = hash(reference)
    var place = Int(hash)
    // Ends: the table is at most half full.
    while true {
      let word = table[masked: place]
      if word == 0 { return 0 }
      let handle = UInt32(truncatingIfNeeded: word)
      if word >> 32 == hash, nodes[Int(handle)].reference == reference { return handle }
      place += 1
    }
  }

  mutating func insertSparse(_ handle: UInt32, hash: UInt64) {
    var place = Int(hash)
    while table[masked: place] != 0 { place += 1 }
    table[masked: place] = hash << 32 | UInt64(handle)
  }

  @usableFromInline @inline(never) mutating func releaseSparse(_ handle: UInt32, _ reference: UInt64) {
    let mask = table.count - 1
    let hash = Self.hash(reference)
    let sought = hash << 32 | UInt64(handle)
    var hole = Int(hash) & mask
    while table[masked: hole] != sought { hole = (hole + 1) & mask }
    // Backward shift: close the gap with each later entry of the run that may stand there, so that no tombstone is needed.
    var place = hole
    while true {
      place = (place + 1) & mask
      let word = table[masked: place]
      if word == 0 { break }
      let home = Int(word >> 32) & mask
      if (place - home) & mask >= (place - hole) & mask {
        table[masked: hole] = word
        hole = place
      }
    }
    table[masked: hole] = 0
    nodes[Int(handle)].next = freeSparse
    freeSparse = handle
    sparseCount -= 1
    directory[masked: Int(truncatingIfNeeded: reference >> Self.pageShift)].sparse -= 1
  }
}
