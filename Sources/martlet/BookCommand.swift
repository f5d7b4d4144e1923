import ArgumentParser
import LockFreeRings
import MarketIngest
import OrderBooks
import TradingTypes

/// `martlet book`: the order book after each message.
struct BookCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "book",
    abstract: "Rebuild order books from a feed and print their levels, or a summary.",
    discussion: """
      Prints a CSV row after every K-th message that touches the symbol (changes its book) and after the last one:
      message, timestamp_ns, symbol, then price, size and order count of N bid and ask levels, best first.

      Example: martlet book --feed itch50 --input day.itch50 --symbol GOOG --levels 5 --only-changes
      """)

  @OptionGroup var feed: FeedOptions

  @Option(help: "Symbol to print; without it all symbols.")
  var symbol: String?

  @Option(help: ArgumentHelp("Levels a side, 1 to 1000.", valueName: "N"))
  var levels = 10

  @Option(help: ArgumentHelp("Print every K-th touching message of a symbol, and its last.", valueName: "K"))
  var every = 1

  @Flag(help: "Leave out rows whose levels equal the symbol's previous row.")
  var onlyChanges = false

  @Flag(help: "Print one JSON object about the whole input instead of rows.")
  var summary = false

  @Flag(help: "The input starts within a session: unknown orders do not make books stale.")
  var midSession = false

  func validate() throws {
    try feed.demandInput()
    guard (1...1_000).contains(levels) else { throw ValidationError("--levels: 1 to 1000 expected, \(levels) found") }
    guard every >= 1 else { throw ValidationError("--every: 1 or more expected, \(every) found") }
  }

  func run() throws {
    let bytes = try InputBytes.read(feed.input)
    let output = try OutputText(feed.output, force: feed.force)
    if summary {
      try BookSummary(midSession: midSession).run(bytes, feed: feed, only: symbol, into: output)
    } else {
      try printRows(bytes, into: output)
    }
    try output.finish()
  }

  // MARK: - Rows

  private func printRows(_ bytes: [UInt8], into output: OutputText) throws {
    let midnight = try feed.midnight()
    // The last touching message of a symbol is always printed, so for K > 1 a first pass finds it.
    var last: [UInt64] = []
    if every > 1 || symbol != nil {
      var first = try DiscoveredBooks(byteCount: bytes.count, midnight: midnight)
      try first.replay(bytes, feed: feed, isFinal: false) { event, effect, _ in
        guard effect.status.changedBook else { return }
        let index = Int(event.instrument.index)
        while last.count <= index { last.append(0) }
        last[index] = event.sequence
      }
      if let symbol { _ = try first.instrument(symbol, in: feed.input) }
    }
    writeHeader(into: output)
    let wanted = symbol.flatMap(Symbol.init)
    var touches: [Int] = []
    var printed: [[Int64]] = []
    var symbols: [String?] = []
    var row: [Int64] = []
    var books = try DiscoveredBooks(byteCount: bytes.count, midnight: midnight)
    try books.replay(bytes, feed: feed, isFinal: true) { event, effect, state in
      guard effect.status.changedBook else { return }
      let index = Int(event.instrument.index)
      while touches.count <= index {
        touches.append(0)
        printed.append([])
        symbols.append(nil)
      }
      if touches[index] == 0 {
        let name = state.decoder.map.symbol(of: event.instrument)
        symbols[index] = wanted == nil || name == wanted ? name?.description : nil
      }
      touches[index] += 1
      guard let name = symbols[index] else { return }
      guard touches[index] % every == 0 || (every > 1 && last[index] == event.sequence) else { return }
      collect(state.books, event.instrument, into: &row)
      if onlyChanges {
        guard row != printed[index] else { return }
        printed[index] = row
      }
      output.write(Int64(event.sequence))
      output.write(byte: UInt8(ascii: ","))
      output.write(event.time.nanoseconds)
      output.write(byte: UInt8(ascii: ","))
      output.write(field: name)
      writeLevels(row, into: output)
    }
  }

  private func writeHeader(into output: OutputText) {
    output.write("message,timestamp_ns,symbol")
    for level in 1...levels {
      for side in ["bid", "ask"] { for part in ["px", "sz", "ct"] { output.write(",\(side)_\(part)_\(level)") } }
    }
    output.write("\n")
  }

  /// Price, size and count of bid and ask, level by level; −1 where there is no level.
  private func collect(_ books: borrowing OrderBookSet, _ id: InstrumentID, into row: inout [Int64]) {
    row.removeAll(keepingCapacity: true)
    var bid = books.bestLevel(of: id, side: .buy)
    var ask = books.bestLevel(of: id, side: .sell)
    for _ in 0..<levels {
      append(bid, to: &row)
      append(ask, to: &row)
      if let level = bid { bid = books.level(after: level) }
      if let level = ask { ask = books.level(after: level) }
    }
  }

  private func append(_ level: BookLevel?, to row: inout [Int64]) {
    row.append(level?.price.nanos ?? -1)
    row.append(level?.quantity.lots ?? -1)
    row.append(level.map { Int64($0.orderCount) } ?? -1)
  }

  private func writeLevels(_ row: [Int64], into output: OutputText) {
    for (place, value) in row.enumerated() {
      output.write(byte: UInt8(ascii: ","))
      guard value >= 0 else { continue }
      if place % 3 == 0 { output.write(nanos: value, places: 4) } else { output.write(value) }
    }
    output.write(byte: UInt8(ascii: "\n"))
  }
}

extension DiscoveredBooks {
  /// Calls `body` with every event and what it did; the ending is judged on the final pass.
  mutating func replay(
    _ bytes: [UInt8], feed: FeedOptions, isFinal: Bool,
    _ body: (MarketEvent, BookEffect, borrowing DiscoveredBooks) throws -> Void
  ) throws {
    var frames = ItchFrames(bytes.rawBytes)
    var sequence: UInt64 = 0
    while let message = frames.next() {
      sequence += 1
      guard let event = decoder.decode(message, sequence: sequence).event else { continue }
      let effect = books.apply(event)
      try body(event, effect, self)
    }
    if isFinal { try feed.judge(frames.ending, messages: sequence) }
  }
}
