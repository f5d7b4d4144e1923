import Foundation
import TradingTypes

/// The slow twin of the exchange decoder and its books: Foundation's JSON, dictionaries of exact decimals.
struct ExchangeTwin {
  struct Book {
    var sides: [[Int128: Int128]] = [[:], [:]]
    var lastUpdate = 0

    func levels(_ side: Side) -> [String] {
      let sorted = sides[Int(side.rawValue)].sorted { side == .buy ? $0.key > $1.key : $0.key < $1.key }
      return sorted.map { "\($0.key) \($0.value)" }
    }

    mutating func set(_ side: Side, _ price: Any?, _ quantity: Any?) {
      let place = Int(side.rawValue)
      guard let price = (price as? String).flatMap({ parseDecimal($0, places: 9) }),
        let lots = (quantity as? String).flatMap({ parseDecimal($0, places: 8) })
      else { return }
      // Above what `Price` holds: left out.
      guard Int64(exactly: price) != nil else { return }
      sides[place][price] = lots == 0 ? nil : lots
    }

    mutating func set(_ side: Side, levels: Any?) {
      for level in levels as? [[Any]] ?? [] { set(side, level[0], level[1]) }
    }

    /// Keeps the `depth` best levels a side: what Kraken's subscription shows.
    mutating func cut(to depth: Int) {
      for side in Side.allCases where sides[Int(side.rawValue)].count > depth {
        let sorted = sides[Int(side.rawValue)].keys.sorted { side == .buy ? $0 > $1 : $0 < $1 }
        for price in sorted[depth...] { sides[Int(side.rawValue)][price] = nil }
      }
    }
  }

  var books: [String: Book] = [:]
  /// Trades: pair, resting side, price, quantity.
  var trades: [String] = []

  static func object(_ text: String) -> Any? {
    try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
  }

  mutating func line(_ line: String, exchange: String) {
    guard let object = Self.object(line) as? [String: Any], let data = object["data"] as? String else { return }
    if object["t"] as? String == "http", exchange == "BINANCE", let url = object["url"] as? String,
      let pair = URLComponents(string: url)?.queryItems?.first(where: { $0.name == "symbol" })?.value,
      url.contains("/depth?"), let snapshot = Self.object(data) as? [String: Any]
    {
      var book = Book()
      book.set(.buy, levels: snapshot["bids"])
      book.set(.sell, levels: snapshot["asks"])
      book.lastUpdate = snapshot["lastUpdateId"] as? Int ?? 0
      books[pair] = book
    }
    guard object["t"] as? String == "recv", let message = Self.object(data) else { return }
    switch exchange {
    case "COINBASE": coinbase(message)
    case "KRAKEN": kraken(message)
    default: binance(message)
    }
  }

  mutating func trade(_ pair: String, _ side: Side, _ price: Any?, _ quantity: Any?) {
    guard let price = (price as? String).flatMap({ parseDecimal($0, places: 9) }),
      let lots = (quantity as? String).flatMap({ parseDecimal($0, places: 8) })
    else { return }
    trades.append("\(pair) \(side) \(price) \(lots)")
  }

  mutating func coinbase(_ message: Any) {
    guard let message = message as? [String: Any], let events = message["events"] as? [[String: Any]] else { return }
    for event in events {
      if message["channel"] as? String == "l2_data", let pair = event["product_id"] as? String {
        var book = event["type"] as? String == "snapshot" ? Book() : books[pair] ?? Book()
        for level in event["updates"] as? [[String: Any]] ?? [] {
          book.set(level["side"] as? String == "bid" ? .buy : .sell, level["price_level"], level["new_quantity"])
        }
        books[pair] = book
      }
      if message["channel"] as? String == "market_trades" {
        for row in event["trades"] as? [[String: Any]] ?? [] {
          let side: Side = row["side"] as? String == "BUY" ? .buy : .sell
          trade(row["product_id"] as? String ?? "", side, row["price"], row["size"])
        }
      }
    }
  }

  mutating func kraken(_ message: Any) {
    guard let parts = message as? [Any], let pair = parts.last as? String, let name = parts[parts.count - 2] as? String
    else { return }
    for part in parts {
      if name == "trade", let rows = part as? [[Any]] {
        for row in rows { trade(pair, row[3] as? String == "b" ? .sell : .buy, row[0], row[1]) }
      }
      guard name.hasPrefix("book"), let part = part as? [String: Any] else { continue }
      if part["as"] != nil { books[pair] = Book() }
      books[pair]?.set(.sell, levels: part["as"] ?? part["a"])
      books[pair]?.set(.buy, levels: part["bs"] ?? part["b"])
    }
    books[pair]?.cut(to: 1_000)
  }

  mutating func binance(_ message: Any) {
    guard let message = message as? [String: Any], let data = message["data"] as? [String: Any],
      let pair = data["s"] as? String
    else { return }
    if data["e"] as? String == "aggTrade" {
      trade(pair, data["m"] as? Bool == true ? .buy : .sell, data["p"], data["q"])
    }
    guard data["e"] as? String == "depthUpdate", let first = data["U"] as? Int, let last = data["u"] as? Int,
      let book = books[pair], last > book.lastUpdate, first <= book.lastUpdate + 1
    else { return }
    books[pair]?.set(.buy, levels: data["b"])
    books[pair]?.set(.sell, levels: data["a"])
    books[pair]?.lastUpdate = last
  }
}
