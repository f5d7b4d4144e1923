// Goal: `martlet book` says what its contract says. Method: the tool as a child process over generated days and real files; rows are
// compared with each other, with the messages of the file, and with the exchange's own books.

import FixtureStreams
import Foundation
import LockFreeRings
import MarketIngest
import OrderBooks
import TestSupport
import Testing
import TradingTypes

let needsTool = Comment("the martlet executable is not beside the tests")

@Suite(.enabled(if: Tool.url != nil, needsTool)) struct BookCommandTests {
  private func book(_ path: String, _ more: String...) throws -> Tool.Outcome {
    try Tool.run(["book", "--feed", "itch50", "--input", path] + more)
  }

  /// Messages that change the book of each symbol, by a book set of our own.
  private static let touches: [String: [UInt64]] = {
    let bytes = Fixture.bytes
    let arena = Arena(capacityBytes: 64 << 20)
    guard let capacity = try? BookCapacity(instruments: 8, orders: 8_192, windowTicks: 256),
      var books = try? OrderBookSet(
        capacity: capacity, feedIncrement: Price(nanos: 100_000), tick: Price(nanos: 10_000_000), in: arena)
    else { return [:] }
    var decoder = ItchDecoder(
      midnight: Timestamp(nanoseconds: 0), venue: VenueID(index: 0), map: InstrumentMap(discovering: 8, in: arena),
      in: arena)
    var frames = ItchFrames(bytes.rawBytes)
    var found: [String: [UInt64]] = [:]
    var sequence: UInt64 = 0
    while let message = frames.next() {
      sequence += 1
      guard let event = decoder.decode(message, sequence: sequence).event else { continue }
      guard books.apply(event).status.changedBook, let symbol = decoder.map.symbol(of: event.instrument) else {
        continue
      }
      found[symbol.description, default: []].append(sequence)
    }
    return found
  }()

  private func rows(_ outcome: Tool.Outcome) -> [[Substring]] {
    outcome.lines.dropFirst().map { $0.split(separator: ",", omittingEmptySubsequences: false) }
  }

  @Test func `a row comes after every touching message, in order`() throws {
    let folder = try Folder()
    let path = try folder.write(Fixture.bytes, "day.itch50")
    let outcome = try book(path, "--levels", "1")
    #expect(outcome.code == 0 && outcome.error.isEmpty)
    #expect(outcome.lines.first == "message,timestamp_ns,symbol,bid_px_1,bid_sz_1,bid_ct_1,ask_px_1,ask_sz_1,ask_ct_1")
    #expect(rows(outcome).map { UInt64($0[0]) } == Self.touches.values.flatMap(\.self).sorted().map(Optional.some))
    #expect(Set(rows(outcome).map(\.count)) == [9])
    // Prices keep four decimals.
    #expect(rows(outcome).allSatisfy { $0[3].isEmpty || $0[3].split(separator: ".").last?.count == 4 })
    let again = try book(path, "--levels", "1")
    #expect(again.output == outcome.output)
  }

  @Test(arguments: [1, 2, 7, 100, 1_000_000])
  func `every K-th touching message is printed, and the last one, never twice`(every: Int) throws {
    let folder = try Folder()
    let path = try folder.write(Fixture.bytes, "day.itch50")
    for (symbol, messages) in Self.touches {
      let outcome = try book(path, "--symbol", symbol, "--every", "\(every)", "--levels", "1")
      var expected = messages.enumerated().filter { ($0.offset + 1) % every == 0 }.map(\.element)
      if expected.last != messages.last, let last = messages.last { expected.append(last) }
      #expect(rows(outcome).compactMap { UInt64($0[0]) } == expected, "\(symbol)")
      #expect(rows(outcome).allSatisfy { $0[2] == symbol[...] })
    }
    // All symbols in one run: each counts on its own.
    let all = try book(path, "--every", "\(every)", "--levels", "1")
    let expected = Self.touches.values.reduce(0) { $0 + $1.count / every + ($1.count % every == 0 ? 0 : 1) }
    #expect(rows(all).count == expected)
  }

  @Test(arguments: [1, 25])
  func `only-changes leaves out rows that equal the symbol's row before`(levels: Int) throws {
    let folder = try Folder()
    let path = try folder.write(Fixture.bytes, "day.itch50")
    let all = rows(try book(path, "--levels", "\(levels)"))
    let changed = rows(try book(path, "--levels", "\(levels)", "--only-changes"))
    #expect(Set(all.map(\.count)) == [3 + 6 * levels])
    var last: [Substring: ArraySlice<Substring>] = [:]
    var expected: [[Substring]] = []
    for row in all where last[row[2]] != row[3...] {
      last[row[2]] = row[3...]
      expected.append(row)
    }
    #expect(changed == expected)
    #expect(changed.count < all.count)
  }

  @Test func `fewer levels are the first of more`() throws {
    let folder = try Folder()
    let path = try folder.write(Fixture.bytes, "day.itch50")
    let few = rows(try book(path, "--levels", "2", "--every", "9"))
    let many = rows(try book(path, "--levels", "25", "--every", "9"))
    #expect(few == many.map { Array($0.prefix(15)) })
  }

  @Test func `standard input, a gzip file and the file itself give the same bytes`() throws {
    let folder = try Folder()
    let path = try folder.write(Fixture.bytes, "day.itch50")
    let plain = try book(path, "--every", "50")
    let piped = try Tool.run(
      ["book", "--feed", "itch50", "--input", "-", "--every", "50"], input: URL(fileURLWithPath: path))
    #expect(piped.output == plain.output && piped.code == 0)
    let squeezed = try Tool.run(executable: URL(fileURLWithPath: "/bin/gzip"), ["-c", path])
    try squeezed.output.write(to: folder.file("day.itch50.gz"))
    let inflated = try book(folder.file("day.itch50.gz").path, "--every", "50")
    if !inflated.error.contains("zlib was not found") { #expect(inflated.output == plain.output && inflated.code == 0) }
    // A file in place of standard output.
    let target = folder.file("book.csv").path
    let written = try book(path, "--every", "50", "--output", target)
    #expect(written.output.isEmpty && written.code == 0)
    #expect(try Data(contentsOf: URL(fileURLWithPath: target)) == plain.output)
  }

  @Test func `a date moves the times to that day`() throws {
    let folder = try Folder()
    let path = try folder.write(Fixture.bytes, "day.itch50")
    let (plain, dated) = (
      rows(try book(path, "--levels", "1")), rows(try book(path, "--levels", "1", "--date", "2020-01-30"))
    )
    let shift: Int64 = 1_580_342_400_000_000_000
    #expect(plain.compactMap { Int64($0[1]).map { $0 + shift } } == dated.compactMap { Int64($0[1]) })
  }

  // MARK: - Ends and errors

  @Test func `an incomplete tail warns, and is an error when strict`() throws {
    let folder = try Folder()
    let whole = try folder.write(Fixture.bytes, "whole.itch50")
    let cut = try folder.write(Array(Fixture.bytes.dropLast(5)), "cut.itch50")
    let (all, most) = (try book(whole), try book(cut))
    #expect(most.code == 0 && most.errorLines.count == 1)
    #expect(most.error.contains("warning") && most.error.contains("cut.itch50") && most.error.contains("offset"))
    // The last message of the day touches no book.
    #expect(most.output == all.output)
    let strict = try book(cut, "--strict")
    #expect(strict.code == 2 && strict.errorLines.count == 1)
    #expect(try book(cut, "--summary").object()["truncated_bytes"] as? Int == 9)
    // A zero length ends the file where it is last, and is an error elsewhere.
    let ended = try book(try folder.write(Fixture.bytes + [0, 0], "ended.itch50"), "--strict")
    #expect(ended.code == 0 && ended.output == all.output && ended.error.isEmpty)
    let lost = try book(try folder.write(Fixture.bytes + [0, 0, 0], "lost.itch50"))
    #expect(lost.code == 2 && lost.errorLines.count == 1)
  }

  @Test func `wrong lengths and unknown types are skipped and counted`() throws {
    let folder = try Folder()
    let odd: [UInt8] = [0, 3, UInt8(ascii: "A"), 1, 2, 0, 2, UInt8(ascii: "z"), 9]
    let path = try folder.write(odd + Fixture.bytes, "odd.itch50")
    let summary = try book(path, "--summary").object()
    #expect(summary["refused"] as? Int == 2)
    #expect(summary["messages"] as? Int == Fixture.messages + 2)
  }

  @Test(arguments: [
    ["book"], ["book", "--feed", "itch50"], ["book", "--feed", "nonsense", "--input", "x"],
    ["book", "--feed", "itch50", "--input", "x", "--levels", "0"],
    ["book", "--feed", "itch50", "--input", "x", "--levels", "1001"],
    ["book", "--feed", "itch50", "--input", "x", "--every", "0"],
    ["book", "--feed", "itch50", "--input", "x", "--every", "many"],
    ["book", "--feed", "itch50", "--input", "x", "--colour"], ["nonsense"], ["features"],
    ["features", "--feed", "itch50"],
    ["replay"], ["replay", "--feed", "itch50"],
    ["features", "--bars", "a.csv", "--feed", "itch50"],
  ])
  func `bad arguments are one line and exit 2`(arguments: [String]) throws {
    let outcome = try Tool.run(arguments)
    #expect(outcome.code == 2, "\(arguments)")
    #expect(outcome.errorLines.count == 1 && outcome.output.isEmpty, "\(arguments): \(outcome.error)")
  }

  @Test func `missing files, folders, strangers and existing outputs are one line and exit 2`() throws {
    let folder = try Folder()
    let path = try folder.write(Fixture.bytes, "day.itch50")
    let taken = try folder.write([1, 2, 3], "taken.csv")
    for (more, expected) in [
      (["--input", folder.file("none.itch50").path], "no such file"), (["--input", folder.url.path], "a folder found"),
      (["--input", path, "--symbol", "ZZZZ"], "ZZZZ"), (["--input", path, "--output", taken], "--force"),
      (["--input", path, "--date", "2020-02-30"], "--date"),
      (["--input", path, "--output", folder.file("no/such/folder.csv").path], "not writable"),
    ] {
      let outcome = try Tool.run(["book", "--feed", "itch50"] + more)
      #expect(outcome.code == 2 && outcome.errorLines.count == 1 && outcome.output.isEmpty, "\(more)")
      #expect(outcome.error.contains(expected), "\(more): \(outcome.error)")
    }
    #expect(try Data(contentsOf: URL(fileURLWithPath: taken)) == Data([1, 2, 3]))
    let forced = try book(path, "--output", taken, "--force", "--every", "100")
    #expect(forced.code == 0)
    #expect(try Data(contentsOf: URL(fileURLWithPath: taken)).count > 3)
    // A device is written to, and stays what it is.
    let full = try book(path, "--output", "/dev/full", "--every", "100")
    #expect(full.code == 2 && full.error.contains("/dev/full: could not be written"), "\(full.error)")
    let kind = try FileManager.default.attributesOfItem(atPath: "/dev/full")[.type] as? FileAttributeType
    #expect(kind == .typeCharacterSpecial)
    // Nothing half-written is left.
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
    #expect(!names.contains { $0.hasSuffix(".partial") })
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full"), "no device that is always full"))
  func `an output that takes nothing more is one line and exit 2`() throws {
    let folder = try Folder()
    let path = try folder.write(Fixture.bytes, "day.itch50")
    let command = "\"$0\" book --feed itch50 --input \"$1\" >/dev/full"
    let outcome = try Tool.run(
      executable: URL(fileURLWithPath: "/bin/sh"), ["-c", command, try #require(Tool.url).path, path])
    #expect(outcome.code == 2 && outcome.errorLines.count == 1, "\(outcome.code) \(outcome.error)")
    #expect(outcome.error.contains("standard output"))
  }

  @Test func `help is no error`() throws {
    for arguments in [["--help"], ["help", "book"], ["book", "--help"], ["replay", "--help"]] {
      let outcome = try Tool.run(arguments)
      #expect(outcome.code == 0 && !outcome.output.isEmpty && outcome.error.isEmpty)
    }
  }

  // MARK: - Summary

  @Test func `the summary has every field of its contract`() throws {
    let folder = try Folder()
    let path = try folder.write(Fixture.bytes, "day.itch50")
    let outcome = try book(path, "--summary")
    let summary = try outcome.object()
    for name in [
      "messages", "by_type", "unknown_orders", "duplicate_orders", "crossed", "stale", "symbols", "live_orders",
      "max_live_orders", "gaps", "duplicates", "locked", "truncated_bytes", "best_changes", "final",
    ] { #expect(summary[name] != nil, "\(name)") }
    #expect(summary["messages"] as? Int == Fixture.messages && summary["symbols"] as? Int == Fixture.symbols)
    #expect((summary["by_type"] as? [String: Int])?.values.reduce(0, +) == Fixture.messages)
    for name in ["unknown_orders", "duplicate_orders", "crossed", "locked", "stale", "gaps", "truncated_bytes"] {
      #expect(summary[name] as? Int == 0, "\(name)")
    }
    // The final books are those of the last rows.
    let final = try #require(summary["final"] as? [String: [String: [String: Any]]])
    var last: [String: [Substring]] = [:]
    for row in rows(try book(path, "--levels", "1")) { last[String(row[2])] = row }
    #expect(Set(final.keys) == Set(last.keys))
    for (symbol, row) in last {
      for (side, place) in [("bid", 3), ("ask", 6)] {
        let best = try #require(final[symbol]?[side])
        #expect(best["price"] as? String == String(row[place]))
        #expect(best["size"] as? Int == Int(row[place + 1]) && best["count"] as? Int == Int(row[place + 2]))
        #expect(try #require(best["first_order_size"] as? Int) > 0 && #require(best["levels"] as? Int) > 0)
      }
    }
  }

  private static let apple = SharedData.file("data/itch50/aapl_20200130_locate13_first10k.itch50")

  @Test(.enabled(if: apple != nil, "the shared ITCH files are not here"))
  func `a real morning has no unknown order and is never crossed`() throws {
    let summary = try book(try #require(Self.apple).path, "--summary").object()
    #expect(summary["messages"] as? Int == 10_000 && summary["unknown_orders"] as? Int == 0)
    #expect(summary["crossed"] as? Int == 0 && summary["duplicate_orders"] as? Int == 0)
  }
}
