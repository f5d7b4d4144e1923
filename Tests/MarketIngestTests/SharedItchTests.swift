import Foundation
import LockFreeRings
import MarketIngest
import TestSupport
import Testing
import TradingTypes

// Goal: the decoder agrees with real feeds. Method: decode whole files; counts a type, the end, and what the table of the
// files says of them. A wrong length in our table would show as a refusal.
@Suite struct SharedItchTests {
  struct File: Sendable, CustomTestStringConvertible {
    var name: String
    var counts: [String: UInt64]
    var symbols: Int
    var ending: ItchFrames.Ending = .end
    var first: (seconds: Double, last: Double)?
    var testDescription: String { name }
    var url: URL? { SharedData.file("data/itch50/\(name)") }
  }

  static let files = [
    File(
      name: "aapl_20200130_locate13_first10k.itch50",
      counts: [
        "A": 4758, "D": 4083, "E": 849, "P": 240, "L": 52, "U": 7, "X": 6, "F": 2, "R": 1, "H": 1, "Y": 1,
      ], symbols: 1, first: (11_234.9, 28_770.5)),
    File(
      name: "aapl_20191230_0935_first30k_restored.itch50",
      counts: ["D": 14230, "A": 13014, "E": 1507, "U": 992, "P": 186, "X": 69, "C": 1, "F": 1], symbols: 1,
      first: (34_500.0, 34_669.8)),
    File(
      name: "goog_20120621_from_lobster10.itch50",
      counts: ["A": 75217, "D": 69224, "E": 7699, "P": 3913, "X": 1156, "S": 6, "R": 1, "H": 1], symbols: 1),
    File(
      name: "nasdaq_20191230_0930_first1000.itch50",
      counts: [
        "A": 367, "U": 225, "F": 193, "D": 167, "E": 28, "X": 6, "I": 4, "P": 4, "Q": 4, "C": 1, "S": 1,
      ], symbols: -1, first: (34_200.0, 34_200.0)),
    File(
      name: "nasdaq_startofday_1mib_truncated.itch50",
      counts: ["R": 8915, "H": 8903, "Y": 8903, "L": 8814, "S": 1], symbols: 8915,
      ending: .truncated(offset: 1_048_568, byteCount: 8), first: (10_953.0, 11_247.0)),
  ]

  @Test(
    .enabled(if: files.allSatisfy { $0.url != nil }, "the shared ITCH files are not here"), arguments: files)
  func `a real file has the stated messages and nothing is refused`(file: File) throws {
    let mapped = try MappedFile(path: try #require(file.url).path)
    var bench = DecoderBench(discovering: 10_000)
    var frames = ItchFrames(mapped.bytes)
    var sequence: UInt64 = 0
    var times = (first: Int64.max, last: Int64.min)
    var isOrdered = true
    while let message = frames.next() {
      sequence += 1
      let outcome = bench.decoder.decode(message, sequence: sequence)
      guard let event = outcome.event else {
        Issue.record("message \(sequence): \(outcome)")
        return
      }
      let time = event.time.nanoseconds - DecoderBench.midnight.nanoseconds
      if times.last != .min, time < times.last { isOrdered = false }
      times = (min(times.first, time), max(times.last, time))
      if event.kind == .addOrder, event.price.nanos <= 0 || event.quantity.lots <= 0 {
        Issue.record("message \(sequence): added at \(event.price.nanos), \(event.quantity.lots) lots")
      }
    }
    let counters = bench.decoder.counters
    var counts: [String: UInt64] = [:]
    for type in 0..<256 where counters.byType[type] > 0 {
      counts[String(Unicode.Scalar(UInt8(type)))] = counters.byType[type]
    }
    #expect(counts == file.counts)
    #expect(frames.ending == file.ending)
    #expect(isOrdered)
    let map = (bench.decoder.map.count, bench.decoder.map.reboundCount, bench.decoder.map.invalidSymbolCount)
    if file.symbols >= 0 { #expect(map.0 == file.symbols) }
    #expect(map.1 == 0 && map.2 == 0)
    if let first = file.first {
      #expect(abs(Double(times.first) / 1e9 - first.seconds) < 1)
      #expect(abs(Double(times.last) / 1e9 - first.last) < 1)
    }
  }

  // The eight captures hold known messages behind Ethernet, IPv4, UDP and a MoldUDP64 header.
  @Test(
    .enabled(
      if: SharedData.file("data/exchange-pcaps/Nasdaq_Nasdaq.Equities.TotalView.Itch.v5.0/OrderDeleteMessage.pcap")
        != nil,
      "the shared captures are not here"))
  func `captured messages decode`() throws {
    let names = [
      "AddOrderNoMpidAttributionMessage": "A", "MarketParticipantPositionMessage": "L",
      "NetOrderImbalanceIndicatorMessage": "I", "OrderDeleteMessage": "D", "OrderExecutedMessage": "E",
      "OrderReplaceMessage": "U", "StockTradingActionMessage": "H",
    ]
    for (name, type) in names {
      let url = try #require(
        SharedData.file("data/exchange-pcaps/Nasdaq_Nasdaq.Equities.TotalView.Itch.v5.0/\(name).pcap"))
      let capture = [UInt8](try Data(contentsOf: url))
      // The message is the last thing of the capture: two bytes of length, then the type.
      let letter = type.utf8.first ?? 0
      var found = false
      for start in capture.indices.dropLast(2) where capture[start + 2] == letter {
        let length = Int(capture[start]) << 8 | Int(capture[start + 1])
        guard start + 2 + length == capture.count else { continue }
        var bench = DecoderBench(discovering: 10)
        let outcome = bench.decode(Array(capture[(start + 2)...]))
        #expect(outcome.event != nil, "\(name)")
        found = true
      }
      #expect(found, "\(name)")
    }
  }
}
