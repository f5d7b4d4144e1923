import ArgumentParser
import Foundation
import LockFreeRings
import MarketIngest
import SignalFeatures
import TradingEngine
import TradingTypes

/// `martlet features`: the feature vector after each message of a symbol.
struct FeaturesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "features",
    abstract: "Compute the feature slots of a symbol, message by message, or of bars.",
    discussion: """
      Prints a CSV row after each message that changes the symbol's book or is a
      trade: timestamp_ns, the slots in catalogue order (bar slots over one
      minute), further timeframes as name@1s, and valid_mask (24 hexadecimal
      digits). A timeframe is a span that divides a day (1s, 5m, 1h, 1d),
      volume:LOTS or dollar:UNITS of the currency; at most four.

      With --bars the input is a CSV of daily or other bars and the rows are the
      bar slots; --every, --output and --plot go with it, the others do not.

      With --plot the slots named by --slots are drawn over time, the rows
      printed only where --output says so.

      Example:
        martlet features --feed itch50 --input day.itch50 --symbol GOOG --bar 1s
        martlet features --feed itch50 --input day.itch50 --symbol GOOG \\
          --bar 1s --plot goog.svg --slots mid,nma9@1s
        martlet features --bars daily.csv --plot daily.svg
      """)

  @Option(help: "Format of the input: itch50.")
  var feed: Feed?

  @Option(help: ArgumentHelp("File to read; - is standard input; gzip and zstd are decompressed.", valueName: "file"))
  var input: String?

  @Option(help: "Symbol to follow.")
  var symbol: String?

  @Option(help: ArgumentHelp("Timeframes beside one minute, like 1s,5m,1h,1d,volume:1000.", valueName: "spans"))
  var bar: String?

  @Option(help: ArgumentHelp("Context values: CSV of timestamp_ns,name,symbol,value.", valueName: "file"))
  var context: String?

  @Option(help: ArgumentHelp("Print every K-th row.", valueName: "K"))
  var every = 1

  @Option(help: ArgumentHelp("Bars instead of a feed: CSV of date,open,high,low,close,volume.", valueName: "file"))
  var bars: String?

  @Option(help: ArgumentHelp("Day of the feed; without it times count from midnight.", valueName: "YYYY-MM-DD"))
  var date: String?

  @Option(help: ArgumentHelp("File to write instead of standard output.", valueName: "file"))
  var output: String?

  @Flag(help: "Overwrite an existing output file.")
  var force = false

  @OptionGroup var plotting: FeaturePlotOptions

  func validate() throws {
    try plotting.check(output: output)
    guard every >= 1 else { throw ValidationError("--every: 1 or more expected, \(every) found") }
    if bars != nil {
      guard feed == nil, input == nil else { throw ValidationError("--bars stands in place of --feed and --input") }
      let others = [("--symbol", symbol), ("--bar", bar), ("--context", context), ("--date", date)]
      for (name, value) in others where value != nil { throw ValidationError("\(name): not with --bars") }
    } else {
      guard let feed, input != nil, symbol != nil else {
        throw ValidationError("--feed, --input and --symbol are needed (or --bars)")
      }
      guard feed == .itch50 else { throw ValidationError("--feed: itch50 expected, \(feed.rawValue) found") }
    }
  }

  func run() throws {
    let text = plotting.path == nil || output != nil ? try OutputText(output, force: force) : nil
    if let bars {
      try BarFile(path: bars).printFeatures(into: text, plotting, every: every, force: force)
    } else {
      try printFeed(into: text)
    }
    try text?.finish()
  }

  private func printFeed(into text: OutputText?) throws {
    guard let input, let symbol else { return }
    let further = try timeframes()
    // Before the long run: names that are none, and a file that is there already.
    let plot = try plotting.open(
      standard: [.mid, .spread, .queueImbalance, .ofiNorm, .tradeImbalance20, .nma20],
      computed: { _ in true }, frames: further.map(\.name),
      title: "\(symbol) · \(URL(fileURLWithPath: input).lastPathComponent)",
      axisTitle: date.map { "time of day, \($0)" } ?? "time of day", force: force)
    let bytes = try InputBytes.read(input)
    let midnight = try feedMidnight(date)
    var configuration = EngineConfiguration()
    configuration.instruments = [symbol]
    configuration.bars.further = further
    let scan: FeedScan
    do { scan = try FeedScan(bytes.rawBytes, configuration: configuration) } catch {
      throw ToolFailure.badInput("\(input): \(error)")
    }
    try judge(scan.ending, of: input, messages: scan.messageCount, strict: false)
    let events = try context.map { try ContextFile.read($0, symbol: symbol) } ?? []

    let run = try FeatureRun(configuration, scan.directory, midnight)
    let slots = FeatureSlot.allCases
    let barSlots = slots.filter(\.isBarFeature)
    text?.write("timestamp_ns")
    for slot in slots { text?.write(",\(slot.name)") }
    for rule in further { for slot in barSlots { text?.write(",\(slot.name)@\(rule.name)") } }
    text?.write(",valid_mask\n")

    var decoder = run.makeDecoder(midnight)
    var frames = ItchFrames(bytes.rawBytes)
    var sequence: UInt64 = 0
    var rows = 0
    var nextContext = 0
    while let message = frames.next() {
      sequence += 1
      guard let event = decoder.decode(message, sequence: sequence).event else { continue }
      while nextContext < events.count, events[nextContext].time <= event.time {
        run.pipeline.context(events[nextContext])
        nextContext += 1
      }
      let effect = run.pipeline.ingest(event)
      guard event.instrument.index == 0, effect.status.changedBook || event.kind == .trade || event.kind == .crossTrade
      else { continue }
      rows += 1
      guard rows % every == 0 else { continue }
      run.evaluate(at: event.time)
      plot?.add(at: event.time) { column in
        guard let frame = column.frame, let place = further.firstIndex(where: { $0.name == frame }) else {
          return PlotValue(run.vector, column.slot)
        }
        return PlotValue(run.blocks[place], column.slot)
      }
      guard let text else { continue }
      text.write(event.time.nanoseconds)
      for slot in slots { write(run.vector[slot], if: run.seen[0][slot], into: text) }
      for place in further.indices {
        for slot in barSlots { write(run.blocks[place][slot], if: run.seen[place + 1][slot], into: text) }
      }
      text.write(byte: UInt8(ascii: ","))
      text.write(run.vector.valid.hex)
      text.write(byte: UInt8(ascii: "\n"))
    }
    try plot?.finish()
  }

  /// The timeframes of `--bar`. One minute is the primary one, whose columns have plain names and are always there.
  private func timeframes() throws -> [BarRule] {
    var rules: [BarRule] = []
    for name in (bar ?? "").split(separator: ",") {
      guard let rule = BarRule(name) else {
        throw ToolFailure.badInput(
          "--bar \(name): a span that divides a day, like 1s, 5m, 1h or 1d, or volume:1000, or dollar:5000000 expected")
      }
      guard !rules.contains(rule) else {
        throw ToolFailure.badInput("--bar \(name): the same timeframe stands twice")
      }
      rules.append(rule)
    }
    rules.removeAll { $0 == .time(.seconds(60)) }
    guard rules.count <= 4 else {
      throw ToolFailure.badInput("--bar: at most 4 timeframes beside 1m expected, \(rules.count) found")
    }
    return rules
  }

  /// A slot that was never computed is an empty field.
  private func write(_ value: Double, if isSeen: Bool, into text: OutputText) {
    text.write(byte: UInt8(ascii: ","))
    if isSeen { text.write(value) }
  }
}
