import Foundation
import LockFreeRings
import MarketIngest
import OrderBooks
import TradingTypes

/// What a reader found in the whole of its input.
struct FeedReport {
  /// Messages, refused ones too.
  var messages: UInt64 = 0
  /// Messages that were understood, by the feed's name of their type, in a fixed order.
  var byType: [(name: String, count: UInt64)] = []
  /// Messages that were no message of the feed, or not a possible one.
  var refused: UInt64 = 0
  /// Ranges of messages that never came, and copies of messages that came before.
  var gaps: UInt64 = 0
  var duplicates: UInt64 = 0
  /// Bytes of an incomplete message at the end.
  var truncatedBytes = 0
}

/// An input of any feed, as the commands read it: events in order, one pass a reader.
protocol FeedReader: AnyObject {
  /// Decimals that the feed's prices have.
  var decimals: Int { get }
  /// Room for what the input can name.
  var capacity: BookCapacity { get throws }
  /// The finest and the usual price step.
  var increments: (feed: Price, tick: Price) { get }
  /// Instruments named so far.
  var instrumentCount: Int { get }
  /// The name of an instrument, or nil.
  func symbol(of id: InstrumentID) -> String?
  /// Calls `body` with each event; `options` judge how the input ends.
  func read(_ options: FeedOptions, _ body: (MarketEvent) throws -> Void) throws -> FeedReport
}

extension FeedReader {
  /// Empty books with room for what the input can name.
  func makeBooks(depth: BookDepth) throws -> OrderBookSet {
    let wanted = try capacity
    let capacity = try BookCapacity(
      instruments: wanted.instruments, orders: wanted.orders, levels: wanted.levels, depth: depth)
    return try OrderBookSet(
      capacity: capacity, feedIncrement: increments.feed, tick: increments.tick,
      in: Arena(capacityBytes: capacity.arenaBytes + (1 << 20)))
  }

  /// The instrument called `name`, once the input was read.
  func instrument(_ name: String, in path: String) throws -> InstrumentID {
    guard Symbol(name) != nil else {
      throw ToolFailure.badInput("--symbol \(name): 1 to 16 printable characters expected")
    }
    for index in 0..<instrumentCount where symbol(of: InstrumentID(index: UInt32(index))) == name {
      return InstrumentID(index: UInt32(index))
    }
    throw ToolFailure.badInput("\(path): symbol \(name) does not occur in it")
  }
}

extension FeedOptions {
  /// A reader of `bytes` in the format that the options name.
  func reader(of bytes: [UInt8]) throws -> any FeedReader {
    switch feed {
    case .itch50: ItchReader(bytes, midnight: try midnight())
    case .league: LeagueReader(bytes)
    case .dbn: try DbnReader(bytes, path: input)
    case .moldudp64: MoldReader(bytes, path: input, midnight: try midnight())
    case .lobster: LobsterReader(bytes, path: input, midnight: try midnight())
    }
  }
}

/// NASDAQ TotalView-ITCH 5.0 in a file, each message behind its length.
final class ItchReader: FeedReader {
  private let bytes: [UInt8]
  private var decoder: ItchDecoder

  let decimals = 4
  let increments = (feed: Price(nanos: 100_000), tick: Price(nanos: 10_000_000))
  private let instruments: Int

  init(_ bytes: [UInt8], midnight: Timestamp) {
    self.bytes = bytes
    // An add is at least 38 bytes with its length.
    instruments = min(max(bytes.count / 38, 16), 16_384)
    let arena = Arena(capacityBytes: InstrumentMap.byteCount(capacity: instruments) + (1 << 20))
    decoder = ItchDecoder(
      midnight: midnight, venue: VenueID(index: 0),
      map: InstrumentMap(discovering: instruments, in: arena), in: arena)
  }

  // 4 Mi orders at once are beyond any real day.
  var capacity: BookCapacity {
    get throws { try BookCapacity(instruments: instruments, orders: min(max(bytes.count / 38, 1_024), 1 << 22)) }
  }
  var instrumentCount: Int { decoder.map.count }
  func symbol(of id: InstrumentID) -> String? { decoder.map.symbol(of: id)?.description }

  func read(_ options: FeedOptions, _ body: (MarketEvent) throws -> Void) throws -> FeedReport {
    // A local, because what is read from it may not outlive it.
    let bytes = bytes
    var frames = ItchFrames(bytes.rawBytes)
    var sequence: UInt64 = 0
    while let message = frames.next() {
      sequence += 1
      if let event = decoder.decode(message, sequence: sequence).event { try body(event) }
    }
    try options.judge(frames.ending, messages: sequence)
    var report = FeedReport(messages: sequence, refused: decoder.counters.refusalCount)
    report.byType = byType(decoder.counters)
    if case .truncated(_, let count) = frames.ending { report.truncatedBytes = count }
    return report
  }
}

/// Events of an ITCH decoder by type letter.
func byType(_ counters: borrowing ItchCounters) -> [(name: String, count: UInt64)] {
  var types: [(name: String, count: UInt64)] = []
  for type in 0..<256 where counters.byType[type] > 0 {
    types.append((String(Character(Unicode.Scalar(UInt8(type)))), counters.byType[type]))
  }
  return types
}

/// The league stream: packed records from a file, or generated.
final class LeagueReader: FeedReader {
  private let bytes: [UInt8]

  let decimals = 2
  let increments = (feed: Price(nanos: 10_000_000), tick: Price(nanos: 10_000_000))
  let instrumentCount = 1

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var capacity: BookCapacity {
    get throws {
      try BookCapacity(instruments: 1, orders: min(max(bytes.count / LeagueFeed.recordBytes, 1_024), 1 << 22))
    }
  }
  func symbol(of id: InstrumentID) -> String? { id.index == 0 ? "LEAGUE" : nil }

  func read(_ options: FeedOptions, _ body: (MarketEvent) throws -> Void) throws -> FeedReport {
    // As above.
    let bytes = bytes
    var feed = LeagueFeed(bytes.rawBytes, instrument: InstrumentID(index: 0))
    while let event = feed.next() { try body(event) }
    let counters = feed.counters
    if feed.truncatedBytes > 0 {
      let offset = bytes.count - feed.truncatedBytes
      try options.judgeTruncation(at: offset, byteCount: feed.truncatedBytes, messages: counters.messages)
    }
    let names = ["add", "modify", "delete"]
    return FeedReport(
      messages: counters.messages,
      byType: names.indices.compactMap { counters.byType[$0] == 0 ? nil : (names[$0], counters.byType[$0]) },
      refused: counters.refusalCount, truncatedBytes: feed.truncatedBytes)
  }
}
