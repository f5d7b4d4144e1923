// Goal: `martlet book` reads captures of MoldUDP64 and LOBSTER files as their tables say. Method: the tool as a child process over the shared files, and over
// captures that the test makes from a generated day: duplicated packets change nothing, a lost one is a gap.

import FixtureStreams
import Foundation
import LockFreeRings
import MarketIngest
import TestSupport
import Testing
import TradingTypes

@Suite(.enabled(if: Tool.url != nil, needsTool)) struct CaptureBookTests {
  static let mold = "data/moldudp64/nasdaq_itch50_0930_100pkts.pcap"
  static let lobster = "data/lobster/GOOG_2012-06-21_34200000_57600000_message_10.csv.gz"
  static let opening = "data/itch50/nasdaq_20191230_0930_first1000.itch50"

  private func summary(_ feed: String, _ path: String) throws -> [String: Any] {
    let outcome = try Tool.run(["book", "--feed", feed, "--input", path, "--summary"])
    #expect(outcome.code == 0, "\(outcome.error)")
    return try outcome.object()
  }

  @Test(
    .enabled(if: [mold, lobster, opening].allSatisfy { SharedData.file($0) != nil }, "the shared data are not there"))
  func `real captures and LOBSTER files have their stated messages`() throws {
    let packets = try summary("moldudp64", SharedData.file(Self.mold)!.path)
    #expect(packets["messages"] as? Int == 269 && packets["gaps"] as? Int == 0 && packets["duplicates"] as? Int == 0)
    #expect(packets["by_type"] as? [String: Int] == ["A": 125, "U": 99, "D": 30, "F": 6, "I": 5, "E": 3, "S": 1])
    let lines = try summary("lobster", SharedData.file(Self.lobster)!.path)
    #expect(lines["messages"] as? Int == 147_916 && (lines["final"] as? [String: Any])?["GOOG"] != nil)
    // A day cut at its opening: the table says how many messages are about orders from before.
    #expect(try summary("itch50", SharedData.file(Self.opening)!.path)["unknown_orders"] as? Int == 399)
  }

  @Test func `the last line of a LOBSTER file may lack its end, but not its rest`() throws {
    let folder = try Folder()
    let (first, second) = ("34200.1,1,5,100,1000000,1\n", "34200.2,1,6,100,1010000,-1")
    for cut in [-1, 0, 1, 4, 20] {
      let line = cut < 0 ? second + "\n" : String(second.dropLast(cut))
      let path = try folder.write(Array((first + line).utf8), "GOOG_\(cut).csv")
      let lost = max(cut, 0) == 0 ? 0 : line.utf8.count
      let found = try summary("lobster", path)
      #expect(found["truncated_bytes"] as? Int == lost && found["messages"] as? Int == 2, "\(cut)")
      let strict = try Tool.run(["book", "--feed", "lobster", "--input", path, "--strict"])
      #expect(strict.code == (lost == 0 ? 0 : 2) && strict.error.contains("incomplete") == (lost > 0), "\(cut)")
    }
  }

  /// A capture of raw IPv4 packets, one message each and one a millisecond, but those that `copies` leaves out; `name` says under which
  /// session and number each message goes.
  private func capture(
    days: Int = 1, name: (Int) -> (session: String, number: Int) = { ("SESSION001", $0) }, _ copies: (Int) -> Int
  ) -> (bytes: [UInt8], messages: Int) {
    func little(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) } }
    func big(_ value: UInt64, _ count: Int) -> [UInt8] {
      (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * (count - 1 - $0))) }
    }
    // Microseconds, link type 101: raw IP.
    var bytes = little(0xA1B2_C3D4) + [2, 0, 4, 0] + little(0) + little(0) + little(65_535) + little(101)
    let day = Fixture.bytes
    var bodies: [[UInt8]] = []
    var frames = ItchFrames(day.rawBytes)
    while let message = frames.next() { bodies.append((0..<message.count).map { message.byte(at: $0) }) }
    var number = 0
    for body in (0..<days).flatMap({ _ in bodies }) {
      number += 1
      let (session, sequence) = name(number)
      let mold = Array(session.utf8) + big(UInt64(sequence), 8) + [0, 1] + big(UInt64(body.count), 2) + body
      let udp = [0x10, 0x00, 0x67, 0x6D] + big(UInt64(mold.count + 8), 2) + [0, 0] + mold
      let header =
        [0x45, 0] + big(UInt64(udp.count + 20), 2) + [0, 0, 0, 0, 1, 17, 0, 0, 10, 0, 0, 1, 233, 54, 12, 111]
      let packet = header + udp
      for _ in 0..<copies(number) {
        bytes += little(1_700_000_000 + UInt32(number / 1_000)) + little(UInt32(number % 1_000) * 1_000)
        bytes += little(UInt32(packet.count)) + little(UInt32(packet.count)) + packet
      }
    }
    return (bytes, number)
  }

  @Test func `copies of packets change nothing, and a lost one is a gap that makes the books stale`() throws {
    let folder = try Folder()
    let plain = try Tool.run([
      "book", "--feed", "itch50", "--input", folder.write(Fixture.bytes, "day.itch50"), "--levels", "3",
    ])
    let once = capture { _ in 1 }
    let twice = capture { $0 % 3 == 0 ? 2 : 1 }
    for (name, bytes) in [("once.pcap", once.bytes), ("twice.pcap", twice.bytes)] {
      let rows = try Tool.run(["book", "--feed", "moldudp64", "--input", folder.write(bytes, name), "--levels", "3"])
      #expect(rows.code == 0 && rows.output == plain.output, "\(name): \(rows.error)")
    }
    let copied = try summary("moldudp64", folder.file("twice.pcap").path)
    #expect(copied["duplicates"] as? Int == once.messages / 3 && copied["gaps"] as? Int == 0)
    #expect(copied["stale"] as? Int == 0)
    let lost = capture { $0 == 2_000 ? 0 : 1 }
    let gap = try summary("moldudp64", folder.write(lost.bytes, "lost.pcap"))
    #expect(gap["gaps"] as? Int == 1 && gap["messages"] as? Int == once.messages - 1)
    #expect(gap["stale"] as? Int == Fixture.symbols)
  }

  @Test func `every packet of a line that loses many of them is read`() throws {
    let folder = try Folder()
    let lost = capture { $0 % 20 == 7 ? 0 : 1 }
    let losses = (lost.messages + 13) / 20
    let found = try summary("moldudp64", folder.write(lost.bytes, "lost.pcap"))
    #expect(found["gaps"] as? Int == losses && found["messages"] as? Int == lost.messages - losses)
    #expect(found["stale"] as? Int == Fixture.symbols)
    // So many numbers at once that no window holds what is behind them: what came before they were given up is counted with them.
    let jump = capture(name: { ("SESSION001", $0 < 2_000 ? $0 : $0 + 100_000) }, { _ in 1 })
    let behind = try summary("moldudp64", folder.write(jump.bytes, "jump.pcap"))
    #expect(behind["gaps"] as? Int == 1 && behind["stale"] as? Int == Fixture.symbols)
    #expect((jump.messages - 30..<jump.messages).contains(behind["messages"] as? Int ?? 0))
  }

  @Test func `a capture without a packet of the protocol is one line and exit 2`() throws {
    let folder = try Folder()
    var bytes = capture { $0 < 4 ? 1 : 0 }.bytes
    // A link type nobody reads.
    bytes[20] = 77
    let other = try Tool.run(["book", "--feed", "moldudp64", "--input", folder.write(bytes, "other.pcap"), "--summary"])
    #expect(other.code == 2 && other.output.isEmpty && other.errorLines.count == 1, "\(other.error)")
    #expect(other.error.contains("none among 3 captured"))
    let empty = try folder.write(Array(bytes.prefix(24)), "empty.pcap")
    #expect(try Tool.run(["book", "--feed", "moldudp64", "--input", empty, "--summary"]).code == 0)
  }

  @Test func `a new session begins with empty books`() throws {
    let folder = try Folder()
    let once = capture { _ in 1 }
    let twice = capture(
      days: 2,
      name: { ($0 <= once.messages ? "SESSION001" : "SESSION002", $0 <= once.messages ? $0 : $0 - once.messages) },
      { _ in 1 })
    let one = try summary("moldudp64", folder.write(once.bytes, "once.pcap"))
    let two = try summary("moldudp64", folder.write(twice.bytes, "twice.pcap"))
    #expect(two["messages"] as? Int == 2 * once.messages && two["duplicate_orders"] as? Int == 0)
    #expect(two["stale"] as? Int == 0 && two["live_orders"] as? Int == one["live_orders"] as? Int)
    #expect((two["final"] as? NSDictionary) == (one["final"] as? NSDictionary))
  }
}
