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
      Prints a CSV row after each message that changes the symbol's book or is a trade: timestamp_ns, the built slots in
      catalogue order (bar slots over one minute), further timeframes as name@1s, and valid_mask (24 hexadecimal digits). With --bars
      the input is a CSV of daily or other bars (date,open,high,low,close,volume) and the rows are the bar slots.

      With --plot the slots named by --slots are drawn over time, the rows printed only where --output says so.

      Example: martlet features --feed itch50 --input day.itch50 --symbol GOOG --bar 1s,5m --every 100
               martlet features --feed itch50 --input day.itch50 --symbol GOOG --bar 1s --plot goog.svg --slots mid,nma9@1s
      """)

  @Option(help: "Format of the input: itch50.")
  var feed: Feed?

  @Option(help: ArgumentHelp("File to read; - is standard input; gzip and zstd are decompressed.", valueName: "file"))
  var input: String?

  @Option(help: "Symbol to follow.")
  var symbol: String?

  @Option(help: ArgumentHelp("Timeframes beside one minute, like 1s,5m,1h,1d.", valueName: "spans"))
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
      try BarFile(path: bars).printFeatures(into: text, plotting, force: force)
    } else {
      try printFeed(into: text)
    }
    try text?.finish()
  }

  private func printFeed(into text: OutputText?) throws {
    guard let input, let symbol else { return }
    let spans = try (bar ?? "").split(separator: ",").map(Timeframe.init)
    for (index, span) in spans.enumerated() where spans[..<index].contains(where: { $0.seconds == span.seconds }) {
      throw ToolFailure.badInput("--bar \(span.name): the same timeframe stands twice")
    }
    // Before the long run: names that are none, and a file that is there already.
    let plot = try plotting.open(
      standard: [.mid, .spread, .queueImbalance, .ofiNorm, .tradeImbalance20, .nma20],
      computed: { FeatureEngine.isBuilt[$0] }, frames: spans.filter { $0.seconds != 60 }.map(\.name),
      title: "\(symbol) · \(URL(fileURLWithPath: input).lastPathComponent)",
      axisTitle: date.map { "time of day, \($0)" } ?? "time of day", force: force)
    let bytes = try InputBytes.read(input)
    let midnight = try feedMidnight(date)
    var configuration = EngineConfiguration()
    configuration.instruments = [symbol]
    let scan: FeedScan
    do { scan = try FeedScan(bytes.rawBytes, configuration: configuration) } catch {
      throw ToolFailure.badInput("\(input): \(error)")
    }
    try judge(scan.ending, of: input, messages: scan.messageCount, strict: false)
    let events = try context.map { try ContextFile.read($0, symbol: symbol) } ?? []

    let primary = try FeatureRun(configuration, scan.directory, midnight, spanSeconds: 60)
    var further: [(name: String, run: FeatureRun)] = []
    // One minute is the primary timeframe, whose columns have plain names and are always there.
    for span in spans where span.seconds != 60 {
      further.append((span.name, try FeatureRun(configuration, scan.directory, midnight, spanSeconds: span.seconds)))
    }

    let slots = FeatureSlot.allCases.filter { FeatureEngine.isBuilt[$0] }
    let barSlots = slots.filter(\.belongsToBars)
    text?.write("timestamp_ns")
    for slot in slots { text?.write(",\(slot.name)") }
    for frame in further { for slot in barSlots { text?.write(",\(slot.name)@\(frame.name)") } }
    text?.write(",valid_mask\n")

    var decoder = primary.makeDecoder(midnight)
    var frames = ItchFrames(bytes.rawBytes)
    var sequence: UInt64 = 0
    var rows = 0
    var nextContext = 0
    while let message = frames.next() {
      sequence += 1
      guard let event = decoder.decode(message, sequence: sequence).event else { continue }
      while nextContext < events.count, events[nextContext].time <= event.time {
        primary.pipeline.context(events[nextContext])
        for frame in further { frame.run.pipeline.context(events[nextContext]) }
        nextContext += 1
      }
      let effect = primary.pipeline.ingest(event)
      for frame in further { frame.run.pipeline.ingest(event) }
      guard event.instrument.index == 0, effect.status.changedBook || event.kind == .trade || event.kind == .crossTrade
      else { continue }
      rows += 1
      guard rows % every == 0 else { continue }
      primary.evaluate(at: event.time)
      for frame in further { frame.run.evaluate(at: event.time) }
      plot?.add(at: event.time) { column in
        let run = further.first { $0.name == column.frame }?.run ?? primary
        return PlotValue(run.vector, column.slot)
      }
      guard let text else { continue }
      text.write(event.time.nanoseconds)
      for slot in slots { write(primary, slot, into: text) }
      for frame in further { for slot in barSlots { write(frame.run, slot, into: text) } }
      text.write(byte: UInt8(ascii: ","))
      text.write(primary.vector.valid.hex)
      text.write(byte: UInt8(ascii: "\n"))
    }
    try plot?.finish()
  }

  /// A slot that was never computed is an empty field.
  private func write(_ run: FeatureRun, _ slot: FeatureSlot, into text: OutputText) {
    text.write(byte: UInt8(ascii: ","))
    let value = run.vector[slot]
    if value != 0 || run.vector.valid[slot] || run.vector.stale[slot] { run.seen[slot] = true }
    if run.seen[slot] { text.write(value) }
  }
}

extension FeatureSlot {
  /// The slot changes only when a bar closes (the multi-timeframe rule of the catalogue).
  var belongsToBars: Bool {
    (37...73).contains(index) || (75...77).contains(index) || index == 79 || (82...86).contains(index)
  }
}

/// A bar span as people write it: 500ms is not one, 1s, 5m, 1h and 1d are.
struct Timeframe {
  let name: String
  let seconds: Int64

  init(_ text: Substring) throws {
    let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
    guard let unit = text.last.flatMap({ units[$0] }), let count = Int64(text.dropLast()), count > 0,
      count <= 86_400 / unit, 86_400 % (count * unit) == 0
    else { throw ToolFailure.badInput("--bar \(text): a span like 1s, 5m, 1h or 1d that divides a day expected") }
    name = String(text)
    seconds = count * unit
  }
}
