import LockFreeRings
import MarketIngest
import OrderBooks
import TradingTypes

/// Databento DBN, versions 1 to 3: orders, levels or trades.
final class DbnReader: FeedReader {
  private let bytes: [UInt8]
  private let path: String
  private let instruments: Int
  private var names: [String] = []

  let decimals = 9
  let increments = (feed: Price(nanos: 1), tick: Price(nanos: 10_000_000))

  init(_ bytes: [UInt8], path: String) throws {
    self.bytes = bytes
    self.path = path
    // A record has at least 48 bytes.
    instruments = min(max(bytes.count / 48, 16), 4_096)
  }

  var capacity: BookCapacity {
    get throws {
      let orders = min(max(bytes.count / 56, 1_024), 1 << 22)
      // A future has some thousand levels a side; nothing says how many.
      return try BookCapacity(instruments: instruments, orders: orders, levels: orders)
    }
  }
  var instrumentCount: Int { names.count }
  func symbol(of id: InstrumentID) -> String? { Int(id.index) < names.count ? names[Int(id.index)] : nil }

  func read(_ options: FeedOptions, _ body: (MarketEvent) throws -> Void) throws -> FeedReport {
    // A local, because what is read from it may not outlive it.
    let bytes = bytes
    let arena = Arena(capacityBytes: DbnInstruments.byteCount(capacity: instruments) + instruments * 1_024 + (1 << 20))
    var feed: DbnFeed
    do throws(ConfigurationError) {
      feed = try DbnFeed(bytes.rawBytes, instruments: instruments, in: arena)
    } catch { throw ToolFailure.badInput("\(path): \(error)") }
    // Walked once: there may be as many mappings as an exchange has instruments.
    var symbols: [UInt32: Symbol?] = [:]
    feed.metadata.forEachSymbol(in: bytes.rawBytes) { number, symbol in
      if !symbols.keys.contains(number) { symbols[number] = .some(symbol) }
    }
    var actions: [String: UInt64] = [:]
    while let event = feed.next() {
      while names.count < feed.instruments.count {
        let id = InstrumentID(index: UInt32(names.count))
        // A file without names: the venue's own number stands for one.
        let number = feed.instruments.number(of: id)
        let symbol = number.flatMap { symbols[$0] ?? nil }
        names.append(symbol?.description ?? number.map { "#\($0)" } ?? "?")
      }
      actions[Self.action(of: event), default: 0] += 1
      try body(event)
    }
    let counters = feed.counters
    var report = FeedReport(messages: counters.messages, refused: counters.refusalCount)
    if feed.counters.byType[Self.orderRecord] == counters.messages - counters.refusalCount {
      // Orders alone: one event a record, so that events count their actions.
      report.byType = actions.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    } else {
      for type in 0..<256 where counters.byType[type] > 0 {
        report.byType.append((Self.names[UInt8(type)] ?? "rtype\(type)", counters.byType[type]))
      }
    }
    switch feed.ending {
    case .truncated(let offset, let count):
      report.truncatedBytes = count
      try options.judgeTruncation(at: offset, byteCount: count, messages: counters.messages)
    case .shortRecord(let offset, let count):
      throw ToolFailure.badInput(
        "\(path): offset \(offset), after record \(counters.messages): a record of at least 16 bytes expected, \(count) found"
      )
    case .unread, .end: break
    }
    return report
  }

  private static let orderRecord = 160
  private static let names: [UInt8: String] = [0: "trades", 1: "mbp-1", 10: "mbp-10", 160: "mbo"]

  /// The letter of the action that an order record's event came of.
  private static func action(of event: MarketEvent) -> String {
    switch event.kind {
    case .addOrder: "A"
    case .reduceOrder, .deleteOrder: "C"
    case .modifyOrder: "M"
    case .clearBook: "R"
    case .trade: "T"
    default: event.code == 0 ? "N" : String(Character(Unicode.Scalar(event.code)))
    }
  }
}
