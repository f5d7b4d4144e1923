import CPlatform
import Foundation
import ModelInference

/// Our side of the inference league: the models of the folder through our importers, one row a call, as `peers.c` does for the others.
///
///     inferenceleague FOLDER [--passes N|asked] [--only TEXT,…] [--values FOLDER] [--sets LIST] [--artifact FILE]
///
/// Without `--sets` every instruction set of this processor runs. Every pass times every contender once, in an order that
/// rotates, and prints one line of JSON each.
@main struct InferenceLeague {
  static func main() {
    do {
      let arguments = try LeagueArguments(Array(CommandLine.arguments.dropFirst()))
      // The last processor, as the peers.
      _ = martlet_pin_thread(CInt(ProcessInfo.processInfo.processorCount - 1))
      let entrants = try Line(arguments).entrants()
      guard !entrants.isEmpty || arguments.passes == nil else {
        throw LeagueError("--only: no contender has '\(arguments.only ?? "")' in its name")
      }
      if let folder = arguments.values {
        for entrant in entrants { try write(entrant.values(), of: entrant, into: folder) }
      }
      let stopwatch = Stopwatch()
      if arguments.passes == nil { say("") }
      var pass = 0
      while arguments.passes.map({ pass < $0 }) ?? (readLine() != nil) {
        for turn in entrants.indices {
          let entrant = entrants[(turn + pass) % entrants.count]
          say(line(entrant, entrant.timed(by: stopwatch, pass: pass), pass))
        }
        if arguments.passes == nil { say("") }
        pass += 1
      }
    } catch {
      FileHandle.standardError.write(Data("league: \(error)\n".utf8))
      exit(2)
    }
  }

  /// What reads us sees a line as soon as it is there.
  private static func say(_ line: String) {
    print(line)
    fflush(nil)
  }

  private static func line(_ entrant: Entrant, _ figures: Figures, _ pass: Int) -> String {
    func tenths(_ value: Double) -> Double { (value * 10).rounded() / 10 }
    return """
      {"name":"martlet","set":"\(entrant.set)","form":"\(entrant.form)","pass":\(pass),"calls":\(figures.calls),\
      "p50_ns":\(tenths(figures.p50)),"p99_ns":\(tenths(figures.p99)),"checksum":\(figures.checksum.map { "\($0)" } ?? "null"),\
      "layout":"\(entrant.layout)"}
      """
  }

  private static func write(_ values: [Double], of entrant: Entrant, into folder: String) throws(LeagueError) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(values.count * 8)
    for value in values {
      for byte in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> UInt64(8 * byte))) }
    }
    let path = "\(folder)/martlet.\(entrant.set).\(entrant.form).f64"
    guard FileManager.default.createFile(atPath: path, contents: Data(bytes)) else {
      throw LeagueError("\(path): cannot be written")
    }
  }
}

/// What stops a side of the league: one line.
struct LeagueError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// The command line, as that of the peers.
struct LeagueArguments {
  let folder: String
  /// Nil where a line of input asks for each.
  var passes: Int? = 3
  var only: String?
  var values: String?
  var artifact: String?
  /// The fastest first.
  var sets: [KernelSet] = KernelSet.supported.reversed()

  static let usage =
    "usage: inferenceleague FOLDER [--passes N|asked] [--only TEXT,…] [--values FOLDER] [--sets LIST] [--artifact FILE]"

  init(_ arguments: [String]) throws(LeagueError) {
    guard let first = arguments.first, !first.hasPrefix("-"), arguments.count % 2 == 1 else {
      throw LeagueError(Self.usage)
    }
    folder = first
    for place in stride(from: 1, to: arguments.count, by: 2) {
      let value = arguments[place + 1]
      switch arguments[place] {
      case "--passes":
        passes = value == "asked" ? nil : Int(value)
        guard value == "asked" || passes ?? -1 >= 0 else { throw LeagueError("--passes: '\(value)' is no number") }
      case "--only": only = value
      case "--values": values = value
      case "--artifact": artifact = value
      case "--sets":
        let names = value.split(separator: ",").map(String.init)
        for name in names where !KernelSet.allCases.contains(where: { "\($0)" == name }) {
          throw LeagueError("--sets: '\(name)' is none of avx512, avx2, scalar")
        }
        // What this processor lacks is left out.
        sets = sets.filter { names.contains("\($0)") }
      default: throw LeagueError("\(arguments[place]): \(Self.usage)")
      }
    }
  }

  /// Whether a contender's name has one of the texts of `--only`.
  func wants(_ set: String, _ form: String) -> Bool {
    only.map { $0.split(separator: ",").contains { "martlet \(set) \(form)".contains($0) } } ?? true
  }
}
