import FixtureStreams
import LockFreeRings
import MarketIngest
import OrderBooks
import TradingTypes

/// The proof that the league stream is the one that other engines are given, and that the book it leaves is theirs.
enum LeagueProof {
  /// What is to come out: the figures that all engines measured on this stream agree on.
  static let expected = [
    "sha256": "575e9de1a61480c0ff4fc133d01e3c773eb1f7f6edd0011175b10860c149dcdf",
    "adds, modifies, deletes": "447822, 105318, 446860",
    "least and greatest price": "998490000000, 1000880000000",
    "best bid": "998780000000 x 1349, 23 orders, first 4, 12 levels",
    "best ask": "998800000000 x 16, 2 orders, 25 levels",
    "live orders": "962",
    "best changes": "217076",
    "messages with two sides": "999994",
    "crossed": "0",
  ]

  /// The differences between what comes out and what is expected.
  static func differences() throws -> [String] {
    let found = try figures()
    return expected.keys.sorted().compactMap { name in
      found[name] == expected[name] ? nil : "\(name): \(found[name] ?? "nothing"), expected \(expected[name]!)"
    }
  }

  private static func figures() throws -> [String: String] {
    let bytes = LeagueStream.packed()
    var hash = SHA256()
    hash.combine(bytes)
    let id = InstrumentID(index: 0)
    let capacity = try BookCapacity(instruments: 1, orders: 4_096)
    var books = try OrderBookSet(
      capacity: capacity, feedIncrement: Price(nanos: 10_000_000), tick: Price(nanos: 10_000_000),
      in: Arena(capacityBytes: capacity.arenaBytes + (1 << 20)))
    var feed = LeagueFeed(bytes.rawBytes, instrument: id)
    var prices = (least: Int64.max, greatest: Int64.min)
    var (changes, twoSided, crossed) = (0, 0, 0)
    while let event = feed.next() {
      let effect = books.apply(event)
      prices = (min(prices.least, event.price.nanos), max(prices.greatest, event.price.nanos))
      // The first message has nothing before it to differ from.
      if effect.bestChanged, event.sequence > 1 { changes += 1 }
      if books[depth: id].isTwoSided { twoSided += 1 }
      if books[depth: id].isCrossed { crossed += 1 }
    }
    guard let bid = books.bestLevel(of: id, side: .buy), let ask = books.bestLevel(of: id, side: .sell) else {
      return [:]
    }
    let counts = feed.counters.byType
    let first = books.firstOrder(of: bid)?.quantity.lots ?? 0
    return [
      "sha256": hash.hex, "adds, modifies, deletes": "\(counts[0]), \(counts[1]), \(counts[2])",
      "least and greatest price": "\(prices.least), \(prices.greatest)",
      "best bid": "\(bid.price.nanos) x \(bid.quantity.lots), \(bid.orderCount) orders, first \(first), "
        + "\(books.levelCount(of: id, side: .buy)) levels",
      "best ask": "\(ask.price.nanos) x \(ask.quantity.lots), \(ask.orderCount) orders, "
        + "\(books.levelCount(of: id, side: .sell)) levels",
      "live orders": "\(books.liveOrderCount)",
      "best changes": "\(changes)", "messages with two sides": "\(twoSided)", "crossed": "\(crossed)",
    ]
  }
}
