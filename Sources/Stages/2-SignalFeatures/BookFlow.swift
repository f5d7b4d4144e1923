public import TradingTypes

/// Slots 0–17 and 20–22: what the book shows and how its queues changed, kept up by every message.
///
/// Sums are integers and therefore exact: prices in billionths, sizes in lots. A book is *usable* when both sides have a
/// level and they do not cross; other books leave slots 0–17 and 20 where they were. Order flow is counted against the
/// last usable book.
@frozen @usableFromInline struct BookFlow: BitwiseCopyable {
  /// What one event of a usable book added.
  @frozen @usableFromInline struct Entry: BitwiseCopyable {
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

  /// The last usable book.
  @usableFromInline var view: DepthView
  @usableFromInline var entries: InlineArray<128, Entry>
  /// Events of usable books so far.
  @usableFromInline var count: Int64
  @usableFromInline var contributionSum: Int64
  @usableFromInline var depthContributionSum: Int64
  @usableFromInline var topSizeSum: Int64
  @usableFromInline var spreadSum: Int64
  @usableFromInline var spreadSquareSum: Int128
  /// Decayed contributions at `decayTime`, half-lives 1 s and 10 s.
  @usableFromInline var decayed1s: Double
  @usableFromInline var decayed10s: Double
  @usableFromInline var decayTime: Timestamp
  /// Best bid plus best ask of the last usable book in billionths; 0 while there was none.
  @usableFromInline var midTwice: Int64
  @usableFromInline var midMoveTime: Timestamp
  /// When the last usable book was seen.
  @usableFromInline var usableTime: Timestamp
  @usableFromInline var isUsable: Bool

  @inlinable init() {
    view = DepthView()
    entries = InlineArray(repeating: Entry())
    count = 0
    contributionSum = 0
    depthContributionSum = 0
    topSizeSum = 0
    spreadSum = 0
    spreadSquareSum = 0
    decayed1s = 0
    decayed10s = 0
    decayTime = .distantPast
    midTwice = 0
    midMoveTime = .distantPast
    usableTime = .distantPast
    isUsable = false
  }

  /// Both sides exist, prices are positive and small enough to add, and bid is not above ask.
  @inlinable static func isUsable(_ depth: borrowing DepthView) -> Bool {
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
  @inlinable mutating func update(depth: borrowing DepthView, isChanged: Bool, isEvent: Bool, at time: Timestamp) {
    isUsable = BookFlow.isUsable(depth)
    guard isUsable else { return }
    usableTime = time
    var entry = Entry()
    if isChanged || midTwice == 0 {
      if isEvent && midTwice != 0 {
        let best = contribution(of: 0, in: depth)
        entry.contribution = best
        // Wrapping here and below: sums of sizes stay exact modulo 2^64, and real sizes are far below 2^48.
        entry.depthContribution =
          best &+ contribution(of: 1, in: depth) &+ contribution(of: 2, in: depth)
          &+ contribution(of: 3, in: depth) &+ contribution(of: 4, in: depth)
        if best != 0 {
          let passed = DeterministicMath.seconds(from: decayTime, to: time)
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
      view = copy depth
    }
    guard isEvent else { return }
    entry.topSize = view.bids[0].quantity.lots &+ view.asks[0].quantity.lots
    entry.spread = view.asks[0].price.nanos &- view.bids[0].price.nanos
    append(entry)
  }

  /// Moves the windows on by one event.
  @inlinable mutating func append(_ entry: Entry) {
    contributionSum &+= entry.contribution
    depthContributionSum &+= entry.depthContribution
    topSizeSum &+= entry.topSize
    spreadSum &+= entry.spread
    // Spreads are below 2^53, so a hundred squares fit.
    spreadSquareSum &+= Int128(entry.spread) &* Int128(entry.spread)
    if count >= 50 {
      let old = entries[Int(truncatingIfNeeded: (count &- 50) & 127)]
      contributionSum &-= old.contribution
      depthContributionSum &-= old.depthContribution
      topSizeSum &-= old.topSize
    }
    if count >= 100 {
      let old = entries[Int(truncatingIfNeeded: (count &- 100) & 127)].spread
      spreadSum &-= old
      spreadSquareSum &-= Int128(old) &* Int128(old)
    }
    entries[Int(truncatingIfNeeded: count & 127)] = entry
    count &+= 1
  }

  /// The order-flow contribution of a level: what came to the bid and left the ask, less what left the bid and came to the ask.
  ///
  /// A level that does not exist has size 0 and, on the ask side, an infinite price.
  /// - Source: Cont, Kukanov and Stoikov 2014, equation 2; by level Xu, Gould and Howison 2018.
  @inlinable func contribution(of level: Int, in depth: borrowing DepthView) -> Int64 {
    let bid = depth.bids[level]
    let oldBid = view.bids[level]
    let ask = depth.asks[level]
    let oldAsk = view.asks[level]
    let askPrice = ask.quantity.lots == 0 ? Int64.max : ask.price.nanos
    let oldAskPrice = oldAsk.quantity.lots == 0 ? Int64.max : oldAsk.price.nanos
    let bidCame = bid.price >= oldBid.price ? bid.quantity.lots : 0
    let bidLeft = bid.price <= oldBid.price ? oldBid.quantity.lots : 0
    let askCame = askPrice <= oldAskPrice ? ask.quantity.lots : 0
    let askLeft = askPrice >= oldAskPrice ? oldAsk.quantity.lots : 0
    return bidCame &- bidLeft &- askCame &+ askLeft
  }
}
