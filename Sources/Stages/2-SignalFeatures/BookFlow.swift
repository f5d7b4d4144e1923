public import LockFreeRings
public import TradingTypes

/// What one event of a usable book added.
@frozen @usableFromInline struct BookEntry: BitwiseCopyable {
  /// Order-flow contribution of the best level.
  @usableFromInline var contribution: Int64
  /// The same summed over five levels.
  @usableFromInline var depthContribution: Int64
  /// Best bid size plus best ask size after the event.
  @usableFromInline var topSize: Int64
  /// Spread after the event in billionths.
  @usableFromInline var spread: Int64
  @inlinable init() {
    contribution = 0
    depthContribution = 0
    topSize = 0
    spread = 0
  }
}

/// Slots 0–17 and 20–22: what the book shows and how its queues changed, kept up by every message.
///
/// Sums are integers and therefore exact: prices in billionths, sizes in lots. A book is *usable* when both sides have a
/// level and they do not cross; other books leave slots 0–17 and 20 where they were. Order flow is counted against the
/// last usable book. Rings and levels lie in slabs beside this: an array inside a struct is copied whole when it is read.
@frozen @usableFromInline struct BookFlow: BitwiseCopyable {
  /// Entries an instrument has in the ring of events.
  @inlinable static var entryCount: Int { 128 }
  /// Levels an instrument has in the slab: ten bids and ten asks of the last usable book and of the one being taken in.
  @inlinable static var levelCount: Int { 40 }

  /// Where the last usable book starts among the instrument's levels: 0 or 20.
  @usableFromInline var viewOffset: Int
  @usableFromInline var bidCount: Int32
  @usableFromInline var askCount: Int32
  /// Events of usable books so far.
  @usableFromInline var count: Int64
  @usableFromInline var contributionSum: Int64
  @usableFromInline var depthContributionSum: Int64
  @usableFromInline var topSizeSum: Int64
  @usableFromInline var spreadSum: Int64
  @usableFromInline var spreadSquareSum: Int128
  /// Best sizes and spread of the last usable book.
  @usableFromInline var topSize: Int64
  @usableFromInline var spread: Int64
  /// Decayed contributions at `decayTime`, half-lives 1 s and 10 s.
  @usableFromInline var decayed1s: Double
  @usableFromInline var decayed10s: Double
  @usableFromInline var decayTime: Timestamp
  /// Best bid plus best ask of the last usable book in billionths; 0 while there was none.
  @usableFromInline var midTwice: Int64
  @usableFromInline var midMoveTime: Timestamp
  /// When the last usable book was seen.
  @usableFromInline var usableTime: Timestamp

  @inlinable init() {
    viewOffset = 0
    bidCount = 0
    askCount = 0
    count = 0
    contributionSum = 0
    depthContributionSum = 0
    topSizeSum = 0
    spreadSum = 0
    spreadSquareSum = 0
    topSize = 0
    spread = 0
    decayed1s = 0
    decayed10s = 0
    decayTime = .distantPast
    midTwice = 0
    midMoveTime = .distantPast
    usableTime = .distantPast
  }

  /// Both sides exist, prices are positive and small enough to add, and bid is not above ask.
  @inlinable @inline(__always) static func isUsable(_ depth: borrowing DepthView) -> Bool {
    let bid = depth.bids[0].price.nanos
    let ask = depth.asks[0].price.nanos
    let levels = min(depth.bidCount, depth.askCount)
    return levels > 0 && bid > 0 && bid <= ask && ask < 1 << 53
  }

