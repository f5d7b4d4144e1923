internal import LockFreeRings
public import TradingTypes

extension OrderBookSet {
  /// What is wrong inside, in a sentence, or nil: for tests, after any event.
  ///
  /// Level size = sum of its orders, counts equal, links consistent, bitmap = levels, tree sorted, depth view = first ten levels, and
  /// every order is found by its reference.
  ///
  /// - Complexity: O(capacity).
  public func checkInvariants() -> String? {
    var orders = 0
    var levels = 0
    for book in 0..<count {
      for side in [Side.buy, .sell] {
        let sideIndex = book << 1 | Int(side.rawValue)
        if let fault = checkWindow(sideIndex) { return "book \(book) \(side): \(fault)" }
        if let fault = checkLevels(sideIndex, &orders, &levels) { return "book \(book) \(side): \(fault)" }
        if let fault = checkView(sideIndex) { return "book \(book) \(side): \(fault)" }
      }
    }
    if orders != index.liveCount { return "\(orders) orders in queues, \(index.liveCount) counted" }
    if levels != ladder.liveCount { return "\(levels) levels in order, \(ladder.liveCount) counted" }
    return checkIndex()
  }

  /// The books again after any event, cheap enough to compare after each: the view of `id` equals its ladder.
  public func checkView(of id: InstrumentID) -> String? {
    checkView(Int(id.index) << 1) ?? checkView(Int(id.index) << 1 | 1)
  }

  private func checkView(_ side: Int) -> String? {
    let isBid = side & 1 == 0
    var next = ladder.next(worseThan: PriceLadder.bestLimit(side: side), side: side)
    var count = 0
    for rank in 0..<(showsTen ? 10 : 1) {
      let shown = isBid ? views[side >> 1].bids[rank] : views[side >> 1].asks[rank]
      var expected = DepthLevel.empty
      if next != 0 {
        let record = ladder.levels[Int(next)]
        expected = DepthLevel(price: Price(nanos: record.price), quantity: Quantity(lots: record.lots))
        next = ladder.next(worseThan: record.price, side: side)
        count += 1
      }
      if shown != expected { return "view rank \(rank) shows \(shown), the ladder has \(expected)" }
    }
    let shownCount = Int(isBid ? views[side >> 1].bidCount : views[side >> 1].askCount)
    return shownCount == count ? nil : "view counts \(shownCount) levels, the ladder has \(count)"
  }

  private func checkWindow(_ side: Int) -> String? {
    for word in 0..<ladder.wordCount {
      let bits = ladder.words[side << (ladder.windowShift - 6) | word]
      if (bits != 0) != (ladder.sides[side].summary >> UInt64(word) & 1 == 1) { return "summary of word \(word)" }
      for bit in 0..<64 {
        let slot = word << 6 | bit
        let level = ladder.slots[side << ladder.windowShift | slot]
        if (level != 0) != (bits >> UInt64(bit) & 1 == 1) { return "bitmap of slot \(slot)" }
        if level == 0 { continue }
        let record = ladder.levels[Int(level)]
        if Int(record.place) != slot || ladder.slot(of: record.price, side: side) != slot {
          return "level at \(record.price) stands in slot \(slot)"
        }
      }
    }
    return nil
  }

  private func checkLevels(_ side: Int, _ orders: inout Int, _ levels: inout Int) -> String? {
    var sideOrders = 0
    var sideLevels = 0
    var level = ladder.next(worseThan: PriceLadder.bestLimit(side: side), side: side)
    while level != 0 {
      let record = ladder.levels[Int(level)]
      sideLevels += 1
      if sideLevels > ladder.levels.count { return "levels form a circle" }
      if ladder.find(record.price, side: side) != level { return "level at \(record.price) is not found" }
      if record.lots <= 0 { return "level at \(record.price) holds \(record.lots)" }
      var sum: Int64 = 0
      var queue: UInt32 = 0
      var previous: UInt32 = 0
      var handle = record.head
      while handle != 0 {
        let node = index.nodes[Int(handle)]
        if node.previous != previous || node.level != level || node.side != UInt32(side) || node.lots <= 0 {
          return "order \(node.reference) is linked wrongly"
        }
        if index.find(node.reference) != handle { return "order \(node.reference) is not found" }
        sum += node.lots
        queue += 1
        if queue > record.count { break }
        previous = handle
        handle = node.next
      }
      if record.tail != previous || record.count != queue { return "queue at \(record.price)" }
      if queue > 0, sum != record.lots { return "level at \(record.price) says \(record.lots), its orders \(sum)" }
      sideOrders += Int(queue)
      level = ladder.next(worseThan: record.price, side: side)
    }
    if sideOrders != Int(ladder.sides[side].orderCount) { return "\(sideOrders) orders, counted otherwise" }
    if sideLevels != Int(ladder.sides[side].levelCount) { return "\(sideLevels) levels, counted otherwise" }
    orders += sideOrders
    levels += sideLevels
    return nil
  }

  private func checkIndex() -> String? {
    var paged = 0
    var pages = 0
    var sparse = 0
    for slot in 0..<index.directory.count {
      let entry = index.directory[slot]
      sparse += Int(entry.sparse)
      guard entry.tag != PageEntry.noTag else { continue }
      let live = entry.low.nonzeroBitCount + entry.high.nonzeroBitCount
      if live == 0 || entry.start == 0 || entry.start & 127 != 0 { return "page of slot \(slot)" }
      for offset in 0..<UInt64(OrderIndex.pageOrders) where entry.isLive(offset) {
        let node = index.nodes[Int(entry.handle(offset))]
        if node.reference != entry.tag << 7 | offset { return "order \(node.reference) lives in page \(entry.tag)" }
      }
      paged += live
      pages += 1
    }
    if pages + index.freePageCount != index.freePages.count {
      return "\(pages) pages used, \(index.freePageCount) free"
    }
    var words = 0
    for place in 0..<index.table.count where index.table[place] != 0 { words += 1 }
    if sparse != index.sparseCount || words != sparse { return "\(words) words in the table, \(sparse) sparse orders" }
    return paged + sparse == index.liveCount ? nil : "\(paged) + \(sparse) orders, \(index.liveCount) counted"
  }
}
