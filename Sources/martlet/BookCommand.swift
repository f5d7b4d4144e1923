import ArgumentParser
import FixtureStreams
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

  @Option(help: ArgumentHelp("Seed of the league stream, generated in place of --input.", valueName: "S"))
  var seed: UInt64?

  @Option(help: ArgumentHelp("Messages of the generated league stream.", valueName: "N"))
  var messages: UInt64?

  func validate() throws {
    if seed != nil || messages != nil {
      guard feed.namedFeed == .league, feed.namedInput == nil else {
        throw ValidationError("--seed and --messages: with --feed league and without --input")
      }
      guard messages ?? 1 <= 1 << 28 else { throw ValidationError("--messages: at most \(1 << 28) expected") }
    } else {
      try feed.demandInput()
    }
    guard (1...1_000).contains(levels) else { throw ValidationError("--levels: 1 to 1000 expected, \(levels) found") }
    guard every >= 1 else { throw ValidationError("--every: 1 or more expected, \(every) found") }
  }

  func run() throws {
    let bytes: [UInt8]
    if feed.namedInput == nil {
      bytes = LeagueStream.packed(seed: seed ?? 42, messages: messages ?? 1_000_000)
    } else {
      bytes = try InputBytes.read(feed.input)
    }
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
    // The last touching message of a symbol is always printed, so for K > 1 a first pass finds it.
    var last: [UInt64] = []
    if every > 1 || symbol != nil {
      let reader = try feed.reader(of: bytes)
      var books = try reader.makeBooks(depth: .best)
      // The ending is judged on the second pass.
      var unjudged = feed
      unjudged.isUnjudged = true
      _ = try reader.read(unjudged) { event in
        guard books.apply(event).status.changedBook else { return }
        let index = Int(event.instrument.index)
        while last.count <= index { last.append(0) }
        last[index] = event.sequence
      }
      if let symbol { _ = try reader.instrument(symbol, in: feed.input) }
    }
    writeHeader(into: output)
    var rows = BookRows(wanted: symbol, levels: levels, every: every, onlyChanges: onlyChanges, last: last)
    let reader = try feed.reader(of: bytes)
    var books = try reader.makeBooks(depth: .best)
    var touched: MarketEvent?
    _ = try reader.read(feed) { event in
      // One message may change several levels: its row comes when it is over.
      if let done = touched, done.sequence != event.sequence || done.instrument != event.instrument {
        rows.write(done, books, reader, into: output)
        touched = nil
      }
      if books.apply(event).status.changedBook { touched = event }
    }
    if let touched { rows.write(touched, books, reader, into: output) }
  }

  private func writeHeader(into output: OutputText) {
    output.write("message,timestamp_ns,symbol")
    for level in 1...levels {
      for side in ["bid", "ask"] { for part in ["px", "sz", "ct"] { output.write(",\(side)_\(part)_\(level)") } }
    }
    output.write("\n")
  }
}

/// The rows of the books, one after each message that touched one.
private struct BookRows {
  let wanted: String?
  let levels: Int
  let every: Int
  let onlyChanges: Bool
  /// The last touching message of each instrument, where it matters.
  let last: [UInt64]
  private var touches: [Int] = []
  private var printed: [[Int64]] = []
  private var symbols: [String?] = []
  private var row: [Int64] = []

  init(wanted: String?, levels: Int, every: Int, onlyChanges: Bool, last: [UInt64]) {
    self.wanted = wanted
    self.levels = levels
    self.every = every
    self.onlyChanges = onlyChanges
    self.last = last
  }

  /// Writes the row after `event`, where one is due.
  mutating func write(
    _ event: MarketEvent, _ books: borrowing OrderBookSet, _ reader: any FeedReader, into output: OutputText
  ) {
    let index = Int(event.instrument.index)
    while touches.count <= index {
      touches.append(0)
      printed.append([])
      symbols.append(nil)
    }
    if touches[index] == 0 {
      let name = reader.symbol(of: event.instrument)
      symbols[index] = wanted == nil || name == wanted ? name : nil
    }
    touches[index] += 1
    guard let name = symbols[index] else { return }
    guard touches[index] % every == 0 || (every > 1 && last[index] == event.sequence) else { return }
    collect(books, event.instrument, into: &row)
    if onlyChanges {
      guard row != printed[index] else { return }
      printed[index] = row
    }
    output.write(Int64(event.sequence))
    output.write(byte: UInt8(ascii: ","))
    output.write(event.time.nanoseconds)
    output.write(byte: UInt8(ascii: ","))
    output.write(field: name)
    writeLevels(row, decimals: reader.decimals, into: output)
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

  private func writeLevels(_ row: [Int64], decimals: Int, into output: OutputText) {
    for (place, value) in row.enumerated() {
      output.write(byte: UInt8(ascii: ","))
      guard value >= 0 else { continue }
      if place % 3 == 0 { output.write(nanos: value, places: decimals) } else { output.write(value) }
    }
    output.write(byte: UInt8(ascii: "\n"))
  }
}