  /// Takes in the book after a message.
  ///
  /// - Parameters:
  ///   - isChanged: one of the ten levels may differ from the last call.
  ///   - isEvent: the message is an event of slots 14–20.
  ///   - index: the instrument.
  @inlinable @inline(__always) mutating func update(
    depth: borrowing DepthView, isChanged: Bool, isEvent: Bool, at time: Timestamp,
    _ levels: inout Slab<DepthLevel>, _ entries: inout Slab<BookEntry>, index: Int
  ) {
    guard BookFlow.isUsable(depth) else { return }
    usableTime = time
    var entry = BookEntry()
    if isChanged || midTwice == 0 {
      let base = index &* BookFlow.levelCount
      let old = base &+ viewOffset
      viewOffset = 20 &- viewOffset
      let new = base &+ viewOffset
      BookFlow.store(depth, in: &levels, at: new)
      if isEvent && midTwice != 0 {
        let best = BookFlow.contribution(levels, old, new)
        entry.contribution = best
        // Wrapping here and below: sums of sizes stay exact modulo 2^64, and real sizes are far below 2^48.
        entry.depthContribution =
          best &+ BookFlow.contribution(levels, old &+ 1, new &+ 1) &+ BookFlow.contribution(levels, old &+ 2, new &+ 2)
          &+ BookFlow.contribution(levels, old &+ 3, new &+ 3) &+ BookFlow.contribution(levels, old &+ 4, new &+ 4)
        if best != 0 {
          let passed = FeatureArithmetic.seconds(from: decayTime, to: time)
          decayed1s = decayed1s * DeterministicMath.exp2(-passed) + Double(best)
          decayed10s = decayed10s * DeterministicMath.exp2(-0.1 * passed) + Double(best)
          decayTime = time
        }
      }
      let mid = depth.midNanosTwice
      if mid != midTwice {
        midTwice = mid
        midMoveTime = time
      }
      bidCount = depth.bidCount
      askCount = depth.askCount
      topSize = depth.bids[0].quantity.lots &+ depth.asks[0].quantity.lots
      spread = depth.asks[0].price.nanos &- depth.bids[0].price.nanos
    }
    guard isEvent else { return }
    entry.topSize = topSize
    entry.spread = spread
    append(entry, &entries, base: index &* BookFlow.entryCount)
  }

  /// Copies the twenty levels of a view.
  @inlinable @inline(__always) static func store(
    _ depth: borrowing DepthView, in levels: inout Slab<DepthLevel>, at place: Int
  ) {
    // By elements: the view is the book's own, and a span of it would first be copied.
    for level in 0..<10 { levels[place &+ level] = depth.bids[level] }
    for level in 0..<10 { levels[place &+ 10 &+ level] = depth.asks[level] }
  }

  /// Moves the windows on by one event.
  @inlinable @inline(__always) mutating func append(_ entry: BookEntry, _ entries: inout Slab<BookEntry>, base: Int) {
    contributionSum &+= entry.contribution
    depthContributionSum &+= entry.depthContribution
    topSizeSum &+= entry.topSize
    spreadSum &+= entry.spread
    // Spreads are below 2^53, so a hundred squares fit.
    spreadSquareSum &+= Int128(entry.spread) &* Int128(entry.spread)
    if count >= 50 {
      let old = entries[base &+ Int(truncatingIfNeeded: (count &- 50) & 127)]
      contributionSum &-= old.contribution
      depthContributionSum &-= old.depthContribution
      topSizeSum &-= old.topSize
    }
    if count >= 100 {
      let old = entries[base &+ Int(truncatingIfNeeded: (count &- 100) & 127)].spread
      spreadSum &-= old
      spreadSquareSum &-= Int128(old) &* Int128(old)
    }
    entries[base &+ Int(truncatingIfNeeded: count & 127)] = entry
    count &+= 1
  }

  /// The order-flow contribution of a level: what came to the bid and left the ask, less what left the bid and came to the ask.
  ///
  /// A level that does not exist has size 0 and, on the ask side, an infinite price.
  /// - Parameters: `old` and `new` are the places of the two bids; the asks lie ten further.
  /// - Source: Cont, Kukanov and Stoikov 2014, equation 2; by level Xu, Gould and Howison 2018.
  @inlinable @inline(__always) static func contribution(
    _ levels: borrowing Slab<DepthLevel>, _ old: Int, _ new: Int
  ) -> Int64 {
    let bid = levels[new]
    let oldBid = levels[old]
    let ask = levels[new &+ 10]
    let oldAsk = levels[old &+ 10]
    let askPrice = ask.quantity.lots == 0 ? Int64.max : ask.price.nanos
    let oldAskPrice = oldAsk.quantity.lots == 0 ? Int64.max : oldAsk.price.nanos
    let bidCame = bid.price >= oldBid.price ? bid.quantity.lots : 0
    let bidLeft = bid.price <= oldBid.price ? oldBid.quantity.lots : 0
    let askCame = askPrice <= oldAskPrice ? ask.quantity.lots : 0
    let askLeft = askPrice >= oldAskPrice ? oldAsk.quantity.lots : 0
    return bidCame &- bidLeft &- askCame &+ askLeft
  }
}
