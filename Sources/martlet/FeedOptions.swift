import ArgumentParser
import Foundation
import LockFreeRings
import MarketIngest
import OrderBooks
import TradingTypes

/// The feeds this build reads.
enum Feed: String, ExpressibleByArgument, CaseIterable {
  /// NASDAQ TotalView-ITCH 5.0, framed by two-byte lengths.
  case itch50
  /// The packed records of the league stream.
  case league
  /// Databento DBN, versions 1 to 3.
  case dbn
  /// ITCH 5.0 in MoldUDP64 packets of a pcap or pcapng capture.
  case moldudp64
  /// A LOBSTER message file.
  case lobster

  /// What an error says was expected.
  static var expected: String { allCases.map(\.rawValue).joined(separator: ", ") }
}

/// The options every command over a feed shares.
struct FeedOptions: ParsableArguments {
  @Option(
    name: .customLong("feed"),
    help:
      "Format of the input: itch50 (NASDAQ TotalView-ITCH 5.0, framed by two-byte lengths), moldudp64 (the same in MoldUDP64 packets of a pcap or pcapng capture), lobster (message file), dbn (Databento, versions 1 to 3), league (packed records)."
  )
  var namedFeed: Feed?

  @Option(
    name: .customLong("input"),
    help: ArgumentHelp("File to read; - is standard input; gzip and zstd are decompressed.", valueName: "file"))
  var namedInput: String?

  @Option(help: ArgumentHelp("Day of the feed; without it times count from midnight.", valueName: "YYYY-MM-DD"))
  var date: String?

  @Option(help: ArgumentHelp("File to write instead of standard output.", valueName: "file"))
  var output: String?

  @Flag(help: "Overwrite an existing output file.")
  var force = false

  @Flag(help: "An incomplete last message is an error.")
  var strict = false

  /// How the input ends is not judged: another pass over it does.
  var isUnjudged = false

  // What is given on the command line.
  private enum CodingKeys: CodingKey { case namedFeed, namedInput, date, output, force, strict }

  /// Demands the two options that every command over a feed needs, unless it only prints its configuration.
  func demandInput() throws {
    guard namedFeed != nil else { throw ValidationError("--feed: one of \(Feed.expected) expected, nothing found") }
    guard namedInput != nil else { throw ValidationError("--input: a file or - expected, nothing found") }
  }

  /// Format of the input.
  var feed: Feed { namedFeed ?? .itch50 }

  /// Path of the input; standard input where none was demanded.
  var input: String { namedInput ?? "-" }

  /// Midnight of the feed's day.
  func midnight() throws -> Timestamp { try feedMidnight(date) }

  /// Says that this command reads ITCH alone.
  func demandItch(for command: String) throws {
    guard feed == .itch50 else {
      throw ValidationError("--feed: itch50 expected for \(command), \(feed.rawValue) found")
    }
  }

  /// An incomplete message at the end: a warning, or an error with `--strict`.
  func judgeTruncation(at offset: Int, byteCount: Int, messages: UInt64) throws {
    if isUnjudged { return }
    try martlet.judgeTruncation(of: input, at: offset, byteCount: byteCount, messages: messages, strict: strict)
  }

  /// What an input's ending means: nothing, a warning, or an error that names the place.
  func judge(_ ending: ItchFrames.Ending, messages: UInt64) throws {
    if isUnjudged { return }
    try martlet.judge(ending, of: input, messages: messages, strict: strict)
  }
}

/// Midnight of `date`, or of a feed that names no day.
func feedMidnight(_ date: String?) throws -> Timestamp {
  guard let date else { return Timestamp(nanoseconds: 0) }
  guard let days = daysSinceEpoch(date) else {
    throw ToolFailure.badInput("--date \(date): a day like 2024-01-31 from 1970 to 2200 expected")
  }
  return Timestamp(nanoseconds: days * 86_400_000_000_000)
}

/// An incomplete last message is a warning, or an error with `strict`; a zero length before the end is an error.
func judge(_ ending: ItchFrames.Ending, of path: String, messages: UInt64, strict: Bool) throws {
  switch ending {
  case .unread, .end, .endMark: return
  case .zeroLength(let offset):
    throw ToolFailure.badInput(
      "\(path): offset \(offset), after message \(messages): a message length expected, 0 found")
  case .truncated(let offset, let byteCount):
    try judgeTruncation(of: path, at: offset, byteCount: byteCount, messages: messages, strict: strict)
  }
}

/// An incomplete message at the end is a warning, or an error with `strict`.
func judgeTruncation(of path: String, at offset: Int, byteCount: Int, messages: UInt64, strict: Bool) throws {
  let line = "\(path): offset \(offset), after message \(messages): \(byteCount) bytes of an incomplete message"
  if strict { throw ToolFailure.badInput(line) }
  warn(line)
}

/// Days from 1970-01-01 to a proleptic Gregorian date written YYYY-MM-DD.
func daysSinceEpoch(_ text: String) -> Int64? {
  let parts = text.split(separator: "-", omittingEmptySubsequences: false)
  guard parts.count == 3, parts.map(\.count) == [4, 2, 2], parts.allSatisfy({ $0.allSatisfy(\.isASCII) }),
    let year = Int64(parts[0]), let month = Int(parts[1]), let day = Int64(parts[2]),
    (1970...2200).contains(year), (1...12).contains(month)
  else { return nil }
  let isLeap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
  let lengths: [Int64] = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
  guard day >= 1, day <= lengths[month - 1] else { return nil }
  let before = year - 1
  let leapDays = (before / 4 - before / 100 + before / 400) - (1969 / 4 - 1969 / 100 + 1969 / 400)
  return (year - 1970) * 365 + leapDays + lengths.prefix(month - 1).reduce(0, +) + day - 1
}

/// A warning: one line on standard error, the exit code stays.
func warn(_ line: String) {
  FileHandle.standardError.write(Data("martlet: warning: \(line)\n".utf8))
}
