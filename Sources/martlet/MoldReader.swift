import Foundation
import LockFreeRings
import MarketIngest
import OrderBooks
import TradingTypes

/// ITCH 5.0 in MoldUDP64 packets of a capture: one session, from any number of lines, in order.
///
/// Nobody answers a request from a file: a range that does not come within its patience of capture time is a gap, the books go on behind it and
/// count as stale. A new session empties the books.
final class MoldReader: FeedReader {
  private let bytes: [UInt8]
  private let path: String
  private var decoder: ItchDecoder

  let decimals = 4
  let increments = (feed: Price(nanos: 100_000), tick: Price(nanos: 10_000_000))
  private let instruments: Int
  private var messages: UInt64 = 0
  private var gaps: UInt64 = 0
  private var eventTime = Timestamp(nanoseconds: 0)

  init(_ bytes: [UInt8], path: String, midnight: Timestamp) {
    self.bytes = bytes
    self.path = path
    instruments = min(max(bytes.count / 38, 16), 16_384)
    let arena = Arena(capacityBytes: InstrumentMap.byteCount(capacity: instruments) + (1 << 20))
    decoder = ItchDecoder(
      midnight: midnight, venue: VenueID(index: 0), map: InstrumentMap(discovering: instruments, in: arena), in: arena)
  }

  var capacity: BookCapacity {
    get throws { try BookCapacity(instruments: instruments, orders: min(max(bytes.count / 38, 1_024), 1 << 22)) }
  }
  var instrumentCount: Int { decoder.map.count }
  func symbol(of id: InstrumentID) -> String? { decoder.map.symbol(of: id)?.description }

  func read(_ options: FeedOptions, _ body: (MarketEvent) throws -> Void) throws -> FeedReport {
    // A local, because what is read from it may not outlive it.
    let bytes = bytes
    let configuration = try LineConfiguration(tryCountMax: 1)
    var arbiter = LineArbiter(
      configuration, start: .anywhere, in: Arena(capacityBytes: configuration.arenaBytes + (1 << 20)))
    var capture = CaptureFile(bytes.rawBytes)
    var time = Timestamp(nanoseconds: 0)
    while let packet = capture.next() {
      time = packet.time
      // Copies of a packet come from another group or port; which one it is does not matter to their order.
      if let mold = arbiter.packet(in: packet.payload, line: 0) {
        let answer = arbiter.open(mold.header, line: 0, at: time)
        if answer == .newSession { try clearBooks(body) }
        if answer != .refused { try deliver(mold, &arbiter, body) }
      }
      try settle(&arbiter, at: time, body)
    }
    // What is still missing at the end has all the time there is.
    for _ in 0..<64 {
      time = time + .seconds(10)
      try settle(&arbiter, at: time, body)
    }
    var truncated = 0
    switch capture.ending {
    case .truncated(let offset, let count):
      truncated = count
      try options.judgeTruncation(at: offset, byteCount: count, messages: messages)
    case .damaged(let offset):
      throw ToolFailure.badInput("\(path): offset \(offset): a packet of a pcap or pcapng capture expected")
    case .unread, .end: break
    }
    let line = arbiter.counters(line: 0)
    // Another feed's capture, or one of a kind of network that is not read, would look like a day without messages.
    guard line.packets > line.badFrames || capture.counters.packets == 0 else {
      throw ToolFailure.badInput("\(path): MoldUDP64 packets expected, none among \(capture.counters.packets) captured")
    }
    var report = FeedReport(
      messages: messages, byType: byType(decoder.counters),
      refused: decoder.counters.refusalCount + line.badFrames + line.implausible + line.oldSession)
    report.gaps = gaps
    report.duplicates = line.duplicates
    report.truncatedBytes = truncated
    return report
  }

  private func deliver(
    _ packet: MoldPacket, _ arbiter: inout LineArbiter, _ body: (MarketEvent) throws -> Void
  ) throws {
    var packet = packet
    var sequence = packet.nextSequence
    while let message = packet.next() {
      if arbiter.accept(message, sequence: sequence, line: 0) == .deliver { try decode(message, body) }
      sequence = packet.nextSequence
    }
    try deliverHeld(&arbiter, body)
  }

  private func deliverHeld(_ arbiter: inout LineArbiter, _ body: (MarketEvent) throws -> Void) throws {
    while arbiter.nextHeld() != nil { try decode(arbiter.heldMessage, body) }
  }

  private func decode(_ message: ByteView, _ body: (MarketEvent) throws -> Void) throws {
    messages += 1
    if let event = decoder.decode(message, sequence: messages).event {
      eventTime = event.time
      try body(event)
    }
  }

  /// Empties the books ahead of the first message of a new session.
  private func clearBooks(_ body: (MarketEvent) throws -> Void) throws {
    for index in 0..<UInt32(decoder.map.count) {
      let id = InstrumentID(index: index)
      try body(MarketEvent(kind: .clearBook, sequence: messages + 1, time: eventTime, instrument: id))
    }
  }

  /// Counts the ranges that are lost and goes on behind them.
  private func settle(
    _ arbiter: inout LineArbiter, at time: Timestamp, _ body: (MarketEvent) throws -> Void
  ) throws {
    while let action = arbiter.nextAction(at: time) {
      if case .lost = action { gaps += 1 }
    }
    var next: UInt64
    repeat {
      next = arbiter.nextSequence
      arbiter.skipLost()
      try deliverHeld(&arbiter, body)
    } while arbiter.nextSequence != next
  }
}

/// A LOBSTER message file: one stock, which only the file's name tells.
final class LobsterReader: FeedReader {
  private let bytes: [UInt8]
  private let midnight: Timestamp
  private let name: String

  let decimals = 4
  let increments = (feed: Price(nanos: 100_000), tick: Price(nanos: 10_000_000))
  let instrumentCount = 1

  init(_ bytes: [UInt8], path: String, midnight: Timestamp) {
    self.bytes = bytes
    self.midnight = midnight
    let first = URL(fileURLWithPath: path).lastPathComponent.split(separator: "_").first.map(String.init) ?? ""
    name = path == "-" || first.contains(".") || Symbol(first) == nil ? "LOBSTER" : first
  }

  var capacity: BookCapacity {
    get throws { try BookCapacity(instruments: 1, orders: min(max(bytes.count / 24, 1_024), 1 << 22)) }
  }
  func symbol(of id: InstrumentID) -> String? { id.index == 0 ? name : nil }

  func read(_ options: FeedOptions, _ body: (MarketEvent) throws -> Void) throws -> FeedReport {
    // A local, because what is read from it may not outlive it.
    let bytes = bytes
    var feed = LobsterFeed(bytes.rawBytes, midnight: midnight, instrument: InstrumentID(index: 0))
    var last: UInt64 = 0
    while let event = feed.next() {
      last = event.sequence
      try body(event)
    }
    let counters = feed.counters
    var report = FeedReport(messages: counters.messages, refused: counters.refusalCount)
    // A last line without its end that means nothing was cut; one that is whole lacks only the line feed.
    if case .openLine(let offset, let count) = feed.ending, last < counters.messages {
      report.truncatedBytes = count
      try options.judgeTruncation(at: offset, byteCount: count, messages: counters.messages - 1)
    }
    for type in 0..<256 where counters.byType[type] > 0 {
      report.byType.append((String(Character(Unicode.Scalar(UInt8(type)))), counters.byType[type]))
    }
    return report
  }
}
