/// Arguments that make no sense: one line for a person, and exit code 2.
struct UsageError: Error, Equatable, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// What the command line asks of bench.
struct BenchArguments: Equatable {
  /// A short run of at most 20 s.
  var isQuick = false
  /// Where the JSON report goes.
  var jsonFile: String?
  /// Which rows are measured.
  var only: String?
  /// Offered rates in messages a second; nil is the standard set.
  var rates: [Int64]?
  /// Where the percentile curves go.
  var plotFile: String?
  /// A real ITCH file in place of the fixture.
  var inputFile: String?
  /// Seed of the fixture.
  var seed: UInt64 = 1
  /// Print the usage and do nothing.
  var showsHelp = false

  /// The largest offered rate: one message a nanosecond.
  static let rateMax: Int64 = 1_000_000_000

  static let usage = """
    usage: bench [options]

      --quick          a short run of at most 20 s
      --json FILE      write the report as JSON
      --only PATTERN   only the rows whose name contains PATTERN; with * the whole name must fit
      --rate R,R,…     offered rates in messages a second, each from 1 to \(rateMax)
      --plot FILE.svg  write percentile curves
      --input FILE     replay an ITCH 5.0 file in place of the fixture
      --seed N         seed of the fixture, decimal or 0x hexadecimal (default 1)
      --help           this text

    Exit 0 when every objective is met, 1 when one is breached, 2 on bad arguments. Always measures optimised code.
    """

  /// No arguments: the whole bench.
  init() {}

  /// The arguments after the program's name; `--option value` and `--option=value` are the same.
  init(_ arguments: [String]) throws(UsageError) {
    var rest = arguments[...]
    var seen: Set<String> = []
    while let argument = rest.popFirst() {
      let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      let option = parts[0] == "-h" ? "--help" : parts[0]
      guard Self.options.contains(option) else { throw UsageError("unknown argument '\(argument)' (see --help)") }
      guard seen.insert(option).inserted else { throw UsageError("\(option) is given twice") }

      if ["--quick", "--help"].contains(option) {
        guard parts.count == 1 else { throw UsageError("\(option) takes no value") }
        if option == "--quick" { isQuick = true } else { showsHelp = true }
        continue
      }
      guard let value = parts.count == 2 ? parts[1] : rest.popFirst(), !value.isEmpty, !value.hasPrefix("--") else {
        throw UsageError("\(option) needs a value")
      }
      switch option {
      case "--json": jsonFile = value
      case "--only": only = value
      case "--rate": rates = try Self.rates(value)
      case "--plot":
        guard value.hasSuffix(".svg") else { throw UsageError("--plot: '\(value)' does not end in .svg") }
        plotFile = value
      case "--input": inputFile = value
      default: seed = try Self.seed(value)
      }
    }
    if let jsonFile, jsonFile == plotFile { throw UsageError("--json and --plot name the same file '\(jsonFile)'") }
  }

  /// Whether `--only` asks for a row that needs passes over the whole engine.
  var selectsEngine: Bool { Objective.all.contains { selects($0.name) } }

  /// Whether `--only` lets a row be measured.
  func selects(_ name: String) -> Bool {
    guard let only else { return true }
    guard only.contains("*") else { return name.contains(only) }
    // Greedy for the last piece only, which is enough for `*`.
    var pieces = only.split(separator: "*", omittingEmptySubsequences: false)
    guard name.hasPrefix(pieces[0]) else { return false }
    var rest = name.dropFirst(pieces[0].count)
    let last = pieces.removeLast()
    for piece in pieces.dropFirst() where !piece.isEmpty {
      guard let range = rest.firstRange(of: piece) else { return false }
      rest = rest[range.upperBound...]
    }
    return rest.hasSuffix(last)
  }

  private static let options: Set<String> = [
    "--quick", "--json", "--only", "--rate", "--plot", "--input", "--seed", "--help",
  ]

  private static func rates(_ text: String) throws(UsageError) -> [Int64] {
    var rates: [Int64] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let rate = Int64(part), (1...rateMax).contains(rate) else {
        throw UsageError("--rate: '\(part)' is not a number of messages a second from 1 to \(rateMax)")
      }
      guard !rates.contains(rate) else { throw UsageError("--rate: \(rate) is given twice") }
      rates.append(rate)
    }
    return rates
  }

  private static func seed(_ text: String) throws(UsageError) -> UInt64 {
    let seed = text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : UInt64(text)
    guard let seed else { throw UsageError("--seed: '\(text)' is not a number below 2^64") }
    return seed
  }
}
